//! Wildcard matching in linear time.
//!
//! A pattern is cut at its `*` into segments. The first must start the text, the last
//! must end it, and each one between is looked for behind the one before it: the leftmost
//! place is always a right one, so nothing is ever tried twice. Plain segments are found
//! with a linear substring search; segments that hold `?` with a bit-parallel one.
//! `*a*a*a*…` therefore costs one pass over the text, however long the pattern.

mod wide;

use memchr::memchr_iter;
use memchr::memmem::{self, Finder};

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

/// A compiled pattern with at least one wildcard.
#[derive(Clone, Debug)]
pub(crate) struct Glob {
    tokens: Box<[Token]>,
    segments: Segments,
}

/// A pattern, cut at its stars.
#[derive(Clone, Debug)]
struct Segments {
    alphabet: Alphabet,
    head: Segment,
    /// `None`: no star, `head` is the whole pattern.
    rest: Option<(Box<[Segment]>, Segment)>,
    /// The fewest bytes a matching text has.
    length_min: usize,
}

/// What a byte of the segments is, so that `?` is one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alphabet {
    /// UTF-8: there is no `?`.
    Bytes,
    /// A character up to U+00FF, which is all that a document may hold (row 43).
    Characters,
    /// UTF-8 with `?`, for ASCII texts only: a variable's value went beyond.
    Ascii,
}

#[derive(Clone, Debug)]
enum Segment {
    /// Literal text: the first and the last segment, and short ones between.
    Plain(Box<[u8]>),
    /// Longer literal text that is looked for.
    Sought(Box<Finder<'static>>),
    /// Bytes, `ANY` for `?`.
    Short(Box<[u16]>),
    Long(Box<Bits>),
}

const ANY: u16 = 256;

/// Literal text of this length is not worth a searcher of its own.
const TINY_MAX: usize = 4;

/// Up to this length comparing at each place is as quick as the bit-parallel search.
const SHORT_MAX: usize = 16;

/// The bit-parallel search keeps its state on the stack: 64 words are 4,096 bytes of
/// pattern, more than the longest resource a policy can name.
const WORDS_MAX: usize = 64;

#[derive(Clone, Debug)]
struct Bits {
    pattern: Box<[u16]>,
    words: usize,
    class: Box<[u8; 256]>,
    masks: Box<[u64]>,
}

impl Segments {
    fn new<'a>(units: impl Iterator<Item = Unit<'a>> + Clone) -> Segments {
        let mut alphabet = Alphabet::Bytes;
        if units.clone().any(|unit| matches!(unit, Unit::One)) {
            // U+0000 stands for what a text has beyond.
            let small = |text: &str| text.chars().all(|c| matches!(c, '\u{1}'..='\u{ff}'));
            let small = |unit| !matches!(unit, Unit::Text(text) if !small(text));
            alphabet = match units.clone().all(small) {
                true => Alphabet::Characters,
                false => Alphabet::Ascii,
            };
        }
        let mut parts: Vec<Vec<u16>> = vec![Vec::new()];
        for unit in units {
            let last = parts.len() - 1;
            match unit {
                Unit::Text(text) if alphabet == Alphabet::Characters => {
                    parts[last].extend(text.chars().map(|c| c as u16));
                }
                Unit::Text(text) => parts[last].extend(text.bytes().map(u16::from)),
                Unit::One => parts[last].push(ANY),
                Unit::Star => parts.push(Vec::new()),
            }
        }
        let length_min = parts.iter().map(Vec::len).sum();
        // The ends are compared, not looked for.
        let tail = (parts.len() > 1).then(|| parts.pop().unwrap_or_default());
        let mut parts = parts.into_iter();
        let head = Segment::anchored(parts.next().unwrap_or_default());
        let rest = tail.map(|tail| {
            let between = parts.filter(|part| !part.is_empty());
            (
                between.map(Segment::sought).collect(),
                Segment::anchored(tail),
            )
        });
        Segments {
            alphabet,
            head,
            rest,
            length_min,
        }
    }

    /// `None`: not with these segments.
    fn matches(&self, text: &str) -> Option<bool> {
        if self.alphabet == Alphabet::Bytes || text.is_ascii() {
            return Some(self.matches_bytes(text.as_bytes()));
        }
        if self.alphabet == Alphabet::Ascii {
            return None;
        }
        let squeezed: Vec<u8> = text
            .chars()
            .map(|character| u8::try_from(character).unwrap_or(0))
            .collect();
        Some(self.matches_bytes(&squeezed))
    }

