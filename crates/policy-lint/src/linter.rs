//! What the checks share: the document, what is known of its services, and the findings so far.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use policy::{Document, DocumentKind, Position, Statement, StatementEffect};

use crate::budget::Work;
use crate::catalogue::Catalogue;
use crate::codes::Code;
use crate::facts::Facts;
use crate::finding::{FINDINGS_MAX, Finding};
use crate::messages::Problem;

/// What every check works with.
pub(crate) struct Linter<'a> {
    pub document: &'a Document,
    pub work: &'a Work,
    pub facts: Facts<'a>,
    /// What is wrong with an ARN of `Resource`, by its text.
    pub arns: HashMap<Arc<str>, Rc<Option<Problem>>>,
    findings: Vec<Finding>,
    /// Whether findings were dropped.
    more: bool,
}

impl<'a> Linter<'a> {
    pub fn new(document: &'a Document, catalogue: &'a dyn Catalogue, work: &'a Work) -> Linter<'a> {
        Linter {
            document,
            work,
            facts: Facts::new(catalogue, work),
            arns: HashMap::new(),
            findings: Vec::new(),
            more: false,
        }
    }

    /// The findings, and whether there were more than may be kept.
    pub fn into_findings(self) -> (Vec<Finding>, bool) {
        (self.findings, self.more)
    }

    pub fn find(
        &mut self,
        code: Code,
        position: Position,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        // The last place is for the finding that says that there are more.
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

    /// Reports a problem at a place where the text occurs.
    pub fn report(&mut self, problem: &Problem, position: Position) {
        self.find(problem.code, position, &*problem.message, &*problem.help);
    }

    /// Whether the document is attached to a resource and names principals.
    pub fn is_resource_policy(&self) -> bool {
        matches!(
            self.document.kind(),
            DocumentKind::Trust
                | DocumentKind::EcrRepository
                | DocumentKind::EcrRegistry
                | DocumentKind::Resource
        )
    }
}

pub(crate) fn allows(statement: &Statement) -> bool {
    statement.effect == StatementEffect::Allow
}

/// Services whose requests Berth answers itself, so that their actions, resources and keys are
/// known in full. The reference of other services has gaps.
pub(crate) fn is_fully_known(service: &str) -> bool {
    matches!(service, "ecr" | "iam" | "sts")
}
