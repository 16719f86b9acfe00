//! Events of pulls: gathered in memory, and written in batches beside the requests.
//!
//! Pulls of an image by a principal between two writings are one event with their number, so what is kept is
//! bounded by images and principals, and by [`NOTES_MAX`]. A crash loses what was not written.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use authz::ServiceName;
use jiff::Timestamp;
use store::Scope;

use super::{Event, Pattern, emit};
use crate::{Error, Registry, RepositoryFacts};

/// Notes that wait to be written, about 500 bytes each. A pull that finds no room is counted only.
const NOTES_MAX: usize = 10_000;
/// Events of one transaction.
const EVENTS_AT_ONCE: usize = 500;

/// A repository, an image in it, and a principal.
type Key = (i64, String, Arc<str>);

struct Note {
    repo: RepositoryFacts,
    count: i64,
    last_at: i64,
}

/// The pulls that are to be told.
#[derive(Default)]
pub(crate) struct PullNotes {
    waiting: Mutex<BTreeMap<Key, Note>>,
    forgotten: AtomicU64,
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

    fn take(&self) -> Vec<(Key, Note)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *waiting).into_iter().collect()
    }
}

impl Registry {
    /// Writes the events of the pulls that this node noted. What cannot be written is lost, as a crash loses
    /// it, and counted.
    ///
    /// # Errors
    /// The store's.
    pub async fn write_pull_events(&self, _: ServiceName) -> Result<(), Error> {
        let notes = self.0.pull_notes.take();
        let mut left = notes.len();
        let written = self.write_pull_notes(&notes, &mut left).await;
        let lost = u64::try_from(left).unwrap_or(u64::MAX);
        self.0
            .pull_notes
            .forgotten
            .fetch_add(lost, Ordering::Relaxed);
        written
    }

    async fn write_pull_notes(&self, notes: &[(Key, Note)], left: &mut usize) -> Result<(), Error> {
        for part in notes.chunks(EVENTS_AT_ONCE) {
            let mut tx = self.0.store.write(Scope::System("pull-events")).await?;
            for ((_, digest, principal), note) in part {
                let at = Timestamp::from_millisecond(note.last_at).map_err(Error::internal)?;
                let at = aws_types::time::iso8601(at);
                let event = Event::Pull {
                    digest,
                    principal,
                    count: note.count,
                    last_pulled_at: &at,
                };
                emit(&mut tx.conn(), &note.repo, &event, note.last_at).await?;
            }
            tx.commit().await?;
            *left -= part.len();
        }
        Ok(())
    }

    /// Pulls that no event tells of, since they found no room in memory or in the database.
    #[must_use]
    pub fn forgotten_pull_events(&self) -> u64 {
        self.0.pull_notes.forgotten.load(Ordering::Relaxed)
    }
}
