//! What an operation can answer instead of its result.

use policy::PolicyError;

/// A refusal or a failure of an IAM or STS operation. `Display` is the message that AWS
/// sends, [`Error::code`] is its error code; what stands in [`Error::Internal`] is for
/// the operator's log and reaches no client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `NoSuchEntity`.
    #[error("{0}")]
    NoSuchEntity(String),
    /// `EntityAlreadyExists`.
    #[error("{0}")]
    EntityAlreadyExists(String),
    /// `DeleteConflict`: something still depends on the entity.
    #[error("{0}")]
    DeleteConflict(String),
    /// `LimitExceeded`: a quota.
    #[error("{0}")]
    LimitExceeded(String),
    /// `PolicyNotAttachable`: only AWS can attach this policy.
    #[error("{0}")]
    PolicyNotAttachable(String),
    /// `InvalidInput`.
    #[error("{0}")]
    InvalidInput(String),
    /// `ValidationError`: what the model's constraints cannot say.
    #[error("{0}")]
    ValidationError(String),
    /// `InvalidParameterValue`: STS's word for session tags that contradict each other or the
    /// calling session's.
    #[error("{0}")]
    InvalidParameterValue(String),
    /// `UnmodifiableEntity`, `AccessDenied` for what AWS owns.
    #[error("{0}")]
    AccessDenied(String),
    /// `OrganizationNotFoundException`: the account is in no organization.
    #[error("{0}")]
    OrganizationNotFound(String),
    /// `FeatureDisabled`.
    #[error("{0}")]
    FeatureDisabled(String),
    /// `ReportNotPresent`: no credential report was generated. AWS sends no message.
    #[error("")]
    ReportNotPresent,
    /// `InvalidClientTokenId`: credentials that exist and may not do this at all.
    #[error("The security token included in the request is invalid")]
    InvalidClientTokenId,
    /// A refused policy document, with the code and the words of the policy crate.
    #[error("{0}")]
    Policy(#[from] PolicyError),
    /// `PackedPolicyTooLarge`: session policies and tags exceed their packed limit.
    #[error("{0}")]
    PackedPolicyTooLarge(String),
    /// `InvalidAuthorizationMessageException`.
    #[error("{0}")]
    InvalidAuthorizationMessage(String),
    /// `ServiceUnavailable` (AWS, "Common Errors"): the database is locked, overloaded or away. Worth a retry.
    /// The cause is the error's source.
    #[error("The request has failed due to a temporary failure of the server.")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// `ServiceFailure`: the database, the random source, a stored document that cannot
    /// be read. The cause is the error's source.
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// AWS's error code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Error::NoSuchEntity(_) => "NoSuchEntity",
            Error::EntityAlreadyExists(_) => "EntityAlreadyExists",
            Error::DeleteConflict(_) => "DeleteConflict",
            Error::LimitExceeded(_) => "LimitExceeded",
            Error::PolicyNotAttachable(_) => "PolicyNotAttachable",
            Error::InvalidInput(_) => "InvalidInput",
            Error::ValidationError(_) => "ValidationError",
            Error::InvalidParameterValue(_) => "InvalidParameterValue",
            Error::AccessDenied(_) => "AccessDenied",
            Error::OrganizationNotFound(_) => "OrganizationNotFoundException",
            Error::FeatureDisabled(_) => "FeatureDisabled",
            Error::ReportNotPresent => "ReportNotPresent",
            Error::InvalidClientTokenId => "InvalidClientTokenId",
            Error::Policy(refused) => refused.code.as_str(),
            Error::PackedPolicyTooLarge(_) => "PackedPolicyTooLarge",
            Error::InvalidAuthorizationMessage(_) => "InvalidAuthorizationMessageException",
            Error::Unavailable(_) => "ServiceUnavailable",
            Error::Internal(_) => "ServiceFailure",
        }
    }

    pub(crate) fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Error::Internal(cause.into())
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
