//! The rules for documents, by kind, and AWS's messages for broken ones.
//!
//! IAM checks in passes, and each pass has its own message: structure, version, values,
//! statement IDs, actions, resources, the form of actions. A document with two errors is
//! refused for the one whose pass comes first.
//!
//! Sources: UG reference_policies_grammar, reference_policies_elements_*,
//! reference_iam-quotas; Organizations UG orgs_manage_policies_rcps_syntax; the messages
//! are those that the services answer with.

pub(crate) mod providers;
mod size;
mod trust;

use std::collections::HashSet;

use crate::case_fold;
use crate::document::{Document, Element, Statement, StatementEffect, Version};
use crate::document_kind::DocumentKind;
use crate::error::PolicyError;
use crate::error::{LEGACY, SYNTAX, Violation, violation};
use crate::json::Position;
use crate::operator::{Operator, Test};
use crate::parse::shape;
use crate::principal_syntax;
use crate::resource::{self, InvalidResource};
use crate::value::policy_date;

/// How much is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rules {
    /// Everything that the service checks when the document is stored.
    Stored,
    /// What the language itself demands.
    Language,
}

impl Document {
    /// Parses and validates `json` as the service would when it is stored as `kind`.
    ///
    /// The limits by kind are those of one document (docs/semantics.md#44); inline policies share theirs
    /// among all of one user, group or role, which only the caller can add up
    /// ([`size_without_white_space`]).
    pub fn parse(json: &str, kind: DocumentKind) -> Result<Document, PolicyError> {
        validated(json, kind, Rules::Stored)
    }

    /// Parses `json` as the language allows, without the rules for storing it: no limit
    /// but the absolute one, any version, any `Sid`. For scenarios and tools that ask what
    /// a policy would decide.
    pub fn parse_language(json: &str, kind: DocumentKind) -> Result<Document, PolicyError> {
        validated(json, kind, Rules::Language)
    }
}

fn validated(source: &str, kind: DocumentKind, rules: Rules) -> Result<Document, PolicyError> {
    let document = check(source, kind, rules).map_err(|refused| refused.into_error(kind))?;
    if rules == Rules::Stored {
        size::check(source, kind)?;
    }
    Ok(document)
}

impl DocumentKind {
    fn is_identity(self) -> bool {
        matches!(
            self,
            DocumentKind::Managed
                | DocumentKind::InlineUser
                | DocumentKind::InlineGroup
                | DocumentKind::InlineRole
                | DocumentKind::Session
                | DocumentKind::PermissionsBoundary
        )
    }

    /// docs/semantics.md#42; Organizations UG orgs_manage_policies_scps_syntax and ..._rcps_syntax.
    fn needs_version(self) -> bool {
        matches!(
            self,
            DocumentKind::Managed
                | DocumentKind::PermissionsBoundary
                | DocumentKind::ServiceControl
                | DocumentKind::ResourceControl
        )
    }

    fn is_ecr(self) -> bool {
        matches!(
            self,
            DocumentKind::EcrRepository | DocumentKind::EcrRegistry
        )
    }

    fn is_resource(self) -> bool {
        self.is_ecr() || self == DocumentKind::Resource
    }
}

fn check(source: &str, kind: DocumentKind, rules: Rules) -> Result<Document, Violation> {
    let stored = rules == Rules::Stored;
    if stored && !kind.is_ecr() {
        characters(source)?;
    }
    // Bad JSON is refused as such, whatever stands before it.
    let shape = shape(source, kind)?;
    if stored && !kind.is_ecr() {
        leading_space(source, kind)?;
    }
    let document = shape.document;
    if stored && document.statements.is_empty() {
        return Err(Violation {
            message: SYNTAX.into(),
            detail: "`Statement` is empty".into(),
            position: None,
        });
    }
    if kind == DocumentKind::Trust {
        operators(&document)?;
        trust::check(&document, stored)?;
        return Ok(document);
    }
    operators(&document)?;
    if stored && kind.needs_version() {
        version(&document)?;
    }
    principals(&document, stored)?;
    if let Some(position) = shape.effect_case {
        return Err(violation(LEGACY, "`Effect` is `Allow` or `Deny`", position));
    }
    dates(&document)?;
    let mut invalid_resource = None;
    if stored {
        no_resources(&document)?;
        invalid_resource = check_resources(&document)?;
        statement_ids(&document)?;
    }
    for statement in document.statements.iter() {
        if statement.action.values.is_empty() {
            let detail = "a statement needs `Action` or `NotAction` with at least one action";
            let message = "Policy statement must contain actions.";
            return Err(violation(message, detail, statement.action.position));
        }
    }
    for statement in document.statements.iter() {
        has_resources(statement, kind)?;
    }
    if let Some(refused) = invalid_resource {
        return Err(refused);
    }
    if stored {
        for statement in document.statements.iter() {
            actions(&statement.action, kind)?;
        }
    }
    Ok(document)
}

