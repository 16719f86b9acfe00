//! The clock.

use std::sync::Arc;

use jiff::Timestamp;

/// The time, passed in so that tests can move it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
