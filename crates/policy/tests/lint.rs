//! Runs every case under `tests/lint`: a document, the kind it is read as, and what the linter
//! says about it, with places. The services come from `tests/lint-catalogue.json`, an excerpt
//! of AWS's tables.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use policy::lint::{ActionFacts, Catalogue, Code, Finding, KeyFacts, KeyType, ResourceType, lint};
use policy::{Document, DocumentKind};
use serde::Deserialize;
use serde_json::value::RawValue;

/// One service of the excerpt.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Service {
    keys: BTreeMap<String, String>,
    resource_types: BTreeMap<String, Vec<String>>,
    actions: BTreeMap<String, Action>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    resources: Vec<String>,
    keys: Vec<String>,
}

/// The excerpt. What is alike it answers by the first four letters.
struct Excerpt(BTreeMap<String, Service>);

impl Excerpt {
    fn read() -> Excerpt {
        let path = root().join("tests/lint-catalogue.json");
        Excerpt(serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
    }

    fn service(&self, prefix: &str) -> Option<&Service> {
        self.0.get(&prefix.to_ascii_lowercase())
    }

    fn find_action(&self, service: &str, name: &str) -> Option<(&str, &Action)> {
        let mut actions = self.service(service)?.actions.iter();
        actions
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(known, action)| (known.as_str(), action))
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn alike<'a>(name: &str, mut among: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    let head = |name: &str| {
        name.to_ascii_lowercase()
            .chars()
            .take(9)
            .collect::<String>()
    };
    among
        .find(|known| head(known) == head(name))
        .map(String::as_str)
}

fn fits(known: &str, name: &str) -> bool {
    match known.split_once("${") {
        Some((prefix, _)) => {
            name.len() > prefix.len()
                && name
                    .get(..prefix.len())
                    .is_some_and(|n| n.eq_ignore_ascii_case(prefix))
        }
        None => known.eq_ignore_ascii_case(name),
    }
}

fn types<'a>(
    service: &'a Service,
    names: impl Iterator<Item = &'a String>,
) -> Vec<ResourceType<'a>> {
    names
        .map(|name| ResourceType {
            name,
            arn_patterns: service.resource_types[name]
                .iter()
                .map(String::as_str)
                .collect(),
        })
        .collect()
}

impl Catalogue for Excerpt {
    fn services(&self) -> Vec<&str> {
        let services = self.0.iter().filter(|(_, s)| !s.actions.is_empty());
        services.map(|(prefix, _)| prefix.as_str()).collect()
    }

    fn has_service(&self, prefix: &str) -> bool {
        self.services()
            .contains(&prefix.to_ascii_lowercase().as_str())
    }

    fn similar_service(&self, prefix: &str) -> Option<&str> {
        let start: String = prefix.chars().take(2).collect();
        self.services()
            .into_iter()
            .find(|known| known.starts_with(&start))
    }

    fn actions(&self, service: &str) -> Vec<&str> {
        self.service(service)
            .map_or_else(Vec::new, |s| s.actions.keys().map(String::as_str).collect())
    }

