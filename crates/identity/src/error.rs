//! What an operation can answer instead of its result.

use aws_api::{CommonError, access_analyzer, berth, iam, organizations, sts};
use policy::{PolicyError, PolicyErrorCode};

/// AWS's code of a refusal: one of the generated ones, or one that every operation shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// An error of Access Analyzer's model.
    AccessAnalyzer(access_analyzer::ErrorCode),
    /// An error of the model of the service `berth`.
    Berth(berth::ErrorCode),
    /// An error of IAM's model.
    Iam(iam::ErrorCode),
    /// An error of STS's model.
    Sts(sts::ErrorCode),
    /// An error of Organizations' model.
    Organizations(organizations::ErrorCode),
    /// An error that no model lists.
    Common(CommonError),
}

impl Code {
    /// The code as IAM and STS send it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Code::AccessAnalyzer(code) => code.code(),
            Code::Berth(code) => code.code(),
            Code::Iam(code) => code.code(),
            Code::Sts(code) => code.code(),
            Code::Organizations(code) => code.code(),
            Code::Common(code) => code.code(aws_api::Protocol::Query),
        }
    }
}

impl From<access_analyzer::ErrorCode> for Code {
    fn from(code: access_analyzer::ErrorCode) -> Code {
        Code::AccessAnalyzer(code)
    }
}

impl From<berth::ErrorCode> for Code {
    fn from(code: berth::ErrorCode) -> Code {
        Code::Berth(code)
    }
}

impl From<iam::ErrorCode> for Code {
    fn from(code: iam::ErrorCode) -> Code {
        Code::Iam(code)
    }
}

impl From<sts::ErrorCode> for Code {
    fn from(code: sts::ErrorCode) -> Code {
        Code::Sts(code)
    }
}

impl From<organizations::ErrorCode> for Code {
    fn from(code: organizations::ErrorCode) -> Code {
        Code::Organizations(code)
    }
}

impl From<CommonError> for Code {
    fn from(code: CommonError) -> Code {
        Code::Common(code)
    }
}

impl From<PolicyErrorCode> for Code {
    fn from(code: PolicyErrorCode) -> Code {
        match code {
            PolicyErrorCode::MalformedPolicyDocument => {
                iam::ErrorCode::MalformedPolicyDocument.into()
            }
            PolicyErrorCode::LimitExceeded => iam::ErrorCode::LimitExceeded.into(),
            PolicyErrorCode::PackedPolicyTooLarge => sts::ErrorCode::PackedPolicyTooLarge.into(),
            PolicyErrorCode::ConstraintViolation => {
                organizations::ErrorCode::ConstraintViolation.into()
            }
            // A code of ECR, whose documents are parsed elsewhere.
            PolicyErrorCode::InvalidParameter => CommonError::Validation.into(),
        }
    }
}

/// A refusal or a failure of an operation of IAM, STS or Organizations. `Display` is the message that AWS sends; the
/// cause of an [`Error::Internal`] is for the operator's log and reaches no client.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Refused, with AWS's code and message. [`Error::new`] makes one.
    #[error("{1}")]
    Refused(Code, String),
    /// Refused by Organizations or Access Analyzer, with the reason that their errors name in a member of its
    /// own.
    #[error("{message}")]
    Constrained {
        /// AWS's code.
        code: Code,
        /// The member `Reason`, or `reason`.
        reason: &'static str,
        /// AWS's message.
        message: String,
    },
    /// `ServiceUnavailable` (AWS, "Common Errors"): the database is locked, overloaded or away. Worth a
    /// retry. The cause is the error's source.
    #[error("The request has failed due to a temporary failure of the server.")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database or the random source failed, or a stored document cannot be read. The cause is the
    /// error's source.
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// A refusal: `Error::new(iam::ErrorCode::NoSuchEntity, "…")`.
    pub fn new(code: impl Into<Code>, message: impl Into<String>) -> Error {
        Error::Refused(code.into(), message.into())
    }

    /// AWS's error code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Error::Refused(code, _) => *code,
            Error::Constrained { code, .. } => *code,
            Error::Unavailable(_) => CommonError::ServiceUnavailable.into(),
            Error::Internal(_) => CommonError::InternalFailure.into(),
        }
    }

    /// Whether this is the refusal `code`.
    #[must_use]
    pub fn is(&self, code: impl Into<Code>) -> bool {
        matches!(self, Error::Refused(..) | Error::Constrained { .. }) && self.code() == code.into()
    }

    /// The member `Reason` of an error of Organizations, `reason` of one of Access Analyzer.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Error::Constrained { reason, .. } => Some(reason),
            _ => None,
        }
    }

    pub(crate) fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Error::Internal(cause.into())
    }
}

impl From<PolicyError> for Error {
    fn from(refused: PolicyError) -> Error {
        Error::new(refused.code, refused.message)
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Unavailable(_) => Error::Unavailable(Box::new(error)),
            other => Error::Internal(Box::new(other)),
        }
    }
}

/// Why a credential is not accepted. `Display` is AWS's message; the causes of a
/// refusal are told apart by nobody but the log, so that a guess learns nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// `InvalidClientTokenId` (`UnrecognizedClientException` in JSON): no such key, an
    /// inactive one, a token that was not made here, a principal that is gone.
    #[error("The security token included in the request is invalid.")]
    InvalidClientTokenId,
    /// `ExpiredToken` (`ExpiredTokenException` in JSON).
    #[error("The security token included in the request is expired")]
    ExpiredToken,
    /// The look-up itself failed.
    #[error(transparent)]
    Internal(Error),
}

impl From<Error> for AuthError {
    fn from(error: Error) -> Self {
        AuthError::Internal(error)
    }
}

impl From<store::Error> for AuthError {
    fn from(error: store::Error) -> Self {
        AuthError::Internal(error.into())
    }
}

impl From<aws_types::EntropyError> for Error {
    fn from(error: aws_types::EntropyError) -> Self {
        Error::internal(error)
    }
}
