//! `berth policy evaluate`, `test` and `explain`: scenarios in, decisions out.

use std::path::{Path, PathBuf};

use policy::scenario::{Expectation, Outcome, Scenario, ScenarioError};
use policy::{Position, Printable};
use serde_json::json;

use super::input::{Input, Item};
use crate::cli::{EvaluateOptions, ExplainOptions, Output, TestOptions};
use crate::error::{Error, Result};
use crate::print::Answers;

/// Directories inside directories that `test` walks.
const DEPTH_MAX: usize = 32;

/// Prints one JSON decision a line, in the scenarios' order. A scenario that cannot be read gets
/// a line with `error` in its place, and the command fails at the end.
pub fn evaluate(options: &EvaluateOptions) -> Result<()> {
    each(options.file.as_deref(), |scenario, answers| {
        answers.json(&match scenario {
            Ok(scenario) => json!(scenario.evaluate()),
            Err(error) => error.to_json(),
        })
    })
}

/// Prints the trace of each decision.
pub fn explain(options: &ExplainOptions) -> Result<()> {
    each(options.file.as_deref(), |scenario, answers| {
        match (scenario, options.output) {
            (Ok(scenario), Output::Json) => answers.json(&scenario.explain()),
            (Ok(scenario), Output::Text) => {
                if let Some(name) = scenario.name() {
                    answers.line(&Printable(name).to_string())?;
                }
                answers.line(scenario.explain().to_string().trim_end())
            }
            (Err(error), Output::Json) => answers.json(&error.to_json()),
            // It is told at the end.
            (Err(_), Output::Text) => Ok(()),
        }
    })
}

/// Hands the scenarios of a file to `answer`, and fails at the end when some are none.
fn each(
    file: Option<&Path>,
    mut answer: impl FnMut(Result<&Scenario, &Unreadable>, &mut Answers) -> Result<()>,
) -> Result<()> {
    let mut answers = Answers::new();
    let mut count = Count::default();
    Input::open(file)?.each(|item| {
        let scenario = read(&item);
        count.note(&item.place, scenario.as_ref().err());
        answer(scenario.as_ref(), &mut answers)?;
        match item.last_for_now {
            true => answers.flush(),
            false => Ok(()),
        }
    })?;
    answers.flush()?;
    count.end()
}

/// Why an item is no scenario, and the place in the input that is to blame.
struct Unreadable {
    error: ScenarioError,
    position: Position,
}

impl Unreadable {
    fn to_json(&self) -> serde_json::Value {
        let at = self.position;
        json!({"error": self.error.to_string(), "line": at.line, "column": at.column})
    }
}

fn read(item: &Item<'_>) -> Result<Scenario, Unreadable> {
    Scenario::from_json(item.text).map_err(|error| {
        let error = error.within(item.start);
        let position = error.position().unwrap_or(item.start);
        Unreadable { error, position }
    })
}

/// How many scenarios there were, and how many of them could not be read, with the first.
#[derive(Default)]
struct Count {
    all: usize,
    bad: usize,
    first_bad: Option<String>,
}

impl Count {
    fn note(&mut self, place: &str, unreadable: Option<&Unreadable>) {
        self.all += 1;
        if let Some(Unreadable { error, position }) = unreadable {
            self.bad += 1;
            let (line, column) = (position.line, position.column);
            self.first_bad
                .get_or_insert_with(|| format!("{place}, at {line}:{column}: {error}"));
        }
    }

    fn end(self) -> Result<()> {
        match (self.first_bad, self.bad) {
            (None, _) if self.all == 0 => Err(Error::Failed(
                "the list is empty; give it a scenario".into(),
            )),
            (None, _) => Ok(()),
            (Some(first), 1) => Err(Error::Failed(first)),
            (Some(first), number) => Err(Error::Failed(format!(
                "{number} scenarios cannot be read; the first is {first}"
            ))),
        }
    }
}

/// One scenario that was run.
struct Case {
    name: String,
    /// Where it stands in its file, or what is wrong with it.
    position: Position,
    outcome: Result<(), String>,
}

