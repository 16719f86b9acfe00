//! The keys that sign an account's identity tokens.
//!
//! A key signs for 30 days. Its successor is published an hour before it signs, so that services which keep
//! the key set for a while know it, and it stays published for two days after its successor was made: no
//! token lives longer than an hour.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use store::iam::outbound_identity::Key;
use zeroize::Zeroizing;

use crate::{Error, Sealer};

/// What the private keys are sealed for.
const PURPOSE: &str = "outbound-identity-key";
/// How long a key signs.
const LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);
/// From its publication to its first signature.
const ANNOUNCED: SignedDuration = SignedDuration::from_hours(1);
/// How long a key is published after its successor was made.
pub(super) const RETIRED: SignedDuration = SignedDuration::from_hours(48);

/// The algorithms (STS API Reference, GetWebIdentityToken, `SigningAlgorithm`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SigningAlgorithm {
    Rs256,
    Es384,
}

impl SigningAlgorithm {
    pub(super) fn name(self) -> &'static str {
        match self {
            SigningAlgorithm::Rs256 => "RS256",
            SigningAlgorithm::Es384 => "ES384",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<SigningAlgorithm> {
        let all = [SigningAlgorithm::Rs256, SigningAlgorithm::Es384];
        all.into_iter().find(|known| known.name() == name)
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn failed(_: impl Sized) -> Error {
    Error::internal("a signing key cannot be made or used")
}

/// Makes a key. An RSA key takes a good part of a second of computing.
pub(super) fn generate(
    algorithm: SigningAlgorithm,
    key_id: String,
    sealer: &Sealer,
    now: Timestamp,
) -> Result<Key, Error> {
    let (private, mut public) = match algorithm {
        SigningAlgorithm::Rs256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
            let private: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
            let public = rsa_jwk(pair.public_key().as_ref()).ok_or_else(|| failed(()))?;
            (Zeroizing::new(private.as_ref().to_vec()), public)
        }
        SigningAlgorithm::Es384 => {
            let signing = &ECDSA_P384_SHA384_FIXED_SIGNING;
            let private =
                EcdsaKeyPair::generate_pkcs8(signing, &SystemRandom::new()).map_err(failed)?;
            let pair = EcdsaKeyPair::from_pkcs8(signing, private.as_ref()).map_err(failed)?;
            // 4, and the two coordinates.
            let point = pair.public_key().as_ref();
            let (x, y) = point[1..].split_at(point.len() / 2);
            let public = json!({"kty": "EC", "crv": "P-384", "x": encode(x), "y": encode(y)});
            (Zeroizing::new(private.as_ref().to_vec()), public)
        }
    };
    public["kid"] = key_id.as_str().into();
    public["use"] = "sig".into();
    public["alg"] = algorithm.name().into();
    Ok(Key {
        algorithm: algorithm.name().to_owned(),
        key_id,
        public_jwk: public.to_string(),
        sealed_key: sealer.seal_bytes(PURPOSE, &private)?,
        created_at: now.as_millisecond(),
    })
}

/// The two numbers of a public key: a sequence of two integers (RFC 8017, A.1.1).
fn rsa_jwk(der: &[u8]) -> Option<serde_json::Value> {
    let (tag, body, _) = element(der)?;
    let (first, modulus, rest) = element(body)?;
    let (second, exponent, _) = element(rest)?;
    if (tag, first, second) != (0x30, 2, 2) {
        return None;
    }
    // DER puts a zero byte before a number whose first bit is set; RFC 7518, 6.3.1.1 has none.
    let number = |bytes: &[u8]| encode(bytes.strip_prefix(&[0]).unwrap_or(bytes));
    Some(json!({"kty": "RSA", "n": number(modulus), "e": number(exponent)}))
}

/// The tag, the content, and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0x82 => {
            let (bytes, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*bytes)), rest)
        }
        0x81 => {
            let (byte, rest) = rest.split_first()?;
            (usize::from(*byte), rest)
        }
        short if *short < 0x80 => (usize::from(*short), rest),
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// The time since a key was made; a clock that was set back makes it new.
fn age(key: &Key, now: Timestamp) -> SignedDuration {
    SignedDuration::from_millis(now.as_millisecond().saturating_sub(key.created_at))
}

