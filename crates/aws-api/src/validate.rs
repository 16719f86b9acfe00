//! Validation of a tree against its model's limits, with AWS's messages.

use crate::limits::{ECHO_CHARS_MAX, VIOLATIONS_MAX};
use crate::shape::{Kind, Member, Shape};
use crate::value::Value;
use crate::{WireError, access_analyzer, organizations};
use std::fmt;

/// A limit that a value violates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where, as AWS writes it: `tags.1.member.key`.
    pub path: String,
    /// The value as messages show it; `None` for an absent one.
    value: Option<Shown>,
    constraint: Constraint,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Shown {
    Text(String),
    /// A secret, which is not shown.
    Hidden,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Constraint {
    NotNull,
    LengthMin(i64),
    LengthMax(i64),
    ValueMin(i64),
    ValueMax(i64),
    Pattern(&'static str),
    Values(&'static [&'static str]),
    /// Of a list's simple members: all their limits, whichever is violated.
    Members(Vec<Constraint>),
    /// Of a map's keys.
    Keys(Vec<Constraint>),
    /// Of a map's values.
    MapValues(Vec<Constraint>),
}

impl Constraint {
    /// The rule without its subject, which all wordings share.
    fn rule(&self) -> String {
        let all = |constraints: &[Self]| {
            let each: Vec<_> = constraints.iter().map(Self::to_string).collect();
            format!("must satisfy constraint: [{}]", each.join(", "))
        };
        match self {
            Self::NotNull => "must not be null".to_owned(),
            Self::LengthMin(n) => format!("must have length greater than or equal to {n}"),
            Self::LengthMax(n) => format!("must have length less than or equal to {n}"),
            Self::ValueMin(n) => format!("must have value greater than or equal to {n}"),
            Self::ValueMax(n) => format!("must have value less than or equal to {n}"),
            Self::Pattern(p) => format!("must satisfy regular expression pattern: {p}"),
            Self::Values(values) => format!("must satisfy enum value set: [{}]", values.join(", ")),
            Self::Members(each) | Self::Keys(each) | Self::MapValues(each) => all(each),
        }
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = match self {
            Self::Keys(_) => "Map keys",
            Self::MapValues(_) => "Map value",
            _ => "Member",
        };
        write!(f, "{subject} {}", self.rule())
    }
}

/// The usual wording: `Value 'x' at 'userName' failed to satisfy constraint:
/// Member must …`.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value ")?;
        match &self.value {
            None => f.write_str("null ")?,
            Some(Shown::Text(text)) => write!(f, "'{text}' ")?,
            Some(Shown::Hidden) => {}
        }
        let Self {
            path, constraint, ..
        } = self;
        write!(f, "at '{path}' failed to satisfy constraint: {constraint}")
    }
}

impl Violation {
    /// ECR's own wording, as its users quote it: `Invalid parameter at
    /// 'repositoryName' failed to satisfy constraint: 'must satisfy regular
    /// expression '…''`.
    fn ecr(&self) -> String {
        let rule = match &self.constraint {
            Constraint::Pattern(pattern) => format!("must satisfy regular expression '{pattern}'"),
            Constraint::Values(_) => self.constraint.to_string(),
            other => other.rule(),
        };
        let path = &self.path;
        format!("Invalid parameter at '{path}' failed to satisfy constraint: '{rule}'")
    }
}

/// The pattern of IAM's names.
const NAME: &str = r"[\w+=,.@-]+";
/// The patterns of IAM's paths.
const PATHS: [&str; 2] = [
    r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)",
    r"((/[A-Za-z0-9\.,\+@=_-]+)*)/",
];

impl Violation {
    /// IAM's wording since 2025 (answers recorded from AWS in LocalStack's IAM tests): without
    /// the value, without an enumeration's values.
    fn iam(&self) -> String {
        let rule = match &self.constraint {
            Constraint::Values(_) => "Member must satisfy enum value set".to_owned(),
            Constraint::Members(each) => {
                let mut each: Vec<_> = each.iter().map(Constraint::to_string).collect();
                // Lists of tag keys, whose members have a pattern, say one thing more.
                if self.has_member_pattern() {
                    each.push(Constraint::NotNull.to_string());
                }
                format!("Member must satisfy constraint: [{}]", each.join(", "))
            }
            other => other.to_string(),
        };
        let path = &self.path;
        format!("Value at '{path}' failed to satisfy constraint: {rule}")
    }