/// docs/semantics.md#43 (API Reference CreatePolicy: the pattern of `PolicyDocument`).
fn characters(source: &str) -> Result<(), Violation> {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}');
    match source.char_indices().find(|&(_, c)| !allowed(c)) {
        None => Ok(()),
        Some((at, character)) => {
            let detail = format!(
                "the character U+{:04X} is not allowed, only U+0009, U+000A, U+000D and U+0020 to U+00FF",
                u32::from(character)
            );
            Err(violation(SYNTAX, detail, Position::at(source, at)))
        }
    }
}

/// IAM refuses white space before the opening brace.
fn leading_space(source: &str, kind: DocumentKind) -> Result<(), Violation> {
    let message = match kind {
        _ if !source.starts_with([' ', '\t', '\r', '\n']) => return Ok(()),
        DocumentKind::Trust => "JSON strings must not have leading spaces",
        DocumentKind::Managed
        | DocumentKind::InlineUser
        | DocumentKind::InlineGroup
        | DocumentKind::InlineRole
        | DocumentKind::PermissionsBoundary => LEGACY,
        _ => return Ok(()),
    };
    let detail = "remove the white space before the opening brace";
    Err(violation(message, detail, Position::START))
}

/// docs/semantics.md#42.
fn version(document: &Document) -> Result<(), Violation> {
    if document.version == Version::V2012 {
        return Ok(());
    }
    Err(Violation {
        message: "Policy document must be version 2012-10-17 or greater.".into(),
        detail: "add \"Version\": \"2012-10-17\"".into(),
        position: None,
    })
}

/// docs/semantics.md, rules 37 and 41.
fn operators(document: &Document) -> Result<(), Violation> {
    for statement in document.statements.iter() {
        let mut seen = HashSet::new();
        for entry in &statement.conditions {
            let name = &entry.operator.value;
            if Operator::parse(name).is_none() {
                let message = match document.kind {
                    DocumentKind::Trust | DocumentKind::Resource => {
                        format!("Invalid Condition type : {name}")
                    }
                    _ => SYNTAX.into(),
                };
                let detail = format!("unknown condition operator `{name}`");
                return Err(violation(message, detail, entry.operator.position));
            }
            let key = case_fold::key(&entry.key.value);
            if !seen.insert((&**name, key)) {
                let detail = format!(
                    "duplicate condition key `{}` under `{name}` (key names are case-insensitive)",
                    entry.key.value
                );
                return Err(violation(SYNTAX, detail, entry.key.position));
            }
        }
    }
    Ok(())
}

/// docs/semantics.md#38: dates are checked when the document is stored, other values are not.
fn dates(document: &Document) -> Result<(), Violation> {
    let entries = document.statements.iter().flat_map(|s| &s.conditions);
    for entry in entries {
        let operator = Operator::parse(&entry.operator.value);
        if !operator.is_some_and(|operator| matches!(operator.test, Test::Date(_))) {
            continue;
        }
        if let Some(value) = entry
            .values
            .iter()
            .find(|value| policy_date(&value.value).is_none())
        {
            let detail = format!(
                "`{}` is neither an ISO 8601 date nor an epoch time",
                value.value
            );
            return Err(violation(LEGACY, detail, value.position));
        }
    }
    Ok(())
}

/// docs/semantics.md#43.
fn statement_ids(document: &Document) -> Result<(), Violation> {
    let mut seen = HashSet::new();
    for sid in document.statements.iter().filter_map(|s| s.sid.as_ref()) {
        let plain = sid.value.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !plain && !document.kind.is_resource() {
            let message = "Statement IDs (SID) must be alpha-numeric. Check that your input \
                           satisfies the regular expression [0-9A-Za-z]*";
            let detail = format!("`{}` contains other characters", sid.value);
            return Err(violation(message, detail, sid.position));
        }
        // docs/semantics.md#49: the user guide asks for unique Sids within IAM's policies; ECR accepts duplicates.
        let unique = sid.value.is_empty() || document.kind.is_ecr() || seen.insert(&*sid.value);
        if !unique {
            let message = "Statement IDs (SID) in a single policy must be unique.";
            let detail = format!("duplicate Sid `{}`", sid.value);
            return Err(violation(message, detail, sid.position));
        }
    }
    Ok(())
}

fn has_resources(statement: &Statement, kind: DocumentKind) -> Result<(), Violation> {
    // The resource of an ECR repository policy is the repository.
    let implied = matches!(kind, DocumentKind::EcrRepository | DocumentKind::Resource);
    let Some(element) = &statement.resource else {
        if implied {
            return Ok(());
        }
        let detail = "a statement needs `Resource` or `NotResource`";
        let message = "Policy statement must contain resources.";
        return Err(violation(message, detail, statement.position));
    };
    if element.values.is_empty() {
        let detail = "the list is empty";
        let message = "Policy statement must contain resources.";
        return Err(violation(message, detail, element.position));
    }
    Ok(())
}

/// An ECR repository policy has no `Resource` (ECR UG repository-policies).
fn no_resources(document: &Document) -> Result<(), Violation> {
    let mut elements = document
        .statements
        .iter()
        .filter_map(|s| s.resource.as_ref());
    match elements
        .next()
        .filter(|_| document.kind == DocumentKind::EcrRepository)
    {
        None => Ok(()),
        Some(element) => {
            let detail =
                "the resource of an ECR repository policy is the repository; remove `Resource`";
            Err(violation(SYNTAX, detail, element.position))
        }
    }
}

