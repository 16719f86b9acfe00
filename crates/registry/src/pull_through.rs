//! The pull through cache: repositories whose images come from another registry when they are pulled (ECR user
//! guide, "Sync an upstream registry with an Amazon ECR private registry").
//!
//! - `upstreams`: the registries that AWS knows, and what each takes for a credential.
//! - `upstream`: a registry as this crate calls it; a higher layer speaks HTTP.
//! - `asked`: what a pull asks for, of the upstreams of a rule in their order.
//! - `cache`: fetching, once for all who ask at a time.
//! - `pending`: imports that a restart interrupted. `referrers`: what says that it is about an image.
//! - `platforms`: which images of a list are stored.
//! - `import`: storing what was fetched, whole images only.
//!
//! # Invariants
//! - Nothing is linked or tagged before its digest was verified, and an image only once it is complete.
//! - No transaction is open while an upstream is asked.
//! - A digest that differs is an error, never a result.

mod asked;
mod cache;
mod import;
mod lookup;
mod pending;
mod platforms;
mod referrers;
mod upstream;
mod upstreams;

pub use asked::{Asked, FromUpstream, Source, Upstreamed};
pub use cache::{CachedBlob, PullThroughCache};
pub use pending::{IMPORT_JOB, PendingImport};
pub use upstream::{Upstream, UpstreamBlob, UpstreamError, UpstreamManifest};
pub(crate) use upstreams::{check, check_secret, no_rule};
