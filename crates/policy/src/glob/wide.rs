//! Matching by characters of any kind, in one pass as well: for `?` beside characters above
//! U+00FF, which only variables' values and texts that are not to be stored hold.

use super::advance;

/// One character of a pattern, or a wildcard.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unit {
    Character(char),
    One,
    Star,
}

/// Cuts at the stars and looks for each part behind the one before it, as the pattern of bytes
/// does; the search is the same Shift-And, over the characters that a part names.
pub(super) fn matches(units: impl Iterator<Item = Unit>, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut parts: Vec<Vec<Option<char>>> = vec![Vec::new()];
    for unit in units {
        let last = parts.len() - 1;
        match unit {
            Unit::Character(character) => parts[last].push(Some(character)),
            Unit::One => parts[last].push(None),
            Unit::Star => parts.push(Vec::new()),
        }
    }
    if text.len() < parts.iter().map(Vec::len).sum() {
        return false;
    }
    let [head, between @ .., tail] = &parts[..] else {
        return text.len() == parts[0].len() && fits(&parts[0], &text);
    };
    let end = text.len() - tail.len();
    if !fits(head, &text) || !fits(tail, &text[end..]) {
        return false;
    }
    let mut left = &text[head.len()..end];
    for part in between.iter().filter(|part| !part.is_empty()) {
        match find(part, left) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// Whether the text starts with the part.
fn fits(part: &[Option<char>], text: &[char]) -> bool {
    let mut pairs = part.iter().zip(text);
    pairs.all(|(want, have)| want.is_none_or(|want| want == *have))
}

/// Bit `i` of the state says that the last `i + 1` characters match the part's first `i + 1`.
fn find(part: &[Option<char>], text: &[char]) -> Option<usize> {
    let words = part.len().div_ceil(64);
    let mut named: Vec<char> = part.iter().flatten().copied().collect();
    named.sort_unstable();
    named.dedup();
    // The last class is every character that the part does not name.
    let mut masks = vec![0u64; (named.len() + 1) * words];
    for (at, want) in part.iter().enumerate() {
        let bit = 1u64 << (at % 64);
        let classes = match want {
            Some(name) => named
                .binary_search(name)
                .map_or(0..0, |class| class..class + 1),
            None => 0..named.len() + 1,
        };
        for class in classes {
            masks[class * words + at / 64] |= bit;
        }
    }
    let last = part.len() - 1;
    let mut state = vec![0u64; words];
    for (at, character) in text.iter().enumerate() {
        let class = named.binary_search(character).unwrap_or(named.len());
        if advance(&mut state, &masks[class * words..][..words], last) {
            return Some(at - last);
        }
    }
    None
}
