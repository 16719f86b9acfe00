//! The registry of a server that is stopped, for commands.

use std::sync::Arc;

use blobs::Blobs;
use identity::Identity;
use registry::Registry;
use store::Store;

use crate::keys::{KmsKeys, kms};

/// The registry for an exclusive check ([`registry::integrity`]): opening it changes nothing.
#[must_use]
pub fn registry_for_check(store: Store, blobs: Blobs, identity: &Identity) -> Registry {
    let keys = Arc::new(KmsKeys(kms(&store, identity)));
    Registry::for_check(store, blobs, keys)
}
