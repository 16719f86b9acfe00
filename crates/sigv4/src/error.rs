//! Why a request's signature does not stand.

use thiserror::Error;

/// The texts are AWS's; which code stands beside them is the server's matter.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SigError {
    /// Nothing on the request is a signature.
    #[error("Request is missing Authentication Token")]
    MissingAuthenticationToken,
    /// There is one, and parts of it are absent or malformed.
    #[error("{0}")]
    IncompleteSignature(String),
    /// It was computed over something else, with another key, or for another scope.
    #[error("{0}")]
    SignatureDoesNotMatch(String),
    /// Its time is too long ago.
    #[error("{0}")]
    Expired(String),
    /// Its time has not come.
    #[error("{0}")]
    NotYetCurrent(String),
}
