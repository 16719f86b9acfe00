//! How fast the scrub reads, and what it has read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How often everything is read, and how fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScrubPace {
    /// Every copy is read once in this time; zero: never.
    pub after: Duration,
    /// Bytes a second; zero: as fast as the disk.
    pub bytes_per_second: u64,
}

impl Default for ScrubPace {
    fn default() -> ScrubPace {
        ScrubPace {
            after: Duration::from_secs(30 * 24 * 3600),
            bytes_per_second: 8 << 20,
        }
    }
}

/// What the scrub did since the start, and what is known to be damaged.
#[derive(Debug, Default)]
pub(crate) struct Scrubbed {
    copies: AtomicU64,
    bytes: AtomicU64,
    marked: AtomicU64,
    known: AtomicU64,
}

/// Counters for the server's metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScrubTotals {
    /// Copies that were read.
    pub copies: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Copies that this node found lost or damaged, in whichever way.
    pub marked: u64,
    /// Copies that are known to be lost or damaged now, of all nodes.
    pub known: u64,
}

impl Scrubbed {
    pub(crate) fn note(&self, bytes: u64) {
        self.copies.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn marked(&self) {
        self.marked.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn set_known(&self, known: u64) {
        self.known.store(known, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> ScrubTotals {
        let of = |total: &AtomicU64| total.load(Ordering::Relaxed);
        ScrubTotals {
            copies: of(&self.copies),
            bytes: of(&self.bytes),
            marked: of(&self.marked),
            known: of(&self.known),
        }
    }
}
