//! The ECR API: one function an operation, from the generated request to the
//! generated response. Inputs were validated against the service's model before.

mod account_settings;
mod backfills;
mod exclusions;
mod images;
mod layers;
mod lifecycle;
mod listing;
mod policies;
mod pull_through;
mod replication;
mod repositories;
mod scanning;
mod storage_class;
mod tags;
mod templates;
pub(crate) mod token;
mod unconfigured;

pub use layers::LayerDownload;