/// The first invalid resource. What fails IAM's legacy parsing is refused at once, the rest only if
/// no element is missing.
fn check_resources(document: &Document) -> Result<Option<Violation>, Violation> {
    let elements = document
        .statements
        .iter()
        .filter_map(|s| s.resource.as_ref());
    match elements
        .flat_map(|element| &element.values)
        .find_map(|text| resource::check(text, document.kind).err())
    {
        None => Ok(None),
        Some(InvalidResource::Form(refused)) => Ok(Some(refused)),
        Some(InvalidResource::Legacy(refused)) => Err(refused),
    }
}

/// docs/semantics.md#45: an action is `*` or `vendor:name`.
fn actions(element: &Element, kind: DocumentKind) -> Result<(), Violation> {
    for text in &element.values {
        let action = &*text.value;
        let mut parts = action.split(':');
        let vendor = parts.next().unwrap_or_default();
        let message = match (parts.next(), parts.next()) {
            _ if action == "*" => continue,
            (None, _) => {
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.".into()
            }
            (Some(_), Some(_)) => "Actions/Condition can contain only one colon.".into(),
            (Some(_), None) => {
                let valid = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
                if kind.is_ecr() && !vendor.eq_ignore_ascii_case("ecr") {
                    let detail = format!(
                        "`{action}` is not an action of ECR; ECR's policies accept no others"
                    );
                    let message = format!("Vendor {vendor} is not valid");
                    return Err(violation(message, detail, text.position));
                }
                // docs/semantics.md#50: logging in is about no repository. ECR refuses the action in repository
                // policies since 2020 (cloudposse/terraform-aws-ecr#67).
                if kind == DocumentKind::EcrRepository
                    && action.eq_ignore_ascii_case("ecr:GetAuthorizationToken")
                {
                    let detail =
                        "`ecr:GetAuthorizationToken` is granted by identity-based policies alone";
                    return Err(violation(SYNTAX, detail, text.position));
                }
                // `*:*` is a common way to write every action.
                if vendor == "*" || vendor.bytes().all(valid) {
                    continue;
                }
                format!("Vendor {vendor} is not valid")
            }
        };
        let detail = format!("`{action}` is not an action: use `service:Name` or `*`");
        return Err(violation(message, detail, text.position));
    }
    Ok(())
}

fn principals(document: &Document, stored: bool) -> Result<(), Violation> {
    let kind = document.kind;
    for statement in document.statements.iter() {
        match &statement.principal {
            Some(element) if kind.is_identity() => {
                let message = "Policy document should not specify a principal.";
                let detail =
                    "the principal of an identity-based policy is the identity it is attached to";
                return Err(violation(message, detail, element.position));
            }
            Some(element) if kind == DocumentKind::ServiceControl => {
                let detail = "a service control policy has no `Principal`";
                return Err(violation(SYNTAX, detail, element.position));
            }
            None if kind.is_resource() => {
                let message = "Missing required field Principal";
                let detail = "a resource-based policy needs `Principal` or `NotPrincipal`";
                return Err(violation(message, detail, statement.position));
            }
            Some(element) if stored && element.entries.is_empty() => {
                let message = "Missing required field Principal cannot be empty!";
                let detail = "`Principal` is empty";
                return Err(violation(message, detail, element.position));
            }
            Some(element) => principal_syntax::check(element, statement.effect, kind, stored)?,
            None => {}
        }
        if kind == DocumentKind::ResourceControl && stored {
            resource_control(statement)?;
        }
    }
    Ok(())
}

/// Organizations UG orgs_manage_policies_rcps_syntax: `Principal` is `*`, customers' own
/// policies only deny.
fn resource_control(statement: &Statement) -> Result<(), Violation> {
    let everyone = statement.principal.as_ref().is_some_and(|element| {
        !element.not && element.entries.len() == 1 && &*element.entries[0].text.value == "*"
    });
    if !everyone {
        let detail = "a resource control policy has \"Principal\": \"*\"";
        return Err(violation(SYNTAX, detail, statement.position));
    }
    let all = |element: &Element| !element.not && element.values.iter().any(|v| &*v.value == "*");
    let full_access = all(&statement.action)
        && statement.resource.as_ref().is_some_and(all)
        && statement.conditions.is_empty();
    if statement.effect == StatementEffect::Allow && !full_access {
        let detail = "a resource control policy can only deny; only RCPFullAWSAccess allows";
        return Err(violation(SYNTAX, detail, statement.position));
    }
    if statement.effect == StatementEffect::Deny && all(&statement.action) {
        let detail = "a resource control policy names services in `Action`: `ecr:*`, not `*`";
        return Err(violation(SYNTAX, detail, statement.action.position));
    }
    if statement.effect == StatementEffect::Deny && statement.action.not {
        let detail = "a resource control policy has no `NotAction`";
        return Err(violation(SYNTAX, detail, statement.action.position));
    }
    Ok(())
}
