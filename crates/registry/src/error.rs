//! The registry's errors, in AWS's words.

use std::fmt;

use aws_types::AccountId;
use blobs::{AppendError, FinishError, PutError, StartError};

use crate::name::NameRule;

/// The repository that a refusal is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryRef {
    /// The repository's name.
    pub repository: String,
    /// The account that it belongs to.
    pub registry_id: AccountId,
}

impl fmt::Display for RepositoryRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RepositoryRef {
            repository,
            registry_id,
        } = self;
        write!(
            f,
            "the repository with name '{repository}' in the registry with id '{registry_id}'"
        )
    }
}

/// A refusal. `Display` is the message for the client, in AWS's words where AWS's are known. The
/// server gives it the code and status of each API; the list is exhaustive, so that a new error does
/// not compile without them.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such repository.
    #[error("The repository with name '{}' does not exist in the registry with id '{}'", .0.repository, .0.registry_id)]
    RepositoryNotFound(RepositoryRef),
    /// The name is taken.
    #[error("The repository with name '{}' already exists in the registry with id '{}'", .0.repository, .0.registry_id)]
    RepositoryAlreadyExists(RepositoryRef),
    /// `DeleteRepository` without `force` while images are there.
    #[error("The repository with name '{}' in registry with id '{}' cannot be deleted because it still contains images", .0.repository, .0.registry_id)]
    RepositoryNotEmpty(RepositoryRef),
    /// The repository has no policy.
    #[error("Repository policy does not exist for {0}")]
    RepositoryPolicyNotFound(RepositoryRef),
    /// The repository has no lifecycle policy.
    #[error("Lifecycle policy does not exist for {0}")]
    LifecyclePolicyNotFound(RepositoryRef),
    /// No preview of a lifecycle policy was ever started.
    #[error("Lifecycle policy preview does not exist for {0}")]
    LifecyclePolicyPreviewNotFound(RepositoryRef),
    /// The earlier preview of a lifecycle policy is not complete.
    #[error("A lifecycle policy preview is in progress for {0}")]
    LifecyclePolicyPreviewInProgress(RepositoryRef),
    /// The image cannot change its storage class now.
    #[error("{0}")]
    StorageClassUpdateNotSupported(&'static str),
    /// The image was never scanned.
    #[error("Image scan does not exist for the image with '{{imageDigest:'{}', imageTag:'{}'}}' in {place}", or_null(.digest), or_null(.tag))]
    ScanNotFound {
        /// The digest that was asked for.
        digest: Option<String>,
        /// The tag that was asked for.
        tag: Option<String>,
        /// Where.
        place: RepositoryRef,
    },
    /// No pull through cache rule has this prefix.
    #[error(
        "The pull through cache rule with prefix '{prefix}' does not exist in the registry with id '{registry_id}'"
    )]
    PullThroughCacheRuleNotFound {
        /// What was asked for.
        prefix: String,
        /// The account.
        registry_id: AccountId,
    },
    /// A pull through cache rule has this prefix already.
    #[error(
        "A pull through cache rule with prefix '{prefix}' already exists in the registry with id '{registry_id}'"
    )]
    PullThroughCacheRuleAlreadyExists {
        /// What was asked for.
        prefix: String,
        /// The account.
        registry_id: AccountId,
    },
    /// An upstream registry, or its credentials, that a rule cannot have.
    #[error("{0}")]
    InvalidUpstream(String),
    /// An upstream registry that takes no credentials, or needs some.
    #[error("{0}")]
    UnsupportedUpstreamRegistry(String),
    /// A rule names a secret that is not there.
    #[error("{0}")]
    SecretNotFound(String),
    /// A rule names a secret that it cannot have.
    #[error("{0}")]
    UnableToAccessSecret(String),
    /// An image could not be got from its upstream. The text is of this server.
    #[error("{0}")]
    UnableToGetUpstreamImage(String),
    /// A layer could not be got from its upstream.
    #[error("{0}")]
    UnableToGetUpstreamLayer(String),
    /// No repository creation template has this prefix.
    #[error(
        "The repository creation template with prefix '{prefix}' does not exist in the registry with id '{registry_id}'"
    )]
    TemplateNotFound {
        /// What was asked for.
        prefix: String,
        /// The account.
        registry_id: AccountId,
    },
    /// A repository creation template has this prefix already.
    #[error(
        "The repository creation template with prefix '{prefix}' already exists in the registry with id '{registry_id}'"
    )]
    TemplateAlreadyExists {
        /// The prefix.
        prefix: String,
        /// The account.
        registry_id: AccountId,
    },
    /// A template gives resource tags, which takes a role.
    #[error(
        "The repository cannot be created: the repository creation template with prefix '{prefix}' has resource tags or a key, and no customRoleArn"
    )]
    TemplateWithoutRole {
        /// The template's prefix.
        prefix: String,
    },
    /// No replication backfill has this id.
    #[error(
        "The replication backfill with id '{id}' does not exist in the registry with id '{registry_id}'"
    )]
    ReplicationBackfillNotFound {
        /// What was asked for.
        id: String,
        /// The account.
        registry_id: AccountId,
    },
    /// A replication backfill to the destination's Region runs.
    #[error(
        "A replication backfill is already in progress for the destination Region '{region}'. Wait until it ends, or stop it"
    )]
    ReplicationBackfillInProgress {
        /// The destination's Region.
        region: String,
    },
    /// A replication backfill that cannot be stopped.
    #[error("The replication backfill with id '{id}' cannot be stopped: its status is '{status}'")]
    ReplicationBackfillInvalidStatus {
        /// The backfill.
        id: String,
        /// Its status.
        status: String,
    },
    /// The registry signs no images.
    #[error("Signing configuration does not exist in the registry with id '{0}'")]
    SigningConfigurationNotFound(AccountId),
    /// The principal's pulls are excluded from pull times already.
    #[error("The pull time update exclusion for the principal '{0}' already exists")]
    ExclusionAlreadyExists(String),
    /// The principal's pulls are not excluded from pull times.
    #[error("The pull time update exclusion for the principal '{0}' does not exist")]
    ExclusionNotFound(String),
    /// The registry has no policy.
    #[error("Registry policy does not exist in the registry with id '{0}'")]
    RegistryPolicyNotFound(AccountId),
    /// A parameter that the model allows and the operation does not.
    #[error("Invalid parameter at '{at}' failed to satisfy constraint: '{constraint}'")]
    InvalidParameter {
        /// The member's name.
        at: &'static str,
        /// What it must be.
        constraint: String,
    },
    /// A configuration of the registry that is refused. Amazon ECR names no member.
    #[error("Invalid parameter failed to satisfy constraint: '{0}'")]
    InvalidConfiguration(String),
    /// A repository or registry policy that is refused. The first sentence is Amazon ECR's
    /// (terraform-aws-modules/terraform-aws-ecr#19, pulumi/pulumi-aws#2326); what is wrong
    /// follows it, which Amazon ECR does not say.
    #[error(
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid {kind} policy provided': {reason}"
    )]
    InvalidPolicy {
        /// `repository` or `registry`.
        kind: &'static str,
        /// What is wrong, in the words of the policy language.
        reason: String,
    },
    /// A policy names a user or role that does not exist. Terraform retries on this text
    /// (hashicorp/terraform-provider-aws#39064).
    #[error(
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Principal not found': {0}"
    )]
    PrincipalNotFound(String),
    /// An invalid repository name.
    #[error("Invalid parameter at 'repositoryName' failed to satisfy constraint: '{0}'")]
    InvalidRepositoryName(NameRule),
    /// A resource tag that is refused.
    #[error("{0}")]
    InvalidTagParameter(String),
    /// More than 50 resource tags.
    #[error("Too many tags: a repository may have {0} at most")]
    TooManyTags(usize),
    /// The account has as many repositories in the region as the quota allows.
    #[error(
        "The registry with id '{registry_id}' already has the maximum allowed number of repositories which is '{max}'"
    )]
    TooManyRepositories {
        /// The account.
        registry_id: AccountId,
        /// The quota.
        max: u64,
    },
    /// The repository has as many images as the quota allows.
    #[error(
        "The repository with name '{}' in registry with id '{}' already has the maximum allowed number of images which is '{max}'",
        .place.repository, .place.registry_id
    )]
    TooManyImages {
        /// Where.
        place: RepositoryRef,
        /// The quota.
        max: u64,
    },
    /// The image has as many tags as the quota allows (medic/cht-core#11099).
    #[error(
        "Adding tag '{tag}' to an image in the repository with name '{}' in registry with id '{}' exceeds the maximum allowed number of tags per image which is '{max}'",
        .place.repository, .place.registry_id
    )]
    TooManyImageTags {
        /// The tag that is one too many.
        tag: String,
        /// Where.
        place: RepositoryRef,
        /// The quota.
        max: u64,
    },
    /// The layer exceeds a quota of bytes, which an administrator of the server set.
    #[error(
        "The layer exceeds the maximum allowed number of bytes of {} which is '{max}'",
        bytes_of(.place, *.of_account)
    )]
    TooManyBytes {
        /// Where.
        place: RepositoryRef,
        /// Whether the quota is the account's.
        of_account: bool,
        /// The quota.
        max: u64,
    },
    /// A limit that protects the server is reached.
    #[error("The maximum number of {what} has been reached: {max}")]
    LimitExceeded {
        /// What is counted.
        what: &'static str,
        /// The quota.
        max: u64,
    },
    /// An encryption setting that contradicts itself.
    #[error("{0}")]
    Encryption(&'static str),
    /// A KMS key cannot be used. The text is for the client.
    #[error("{0}")]
    Kms(String),
    /// No such image.
    #[error("The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within {place}", or_null(.digest), or_null(.tag))]
    ImageNotFound {
        /// The digest that was asked for.
        digest: Option<String>,
        /// The tag that was asked for.
        tag: Option<String>,
        /// Where.
        place: RepositoryRef,
    },
    /// The very same push as before (ECR API only; on the OCI API it succeeds).
    #[error("Image with digest '{digest}' and tag '{}' already exists in the repository with name '{}' in registry with id '{}'", or_null(.tag), .place.repository, .place.registry_id)]
    ImageAlreadyExists {
        /// The image's digest.
        digest: String,
        /// The tag, when one was given.
        tag: Option<String>,
        /// Where.
        place: RepositoryRef,
    },
    /// The tag never named the image, as far as its history tells.
    #[error("The image tag '{tag}' has not named the image with digest '{digest}' within {place}")]
    NotInTagHistory {
        /// The tag.
        tag: String,
        /// What was asked for.
        digest: String,
        /// Where.
        place: RepositoryRef,
    },
    /// The tag names another image and must not be moved. Clients match this text, which is
    /// Amazon ECR's since 2025 (osscontainertools/kaniko#204).
    #[error("The image tag '{tag}' already exists in the '{}' repository and cannot be overwritten because the tag is immutable.", .place.repository)]
    ImageTagAlreadyExists {
        /// The tag.
        tag: String,
        /// Where.
        place: RepositoryRef,
    },
    /// `imageDigest`, or the digest in the manifest's URL, is not that of the bytes
    /// (google/go-containerregistry#1568).
    #[error(
        "The image with digest '{given}' in repository '{}' and registry ID '{}' does not match the image digest that Amazon ECR has calculated.",
        .place.repository, .place.registry_id
    )]
    ImageDigestDoesNotMatch {
        /// What the client named.
        given: String,
        /// Where.
        place: RepositoryRef,
    },
    /// The manifest is no longer, or not yet, what the caller requires ([`Expected`]).
    #[error("The manifest of '{reference}' is not the one that If-Match or If-None-Match requires")]
    PreconditionFailed {
        /// The tag or digest.
        reference: String,
    },
    /// The manifest is refused for what it says.
    #[error("Invalid parameter at 'ImageManifest' failed to satisfy constraint: '{0}'")]
    InvalidManifest(String),
    /// The manifest is larger than 4 MiB.
    #[error(
        "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'must have length less than or equal to {0}'"
    )]
    ManifestTooLarge(usize),
    /// The manifest names layers that were not pushed to this repository.
    #[error("{}", layers_missing(.digests, .place))]
    LayersNotFound {
        /// The missing ones.
        digests: Vec<String>,
        /// Where.
        place: RepositoryRef,
    },
    /// The manifest list names images that were not pushed to this repository.
    #[error("{}", images_missing(.digests, .place))]
    ReferencedImagesNotFound {
        /// The missing ones.
        digests: Vec<String>,
        /// Where.
        place: RepositoryRef,
    },
    /// The image is part of a manifest list, which must go first.
    #[error("Requested image referenced by manifest list: [{}]", .parents.join(", "))]
    ImageReferencedByManifestList {
        /// The lists' digests.
        parents: Vec<String>,
    },
    /// No such layer in this repository, whether another one has it or not.
    #[error("The layer with digest '{digest}' does not exist within {place}")]
    LayerNotFound {
        /// What was asked for.
        digest: String,
        /// Where.
        place: RepositoryRef,
    },
    /// The layer belongs to no image yet.
    #[error(
        "The layer with digest '{digest}' within {place} is not available because it is not associated with an image"
    )]
    LayerInaccessible {
        /// What was asked for.
        digest: String,
        /// Where.
        place: RepositoryRef,
    },
    /// The stored bytes of a layer are lost or are not those of its digest.
    #[error(
        "The layer with digest '{0}' is damaged in this registry and cannot be pulled. Push an image that has it again to repair it"
    )]
    LayerDamaged(String),
    /// The stored manifest is not that of its digest.
    #[error(
        "The image with digest '{0}' is damaged in this registry and cannot be pulled. Push it again to repair it"
    )]
    ImageDamaged(String),
    /// An image needs the layer, so it is not deleted.
    #[error("The layer with digest '{digest}' within {place} is part of an image")]
    LayerInUse {
        /// What was to be deleted.
        digest: String,
        /// Where.
        place: RepositoryRef,
    },
    /// An invalid digest.
    #[error("Invalid digest: {0}")]
    InvalidDigest(String),
    /// An invalid tag. The two APIs have different limits of its length.
    #[error(
        "Invalid parameter at 'imageTag' failed to satisfy constraint: 'must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9._-]{{0,{}}}''", .chars_max - 1
    )]
    InvalidTag {
        /// The longest tag that the API accepts.
        chars_max: usize,
    },
    /// Tags beside a push by tag: `?tag=` belongs to a push by digest.
    #[error("The parameter 'tag' is accepted only when the manifest is pushed by its digest")]
    TagsBesideTag,
    /// More `?tag=` parameters than one push may have.
    #[error("A manifest may be pushed with at most {0} tags at once")]
    TooManyTagParameters(usize),
    /// No such upload in this repository: finished, cancelled, expired, or never begun.
    #[error("The upload with id '{upload_id}' does not exist within {place}")]
    UploadNotFound {
        /// What was asked for.
        upload_id: String,
        /// Where.
        place: RepositoryRef,
    },
    /// Another request is writing to the upload now.
    #[error("The upload with id '{0}' is being written by another request")]
    UploadBusy(String),
    /// A part that does not continue the upload, or whose size is wrong.
    #[error("{message}")]
    InvalidLayerPart {
        /// What is wrong.
        message: String,
        /// The upload.
        upload_id: String,
        /// Where.
        place: RepositoryRef,
        /// The last byte that the upload has; -1 when it has none.
        last_valid_byte_received: i64,
    },
    /// A part other than the last was smaller than [`Limits::layer_part_bytes_min`].
    ///
    /// [`Limits::layer_part_bytes_min`]: crate::Limits::layer_part_bytes_min
    #[error("All layer parts except the last part should be at least {}MB", .bytes_min >> 20)]
    LayerPartTooSmall {
        /// The limit in bytes.
        bytes_min: u64,
    },
    /// The layer grew beyond the limit.
    #[error("The layer is larger than {bytes_max} bytes")]
    LayerTooLarge {
        /// The limit.
        bytes_max: u64,
    },
    /// The upload was completed without any byte (ECR API; devcontainers/cli#814).
    #[error(
        "The upload with id '{upload_id}' in the repository with name '{}' in registry with id '{}' cannot be completed because it does not have any parts",
        .place.repository, .place.registry_id
    )]
    EmptyUpload {
        /// The upload.
        upload_id: String,
        /// Where.
        place: RepositoryRef,
    },
    /// The bytes are not those of the digest; the upload is gone
    /// (dotnet/sdk-container-builds#424).
    #[error("None of the provided layer digests match the calculated layer digest")]
    InvalidLayer {
        /// What the client named.
        given: String,
        /// What the bytes are.
        actual: String,
    },
    /// The repository has the layer (ECR API only; on the OCI API it succeeds).
    #[error("The layer with digest '{digest}' already exists within {place}")]
    LayerAlreadyExists {
        /// The digest.
        digest: String,
        /// Where.
        place: RepositoryRef,
    },
    /// The client's body ended early or broke. What came before stays in the upload.
    #[error("The request's body ended before it was complete")]
    BodyBroken(#[source] blobs::BoxError),
    /// No space is left. Nothing half written stays.
    #[error("The registry has no space left")]
    NoSpace,
    /// The database is locked, overloaded or away, or the disk of the layers fails. Worth a retry. The cause is for
    /// the log.
    #[error("The request has failed due to a temporary failure of the server.")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An internal failure. The cause is for the log, not for the client.
    #[error("An internal error occurred")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Missing layers as Amazon ECR names them when a manifest is pushed.
fn layers_missing(digests: &[String], place: &RepositoryRef) -> String {
    missing("Layers", digests, place)
}

/// Missing images of a manifest list (int128/docker-manifest-create-action#63).
fn images_missing(digests: &[String], place: &RepositoryRef) -> String {
    missing("Images", digests, place)
}

fn missing(what: &str, digests: &[String], place: &RepositoryRef) -> String {
    let RepositoryRef {
        repository,
        registry_id,
    } = place;
    format!(
        "{what} with digests '[{}]' required for pushing image into repository with name '{repository}' in the registry with id '{registry_id}' do not exist",
        digests.join(",")
    )
}

fn bytes_of(place: &RepositoryRef, of_account: bool) -> String {
    match of_account {
        true => format!("the registry with id '{}'", place.registry_id),
        false => place.to_string(),
    }
}

fn or_null(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or("null")
}

impl Error {
    #[must_use]
    pub fn parameter(at: &'static str, constraint: impl Into<String>) -> Self {
        Error::InvalidParameter {
            at,
            constraint: constraint.into(),
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
            other => Error::internal(other),
        }
    }
}

impl From<blobs::Error> for Error {
    fn from(error: blobs::Error) -> Self {
        match error {
            blobs::Error::NoSpace => Error::NoSpace,
            // A disk that fails for a moment, or may not be written: clients try again.
            error if error.is_temporary() => Error::Unavailable(Box::new(error)),
            other => Error::internal(other),
        }
    }
}

impl From<StartError> for Error {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Storage(error) => error.into(),
            StartError::Exists(_) => Error::internal(error),
        }
    }
}

