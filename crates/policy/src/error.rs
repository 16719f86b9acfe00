//! Why a document is refused, with AWS's codes and messages.

use std::fmt;

use crate::document_kind::DocumentKind;
use crate::json::Position;

/// The error code that the API answers with; which one depends on the kind of
/// document (IAM, STS and Organizations say `MalformedPolicyDocument`, ECR says
/// `InvalidParameterException`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PolicyErrorCode {
    /// IAM, STS, Organizations: the document breaks the policy language.
    MalformedPolicyDocument,
    /// IAM: the document is larger than its kind may be.
    LimitExceeded,
    /// Organizations: the same.
    ConstraintViolation,
    /// STS: the session policy is larger than 2,048 characters.
    PackedPolicyTooLarge,
    /// ECR: repository and registry policies.
    InvalidParameter,
}

impl PolicyErrorCode {
    /// The code on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            PolicyErrorCode::MalformedPolicyDocument => "MalformedPolicyDocument",
            PolicyErrorCode::LimitExceeded => "LimitExceeded",
            PolicyErrorCode::ConstraintViolation => "ConstraintViolationException",
            PolicyErrorCode::PackedPolicyTooLarge => "PackedPolicyTooLarge",
            PolicyErrorCode::InvalidParameter => "InvalidParameterException",
        }
    }
}

impl fmt::Display for PolicyErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refused document. `Display` is `message`: what AWS would answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PolicyError {
    /// The code the API answers with.
    pub code: PolicyErrorCode,
    /// AWS's wording.
    pub message: String,
    /// What exactly is wrong, for authors of policies; the same text if AWS's wording
    /// says it already. Not part of an AWS answer.
    pub detail: String,
    /// Where in the text, if there is a single cause.
    pub position: Option<Position>,
}

impl PolicyError {
    /// docs/semantics.md#16: a principal that does not exist (or is no principal), in the words of the
    /// document's service. `principal` is the text as it stands in the document.
    pub fn invalid_principal(kind: DocumentKind, principal: &str) -> PolicyError {
        let detail = format!("Invalid principal in policy: \"AWS\":\"{principal}\"");
        let refused = PolicyError {
            code: PolicyErrorCode::MalformedPolicyDocument,
            message: detail.clone(),
            detail,
            position: None,
        };
        refused.in_the_words_of(kind)
    }

    /// ECR has one message for everything that is wrong with a policy.
    pub(crate) fn in_the_words_of(mut self, kind: DocumentKind) -> PolicyError {
        let name = match kind {
            DocumentKind::EcrRepository => "repository",
            DocumentKind::EcrRegistry => "registry",
            _ => return self,
        };
        self.code = PolicyErrorCode::InvalidParameter;
        self.message = format!(
            "Invalid parameter at 'PolicyText' failed to satisfy constraint: \
             'Invalid {name} policy provided'"
        );
        self
    }
}

pub(crate) const SYNTAX: &str = "Syntax errors in policy.";
pub(crate) const LEGACY: &str = "The policy failed legacy parsing";

/// A broken rule, before the service's code and message are chosen.
pub(crate) struct Violation {
    pub message: String,
    pub detail: String,
    pub position: Option<Position>,
}

pub(crate) fn violation(
    message: impl Into<String>,
    detail: impl Into<String>,
    position: Position,
) -> Violation {
    Violation {
        message: message.into(),
        detail: detail.into(),
        position: Some(position),
    }
}

impl Violation {
    pub fn into_error(self, kind: DocumentKind) -> PolicyError {
        let message = match kind {
            // Organizations has one message (API MalformedPolicyDocumentException).
            DocumentKind::ServiceControl | DocumentKind::ResourceControl => {
                "The provided policy document does not meet the requirements of the \
                 specified policy type."
                    .to_owned()
            }
            _ => self.message,
        };
        PolicyError {
            code: PolicyErrorCode::MalformedPolicyDocument,
            message,
            detail: self.detail,
            position: self.position,
        }
        .in_the_words_of(kind)
    }
}
