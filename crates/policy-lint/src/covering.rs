//! Entries that another one covers.

use std::collections::HashMap;
use std::hash::Hash;

use crate::budget::Budget;

/// The items, of `count`, that another one covers, with the place of that other; of two equal items
/// the second. Items with the same key are equal and compared with others once; only items that
/// `may_cover` are compared as covering ones.
pub(super) fn covered<K: Hash + Eq>(
    count: usize,
    budget: &Budget,
    key: impl Fn(usize) -> K,
    may_cover: impl Fn(usize) -> bool,
    covers: impl Fn(usize, usize) -> bool,
) -> Vec<(usize, usize)> {
    let mut first: HashMap<K, usize> = HashMap::with_capacity(count);
    let alike: Vec<usize> = (0..count)
        .map(|at| *first.entry(key(at)).or_insert(at))
        .collect();
    let wide: Vec<usize> = (0..count)
        .filter(|&at| alike[at] == at && may_cover(at))
        .collect();
    let mut found = Vec::new();
    let mut by: Vec<Option<usize>> = Vec::with_capacity(count);
    for (at, &first) in alike.iter().enumerate() {
        let other = if first == at && budget.is_spent() {
            None
        } else if first == at {
            let mut wide = wide.iter().copied();
            wide.find(|&i| i != at && covers(i, at) && !(at < i && may_cover(at) && covers(at, i)))
        } else {
            // The item that covers the first equal one, or that first one.
            Some(by[first].map_or(first, |other| other.min(first)))
        };
        by.push(other);
        found.extend(other.map(|other| (at, other)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_covered_items_with_the_covering_one() {
        // A number covers its multiples.
        let among = |numbers: &[u32]| {
            covered(
                numbers.len(),
                &Budget::default(),
                |at| numbers[at],
                |at| numbers[at] < 10,
                |i, j| numbers[j].is_multiple_of(numbers[i]),
            )
        };
        assert_eq!(among(&[4, 2, 7]), [(0, 1)]);
        assert_eq!(among(&[7, 7, 7]), [(1, 0), (2, 0)]);
        assert_eq!(among(&[14, 7, 14]), [(0, 1), (2, 0)]);
        assert_eq!(among(&[11, 22]), []);
    }
}
