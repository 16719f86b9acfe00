//! Wildcards and variables against a matcher that tries everything.

use policy::{
    ApplicablePolicies, Context, Document, DocumentKind, Effect, PolicyRef, PolicySet, Principal,
    Request, decide,
};
use serde_json::json;

/// Beyond this length the slow matcher is too slow to find much.
const BYTES_MAX: usize = 1_024;

/// A variable stands in one byte and brings its whole value, so lengths alone do not bound the
/// slow matcher: units of the pattern times characters of the text do.
const STEPS_MAX: usize = 1 << 21;

const USER: &str = "arn:aws:iam::111122223333:user/ana";
const PREFIX: &str = "arn:aws:ecr:us-east-1:111122223333:repository/";
const DEFAULT: &str = "de*fault";

/// One unit of a pattern.
#[derive(Clone, Copy)]
enum Unit {
    Char(char),
    One,
    Star,
}

/// A pattern as a policy writes it, and what it means.
#[derive(Default)]
struct Pattern {
    written: String,
    units: Vec<Unit>,
    /// A variable without a value: matches nothing (docs/semantics.md#31).
    unresolved: bool,
}

/// The bytes are a pattern, a text and a variable's value, parted by NUL. In the pattern `*`
/// and `?` are wildcards, and the bytes 1 to 6 stand for `${*}`, `${?}`, `${$}`, the variable
/// with the value, an absent one with a default, and an absent one without. Chance finds few
/// texts that nearly match, so they are also made from the pattern ([`Pattern::fitting`]).
pub fn matching(bytes: &[u8]) {
    let bytes = &bytes[..bytes.len().min(BYTES_MAX)];
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.splitn(3, '\0');
    let mut part = || parts.next().unwrap_or_default();
    let (pattern, text, value) = (part(), part(), part());
    let pattern = Pattern::read(pattern, value);
    compare(&pattern, text, value);
    compare(&pattern, &pattern.fitting(text), value);
}

fn compare(pattern: &Pattern, text: &str, value: &str) {
    if pattern.units.len().saturating_mul(text.len()) > STEPS_MAX {
        return;
    }
    let expected = !pattern.unresolved && matches(&pattern.units, text);

    let context = Context::new().set("x:text", text).set("x:value", value);
    let resource = format!("{PREFIX}{text}");
    let with_tail = format!("{resource}/tail");
    let like = json!({"StringLike": {"x:text": pattern.written}});
    let unlike = json!({"StringNotLike": {"x:text": pattern.written}});
    let arn = json!({"ArnLike": {"x:arn": format!("{PREFIX}{}", pattern.written)}});
    let context = context.set("x:arn", resource.as_str());
    let written = format!("{PREFIX}{}", pattern.written);
    let written_with_tail = format!("{PREFIX}{}/tail", pattern.written);
    let cases = [
        (
            json!({"Resource": "*", "Condition": like}),
            &resource,
            expected,
        ),
        // Without a value the negated operators match (docs/semantics.md#31).
        (
            json!({"Resource": "*", "Condition": unlike}),
            &resource,
            !expected,
        ),
        (
            json!({"Resource": "*", "Condition": arn}),
            &resource,
            expected,
        ),
        (json!({"Resource": written}), &resource, expected),
        (json!({"Resource": written_with_tail}), &with_tail, {
            let tail = "/tail".chars().map(Unit::Char);
            let units: Vec<Unit> = pattern.units.iter().copied().chain(tail).collect();
            !pattern.unresolved && matches(&units, &format!("{text}/tail"))
        }),
    ];
    for (mut statement, resource, expected) in cases {
        statement["Effect"] = "Allow".into();
        statement["Action"] = "ecr:*".into();
        let document = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
        let document = Document::parse_language(&document, DocumentKind::Managed)
            .unwrap_or_else(|error| panic!("{document}: {error} ({})", error.detail));
        let policy = PolicyRef::new(DocumentKind::Managed, "pattern");
        let identity = PolicySet::compile([(policy, &document)]);
        let principal = Principal::user(USER, None);
        let request = Request {
            principal: &principal,
            action: "ecr:PutImage",
            resource,
            resource_account: Some("111122223333"),
            context: &context,
        };
        let applicable = ApplicablePolicies {
            identity: Some(&identity),
            ..ApplicablePolicies::default()
        };
        let allowed = decide(&request, &applicable).effect == Effect::Allowed;
        assert_eq!(
            allowed,
            expected,
            "{} on {resource} with {value:?}",
            document.source()
        );
    }
}

impl Pattern {
    fn read(text: &str, value: &str) -> Pattern {
        let mut pattern = Pattern::default();
        for character in text.chars() {
            match character {
                '*' => pattern.add("*", [Unit::Star]),
                '?' => pattern.add("?", [Unit::One]),
                '\u{1}' => pattern.add("${*}", literal("*")),
                '\u{2}' => pattern.add("${?}", literal("?")),
                '\u{3}' => pattern.add("${$}", literal("$")),
                '\u{4}' => pattern.add("${x:value}", literal(value)),
                '\u{5}' => pattern.add(&format!("${{x:absent, '{DEFAULT}'}}"), literal(DEFAULT)),
                '\u{6}' => {
                    pattern.add("${x:absent}", []);
                    pattern.unresolved = true;
                }
                // What would be read as a variable, or is refused (docs/semantics.md#43), is another letter.
                '$' | '\0'..' ' | '\u{100}'.. => pattern.add("S", [Unit::Char('S')]),
                other => pattern.add(other.encode_utf8(&mut [0; 4]), [Unit::Char(other)]),
            }
        }
        pattern
    }

    /// A text that the pattern matches, with `filling` for its wildcards; but for a character
    /// left out, where the filling holds a `!`.
    fn fitting(&self, filling: &str) -> String {
        let mut filling = filling.chars().cycle().take(2 * BYTES_MAX).peekable();
        let mut text = String::new();
        for unit in &self.units {
            match unit {
                Unit::Char(_) if filling.next_if_eq(&'!').is_some() => {}
                Unit::Char(character) => text.push(*character),
                Unit::One => text.push(filling.next().unwrap_or('a')),
                // Short ones, so that the pattern's parts come to stand side by side.
                Unit::Star => {
                    let count = filling.next().map_or(0, |c| c as usize % 4);
                    text.extend(filling.by_ref().take(count));
                }
            }
        }
        text
    }

    fn add(&mut self, written: &str, units: impl IntoIterator<Item = Unit>) {
        self.written.push_str(written);
        self.units.extend(units);
    }
}

fn literal(text: &str) -> impl Iterator<Item = Unit> {
    text.chars().map(Unit::Char)
}

/// Every prefix of the pattern against every prefix of the text.
fn matches(pattern: &[Unit], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    // `fits[n]`: the pattern so far matches the text's first `n` characters.
    let mut fits = vec![false; text.len() + 1];
    fits[0] = true;
    for unit in pattern {
        let mut next = vec![false; text.len() + 1];
        for length in 0..=text.len() {
            next[length] = match unit {
                Unit::Star => fits[length] || length > 0 && next[length - 1],
                Unit::One => length > 0 && fits[length - 1],
                Unit::Char(character) => {
                    length > 0 && fits[length - 1] && text[length - 1] == *character
                }
            };
        }
        fits = next;
    }
    fits[text.len()]
}
