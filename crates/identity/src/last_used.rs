//! When keys and roles were last used: noted in memory and written in batches, so that no request waits
//! for it and no cached entry becomes stale.

use std::collections::HashMap;

use aws_types::AccountId;
use jiff::Timestamp;
use store::Scope;
use store::iam::access_key::{self, LastUsed};
use store::iam::role;

use crate::caller::{RefKind, credential};
use crate::last_used_notes::Used;
use crate::session::Who;
use crate::{Caller, Error, Identity};

impl Identity {
    /// Notes that a credential was used: `service` is the signing name (`ecr`). Cheap; it
    /// is [`Identity::flush_last_used`] that writes.
    pub fn touch_key_last_used(
        &self,
        caller: &Caller,
        service: &str,
        region: &str,
        now: Timestamp,
    ) {
        let Ok(credential) = credential(caller) else {
            return;
        };
        let used = match &*credential.0 {
            RefKind::AccessKey { id, .. } => Used::Key(id.clone()),
            RefKind::Session(session) => match &session.who {
                Who::Role(unique_id, _) => Used::Role(unique_id.clone()),
                _ => return,
            },
        };
        let at = now.as_millisecond();
        self.0
            .last_used
            .note(used, caller.account, service, region, at);
    }

    /// Writes what [`Identity::touch_key_last_used`] noted. A server calls this every
    /// minute and before it stops.
    ///
    /// # Errors
    /// The database's; the notes are kept for the next time.
    pub async fn flush_last_used(&self) -> Result<(), Error> {
        let mut accounts: HashMap<AccountId, Vec<(Used, LastUsed)>> = HashMap::new();
        for (used, note) in self.0.last_used.take() {
            accounts
                .entry(note.account)
                .or_default()
                .push((used, note.last));
        }
        let mut failed = None;
        for (account, notes) in accounts {
            // One that failed is tried no further, and nothing of it is lost.
            let written = match &failed {
                None => self.write_last_used(account, &notes).await,
                Some(_) => Ok(false),
            };
            if let Ok(true) = written {
                continue;
            }
            failed = failed.or(written.err());
            for (used, note) in notes {
                let notes = &self.0.last_used;
                notes.note(used, account, &note.service, &note.region, note.at);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    async fn write_last_used(
        &self,
        account: AccountId,
        notes: &[(Used, LastUsed)],
    ) -> Result<bool, Error> {
        let mut tx = self.0.store.write(Scope::Account(account.as_str())).await?;
        let mut conn = tx.conn();
        for (used, note) in notes {
            match used {
                Used::Key(id) => access_key::set_last_used(&mut conn, id, note).await?,
                Used::Role(id) => {
                    role::set_last_used(&mut conn, id, note.at, &note.region).await?;
                }
            }
        }
        // No topic is touched: nothing that a decision rests on has changed.
        tx.commit().await?;
        Ok(true)
    }
}
