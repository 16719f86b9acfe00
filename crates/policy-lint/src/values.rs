//! The values of a condition: checks their types, and that none is redundant.

use base64::Engine;

use policy::language::number;
use policy::language::{Compare, Operator, Test};
use policy::{ConditionEntry, Text};

use crate::addresses::{self, canonical, is_wide, network, network_covers};
use crate::codes::Code;
use crate::covering::covered;
use crate::globs::{Glob, arn_fields, has_wildcard};
use crate::linter::Linter;
use crate::messages::shortened;

pub(super) fn check(linter: &mut Linter<'_>, entry: &ConditionEntry, operator: Operator) {
    for text in &entry.values {
        if text.value.contains("${") {
            variable(linter, entry, operator, text);
        } else {
            value(linter, entry, operator, text);
        }
    }
    match operator.test {
        Test::Bool | Test::Null => both(linter, entry),
        Test::Ip => addresses::private(linter, entry, operator),
        Test::Numeric(compare) => bounds(linter, entry, operator, compare),
        Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike => {
            external_id(linter, entry, operator);
        }
        _ => {}
    }
    redundant(linter, entry, operator);
}

/// The effect of a value that no value of the key can match. A negated operator matches if none of
/// its values does (UG reference_policies_condition-logic-multiple-context-keys-or-values).
pub(super) fn nothing(entry: &ConditionEntry, operator: Operator) -> &'static str {
    match (operator.negated, entry.values.len()) {
        (false, _) => "it matches nothing",
        (true, 1) => "it excludes nothing: the condition always matches when the key is present",
        (true, _) => "it excludes nothing",
    }
}

/// Variables are expanded for strings, ARNs and booleans.
fn variable(linter: &mut Linter<'_>, entry: &ConditionEntry, operator: Operator, text: &Text) {
    match operator.test {
        Test::StringEquals | Test::StringEqualsIgnoreCase => wildcard(linter, entry, text),
        Test::StringLike | Test::Arn | Test::Bool => {}
        _ => linter.find(
            Code::InvalidVariableForOperator,
            text.position,
            format!(
                "`{}` does not support variables, so with this value {}",
                entry.operator.value,
                nothing(entry, operator)
            ),
            "write the value itself; use variables with String and Arn operators",
        ),
    }
}

fn value(linter: &mut Linter<'_>, entry: &ConditionEntry, operator: Operator, text: &Text) {
    let value = &*text.value;
    let at = text.position;
    match operator.test {
        Test::StringEquals | Test::StringEqualsIgnoreCase => wildcard(linter, entry, text),
        Test::StringLike => {}
        Test::Numeric(_) if number(value).is_none() => linter.find(
            Code::TypeMismatchNumber,
            at,
            format!("`{value}` is not a number, so {}", nothing(entry, operator)),
            "write a decimal number",
        ),
        // What is not a date is refused when the document is read.
        Test::Date(_) if is_epoch(value) => linter.find(
            Code::InvalidDateValue,
            at,
            format!("`{value}` is a date in seconds since 1970"),
            "write a date such as `2026-11-26` or `2026-11-26T12:00:00Z`",
        ),
        Test::Numeric(_) | Test::Date(_) => {}
        Test::Bool | Test::Null if boolean(value).is_none() => linter.find(
            Code::TypeMismatchBoolean,
            at,
            format!(
                "`{value}` is neither `true` nor `false`, so {}",
                nothing(entry, operator)
            ),
            "write `true` or `false`",
        ),
        Test::Bool | Test::Null => {}
        Test::Binary => {
            if base64::engine::general_purpose::STANDARD
                .decode(value)
                .is_err()
            {
                linter.find(
                    Code::TypeMismatchString,
                    at,
                    format!("`{value}` is not base64, so {}", nothing(entry, operator)),
                    "write the bytes in base64",
                );
            }
        }
        Test::Arn => {
            if arn_fields(value).len() < 6 {
                linter.find(
                    Code::TypeMismatchArn,
                    at,
                    format!("`{value}` has fewer than the six fields of an ARN, so {}", nothing(entry, operator)),
                    "write `arn:partition:service:region:account:resource`, with `*` for any field; a `*` does not match a colon",
                );
            }
        }
        Test::Ip => addresses::value(linter, text, nothing(entry, operator)),
    }
}

