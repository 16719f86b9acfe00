//! Docker's token protocol: `GET /token` (distribution, "Token Authentication Specification") and
//! `POST /token` ("Docker Registry v2 authentication using OAuth2").
//!
//! A token of few minutes carries the principal of a registry password and what the client asked for. It
//! permits nothing: each request that it is sent with is decided as one with the password, and the scope only
//! narrows. There are no tokens for callers without credentials.

use std::sync::Arc;

use aws_api::ErrorStatus;
use http::{HeaderValue, Method, Response, StatusCode, header};
use identity::TokenScope;
use serde_json::json;

use super::answers::{answer, failed};
use super::{event, login, scope};
use crate::app::App;
use crate::authenticate::{self, BasicFail, RegistryLogin};
use crate::body::Inbound;
use crate::error::{Failure, OciError};
use crate::finish::finish;
use crate::form;
use crate::head::Head;
use crate::limits::TOKEN_FORM_BYTES_MAX;
use crate::registry_host::RegistryId;
use crate::reply::ReplyBody;

/// The name of the event.
const EVENT: &str = "GetRegistryToken";

/// What a client asks for.
struct Grant {
    scope: TokenScope,
    /// What a client may ask for further tokens with: the password that it has sent, which ends when it
    /// would have.
    refresh: Option<String>,
}

/// Answers a request for a token.
pub(crate) async fn serve(app: Arc<App>, head: Head, body: Inbound) -> Response<ReplyBody> {
    let Some(place) = head.registry(&app.names) else {
        let message =
            "The host has the form of a registry's name, without a valid account or region.";
        let error = OciError::new(ErrorStatus::BAD_REQUEST, "NAME_INVALID", message);
        return failed(&head, &error);
    };
    match head.parts.method == Method::POST {
        true => of_form(&app, &head, &place, body).await,
        false => of_query(&app, &head, &place).await,
    }
}

async fn of_query(app: &App, head: &Head, place: &RegistryId) -> Response<ReplyBody> {
    let login = match authenticate::registry(app, head).await {
        Ok(login) => login,
        Err(fail) => return login::refuse_token(app, head, place, fail, EVENT).await,
    };
    let texts = form::all(head.query(), "scope");
    match scope::parse(place, &texts) {
        Some(scope) => {
            let refresh = None;
            grant(app, head, place, &login, Grant { scope, refresh }).await
        }
        None => {
            let message = "The scopes are too many or too long.";
            let error = OciError::new(ErrorStatus::BAD_REQUEST, "DENIED", message);
            let response = failed(head, &error);
            let event = event::named(head, place, login.caller, EVENT);
            finish(app, event, Some(error.into())).await;
            response
        }
    }
}

async fn of_form(app: &App, head: &Head, place: &RegistryId, body: Inbound) -> Response<ReplyBody> {
    let collected = body.collect(&app.bodies, &head.party, TOKEN_FORM_BYTES_MAX);
    let collected = collected.await.ok();
    let form = collected
        .as_ref()
        .and_then(|read| std::str::from_utf8(&read.bytes).ok());
    let Some(form) = form else {
        return refused("invalid_request", "The body is no form, or too long.");
    };
    // RFC 6749, section 3.2: a parameter stands once.
    let one = |name: &str| match form::all(form, name) {
        mut values if values.len() == 1 => values.pop().filter(|value| !value.is_empty()),
        _ => None,
    };
    let secret = match one("grant_type").as_deref() {
        Some("password") if one("username").as_deref() == Some("AWS") => one("password"),
        Some("password") => None,
        Some("refresh_token") => one("refresh_token"),
        _ => {
            return refused(
                "unsupported_grant_type",
                "grant_type must be password or refresh_token.",
            );
        }
    };
    let login = match &secret {
        Some(secret) => authenticate::of_registry_secret(app, head, secret).await,
        None => Err(BasicFail::Refused(None)),
    };
    let login = match login {
        Ok(login) => login,
        Err(BasicFail::Internal(error)) => {
            let fail = BasicFail::Internal(error);
            return login::refuse_token(app, head, place, fail, EVENT).await;
        }
        Err(fail) => {
            login::record_refusal(app, head, place, fail, EVENT).await;
            return refused(
                "invalid_grant",
                "The authorization token is invalid or has expired.",
            );
        }
    };
    let texts: Vec<String> = one("scope").into_iter().collect();
    let Some(scope) = scope::parse(place, &texts) else {
        return refused("invalid_scope", "The scopes are too many or too long.");
    };
    let refresh = (one("access_type").as_deref() == Some("offline"))
        .then_some(secret)
        .flatten();
    grant(app, head, place, &login, Grant { scope, refresh }).await
}

async fn grant(
    app: &App,
    head: &Head,
    place: &RegistryId,
    login: &RegistryLogin,
    grant: Grant,
) -> Response<ReplyBody> {
    app.identity
        .touch_key_last_used(&login.caller, "ecr", place.region.as_str(), head.now);
    let issued = app
        .identity
        .narrow_registry_credential(&login.credential, &grant.scope, head.now);
    let (response, failure, granted) = match issued {
        Ok((token, scope, ends_at)) => {
            let seconds = ends_at.as_second().saturating_sub(head.now.as_second());
            let mut document = json!({
                "token": token.expose(),
                "access_token": token.expose(),
                "expires_in": seconds,
                "issued_at": head.now.to_string(),
                "scope": scope::text(&scope),
            });
            if let (Some(refresh), Some(members)) = (grant.refresh, document.as_object_mut()) {
                members.insert("refresh_token".into(), refresh.into());
            }
            let body = document.to_string();
            let mut response = answer(StatusCode::OK, body.into(), "application/json");
            no_store(&mut response);
            (response, None, scope::text(&scope))
        }
        Err(error) => {
            let error = OciError::from(crate::error::ApiError::from(error));
            let response = failed(head, &error);
            (response, Some(Failure::from(error)), String::new())
        }
    };
    let mut event = event::named(head, place, Arc::clone(&login.caller), EVENT);
    // No resource changes.
    event.read_only = true;
    event.parameters = json!({"scope": scope::text(&grant.scope), "grantedScope": granted});
    finish(app, event, failure).await;
    response
}

/// A refusal in the form of RFC 6749, section 5.2.
fn refused(code: &str, description: &str) -> Response<ReplyBody> {
    let document = json!({"error": code, "error_description": description});
    let body = document.to_string();
    let mut response = answer(StatusCode::BAD_REQUEST, body.into(), "application/json");
    no_store(&mut response);
    response
}

fn no_store(response: &mut Response<ReplyBody>) {
    let value = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, value);
}
