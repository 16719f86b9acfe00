//! What an operation can answer instead of its result.

use aws_api::CommonError;
use aws_api::secrets_manager::ErrorCode;

/// A refusal or a failure. `Display` is the message that AWS sends.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Refused, with AWS's code and message.
    #[error("{1}")]
    Refused(ErrorCode, String),
    /// A value that the model allows and the service does not: `ValidationException`.
    #[error("{0}")]
    Validation(String),
    /// The database is locked, overloaded or away.
    #[error("The request has failed due to a temporary failure of the server.")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database, the random source or the sealer failed.
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    pub(crate) fn refused(code: ErrorCode, message: impl Into<String>) -> Error {
        Error::Refused(code, message.into())
    }

    pub(crate) fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::Internal(cause.into())
    }

    /// `ResourceNotFoundException`.
    pub(crate) fn not_found() -> Error {
        let message = "Secrets Manager can't find the specified secret.";
        Error::refused(ErrorCode::ResourceNotFound, message)
    }

    /// Of a secret that is scheduled for deletion.
    pub(crate) fn marked_for_deletion() -> Error {
        let message =
            "You can't perform this operation on the secret because it was marked for deletion.";
        Error::refused(ErrorCode::InvalidRequest, message)
    }

    /// The error as it is sent.
    #[must_use]
    pub fn wire(&self) -> aws_api::WireError {
        let message = self.to_string();
        let common = |error: CommonError| error.with(aws_api::Protocol::Json, message.clone());
        match self {
            Error::Refused(code, _) => code.with(message),
            Error::Validation(_) => common(CommonError::Validation),
            Error::Unavailable(_) => common(CommonError::ServiceUnavailable),
            Error::Internal(_) => ErrorCode::InternalServiceError.with(message),
        }
    }

    /// Whether this is the refusal `code`.
    #[must_use]
    pub fn is(&self, code: ErrorCode) -> bool {
        matches!(self, Error::Refused(own, _) if *own == code)
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Error {
        match error {
            store::Error::Unavailable(_) => Error::Unavailable(Box::new(error)),
            other => Error::Internal(Box::new(other)),
        }
    }
}

impl From<aws_types::EntropyError> for Error {
    fn from(error: aws_types::EntropyError) -> Error {
        Error::internal(error)
    }
}
