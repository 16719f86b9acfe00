//! Wildcard matching in linear time.
//!
//! A pattern is cut at its `*` into segments. The first must start the text, the last
//! must end it, and each one between is looked for behind the one before it: the leftmost
//! place is always a right one, so nothing is ever tried twice. Segments of patterns without `?` are
//! found with a linear substring search, those of patterns with `?` with a bit-parallel one.
//! `*a*a*a*…` therefore costs one pass over the text, however long the pattern.

mod wide;

use memchr::{memchr, memchr_iter, memmem, memrchr};

use crate::heap;

/// One unit of a pattern, before it is compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// Literal text.
    Text(String),
    /// `?`: exactly one character.
    One,
    /// `*`: any characters, also none.
    Star,
}

/// Whether a pattern is wildcards and nothing else.
pub fn is_open(pattern: &str) -> bool {
    !pattern.is_empty() && pattern.bytes().all(|byte| matches!(byte, b'*' | b'?'))
}

/// A compiled pattern with `*` and without `?`: its UTF-8, with [`STAR`] for `*`. It is cut into
/// segments while it is matched, so that a pattern takes hardly more memory than its text.
#[derive(Clone, Debug)]
pub(crate) struct Stars(Box<[u8]>);

/// A byte that is never in UTF-8.
const STAR: u8 = 0xff;

impl Stars {
    /// `None`: there is a `?`, or no `*`.
    pub fn new<'a>(units: impl Iterator<Item = Unit<'a>>) -> Option<Stars> {
        let mut bytes = Vec::new();
        for unit in units {
            match unit {
                Unit::Text(text) => bytes.extend_from_slice(text.as_bytes()),
                Unit::Star => bytes.push(STAR),
                Unit::One => return None,
            }
        }
        memchr(STAR, &bytes)?;
        Some(Stars(bytes.into()))
    }

    pub fn matches(&self, text: &str) -> bool {
        let text = text.as_bytes();
        let (head, between, tail) = self.parts();
        if text.len() < head.len() + tail.len() || !text.starts_with(head) || !text.ends_with(tail)
        {
            return false;
        }
        let mut left = &text[head.len()..text.len() - tail.len()];
        let mut between = between;
        while !between.is_empty() {
            let end = memchr(STAR, between).unwrap_or(between.len());
            let segment = &between[..end];
            match find_literal(segment, left) {
                Some(at) => left = &left[at + segment.len()..],
                None => return false,
            }
            between = between.get(end + 1..).unwrap_or_default();
        }
        true
    }

    /// What stands before the first star, between the stars, and after the last.
    fn parts(&self) -> (&[u8], &[u8], &[u8]) {
        let first = memchr(STAR, &self.0).unwrap_or(self.0.len());
        let last = memrchr(STAR, &self.0).unwrap_or(first);
        let between = self.0.get(first + 1..last).unwrap_or_default();
        let tail = self.0.get(last + 1..).unwrap_or_default();
        (&self.0[..first], between, tail)
    }

    /// The text before the first star.
    pub fn literal_prefix(&self) -> &str {
        std::str::from_utf8(self.parts().0).unwrap_or_default()
    }

    /// The text behind the last star.
    pub fn literal_suffix(&self) -> &str {
        std::str::from_utf8(self.parts().2).unwrap_or_default()
    }

    pub fn heap_bytes(&self) -> usize {
        heap::slice(&self.0)
    }
}

/// Where a segment without wildcards stands first.
fn find_literal(segment: &[u8], text: &[u8]) -> Option<usize> {
    let Some(&first) = segment.first() else {
        return Some(0);
    };
    match segment.len() > TINY_MAX {
        true => memmem::find(text, segment),
        false => memchr_iter(first, text).find(|&at| text[at..].starts_with(segment)),
    }
}

/// A compiled pattern with `?`.
#[derive(Clone, Debug)]
pub(crate) struct Glob {
    alphabet: Alphabet,
    /// Bytes of the alphabet, [`ANY`] for `?` and [`CUT`] for `*`.
    units: Box<[u16]>,
    /// The tables of the long segments between stars, in their order.
    long: Box<[Bits]>,
    /// The text before the first wildcard, and behind the last.
    ends: (Box<str>, Box<str>),
}

/// What a byte of the units is, so that `?` is one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alphabet {
    /// A character up to U+00FF, which is all that a document may hold (docs/semantics.md#43).
    Characters,
    /// UTF-8, for ASCII texts only: a variable's value went beyond.
    Ascii,
}