    fn has_member_pattern(&self) -> bool {
        let is_pattern = |constraint: &Constraint| matches!(constraint, Constraint::Pattern(_));
        matches!(&self.constraint, Constraint::Members(each) if each.iter().any(is_pattern))
    }

    /// IAM checks the characters of names and paths itself, after the model's other limits, and
    /// answers with a sentence of its own.
    fn iam_characters(&self) -> Option<String> {
        let Constraint::Pattern(pattern) = self.constraint else {
            return None;
        };
        let path = &self.path;
        let rule = match path.as_str() {
            _ if pattern == NAME => {
                "It must contain only alphanumeric characters and/or the following: +=,.@_-"
            }
            "path" | "newPath" if PATHS.contains(&pattern) => {
                "It must begin and end with / and contain only alphanumeric characters and/or / \
                 characters."
            }
            _ => return None,
        };
        Some(format!("The specified value for {path} is invalid. {rule}"))
    }
}

/// Where Java's `HashMap` of up to twelve entries puts a key.
fn java_bucket(key: &str) -> u32 {
    let hash = key.encode_utf16().fold(0_u32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(u32::from(unit))
    });
    (hash ^ (hash >> 16)) & 15
}

/// The message for violations in IAM's wording.
///
/// IAM lists them in the order in which a Java `HashMap` holds the names of the members: so they are in both answers
/// that are recorded with several (LocalStack's `test_update_account_password_policy_validation_errors` and
/// `test_create_open_id_connect_provider_validation_errors`).
pub(crate) fn iam_message(violations: &[Violation]) -> String {
    let mut model: Vec<&Violation> = violations
        .iter()
        .filter(|violation| violation.iam_characters().is_none())
        .collect();
    model.sort_by_key(|violation| {
        let member = violation.path.split('.').next();
        member.map(java_bucket)
    });
    match violations.iter().find_map(Violation::iam_characters) {
        Some(first) if model.is_empty() => first,
        _ => counted(model.iter().map(|violation| violation.iam()).collect()),
    }
}

/// The message for violations: `2 validation errors detected: …; …`.
pub(crate) fn message(violations: &[Violation]) -> String {
    counted(violations.iter().map(Violation::to_string).collect())
}

/// The same in ECR's wording, which has no count for a single violation.
pub(crate) fn ecr_message(violations: &[Violation]) -> String {
    match violations {
        [one] => one.ecr(),
        _ => counted(violations.iter().map(Violation::ecr).collect()),
    }
}

/// The error for violations as Access Analyzer returns it (API Reference, `ValidationException`): the fields in
/// a member of their own.
pub(crate) fn access_analyzer_error(violations: &[Violation]) -> WireError {
    let fields = violations.iter().map(
        |violation| serde_json::json!({"name": violation.path, "message": violation.to_string()}),
    );
    let fields = fields.collect::<Vec<_>>();
    access_analyzer::ErrorCode::Validation
        .with(message(violations))
        .member("reason", "fieldValidationFailed")
        .member("fieldList", fields)
}

/// The error for violations in Organizations' wording: its own code with the reason in a member, and for the
/// most frequent reasons its own sentence (org-formation, Backstage's AWS provider and Terraform quote them).
pub(crate) fn organizations_error(violations: &[Violation]) -> WireError {
    let constraint = violations.first().map(|violation| &violation.constraint);
    let simple = match constraint {
        Some(Constraint::Members(each) | Constraint::Keys(each) | Constraint::MapValues(each)) => {
            each.first()
        }
        other => other,
    };
    let (reason, words) = match simple {
        Some(Constraint::Pattern(_)) => (
            "INVALID_PATTERN",
            Some("You provided a value that does not match the required pattern."),
        ),
        Some(Constraint::Values(_)) => ("INVALID_ENUM", Some("You specified an invalid value.")),
        Some(Constraint::LengthMin(_)) => ("MIN_LENGTH_EXCEEDED", None),
        Some(Constraint::LengthMax(_)) => ("MAX_LENGTH_EXCEEDED", None),
        Some(Constraint::ValueMin(_)) => ("MIN_VALUE_EXCEEDED", None),
        Some(Constraint::ValueMax(_)) => ("MAX_VALUE_EXCEEDED", None),
        _ => ("INPUT_REQUIRED", None),
    };
    let message = words.map_or_else(|| message(violations), str::to_owned);
    let error = organizations::ErrorCode::InvalidInput.with(message);
    error.member("Reason", reason)
}

