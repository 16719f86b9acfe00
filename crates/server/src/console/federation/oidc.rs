//! Sign-in by OpenID Connect: the authorization code flow with PKCE (OpenID Connect Core 1.0, section 3.1; RFC 7636).
//! The ID token is verified by the code of `AssumeRoleWithWebIdentity`.

use std::sync::Arc;

use authz::RequestContext;
use aws_api::Secret;
use aws_api::sts::{self, AssumeRoleWithWebIdentityRequest};
use aws_types::{AccountId, percent};
use identity::PendingSignIn;
use identity::federation::oidc::{ConsoleSignIn, Presented, Provider, Verified};
use identity::federation::redirect_uri;
use jiff::Timestamp;

use super::session::{
    Assumed, invalid_answer, no_provider, no_sign_in, provider_unavailable, refused,
};
use crate::app::App;
use crate::console::answers::ConsoleError;
use crate::console::events::ProviderOf;
use crate::console::perform::perform;
use crate::error::{ApiError, chain};
use crate::head::Head;
use crate::limits::SIGN_IN_ROLES_MAX;
use crate::ops::may_assume_with_web_identity;
use crate::outbound::{Grant, OutboundError};

/// The session of a role whose maximum cannot be looked up any more: it is gone, and refused next.
const SESSION_SECONDS_DEFAULT: i32 = 3600;

/// What a provider's answer has in the address that the browser comes back to.
pub(super) struct Answer {
    pub(super) code: Option<String>,
    pub(super) error: Option<String>,
    pub(super) issuer: Option<String>,
}

/// A verified ID token.
pub(super) struct Token {
    provider: Provider,
    verified: Verified,
    text: Secret<String>,
}

fn settings(provider: &Provider) -> Result<&ConsoleSignIn, ConsoleError> {
    provider.settings.console.as_ref().ok_or_else(no_provider)
}

async fn provider_of(app: &App, account: AccountId, arn: &str) -> Result<Provider, ConsoleError> {
    let name = arn.split_once(":oidc-provider/").map(|(_, name)| name);
    let found = app
        .identity
        .oidc_provider(account, name.unwrap_or_default())
        .await?;
    found.ok_or_else(no_provider)
}

/// The URL that the browser is sent to (OpenID Connect Core 1.0, section 3.1.2.1).
pub(super) async fn location(
    app: &App,
    base: &str,
    account: AccountId,
    name: &str,
    pending: &PendingSignIn,
    now: Timestamp,
) -> Result<String, ConsoleError> {
    let provider = app.identity.oidc_provider(account, name).await?;
    let provider = provider.ok_or_else(no_provider)?;
    let console = settings(&provider)?;
    let endpoints = app
        .issuer_endpoints
        .endpoints(&app.outbound, &provider, now);
    let endpoints = endpoints.await.ok_or_else(provider_unavailable)?;
    let mut scope = "openid".to_owned();
    for name in &console.scopes {
        scope.push(' ');
        scope.push_str(name);
    }
    let parameters = [
        ("response_type", "code"),
        ("client_id", &console.client_id),
        ("redirect_uri", &redirect_uri(base, &provider.arn)),
        ("scope", &scope),
        ("state", pending.state()),
        ("nonce", pending.nonce()),
        ("code_challenge", &pending.challenge()),
        ("code_challenge_method", "S256"),
    ];
    let mut url = endpoints.authorization;
    let mut separator = if url.contains('?') { '&' } else { '?' };
    for (name, value) in parameters {
        url.push(separator);
        url.push_str(name);
        url.push('=');
        url.push_str(&percent::encode(value));
        separator = '&';
    }
    Ok(url)
}

/// Redeems the code of an answer. The ID token is not verified yet.
pub(super) async fn redeem(
    app: &App,
    base: &str,
    head: &Head,
    pending: &PendingSignIn,
    answer: &Answer,
) -> Result<Secret<String>, ConsoleError> {
    let provider = provider_of(app, pending.account, &pending.provider_arn).await?;
    let console = settings(&provider)?;
    let endpoints = app
        .issuer_endpoints
        .endpoints(&app.outbound, &provider, head.now);
    let endpoints = endpoints.await.ok_or_else(provider_unavailable)?;
    // Mix-up: the answer of another issuer is not redeemed (RFC 9207, section 2.4).
    let is_of_issuer = match &answer.issuer {
        Some(issuer) => *issuer == provider.issuer(),
        None => !endpoints.names_issuer,
    };
    if !is_of_issuer {
        return Err(invalid_answer(
            "The answer is of another identity provider.",
        ));
    }
    let code = match (&answer.code, &answer.error) {
        (Some(code), None) => code,
        // What the provider says may be anybody's words; they stay in its own pages.
        _ => {
            let message = "The identity provider did not sign you in.";
            return Err(invalid_answer(message));
        }
    };
    let grant = Grant {
        code,
        redirect_uri: &redirect_uri(base, &provider.arn),
        verifier: &pending.verifier,
    };
    let redeemed = app.outbound.redeem(&provider, console, &endpoints, &grant);
    redeemed.await.map_err(|error| {
        let cause = chain(&error);
        let request_id = &*head.request_id;
        tracing::warn!(
            request_id,
            provider = provider.arn,
            cause,
            "a code is not redeemed"
        );
        match error {
            OutboundError::Status { status, .. } if status.is_client_error() => {
                invalid_answer("The identity provider did not accept the sign-in's code.")
            }
            _ => provider_unavailable(),
        }
    })
}

