//! Who calls, and with what authority.

use std::fmt;
use std::sync::Arc;

use authz::Caller;
use jiff::Timestamp;
use sigv4::SecretKey;

use crate::Error;
use crate::session::Session;

/// A credential as it was found: enough to check a signature and to look up the caller.
#[derive(Clone)]
pub struct Key {
    /// The secret access key.
    pub secret: SecretKey,
    /// Whose it is.
    pub principal: PrincipalRef,
    /// For temporary credentials.
    pub expires_at: Option<Timestamp>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("principal", &self.principal)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Points at a principal without saying what it may do: each use looks that up again
/// ([`crate::Identity::caller`]), so that deletion bites at once.
#[derive(Clone)]
pub struct PrincipalRef(pub(crate) Arc<RefKind>);

// Always behind an `Arc`, so its size moves nowhere.
#[allow(clippy::large_enum_variant)]
pub(crate) enum RefKind {
    /// A long-term access key, or a registry password made with one, which ends.
    AccessKey {
        id: String,
        until: Option<Timestamp>,
    },
    /// A session, carried by its token.
    Session(Session),
}

impl PrincipalRef {
    /// The access key: `AKIA…` or `ASIA…`.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        match &*self.0 {
            RefKind::AccessKey { id, .. } => id,
            RefKind::Session(session) => &session.access_key_id,
        }
    }

    /// When the credential ends: a session, or a registry password. Past it
    /// [`crate::Identity::caller`] refuses, however long the reference was kept.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        match &*self.0 {
            RefKind::AccessKey { until, .. } => *until,
            RefKind::Session(session) => Some(session.expires_at()),
        }
    }
}

impl fmt::Debug for PrincipalRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PrincipalRef")
            .field(&self.access_key_id())
            .finish()
    }
}

/// The credential that a caller was found by.
///
/// # Errors
/// For a caller that [`crate::Identity::caller`] did not make.
pub(crate) fn credential(caller: &Caller) -> Result<&PrincipalRef, Error> {
    caller
        .credential
        .get()
        .ok_or_else(|| Error::internal("the caller has no credential of this crate"))
}
