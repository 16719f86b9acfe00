//! The sessions of rules' roles, each until it is nearly over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use identity::PrincipalRef;
use jiff::Timestamp;

/// Sessions that are kept.
const SESSIONS_MAX: usize = 1_000;

/// A role that was taken.
#[derive(Clone)]
pub(crate) struct RoleSession {
    pub(crate) principal: PrincipalRef,
    /// When it is taken again.
    pub(crate) renew_at: Timestamp,
}

/// A place for one session: who holds the lock takes the role, and all others who need it wait for that.
pub(crate) type Slot = Arc<tokio::sync::Mutex<Option<RoleSession>>>;

/// By the role's ARN.
#[derive(Default)]
pub(crate) struct RoleSessions(Mutex<HashMap<String, Slot>>);

impl RoleSessions {
    /// The place of a role's session.
    pub(crate) fn slot(&self, role_arn: &str) -> Slot {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= SESSIONS_MAX && !slots.contains_key(role_arn) {
            slots.clear();
        }
        Arc::clone(slots.entry(role_arn.to_owned()).or_default())
    }
}