fn counted(texts: Vec<String>) -> String {
    let count = texts.len();
    let plural = if count == 1 { "" } else { "s" };
    format!(
        "{count} validation error{plural} detected: {}",
        texts.join("; ")
    )
}

/// Every limit that `value` violates, in the order of its members.
pub(crate) fn violations(shape: &'static Shape, value: &Value<'_>) -> Vec<Violation> {
    let mut found = Found(Vec::new());
    found.value(shape, shape.sensitive, value, "");
    found.0
}

struct Found(Vec<Violation>);

impl Found {
    fn add(&mut self, path: &str, value: Option<Shown>, constraint: Constraint) {
        if self.0.len() < VIOLATIONS_MAX {
            self.0.push(Violation {
                path: path.to_owned(),
                value,
                constraint,
            });
        }
    }

    fn value(&mut self, shape: &'static Shape, hidden: bool, value: &Value<'_>, path: &str) {
        for constraint in broken(shape, value) {
            let shown = match hidden {
                true => Shown::Hidden,
                false => Shown::Text(echo(shape, value)),
            };
            self.add(path, Some(shown), constraint);
        }
        match (shape.kind, value) {
            (Kind::Structure(members), Value::Structure(slots)) => {
                for (member, slot) in members.iter().zip(slots) {
                    self.member(member, slot.as_ref(), path);
                }
            }
            (Kind::List(member), Value::List(values)) => {
                if is_simple(member) {
                    if values.iter().any(|value| !broken(member, value).is_empty()) {
                        let shown = Shown::Text(echo(shape, value));
                        self.add(path, Some(shown), Constraint::Members(limits(member)));
                    }
                    return;
                }
                for (i, value) in values.iter().enumerate() {
                    let path = format!("{path}.{}.member", i + 1);
                    self.value(member, member.sensitive, value, &path);
                }
            }
            (Kind::Map(key_shape, value_shape), Value::Map(entries)) => {
                let key_broken = |key: &str| {
                    !broken(key_shape, &Value::String(std::borrow::Cow::Borrowed(key))).is_empty()
                };
                if entries.iter().any(|(key, _)| key_broken(key)) {
                    let shown = Shown::Text(echo(shape, value));
                    self.add(path, Some(shown), Constraint::Keys(limits(key_shape)));
                }
                if entries
                    .iter()
                    .any(|(_, value)| !broken(value_shape, value).is_empty())
                {
                    let shown = Shown::Text(echo(shape, value));
                    self.add(
                        path,
                        Some(shown),
                        Constraint::MapValues(limits(value_shape)),
                    );
                }
            }
            _ => {}
        }
    }

    fn member(&mut self, member: &'static Member, slot: Option<&Value<'_>>, path: &str) {
        // An absent member is the common case; its path is built only if needed.
        if slot.is_none() && !member.required {
            return;
        }
        let name = decapitalized(member.name);
        let path = match path {
            "" => name,
            _ => format!("{path}.{name}"),
        };
        match slot {
            Some(value) => self.value(member.shape, member.sensitive, value, &path),
            None => self.add(&path, None, Constraint::NotNull),
        }
    }
}

/// Members in AWS's paths begin with a lower-case letter: `sAMLMetadataDocument`.
pub(crate) fn decapitalized(name: &str) -> String {
    let mut chars = name.chars();
    chars
        .next()
        .map(|first| first.to_ascii_lowercase().to_string() + chars.as_str())
        .unwrap_or_default()
}

fn is_simple(shape: &Shape) -> bool {
    !matches!(
        shape.kind,
        Kind::List(_) | Kind::Map(..) | Kind::Structure(_)
    )
}

