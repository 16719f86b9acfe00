//! Documents from any bytes: parsed, written back, linted.

use std::sync::LazyLock;

use arbitrary::Unstructured;
use policy::scenario::Scenario;
use policy::{
    Document, DocumentKind, PolicyError, PolicyErrorCode, Position, size_without_white_space,
};
use policy_lint::{FINDINGS_MAX, Level, Nothing};

use crate::decisions::explained;
use crate::excerpt::Excerpt;
use crate::wild;

static EXCERPT: LazyLock<Excerpt> = LazyLock::new(Excerpt::read);

/// As every kind of policy, as far as the language goes; and as a scenario.
pub fn parse(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    assert!(size_without_white_space(text) <= text.len());
    DocumentKind::detect(text);
    for kind in DocumentKind::ALL {
        match &Document::parse_language(text, kind) {
            Ok(document) => round_trip(document, text, kind),
            Err(error) => refusal(error, text),
        }
    }
    for scenario in Scenario::many_from_json(text) {
        match scenario {
            Ok(scenario) => explained(&scenario),
            Err(error) => {
                if let Some(position) = error.position() {
                    within(position, text);
                }
            }
        }
    }
}

/// As its service would store it: a text, or, where the first byte is no ASCII, a document
/// composed from the bytes. Length and first byte choose the kind, so that a mutation tries the
/// same document as another.
pub fn validate(bytes: &[u8]) {
    let Some((&first, rest)) = bytes.split_first() else {
        return;
    };
    if first.is_ascii() {
        if let Ok(text) = std::str::from_utf8(bytes) {
            store(text, kind_by(text.len()));
        }
        return;
    }
    let Ok(document) = wild::document(&mut Unstructured::new(rest)) else {
        return;
    };
    let compact = document.to_string();
    let pretty = format!("{document:#}");
    let kind = kind_by(first.into());
    // White space between the tokens says nothing and counts for nothing.
    assert_eq!(store(&compact, kind), store(&pretty, kind), "{compact}");
}

/// What the service answers: `None` when it stores the document.
fn store(text: &str, kind: DocumentKind) -> Option<(PolicyErrorCode, String)> {
    let language = Document::parse_language(text, kind);
    match Document::parse(text, kind) {
        Ok(document) => {
            let language = language.expect("what may be stored is in the language");
            assert_eq!(language.statements(), document.statements());
            assert!(size_without_white_space(text) <= kind.size_max());
            assert!(!document.statements().is_empty());
            None
        }
        Err(error) => {
            refusal(&error, text);
            let ecr = matches!(
                kind,
                DocumentKind::EcrRepository | DocumentKind::EcrRegistry
            );
            assert_eq!(error.code == PolicyErrorCode::InvalidParameter, ecr);
            // A message quotes what was written, never much more than that.
            assert!(error.message.len() < 2 * text.len() + 1_024);
            Some((error.code, error.message))
        }
    }
}

/// What the document kept is what was written, and what it shows of it is at its place.
fn round_trip(document: &Document, text: &str, kind: DocumentKind) {
    assert_eq!(document.source(), text);
    assert_eq!(document.kind(), kind);
    // Another parser must be able to read it, for clients will.
    serde_json::from_str::<serde::de::IgnoredAny>(text).expect("JSON");
    assert_eq!(document.map_principals(|_| None), text);
    for statement in document.statements() {
        within(statement.position, text);
        for condition in &statement.conditions {
            within(condition.key.position, text);
        }
    }
    // Pinning principals and showing them again changes none of them.
    let named: Vec<&str> = document.principals().collect();
    let mapped = document.map_principals(|name| Some(name.to_owned()));
    let again = Document::parse_language(&mapped, kind).expect("principals as they were");
    assert_eq!(again.principals().collect::<Vec<_>>(), named);
    assert_eq!(again.statements().len(), document.statements().len());
    assert_eq!(again.version(), document.version());
    assert_eq!(again.id(), document.id());
}

fn refusal(error: &PolicyError, text: &str) {
    assert!(!error.message.is_empty() && !error.detail.is_empty());
    if let Some(position) = error.position {
        within(position, text);
    }
}

/// Line and column say the same as the offset.
fn within(position: Position, text: &str) {
    let before = text
        .get(..position.offset as usize)
        .expect("a place between two characters");
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before[start..].chars().count() + 1;
    assert_eq!(
        (position.line, position.column),
        (line as u32, column as u32)
    );
}

/// Lints a text, or, where the first byte is no ASCII, a document composed from the bytes,
/// which gets further into the checks than damaged texts do.
pub fn lint(bytes: &[u8]) {
    let Some((&first, rest)) = bytes.split_first() else {
        return;
    };
    if first.is_ascii() {
        if let Ok(text) = std::str::from_utf8(bytes) {
            lint_as(text, DocumentKind::detect(text));
            lint_as(text, kind_by(text.len()));
        }
        return;
    }
    if let Ok(document) = wild::document(&mut Unstructured::new(rest)) {
        lint_as(&document.to_string(), kind_by(first.into()));
    }
}

fn kind_by(number: usize) -> DocumentKind {
    DocumentKind::ALL[number % DocumentKind::ALL.len()]
}

/// Without services and with some. That it ends in time is libFuzzer's to watch.
fn lint_as(text: &str, kind: DocumentKind) {
    validated(text, kind);
    let Ok(document) = Document::parse_language(text, kind) else {
        return;
    };
    let without = policy_lint::lint(&document, &Nothing);
    let with = policy_lint::lint(&document, &*EXCERPT);
    for findings in [without, with] {
        assert!(findings.len() <= FINDINGS_MAX);
        assert!(findings.is_sorted_by_key(|finding| (finding.position, finding.code)));
        for finding in &findings {
            within(finding.position, text);
            assert!(!finding.message.is_empty() && !finding.help.is_empty());
            // A message quotes what was written, never much more than that.
            assert!(finding.message.len() + finding.help.len() < 4 * text.len() + 4_096);
        }
    }
}

/// What is refused is reported, and each finding has a place in the text.
fn validated(text: &str, kind: DocumentKind) {
    let findings = policy_lint::validate(text, kind, &*EXCERPT);
    assert!(findings.len() <= FINDINGS_MAX);
    let refused = Document::parse(text, kind).is_err();
    let reported = findings.iter().any(|finding| {
        let code = finding.code.as_str();
        finding.code.level() == Level::Error || code.starts_with("POLICY_SIZE_EXCEEDS")
    });
    assert!(reported || !refused, "no finding about a refused document");
    let locations = policy_lint::Locations::new(text);
    for finding in findings.iter().take(100) {
        within(finding.position, text);
        let location = locations.find(finding.position);
        within(location.end, text);
        assert!(location.start <= location.end);
    }
}
