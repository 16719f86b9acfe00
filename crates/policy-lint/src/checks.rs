//! Runs the checks on a document that could be read.

use policy::{Document, Position};

use crate::budget::Work;
use crate::catalogue::Catalogue;
use crate::codes::Code;
use crate::finding::Finding;
use crate::linter::Linter;
use crate::{
    actions, conditions, danger, ecr, logic, principals, rcp, redundancy, resources, sessions,
    shape, tags, variables,
};

/// All findings of a document, in the order of the text.
pub fn lint(document: &Document, catalogue: &dyn Catalogue) -> Vec<Finding> {
    lint_counted(document, catalogue).0
}

/// The findings, and the number of steps they took, which [`STEPS_MAX`](crate::STEPS_MAX) limits.
/// Steps measure the cost of linting in the same way on every machine.
pub fn lint_counted(document: &Document, catalogue: &dyn Catalogue) -> (Vec<Finding>, u64) {
    let work = Work::default();
    let mut linter = Linter::new(document, catalogue, &work);
    shape::check(&mut linter);
    for statement in document.statements() {
        let granted = actions::check(&mut linter, statement);
        resources::check(&mut linter, statement, &granted);
        conditions::check(&mut linter, statement, &granted);
        tags::check(&mut linter, statement, &granted);
        logic::check(&mut linter, statement);
        variables::check(&mut linter, statement);
        principals::check(&mut linter, statement);
        danger::check(&mut linter, statement);
        rcp::check(&mut linter, statement);
    }
    sessions::check(&mut linter);
    redundancy::check(&mut linter);
    ecr::check(&mut linter);
    let (mut findings, more) = linter.into_findings();
    findings.sort_by_key(|finding| (finding.position, finding.code));
    findings.dedup();
    let cut_short = work.cut_short();
    if more {
        findings.push(incomplete(document.source(), MORE.to_owned()));
    } else if !cut_short.is_empty() {
        let which = cut_short.join(", ");
        let why = format!("the document is too large for a full check; not fully checked: {which}");
        findings.push(incomplete(document.source(), why));
    }
    (findings, work.used())
}

pub(crate) const MORE: &str = "there are more findings, which are not shown";

/// The last finding, at the document's last character, so that it sorts after all others.
pub(crate) fn incomplete(text: &str, message: String) -> Finding {
    let text = text.trim_end();
    Finding {
        code: Code::ChecksIncomplete,
        position: Position::at(text, text.len().saturating_sub(1)),
        message,
        help: "fix these findings or split the document, then run the check again".to_owned(),
    }
}
