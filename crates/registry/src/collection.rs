//! The collection: layers that no image needs leave their repositories, blobs that no repository has are deleted,
//! and so are files that no row names.
//!
//! It runs all the time, in small steps, as a job of one node. A run has four stages, and each goes through its
//! things in the order of their keys:
//!
//! | stage | what it does |
//! |---|---|
//! | `LAYERS` | notes since when no image needs a layer; removes it from its repository after [`collect_after`] |
//! | `BLOBS` | deletes the row of a blob that no repository has, and then its file |
//! | `COUNT` | once a day: counts files that no row names |
//! | `FILES` | deletes them, unless they are suspiciously many |
//!
//! # Why nothing is lost
//! - A push that names a layer, and the removal of the layer, are transactions of one repository, which never
//!   interleave: the removal sees that an image needs the layer, or the push sees that it is gone.
//! - A client that was told that a layer is there may name it later. Whoever asks for a layer that no image
//!   needs begins its time anew ([`collect_after`] is longer than a push takes).
//! - A layer's row refers to its blob's by a foreign key. Whoever links a blob that is deleted at that moment
//!   fails, and stores another copy under a key of its own ([`link`](crate::layers)).
//! - A file is deleted after the commit that removed its row, and its key is never used again. A crash between
//!   the two leaves a file without a row, which a later run finds.
//! - While a backup is taken, no blob is deleted: the backup may not have brought its file yet
//!   ([`backups`](crate::backups)).
//! - A database that was restored from an older backup does not know newer files. Where they are more than a
//!   tenth of all, a run fails and says so; `StartCollection` with `force` deletes them.
//!
//! [`collect_after`]: crate::Settings::collect_after

mod runs;
mod stages;

use std::time::Duration;

use authz::ServiceName;
use jiff::{SignedDuration, Timestamp};
use store::ecr::collection::{self, Run, SCOPE};
use store::settings;

use crate::foreign_layers::LAYERS_ARE_LINKED;
use crate::{Error, Registry};

/// The kind of the job.
pub const JOB: &str = "collect";
/// Its subject: there is one.
pub const SUBJECT: &str = "all";

/// Steps that one turn of the job does.
const STEPS_AT_ONCE: usize = 20;
/// The pause between two turns of a run: other jobs and requests go first.
const TURN_PAUSE: SignedDuration = SignedDuration::from_millis(100);
/// The longest pause between two runs, and the shortest.
const RUN_PAUSE_MAX: Duration = Duration::from_secs(3_600);
const RUN_PAUSE_MIN: Duration = Duration::from_secs(1);
/// How often all files are looked at: a file without a row is what a crash left.
const FILES_EVERY_MS: i64 = 24 * 3_600_000;
/// The setting that says when they were.
const FILES_LOOKED_AT: &str = "collection_files_looked_at";
/// How long to wait for a job that a database of version 0.1 needs first.
const FOREIGN_LAYERS_PAUSE: SignedDuration = SignedDuration::from_secs(2);
/// Runs that are kept for [`Registry::list_collections`].
const RUNS_KEPT: i64 = 1_000;

/// The pause between two runs: a fraction of the time that a layer stays, so that it is soon gone when its time
/// is over.
fn pause_between_runs(collect_after: Duration) -> Duration {
    (collect_after / 24).clamp(RUN_PAUSE_MIN, RUN_PAUSE_MAX)
}

impl Registry {
    /// One turn of the collection; answers when the next is due.
    ///
    /// # Errors
    /// Those of the store and of the blobs. The run goes on where it was.
    pub async fn collect(
        &self,
        service: ServiceName,
        now: Timestamp,
    ) -> Result<SignedDuration, Error> {
        let now = now.as_millisecond();
        let pause = pause_between_runs(self.0.settings.collect_after);
        let pause_ms = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        let pause = SignedDuration::from_millis(pause_ms);
        let (running, latest, files_are_due) = {
            let mut read = self.0.store.read().await?;
            let conn = &mut read.conn();
            if settings::get(conn, LAYERS_ARE_LINKED).await?.is_none() {
                return Ok(FOREIGN_LAYERS_PAUSE);
            }
            let latest = collection::latest(conn).await?;
            let looked_at = settings::get(conn, FILES_LOOKED_AT).await?;
            let looked_at = looked_at.and_then(|at| at.parse::<i64>().ok());
            let is_due = |at: i64| at.saturating_add(FILES_EVERY_MS) <= now;
            let files_are_due = looked_at.is_none_or(is_due);
            (collection::running(conn).await?, latest, files_are_due)
        };
        let mut run = match running {
            Some(run) => run,
            None => {
                let due = latest
                    .and_then(|run| run.ended_at)
                    .map_or(now, |ended| ended.saturating_add(pause_ms));
                if due > now {
                    return Ok(SignedDuration::from_millis(due - now));
                }
                let begun = self.begin_run(false, false, files_are_due, now).await?;
                match begun {
                    Some(run) => run,
                    // Somebody else began one at this moment.
                    None => return Ok(TURN_PAUSE),
                }
            }
        };
        for _ in 0..STEPS_AT_ONCE {
            self.step(service, &mut run, now).await?;
            if !self.save_run(&run).await? {
                tracing::info!(collection = %run.id, "a collection was stopped");
                return Ok(pause);
            }
            if run.ended_at.is_some() {
                self.tell_end(service, &run, now).await?;
                return Ok(pause);
            }
        }
        Ok(TURN_PAUSE)
    }

    async fn save_run(&self, run: &Run) -> Result<bool, Error> {
        let mut tx = self.0.store.write(SCOPE).await?;
        let conn = &mut tx.conn();
        let is_ours = collection::save(conn, run).await?;
        if run.ended_at.is_some() {
            collection::prune(conn, RUNS_KEPT).await?;
        }
        tx.commit().await?;
        Ok(is_ours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_begins_soon_after_a_layers_time_is_over() {
        for (after, pause) in [
            (0, 1),
            (10, 1),
            (2_400, 100),
            (86_400, 3_600),
            (864_000, 3_600),
        ] {
            let found = pause_between_runs(Duration::from_secs(after));
            assert_eq!(found.as_secs(), pause, "{after}");
        }
    }
}
