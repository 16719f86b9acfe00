//! When keys and roles were last used, and users and roles called each service, kept in memory until the
//! next batch is written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_types::AccountId;
use store::iam::access_key::LastUsed;

/// Principals that are noted between two writings; those beyond are noted next time.
const NOTES_MAX: usize = 10_000;

/// Services that are noted of one principal, more than are served.
const SERVICES_MAX: usize = 16;

#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Used {
    /// By its id.
    Key(String),
    /// By its unique id.
    Role(String),
    /// A user by sessions, by its unique id.
    User(String),
}

/// What was used since the last writing.
#[derive(Default)]
pub(crate) struct LastUsedNotes(Mutex<HashMap<Used, Note>>);

/// Uses, and the account whose credential it was.
pub(crate) struct Note {
    pub(crate) account: AccountId,
    /// The unique id of the user or role whose uses these are; none for root.
    pub(crate) principal: Option<Arc<str>>,
    /// The last use of each service. Few are served.
    pub(crate) by_service: Vec<LastUsed>,
}

impl Note {
    pub(crate) fn last(&self) -> Option<&LastUsed> {
        self.by_service.iter().max_by_key(|used| used.at)
    }

    fn add(&mut self, service: &str, region: &str, at: i64) {
        let mut known = self.by_service.iter_mut();
        if let Some(used) = known.find(|used| used.service == service) {
            if used.at <= at && used.region != region {
                region.clone_into(&mut used.region);
            }
            used.at = used.at.max(at);
            return;
        }
        if self.by_service.len() < SERVICES_MAX {
            self.by_service.push(LastUsed {
                at,
                service: service.to_owned(),
                region: region.to_owned(),
            });
        }
    }
}

impl LastUsedNotes {
    pub(crate) fn note(
        &self,
        used: Used,
        account: AccountId,
        principal: Option<&Arc<str>>,
        (service, region, at): (&str, &str, i64),
    ) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = notes.len() >= NOTES_MAX;
        match notes.get_mut(&used) {
            Some(note) => note.add(service, region, at),
            None if !full => {
                let mut note = Note {
                    account,
                    principal: principal.map(Arc::clone),
                    by_service: Vec::new(),
                };
                note.add(service, region, at);
                notes.insert(used, note);
            }
            None => {}
        }
    }

    /// What is noted for a key and not yet written.
    pub(crate) fn of_key(&self, id: &str) -> Option<LastUsed> {
        self.last_of(&Used::Key(id.to_owned()))
    }

    /// What is noted for a role and not yet written.
    pub(crate) fn of_role(&self, unique_id: &str) -> Option<LastUsed> {
        self.last_of(&Used::Role(unique_id.to_owned()))
    }

    fn last_of(&self, used: &Used) -> Option<LastUsed> {
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.get(used).and_then(Note::last).cloned()
    }

    pub(crate) fn take(&self) -> HashMap<Used, Note> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
