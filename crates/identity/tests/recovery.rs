//! The recovery of an account whose root user has lost its key or its MFA device, and the audit events of
//! work that no request asked for.

#![allow(clippy::unwrap_used)]

mod common;

use authz::ServiceName;
use aws_api::{iam, sts};
use common::*;
use identity::{AuthError, Recovered, Recovery};
use store::Scope;
use store::iam::entity::{self, Kind};
use store::iam::{account, mfa_device};
use store::service_events::{self, Event, SCOPE};
use store::testing::{TestStore, on_every_engine};

async fn recover(w: &World, id: &str, recovery: Recovery) -> Result<Recovered, identity::Error> {
    let service = ServiceName::AccountCommand;
    let account = id.parse().unwrap();
    w.identity
        .recover_account(service, account, recovery, w.now)
        .await
}

fn credentials(recovered: &Recovered) -> Credentials {
    Credentials {
        id: recovered.credentials.access_key_id.clone(),
        secret: recovered.credentials.secret.expose().clone(),
        token: None,
    }
}

/// A device of the root user.
async fn device_of_root(t: &TestStore, w: &World, root: &identity::Authorized) -> String {
    let input = iam::CreateVirtualMFADeviceRequest {
        virtual_mfa_device_name: "phone".to_owned(),
        ..Default::default()
    };
    let made = w.identity.create_virtual_mfa_device(root, input).await;
    let mut tx = t.store.write(Scope::Account(ACCOUNT)).await.unwrap();
    let mut conn = tx.conn();
    let device = entity::find(&mut conn, ACCOUNT, Kind::MfaDevice, "phone").await;
    let device = device.unwrap().unwrap();
    mfa_device::enable(&mut conn, device.id, None, 1, 1, 0)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    made.unwrap().virtual_mfa_device.serial_number
}

async fn devices_of_root(w: &World, root: &identity::Authorized) -> usize {
    let listed = w.identity.list_mfa_devices(root, Default::default()).await;
    listed.unwrap().mfa_devices.len()
}

async fn events(t: &TestStore) -> Vec<Event> {
    let mut tx = t.store.write(SCOPE).await.unwrap();
    let events = service_events::claim(&mut tx.conn(), 1, 2, 100).await;
    events.unwrap()
}

fn code(refused: Result<Recovered, identity::Error>) -> String {
    refused.unwrap_err().code().as_str().to_owned()
}

#[on_every_engine]
async fn a_new_key_works_and_mfa_devices_are_deactivated(t: TestStore) {
    let w = World::new(&t).await;
    let lost = w.account(ACCOUNT).await;
    let root = w.call(&lost).await.unwrap();
    let serial = device_of_root(&t, &w, &root).await;
    assert_eq!(devices_of_root(&w, &root).await, 1);

    let recovered = recover(&w, ACCOUNT, Recovery::default()).await.unwrap();
    assert_eq!(recovered.deactivated_mfa_devices, [serial]);
    assert!(recovered.deleted_keys.is_empty());
    let root = w.call(&credentials(&recovered)).await.unwrap();
    assert_eq!(&*root.caller.arn, "arn:aws:iam::111122223333:root");
    assert_eq!(devices_of_root(&w, &root).await, 0);
    // Only what was asked for is taken away.
    w.call(&lost).await.unwrap();
}

#[on_every_engine]
async fn revoking_ends_the_other_keys_and_all_sessions_of_root_at_once(t: TestStore) {
    let mut w = World::new(&t).await;
    let old = w.account(ACCOUNT).await;
    let root = w.call(&old).await.unwrap();
    let held = |made: sts::Credentials| Credentials {
        id: made.access_key_id,
        secret: made.secret_access_key.expose().clone(),
        token: Some(made.session_token.expose().clone()),
    };
    let session = w
        .identity
        .get_session_token(&root, Default::default())
        .await
        .unwrap();
    let input = sts::GetFederationTokenRequest {
        name: "guest".into(),
        ..Default::default()
    };
    let guest = w.identity.get_federation_token(&root, input).await.unwrap();
    let stolen = [
        held(session.credentials.unwrap()),
        held(guest.credentials.unwrap()),
        old,
    ];
    for credentials in &stolen {
        w.call(credentials).await.unwrap();
    }
    let session = w.call(&stolen[0]).await.unwrap();
    let (password, _) = w
        .identity
        .issue_registry_password(&session.caller, w.now)
        .unwrap();
    w.user(&root, "alice").await;
    let alice = w.key(&root, "alice").await.unwrap();

    let recovery = Recovery {
        revoke: true,
        ..Recovery::default()
    };
    let recovered = recover(&w, ACCOUNT, recovery).await.unwrap();
    assert_eq!(recovered.deleted_keys, [stolen[2].id.clone()]);
    for credentials in &stolen {
        let refused = w.call(credentials).await.unwrap_err();
        assert!(
            matches!(refused, AuthError::InvalidClientTokenId),
            "{refused:?}"
        );
    }
    let opened = w
        .identity
        .open_registry_password(password.expose(), w.now)
        .await
        .unwrap();
    w.identity.caller(&opened, w.now).await.unwrap_err();
    // Users are not root, and root's later sessions are good.
    w.call(&alice).await.unwrap();
    w.pass(1);
    let root = w.call(&credentials(&recovered)).await.unwrap();
    let session = w
        .identity
        .get_session_token(&root, Default::default())
        .await
        .unwrap();
    w.call(&held(session.credentials.unwrap())).await.unwrap();
}

