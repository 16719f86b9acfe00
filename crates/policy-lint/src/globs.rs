//! Compares patterns: whether one covers the other, and whether a text matches both.

use crate::budget::Budget;

/// One unit of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Text(char),
    /// `?`.
    One,
    /// `*`, or a variable, which may be any text.
    Star,
    /// Any characters except this one: a field of an ARN ends at a colon, the name of an S3 bucket at
    /// a slash.
    Without(char),
}

/// A pattern of a policy, or the form of an ARN.
#[derive(Clone, Debug)]
pub(super) struct Glob {
    units: Vec<Unit>,
    /// Whether it has a variable, so that what it covers depends on the request.
    variable: bool,
    /// The fewest characters that it matches.
    shortest: usize,
}

impl Glob {
    /// A string with wildcards; `${...}` may be any text.
    pub fn new(text: &str) -> Glob {
        Glob::read(text, true, false)
    }

    /// The same, ignoring case.
    pub fn folded(text: &str) -> Glob {
        Glob::read(&text.to_lowercase(), true, false)
    }

    /// A string without wildcards; only `${...}` may be any text.
    pub fn literal(text: &str) -> Glob {
        Glob::read(text, false, false)
    }

    /// The form of an ARN, where `${Name}` is one character or more.
    pub fn form(text: &str) -> Glob {
        Glob::read(text, true, true)
    }

    fn read(text: &str, wildcards: bool, form: bool) -> Glob {
        let mut units = Vec::new();
        let mut variable = false;
        // The colons of a whole ARN; a single field counts as the last one.
        let mut colons = if text.starts_with("arn:") { 0 } else { 5 };
        let mut braces = true;
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            let variable_starts = braces && rest.starts_with("${");
            let found = variable_starts.then(|| rest[2..].split_once('}'));
            // Searched once: a text may have thousands of `${` without a closing brace.
            braces &= !matches!(found, Some(None));
            if let Some(Some((name, after))) = found {
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
                rest = after;
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
        let shortest = units.iter().filter(|unit| !is_run(**unit)).count();
        Glob {
            units,
            variable,
            shortest,
        }
    }

    /// Whether it matches every text.
    pub fn is_star(&self) -> bool {
        self.units == [Unit::Star] && !self.variable
    }

    /// Whether it is one text and no other.
    pub fn is_exact(&self) -> bool {
        self.units.iter().all(|unit| matches!(unit, Unit::Text(_)))
    }

    /// Whether this matches every text that `other` matches. May be false for equal patterns that are
    /// written differently (`*?` and `?*`) or when the budget is spent; never true by mistake.
    pub fn covers(&self, other: &Glob, budget: &Budget) -> bool {
        if self.variable {
            return false;
        }
        let (a, b) = (&self.units, &other.units);
        let longer = self.shortest > other.shortest;
        if longer || differ(a.first(), b.first()) || differ(a.last(), b.last()) {
            let _ = budget.take(1);
            return false;
        }
        // The other pattern is read as a text, in which only `*` covers a `*`.
        let covers = |unit: Unit, at: usize| match (unit, b[at]) {
            (Unit::One, Unit::Text(_) | Unit::One) => true,
            (Unit::Text(want), Unit::Text(have)) => want == have,
            _ => false,
        };
        let (fits, steps) = fits(a, b.len(), covers, budget.left());
        budget.take(steps) && fits
    }

    /// Whether it matches everything with this prefix. Linear, so it needs no budget.
    pub fn covers_all_of(&self, prefix: &str) -> bool {
        let other = Glob::new(&format!("{prefix}*"));
        let (a, b) = (&self.units, &other.units);
        let covers =
            |unit: Unit, at: usize| unit == b[at] || unit == Unit::One && b[at] != Unit::Star;
        !self.variable && self.shortest <= other.shortest && fits(a, b.len(), covers, u64::MAX).0
    }

    /// Whether some text matches both; true if the budget is spent.
    pub fn overlaps(&self, other: &Glob, budget: &Budget) -> bool {
        let (a, b) = (&self.units, &other.units);
        if differ(a.first(), b.first()) || differ(a.last(), b.last()) {
            return !budget.take(1);
        }
        // `live[j]`: whether a text exists that matches the part of `a` read so far and the first `j`
        // units of `b`. Most patterns differ early, so only the range with such texts is visited.
        let mut live = vec![false; b.len() + 1];
        let mut next = vec![false; b.len() + 1];
        live[0] = true;
        let (mut low, mut high) = (0, 0);
        for i in 0..=a.len() {
            let (mut next_low, mut next_high) = (usize::MAX, 0);
            let mut j = low;
            while j <= high {
                if std::mem::take(&mut live[j]) {
                    let (on, down, across) = match (a.get(i), b.get(j)) {
                        (None, None) => return true,
                        (None, Some(&unit)) => (is_run(unit), false, false),
                        (Some(&unit), None) => (false, is_run(unit), false),
                        (Some(&one), Some(&two)) => match (is_run(one), is_run(two)) {
                            (true, true) => (true, true, false),
                            (true, false) => (meets(one, two), true, false),
                            (false, true) => (true, meets(two, one), false),
                            (false, false) => (false, false, meets(one, two)),
                        },
                    };
                    if on {
                        live[j + 1] = true;
                        high = high.max(j + 1);
                    }
                    if down || across {
                        let at = j + usize::from(across);
                        next[at] = true;
                        (next_low, next_high) = (next_low.min(at), next_high.max(at));
                    }
                }
                j += 1;
            }
            if !budget.take((high - low + 1) as u64) {
                return true;
            }
            if next_low > next_high {
                return false;
            }
            std::mem::swap(&mut live, &mut next);
            (low, high) = (next_low, next_high);
        }
        false
    }

    /// Whether it matches this text; not for forms. The cost depends on the length of the text.
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        self.matches_all(&text)
    }

