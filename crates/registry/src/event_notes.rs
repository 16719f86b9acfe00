//! What a process notes about events in memory: pulls that are to be told, and its counters.
//!
//! Pulls of an image by a principal between two writings are one event with their number, so what is kept is
//! bounded by images and principals, and by [`NOTES_MAX`]. A crash loses what was not written.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::RepositoryFacts;
use crate::event_pattern::Pattern;

/// Notes that wait to be written, about 500 bytes each. A pull that finds no room is counted only.
const NOTES_MAX: usize = 10_000;
/// A repository, an image in it, and a principal.
pub(crate) type Key = (i64, String, Arc<str>);

pub(crate) struct Note {
    pub(crate) repo: RepositoryFacts,
    pub(crate) count: i64,
    pub(crate) last_at: i64,
}

/// The pulls that are to be told.
#[derive(Default)]
pub(crate) struct PullNotes {
    waiting: Mutex<BTreeMap<Key, Note>>,
    pub(crate) forgotten: AtomicU64,
}

impl PullNotes {
    /// Notes a pull, if a target asks for pulls of the repository.
    pub(crate) fn note(&self, repo: &RepositoryFacts, digest: &str, principal: &str, now: i64) {
        let patterns = &repo.registry.event_patterns;
        let asks = |pattern: &Pattern| pattern.asks_for_pulls(&repo.name);
        if !patterns.iter().any(asks) {
            return;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (repo.id, digest.to_owned(), Arc::from(principal));
        if let Some(note) = waiting.get_mut(&key) {
            note.count += 1;
            note.last_at = note.last_at.max(now);
            return;
        }
        if waiting.len() >= NOTES_MAX {
            self.forgotten.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let note = Note {
            repo: repo.clone(),
            count: 1,
            last_at: now,
        };
        waiting.insert(key, note);
    }

    pub(crate) fn take(&self) -> Vec<(Key, Note)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *waiting).into_iter().collect()
    }
}

/// What this process did with events, for its metrics.
#[derive(Default)]
pub(crate) struct EventTotals {
    pub(crate) delivered: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) given_up: AtomicU64,
}

impl EventTotals {
    pub(crate) fn gave_up(&self, count: u64) {
        self.given_up.fetch_add(count, Ordering::Relaxed);
    }
}
