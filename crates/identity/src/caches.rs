//! Access keys with their secrets, and callers with their compiled policies, kept in memory.
//!
//! An entry holds the moment before it was read and is stale once its account has changed after that: a
//! change takes effect at the next request, and the entries of other accounts stay.

use std::sync::Arc;

use aws_types::AccountId;
use jiff::Timestamp;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use store::{Moment, Store, Topic};

use crate::caller::{self, Key};
use crate::policy_cache::{ENTRY_BYTES, bounded};
use authz::Caller;

/// The bytes of access keys that are kept.
const KEYS_BYTES_MAX: u64 = 4 << 20;

/// What is found once and used until something changes.
pub(crate) struct Caches {
    pub(crate) keys: Cache<String, Dated<Key>, ByBytes>,
    pub(crate) callers: Cache<CallerId, Dated<Arc<Caller>>, ByBytes>,
}

/// A value, the account that it is of, and the moment before it was read.
#[derive(Clone)]
pub(crate) struct Dated<T> {
    pub(crate) value: T,
    pub(crate) account: AccountId,
    pub(crate) read_at: Moment,
}

impl<T> Dated<T> {
    pub(crate) fn is_fresh(&self, store: &Store) -> bool {
        !store.changed_since(Topic::Account(self.account.as_str()), self.read_at)
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum CallerId {
    AccessKey(String),
    /// With its end, for a registry password lasts longer than its session.
    Session(u128, Timestamp),
}

/// Weighs entries by the bytes that they keep, compiled policies included.
#[derive(Clone)]
pub(crate) struct ByBytes;

impl Weighter<String, Dated<Key>> for ByBytes {
    fn weight(&self, id: &String, key: &Dated<Key>) -> u64 {
        // The secret is as long as the id of a key, or up to twice as long.
        let own = size_of::<Dated<Key>>() + 3 * id.len();
        (own + key.value.principal.heap_bytes()) as u64 + ENTRY_BYTES
    }
}

impl Weighter<CallerId, Dated<Arc<Caller>>> for ByBytes {
    fn weight(&self, _: &CallerId, caller: &Dated<Arc<Caller>>) -> u64 {
        caller::heap_bytes(&caller.value) as u64 + ENTRY_BYTES
    }
}

impl Caches {
    pub(crate) fn new(callers_bytes_max: u64) -> Caches {
        Caches {
            keys: bounded(KEYS_BYTES_MAX, ByBytes),
            callers: bounded(callers_bytes_max, ByBytes),
        }
    }
}
