//! Quotas that an administrator of the server sets by account.

use authz::ServiceName;
use aws_api::Secret;
use aws_api::iam::{self, SummaryKeyType as K};
use identity::{AccountQuota, Authorized, Error, Quota};
use store::service_events;
use store::testing::{TestStore, on_every_engine};

use super::common::*;
use super::{attach, create_policy, create_user, policy_arn, words};

const CERTIFICATE: &str = include_str!("../../../certificates/tests/documents/ec.crt");
const PRIVATE_KEY: &str = include_str!("../../../certificates/tests/documents/ec.key");
const METADATA: &str = include_str!("../../../saml/tests/documents/metadata.xml");

async fn set(w: &World, account: &str, changes: &[(Quota, Option<i64>)]) -> Result<(), Error> {
    let service = ServiceName::AccountCommand;
    w.identity
        .set_quotas(service, account.parse().unwrap(), changes, w.now)
        .await
}

async fn of(w: &World, account: &str, quota: Quota) -> AccountQuota {
    let quotas = w.identity.quotas(account.parse().unwrap()).await.unwrap();
    *quotas.iter().find(|found| found.quota == quota).unwrap()
}

fn group(name: &str) -> iam::CreateGroupRequest {
    iam::CreateGroupRequest {
        group_name: name.to_owned(),
        path: None,
    }
}

/// Adds one of what the quota bounds, with a number in its name.
async fn add(w: &World, cx: &Authorized, quota: Quota, number: u8) -> Result<(), Error> {
    let (i, name) = (&w.identity, format!("x{number}"));
    match quota {
        Quota::Users => i.create_user(cx, create_user(&name)).await.map(drop),
        Quota::Groups => i.create_group(cx, group(&name)).await.map(drop),
        Quota::Roles => w.create_role(cx, &name, ACCOUNT).await.map(drop),
        Quota::Policies => i.create_policy(cx, create_policy(&name)).await.map(drop),
        Quota::InstanceProfiles => {
            let input = iam::CreateInstanceProfileRequest {
                instance_profile_name: name,
                ..Default::default()
            };
            i.create_instance_profile(cx, input).await.map(drop)
        }
        Quota::ServerCertificates => {
            let input = iam::UploadServerCertificateRequest {
                server_certificate_name: name,
                certificate_body: CERTIFICATE.to_owned(),
                private_key: Secret::new(PRIVATE_KEY.to_owned()),
                ..Default::default()
            };
            i.upload_server_certificate(cx, input).await.map(drop)
        }
        Quota::MfaDevices => {
            let input = iam::CreateVirtualMFADeviceRequest {
                virtual_mfa_device_name: name,
                ..Default::default()
            };
            i.create_virtual_mfa_device(cx, input).await.map(drop)
        }
        Quota::OidcProviders => {
            let input = iam::CreateOpenIDConnectProviderRequest {
                url: format!("https://{name}.example.com"),
                thumbprint_list: Some(vec!["a".repeat(40)]),
                ..Default::default()
            };
            i.create_open_id_connect_provider(cx, input).await.map(drop)
        }
        Quota::SamlProviders => {
            let input = iam::CreateSAMLProviderRequest {
                name,
                saml_metadata_document: METADATA.to_owned(),
                ..Default::default()
            };
            i.create_saml_provider(cx, input).await.map(drop)
        }
        Quota::GroupsPerUser => {
            let input = iam::AddUserToGroupRequest {
                group_name: format!("g{number}"),
                user_name: "u".to_owned(),
            };
            i.add_user_to_group(cx, input).await
        }
        Quota::PoliciesPerUser => {
            i.attach_user_policy(cx, attach("u", &policy_arn(&format!("p{number}"))))
                .await
        }
        Quota::PoliciesPerGroup => {
            let policy_arn = policy_arn(&format!("p{number}"));
            let input = iam::AttachGroupPolicyRequest {
                group_name: "g1".to_owned(),
                policy_arn,
            };
            i.attach_group_policy(cx, input).await
        }
        Quota::PoliciesPerRole => {
            let policy_arn = policy_arn(&format!("p{number}"));
            let input = iam::AttachRolePolicyRequest {
                role_name: "r".to_owned(),
                policy_arn,
            };
            i.attach_role_policy(cx, input).await
        }
        other => unreachable!("{other:?} is a registry's"),
    }
}

/// Whether IAM applies the quota: the others are those of registries.
fn is_of_iam(quota: Quota) -> bool {
    let all = Quota::ALL.iter();
    let mut of_iam = all.take_while(|quota| **quota != Quota::Repositories);
    of_iam.any(|known| *known == quota)
}

async fn summary(w: &World, cx: &Authorized) -> std::collections::BTreeMap<K, i32> {
    w.identity
        .get_account_summary(cx, ())
        .await
        .unwrap()
        .summary_map
        .unwrap()
}

/// How many there are before.
fn present(quota: Quota) -> i64 {
    match quota {
        Quota::Users | Quota::Roles => 1,
        Quota::Groups | Quota::Policies => 2,
        _ => 0,
    }
}

