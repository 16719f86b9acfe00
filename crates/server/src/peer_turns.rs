//! The turns of replication to peers: each peer has a share of them, so that a slow one holds up no other.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Turns of one peer at once, of those that a node has.
const TURNS_OF_A_PEER_MAX: usize = 2;

/// What the replication to peers shares in a node.
#[derive(Default)]
pub(crate) struct PeerTurns(Mutex<HashMap<String, usize>>);

/// A turn of a peer, until it is dropped.
pub(crate) struct Turn<'a>(&'a PeerTurns, String);

impl PeerTurns {
    pub(crate) fn take(&self, key: String) -> Option<Turn<'_>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = turns.entry(key.clone()).or_default();
        if *taken >= TURNS_OF_A_PEER_MAX {
            return None;
        }
        *taken += 1;
        Some(Turn(self, key))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut turns = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = turns.get_mut(&self.1) {
            *taken -= 1;
            if *taken == 0 {
                turns.remove(&self.1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_its_share_and_gives_it_back() {
        let turns = PeerTurns::default();
        let take = |key: &str| turns.take(key.to_owned());
        let (first, second) = (take("a"), take("a"));
        assert!(first.is_some() && second.is_some());
        assert!(take("a").is_none());
        assert!(take("b").is_some());
        drop(first);
        assert!(take("a").is_some());
        drop(second);
        let left = turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(left.is_empty(), "{left:?}");
    }
}
