//! A refusal as each of the two APIs writes it.

use aws_api::ecr::ErrorCode;
use aws_api::{CommonError, Protocol, WireError};

use super::{Error, images_missing, layers_missing};

/// An error of the distribution specification ("Error Codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OciError {
    /// `NAME_UNKNOWN`, `BLOB_UNKNOWN`, …
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
}

/// One entry of the `errors` list of the distribution API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OciEntry {
    /// The text for people.
    pub message: String,
    /// The digest that the entry is about, for the member `detail`.
    pub digest: Option<String>,
}

impl Error {
    /// The error of the ECR API.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Error::RepositoryNotFound(_) => ErrorCode::RepositoryNotFound,
            Error::RepositoryAlreadyExists(_) => ErrorCode::RepositoryAlreadyExists,
            Error::RepositoryNotEmpty(_) => ErrorCode::RepositoryNotEmpty,
            Error::RepositoryPolicyNotFound(_) => ErrorCode::RepositoryPolicyNotFound,
            Error::RegistryPolicyNotFound(_) => ErrorCode::RegistryPolicyNotFound,
            Error::LifecyclePolicyNotFound(_) => ErrorCode::LifecyclePolicyNotFound,
            Error::LifecyclePolicyPreviewNotFound(_) => ErrorCode::LifecyclePolicyPreviewNotFound,
            Error::ScanNotFound { .. } => ErrorCode::ScanNotFound,
            Error::PullThroughCacheRuleNotFound { .. } => ErrorCode::PullThroughCacheRuleNotFound,
            Error::TemplateNotFound { .. } => ErrorCode::TemplateNotFound,
            Error::ReplicationBackfillNotFound { .. } => ErrorCode::ReplicationBackfillNotFound,
            Error::SigningConfigurationNotFound(_) => ErrorCode::SigningConfigurationNotFound,
            Error::ExclusionNotFound(_) => ErrorCode::ExclusionNotFound,
            Error::InvalidParameter { .. }
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
            | Error::TooManyImageTags { .. }
            | Error::LayerTooLarge { .. } => ErrorCode::LimitExceeded,
            Error::Kms(_) => ErrorCode::Kms,
            Error::ImageNotFound { .. } => ErrorCode::ImageNotFound,
            Error::ImageAlreadyExists { .. } => ErrorCode::ImageAlreadyExists,
            Error::ImageTagAlreadyExists { .. } => ErrorCode::ImageTagAlreadyExists,
            Error::ImageDigestDoesNotMatch { .. } => ErrorCode::ImageDigestDoesNotMatch,
            Error::LayersNotFound { .. } | Error::LayerNotFound { .. } => ErrorCode::LayersNotFound,
            Error::ReferencedImagesNotFound { .. } => ErrorCode::ReferencedImagesNotFound,
            Error::LayerInaccessible { .. } => ErrorCode::LayerInaccessible,
            Error::UploadNotFound { .. } => ErrorCode::UploadNotFound,
            Error::InvalidLayerPart { .. } | Error::UploadBusy(_) => ErrorCode::InvalidLayerPart,
            Error::LayerPartTooSmall { .. } => ErrorCode::LayerPartTooSmall,
            Error::EmptyUpload { .. } => ErrorCode::EmptyUpload,
            Error::InvalidLayer { .. } => ErrorCode::InvalidLayer,
            Error::LayerAlreadyExists { .. } => ErrorCode::LayerAlreadyExists,
            Error::NoSpace | Error::Unavailable(_) | Error::Internal(_) => ErrorCode::Server,
        }
    }

    /// The error as the ECR API writes it.
    #[must_use]
    pub fn wire(&self) -> WireError {
        // The model has no error of ECR's for this (AWS, "Common Errors").
        if let Error::Unavailable(_) | Error::NoSpace = self {
            return CommonError::ServiceUnavailable.with(Protocol::Json, self.to_string());
        }
        let wire = self.code().with(self.to_string());
        match self {
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

    /// The error as the distribution API writes it.
    #[must_use]
    pub fn oci(&self) -> OciError {
        let (code, status) = match self {
            Error::RepositoryNotFound(_) => ("NAME_UNKNOWN", 404),
            Error::InvalidRepositoryName(_) => ("NAME_INVALID", 400),
            Error::ImageNotFound { .. } => ("MANIFEST_UNKNOWN", 404),
            Error::LayerNotFound { .. } | Error::LayerInaccessible { .. } => ("BLOB_UNKNOWN", 404),
            Error::ImageTagAlreadyExists { .. } | Error::InvalidTag { .. } => ("TAG_INVALID", 400),
            Error::ImageDigestDoesNotMatch { .. }
            | Error::InvalidDigest(_)
            | Error::InvalidLayer { .. } => ("DIGEST_INVALID", 400),
            Error::InvalidManifest(_) => ("MANIFEST_INVALID", 400),
            Error::ManifestTooLarge(_) => ("SIZE_INVALID", 413),
            Error::LayerTooLarge { .. } => ("SIZE_INVALID", 413),
            Error::LayersNotFound { .. } | Error::ReferencedImagesNotFound { .. } => {
                ("MANIFEST_BLOB_UNKNOWN", 404)
            }
            Error::UploadNotFound { .. } => ("BLOB_UPLOAD_UNKNOWN", 404),
            Error::InvalidLayerPart { .. } => ("BLOB_UPLOAD_INVALID", 416),
            Error::UploadBusy(_) => ("BLOB_UPLOAD_INVALID", 409),
            Error::EmptyUpload { .. } | Error::LayerPartTooSmall { .. } | Error::BodyBroken(_) => {
                ("BLOB_UPLOAD_INVALID", 400)
            }
            Error::ImageReferencedByManifestList { .. } | Error::LayerInUse { .. } => {
                ("UNSUPPORTED", 405)
            }
            Error::LimitExceeded { .. }
            | Error::TooManyImages { .. }
            | Error::TooManyImageTags { .. } => ("DENIED", 403),
            // The specification has no code of its own for this status.
            Error::PreconditionFailed { .. } => ("UNSUPPORTED", 412),
            Error::TagsBesideTag => ("UNSUPPORTED", 400),
            // distribution-spec, "Pushing Manifests".
            Error::TooManyTagParameters(_) => ("SIZE_INVALID", 414),
            // No code of the specification says this; clients go by the status. For a full disk as
            // well: clients repeat a request after 503 (containerd does, and go-containerregistry),
            // and 507 ends their push.
            Error::Unavailable(_) | Error::NoSpace => ("UNAVAILABLE", 503),
            Error::Internal(_) => ("UNKNOWN", 500),
            // None of these comes of an OCI route; a bad request is what they all are.
            Error::RepositoryAlreadyExists(_)
            | Error::RepositoryNotEmpty(_)
            | Error::RepositoryPolicyNotFound(_)
            | Error::RegistryPolicyNotFound(_)
            | Error::LifecyclePolicyNotFound(_)
            | Error::LifecyclePolicyPreviewNotFound(_)
            | Error::ScanNotFound { .. }
            | Error::PullThroughCacheRuleNotFound { .. }
            | Error::TemplateNotFound { .. }
            | Error::ReplicationBackfillNotFound { .. }
            | Error::SigningConfigurationNotFound(_)
            | Error::ExclusionNotFound(_)
            | Error::InvalidParameter { .. }
            | Error::InvalidPolicy { .. }
            | Error::PrincipalNotFound(_)
            | Error::Encryption(_)
            | Error::TooManyRepositories { .. }
            | Error::InvalidTagParameter(_)
            | Error::TooManyTags(_)
            | Error::Kms(_)
            | Error::ImageAlreadyExists { .. }
            | Error::LayerAlreadyExists { .. } => ("UNSUPPORTED", 400),
        };
        OciError { code, status }
    }

    /// The entries of the distribution API's `errors` list. Missing blobs and manifests are
    /// one entry each (distribution-spec, "Push": "one or more `MANIFEST_BLOB_UNKNOWN`
    /// errors"); every other error is one entry.
    #[must_use]
    pub fn oci_entries(&self) -> Vec<OciEntry> {
        let each = |digests: &[String], message: &dyn Fn(&[String]) -> String| {
            let entry = |digest: &String| OciEntry {
                message: message(std::slice::from_ref(digest)),
                digest: Some(digest.clone()),
            };
            digests.iter().map(entry).collect()
        };
        match self {
            Error::LayersNotFound { digests, place } => {
                each(digests, &|one| layers_missing(one, place))
            }
            Error::ReferencedImagesNotFound { digests, place } => {
                each(digests, &|one| images_missing(one, place))
            }
            _ => vec![OciEntry {
                message: self.oci_message(),
                digest: None,
            }],
        }
    }

    /// The message of the distribution API, where Amazon ECR has another one there.
    fn oci_message(&self) -> String {
        match self {
            // ECR user guide, "Amazon ECR error messages": a pull of what is not there.
            Error::ImageNotFound { .. } => "Requested image not found".to_owned(),
            other => other.to_string(),
        }
    }
}
