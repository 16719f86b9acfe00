//! The document as a whole: its version, its `Sid`s, empty parts.

use policy::language::json::{self, Member, Node, Value};
use policy::{DocumentKind, Version};

use crate::{Code, Linter};

pub(super) fn check(linter: &mut Linter<'_>) {
    let document = linter.document;
    // Read again: the document forgets what is absent or empty.
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
            "the policy does not say its version and is read as 2008-10-17, without variables",
            "add \"Version\": \"2012-10-17\"",
        ),
        // ECR's own examples have it, and repository policies rarely use variables.
        Some(member)
            if document.version() == Version::V2008
                && document.kind() != DocumentKind::EcrRepository =>
        {
            linter.find(
                Code::OldVersion,
                member.node.start,
                "version 2008-10-17 knows no variables",
                "write \"Version\": \"2012-10-17\"",
            );
        }
        Some(_) => {}
    }
    for member in members {
        if &*member.name == "Statement" {
            match member.node.value {
                Value::Array(nodes) => nodes.into_iter().for_each(|node| statement(linter, node)),
                value => statement(
                    linter,
                    Node {
                        value,
                        ..member.node
                    },
                ),
            }
        }
    }
}

fn statement(linter: &mut Linter<'_>, node: Node) {
    let Value::Object(members) = node.value else {
        return;
    };
    for member in members {
        match (&*member.name, &member.node.value) {
            ("Sid", Value::String(text)) if text.is_empty() => linter.find(
                Code::EmptySidValue,
                member.node.start,
                "the `Sid` is empty",
                "give the statement a name, or leave `Sid` out",
            ),
            ("Condition", Value::Object(operators)) => condition(linter, &member, operators),
            _ => {}
        }
    }
}

fn condition(linter: &mut Linter<'_>, member: &Member, operators: &[Member]) {
    let help = "leave it out, or name the condition that was meant";
    if operators.is_empty() {
        let message = "the `Condition` is empty and limits nothing";
        linter.find(Code::EmptyObjectCondition, member.position, message, help);
    }
    for operator in operators {
        let Value::Object(keys) = &operator.node.value else {
            continue;
        };
        if keys.is_empty() {
            let message = format!("`{}` holds no condition and limits nothing", operator.name);
            linter.find(Code::EmptyObjectCondition, operator.position, message, help);
        }
        for key in keys {
            if matches!(&key.node.value, Value::Array(values) if values.is_empty()) {
                linter.find(
                    Code::EmptyArrayCondition,
                    key.position,
                    format!("`{}` has no value to be compared with", key.name),
                    "list the values that are meant",
                );
            }
        }
    }
}
