//! Events of pulls, written in batches beside the requests.

use std::sync::atomic::Ordering;

use authz::ServiceName;
use jiff::Timestamp;
use store::Scope;

use crate::event_notes::{Key, Note};
use crate::events::{Event, emit};
use crate::{Error, Registry};

/// Events of one transaction.
const EVENTS_AT_ONCE: usize = 500;

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
