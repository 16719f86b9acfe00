//! `AssumeRoleWithWebIdentity`: a role's session for an identity that an OIDC provider vouches for.

use std::sync::Arc;

use authz::{Credential, Federation};
use aws_api::CommonError;
use aws_api::sts::{
    AssumeRoleWithWebIdentityRequest, AssumeRoleWithWebIdentityResponse, AssumedRoleUser,
};
use aws_types::AccountId;
use policy::{Context, ContextValue, PolicySet, Principal};
use store::iam::role;

use super::assume_role::{decided_role, duration};
use crate::authenticate::session_arn;
use crate::federation::oidc::{Value, WebIdentity};
use crate::session::{SessionKey, SessionTag, Who};
use crate::{Authorized, Caller, CallerKind, Error, Identity, SessionInfo};

/// In the trust policy's evaluation and in the session (O12).
const FEDERATED_PROVIDER: &str = "aws:FederatedProvider";

/// The caller of `AssumeRoleWithWebIdentity`: the identity that the token proved, in the account of the
/// provider. The claims are condition keys of the provider's own prefix; of AWS's keys a token sets only
/// tags and the source identity, each of which needs an action of its own.
#[must_use]
pub fn web_identity_caller(account: AccountId, identity: WebIdentity) -> Caller {
    let mut context = Context::new()
        .set(FEDERATED_PROVIDER, identity.provider_arn.as_str())
        .set(
            "sts:RoleAuthorizedByIdp",
            if identity.is_role_authorized {
                "true"
            } else {
                "false"
            },
        )
        .set_option("sts:SourceIdentity", identity.source_identity.as_deref());
    for (name, value) in identity.keys() {
        context.insert(&name, context_value(value));
    }
    let keys = |transitive: bool| {
        let tags = identity.tags.iter();
        let tags = tags.filter(move |(_, _, passes_on)| *passes_on || !transitive);
        tags.map(|(key, _, _)| Arc::from(key.as_str())).collect()
    };
    if !identity.tags.is_empty() {
        context.insert("aws:TagKeys", ContextValue::Many(keys(false)));
        for (key, value, _) in &identity.tags {
            let value = ContextValue::One(value.as_str().into());
            context.insert(&format!("aws:RequestTag/{key}"), value);
        }
    }
    if identity.tags.iter().any(|(_, _, passes_on)| *passes_on) {
        context.insert("sts:TransitiveTagKeys", ContextValue::Many(keys(true)));
    }
    let tags = identity.tags.iter();
    let tags = tags.map(|(key, value, _)| (key.clone(), value.clone()));
    let user_id = format!(
        "{}:{}:{}",
        identity.provider_arn, identity.audience, identity.subject
    );
    Caller {
        account,
        arn: identity.provider_arn.as_str().into(),
        user_id: user_id.into(),
        principal: Principal::web_identity(identity.provider_arn.as_str()),
        kind: CallerKind::ProviderIdentity {
            protocol: Federation::WebIdentity,
            provider_arn: identity.provider_arn.clone(),
            subject: identity.subject.clone(),
        },
        access_key_id: String::new(),
        identity: Arc::new(PolicySet::default()),
        boundary: None,
        session: None,
        scope_downs: Vec::new(),
        context: Arc::new(context),
        session_info: Some(SessionInfo {
            issued_at: identity.issued_at,
            expires_at: identity.expires_at,
            source_identity: identity.source_identity.clone(),
            transitive_tags: tags.collect(),
            mfa_at: None,
            is_console: false,
        }),
        credential: Credential::new(identity),
    }
}

fn context_value(value: &Value) -> ContextValue {
    match value {
        Value::One(value) => ContextValue::One(value.as_str().into()),
        Value::Many(values) => {
            let values = values.iter().map(|value| value.as_str().into());
            ContextValue::Many(values.collect())
        }
    }
}

impl Identity {
    /// `AssumeRoleWithWebIdentity`. The token was verified and the trust policy asked before.
    ///
    /// # Errors
    /// `AccessDenied` for a role that is not the one that was decided on; `ValidationError` for the
    /// duration; `MalformedPolicyDocument`, `PackedPolicyTooLarge`.
    pub async fn assume_role_with_web_identity(
        &self,
        cx: &Authorized,
        input: AssumeRoleWithWebIdentityRequest,
    ) -> Result<AssumeRoleWithWebIdentityResponse, Error> {
        let identity: &WebIdentity = cx
            .caller
            .credential
            .get()
            .ok_or_else(|| Error::internal("the caller has no web identity"))?;
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let entity = decided_role(&mut conn, cx, &input.role_arn)
            .await?
            // O12: a provider vouches in its own account alone.
            .filter(|found| found.account == cx.account.as_str())
            .ok_or_else(not_authorized)?;
        let max = role::get(&mut conn, entity.id).await?.max_session_seconds;
        let seconds = duration(input.duration_seconds, max, false)?;
        let name = input.role_session_name;
        let who = Who::Role(entity.unique_id.clone(), name.clone());
        let mut session = self.new_session(cx, cx.account, who, seconds)?;
        session.source_identity = identity.source_identity.clone();
        let tags = identity.tags.iter();
        session.tags = tags
            .map(|(key, value, passes_on)| SessionTag(key.clone(), value.clone(), *passes_on))
            .collect();
        let provider =
            SessionKey::One(FEDERATED_PROVIDER.to_owned(), identity.provider_arn.clone());
        session.keys = identity.session_keys().map(session_key).collect();
        session.keys.push(provider);
        let (policy, arns) = (input.policy, input.policy_arns);
        self.add_policies(&mut conn, &mut session, policy, arns)
            .await?;
        let issued = self.issue(&mut session, input.minimum_session_token_size)?;
        Ok(AssumeRoleWithWebIdentityResponse {
            credentials: Some(issued.credentials),
            subject_from_web_identity_token: Some(identity.subject.clone()),
            assumed_role_user: Some(AssumedRoleUser {
                assumed_role_id: format!("{}:{name}", entity.unique_id),
                arn: session_arn(&entity, &name),
            }),
            packed_policy_size: issued.packed_policy_size,
            session_token_size: Some(issued.token_size),
            session_token_utilization: Some(issued.token_utilization),
            // Recorded: the provider's ARN, although the API Reference says the issuer.
            provider: Some(identity.provider_arn.clone()),
            audience: Some(identity.audience.clone()),
            source_identity: session.source_identity.clone(),
            ..AssumeRoleWithWebIdentityResponse::default()
        })
    }
}

fn session_key((name, value): (String, &Value)) -> SessionKey {
    match value {
        Value::One(value) => SessionKey::One(name, value.clone()),
        Value::Many(values) => SessionKey::Many(name, values.clone()),
    }
}

fn not_authorized() -> Error {
    Error::new(
        CommonError::AccessDenied,
        "Not authorized to perform sts:AssumeRoleWithWebIdentity",
    )
}
