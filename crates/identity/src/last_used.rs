//! When keys and roles were last used, and users and roles called each service: noted in memory and written
//! in batches, so that no request waits for it and no cached entry becomes stale.

use std::collections::HashMap;
use std::sync::Arc;

use aws_types::AccountId;
use jiff::Timestamp;
use store::Scope;
use store::iam::access_key;
use store::iam::{role, service_use};

use crate::caller::{RefKind, credential};
use crate::last_used_notes::{Note, Used};
use crate::session::Who;
use crate::{Caller, CallerKind, Error, Identity};

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
        let (used, principal) = match &*credential.0 {
            RefKind::AccessKey { id, .. } => {
                let user = matches!(caller.kind, CallerKind::User { .. });
                (
                    Used::Key(id.clone()),
                    user.then(|| Arc::clone(&caller.user_id)),
                )
            }
            RefKind::Session(session) => match &session.who {
                Who::Role(id, _) => (Used::Role(id.clone()), Some(id.as_str().into())),
                Who::User(id) | Who::Federated(Some(id), _) => {
                    (Used::User(id.clone()), Some(id.as_str().into()))
                }
                _ => return,
            },
        };
        let at = now.as_millisecond();
        let notes = &self.0.last_used;
        notes.note(
            used,
            caller.account,
            principal.as_ref(),
            (service, region, at),
        );
    }

    /// Writes what [`Identity::touch_key_last_used`] noted. A server calls this every
    /// minute and before it stops.
    ///
    /// # Errors
    /// The database's; the notes are kept for the next time.
    pub async fn flush_last_used(&self) -> Result<(), Error> {
        let mut accounts: HashMap<AccountId, Vec<(Used, Note)>> = HashMap::new();
        for (used, note) in self.0.last_used.take() {
            let account = note.account;
            accounts.entry(account).or_default().push((used, note));
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
                for last in &note.by_service {
                    let noted = (last.service.as_str(), last.region.as_str(), last.at);
                    let principal = note.principal.as_ref();
                    let notes = &self.0.last_used;
                    notes.note(used.clone(), account, principal, noted);
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    async fn write_last_used(
        &self,
        account: AccountId,
        notes: &[(Used, Note)],
    ) -> Result<bool, Error> {
        let mut tx = self.0.store.write(Scope::Account(account.as_str())).await?;
        let mut conn = tx.conn();
        for (used, note) in notes {
            let Some(last) = note.last() else {
                continue;
            };
            match used {
                Used::Key(id) => access_key::set_last_used(&mut conn, id, last).await?,
                Used::Role(id) => {
                    role::set_last_used(&mut conn, id, last.at, &last.region).await?;
                }
                Used::User(_) => {}
            }
            for used in &note.by_service {
                if let Some(id) = &note.principal {
                    service_use::put(&mut conn, id, &used.service, used.at, &used.region).await?;
                }
            }
        }
        // No topic is touched: nothing that a decision rests on has changed.
        tx.commit().await?;
        Ok(true)
    }
}
