//! Signing keys and their scopes.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The last part of every scope.
pub(crate) const TERMINATOR: &str = "aws4_request";

/// A secret access key. Debug tells nothing; memory is wiped on drop.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<String>);

impl SecretKey {
    /// Takes the text that belongs to the access key id.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(Zeroizing::new(secret.into()))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

/// What a signature is good for: `<date>/<region>/<service>/aws4_request`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CredentialScope {
    /// `YYYYMMDD`, UTC.
    pub date: String,
    /// The region's name.
    pub region: String,
    /// The service's signing name: `ecr`, `iam`, `sts`.
    pub service: String,
}

impl fmt::Display for CredentialScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            date,
            region,
            service,
        } = self;
        write!(f, "{date}/{region}/{service}/{TERMINATOR}")
    }
}

/// A key for one secret and one [`CredentialScope`]: what signatures are made with. Deriving it takes four
/// HMACs; a server may keep it for the day, under access key id and scope.
#[derive(Clone)]
pub struct SigningKey(Zeroizing<[u8; 32]>);

impl SigningKey {
    /// Derives the key ("Create a signed AWS API request", step 4: "Calculate the signature").
    pub fn derive(secret: &SecretKey, scope: &CredentialScope) -> Self {
        let secret = Zeroizing::new([b"AWS4", secret.0.as_bytes()].concat());
        let date = hmac(&secret, scope.date.as_bytes());
        let region = hmac(&date[..], scope.region.as_bytes());
        let service = hmac(&region[..], scope.service.as_bytes());
        Self(hmac(&service[..], TERMINATOR.as_bytes()))
    }

    /// Signs a string-to-sign.
    pub(crate) fn sign(&self, string_to_sign: &[u8]) -> [u8; 32] {
        *hmac(&self.0[..], string_to_sign)
    }

    /// Whether `signature` is this key's for the string; takes the same time whatever differs.
    pub(crate) fn verify(&self, string_to_sign: &[u8], signature: &[u8; 32]) -> bool {
        self.sign(string_to_sign).ct_eq(signature).into()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

fn hmac(key: &[u8], message: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    Zeroizing::new(mac.finalize().into_bytes().into())
}
