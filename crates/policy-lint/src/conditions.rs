//! `Condition`: do the keys exist, do the operators go with them?

use std::sync::Arc;

use policy::language::{Operator, Quantifier, Test};
use policy::{ConditionEntry, Statement};

use crate::actions::Actions;
use crate::facts::Kind;
use crate::globs::has_wildcard;
use crate::{Code, KeyFacts, KeyType, Linter, allows, did_you_mean, identifiers, some_of, values};

/// Keys that were renamed, in lower case, with their successors.
const DEPRECATED: [(&str, &str); 2] = [
    ("aws:arn", "aws:PrincipalArn"),
    ("aws:sourceowner", "aws:SourceAccount"),
];

/// The keys of tags, whose name goes on with the tag's.
const TAG_KEYS: [&str; 5] = [
    "requesttag",
    "resourcetag",
    "principaltag",
    "existingobjecttag",
    "requestobjecttag",
];

pub(super) fn check<'a>(linter: &mut Linter<'a>, statement: &Statement, actions: &Actions<'a>) {
    for entry in &statement.conditions {
        let Some(operator) = Operator::parse(&entry.operator.value) else {
            continue;
        };
        let facts = key(linter, entry, actions);
        if let Some(facts) = facts {
            operator_fits(linter, statement, entry, operator, facts);
        }
        null(linter, entry, operator);
        mfa(linter, statement, entry, operator);
        values::check(linter, entry, operator);
        identifiers::check(linter, entry, operator);
    }
}

/// What is known of the key; says it when there is no such key.
fn key<'a>(
    linter: &mut Linter<'a>,
    entry: &ConditionEntry,
    actions: &Actions<'a>,
) -> Option<KeyFacts> {
    let key = &*entry.key.value;
    let at = entry.key.position;
    let Some((prefix, name)) = key.split_once(':') else {
        linter.find(
            Code::InvalidConditionKeyFormat,
            at,
            format!("`{key}` is no condition key: it has no prefix"),
            "write `service:Name`, such as `aws:SourceIp`",
        );
        return None;
    };
    let folded = key.to_ascii_lowercase();
    if let Some((_, successor)) = DEPRECATED.iter().find(|(old, _)| *old == folded) {
        linter.find(
            Code::DeprecatedGlobalConditionKey,
            at,
            format!("`{key}` has a successor"),
            format!("write `{successor}`"),
        );
        return None;
    }
    let name = name.to_ascii_lowercase();
    if TAG_KEYS.contains(&name.strip_suffix('/').unwrap_or(&name)) {
        linter.find(
            Code::MissingTagKeyInCondition,
            at,
            format!("`{key}` does not say which tag it means"),
            format!("write `{}/TagKey`", key.trim_end_matches('/')),
        );
        return None;
    }
    if linter.facts.services.is_empty() {
        return None;
    }
    let facts = linter.facts.key(key);
    if facts.is_none() && !prefix.contains('.') && prefix != "saml" {
        // A few services have keys with another prefix than theirs (`catalog:ChangeType`).
        match known_to_any(linter, &entry.key.value, actions) {
            Some(true) => {}
            Some(false) => {
                unknown(linter, entry, prefix);
                return None;
            }
            None => return None,
        }
    }
    known_to_actions(linter, entry, actions);
    facts
}

/// Whether any action of the statement knows the key; `None` when the budget is spent.
fn known_to_any<'a>(
    linter: &mut Linter<'a>,
    key: &Arc<str>,
    actions: &Actions<'a>,
) -> Option<bool> {
    // Listing the actions is work too, once for each key.
    if !linter.work.keys.take(actions.entries.len() as u64) {
        return None;
    }
    for entry in actions.known().unwrap_or_default() {
        if linter.facts.pattern_knows(&entry.pattern, key)? {
            return Some(true);
        }
    }
    Some(false)
}

