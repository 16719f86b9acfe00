//! Runs every case under `tests/cases`: a document, its kind, and its findings with their positions.
//! The services come from `tests/catalogue.json`, an excerpt of AWS's tables.
#![allow(clippy::unwrap_used)]

mod excerpt;

use std::fs;
use std::path::PathBuf;

use excerpt::Excerpt;
use policy::Document;
use policy_lint::{Code, Finding, lint};
use serde::Deserialize;
use serde_json::value::RawValue;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case<'a> {
    name: String,
    kind: String,
    /// False if IAM would refuse it; tools are given such documents as well.
    #[serde(default = "yes")]
    stored: bool,
    /// Lines and columns are counted from its first character.
    #[serde(borrow)]
    document: &'a RawValue,
    /// Code, line, column, and optionally parts of the message or the help.
    findings: Vec<Vec<serde_json::Value>>,
}

fn yes() -> bool {
    true
}

fn fits_expected(found: &Finding, expected: &[serde_json::Value]) -> bool {
    let at = found.position;
    let said = format!("{} {}", found.message, found.help);
    let (place, words) = expected.split_at(3);
    place
        == [
            serde_json::Value::from(found.code.as_str()),
            at.line.into(),
            at.column.into(),
        ]
        && words
            .iter()
            .all(|words| said.contains(words.as_str().unwrap()))
}

#[test]
fn every_document_has_its_findings() {
    let catalogue = Excerpt::read();
    let mut failures = Vec::new();
    for entry in fs::read_dir(root().join("tests/cases")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let cases: Vec<Case<'_>> = serde_json::from_str(&text).unwrap();
        for case in cases {
            let (text, kind) = (case.document.get(), case.kind.parse().unwrap());
            let document = match case.stored {
                true => Document::parse(text, kind),
                false => Document::parse_language(text, kind),
            };
            let document = document.unwrap_or_else(|error| panic!("{}: {error:?}", case.name));
            let found = lint(&document, &catalogue);
            let same = found.len() == case.findings.len()
                && found
                    .iter()
                    .zip(&case.findings)
                    .all(|(found, expected)| fits_expected(found, expected));
            if !same {
                let got: Vec<_> = found
                    .iter()
                    .map(|f| (f.code, f.position.line, f.position.column))
                    .collect();
                failures.push(format!(
                    "{}: {}\n  wanted {}\n  got    {}\n  {found:#?}",
                    path.file_name().unwrap().display(),
                    case.name,
                    serde_json::to_string(&case.findings).unwrap(),
                    serde_json::to_string(&got).unwrap(),
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_reference_page_lists_every_code() {
    let page = root().join("../../docs/reference/policy-lint.md");
    let page = fs::read_to_string(page).unwrap();
    let mut lines = page.lines().filter(|line| line.starts_with("| `"));
    for code in Code::ALL {
        let summary = code.summary().replace('|', "\\|");
        let by = match code.is_of_access_analyzer() {
            true => "Access Analyzer",
            false => "Berth",
        };
        let expected = format!(
            "| `{code}` | {} | {summary} | [{by}]({}) |",
            code.level(),
            code.learn_more()
        );
        assert_eq!(lines.next(), Some(expected.as_str()));
    }
    assert_eq!(lines.next(), None);
}
