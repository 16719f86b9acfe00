//! `GetSessionToken` and `GetFederationToken`: temporary credentials from long-term ones.

use aws_api::CommonError;
use aws_api::sts::{
    FederatedUser, GetFederationTokenRequest, GetFederationTokenResponse, GetSessionTokenRequest,
    GetSessionTokenResponse,
};

use super::SESSION_SECONDS_MIN;
use super::assume_role::session_tags;
use crate::session::Who;
use crate::{Authorized, CallerKind, Error, Identity};

/// `DurationSeconds` where a request names none: 12 hours.
const SECONDS_DEFAULT: i64 = 43_200;
/// The longest session of a user: 36 hours.
const SECONDS_MAX: i64 = 129_600;
/// The longest session of a root user, whose requests for more get this: one hour.
const ROOT_SECONDS_MAX: i64 = 3_600;

impl Identity {
    /// `GetSessionToken`: the caller's own permissions, for a while.
    ///
    /// # Errors
    /// `AccessDenied` with temporary credentials, and for a code of an MFA device that does not count.
    pub async fn get_session_token(
        &self,
        cx: &Authorized,
        input: GetSessionTokenRequest,
    ) -> Result<GetSessionTokenResponse, Error> {
        let who = match issuer(cx, "GetSessionToken")? {
            None => Who::Root,
            Some(id) => Who::User(id),
        };
        let seconds = duration(cx, input.duration_seconds)?;
        let mut session = self.new_session(cx, cx.account, who, seconds)?;
        let token_code = input.token_code.as_ref().map(|code| code.expose().as_str());
        if input.serial_number.is_some() || token_code.is_some() {
            self.verify_mfa(cx, input.serial_number.as_deref(), token_code)
                .await?;
            session.set_mfa_at(cx.now);
        }
        let issued = self.issue(&mut session, input.minimum_session_token_size)?;
        Ok(GetSessionTokenResponse {
            credentials: Some(issued.credentials),
            session_token_size: Some(issued.token_size),
            session_token_utilization: Some(issued.token_utilization),
        })
    }

    /// `GetFederationToken`: a named session with what both the caller's policies and the
    /// session policies allow.
    ///
    /// # Errors
    /// `AccessDenied` with temporary credentials, `ValidationError` for tags,
    /// `MalformedPolicyDocument`, `PackedPolicyTooLarge`.
    pub async fn get_federation_token(
        &self,
        cx: &Authorized,
        input: GetFederationTokenRequest,
    ) -> Result<GetFederationTokenResponse, Error> {
        let issuer = issuer(cx, "GetFederationToken")?;
        let seconds = duration(cx, input.duration_seconds)?;
        let (account, name) = (cx.account, input.name);
        let who = Who::Federated(issuer, name.clone());
        let mut session = self.new_session(cx, account, who, seconds)?;
        session.tags = session_tags(cx, input.tags, None)?;
        let mut read = self.0.store.snapshot().await?;
        let (policy, arns) = (input.policy, input.policy_arns);
        self.add_policies(&mut read.conn(), &mut session, policy, arns)
            .await?;
        let issued = self.issue(&mut session, input.minimum_session_token_size)?;
        Ok(GetFederationTokenResponse {
            credentials: Some(issued.credentials),
            federated_user: Some(FederatedUser {
                federated_user_id: format!("{account}:{name}"),
                arn: format!("arn:aws:sts::{account}:federated-user/{name}"),
            }),
            // Zero is told here, and nothing by AssumeRole: so AWS does.
            packed_policy_size: Some(issued.packed_policy_size.unwrap_or(0)),
            session_token_size: Some(issued.token_size),
            session_token_utilization: Some(issued.token_utilization),
        })
    }
}

/// The unique id of the calling user, none for root; long-term credentials only.
fn issuer(cx: &Authorized, operation: &str) -> Result<Option<String>, Error> {
    let temporary = cx.caller.session_info.is_some();
    match &cx.caller.kind {
        CallerKind::Root if !temporary => Ok(None),
        CallerKind::User { .. } if !temporary => Ok(Some(cx.caller.user_id.to_string())),
        _ => Err(Error::new(
            CommonError::AccessDenied,
            format!("Cannot call {operation} with session credentials"),
        )),
    }
}

fn duration(cx: &Authorized, wanted: Option<i32>) -> Result<i64, Error> {
    let seconds = wanted.map_or(SECONDS_DEFAULT, i64::from);
    if !(SESSION_SECONDS_MIN..=SECONDS_MAX).contains(&seconds) {
        return Err(Error::new(
            CommonError::Validation,
            format!("DurationSeconds must be between {SESSION_SECONDS_MIN} and {SECONDS_MAX}."),
        ));
    }
    Ok(match cx.caller.kind {
        CallerKind::Root => seconds.min(ROOT_SECONDS_MAX),
        _ => seconds,
    })
}
