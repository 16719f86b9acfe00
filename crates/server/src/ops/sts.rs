//! STS: every operation with what it needs (Service Authorization Reference, "Actions, resources, and
//! condition keys for AWS Security Token Service") and the domain function that does it.

use aws_api::Op;
use aws_api::sts::{self, ops};

use authz::{Caller, RequestContext, Requirements, ResourceSelector, SessionScope, require};
use serde_json::{Map, Value, json};

use super::Row;
use super::row::{by_input, row};
use crate::app::App;
use crate::authorize;
use crate::error::ApiError;

/// `op!(Name, function, Level, |input| requirements)`: the action is `sts:Name`.
macro_rules! op {
    ($op:ident, $function:ident, $access:ident, |$input:ident| $requirements:expr) => {
        row!(
            Sts,
            ops::$op,
            concat!("sts:", stringify!($op)),
            $access,
            |$input| $requirements,
            |app, ok| {
                let (proof, input) = ok.into_parts();
                let answer = app.identity.$function(&proof, input).await;
                answer.map_err(Into::into)
            }
        )
    };
}

/// A source identity needs a permission of its own, checked against the same trust policy (IAM User Guide,
/// "Monitor and control actions taken with assumed roles"). So do tags, which every operation checks.
fn assume_role(i: &sts::AssumeRoleRequest) -> Requirements {
    let role = || ResourceSelector::TrustingRole(i.role_arn.clone());
    let duration = i.duration_seconds.map(|seconds| seconds.to_string());
    require(role())
        .second_factor(
            i.serial_number.as_deref(),
            i.token_code.as_ref().map(|code| code.expose().as_str()),
        )
        .and_if(i.source_identity.is_some(), "sts:SetSourceIdentity", role())
        .tags(&i.tags)
        .list("sts:TransitiveTagKeys", i.transitive_tag_keys.as_deref())
        .key("sts:RoleSessionName", i.role_session_name.as_str())
        .key("sts:ExternalId", i.external_id.as_deref())
        .key("sts:SourceIdentity", i.source_identity.as_deref())
        .key("sts:DurationSeconds", duration.as_deref())
}

/// Tags and a source identity come from the token: the authorization step adds their actions and keys.
fn assume_role_with_web_identity(i: &sts::AssumeRoleWithWebIdentityRequest) -> Requirements {
    let duration = i.duration_seconds.map(|seconds| seconds.to_string());
    require(ResourceSelector::TrustingRole(i.role_arn.clone()))
        .key("sts:RoleSessionName", i.role_session_name.as_str())
        .key("sts:DurationSeconds", duration.as_deref())
}

