//! When images were last pulled, recorded from time to time.
//!
//! ECR refreshes `lastRecordedPullTime` at least once every 24 hours; here it is
//! recorded at most once an hour for each image, in memory first, and written by
//! [`crate::Registry::maintain`], never by a pull.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

/// How old a recorded time must be to be replaced.
const INTERVAL_MS: i64 = 3_600_000;
/// Images whose pulls wait to be written. Beyond it they are forgotten: the next pull
/// after the next writing counts again.
const PENDING_MAX: usize = 100_000;

#[derive(Default)]
pub(crate) struct Pulls {
    pending: Mutex<HashMap<i64, i64>>,
}

impl Pulls {
    /// Notes a pull of the image; `recorded` is when one was last noted.
    pub(crate) fn note(&self, image_id: i64, recorded: &AtomicI64, now: i64) {
        let last = recorded.load(Ordering::Relaxed);
        if now.saturating_sub(last) < INTERVAL_MS {
            return;
        }
        if recorded
            .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
        {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            if pending.len() < PENDING_MAX {
                pending.insert(image_id, now);
            }
        }
    }

    /// Whether a pull of the image waits to be written.
    pub(crate) fn has(&self, image_id: i64) -> bool {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.contains_key(&image_id)
    }

    /// Takes what is to be written.
    pub(crate) fn take(&self) -> Vec<(i64, i64)> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken: Vec<_> = pending.drain().collect();
        // In one order everywhere, so that two nodes never wait for each other's rows.
        taken.sort_unstable();
        taken
    }
}
