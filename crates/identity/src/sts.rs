//! STS's operations.

mod assume_role;
mod caller_identity;
mod session_tokens;
mod web_identity;

pub use web_identity::web_identity_caller;

use aws_api::Secret;
use aws_api::sts::Credentials;
use aws_api::sts::ErrorCode;
use jiff::{SignedDuration, Timestamp};

use crate::ids::{KeyKind, access_key_id, secret_access_key};
use crate::session::{PACKED_BYTES_MAX, Session, Who};
use crate::{Authorized, Error, Identity};
use aws_types::AccountId;
use aws_types::draw;

/// The shortest session.
const SESSION_SECONDS_MIN: i64 = 900;

impl Identity {
    /// A session that begins now.
    pub(crate) fn new_session(
        &self,
        cx: &Authorized,
        account: AccountId,
        who: Who,
        seconds: i64,
    ) -> Result<Session, Error> {
        let entropy = &*self.0.entropy;
        // AWS tells whole seconds; what it tells must be what holds.
        let issued_at = whole_second(cx.now)?;
        let expires_at = issued_at
            .saturating_add(SignedDuration::from_secs(seconds))
            .map_err(Error::internal)?;
        Ok(Session::new(
            u128::from_be_bytes(draw(entropy)?),
            access_key_id(KeyKind::Temporary, account, entropy)?,
            &secret_access_key(entropy)?,
            account,
            who,
            issued_at,
            expires_at,
        ))
    }

    /// The credentials of a session, and how much of the packed limit it uses, in percent.
    pub(crate) fn credentials(
        &self,
        session: &Session,
    ) -> Result<(Credentials, Option<i32>), Error> {
        let percent_of = |bytes: usize| (bytes * 100).div_ceil(PACKED_BYTES_MAX);
        let tags = percent_of(session.tag_bytes());
        if tags > 100 {
            return Err(Error::new(
                ErrorCode::PackedPolicyTooLarge,
                format!("Packed size of session tags consumes {tags}% of allotted space."),
            ));
        }
        let percent = session.packed_bytes().map(percent_of);
        if let Some(percent) = percent.filter(|percent| *percent > 100) {
            return Err(Error::new(
                ErrorCode::PackedPolicyTooLarge,
                format!(
                    "Packed policy consumes {percent}% of allotted space, please use smaller policy."
                ),
            ));
        }
        let credentials = Credentials {
            access_key_id: session.access_key_id.clone(),
            secret_access_key: Secret::new(session.secret.clone()),
            session_token: Secret::new(session.seal(&self.0.sealer)?),
            expiration: session.expires_at(),
        };
        Ok((
            credentials,
            percent.and_then(|percent| i32::try_from(percent).ok()),
        ))
    }
}

fn whole_second(at: Timestamp) -> Result<Timestamp, Error> {
    Timestamp::from_second(at.as_second()).map_err(Error::internal)
}