/// Four digits are a year.
fn is_epoch(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    digits.len() != 4 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn wildcard(linter: &mut Linter<'_>, entry: &ConditionEntry, text: &Text) {
    if has_wildcard(&text.value) {
        let name = &*entry.operator.value;
        linter.find(
            Code::WildcardWithoutLikeOperator,
            text.position,
            format!(
                "`{name}` compares the `*` or `?` of `{}` literally",
                text.value
            ),
            match name.contains("IgnoreCase") {
                true => "use `StringLike` for a wildcard; it is case-sensitive".to_owned(),
                false => format!(
                    "write `{}` for a wildcard, or `${{*}}` for the character",
                    name.replace("Equals", "Like")
                ),
            },
        );
    }
}

/// STS API Reference, AssumeRole: an external ID has at least two characters.
fn external_id(linter: &mut Linter<'_>, entry: &ConditionEntry, operator: Operator) {
    if !entry.key.value.eq_ignore_ascii_case("sts:ExternalId") {
        return;
    }
    for text in entry.values.iter().filter(|text| text.value.is_empty()) {
        linter.find(
            Code::EmptyExternalId,
            text.position,
            format!(
                "an external ID has at least two characters, so the empty value {}",
                match operator.negated {
                    false => "matches nothing",
                    true => "excludes nothing",
                }
            ),
            "write the agreed ID, or remove the condition",
        );
    }
}

fn boolean(text: &str) -> Option<bool> {
    text.to_ascii_lowercase().parse().ok()
}

fn both(linter: &mut Linter<'_>, entry: &ConditionEntry) {
    let asked = |wanted| {
        entry
            .values
            .iter()
            .any(|text| boolean(&text.value) == Some(wanted))
    };
    if asked(true) && asked(false) {
        linter.find(
            Code::InvalidConditionMultipleBoolean,
            entry.key.position,
            format!(
                "`{}` is compared with true and false, so the condition always matches when the key is present",
                entry.key.value
            ),
            "write one of the two values",
        );
    }
}

/// Of several bounds one must hold, so only the widest has an effect; of excluded ones the
/// narrowest.
fn bounds(linter: &mut Linter<'_>, entry: &ConditionEntry, operator: Operator, compare: Compare) {
    let values: Option<Vec<i128>> = entry
        .values
        .iter()
        .map(|text| number(&text.value))
        .collect();
    let Some(values) = values.filter(|values| values.len() > 1) else {
        return;
    };
    let greatest = match compare {
        Compare::Equals => return,
        Compare::LessThan | Compare::LessThanEquals => !operator.negated,
        Compare::GreaterThan | Compare::GreaterThanEquals => operator.negated,
    };
    let places = 0..values.len();
    let widest = match greatest {
        true => places.max_by_key(|&at| values[at]),
        false => places.min_by_key(|&at| values[at]),
    };
    if let Some(at) = widest {
        linter.find(
            Code::RedundantConditionValueNum,
            entry.key.position,
            format!(
                "of the values of `{}` only `{}` has an effect",
                entry.key.value, entry.values[at].value
            ),
            format!("write \"{}\" alone", entry.values[at].value),
        );
    }
}

/// Values that another value of the list covers.
fn redundant(linter: &mut Linter<'_>, entry: &ConditionEntry, operator: Operator) {
    let values = &entry.values;
    let text = |at: usize| &*values[at].value;
    let count = values.len();
    let budget = &linter.work.values;
    let found = match operator.test {
        Test::StringLike | Test::Arn => {
            let globs: Vec<Glob> = values.iter().map(|v| Glob::new(&v.value)).collect();
            let wide = |at: usize| !globs[at].is_exact();
            covered(count, budget, text, wide, |i, j| {
                globs[i].covers(&globs[j], budget)
            })
        }
        Test::Ip => {
            let networks: Vec<_> = values.iter().map(|v| network(&v.value)).collect();
            let key = |at: usize| match networks[at] {
                Some(network) => Ok(canonical(network)),
                None => Err(text(at)),
            };
            let wide = |at: usize| networks[at].is_some_and(is_wide);
            covered(count, budget, key, wide, |i, j| {
                match (networks[i], networks[j]) {
                    (Some(one), Some(two)) => budget.take(1) && network_covers(one, two),
                    _ => false,
                }
            })
        }
        Test::StringEqualsIgnoreCase => covered(
            count,
            budget,
            |at| text(at).to_lowercase(),
            |_| false,
            |_, _| false,
        ),
        // Bounds have a check of their own.
        Test::Numeric(compare) if compare != Compare::Equals => return,
        Test::Numeric(_) => {
            let key = |at: usize| number(text(at)).ok_or_else(|| text(at));
            covered(count, budget, key, |_| false, |_, _| false)
        }
        _ => covered(count, budget, text, |_| false, |_, _| false),
    };
    for (at, other) in found {
        linter.find(
            Code::RedundantConditionValue,
            values[at].position,
            format!("`{}` is covered by `{}`", text(at), shortened(text(other))),
            "remove it",
        );
    }
}
