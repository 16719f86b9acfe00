//! What a node needs to send webhooks: the HTTP client by the rule of all outbound calls, and turns.

mod call;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::Semaphore;

use crate::limits::WEBHOOKS_AT_ONCE;
use crate::outbound::OutboundSettings;
pub(crate) use call::{Answer, Calls};

/// The sender of webhooks.
pub(crate) struct Webhooks {
    pub(crate) calls: Calls,
    /// Targets that are served at once.
    pub(crate) turns: Arc<Semaphore>,
    /// This run of this node, in leases.
    pub(crate) holder: String,
    waiting: AtomicI64,
    failed: AtomicI64,
}

impl Webhooks {
    pub(crate) fn new(settings: &OutboundSettings) -> Result<Self, client::Error> {
        Ok(Webhooks {
            calls: Calls::new(settings)?,
            turns: Arc::new(Semaphore::new(WEBHOOKS_AT_ONCE)),
            holder: uuid::Uuid::new_v4().to_string(),
            waiting: AtomicI64::new(0),
            failed: AtomicI64::new(0),
        })
    }

    /// Whether a URL may be called, as far as it says by itself.
    pub(crate) fn check(&self, url: &str) -> Result<(), client::Error> {
        self.calls.check(url)
    }

    /// Events that wait, and events that were given up, of all targets, as last counted.
    pub(crate) fn queued(&self) -> (i64, i64) {
        (
            self.waiting.load(Ordering::Relaxed),
            self.failed.load(Ordering::Relaxed),
        )
    }

    pub(crate) fn counted(&self, waiting: i64, failed: i64) {
        self.waiting.store(waiting, Ordering::Relaxed);
        self.failed.store(failed, Ordering::Relaxed);
    }
}
