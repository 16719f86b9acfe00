//! A provider's keys (RFC 7517), and the verification of signatures under them.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED,
    EcdsaVerificationAlgorithm, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use super::jws::{Algorithm, Jws};

/// The keys of one type that a provider may publish (IAM User Guide, "Create an OpenID Connect (OIDC)
/// identity provider in IAM": "up to 100 RSA keys and 100 EC keys").
pub const KEYS_OF_TYPE_MAX: usize = 100;
/// Keys of one id that are tried. An id may be shared by keys of different types, not by many.
const KEYS_TRIED_MAX: usize = 4;

/// Why no key of the set verifies a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No key has the token's `kid`, or the token names none and several keys could be meant.
    #[error("no key of the provider is the token's")]
    UnknownKey,
    /// The provider has more than 100 keys of the type that signed.
    #[error("the provider publishes more than {KEYS_OF_TYPE_MAX} keys of the type that signed")]
    TooManyKeys,
    /// The signature is not the key's.
    #[error("the signature is not valid")]
    Signature,
}

/// The document cannot be read as a set of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the document is not a JSON Web Key Set")]
pub struct NotAKeySet;

/// The public keys of a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<Key>,
    /// Keys by type, with those that cannot be used.
    rsa_count: usize,
    ec_count: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    id: Option<String>,
    /// The only algorithm that it may be used with, where the provider names one.
    algorithm: Option<Algorithm>,
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// The algorithm of the curve, and the uncompressed point.
    Ec(Algorithm, Vec<u8>),
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads a set. Keys that cannot verify tokens (of other types and uses, incomplete ones) are left
    /// out, as RFC 7517, section 5 asks.
    ///
    /// # Errors
    /// [`NotAKeySet`].
    pub fn parse(document: &[u8]) -> Result<KeySet, NotAKeySet> {
        let mut document = serde_json::from_slice(document).map_err(|_| NotAKeySet)?;
        // By member names: a derived structure would be read from a list as well.
        let Value::Object(members) = &mut document else {
            return Err(NotAKeySet);
        };
        let Some(Value::Array(keys)) = members.remove("keys") else {
            return Err(NotAKeySet);
        };
        let mut set = KeySet::default();
        for value in keys {
            match value.get("kty").and_then(Value::as_str) {
                Some("RSA") => set.rsa_count += 1,
                Some("EC") => set.ec_count += 1,
                _ => continue,
            }
            if let Ok(jwk) = serde_json::from_value::<Jwk>(value) {
                set.keys.extend(usable(jwk));
            }
        }
        Ok(set)
    }

    /// Verifies a token's signature. The algorithm comes from the token, but only one of `allowed` is
    /// used, and only with a key of its own type: a public key is never taken for a shared secret.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn verify(&self, token: &Jws<'_>, allowed: &[Algorithm]) -> Result<(), KeyError> {
        let algorithm = token.algorithm;
        if !allowed.contains(&algorithm) {
            return Err(KeyError::Signature);
        }
        let count = match algorithm.is_rsa() {
            true => self.rsa_count,
            false => self.ec_count,
        };
        if count > KEYS_OF_TYPE_MAX {
            return Err(KeyError::TooManyKeys);
        }
        let mut candidates = self.keys.iter().filter(|key| key.is_for(algorithm));
        let Some(id) = &token.key_id else {
            // OpenID Connect Core 1.0, section 10.1: with several keys the token must name one.
            return match (candidates.next(), candidates.next()) {
                (Some(only), None) => only.verify(token),
                _ => Err(KeyError::UnknownKey),
            };
        };
        let mut named = candidates.filter(|key| key.id.as_ref() == Some(id));
        let first = named.next().ok_or(KeyError::UnknownKey)?;
        let mut tried = std::iter::once(first).chain(named).take(KEYS_TRIED_MAX);
        match tried.any(|key| key.verify(token).is_ok()) {
            true => Ok(()),
            false => Err(KeyError::Signature),
        }
    }

    /// Whether no key of the set could have signed the token.
    pub(super) fn lacks_key_of(&self, token: &Jws<'_>) -> bool {
        let mut candidates = self.keys.iter().filter(|key| key.is_for(token.algorithm));
        match &token.key_id {
            Some(id) => !candidates.any(|key| key.id.as_ref() == Some(id)),
            None => candidates.next().is_none(),
        }
    }

    /// The bytes that the set keeps on the heap, at most.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        // Blocks' headers and rounding.
        const OVERHEAD: usize = 96;
        let key = |key: &Key| {
            let material = match &key.material {
                Material::Rsa { modulus, exponent } => modulus.capacity() + exponent.capacity(),
                Material::Ec(_, point) => point.capacity(),
            };
            size_of::<Key>() + OVERHEAD + material + key.id.as_ref().map_or(0, String::capacity)
        };
        self.keys.iter().map(key).sum()
    }
}

