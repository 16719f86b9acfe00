//! Runs every case under `tests/analyzer`: a text, its kind, and its findings with AWS's tables.
//! There is at least one case for each check that Access Analyzer has, and a similar document
//! without the finding.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use policy::DocumentKind;
use policy_lint::{AwsCatalogue, Code, FINDINGS_MAX, Locations, validate};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case<'a> {
    name: String,
    kind: String,
    #[serde(borrow)]
    document: Option<&'a RawValue>,
    /// In place of a document that is not JSON.
    text: Option<String>,
    /// Code and path.
    findings: Vec<(String, String)>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/analyzer")
}

#[test]
fn every_case_has_its_findings() {
    let mut failures = Vec::new();
    let mut paths: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    for path in paths {
        let json = fs::read_to_string(&path).unwrap();
        let cases: Vec<Case<'_>> = serde_json::from_str(&json).unwrap();
        for case in cases {
            let document = case.document.map(|document| document.get().to_owned());
            let text = document.or(case.text).unwrap();
            let findings = validate(&text, case.kind.parse().unwrap(), &AwsCatalogue);
            let locations = Locations::new(&text);
            let found: Vec<(String, String)> = findings
                .iter()
                .map(|finding| {
                    let location = locations.find(finding.position);
                    (finding.code.to_string(), location.path_string())
                })
                .collect();
            if found != case.findings {
                failures.push(format!(
                    "{}: {}\n  wanted {}\n  got    {}\n  {findings:#?}",
                    path.file_name().unwrap().display(),
                    case.name,
                    serde_json::to_string(&case.findings).unwrap(),
                    serde_json::to_string(&found).unwrap(),
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn reports_documents_over_their_size() {
    let resources: Vec<String> = (0..480)
        .map(|number| format!("arn:aws:s3:::bucket-{number:04}/*"))
        .collect();
    let accounts: Vec<String> = (0..900)
        .map(|number| format!("{}", 111_111_111_111_u64 + number))
        .collect();
    let document = |statement: serde_json::Value| {
        serde_json::json!({"Version": "2012-10-17", "Statement": statement}).to_string()
    };
    let identity = serde_json::json!({"Effect": "Deny", "Action": "s3:*", "Resource": resources});
    let control = serde_json::json!({"Effect": "Deny", "Action": "s3:*", "Resource": resources,
        "Principal": "*"});
    let resource = serde_json::json!({"Effect": "Allow", "Action": "ecr:DescribeImages",
        "Principal": {"AWS": accounts}});
    let trust = serde_json::json!({"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": accounts}});
    for (kind, statement, code) in [
        (
            DocumentKind::Managed,
            &identity,
            Code::PolicySizeExceedsIdentityPolicyQuota,
        ),
        (
            DocumentKind::ServiceControl,
            &identity,
            Code::PolicySizeExceedsScpQuota,
        ),
        (
            DocumentKind::ResourceControl,
            &control,
            Code::PolicySizeExceedsRcpQuota,
        ),
        (
            DocumentKind::EcrRepository,
            &resource,
            Code::PolicySizeExceedsResourcePolicyQuota,
        ),
        (
            DocumentKind::Trust,
            &trust,
            Code::PolicySizeExceedsRoleTrustPolicyQuota,
        ),
    ] {
        let findings = validate(&document(statement.clone()), kind, &AwsCatalogue);
        assert!(
            findings.iter().any(|finding| finding.code == code),
            "{code}: {findings:#?}"
        );
    }
}

#[test]
fn limits_the_findings_of_a_refused_text() {
    let mut statement = serde_json::json!({"Effect": "Allow"});
    for number in 0..2 * FINDINGS_MAX {
        statement[format!("Element{number}")] = true.into();
    }
    let text = serde_json::json!({"Version": "2012-10-17", "Statement": statement}).to_string();
    let findings = validate(&text, DocumentKind::Managed, &AwsCatalogue);
    assert_eq!(findings.len(), FINDINGS_MAX);
    let last = findings.last().unwrap();
    assert_eq!(last.code, Code::ChecksIncomplete);
    assert!(last.message.contains("more findings"), "{}", last.message);
}

#[test]
fn every_check_has_a_case() {
    let mut covered = BTreeSet::new();
    for folder in ["analyzer", "cases"] {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("tests")
            .join(folder);
        for entry in fs::read_dir(folder).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            let in_text = |code: &&Code| text.contains(&format!("\"{code}\""));
            covered.extend(Code::ALL.iter().filter(in_text).copied());
        }
    }
    let elsewhere = |code: &Code| {
        // In `bounds.rs`, and above.
        *code == Code::ChecksIncomplete || code.as_str().starts_with("POLICY_SIZE_EXCEEDS")
    };
    let missing: Vec<_> = Code::ALL
        .iter()
        .filter(|code| !covered.contains(code) && !elsewhere(code))
        .collect();
    assert!(missing.is_empty(), "no case has {missing:?}");
}
