//! Finding the signature that a request presents.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use sha2::{Digest as _, Sha256};

use crate::canonical::{ALGORITHM, QUERY_SIGNATURE, Query};
use crate::{CredentialScope, RequestParts, SigError, time};

/// No more headers are looked at on a request; servers allow fewer.
const HEADERS_MAX: usize = 256;
/// Bytes of an `Authorization` header: the longest honest one names all signed headers.
const AUTHORIZATION_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a query: a presigned one carries a session token and a policy.
const QUERY_BYTES_MAX: usize = 64 * 1024;
/// How many headers a signature may cover.
const SIGNED_HEADERS_MAX: usize = 100;
/// Seconds that a presigned request may be good for: a week.
const EXPIRES_SECONDS_MAX: i64 = 7 * 86_400;
/// Seconds for which a presigned request is good that does not say.
const EXPIRES_SECONDS_DEFAULT: i64 = 900;

/// A signature found on a request, parsed and not yet verified. Debug tells neither the signature nor
/// the session token.
#[derive(Clone)]
pub struct Presented {
    pub(crate) access_key_id: String,
    pub(crate) scope: CredentialScope,
    /// What stands where `aws4_request` should.
    pub(crate) terminator: String,
    /// Lower case, sorted, each once.
    pub(crate) signed_headers: Vec<String>,
    /// The time as it was signed.
    pub(crate) date: String,
    pub(crate) signed_at: i64,
    /// Seconds; only in a presigned request.
    pub(crate) expires: Option<i64>,
    pub(crate) session_token: Option<String>,
    /// `None` where the text is none that could be right.
    pub(crate) signature: Option<[u8; 32]>,
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented")
            .field("access_key_id", &self.access_key_id)
            .field("scope", &self.scope)
            .field("signed_headers", &self.signed_headers)
            .field("date", &self.date)
            .field("expires", &self.expires)
            .field("has_session_token", &self.session_token.is_some())
            .finish_non_exhaustive()
    }
}

impl Presented {
    /// Whose key it claims to be made with.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// Day, region and service.
    pub fn scope(&self) -> &CredentialScope {
        &self.scope
    }

    /// The token of temporary credentials.
    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }

    /// Whether it stood in the query.
    pub fn is_presigned(&self) -> bool {
        self.expires.is_some()
    }

    /// When the caller says it was made: seconds since the epoch.
    pub fn signed_at_epoch_seconds(&self) -> i64 {
        self.signed_at
    }

    /// The headers it covers: lower case, sorted.
    pub fn signed_headers(&self) -> &[String] {
        &self.signed_headers
    }
}

/// Finds the signature: in the `Authorization` header or in the query's `X-Amz-*` parameters.
///
/// # Errors
/// [`SigError::MissingAuthenticationToken`] where there is none, also where the header is of another
/// scheme; [`SigError::IncompleteSignature`] naming what is missing or malformed.
pub fn parse(parts: &RequestParts<'_>) -> Result<Presented, SigError> {
    if parts.headers.len() > HEADERS_MAX || parts.query.len() > QUERY_BYTES_MAX {
        return Err(incomplete(
            "The request has too many headers or too long a query.",
        ));
    }
    let authorization = single(parts, "authorization")?
        .map(text_of)
        .filter(|text| text.trim_start().starts_with("AWS4-"));
    // Looked for in the raw text first: the query of an unsigned request need not be one.
    let query = if parts.query.contains("X-Amz-") {
        Some(Query::parse(parts.query)?)
            .filter(|query| query.has("X-Amz-Algorithm") || query.has(QUERY_SIGNATURE))
    } else {
        None
    };
    match (authorization, query) {
        (None, None) => Err(SigError::MissingAuthenticationToken),
        (Some(_), Some(_)) => Err(incomplete(
            "Only one of the Authorization header and the query string may carry a signature.",
        )),
        (Some(authorization), None) => from_header(parts, authorization.trim()),
        (None, Some(query)) => from_query(&query),
    }
}

fn from_header(parts: &RequestParts<'_>, header: &str) -> Result<Presented, SigError> {
    if header.len() > AUTHORIZATION_BYTES_MAX {
        return Err(incomplete("The Authorization header is too long."));
    }
    // AWS tells a hash of the header, so that its own logs and its caller's keep no signature.
    let hashed = || BASE64_STANDARD.encode(Sha256::digest(header));
    let (algorithm, rest) = header.split_once(' ').unwrap_or((header, ""));
    let (mut credential, mut signature, mut signed_headers) = (None, None, None);
    for pair in rest
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
    {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(incomplete(format!(
                "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with \
                 SHA-256 and encoded with Base64): '{}'.",
                hashed()
            )));
        };
        let slot = match name {
            "Credential" => &mut credential,
            "Signature" => &mut signature,
            "SignedHeaders" => &mut signed_headers,
            _ => continue,
        };
        if slot.replace(value).is_some() {
            return Err(incomplete(format!(
                "Authorization header has more than one '{name}' parameter."
            )));
        }
    }
    let (x_amz_date, date) = (single(parts, "x-amz-date")?, single(parts, "date")?);
    let date = x_amz_date.or(date).map(text_of);

    let (Some(credential), Some(signature), Some(signed_headers), Some(date)) =
        (credential, signature, signed_headers, date)
    else {
        let parameters = [
            ("Credential", credential),
            ("Signature", signature),
            ("SignedHeaders", signed_headers),
        ];
        let mut message = String::new();
        for (name, _) in parameters.iter().filter(|(_, value)| value.is_none()) {
            message += &format!("Authorization header requires '{name}' parameter. ");
        }
        if date.is_none() {
            message += "Authorization header requires existence of either a 'X-Amz-Date' or a \
                        'Date' header. ";
        }
        message += "(Hashed with SHA-256 and encoded with Base64) Authorization=";
        return Err(incomplete(message + &hashed()));
    };
    let session_token =
        single(parts, "x-amz-security-token")?.map(|value| text_of(value).to_owned());
    Fields {
        algorithm,
        credential,
        signature,
        signed_headers,
        date: date.trim(),
        expires: None,
        session_token,
    }
    .check()
}

