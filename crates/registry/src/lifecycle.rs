//! Lifecycle policies: rules that delete or archive images of a repository.
//!
//! ```text
//! PutLifecyclePolicy ──► policy::Policy ──► lifecycle_policies, and a job
//! job ──► scan: one Candidate an image ──► select: pure ──► run: small transactions, each image checked again
//! StartLifecyclePolicyPreview ──► job ──► the same scan and selection ──► lifecycle_preview_images
//! ```
//!
//! - `policy`, `pattern`: what a policy says; `schema`, `validation`: AWS's refusals.
//! - `scan`: reads a repository's images page by page.
//! - `select`: which images a policy acts on; pure.
//! - `run`: acts on them; `preview`: says which they are.
//! - `options`: what Berth adds; `events`: the audit events of all this.
//!
//! # Invariants
//! - The transaction that deletes or archives an image finds it as it was selected: the same tags, status
//!   and last pull, and the same policy; else the image is left to the next run. So no tag is lost that was set after the selection.
//! - An image that a list needs is not deleted before the list.
//! - A run holds some words for each image, and no tags; its transactions are of 50 images.

mod events;
mod options;
mod policy;
pub(crate) mod preview;
mod run;
mod scan;
mod schema;
mod select;
mod validation;

pub use crate::tag_pattern::Pattern;
pub use options::Options;
pub use policy::{Action, Count, Policy, Rule, RuleSet, StorageClass, Tags};
pub use select::{Candidate, Selected, select};