impl Error {
    /// A failed append, for the upload `upload_id` at `place`.
    pub(crate) fn append(error: AppendError, place: RepositoryRef) -> Self {
        match error {
            AppendError::Unknown(id) => Error::UploadNotFound {
                upload_id: id.to_string(),
                place,
            },
            AppendError::Busy(id) => Error::UploadBusy(id.to_string()),
            AppendError::Body { source, .. } => Error::BodyBroken(source),
            AppendError::Storage(error) => error.into(),
            AppendError::OffsetMismatch { .. } => Error::internal(error),
        }
    }

    /// A failed completion, likewise.
    pub(crate) fn finish(error: FinishError, place: RepositoryRef) -> Self {
        match error {
            FinishError::Unknown(id) => Error::UploadNotFound {
                upload_id: id.to_string(),
                place,
            },
            FinishError::Busy(id) => Error::UploadBusy(id.to_string()),
            FinishError::DigestMismatch { expected, actual } => Error::InvalidLayer {
                given: expected.to_string(),
                actual: actual.to_string(),
            },
            FinishError::Storage(error) => error.into(),
        }
    }
}

impl From<PutError> for Error {
    fn from(error: PutError) -> Self {
        match error {
            PutError::DigestMismatch { expected, actual } => Error::InvalidLayer {
                given: expected.to_string(),
                actual: actual.to_string(),
            },
            PutError::Body(source) => Error::BodyBroken(source),
            PutError::Storage(error) => error.into(),
        }
    }
}
impl From<aws_types::EntropyError> for Error {
    fn from(error: aws_types::EntropyError) -> Self {
        Error::internal(error)
    }
}
