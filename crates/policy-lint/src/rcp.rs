//! Resource control policies: a denial applies to the organization's principals and to AWS services,
//! which have different condition keys.
//!
//! Source: IAM User Guide, *IAM policy validation check reference*, "RCP missing related principal
//! condition key" and the two checks after it.

use policy::language::{Operator, Test};
use policy::{ConditionEntry, DocumentKind, Statement};

use crate::codes::Code;
use crate::linter::{Linter, allows};

pub(crate) fn check(linter: &mut Linter<'_>, statement: &Statement) {
    if linter.document.kind() != DocumentKind::ResourceControl || allows(statement) {
        return;
    }
    // Asked once of a statement, which may have many conditions.
    let is_service = |wanted| asks(statement, "aws:principalisawsservice", Test::Bool, wanted);
    let (not_service, only_service) = (is_service("false"), is_service("true"));
    let mut sources = ["aws:sourceaccount", "aws:sourcearn"].iter();
    let has_source = sources.any(|source| asks(statement, source, Test::Null, "false"));
    for entry in &statement.conditions {
        let key = entry.key.value.to_ascii_lowercase();
        let of_principal = matches!(
            &*key,
            "aws:principalorgid"
                | "aws:principalorgpaths"
                | "aws:principalaccount"
                | "aws:principalarn"
        ) || key.starts_with("aws:principaltag/");
        let of_source = matches!(
            &*key,
            "aws:sourceorgid" | "aws:sourceorgpaths" | "aws:sourceaccount"
        );
        let (name, at) = (&entry.key.value, entry.key.position);
        if is_null(entry) {
            continue;
        }
        if of_principal && !not_service {
            linter.find(
                Code::RcpMissingRelatedPrincipalConditionKey,
                at,
                format!("AWS services do not have `{name}`, so the denial can apply to them"),
                "add \"BoolIfExists\": {\"aws:PrincipalIsAWSService\": \"false\"}",
            );
        }
        if of_source && !only_service {
            linter.find(
                Code::RcpMissingRelatedServicePrincipalConditionKey,
                at,
                format!("your principals do not have `{name}`, so the denial can apply to them"),
                "add \"BoolIfExists\": {\"aws:PrincipalIsAWSService\": \"true\"}",
            );
        }
        let by_organization = matches!(&*key, "aws:sourceorgid" | "aws:sourceorgpaths");
        if by_organization && !has_source {
            linter.find(
                Code::RcpMissingServiceConditionKeyNullCheck,
                at,
                format!("some requests of AWS services have no source and no `{name}`, so the denial can apply to them"),
                "add \"Null\": {\"aws:SourceAccount\": \"false\"}",
            );
        }
    }
}

fn is_null(entry: &ConditionEntry) -> bool {
    Operator::parse(&entry.operator.value).is_some_and(|operator| operator.test == Test::Null)
}

/// Whether a condition compares the key with this one value.
fn asks(statement: &Statement, key: &str, test: Test, wanted: &str) -> bool {
    statement.conditions.iter().any(|entry| {
        let operator = Operator::parse(&entry.operator.value);
        let mut values = entry.values.iter();
        entry.key.value.eq_ignore_ascii_case(key)
            && operator.is_some_and(|operator| operator.test == test && !operator.negated)
            && !entry.values.is_empty()
            && values.all(|value| value.value.eq_ignore_ascii_case(wanted))
    })
}