    fn action(&self, service: &str, name: &str) -> Option<ActionFacts<'_>> {
        let (name, action) = self.find_action(service, name)?;
        Some(ActionFacts {
            name,
            resource_types: types(self.service(service)?, action.resources.iter()),
        })
    }

    fn similar_action(&self, service: &str, name: &str) -> Option<&str> {
        alike(name, self.service(service)?.actions.keys())
    }

    fn resource_types(&self, arn_service: &str) -> Vec<ResourceType<'_>> {
        self.0.get(arn_service).map_or_else(Vec::new, |service| {
            types(service, service.resource_types.keys())
        })
    }

    fn condition_key(&self, name: &str) -> Option<KeyFacts> {
        let (_, kind) = self
            .0
            .values()
            .flat_map(|service| &service.keys)
            .find(|(known, _)| fits(known, name))?;
        let (kind, multivalued) = match kind.strip_prefix("ArrayOf") {
            Some(kind) => (kind, true),
            None => (kind.as_str(), false),
        };
        let key_type = match kind {
            "String" => KeyType::String,
            "Arn" => KeyType::Arn,
            "Bool" => KeyType::Bool,
            "Numeric" => KeyType::Numeric,
            "Date" => KeyType::Date,
            "IpAddress" => KeyType::IpAddress,
            other => panic!("no type {other}"),
        };
        Some(KeyFacts {
            key_type,
            multivalued,
        })
    }

    fn similar_condition_key(&self, name: &str) -> Option<&str> {
        alike(
            name,
            self.0.values().flat_map(|service| service.keys.keys()),
        )
    }

    fn action_knows_key(&self, service: &str, action: &str, key: &str) -> bool {
        let global = self.0["aws"].keys.keys().any(|known| fits(known, key));
        global
            || key
                .split(':')
                .next()
                .is_some_and(|prefix| prefix.contains('.'))
            || self
                .find_action(service, action)
                .is_none_or(|(_, action)| action.keys.iter().any(|known| fits(known, key)))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case<'a> {
    name: String,
    kind: String,
    /// Lines and columns are counted from its first character.
    #[serde(borrow)]
    document: &'a RawValue,
    /// Code, line, column; then, where it matters, a part of the message or the help.
    findings: Vec<Vec<serde_json::Value>>,
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
    let mut covered = BTreeSet::new();
    for entry in fs::read_dir(root().join("tests/lint")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let cases: Vec<Case<'_>> = serde_json::from_str(&text).unwrap();
        for case in cases {
            // `language`: what IAM would not store, and tools are given all the same.
            let document = match case.kind.as_str() {
                "language" => Document::parse_language(case.document.get(), DocumentKind::Managed),
                kind => Document::parse(case.document.get(), kind.parse().unwrap()),
            };
            let document = document.unwrap_or_else(|error| panic!("{}: {error:?}", case.name));
            let found = lint(&document, &catalogue);
            covered.extend(found.iter().map(|finding| finding.code));
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
    let missing: Vec<_> = Code::ALL
        .iter()
        .filter(|code| !covered.contains(code))
        .collect();
    assert!(missing.is_empty(), "no case finds {missing:?}");
}

#[test]
fn the_reference_page_lists_every_code() {
    let page = root().join("../../docs/reference/policy-lint.md");
    let page = fs::read_to_string(page).unwrap();
    let mut lines = page.lines().filter(|line| line.starts_with("| `"));
    for code in Code::ALL {
        let summary = code.summary().replace('|', "\\|");
        let expected = format!("| `{code}` | {} | {summary} |", code.level());
        assert_eq!(lines.next(), Some(expected.as_str()));
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn a_hostile_document_is_linted_within_bounds() {
    let catalogue = Excerpt::read();
    let stars = "*a".repeat(250);
    let actions: Vec<String> = (0..9).map(|n| format!("\"s3:{stars}{n}\"")).collect();
    let text = format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": [{}], "Resource": "*"}}]}}"#,
        actions.join(", ")
    );
    let document = Document::parse_language(&text, DocumentKind::Managed).unwrap();
    assert_eq!(lint(&document, &catalogue).len(), 9);
    let many: Vec<String> = (0..2_000).map(|n| format!("\"x:{n}\"")).collect();
    let text = format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": [{}], "Resource": "*"}}]}}"#,
        many.join(",")
    );
    let document = Document::parse_language(&text, DocumentKind::Managed).unwrap();
    assert_eq!(
        lint(&document, &catalogue).len(),
        policy::lint::FINDINGS_MAX
    );
    let long = text.replace("\"x:1\"", &vec!["\"x:1\""; 2_000].join(","));
    let document = Document::parse_language(&long, DocumentKind::Managed).unwrap();
    assert!(lint(&document, &catalogue).is_empty());
}
