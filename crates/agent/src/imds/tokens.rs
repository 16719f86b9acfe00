//! Session tokens of the metadata service. They are authenticated and not stored, so their number needs no
//! bound; a restart of the agent ends them all, and clients ask for new ones.

use aws_lc_rs::hmac;
use aws_types::{Entropy, draw};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::{Error, Result};

/// The longest life of a token, in seconds: six hours.
pub const TTL_SECONDS_MAX: u32 = 21_600;

/// Expiry, user, and the tag over both.
const TOKEN_BYTES: usize = 8 + 4 + 32;

/// Makes and checks tokens.
pub struct Tokens(hmac::Key);

impl Tokens {
    /// With a fresh key.
    ///
    /// # Errors
    /// The random source failed.
    pub fn new(entropy: &dyn Entropy) -> Result<Tokens> {
        let key = Zeroizing::new(draw::<32>(entropy).map_err(Error::internal)?);
        Ok(Tokens(hmac::Key::new(hmac::HMAC_SHA256, &*key)))
    }

    /// A token for this user.
    #[must_use]
    pub fn issue(&self, uid: u32, ttl_seconds: u32, now: Timestamp) -> String {
        let expires_at = now.as_second().saturating_add(i64::from(ttl_seconds));
        let mut bytes = Vec::with_capacity(TOKEN_BYTES);
        bytes.extend(expires_at.to_be_bytes());
        bytes.extend(uid.to_be_bytes());
        let tag = hmac::sign(&self.0, &bytes);
        bytes.extend(tag.as_ref());
        URL_SAFE.encode(bytes)
    }

    /// The seconds that a token is good for yet; `None` for one that is over, another user's, or none of
    /// ours.
    #[must_use]
    pub fn seconds_left(&self, token: &str, uid: u32, now: Timestamp) -> Option<u32> {
        // Longer ones are not decoded.
        if token.len() != TOKEN_BYTES.div_ceil(3) * 4 {
            return None;
        }
        let bytes = URL_SAFE.decode(token).ok()?;
        let (body, tag) = bytes.split_at_checked(12)?;
        // Compares in constant time.
        hmac::verify(&self.0, body, tag).ok()?;
        let (expires_at, of) = body.split_at_checked(8)?;
        let expires_at = i64::from_be_bytes(expires_at.try_into().ok()?);
        if u32::from_be_bytes(of.try_into().ok()?) != uid {
            return None;
        }
        let left = expires_at.checked_sub(now.as_second())?;
        u32::try_from(left).ok().filter(|left| *left > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_types::SystemEntropy;
    use proptest::prelude::*;

    #[test]
    fn a_token_is_one_users_for_its_time() {
        let tokens = Tokens::new(&SystemEntropy).unwrap();
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let token = tokens.issue(1000, 60, at(0));
        assert_eq!(tokens.seconds_left(&token, 1000, at(0)), Some(60));
        assert_eq!(tokens.seconds_left(&token, 1000, at(59)), Some(1));
        assert_eq!(tokens.seconds_left(&token, 1000, at(60)), None);
        assert_eq!(tokens.seconds_left(&token, 0, at(0)), None);
        let others = Tokens::new(&SystemEntropy).unwrap();
        assert_eq!(others.seconds_left(&token, 1000, at(0)), None);
    }

    proptest! {
        #[test]
        fn a_changed_token_is_refused(at in 0..60_usize, text in "\\PC{0,80}") {
            let tokens = Tokens::new(&SystemEntropy).unwrap();
            let now = Timestamp::UNIX_EPOCH;
            let mut token = tokens.issue(0, 60, now).into_bytes();
            token[at % 59] = if token[at % 59] == b'A' { b'B' } else { b'A' };
            // The last digit's low bits do not count in base 64, and are refused where they are set.
            let changed = String::from_utf8(token).unwrap();
            prop_assert_eq!(tokens.seconds_left(&changed, 0, now), None);
            prop_assert_eq!(tokens.seconds_left(&text, 0, now), None);
        }
    }
}
