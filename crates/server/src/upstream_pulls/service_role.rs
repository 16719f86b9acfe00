//! The service-linked role by which a cache asks other regions' registries of its own account (ECR user guide,
//! "Amazon ECR service-linked role for pull through cache").

use std::sync::{Arc, LazyLock};

use authz::{Caller, CallerKind, Credential};
use aws_types::AccountId;
use policy::{Document, DocumentKind, PolicyRef, PolicySet, Principal};

/// The service that trust policies name.
pub(super) const SERVICE: &str = "pullthroughcache.ecr.amazonaws.com";
/// The sessions' name.
pub(super) const SESSION: &str = "ecr-pullthroughcache";

const ROLE: &str = "AWSServiceRoleForECRPullThroughCache";
const POLICY_NAME: &str = "AWSECRPullThroughCache_ServiceRolePolicy";
/// What of the managed policy this server decides on.
const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": [
    "ecr:BatchGetImage", "ecr:BatchImportUpstreamImage", "ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer"],
    "Resource": "*"}]}"#;

static POLICIES: LazyLock<Arc<PolicySet>> = LazyLock::new(|| {
    let document = Document::parse(POLICY, DocumentKind::Managed).expect("the policy is valid");
    let name = PolicyRef::new(DocumentKind::Managed, POLICY_NAME);
    Arc::new(PolicySet::compile([(name, &document)]))
});

/// The role of an account.
pub(super) fn service_role(account: AccountId) -> Arc<Caller> {
    let role_arn = format!("arn:aws:iam::{account}:role/aws-service-role/{SERVICE}/{ROLE}");
    let arn: Arc<str> = format!("arn:aws:sts::{account}:assumed-role/{ROLE}/{SESSION}").into();
    let principal = Principal::role_session(Arc::clone(&arn), role_arn.as_str(), None);
    let kind = CallerKind::RoleSession {
        role_arn,
        role_name: ROLE.to_owned(),
        session_name: SESSION.to_owned(),
    };
    caller(account, arn, principal, kind, Arc::clone(&POLICIES))
}

/// The service itself, which may do what trust policies allow it, and nothing else.
pub(super) fn service(account: AccountId) -> Arc<Caller> {
    let principal = Principal::service(SERVICE);
    let kind = CallerKind::Service { name: SERVICE };
    caller(account, SERVICE.into(), principal, kind, Arc::default())
}

fn caller(
    account: AccountId,
    arn: Arc<str>,
    principal: Principal,
    kind: CallerKind,
    identity: Arc<PolicySet>,
) -> Arc<Caller> {
    Arc::new(Caller {
        account,
        arn,
        user_id: SESSION.into(),
        context: Arc::new(principal.context()),
        principal,
        kind,
        access_key_id: String::new(),
        identity,
        boundary: None,
        session: None,
        scope_downs: Vec::new(),
        session_info: None,
        credential: Credential::new(()),
    })
}
