//! The errors of requests. Domain errors get the code and status of each API here and nowhere else:
//! `aws` has the table of the AWS APIs, `oci` that of the distribution API. Internal causes go to the log
//! under the request's id and never to a client.

mod aws;
mod oci;

use authz::{DecisionRecord, Denial, SessionRefused};
use aws_api::{CommonError, WireError};
use identity::AuthError;
use secrets::kms::KmsError;
use sigv4::SigError;

pub(crate) use oci::{OciEntry, OciError};

use crate::body::BodyError;

/// Why a request was not done.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The authorization step refused.
    Denied(Box<Denial>),
    /// The credentials may never call the operation.
    Session(SessionRefused),
    /// IAM or STS refused or failed.
    Identity(identity::Error),
    /// The registry refused or failed.
    Registry(registry::Error),
    /// The secrets refused or failed.
    Secrets(secrets::Error),
    /// The keys refused or failed.
    Kms(KmsError),
    /// No credentials, or such as are not accepted.
    Unauthenticated(Unauthenticated),
    /// The body could not be read.
    Body(BodyError),
    /// Not served while something cannot be written; the text says what.
    Degraded(&'static str),
    /// The server, or the repository, is read-only; the text says which and why.
    ReadOnly(String),
    /// Already in its wire form.
    Wire(WireError),
    /// A common error whose form depends on the protocol.
    Common(CommonError, String),
    /// A failure of ours.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

/// Why a caller is not known.
#[derive(Debug)]
pub(crate) enum Unauthenticated {
    /// The signature.
    Signature(SigError),
    /// The key or token.
    Credential(AuthError),
}

/// What the logs say of a request that failed.
pub(crate) struct Failure {
    /// The code that the client was sent.
    pub(crate) code: String,
    /// The text that the client was sent.
    pub(crate) message: String,
    /// AWS's name of the error, where `code` is one of the OCI specification.
    pub(crate) exception: Option<&'static str>,
    /// The cause, which the client is not told.
    pub(crate) cause: Option<String>,
    /// The decision that refused the request.
    pub(crate) decided: Option<DecisionRecord>,
}

impl From<identity::Error> for ApiError {
    fn from(error: identity::Error) -> ApiError {
        ApiError::Identity(error)
    }
}

impl From<KmsError> for ApiError {
    fn from(error: KmsError) -> ApiError {
        ApiError::Kms(error)
    }
}

impl From<secrets::Error> for ApiError {
    fn from(error: secrets::Error) -> ApiError {
        ApiError::Secrets(error)
    }
}

impl From<registry::Error> for ApiError {
    fn from(error: registry::Error) -> ApiError {
        // The body was stopped on this side: see `Inbound::stream`.
        if let registry::Error::BodyBroken(cause) = &error
            && let Some(cause) = cause.downcast_ref::<std::io::Error>()
            && cause.kind() == std::io::ErrorKind::StorageFull
        {
            return ApiError::Registry(registry::Error::NoSpace);
        }
        ApiError::Registry(error)
    }
}

impl From<SigError> for ApiError {
    fn from(error: SigError) -> ApiError {
        ApiError::Unauthenticated(Unauthenticated::Signature(error))
    }
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> ApiError {
        ApiError::Unauthenticated(Unauthenticated::Credential(error))
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> ApiError {
        ApiError::Body(error)
    }
}

/// The text for a failure of ours: AWS's own ("Common Errors", InternalFailure).
pub(crate) const INTERNAL: &str =
    "The request processing has failed because of an unknown error, exception or failure.";

/// The text while the database cannot be used: AWS's own ("Common Errors", ServiceUnavailable).
pub(crate) const UNAVAILABLE: &str =
    "The request has failed due to a temporary failure of the server.";
/// When a client may try again, in seconds: a lock or a failover takes about as long.
pub(crate) const RETRY_AFTER_SECONDS: &str = "1";

impl ApiError {
    pub(crate) fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ApiError {
        ApiError::Internal(cause.into())
    }

    /// Whether the database cannot be used now: 503 in each protocol, and worth a retry.
    pub(crate) fn is_unavailable(&self) -> bool {
        match self {
            ApiError::Identity(error)
            | ApiError::Unauthenticated(Unauthenticated::Credential(AuthError::Internal(error))) => {
                matches!(error, identity::Error::Unavailable(_))
            }
            ApiError::Registry(error) => matches!(error, registry::Error::Unavailable(_)),
            ApiError::Secrets(error) => matches!(error, secrets::Error::Unavailable(_)),
            ApiError::Kms(error) => matches!(error, KmsError::Unavailable(_)),
            ApiError::Internal(cause) => matches!(
                cause.downcast_ref::<store::Error>(),
                Some(store::Error::Unavailable(_))
            ),
            _ => false,
        }
    }

    /// The cause that only the log may know.
    pub(crate) fn cause(&self) -> Option<String> {
        match self {
            ApiError::Internal(cause) => Some(chain(&**cause)),
            ApiError::Identity(
                error @ (identity::Error::Internal(_) | identity::Error::Unavailable(_)),
            ) => Some(chain(error)),
            ApiError::Registry(
                error @ (registry::Error::Internal(_) | registry::Error::Unavailable(_)),
            ) => Some(chain(error)),
            ApiError::Unauthenticated(Unauthenticated::Credential(AuthError::Internal(error))) => {
                Some(chain(error))
            }
            ApiError::Kms(error @ (KmsError::Internal(_) | KmsError::Unavailable(_))) => {
                Some(chain(error))
            }
            ApiError::Secrets(
                error @ (secrets::Error::Internal(_) | secrets::Error::Unavailable(_)),
            ) => Some(chain(error)),
            _ => None,
        }
    }

    /// What the authorization step decided, for the audit log.
    pub(crate) fn decision(&self) -> Option<DecisionRecord> {
        match self {
            ApiError::Denied(refusal) => Some(refusal.decision.clone()),
            _ => None,
        }
    }
}

/// An error with its causes, for the log.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
