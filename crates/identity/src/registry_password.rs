//! Passwords for `docker login`.
//!
//! A password is valid for 12 hours (ECR API Reference, GetAuthorizationToken), also when
//! the session that asked for it ends sooner, as on AWS: a job assumes a role for an hour
//! and may push for longer. One that a session of the web console asked for ends with that session. It points at the principal and holds no permission; each use
//! looks that up again, so it ends at once when the key, the user or the role does, and a
//! policy with `aws:TokenIssueTime` revokes it like the session itself.

use std::sync::Arc;

use aws_api::Secret;
use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use crate::caller::{RefKind, credential};
use crate::session::Session;
use crate::{AuthError, Caller, Error, Identity, PrincipalRef};

/// How long a password lasts.
pub(crate) const PASSWORD_LIFETIME: SignedDuration = SignedDuration::from_hours(12);

/// What passwords are sealed for.
const REGISTRY_PASSWORD: &str = "registry-password";

/// The first byte of the payload: what follows it.
const ACCESS_KEY: u8 = b'k';
const SESSION: u8 = b's';

impl Identity {
    /// A password for `docker login`, without a colon, and when it ends.
    ///
    /// # Errors
    /// The random source's.
    pub fn issue_registry_password(
        &self,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<(Secret<String>, Timestamp), Error> {
        let expires_at = now
            .saturating_add(PASSWORD_LIFETIME)
            .map_err(Error::internal)?;
        let (payload, expires_at) = pointer(credential(caller)?, expires_at)?;
        let password = self
            .0
            .sealer
            .seal(REGISTRY_PASSWORD, &payload, expires_at)?;
        Ok((Secret::new(password), expires_at))
    }

    /// The principal that a password was made for. Ask [`Identity::caller`] what it is now.
    ///
    /// # Errors
    /// [`AuthError::ExpiredToken`], and [`AuthError::InvalidClientTokenId`] for what was
    /// not made by [`Identity::issue_registry_password`].
    pub async fn open_registry_password(
        &self,
        password: &str,
        now: Timestamp,
    ) -> Result<PrincipalRef, AuthError> {
        let sealer = &self.0.sealer;
        let (payload, until) = sealer.open_dated(REGISTRY_PASSWORD, password, now).await?;
        Ok(PrincipalRef(Arc::new(principal_of(&payload, until)?)))
    }
}

/// What points at a principal until `expires_at`, or until what it was made with ends.
pub(crate) fn pointer(
    principal: &PrincipalRef,
    mut expires_at: Timestamp,
) -> Result<(Zeroizing<Vec<u8>>, Timestamp), Error> {
    let pointer = match &*principal.0 {
        RefKind::AccessKey { id, .. } => [&[ACCESS_KEY], id.as_bytes()].concat(),
        RefKind::Session(session) => {
            // What was made in the console ends with its session.
            if let Some(console) = &session.console {
                expires_at = expires_at.min(console.ends_at());
            }
            let session = session.without_secret().lasting_until(expires_at);
            [&[SESSION], &session.to_bytes()?[..]].concat()
        }
    };
    Ok((Zeroizing::new(pointer), expires_at))
}

/// The principal that [`pointer`] made bytes of; they were authenticated.
pub(crate) fn principal_of(pointer: &[u8], until: Timestamp) -> Result<RefKind, AuthError> {
    match pointer.split_first() {
        Some((&ACCESS_KEY, id)) => Ok(RefKind::AccessKey {
            id: String::from_utf8(id.to_vec()).map_err(|_| AuthError::InvalidClientTokenId)?,
            until: Some(until),
        }),
        Some((&SESSION, session)) => Ok(RefKind::Session(Session::from_bytes(session)?)),
        _ => Err(AuthError::InvalidClientTokenId),
    }
}
