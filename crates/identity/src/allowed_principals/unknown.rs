//! Documents read with condition keys that are not known.

use policy::{CompiledDocument, Document};
use serde_json::Value;

use crate::policy_cache::Named;

/// How conditions on keys that are not known are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// As the principal would have it: those of Allow hold, those of Deny do not.
    AllHold,
    /// The other way round.
    NoneHolds,
}

/// Whether a condition key's value follows from the principal and the resource.
pub(super) fn known(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let prefixes = [
        "aws:principaltag/",
        "aws:resourcetag/",
        "ecr:resourcetag/",
        "iam:resourcetag/",
    ];
    let names = [
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalorgmasteraccount",
        "aws:principaltype",
        "aws:principalisawsservice",
        "aws:requestedregion",
        "aws:resourceaccount",
        "aws:resourceorgid",
        "aws:resourceorgpaths",
        "aws:username",
    ];
    names.contains(&key.as_str()) || prefixes.iter().any(|prefix| key.starts_with(prefix))
}

/// The documents, read so.
pub(super) fn under(documents: &[Named], reading: Reading) -> Vec<Named> {
    let read = documents.iter().map(|(name, document)| {
        let changed = read_as(document.source(), reading);
        let changed = changed.and_then(|text| Document::parse_language(&text, name.kind).ok());
        let document = changed.map_or_else(
            || document.clone(),
            |document| CompiledDocument::new(&document),
        );
        (name.clone(), document)
    });
    read.collect()
}

/// The text read so; `None` where no condition is on an unknown key.
fn read_as(text: &str, reading: Reading) -> Option<String> {
    let mut document: Value = serde_json::from_str(text).ok()?;
    let object = document.as_object_mut()?;
    let name = object
        .keys()
        .find(|name| name.eq_ignore_ascii_case("Statement"))?
        .clone();
    let statements = object.get_mut(&name)?;
    let mut list = match statements.take() {
        Value::Array(list) => list,
        one => vec![one],
    };
    let mut changed = false;
    list.retain_mut(|statement| {
        let is_allow = statement["Effect"] == "Allow";
        let Some(block) = statement
            .get_mut("Condition")
            .and_then(Value::as_object_mut)
        else {
            return true;
        };
        let mut dropped = false;
        for keys in block.values_mut().filter_map(Value::as_object_mut) {
            let before = keys.len();
            keys.retain(|key, _| known(key));
            dropped |= keys.len() < before;
        }
        block.retain(|_, keys| keys.as_object().is_none_or(|keys| !keys.is_empty()));
        if block.is_empty()
            && let Some(statement) = statement.as_object_mut()
        {
            statement.remove("Condition");
        }
        changed |= dropped;
        // Without the conditions it applies more often: what an Allow does at best, and a Deny at worst.
        !dropped || is_allow == (reading == Reading::AllHold)
    });
    if !changed {
        return None;
    }
    *statements = Value::Array(list);
    Some(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: &str = r#"{"Version": "2012-10-17", "Statement": [
        {"Sid": "a", "Effect": "Allow", "Action": "*", "Resource": "*",
         "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "StringEquals": {"aws:PrincipalTag/team": "x"}}},
        {"Sid": "d", "Effect": "Deny", "Action": "*", "Resource": "*",
         "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}}]}"#;

    fn read(reading: Reading) -> Value {
        serde_json::from_str(&read_as(BOTH, reading).unwrap()).unwrap()
    }

    #[test]
    fn conditions_on_unknown_keys_hold_for_the_better_or_the_worse() {
        let best = read(Reading::AllHold);
        let statements = best["Statement"].as_array().unwrap();
        assert_eq!(statements.len(), 1);
        assert_eq!(statements[0]["Sid"], "a");
        assert_eq!(
            statements[0]["Condition"],
            serde_json::json!({"StringEquals": {"aws:PrincipalTag/team": "x"}})
        );
        let worst = read(Reading::NoneHolds);
        let statements = worst["Statement"].as_array().unwrap();
        assert_eq!(statements.len(), 1);
        assert_eq!(statements[0]["Sid"], "d");
        assert!(statements[0].get("Condition").is_none());
    }

    #[test]
    fn documents_without_unknown_keys_stay_as_they_are() {
        let text = r#"{"Statement": {"Effect": "Allow", "Condition": {"StringEquals": {"aws:username": "a"}}}}"#;
        assert_eq!(read_as(text, Reading::AllHold), None);
        assert!(!known("aws:SourceIp") && known("AWS:PrincipalTag/x"));
    }
}
