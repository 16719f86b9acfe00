//! Repositories and images: rows and their statements, one file a resource.
//!
//! Functions take a [`crate::Conn`], so that they serve readers and writers alike, and
//! know no rule: what may be overwritten or deleted is decided by the caller, inside
//! the transaction of [`crate::Scope::Repository`].

pub mod collection;
pub mod damage;
pub mod event;
pub mod event_delivery;
pub mod event_target;
pub mod image;
pub mod image_facts;
pub mod image_status;
pub mod image_tag;
pub mod integrity;
pub mod integrity_check;
pub mod layer;
pub mod lifecycle;
pub mod lifecycle_preview;
pub mod pull;
pub mod pull_through;
pub mod pull_time_exclusion;
pub mod quota;
pub mod referrer;
pub mod registry_policy;
pub mod registry_setting;
pub mod replication;
pub mod replication_backfill;
pub mod replication_peer;
pub mod repository;
pub mod repository_tag;
pub mod repository_template;
pub mod search;
pub mod tag_move;
pub mod upload;
pub mod usage;
