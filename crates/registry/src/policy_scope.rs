//! The first scope of the registry policy, `V1`: "Amazon ECR only enforces the following permissions at
//! the private registry level" (ECR user guide, "Private registry permissions").

use policy::language::action_matches;
use serde_json::{Value, json};

use crate::Error;

/// The actions that the first scope decides on.
const FIRST: [&str; 3] = [
    "ecr:BatchImportUpstreamImage",
    "ecr:CreateRepository",
    "ecr:ReplicateImage",
];

/// Stands where a statement is about none of them, so that a statement's position, which the audit log
/// names, stays. No request has this action.
const NONE: &str = "ecr:-";

/// The policy with each statement limited to the actions of the first scope. A statement applies to one
/// of them exactly if it did before.
pub(crate) fn first(text: &str) -> Result<String, Error> {
    let mut policy: Value = serde_json::from_str(text).map_err(Error::internal)?;
    match &mut policy["Statement"] {
        Value::Array(statements) => statements.iter_mut().for_each(limit),
        statement => limit(statement),
    }
    Ok(policy.to_string())
}

fn limit(statement: &mut Value) {
    let Some(members) = statement.as_object_mut() else {
        return;
    };
    let (entries, negated) = match members.remove("NotAction") {
        Some(entries) => (entries, true),
        None => (members.remove("Action").unwrap_or_default(), false),
    };
    let entries = match &entries {
        Value::Array(entries) => entries.as_slice(),
        one => std::slice::from_ref(one),
    };
    let named = |action: &str| {
        let entries = entries.iter().filter_map(Value::as_str);
        entries
            .into_iter()
            .any(|entry| action_matches(entry, action))
    };
    let mut left: Vec<&str> = FIRST
        .into_iter()
        .filter(|one| named(one) != negated)
        .collect();
    if left.is_empty() {
        left.push(NONE);
    }
    members.insert("Action".to_owned(), json!(left));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actions(statement: Value) -> Value {
        let text = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
        let limited: Value = serde_json::from_str(&first(&text).unwrap()).unwrap();
        limited["Statement"].clone()
    }

    #[test]
    fn statements_keep_the_actions_of_the_scope() {
        let statement =
            |key: &str, entries: Value| json!({"Sid": "a", "Effect": "Allow", key: entries});
        let expected = |entries: Value| json!({"Sid": "a", "Effect": "Allow", "Action": entries});
        for (key, given, left) in [
            ("Action", json!("ecr:*"), json!(FIRST)),
            ("Action", json!("*"), json!(FIRST)),
            (
                "Action",
                json!(["ECR:create*", "ecr:PutImage"]),
                json!(["ecr:CreateRepository"]),
            ),
            ("Action", json!("ecr:BatchGetImage"), json!([NONE])),
            ("NotAction", json!("ecr:*"), json!([NONE])),
            (
                "NotAction",
                json!(["ecr:PutImage", "ecr:ReplicateImage"]),
                json!(["ecr:BatchImportUpstreamImage", "ecr:CreateRepository"]),
            ),
        ] {
            assert_eq!(
                actions(statement(key, given.clone())),
                expected(left),
                "{key} {given}"
            );
        }
    }

    #[test]
    fn statements_keep_their_positions() {
        let all = json!([
            {"Effect": "Allow", "Action": "ecr:PutImage"},
            {"Effect": "Deny", "Action": "ecr:ReplicateImage"},
        ]);
        assert_eq!(actions(all)[1]["Action"], json!(["ecr:ReplicateImage"]));
    }
}
