//! The errors of the distribution API (OCI Distribution, "Error Codes").

use authz::DecisionRecord;
use aws_api::{CommonError, ErrorStatus, Protocol};
use http::header;
use registry::Error;

use super::{ApiError, Failure, INTERNAL, RETRY_AFTER_SECONDS, UNAVAILABLE};
use crate::body::BodyError;

/// One entry of the `errors` list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OciEntry {
    /// The text for people.
    pub(crate) message: String,
    /// The digest that the entry is about, for the member `detail`.
    pub(crate) digest: Option<String>,
}

/// An error in the registry's form.
#[derive(Debug)]
pub(crate) struct OciError {
    pub(crate) status: ErrorStatus,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// The entries of the answer's `errors`, where they say more than `message`.
    pub(crate) entries: Vec<OciEntry>,
    /// Headers that tell the client how to go on.
    pub(crate) headers: Vec<(header::HeaderName, String)>,
    pub(crate) decided: Option<Box<DecisionRecord>>,
    /// AWS's name of the error, for the audit log.
    pub(crate) exception: Option<&'static str>,
    pub(crate) cause: Option<String>,
}

impl OciError {
    pub(crate) fn new(
        status: ErrorStatus,
        code: &'static str,
        message: impl Into<String>,
    ) -> OciError {
        OciError {
            status,
            code,
            message: message.into(),
            entries: Vec::new(),
            headers: Vec::new(),
            decided: None,
            exception: None,
            cause: None,
        }
    }

    pub(crate) fn header(mut self, name: header::HeaderName, value: impl Into<String>) -> OciError {
        self.headers.push((name, value.into()));
        self
    }
}

impl From<OciError> for Failure {
    fn from(error: OciError) -> Failure {
        Failure {
            code: error.code.to_owned(),
            message: error.message,
            exception: error.exception,
            cause: error.cause,
            decided: error.decided.map(|decided| *decided),
        }
    }
}

impl From<registry::Error> for OciError {
    fn from(error: registry::Error) -> OciError {
        ApiError::from(error).into()
    }
}

impl From<BodyError> for OciError {
    fn from(error: BodyError) -> OciError {
        ApiError::from(error).into()
    }
}

