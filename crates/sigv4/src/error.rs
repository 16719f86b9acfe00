//! Why a request's signature is refused.

use thiserror::Error;

/// The texts are AWS's. Which code stands beside them, and with which HTTP status, is the server's
/// matter: `SignatureDoesNotMatch` in a Query service is `InvalidSignatureException` in a JSON one.
/// The order of the variants is the order in which they are looked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SigError {
    /// Nothing on the request is a signature.
    #[error("Request is missing Authentication Token")]
    MissingAuthenticationToken,
    /// The query is not one that can be signed (`MalformedQueryString`).
    #[error("{0}")]
    MalformedQueryString(&'static str),
    /// There is a signature, and parts of it are absent, malformed, twice there or too long.
    #[error("{0}")]
    IncompleteSignature(String),
    /// Its time is too long ago, or its validity over. AWS tells it under `SignatureDoesNotMatch`.
    #[error("Signature expired: {signed_at} is now earlier than {earliest} ({now} - {window}.)")]
    Expired {
        /// When it was made. All times in ISO 8601's basic format.
        signed_at: String,
        /// The earliest time that would do.
        earliest: String,
        /// The time now.
        now: String,
        /// How far back is allowed: `15 min`.
        window: String,
    },
    /// Its time has not come. AWS tells it under `SignatureDoesNotMatch`.
    #[error(
        "Signature not yet current: {signed_at} is still later than {latest} ({now} + 15 min.)"
    )]
    NotYetCurrent {
        /// When it says it was made.
        signed_at: String,
        /// The latest time that would do.
        latest: String,
        /// The time now.
        now: String,
    },
    /// It leaves out what must be signed, is for another scope, or was computed over something else or
    /// with another key.
    #[error("{0}")]
    SignatureDoesNotMatch(String),
}

impl SigError {
    pub(crate) fn mismatch() -> Self {
        Self::SignatureDoesNotMatch(
            "The request signature we calculated does not match the signature you provided. Check \
             your AWS Secret Access Key and signing method. Consult the service documentation for \
             details."
                .into(),
        )
    }

    pub(crate) fn must_be_signed(header: &str) -> Self {
        let name = if header.eq_ignore_ascii_case("host") {
            "'Host' or ':authority'".into()
        } else {
            format!("'{header}'")
        };
        Self::SignatureDoesNotMatch(format!(
            "{name} must be a 'SignedHeader' in the AWS Authorization."
        ))
    }
}
