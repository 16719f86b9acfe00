//! Small copies in memory: configurations and small layers are asked for far more often than they are stored.

use std::fmt;

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::ObjectKey;

/// The longest copy that is kept, in bytes.
pub(crate) const SMALL_BYTES_MAX: u64 = 64 * 1024;
/// All copies that are kept, in bytes.
const KEPT_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// What an entry costs beside its bytes.
const ENTRY_BYTES: u64 = 200;
/// A small copy's usual length, to size the table.
const BYTES_USUAL: u64 = 4 * 1024;

/// Copies that were read whole, those that are asked for most.
///
/// A key names one copy, once, and a copy never changes: no entry can be wrong. One whose file was deleted is not
/// asked for any more.
pub(crate) struct SmallCopies(Cache<ObjectKey, Bytes, ByBytes>);

#[derive(Clone)]
struct ByBytes;

impl Weighter<ObjectKey, Bytes> for ByBytes {
    fn weight(&self, _: &ObjectKey, bytes: &Bytes) -> u64 {
        bytes.len() as u64 + ENTRY_BYTES
    }
}

impl fmt::Debug for SmallCopies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmallCopies({} bytes)", self.0.weight())
    }
}

impl Default for SmallCopies {
    fn default() -> Self {
        let items = usize::try_from(KEPT_BYTES_MAX / BYTES_USUAL).unwrap_or(usize::MAX);
        SmallCopies(Cache::with_weighter(items, KEPT_BYTES_MAX, ByBytes))
    }
}

impl SmallCopies {
    pub(crate) fn get(&self, key: &ObjectKey) -> Option<Bytes> {
        self.0.get(key)
    }

    pub(crate) fn put(&self, key: ObjectKey, bytes: Bytes) {
        self.0.insert(key, bytes);
    }

    pub(crate) fn remove(&self, key: &ObjectKey) {
        self.0.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded() {
        let small = SmallCopies::default();
        for _ in 0..2_000 {
            let key = ObjectKey::random().unwrap();
            small.put(key, Bytes::from(vec![0; 60_000]));
            assert!(small.0.weight() <= KEPT_BYTES_MAX);
        }
        assert!(small.0.weight() > KEPT_BYTES_MAX / 2);
    }
}
