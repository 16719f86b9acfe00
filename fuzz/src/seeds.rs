//! Seeds: from the test data of crates/policy (scenarios, valid and refused documents) and of
//! crates/policy-lint (cases).

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::{
    certificates, decisions, forms, metadata, patterns, saml_responses, signatures, texts,
};

/// The inputs of one target.
pub struct Seeds {
    /// The target.
    pub target: &'static str,
    /// What it checks.
    pub check: fn(&[u8]),
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
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
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
    let seeds = |target, check, inputs| Seeds {
        target,
        check,
        inputs,
    };
    Ok(vec![
        seeds("parser", texts::parse, documents),
        seeds("validator", texts::validate, linted.clone()),
        seeds("linter", texts::lint, linted),
        seeds("matcher", patterns::matching, marks),
        seeds("decision", decisions::decide, asked),
        seeds("signature", signatures::parse, damaged(signatures::seeds())),
        seeds("form", forms::parse, damaged(forms::seeds())),
        seeds("metadata", metadata::parse, damaged(metadata::seeds())),
        seeds(
            "saml",
            saml_responses::parse,
            damaged(saml_responses::seeds()),
        ),
        seeds(
            "certificates",
            certificates::parse,
            damaged(certificates::seeds()),
        ),
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

    #[test]
    fn every_target_finds_nothing_in_its_seeds() {
        for seeds in all().expect("the data of the tests") {
            assert!(seeds.inputs.len() > 100, "{}", seeds.target);
            seeds.inputs.iter().for_each(|input| (seeds.check)(input));
        }
    }
}
