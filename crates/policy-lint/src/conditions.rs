//! `Condition`: checks that operators and values go with the keys.

use policy::language::{Operator, Quantifier, Test};
use policy::{ConditionEntry, Statement};

use crate::actions::Actions;
use crate::catalogue::{KeyFacts, KeyType};
use crate::codes::Code;
use crate::globs::has_wildcard;
use crate::linter::{Linter, allows};
use crate::{audience, identifiers, keys, services, values, wildcards};

pub(super) fn check<'a>(linter: &mut Linter<'a>, statement: &Statement, actions: &Actions<'a>) {
    for entry in &statement.conditions {
        let Some(operator) = Operator::parse(&entry.operator.value) else {
            continue;
        };
        let facts = keys::check(linter, entry, actions);
        let is_audience = audience::check(linter, entry, operator);
        if let Some(facts) = facts {
            operator_fits(linter, entry, operator, facts);
            if !is_audience {
                quantifier_fits(linter, statement, entry, operator, facts);
            }
        }
        null(linter, entry, operator);
        mfa(linter, statement, entry, operator);
        values::check(linter, entry, operator);
        identifiers::check(linter, entry, operator);
        services::check_values(linter, entry, operator);
        wildcards::check(linter, entry, operator);
    }
    keys::safety(linter, statement);
    keys::supported_services(linter, statement, actions);
}

fn operator_fits(
    linter: &mut Linter<'_>,
    entry: &ConditionEntry,
    operator: Operator,
    facts: KeyFacts,
) {
    let key = &*entry.key.value;
    let name = &*entry.operator.value;
    let at = entry.operator.position;
    let string = matches!(
        operator.test,
        Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike
    );
    if string && facts.key_type == KeyType::Arn {
        let wild = entry.values.iter().any(|value| has_wildcard(&value.value));
        if operator.test == Test::StringLike && wild {
            linter.find(
                Code::StringLikeOperatorWithArnConditionKeys,
                at,
                format!("`{key}` is an ARN, and with `{name}` a wildcard also matches colons, so it reaches into the next field"),
                format!("write `{}`", name.replace("String", "Arn")),
            );
        } else {
            linter.find(
                Code::StringOperatorWithArnConditionKey,
                at,
                format!("`{key}` is an ARN and `{name}` compares strings"),
                "use `ArnEquals` or `ArnLike`, or their negations",
            );
        }
    } else if !suits(operator.test, facts.key_type, entry) {
        linter.find(
            Code::TypeMismatch,
            at,
            format!("`{key}` has values of another type than `{name}` compares"),
            format!("use {} operators", facts.key_type.operators()),
        );
    }
}

fn quantifier_fits(
    linter: &mut Linter<'_>,
    statement: &Statement,
    entry: &ConditionEntry,
    operator: Operator,
    facts: KeyFacts,
) {
    if operator.test == Test::Null {
        return;
    }
    let key = &*entry.key.value;
    let name = &*entry.operator.value;
    let at = entry.operator.position;
    match (operator.quantifier, facts.multivalued) {
        (Quantifier::None, true) => linter.find(
            Code::MissingQualifier,
            at,
            format!(
                "`{key}` can have several values, which `{name}` without a qualifier never matches"
            ),
            format!("write `ForAnyValue:{name}` or `ForAllValues:{name}`"),
        ),
        (Quantifier::ForAllValues, false) => linter.find(
            Code::ForAllValuesWithSingleValuedKey,
            at,
            format!("`{key}` has one value, and `{name}` also matches when the key is missing"),
            format!("write `{}`", name.trim_start_matches("ForAllValues:")),
        ),
        (Quantifier::ForAnyValue, false) => linter.find(
            Code::ForAnyValueWithSingleValuedKey,
            at,
            format!("`{key}` has one value and needs no `ForAnyValue`"),
            format!("write `{}`", name.trim_start_matches("ForAnyValue:")),
        ),
        (Quantifier::ForAllValues, true)
            if allows(statement)
                && !operator.if_exists
                && linter
                    .work
                    .conditions
                    .take(statement.conditions.len() as u64)
                && !is_required(statement, key) =>
        {
            linter.find(
                Code::ForAllValuesWithoutNullCheck,
                at,
                format!("`{name}` also allows requests without `{key}`"),
                format!("add \"Null\": {{\"{key}\": \"false\"}}"),
            );
        }
        _ => {}
    }
}