impl From<ApiError> for OciError {
    fn from(fail: ApiError) -> OciError {
        let (cause, decided) = (fail.cause(), fail.decision());
        let mut oci = match &fail {
            fail if fail.is_unavailable() => {
                OciError::new(ErrorStatus::SERVICE_UNAVAILABLE, "UNAVAILABLE", UNAVAILABLE)
                    .header(header::RETRY_AFTER, RETRY_AFTER_SECONDS)
            }
            ApiError::Denied(refusal) => {
                OciError::new(ErrorStatus::FORBIDDEN, "DENIED", &refusal.message)
            }
            ApiError::Registry(error) => {
                let (code, status) = registry_code(error);
                let mut fail = OciError::new(status, code, error.to_string());
                fail.entries = registry_entries(error);
                match error {
                    _ if status == ErrorStatus::SERVICE_UNAVAILABLE => {
                        fail.header(header::RETRY_AFTER, RETRY_AFTER_SECONDS)
                    }
                    // A 410 may be cached (RFC 9110, section 15.5.11), and this one ends with the next push.
                    Error::LayerDamaged(_) | Error::ImageDamaged(_) => {
                        fail.header(header::CACHE_CONTROL, "no-store")
                    }
                    _ => fail,
                }
            }
            ApiError::Body(error @ BodyError::TooLong(_)) => OciError::new(
                ErrorStatus::CONTENT_TOO_LARGE,
                "SIZE_INVALID",
                error.to_string(),
            ),
            ApiError::Body(error @ BodyError::Stalled) => OciError::new(
                ErrorStatus::REQUEST_TIMEOUT,
                "BLOB_UPLOAD_INVALID",
                error.to_string(),
            ),
            ApiError::Body(error @ BodyError::Busy) => {
                let fail = OciError::new(
                    ErrorStatus::SERVICE_UNAVAILABLE,
                    "TOOMANYREQUESTS",
                    error.to_string(),
                );
                fail.header(header::RETRY_AFTER, RETRY_AFTER_SECONDS)
            }
            ApiError::Body(error) => OciError::new(
                ErrorStatus::BAD_REQUEST,
                "BLOB_UPLOAD_INVALID",
                error.to_string(),
            ),
            ApiError::Degraded(why) => {
                let fail = OciError::new(ErrorStatus::SERVICE_UNAVAILABLE, "UNAVAILABLE", *why);
                fail.header(header::RETRY_AFTER, "1")
            }
            // Clients show the message of a 403, and do not try again.
            ApiError::ReadOnly(message) => OciError::new(ErrorStatus::FORBIDDEN, "DENIED", message),
            ApiError::Session(refused) => {
                OciError::new(ErrorStatus::FORBIDDEN, "DENIED", refused.to_string())
            }
            ApiError::Common(CommonError::Throttling, message) => {
                // ECR user guide, "Amazon ECR error messages".
                let status = ErrorStatus::of::<429>();
                let fail = OciError::new(status, "TOOMANYREQUESTS", message);
                fail.header(header::RETRY_AFTER, RETRY_AFTER_SECONDS)
            }
            ApiError::Common(_, message) => {
                OciError::new(ErrorStatus::BAD_REQUEST, "UNSUPPORTED", message)
            }
            ApiError::Wire(error) => OciError::new(error.status, "UNSUPPORTED", &error.message),
            ApiError::Identity(_)
            | ApiError::Secrets(_)
            | ApiError::Kms(_)
            | ApiError::Unauthenticated(_)
            | ApiError::Internal(_) => {
                OciError::new(ErrorStatus::INTERNAL_SERVER_ERROR, "UNKNOWN", INTERNAL)
            }
        };
        oci.cause = cause;
        oci.exception = Some(fail.wire(Protocol::Json).code);
        oci.decided = decided.map(Box::new);
        oci
    }
}

