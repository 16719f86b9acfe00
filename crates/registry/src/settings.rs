//! What a registry is given at its start: limits, randomness, and access to IAM's principals.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use aws_types::{AccountId, Region};

use crate::scrub_pace::ScrubPace;

const MIB: u64 = 1 << 20;

/// Makes a `repositoryUri` of account, region and repository name, without a scheme:
/// `123456789012.dkr.ecr.us-east-1.example.com/team/app`, or `localhost:5000/team/app`.
pub type RepositoryUri = Arc<dyn Fn(&AccountId, &Region, &str) -> String + Send + Sync>;

/// A future that a trait object returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How a principal that a repository policy names is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pinned {
    /// Nothing to pin: an account, a session, a service.
    AsIs,
    /// The unique id of the user or role, which is stored in the ARN's place.
    Id(String),
    /// No such principal: the policy is refused.
    Unknown,
}

/// The principals of repository policies, as IAM knows them. The registry itself
/// knows no IAM: a higher layer implements this.
pub trait Principals: Send + Sync {
    /// What to store for `principal`, an entry of a policy's `"AWS"` list.
    ///
    /// # Errors
    /// A text for the log when the answer cannot be had.
    fn pin<'a>(&'a self, principal: &'a str) -> BoxFuture<'a, Result<Pinned, String>>;

    /// The ARN of a stored unique id; `None` when the entity is gone, whose id is
    /// then shown as it is.
    ///
    /// # Errors
    /// A text for the log when the answer cannot be had.
    fn show<'a>(&'a self, stored: &'a str) -> BoxFuture<'a, Result<Option<String>, String>>;
}

/// For a registry without IAM: every principal is stored as it is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct PrincipalsAsWritten;

impl Principals for PrincipalsAsWritten {
    fn pin<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Pinned, String>> {
        Box::pin(async { Ok(Pinned::AsIs) })
    }

    fn show<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<String>, String>> {
        Box::pin(async { Ok(None) })
    }
}

/// Amazon ECR's service quotas (user guide, "Amazon ECR service quotas"), each adjustable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Repositories of an account in a region.
    pub repositories_max: u64,
    /// Images of a repository.
    pub images_per_repository_max: u64,
    /// Tags of an image.
    pub tags_per_image_max: u64,
    /// Unfinished uploads of a user or role on one node, over all repositories. Not a quota
    /// of ECR's: each is a file.
    pub uploads_per_principal_max: u64,
    /// Unfinished uploads of a repository, of all principals.
    pub uploads_per_repository_max: u64,
    /// Length of a layer in bytes.
    pub layer_bytes_max: u64,
    /// Length of a part of `UploadLayerPart` in bytes.
    pub layer_part_bytes_max: u64,
    /// Length of a part that is not the last one, in bytes.
    pub layer_part_bytes_min: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            repositories_max: 100_000,
            images_per_repository_max: 100_000,
            tags_per_image_max: 1_000,
            uploads_per_principal_max: 1_000,
            uploads_per_repository_max: 10_000,
            layer_bytes_max: 52_000 * MIB,
            layer_part_bytes_max: 20 * MIB,
            layer_part_bytes_min: 5 * MIB,
        }
    }
}

/// What is kept of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryLimits {
    /// Moves of a tag.
    pub moves_per_tag_max: u32,
    /// Moves of all tags of a repository.
    pub moves_per_repository_max: u32,
}

impl Default for HistoryLimits {
    fn default() -> Self {
        HistoryLimits {
            moves_per_tag_max: 1_000,
            moves_per_repository_max: 100_000,
        }
    }
}

/// A registry's settings.
#[derive(Clone)]
pub struct Settings {
    /// How a repository is called by docker clients.
    pub repository_uri: RepositoryUri,
    /// Quotas.
    pub limits: Limits,
    /// What is kept of the past.
    pub history: HistoryLimits,
    /// Memory for cached manifests, in bytes; once for tags, once for digests.
    pub manifest_cache_bytes_max: u64,
    /// How long a layer stays that no image needs. Longer than a push takes: a client that was told that a
    /// layer is there names it later.
    pub collect_after: Duration,
    /// Where backups are written; none are taken where absent.
    pub backup_dir: Option<PathBuf>,
    /// How often every stored copy is read and compared, and how fast.
    pub scrub: ScrubPace,
    /// How long an upload may stay unfinished.
    pub upload_lifetime: Duration,
    /// Other nodes may be uploading into the same blob store, so that a start here
    /// must keep young uploads. False: at the start no other node is running.
    pub shared: bool,
}

impl Settings {
    /// The defaults, with a way to name repositories.
    #[must_use]
    pub fn new(repository_uri: RepositoryUri) -> Self {
        Settings {
            repository_uri,
            limits: Limits::default(),
            history: HistoryLimits::default(),
            manifest_cache_bytes_max: 16 * MIB,
            collect_after: Duration::from_secs(24 * 3600),
            backup_dir: None,
            scrub: ScrubPace::default(),
            upload_lifetime: Duration::from_secs(24 * 3600),
            shared: false,
        }
    }
}
