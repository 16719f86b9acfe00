//! The trace of each statement: which elements matched, and what they were compared with.

use std::sync::Arc;

use crate::arn;
use crate::compiled::{Compiled, CompiledDocument, MatchContext};
use crate::context::{Context, ContextValue};
use crate::decide::{Reason, Request};
use crate::document::{
    ConditionEntry, Document, Element, PrincipalElement, Statement, Text, Version,
};
use crate::operator::{Operator, Quantifier, Test};
use crate::pattern::{Flavour, Pattern, Piece, pieces};
use crate::policy_set::PolicySet;

use super::{ElementTrace, PolicyTrace, StatementTrace};

/// The number of a condition's values, and of the key's values, that notes are made for.
const COMPARED_MAX: usize = 20;

/// The values of a condition key that a trace shows.
const SHOWN_MAX: usize = 100;

/// Appends the traces of a set's policies.
pub(super) fn set(
    policy_type: Reason,
    set: &PolicySet,
    cx: &MatchContext<'_>,
    request: &Request<'_>,
    policies: &mut Vec<PolicyTrace>,
) {
    policies.extend(set.documents().map(|(policy, document)| PolicyTrace {
        party: policy_type,
        policy: policy.clone(),
        statements: statements(document, cx, request),
    }));
}

/// The traces of a document's statements. A document that is compiled for a cache keeps its source
/// alone, which is read again.
pub(super) fn statements(
    document: &CompiledDocument,
    cx: &MatchContext<'_>,
    request: &Request<'_>,
) -> Vec<StatementTrace> {
    let read;
    let source = match document.parsed() {
        Some(source) => source,
        None => match Document::parse_language(document.source(), document.kind()) {
            Ok(source) => {
                read = source;
                &read
            }
            // It was read before it was compiled.
            Err(_) => return Vec::new(),
        },
    };
    let pairs = document.statements().iter().zip(source.statements());
    pairs
        .map(|(compiled, text)| statement(compiled, text, source.version(), cx, request))
        .collect()
}

fn statement(
    statement: &Compiled,
    source: &Statement,
    version: Version,
    cx: &MatchContext<'_>,
    request: &Request<'_>,
) -> StatementTrace {
    let mut elements = Vec::new();
    if let Some(element) = &source.principal {
        let matched = statement.matches_principal(cx).is_some();
        elements.push(principal(element, matched, cx));
    }
    let matched = statement.matches_action(cx);
    elements.push(listed("Action", &source.action, matched, request.action));
    if let Some(element) = &source.resource {
        let matched = statement.matches_resource(cx);
        let mut trace = listed("Resource", element, matched, request.resource);
        trace.notes = resource_notes(element, matched, cx, version);
        elements.push(trace);
    }
    for (compiled, entry) in statement.conditions.iter().zip(&source.conditions) {
        let matched = compiled.holds(cx.context);
        elements.push(condition(entry, matched, cx.context, version));
    }
    let applies = elements.iter().all(|element| element.matched);
    StatementTrace {
        index: statement.index,
        sid: source.sid.as_ref().map(|sid| sid.value.to_string()),
        effect: source.effect,
        applies,
        grant: statement
            .matches_principal(cx)
            .filter(|_| applies && source.principal.is_some()),
        position: source.position,
        elements,
    }
}

fn principal(element: &PrincipalElement, matched: bool, cx: &MatchContext<'_>) -> ElementTrace {
    let texts = element.entries.iter().map(|entry| &entry.text.value);
    let mut saw = vec![Arc::from(cx.principal.arn())];
    saw.extend(cx.principal.issuer_arn().map(Arc::from));
    let name = if element.not {
        "NotPrincipal"
    } else {
        "Principal"
    };
    ElementTrace {
        element: name.into(),
        matched,
        wanted: texts.map(ToString::to_string).collect(),
        saw: Some(saw),
        notes: not_exempt(element, matched, cx).into_iter().collect(),
    }
}

/// Why a `NotPrincipal` does not exempt the caller (rules 18 and 53 of docs/semantics.md; UG
/// reference_policies_elements_notprincipal).
fn not_exempt(element: &PrincipalElement, matched: bool, cx: &MatchContext<'_>) -> Option<String> {
    (element.not && matched).then(|| match cx.has_boundary {
        true => "it exempts no principal that has a permissions boundary".into(),
        false => {
            "it exempts a principal only if its account, role and session are all listed".into()
        }
    })
}

fn listed(name: &str, element: &Element, matched: bool, saw: &str) -> ElementTrace {
    let not = if element.not { "Not" } else { "" };
    let wanted = element.values.iter().map(|text| text.value.to_string());
    ElementTrace {
        element: format!("{not}{name}"),
        matched,
        wanted: wanted.collect(),
        saw: Some(vec![saw.into()]),
        notes: Vec::new(),
    }
}

