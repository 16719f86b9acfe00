//! Writes `corpus/<target>/` from the data that crates/policy is tested with: its scenarios,
//! its valid and refused documents, its linter's cases.

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// A case of `tests/lint` or `tests/validation`.
#[derive(Deserialize)]
struct Case<'a> {
    #[serde(borrow)]
    document: Option<&'a RawValue>,
    text: Option<String>,
}

fn main() -> io::Result<()> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = fuzz.join("../crates/policy/tests");
    let mut documents = BTreeSet::new();
    let mut scenarios = BTreeSet::new();
    let mut patterns = BTreeSet::new();
    for text in files(&tests.join("scenarios"))? {
        for raw in cases(&text)? {
            scenarios.insert(raw.get().as_bytes().to_vec());
            let scenario: Value = serde_json::from_str(raw.get())?;
            let asked = scenario["request"]["resource"].as_str().unwrap_or("*");
            of_policies(&scenario, &mut |policy| {
                documents.insert(policy.to_string().into_bytes());
                strings(policy, &mut |pattern| {
                    patterns.insert(format!("{}\0{asked}\0ana", marked(pattern)).into_bytes());
                });
            });
        }
    }
    for folder in ["lint", "validation"] {
        for text in files(&tests.join(folder))? {
            for raw in cases(&text)? {
                let case: Case<'_> = serde_json::from_str(raw.get())?;
                let raw = case.document.map(|document| document.get().to_owned());
                documents.extend(raw.or(case.text).map(String::into_bytes));
            }
        }
    }
    let mut decisions = scenarios.clone();
    decisions.extend(composed());
    let mut linted = documents.clone();
    linted.extend(composed());
    documents.extend(scenarios);
    let adversarial = format!("{}b*\0{}\0a", "*a".repeat(200), "a".repeat(400));
    patterns.insert(adversarial.into_bytes());
    patterns.insert(b"*a?\x04*\x05\0banana and more\0a*".to_vec());
    for (target, seeds) in [
        ("parser", documents),
        ("validator", linted.clone()),
        ("linter", linted),
        ("matcher", patterns),
        ("decision", decisions),
    ] {
        let folder = fuzz.join("corpus").join(target);
        fs::create_dir_all(&folder)?;
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:04}")), seed)?;
        }
        println!("{target}: {} seeds", seeds.len());
    }
    Ok(())
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
