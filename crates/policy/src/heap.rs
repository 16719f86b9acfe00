//! How many bytes values keep on the heap, for caches that are bounded in bytes.

use std::mem::{size_of, size_of_val};

/// The smallest block of common allocators, and the unit that they round to.
const BLOCK_BYTES_MIN: usize = 32;
const BLOCK_UNIT: usize = 16;
/// What an allocator keeps beside each block.
const HEADER_BYTES: usize = size_of::<usize>();
/// The two counters of an `Arc`.
const COUNTERS_BYTES: usize = 2 * size_of::<usize>();

/// What an allocation of this many bytes costs, with the allocator's own overhead.
pub(crate) fn allocation(bytes: usize) -> usize {
    match bytes {
        0 => 0,
        bytes => (bytes + HEADER_BYTES)
            .next_multiple_of(BLOCK_UNIT)
            .max(BLOCK_BYTES_MIN),
    }
}

/// The block of a boxed slice; what its items point at comes on top.
pub(crate) fn slice<T>(items: &[T]) -> usize {
    allocation(size_of_val(items))
}

/// An `Arc<str>`, counted in full by each of its holders.
pub(crate) fn shared_str(text: &str) -> usize {
    allocation(COUNTERS_BYTES + text.len())
}

/// The block of an `Arc<T>`.
pub(crate) fn shared<T: ?Sized>(value: &T) -> usize {
    allocation(COUNTERS_BYTES + size_of_val(value))
}
