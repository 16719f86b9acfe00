//! STS's operations.

mod assume_role;
mod assume_root;
mod caller_identity;
mod delegated_access;
mod proved_claims;
mod saml;
mod scoped_credentials;
mod session_tokens;
mod web_identity;

pub use proved_claims::{ProvedClaims, proved_claims};
pub use saml::{SamlEndpoints, SamlIdentity, VerifiedAssertion, saml_caller};
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

/// The longest session token: it travels in a header of each request. AWS does not tell its own.
const SESSION_TOKEN_BYTES_MAX: usize = 12 * 1024;
/// The longest session of a role that a role session assumed.
pub(crate) const CHAINED_SECONDS_MAX: i64 = 3600;
/// The shortest session.
pub(crate) const SESSION_SECONDS_MIN: i64 = 900;

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
        let issued = self.issue(&mut session.clone(), None)?;
        Ok((issued.credentials, issued.packed_policy_size))
    }

    /// The credentials of a session, with how much room it takes.
    fn issue(&self, session: &mut Session, minimum_size: Option<i32>) -> Result<Issued, Error> {
        let percent_of = |bytes: usize, max: usize| (bytes * 100).div_ceil(max);
        let tags = percent_of(session.tag_bytes(), PACKED_BYTES_MAX);
        if tags > 100 {
            return Err(Error::new(
                ErrorCode::PackedPolicyTooLarge,
                format!("Packed size of session tags consumes {tags}% of allotted space."),
            ));
        }
        let packed = session.packed_bytes();
        let packed = packed.map(|bytes| percent_of(bytes, PACKED_BYTES_MAX));
        if let Some(percent) = packed.filter(|percent| *percent > 100) {
            return Err(Error::new(
                ErrorCode::PackedPolicyTooLarge,
                format!(
                    "Packed policy consumes {percent}% of allotted space, please use smaller policy."
                ),
            ));
        }
        let minimum = minimum_size.and_then(|size| usize::try_from(size).ok());
        let token = session.seal_padded(&self.0.sealer, minimum.unwrap_or(0))?;
        let size = token.len();
        if size > SESSION_TOKEN_BYTES_MAX {
            return Err(Error::new(
                ErrorCode::PackedPolicyTooLarge,
                format!(
                    "The session token has {size} bytes and exceeds the maximum of \
                     {SESSION_TOKEN_BYTES_MAX} bytes."
                ),
            ));
        }
        let small = |number: usize| i32::try_from(number).map_err(Error::internal);
        Ok(Issued {
            credentials: Credentials {
                access_key_id: session.access_key_id.clone(),
                secret_access_key: Secret::new(session.secret.clone()),
                session_token: Secret::new(token),
                expiration: session.expires_at(),
            },
            packed_policy_size: packed.map(small).transpose()?,
            token_size: small(size)?,
            token_utilization: small(percent_of(size, SESSION_TOKEN_BYTES_MAX))?,
        })
    }
}

/// Credentials of a session that was made.
struct Issued {
    credentials: Credentials,
    /// `PackedPolicySize`: of policies and tags, none where there are none. The model calls it deprecated
    /// and says that it is the token's; what is recorded from AWS is about policies and tags.
    packed_policy_size: Option<i32>,
    /// `SessionTokenSize`, in bytes.
    token_size: i32,
    /// `SessionTokenUtilization`: percent of the longest token.
    token_utilization: i32,
}

pub(crate) fn whole_second(at: Timestamp) -> Result<Timestamp, Error> {
    Timestamp::from_second(at.as_second()).map_err(Error::internal)
}