/// Of an account's keys, the newest first, the one that signs now.
pub(super) fn signing(keys: &[Key], algorithm: SigningAlgorithm, now: Timestamp) -> Option<&Key> {
    let mut own = keys.iter().filter(|key| key.algorithm == algorithm.name());
    let newest = own.next()?;
    match age(newest, now) >= ANNOUNCED {
        true => Some(newest),
        // The first key of all has nobody to wait for.
        false => Some(own.next().unwrap_or(newest)),
    }
}

/// Whether another key is due.
pub(super) fn needs_successor(keys: &[Key], algorithm: SigningAlgorithm, now: Timestamp) -> bool {
    let newest = keys.iter().find(|key| key.algorithm == algorithm.name());
    newest.is_none_or(|newest| age(newest, now) >= LIFETIME)
}

/// Of an account's keys, the newest first, those that are published.
pub(super) fn published(keys: &[Key], now: Timestamp) -> impl Iterator<Item = &Key> {
    keys.iter().enumerate().filter_map(move |(at, key)| {
        let mut newer = keys[..at].iter().rev();
        let successor = newer.find(|other| other.algorithm == key.algorithm);
        successor
            .is_none_or(|successor| age(successor, now) < RETIRED)
            .then_some(key)
    })
}

/// Signs claims under a key.
pub(super) async fn sign(
    key: &Key,
    algorithm: SigningAlgorithm,
    claims: &serde_json::Value,
    sealer: &Sealer,
) -> Result<String, Error> {
    let private = sealer.open_bytes(PURPOSE, &key.sealed_key).await;
    let private = private.map_err(Error::internal)?;
    let header = json!({"alg": algorithm.name(), "kid": key.key_id, "typ": "JWT"});
    let part = |value: &serde_json::Value| encode(value.to_string().as_bytes());
    let message = format!("{}.{}", part(&header), part(claims));
    let random = SystemRandom::new();
    let signature = match algorithm {
        SigningAlgorithm::Rs256 => {
            let pair = RsaKeyPair::from_pkcs8(&private).map_err(failed)?;
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(
                &RSA_PKCS1_SHA256,
                &random,
                message.as_bytes(),
                &mut signature,
            )
            .map_err(failed)?;
            signature
        }
        SigningAlgorithm::Es384 => {
            let signing = &ECDSA_P384_SHA384_FIXED_SIGNING;
            let pair = EcdsaKeyPair::from_pkcs8(signing, &private).map_err(failed)?;
            let signature = pair.sign(&random, message.as_bytes()).map_err(failed)?;
            signature.as_ref().to_vec()
        }
    };
    Ok(format!("{message}.{}", encode(&signature)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(algorithm: &str, hours_ago: i64) -> Key {
        Key {
            algorithm: algorithm.to_owned(),
            key_id: format!("{algorithm} {hours_ago}"),
            public_jwk: String::new(),
            sealed_key: Vec::new(),
            created_at: now().as_millisecond() - hours_ago * 3_600_000,
        }
    }

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    /// C9: a key is published before it signs and after it has signed.
    #[test]
    fn keys_are_rotated() {
        let rs256 = SigningAlgorithm::Rs256;
        for (ages, signs, due, shown) in [
            (vec![], None, true, vec![]),
            (vec![0], Some(0), false, vec![0]),
            (vec![719], Some(719), false, vec![719]),
            (vec![720], Some(720), true, vec![720]),
            (vec![0, 720], Some(720), false, vec![0, 720]),
            (vec![1, 721], Some(1), false, vec![1, 721]),
            (vec![47, 767], Some(47), false, vec![47, 767]),
            (vec![48, 768], Some(48), false, vec![48]),
        ] {
            let mut keys: Vec<Key> = ages.iter().map(|hours| key("RS256", *hours)).collect();
            // Keys of the other algorithm change nothing.
            keys.insert(0, key("ES384", 5));
            let named = |hours: i64| format!("RS256 {hours}");
            let found = signing(&keys, rs256, now()).map(|key| key.key_id.clone());
            assert_eq!(found, signs.map(named), "{ages:?}");
            assert_eq!(needs_successor(&keys, rs256, now()), due, "{ages:?}");
            let found = published(&keys, now()).filter(|key| key.algorithm == "RS256");
            let found: Vec<String> = found.map(|key| key.key_id.clone()).collect();
            assert_eq!(
                found,
                shown.into_iter().map(named).collect::<Vec<_>>(),
                "{ages:?}"
            );
        }
    }
}
