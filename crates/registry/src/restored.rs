//! What rests after the database was restored from a backup, until an operator has looked at it: the collection,
//! lifecycle policies, replication, refreshes of the pull through cache, webhooks, and what else deletes by itself.
//!
//! What was deleted or changed after the backup is there again, and none of this work must act on it before a person
//! has looked.

use aws_api::berth;
use jiff::Timestamp;
use serde::Deserialize;
use store::restore::PENDING;
use store::{Scope, jobs, settings};

use crate::collection::{JOB, SUBJECT};
use crate::{Authorized, Error, Registry};

const SCOPE: Scope<'static> = Scope::System("restore");

/// The setting, as `berth restore` writes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pending {
    backup_id: String,
    taken_at: i64,
    restored_at: i64,
}

fn shown(text: &str) -> Result<berth::Restore, Error> {
    let pending: Pending = serde_json::from_str(text).map_err(Error::internal)?;
    let time = |at: i64| Timestamp::from_millisecond(at).map_err(Error::internal);
    Ok(berth::Restore {
        backup_id: pending.backup_id,
        taken_at: time(pending.taken_at)?,
        restored_at: time(pending.restored_at)?,
    })
}

impl Registry {
    /// Whether background work rests, as far as this node knows.
    #[must_use]
    pub fn is_resting(&self) -> bool {
        *self.0.resting.borrow()
    }

    /// Completes once background work does not rest.
    pub async fn rested(&self) {
        let mut resting = self.0.resting.subscribe();
        // The sender lives as long as the registry does.
        let _ = resting.wait_for(|resting| !resting).await;
    }

    /// Reads whether background work rests. Another node may have been told that it does not any more.
    ///
    /// # Errors
    /// The store's.
    pub async fn look_whether_resting(&self) -> Result<bool, Error> {
        let mut read = self.0.store.read().await?;
        let is_pending = settings::get(&mut read.conn(), PENDING).await?.is_some();
        self.0.resting.send_replace(is_pending);
        Ok(is_pending)
    }

    /// `GetRestore`: the restore after which background work rests.
    ///
    /// # Errors
    /// The store's.
    pub async fn pending_restore(&self, _: &Authorized) -> Result<Option<berth::Restore>, Error> {
        let mut read = self.0.store.read().await?;
        let text = settings::get(&mut read.conn(), PENDING).await?;
        text.as_deref().map(shown).transpose()
    }

    /// `FinishRestore`: background work goes on. The collection begins at once: the next run that the backup knows
    /// of may be an hour away.
    ///
    /// # Errors
    /// The store's.
    pub async fn finish_restore(&self, cx: &Authorized) -> Result<Option<berth::Restore>, Error> {
        let mut tx = self.0.store.write(SCOPE).await?;
        let conn = &mut tx.conn();
        let text = settings::get(conn, PENDING).await?;
        settings::remove(conn, PENDING).await?;
        if text.is_some() {
            jobs::put(conn, JOB, SUBJECT, "", cx.now_ms()).await?;
        }
        tx.commit().await?;
        self.0.resting.send_replace(false);
        text.as_deref().map(shown).transpose()
    }
}
