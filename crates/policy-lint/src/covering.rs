//! Entries that another one covers.

use std::collections::HashMap;
use std::hash::Hash;

use crate::budget::Budget;

/// Each of `count` items that another covers, with that other, by their places; of two alike
/// the second. Items of the same key are alike and are compared with others once; only those
/// that `may_cover` are asked what they cover.
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
            // What covers the first of its kind, or that itself.
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
    fn what_another_covers_is_found_with_it() {
        // A number covers its multiples; 0 is none.
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
