//! Seeds: from the test data of crates/policy (scenarios, valid and refused documents) and of
//! crates/policy-lint (cases).

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::{
    certificates, forms, key_sets, lifecycle_policies, manifests, metadata, routes, saml_responses,
    signatures, tokens,
};

/// The inputs of one target.
pub struct Seeds {
    /// The target.
    pub target: &'static str,
    /// Where it starts.
    pub inputs: BTreeSet<Vec<u8>>,
}

/// A case of the linter or of the validation.
#[derive(Deserialize)]
struct Case<'a> {
    #[serde(borrow)]
    document: Option<&'a RawValue>,
    text: Option<String>,
}

/// Every target with its seeds.
pub fn all() -> io::Result<Vec<Seeds>> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates");
    let tests = crates.join("policy/tests");
    let mut documents = BTreeSet::new();
    let mut scenarios = BTreeSet::new();
    let mut marks = BTreeSet::new();
    for text in files(&tests.join("scenarios"))? {
        for raw in cases(&text)? {
            scenarios.insert(raw.get().as_bytes().to_vec());
            let scenario: Value = serde_json::from_str(raw.get())?;
            let asked = scenario["request"]["resource"].as_str().unwrap_or("*");
            of_policies(&scenario, &mut |policy| {
                documents.insert(policy.to_string().into_bytes());
                strings(policy, &mut |pattern| {
                    marks.insert(format!("{}\0{asked}\0ana", marked(pattern)).into_bytes());
                });
            });
        }
    }
    let folders = [
        "policy-lint/tests/analyzer",
        "policy-lint/tests/cases",
        "policy/tests/validation",
    ];
    for folder in folders {
        for text in files(&crates.join(folder))? {
            for raw in cases(&text)? {
                let case: Case<'_> = serde_json::from_str(raw.get())?;
                let raw = case.document.map(|document| document.get().to_owned());
                documents.extend(raw.or(case.text).map(String::into_bytes));
            }
        }
    }
    let mut asked = scenarios.clone();
    asked.extend(composed());
    let mut linted = documents.clone();
    linted.extend(composed());
    documents.extend(scenarios);
    let adversarial = format!("{}b*\0{}\0a", "*a".repeat(200), "a".repeat(400));
    marks.insert(adversarial.into_bytes());
    marks.insert(b"*a?\x04*\x05\0banana and more\0a*".to_vec());
    let seeds = |target, inputs| Seeds { target, inputs };
    Ok(vec![
        seeds("parser", documents),
        seeds("validator", linted.clone()),
        seeds("linter", linted),
        seeds("matcher", marks),
        seeds("decision", asked),
        seeds("signature", damaged(signatures::seeds())),
        seeds("form", damaged(forms::seeds())),
        seeds("metadata", damaged(metadata::seeds())),
        seeds("saml", damaged(saml_responses::seeds())),
        seeds("certificates", damaged(certificates::seeds())),
        seeds("token", damaged(tokens::seeds())),
        seeds("keys", damaged(key_sets::seeds())),
        seeds("manifest", damaged(manifests::seeds())),
        seeds("route", damaged(routes::seeds())),
        seeds("lifecycle", damaged(lifecycle_policies::seeds())),
    ])
}

fn files(folder: &Path) -> io::Result<Vec<String>> {
    let paths: io::Result<Vec<_>> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect();
    let mut paths = paths?;
    paths.sort();
    paths.iter().map(fs::read_to_string).collect()
}

fn cases(text: &str) -> io::Result<Vec<&RawValue>> {
    Ok(serde_json::from_str(text)?)
}

fn of_policies(value: &Value, visit: &mut impl FnMut(&Value)) {
    match value {
        Value::Object(fields) if fields.contains_key("Statement") => visit(value),
        Value::Object(fields) => fields.values().for_each(|value| of_policies(value, visit)),
        Value::Array(values) => values.iter().for_each(|value| of_policies(value, visit)),
        _ => {}
    }
}

fn strings(value: &Value, visit: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Object(fields) => fields.values().for_each(|value| strings(value, visit)),
        Value::Array(values) => values.iter().for_each(|value| strings(value, visit)),
        _ => {}
    }
}

/// A pattern as the target `matcher` writes it.
fn marked(pattern: &str) -> String {
    let marks = [("${*}", "\u{1}"), ("${?}", "\u{2}"), ("${$}", "\u{3}")];
    let marks = marks.into_iter().chain([("${aws:username}", "\u{4}")]);
    marks.fold(pattern.to_owned(), |pattern, (written, mark)| {
        pattern.replace(written, mark)
    })
}

/// Inputs with each of their parts missing, doubled, and changed, which gets further into a parser than
/// bytes at random do.
fn damaged(inputs: Vec<Vec<u8>>) -> BTreeSet<Vec<u8>> {
    let mut all = BTreeSet::new();
    for input in inputs {
        for at in (0..input.len()).step_by(7) {
            let end = (at + 7).min(input.len());
            let (before, part, after) = (&input[..at], &input[at..end], &input[end..]);
            all.insert([before, after].concat());
            all.insert([before, part, part, after].concat());
            all.insert([before, b"%00\xff=", after].concat());
        }
        all.insert(input);
    }
    all
}

/// Bytes for the targets that compose their input: no text, so any will do.
fn composed() -> impl Iterator<Item = Vec<u8>> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..64).map(move |number| {
        let bytes = (0..64 + 32 * number).map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        });
        std::iter::once(0x80 | number as u8).chain(bytes).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TARGETS, check};

    #[test]
    fn every_target_finds_nothing_in_its_seeds() {
        let all = all().expect("the data of the tests");
        let names: Vec<_> = all.iter().map(|seeds| seeds.target).collect();
        assert_eq!(names, TARGETS.map(|(name, _)| name));
        for seeds in all {
            assert!(seeds.inputs.len() > 100, "{}", seeds.target);
            seeds
                .inputs
                .iter()
                .for_each(|input| check(seeds.target, input));
        }
    }

    /// The programs are not built with the workspace, which knows nothing of libFuzzer.
    #[test]
    fn every_target_has_its_program() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let read = |path: &str| fs::read_to_string(fuzz.join(path)).expect(path);
        let (manifest, page) = (read("Cargo.toml"), read("README.md"));
        for (name, _) in TARGETS {
            let program = read(&format!("fuzz_targets/{name}.rs"));
            let call = format!("|bytes: &[u8]| fuzz_checks::check(\"{name}\", bytes)");
            assert!(program.contains(&call), "{program}");
            assert!(manifest.contains(&format!(
                "name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\""
            )));
            assert!(
                page.contains(&format!("| `{name}` |")),
                "{name} is not in README.md"
            );
        }
        let programs = fs::read_dir(fuzz.join("fuzz_targets")).expect("the programs");
        assert_eq!(programs.count(), TARGETS.len());
    }
}
