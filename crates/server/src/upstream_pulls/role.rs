//! The role of a rule: taken as the service, as the role's trust policy allows (ECR user guide, "Creating a Trust
//! policy for the IAM role"). Its session lasts an hour, and is taken again before it ends; what the role may do is
//! looked up at each use, as of every principal.

use std::sync::Arc;

use authz::{Caller, Client, RequestContext, ResourceSelector, Rule, SessionScope, require};
use aws_api::authorization::AccessLevel;
use aws_api::sts::AssumeRoleRequest;
use aws_types::{Arn, Region};
use identity::AuthError;
use jiff::SignedDuration;
use registry::pull_through::UpstreamError;
use serde_json::json;

use super::service_role::{SERVICE, SESSION, service};
use crate::app::App;
use crate::audit::Event;
use crate::authorize;
use crate::error::{ApiError, Failure, chain};
use crate::finish::finish;
use crate::pull_through::RoleSession;
use crate::registry_host::RegistryId;

/// How long before its end a session is taken again.
const RENEWAL: SignedDuration = SignedDuration::from_mins(10);

const ASSUME: Rule = Rule {
    action: "sts:AssumeRole",
    access: AccessLevel::Write,
    sessions: SessionScope::ASSUME_ROLE,
};
const LOGIN: Rule = Rule {
    action: "ecr:GetAuthorizationToken",
    access: AccessLevel::Read,
    sessions: SessionScope::ANY,
};

/// A request that the server itself makes to a region of its own.
pub(super) fn context(app: &App, caller: Arc<Caller>, region: Region) -> RequestContext {
    RequestContext {
        account: caller.account,
        caller,
        region,
        now: app.now(),
        request_id: uuid::Uuid::new_v4().to_string().into(),
        client: Client {
            address: std::net::IpAddr::from([127, 0, 0, 1]),
            secure: true,
            user_agent: SERVICE.into(),
            referer: None,
        },
    }
}

/// The role's session as a caller of the registry `own`, for a rule of the registry `cache`.
pub(super) async fn caller(
    app: &App,
    cache: &RegistryId,
    own: &RegistryId,
    role_arn: &str,
) -> Result<Arc<Caller>, UpstreamError> {
    let slot = app.pull_through.roles.slot(role_arn);
    let mut held = slot.lock().await;
    let now = app.now();
    if let Some(session) = held.as_ref().filter(|session| now < session.renew_at) {
        match app.identity.caller(&session.principal, now).await {
            Ok(caller) => return Ok(caller),
            Err(AuthError::Internal(error)) => return Err(failed(&chain(&error))),
            // The role was deleted, and perhaps made again.
            Err(_) => {}
        }
    }
    *held = None;
    let session = assume(app, cache, role_arn).await?;
    let found = app.identity.caller(&session.principal, now).await;
    let caller = found.map_err(|error| failed(&error.to_string()))?;
    may_log_in(app, &caller, own).await?;
    *held = Some(session);
    Ok(caller)
}

/// Whether the caller gets a registry password (the user guide's policy of the role has the action).
pub(super) async fn may_log_in(
    app: &App,
    caller: &Arc<Caller>,
    own: &RegistryId,
) -> Result<(), UpstreamError> {
    let context = context(app, Arc::clone(caller), own.region.clone());
    let requirements = require(ResourceSelector::Any);
    match authorize::check(app, &context, &LOGIN, &requirements).await {
        Ok(_) => Ok(()),
        Err(ApiError::Denied(denial)) => Err(UpstreamError::AccessDenied(denial.message)),
        Err(error) => Err(failed(&format!("{error:?}"))),
    }
}

async fn assume(
    app: &App,
    cache: &RegistryId,
    role_arn: &str,
) -> Result<RoleSession, UpstreamError> {
    // "This role must be in the same account as the registry that you are configuring" (ECR API Reference,
    // CreatePullThroughCacheRule, `customRoleArn`).
    let parsed = role_arn.parse::<Arn>();
    if !parsed.is_ok_and(|arn| arn.account() == cache.account.as_str()) {
        return Err(UpstreamError::Credentials(format!(
            "the role {role_arn} is not of the account {}",
            cache.account
        )));
    }
    let context = context(app, service(cache.account), cache.region.clone());
    let input = AssumeRoleRequest {
        role_arn: role_arn.to_owned(),
        role_session_name: SESSION.to_owned(),
        ..AssumeRoleRequest::default()
    };
    let requirements = require(ResourceSelector::TrustingRole(role_arn.to_owned()))
        .key("sts:RoleSessionName", SESSION)
        .key("aws:SourceAccount", cache.account.as_str());
    let mut event = Event {
        parameters: json!({"roleArn": role_arn, "roleSessionName": SESSION}),
        resource: Some(Arc::from(role_arn)),
        read_only: true,
        ..Event::of_context(
            &context,
            "sts.amazonaws.com",
            "AssumeRole",
            &cache.region,
            cache.account,
        )
    };
    let decided = authorize::authorize(app, context, &ASSUME, &requirements, input).await;
    let (proof, input) = match decided {
        Ok(ok) => ok.into_parts(),
        Err(ApiError::Denied(denial)) => {
            let failure = Failure {
                code: "AccessDenied".to_owned(),
                message: denial.message.clone(),
                exception: None,
                cause: None,
                decided: Some(denial.decision),
            };
            finish(app, event, Some(failure)).await;
            return Err(UpstreamError::Credentials(format!(
                "the role {role_arn} cannot be assumed: there is none, or its trust policy does not allow \
                 sts:AssumeRole to {SERVICE}"
            )));
        }
        Err(error) => return Err(failed(&format!("{error:?}"))),
    };
    let answer = app.identity.assume_role(&proof, input).await;
    let answer = answer.map_err(|error| failed(&chain(&error)))?;
    let got = answer.credentials.ok_or_else(|| failed("no credentials"))?;
    event.elements = json!({
        "credentials": {"accessKeyId": got.access_key_id, "expiration": got.expiration.to_string()},
        "assumedRoleUser": answer.assumed_role_user.map(|user| json!({
            "assumedRoleId": user.assumed_role_id,
            "arn": user.arn,
        })),
    });
    finish(app, event, None).await;
    let token = got.session_token.expose();
    let key = app.identity.find_key(&got.access_key_id, Some(token)).await;
    let key = key.map_err(|error| failed(&error.to_string()))?;
    let renew_at = got.expiration.saturating_sub(RENEWAL);
    Ok(RoleSession {
        principal: key.principal,
        renew_at: renew_at.map_err(|error| failed(&error.to_string()))?,
    })
}

pub(super) fn failed(cause: &str) -> UpstreamError {
    UpstreamError::Store(cause.into())
}