/// Whether a role's trust policy lets an identity of a provider in: what `AssumeRoleWithWebIdentity` decides, without
/// performing it.
pub(crate) async fn may_assume_with_web_identity(
    app: &App,
    context: &RequestContext,
    input: &sts::AssumeRoleWithWebIdentityRequest,
) -> Result<bool, ApiError> {
    let operation = <ops::AssumeRoleWithWebIdentity as Op>::OPERATION;
    let row = super::row(operation).ok_or_else(|| ApiError::internal("no row"))?;
    let requirements = assume_role_with_web_identity(input);
    match authorize::check(app, context, &row.columns.rule, &requirements).await {
        Ok(_) => Ok(true),
        Err(ApiError::Denied(_) | ApiError::Session(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Session name, tags and source identity come from the assertion: the caller brings their keys, and the
/// authorization step adds their actions.
fn assume_role_with_saml(i: &sts::AssumeRoleWithSAMLRequest) -> Requirements {
    let duration = i.duration_seconds.map(|seconds| seconds.to_string());
    require(ResourceSelector::TrustingRole(i.role_arn.clone()))
        .key("sts:DurationSeconds", duration.as_deref())
}

/// Tags need an action of their own (Service Authorization Reference, AWS STS, TagGetWebIdentityToken).
fn get_web_identity_token(i: &sts::GetWebIdentityTokenRequest) -> Requirements {
    let duration = i.duration_seconds.map(|seconds| seconds.to_string());
    let tags = i.tags.as_deref().unwrap_or_default();
    let any = || ResourceSelector::Text("*".to_owned());
    let mut required = require(any())
        .and_if(!tags.is_empty(), "sts:TagGetWebIdentityToken", any())
        .list("sts:IdentityTokenAudience", Some(&i.audience))
        .key("sts:SigningAlgorithm", i.signing_algorithm.as_str())
        .key("sts:DurationSeconds", duration.as_deref());
    for tag in tags {
        required = required.key(&format!("aws:RequestTag/{}", tag.key), tag.value.as_str());
    }
    let keys: Vec<String> = tags.iter().map(|tag| tag.key.clone()).collect();
    required.list("aws:TagKeys", (!keys.is_empty()).then_some(&keys))
}

/// The root user of the account, whom the caller's own policies decide about: there is no trust policy.
fn assume_root(i: &sts::AssumeRootRequest) -> Requirements {
    let arn = match i.target_principal.parse::<aws_types::AccountId>() {
        Ok(account) => format!("arn:aws:iam::{account}:root"),
        Err(_) => i.target_principal.clone(),
    };
    require(ResourceSelector::Text(arn)).key("sts:TaskPolicyArn", i.task_policy_arn.arn.as_deref())
}

fn get_federation_token(i: &sts::GetFederationTokenRequest) -> Requirements {
    let user = || ResourceSelector::FederatedUser(i.name.clone());
    require(user()).tags(&i.tags)
}

/// IAM User Guide, "Logging IAM and AWS STS API calls with AWS CloudTrail", "Example AWS STS role chaining API
/// event": the tags that the session passes on are among the request's parameters.
fn incoming_tags(caller: &Caller) -> Map<String, Value> {
    let tags = match &caller.session_info {
        Some(session) => &session.transitive_tags[..],
        None => &[],
    };
    let tags: Map<_, _> = tags
        .iter()
        .map(|(key, value)| (key.clone(), json!(value)))
        .collect();
    let shown = (!tags.is_empty()).then(|| ("incomingTransitiveTags".to_owned(), tags.into()));
    shown.into_iter().collect()
}

/// The same page, "Example AWS STS API event using SAML" and "using web identity": what the assertion or the
/// token set is among the request's parameters.
fn proved_claims(caller: &Caller) -> Map<String, Value> {
    let mut shown = Map::new();
    let Some(claims) = identity::proved_claims(caller) else {
        return shown;
    };
    let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    for (name, text) in [
        ("sAMLAssertionID", claims.assertion_id),
        ("roleSessionName", claims.role_session_name),
        ("sourceIdentity", claims.source_identity),
    ] {
        if let Some(text) = text {
            put(name, json!(text));
        }
    }
    if !claims.tags.is_empty() {
        let tags = claims.tags.iter();
        let tags: Map<_, _> = tags
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect();
        put("principalTags", tags.into());
    }
    if !claims.transitive_tag_keys.is_empty() {
        put("transitiveTagKeys", json!(claims.transitive_tag_keys));
    }
    shown
}

/// The operations that are built.
#[rustfmt::skip] // one line for each operation
pub(super) fn table() -> Vec<Row> {
    vec![
        op!(AssumeRole, assume_role, Write, |i| assume_role(i)).sessions(SessionScope::ASSUME_ROLE).read_only().audits_answer().audits_caller(incoming_tags),
        op!(AssumeRoleWithWebIdentity, assume_role_with_web_identity, Write, |i| assume_role_with_web_identity(i)).proved_by_input(by_input!(ops::AssumeRoleWithWebIdentity, crate::web_identity::caller)).read_only().audits_answer().audits_caller(proved_claims),
        op!(AssumeRoleWithSAML, assume_role_with_saml, Write, |i| assume_role_with_saml(i)).proved_by_input(by_input!(ops::AssumeRoleWithSAML, crate::saml::caller)).read_only().audits_answer().audits_caller(proved_claims),
        op!(AssumeRoot, assume_root, Write, |i| assume_root(i)).read_only().audits_answer(),
        row!(Sts, ops::GetWebIdentityToken, "sts:GetWebIdentityToken", Write, |i| get_web_identity_token(i), |app, ok| { let (proof, input) = ok.into_parts(); Ok(app.identity.get_web_identity_token(&proof, &app.names.issuers_url(), input).await?) }).sessions(SessionScope::ASSUME_ROLE).read_only().audits_answer(),
        op!(GetCallerIdentity, get_caller_identity, Read, |_i| require(ResourceSelector::Any)).sessions(SessionScope::ANY),
        op!(GetSessionToken, get_session_token, Read, |_i| require(ResourceSelector::Any)).sessions(SessionScope::LONG_TERM_KEYS).audits_answer(),
        op!(GetFederationToken, get_federation_token, Write, |i| get_federation_token(i)).sessions(SessionScope::LONG_TERM_KEYS).audits_answer(),
        op!(GetDelegatedAccessToken, get_delegated_access_token, Write, |_i| require(ResourceSelector::Any)).sessions(SessionScope::ANY),
        op!(GetScopedCredentials, get_scoped_credentials, Read, |_i| require(ResourceSelector::Any)).sessions(SessionScope::ANY).audits_answer(),
        op!(GetAccessKeyInfo, get_access_key_info, Read, |_i| require(ResourceSelector::Any)),
        op!(DecodeAuthorizationMessage, decode_authorization_message, Write, |_i| require(ResourceSelector::Any)).read_only(),
    ]
}
