//! Turns and places for requests whose callers are not known yet.
//!
//! Whoever sends a signature makes the server look up a key, unseal its secret and hash. Only a few do so
//! at a time, and they come from the parties in turn ([`FairPool`]), so that a flood of wrong signatures
//! from one address delays that address and no other.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::thread::available_parallelism;

use quick_cache::sync::Cache;

use crate::fair_pool::{FairPool, Grant, Party};
use crate::limits::{RECENT_KEYS_MAX, STRANGERS_MAX};
use crate::network::AddressGroup;

/// Verifications at once for each processor: some of them wait for the database.
const TURNS_PER_PROCESSOR: usize = 2;

/// See the module.
pub(crate) struct Admission {
    turns: FairPool,
    strangers: FairPool,
    /// Access keys that were used with a valid signature, by address. It only separates queues: nothing
    /// is allowed because of it.
    recent: Cache<(AddressGroup, u64), ()>,
    hasher: RandomState,
}

impl Admission {
    pub(crate) fn new() -> Admission {
        let processors = available_parallelism().map_or(2, usize::from);
        Admission {
            turns: FairPool::new(TURNS_PER_PROCESSOR * processors),
            strangers: FairPool::new(STRANGERS_MAX),
            recent: Cache::new(RECENT_KEYS_MAX),
            hasher: RandomState::new(),
        }
    }

    /// Whose share an unverified request under `access_key_id` counts against.
    pub(crate) fn party(&self, address: IpAddr, access_key_id: Option<&str>) -> Party {
        let group = AddressGroup::of(address);
        if let Some(id) = access_key_id {
            let hash = self.hasher.hash_one(id);
            if self.recent.get(&(group, hash)).is_some() {
                return Party::Recent(group, hash);
            }
        }
        Party::Address(group)
    }

    /// Notes that a signature under `access_key_id` was valid.
    pub(crate) fn verified(&self, address: IpAddr, access_key_id: &str) {
        let key = (
            AddressGroup::of(address),
            self.hasher.hash_one(access_key_id),
        );
        if self.recent.get(&key).is_none() {
            self.recent.insert(key, ());
        }
    }

    /// Waits for a turn to verify.
    pub(crate) async fn turn(&self, party: &Party) -> Grant {
        let mut turn = self.turns.grant(party.clone(), Arc::default());
        turn.grow(1).await;
        turn
    }

    /// Turns to verify that nobody has.
    #[cfg(test)]
    pub(crate) fn free_turns(&self) -> usize {
        self.turns.available()
    }

    /// How many requests wait for a turn to verify.
    #[cfg(test)]
    pub(crate) fn waiting_turns(&self) -> usize {
        self.turns.waiting()
    }

    /// Waits for a place among the requests whose callers are not known.
    pub(crate) async fn enter(&self, party: &Party) -> Grant {
        let mut place = self.strangers.grant(party.clone(), Arc::default());
        place.grow(1).await;
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_recently_verified_key_has_a_share_of_its_own_at_its_address() {
        let admission = Admission::new();
        let address = "192.0.2.1".parse().unwrap();
        let stranger = admission.party(address, Some("AKIAEXAMPLE"));
        assert_eq!(stranger, admission.party(address, None));
        admission.verified(address, "AKIAEXAMPLE");
        let known = admission.party(address, Some("AKIAEXAMPLE"));
        assert_ne!(known, stranger);
        let elsewhere = admission.party("192.0.2.2".parse().unwrap(), Some("AKIAEXAMPLE"));
        assert!(matches!(elsewhere, Party::Address(_)));

        // All turns are taken and many wait: the known key is next.
        let mut turns = Vec::new();
        while admission.turns.available() > 0 {
            turns.push(admission.turn(&stranger).await);
        }
        let admission = Arc::new(admission);
        let flood: Vec<_> = (0..100)
            .map(|_| {
                let (admission, stranger) = (Arc::clone(&admission), stranger.clone());
                tokio::spawn(async move { std::mem::forget(admission.turn(&stranger).await) })
            })
            .collect();
        tokio::task::yield_now().await;
        let honest = Arc::clone(&admission);
        let honest = tokio::spawn(async move { drop(honest.turn(&known).await) });
        tokio::task::yield_now().await;
        drop(turns.pop());
        honest.await.unwrap();
        flood.iter().for_each(tokio::task::JoinHandle::abort);
    }
}