/// The key, where it can verify signatures.
fn usable(jwk: Jwk) -> Option<Key> {
    let for_signatures = jwk.r#use.as_deref().is_none_or(|purpose| purpose == "sig")
        && jwk
            .key_ops
            .as_ref()
            .is_none_or(|ops| ops.iter().any(|op| op == "verify"));
    if !for_signatures {
        return None;
    }
    let number = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_ref()?).ok();
    let material = match jwk.kty.as_str() {
        "RSA" => Material::Rsa {
            modulus: without_leading_zeros(number(&jwk.n)?),
            exponent: without_leading_zeros(number(&jwk.e)?),
        },
        "EC" => {
            let (algorithm, bytes) = match jwk.crv.as_deref()? {
                "P-256" => (Algorithm::Es256, 32),
                "P-384" => (Algorithm::Es384, 48),
                "P-521" => (Algorithm::Es512, 66),
                _ => return None,
            };
            let (x, y) = (number(&jwk.x)?, number(&jwk.y)?);
            // RFC 7518, 6.2.1.2: coordinates have the curve's full length.
            if x.len() != bytes || y.len() != bytes {
                return None;
            }
            // 4: uncompressed (SEC 1, 2.3.3).
            Material::Ec(algorithm, [&[4][..], &x, &y].concat())
        }
        _ => return None,
    };
    let algorithm = match jwk.alg {
        None => None,
        // A key for an algorithm that is not accepted, such as PS256, is for no token.
        Some(name) => Some(Algorithm::from_name(&name)?),
    };
    Some(Key {
        id: jwk.kid,
        algorithm,
        material,
    })
}

/// Some providers pad numbers with a zero byte, which RFC 7518, 6.3.1.1 forbids and aws-lc refuses.
fn without_leading_zeros(number: Vec<u8>) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number[zeros..].to_vec()
}

impl Key {
    fn is_for(&self, algorithm: Algorithm) -> bool {
        let fits = match &self.material {
            Material::Rsa { .. } => algorithm.is_rsa(),
            Material::Ec(of_curve, _) => *of_curve == algorithm,
        };
        fits && self.algorithm.is_none_or(|only| only == algorithm)
    }

    fn verify(&self, token: &Jws<'_>) -> Result<(), KeyError> {
        let verified = match &self.material {
            Material::Rsa { modulus, exponent } => {
                let key = RsaPublicKeyComponents {
                    n: modulus,
                    e: exponent,
                };
                match rsa(token.algorithm) {
                    Some(parameters) => key.verify(parameters, token.signed, &token.signature),
                    None => return Err(KeyError::Signature),
                }
            }
            Material::Ec(_, point) => match ecdsa(token.algorithm) {
                Some(algorithm) => {
                    let key = UnparsedPublicKey::new(algorithm, point);
                    key.verify(token.signed, &token.signature)
                }
                None => return Err(KeyError::Signature),
            },
        };
        verified.map_err(|_| KeyError::Signature)
    }
}

/// From 2,048 bits on.
fn rsa(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        _ => None,
    }
}

/// `FIXED`: both numbers in their full length, not DER (RFC 7518, 3.4).
fn ecdsa(algorithm: Algorithm) -> Option<&'static EcdsaVerificationAlgorithm> {
    match algorithm {
        Algorithm::Es256 => Some(&ECDSA_P256_SHA256_FIXED),
        Algorithm::Es384 => Some(&ECDSA_P384_SHA384_FIXED),
        Algorithm::Es512 => Some(&ECDSA_P521_SHA512_FIXED),
        _ => None,
    }
}
