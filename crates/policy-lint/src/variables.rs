//! `${...}`: the form of variables, and where they are expanded.

use policy::{Statement, Text, Version};

use crate::codes::Code;
use crate::facts::Kind;
use crate::linter::Linter;
use crate::messages::did_you_mean;

pub(super) fn check(linter: &mut Linter<'_>, statement: &Statement) {
    for text in &statement.action.values {
        nowhere(linter, text, "Action");
    }
    for entry in statement.principal.iter().flat_map(|p| &p.entries) {
        nowhere(linter, &entry.text, "Principal");
    }
    for text in statement.resource.iter().flat_map(|r| &r.values) {
        each(linter, text, true);
    }
    for entry in &statement.conditions {
        nowhere(linter, &entry.key, "Condition keys");
        for text in &entry.values {
            each(linter, text, false);
        }
    }
}

fn nowhere(linter: &mut Linter<'_>, text: &Text, element: &str) {
    if text.value.contains("${") {
        linter.find(
            Code::VariableUnsupportedInElement,
            text.position,
            format!(
                "variables are not expanded in {element}: `{}` is literal text",
                text.value
            ),
            "write the value itself; variables are expanded in `Resource` and in condition values",
        );
    }
}

/// Checks each variable of a string.
fn each(linter: &mut Linter<'_>, text: &Text, resource: bool) {
    let value = &*text.value;
    let at = text.position;
    let (mut start, mut colons) = (0, 0);
    // Whether there may be another quote followed by a brace.
    let mut quotes = true;
    // Reported once for the whole string.
    let (mut early, mut empty) = (false, false);
    while let Some(found) = value[start..].find("${") {
        let begin = start + found;
        let inner = &value[begin + 2..];
        if linter.document.version() == Version::V2008 {
            linter.find(
                Code::VariableUnsupportedInVersion,
                at,
                format!("without version 2012-10-17 `{value}` is literal text"),
                "add \"Version\": \"2012-10-17\"",
            );
            return;
        }
        let Some(length) = end(inner, &mut quotes) else {
            linter.find(
                Code::MissingBraceInVariable,
                at,
                format!("the variable in `{value}` has no closing brace and is literal text"),
                "add `}`",
            );
            return;
        };
        colons += value[start..begin].matches(':').count();
        let name = &inner[..length];
        let literal = matches!(name, "*" | "?" | "$");
        if resource && colons < 5 && !literal {
            if !std::mem::replace(&mut early, true) {
                linter.find(
                    Code::VariableUnsupportedInElement,
                    at,
                    format!("`{value}` has a variable before its fifth colon, so it matches nothing"),
                    "use variables in the last field of the ARN only; write region and account, or `*`",
                );
            }
        } else if name
            .split(',')
            .next()
            .is_some_and(|key| key.trim().is_empty())
        {
            if !std::mem::replace(&mut empty, true) {
                linter.find(
                    Code::EmptyVariable,
                    at,
                    format!("the variable in `{value}` has no name"),
                    "name a condition key, such as `${aws:username}`",
                );
            }
        } else if !literal {
            one(linter, text, name);
        }
        start = begin + 2 + length + 1;
    }
}

/// Where a variable ends; a quoted default value may have a brace.
fn end(inner: &str, quotes: &mut bool) -> Option<usize> {
    let end = inner.find('}')?;
    let quoted = inner[..end]
        .split_once(',')
        .is_some_and(|(_, default)| default.trim_start().starts_with('\''));
    // If there is none, it is searched only once: a text may have thousands of variables.
    let quote = (quoted && *quotes).then(|| inner.find("'}")).flatten();
    *quotes &= !quoted || quote.is_some();
    Some(quote.map_or(end, |quote| quote + 1))
}

fn one(linter: &mut Linter<'_>, text: &Text, inner: &str) {
    let at = text.position;
    let (key, default) = match inner.split_once(',') {
        Some((key, default)) => (key, Some(default.trim_start())),
        None => (inner, None),
    };
    if default.is_some_and(|default| !default.starts_with('\'') || !default.ends_with('\'')) {
        linter.find(
            Code::MissingQuoteInVariable,
            at,
            format!(
                "the default value in `${{{inner}}}` is not in single quotes, so it never expands"
            ),
            format!("write `${{{key}, 'value'}}`"),
        );
        return;
    }
    // Tag keys may have spaces.
    if key.split('/').next().is_some_and(|name| name.contains(' ')) {
        linter.find(
            Code::UnsupportedSpaceInVariable,
            at,
            format!("the name in `${{{inner}}}` has a space"),
            format!("write `${{{}}}`", key.replace(' ', "")),
        );
        return;
    }
    if linter.facts.services.is_empty() {
        return;
    }
    match linter.facts.key(key) {
        Some(facts) if facts.multivalued => linter.find(
            Code::MultivaluedVariable,
            at,
            format!("`{key}` can have several values, so the variable never expands"),
            "use a single-valued key",
        ),
        Some(_) => {}
        // The claims of an identity provider.
        None if key
            .split(':')
            .next()
            .is_some_and(|prefix| prefix.contains('.') || prefix == "saml") => {}
        None => {
            let similar = linter.facts.similar(Kind::Key, "", key);
            linter.find(
                Code::UnknownVariable,
                at,
                format!("there is no condition key `{key}`, so the variable never expands"),
                did_you_mean(
                    similar.map(|key| format!("${{{key}}}")),
                    "name a condition key",
                ),
            );
        }
    }
}