/// All limits of a simple shape, in AWS's order.
fn limits(shape: &Shape) -> Vec<Constraint> {
    let number = matches!(shape.kind, Kind::Integer | Kind::Long | Kind::Double);
    let mut all = Vec::new();
    match (number, shape.max) {
        (true, Some(n)) => all.push(Constraint::ValueMax(n)),
        (false, Some(n)) => all.push(Constraint::LengthMax(n)),
        (_, None) => {}
    }
    match (number, shape.min) {
        (true, Some(n)) => all.push(Constraint::ValueMin(n)),
        (false, Some(n)) => all.push(Constraint::LengthMin(n)),
        (_, None) => {}
    }
    if let Some(pattern) = shape.pattern {
        all.push(Constraint::Pattern(pattern.as_str()));
    }
    if !shape.values.is_empty() {
        all.push(Constraint::Values(shape.values));
    }
    all
}

/// The limits of its own shape that a value violates, not those of its members.
fn broken(shape: &Shape, value: &Value<'_>) -> Vec<Constraint> {
    let mut found = Vec::new();
    let size = match value {
        Value::String(text) => text.chars().count() as f64,
        Value::Blob(bytes) => bytes.len() as f64,
        Value::List(members) => members.len() as f64,
        Value::Map(entries) => entries.len() as f64,
        // Limits are small, so that comparing as doubles is exact enough.
        Value::Integer(number) => *number as f64,
        Value::Double(number) => *number,
        Value::Boolean(_) | Value::Timestamp(_) | Value::Structure(_) => return found,
    };
    let number = matches!(value, Value::Integer(_) | Value::Double(_));
    if let Some(max) = shape.max.filter(|max| size > *max as f64) {
        found.push(match number {
            true => Constraint::ValueMax(max),
            false => Constraint::LengthMax(max),
        });
    }
    if let Some(min) = shape.min.filter(|min| size < *min as f64) {
        found.push(match number {
            true => Constraint::ValueMin(min),
            false => Constraint::LengthMin(min),
        });
    }
    if let Value::String(text) = value {
        if let Some(pattern) = shape.pattern.filter(|pattern| !pattern.matches(text)) {
            found.push(Constraint::Pattern(pattern.as_str()));
        }
        if !shape.values.is_empty() && !shape.values.contains(&&**text) {
            found.push(Constraint::Values(shape.values));
        }
    }
    found
}

/// A value as messages show it, in Java's format, truncated if it is long.
fn echo(shape: &Shape, value: &Value<'_>) -> String {
    let mut out = String::new();
    show(shape, value, &mut out);
    match out.char_indices().nth(ECHO_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &out[..end]),
        None => out,
    }
}

fn show(shape: &Shape, value: &Value<'_>, out: &mut String) {
    if out.len() > ECHO_CHARS_MAX * 4 {
        return;
    }
    match (shape.kind, value) {
        _ if shape.sensitive => out.push_str("***"),
        (_, Value::String(text)) => out.push_str(text),
        (_, Value::Blob(_)) => out.push_str("java.nio.HeapByteBuffer"),
        (_, Value::Boolean(flag)) => out.push_str(if *flag { "true" } else { "false" }),
        (_, Value::Integer(number)) => out.push_str(&number.to_string()),
        (_, Value::Double(number)) => out.push_str(&number.to_string()),
        (_, Value::Timestamp(at)) => out.push_str(&at.to_string()),
        (Kind::List(member), Value::List(values)) => {
            out.push('[');
            for (i, value) in values.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                show(member, value, out);
            }
            out.push(']');
        }
        (Kind::Map(_, shape), Value::Map(entries)) => {
            out.push('{');
            for (i, (key, value)) in entries.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                out.push_str(key);
                out.push('=');
                show(shape, value, out);
            }
            out.push('}');
        }
        (Kind::Structure(members), Value::Structure(slots)) => {
            out.push_str(shape.name);
            out.push('(');
            for (i, (member, slot)) in members.iter().zip(slots).enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                out.push_str(&decapitalized(member.name));
                out.push('=');
                match slot {
                    Some(_) if member.sensitive => out.push_str("***"),
                    Some(value) => show(member.shape, value, out),
                    None => out.push_str("null"),
                }
            }
            out.push(')');
        }
        _ => {}
    }
}
