//! Patterns of tags.

use std::fmt;

/// `*` in a pattern (ECR User Guide, "Lifecycle policy properties in Amazon ECR", "Tag pattern list").
pub const WILDCARDS_MAX: usize = 4;

/// A pattern that matches a whole tag; `*` stands for any characters, also none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// `None` for a pattern with more than [`WILDCARDS_MAX`] wildcards.
    #[must_use]
    pub fn new(text: &str) -> Option<Pattern> {
        let wildcards = text.matches('*').count();
        (wildcards <= WILDCARDS_MAX).then(|| Pattern(text.to_owned()))
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it matches the tag.
    #[must_use]
    pub fn matches(&self, tag: &str) -> bool {
        let mut parts = self.0.split('*');
        // `split` has at least one part.
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = tag.strip_prefix(first) else {
            return false;
        };
        let Some(last) = parts.next_back() else {
            return rest.is_empty();
        };
        // The first place of each part leaves the most for the others.
        for part in parts {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, slowly.
    fn slow(pattern: &[u8], tag: &[u8]) -> bool {
        match (pattern.split_first(), tag.split_first()) {
            (None, None) => true,
            (Some((b'*', pattern)), Some((_, rest))) => {
                slow(pattern, tag) || slow_star(pattern, rest)
            }
            (Some((b'*', pattern)), None) => slow(pattern, tag),
            (Some((p, pattern)), Some((t, tag))) => p == t && slow(pattern, tag),
            _ => false,
        }
    }

    fn slow_star(pattern: &[u8], tag: &[u8]) -> bool {
        slow(pattern, tag)
            || tag
                .split_first()
                .is_some_and(|(_, rest)| slow_star(pattern, rest))
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[ab*]{0,8}", tag in "[ab]{0,8}") {
            let Some(parsed) = Pattern::new(&pattern) else {
                prop_assert!(pattern.matches('*').count() > WILDCARDS_MAX);
                return Ok(());
            };
            prop_assert_eq!(parsed.matches(&tag), slow(pattern.as_bytes(), tag.as_bytes()));
        }
    }

    #[test]
    fn matches_the_whole_tag() {
        let pattern = |text| Pattern::new(text).unwrap();
        assert!(pattern("prod*").matches("prod"));
        assert!(pattern("prod*").matches("prod-1"));
        assert!(!pattern("prod").matches("prod-1"));
        assert!(!pattern("rod*").matches("prod-1"));
        assert!(pattern("*-sha-*").matches("a-sha-b"));
        assert!(!pattern("a*a").matches("a"));
        assert!(Pattern::new("test*1*2*3*4*5*6").is_none());
    }
}
