//! Credentials and what becomes of them: keys, sessions, registry passwords; deleted,
//! switched off, expired.

#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod passwords;

use authz::ServiceName;
use aws_api::{Secret, iam, sts};
use aws_types::AccountId;
use aws_types::SystemEntropy;
use common::*;
use identity::{CallerKind, Identity, MasterKey, RootCredentials, Sealer, Settings};
use std::sync::Arc;
use store::testing::{TestStore, on_every_engine};

/// A session policy of nearly the largest size, different for each number.
fn session_policy(number: usize) -> String {
    let resources: Vec<String> = (0..25)
        .map(|at| format!("\"arn:aws:ecr:us-east-1:111122223333:repository/{number}/{at}-*\""))
        .collect();
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"ecr:*","Resource":[{}]}}}}"#,
        resources.join(",")
    )
}

#[on_every_engine]
async fn cached_callers_keep_at_most_their_bytes(t: TestStore) {
    const BYTES_MAX: u64 = 256 << 10;
    const SESSIONS: usize = 150;
    let settings = Settings {
        cached_callers_bytes_max: BYTES_MAX,
        ..Settings::default()
    };
    let w = World::with(&t, settings).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    w.create_role(&root, "ci", "arn:aws:iam::111122223333:user/alice")
        .await
        .unwrap();
    let cx = w.call(&alice).await.unwrap();
    let mut compiled = 0;
    for number in 0..SESSIONS {
        let policy = Some(session_policy(number));
        let session = w
            .assume(
                &cx,
                sts::AssumeRoleRequest {
                    policy,
                    ..assume("ci")
                },
            )
            .await
            .unwrap();
        let job = w.call(&session).await.unwrap();
        compiled += job.caller.session.as_ref().unwrap().heap_bytes() as u64;
        let cached = w.identity.cached_caller_bytes();
        assert!(
            cached <= BYTES_MAX,
            "{cached} bytes after {number} sessions"
        );
    }
    assert!(compiled > 3 * BYTES_MAX, "{compiled} bytes were compiled");
    assert!(w.identity.cached_caller_bytes() > BYTES_MAX / 2);
}

#[on_every_engine]
async fn an_account_is_made_once_and_keeps_its_root_key(t: TestStore) {
    let w = World::new(&t).await;
    let first = w.account(ACCOUNT).await;
    let second = w.account(ACCOUNT).await;
    assert_eq!(
        (first.id.as_str(), first.secret.as_str()),
        (second.id.as_str(), second.secret.as_str())
    );
    assert!(first.id.starts_with("AKIA") && first.id.len() == 20);
    let cx = w.call(&first).await.unwrap();
    assert_eq!(cx.caller.kind, CallerKind::Root);
    assert_eq!(&*cx.caller.arn, "arn:aws:iam::111122223333:root");
    assert_eq!(&*cx.caller.user_id, ACCOUNT);
    assert!(may(&cx, "ecr:PutImage"));
}

#[on_every_engine]
async fn given_root_credentials_are_taken_and_changed(t: TestStore) {
    let w = World::new(&t).await;
    let given = |secret: &str| {
        Some(RootCredentials {
            access_key_id: "AKIAROOTROOTROOTROOT".to_owned(),
            secret: Secret::new(secret.to_owned()),
        })
    };
    let account: AccountId = ACCOUNT.parse().unwrap();
    let other: AccountId = OTHER_ACCOUNT.parse().unwrap();
    for secret in ["0123456789abcdef0123", "another-secret-of-root"] {
        w.identity
            .create_account(ServiceName::FirstStart, account, "a", given(secret), w.now)
            .await
            .unwrap();
        let answer = w
            .identity
            .create_account(ServiceName::FirstStart, account, "a", None, w.now)
            .await
            .unwrap();
        assert_eq!(answer.secret.expose(), secret);
    }
    let stolen = w
        .identity
        .create_account(
            ServiceName::FirstStart,
            other,
            "b",
            given("0123456789abcdef0123"),
            w.now,
        )
        .await;
    assert_eq!(said(stolen).0, "InvalidInput");
    let short = w
        .identity
        .create_account(ServiceName::FirstStart, account, "a", given("short"), w.now)
        .await;
    assert_eq!(said(short).0, "InvalidInput");
}

