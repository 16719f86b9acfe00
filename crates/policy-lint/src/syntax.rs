//! What the policy language, or the kind of policy, does not allow, with Access Analyzer's codes.
//!
//! The engine stops at the first fault, as IAM does. Here every fault of a text is reported, and the
//! checks of a readable document run as well.

use std::collections::HashSet;
use std::sync::Arc;

use policy::language::json::{self, Member, Node, Value};
use policy::language::{Operator, Test, date};
use policy::{Document, DocumentKind, PolicyErrorCode, Position, size_without_white_space};

use crate::catalogue::Catalogue;
use crate::checks::lint;
use crate::codes::{Code, Level};
use crate::finding::{FINDINGS_MAX, Finding};

/// All findings of a text, in the order of the text: what is refused, and what is probably not
/// meant. A text that its service would refuse has at least one error.
pub fn validate(text: &str, kind: DocumentKind, catalogue: &dyn Catalogue) -> Vec<Finding> {
    let mut syntax = Syntax {
        kind,
        findings: Vec::new(),
    };
    let refused = Document::parse(text, kind).err();
    // Longer texts are not read at all.
    if text.len() <= Document::BYTES_MAX && refused.is_some() {
        syntax.document(text);
    }
    let mut findings = syntax.findings;
    if let Ok(document) = Document::parse_language(text, kind) {
        findings.extend(lint(&document, catalogue));
    }
    if let Some(error) = refused {
        let size = matches!(
            error.code,
            PolicyErrorCode::LimitExceeded
                | PolicyErrorCode::ConstraintViolation
                | PolicyErrorCode::PackedPolicyTooLarge
        ) || size_without_white_space(text) > kind.size_max();
        let position = error.position.unwrap_or(Position::START);
        if size {
            findings.push(Finding {
                code: size_code(kind),
                position: Position::START,
                message: error.detail,
                help: "split the document into several policies".to_owned(),
            });
        } else if !findings
            .iter()
            .any(|finding| finding.code.level() == Level::Error)
        {
            findings.push(Finding {
                code: Code::PolicyRefused,
                position,
                message: error.message,
                help: error.detail,
            });
        }
    }
    findings.sort_by_key(|finding| (finding.position, finding.code));
    findings.dedup();
    findings
}

fn size_code(kind: DocumentKind) -> Code {
    match kind {
        DocumentKind::ServiceControl => Code::PolicySizeExceedsScpQuota,
        DocumentKind::ResourceControl => Code::PolicySizeExceedsRcpQuota,
        DocumentKind::Trust => Code::PolicySizeExceedsRoleTrustPolicyQuota,
        DocumentKind::EcrRepository | DocumentKind::EcrRegistry | DocumentKind::Resource => {
            Code::PolicySizeExceedsResourcePolicyQuota
        }
        _ => Code::PolicySizeExceedsIdentityPolicyQuota,
    }
}

/// The elements of a document and of a statement (UG reference_policies_grammar).
const DOCUMENT: [&str; 3] = ["Version", "Id", "Statement"];
const STATEMENT: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];
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

struct Syntax {
    kind: DocumentKind,
    findings: Vec<Finding>,
}

/// The members of a statement by their names.
struct Members<'a>(&'a [Member]);

impl<'a> Members<'a> {
    fn get(&self, name: &str) -> Option<&'a Member> {
        self.0.iter().find(|member| &*member.name == name)
    }
}