/// Whether another condition requires that the key is present.
fn is_required(statement: &Statement, key: &str) -> bool {
    statement.conditions.iter().any(|entry| {
        if is_implied(key, entry) {
            return true;
        }
        entry.key.value.eq_ignore_ascii_case(key)
            && Operator::parse(&entry.operator.value).is_some_and(|operator| match operator.test {
                Test::Null => entry
                    .values
                    .iter()
                    .all(|value| value.value.eq_ignore_ascii_case("false")),
                _ => operator.quantifier == Quantifier::ForAnyValue && !operator.if_exists,
            })
    })
}

/// A request that has the value of a tag has the list of its tag keys (UG
/// reference_policies_condition-keys, aws:TagKeys).
fn is_implied(key: &str, entry: &ConditionEntry) -> bool {
    let other = entry.key.value.to_ascii_lowercase();
    let requires =
        Operator::parse(&entry.operator.value).is_some_and(|operator| match operator.test {
            Test::Null => entry
                .values
                .iter()
                .all(|value| value.value.eq_ignore_ascii_case("false")),
            _ => {
                !operator.negated
                    && !operator.if_exists
                    && operator.quantifier != Quantifier::ForAllValues
            }
        });
    key.eq_ignore_ascii_case("aws:TagKeys") && other.starts_with("aws:requesttag/") && requires
}

fn suits(test: Test, key_type: KeyType, entry: &ConditionEntry) -> bool {
    let key = &*entry.key.value;
    // Tags and encryption contexts have values of any type.
    if key.contains('/') || key.matches(':').count() > 1 {
        return true;
    }
    match test {
        Test::Null => true,
        Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike => {
            key_type == KeyType::String
        }
        // Keys that can have an ARN, among others, are listed as strings.
        Test::Arn => {
            let mut values = entry.values.iter();
            key_type == KeyType::Arn
                || key_type == KeyType::String && values.all(|v| v.value.starts_with("arn:"))
        }
        Test::Bool => key_type == KeyType::Bool,
        // Seconds since the epoch are a date and a number.
        Test::Numeric(_) => {
            key_type == KeyType::Numeric || key.eq_ignore_ascii_case("aws:EpochTime")
        }
        Test::Date(_) => key_type == KeyType::Date,
        Test::Ip => key_type == KeyType::IpAddress,
        // The reference lists binary keys as strings.
        Test::Binary => key_type == KeyType::String,
    }
}

fn null(linter: &mut Linter<'_>, entry: &ConditionEntry, operator: Operator) {
    if operator.test == Test::Null && operator.quantifier != Quantifier::None {
        linter.find(
            Code::NullWithQualifier,
            entry.operator.position,
            "`Null` checks whether the key is present, not its values",
            "write `Null`",
        );
    }
}

/// Requests that are signed with long-term access keys do not have the key (UG
/// reference_policies_condition-keys, aws:MultiFactorAuthPresent).
fn mfa(linter: &mut Linter<'_>, statement: &Statement, entry: &ConditionEntry, operator: Operator) {
    let key = &entry.key.value;
    if operator.test != Test::Bool || !key.eq_ignore_ascii_case("aws:MultiFactorAuthPresent") {
        return;
    }
    let asks = |wanted: &str| {
        let mut values = entry.values.iter();
        values.any(|value| value.value.eq_ignore_ascii_case(wanted))
    };
    if !allows(statement) && !operator.if_exists && asks("false") {
        linter.find(
            Code::MfaDenyMissesLongTermKeys,
            entry.operator.position,
            "requests signed with long-term access keys do not have the key and are not denied",
            "write `BoolIfExists`",
        );
    }
    if allows(statement) && operator.if_exists && asks("true") {
        linter.find(
            Code::MfaAllowWithIfExists,
            entry.operator.position,
            "requests signed with long-term access keys do not have the key and are allowed without MFA",
            "write `Bool`",
        );
    }
    if allows(statement) && asks("false") {
        linter.find(
            Code::MfaAllowWithoutMfa,
            entry.operator.position,
            "the statement allows requests whose session was created without MFA",
            "write \"Bool\": {\"aws:MultiFactorAuthPresent\": \"true\"} to require MFA",
        );
    }
}