fn unknown(linter: &mut Linter<'_>, entry: &ConditionEntry, prefix: &str) {
    let key = &entry.key.value;
    let similar = linter.facts.similar(Kind::Key, "", key);
    let (code, message) = if prefix.eq_ignore_ascii_case("aws") {
        (
            Code::InvalidGlobalConditionKey,
            format!("there is no global condition key `{key}`"),
        )
    } else if linter.facts.prefix(prefix).is_some() {
        (
            Code::InvalidServiceConditionKey,
            format!("`{prefix}` has no condition key `{key}`"),
        )
    } else {
        (
            Code::InvalidServiceConditionKey,
            format!("there is no service `{prefix}`, and so no condition key `{key}`"),
        )
    };
    let help = did_you_mean(
        similar,
        "look the key up in the Service Authorization Reference",
    );
    linter.find(code, entry.key.position, message, help);
}

fn known_to_actions<'a>(linter: &mut Linter<'a>, entry: &ConditionEntry, actions: &Actions<'a>) {
    if !linter.work.keys.take(actions.entries.len() as u64) {
        return;
    }
    let Some(known) = actions.known() else {
        return;
    };
    let key = &*entry.key.value;
    let mut without: Vec<&str> = Vec::new();
    for action in &known {
        match linter
            .facts
            .pattern_knows(&action.pattern, &entry.key.value)
        {
            Some(true) => {}
            Some(false) => without.push(action.text),
            None => return,
        }
    }
    if without.is_empty() {
        return;
    }
    let none = without.len() == known.len();
    let names = some_of(without);
    linter.find(
        Code::UnsupportedActionForConditionKey,
        entry.key.position,
        match none {
            true => format!("requests of {names} never carry `{key}`"),
            false => format!("requests of {names} never carry `{key}`, which others of the statement's actions do"),
        },
        match none {
            true => "use a key that the service documents for these actions",
            false => "give these actions a statement without this condition",
        },
    );
}

fn operator_fits(
    linter: &mut Linter<'_>,
    statement: &Statement,
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
                format!("`{key}` is an ARN, and under `{name}` a wildcard reaches over its colons into the next field"),
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
            format!("`{name}` is not for `{key}`, whose values are of another type"),
            format!("use {} operators", facts.key_type.operators()),
        );
    }
    if operator.test == Test::Null {
        return;
    }
    match (operator.quantifier, facts.multivalued) {
        (Quantifier::None, true) => linter.find(
            Code::MissingQualifier,
            at,
            format!("`{key}` may have several values, with which plain `{name}` never matches"),
            format!("write `ForAnyValue:{name}` or `ForAllValues:{name}`"),
        ),
        (Quantifier::ForAllValues, false) => linter.find(
            Code::ForAllValuesWithSingleValuedKey,
            at,
            format!("`{key}` has one value, and `{name}` also holds when it is missing"),
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
                format!("`{name}` also allows requests that do not carry `{key}`"),
                format!("add \"Null\": {{\"{key}\": \"false\"}}"),
            );
        }
        _ => {}
    }
}

/// Whether another condition demands that the key is there.
fn is_required(statement: &Statement, key: &str) -> bool {
    statement.conditions.iter().any(|entry| {
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

fn suits(test: Test, key_type: KeyType, entry: &ConditionEntry) -> bool {
    let key = &*entry.key.value;
    // What a tag or an encryption context holds is its author's choice.
    if key.contains('/') || key.matches(':').count() > 1 {
        return true;
    }
    match test {
        Test::Null => true,
        Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike => {
            key_type == KeyType::String
        }
        // Keys that hold an ARN among others are listed as strings.
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
            "`Null` asks whether the key is there, not about its values",
            "write `Null`",
        );
    }
}

/// Row 40: requests signed with long-term keys do not carry the key at all.
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
            "requests signed with long-term access keys do not carry the key and are not denied",
            "write `BoolIfExists`",
        );
    }
    if allows(statement) && operator.if_exists && asks("true") {
        linter.find(
            Code::MfaAllowWithIfExists,
            entry.operator.position,
            "requests signed with long-term access keys do not carry the key and are allowed without MFA",
            "write `Bool`",
        );
    }
}
