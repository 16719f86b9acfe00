//! Patterns compared with patterns: does one cover the other, do they have a text in common?

/// One unit of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Text(char),
    /// `?`.
    One,
    /// `*`, or a variable, which may stand for anything.
    Star,
    /// Any characters but this one: a field of an ARN ends at a colon, the name of an S3
    /// bucket at a slash.
    Without(char),
}

/// A pattern of a policy, or the form of an ARN.
#[derive(Clone, Debug)]
pub(super) struct Glob {
    units: Vec<Unit>,
    /// Holds a variable: what it covers is known per request only.
    variable: bool,
}

impl Glob {
    /// A string with wildcards; `${...}` may stand for anything.
    pub fn new(text: &str) -> Glob {
        Glob::read(text, true, false)
    }

    /// The same without regard to case.
    pub fn folded(text: &str) -> Glob {
        Glob::read(&text.to_lowercase(), true, false)
    }

    /// A string that is itself; only variables may stand for anything.
    pub fn literal(text: &str) -> Glob {
        Glob::read(text, false, false)
    }

    /// The form of an ARN, where `${Name}` stands for one character or more.
    pub fn form(text: &str) -> Glob {
        Glob::read(text, true, true)
    }

    fn read(text: &str, wildcards: bool, form: bool) -> Glob {
        let mut units = Vec::new();
        let mut variable = false;
        // Those of an ARN's form, not of a field alone.
        let mut colons = if text.starts_with("arn:") { 0 } else { 5 };
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if let Some((name, behind)) = rest
                .strip_prefix("${")
                .and_then(|inner| inner.split_once('}'))
            {
                match name {
                    "*" | "?" | "$" => units.extend(name.chars().map(Unit::Text)),
                    _ if form && colons < 5 => units.push(Unit::Without(':')),
                    "BucketName" if form => units.push(Unit::Without('/')),
                    _ if form => units.extend([Unit::One, Unit::Star]),
                    _ => {
                        variable = true;
                        units.push(Unit::Star);
                    }
                }
                rest = behind;
                continue;
            }
            colons += usize::from(character == ':');
            units.push(match character {
                '*' if wildcards => Unit::Star,
                '?' if wildcards => Unit::One,
                _ => Unit::Text(character),
            });
            rest = &rest[character.len_utf8()..];
        }
        units.dedup_by(|a, b| *a == Unit::Star && a == b);
        Glob { units, variable }
    }

    /// Whether it matches every text.
    pub fn is_star(&self) -> bool {
        self.units == [Unit::Star] && !self.variable
    }

    /// Whether it is one text and no other.
    pub fn is_exact(&self) -> bool {
        self.units.iter().all(|unit| matches!(unit, Unit::Text(_)))
    }

    /// Whether every text that `other` matches is matched by this. May miss a cover that takes
    /// a second look (`*?` and `?*`), and never claims one that is none.
    pub fn covers(&self, other: &Glob) -> bool {
        if self.variable {
            return self.units == other.units && !other.variable;
        }
        let (a, b) = (&self.units, &other.units);
        if self.is_exact() {
            return a == b;
        }
        if differ(a.first(), b.first()) || differ(a.last(), b.last()) {
            return false;
        }
        // `row[j]`: whether what is left of `a` covers what is left of `b` from `j`.
        let mut row = vec![false; b.len() + 1];
        row[b.len()] = true;
        for &unit in a.iter().rev() {
            let mut next = vec![false; b.len() + 1];
            for j in (0..=b.len()).rev() {
                next[j] = match (unit, b.get(j)) {
                    (Unit::Star, None) => row[j],
                    (Unit::Star, Some(_)) => row[j] || next[j + 1],
                    (_, None) => false,
                    (Unit::One, Some(Unit::Text(_) | Unit::One)) => row[j + 1],
                    (Unit::Text(want), Some(Unit::Text(have))) => want == *have && row[j + 1],
                    _ => false,
                };
            }
            row = next;
        }
        row[0]
    }

    /// Whether some text is matched by both.
    pub fn overlaps(&self, other: &Glob) -> bool {
        let (a, b) = (&self.units, &other.units);
        if differ(a.first(), b.first()) || differ(a.last(), b.last()) {
            return false;
        }
        let mut row = vec![false; b.len() + 1];
        row[b.len()] = true;
        for j in (0..b.len()).rev() {
            row[j] = is_run(b[j]) && row[j + 1];
        }
        for &unit in a.iter().rev() {
            let mut next = vec![false; b.len() + 1];
            for j in (0..=b.len()).rev() {
                let Some(&other) = b.get(j) else {
                    next[j] = is_run(unit) && row[j];
                    continue;
                };
                next[j] = match (is_run(unit), is_run(other)) {
                    (true, true) => row[j] || next[j + 1],
                    (true, false) => row[j] || meets(unit, other) && next[j + 1],
                    (false, true) => next[j + 1] || meets(other, unit) && row[j],
                    (false, false) => meets(unit, other) && row[j + 1],
                };
            }
            row = next;
        }
        row[0]
    }

    /// Whether it matches this text.
    pub fn matches(&self, text: &str) -> bool {
        self.overlaps(&Glob::literal(text))
    }
}

/// Two characters that are not the same: most patterns part at their ends already.
fn differ(a: Option<&Unit>, b: Option<&Unit>) -> bool {
    matches!((a, b), (Some(Unit::Text(a)), Some(Unit::Text(b))) if a != b)
}

fn is_run(unit: Unit) -> bool {
    matches!(unit, Unit::Star | Unit::Without(_))
}

