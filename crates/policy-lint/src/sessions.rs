//! Assuming a role: actions that must be allowed together.

use policy::language::{Operator, Test};
use policy::{ConditionEntry, DocumentKind, PrincipalType, Statement};

use crate::codes::Code;
use crate::globs::Glob;
use crate::linter::{Linter, allows};
use crate::messages::some_of;
use crate::who;

pub(crate) fn check(linter: &mut Linter<'_>) {
    let document = linter.document;
    let allowed: Vec<&Statement> = document.statements().iter().filter(|s| allows(s)).collect();
    // `NotAction` allows what it does not list, and has a finding of its own.
    if allowed.iter().any(|statement| statement.action.not) {
        return;
    }
    let is_allowed = |action: &str| allowed.iter().any(|statement| lists(statement, action));
    let missing: Vec<&'static str> = [TAG, SOURCE]
        .into_iter()
        .filter(|action| !is_allowed(&action.to_ascii_lowercase()))
        .collect();
    for statement in &allowed {
        condition_keys(linter, &missing, statement);
    }
    if document.kind() == DocumentKind::Trust {
        roles_anywhere(linter, &allowed);
    }
}

/// Whether a statement lists the action or a wildcard that matches it.
fn lists(statement: &Statement, action: &str) -> bool {
    let mut values = statement.action.values.iter();
    values.any(|text| Glob::folded(&text.value).matches(action))
}

const TAG: &str = "sts:TagSession";
const SOURCE: &str = "sts:SetSourceIdentity";

/// The action that sets a condition key of AssumeRole (STS API Reference, AssumeRole: passing tags
/// needs `sts:TagSession`, passing a source identity `sts:SetSourceIdentity`).
fn set_by(key: &str) -> Option<&'static str> {
    match key {
        "aws:tagkeys" | "sts:transitivetagkeys" => Some(TAG),
        "sts:sourceidentity" => Some(SOURCE),
        key if key.starts_with("aws:requesttag/") => Some(TAG),
        _ => None,
    }
}

/// Whether a request without the key fails the condition.
fn requires(entry: &ConditionEntry) -> bool {
    let null = Operator::parse(&entry.operator.value).is_some_and(|op| op.test == Test::Null);
    let mut values = entry.values.iter();
    who::needs(entry).is_some()
        || null
            && !entry.values.is_empty()
            && values.all(|value| value.value.eq_ignore_ascii_case("false"))
}

fn condition_keys(linter: &mut Linter<'_>, missing: &[&str], statement: &Statement) {
    let assumes = [
        "sts:assumerole",
        "sts:assumerolewithsaml",
        "sts:assumerolewithwebidentity",
    ];
    if !assumes.iter().any(|action| lists(statement, action)) {
        return;
    }
    for entry in &statement.conditions {
        let Some(action) = set_by(&entry.key.value.to_ascii_lowercase()) else {
            continue;
        };
        if missing.contains(&action) && requires(entry) {
            linter.find(
                Code::MissingActionForConditionKey,
                entry.key.position,
                format!(
                    "`{}` is set with `{action}`, which the policy does not allow, so the condition never matches",
                    entry.key.value
                ),
                format!("add `{action}` to the statement's actions"),
            );
        }
    }
}

const ROLES_ANYWHERE: &str = "rolesanywhere.amazonaws.com";

/// IAM Roles Anywhere User Guide, trust-model: the service assumes a role with its certificate's
/// fields as tags and source identity.
fn roles_anywhere(linter: &mut Linter<'_>, allowed: &[&Statement]) {
    let needed = ["sts:AssumeRole", TAG, SOURCE];
    let of_service = |statement: &Statement| {
        let principal = statement.principal.as_ref().filter(|element| !element.not);
        let mut entries = principal.into_iter().flat_map(|element| &element.entries);
        let entry = entries.find(|entry| {
            entry.kind == PrincipalType::Service && &*entry.text.value == ROLES_ANYWHERE
        });
        entry.map(|entry| entry.text.position)
    };
    let statements = allowed.iter().filter(|s| of_service(s).is_some());
    let statements: Vec<&Statement> = statements.copied().collect();
    let Some(at) = statements
        .first()
        .and_then(|statement| of_service(statement))
    else {
        return;
    };
    let mut missing = needed.to_vec();
    missing.retain(|action| {
        let folded = action.to_ascii_lowercase();
        !statements.iter().any(|statement| lists(statement, &folded))
    });
    if !missing.is_empty() {
        let missing = some_of(missing);
        linter.find(
            Code::MissingActionForRolesAnywhereTrustPolicy,
            at,
            format!("IAM Roles Anywhere also needs {missing} to assume the role"),
            format!("add {missing} to the statement's actions"),
        );
    }
}
