//! Which requests reach the console's routes: those of its own pages.
//!
//! A form or a script of another site sends another `Origin`, and a browser says `Sec-Fetch-Site`. A form
//! cannot send `application/json`, and a script of another origin needs a permission for it that is never
//! given (Fetch, "CORS protocol").

use http::header;

use super::answers::ConsoleError;
use crate::head::Head;

/// Checks where a request comes from.
pub(super) fn check(head: &Head) -> Result<(), ConsoleError> {
    let origin = origin(head)?;
    if let Some(site) = head.parts.headers.get("sec-fetch-site")
        && site.as_bytes() != b"same-origin"
    {
        return Err(foreign());
    }
    let kind = head.header(header::CONTENT_TYPE).unwrap_or_default();
    let media_type = kind.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        let message = "The Content-Type must be application/json.";
        return Err(ConsoleError::invalid(message));
    }
    let is_secure = head.client.secure || origin.starts_with("https://");
    if !is_secure && !head.is_for_loopback() {
        let message = "The console needs TLS: over plain HTTP, a browser keeps no session cookie and has \
                       no Web Crypto. Open it at https://, or at localhost.";
        return Err(ConsoleError::forbidden("TlsRequired", message));
    }
    Ok(())
}

/// The request's origin, which must be this host's own. A proxy may end TLS without a word to this server,
/// so a page of the host over https is one of ours; one over http is not where clients speak TLS.
pub(super) fn origin(head: &Head) -> Result<&str, ConsoleError> {
    let mut headers = head.parts.headers.get_all(header::ORIGIN).iter();
    let (Some(origin), None) = (headers.next(), headers.next()) else {
        return Err(foreign());
    };
    let origin = origin.to_str().map_err(|_| foreign())?;
    let host = match origin.split_once("://") {
        Some(("https", host)) => host,
        Some(("http", host)) if !head.client.secure => host,
        _ => return Err(foreign()),
    };
    match head.host() {
        Some(own) if own.eq_ignore_ascii_case(host) => Ok(origin),
        _ => Err(foreign()),
    }
}

fn foreign() -> ConsoleError {
    let message = "The request does not come from a page of this console.";
    ConsoleError::forbidden("ForeignOrigin", message)
}
