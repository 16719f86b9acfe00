//! Rules of IAM and STS that the tests beside this file leave out, by their rows.

#![allow(clippy::unwrap_used)]

mod common;

use aws_api::{iam, sts};
use common::*;
use identity::Authorized;
use store::testing::{TestStore, on_every_engine};

fn person(made: sts::Credentials) -> Credentials {
    Credentials {
        id: made.access_key_id,
        secret: made.secret_access_key.expose().clone(),
        token: Some(made.session_token.expose().clone()),
    }
}

/// A trust policy for subjects of GitHub Actions, with these conditions.
fn trust_of_github(conditions: &str) -> String {
    let provider =
        format!("arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com");
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Federated":"{provider}"}},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{{{conditions}}}}}]}}"#
    )
}

const SUBJECT: &str = r#""StringEquals":{"token.actions.githubusercontent.com:sub":"repo:octo/app:ref:refs/heads/main"}"#;
const AUDIENCE: &str =
    r#""StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}"#;

/// O8, trap OIDC 2. The issuers are a table of the policy language's tests.
#[on_every_engine]
async fn o8_a_shared_issuer_needs_its_subject_at_create_and_update(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let role = |document: String| iam::CreateRoleRequest {
        role_name: "ci".to_owned(),
        assume_role_policy_document: document,
        ..Default::default()
    };
    let refused = said(i.create_role(&root, role(trust_of_github(AUDIENCE))).await);
    assert_eq!(refused.0, "MalformedPolicyDocument");
    i.create_role(&root, role(trust_of_github(SUBJECT)))
        .await
        .unwrap();
    let update = |document: String| iam::UpdateAssumeRolePolicyRequest {
        role_name: "ci".to_owned(),
        policy_document: document,
    };
    let again = said(
        i.update_assume_role_policy(&root, update(trust_of_github(AUDIENCE)))
            .await,
    );
    assert_eq!(again, refused);
    let both = format!(
        "{SUBJECT},{}",
        AUDIENCE.replace("StringEquals", "StringLike")
    );
    i.update_assume_role_policy(&root, update(trust_of_github(&both)))
        .await
        .unwrap();
}

#[on_every_engine]
async fn c2_a_federated_user_has_no_transitive_tags(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    let cx = w.call(&alice).await.unwrap();
    let input = sts::GetFederationTokenRequest {
        name: "guest".to_owned(),
        tags: Some(vec![sts::Tag {
            key: "team".to_owned(),
            value: "blue".to_owned(),
        }]),
        ..Default::default()
    };
    let made = w.identity.get_federation_token(&cx, input).await.unwrap();
    let user = made.federated_user.unwrap();
    assert_eq!(user.federated_user_id, format!("{ACCOUNT}:guest"));
    let guest = w.call(&person(made.credentials.unwrap())).await.unwrap();
    assert_eq!(
        guest.caller.context.one("aws:PrincipalTag/team"),
        Some("blue")
    );
    assert!(
        guest
            .caller
            .session_info
            .as_ref()
            .unwrap()
            .transitive_tags
            .is_empty()
    );
}

#[on_every_engine]
async fn c3_role_sessions_get_no_users_sessions(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    w.create_role(&root, "ci", &format!("arn:aws:iam::{ACCOUNT}:user/alice"))
        .await
        .unwrap();
    let cx = w.call(&alice).await.unwrap();
    let job = w.assume(&cx, assume("ci")).await.unwrap();
    let job = w.call(&job).await.unwrap();
    let (code, _) = said(w.identity.get_session_token(&job, Default::default()).await);
    assert_eq!(code, "AccessDenied");
    let input = sts::GetFederationTokenRequest {
        name: "guest".to_owned(),
        ..Default::default()
    };
    let (code, _) = said(w.identity.get_federation_token(&job, input).await);
    assert_eq!(code, "AccessDenied");
}

