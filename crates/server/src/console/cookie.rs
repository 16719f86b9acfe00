//! The cookie that keeps a session.

use aws_api::Secret;
use http::{HeaderValue, header};

use crate::error::ApiError;
use crate::head::Head;

/// `__Host-`: a browser takes the cookie from this host alone, over TLS, for the path `/` (RFC 6265bis,
/// section 4.1.3.2), so no neighbour can plant one.
const NAME: &str = "__Host-berth-console";

/// The attributes. The browser forgets the cookie when it is closed; the server ends the session.
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";

/// Characters of a secret, in base 64.
const SECRET_CHARS: usize = 43;

/// The secret in a request's cookie. Two cookies of the name are none: which one is meant cannot be known.
pub(super) fn secret(head: &Head) -> Option<&str> {
    let headers = head.parts.headers.get_all(header::COOKIE).iter();
    let pairs = headers
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut found = pairs
        .filter(|(name, _)| *name == NAME)
        .map(|(_, value)| value);
    match (found.next(), found.next()) {
        (Some(secret), None) if secret.len() == SECRET_CHARS => Some(secret),
        _ => None,
    }
}

/// The header that sets the cookie.
pub(super) fn of(secret: &Secret<String>) -> Result<HeaderValue, ApiError> {
    let text = format!("{NAME}={}; {ATTRIBUTES}", secret.expose());
    let mut value = HeaderValue::try_from(text).map_err(ApiError::internal)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The header that removes the cookie.
pub(super) fn removal() -> HeaderValue {
    HeaderValue::from_static(
        "__Host-berth-console=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0",
    )
}
