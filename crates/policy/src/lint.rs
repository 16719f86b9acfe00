//! What is valid and still not meant: checks in the manner of IAM Access Analyzer's.
//!
//! A document that IAM would store may grant nothing, or more than its author thinks.
//! [`lint`] says where, why, and what to write instead. Codes that Access Analyzer has too
//! carry its names (UG access-analyzer-reference-policy-checks); the others are ours.
//!
//! ```
//! use policy::{Document, DocumentKind};
//! use policy::lint::{Code, Nothing, lint};
//!
//! let document = Document::parse(r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
//!     "Action": "iam:PassRole", "Resource": "*"}}"#, DocumentKind::Managed)?;
//! // `Nothing` is a catalogue that knows no service: only the language is checked then.
//! let findings = lint(&document, &Nothing);
//! assert_eq!(findings[0].code, Code::PassRoleWithStarInResource);
//! assert_eq!((findings[0].position.line, findings[0].position.column), (2, 15));
//! # Ok::<(), policy::PolicyError>(())
//! ```
//!
//! **Invariant:** pure, like the rest of the crate. What services, actions and condition keys
//! there are comes through the [`Catalogue`], which the caller brings. **Invariant:** a finding
//! never changes a decision; the engine does not know this module.
//!
//! # What it costs
//!
//! Entries of one element, and statements, are compared in pairs. A document above
//! [`CHARACTERS_MAX`], which no service stores, is not looked at, and at most [`FINDINGS_MAX`]
//! findings are made.

mod actions;
mod catalogue;
mod codes;
mod conditions;
mod danger;
mod ecr;
mod globs;
mod logic;
mod principals;
mod redundancy;
mod resources;
mod shape;
mod values;
mod variables;

pub use catalogue::{ActionFacts, Catalogue, KeyFacts, KeyType, Nothing, ResourceType};
pub use codes::{Code, Level};

use crate::document::{Document, Statement, StatementEffect};
use crate::json::Position;
use crate::size_without_white_space;

/// Documents with more characters, white space aside, are not looked at: the largest kind
/// may have 20,480.
pub const CHARACTERS_MAX: usize = 24_576;

/// The most findings of one document.
pub const FINDINGS_MAX: usize = 1_000;

/// One thing that is probably not meant.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// Which check found it; the level follows from it.
    pub code: Code,
    /// What to look at.
    pub position: Position,
    /// One sentence: what is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

/// Every finding of a valid document, in the order of the text.
pub fn lint(document: &Document, catalogue: &dyn Catalogue) -> Vec<Finding> {
    if size_without_white_space(document.source()) > CHARACTERS_MAX {
        return Vec::new();
    }
    let mut linter = Linter {
        document,
        catalogue,
        services: catalogue.services(),
        findings: Vec::new(),
    };
    shape::check(&mut linter);
    for statement in document.statements() {
        let granted = actions::check(&mut linter, statement);
        resources::check(&mut linter, statement, &granted);
        conditions::check(&mut linter, statement, &granted);
        logic::check(&mut linter, statement);
        variables::check(&mut linter, statement);
        principals::check(&mut linter, statement);
        danger::check(&mut linter, statement);
    }
    redundancy::check(&mut linter);
    ecr::check(&mut linter);
    let mut findings = linter.findings;
    findings.sort_by_key(|finding| (finding.position, finding.code));
    findings.dedup();
    findings
}

/// What every check is given.
struct Linter<'a> {
    document: &'a Document,
    catalogue: &'a dyn Catalogue,
    /// Every service; none where the catalogue knows nothing.
    services: Vec<&'a str>,
    findings: Vec<Finding>,
}

impl Linter<'_> {
    fn find(
        &mut self,
        code: Code,
        position: Position,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding {
                code,
                position,
                message: message.into(),
                help: help.into(),
            });
        }
    }
}

fn allows(statement: &Statement) -> bool {
    statement.effect == StatementEffect::Allow
}

/// A list for a sentence: `a, b and 3 more`.
fn some_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 4;
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => String::new(),
        count if count <= SHOWN => names.join(", "),
        count => format!("{} and {} more", names[..SHOWN].join(", "), count - SHOWN),
    }
}

/// `; did you mean ...?`, as the help of a finding about a name.
fn did_you_mean(similar: Option<String>, otherwise: &str) -> String {
    match similar {
        Some(similar) => format!("did you mean `{similar}`?"),
        None => otherwise.to_owned(),
    }
}
