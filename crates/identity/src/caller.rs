//! Who calls, and with what authority.

use std::fmt;
use std::sync::Arc;

use authz::{Caller, CallerKind};
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
/// ([`crate::Identity::caller`]), so that a deletion takes effect at once.
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

impl PrincipalRef {
    /// Whether all that the caller depends on is in one account. A role that was switched to in the web
    /// console may be in another account than the user who did so.
    pub(crate) fn depends_on_one_account(&self) -> bool {
        match &*self.0 {
            RefKind::AccessKey { .. } => true,
            RefKind::Session(session) => session.is_in_account_of_console(),
        }
    }

    /// The bytes that the reference keeps on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        let own = match &*self.0 {
            RefKind::AccessKey { id, .. } => text_bytes(id),
            RefKind::Session(session) => session.heap_bytes(),
        };
        size_of::<RefKind>() + own
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

/// The bytes that a caller keeps on the heap, for a cache that is bounded in bytes. Policy sets
/// that it shares with other callers are counted in full.
pub(crate) fn heap_bytes(caller: &Caller) -> usize {
    let sets = [
        Some(&caller.identity),
        caller.boundary.as_ref(),
        caller.session.as_ref(),
    ];
    let sets = sets.into_iter().flatten().chain(&caller.scope_downs);
    let sets = sets.map(|set| set.heap_bytes());
    let principal = [
        caller.principal.arn(),
        caller.principal.account(),
        caller.principal.issuer_arn().unwrap_or_default(),
        caller.principal.unique_id().unwrap_or_default(),
    ];
    let own = [&*caller.arn, &*caller.user_id, &caller.access_key_id];
    let kind = match &caller.kind {
        CallerKind::Root => Vec::new(),
        CallerKind::User { name, path } => vec![name, path],
        CallerKind::RoleSession {
            role_arn,
            role_name,
            session_name,
        } => vec![role_arn, role_name, session_name],
        CallerKind::FederatedUser { name, issuer_arn } => vec![name, issuer_arn],
        CallerKind::ProviderIdentity {
            provider_arn,
            subject,
            ..
        } => vec![provider_arn, subject],
        CallerKind::Host { id } => vec![id],
        CallerKind::Service { .. } => Vec::new(),
    };
    let kind = kind.into_iter().map(String::as_str);
    let texts = principal.into_iter().chain(own).chain(kind);
    let info = caller.session_info.as_ref().map_or(0, |info| {
        let tags = info.transitive_tags.iter();
        let tags = tags.map(|(key, value)| text_bytes(key) + text_bytes(value));
        tags.sum::<usize>() + info.source_identity.as_deref().map_or(0, text_bytes)
    });
    let credential = credential(caller).map_or(0, PrincipalRef::heap_bytes);
    size_of::<Caller>()
        + sets.sum::<usize>()
        + texts.map(text_bytes).sum::<usize>()
        + caller.context.heap_bytes()
        + info
        + credential
}

/// A string and its block's overhead.
fn text_bytes(text: &str) -> usize {
    // The counters of a shared string, the allocator's header and its rounding.
    const OVERHEAD: usize = 40;
    text.len() + OVERHEAD
}
