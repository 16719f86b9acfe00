//! STS: every operation with what it needs (Service Authorization Reference, "Actions, resources, and
//! condition keys for AWS Security Token Service") and the domain function that does it.

use aws_api::sts::{self, ops};

use super::{Entry, composite, entry};
use crate::permissions::{Requirements, ResourceSelector, require};

/// `op!(Name, function, |input| needs)`: the action is `sts:Name`.
macro_rules! op {
    ($op:ident, $function:ident, |$input:ident| $needs:expr) => {
        entry!(
            ops::$op,
            concat!("sts:", stringify!($op)),
            |$input| $needs,
            |app, ok| {
                let (call, input) = ok.into_identity_call();
                let answer = app.identity.$function(&call, input).await;
                answer.map_err(Into::into)
            }
        )
    };
    // The server hands on more than the input.
    ($op:ident, composite::$function:ident, |$input:ident| $needs:expr) => {
        entry!(
            ops::$op,
            concat!("sts:", stringify!($op)),
            |$input| $needs,
            |app, ok| { composite::$function(&app, ok).await }
        )
    };
}

/// Tags and a source identity are permissions of their own, asked of the same trust policy (IAM User
/// Guide, "Pass session tags in AWS STS" and "Monitor and control actions taken with assumed roles").
fn assume_role(i: &sts::AssumeRoleRequest) -> Requirements {
    let role = || ResourceSelector::TrustingRole(i.role_arn.clone());
    let tagged = i.tags.as_ref().is_some_and(|tags| !tags.is_empty());
    let duration = i.duration_seconds.map(|seconds| seconds.to_string());
    require(role())
        .and_if(tagged, "sts:TagSession", role())
        .and_if(i.source_identity.is_some(), "sts:SetSourceIdentity", role())
        .tags(&i.tags)
        .list("sts:TransitiveTagKeys", i.transitive_tag_keys.as_deref())
        .key("sts:RoleSessionName", i.role_session_name.as_str())
        .key("sts:ExternalId", i.external_id.as_deref())
        .key("sts:SourceIdentity", i.source_identity.as_deref())
        .key("sts:DurationSeconds", duration.as_deref())
}

fn get_federation_token(i: &sts::GetFederationTokenRequest) -> Requirements {
    let user = || ResourceSelector::FederatedUser(i.name.clone());
    let tagged = i.tags.as_ref().is_some_and(|tags| !tags.is_empty());
    require(user())
        .and_if(tagged, "sts:TagSession", user())
        .tags(&i.tags)
}

/// The operations that are built.
#[rustfmt::skip] // one line an operation
pub(super) fn table() -> Vec<Entry> {
    vec![
        op!(AssumeRole, composite::assume_role, |i| assume_role(i)),
        op!(GetCallerIdentity, get_caller_identity, |_i| require(ResourceSelector::Any)),
        op!(GetSessionToken, get_session_token, |_i| require(ResourceSelector::Any)),
        op!(GetFederationToken, get_federation_token, |i| get_federation_token(i)),
        op!(GetAccessKeyInfo, get_access_key_info, |_i| require(ResourceSelector::Any)),
        op!(DecodeAuthorizationMessage, decode_authorization_message, |_i| require(ResourceSelector::Any)),
    ]
}
