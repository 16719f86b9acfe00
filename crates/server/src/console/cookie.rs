//! The cookie that keeps a session, and the one that keeps a sign-in while the browser is at an identity provider.

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

/// The cookie of a sign-in that is on its way. It can be `SameSite=Strict` although the browser comes back from
/// another site: it is not read on the way back, but when the page that the browser comes back to asks.
const SIGN_IN: &str = "__Host-berth-sign-in";

/// Characters of its value, at most: browsers keep 4,096 of a cookie.
const SIGN_IN_CHARS_MAX: usize = 4000;

/// The secret in a request's cookie.
pub(super) fn secret(head: &Head) -> Option<&str> {
    value(head, NAME).filter(|secret| secret.len() == SECRET_CHARS)
}

/// The sealed text of a sign-in that is on its way.
pub(super) fn sign_in(head: &Head) -> Option<&str> {
    value(head, SIGN_IN)
}

/// The value of a cookie. Two cookies of the name are none: which one is meant cannot be known.
fn value<'h>(head: &'h Head, wanted: &str) -> Option<&'h str> {
    let headers = head.parts.headers.get_all(header::COOKIE).iter();
    let pairs = headers
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut found = pairs
        .filter(|(name, _)| *name == wanted)
        .map(|(_, value)| value);
    match (found.next(), found.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

/// The header that sets the cookie of a session.
pub(super) fn of(secret: &Secret<String>) -> Result<HeaderValue, ApiError> {
    header_of(NAME, secret)
}

/// The header that sets the cookie of a sign-in that is on its way.
pub(super) fn of_sign_in(sealed: &Secret<String>) -> Result<HeaderValue, ApiError> {
    match sealed.expose().len() > SIGN_IN_CHARS_MAX {
        true => Err(ApiError::internal("a sign-in does not fit into a cookie")),
        false => header_of(SIGN_IN, sealed),
    }
}

fn header_of(name: &str, secret: &Secret<String>) -> Result<HeaderValue, ApiError> {
    let text = format!("{name}={}; {ATTRIBUTES}", secret.expose());
    let mut value = HeaderValue::try_from(text).map_err(ApiError::internal)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The header that removes the cookie of a sign-in.
pub(super) fn sign_in_removal() -> HeaderValue {
    HeaderValue::from_static(
        "__Host-berth-sign-in=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0",
    )
}

/// The header that removes the cookie of a session.
pub(super) fn removal() -> HeaderValue {
    HeaderValue::from_static(
        "__Host-berth-console=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0",
    )
}
