//! Images on the move: between registries, bundles and the stores of other registries.
//!
//! A copy has a [`Source`] and a [`Target`]:
//!
//! ```no_run
//! # async fn example(progress: std::sync::Arc<dyn transfer::Progress>) -> Result<(), transfer::Error> {
//! use std::path::Path;
//! use transfer::{Bundle, Job, Options, Source as _, Stored, copy};
//!
//! let store = Stored::store(Path::new("/var/lib/registry"))?;
//! let bundle = Bundle::create(Path::new("bundle.tar"), None)?;
//! let jobs: Vec<Job> = store
//!     .repositories()
//!     .await?
//!     .into_iter()
//!     .map(|name| Job { into: name.clone(), repository: name, only: Vec::new() })
//!     .collect();
//! let options = Options { concurrency: 4, untagged: false, dry_run: false };
//! let (totals, broken) = copy(&store, &bundle, &jobs, options, &progress).await;
//! if broken.is_none() && totals.all_equal() {
//!     bundle.finish().await?;
//! }
//! # Ok(()) }
//! ```
//!
//! # Invariants
//! - **No layer is in memory, and every byte is checked.** Chunks pass through a digest; a wrong one is an
//!   error in place of the last chunk, so that no target keeps it.
//! - **A bundle and a store are hostile input.** Lists are bounded, names are checked before they become paths
//!   or URLs, and no link is followed.
//! - **Nothing half-copied is named.** Blobs come before manifests, manifests before tags; a bundle's list is
//!   written last.
//! - **A copy that was interrupted goes on when it is run again.** What is there by its digest is passed over.
//!
//! # What is absent
//! Where credentials come from, and any decision about who may do what: registries are called as any client calls
//! them. No deletion at the target.

mod archive;
mod bundle;
mod content;
mod copy;
pub mod ecr;
mod ends;
mod error;
mod files;
mod layout;
mod manifest;
mod names;
mod out;
mod registry;
mod report;
mod repository;
mod stored;
mod stores;
#[cfg(test)]
mod tests;

pub use bundle::{Bundle, Written};
pub use content::Chunks;
pub use copy::{Image, Job, Options, copy, copy_image};
pub use ends::{Reference, Source, Standing, Target};
pub use error::{Error, Result};
pub use layout::{BUNDLE_FILE, Home};
pub use manifest::{Descriptor, MANIFEST_BYTES_MAX, MANIFEST_TYPES, Manifest};
pub use names::{check_repository, check_tag};
pub use registry::{EcrApi, Later, Registry};
pub use report::{Outcome, Progress, State, Totals};
pub use stored::Stored;
