//! Finds the caller of `AssumeRoleWithWebIdentity` by its token.
//!
//! Anybody may call the operation. A token costs a look-up of its provider, and only one that names a
//! registered provider and one of its keys costs a verification. Both are done with a turn of
//! [`Admission`](crate::admission::Admission), which addresses get equally; keys are fetched without one, and
//! only for registered providers, at a bounded rate ([`KeyCache`](identity::federation::oidc::KeyCache)).

use std::sync::Arc;

use aws_api::{CommonError, sts};
use aws_types::{AccountId, Arn};
use identity::Caller;
use identity::federation::oidc::Presented;

use crate::app::App;
use crate::error::ApiError;
use crate::head::Head;

pub(crate) async fn caller(
    app: &App,
    head: &Head,
    input: &sts::AssumeRoleWithWebIdentityRequest,
) -> Result<Arc<Caller>, ApiError> {
    let account = account_of(&input.role_arn)?;
    let turn = app.admission.turn(&head.party).await;
    let token = Presented::parse(input.web_identity_token.expose())?;
    // O12: the provider is one of the role's account. Its ARN follows from the token's issuer.
    let provider = match token.provider_name() {
        Some(name) => app.identity.oidc_provider(account, name).await?,
        None => None,
    };
    let provider = provider.ok_or_else(|| token.no_provider())?;
    drop(turn);
    let keys = app
        .issuer_keys
        .keys(&app.outbound, &provider, &token, head.now);
    let keys = keys.await?;
    let turn = app.admission.turn(&head.party).await;
    let verified = token.verify(&provider, &keys, &input.role_arn, head.now)?;
    drop(turn);
    let caller = identity::web_identity_caller(account, verified);
    Ok(Arc::new(caller))
}

/// The account of a role's ARN. The message is recorded (aws-actions/configure-aws-credentials#271).
fn account_of(role_arn: &str) -> Result<AccountId, ApiError> {
    let parsed = role_arn.parse::<Arn>().ok().and_then(|arn| {
        let is_role = arn.service() == "iam" && arn.resource().starts_with("role/");
        arn.account().parse().ok().filter(|_| is_role)
    });
    parsed.ok_or_else(|| {
        let message = "Request ARN is invalid".to_owned();
        ApiError::Common(CommonError::Validation, message)
    })
}
