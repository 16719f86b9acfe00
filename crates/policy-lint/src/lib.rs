//! What is valid and still not meant: checks in the manner of IAM Access Analyzer's.
//!
//! A document that IAM would store may grant nothing, or more than its author thinks.
//! [`lint`] says where, why, and what to write instead. Codes that Access Analyzer has too
//! carry its names (UG access-analyzer-reference-policy-checks); the others are ours.
//!
//! ```
//! use policy::{Document, DocumentKind};
//! use policy_lint::{Code, Nothing, lint};
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
//! Entries of one element, and statements, are compared in pairs, and wildcards with all that
//! the catalogue holds. Equal ones are looked at once, and what differs is counted in steps, of
//! which each kind of work has [`STEPS_MAX`]; then its checks claim nothing more. At most
//! [`FINDINGS_MAX`] findings are made. Where one of these bounds was met, the last finding says
//! so ([`Code::ChecksIncomplete`]).

mod actions;
mod arns;
mod aws;
mod budget;
mod catalogue;
mod codes;
mod conditions;
mod covering;
mod danger;
mod documented;
mod ecr;
mod facts;
mod github;
mod globs;
mod identifiers;
mod logic;
mod principals;
mod redundancy;
mod resources;
mod services;
mod shape;
mod values;
mod variables;
mod who;

pub use aws::AwsCatalogue;
pub use budget::{SIMILAR_MAX, STEPS_MAX};
pub use catalogue::{ActionFacts, Catalogue, KeyFacts, KeyType, Nothing, ResourceType};
pub use codes::{Code, Level};

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use budget::Work;
use facts::Facts;

use policy::Position;
use policy::{Document, Statement, StatementEffect};

/// The most findings of one document, the one that says that there are more among them.
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
    lint_counted(document, catalogue).0
}

/// The findings, and how many steps they took: what [`STEPS_MAX`] bounds. A measure of the
/// linter itself that is the same on every machine.
pub fn lint_counted(document: &Document, catalogue: &dyn Catalogue) -> (Vec<Finding>, u64) {
    let work = Work::default();
    let mut linter = Linter {
        document,
        catalogue,
        work: &work,
        facts: Facts::new(catalogue, &work),
        arns: HashMap::new(),
        arn_services: HashMap::new(),
        findings: Vec::new(),
        more: false,
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
    let more = linter.more;
    let mut findings = linter.findings;
    findings.sort_by_key(|finding| (finding.position, finding.code));
    findings.dedup();
    let cut_short = work.cut_short();
    if more {
        let why = "there are more findings, which are not shown";
        findings.push(incomplete(document, why.to_owned()));
    } else if !cut_short.is_empty() {
        let which = cut_short.join(", ");
        let why = format!(
            "the document holds too much to be compared in full; not all was checked of: {which}"
        );
        findings.push(incomplete(document, why));
    }
    (findings, work.used())
}

/// The last finding, at the document's last character: it is behind all others.
fn incomplete(document: &Document, message: String) -> Finding {
    let before = document.source().trim_end();
    let before = &before[..before.len().saturating_sub(1)];
    let (line, start) = match before.rfind('\n') {
        Some(at) => (before.matches('\n').count() + 1, at + 1),
        None => (1, 0),
    };
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Finding {
        code: Code::ChecksIncomplete,
        position: Position {
            offset: number(before.len()),
            line: number(line),
            column: number(before[start..].chars().count() + 1),
        },
        message,
        help: "mend what is shown, or divide the document, and check again".to_owned(),
    }
}

/// What every check is given.
struct Linter<'a> {
    document: &'a Document,
    catalogue: &'a dyn Catalogue,
    work: &'a Work,
    facts: Facts<'a>,
    /// What is wrong with an ARN of `Resource`, by its text.
    arns: HashMap<Arc<str>, Rc<Option<Problem>>>,
    arn_services: HashMap<String, Rc<arns::Forms<'a>>>,
    findings: Vec<Finding>,
    /// There is more than may be said.
    more: bool,
}

impl Linter<'_> {
    fn find(
        &mut self,
        code: Code,
        position: Position,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        // The last place is for saying that there are more.
        if self.findings.len() + 1 >= FINDINGS_MAX {
            self.more = true;
            return;
        }
        self.findings.push(Finding {
            code,
            position,
            message: message.into(),
            help: help.into(),
        });
    }
}

/// What is wrong with a text, wherever it stands.
struct Problem {
    code: Code,
    message: String,
    help: String,
}

impl Problem {
    fn new(code: Code, message: impl Into<String>, help: impl Into<String>) -> Problem {
        Problem {
            code,
            message: message.into(),
            help: help.into(),
        }
    }

    fn at(&self, linter: &mut Linter<'_>, position: Position) {
        linter.find(self.code, position, &*self.message, &*self.help);
    }
}

fn allows(statement: &Statement) -> bool {
    statement.effect == StatementEffect::Allow
}

/// A list for a sentence: `a, b and 3 more`.
fn some_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 4;
    let mut names = names.into_iter();
    let shown: Vec<String> = names
        .by_ref()
        .take(SHOWN)
        .map(|n| format!("`{}`", shortened(n)))
        .collect();
    match names.count() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A text that stands elsewhere, for a sentence that may be said many times.
fn shortened(text: &str) -> Cow<'_, str> {
    const SHOWN: usize = 256;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

/// `; did you mean ...?`, as the help of a finding about a name.
fn did_you_mean(similar: Option<String>, otherwise: &str) -> String {
    match similar {
        Some(similar) => format!("did you mean `{similar}`?"),
        None => otherwise.to_owned(),
    }
}