fn from_query(query: &Query) -> Result<Presented, SigError> {
    let get = |name: &str| match query.values(name).as_slice() {
        [] => Ok(None),
        [value] => Ok(Some(value.clone())),
        _ => Err(incomplete(format!(
            "AWS query-string parameters must include '{name}' once."
        ))),
    };
    let names = [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        QUERY_SIGNATURE,
        "X-Amz-SignedHeaders",
        "X-Amz-Date",
    ];
    let mut message = String::new();
    let mut values = Vec::with_capacity(names.len());
    for name in names {
        match get(name)? {
            Some(value) => values.push(value),
            None => message += &format!("AWS query-string parameters must include '{name}'. "),
        }
    }
    let [algorithm, credential, signature, signed_headers, date] = values.as_slice() else {
        return Err(incomplete(
            message + "Re-examine the query-string parameters.",
        ));
    };
    let expires = match get("X-Amz-Expires")? {
        None => EXPIRES_SECONDS_DEFAULT,
        Some(text) => text
            .parse()
            .ok()
            // `aws-iam-authenticator` of Go's first SDK sends 0, which STS does not look at.
            .filter(|seconds| (0..=EXPIRES_SECONDS_MAX).contains(seconds))
            .ok_or_else(|| {
                incomplete(format!(
                    "X-Amz-Expires must be a number of seconds from 0 to {EXPIRES_SECONDS_MAX}."
                ))
            })?,
    };
    Fields {
        algorithm,
        credential,
        signature,
        signed_headers,
        date,
        expires: Some(expires),
        session_token: get("X-Amz-Security-Token")?,
    }
    .check()
}

/// A signature's fields as texts, from the header or the query.
struct Fields<'a> {
    algorithm: &'a str,
    credential: &'a str,
    signature: &'a str,
    signed_headers: &'a str,
    date: &'a str,
    expires: Option<i64>,
    session_token: Option<String>,
}

impl Fields<'_> {
    fn check(self) -> Result<Presented, SigError> {
        let signed_at = time::parse_iso_basic(self.date)
            .or_else(|| time::parse_http_date(self.date).filter(|_| self.expires.is_none()))
            .ok_or_else(|| {
                incomplete(format!(
                    "Date must be in ISO-8601 'basic format'. Got '{}'. See \
                     http://en.wikipedia.org/wiki/ISO_8601",
                    shown(self.date)
                ))
            })?;
        if self.algorithm != ALGORITHM {
            return Err(incomplete(format!(
                "Unsupported AWS 'algorithm': '{}' (only {ALGORITHM} for now).",
                shown(self.algorithm)
            )));
        }
        let elements: Vec<&str> = self.credential.split('/').take(6).collect();
        let [access_key_id, date, region, service, terminator] = elements[..] else {
            return Err(incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. \
                 keyid/date/region/service/term, got '{}'",
                shown(self.credential)
            )));
        };
        let mut signed_headers: Vec<String> = self
            .signed_headers
            .split(';')
            .filter(|name| !name.is_empty())
            .take(SIGNED_HEADERS_MAX + 1)
            .map(str::to_ascii_lowercase)
            .collect();
        if signed_headers.len() > SIGNED_HEADERS_MAX {
            return Err(incomplete("Too many headers are signed."));
        }
        signed_headers.sort_unstable();
        signed_headers.dedup();
        Ok(Presented {
            access_key_id: access_key_id.to_owned(),
            scope: CredentialScope {
                date: date.to_owned(),
                region: region.to_owned(),
                service: service.to_owned(),
            },
            terminator: terminator.to_owned(),
            signed_headers,
            date: time::iso_basic(signed_at),
            signed_at,
            expires: self.expires,
            session_token: self.session_token,
            signature: aws_types::hex::decode(self.signature),
        })
    }
}

/// The header's value; an error where there are two, since two readers could each take another one.
fn single<'a>(parts: &RequestParts<'a>, name: &'static str) -> Result<Option<&'a [u8]>, SigError> {
    let mut values = parts.values(name);
    let first = values.next();
    match values.next() {
        None => Ok(first),
        Some(_) => Err(incomplete(format!(
            "The request has more than one '{name}' header."
        ))),
    }
}

/// A value that is not UTF-8 is none that could be right.
fn text_of(value: &[u8]) -> &str {
    std::str::from_utf8(value).unwrap_or("")
}

/// A caller's text, cut short for a message.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(200).collect()
}

fn incomplete(message: impl Into<String>) -> SigError {
    SigError::IncompleteSignature(message.into())
}