/// Whether a single unit can be the character of another, or stand inside a run.
fn meets(unit: Unit, single: Unit) -> bool {
    match (unit, single) {
        (Unit::Text(a), Unit::Text(b)) => a == b,
        (Unit::Without(a), Unit::Text(b)) => a != b,
        _ => true,
    }
}

/// Whether a string holds `*` or `?` that is a wildcard where wildcards are read.
pub(super) fn has_wildcard(text: &str) -> bool {
    !Glob::new(text).is_exact() && (text.contains(['*', '?'])) && {
        let mut rest = text;
        let mut plain = String::new();
        while let Some((before, behind)) = rest.split_once("${") {
            plain.push_str(before);
            rest = behind.split_once('}').map_or("", |(_, behind)| behind);
        }
        plain.push_str(rest);
        plain.contains(['*', '?'])
    }
}

/// The fields of an ARN: cut at colons, those inside `${...}` aside, into at most six.
pub(super) fn arn_fields(text: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let (mut start, mut at) = (0, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() && fields.len() < 5 {
        if bytes[at] == b':' {
            fields.push(&text[start..at]);
            start = at + 1;
        } else if text[at..].starts_with("${") {
            at += text[at..].find('}').unwrap_or(0);
        }
        at += 1;
        while !text.is_char_boundary(at) {
            at += 1;
        }
    }
    fields.push(&text[start..]);
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covering() {
        for (a, b, expected) in [
            ("*", "x", true),
            ("ecr:*", "ecr:Get*", true),
            ("ecr:Get*", "ecr:*", false),
            ("a?c", "abc", true),
            ("a?c", "a*c", false),
            ("a*c", "a?c", true),
            ("a*b*", "a*b", true),
            ("abc", "abc", true),
            ("abc", "ab", false),
            ("x/${aws:username}", "x/${aws:username}", false),
            ("x/*", "x/${aws:username}", true),
            ("x/${aws:username}", "x/ana", false),
        ] {
            assert_eq!(
                Glob::new(a).covers(&Glob::new(b)),
                expected,
                "{a} covers {b}"
            );
        }
    }

    #[test]
    fn overlapping() {
        for (a, b, expected) in [
            ("a*", "*b", true),
            ("a*", "b*", false),
            ("a?", "?b", true),
            ("a?", "a", false),
            ("*", "", true),
            ("*a*", "b?b", true),
            ("*a*", "b?b?", true),
            ("a*c", "abd", false),
        ] {
            let (left, right) = (Glob::new(a), Glob::new(b));
            assert_eq!(left.overlaps(&right), expected, "{a} meets {b}");
            assert_eq!(right.overlaps(&left), expected, "{b} meets {a}");
        }
        let bucket = Glob::form("arn:${Partition}:s3:::${BucketName}");
        assert!(bucket.matches("arn:aws:s3:::b"));
        assert!(!bucket.matches("arn:aws:s3:::b/k"));
        assert!(!bucket.overlaps(&Glob::new("arn:aws:s3:::b/*")));
        assert!(bucket.overlaps(&Glob::new("arn:aws:s3:::b*")));
        let point = Glob::form("arn:${Partition}:s3:${Region}:${Account}:accesspoint/${Name}");
        assert!(!point.overlaps(&Glob::new("arn:aws:s3:::b/*")));
        assert!(point.overlaps(&Glob::new("arn:aws:s3:*:*:*")));
    }

    /// Every text of at most six letters of two.
    fn texts() -> Vec<String> {
        let mut all = vec![String::new()];
        let mut start = 0;
        for _ in 0..6 {
            let end = all.len();
            for at in start..end {
                for letter in ["a", "b"] {
                    all.push(format!("{}{letter}", all[at]));
                }
            }
            start = end;
        }
        all
    }

    proptest::proptest! {
        /// The engine decides what a pattern matches; what is said of two patterns must agree.
        #[test]
        fn patterns_are_compared_as_they_match(a in "[ab*?]{0,5}", b in "[ab*?]{0,5}") {
            use crate::context::Context;
            use crate::document::Version;
            use crate::pattern::{Flavour, Pattern};

            let context = Context::new();
            let matcher = |text: &str| Pattern::new(text, Version::V2012, Flavour::Wildcards);
            let (one, other) = (matcher(&a), matcher(&b));
            let both = |text: &String| one.matches(text, &context) && other.matches(text, &context);
            let texts = texts();
            let (left, right) = (Glob::new(&a), Glob::new(&b));
            for text in &texts {
                proptest::prop_assert_eq!(left.matches(text), one.matches(text, &context));
            }
            if left.covers(&right) {
                let mut matched = texts.iter().filter(|text| other.matches(text, &context));
                proptest::prop_assert!(matched.all(|text| one.matches(text, &context)));
            }
            let common = texts.iter().any(both);
            // Two patterns of three units have a text of six in common, if any.
            if a.len() <= 3 && b.len() <= 3 {
                proptest::prop_assert_eq!(left.overlaps(&right), common);
            } else {
                proptest::prop_assert!(left.overlaps(&right) || !common);
            }
        }
    }

    #[test]
    fn fields_of_an_arn() {
        assert_eq!(
            arn_fields("arn:aws:s3:::b/${aws:username}:x"),
            ["arn", "aws", "s3", "", "", "b/${aws:username}:x"]
        );
        assert_eq!(
            arn_fields("arn:aws:${a:b}:é"),
            ["arn", "aws", "${a:b}", "é"]
        );
        assert!(has_wildcard("a*") && !has_wildcard("a${*}") && !has_wildcard("${a:b, '*'}"));
    }
}
