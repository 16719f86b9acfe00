//! The end of a sign-in: what the provider answered, handed on by the page that the browser came back to.

use std::sync::Arc;

use http::{Response, StatusCode, header};
use identity::federation::provider_key;
use identity::{PendingSignIn, ProviderAnswer, ProviderKind};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::oidc;
use super::session::{Proven, begin_session, no_sign_in, own_origin};
use crate::app::App;
use crate::console::answers::{ConsoleError, answer};
use crate::console::cookie;
use crate::console::events::{self, ProviderOf};
use crate::head::Head;
use crate::network::AddressGroup;
use crate::reply::ReplyBody;
use crate::writable::{self, Effect};

/// What a provider answered.
#[derive(Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "lowercase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(in crate::console) enum Answered {
    Oidc {
        /// The key of the provider whose redirect URI the browser came back to.
        provider: String,
        state: String,
        code: Option<String>,
        error: Option<String>,
        iss: Option<String>,
    },
    Saml {
        /// In base64.
        response: String,
        relay_state: String,
    },
}

impl Answered {
    /// Whether it answers this sign-in. An answer at the redirect URI of another provider does not, so that no
    /// provider gets the code of another one (RFC 9700, section 4.4).
    fn answers(&self, pending: &PendingSignIn) -> bool {
        match self {
            Answered::Oidc {
                provider, state, ..
            } => {
                pending.kind == ProviderKind::Oidc
                    && *provider == provider_key(&pending.provider_arn)
                    && pending.has_state(state)
            }
            Answered::Saml { relay_state, .. } => {
                pending.kind == ProviderKind::Saml && pending.has_state(relay_state)
            }
        }
    }
}

/// `POST /console/federation/finish`
pub(in crate::console) async fn finish(
    app: &Arc<App>,
    head: &Head,
    answered: Answered,
) -> Result<Response<ReplyBody>, ConsoleError> {
    let base = own_origin(app, head)?;
    let pending = match cookie::sign_in(head) {
        Some(sealed) => app.identity.pending_sign_in(sealed, head.now).await?,
        None => None,
    };
    let Some(pending) = pending.filter(|pending| answered.answers(pending)) else {
        // Login CSRF: a link to an answer of somebody else's signs nobody in. The sign-in that the browser has
        // begun is not ended by it.
        let error = no_sign_in();
        let message = Some(error.message());
        events::provider_login(app, head, &base, None, None, message).await;
        return Err(error);
    };
    let address = AddressGroup::of(head.client.address);
    // Apart from passwords: what fails here locks nobody out there.
    let counted = format!("federation/{}", pending.account);
    let begun = app.guesses.begin(address, &counted, Instant::now());
    begun.map_err(|wait| {
        let message = "Too many sign-ins have failed. Wait a moment and try again.";
        let status = StatusCode::TOO_MANY_REQUESTS;
        ConsoleError::new(status, "TooManySignIns", message).retry_after(wait)
    })?;
    let provider = ProviderOf {
        account: pending.account,
        kind: pending.kind,
        arn: &pending.provider_arn,
    };
    let finished = signed_in(app, head, &base, (&pending, &provider), answered).await;
    match finished {
        Ok(response) => {
            app.guesses.succeeded(address, &counted, Instant::now());
            Ok(response)
        }
        Err(error) => {
            let message = Some(error.message());
            events::provider_login(app, head, &base, Some(&provider), None, message).await;
            Err(error.with_cookie(cookie::sign_in_removal()))
        }
    }
}

async fn signed_in(
    app: &Arc<App>,
    head: &Head,
    base: &str,
    (pending, provider): (&PendingSignIn, &ProviderOf<'_>),
    answered: Answered,
) -> Result<Response<ReplyBody>, ConsoleError> {
    writable::check(app, Effect::Writes).await?;
    // Before the code is redeemed: an answer counts once, also when it comes to two nodes at a time.
    if !app.identity.use_pending_sign_in(pending, head.now).await? {
        return Err(no_sign_in());
    }
    let proof = match answered {
        Answered::Oidc {
            code, error, iss, ..
        } => {
            let answer = oidc::Answer {
                code,
                error,
                issuer: iss,
            };
            let token = oidc::redeem(app, base, head, pending, &answer).await?;
            token.expose().clone()
        }
        Answered::Saml { response, .. } => response,
    };
    let proven = Proven::verify(app, head, provider, &proof).await?;
    match &proven {
        Proven::Oidc(token) => token.check(pending)?,
        Proven::Saml(response) => response.check(pending)?,
    }
    let mut roles = proven.roles(app, head).await?;
    match roles.len() {
        0 => {
            let message =
                "You are known, but no role of this account lets you in. Ask your administrator.";
            Err(ConsoleError::forbidden("NoRole", message))
        }
        1 => {
            let assumed = proven.assume(app, head, &roles.remove(0)).await?;
            begin_session(app, head, assumed, provider, &pending.next).await
        }
        _ => {
            let held = ProviderAnswer {
                kind: pending.kind,
                provider_arn: pending.provider_arn.clone(),
                proof,
                roles,
                next: pending.next.clone(),
            };
            let choice = app.identity.hold_provider_answer(pending, &held, head.now);
            let choice = choice.await?;
            let location = json!({"location": "/console/federation/roles"});
            let mut response = answer(StatusCode::OK, Some(&location));
            let set = cookie::of_sign_in(&choice)?;
            response.headers_mut().insert(header::SET_COOKIE, set);
            Ok(response)
        }
    }
}
