//! Runs every scenario under `tests/scenarios` and `tests/corpus`. A file of the former is one
//! row of the rules that IAM engines get wrong, a case is one sentence of it, with the page it
//! comes from; the latter goes through the pages (its README).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use policy::scenario::Scenario;

/// Runs the scenarios of a file.
fn run(file: &str, text: &str, failures: &mut Vec<String>) -> usize {
    let scenarios = Scenario::many_from_json(text);
    let count = scenarios.len();
    for (at, scenario) in scenarios.into_iter().enumerate() {
        let scenario = match scenario {
            Ok(scenario) => scenario,
            Err(error) => {
                failures.push(format!("{file} case {at}: {error}"));
                continue;
            }
        };
        let name = scenario.name().expect("every case has a name").to_owned();
        let expect = scenario.expect().expect("an expectation");
        let expect = expect.expect("every case expects something");
        let outcome = scenario.evaluate();
        if !expect.is_met_by(&outcome) {
            let trace = scenario.explain();
            failures.push(format!("{file} {name}\n  expected {expect:?}\n{trace}"));
        }
        assert_eq!(scenario.decide().effect, outcome.decision, "{name}");
    }
    count
}

fn report(failures: &[String]) {
    assert!(
        failures.is_empty(),
        "{} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn corpus_is_decided_as_documented() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut failures = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("the folder of the corpus") {
        let path = entry.expect("an entry").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            let text = fs::read_to_string(&path).expect("a readable file");
            let file = path.display().to_string();
            count += run(&file, &text, &mut failures);
        }
    }
    report(&failures);
    assert!(count > 2_500, "only {count} scenarios were found");
}

#[test]
fn scenarios_are_decided_as_documented() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut failures = Vec::new();
    let mut rows = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("the folder of scenarios") {
        let path = entry.expect("an entry").path();
        let file = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let text = fs::read_to_string(&path).expect("a readable file");
        rows.insert(file["row-".len()..][..2].parse::<u32>().expect("a row"));
        let sourced: Vec<serde_json::Value> = serde_json::from_str(&text).expect("a list");
        for case in &sourced {
            assert!(
                case["source"].is_string(),
                "{file}: {} names no source",
                case["name"]
            );
        }
        run(&file, &text, &mut failures);
    }
    report(&failures);
    // The other rows are about validation (tests/validation) or about single operations.
    let decided = (1..=41).filter(|&row| row != 37);
    let expected: BTreeSet<u32> = decided.chain([46, 48, 52, 53]).collect();
    assert_eq!(rows, expected, "rows without scenarios, or unknown ones");
}
