//! What the policy language, or the kind of policy, does not allow, with Access Analyzer's codes:
//! the document and its statements.
//!
//! The engine stops at the first fault, as IAM does. Here every fault of a text is reported.

use std::collections::HashSet;
use std::sync::Arc;

use policy::language::json::{self, Member, Node, Value};
use policy::{DocumentKind, Position};

use crate::codes::Code;
use crate::finding::{FINDINGS_MAX, Finding};

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

/// The faults of a text.
pub(crate) struct Syntax {
    pub kind: DocumentKind,
    pub findings: Vec<Finding>,
}

/// The members of a statement by their names.
struct Members<'a>(&'a [Member]);

impl<'a> Members<'a> {
    fn get(&self, name: &str) -> Option<&'a Member> {
        self.0.iter().find(|member| &*member.name == name)
    }
}

impl Syntax {
    pub fn find(&mut self, code: Code, at: Position, message: impl Into<String>, help: &str) {
        // One more than may be shown, so that it is known that there are more.
        if self.findings.len() <= FINDINGS_MAX {
            self.findings.push(Finding {
                code,
                position: at,
                message: message.into(),
                help: help.to_owned(),
            });
        }
    }

    pub fn wrong_type(&mut self, at: Position, name: &str, expected: &str) {
        let help = format!("write {expected}");
        let message = format!("`{name}` must be {expected}");
        self.find(Code::DataTypeMismatch, at, message, &help);
    }

    /// Checks a text, which is read again: the document does not keep what is wrong in it.
    pub fn document(&mut self, text: &str) {
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
                for (text, at) in self.strings(&member.node, name, Code::EmptyArrayAction) {
                    self.action(&text, at);
                }
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

    /// Trust policies only have STS's actions (UG id_roles_create_for-user).
    fn action(&mut self, text: &str, at: Position) {
        let of_sts = text
            .get(..4)
            .is_some_and(|prefix| prefix.eq_ignore_ascii_case("sts:"));
        if self.kind == DocumentKind::Trust && !of_sts {
            let message =
                format!("`{text}` is not an action of STS, which trust policies are limited to");
            let help = "write `sts:AssumeRole` or one of its variants";
            self.find(Code::UnsupportedActionInPolicy, at, message, help);
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
