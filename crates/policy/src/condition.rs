//! Conditions: one key under one operator, compiled.
//!
//! Sources: UG reference_policies_elements_condition_operators,
//! reference_policies_condition-logic-multiple-context-keys-or-values,
//! reference_policies_condition-single-vs-multi-valued-context-keys.

use std::sync::Arc;

use base64::Engine;

use crate::arn::{self, ArnPattern};
use crate::case_fold;
use crate::context::{Context, ContextValue};
use crate::document::{ConditionEntry, StatementEffect, Version};
use crate::heap;
use crate::operator::{Compare, Operator, Quantifier, Test};
use crate::pattern::{Flavour, Pattern};
use crate::value::{Network, address, date, number};

/// A compiled line of a `Condition` block.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    operator: Operator,
    /// In lower case.
    pub key: Arc<str>,
    wants: Wants,
}

/// The policy's values, in the form that the operator compares. A value that is not of
/// the operator's type matches nothing and is left out.
#[derive(Clone, Debug)]
enum Wants {
    Strings(Box<[Pattern]>),
    Arns(Box<[ArnPattern]>),
    Numbers(Compare, Box<[i128]>),
    Dates(Compare, Box<[i128]>),
    Networks(Box<[Network]>),
    Bytes(Box<[Vec<u8>]>),
    Bools(Box<[Pattern]>),
    /// `Null`: whether absence (`true`) or presence (`false`) is wanted.
    Null(Box<[bool]>),
    /// The document lists no values.
    Empty(StatementEffect),
}

impl Condition {
    /// Compiles a line; `None` when its operator does not exist, which parsing refuses.
    pub fn new(
        entry: &ConditionEntry,
        effect: StatementEffect,
        version: Version,
    ) -> Option<Condition> {
        let operator = Operator::parse(&entry.operator.value)?;
        let texts = || entry.values.iter().map(|value| &*value.value);
        let patterns = |flavour| {
            texts()
                .map(|text| Pattern::new(text, version, flavour))
                .collect()
        };
        let wants = match operator.test {
            _ if entry.values.is_empty() => Wants::Empty(effect),
            Test::StringEquals | Test::StringEqualsIgnoreCase => {
                Wants::Strings(patterns(Flavour::Exact))
            }
            Test::StringLike => Wants::Strings(patterns(Flavour::Wildcards)),
            Test::Arn => Wants::Arns(
                texts()
                    .filter_map(|text| ArnPattern::new(text, version))
                    .collect(),
            ),
            Test::Numeric(compare) => Wants::Numbers(compare, texts().filter_map(number).collect()),
            Test::Date(compare) => Wants::Dates(compare, texts().filter_map(date).collect()),
            Test::Ip => Wants::Networks(texts().filter_map(Network::parse).collect()),
            Test::Binary => Wants::Bytes(texts().filter_map(binary).collect()),
            Test::Bool => Wants::Bools(patterns(Flavour::Exact)),
            Test::Null => Wants::Null(texts().filter_map(boolean).collect()),
        };
        Some(Condition {
            operator,
            key: case_fold::key(&entry.key.value).into(),
            wants,
        })
    }

    /// What the condition keeps on the heap.
    pub fn heap_bytes(&self) -> usize {
        let wants = match &self.wants {
            Wants::Strings(wants) | Wants::Bools(wants) => {
                heap::slice(wants) + wants.iter().map(Pattern::heap_bytes).sum::<usize>()
            }
            Wants::Arns(wants) => {
                heap::slice(wants) + wants.iter().map(ArnPattern::heap_bytes).sum::<usize>()
            }
            Wants::Numbers(_, wants) | Wants::Dates(_, wants) => heap::slice(wants),
            Wants::Networks(wants) => heap::slice(wants),
            Wants::Bytes(wants) => {
                let own = wants.iter().map(|want| heap::allocation(want.capacity()));
                heap::slice(wants) + own.sum::<usize>()
            }
            Wants::Null(wants) => heap::slice(wants),
            Wants::Empty(_) => 0,
        };
        heap::shared_str(&self.key) + wants
    }