#[on_every_engine]
async fn a_user_key_works_until_it_is_switched_off_or_deleted(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    let cx = w.call(&alice).await.unwrap();
    assert_eq!(&*cx.caller.arn, "arn:aws:iam::111122223333:user/alice");
    assert!(cx.caller.user_id.starts_with("AIDA"));
    assert_eq!(cx.caller.context.one("aws:username"), Some("alice"));
    assert_eq!(cx.caller.context.one("aws:MultiFactorAuthPresent"), None);

    let set = |status| iam::UpdateAccessKeyRequest {
        user_name: Some("alice".to_owned()),
        access_key_id: alice.id.clone(),
        status,
    };
    w.identity
        .update_access_key(&root, set(iam::StatusType::Inactive))
        .await
        .unwrap();
    assert!(invalid(w.call(&alice).await));
    // One who found the key before is refused too.
    assert!(invalid(
        w.identity
            .caller(cx.caller.credential.get().unwrap(), w.now)
            .await
    ));
    w.identity
        .update_access_key(&root, set(iam::StatusType::Active))
        .await
        .unwrap();
    w.call(&alice).await.unwrap();
    let delete = iam::DeleteAccessKeyRequest {
        user_name: Some("alice".to_owned()),
        access_key_id: alice.id.clone(),
    };
    w.identity.delete_access_key(&root, delete).await.unwrap();
    assert!(invalid(w.call(&alice).await));
    assert!(invalid(
        w.identity
            .caller(cx.caller.credential.get().unwrap(), w.now)
            .await
    ));
}

#[on_every_engine]
async fn unknown_and_mixed_credentials_are_invalid(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    let cx = w.call(&alice).await.unwrap();
    let session = w
        .identity
        .get_session_token(&cx, sts::GetSessionTokenRequest::default())
        .await
        .unwrap();
    let session = session.credentials.unwrap();
    let token = session.session_token.expose().as_str();
    for (id, token) in [
        ("AKIAAAAAAAAAAAAAAAAA", None),
        ("", None),
        (session.access_key_id.as_str(), None),
        (alice.id.as_str(), Some(token)),
        (session.access_key_id.as_str(), Some("")),
        (session.access_key_id.as_str(), Some("not a token: ☃")),
        (
            session.access_key_id.as_str(),
            Some(&token[..token.len() - 2]),
        ),
    ] {
        assert!(
            invalid(w.identity.find_key(id, token).await),
            "{id} {token:?}"
        );
    }
    w.identity
        .find_key(&session.access_key_id, Some(token))
        .await
        .unwrap();
}

#[on_every_engine]
async fn a_changed_policy_bites_at_the_next_request(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    assert!(!may(&w.call(&alice).await.unwrap(), "ecr:PutImage"));
    w.put_user_policy(&root, "alice", &allow("ecr:*")).await;
    assert!(may(&w.call(&alice).await.unwrap(), "ecr:PutImage"));
    w.put_user_policy(&root, "alice", &allow("ecr:BatchGetImage"))
        .await;
    assert!(!may(&w.call(&alice).await.unwrap(), "ecr:PutImage"));

    let group = iam::CreateGroupRequest {
        group_name: "pushers".to_owned(),
        path: None,
    };
    w.identity.create_group(&root, group).await.unwrap();
    let attach = iam::AttachGroupPolicyRequest {
        group_name: "pushers".to_owned(),
        policy_arn: "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPowerUser".to_owned(),
    };
    w.identity.attach_group_policy(&root, attach).await.unwrap();
    let add = iam::AddUserToGroupRequest {
        group_name: "pushers".to_owned(),
        user_name: "alice".to_owned(),
    };
    w.identity.add_user_to_group(&root, add).await.unwrap();
    assert!(may(&w.call(&alice).await.unwrap(), "ecr:PutImage"));
    assert!(!may(&w.call(&alice).await.unwrap(), "ecr:DeleteRepository"));

    let boundary = iam::PutUserPermissionsBoundaryRequest {
        user_name: "alice".to_owned(),
        permissions_boundary: "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
            .to_owned(),
    };
    w.identity
        .put_user_permissions_boundary(&root, boundary)
        .await
        .unwrap();
    assert!(!may(&w.call(&alice).await.unwrap(), "ecr:PutImage"));
    assert!(may(&w.call(&alice).await.unwrap(), "ecr:BatchGetImage"));
}

#[on_every_engine]
async fn another_node_sees_a_change_when_it_polls(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    let store = store::Store::open(&t.url).await.unwrap();
    let entropy = Arc::new(SystemEntropy);
    let sealer = Sealer::load(store.clone(), &w.master, entropy.clone(), w.now)
        .await
        .unwrap();
    let other = Identity::open(store.clone(), sealer, entropy, Settings::default()).unwrap();
    let key = other.find_key(&alice.id, None).await.unwrap();
    other.caller(&key.principal, w.now).await.unwrap();
    let delete = iam::DeleteAccessKeyRequest {
        user_name: Some("alice".to_owned()),
        access_key_id: alice.id.clone(),
    };
    w.identity.delete_access_key(&root, delete).await.unwrap();
    store.poll_changes().await.unwrap();
    assert!(invalid(other.find_key(&alice.id, None).await));
    assert!(invalid(other.caller(&key.principal, w.now).await));
    store.close().await;
}

