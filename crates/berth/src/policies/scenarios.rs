//! `berth policy evaluate`, `test` and `explain`: scenarios in, decisions out.

use std::path::{Path, PathBuf};

use policy::scenario::{Expectation, Outcome, Scenario, ScenarioError};
use policy::{Explanation, Position, Printable};
use serde::Serialize;
use serde_json::json;

use super::input::{Input, Item};
use crate::cli::{EvaluateOptions, ExplainOptions, Output, TestOptions};
use crate::error::{Error, Result};
use crate::output::Answers;

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
            (Ok(scenario), Output::Json) => answers.json(&Explained {
                name: scenario.name(),
                explanation: scenario.explain(),
            }),
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

/// An explanation with its scenario's name.
#[derive(Serialize)]
struct Explained<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(flatten)]
    explanation: Explanation,
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
    Scenario::from_json(item.text).map_err(|error| located(error, item))
}

fn located(error: ScenarioError, item: &Item<'_>) -> Unreadable {
    let error = error.within(item.start);
    let position = error.position().unwrap_or(item.start);
    Unreadable { error, position }
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

/// One test that was run: a scenario, or a file that is none.
struct Case {
    name: Option<String>,
    /// Where it stands in its file, or what is wrong with it.
    position: Option<Position>,
    outcome: Result<(), String>,
}

/// What a file held.
#[derive(Default)]
struct Ran {
    cases: Vec<Case>,
    /// Scenarios without an `expect`: no tests.
    skipped: usize,
}

/// Runs the scenarios of a directory that carry an `expect`; those without are no tests. What cannot
/// be read may well have been one, so it has failed, and the others are run.
pub fn test(options: &TestOptions) -> Result<()> {
    let files = files(&options.dir)?;
    let mut answers = Answers::new();
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for file in &files {
        let ran = run_file(file);
        skipped += ran.skipped;
        for case in ran.cases {
            match &case.outcome {
                Ok(()) => passed += 1,
                Err(_) => failed += 1,
            }
            print(&mut answers, options.output, file, &case)?;
        }
    }
    match (options.output, skipped) {
        (Output::Text, 0) => answers.line(&format!("{passed} passed, {failed} failed"))?,
        (Output::Text, _) => answers.line(&format!(
            "{passed} passed, {failed} failed, {skipped} without `expect`"
        ))?,
        (Output::Json, _) => {
            answers.json(&json!({"passed": passed, "failed": failed, "skipped": skipped}))?;
        }
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
    let file = file.display().to_string();
    if output == Output::Json {
        return answers.json(&json!({
            "file": file,
            "line": case.position.map(|at| at.line),
            "column": case.position.map(|at| at.column),
            "name": case.name,
            "passed": case.outcome.is_ok(),
            "why": case.outcome.as_ref().err(),
        }));
    }
    let name = case
        .name
        .as_ref()
        .map_or_else(String::new, |name| format!(": {name}"));
    let line = match (&case.outcome, case.position) {
        (Ok(()), _) => format!("ok      {file}{name}"),
        (Err(why), None) => format!("FAILED  {file}{name}: {why}"),
        (Err(why), Some(at)) => format!("FAILED  {file}:{}:{}{name}: {why}", at.line, at.column),
    };
    answers.line(&Printable(&line).to_string())
}

fn run_file(file: &Path) -> Ran {
    let mut ran = Ran::default();
    let run_all = |input: Input| {
        input.each(|item| {
            match run(&item) {
                Ok(None) => ran.skipped += 1,
                Ok(Some(case)) => ran.cases.push(case),
                Err(Unreadable { error, position }) => ran.cases.push(Case {
                    name: Some(item.place),
                    position: Some(position),
                    outcome: Err(error.to_string()),
                }),
            }
            Ok(())
        })
    };
    // A pipe would be waited for.
    let is_pipe = std::fs::metadata(file).is_ok_and(|found| !found.is_file());
    let read = match is_pipe {
        true => Err(Error::Failed("it is no regular file".into())),
        false => Input::open(Some(file)).and_then(run_all),
    };
    if let Err(error) = read {
        ran.cases.push(Case {
            name: None,
            position: None,
            outcome: Err(error.to_string()),
        });
    }
    ran
}

/// `None`: without an `expect` it is no test.
fn run(item: &Item<'_>) -> Result<Option<Case>, Unreadable> {
    let scenario = read(item)?;
    let expected = scenario.expect().map_err(|error| located(error, item))?;
    Ok(expected.map(|expected| Case {
        name: Some(scenario.name().unwrap_or(&item.place).to_owned()),
        position: Some(item.start),
        outcome: compare(expected, &scenario.evaluate()),
    }))
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
        } else if path.extension().is_some_and(|end| {
            end.eq_ignore_ascii_case("json") || end.eq_ignore_ascii_case("jsonl")
        }) {
            into.push(path);
        }
    }
    Ok(())
}
