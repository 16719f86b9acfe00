//! A session that has begun: its credentials, the demanded change of a password, and its end.

use std::sync::Arc;

use authz::{Caller, CallerKind};
use aws_api::Secret;
use aws_api::iam::{self, ChangePasswordRequest};
use http::{Response, StatusCode, header};
use identity::{ConsoleAnswer, ConsoleCredentials, ConsoleSession};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answers::{ConsoleError, answer};
use super::events::{self, Mfa, Who};
use super::perform::perform;
use super::{cookie, guard};
use crate::app::App;
use crate::head::Head;
use crate::reply::ReplyBody;

/// The session of a request's cookie.
pub(super) async fn find(app: &App, head: &Head) -> Result<ConsoleSession, ConsoleError> {
    let secret = cookie::secret(head).ok_or_else(ConsoleError::no_session)?;
    let found = app.identity.console_session(secret, head.now).await?;
    found.ok_or_else(ConsoleError::no_session)
}

/// As [`find`], for a session whose user needs no other password first.
pub(super) async fn find_usable(app: &App, head: &Head) -> Result<ConsoleSession, ConsoleError> {
    let session = find(app, head).await?;
    match session.must_change_password() {
        false => Ok(session),
        true => {
            let message = "You must set another password before you can go on.";
            let error = ConsoleError::forbidden("PasswordChangeRequired", message);
            Err(error)
        }
    }
}

/// `POST /console/session/credentials`
pub(super) async fn credentials(
    app: &Arc<App>,
    head: &Head,
) -> Result<Response<ReplyBody>, ConsoleError> {
    let session = find_usable(app, head).await?;
    let given = credentials_of(app, head, &session).await?;
    head.identified();
    let shown = shown(app, &given).await?;
    Ok(answer(StatusCode::OK, Some(&shown)))
}

/// The credentials of a session.
pub(super) async fn credentials_of(
    app: &App,
    head: &Head,
    session: &ConsoleSession,
) -> Result<ConsoleCredentials, ConsoleError> {
    let answered = app.identity.console_credentials(session, head.now).await?;
    match answered {
        ConsoleAnswer::Over => Err(ConsoleError::no_session()),
        ConsoleAnswer::RoleOver => {
            let message = "The role's session has ended. Go back, or switch to the role again.";
            Err(ConsoleError::forbidden("RoleSessionEnded", message))
        }
        ConsoleAnswer::Credentials(credentials) => Ok(*credentials),
    }
}

/// Answers the credentials of a session that has a new secret, and sets the cookie.
pub(super) async fn answer_new(
    app: &Arc<App>,
    head: &Head,
    secret: &Secret<String>,
) -> Result<Response<ReplyBody>, ConsoleError> {
    let found = app
        .identity
        .console_session(secret.expose(), head.now)
        .await?;
    let session = found.ok_or_else(ConsoleError::no_session)?;
    let given = credentials_of(app, head, &session).await?;
    answer_with(app, &given, secret).await
}

/// Answers credentials, and sets the cookie.
pub(super) async fn answer_with(
    app: &Arc<App>,
    given: &ConsoleCredentials,
    secret: &Secret<String>,
) -> Result<Response<ReplyBody>, ConsoleError> {
    let mut response = answer(StatusCode::OK, Some(&shown(app, given).await?));
    let set = cookie::of(secret)?;
    response.headers_mut().insert(header::SET_COOKIE, set);
    Ok(response)
}

async fn shown(app: &App, given: &ConsoleCredentials) -> Result<Value, ConsoleError> {
    let caller = &given.caller;
    let (kind, name) = kind_and_name(caller);
    let region = &app.names.default.region;
    let mut shown = json!({
        "accessKeyId": given.access_key_id,
        "secretAccessKey": given.secret_access_key.expose(),
        "sessionToken": given.session_token.expose(),
        "expiration": given.expires_at.to_string(),
        "account": caller.account.as_str(),
        "partition": "aws",
        "region": region.as_str(),
        "arn": &*caller.arn,
        "name": name,
        "kind": kind,
        "mfa": given.has_mfa,
        "registry": app.names.registry_host(&caller.account, region),
        "sessionEnds": given.session_ends.to_string(),
    });
    if let Some(alias) = app.identity.account_alias(caller.account).await? {
        shown["accountAlias"] = alias.into();
    }
    if let Some((badge, from)) = &given.switched {
        shown["switched"] = json!({
            "displayName": badge.display_name,
            "color": badge.color,
            "from": &**from,
        });
    }
    Ok(shown)
}

fn kind_and_name(caller: &Caller) -> (&'static str, String) {
    match &caller.kind {
        CallerKind::Root => ("root", "root".to_owned()),
        CallerKind::User { name, .. } => ("user", name.clone()),
        CallerKind::RoleSession {
            role_name,
            session_name,
            ..
        } => ("role", format!("{role_name}/{session_name}")),
        _ => ("role", caller.arn.to_string()),
    }
}

/// The parameters of a change of the password.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewPassword {
    old_password: String,
    new_password: String,
}

/// `POST /console/session/password`: `ChangePassword` of IAM, which the user must be allowed to call, as on
/// AWS.
pub(super) async fn change_password(
    app: &Arc<App>,
    head: &Head,
    passwords: NewPassword,
) -> Result<Response<ReplyBody>, ConsoleError> {
    let session = find(app, head).await?;
    if !session.must_change_password() {
        let message = "Another password is not demanded. Change it with ChangePassword of IAM.";
        return Err(ConsoleError::invalid(message));
    }
    let caller = app.identity.console_caller(&session, head.now).await?;
    let caller = caller.ok_or_else(ConsoleError::no_session)?;
    let input = ChangePasswordRequest {
        old_password: Secret::new(passwords.old_password),
        new_password: Secret::new(passwords.new_password),
    };
    perform::<iam::ops::ChangePassword>(app, head, &caller, &input).await?;
    let renewed = app
        .identity
        .renew_after_password_change(&session, head.now)
        .await?;
    let secret = renewed.ok_or_else(ConsoleError::no_session)?;
    let mfa = Mfa {
        is_used: caller
            .session_info
            .as_ref()
            .is_some_and(|info| info.mfa_at.is_some()),
        device: None,
    };
    let origin = guard::origin(head)?;
    events::console_login(app, head, origin, Who::Caller(&caller), mfa, None).await;
    answer_new(app, head, &secret).await
}

/// `POST /console/session/end`
pub(super) async fn end(app: &App, head: &Head) -> Result<Response<ReplyBody>, ConsoleError> {
    forget(app, head).await?;
    let mut response = answer(StatusCode::NO_CONTENT, None);
    let removal = cookie::removal();
    response.headers_mut().insert(header::SET_COOKIE, removal);
    Ok(response)
}

/// Ends the session that a request brings.
pub(super) async fn forget(app: &App, head: &Head) -> Result<(), ConsoleError> {
    match cookie::secret(head) {
        Some(secret) => Ok(app.identity.end_console_session(secret).await?),
        None => Ok(()),
    }
}
