//! The errors of the AWS APIs.

use authz::SessionRefused;
use aws_api::berth::ErrorCode as BerthErrorCode;
use aws_api::ecr::ErrorCode;
use aws_api::{CommonError, Protocol, WireError};
use identity::{AuthError, Code};
use registry::Error;
use sigv4::SigError;

use super::{ApiError, INTERNAL, UNAVAILABLE, Unauthenticated};
use crate::body::BodyError;

impl ApiError {
    /// The error as an AWS API answers it.
    pub(crate) fn wire(&self, protocol: Protocol) -> WireError {
        let common = |error: CommonError, message: String| error.with(protocol, message);
        if self.is_unavailable() {
            return common(CommonError::ServiceUnavailable, UNAVAILABLE.to_owned());
        }
        match self {
            ApiError::Denied(refusal) => common(CommonError::AccessDenied, refusal.message.clone()),
            ApiError::Session(refused) => {
                let error = match refused {
                    SessionRefused::InvalidClientTokenId => CommonError::InvalidClientTokenId,
                    SessionRefused::CannotCall(_) => CommonError::AccessDenied,
                };
                common(error, refused.to_string())
            }
            ApiError::Identity(error) => identity_error(error, protocol),
            ApiError::Registry(error) => registry_error(error),
            ApiError::Secrets(error) => error.wire(),
            ApiError::Kms(error) => error.wire(),
            ApiError::Unauthenticated(error) => unauthenticated(error, protocol),
            ApiError::Body(error @ BodyError::TooLong(_)) => {
                common(CommonError::RequestTooLarge, error.to_string())
            }
            ApiError::Body(error @ BodyError::Busy) => {
                common(CommonError::ServiceUnavailable, error.to_string())
            }
            ApiError::Body(error) => common(CommonError::Malformed, error.to_string()),
            ApiError::Degraded(why) => common(CommonError::ServiceUnavailable, (*why).to_owned()),
            // Not a status that SDKs repeat a request after.
            ApiError::ReadOnly(message) => BerthErrorCode::ReadOnlyMode.with(message.clone()),
            ApiError::Wire(error) => error.clone(),
            ApiError::Common(error, message) => common(*error, message.clone()),
            ApiError::Internal(_) => common(CommonError::InternalFailure, INTERNAL.to_owned()),
        }
    }
}

fn identity_error(error: &identity::Error, protocol: Protocol) -> WireError {
    let message = error.to_string();
    match error.code() {
        Code::AccessAnalyzer(code) => {
            let wire = code.with(message);
            match error.reason() {
                Some(reason) => wire.member("reason", reason),
                None => wire,
            }
        }
        Code::Berth(code) => code.with(message),
        Code::Iam(code) => code.with(message),
        Code::Sts(code) => code.with(message),
        Code::Organizations(code) => {
            let wire = code.with(message);
            match error.reason() {
                Some(reason) => wire.member("Reason", reason),
                None => wire,
            }
        }
        Code::Common(code) => code.with(protocol, message),
    }
}

fn unauthenticated(error: &Unauthenticated, protocol: Protocol) -> WireError {
    let (common, message) = match error {
        Unauthenticated::Signature(error) => {
            let common = match error {
                SigError::MissingAuthenticationToken => CommonError::MissingAuthenticationToken,
                SigError::MalformedQueryString(_) => CommonError::MalformedQueryString,
                SigError::IncompleteSignature(_) => CommonError::IncompleteSignature,
                SigError::SignatureDoesNotMatch(_)
                | SigError::Expired { .. }
                | SigError::NotYetCurrent { .. } => CommonError::SignatureDoesNotMatch,
            };
            (common, error.to_string())
        }
        Unauthenticated::Credential(error) => match error {
            AuthError::ExpiredToken => (CommonError::ExpiredToken, error.to_string()),
            AuthError::Internal(_) => (CommonError::InternalFailure, INTERNAL.to_owned()),
            _ => (CommonError::InvalidClientTokenId, error.to_string()),
        },
    };
    common.with(protocol, message)
}