/// Runs the scenarios of a directory that carry an `expect`; those without are no tests.
pub fn test(options: &TestOptions) -> Result<()> {
    let files = files(&options.dir)?;
    let mut answers = Answers::new();
    let (mut passed, mut failed) = (0, 0);
    for file in &files {
        for case in run_file(file)? {
            match &case.outcome {
                Ok(()) => passed += 1,
                Err(_) => failed += 1,
            }
            print(&mut answers, options.output, file, &case)?;
        }
    }
    match options.output {
        Output::Text => answers.line(&format!("{passed} passed, {failed} failed"))?,
        Output::Json => answers.json(&json!({"passed": passed, "failed": failed}))?,
    }
    answers.flush()?;
    match (passed, failed) {
        (0, 0) => Err(Error::Failed(format!(
            "no scenario with an `expect` in {}; add one to a .json or .jsonl file",
            options.dir.display()
        ))),
        (_, 0) => Ok(()),
        _ => Err(Error::Told),
    }
}

fn print(answers: &mut Answers, output: Output, file: &Path, case: &Case) -> Result<()> {
    let (file, name) = (file.display().to_string(), &case.name);
    let line = |text: &str| Printable(text).to_string();
    match (output, &case.outcome) {
        (Output::Text, Ok(())) => answers.line(&line(&format!("ok      {file}: {name}"))),
        (Output::Text, Err(why)) => {
            let (row, column) = (case.position.line, case.position.column);
            answers.line(&line(&format!(
                "FAILED  {file}:{row}:{column}: {name}: {why}"
            )))
        }
        (Output::Json, outcome) => answers.json(&json!({
            "file": file,
            "line": case.position.line,
            "column": case.position.column,
            "name": name,
            "passed": outcome.is_ok(),
            "why": outcome.as_ref().err(),
        })),
    }
}

fn run_file(file: &Path) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    Input::open(Some(file))?.each(|item| {
        match read(&item) {
            Ok(scenario) => {
                if let Some(expected) = scenario.expect() {
                    cases.push(Case {
                        name: scenario.name().map_or(item.place, str::to_owned),
                        position: item.start,
                        outcome: compare(expected, &scenario.evaluate()),
                    });
                }
            }
            // What cannot be read may well have been a test.
            Err(Unreadable { error, position }) => cases.push(Case {
                name: item.place,
                position,
                outcome: Err(error.to_string()),
            }),
        }
        Ok(())
    })?;
    Ok(cases)
}

fn compare(expected: &Expectation, outcome: &Outcome) -> Result<(), String> {
    if expected.is_met_by(outcome) {
        return Ok(());
    }
    let reason = expected
        .reason
        .as_ref()
        .map_or_else(String::new, |reason| format!(" with `{reason}`"));
    Err(format!(
        "expected {:?}{reason}, got {:?}: {}",
        expected.decision, outcome.decision, outcome.reason
    ))
}

/// The scenario files below `path`, sorted; `path` itself where it is a file.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    collect(path, DEPTH_MAX, &mut found)?;
    found.sort();
    Ok(found)
}

fn collect(dir: &Path, depth: usize, into: &mut Vec<PathBuf>) -> Result<()> {
    let unreadable = || Error::failed(format!("cannot read {}", dir.display()));
    if depth == 0 {
        return Err(Error::Failed(format!(
            "{} lies too deep: more than {DEPTH_MAX} directories",
            dir.display()
        )));
    }
    for entry in std::fs::read_dir(dir).map_err(unreadable())? {
        let entry = entry.map_err(unreadable())?;
        let path = entry.path();
        // The entry's own type: a link to a directory could lead in circles.
        if entry.file_type().map_err(unreadable())?.is_dir() {
            collect(&path, depth - 1, into)?;
        } else if path
            .extension()
            .is_some_and(|end| end == "json" || end == "jsonl")
        {
            into.push(path);
        }
    }
    Ok(())
}