impl Syntax {
    fn find(&mut self, code: Code, at: Position, message: impl Into<String>, help: &str) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding {
                code,
                position: at,
                message: message.into(),
                help: help.to_owned(),
            });
        }
    }

    fn wrong_type(&mut self, at: Position, name: &str, expected: &str) {
        let help = format!("write {expected}");
        let message = format!("`{name}` must be {expected}");
        self.find(Code::DataTypeMismatch, at, message, &help);
    }

    fn document(&mut self, text: &str) {
        let root = match json::parse(text) {
            Ok(root) => root,
            Err(error) => {
                self.find(
                    Code::JsonSyntaxError,
                    error.position,
                    error.what,
                    "correct the JSON text",
                );
                return;
            }
        };
        let Value::Object(members) = &root.value else {
            self.wrong_type(root.start, "document", "an object");
            return;
        };
        self.elements(members, &DOCUMENT);
        let members = Members(members);
        if let Some(member) = members.get("Version") {
            match &member.node.value {
                Value::String(version) if matches!(&**version, "2012-10-17" | "2008-10-17") => {}
                Value::String(version) => self.find(
                    Code::InvalidVersion,
                    member.node.start,
                    format!("`{version}` is not a version of the policy language"),
                    "write \"2012-10-17\"",
                ),
                _ => self.wrong_type(member.node.start, "Version", "a string"),
            }
        }
        match members.get("Statement").map(|member| &member.node) {
            Some(Node {
                value: Value::Array(nodes),
                ..
            }) if !nodes.is_empty() => {
                let mut sids = HashSet::new();
                nodes
                    .iter()
                    .for_each(|node| self.statement(node, &mut sids));
            }
            Some(
                node @ Node {
                    value: Value::Object(_),
                    ..
                },
            ) => self.statement(node, &mut HashSet::new()),
            Some(Node {
                value: Value::Array(_),
                start,
                ..
            }) => self.no_statement(*start),
            Some(node) => {
                self.wrong_type(node.start, "Statement", "an object or a list of objects")
            }
            None => self.no_statement(root.start),
        }
    }

    fn no_statement(&mut self, at: Position) {
        let help = "add a statement";
        self.find(
            Code::MissingStatement,
            at,
            "the document has no statements",
            help,
        );
    }

    fn elements(&mut self, members: &[Member], known: &[&str]) {
        for member in members {
            if !known.contains(&&*member.name) {
                self.find(
                    Code::InvalidPolicyElement,
                    member.position,
                    format!("`{}` is not an element of the policy language", member.name),
                    &format!("the elements are {}", known.join(", ")),
                );
            }
        }
    }

    fn statement(&mut self, node: &Node, sids: &mut HashSet<Arc<str>>) {
        let Value::Object(members) = &node.value else {
            self.wrong_type(node.start, "statement", "an object");
            return;
        };
        self.elements(members, &STATEMENT);
        let members = Members(members);
        for name in ["Action", "Resource", "Principal"] {
            let not = format!("Not{name}");
            if let (Some(_), Some(member)) = (members.get(name), members.get(&not)) {
                self.find(
                    Code::UnsupportedElementCombination,
                    member.position,
                    format!("the statement has both `{name}` and `{not}`"),
                    "remove one of them",
                );
            }
        }
        self.sid(&members, sids);
        self.effect(node, &members);
        self.missing(node, &members);
        self.unsupported(&members);
        for name in ["Action", "NotAction"] {
            if let Some(member) = members.get(name) {
                self.strings(&member.node, name, Code::EmptyArrayAction);
            }
        }
        for name in ["Resource", "NotResource"] {
            if let Some(member) = members.get(name) {
                for (text, at) in self.strings(&member.node, name, Code::EmptyArrayResource) {
                    self.resource(&text, at);
                }
            }
        }
        for name in ["Principal", "NotPrincipal"] {
            if let Some(member) = members.get(name) {
                self.principal(&member.node);
            }
        }
        if let Some(member) = members.get("Condition") {
            self.condition(&member.node);
        }
    }

    /// IAM's Sids are unique and have letters and digits only (UG reference_policies_elements_sid).
    fn sid(&mut self, members: &Members<'_>, sids: &mut HashSet<Arc<str>>) {
        let Some(member) = members.get("Sid") else {
            return;
        };
        let at = member.node.start;
        let Value::String(sid) = &member.node.value else {
            self.wrong_type(at, "Sid", "a string");
            return;
        };
        let free = matches!(
            self.kind,
            DocumentKind::EcrRepository | DocumentKind::EcrRegistry | DocumentKind::Resource
        );
        if free || sid.is_empty() {
            return;
        }
        if !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let message = format!("the `Sid` `{sid}` has other characters than letters and digits");
            self.find(Code::UnsupportedSid, at, message, "use A-Z, a-z and 0-9");
        }
        if !sids.insert(Arc::clone(sid)) {
            let message = format!("another statement has the `Sid` `{sid}` as well");
            let help = "give each statement a `Sid` of its own";
            self.find(Code::UniqueSidsRequired, at, message, help);
        }
    }

    fn effect(&mut self, node: &Node, members: &Members<'_>) {
        let help = "write \"Allow\" or \"Deny\"";
        match members.get("Effect").map(|member| &member.node) {
            None => self.find(
                Code::MissingEffect,
                node.start,
                "the statement has no `Effect`",
                help,
            ),
            Some(Node {
                value: Value::String(effect),
                start,
                ..
            }) => {
                if !matches!(&**effect, "Allow" | "Deny") {
                    let message = format!("`{effect}` is not an effect");
                    self.find(Code::InvalidEffect, *start, message, help);
                }
            }
            Some(node) => self.wrong_type(node.start, "Effect", "a string"),
        }
    }

    fn missing(&mut self, node: &Node, members: &Members<'_>) {
        let kind = self.kind;
        let has = |name: &str| {
            members.get(name).is_some() || members.get(&format!("Not{name}")).is_some()
        };
        if !has("Action") {
            let message = "the statement has neither `Action` nor `NotAction`";
            self.find(Code::MissingAction, node.start, message, "list the actions");
        }
        // ECR adds the repository; a trust policy applies to its role.
        let implied = matches!(kind, DocumentKind::Trust | DocumentKind::EcrRepository);
        if !implied && !has("Resource") {
            let message = "the statement has neither `Resource` nor `NotResource`";
            self.find(
                Code::MissingResource,
                node.start,
                message,
                "list the resources",
            );
        }
        if names_principals(kind) && !has("Principal") {
            let message = "the statement has neither `Principal` nor `NotPrincipal`";
            self.find(
                Code::MissingPrincipal,
                node.start,
                message,
                "list the principals",
            );
        }
    }

    /// Elements that this kind of policy does not have.
    fn unsupported(&mut self, members: &Members<'_>) {
        let kind = self.kind;
        for name in ["Principal", "NotPrincipal"] {
            let Some(member) = members.get(name) else {
                continue;
            };
            let at = member.position;
            if kind == DocumentKind::ServiceControl {
                let message = format!("service control policies do not support `{name}`");
                let help = "use a condition on `aws:PrincipalArn`";
                self.find(Code::ScpSyntaxErrorPrincipal, at, message, help);
            } else if !names_principals(kind) {
                let message = format!("this kind of policy does not support `{name}`");
                let help = "remove it: the policy applies to the principal that it is attached to";
                self.find(Code::UnsupportedPrincipal, at, message, help);
            } else if name == "NotPrincipal" && kind != DocumentKind::Trust {
                if allows(members) && kind != DocumentKind::ResourceControl {
                    let message = "`NotPrincipal` allows everyone except the listed principals, also from outside the account";
                    let help = "list the principals to allow in `Principal`";
                    self.find(Code::AllowWithNotPrincipal, at, message, help);
                }
            } else if name == "NotPrincipal" {
                let message = "trust policies do not support `NotPrincipal`";
                let code = Code::RoleTrustPolicySyntaxErrorNotprincipal;
                self.find(code, at, message, "list the principals in `Principal`");
            }
        }
        for name in ["Resource", "NotResource"] {
            if let (DocumentKind::Trust, Some(member)) = (kind, members.get(name)) {
                let message = format!("trust policies do not support `{name}`");
                let code = Code::RoleTrustPolicySyntaxErrorResource;
                let help = "remove it: the policy applies to the role that it is attached to";
                self.find(code, member.position, message, help);
            }
        }
        if kind == DocumentKind::ResourceControl {
            self.resource_control(members);
        }
    }

    /// Organizations User Guide, orgs_manage_policies_rcps_syntax.
    fn resource_control(&mut self, members: &Members<'_>) {
        let is_star = |member: &Member| {
            let star = |value: &Value| matches!(value, Value::String(text) if &**text == "*");
            star(&member.node.value)
                || matches!(&member.node.value, Value::Array(nodes) if nodes.len() == 1 && star(&nodes[0].value))
        };
        let help = "write \"Principal\": \"*\" and limit the principals with a condition";
        let principal = members.get("Principal").filter(|member| !is_star(member));
        if let Some(member) = members.get("NotPrincipal").or(principal) {
            let message = "resource control policies only support \"Principal\": \"*\"";
            self.find(
                Code::RcpSyntaxErrorPrincipal,
                member.position,
                message,
                help,
            );
        }
        if let Some(member) = members.get("NotAction") {
            let message = "resource control policies do not support `NotAction`";
            self.find(
                Code::RcpSyntaxErrorNotaction,
                member.position,
                message,
                "use `Action`",
            );
        }
        let resource = members.get("Resource").filter(|member| !is_star(member));
        let narrow = members
            .get("Condition")
            .or(members.get("NotResource"))
            .or(resource);
        if let (true, Some(member)) = (allows(members), narrow) {
            let message = "an Allow of a resource control policy covers all principals and resources, without conditions";
            let help = "deny what is not meant in a statement of its own";
            self.find(Code::RcpSyntaxErrorAllow, member.position, message, help);
        }
    }

    /// The strings of an element, which is one string or a list.
    fn strings(&mut self, node: &Node, name: &str, empty: Code) -> Vec<(Arc<str>, Position)> {
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

    fn resource(&mut self, text: &str, at: Position) {
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

    fn principal(&mut self, node: &Node) {
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
                let all = &*text == "*" && name == "AWS";
                if text.contains(['*', '?']) && !all {
                    let message =
                        format!("`{text}` has a wildcard, which `{name}` does not support");
                    let help =
                        "list the principals, or write `*` and a condition on `aws:PrincipalArn`";
                    self.find(Code::UnsupportedWildcardInPrincipal, at, message, help);
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

    fn condition(&mut self, node: &Node) {
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

fn allows(members: &Members<'_>) -> bool {
    members.get("Effect").is_some_and(
        |member| matches!(&member.node.value, Value::String(effect) if &**effect == "Allow"),
    )
}

fn names_principals(kind: DocumentKind) -> bool {
    matches!(
        kind,
        DocumentKind::Trust
            | DocumentKind::EcrRepository
            | DocumentKind::EcrRegistry
            | DocumentKind::Resource
            | DocumentKind::ResourceControl
    )
}

fn is_provider(text: &str) -> bool {
    match text.strip_prefix("arn:") {
        Some(arn) => arn.contains(":oidc-provider/") || arn.contains(":saml-provider/"),
        None => text.contains('.'),
    }
}
