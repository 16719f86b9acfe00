//! The canonical request and the string to sign ("Create a signed AWS API request", steps 1 to 3).

use aws_types::{hex, percent};
use sha2::{Digest as _, Sha256};

use crate::{CredentialScope, PathStyle, RequestParts, SigError};

pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
pub(crate) const QUERY_SIGNATURE: &str = "X-Amz-Signature";

/// A query's parameters, decoded and encoded again: one spelling for each.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(raw: &str) -> Result<Self, SigError> {
        raw.split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((recode(name)?, recode(value)?))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(candidate, _)| candidate == name)
    }

    /// The decoded values of a parameter.
    pub(crate) fn values(&self, name: &str) -> Vec<String> {
        let found = self.0.iter().filter(|(candidate, _)| candidate == name);
        found
            .map(|(_, value)| String::from_utf8_lossy(&percent::decode_lenient(value)).into_owned())
            .collect()
    }

    /// Sorted by name, then value, both encoded; without the signature, which cannot sign itself.
    fn canonical(mut self) -> String {
        self.0.retain(|(name, _)| name != QUERY_SIGNATURE);
        self.0.sort_unstable();
        let mut text = String::new();
        for (name, value) in &self.0 {
            if !text.is_empty() {
                text.push('&');
            }
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        }
        text
    }
}

/// The canonical request. `signed_headers` are lower case, sorted and each there once.
pub(crate) fn request(
    parts: &RequestParts<'_>,
    signed_headers: &[String],
    payload_sha256_hex: &str,
    path_style: PathStyle,
) -> Result<Vec<u8>, SigError> {
    let mut text = Vec::with_capacity(1024);
    for line in [
        parts.method,
        &path(parts.path, path_style),
        &Query::parse(parts.query)?.canonical(),
    ] {
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
    }
    for name in signed_headers {
        text.extend_from_slice(name.as_bytes());
        for (number, value) in parts.values(name).enumerate() {
            text.push(if number == 0 { b':' } else { b',' });
            push_header_value(&mut text, value);
        }
        text.push(b'\n');
    }
    text.push(b'\n');
    text.extend_from_slice(signed_headers.join(";").as_bytes());
    text.push(b'\n');
    text.extend_from_slice(payload_sha256_hex.as_bytes());
    Ok(text)
}

/// The string to sign. `date` is the request's time in ISO 8601's basic format.
pub(crate) fn string_to_sign(
    date: &str,
    scope: &CredentialScope,
    canonical_request: &[u8],
) -> String {
    let hash = hex::encode(Sha256::digest(canonical_request));
    format!("{ALGORITHM}\n{date}\n{scope}\n{hash}")
}

/// Without white space at the ends, and a run of it inside as one space.
fn push_header_value(text: &mut Vec<u8>, value: &[u8]) {
    let words = value
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    for (number, word) in words.enumerate() {
        if number > 0 {
            text.push(b' ');
        }
        text.extend_from_slice(word);
    }
}

fn path(raw: &str, style: PathStyle) -> String {
    match style {
        PathStyle::Standard => encode(normalize(raw).as_bytes(), true),
        PathStyle::Unnormalized => encode(or_root(raw).as_bytes(), true),
        PathStyle::S3 => encode(&percent::decode_lenient(or_root(raw)), true),
    }
}

fn or_root(raw: &str) -> &str {
    if raw.is_empty() { "/" } else { raw }
}

/// Without dot segments and empty ones; on the text as received, so that `%2e` is no dot.
fn normalize(raw: &str) -> String {
    let mut segments = Vec::new();
    for segment in raw.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let mut path = String::with_capacity(raw.len() + 1);
    for segment in &segments {
        path.push('/');
        path.push_str(segment);
    }
    if segments.is_empty() || raw.ends_with('/') {
        path.push('/');
    }
    path
}

/// AWS's `UriEncode`: all bytes but the unreserved ones (RFC 3986, section 2.3), in upper-case hex.
pub(crate) fn encode(bytes: &[u8], keep_slash: bool) -> String {
    match keep_slash {
        true => percent::encode_path_bytes(bytes),
        false => percent::encode_bytes(bytes),
    }
}

/// One spelling for a name or value of a query. A plus is a space, as in a form.
fn recode(raw: &str) -> Result<String, SigError> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        bytes.push(match byte {
            b'%' => {
                let Some((digits, tail)) = rest.split_first_chunk::<2>() else {
                    return Err(SigError::MalformedQueryString(
                        "Incomplete trailing escape % sequence",
                    ));
                };
                rest = tail;
                octet(*digits).ok_or(SigError::MalformedQueryString(
                    "Illegal hex characters in escape % pattern",
                ))?
            }
            b'+' => b' ',
            other => other,
        });
    }
    Ok(encode(&bytes, false))
}

fn octet([high, low]: [u8; 2]) -> Option<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    Some(digit(high)? << 4 | digit(low)?)
}
