//! The hash of names: the same on every node.

/// FNV-1a, 64 bits. Every node must agree on the keys of advisory locks, so no seeded hasher.
pub(crate) fn hash(text: &str) -> u64 {
    hash_on(0xcbf2_9ce4_8422_2325, text)
}

/// The hash of a text that goes on after one with the hash `before`.
pub(crate) fn hash_on(before: u64, text: &str) -> u64 {
    text.bytes().fold(before, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
