//! Conditions on a resource's tags with actions that do not have them.
//!
//! A request has `aws:ResourceTag/…` only if its service supports the key for the action. Otherwise
//! an Allow never allows and a Deny never denies (IAM User Guide, *IAM policy validation check
//! reference*, "unsupported tag condition key for service").

use policy::{ConditionEntry, Statement};

use crate::actions::Actions;
use crate::codes::Code;
use crate::linter::{Linter, allows};
use crate::messages::some_of;
use crate::who;

/// What the names of actions that create a resource start with.
const CREATES: [&str; 4] = ["Create", "Register", "Request", "Run"];

pub(crate) fn check<'a>(linter: &mut Linter<'a>, statement: &Statement, actions: &Actions<'a>) {
    if linter.facts.services.is_empty() {
        return;
    }
    // Who supports the tag of one name supports all.
    let mut unsupported: Option<Vec<&'a str>> = None;
    for entry in &statement.conditions {
        let key = entry.key.value.to_ascii_lowercase();
        // A negated operator, and one with IfExists, match requests without the key.
        if !key.starts_with("aws:resourcetag/") || who::needs(entry).is_none() {
            continue;
        }
        if actions.not {
            not_action(linter, statement, entry);
            continue;
        }
        if unsupported.is_none() {
            unsupported = without_support(linter, &entry.key.value, actions);
        }
        if let Some(names) = unsupported.as_ref().filter(|names| !names.is_empty()) {
            listed(linter, statement, entry, some_of(names.iter().copied()));
        }
    }
}

fn not_action(linter: &mut Linter<'_>, statement: &Statement, entry: &ConditionEntry) {
    let key = &entry.key.value;
    let (code, message) = match allows(statement) {
        true => (
            Code::AllowNotactionWithUnsupportedTagConditionKeyForService,
            format!(
                "only actions that support `{key}` are allowed, and `NotAction` also matches others"
            ),
        ),
        false => (
            Code::DenyNotactionWithUnsupportedTagConditionKeyForService,
            format!(
                "actions that do not support `{key}` are not denied, and `NotAction` also matches those"
            ),
        ),
    };
    let help = "list the actions in `Action`";
    linter.find(code, entry.key.position, message, help);
}

/// The listed actions that do not support the key; `None` when the budget is spent.
fn without_support<'a>(
    linter: &mut Linter<'a>,
    key: &str,
    actions: &Actions<'a>,
) -> Option<Vec<&'a str>> {
    let mut without = Vec::new();
    for listed in actions.known().unwrap_or_default() {
        // As in Access Analyzer, wildcards are not expanded, and actions that create a resource are
        // left out: some services authorize them with the tags of the new resource.
        let name = listed.text.split(':').nth(1).unwrap_or_default();
        if listed.text.contains(['*', '?']) || CREATES.iter().any(|verb| name.starts_with(verb)) {
            continue;
        }
        for action in listed.pattern.actions() {
            if !linter.facts.action_lists(action, key)? {
                without.push(listed.text);
            }
        }
    }
    Some(without)
}

fn listed(linter: &mut Linter<'_>, statement: &Statement, entry: &ConditionEntry, names: String) {
    let key = &*entry.key.value;
    let (code, message) = match allows(statement) {
        true => (
            Code::AllowWithUnsupportedTagConditionKeyForService,
            format!(
                "the service does not support `{key}` with {names}, so the statement does not allow this"
            ),
        ),
        false => (
            Code::DenyWithUnsupportedTagConditionKeyForService,
            format!(
                "the service does not support `{key}` with {names}, so the statement does not deny this"
            ),
        ),
    };
    let help =
        "move these actions to a statement without this condition, limited by their resources";
    linter.find(code, entry.key.position, message, help);
}
