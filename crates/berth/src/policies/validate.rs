//! `berth policy validate`: whether IAM or ECR would store a document, and whether it does what its author expects.

use std::path::Path;

use policy::{Document, DocumentKind, PolicyError, Position, Printable};
use policy_lint::{AwsCatalogue, Finding, Level, Locations, lint};
use serde_json::json;

use super::input::Input;
use crate::cli::{Output, ValidateOptions};
use crate::error::{Error, Result};
use crate::output::Answers;

/// Prints the findings of each file; fails when one is refused or has an error. A file that
/// cannot be read does not keep the others from being checked.
pub fn validate(options: &ValidateOptions) -> Result<()> {
    let mut answers = Answers::new();
    let mut failed = false;
    let mut unreadable = Vec::new();
    for file in &options.files {
        let text = match Input::open(Some(file)).and_then(Input::document) {
            Ok(text) => text,
            Err(error) => {
                if options.output == Output::Json {
                    answers.json(&json!({
                        "file": file.display().to_string(),
                        "valid": false,
                        "level": Level::Error,
                        "message": error.to_string(),
                    }))?;
                }
                unreadable.push(error.to_string());
                continue;
            }
        };
        let checked = Checked::new(&text, options.kind, !options.no_lint);
        failed |= checked.fails(options.strict);
        match options.output {
            Output::Text => checked.print_text(file, &mut answers)?,
            Output::Json => checked.print_json(file, &mut answers)?,
        }
    }
    answers.flush()?;
    match (unreadable.len(), failed) {
        (0, false) => Ok(()),
        (0, true) => Err(Error::Told),
        (1, _) => Err(Error::Failed(unreadable.swap_remove(0))),
        (count, _) => Err(Error::Failed(format!(
            "{count} files cannot be read: {}",
            unreadable.join("; ")
        ))),
    }
}

/// A line that quotes what stands in files.
fn line(answers: &mut Answers, text: &str) -> Result<()> {
    answers.line(&Printable(text).to_string())
}

/// What there is to say about one document.
struct Checked {
    text: String,
    result: Result<Document, PolicyError>,
    findings: Vec<Finding>,
}

impl Checked {
    fn new(text: &str, kind: DocumentKind, linted: bool) -> Checked {
        let result = Document::parse(text, kind);
        let findings = match (&result, linted) {
            (_, false) => Vec::new(),
            (Ok(document), true) => lint(document, &AwsCatalogue),
            // The service's own refusal is printed first; the other findings follow.
            (Err(error), true) => {
                let refused_at = error.position.unwrap_or(Position::START);
                let findings = policy_lint::validate(text, kind, &AwsCatalogue).into_iter();
                findings
                    .filter(|finding| finding.position != refused_at)
                    .collect()
            }
        };
        Checked {
            text: text.to_owned(),
            result,
            findings,
        }
    }

    fn fails(&self, strict: bool) -> bool {
        self.result.is_err()
            || self
                .findings
                .iter()
                .any(|finding| match finding.code.level() {
                    Level::Error => true,
                    Level::SecurityWarning | Level::Warning => strict,
                    Level::Suggestion => false,
                })
    }

    /// `file:line:column: level[CODE]: message`, the form that editors jump to, and a line of
    /// help below it.
    fn print_text(&self, file: &Path, answers: &mut Answers) -> Result<()> {
        let file = file.display();
        if let Err(error) = &self.result {
            let place = error
                .position
                .map_or_else(String::new, |at| format!("{}:{}:", at.line, at.column));
            let (code, message) = (error.code, &error.message);
            line(answers, &format!("{file}:{place} error[{code}]: {message}"))?;
            if !error.detail.is_empty() && error.detail != error.message {
                line(answers, &format!("  help: {}", error.detail))?;
            }
        }
        for Finding {
            code,
            position: at,
            message,
            help,
        } in &self.findings
        {
            let (row, column, level) = (at.line, at.column, code.level());
            line(
                answers,
                &format!("{file}:{row}:{column}: {level}[{code}]: {message}"),
            )?;
            line(answers, &format!("  help: {help}"))?;
        }
        let verdict = match &self.result {
            Err(_) if self.findings.is_empty() => return Ok(()),
            Err(_) => "refused".to_owned(),
            Ok(document) => match document.statements().len() {
                1 => "valid, 1 statement".to_owned(),
                count => format!("valid, {count} statements"),
            },
        };
        line(answers, &format!("{file}: {verdict}{}", self.counts()))
    }

    /// `, 1 error, 2 warnings`.
    fn counts(&self) -> String {
        let levels = [
            (Level::Error, "error"),
            (Level::SecurityWarning, "security warning"),
            (Level::Warning, "warning"),
            (Level::Suggestion, "suggestion"),
        ];
        let mut text = String::new();
        for (level, name) in levels {
            let found = self.findings.iter().filter(|f| f.code.level() == level);
            match found.count() {
                0 => {}
                1 => text.push_str(&format!(", 1 {name}")),
                count => text.push_str(&format!(", {count} {name}s")),
            }
        }
        text
    }

    /// A line for the document, and one for each finding.
    fn print_json(&self, file: &Path, answers: &mut Answers) -> Result<()> {
        let file = file.display().to_string();
        answers.json(&match &self.result {
            Ok(document) => {
                json!({"file": file, "valid": true, "statements": document.statements().len()})
            }
            Err(error) => json!({
                "file": file,
                "valid": false,
                "level": Level::Error,
                "code": error.code.as_str(),
                "message": error.message,
                "detail": error.detail,
                "line": error.position.map(|at| at.line),
                "column": error.position.map(|at| at.column),
            }),
        })?;
        let locations = Locations::new(&self.text);
        for finding in &self.findings {
            answers.json(&json!({
                "file": file,
                "level": finding.code.level(),
                "code": finding.code,
                "message": finding.message,
                "help": finding.help,
                "learnMore": finding.code.learn_more(),
                "line": finding.position.line,
                "column": finding.position.column,
                "path": locations.find(finding.position).path_string(),
            }))?;
        }
        Ok(())
    }
}
