//! Denied requests in memory until the next batch is written. They are bounded in number, with a share for
//! each principal, so that a client that is refused again and again displaces none of another's.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use aws_types::AccountId;
use jiff::Timestamp;
use policy::Reason;
use serde::{Deserialize, Serialize};

/// Denials that are noted between two batches.
const NOTES_MAX: usize = 2_000;
/// And those of one principal.
const NOTES_EACH_MAX: usize = 100;

/// A denial as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Document {
    pub(crate) principal_arn: String,
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) is_explicit: bool,
    pub(crate) reason: String,
    /// The policy type that denied or was silent.
    #[serde(default)]
    pub(crate) policy_type: String,
    /// The role of a session.
    #[serde(default)]
    pub(crate) role_arn: Option<String>,
    /// Whether the credentials were limited by session policies, which are not kept.
    #[serde(default)]
    pub(crate) has_session_policy: bool,
    /// The condition keys of the request, as far as they fit.
    #[serde(default)]
    pub(crate) keys: BTreeMap<String, Key>,
    /// The statement that denied the request.
    pub(crate) statement: Option<Statement>,
}

/// The value of a condition key, or its values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Key {
    One(String),
    Many(Vec<String>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Statement {
    pub(crate) policy_type: String,
    pub(crate) policy: String,
    pub(crate) sid: Option<String>,
    pub(crate) index: usize,
}

pub(crate) struct Note {
    pub(crate) account: AccountId,
    /// The caller's unique id, for its share.
    pub(crate) principal: Arc<str>,
    pub(crate) request_id: Arc<str>,
    pub(crate) at: Timestamp,
    pub(crate) document: Document,
}

/// Denials that are not written yet.
#[derive(Default)]
pub(crate) struct DenialNotes(Mutex<VecDeque<Note>>);

impl DenialNotes {
    /// Adds a note in place of the oldest one of its principal, or of all, where there is no room.
    pub(crate) fn add(&self, note: Note) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_own = |other: &Note| other.principal == note.principal;
        if notes.iter().filter(|other| is_own(other)).count() >= NOTES_EACH_MAX {
            let oldest = notes.iter().position(is_own);
            oldest.map(|at| notes.remove(at));
        } else if notes.len() >= NOTES_MAX {
            notes.pop_front();
        }
        notes.push_back(note);
    }

    pub(crate) fn find(
        &self,
        account: AccountId,
        request_id: &str,
    ) -> Option<(Timestamp, Document)> {
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |note: &&Note| note.account == account && &*note.request_id == request_id;
        let note = notes.iter().find(is_it)?;
        Some((note.at, note.document.clone()))
    }

    pub(crate) fn take(&self) -> VecDeque<Note> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts notes back that could not be written.
    pub(crate) fn put_back(&self, failed: VecDeque<Note>) {
        for note in failed {
            self.add(note);
        }
    }
}

/// The kind of policy in the words of the IAM User Guide ("Policies and permissions in IAM").
pub(crate) fn policy_type(reason: Reason) -> &'static str {
    match reason {
        Reason::Identity | Reason::NoPermissionNeeded | Reason::RootUser => "identity-based policy",
        Reason::Resource => "resource-based policy",
        Reason::Trust => "role trust policy",
        Reason::PermissionsBoundary => "permissions boundary",
        Reason::Session => "session policy",
        Reason::ServiceControl => "service control policy",
        Reason::ResourceControl => "resource control policy",
    }
}
