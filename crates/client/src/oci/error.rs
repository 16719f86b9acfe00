//! Why a registry did not do what was asked.

use http::StatusCode;

use crate::http::{Error, Response};

/// Why a registry did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OciError {
    /// The registry refused.
    #[error("{host}: {code}: {message}")]
    Refused {
        /// The registry's host.
        host: String,
        /// The HTTP status.
        status: StatusCode,
        /// The code of the specification in lower case, such as `denied`.
        code: String,
        /// The registry's text.
        message: String,
        /// `Retry-After`, in seconds.
        retry_after: Option<u64>,
    },
    /// An answer that the specification does not foresee.
    #[error("{host} answers {what}")]
    Unexpected {
        /// The registry's host.
        host: String,
        /// The status, or what is wrong with the answer.
        what: String,
        /// The HTTP status.
        status: StatusCode,
        /// `Retry-After`, in seconds.
        retry_after: Option<u64>,
    },
    /// The credentials cannot be got.
    #[error("there are no credentials for {host}: {what}")]
    Login {
        /// The registry's host.
        host: String,
        /// Why.
        what: String,
    },
    /// There was no answer.
    #[error(transparent)]
    Http(#[from] Error),
}

impl OciError {
    /// When the registry wants to be asked again, in seconds, where it says so.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            OciError::Refused { retry_after, .. } | OciError::Unexpected { retry_after, .. } => {
                *retry_after
            }
            OciError::Login { .. } | OciError::Http(_) => None,
        }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            OciError::Refused { status, .. } | OciError::Unexpected { status, .. } => {
                *status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
            }
            OciError::Login { .. } => false,
            OciError::Http(error) => {
                matches!(
                    error,
                    Error::Connection { .. } | Error::Timeout(_) | Error::Resolve { .. }
                )
            }
        }
    }
}

/// `Retry-After` in seconds (RFC 9110, section 10.2.3). A date is taken as later than the answer's own `Date`, so
/// that no clock is needed.
pub(super) fn retry_after(response: &Response) -> Option<u64> {
    let text = response.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let time = |text: &str| {
        let parsed = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text);
        parsed.ok().map(jiff::Timestamp::as_second)
    };
    let from = time(response.header("date")?)?;
    u64::try_from(time(text)? - from).ok()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::*;

    #[test]
    fn the_time_of_the_next_try_is_a_number_or_a_date() {
        let date = "Fri, 27 Nov 2026 21:00:00 GMT";
        for (text, expected) in [
            ("7", Some(7)),
            (" 120 ", Some(120)),
            ("Fri, 27 Nov 2026 21:01:30 GMT", Some(90)),
            ("Fri, 27 Nov 2026 20:00:00 GMT", None),
            ("soon", None),
            ("-1", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", HeaderValue::from_static(text));
            headers.insert("date", HeaderValue::from_static(date));
            let response = Response {
                status: StatusCode::TOO_MANY_REQUESTS,
                headers,
                body: bytes::Bytes::new(),
            };
            assert_eq!(retry_after(&response), expected, "{text}");
        }
    }
}
