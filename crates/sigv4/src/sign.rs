//! Making signatures.

use crate::{Parts, PathStyle, SecretKey, SigError};

/// Who signs.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// The access key's id.
    pub access_key_id: &'a str,
    /// Its secret.
    pub secret: &'a SecretKey,
    /// The token, where the credentials are temporary.
    pub session_token: Option<&'a str>,
}

/// Headers to set on the request, beside those it had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHeaders {
    /// `Authorization`.
    pub authorization: String,
    /// `X-Amz-Date`.
    pub x_amz_date: String,
    /// `X-Amz-Security-Token`, for temporary credentials.
    pub x_amz_security_token: Option<String>,
}

/// Signs a request: `parts` must have a `host` header and none of those in [`SignedHeaders`].
pub fn sign(
    _parts: &Parts<'_>,
    _credentials: &Credentials<'_>,
    _region: &str,
    _service: &str,
    _now_epoch_seconds: i64,
    _payload_sha256_hex: &str,
    _path_style: PathStyle,
) -> Result<SignedHeaders, SigError> {
    Err(SigError::MissingAuthenticationToken)
}

/// Signs a request by its query and returns the whole query; good for `expires_seconds`.
#[allow(clippy::too_many_arguments)]
pub fn presign(
    _parts: &Parts<'_>,
    _credentials: &Credentials<'_>,
    _region: &str,
    _service: &str,
    _now_epoch_seconds: i64,
    _expires_seconds: u32,
    _payload_sha256_hex: &str,
    _path_style: PathStyle,
) -> Result<String, SigError> {
    Err(SigError::MissingAuthenticationToken)
}