    /// The same for a text as characters.
    pub fn matches_all(&self, text: &[char]) -> bool {
        let meets = |unit: Unit, at: usize| meets(unit, Unit::Text(text[at]));
        self.shortest <= text.len() && fits(&self.units, text.len(), meets, u64::MAX).0
    }
}

/// Whether two characters differ: most patterns differ at their ends already.
fn differ(a: Option<&Unit>, b: Option<&Unit>) -> bool {
    matches!((a, b), (Some(Unit::Text(a)), Some(Unit::Text(b))) if a != b)
}

/// Whether a pattern fits `length` symbols, and the number of steps; false if it takes more than
/// `steps_max`. The last `*` takes one more symbol whenever the rest does not fit.
fn fits(
    pattern: &[Unit],
    length: usize,
    meets: impl Fn(Unit, usize) -> bool,
    steps_max: u64,
) -> (bool, u64) {
    let (mut i, mut j, mut steps) = (0, 0, 1);
    let mut star: Option<(usize, usize)> = None;
    while j < length {
        steps += 1;
        if steps > steps_max {
            return (false, steps);
        }
        match (pattern.get(i), star) {
            (Some(Unit::Star), _) => {
                star = Some((i, j));
                i += 1;
            }
            (Some(&unit), _) if meets(unit, j) => {
                i += 1;
                j += 1;
            }
            (_, Some((at, taken))) => {
                star = Some((at, taken + 1));
                i = at + 1;
                j = taken + 1;
            }
            (_, None) => return (false, steps),
        }
    }
    let rest = pattern.get(i..).unwrap_or_default();
    (rest.iter().all(|unit| *unit == Unit::Star), steps)
}

fn is_run(unit: Unit) -> bool {
    matches!(unit, Unit::Star | Unit::Without(_))
}

/// Whether a single unit can match the character of another, or a part of a run.
fn meets(unit: Unit, single: Unit) -> bool {
    match (unit, single) {
        (Unit::Text(a), Unit::Text(b)) => a == b,
        (Unit::Without(a), Unit::Text(b)) => a != b,
        _ => true,
    }
}

/// Whether a string has a wildcard outside of variables.
pub(super) fn has_wildcard(text: &str) -> bool {
    !Glob::new(text).is_exact() && (text.contains(['*', '?'])) && {
        let mut rest = text;
        let mut plain = String::new();
        while let Some((before, after)) = rest.split_once("${") {
            plain.push_str(before);
            rest = after.split_once('}').map_or("", |(_, after)| after);
        }
        plain.push_str(rest);
        plain.contains(['*', '?'])
    }
}

