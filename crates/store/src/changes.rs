//! What changed, as far as this node knows: the basis of every cache above.
//!
//! Each [`Topic`] has a row with a generation that grows with each committed change. A node learns of
//! its own commits at once and of those of others by [`crate::Store::poll_changes`], and gives each
//! change that it learns of the next number of its own sequence. A cache notes the number *before* it
//! reads ([`Moment`]); its entry is good while no topic that it rests on has a later number.
//!
//! The look-up on the hot path is one atomic load: numbers are kept in a fixed table, indexed by a hash
//! of the topic. Two topics that share a place make each other's entries stale, never fresh.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Topic;
use crate::fnv::hash;

/// Places in the table, 8 bytes each.
const PLACES: usize = 1 << 14;
/// Topics whose generations are remembered, about 100 bytes each. Beyond it all are forgotten, which
/// costs a few needless reloads.
const GENERATIONS_MAX: usize = 1 << 16;

/// A point in this node's sequence of changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

impl Moment {
    /// Before everything: an entry that notes it is stale at the first change of its topic.
    pub const START: Moment = Moment(0);
}

pub(crate) struct Changes {
    sequence: AtomicU64,
    places: Box<[AtomicU64]>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    generations: HashMap<String, i64>,
    /// Rows with a smaller stamp are known; see [`crate::Store::poll_changes`].
    stamp: i64,
}

impl std::fmt::Debug for Changes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Changes({:?})", self.now())
    }
}

impl Default for Changes {
    fn default() -> Self {
        Changes {
            sequence: AtomicU64::new(0),
            places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
            known: Mutex::default(),
        }
    }
}

impl Changes {
    pub(crate) fn now(&self) -> Moment {
        Moment(self.sequence.load(Ordering::Acquire))
    }

    pub(crate) fn changed_since(&self, topic: Topic<'_>, moment: Moment) -> bool {
        // Nothing at all has changed: the usual case, and cheaper than finding the topic's place.
        self.now() != moment && self.place(topic.hash()).load(Ordering::Acquire) > moment.0
    }

    /// The stamp to ask for rows from.
    pub(crate) fn stamp(&self) -> i64 {
        self.lock().stamp
    }

    /// Takes note of a row that another node may have changed.
    pub(crate) fn learn(&self, topic: &str, generation: i64) {
        let mut known = self.lock();
        if known
            .generations
            .get(topic)
            .is_some_and(|at| *at >= generation)
        {
            return;
        }
        known.remember(topic, generation);
        self.advance(topic);
    }

    /// Counts every topic as changed: too many were, to be told one by one.
    pub(crate) fn learn_everything(&self) {
        let mut known = self.lock();
        known.generations.clear();
        let number = self.sequence.fetch_add(1, Ordering::AcqRel) + 1;
        for place in &self.places {
            place.fetch_max(number, Ordering::AcqRel);
        }
    }

    /// Takes note that all rows below this stamp were given to [`Changes::learn`].
    pub(crate) fn learned_until(&self, stamp: i64) {
        let mut known = self.lock();
        known.stamp = known.stamp.max(stamp);
    }

    /// Takes note of a commit of this node, after which the topic has this generation. With `is_handled`,
    /// the caller itself drops what the commit made wrong, and other entries of the topic stay good,
    /// unless another node changed it in between.
    pub(crate) fn committed(&self, topic: &str, generation: i64, is_handled: bool) {
        let mut known = self.lock();
        let before = known.generations.get(topic).copied();
        if before.is_none_or(|before| before < generation) {
            known.remember(topic, generation);
        }
        let is_the_only_change = before.is_some_and(|before| before == generation - 1);
        if !(is_handled && is_the_only_change) {
            self.advance(topic);
        }
    }

    /// Takes note of a commit whose outcome is unknown.
    pub(crate) fn uncertain(&self, topic: &str) {
        let _known = self.lock();
        self.advance(topic);
    }

    fn place(&self, hash: u64) -> &AtomicU64 {
        // The low bits of FNV-1a are as good as the others.
        let mask = PLACES as u64 - 1;
        &self.places[usize::try_from(hash & mask).unwrap_or_default()]
    }

    /// The caller holds `known`.
    fn advance(&self, topic: &str) {
        // The number first, the place second: a cache that notes the number between the two starts reading
        // after the commit.
        let number = self.sequence.fetch_add(1, Ordering::AcqRel) + 1;
        self.place(hash(topic)).fetch_max(number, Ordering::AcqRel);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Sound at every step.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn remember(&mut self, topic: &str, generation: i64) {
        if self.generations.len() >= GENERATIONS_MAX {
            self.generations.clear();
        }
        self.generations.insert(topic.to_owned(), generation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Topic<'_> = Topic::Repository(1);
    const B: Topic<'_> = Topic::Repository(2);

    #[test]
    fn a_change_makes_its_topic_stale_and_no_other() {
        let changes = Changes::default();
        let before = changes.now();
        changes.learn(&A.name(), 1);
        assert!(changes.changed_since(A, before));
        assert!(!changes.changed_since(B, before));
        let after = changes.now();
        assert!(!changes.changed_since(A, after));
        // A row that is read again is no change.
        changes.learn(&A.name(), 1);
        assert!(!changes.changed_since(A, after));
    }

    #[test]
    fn a_handled_commit_keeps_the_rest_of_its_topic() {
        let changes = Changes::default();
        changes.learn(&A.name(), 4);
        let moment = changes.now();
        changes.committed(&A.name(), 5, true);
        assert!(!changes.changed_since(A, moment));
        // Another node changed it in between: all of it may be wrong.
        changes.committed(&A.name(), 7, true);
        assert!(changes.changed_since(A, moment));
        // A topic that this node knows nothing of may have been changed by others.
        let moment = changes.now();
        changes.committed(&B.name(), 9, true);
        assert!(changes.changed_since(B, moment));
        let moment = changes.now();
        changes.committed(&B.name(), 10, false);
        assert!(changes.changed_since(B, moment));
    }

    #[test]
    fn memory_is_bounded_and_forgetting_is_safe() {
        let changes = Changes::default();
        changes.learn(&A.name(), 1);
        for id in 0..GENERATIONS_MAX as i64 {
            changes.learn(&Topic::Repository(id + 10).name(), 1);
        }
        assert!(changes.lock().generations.len() <= GENERATIONS_MAX);
        let moment = changes.now();
        changes.committed(&A.name(), 2, true);
        assert!(
            changes.changed_since(A, moment),
            "what was forgotten counts as changed"
        );
    }
}
