//! Wildcards and variables that make a condition match everything, nothing, or too much.

use policy::ConditionEntry;
use policy::language::{Operator, Quantifier, Test};

use crate::codes::Code;
use crate::globs::has_wildcard;
use crate::linter::Linter;

pub(crate) fn check(linter: &mut Linter<'_>, entry: &ConditionEntry, operator: Operator) {
    if operator.test == Test::StringLike {
        everything(linter, entry, operator);
    }
    let string = matches!(
        operator.test,
        Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike
    );
    if string {
        too_permissive(linter, entry, operator);
    }
}

/// What a condition with the value `*` comes to.
enum Outcome {
    /// It matches when the key is present.
    Present,
    Missing,
    Always,
    Never,
}

/// `*` matches every value, so only the presence of the key is left to check. How missing keys,
/// negation and qualifiers are evaluated: UG reference_policies_elements_condition_operators and
/// reference_policies_condition-single-vs-multi-valued-context-keys.
fn everything(linter: &mut Linter<'_>, entry: &ConditionEntry, operator: Operator) {
    let star = |value: &str| !value.is_empty() && value.bytes().all(|byte| byte == b'*');
    if !entry.values.iter().any(|text| star(&text.value)) {
        return;
    }
    let outcome = match (operator.quantifier, operator.negated, operator.if_exists) {
        (Quantifier::ForAllValues, false, _) => Outcome::Always,
        (Quantifier::ForAllValues, true, _) => Outcome::Missing,
        (_, false, false) => Outcome::Present,
        (_, false, true) => Outcome::Always,
        (Quantifier::ForAnyValue, true, false) => Outcome::Never,
        (_, true, _) => Outcome::Missing,
    };
    let (key, name) = (&*entry.key.value, &*entry.operator.value);
    let (code, message, help) = match outcome {
        Outcome::Present => (
            Code::EquivalentToNullFalse,
            format!("`{name}` with `*` only checks that `{key}` is present"),
            format!("write \"Null\": {{\"{key}\": \"false\"}}"),
        ),
        Outcome::Missing => (
            Code::EquivalentToNullTrue,
            format!("`{name}` with `*` only checks that `{key}` is missing"),
            format!("write \"Null\": {{\"{key}\": \"true\"}}"),
        ),
        Outcome::Always => (
            Code::RedundantKeyDueToWildcardInCondition,
            format!("`{name}` with `*` always matches, whether `{key}` is present or not"),
            "remove the condition, or list the values that are meant".to_owned(),
        ),
        Outcome::Never => (
            Code::RedundantStatementDueToWildcardInCondition,
            format!("`{name}` with `*` never matches, so the statement never applies"),
            "remove the statement, or list the values that are meant".to_owned(),
        ),
    };
    linter.find(code, entry.key.position, message, help);
}

/// Keys whose values have no valid wildcard, not even after a prefix
/// (UG reference_policies_condition-keys, "Sensitive condition keys").
const SENSITIVE: [&str; 10] = [
    "aws:principalaccount",
    "aws:principalorgid",
    "aws:resourceaccount",
    "aws:resourceorgid",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:vpceaccount",
    "aws:vpceorgid",
];

fn too_permissive(linter: &mut Linter<'_>, entry: &ConditionEntry, operator: Operator) {
    let key = entry.key.value.to_ascii_lowercase();
    let sensitive = SENSITIVE.contains(&&*key);
    if !sensitive && key != "aws:userid" {
        return;
    }
    for text in &entry.values {
        let value = &*text.value;
        let wildcard = operator.test == Test::StringLike && has_wildcard(value);
        let variable = value.contains("${") && !is_identity(value);
        if !wildcard && !variable || !sensitive && is_session_of_id(value) {
            continue;
        }
        let (code, what) = match wildcard {
            true => (Code::WildcardUsageTooPermissive, "wildcard"),
            false => (Code::VariableUsageTooPermissive, "variable"),
        };
        let (message, help) = match sensitive {
            true => (
                format!(
                    "a {what} in `{}` can match accounts, organizations or networks of others",
                    entry.key.value
                ),
                "list the values that are meant",
            ),
            false => (
                format!(
                    "a {what} in the ID of `{}` can match principals of others",
                    entry.key.value
                ),
                "write the ID and a colon before it, such as `AROAEXAMPLEID:*`",
            ),
        };
        linter.find(code, text.position, message, help);
    }
}

/// Whether the value is one variable that is itself an account, an organization or a network. AWS's
/// data perimeter examples compare `aws:ResourceOrgID` with `${aws:PrincipalOrgID}`.
fn is_identity(value: &str) -> bool {
    let name = value.strip_prefix("${").and_then(|v| v.strip_suffix('}'));
    name.is_some_and(|name| SENSITIVE.contains(&&*name.to_ascii_lowercase()))
}

/// `ID:session`: a wildcard in the session is limited by the ID, and a wildcard that is the whole ID
/// is limited by the session's name.
fn is_session_of_id(value: &str) -> bool {
    let outside = value
        .rsplit_once(':')
        .filter(|(_, after)| !after.ends_with('}'));
    let parts = outside.or_else(|| value.split_once(':'));
    parts.is_some_and(|(id, _)| {
        let one_variable =
            id.starts_with("${") && id.ends_with('}') && id.matches("${").count() == 1;
        id == "*" || one_variable || !id.contains(['*', '?', '$'])
    })
}