#[on_every_engine]
async fn i9_every_quota_is_applied_as_it_is_set_for_the_account(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    i.create_user(&root, create_user("u")).await.unwrap();
    w.create_role(&root, "r", ACCOUNT).await.unwrap();
    for number in 1..3 {
        i.create_group(&root, group(&format!("g{number}")))
            .await
            .unwrap();
        i.create_policy(&root, create_policy(&format!("p{number}")))
            .await
            .unwrap();
    }
    for quota in Quota::ALL.iter().filter(|quota| is_of_iam(**quota)) {
        let max = present(*quota) + 1;
        set(&w, ACCOUNT, &[(*quota, Some(max))]).await.unwrap();
        add(&w, &root, *quota, 1).await.unwrap();
        let message = format!("Cannot exceed quota for {}: {max}", quota.name());
        assert_eq!(
            said(add(&w, &root, *quota, 2).await),
            words("LimitExceeded", &message)
        );
        set(&w, ACCOUNT, &[(*quota, None)]).await.unwrap();
        add(&w, &root, *quota, 2).await.unwrap();
    }
}

#[on_every_engine]
async fn i9_quotas_are_shown_in_the_summary_and_differ_by_account(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let other = w.account(OTHER_ACCOUNT).await;
    let other = w.call(&other).await.unwrap();
    let changes = [
        (Quota::Roles, Some(7)),
        (Quota::PoliciesPerRole, Some(20)),
        (Quota::Users, Some(0)),
        (Quota::ServerCertificates, Some(33)),
    ];
    set(&w, ACCOUNT, &changes).await.unwrap();
    let found = summary(&w, &root).await;
    assert_eq!(
        (
            found[&K::RolesQuota],
            found[&K::AttachedPoliciesPerRoleQuota],
            found[&K::AttachedPoliciesPerUserQuota]
        ),
        (7, 20, 10)
    );
    assert_eq!(
        (found[&K::UsersQuota], found[&K::ServerCertificatesQuota]),
        (0, 33)
    );
    let found = summary(&w, &other).await;
    assert_eq!((found[&K::RolesQuota], found[&K::UsersQuota]), (1000, 5000));
    let limit = said(add(&w, &root, Quota::Users, 1).await);
    assert_eq!(
        limit,
        words(
            "LimitExceeded",
            "Cannot exceed quota for UsersPerAccount: 0"
        )
    );
    add(&w, &other, Quota::Users, 1).await.unwrap();
    let found = of(&w, ACCOUNT, Quota::Roles).await;
    assert_eq!((found.value, found.default, found.is_set), (7, 1000, true));
    set(&w, ACCOUNT, &[(Quota::Roles, None)]).await.unwrap();
    let found = of(&w, ACCOUNT, Quota::Roles).await;
    assert_eq!(
        (found.value, found.default, found.is_set),
        (1000, 1000, false)
    );
}

#[on_every_engine]
async fn a_lower_quota_takes_nothing_away(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    for number in 1..3 {
        add(&w, &root, Quota::OidcProviders, number).await.unwrap();
    }
    set(&w, ACCOUNT, &[(Quota::OidcProviders, Some(1))])
        .await
        .unwrap();
    let listed = w
        .identity
        .list_open_id_connect_providers(&root, Default::default())
        .await
        .unwrap();
    assert_eq!(listed.open_id_connect_provider_list.unwrap().len(), 2);
    assert_eq!(
        said(add(&w, &root, Quota::OidcProviders, 3).await).0,
        "LimitExceeded"
    );
}

#[on_every_engine]
async fn values_out_of_range_and_unknown_accounts_are_refused(t: TestStore) {
    let w = World::new(&t).await;
    w.root().await;
    for (quota, value) in [
        (Quota::Roles, -1),
        (Quota::Roles, 1_000_001),
        (Quota::SamlProviders, 1001),
        (Quota::PoliciesPerUser, 26),
    ] {
        let refused = said(
            set(
                &w,
                ACCOUNT,
                &[(Quota::Groups, Some(1)), (quota, Some(value))],
            )
            .await,
        );
        assert_eq!(refused.0, "InvalidInput", "{value}");
        assert!(refused.1.contains(quota.name()), "{}", refused.1);
    }
    assert!(!of(&w, ACCOUNT, Quota::Groups).await.is_set);
    assert_eq!(
        said(set(&w, OTHER_ACCOUNT, &[(Quota::Groups, Some(1))]).await).0,
        "NoSuchEntity"
    );
    assert_eq!(
        said(w.identity.quotas(OTHER_ACCOUNT.parse().unwrap()).await).0,
        "NoSuchEntity"
    );
    assert_eq!(Quota::of_name("rolesperaccount"), Some(Quota::Roles));
    assert_eq!(Quota::of_name("PolicySize"), None);
}

#[on_every_engine]
async fn setting_quotas_is_an_audit_event(t: TestStore) {
    let w = World::new(&t).await;
    w.root().await;
    set(
        &w,
        ACCOUNT,
        &[(Quota::Roles, Some(7)), (Quota::Users, None)],
    )
    .await
    .unwrap();
    // Nothing was asked for.
    set(&w, ACCOUNT, &[]).await.unwrap();
    let mut tx = t.store.write(service_events::SCOPE).await.unwrap();
    let events = service_events::claim(&mut tx.conn(), 1, 2, 100)
        .await
        .unwrap();
    let events: Vec<_> = events
        .iter()
        .filter(|event| event.name == "SetAccountQuotas")
        .collect();
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].service.as_str(), events[0].account.as_deref()),
        ("account-command.berth", Some(ACCOUNT))
    );
    let details: serde_json::Value = serde_json::from_str(&events[0].details).unwrap();
    assert_eq!(
        details["quotas"],
        serde_json::json!({"RolesPerAccount": 7, "UsersPerAccount": null})
    );
}