#[on_every_engine]
async fn rotation_keeps_what_was_sealed(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    let cx = w.call(&alice).await.unwrap();
    let (old, _) = w
        .identity
        .issue_registry_password(&cx.caller, w.now)
        .unwrap();
    // Another node, which learns of the rotation by the token that it cannot open.
    let store = store::Store::open(&t.url).await.unwrap();
    let entropy = Arc::new(SystemEntropy);
    let sealer = Sealer::load(store.clone(), &w.master, entropy.clone(), w.now)
        .await
        .unwrap();
    let other = Identity::open(store.clone(), sealer, entropy, Settings::default()).unwrap();

    w.identity
        .sealer()
        .rotate(ServiceName::Maintenance, w.now)
        .await
        .unwrap();
    let (new, _) = w
        .identity
        .issue_registry_password(&cx.caller, w.now)
        .unwrap();
    for identity in [&w.identity, &other] {
        for password in [&old, &new] {
            identity
                .open_registry_password(password.expose(), w.now)
                .await
                .unwrap();
        }
        identity.find_key(&alice.id, None).await.unwrap();
    }
    store.close().await;
}

/// A restore ends with it: what was given out before is over, on every node; what is stored still opens.
#[on_every_engine]
async fn older_tokens_are_refused_and_stored_secrets_open(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    let cx = w.call(&alice).await.unwrap();
    let issue = |caller| w.identity.issue_registry_password(caller, w.now).unwrap().0;
    let old = issue(&cx.caller);
    let service = ServiceName::RestoreCommand;
    let sealer = w.identity.sealer();
    sealer.refuse_older_tokens(service, w.now).await.unwrap();
    let new = issue(&cx.caller);
    // A further key seals, and the border stays.
    sealer
        .rotate(ServiceName::Maintenance, w.now)
        .await
        .unwrap();
    let store = store::Store::open(&t.url).await.unwrap();
    let entropy = Arc::new(SystemEntropy);
    let sealer = Sealer::load(store.clone(), &w.master, entropy.clone(), w.now)
        .await
        .unwrap();
    let other = Identity::open(store.clone(), sealer, entropy, Settings::default()).unwrap();
    for identity in [&w.identity, &other] {
        let opened = identity.open_registry_password(old.expose(), w.now).await;
        assert!(opened.is_err());
        let opened = identity.open_registry_password(new.expose(), w.now).await;
        opened.unwrap();
        // Its secret was sealed before.
        identity.find_key(&alice.id, None).await.unwrap();
    }
    store.close().await;
}

#[on_every_engine]
async fn another_master_key_opens_nothing(t: TestStore) {
    let w = World::new(&t).await;
    let wrong = MasterKey::generate(&SystemEntropy).unwrap();
    let opened = Sealer::load(t.store.clone(), &wrong, Arc::new(SystemEntropy), w.now).await;
    assert!(opened.is_err());
    let text = w.master.encode();
    let again = MasterKey::parse(&format!(" {}\n", *text)).unwrap();
    Sealer::load(t.store.clone(), &again, Arc::new(SystemEntropy), w.now)
        .await
        .unwrap();
    assert!(MasterKey::parse("00").is_none());
    assert!(MasterKey::parse(&"g".repeat(64)).is_none());
}

#[on_every_engine]
async fn sealed_tokens_are_for_one_purpose_and_a_while(t: TestStore) {
    let mut w = World::new(&t).await;
    let sealer = w.identity.sealer().clone();
    let end = w.now + jiff::SignedDuration::from_secs(60);
    let token = sealer.seal("layer-download", b"digest", end).unwrap();
    assert_eq!(
        &sealer.open("layer-download", &token, w.now).await.unwrap()[..],
        b"digest"
    );
    let invalid = identity::SealError::Invalid;
    assert_eq!(
        sealer.open("another", &token, w.now).await.unwrap_err(),
        invalid
    );
    for at in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(
            sealer
                .open("layer-download", &changed, w.now)
                .await
                .unwrap_err(),
            invalid
        );
    }
    w.pass(60);
    let expired = identity::SealError::Expired;
    assert_eq!(
        sealer
            .open("layer-download", &token, w.now)
            .await
            .unwrap_err(),
        expired
    );
}

