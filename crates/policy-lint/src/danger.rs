//! Permissions that are more than they seem: everything, passing roles, granting oneself more.

use policy::Position;
use policy::language::is_open;
use policy::language::{Operator, Test};
use policy::{ConditionEntry, DocumentKind, Statement, Text};

use crate::budget::Budget;
use crate::globs::Glob;
use crate::resources::is_all;
use crate::{Code, Linter, allows, some_of};

/// Actions by which an identity gets permissions that it was not given, with the IAM
/// resource that they act on. Source: IAM API Reference, what each one changes.
const ESCALATIONS: [(&str, &str); 17] = [
    ("AddUserToGroup", "group/"),
    ("AttachGroupPolicy", "group/"),
    ("AttachRolePolicy", "role/"),
    ("AttachUserPolicy", "user/"),
    ("CreateAccessKey", "user/"),
    ("CreateLoginProfile", "user/"),
    ("CreatePolicyVersion", "policy/"),
    ("DeleteRolePermissionsBoundary", "role/"),
    ("DeleteUserPermissionsBoundary", "user/"),
    ("PutGroupPolicy", "group/"),
    ("PutRolePermissionsBoundary", "role/"),
    ("PutRolePolicy", "role/"),
    ("PutUserPermissionsBoundary", "user/"),
    ("PutUserPolicy", "user/"),
    ("SetDefaultPolicyVersion", "policy/"),
    ("UpdateAssumeRolePolicy", "role/"),
    ("UpdateLoginProfile", "user/"),
];

pub(super) fn check(linter: &mut Linter<'_>, statement: &Statement) {
    if !allows(statement) {
        return;
    }
    // What only limits others allows much by design.
    let grants = matches!(
        linter.document.kind(),
        DocumentKind::Managed
            | DocumentKind::InlineUser
            | DocumentKind::InlineGroup
            | DocumentKind::InlineRole
            | DocumentKind::EcrRepository
            | DocumentKind::EcrRegistry
            | DocumentKind::Resource
    );
    if !grants {
        return;
    }
    if statement.action.not {
        linter.find(
            Code::AllowWithNotAction,
            statement.action.position,
            "`NotAction` allows every other action of every service, those to come included",
            "list the actions to allow, or deny the ones that are meant",
        );
    }
    if let Some(element) = statement.resource.as_ref().filter(|element| element.not) {
        linter.find(
            Code::AllowWithNotResource,
            element.position,
            "`NotResource` allows the actions on everything but the listed resources",
            "list the resources to allow, or deny the ones that are meant",
        );
    }
    if statement.principal.is_some() {
        return;
    }
    full_access(linter, statement);
    for reach in [&PASS_ROLE, &CREATE_SLR] {
        if let Some((position, code)) = reached(statement, reach) {
            let action = reach.action;
            linter.find(
                code,
                position,
                format!("`{action}` is allowed for {}", reach.what),
                reach.help,
            );
        }
    }
    assume_role(linter, statement);
    escalation(linter, statement);
}

fn full_access(linter: &mut Linter<'_>, statement: &Statement) {
    let all = statement
        .action
        .values
        .iter()
        .find(|text| is_everything(&text.value));
    if let Some(text) = all
        && !statement.action.not
        && statement.conditions.is_empty()
        && names_all(statement, "")
    {
        linter.find(
            Code::FullAccess,
            text.position,
            "everything is allowed on everything",
            "list the actions and resources that the work needs",
        );
    }
}

/// The other side is three characters long, so the budget is none that could be spent.
fn is_everything(action: &str) -> bool {
    let budget = Budget::default();
    Glob::new(action).covers(&Glob::new("*:*"), &budget)
}

/// Whether `Resource` lists all resources of this path.
fn names_all(statement: &Statement, prefix: &str) -> bool {
    statement.resource.as_ref().is_some_and(|element| {
        !element.not
            && element
                .values
                .iter()
                .any(|text| is_all(&text.value, prefix))
    })
}

/// An action, and the codes of the ways in which it is allowed without limit.
struct Reach {
    action: &'static str,
    /// The key that limits it.
    key: &'static str,
    path: &'static str,
    what: &'static str,
    help: &'static str,
    star: [Code; 3],
    not_resource: [Code; 3],
}

