//! The document's JSON: its version, its `Sid`s, empty parts, and the types of values.

use std::collections::HashSet;
use std::sync::Arc;

use policy::language::json::{self, Member, Node, Value};
use policy::language::{Operator, Quantifier};
use policy::{DocumentKind, Version};

use crate::codes::Code;
use crate::linter::Linter;

pub(super) fn check(linter: &mut Linter<'_>) {
    let document = linter.document;
    // Read again: the document does not keep what is absent or empty.
    let Ok(root) = json::parse(document.source()) else {
        return;
    };
    let start = root.start;
    let Value::Object(members) = root.value else {
        return;
    };
    match members.iter().find(|member| &*member.name == "Version") {
        None => linter.find(
            Code::MissingVersion,
            start,
            "the policy has no version and is read as 2008-10-17, without variables",
            "add \"Version\": \"2012-10-17\"",
        ),
        // ECR's examples use it, and repository policies rarely have variables.
        Some(member)
            if document.version() == Version::V2008
                && document.kind() != DocumentKind::EcrRepository =>
        {
            linter.find(
                Code::OldVersion,
                member.node.start,
                "version 2008-10-17 has no variables",
                "write \"Version\": \"2012-10-17\"",
            );
        }
        Some(_) => {}
    }
    let mut sids = HashSet::new();
    for member in members {
        if &*member.name == "Statement" {
            match member.node.value {
                Value::Array(nodes) => nodes
                    .into_iter()
                    .for_each(|node| statement(linter, node, &mut sids)),
                value => statement(
                    linter,
                    Node {
                        value,
                        ..member.node
                    },
                    &mut sids,
                ),
            }
        }
    }
}

fn statement(linter: &mut Linter<'_>, node: Node, sids: &mut HashSet<Arc<str>>) {
    let Value::Object(members) = node.value else {
        return;
    };
    for member in members {
        match (&*member.name, &member.node.value) {
            ("Sid", Value::String(text)) if text.is_empty() => linter.find(
                Code::EmptySidValue,
                member.node.start,
                "the `Sid` is empty",
                "give the statement a name, or remove `Sid`",
            ),
            // IAM refuses duplicates; other services accept them.
            ("Sid", Value::String(text)) => {
                let accepted = matches!(
                    linter.document.kind(),
                    DocumentKind::EcrRepository
                        | DocumentKind::EcrRegistry
                        | DocumentKind::Resource
                );
                if !sids.insert(text.clone()) && accepted {
                    linter.find(
                        Code::UniqueSidsRecommended,
                        member.node.start,
                        format!("another statement has the `Sid` `{text}` as well"),
                        "give each statement a name of its own",
                    );
                }
            }
            ("Condition", Value::Object(operators)) => condition(linter, &member, operators),
            _ => {}
        }
    }
}

fn condition(linter: &mut Linter<'_>, member: &Member, operators: &[Member]) {
    let help = "remove it, or add the condition that is meant";
    if operators.is_empty() {
        let message = "the `Condition` is empty and limits nothing";
        linter.find(Code::EmptyObjectCondition, member.position, message, help);
    }
    for operator in operators {
        let Value::Object(keys) = &operator.node.value else {
            continue;
        };
        if keys.is_empty() {
            let message = format!("`{}` has no conditions and limits nothing", operator.name);
            linter.find(Code::EmptyObjectCondition, operator.position, message, help);
        }
        for key in keys {
            let Value::Array(values) = &key.node.value else {
                continue;
            };
            if values.is_empty() {
                no_values(linter, &operator.name, key);
            }
            let kinds: HashSet<_> = values
                .iter()
                .map(|node| std::mem::discriminant(&node.value))
                .collect();
            if kinds.len() > 1 {
                linter.find(
                    Code::InvalidConditionDataType,
                    key.position,
                    format!("the values of `{}` have different JSON types", key.name),
                    "write all values as strings",
                );
            }
        }
    }
}

/// Source: IAM User Guide, *IAM policy validation check reference*, "Empty array condition" and the
/// three checks after it.
fn no_values(linter: &mut Linter<'_>, operator: &str, key: &Member) {
    let name = &key.name;
    let null =
        format!("write \"Null\": {{\"{name}\": \"true\"}}, or list the values that are meant");
    let (code, message, help) = match Operator::parse(operator) {
        Some(found) if found.if_exists => (
            Code::EmptyArrayConditionIfexists,
            format!("without values, `{operator}` only checks that `{name}` is missing"),
            null,
        ),
        Some(found) if found.quantifier == Quantifier::ForAllValues => (
            Code::EmptyArrayConditionForallvalues,
            format!("without values, `{operator}` only checks that `{name}` is missing"),
            null,
        ),
        Some(found) if found.quantifier == Quantifier::ForAnyValue => (
            Code::EmptyArrayConditionForanyvalue,
            format!("without values, `{operator}` never matches `{name}`"),
            "list the values that are meant".to_owned(),
        ),
        _ => (
            Code::EmptyArrayCondition,
            format!("`{name}` has no values to compare with"),
            "list the values that are meant".to_owned(),
        ),
    };
    linter.find(code, key.position, message, help);
}
