//! When keys and roles were last used, kept in memory until the next batch is written.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_types::AccountId;
use store::iam::access_key::LastUsed;

/// Principals that are noted between two writings; those beyond are noted next time.
const NOTES_MAX: usize = 10_000;

#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Used {
    /// By its id.
    Key(String),
    /// By its unique id.
    Role(String),
}

/// What was used since the last writing.
#[derive(Default)]
pub(crate) struct LastUsedNotes(Mutex<HashMap<Used, Note>>);

/// A use, and the account whose credential it was.
pub(crate) struct Note {
    pub(crate) account: AccountId,
    pub(crate) last: LastUsed,
}

impl LastUsedNotes {
    pub(crate) fn note(
        &self,
        used: Used,
        account: AccountId,
        service: &str,
        region: &str,
        at: i64,
    ) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = notes.len() >= NOTES_MAX;
        match notes.get_mut(&used) {
            Some(Note { last: note, .. }) => {
                note.at = note.at.max(at);
                if note.service != service {
                    note.service = service.to_owned();
                }
                if note.region != region {
                    note.region = region.to_owned();
                }
            }
            None if !full => {
                let last = LastUsed {
                    at,
                    service: service.to_owned(),
                    region: region.to_owned(),
                };
                notes.insert(used, Note { account, last });
            }
            None => {}
        }
    }

    /// What is noted for a key and not yet written.
    pub(crate) fn of_key(&self, id: &str) -> Option<LastUsed> {
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes
            .get(&Used::Key(id.to_owned()))
            .map(|note| note.last.clone())
    }

    /// What is noted for a role and not yet written.
    pub(crate) fn of_role(&self, unique_id: &str) -> Option<LastUsed> {
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes
            .get(&Used::Role(unique_id.to_owned()))
            .map(|note| note.last.clone())
    }

    pub(crate) fn take(&self) -> HashMap<Used, Note> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