const ANY: u16 = 256;
const CUT: u16 = 257;

/// Literal text of this length is not worth a searcher of its own.
const TINY_MAX: usize = 4;

/// Up to this length comparing at each place is as quick as the bit-parallel search.
const SHORT_MAX: usize = 16;

/// The bit-parallel search keeps its state on the stack: 64 words are 4,096 bytes of
/// pattern, more than the longest resource a policy can name.
const WORDS_MAX: usize = 64;

#[derive(Clone, Debug)]
struct Bits {
    words: usize,
    length: usize,
    class: Box<[u8; 256]>,
    masks: Box<[u64]>,
}

impl Glob {
    pub fn new<'a>(units: impl Iterator<Item = Unit<'a>> + Clone) -> Glob {
        let literal = |unit: Option<Unit<'a>>| match unit {
            Some(Unit::Text(text)) => Box::from(text),
            _ => Box::default(),
        };
        let ends = (literal(units.clone().next()), literal(units.clone().last()));
        // U+0000 stands for what a text has beyond.
        let small = |text: &str| text.chars().all(|c| matches!(c, '\u{1}'..='\u{ff}'));
        let small = |unit| !matches!(unit, Unit::Text(text) if !small(text));
        let alphabet = match units.clone().all(small) {
            true => Alphabet::Characters,
            false => Alphabet::Ascii,
        };
        let mut bytes = Vec::new();
        for unit in units {
            match unit {
                Unit::Text(text) if alphabet == Alphabet::Characters => {
                    bytes.extend(text.chars().map(|c| c as u16));
                }
                Unit::Text(text) => bytes.extend(text.bytes().map(u16::from)),
                Unit::One => bytes.push(ANY),
                Unit::Star => bytes.push(CUT),
            }
        }
        let between = Cut::new(&bytes).map_or(&[][..], |cut| cut.between);
        let long = between.split(|unit| *unit == CUT).filter(|s| is_long(s));
        Glob {
            alphabet,
            long: long.map(Bits::new).collect(),
            units: bytes.into(),
            ends,
        }
    }

    /// The text before the first wildcard.
    pub fn literal_prefix(&self) -> &str {
        &self.ends.0
    }

    /// The text behind the last wildcard.
    pub fn literal_suffix(&self) -> &str {
        &self.ends.1
    }

    pub fn matches(&self, text: &str) -> bool {
        if text.is_ascii() {
            return self.matches_bytes(text.as_bytes());
        }
        if self.alphabet == Alphabet::Ascii {
            return wide::matches(self.decoded(), text);
        }
        let squeezed: Vec<u8> = text
            .chars()
            .map(|character| u8::try_from(character).unwrap_or(0))
            .collect();
        self.matches_bytes(&squeezed)
    }

    fn matches_bytes(&self, bytes: &[u8]) -> bool {
        let Some(Cut {
            head,
            between,
            tail,
        }) = Cut::new(&self.units)
        else {
            return bytes.len() == self.units.len() && starts_with(&self.units, bytes);
        };
        if bytes.len() < head.len() + tail.len()
            || !starts_with(head, bytes)
            || !starts_with(tail, &bytes[bytes.len() - tail.len()..])
        {
            return false;
        }
        let mut left = &bytes[head.len()..bytes.len() - tail.len()];
        let mut long = self.long.iter();
        for segment in between.split(|unit| *unit == CUT) {
            let found = match is_long(segment) {
                true => long.next().and_then(|bits| bits.find(left)),
                false => find_short(segment, left),
            };
            match found {
                Some(at) => left = &left[at + segment.len()..],
                None => return false,
            }
        }
        true
    }

    /// The characters again, for texts that have more of them than the alphabet.
    fn decoded(&self) -> impl Iterator<Item = wide::Unit> {
        let mut units = Vec::new();
        let mut bytes = Vec::new();
        let flush = |bytes: &mut Vec<u8>, units: &mut Vec<wide::Unit>| {
            let text = String::from_utf8_lossy(bytes);
            units.extend(text.chars().map(wide::Unit::Character));
            bytes.clear();
        };
        for &unit in &self.units {
            match u8::try_from(unit) {
                Ok(byte) => bytes.push(byte),
                Err(_) => {
                    flush(&mut bytes, &mut units);
                    units.push(match unit {
                        ANY => wide::Unit::One,
                        _ => wide::Unit::Star,
                    });
                }
            }
        }
        flush(&mut bytes, &mut units);
        units.into_iter()
    }

    pub fn heap_bytes(&self) -> usize {
        let tables = self.long.iter().map(|bits| {
            heap::allocation(std::mem::size_of_val(&*bits.class)) + heap::slice(&bits.masks)
        });
        let ends = heap::allocation(self.ends.0.len()) + heap::allocation(self.ends.1.len());
        heap::slice(&self.units) + heap::slice(&self.long) + tables.sum::<usize>() + ends
    }
}

