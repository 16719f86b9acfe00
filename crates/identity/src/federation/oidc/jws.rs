//! JSON Web Signatures in their compact form (RFC 7515), as far as an ID token needs them.
//!
//! The crate `jsonwebtoken` has no ES512, which AWS accepts, so this reads the form itself; the
//! signatures are aws-lc's.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::unique_json;

/// The longest token, in bytes (STS API Reference, AssumeRoleWithWebIdentity, `WebIdentityToken`).
pub const TOKEN_BYTES_MAX: usize = 20_000;

/// The algorithms that tokens may be signed with (IAM User Guide, "Create an OpenID Connect (OIDC)
/// identity provider in IAM": RS256, RS384, RS512, ES256, ES384, ES512). The list is closed: `none` and
/// the HMAC algorithms have no value here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Algorithm; 6] = [
        Algorithm::Rs256,
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::Es512,
    ];

    /// The name in a token's header and in a key's `alg`; names are case-sensitive (RFC 7515, 4.1.1).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Rs256 => "RS256",
            Algorithm::Rs384 => "RS384",
            Algorithm::Rs512 => "RS512",
            Algorithm::Es256 => "ES256",
            Algorithm::Es384 => "ES384",
            Algorithm::Es512 => "ES512",
        }
    }

    /// The algorithm of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Algorithm> {
        Algorithm::ALL
            .into_iter()
            .find(|known| known.name() == name)
    }

    /// Whether it takes RSA keys; the others take keys of one elliptic curve each.
    #[must_use]
    pub fn is_rsa(self) -> bool {
        matches!(self, Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512)
    }
}

/// The token is not one of the form that is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token is not a signed JWT of an accepted algorithm")]
pub struct Malformed;

/// A token whose signature is not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jws<'a> {
    /// What the header says that it is signed with.
    pub algorithm: Algorithm,
    /// The header's `kid`.
    pub key_id: Option<String>,
    /// What the signature covers.
    pub(super) signed: &'a [u8],
    pub(super) signature: Vec<u8>,
    /// The payload; only for finding the keys until the signature is verified.
    pub(super) payload: Vec<u8>,
}

impl Jws<'_> {
    /// Splits and decodes a token. Nothing is verified.
    ///
    /// # Errors
    /// [`Malformed`], also for an algorithm that is not accepted.
    pub fn parse(token: &str) -> Result<Jws<'_>, Malformed> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Malformed)?;
        // A dot is no digit of base64url, so a fourth part is refused here.
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Malformed);
        let header = unique_json::object(&decode(header)?).ok_or(Malformed)?;
        // Extensions that must be understood (RFC 7515, 4.1.11): none is.
        if header.contains_key("crit") {
            return Err(Malformed);
        }
        let algorithm = header.get("alg").and_then(Value::as_str);
        let algorithm = algorithm.and_then(Algorithm::from_name);
        let key_id = match header.get("kid") {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) => Some(id.clone()),
            Some(_) => return Err(Malformed),
        };
        Ok(Jws {
            algorithm: algorithm.ok_or(Malformed)?,
            key_id,
            signed: signed.as_bytes(),
            signature: decode(signature)?,
            payload: decode(payload)?,
        })
    }
}