/// The registry's errors in the distribution API.
fn registry_code(error: &Error) -> (&'static str, ErrorStatus) {
    match error {
        Error::RepositoryNotFound(_) => ("NAME_UNKNOWN", ErrorStatus::NOT_FOUND),
        Error::InvalidRepositoryName(_) => ("NAME_INVALID", ErrorStatus::BAD_REQUEST),
        Error::ImageNotFound { .. } | Error::NotInTagHistory { .. } => {
            ("MANIFEST_UNKNOWN", ErrorStatus::NOT_FOUND)
        }
        Error::LayerNotFound { .. } | Error::LayerInaccessible { .. } => {
            ("BLOB_UNKNOWN", ErrorStatus::NOT_FOUND)
        }
        // A code of what is absent, since it is to be pushed; no 404, whose message some clients do not show
        // (containerd's fetcher), and no 5xx, which others try again (go-containerregistry).
        Error::LayerDamaged(_) => ("BLOB_UNKNOWN", ErrorStatus::of::<410>()),
        Error::ImageDamaged(_) => ("MANIFEST_UNKNOWN", ErrorStatus::of::<410>()),
        Error::ImageTagAlreadyExists { .. } | Error::InvalidTag { .. } => {
            ("TAG_INVALID", ErrorStatus::BAD_REQUEST)
        }
        Error::ImageDigestDoesNotMatch { .. }
        | Error::InvalidDigest(_)
        | Error::InvalidLayer { .. } => ("DIGEST_INVALID", ErrorStatus::BAD_REQUEST),
        Error::InvalidManifest(_) => ("MANIFEST_INVALID", ErrorStatus::BAD_REQUEST),
        Error::ManifestTooLarge(_) => ("SIZE_INVALID", ErrorStatus::CONTENT_TOO_LARGE),
        Error::LayerTooLarge { .. } => ("SIZE_INVALID", ErrorStatus::CONTENT_TOO_LARGE),
        Error::LayersNotFound { .. } | Error::ReferencedImagesNotFound { .. } => {
            ("MANIFEST_BLOB_UNKNOWN", ErrorStatus::NOT_FOUND)
        }
        Error::UploadNotFound { .. } => ("BLOB_UPLOAD_UNKNOWN", ErrorStatus::NOT_FOUND),
        Error::InvalidLayerPart { .. } => {
            ("BLOB_UPLOAD_INVALID", ErrorStatus::RANGE_NOT_SATISFIABLE)
        }
        Error::UploadBusy(_) => ("BLOB_UPLOAD_INVALID", ErrorStatus::CONFLICT),
        Error::EmptyUpload { .. } | Error::LayerPartTooSmall { .. } | Error::BodyBroken(_) => {
            ("BLOB_UPLOAD_INVALID", ErrorStatus::BAD_REQUEST)
        }
        Error::ImageReferencedByManifestList { .. } | Error::LayerInUse { .. } => {
            ("UNSUPPORTED", ErrorStatus::METHOD_NOT_ALLOWED)
        }
        Error::Kms(_)
        | Error::LimitExceeded { .. }
        | Error::TemplateWithoutRole { .. }
        | Error::TooManyRepositories { .. }
        | Error::TooManyBytes { .. }
        | Error::TooManyImages { .. }
        | Error::TooManyImageTags { .. } => ("DENIED", ErrorStatus::FORBIDDEN),
        // The specification has no code of its own for this status.
        Error::PreconditionFailed { .. } => ("UNSUPPORTED", ErrorStatus::PRECONDITION_FAILED),
        Error::TagsBesideTag => ("UNSUPPORTED", ErrorStatus::BAD_REQUEST),
        // distribution-spec, "Pushing Manifests".
        Error::TooManyTagParameters(_) => ("SIZE_INVALID", ErrorStatus::URI_TOO_LONG),
        // No code of the specification says this; clients go by the status. For a full disk as
        // well: clients repeat a request after 503 (containerd does, and go-containerregistry),
        // and 507 ends their push.
        Error::Unavailable(_) | Error::NoSpace => ("UNAVAILABLE", ErrorStatus::SERVICE_UNAVAILABLE),
        Error::Internal(_) => ("UNKNOWN", ErrorStatus::INTERNAL_SERVER_ERROR),
        // None of these comes of an OCI route; a bad request is what they all are.
        Error::RepositoryAlreadyExists(_)
        | Error::RepositoryNotEmpty(_)
        | Error::RepositoryPolicyNotFound(_)
        | Error::RegistryPolicyNotFound(_)
        | Error::LifecyclePolicyNotFound(_)
        | Error::LifecyclePolicyPreviewNotFound(_)
        | Error::LifecyclePolicyPreviewInProgress(_)
        | Error::StorageClassUpdateNotSupported(_)
        | Error::ScanNotFound { .. }
        | Error::PullThroughCacheRuleNotFound { .. }
        | Error::PullThroughCacheRuleAlreadyExists { .. }
        | Error::InvalidUpstream(_)
        | Error::UnsupportedUpstreamRegistry(_)
        | Error::SecretNotFound(_)
        | Error::UnableToAccessSecret(_)
        | Error::UnableToGetUpstreamImage(_)
        | Error::UnableToGetUpstreamLayer(_)
        | Error::TemplateNotFound { .. }
        | Error::TemplateAlreadyExists { .. }
        | Error::ReplicationBackfillNotFound { .. }
        | Error::ReplicationBackfillInProgress { .. }
        | Error::ReplicationBackfillInvalidStatus { .. }
        | Error::SigningConfigurationNotFound(_)
        | Error::ExclusionAlreadyExists(_)
        | Error::ExclusionNotFound(_)
        | Error::InvalidConfiguration(_)
        | Error::InvalidParameter { .. }
        | Error::InvalidPolicy { .. }
        | Error::PrincipalNotFound(_)
        | Error::Encryption(_)
        | Error::InvalidTagParameter(_)
        | Error::TooManyTags(_)
        | Error::ImageAlreadyExists { .. }
        | Error::LayerAlreadyExists { .. } => ("UNSUPPORTED", ErrorStatus::BAD_REQUEST),
    }
}

