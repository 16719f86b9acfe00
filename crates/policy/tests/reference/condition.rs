//! Conditions and variables.

use serde_json::Value;

use super::World;
use super::request::Held;
use super::text::{bytes, date, in_network, list, text, wildcard};

impl World<'_> {
    /// Replaces variables by their values, with the wildcards in values made literal by
    /// a private-use character each.
    pub(super) fn expand(&self, pattern: &str, new: bool) -> Option<String> {
        if !new {
            return Some(pattern.to_owned());
        }
        let literal = |value: &str| value.replace('*', "\u{e000}").replace('?', "\u{e001}");
        let mut out = String::new();
        let mut rest = pattern;
        while let Some(at) = rest.find("${") {
            out.push_str(&rest[..at]);
            let end = at + rest[at..].find('}')?;
            let name = &rest[at + 2..end];
            let value = match name {
                "*" | "?" | "$" => name.to_owned(),
                _ => {
                    let (key, default) = match name.split_once(", '") {
                        Some((key, default)) => (key, Some(default.trim_end_matches('\''))),
                        None => (name, None),
                    };
                    let key = key.to_lowercase();
                    match self.context().get(&key) {
                        Some(held) if !held.multivalued => held.values[0].clone(),
                        Some(_) => return None,
                        None => default?.to_owned(),
                    }
                }
            };
            out.push_str(&literal(&value));
            rest = &rest[end + 1..];
        }
        out.push_str(rest);
        Some(out)
    }

    pub(super) fn condition(&self, statement: &Value, effect: &str, new: bool) -> bool {
        let Some(operators) = statement.get("Condition").and_then(Value::as_object) else {
            return true;
        };
        operators.iter().all(|(operator, keys)| {
            let keys = keys.as_object().expect("an object of keys");
            keys.iter().all(|(key, wanted)| match wanted.as_array() {
                Some(values) if values.is_empty() => {
                    self.holds_without_values(operator, &key.to_lowercase(), effect)
                }
                _ => self.holds(operator, &key.to_lowercase(), wanted, new),
            })
        })
    }

    /// Access Analyzer's suggestions about empty arrays, one by one.
    fn holds_without_values(&self, operator: &str, key: &str, effect: &str) -> bool {
        let context = self.context();
        let have = context.get(key);
        let null = have.is_none_or(|held| held.values.iter().all(String::is_empty));
        let none_equals = operator.contains("Not") && effect == "Deny" && have.is_some();
        if operator.starts_with("ForAllValues:") {
            null || none_equals
        } else if operator.ends_with("IfExists") {
            have.is_none() || none_equals
        } else if operator.starts_with("ForAnyValue:") {
            none_equals
        } else {
            effect == "Deny"
        }
    }

    fn holds(&self, operator: &str, key: &str, wanted: &Value, new: bool) -> bool {
        let context = self.context();
        let have = context.get(key);
        let (quantifier, operator) = operator.split_once(':').unwrap_or(("", operator));
        let exists = operator.ends_with("IfExists");
        let operator = operator.trim_end_matches("IfExists");
        let wanted: Vec<String> = list(wanted).into_iter().map(text).collect();
        if operator == "Null" {
            let empty = |held: &Held| held.multivalued && held.values.iter().all(String::is_empty);
            let absent = have.is_none_or(empty);
            return wanted.iter().any(|want| *want == absent.to_string());
        }
        let negated = operator.contains("Not");
        let base = operator.replace("Not", "");
        let Some(have) = have else {
            return match quantifier {
                _ if exists => true,
                "ForAllValues" => true,
                "ForAnyValue" => false,
                _ => negated,
            };
        };
        let one = |value: &String| {
            let found = wanted
                .iter()
                .any(|want| self.compare(&base, value, want, new));
            found != negated
        };
        let null = have.values.iter().all(String::is_empty);
        match quantifier {
            "ForAllValues" => null || have.values.iter().all(one),
            "ForAnyValue" => !null && have.values.iter().any(one),
            _ if have.multivalued => false,
            _ => one(&have.values[0]),
        }
    }

    fn compare(&self, operator: &str, have: &str, want: &str, new: bool) -> bool {
        let number = |text: &str| text.parse::<f64>().ok();
        let numbers = |holds: fn(f64, f64) -> bool| match (number(have), number(want)) {
            (Some(have), Some(want)) => holds(have, want),
            _ => false,
        };
        let dates = |holds: fn(i128, i128) -> bool| match (date(have), date(want)) {
            (Some(have), Some(want)) => holds(have, want),
            _ => false,
        };
        // Exact comparison: what is left of wildcards after expansion is literal.
        let exact = |want: String| want.replace('\u{e000}', "*").replace('\u{e001}', "?");
        match operator {
            "StringEquals" => self
                .expand(want, new)
                .is_some_and(|want| exact(want) == have),
            "StringEqualsIgnoreCase" => self
                .expand(want, new)
                .is_some_and(|want| exact(want).to_lowercase() == have.to_lowercase()),
            "StringLike" => self
                .expand(want, new)
                .is_some_and(|want| wildcard(&want, have)),
            "ArnLike" | "ArnEquals" => {
                let Some(want) = self.expand(want, new) else {
                    return false;
                };
                let want: Vec<&str> = want.splitn(6, ':').collect();
                let have: Vec<&str> = have.splitn(6, ':').collect();
                want.len() == 6
                    && have.len() == 6
                    && want
                        .iter()
                        .zip(have)
                        .all(|(want, have)| wildcard(want, have))
            }
            "Bool" => {
                matches!(&*have.to_lowercase(), "true" | "false")
                    && want.to_lowercase() == have.to_lowercase()
            }
            "NumericEquals" => numbers(|have, want| have == want),
            "NumericLessThan" => numbers(|have, want| have < want),
            "NumericLessThanEquals" => numbers(|have, want| have <= want),
            "NumericGreaterThan" => numbers(|have, want| have > want),
            "NumericGreaterThanEquals" => numbers(|have, want| have >= want),
            "DateEquals" => dates(|have, want| have == want),
            "DateLessThan" => dates(|have, want| have < want),
            "DateLessThanEquals" => dates(|have, want| have <= want),
            "DateGreaterThan" => dates(|have, want| have > want),
            "DateGreaterThanEquals" => dates(|have, want| have >= want),
            "BinaryEquals" => match (bytes(have), bytes(want)) {
                (Some(have), Some(want)) => have == want,
                _ => false,
            },
            "IpAddress" => in_network(have, want),
            other => panic!("the reference does not know {other}"),
        }
    }
}