/// Verifies an ID token.
pub(super) async fn verify(
    app: &App,
    head: &Head,
    of: &ProviderOf<'_>,
    text: &str,
) -> Result<Token, ConsoleError> {
    let provider = provider_of(app, of.account, of.arn).await?;
    let console = settings(&provider)?;
    let turn = app.admission.turn(&head.party).await;
    let token = Presented::parse(text).map_err(refused)?;
    drop(turn);
    let keys = app
        .issuer_keys
        .keys(&app.outbound, &provider, &token, head.now);
    let keys = keys.await.map_err(refused)?;
    let turn = app.admission.turn(&head.party).await;
    let verified = token.verify_for_any_role(&provider, &keys, head.now);
    let verified = verified.map_err(refused)?;
    drop(turn);
    if verified.audience() != console.client_id {
        return Err(invalid_answer("The token is for another client."));
    }
    Ok(Token {
        text: Secret::new(text.to_owned()),
        provider,
        verified,
    })
}

impl Token {
    /// Refuses a token that was not made for this sign-in (OpenID Connect Core 1.0, section 3.1.3.7).
    pub(super) fn check(&self, pending: &PendingSignIn) -> Result<(), ConsoleError> {
        let nonce = self.verified.claims().other("nonce").ok().flatten();
        match nonce.is_some_and(|nonce| pending.has_nonce(&nonce)) {
            true => Ok(()),
            false => Err(no_sign_in()),
        }
    }

    fn request(&self, role_arn: &str, seconds: Option<i32>) -> AssumeRoleWithWebIdentityRequest {
        AssumeRoleWithWebIdentityRequest {
            role_arn: role_arn.to_owned(),
            role_session_name: identity::session_name(self.verified.claims()),
            web_identity_token: self.text.clone(),
            duration_seconds: seconds,
            ..AssumeRoleWithWebIdentityRequest::default()
        }
    }

    /// The roles of the account whose trust policies let the token's identity in.
    pub(super) async fn roles(&self, app: &App, head: &Head) -> Result<Vec<String>, ConsoleError> {
        let account = self.provider.account;
        let named =
            app.identity
                .roles_naming_provider(account, &self.provider.arn, SIGN_IN_ROLES_MAX);
        let mut roles = Vec::new();
        for role in named.await? {
            // The token may be for some roles alone.
            let Ok(identity) = self.verified.for_role(&role) else {
                continue;
            };
            let context = RequestContext {
                account,
                caller: Arc::new(identity::web_identity_caller(account, identity)),
                region: app.names.default.region.clone(),
                now: head.now,
                request_id: Arc::clone(&head.request_id),
                client: head.client.clone(),
            };
            let seconds = session_seconds(app, &role).await?;
            let request = self.request(&role, seconds);
            let turn = app.admission.turn(&head.party).await;
            let may = may_assume_with_web_identity(app, &context, &request).await?;
            drop(turn);
            if may {
                roles.push(role);
            }
        }
        Ok(roles)
    }

    /// Assumes a role.
    pub(super) async fn assume(
        self,
        app: &Arc<App>,
        head: &Head,
        role_arn: &str,
    ) -> Result<Assumed, ConsoleError> {
        let identity = self.verified.for_role(role_arn).map_err(refused)?;
        let caller = Arc::new(identity::web_identity_caller(
            self.provider.account,
            identity,
        ));
        let seconds = session_seconds(app, role_arn).await?;
        let request = self.request(role_arn, seconds);
        let assumed = perform::<sts::ops::AssumeRoleWithWebIdentity>(app, head, &caller, &request);
        let credentials = assumed.await?.credentials;
        let token = credentials.map(|credentials| credentials.session_token);
        let token = token.ok_or_else(|| ApiError::internal("a role without credentials"))?;
        Ok(Assumed {
            session_token: token,
            provider_id: self.provider.unique_id,
        })
    }
}

/// The session lasts as long as the role allows, as after a switch of the role.
async fn session_seconds(app: &App, role_arn: &str) -> Result<Option<i32>, ConsoleError> {
    let max = app.identity.role_max_session(role_arn).await?;
    Ok(Some(max.unwrap_or(SESSION_SECONDS_DEFAULT)))
}