const PASS_ROLE: Reach = Reach {
    action: "iam:PassRole",
    key: "iam:PassedToService",
    path: "role/",
    what: "every role, so its holder can have a service act with any of them",
    help: "list the roles' ARNs, or add a condition on `iam:PassedToService`",
    star: [
        Code::PassRoleWithStarInResource,
        Code::PassRoleWithStarInActionAndResource,
        Code::PassRoleWithNotActionAndStarInResource,
    ],
    not_resource: [
        Code::PassRoleWithNotResource,
        Code::PassRoleWithStarInActionAndNotResource,
        Code::PassRoleWithNotActionAndNotResource,
    ],
};

const CREATE_SLR: Reach = Reach {
    action: "iam:CreateServiceLinkedRole",
    key: "iam:AWSServiceName",
    path: "role/",
    what: "every service",
    help: "list the service-linked roles' ARNs, or add a condition on `iam:AWSServiceName`",
    star: [
        Code::CreateSlrWithStarInResource,
        Code::CreateSlrWithStarInActionAndResource,
        Code::CreateSlrWithNotActionAndStarInResource,
    ],
    not_resource: [
        Code::CreateSlrWithNotResource,
        Code::CreateSlrWithStarInActionAndNotResource,
        Code::CreateSlrWithNotActionAndNotResource,
    ],
};

fn reached(statement: &Statement, reach: &Reach) -> Option<(Position, Code)> {
    let mut conditions = statement.conditions.iter();
    if conditions.any(|entry| names_service(entry, reach.key)) {
        return None;
    }
    let resource = statement.resource.as_ref()?;
    let codes = match resource.not {
        true => reach.not_resource,
        false if names_all(statement, reach.path) => reach.star,
        false => return None,
    };
    let wanted = reach.action.to_ascii_lowercase();
    let mut values = statement.action.values.iter();
    let named = values.find(|text| Glob::folded(&text.value).matches(&wanted));
    match (statement.action.not, named) {
        (true, None) => Some((statement.action.position, codes[2])),
        (false, Some(text)) => {
            let star = text.value.contains(['*', '?']);
            Some((text.position, codes[usize::from(star)]))
        }
        _ => None,
    }
}

/// Whether a condition on the key leaves some services out. All their names end alike (IAM User
/// Guide, reference_policies_elements_principal), so what stands ahead of that must say which.
fn names_service(entry: &ConditionEntry, key: &str) -> bool {
    let Some(operator) = Operator::parse(&entry.operator.value) else {
        return false;
    };
    let every = |text: &Text| {
        let name = &*text.value;
        is_open(name.strip_suffix(".amazonaws.com").unwrap_or(name))
    };
    entry.key.value.eq_ignore_ascii_case(key)
        && operator.test != Test::Null
        && (operator.negated || !entry.values.iter().any(every))
}

fn assume_role(linter: &mut Linter<'_>, statement: &Statement) {
    if statement.action.not || !names_all(statement, "role/") || is_limited(statement) {
        return;
    }
    for text in &statement.action.values {
        let meant = Glob::folded(&text.value).matches("sts:assumerole");
        if meant && !is_everything(&text.value) {
            linter.find(
                Code::AssumeRoleWithStarInResource,
                text.position,
                "every role may be assumed that trusts the account",
                "list the ARNs of the roles",
            );
            return;
        }
    }
}

/// Conditions that say which policy, which boundary, or whose resource.
fn is_limited(statement: &Statement) -> bool {
    statement.conditions.iter().any(|entry| {
        let key = entry.key.value.to_ascii_lowercase();
        ["iam:", "aws:resource", "aws:principal"]
            .iter()
            .any(|prefix| key.starts_with(prefix))
    })
}

fn escalation(linter: &mut Linter<'_>, statement: &Statement) {
    if statement.action.not || is_limited(statement) {
        return;
    }
    let open: Vec<(&str, String)> = ESCALATIONS
        .iter()
        .filter(|(_, path)| names_all(statement, path))
        .map(|(name, _)| (*name, format!("iam:{}", name.to_ascii_lowercase())))
        .collect();
    if open.is_empty() {
        return;
    }
    for text in &statement.action.values {
        let pattern = Glob::folded(&text.value);
        if is_everything(&text.value) {
            continue;
        }
        let found: Vec<String> = open
            .iter()
            .filter(|(_, action)| pattern.matches(action))
            .map(|(name, _)| format!("iam:{name}"))
            .collect();
        if !found.is_empty() {
            linter.find(
                Code::PrivilegeEscalation,
                text.position,
                format!(
                    "with {} on every identity or policy its holder can take any permission",
                    some_of(found.iter().map(String::as_str))
                ),
                "list the ARNs that are meant, or add a condition on `iam:PermissionsBoundary` or `iam:PolicyARN`",
            );
        }
    }
}