#[on_every_engine]
async fn a_warm_request_asks_no_database(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    w.create_role(&root, "ci", "arn:aws:iam::111122223333:user/alice")
        .await
        .unwrap();
    w.put_role_policy(&root, "ci", &allow("ecr:*")).await;
    let cx = w.call(&alice).await.unwrap();
    let job = w.assume(&cx, assume("ci")).await.unwrap();
    let first = w.call(&job).await.unwrap();
    let (password, _) = w
        .identity
        .issue_registry_password(&first.caller, w.now)
        .unwrap();
    let by_password = async || {
        let principal = w
            .identity
            .open_registry_password(password.expose(), w.now)
            .await?;
        w.identity.caller(&principal, w.now).await
    };
    by_password().await.unwrap();
    // No connection can be had from here on.
    t.store.close().await;
    w.call(&alice).await.unwrap();
    let second = w.call(&job).await.unwrap();
    assert!(Arc::ptr_eq(&first.caller, &second.caller));
    assert!(may(
        &w.call_as(by_password().await.unwrap()),
        "ecr:PutImage"
    ));
    assert!(
        w.identity
            .find_key("AKIAAAAAAAAAAAAAAAAA", None)
            .await
            .is_err()
    );
}

#[on_every_engine]
async fn of_many_at_once_one_gets_the_name(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let create = |n: usize| {
        let (identity, root) = (
            w.identity.clone(),
            authz::testing::authorized(root.context().clone()),
        );
        // The same name in different letters, and the same quota for all.
        let name: String = "alice"
            .char_indices()
            .map(|(at, c)| {
                if n >> at & 1 == 1 {
                    c.to_ascii_uppercase()
                } else {
                    c
                }
            })
            .collect();
        tokio::spawn(async move {
            let input = iam::CreateUserRequest {
                user_name: name,
                ..Default::default()
            };
            identity.create_user(&root, input).await
        })
    };
    let all: Vec<_> = (0..8).map(create).collect();
    let mut made = 0;
    for one in all {
        match one.await.unwrap() {
            Ok(_) => made += 1,
            Err(error) => assert_eq!(error.code().as_str(), "EntityAlreadyExists"),
        }
    }
    assert_eq!(made, 1);
    let key = |_| {
        let (identity, root) = (
            w.identity.clone(),
            authz::testing::authorized(root.context().clone()),
        );
        tokio::spawn(async move {
            let input = iam::CreateAccessKeyRequest {
                user_name: Some("alice".to_owned()),
            };
            identity.create_access_key(&root, input).await
        })
    };
    let all: Vec<_> = (0..6).map(key).collect();
    let mut made = 0;
    for one in all {
        match one.await.unwrap() {
            Ok(_) => made += 1,
            Err(error) => assert_eq!(error.code().as_str(), "LimitExceeded"),
        }
    }
    assert_eq!(made, 2);
}

#[on_every_engine]
async fn last_use_is_noted_and_written_without_a_change(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    let ask = || iam::GetAccessKeyLastUsedRequest {
        access_key_id: alice.id.clone(),
    };
    let never = w
        .identity
        .get_access_key_last_used(&root, ask())
        .await
        .unwrap();
    assert_eq!(never.access_key_last_used.unwrap().region, "N/A");
    let cx = w.call(&alice).await.unwrap();
    let before = t.store.moment();
    for _ in 0..2 {
        w.identity
            .touch_key_last_used(&cx.caller, "ecr", "eu-west-1", w.now);
        let used = w
            .identity
            .get_access_key_last_used(&root, ask())
            .await
            .unwrap();
        assert_eq!(used.user_name.as_deref(), Some("alice"));
        let used = used.access_key_last_used.unwrap();
        assert_eq!(
            (
                used.last_used_date,
                used.service_name.as_str(),
                used.region.as_str()
            ),
            (Some(w.now), "ecr", "eu-west-1")
        );
        w.identity.flush_last_used().await.unwrap();
    }
    assert_eq!(t.store.moment(), before);
}

#[on_every_engine]
async fn debug_tells_no_secret(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    let cx = w.call(&alice).await.unwrap();
    let answer = w
        .identity
        .get_session_token(&cx, sts::GetSessionTokenRequest::default())
        .await
        .unwrap();
    let session = answer.credentials.clone().unwrap();
    let token = session.session_token.expose();
    let key = w
        .identity
        .find_key(&session.access_key_id, Some(token))
        .await
        .unwrap();
    let (password, _) = w
        .identity
        .issue_registry_password(&cx.caller, w.now)
        .unwrap();
    let caller = w.identity.caller(&key.principal, w.now).await.unwrap();
    let text = format!(
        "{answer:?} {key:?} {caller:?} {cx:?} {:?} {:?} {password:?} {:?}",
        w.identity,
        w.identity.sealer(),
        w.master
    );
    for secret in [
        &alice.secret,
        session.secret_access_key.expose(),
        token,
        password.expose(),
        &*w.master.encode(),
    ] {
        assert!(!text.contains(secret.as_str()));
    }
}
