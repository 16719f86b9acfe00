//! `GetScopedCredentials`: less than what a session has, and no longer.

use aws_api::CommonError;
use aws_api::sts::{
    ErrorCode, GetScopedCredentialsRequest, GetScopedCredentialsResponse, ScopedSession,
};
use aws_types::draw;
use jiff::SignedDuration;
use policy::{Document, DocumentKind};

use super::whole_second;
use crate::caller::{RefKind, credential};
use crate::ids::{KeyKind, access_key_id, secret_access_key};
use crate::session::minify;
use crate::{Authorized, Error, Identity};

/// Policies that may narrow a session one after the other (the model, `ScopedPoliciesCount`).
const LAYERS_MAX: usize = 3;

impl Identity {
    /// `GetScopedCredentials`. The principal, its tags, its source identity and the time of issue stay.
    ///
    /// # Errors
    /// `InvalidSubjectCredentials` for long-term credentials; `ValidationError` without policy and
    /// duration; `InsufficientSessionLifetime`; `AccessDenied` for a fourth policy;
    /// `MalformedPolicyDocument`, `PackedPolicyTooLarge`.
    pub async fn get_scoped_credentials(
        &self,
        cx: &Authorized,
        input: GetScopedCredentialsRequest,
    ) -> Result<GetScopedCredentialsResponse, Error> {
        let credential = credential(&cx.caller)?;
        let RefKind::Session(calling) = &*credential.0 else {
            return Err(Error::new(
                ErrorCode::InvalidSubjectCredentials,
                "GetScopedCredentials can only be called with temporary security credentials.",
            ));
        };
        if input.policy.is_none() && input.duration_seconds.is_none() {
            return Err(Error::new(
                CommonError::Validation,
                "At least one of Policy and DurationSeconds must be specified.",
            ));
        }
        let entropy = &*self.0.entropy;
        let mut session = calling.with_credentials(
            u128::from_be_bytes(draw(entropy)?),
            access_key_id(KeyKind::Temporary, calling.account()?, entropy)?,
            &secret_access_key(entropy)?,
        );
        if let Some(seconds) = input.duration_seconds {
            let end = whole_second(cx.now)?
                .saturating_add(SignedDuration::from_secs(i64::from(seconds)))
                .map_err(Error::internal)?;
            if end > calling.expires_at() {
                return Err(Error::new(
                    ErrorCode::InsufficientSessionLifetime,
                    "The requested DurationSeconds is greater than the remaining lifetime of the calling \
                     session.",
                ));
            }
            session = session.lasting_until(end);
        }
        if let Some(text) = input.policy {
            if session.scope_downs.len() >= LAYERS_MAX {
                return Err(Error::new(
                    CommonError::AccessDenied,
                    format!("A session can have up to {LAYERS_MAX} scope-down policies."),
                ));
            }
            Document::parse(&text, DocumentKind::Session)?;
            session.scope_downs.push(minify(&text));
        }
        let issued = self.issue(&mut session, input.minimum_session_token_size)?;
        let layers = i32::try_from(session.scope_downs.len()).map_err(Error::internal)?;
        Ok(GetScopedCredentialsResponse {
            credentials: Some(issued.credentials),
            session_info: Some(ScopedSession {
                scoped_session_id: cx.caller.user_id.to_string(),
                arn: cx.caller.arn.to_string(),
            }),
            session_token_utilization: Some(issued.token_utilization),
            session_token_size: Some(issued.token_size),
            scoped_policies_count: Some(layers),
            source_identity: session.source_identity.clone(),
        })
    }
}
