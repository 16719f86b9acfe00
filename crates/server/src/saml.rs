//! Finds the caller of `AssumeRoleWithSAML` by the assertion.
//!
//! Anybody may call the operation, and an assertion costs a look-up of its provider, a few
//! canonicalizations and RSA verifications. All of it is done with a turn of
//! [`Admission`](crate::admission::Admission), which addresses get equally; the assertion's size is
//! bounded by the model before.

use std::sync::Arc;

use aws_api::sts;
use identity::{Caller, SamlEndpoints};

use crate::app::App;
use crate::error::ApiError;
use crate::head::Head;

/// The path of the server's own endpoint, which assertions may name as recipient and audience.
const PATH: &str = "/saml";

/// The caller of `AssumeRoleWithSAML`.
pub(crate) async fn caller(
    app: &App,
    head: &Head,
    input: &sts::AssumeRoleWithSAMLRequest,
) -> Result<Arc<Caller>, ApiError> {
    let turn = app.admission.turn(&head.party).await;
    let provider = &input.principal_arn;
    let provider = app.identity.saml_provider_of_request(provider).await?;
    let endpoints = SamlEndpoints {
        own: format!("{}{PATH}", app.names.public_url),
        is_console: false,
    };
    let assertion = input.saml_assertion.expose();
    let identity = provider.identify(assertion, &input.role_arn, &endpoints, head.now)?;
    drop(turn);
    Ok(Arc::new(identity::saml_caller(identity, head.now)))
}