/// A pattern, cut at its first and at its last star.
struct Cut<'a> {
    head: &'a [u16],
    between: &'a [u16],
    tail: &'a [u16],
}

impl<'a> Cut<'a> {
    /// `None`: there is no star.
    fn new(units: &'a [u16]) -> Option<Cut<'a>> {
        let is_cut = |unit: &u16| *unit == CUT;
        let first = units.iter().position(is_cut)?;
        let last = units.iter().rposition(is_cut)?;
        Some(Cut {
            head: &units[..first],
            between: units.get(first + 1..last).unwrap_or_default(),
            tail: &units[last + 1..],
        })
    }
}

/// Whether the bit-parallel search looks for the segment.
fn is_long(segment: &[u16]) -> bool {
    segment.len() > SHORT_MAX && segment.len() <= 64 * WORDS_MAX
}

fn find_short(segment: &[u16], text: &[u8]) -> Option<usize> {
    let last = text.len().checked_sub(segment.len())?;
    (0..=last).find(|&at| starts_with(segment, &text[at..]))
}

/// Matches units that are known for this text only: linear, where [`matches_tokens`] is not.
pub(crate) fn matches_once<'a>(units: impl Iterator<Item = Unit<'a>> + Clone, text: &str) -> bool {
    match Stars::new(units.clone()) {
        Some(stars) => stars.matches(text),
        None => Glob::new(units).matches(text),
    }
}

fn starts_with(pattern: &[u16], text: &[u8]) -> bool {
    text.len() >= pattern.len()
        && pattern
            .iter()
            .zip(text)
            .all(|(&want, &have)| want == ANY || want == u16::from(have))
}

impl Bits {
    fn new(pattern: &[u16]) -> Bits {
        let words = pattern.len().div_ceil(64);
        // Class 0 is every byte that the pattern does not name.
        let mut class = Box::new([0u8; 256]);
        let mut classes = 1usize;
        for &byte in pattern.iter().filter(|&&byte| byte != ANY) {
            let slot = &mut class[usize::from(byte)];
            if *slot == 0 && classes < 256 {
                *slot = classes as u8;
                classes += 1;
            }
        }
        let mut masks = vec![0u64; classes * words];
        for (at, &want) in pattern.iter().enumerate() {
            let bit = 1u64 << (at % 64);
            if want == ANY {
                for class in 0..classes {
                    masks[class * words + at / 64] |= bit;
                }
            } else {
                let class = usize::from(class[usize::from(want)]);
                masks[class * words + at / 64] |= bit;
            }
        }
        Bits {
            words,
            length: pattern.len(),
            class,
            masks: masks.into(),
        }
    }

    /// Shift-And: bit `i` of the state says that the last `i + 1` bytes match the
    /// pattern's first `i + 1`.
    fn find(&self, text: &[u8]) -> Option<usize> {
        let mut state = [0u64; WORDS_MAX];
        let state = &mut state[..self.words];
        let last = self.length - 1;
        for (at, &byte) in text.iter().enumerate() {
            let class = usize::from(self.class[usize::from(byte)]);
            let masks = &self.masks[class * self.words..][..self.words];
            if advance(state, masks, last) {
                return Some(at - last);
            }
        }
        None
    }
}

/// One step of Shift-And, with the masks of what stands next in the text; whether the pattern,
/// whose last place is `last`, ends there.
fn advance(state: &mut [u64], masks: &[u64], last: usize) -> bool {
    let mut carry = 1;
    for (word, mask) in state.iter_mut().zip(masks) {
        let next = *word >> 63;
        *word = (*word << 1 | carry) & mask;
        carry = next;
    }
    state[last / 64] >> (last % 64) & 1 == 1
}

/// One unit of a pattern, its variables resolved.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit<'a> {
    Text(&'a str),
    One,
    Star,
}

impl<'a> From<&'a Token> for Unit<'a> {
    fn from(token: &'a Token) -> Unit<'a> {
        match token {
            Token::Text(text) => Unit::Text(text),
            Token::One => Unit::One,
            Token::Star => Unit::Star,
        }
    }
}

