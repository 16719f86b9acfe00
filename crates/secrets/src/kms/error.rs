//! What an operation of KMS can answer instead of its result.

use aws_api::CommonError;
use aws_api::kms::ErrorCode;

/// A refusal or a failure. `Display` is the message that AWS sends.
#[derive(Debug, thiserror::Error)]
pub enum KmsError {
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

impl KmsError {
    pub(crate) fn refused(code: ErrorCode, message: impl Into<String>) -> KmsError {
        KmsError::Refused(code, message.into())
    }

    pub(crate) fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> KmsError {
        KmsError::Internal(cause.into())
    }

    /// Of a key that is not there.
    pub(crate) fn no_key(arn: &str) -> KmsError {
        KmsError::refused(ErrorCode::NotFound, format!("Key '{arn}' does not exist"))
    }

    /// Of an alias that is not there.
    pub(crate) fn no_alias(arn: &str) -> KmsError {
        KmsError::refused(ErrorCode::NotFound, format!("Alias {arn} is not found."))
    }

    /// Of a key whose state does not allow it (KMS developer guide, "Key states of AWS KMS keys").
    pub(crate) fn state(arn: &str, state: &str) -> KmsError {
        match state {
            super::PENDING_DELETION => KmsError::refused(
                ErrorCode::KMSInvalidState,
                format!("{arn} is pending deletion."),
            ),
            _ => KmsError::refused(ErrorCode::Disabled, format!("{arn} is disabled.")),
        }
    }

    /// The error as it is sent.
    #[must_use]
    pub fn wire(&self) -> aws_api::WireError {
        let message = self.to_string();
        let common = |error: CommonError| error.with(aws_api::Protocol::Json, message.clone());
        match self {
            KmsError::Refused(code, _) => code.with(message),
            KmsError::Validation(_) => common(CommonError::Validation),
            KmsError::Unavailable(_) => common(CommonError::ServiceUnavailable),
            KmsError::Internal(_) => ErrorCode::KMSInternal.with(message),
        }
    }

    /// Whether this is the refusal `code`.
    #[must_use]
    pub fn is(&self, code: ErrorCode) -> bool {
        matches!(self, KmsError::Refused(own, _) if *own == code)
    }
}

impl From<store::Error> for KmsError {
    fn from(error: store::Error) -> KmsError {
        match error {
            store::Error::Unavailable(_) => KmsError::Unavailable(Box::new(error)),
            other => KmsError::Internal(Box::new(other)),
        }
    }
}

impl From<aws_types::EntropyError> for KmsError {
    fn from(error: aws_types::EntropyError) -> KmsError {
        KmsError::internal(error)
    }
}

impl From<crate::SealFailed> for KmsError {
    fn from(error: crate::SealFailed) -> KmsError {
        KmsError::internal(error)
    }
}
