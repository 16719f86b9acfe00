//! Removes the rows of `changes` that belong to deleted repositories.
//!
//! A repository's id is never used twice, so the row of a deleted one changes no more, but another node
//! may not have read it yet. Two rules keep that node's caches right:
//!
//! - Only rows are removed that were there at the run before, an hour earlier. A node reads changes several
//!   times a second, so a node that works has read them.
//! - The transaction that removes rows also writes the row of [`crate::topic::PRUNED`], whose generation is the highest
//!   stamp that was removed. A node that reads it and had read less counts everything as changed.

use crate::{Result, Scope, Store, settings, values};

/// The setting that holds the stamp up to which rows were there at the last run.
const PRUNE_BELOW: &str = "changes_prune_below";

/// Rows that one transaction removes.
const ROWS_AT_ONCE: i64 = 1_000;

impl Store {
    /// Removes the changes of deleted repositories that every working node has read, and says how many.
    /// To be run on one node, at intervals that are much longer than those of [`Store::poll_changes`].
    ///
    /// # Errors
    /// The engine's.
    pub async fn prune_changes(&self) -> Result<u64> {
        let below = {
            let mut read = self.read().await?;
            settings::get(&mut read.conn(), PRUNE_BELOW).await?
        };
        let mut pruned = 0;
        // None: the first run. A text that is no number: as if it were.
        if let Some(below) = below.and_then(|text| text.parse::<i64>().ok()) {
            loop {
                let rows = self.prune_below(below).await?;
                pruned += rows;
                if rows < ROWS_AT_ONCE.unsigned_abs() {
                    break;
                }
            }
        }
        let now = self.poll_stamp().await?;
        let mut tx = self.write(Scope::System("prune-changes")).await?;
        settings::put(&mut tx.conn(), PRUNE_BELOW, &now.to_string()).await?;
        tx.commit().await?;
        Ok(pruned)
    }

    async fn prune_below(&self, below: i64) -> Result<u64> {
        let mut tx = self.write(Scope::System("prune-changes")).await?;
        let rows = tx
            .fetch_all(
                // 12: what follows `repository/`. The cast is not evaluated for other topics.
                "DELETE FROM changes WHERE topic IN (\
                 SELECT topic FROM changes WHERE stamp < $1 AND topic LIKE 'repository/%' \
                 AND NOT EXISTS (SELECT 1 FROM repositories WHERE id = \
                 CASE WHEN topic LIKE 'repository/%' THEN CAST(substr(topic, 12) AS BIGINT) END) \
                 ORDER BY stamp LIMIT $2) RETURNING stamp",
                values![below, ROWS_AT_ONCE],
            )
            .await?;
        let mut highest = None;
        for row in &rows {
            highest = highest.max(Some(row.int(0)?));
        }
        if let Some(highest) = highest {
            tx.note_pruned(highest).await?;
            tx.commit().await?;
        }
        Ok(rows.len() as u64)
    }
}
