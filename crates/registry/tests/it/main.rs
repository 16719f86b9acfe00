//! The registry through its public interface, on both databases. Each file is a topic;
//! `world` has what they share.
#![allow(clippy::unwrap_used)]

mod activity;
mod backfills;
mod cache;
mod collection;
mod configuration;
mod damage;
mod encryption;
mod events;
mod history;
mod images;
mod integrity;
mod interleavings;
mod isolation;
mod lifecycle;
mod lifecycle_model;
mod lifecycle_options;
mod lifecycle_race;
mod lifecycle_storage;
mod listing;
mod manifests;
mod model;
mod policies;
mod pull_through;
mod pushes;
mod referrers;
mod replication;
mod replication_peers;
mod repositories;
mod search;
mod templates;
mod unconfigured;
mod uploads;
mod usage;
mod webhooks;
mod world;
