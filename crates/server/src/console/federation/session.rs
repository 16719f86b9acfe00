//! What the steps of a sign-in share: whose origin, which refusals, and the session at its end.

use std::sync::Arc;

use aws_api::Secret;
use http::{Response, StatusCode, header};
use identity::ProviderKind;
use serde_json::json;

use super::{oidc, saml};
use crate::app::App;
use crate::console::answers::{ConsoleError, answer};
use crate::console::events::{self, ProviderOf};
use crate::console::{cookie, guard, session};
use crate::head::Head;
use crate::reply::ReplyBody;

/// A verified answer of a provider.
pub(super) enum Proven {
    Oidc(Box<oidc::Token>),
    Saml(Box<saml::Response>),
}

/// A role that was assumed.
pub(super) struct Assumed {
    pub(super) session_token: Secret<String>,
    /// The provider's unique id.
    pub(super) provider_id: String,
}

impl Proven {
    /// Verifies an ID token or a response.
    pub(super) async fn verify(
        app: &App,
        head: &Head,
        provider: &ProviderOf<'_>,
        proof: &str,
    ) -> Result<Proven, ConsoleError> {
        Ok(match provider.kind {
            ProviderKind::Oidc => {
                Proven::Oidc(Box::new(oidc::verify(app, head, provider, proof).await?))
            }
            ProviderKind::Saml => Proven::Saml(Box::new(
                saml::verify(app, head, provider.arn, proof).await?,
            )),
        })
    }

    /// The roles that its user may take.
    pub(super) async fn roles(&self, app: &App, head: &Head) -> Result<Vec<String>, ConsoleError> {
        match self {
            Proven::Oidc(token) => token.roles(app, head).await,
            Proven::Saml(response) => Ok(response.roles()),
        }
    }

    /// Assumes a role.
    pub(super) async fn assume(
        self,
        app: &Arc<App>,
        head: &Head,
        role_arn: &str,
    ) -> Result<Assumed, ConsoleError> {
        match self {
            Proven::Oidc(token) => token.assume(app, head, role_arn).await,
            Proven::Saml(response) => response.assume(app, head, role_arn).await,
        }
    }
}

/// The origin of a request's page, which must be the server's public one: the addresses that providers send browsers
/// back to begin with it, and the cookie must come back there.
pub(super) fn own_origin(app: &App, head: &Head) -> Result<String, ConsoleError> {
    let own = app.names.console_origin();
    match guard::origin(head)?.eq_ignore_ascii_case(&own) {
        true => Ok(own),
        false => {
            let message = format!("Company sign-in works at {own}/console/ alone.");
            Err(ConsoleError::new(
                StatusCode::BAD_REQUEST,
                "OtherAddress",
                message,
            ))
        }
    }
}

/// There is no such sign-in in this browser: another one's, an old one, or one that came back before.
pub(super) fn no_sign_in() -> ConsoleError {
    let message = "This sign-in was not begun in this browser, has taken too long, or came back before. Begin again.";
    ConsoleError::new(StatusCode::UNAUTHORIZED, "NoSignIn", message)
}

/// The provider is gone, or nobody signs in through it any more.
pub(super) fn no_provider() -> ConsoleError {
    let message = "Nobody signs in through this identity provider any more.";
    ConsoleError::forbidden("NoProvider", message)
}

/// The provider answered something else than a proof of who the person is.
pub(super) fn invalid_answer(message: &str) -> ConsoleError {
    ConsoleError::new(StatusCode::UNAUTHORIZED, "InvalidAnswer", message)
}

/// The provider does not answer as it must.
pub(super) fn provider_unavailable() -> ConsoleError {
    let message =
        "The identity provider does not answer as it must. Try again, or ask your administrator.";
    ConsoleError::new(StatusCode::BAD_GATEWAY, "ProviderUnavailable", message)
}

/// A refusal of the verifier, in AWS's words. Failures of ours stay such.
pub(super) fn refused(error: identity::Error) -> ConsoleError {
    let error = ConsoleError::from(error);
    match error.is_internal() {
        true => error,
        false => invalid_answer(error.message()),
    }
}

/// Begins the session of a role. The browser's earlier session ends, and so does its sign-in.
pub(super) async fn begin_session(
    app: &Arc<App>,
    head: &Head,
    assumed: Assumed,
    provider: &ProviderOf<'_>,
    next: &str,
) -> Result<Response<ReplyBody>, ConsoleError> {
    head.identified();
    let begun = app.identity.begin_federated_console_session(
        &assumed.session_token,
        assumed.provider_id,
        head.now,
    );
    let secret = begun.await?;
    session::forget(app, head).await?;
    let found = app
        .identity
        .console_session(secret.expose(), head.now)
        .await?;
    let found = found.ok_or_else(ConsoleError::no_session)?;
    let caller = app.identity.console_caller(&found, head.now).await?;
    let caller = caller.ok_or_else(ConsoleError::no_session)?;
    let origin = guard::origin(head)?;
    events::provider_login(app, head, origin, Some(provider), Some(&caller), None).await;
    let mut response = answer(StatusCode::OK, Some(&json!({"location": next})));
    let headers = response.headers_mut();
    headers.append(header::SET_COOKIE, cookie::of(&secret)?);
    headers.append(header::SET_COOKIE, cookie::sign_in_removal());
    Ok(response)
}
