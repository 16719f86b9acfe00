//! What organizations impose on accounts, as far as it was asked for (`organizations::controls`).

use std::sync::Arc;

use authz::AccountControls;
use aws_types::AccountId;
use policy::PolicySet;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use store::{Moment, Store, Topic};

use crate::policy_cache::{ENTRY_BYTES, bounded};

/// The bytes of controls that are kept, their compiled policies included.
const CONTROLS_BYTES_MAX: u64 = 16 << 20;
/// The controls of accounts that were asked for; `None` of those in no organization.
pub(crate) struct ControlsCache(pub(crate) Cache<AccountId, Dated, ByBytes>);

/// An account's controls, and the moment before they were read.
#[derive(Clone)]
pub(crate) struct Dated {
    pub(crate) controls: Option<Arc<AccountControls>>,
    pub(crate) read_at: Moment,
}

impl Dated {
    pub(crate) fn is_fresh(&self, store: &Store, account: AccountId) -> bool {
        let organization = self
            .controls
            .as_deref()
            .map(|controls| &*controls.organization);
        !store.changed_since(Topic::Account(account.as_str()), self.read_at)
            && !organization.is_some_and(|organization| {
                store.changed_since(Topic::Organization(organization), self.read_at)
            })
    }
}

/// Weighs entries by the bytes that they keep, compiled policies included.
#[derive(Clone)]
pub(crate) struct ByBytes;

impl Weighter<AccountId, Dated> for ByBytes {
    fn weight(&self, _: &AccountId, dated: &Dated) -> u64 {
        let controls = dated.controls.as_deref().map_or(0, |controls| {
            let levels = controls.service_control.iter();
            let levels = levels.chain(&controls.resource_control);
            let sets: usize = levels.map(PolicySet::heap_bytes).sum();
            sets + size_of::<AccountControls>() + controls.path.len() + controls.organization.len()
        });
        (controls + size_of::<Dated>()) as u64 + ENTRY_BYTES
    }
}

impl ControlsCache {
    pub(crate) fn new() -> ControlsCache {
        ControlsCache(bounded(CONTROLS_BYTES_MAX, ByBytes))
    }
}