/// Why entries that nearly match do not.
fn resource_notes(
    element: &Element,
    matched: bool,
    cx: &MatchContext<'_>,
    version: Version,
) -> Vec<String> {
    let mut notes = Vec::new();
    for text in &element.values {
        let unresolved = unresolved(&text.value, cx.context, version);
        if matched || element.not || !unresolved.is_empty() {
            notes.extend(unresolved);
            continue;
        }
        let differing = differing_fields(&text.value, cx, version);
        // An entry that differs in several fields is not a near match.
        if let [one] = differing[..] {
            notes.push(format!("`{}` is of {one}", text.value));
        }
    }
    notes
}

const FIELDS: [&str; 6] = [
    "another form",
    "another partition",
    "another service",
    "another region",
    "another account",
    "another name",
];

fn differing_fields(pattern: &str, cx: &MatchContext<'_>, version: Version) -> Vec<&'static str> {
    let (Some(want), Some(have)) = (arn::fields(pattern), arn::fields(cx.resource)) else {
        return Vec::new();
    };
    let fits = |want: &str, have: &str| {
        Pattern::new(want, version, Flavour::Wildcards).matches(have, cx.context)
    };
    let fields = want.iter().zip(have).zip(FIELDS);
    fields
        .filter(|((want, have), _)| !fits(want, have))
        .map(
            |((want, have), name)| match fits(&want.to_lowercase(), &have.to_lowercase()) {
                true => "another letter case",
                false => name,
            },
        )
        .collect()
}

/// Variables without a value, or that are literal text in this version of the language.
fn unresolved(text: &str, context: &Context, version: Version) -> Vec<String> {
    if version == Version::V2008 && text.contains("${") {
        let why = "is literal text: without \"Version\": \"2012-10-17\" there are no variables";
        return vec![format!("`{text}` {why}")];
    }
    pieces(text, version, Flavour::Wildcards)
        .iter()
        .filter(|piece| piece.resolve(context).is_none())
        .map(|piece| match piece {
            Piece::Variable { key, .. } => {
                let why = match context.get(key) {
                    Some(_) => "is multivalued and has no one value",
                    None => "has no value in this request",
                };
                format!("`${{{key}}}` {why}")
            }
            _ => format!("`{text}` holds an invalid variable"),
        })
        .collect()
}

fn condition(
    entry: &ConditionEntry,
    matched: bool,
    context: &Context,
    version: Version,
) -> ElementTrace {
    let value = context.get(&entry.key.value);
    let mut notes: Vec<String> = entry
        .values
        .iter()
        .flat_map(|text| unresolved(&text.value, context, version))
        .collect();
    if entry.values.is_empty() {
        notes.push("the list of values is empty".into());
    }
    if let Some(more) = value.and_then(|value| value.values().len().checked_sub(SHOWN_MAX + 1)) {
        notes.push(format!("the key has {} values more", more + 1));
    }
    if let Some(operator) = Operator::parse(&entry.operator.value) {
        notes.extend(operator_note(operator, value, matched));
        let have = value.filter(|_| !matched && !operator.negated);
        let have = have.into_iter().flat_map(|value| value.values());
        for have in have.take(COMPARED_MAX) {
            let near = |text: &Text| value_note(operator, &text.value, have, context, version);
            notes.extend(entry.values.iter().take(COMPARED_MAX).filter_map(near));
        }
    }
    ElementTrace {
        element: format!("Condition {} {}", entry.operator.value, entry.key.value),
        matched,
        wanted: entry
            .values
            .iter()
            .map(|text| text.value.to_string())
            .collect(),
        saw: value.map(|value| value.values().iter().take(SHOWN_MAX).cloned().collect()),
        notes,
    }
}

/// Why a value that nearly matches does not (docs/semantics.md, rules 25 and 26).
fn value_note(
    operator: Operator,
    want: &str,
    have: &str,
    context: &Context,
    version: Version,
) -> Option<String> {
    let fits = |want: &str, have: &str| {
        Pattern::new(want, version, Flavour::Wildcards).matches(have, context)
    };
    let note = match operator.test {
        Test::Arn if arn::fields(want).is_none() => "does not have the six fields of an ARN",
        Test::StringEquals | Test::StringEqualsIgnoreCase
            if want.contains(['*', '?']) && fits(want, have) =>
        {
            "is taken literally: only `StringLike` has wildcards"
        }
        Test::StringEquals | Test::StringLike
            if fits(&want.to_lowercase(), &have.to_lowercase()) =>
        {
            "differs in letter case"
        }
        _ => return None,
    };
    Some(format!("`{want}` {note}"))
}

/// Why a missing or a multivalued key decides (docs/semantics.md, rules 34 to 36).
fn operator_note(
    operator: Operator,
    value: Option<&ContextValue>,
    matched: bool,
) -> Option<String> {
    if operator.test == Test::Null {
        return None;
    }
    let note = match (value, operator.quantifier) {
        (None, _) if operator.if_exists => "`IfExists` holds without the key",
        (None, Quantifier::ForAllValues) => "`ForAllValues` holds without the key",
        (None, Quantifier::None) if operator.negated => "a negated operator holds without the key",
        (Some(ContextValue::Many(_)), Quantifier::None) if !matched => {
            "the key is multivalued: use `ForAnyValue:` or `ForAllValues:`"
        }
        _ => return None,
    };
    Some(note.into())
}
