//! Sign-in by SAML 2.0: the Web Browser SSO profile (SAML 2.0 Profiles, section 4.1), with a request by the
//! HTTP-Redirect binding and a response by HTTP-POST. The response is verified by the code of `AssumeRoleWithSAML`.

use std::sync::Arc;

use aws_api::Secret;
use aws_api::sts::{self, AssumeRoleWithSAMLRequest};
use identity::federation::consumer_url;
use identity::{PendingSignIn, SamlEndpoints, VerifiedAssertion};
use jiff::Timestamp;
use saml::AuthnRequest;

use super::session::{Assumed, no_provider, no_sign_in, refused};
use crate::app::App;
use crate::console::answers::ConsoleError;
use crate::console::perform::perform;
use crate::error::ApiError;
use crate::head::Head;

/// A verified response.
pub(super) struct Response {
    provider_arn: String,
    provider_id: String,
    verified: VerifiedAssertion,
    encoded: Secret<String>,
}

/// The URL that the browser is sent to.
pub(super) async fn location(
    app: &App,
    base: &str,
    pending: &PendingSignIn,
    now: Timestamp,
) -> Result<String, ConsoleError> {
    let provider = app.identity.saml_provider(&pending.provider_arn).await?;
    let provider = provider.ok_or_else(no_provider)?;
    let sign_on_url = provider.console_sign_on_url().ok_or_else(no_provider)?;
    let consumer_url = consumer_url(base);
    let request = AuthnRequest {
        id: &pending.request_id(),
        issuer: &consumer_url,
        sign_on_url,
        consumer_url: &consumer_url,
        issued: now,
    };
    Ok(request.redirect_url(pending.state()))
}

/// Verifies a response in base64.
pub(super) async fn verify(
    app: &App,
    head: &Head,
    provider_arn: &str,
    encoded: &str,
) -> Result<Response, ConsoleError> {
    let turn = app.admission.turn(&head.party).await;
    let provider = app.identity.saml_provider(provider_arn).await?;
    let provider = provider.ok_or_else(no_provider)?;
    if provider.console_sign_on_url().is_none() {
        return Err(no_provider());
    }
    let endpoints = SamlEndpoints {
        own: consumer_url(&app.names.console_origin()),
        is_console: true,
    };
    let verified = provider.verify(encoded, &endpoints, head.now);
    let verified = verified.map_err(refused)?;
    drop(turn);
    Ok(Response {
        provider_arn: provider.arn().to_owned(),
        provider_id: provider.unique_id().to_owned(),
        verified,
        encoded: Secret::new(encoded.to_owned()),
    })
}

impl Response {
    /// Refuses an assertion that does not answer this sign-in's request (SAML 2.0 Profiles, section 4.1.4.3).
    pub(super) fn check(&self, pending: &PendingSignIn) -> Result<(), ConsoleError> {
        match self.verified.in_response_to() == Some(&pending.request_id()) {
            true => Ok(()),
            false => Err(no_sign_in()),
        }
    }

    /// The roles that the assertion lists.
    pub(super) fn roles(&self) -> Vec<String> {
        self.verified.roles()
    }

    /// Assumes a role. The session lasts an hour, or as long as `SessionDuration` of the assertion says (IAM User
    /// Guide, "Configure SAML assertions for the authentication response").
    pub(super) async fn assume(
        self,
        app: &Arc<App>,
        head: &Head,
        role_arn: &str,
    ) -> Result<Assumed, ConsoleError> {
        let seconds = self.verified.session_seconds();
        let seconds = seconds.and_then(|seconds| i32::try_from(seconds).ok());
        let identity = self.verified.for_role(role_arn).map_err(refused)?;
        let caller = Arc::new(identity::saml_caller(identity, head.now));
        let request = AssumeRoleWithSAMLRequest {
            role_arn: role_arn.to_owned(),
            principal_arn: self.provider_arn,
            saml_assertion: self.encoded,
            duration_seconds: seconds,
            ..AssumeRoleWithSAMLRequest::default()
        };
        let assumed = perform::<sts::ops::AssumeRoleWithSAML>(app, head, &caller, &request).await?;
        let token = assumed
            .credentials
            .map(|credentials| credentials.session_token);
        let token = token.ok_or_else(|| ApiError::internal("a role without credentials"))?;
        Ok(Assumed {
            session_token: token,
            provider_id: self.provider_id,
        })
    }
}
