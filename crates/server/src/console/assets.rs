//! Answers the console's files. The page chooses the screen by its path, so each path that is not a file's is
//! answered with the page itself.

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use super::archive::{FILES, File};
use crate::head::Head;
use crate::reply::ReplyBody;

/// The page may load and call this server alone, nobody may frame it, and no script that a pusher stored can
/// run. Styles may be inline: the components position their menus that way.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
    frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

const SECURITY_HEADERS: [(&str, &str); 7] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    // For browsers that do not know `frame-ancestors`.
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// The path below which file names contain a digest of the file.
const HASHED: &str = "assets/";

/// Answers `GET` and `HEAD` of a path below `/console/`.
pub(crate) fn serve(head: &Head) -> Response<ReplyBody> {
    let path = head.parts.uri.path();
    let mut response = match path.strip_prefix("/console/") {
        Some(path) => file(path, &head.parts.headers),
        None => moved(),
    };
    for (name, value) in SECURITY_HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

/// `/console` itself: relative addresses need the slash.
fn moved() -> Response<ReplyBody> {
    let mut response = empty(StatusCode::PERMANENT_REDIRECT);
    let target = HeaderValue::from_static("/console/");
    response.headers_mut().insert(header::LOCATION, target);
    response
}

fn file(path: &str, headers: &HeaderMap) -> Response<ReplyBody> {
    if leads_out(path) {
        return empty(StatusCode::NOT_FOUND);
    }
    let is_hashed = path.starts_with(HASHED);
    let found = match FILES.get(path) {
        // A page of another version asks for files that are gone: its own HTML would not do in their place.
        None if is_hashed => None,
        None => FILES.get("index.html"),
        found => found,
    };
    let Some(file) = found else {
        return empty(StatusCode::NOT_FOUND);
    };
    let Some((encoding, body)) = form_of(file, headers) else {
        return empty(StatusCode::NOT_ACCEPTABLE);
    };
    // Each form is another representation (RFC 9110, section 8.8.3.3).
    let tag = format!("\"{}-{}\"", file.digest, encoding.unwrap_or("identity"));
    let is_known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == tag || known == "*");
    let mut response = match is_known {
        true => empty(StatusCode::NOT_MODIFIED),
        false => Response::new(ReplyBody::from(body)),
    };
    let cache = match is_hashed {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let answer = response.headers_mut();
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    let vary = HeaderValue::from_static("accept-encoding");
    answer.insert(header::VARY, vary);
    if let Ok(tag) = HeaderValue::try_from(tag) {
        answer.insert(header::ETAG, tag);
    }
    if !is_known {
        let media_type = HeaderValue::from_static(file.media_type);
        answer.insert(header::CONTENT_TYPE, media_type);
        if let Some(encoding) = encoding {
            let encoding = HeaderValue::from_static(encoding);
            answer.insert(header::CONTENT_ENCODING, encoding);
        }
    }
    response
}

/// Browsers resolve dot segments before they ask, so a path that has one is no screen's.
pub(super) fn leads_out(path: &str) -> bool {
    path.split(['/', '\\']).any(|segment| {
        let segment = segment.to_ascii_lowercase().replace("%2e", ".");
        segment == "." || segment == ".."
    })
}

fn empty(status: StatusCode) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::Whole(None));
    *response.status_mut() = status;
    response
}

/// The smallest form that the client accepts, and its encoding. Without `Accept-Encoding` any form will do
/// (RFC 9110, section 12.5.3), and a form without an encoding is preferred.
fn form_of(file: &File, headers: &HeaderMap) -> Option<(Option<&'static str>, bytes::Bytes)> {
    let accepted = Accepted::of(headers);
    let forms = [
        (Some("br"), &file.brotli),
        (Some("gzip"), &file.gzip),
        (None, &file.identity),
    ];
    let mut acceptable = forms.into_iter().filter_map(|(encoding, body)| {
        let body = body.as_ref().filter(|_| accepted.allows(encoding))?;
        Some((encoding, body.clone()))
    });
    match accepted.is_stated {
        true => acceptable.next(),
        // Clients that decode nothing state nothing; the last acceptable form is the plainest.
        false => acceptable.last(),
    }
}

/// The client's `Accept-Encoding`.
struct Accepted {
    is_stated: bool,
    /// Names in lower case, and whether they are accepted.
    codings: Vec<(String, bool)>,
}

impl Accepted {
    fn of(headers: &HeaderMap) -> Accepted {
        let mut codings = Vec::new();
        let mut is_stated = false;
        for value in headers.get_all(header::ACCEPT_ENCODING) {
            is_stated = true;
            for item in value.to_str().unwrap_or_default().split(',') {
                let mut parts = item.split(';').map(str::trim);
                let name = parts.next().unwrap_or_default().to_ascii_lowercase();
                let weight = parts.find_map(|part| part.strip_prefix("q="));
                let weight = weight.map_or(Ok(1.0), str::parse::<f32>);
                if !name.is_empty() {
                    codings.push((name, weight.is_ok_and(|weight| weight > 0.0)));
                }
            }
        }
        Accepted { is_stated, codings }
    }

    fn allows(&self, encoding: Option<&str>) -> bool {
        let name = encoding.unwrap_or("identity");
        let stated = |name: &str| self.codings.iter().find(|(coding, _)| coding == name);
        match stated(name).or_else(|| stated("*")) {
            Some((_, is_accepted)) => *is_accepted,
            // Not encoding at all is acceptable unless it is excluded.
            None => encoding.is_none() || !self.is_stated,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn chosen(accept: Option<&str>, has_identity: bool) -> Option<&'static str> {
        let body = || Some(Bytes::from_static(b"x"));
        let file = File {
            media_type: "text/html",
            digest: "0",
            identity: body().filter(|_| has_identity),
            gzip: body(),
            brotli: body(),
        };
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert(header::ACCEPT_ENCODING, accept.parse().unwrap());
        }
        form_of(&file, &headers).map(|(encoding, _)| encoding.unwrap_or("identity"))
    }

    #[test]
    fn chooses_the_smallest_form_that_the_client_accepts() {
        assert_eq!(chosen(Some("gzip, deflate, br, zstd"), true), Some("br"));
        assert_eq!(chosen(Some("GZIP"), true), Some("gzip"));
        assert_eq!(chosen(Some("br;q=0, gzip;q=0.5"), true), Some("gzip"));
        assert_eq!(chosen(Some("*"), true), Some("br"));
        assert_eq!(chosen(Some("identity"), true), Some("identity"));
        assert_eq!(chosen(Some(""), true), Some("identity"));
        assert_eq!(chosen(None, true), Some("identity"));
        assert_eq!(chosen(None, false), Some("gzip"));
    }

    #[test]
    fn dot_segments_are_no_screens() {
        for path in ["../credentials", "a/../b", "a/.", "%2e%2E/b", "a\\..\\b"] {
            assert!(leads_out(path), "{path}");
            assert_eq!(
                file(path, &HeaderMap::new()).status(),
                StatusCode::NOT_FOUND
            );
        }
        for path in [
            "",
            "roles/a..b",
            "repositories/.hidden",
            "policies/...",
            "a%2eb",
        ] {
            assert!(!leads_out(path), "{path}");
        }
    }

    #[test]
    fn refuses_what_no_form_satisfies() {
        assert_eq!(chosen(Some("identity"), false), None);
        assert_eq!(chosen(Some("deflate, *;q=0"), true), None);
    }
}