#[on_every_engine]
async fn c6_scoped_credentials_keep_tags_and_source_identity(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    w.create_role(&root, "ci", &format!("arn:aws:iam::{ACCOUNT}:user/alice"))
        .await
        .unwrap();
    w.put_role_policy(&root, "ci", &allow("ecr:*")).await;
    let cx = w.call(&alice).await.unwrap();
    let input = sts::AssumeRoleRequest {
        tags: Some(vec![sts::Tag {
            key: "team".to_owned(),
            value: "blue".to_owned(),
        }]),
        transitive_tag_keys: Some(vec!["team".to_owned()]),
        source_identity: Some("alice".to_owned()),
        ..assume("ci")
    };
    let job = w.assume(&cx, input).await.unwrap();
    let job = w.call(&job).await.unwrap();
    let input = sts::GetScopedCredentialsRequest {
        policy: Some(allow("ecr:PutImage")),
        ..Default::default()
    };
    let made = w
        .identity
        .get_scoped_credentials(&job, input)
        .await
        .unwrap();
    let narrow = w.call(&person(made.credentials.unwrap())).await.unwrap();
    assert_eq!(
        (&narrow.caller.arn, &narrow.caller.user_id),
        (&job.caller.arn, &job.caller.user_id)
    );
    for key in [
        "aws:PrincipalTag/team",
        "aws:SourceIdentity",
        "aws:PrincipalArn",
        "aws:userid",
    ] {
        let (kept, was) = (narrow.caller.context.one(key), job.caller.context.one(key));
        assert!(
            kept.is_some() && kept == was,
            "{key}: {kept:?}, not {was:?}"
        );
    }
    let tags = |cx: &Authorized| {
        cx.caller
            .session_info
            .as_ref()
            .unwrap()
            .transitive_tags
            .clone()
    };
    assert_eq!(tags(&narrow), tags(&job));
}

#[on_every_engine]
async fn c8_the_account_of_any_key_is_told(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let foreign = w.account(OTHER_ACCOUNT).await;
    let ask = |id: &str| sts::GetAccessKeyInfoRequest {
        access_key_id: id.to_owned(),
    };
    let told = w
        .identity
        .get_access_key_info(&root, ask(&foreign.id))
        .await
        .unwrap();
    assert_eq!(told.account.as_deref(), Some(OTHER_ACCOUNT));
}

#[on_every_engine]
async fn c9_tokens_for_others_are_switched_on_and_off(t: TestStore) {
    const BASE: &str = "https://berth.example";
    let mut w = World::new(&t).await;
    let root = w.root().await;
    let i = w.identity.clone();
    let ask = || sts::GetWebIdentityTokenRequest {
        audience: vec!["app".to_owned()],
        signing_algorithm: "ES384".to_owned(),
        ..Default::default()
    };
    let refused = said(i.get_web_identity_token(&root, BASE, ask()).await);
    assert_eq!(refused.0, "OutboundWebIdentityFederationDisabledException");
    let off = said(i.disable_outbound_web_identity_federation(&root, ()).await);
    assert_eq!(off.0, "FeatureDisabled");
    assert_eq!(
        said(
            i.get_outbound_web_identity_federation_info(&root, BASE)
                .await
        )
        .0,
        "FeatureDisabled"
    );
    let on = i
        .enable_outbound_web_identity_federation(&root, BASE)
        .await
        .unwrap();
    let issuer = on.issuer_identifier.unwrap();
    assert_eq!(
        said(i.enable_outbound_web_identity_federation(&root, BASE).await).0,
        "FeatureEnabled"
    );
    let given = i.get_web_identity_token(&root, BASE, ask()).await.unwrap();
    assert_eq!(
        given.expiration.unwrap().duration_since(w.now).as_secs(),
        300
    );
    // Another account has another issuer.
    let other = w.account(OTHER_ACCOUNT).await;
    let other = w.call(&other).await.unwrap();
    let of_other = i
        .enable_outbound_web_identity_federation(&other, BASE)
        .await
        .unwrap();
    assert_ne!(of_other.issuer_identifier.as_deref(), Some(issuer.as_str()));
    // Tokens that were given live on: their keys stay published.
    i.disable_outbound_web_identity_federation(&root, ())
        .await
        .unwrap();
    let id = issuer.rsplit('/').next().unwrap();
    let keys = i.outbound_key_set(id, w.now).await.unwrap().unwrap();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    assert!(i.outbound_discovery(BASE, id).await.unwrap().is_some());
    let again = i
        .enable_outbound_web_identity_federation(&root, BASE)
        .await
        .unwrap();
    assert_eq!(again.issuer_identifier.as_deref(), Some(issuer.as_str()));
    // A session gives no token that outlives it.
    let session = i
        .get_session_token(&root, Default::default())
        .await
        .unwrap();
    let session = person(session.credentials.unwrap());
    w.pass(3600 - 299);
    let session = w.call(&session).await.unwrap();
    let late = said(i.get_web_identity_token(&session, BASE, ask()).await);
    assert_eq!(late.0, "SessionDurationEscalationException");
    let shorter = sts::GetWebIdentityTokenRequest {
        duration_seconds: Some(299),
        ..ask()
    };
    i.get_web_identity_token(&session, BASE, shorter)
        .await
        .unwrap();
}

