//! The signature that a request presents.

use crate::{Parts, PathStyle, Scope, SecretKey, SigError, SigningKey};

/// What the server knows and the signature must agree with.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The service that the request is for: `ecr`, `iam`, `sts`.
    pub service: &'a str,
    /// The region it must be signed for; `None` takes any.
    pub region: Option<&'a str>,
    /// SHA-256 of the body, lower-case hex.
    pub payload_sha256_hex: &'a str,
    /// The time now, seconds since the epoch.
    pub now_epoch_seconds: i64,
    /// How the service writes paths.
    pub path_style: PathStyle,
}

/// A signature found on a request, parsed and not yet verified.
#[derive(Debug, Clone)]
pub struct Presented {
    access_key_id: String,
    scope: Scope,
    session_token: Option<String>,
    presigned: bool,
}

/// Finds the signature: in the `Authorization` header or in the query's `X-Amz-*` parameters.
pub fn parse(_parts: &Parts<'_>) -> Result<Presented, SigError> {
    Err(SigError::MissingAuthenticationToken)
}

impl Presented {
    /// Whose key it claims to be made with.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }
    /// Day, region and service.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }
    /// The token of temporary credentials.
    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }
    /// Whether it stood in the query.
    pub fn is_presigned(&self) -> bool {
        self.presigned
    }
    /// Verifies it with the secret.
    pub fn verify(
        &self,
        parts: &Parts<'_>,
        secret: &SecretKey,
        expected: &Expected<'_>,
    ) -> Result<(), SigError> {
        self.verify_with_key(parts, &SigningKey::derive(secret, &self.scope), expected)
    }
    /// Verifies it with a derived key, which must be that of [`scope`](Self::scope).
    pub fn verify_with_key(
        &self,
        _parts: &Parts<'_>,
        key: &SigningKey,
        _expected: &Expected<'_>,
    ) -> Result<(), SigError> {
        let _ = key.bytes();
        Err(SigError::MissingAuthenticationToken)
    }
}