/// Matches unit by unit, by characters: for patterns with variables. Only the last star is ever moved, so the cost is bounded by the text's length
/// times one segment's.
pub(crate) fn matches_tokens<'a>(
    units: impl Iterator<Item = Unit<'a>> + Clone,
    text: &str,
) -> bool {
    let mut units = units;
    let mut at = 0;
    // Behind the last star: the units that follow, and where in the text to try them next.
    let mut retry: Option<(_, usize)> = None;
    loop {
        let fits = match units.next() {
            Some(Unit::Star) => {
                retry = Some((units.clone(), at));
                true
            }
            Some(Unit::Text(part)) => {
                let fits = text[at..].starts_with(part);
                if fits {
                    at += part.len();
                }
                fits
            }
            Some(Unit::One) => match text[at..].chars().next() {
                Some(character) => {
                    at += character.len_utf8();
                    true
                }
                None => false,
            },
            None if at == text.len() => return true,
            None => false,
        };
        if fits {
            continue;
        }
        let Some((behind, from)) = &mut retry else {
            return false;
        };
        let Some(skipped) = text[*from..].chars().next() else {
            return false;
        };
        *from += skipped.len_utf8();
        units = behind.clone();
        // Literal text behind the star: go straight to where it stands next.
        if let Some(Unit::Text(part)) = units.clone().next() {
            match memmem::find(&text.as_bytes()[*from..], part.as_bytes()) {
                Some(further) => *from += further,
                None => return false,
            }
        }
        at = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tokens(pattern: &str) -> Vec<Token> {
        let mut tokens = Vec::new();
        for character in pattern.chars() {
            match (character, tokens.last_mut()) {
                ('*', _) => tokens.push(Token::Star),
                ('?', _) => tokens.push(Token::One),
                (_, Some(Token::Text(text))) => text.push(character),
                _ => tokens.push(Token::Text(character.into())),
            }
        }
        tokens
    }

    fn regex(pattern: &str) -> regex::Regex {
        let body: String = pattern
            .chars()
            .map(|character| match character {
                '*' => ".*".to_owned(),
                '?' => ".".to_owned(),
                other => regex::escape(&other.to_string()),
            })
            .collect();
        regex::Regex::new(&format!("(?s)^{body}$")).unwrap()
    }

    fn check(pattern: &str, text: &str) {
        let expected = regex(pattern).is_match(text);
        let tokens = tokens(pattern);
        let slow = matches_tokens(tokens.iter().map(Unit::from), text);
        assert_eq!(slow, expected, "by units: {pattern:?} on {text:?}");
        let units = || tokens.iter().map(Unit::from);
        let wide = pattern.chars().map(|character| match character {
            '*' => wide::Unit::Star,
            '?' => wide::Unit::One,
            other => wide::Unit::Character(other),
        });
        let wide = wide::matches(wide, text);
        assert_eq!(wide, expected, "by characters: {pattern:?} on {text:?}");
        let glob = Glob::new(units()).matches(text);
        assert_eq!(glob, expected, "by units: {pattern:?} on {text:?}");
        let fast = matches_once(units(), text);
        assert_eq!(fast, expected, "by segments: {pattern:?} on {text:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn agrees_with_a_regex(pattern in "[ab*?éŁ]{0,12}", text in "[abéŁ\0]{0,16}") {
            check(&pattern, &text);
        }

        #[test]
        fn agrees_with_a_regex_on_long_segments(
            segment in "[ab?é]{17,150}",
            before in "[abŁ]{0,80}",
            after in "[ab]{0,80}",
            other in "[abé]{0,200}",
        ) {
            let pattern = format!("*{segment}*");
            let fitting = segment.replace('?', "b");
            check(&pattern, &format!("{before}{fitting}{after}"));
            check(&pattern, &other);
        }
    }

    #[test]
    fn matches_hostile_patterns() {
        let text = "a".repeat(2_048);
        let matches = |pattern: &str| {
            let tokens = tokens(pattern);
            matches_once(tokens.iter().map(Unit::from), &text)
        };
        assert!(matches(&"*a".repeat(1_024)));
        assert!(!matches(&format!("{}*b", "*a".repeat(1_024))));
        assert!(!matches(&format!("*{}b*", "a?".repeat(900))));
        assert!(matches(&format!("*{}*", "a?".repeat(900))));
    }
}
