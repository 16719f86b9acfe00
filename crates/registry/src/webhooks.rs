//! Signed webhooks: the targets of a registry's events, and their queues.
//!
//! `routing` moves what [`crate::events`] has written into a queue for each target, with its body: an event has one
//! id at all targets. `queue` is what the server that sends them asks and tells. `pulls` writes the events of pulls.
//! No secret is in clear here, and nothing is sent: crate `server` seals, signs and calls.

mod pulls;
mod queue;
mod routing;
mod targets;

pub use queue::{EventCounts, FailedChange, Failure, Turn, retry_pause_ms};
pub use routing::envelope;
pub use store::ecr::event::Event as StoredEvent;
pub use store::ecr::event_delivery::Delivery;
pub use store::ecr::event_target::Target;
pub use targets::{NewTarget, TARGETS_MAX, target_arn};
