//! Repositories, images, tags, layers and uploads: one domain with two APIs, the
//! Amazon ECR API and the OCI Distribution API, both without HTTP.
//!
//! A push and a pull, by the OCI API:
//!
//! ```text
//! let repo  = registry.repository(&account, &region, "team/app").await?;   // 404 NAME_UNKNOWN
//! let id    = registry.start_upload(&call, &repo).await?;                  // POST   …/blobs/uploads/
//! let size  = registry.append(&call, &repo, &id, None, body).await?;       // PATCH  …/blobs/uploads/<id>
//! let layer = registry.complete_upload(&call, &repo, &id, digest, None, rest).await?; // PUT …?digest=
//! let image = registry.put_manifest(&call, &repo, "v1", media_type, bytes).await?;    // PUT …/manifests/v1
//! let back  = registry.get_manifest(&call, &repo, "v1").await?;            // GET, from memory when warm
//! let (layer, file) = registry.open_blob(&call, &repo, digest).await?;     // GET …/blobs/<digest>
//! ```
//!
//! and the same by the ECR API: `create_repository`, `initiate_layer_upload`,
//! `upload_layer_part`, `complete_layer_upload`, `put_image`, `batch_get_image`, each
//! from the generated request type to the generated response type.
//!
//! # Modules
//! - `repository`, `facts`: what the authorization step needs to know of a repository, cached.
//! - `registry_facts`: the registry's policy and settings, cached and a part of each repository's
//!   facts; `account_setting`, `policy_scope`, `scan_rules` say what the settings mean.
//! - `quotas`: what bounds repositories, images, tags and bytes by account.
//! - `read_only`: whether a repository refuses to be changed.
//! - `templates`: the settings of repositories that a push creates.
//! - `uploads`, `layers`: incoming bytes, and the links that make them reachable;
//!   `open_uploads` counts the unfinished, `kept_uploads` writes them down for other nodes.
//! - `manifest`: what a manifest may say; `push`, `images`: putting, getting, deleting.
//! - `damage`: what is known to be lost or damaged, and how a push repairs it.
//! - `healing`: fetches what is damaged from the registries that it was replicated to.
//! - `integrity`: checks that database and files agree, and repairs.
//! - `foreign_layers`: links them to images that version 0.1 stored.
//! - `lifecycle`: policies that delete and archive images; `storage_class`: archived images.
//! - `events`: what is told to the targets of a registry, written with the change itself.
//! - `webhooks`: targets of events, and their queues; `event_pattern`: which events a target gets.
//! - `pull_through`: repositories whose images come from another registry when they are pulled;
//!   `pull_through_rule`: which repository is cached from where.
//! - `replication`: repeats pushes and deletions at other registries; `replication_rules`: which ones,
//!   `replication_outbox`: what is to be repeated.
//! - `lists`: tags, repositories and referrers of the OCI API.
//! - `ecr/`: the ECR API, one file a topic.
//! - `tag_moves`: the row that each move of a tag leaves; `who`: the principal behind a caller.
//! - `activity`: what was pulled and pushed, counted in memory; `search_terms`: by what an image is found.
//! - `berth/`: the operations of the service `berth` on repositories, one file a topic.
//! - `backups`: backups that are asked for, and what holds the collection meanwhile; `restored`: what rests after one was
//!   restored.
//! - `cache`: what is answered from memory, and why it cannot be stale.
//!
//! # Invariants
//! - A blob is reachable only through a repository that links it. Only finishing an
//!   upload with the bytes, or a mount from a repository that the caller may read,
//!   makes a link; naming a digest never does.
//! - File first, row second: a row never points at bytes that are not on disk.
//! - One writer a repository: what is checked in a transaction holds until it commits.
//! - Absence is never cached, so a new row needs no message to other nodes.
//!
//! # Cost
//! | request | files | transactions |
//! |---|---|---|
//! | start an upload | one created | none |
//! | append a part | one synced | none; one more when the upload passes 16 MiB, and every 64 MiB |
//! | complete an upload | one renamed, its folder synced | one |
//! | put a manifest | none | one |
//! | get a manifest, stat a layer, a repository's facts | none | none when warm, else one read |
//!
//! Memory: manifests, twice 16 MiB by default; 10,000 repositories; 50,000 layers' sizes;
//! 4 MiB of registries' policies and settings; some hundred bytes for each unfinished upload, of which a
//! repository has 10,000 at most.
//!
//! # What is absent
//! No HTTP and no IAM: callers were authorized in a higher layer. Each function that reads or
//! changes a repository's contents takes the proof, [`Authorized`]; the server's own work takes
//! its [`ServiceName`](authz::ServiceName). No SQL: the
//! statements are in `store::ecr`. No clock: the time comes with each [`Authorized`].
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod account_quotas;
mod account_setting;
mod activity;
mod backups;
mod berth;
mod cache;
mod collection;
mod damage;
mod deletion;
mod digest;
mod ecr;
mod encrypted_layers;
mod error;
mod event_notes;
mod event_pattern;
pub mod events;
mod expected;
mod facts;
mod foreign_layers;
mod healing;
mod images;
pub mod integrity;
mod kept_uploads;
mod layer_keys;
mod layers;
pub mod lifecycle;
mod lists;
pub mod manifest;
mod mutability;
mod name;
mod open_uploads;
mod policy_scope;
pub mod pull_through;
mod pull_through_options;
mod pull_through_rule;
mod pulls;
mod push;
mod quotas;
mod read_only;
mod registry;
mod registry_facts;
mod registry_settings;
mod replication;
mod replication_outbox;
mod replication_rules;
mod repository;
mod restored;
mod scan_rules;
mod scrub_pace;
mod search_terms;
mod service_event;
mod settings;
mod short_parts;
mod storage_class;
mod stored_copy;
mod stored_manifest;
mod tag_moves;
mod tag_pattern;
mod templates;
mod upload_id;
mod uploads;
pub mod webhooks;
mod who;

