//! Trust policies, for which IAM has rules and messages of their own.

use crate::context::Context;
use crate::document::{
    ConditionEntry, Document, Element, PrincipalEntry, PrincipalType, Statement,
};
use crate::document_kind::DocumentKind;
use crate::error::{Violation, violation};
use crate::pattern::Pattern;
use crate::principal_syntax;

use super::{dates, providers, statement_ids};

/// The actions of trust policies.
const TRUST_ACTIONS: [&str; 6] = [
    "sts:assumerole",
    "sts:assumerolewithsaml",
    "sts:assumerolewithwebidentity",
    "sts:tagsession",
    "sts:setsourceidentity",
    "sts:setcontext",
];

pub(super) fn check(document: &Document, stored: bool) -> Result<(), Violation> {
    for statement in document.statements.iter() {
        let Some(element) = &statement.principal else {
            let message = "Missing required field Principal";
            let detail = "a trust policy needs `Principal`: who may assume the role";
            return Err(violation(message, detail, statement.position));
        };
        // docs/semantics.md#18: UG reference_policies_elements_notprincipal excludes trust policies.
        if element.not {
            let message = "AssumeRole policy must not contain NotPrincipal field.";
            let detail = "name the trusted principals in `Principal`";
            return Err(violation(message, detail, element.position));
        }
        if statement.action.values.is_empty() {
            let detail = "a trust policy names `sts:AssumeRole` or its variants";
            let message = "Missing required field Action";
            return Err(violation(message, detail, statement.action.position));
        }
        if let Some(element) = statement.resource.as_ref().filter(|_| stored) {
            let message = if element.not {
                "AssumeRole policy must not contain resources."
            } else {
                "Has prohibited field Resource"
            };
            let detail = "the resource of a trust policy is the role";
            return Err(violation(message, detail, element.position));
        }
        if stored {
            actions(&statement.action)?;
        }
        if element.entries.is_empty() {
            let message = "Missing required field Principal";
            return Err(violation(message, "`Principal` is empty", element.position));
        }
        // Everyone is written with a type here.
        let star = |entry: &PrincipalEntry| entry.kind == PrincipalType::Everyone;
        if stored && element.entries.iter().any(star) {
            let message = "AssumeRolepolicy contained an invalid principal: \"STAR\":\"*\".";
            let detail = "in a trust policy everyone is {\"AWS\": \"*\"}";
            return Err(violation(message, detail, element.position));
        }
        principal_syntax::check(element, statement.effect, DocumentKind::Trust, stored)?;
        if stored {
            condition_keys(statement)?;
            if names(&statement.action, "sts:assumerolewithwebidentity") {
                providers::check(statement)?;
            }
        }
    }
    dates(document)?;
    if stored {
        statement_ids(document)?;
    }
    Ok(())
}

/// The keys of a provider begin with its host; its URL has one colon too many. Other keys may contain
/// more colons, in the name of a tag.
fn condition_keys(statement: &Statement) -> Result<(), Violation> {
    let urls = |entry: &&ConditionEntry| entry.key.value.contains("://");
    match statement.conditions.iter().find(urls) {
        None => Ok(()),
        Some(entry) => {
            let message = "Condition can contain only one colon.";
            let detail = format!(
                "`{}` is not a condition key: a provider's keys begin with its host, without `https://`",
                entry.key.value
            );
            Err(violation(message, detail, entry.key.position))
        }
    }
}

/// Whether the element lists the action, given in lower case.
fn names(element: &Element, action: &str) -> bool {
    let context = Context::new();
    let mut patterns = element
        .values
        .iter()
        .map(|text| Pattern::action(&text.value));
    patterns.any(|pattern| pattern.matches(action, &context))
}

fn actions(element: &Element) -> Result<(), Violation> {
    let context = Context::new();
    for text in &element.values {
        let pattern = Pattern::action(&text.value);
        let sts = text.value.to_ascii_lowercase().starts_with("sts:");
        let known = TRUST_ACTIONS
            .iter()
            .any(|action| pattern.matches(action, &context));
        if element.not || !sts || !known {
            let message = "AssumeRole policy may only specify STS AssumeRole actions.";
            let detail = format!("`{}` is not an action of a trust policy", text.value);
            return Err(violation(message, detail, text.position));
        }
    }
    Ok(())
}
