//! What the policy language does not allow: the values of a statement's elements.

use std::collections::HashSet;
use std::sync::Arc;

use policy::language::json::{Node, Value};
use policy::language::{Operator, Test, date};
use policy::{DocumentKind, Position};

use crate::codes::Code;
use crate::syntax::Syntax;

const PRINCIPAL_TYPES: [&str; 4] = ["AWS", "Service", "Federated", "CanonicalUser"];

/// General Reference, *Amazon Resource Names*.
const PARTITIONS: [&str; 8] = [
    "aws",
    "aws-cn",
    "aws-eusc",
    "aws-us-gov",
    "aws-iso",
    "aws-iso-b",
    "aws-iso-e",
    "aws-iso-f",
];

impl Syntax {
    /// The strings of an element, which is one string or a list.
    pub fn strings(&mut self, node: &Node, name: &str, empty: Code) -> Vec<(Arc<str>, Position)> {
        let nodes = match &node.value {
            Value::Array(nodes) if nodes.is_empty() => {
                let message = format!("`{name}` is an empty list");
                self.find(empty, node.start, message, "list what is meant");
                return Vec::new();
            }
            Value::Array(nodes) => nodes.iter().collect(),
            _ => vec![node],
        };
        let mut texts = Vec::new();
        for node in nodes {
            match &node.value {
                Value::String(text) => texts.push((Arc::clone(text), node.start)),
                _ => self.wrong_type(node.start, name, "a string or a list of strings"),
            }
        }
        texts
    }

    pub fn resource(&mut self, text: &str, at: Position) {
        let short = self.kind == DocumentKind::Resource && text.starts_with("execute-api:/");
        if text == "*" || short {
            return;
        }
        let Some(rest) = text.strip_prefix("arn:") else {
            let message = format!("`{text}` is not an ARN");
            let help = "write `*` or `arn:partition:service:region:account:resource`";
            self.find(Code::InvalidArnPrefix, at, message, help);
            return;
        };
        let partition = rest.split(':').next().unwrap_or_default();
        if !PARTITIONS.contains(&partition) && !partition.contains(['*', '?', '$']) {
            let message = format!("`{partition}` is not a partition");
            let help = format!("the partitions are {}", PARTITIONS.join(", "));
            self.find(Code::InvalidPartition, at, message, &help);
        }
    }

    pub fn principal(&mut self, node: &Node) {
        let help = "write \"*\", or an object such as {\"AWS\": \"111122223333\"}";
        let members = match &node.value {
            Value::String(text) if &**text == "*" => return,
            Value::Object(members) => members,
            _ => {
                let message = "`Principal` is neither `*` nor an object";
                self.find(Code::InvalidPrincipalFormat, node.start, message, help);
                return;
            }
        };
        if members.is_empty() {
            let message = "`Principal` is an empty object";
            self.find(Code::EmptyObjectPrincipal, node.start, message, help);
        }
        for member in members {
            let name = &*member.name;
            if !PRINCIPAL_TYPES.contains(&name) {
                let message = format!("`{name}` is not a type of principal");
                let help = format!("the types are {}", PRINCIPAL_TYPES.join(", "));
                self.find(Code::InvalidPrincipalKey, member.position, message, &help);
                continue;
            }
            for (text, at) in self.strings(&member.node, name, Code::EmptyArrayPrincipal) {
                let any_service = name == "Service" && self.kind != DocumentKind::Trust;
                let all = &*text == "*" && (name == "AWS" || any_service);
                if text.contains(['*', '?']) && !all {
                    let message =
                        format!("`{text}` has a wildcard, which `{name}` does not support");
                    let help =
                        "list the principals, or write `*` and a condition on `aws:PrincipalArn`";
                    self.find(Code::UnsupportedWildcardInPrincipal, at, message, help);
                } else if name == "Service" && !all && !text.contains('.') {
                    let message = format!("`{text}` is not a service principal");
                    let help = format!("write `{}.amazonaws.com`", text.to_ascii_lowercase());
                    self.find(Code::InvalidServicePrincipalFormat, at, message, &help);
                } else if name == "Federated" && !is_provider(&text) {
                    let code = Code::InvalidFederatedPrincipalSyntaxInRoleTrustPolicy;
                    let message = format!("`{text}` is not an identity provider");
                    let help =
                        "write the provider's domain, or the ARN of an OIDC or SAML provider";
                    self.find(code, at, message, help);
                }
            }
        }
    }

    pub fn condition(&mut self, node: &Node) {
        let Value::Object(operators) = &node.value else {
            self.wrong_type(node.start, "Condition", "an object");
            return;
        };
        for operator in operators {
            let name = &*operator.name;
            if Operator::parse(name).is_none() {
                let plain = name.strip_suffix("IfExists").and_then(Operator::parse);
                let null = plain.is_some_and(|operator| operator.test == Test::Null);
                let (code, message) = match null {
                    true => (
                        Code::NullWithIfExists,
                        format!("`{name}`: `Null` does not support `IfExists`"),
                    ),
                    false => (
                        Code::InvalidConditionOperator,
                        format!("`{name}` is not a condition operator"),
                    ),
                };
                let help = "look the operators up in the IAM User Guide";
                self.find(code, operator.position, message, help);
            }
            let Value::Object(keys) = &operator.node.value else {
                self.wrong_type(operator.node.start, name, "an object");
                continue;
            };
            let mut seen = HashSet::new();
            for key in keys {
                if !seen.insert(key.name.to_ascii_lowercase()) {
                    let message = format!(
                        "duplicate condition key `{}` under `{name}` (key names are case-insensitive)",
                        key.name
                    );
                    let help = "write the key once, with all its values in a list";
                    self.find(
                        Code::DuplicateKeysWithDifferentCase,
                        key.position,
                        message,
                        help,
                    );
                }
                let values = match &key.node.value {
                    Value::Array(nodes) => nodes.iter().collect(),
                    _ => vec![&key.node],
                };
                let is_date = Operator::parse(name)
                    .is_some_and(|operator| matches!(operator.test, Test::Date(_)));
                for value in values {
                    if let (true, Value::String(text)) = (is_date, &value.value)
                        && date(text).is_none()
                    {
                        let message = format!("`{text}` is not a date");
                        let help = "write a date such as `2026-11-26` or `2026-11-26T12:00:00Z`";
                        self.find(Code::TypeMismatchDate, value.start, message, help);
                    }
                    if matches!(
                        value.value,
                        Value::Null | Value::Array(_) | Value::Object(_)
                    ) {
                        self.wrong_type(value.start, &key.name, "a string, a number or a boolean");
                    }
                }
            }
        }
    }
}

fn is_provider(text: &str) -> bool {
    match text.strip_prefix("arn:") {
        Some(arn) => arn.contains(":oidc-provider/") || arn.contains(":saml-provider/"),
        None => text.contains('.'),
    }
}