#[on_every_engine]
async fn i9_documents_have_the_sizes_of_aws(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    // White space does not count in identity policies.
    let sized = |size: usize| {
        let short = allow("ecr:*").replace("\"*\"", "\"arn:aws:s3:::*\"");
        short.replace(":::", &format!(":::{}", "a".repeat(size - short.len())))
    };
    let policy = |name: &str, document: String| iam::CreatePolicyRequest {
        policy_name: name.to_owned(),
        policy_document: document,
        ..Default::default()
    };
    i.create_policy(&root, policy("fits", sized(6144)))
        .await
        .unwrap();
    i.create_policy(&root, policy("spaced", sized(6144).replace("\":", "\": ")))
        .await
        .unwrap();
    let long = said(i.create_policy(&root, policy("long", sized(6145))).await);
    assert_eq!(
        long,
        (
            "LimitExceeded".to_owned(),
            "Cannot exceed quota for PolicySize: 6144".to_owned()
        )
    );
    let role = |name: &str, padding: usize| {
        let condition = format!(
            r#""Condition":{{"StringEquals":{{"sts:ExternalId":"{}"}}}},"Effect""#,
            "x".repeat(padding)
        );
        iam::CreateRoleRequest {
            role_name: name.to_owned(),
            assume_role_policy_document: trust(ACCOUNT).replace("\"Effect\"", &condition),
            ..Default::default()
        }
    };
    let fixed = role("size", 0).assume_role_policy_document.len();
    i.create_role(&root, role("fits", 2048 - fixed))
        .await
        .unwrap();
    let long = said(i.create_role(&root, role("long", 2049 - fixed)).await);
    assert_eq!(
        long,
        (
            "LimitExceeded".to_owned(),
            "Cannot exceed quota for ACLSizePerRole: 2048".to_owned()
        )
    );
}

#[on_every_engine]
async fn i9_ten_policies_are_attached_at_most(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    w.user(&root, "ada").await;
    for at in 0..11 {
        let policy = iam::CreatePolicyRequest {
            policy_name: format!("p{at}"),
            policy_document: allow("ecr:*"),
            ..Default::default()
        };
        i.create_policy(&root, policy).await.unwrap();
        let attach = iam::AttachUserPolicyRequest {
            user_name: "ada".to_owned(),
            policy_arn: format!("arn:aws:iam::{ACCOUNT}:policy/p{at}"),
        };
        let attached = i.attach_user_policy(&root, attach).await;
        match at {
            0..10 => attached.unwrap(),
            _ => assert_eq!(
                said(attached),
                (
                    "LimitExceeded".to_owned(),
                    "Cannot exceed quota for PoliciesPerUser: 10".to_owned()
                )
            ),
        }
    }
}

#[on_every_engine]
async fn i10_lists_omit_tags_and_boundaries(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let boundary = || Some("arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned());
    let tags = || {
        Some(vec![iam::Tag {
            key: "team".to_owned(),
            value: "core".to_owned(),
        }])
    };
    let user = iam::CreateUserRequest {
        user_name: "ada".to_owned(),
        tags: tags(),
        permissions_boundary: boundary(),
        ..Default::default()
    };
    i.create_user(&root, user).await.unwrap();
    let role = iam::CreateRoleRequest {
        role_name: "ci".to_owned(),
        assume_role_policy_document: trust(ACCOUNT),
        tags: tags(),
        permissions_boundary: boundary(),
        ..Default::default()
    };
    i.create_role(&root, role).await.unwrap();
    let users = i.list_users(&root, Default::default()).await.unwrap().users;
    assert!(users[0].tags.is_none() && users[0].permissions_boundary.is_none());
    let roles = i.list_roles(&root, Default::default()).await.unwrap().roles;
    assert!(roles[0].tags.is_none() && roles[0].permissions_boundary.is_none());
    let shown = i
        .get_user(
            &root,
            iam::GetUserRequest {
                user_name: Some("ada".to_owned()),
            },
        )
        .await
        .unwrap()
        .user;
    assert!(shown.tags.is_some() && shown.permissions_boundary.is_some());
    let shown = i
        .get_role(
            &root,
            iam::GetRoleRequest {
                role_name: "ci".to_owned(),
            },
        )
        .await
        .unwrap()
        .role;
    assert!(shown.tags.is_some() && shown.permissions_boundary.is_some());
}

/// No operation makes a template, so there is none to take a role from.
#[on_every_engine]
async fn n1_no_role_is_acquired_without_a_template(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let template = "arn:aws:iam::aws:role-template/x".to_owned();
    let acquire = iam::AcquireRoleRequest {
        template_arn: template.clone(),
        ..Default::default()
    };
    let (code, message) = said(i.acquire_role(&root, acquire).await);
    assert_eq!(code, "NoSuchEntity");
    assert!(message.contains(&template), "{message}");
    let version = iam::GetRoleTemplateVersionRequest {
        template_arn: template,
        ..Default::default()
    };
    assert_eq!(
        said(i.get_role_template_version(&root, version).await),
        (code, message)
    );
    assert!(
        i.list_roles(&root, Default::default())
            .await
            .unwrap()
            .roles
            .is_empty()
    );
}