fn registry_error(error: &Error) -> WireError {
    // The model has no error of ECR's for this (AWS, "Common Errors").
    if let Error::Unavailable(_) | Error::NoSpace = error {
        return CommonError::ServiceUnavailable.with(Protocol::Json, error.to_string());
    }
    let wire = registry_code(error).with(error.to_string());
    match error {
        Error::InvalidLayerPart {
            upload_id,
            place,
            last_valid_byte_received,
            ..
        } => wire
            .member("registryId", place.registry_id.as_str())
            .member("repositoryName", place.repository.as_str())
            .member("uploadId", upload_id.as_str())
            // The model's `PartSize` is never negative, also when no byte was received.
            .member("lastValidByteReceived", (*last_valid_byte_received).max(0)),
        _ => wire,
    }
}

/// The registry's errors in the ECR API.
fn registry_code(error: &Error) -> ErrorCode {
    match error {
        Error::RepositoryNotFound(_) => ErrorCode::RepositoryNotFound,
        Error::RepositoryAlreadyExists(_) => ErrorCode::RepositoryAlreadyExists,
        Error::RepositoryNotEmpty(_) => ErrorCode::RepositoryNotEmpty,
        Error::RepositoryPolicyNotFound(_) => ErrorCode::RepositoryPolicyNotFound,
        Error::RegistryPolicyNotFound(_) => ErrorCode::RegistryPolicyNotFound,
        Error::LifecyclePolicyNotFound(_) => ErrorCode::LifecyclePolicyNotFound,
        Error::LifecyclePolicyPreviewNotFound(_) => ErrorCode::LifecyclePolicyPreviewNotFound,
        Error::LifecyclePolicyPreviewInProgress(_) => ErrorCode::LifecyclePolicyPreviewInProgress,
        Error::StorageClassUpdateNotSupported(_) => ErrorCode::ImageStorageClassUpdateNotSupported,
        Error::ScanNotFound { .. } => ErrorCode::ScanNotFound,
        Error::PullThroughCacheRuleNotFound { .. } => ErrorCode::PullThroughCacheRuleNotFound,
        Error::PullThroughCacheRuleAlreadyExists { .. } => {
            ErrorCode::PullThroughCacheRuleAlreadyExists
        }
        Error::UnsupportedUpstreamRegistry(_) => ErrorCode::UnsupportedUpstreamRegistry,
        Error::SecretNotFound(_) => ErrorCode::SecretNotFound,
        Error::UnableToAccessSecret(_) => ErrorCode::UnableToAccessSecret,
        Error::UnableToGetUpstreamImage(_) => ErrorCode::UnableToGetUpstreamImage,
        Error::UnableToGetUpstreamLayer(_) => ErrorCode::UnableToGetUpstreamLayer,
        Error::TemplateNotFound { .. } => ErrorCode::TemplateNotFound,
        Error::TemplateAlreadyExists { .. } => ErrorCode::TemplateAlreadyExists,
        Error::ReplicationBackfillNotFound { .. } => ErrorCode::ReplicationBackfillNotFound,
        Error::ReplicationBackfillInProgress { .. } => ErrorCode::ReplicationBackfillInProgress,
        Error::ReplicationBackfillInvalidStatus { .. } => {
            ErrorCode::ReplicationBackfillInvalidStatus
        }
        Error::SigningConfigurationNotFound(_) => ErrorCode::SigningConfigurationNotFound,
        Error::ExclusionAlreadyExists(_) => ErrorCode::ExclusionAlreadyExists,
        Error::ExclusionNotFound(_) => ErrorCode::ExclusionNotFound,
        Error::InvalidParameter { .. }
        | Error::InvalidConfiguration(_)
        | Error::InvalidUpstream(_)
        | Error::TemplateWithoutRole { .. }
        | Error::InvalidPolicy { .. }
        | Error::PrincipalNotFound(_)
        | Error::Encryption(_)
        | Error::InvalidRepositoryName(_)
        | Error::InvalidManifest(_)
        | Error::ManifestTooLarge(_)
        | Error::InvalidDigest(_)
        | Error::InvalidTag { .. }
        | Error::TagsBesideTag
        | Error::TooManyTagParameters(_)
        | Error::PreconditionFailed { .. }
        | Error::LayerInUse { .. }
        | Error::BodyBroken(_)
        | Error::ImageReferencedByManifestList { .. } => ErrorCode::InvalidParameter,
        Error::InvalidTagParameter(_) => ErrorCode::InvalidTagParameter,
        Error::TooManyTags(_) => ErrorCode::TooManyTags,
        Error::LimitExceeded { .. }
        | Error::TooManyRepositories { .. }
        | Error::TooManyImages { .. }
        | Error::TooManyBytes { .. }
        | Error::TooManyImageTags { .. }
        | Error::LayerTooLarge { .. } => ErrorCode::LimitExceeded,
        Error::Kms(_) => ErrorCode::Kms,
        Error::ImageNotFound { .. } | Error::NotInTagHistory { .. } | Error::ImageDamaged(_) => {
            ErrorCode::ImageNotFound
        }
        Error::ImageAlreadyExists { .. } => ErrorCode::ImageAlreadyExists,
        Error::ImageTagAlreadyExists { .. } => ErrorCode::ImageTagAlreadyExists,
        Error::ImageDigestDoesNotMatch { .. } => ErrorCode::ImageDigestDoesNotMatch,
        Error::LayersNotFound { .. } | Error::LayerNotFound { .. } => ErrorCode::LayersNotFound,
        Error::ReferencedImagesNotFound { .. } => ErrorCode::ReferencedImagesNotFound,
        Error::LayerInaccessible { .. } | Error::LayerDamaged(_) => ErrorCode::LayerInaccessible,
        Error::UploadNotFound { .. } => ErrorCode::UploadNotFound,
        Error::InvalidLayerPart { .. } | Error::UploadBusy(_) => ErrorCode::InvalidLayerPart,
        Error::LayerPartTooSmall { .. } => ErrorCode::LayerPartTooSmall,
        Error::EmptyUpload { .. } => ErrorCode::EmptyUpload,
        Error::InvalidLayer { .. } => ErrorCode::InvalidLayer,
        Error::LayerAlreadyExists { .. } => ErrorCode::LayerAlreadyExists,
        Error::NoSpace | Error::Unavailable(_) | Error::Internal(_) => ErrorCode::Server,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_part_says_where_the_upload_is() {
        let error = |last_valid_byte_received| Error::InvalidLayerPart {
            message: "gap".to_owned(),
            upload_id: "u".to_owned(),
            place: registry::RepositoryRef {
                repository: "app".to_owned(),
                registry_id: "123456789012".parse().unwrap(),
            },
            last_valid_byte_received,
        };
        for (last, sent) in [(3, 3), (-1, 0)] {
            let wire = registry_error(&error(last));
            assert_eq!(
                (wire.code, wire.status.as_u16()),
                ("InvalidLayerPartException", 400)
            );
            assert!(
                wire.members
                    .contains(&("lastValidByteReceived", sent.into())),
                "{wire:?}"
            );
            assert!(wire.members.contains(&("uploadId", "u".into())), "{wire:?}");
        }
    }

    /// GetAuthorizationToken is an operation of ECR that `identity` answers.
    #[test]
    fn identity_errors_have_the_codes_of_the_protocol() {
        let denied = identity::Error::new(CommonError::AccessDenied, "no");
        let sent = |protocol| {
            let wire = identity_error(&denied, protocol);
            (wire.code, wire.status.as_u16())
        };
        assert_eq!(sent(Protocol::Query), ("AccessDenied", 403));
        assert_eq!(sent(Protocol::Json), ("AccessDeniedException", 400));
    }
}