/// The fields of an ARN, at most six: split at the colons outside of `${...}`.
pub(super) fn arn_fields(text: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let (mut start, mut at) = (0, 0);
    let bytes = text.as_bytes();
    let mut braces = true;
    while at < bytes.len() && fields.len() < 5 {
        if bytes[at] == b':' {
            fields.push(&text[start..at]);
            start = at + 1;
        } else if braces && text[at..].starts_with("${") {
            let end = text[at..].find('}');
            braces = end.is_some();
            at += end.unwrap_or(0);
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
                Glob::new(a).covers(&Glob::new(b), &Budget::default()),
                expected,
                "{a} covers {b}"
            );
        }
    }

    #[test]
    fn overlapping() {
        let budget = Budget::default();
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
            assert_eq!(left.overlaps(&right, &budget), expected, "{a} meets {b}");
            assert_eq!(right.overlaps(&left, &budget), expected, "{b} meets {a}");
        }
        let bucket = Glob::form("arn:${Partition}:s3:::${BucketName}");
        let meets = |form: &Glob, text: &str| form.overlaps(&Glob::new(text), &budget);
        assert!(meets(&bucket, "arn:aws:s3:::b"));
        assert!(!meets(&bucket, "arn:aws:s3:::b/k"));
        assert!(!meets(&bucket, "arn:aws:s3:::b/*"));
        assert!(meets(&bucket, "arn:aws:s3:::b*"));
        let point = Glob::form("arn:${Partition}:s3:${Region}:${Account}:accesspoint/${Name}");
        assert!(!meets(&point, "arn:aws:s3:::b/*"));
        assert!(meets(&point, "arn:aws:s3:*:*:*"));
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

    /// The engine's answer: does a policy on such resources allow one of this name?
    struct Matcher(policy::PolicySet);

    impl Matcher {
        fn new(pattern: &str) -> Matcher {
            let text = format!(
                r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "*",
                    "Resource": "arn:aws:s:::{pattern}"}}}}"#
            );
            let kind = policy::DocumentKind::Managed;
            let document = policy::Document::parse(&text, kind).expect("a valid document");
            let reference = policy::PolicyRef::new(kind, "p");
            Matcher(policy::PolicySet::compile([(reference, &document)]))
        }

        fn matches(&self, name: &str) -> bool {
            let user = policy::Principal::user("arn:aws:iam::111122223333:user/ana", None);
            let request = policy::Request {
                principal: &user,
                action: "s:Get",
                resource: &format!("arn:aws:s:::{name}"),
                resource_account: Some("111122223333"),
                context: &policy::Context::new(),
            };
            let applicable = policy::ApplicablePolicies {
                identity: Some(&self.0),
                ..policy::ApplicablePolicies::default()
            };
            policy::decide(&request, &applicable).effect == policy::Effect::Allowed
        }
    }

    proptest::proptest! {
        /// Comparisons must agree with what the engine matches.
        #[test]
        fn patterns_are_compared_as_they_match(a in "[ab*?]{0,5}", b in "[ab*?]{0,5}") {
            let (one, other) = (Matcher::new(&a), Matcher::new(&b));
            let both = |text: &String| one.matches(text) && other.matches(text);
            let texts = texts();
            let (left, right) = (Glob::new(&a), Glob::new(&b));
            let budget = Budget::default();
            for text in &texts {
                proptest::prop_assert_eq!(left.matches(text), one.matches(text));
            }
            if left.covers(&right, &budget) {
                let mut matched = texts.iter().filter(|text| other.matches(text));
                proptest::prop_assert!(matched.all(|text| one.matches(text)));
            }
            let common = texts.iter().any(both);
            // Two patterns of three units have a text of six in common, if any.
            if a.len() <= 3 && b.len() <= 3 {
                proptest::prop_assert_eq!(left.overlaps(&right, &budget), common);
            } else {
                proptest::prop_assert!(left.overlaps(&right, &budget) || !common);
            }
        }
    }

    #[test]
    fn a_comparison_that_costs_too_much_claims_nothing() {
        let long = Glob::new(&format!("{}b", "*a".repeat(4_000)));
        let other = Glob::new(&format!("{}?b", "*c".repeat(4_000)));
        let budget = Budget::default();
        assert!(!long.covers(&other, &budget) && !budget.is_spent());
        assert!(long.overlaps(&other, &budget) && budget.is_spent());
        assert!(!Glob::new("*").covers(&Glob::new("a"), &budget));
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
