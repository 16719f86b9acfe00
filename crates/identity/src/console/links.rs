//! One-time links, which sign the root user in: made by who can read the master key.

use aws_api::Secret;
use aws_lc_rs::digest::{SHA256, digest};
use aws_types::{AccountId, draw};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use store::{Conn, console};

use crate::{Error, Identity};

/// How long a link can be used.
pub(crate) const LINK_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// The bytes of a secret that is compared by its hash: too many to be guessed, so a plain hash keeps it.
const SECRET_BYTES: usize = 32;

/// A random secret as text of letters, digits, `-` and `_`, and its hash.
pub(super) fn new_secret(identity: &Identity) -> Result<(Secret<String>, Vec<u8>), Error> {
    let secret = URL_SAFE_NO_PAD.encode(draw::<SECRET_BYTES>(&*identity.0.entropy)?);
    let hash = hash(&secret);
    Ok((Secret::new(secret), hash))
}

/// The hash that a secret is found by. A look-up by hash takes no time that depends on the secret.
pub(super) fn hash(secret: &str) -> Vec<u8> {
    digest(&SHA256, secret.as_bytes()).as_ref().to_vec()
}

impl Identity {
    /// Makes a link for the account's root user; earlier ones are good no more.
    pub(crate) async fn new_link(
        &self,
        conn: &mut Conn<'_>,
        account: AccountId,
        now: Timestamp,
    ) -> Result<Secret<String>, Error> {
        let (token, hash) = new_secret(self)?;
        let ends = now.saturating_add(LINK_LIFETIME).map_err(Error::internal)?;
        console::set_link(conn, account.as_str(), &hash, ends.as_millisecond()).await?;
        Ok(token)
    }
}