/// The entries of the `errors` list. Missing blobs and manifests are one entry each (distribution-spec,
/// "Push": "one or more `MANIFEST_BLOB_UNKNOWN` errors"); every other error is one entry.
fn registry_entries(error: &Error) -> Vec<OciEntry> {
    let each = |digests: &[String], only: &dyn Fn(Vec<String>) -> Error| {
        let entry = |digest: &String| OciEntry {
            message: only(vec![digest.clone()]).to_string(),
            digest: Some(digest.clone()),
        };
        digests.iter().map(entry).collect()
    };
    match error {
        Error::LayersNotFound { digests, place } => each(digests, &|digests| {
            let place = place.clone();
            Error::LayersNotFound { digests, place }
        }),
        Error::ReferencedImagesNotFound { digests, place } => each(digests, &|digests| {
            let place = place.clone();
            Error::ReferencedImagesNotFound { digests, place }
        }),
        other => {
            let message = match other {
                // ECR user guide, "Amazon ECR error messages": a pull of what is not there.
                Error::ImageNotFound { .. } => "Requested image not found".to_owned(),
                other => other.to_string(),
            };
            vec![OciEntry {
                message,
                digest: None,
            }]
        }
    }
}

#[cfg(test)]
mod tests {
    use registry::{NameRule, RepositoryRef};

    use super::*;

    fn place() -> RepositoryRef {
        RepositoryRef {
            repository: "app".to_owned(),
            registry_id: "123456789012".parse().unwrap(),
        }
    }