#[on_every_engine]
async fn mfa_devices_stay_where_that_is_asked(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    device_of_root(&t, &w, &root).await;
    let recovery = Recovery {
        keep_mfa: true,
        ..Recovery::default()
    };
    let recovered = recover(&w, ACCOUNT, recovery).await.unwrap();
    assert!(recovered.deactivated_mfa_devices.is_empty());
    assert_eq!(devices_of_root(&w, &root).await, 1);
}

#[on_every_engine]
async fn the_quota_of_keys_holds_and_nothing_is_done_by_halves(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    device_of_root(&t, &w, &root).await;
    recover(
        &w,
        ACCOUNT,
        Recovery {
            keep_mfa: true,
            ..Recovery::default()
        },
    )
    .await
    .unwrap();
    assert_eq!(
        code(recover(&w, ACCOUNT, Recovery::default()).await),
        "LimitExceeded"
    );
    assert_eq!(devices_of_root(&w, &root).await, 1);
    let recovery = Recovery {
        revoke: true,
        ..Recovery::default()
    };
    assert_eq!(
        recover(&w, ACCOUNT, recovery)
            .await
            .unwrap()
            .deleted_keys
            .len(),
        2
    );
}

#[on_every_engine]
async fn accounts_that_are_absent_or_closed_are_not_recovered(t: TestStore) {
    let w = World::new(&t).await;
    w.account(ACCOUNT).await;
    assert_eq!(
        code(recover(&w, OTHER_ACCOUNT, Recovery::default()).await),
        "NoSuchEntity"
    );
    let mut tx = t.store.write(Scope::Account(ACCOUNT)).await.unwrap();
    account::close(&mut tx.conn(), ACCOUNT, 1).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        code(recover(&w, ACCOUNT, Recovery::default()).await),
        "InvalidInput"
    );
}

#[on_every_engine]
async fn what_no_request_asked_for_is_told_without_secrets(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.account(ACCOUNT).await;
    // Nothing is made a second time, so nothing is told.
    w.account(ACCOUNT).await;
    let recovery = Recovery {
        revoke: true,
        ..Recovery::default()
    };
    let recovered = recover(&w, ACCOUNT, recovery).await.unwrap();
    w.identity
        .sealer()
        .rotate(ServiceName::Maintenance, w.now)
        .await
        .unwrap();
    recover(&w, OTHER_ACCOUNT, recovery).await.unwrap_err();

    let events = events(&t).await;
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.name.as_str(), event.service.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("CreateKey", "first-start.berth"),
            ("CreateAccount", "first-start.berth"),
            ("RecoverAccount", "account-command.berth"),
            ("RotateKey", "maintenance.berth"),
        ]
    );
    let details: serde_json::Value = serde_json::from_str(&events[2].details).unwrap();
    assert_eq!(
        details,
        serde_json::json!({
            "accountId": ACCOUNT,
            "accessKeyId": recovered.credentials.access_key_id,
            "deletedAccessKeyIds": [root.id],
            "deactivatedMfaDevices": [],
            "sessionsEnded": true,
        })
    );
    assert_eq!(events[2].account.as_deref(), Some(ACCOUNT));
    for secret in [&root.secret, recovered.credentials.secret.expose()] {
        assert!(
            events
                .iter()
                .all(|event| !event.details.contains(secret.as_str()))
        );
    }
}
