//! How large a document may be (docs/semantics.md#44).

use crate::document::size_without_white_space;
use crate::document_kind::DocumentKind;
use crate::error::{PolicyError, PolicyErrorCode};

impl DocumentKind {
    /// The most characters that a document of this kind may have, counted as by
    /// [`DocumentKind::size_of`]; for inline policies, that all of one user, group or role may
    /// have together (UG reference_iam-quotas; docs/semantics.md#44).
    pub fn size_max(self) -> usize {
        match self {
            DocumentKind::Managed | DocumentKind::PermissionsBoundary => 6_144,
            DocumentKind::InlineUser | DocumentKind::Trust | DocumentKind::Session => 2_048,
            DocumentKind::InlineGroup | DocumentKind::ResourceControl => 5_120,
            // SCPs: Organizations UG orgs_reference_limits, since May 2026.
            DocumentKind::InlineRole
            | DocumentKind::ServiceControl
            | DocumentKind::EcrRepository
            | DocumentKind::EcrRegistry => 10_240,
            // Of the services with policies on resources KMS takes the longest, 32 KB (KMS API
            // Reference, PutKeyPolicy); S3 takes 20 KB (S3 User Guide, bucket-policies).
            DocumentKind::Resource => 32_768,
        }
    }

    /// The characters of a document of this kind that count against [`DocumentKind::size_max`].
    ///
    /// IAM leaves white space out. The API of Organizations counts it: only its console removes it
    /// before saving (Organizations UG orgs_reference_limits, "Maximum size of a policy document").
    pub fn size_of(self, source: &str) -> usize {
        match self {
            DocumentKind::ServiceControl | DocumentKind::ResourceControl => source.chars().count(),
            _ => size_without_white_space(source),
        }
    }
}

pub(super) fn check(source: &str, kind: DocumentKind) -> Result<(), PolicyError> {
    let size = kind.size_of(source);
    let max = kind.size_max();
    if size <= max {
        return Ok(());
    }
    let (code, message) = match kind {
        DocumentKind::Managed | DocumentKind::PermissionsBoundary => (
            PolicyErrorCode::LimitExceeded,
            format!("Cannot exceed quota for PolicySize: {max}"),
        ),
        DocumentKind::ServiceControl | DocumentKind::ResourceControl => (
            PolicyErrorCode::ConstraintViolation,
            "You have exceeded the maximum policy size.".to_owned(),
        ),
        DocumentKind::Trust => (
            PolicyErrorCode::LimitExceeded,
            format!("Cannot exceed quota for ACLSizePerRole: {max}"),
        ),
        DocumentKind::Session => (
            PolicyErrorCode::PackedPolicyTooLarge,
            format!(
                "Packed policy consumes {}% of allotted space, please use smaller policy.",
                size * 100 / max
            ),
        ),
        _ => (
            PolicyErrorCode::LimitExceeded,
            format!("Maximum policy size of {max} bytes exceeded"),
        ),
    };
    let counted = match kind {
        DocumentKind::ServiceControl | DocumentKind::ResourceControl => "with white space",
        _ => "without white space",
    };
    let error = PolicyError {
        code,
        message,
        detail: format!("{size} characters {counted}, at most {max} are allowed"),
        position: None,
    };
    Err(error.in_the_words_of(kind))
}