    /// Code and status as the distribution API sends them, and the name of the ECR API for the audit log.
    #[test]
    fn registry_errors_have_the_codes_of_both_apis() {
        let (digest, tag) = (|| "sha256:00".to_owned(), || "v1".to_owned());
        let table = [
            (
                Error::RepositoryNotFound(place()),
                "NAME_UNKNOWN",
                404,
                "RepositoryNotFoundException",
            ),
            (
                Error::ImageNotFound {
                    digest: None,
                    tag: Some(tag()),
                    place: place(),
                },
                "MANIFEST_UNKNOWN",
                404,
                "ImageNotFoundException",
            ),
            (
                Error::LayerNotFound {
                    digest: digest(),
                    place: place(),
                },
                "BLOB_UNKNOWN",
                404,
                "LayersNotFoundException",
            ),
            (
                Error::LayerInaccessible {
                    digest: digest(),
                    place: place(),
                },
                "BLOB_UNKNOWN",
                404,
                "LayerInaccessibleException",
            ),
            (
                Error::ImageTagAlreadyExists {
                    tag: tag(),
                    place: place(),
                },
                "TAG_INVALID",
                400,
                "ImageTagAlreadyExistsException",
            ),
            (
                Error::InvalidTag { chars_max: 128 },
                "TAG_INVALID",
                400,
                "InvalidParameterException",
            ),
            (
                Error::InvalidRepositoryName(NameRule::TooLong),
                "NAME_INVALID",
                400,
                "InvalidParameterException",
            ),
            (
                Error::InvalidDigest(digest()),
                "DIGEST_INVALID",
                400,
                "InvalidParameterException",
            ),
            (
                Error::InvalidLayer {
                    given: digest(),
                    actual: digest(),
                },
                "DIGEST_INVALID",
                400,
                "InvalidLayerException",
            ),
            (
                Error::ImageDigestDoesNotMatch {
                    given: digest(),
                    place: place(),
                },
                "DIGEST_INVALID",
                400,
                "ImageDigestDoesNotMatchException",
            ),
            (
                Error::InvalidManifest(tag()),
                "MANIFEST_INVALID",
                400,
                "InvalidParameterException",
            ),
            (
                Error::ManifestTooLarge(4),
                "SIZE_INVALID",
                413,
                "InvalidParameterException",
            ),
            (
                Error::LayerTooLarge { bytes_max: 4 },
                "SIZE_INVALID",
                413,
                "LimitExceededException",
            ),
            (
                Error::LayersNotFound {
                    digests: vec![digest()],
                    place: place(),
                },
                "MANIFEST_BLOB_UNKNOWN",
                404,
                "LayersNotFoundException",
            ),
            (
                Error::ReferencedImagesNotFound {
                    digests: vec![digest()],
                    place: place(),
                },
                "MANIFEST_BLOB_UNKNOWN",
                404,
                "ReferencedImagesNotFoundException",
            ),
            (
                Error::UploadNotFound {
                    upload_id: tag(),
                    place: place(),
                },
                "BLOB_UPLOAD_UNKNOWN",
                404,
                "UploadNotFoundException",
            ),
            (
                Error::UploadBusy(tag()),
                "BLOB_UPLOAD_INVALID",
                409,
                "InvalidLayerPartException",
            ),
            (
                Error::LayerInUse {
                    digest: digest(),
                    place: place(),
                },
                "UNSUPPORTED",
                405,
                "InvalidParameterException",
            ),
            (
                Error::ImageReferencedByManifestList {
                    parents: vec![digest()],
                },
                "UNSUPPORTED",
                405,
                "InvalidParameterException",
            ),
            (
                Error::LimitExceeded {
                    what: "uploads",
                    max: 4,
                },
                "DENIED",
                403,
                "LimitExceededException",
            ),
            (
                Error::TooManyImageTags {
                    tag: tag(),
                    place: place(),
                    max: 3,
                },
                "DENIED",
                403,
                "LimitExceededException",
            ),
            (
                Error::PreconditionFailed { reference: tag() },
                "UNSUPPORTED",
                412,
                "InvalidParameterException",
            ),
            (
                Error::TagsBesideTag,
                "UNSUPPORTED",
                400,
                "InvalidParameterException",
            ),
            (
                Error::TooManyTagParameters(100),
                "SIZE_INVALID",
                414,
                "InvalidParameterException",
            ),
            (
                Error::NoSpace,
                "UNAVAILABLE",
                503,
                "ServiceUnavailableException",
            ),
            (
                Error::Internal("a secret path".into()),
                "UNKNOWN",
                500,
                "ServerException",
            ),
        ];
        for (error, code, status, exception) in table {
            let name = format!("{error:?}");
            let sent = OciError::from(error);
            assert_eq!((sent.code, sent.status.as_u16()), (code, status), "{name}");
            assert_eq!(sent.exception, Some(exception), "{name}");
            assert!(!sent.message.contains("secret path"));
            let retry = sent
                .headers
                .iter()
                .any(|(name, _)| name == header::RETRY_AFTER);
            assert_eq!(retry, status == 503, "{name}");
        }
    }

    #[test]
    fn names_each_missing_blob_in_an_entry() {
        let digests = vec!["sha256:00".to_owned(), "sha256:01".to_owned()];
        let entries = registry_entries(&Error::LayersNotFound {
            digests: digests.clone(),
            place: place(),
        });
        let named: Vec<_> = entries
            .iter()
            .filter_map(|entry| entry.digest.clone())
            .collect();
        assert_eq!(named, digests);
        assert!(
            entries[1]
                .message
                .starts_with("Layers with digests '[sha256:01]' required"),
            "{entries:?}"
        );
    }
}
