//! The crate's handle: what it is made of and how it is opened.

use std::sync::Arc;

use store::Store;

use crate::caches::Caches;
use crate::controls_cache::ControlsCache;
use crate::denial_notes::DenialNotes;
use crate::hashing::Hashing;
use crate::last_used_notes::LastUsedNotes;
use crate::policy_cache::PolicyCache;
use aws_types::Entropy;

use crate::{Error, Sealer, Settings};

/// Accounts, principals and their credentials. Cheap to clone.
#[derive(Clone)]
pub struct Identity(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) sealer: Sealer,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) settings: Settings,
    pub(crate) policies: PolicyCache,
    pub(crate) caches: Caches,
    pub(crate) controls: ControlsCache,
    pub(crate) last_used: LastUsedNotes,
    pub(crate) denials: DenialNotes,
    pub(crate) hashing: Hashing,
    /// One simulation computes at a time: decisions that are served go before asked ones.
    pub(crate) simulating: Arc<tokio::sync::Semaphore>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

impl Identity {
    /// Puts the parts together.
    ///
    /// # Errors
    /// When one of AWS's managed policies that come with Berth cannot be read, which a
    /// test excludes.
    pub fn open(
        store: Store,
        sealer: Sealer,
        entropy: Arc<dyn Entropy>,
        settings: Settings,
    ) -> Result<Identity, Error> {
        Ok(Identity(Arc::new(Inner {
            caches: Caches::new(settings.cached_callers_bytes_max),
            controls: ControlsCache::new(),
            policies: PolicyCache::new()?,
            last_used: LastUsedNotes::default(),
            denials: DenialNotes::default(),
            hashing: Hashing::default(),
            simulating: Arc::new(tokio::sync::Semaphore::new(1)),
            store,
            sealer,
            entropy,
            settings,
        })))
    }

    /// Seals and opens tokens.
    #[must_use]
    pub fn sealer(&self) -> &Sealer {
        &self.0.sealer
    }
}