    pub fn holds(&self, context: &Context) -> bool {
        let value = context.get_lower_case(&self.key);
        if let Wants::Null(wants) = &self.wants {
            let absent = value.is_none_or(is_null_list);
            return wants.contains(&absent);
        }
        if let Wants::Empty(effect) = self.wants {
            return self.holds_without_values(effect, value);
        }
        let Some(value) = value else {
            // docs/semantics.md, rules 34 and 35: a missing key.
            return self.operator.if_exists
                || match self.operator.quantifier {
                    Quantifier::None => self.operator.negated,
                    Quantifier::ForAllValues => true,
                    Quantifier::ForAnyValue => false,
                };
        };
        let one = |have: &Arc<str>| self.matches(have, context) != self.operator.negated;
        match (self.operator.quantifier, value) {
            (Quantifier::None, ContextValue::One(have)) => one(have),
            // docs/semantics.md#36: a plain operator says nothing about many values.
            (Quantifier::None, ContextValue::Many(_)) => false,
            (Quantifier::ForAllValues, value) => {
                is_null_set(value) || value.values().iter().all(one)
            }
            (Quantifier::ForAnyValue, value) => {
                !is_null_set(value) && value.values().iter().any(one)
            }
        }
    }

    /// A condition without values, such as `{"StringEquals": {"aws:username": []}}` (docs/semantics.md#48).
    ///
    /// Access Analyzer's reference (UG access-analyzer-reference-policy-checks, the suggestions
    /// "Empty array condition" and its variants) says that such a condition "does not affect the
    /// policy", that it "returns true", and that the statement "provides no permissions"; that
    /// `ForAllValues` and `IfExists` match only if the key is missing, and `ForAnyValue` never.
    /// Chosen here, so that every reading is on the safe side: where the key is missing,
    /// `ForAllValues` and `IfExists` hold. Otherwise an Allow grants nothing, and a Deny applies,
    /// except with a set operator or `IfExists`, for which the reference says that it does not.
    /// A negated operator in a Deny applies all the same: no listed value equals the request's.
    fn holds_without_values(&self, effect: StatementEffect, value: Option<&ContextValue>) -> bool {
        let Operator {
            quantifier,
            if_exists,
            negated,
            ..
        } = self.operator;
        let for_all = quantifier == Quantifier::ForAllValues;
        let missing = match value {
            None => if_exists || for_all,
            Some(value) => for_all && is_null_set(value),
        };
        let plain = quantifier == Quantifier::None && !if_exists;
        let deny = effect == StatementEffect::Deny;
        missing || deny && (plain || negated && value.is_some())
    }

    /// Whether one value of the request matches one of the policy's, negation aside.
    fn matches(&self, have: &str, context: &Context) -> bool {
        match &self.wants {
            Wants::Strings(wants) => match self.operator.test {
                Test::StringEqualsIgnoreCase => wants
                    .iter()
                    .any(|want| want.equals_ignoring_case(have, context)),
                _ => wants.iter().any(|want| want.matches(have, context)),
            },
            Wants::Arns(wants) => {
                !wants.is_empty()
                    && arn::fields(have)
                        .is_some_and(|have| wants.iter().any(|want| want.matches(&have, context)))
            }
            Wants::Numbers(compare, wants) => {
                number(have).is_some_and(|have| wants.iter().any(|want| compare.holds(&have, want)))
            }
            Wants::Dates(compare, wants) => {
                date(have).is_some_and(|have| wants.iter().any(|want| compare.holds(&have, want)))
            }
            Wants::Networks(wants) => {
                address(have).is_some_and(|have| wants.iter().any(|want| want.contains(have)))
            }
            Wants::Bytes(wants) => {
                !wants.is_empty() && binary(have).is_some_and(|have| wants.contains(&have))
            }
            Wants::Bools(wants) => {
                boolean(have).is_some()
                    && wants
                        .iter()
                        .any(|want| want.equals_ignoring_case(have, context))
            }
            Wants::Null(_) | Wants::Empty(_) => false,
        }
    }
}

/// What `Null` calls absent, as the guard of `ForAllValues` that it is: no values, or many that
/// are all empty. The empty value of one tag is a value.
fn is_null_list(value: &ContextValue) -> bool {
    matches!(value, ContextValue::Many(_)) && is_null_set(value)
}

/// Set operators: a key that "resolves to a null data set, such as an empty string".
fn is_null_set(value: &ContextValue) -> bool {
    value.values().iter().all(|value| value.is_empty())
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Both sides of `BinaryEquals` are base64: the policy's by the language, the request's as
/// IAM's simulator takes context values of type `binary`.
fn binary(text: &str) -> Option<Vec<u8>> {
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}
