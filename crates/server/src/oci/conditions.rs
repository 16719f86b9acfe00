//! Conditional requests (RFC 9110, section 13). The entity tag of a manifest or blob is its
//! digest in quotes.

use aws_api::ErrorStatus;
use blobs::Digest;
use http::HeaderName;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use registry::{Condition, Expected};

use crate::error::OciError;
use crate::head::Head;

/// Which tags a comparison accepts (RFC 9110, section 8.8.3.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    /// A weak tag equals nothing: `If-Match`, `If-Range`.
    Strong,
    /// `W/` is ignored: `If-None-Match`.
    Weak,
}

/// What the request requires of the present manifest.
///
/// # Errors
/// 400 for a header that is not a list of entity tags: a writer that asked for a condition
/// must not write without one.
pub(super) fn expected(head: &Head) -> Result<Expected, OciError> {
    Ok(Expected {
        matches: condition(head, IF_MATCH, Comparison::Strong)?,
        none_matches: condition(head, IF_NONE_MATCH, Comparison::Weak)?,
    })
}

/// What a conditional GET or HEAD comes to for what has the digest `current`.
pub(super) enum Read {
    /// Send it.
    Send,
    /// The client has it: 304.
    NotModified,
}

/// # Errors
/// 412 when `If-Match` does not name `current`, 400 when it is malformed.
pub(super) fn read(head: &Head, current: &Digest) -> Result<Read, OciError> {
    if let Some(condition) = condition(head, IF_MATCH, Comparison::Strong)?
        && !names(&condition, current)
    {
        let reference = current.to_string();
        return Err(registry::Error::PreconditionFailed { reference }.into());
    }
    // A malformed `If-None-Match` costs a client no more than the bytes.
    match condition(head, IF_NONE_MATCH, Comparison::Weak) {
        Ok(Some(condition)) if names(&condition, current) => Ok(Read::NotModified),
        _ => Ok(Read::Send),
    }
}

/// Whether an `If-Range` value is the entity tag of `current` (RFC 9110, section 13.1.5).
pub(super) fn is_strong_tag_of(value: &str, current: &Digest) -> bool {
    match parse([value], Comparison::Strong) {
        Some(Condition::OneOf(digests)) => digests == [*current],
        _ => false,
    }
}

fn names(condition: &Condition, current: &Digest) -> bool {
    match condition {
        Condition::Any => true,
        Condition::OneOf(digests) => digests.contains(current),
    }
}

fn condition(
    head: &Head,
    name: HeaderName,
    comparison: Comparison,
) -> Result<Option<Condition>, OciError> {
    let invalid = || {
        let message = format!("The header '{name}' is not a list of entity tags.");
        OciError::new(ErrorStatus::BAD_REQUEST, "UNSUPPORTED", message)
    };
    let lines = head.parts.headers.get_all(&name);
    let lines: Result<Vec<&str>, _> = lines.iter().map(|line| line.to_str()).collect();
    let lines = lines.map_err(|_| invalid())?;
    match lines.is_empty() {
        true => Ok(None),
        false => parse(lines, comparison).map(Some).ok_or_else(invalid),
    }
}

/// Parses lines that together are one list. Tags that are no digests are left out: they
/// are no tags of ours. A tag without quotes is taken as one with them, as some clients
/// send it.
fn parse<'a>(
    lines: impl IntoIterator<Item = &'a str>,
    comparison: Comparison,
) -> Option<Condition> {
    let (mut digests, mut count, mut any) = (Vec::new(), 0, false);
    for line in lines {
        let mut rest = line.trim();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix(',') {
                rest = after.trim_start();
                continue;
            }
            let (weak, tag, after) = entity_tag(rest)?;
            count += 1;
            any |= tag == "*" && !weak;
            if let (Ok(digest), true) = (tag.parse(), !weak || comparison == Comparison::Weak) {
                digests.push(digest);
            }
            rest = after.trim_start();
            if !rest.is_empty() && !rest.starts_with(',') {
                return None;
            }
        }
    }
    match (any, count) {
        (true, 1) => Some(Condition::Any),
        // `*` stands alone.
        (true, _) | (false, 0) => None,
        (false, _) => Some(Condition::OneOf(digests)),
    }
}

/// The first tag of a list: whether it is weak, its value, and what follows it.
fn entity_tag(text: &str) -> Option<(bool, &str, &str)> {
    let (weak, text) = match text.strip_prefix("W/") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    match text.strip_prefix('"') {
        Some(rest) => {
            let (tag, after) = rest.split_once('"')?;
            // A quoted star is a tag like any other.
            Some((weak || tag == "*", tag, after))
        }
        None => {
            let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
            let (tag, after) = text.split_at(end);
            (!tag.is_empty() && !tag.contains('"')).then_some((weak, tag, after))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entity_tags_are_parsed_as_rfc_9110_says() {
        let (a, b) = (Digest::sha256_of(b"a"), Digest::sha256_of(b"b"));
        let one_of = |digests: &[Digest]| Some(Condition::OneOf(digests.to_vec()));
        let table = [
            ("*".to_owned(), Some(Condition::Any), Some(Condition::Any)),
            (format!("\"{a}\""), one_of(&[a]), one_of(&[a])),
            (format!("{a}"), one_of(&[a]), one_of(&[a])),
            (
                format!("\"{a}\", \"{b}\""),
                one_of(&[a, b]),
                one_of(&[a, b]),
            ),
            (format!("\"{a}\",\"{b}\""), one_of(&[a, b]), one_of(&[a, b])),
            (format!(", \"{a}\" ,,"), one_of(&[a]), one_of(&[a])),
            (format!("W/\"{a}\""), one_of(&[]), one_of(&[a])),
            (format!("W/\"{a}\", \"{b}\""), one_of(&[b]), one_of(&[a, b])),
            ("\"x, y\"".to_owned(), one_of(&[]), one_of(&[])),
            ("\"*\"".to_owned(), one_of(&[]), one_of(&[])),
            (format!("*, \"{a}\""), None, None),
            (String::new(), None, None),
            (",".to_owned(), None, None),
            (format!("\"{a}"), None, None),
            (format!("\"{a}\" \"{b}\""), None, None),
            (format!("{a}\""), None, None),
        ];
        for (line, strong, weak) in table {
            assert_eq!(parse([line.as_str()], Comparison::Strong), strong, "{line}");
            assert_eq!(parse([line.as_str()], Comparison::Weak), weak, "{line}");
        }
        let lines = [format!("\"{a}\""), format!("\"{b}\"")];
        let lines = lines.iter().map(String::as_str);
        assert_eq!(parse(lines, Comparison::Strong), one_of(&[a, b]));
    }
}