    fn matches_bytes(&self, bytes: &[u8]) -> bool {
        if bytes.len() < self.length_min {
            return false;
        }
        let Some((between, tail)) = &self.rest else {
            return bytes.len() == self.head.len() && self.head.at(bytes);
        };
        if !self.head.at(bytes) || !tail.at(&bytes[bytes.len() - tail.len()..]) {
            return false;
        }
        // Head and tail cannot overlap: `length_min` counts both.
        let mut left = &bytes[self.head.len()..bytes.len() - tail.len()];
        for segment in between {
            match segment.find(left) {
                Some(at) => left = &left[at + segment.len()..],
                None => return false,
            }
        }
        true
    }
}

/// Matches units that are known for this text only: linear, where [`matches_tokens`] is not.
pub(crate) fn matches_once<'a>(units: impl Iterator<Item = Unit<'a>> + Clone, text: &str) -> bool {
    Segments::new(units.clone())
        .matches(text)
        .unwrap_or_else(|| wide::matches(units, text))
}

impl Glob {
    pub fn new(tokens: Vec<Token>) -> Glob {
        Glob {
            segments: Segments::new(tokens.iter().map(Unit::from)),
            tokens: tokens.into(),
        }
    }

    pub fn matches(&self, text: &str) -> bool {
        self.segments
            .matches(text)
            .unwrap_or_else(|| wide::matches(self.tokens.iter().map(Unit::from), text))
    }

    /// The literal text before the first wildcard.
    pub fn literal_prefix(&self) -> &str {
        match self.tokens.first() {
            Some(Token::Text(text)) => text,
            _ => "",
        }
    }

    /// The literal text behind the last wildcard.
    pub fn literal_suffix(&self) -> &str {
        match self.tokens.last() {
            Some(Token::Text(text)) => text,
            _ => "",
        }
    }
}

impl Segment {
    fn anchored(bytes: Vec<u16>) -> Segment {
        if bytes.contains(&ANY) {
            return Segment::Short(bytes.into());
        }
        Segment::Plain(bytes.into_iter().map(|byte| byte as u8).collect())
    }

    fn sought(bytes: Vec<u16>) -> Segment {
        let words = bytes.len().div_ceil(64);
        let long = bytes.len() > SHORT_MAX;
        match Segment::anchored(bytes) {
            Segment::Plain(text) if text.len() > TINY_MAX => {
                Segment::Sought(Box::new(Finder::new(&text).into_owned()))
            }
            Segment::Short(bytes) if long && words <= WORDS_MAX => {
                Segment::Long(Box::new(Bits::new(bytes.into(), words)))
            }
            segment => segment,
        }
    }

    fn len(&self) -> usize {
        match self {
            Segment::Plain(text) => text.len(),
            Segment::Sought(finder) => finder.needle().len(),
            Segment::Short(pattern) => pattern.len(),
            Segment::Long(bits) => bits.pattern.len(),
        }
    }

    fn at(&self, text: &[u8]) -> bool {
        match self {
            Segment::Plain(literal) => text.starts_with(literal),
            Segment::Sought(finder) => text.starts_with(finder.needle()),
            Segment::Short(pattern) => starts_with(pattern, text),
            Segment::Long(bits) => starts_with(&bits.pattern, text),
        }
    }

    fn find(&self, text: &[u8]) -> Option<usize> {
        match self {
            Segment::Plain(literal) => {
                let Some(&first) = literal.first() else {
                    return Some(0);
                };
                memchr_iter(first, text).find(|&at| text[at..].starts_with(literal))
            }
            Segment::Sought(finder) => finder.find(text),
            Segment::Short(pattern) => {
                let last = text.len().checked_sub(pattern.len())?;
                (0..=last).find(|&at| starts_with(pattern, &text[at..]))
            }
            Segment::Long(bits) => bits.find(text),
        }
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
    fn new(pattern: Vec<u16>, words: usize) -> Bits {
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
            pattern: pattern.into(),
            words,
            class,
            masks: masks.into(),
        }
    }

    /// Shift-And: bit `i` of the state says that the last `i + 1` bytes match the
    /// pattern's first `i + 1`.
    fn find(&self, text: &[u8]) -> Option<usize> {
        let mut state = [0u64; WORDS_MAX];
        let state = &mut state[..self.words];
        let last = self.pattern.len() - 1;
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
        let wide = wide::matches(tokens.iter().map(Unit::from), text);
        assert_eq!(wide, expected, "by characters: {pattern:?} on {text:?}");
        let fast = Glob::new(tokens).matches(text);
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
    fn hostile_patterns_find_their_answer() {
        let text = "a".repeat(2_048);
        assert!(Glob::new(tokens(&"*a".repeat(1_024))).matches(&text));
        assert!(!Glob::new(tokens(&format!("{}*b", "*a".repeat(1_024)))).matches(&text));
        assert!(!Glob::new(tokens(&format!("*{}b*", "a?".repeat(900)))).matches(&text));
        assert!(Glob::new(tokens(&format!("*{}*", "a?".repeat(900)))).matches(&text));
    }
}