pub use activity::UsageTotals;
pub use authz::Authorized;
pub use backups::BACKUP_JOB;
pub use berth::{Candidate, Download, Place, Search, Step, principal_of};
pub use berth::{NewReplicationPeer, PeerDeletion, peer_arn};
pub use collection::{JOB as COLLECTION_JOB, SUBJECT as COLLECTION_SUBJECT};
pub use ecr::LayerDownload;
pub use error::{Error, RepositoryRef};
pub use expected::{Condition, Expected};
pub use facts::{RepositoryLookup, registry_account};
pub use healing::{
    Content as DamagedContent, Damaged, Healed, JOB as HEALING_JOB, Walk as DamageWalk,
};
pub use images::{DeletedManifest, ManifestPush, PutManifest};
pub use layer_keys::{KeyError, KeyId, LayerKeys, NoKeys};
pub use lists::{Page, Referrer, Referrers};
pub use name::{NameRule, check_repository_name, is_repository_name};
pub use pull_through_options::{FurtherUpstream, Platform, RuleOptions, UpstreamTls};
pub use pull_through_rule::{PullThroughRule, RuleUpstream};
pub use read_only::StoredMode;
pub use registry::Registry;
pub use replication::{
    ReplicaPull, ReplicationChange, ReplicationFailure, ReplicationTarget, ReplicationTask,
    ReplicationWork,
};
pub use repository::RepositoryFacts;
pub use settings::{
    BoxFuture, HistoryLimits, Limits, Pinned, Principals, PrincipalsAsWritten, RepositoryUri,
    Settings,
};
pub use storage_class::RESTORE_IMAGES_JOB;
pub use store::ecr::lifecycle::RUN_JOB as LIFECYCLE_JOB;
pub use store::ecr::lifecycle_preview::PREVIEW_JOB as LIFECYCLE_PREVIEW_JOB;
pub use store::ecr::replication::JOB as REPLICATION_JOB;
pub use store::ecr::replication_backfill::JOB as REPLICATION_BACKFILL_JOB;
pub use store::ecr::replication_peer::{
    JOB as PEER_REPLICATION_JOB, PULL_TIMES_JOB as REPLICA_PULL_TIMES_JOB,
    Peer as ReplicationPeerRow,
};
pub use stored_copy::Layer;
pub use stored_manifest::Manifest;
pub use tag_moves::MoveMethod;
pub use templates::TemplatedRepository;

/// The largest manifest in bytes (ECR API, `ImageManifest`; OCI distribution
/// specification, "Pushing Manifests", asks for 4 MiB at least).
pub const MANIFEST_BYTES_MAX: usize = 4 << 20;
