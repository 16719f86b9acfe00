//! Permissions that allow more than they seem to: everything, passing roles, privilege escalation.

use policy::Position;
use policy::language::{Operator, Quantifier, Test, is_open};
use policy::{ConditionEntry, DocumentKind, Statement, Text};

use crate::budget::Budget;
use crate::codes::Code;
use crate::globs::Glob;
use crate::linter::{Linter, allows};
use crate::messages::some_of;
use crate::resources::is_all;

/// Actions with which a principal can give itself permissions, and the type of IAM resource that they
/// change (IAM API Reference).
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
    // Boundaries, session policies and control policies only limit other policies.
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
            "`NotAction` allows every other action of every service, including future ones",
            "list the actions to allow",
        );
    }
    if let Some(element) = statement.resource.as_ref().filter(|element| element.not) {
        linter.find(
            Code::AllowWithNotResource,
            element.position,
            "`NotResource` allows the actions on everything but the listed resources",
            "list the resources to allow",
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
    ecr_policies(linter, statement);
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

/// The other pattern has three characters, so the budget cannot run out.
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

/// An action, and the codes for the ways to allow it without limits.
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
    what: "every role, so the principal can have a service act with any of them",
    help: "list the roles' ARNs, or add a condition on `iam:PassedToService`",
    star: [
        Code::PassRoleWithStarInResource,
        Code::PassRoleWithStarInActionAndResource,
        Code::PassRoleWithStarInResourceAndNotAction,
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
        Code::CreateSlrWithStarInResourceAndNotAction,
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

/// Whether a condition on the key excludes some services. All their names have the same suffix (IAM
/// User Guide, reference_policies_elements_principal), so the part before it must be limited. With
/// `IfExists` a request without the key is allowed, so it limits nothing.
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
        && !operator.if_exists
        && operator.quantifier != Quantifier::ForAllValues
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
                "every role that trusts the account can be assumed",
                "list the ARNs of the roles",
            );
            return;
        }
    }
}

/// Whether a condition limits the policies, the boundary or the resources.
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
                    "with {} on every identity or policy, the principal can give itself any permission",
                    some_of(found.iter().map(String::as_str))
                ),
                "list the ARNs that are meant, or add a condition on `iam:PermissionsBoundary` or `iam:PolicyARN`",
            );
        }
    }
}

/// Repository and registry policies grant access without an identity policy, so a principal that may
/// write them can give itself every image (ECR User Guide, repository-policies and
/// registry-permissions). A registry policy has no resource that could limit the action.
fn ecr_policies(linter: &mut Linter<'_>, statement: &Statement) {
    if statement.action.not || is_limited(statement) {
        return;
    }
    let repositories = names_all(statement, "repository/");
    let registry = statement.resource.as_ref().is_some_and(|element| {
        !element.not
            && element
                .values
                .iter()
                .any(|text| Glob::new(&text.value).is_star())
    });
    for text in &statement.action.values {
        let pattern = Glob::folded(&text.value);
        // Whoever is allowed everything in ECR has every image already.
        if pattern.covers_all_of("ecr:") {
            continue;
        }
        let set = repositories && pattern.matches("ecr:setrepositorypolicy");
        let put = registry && pattern.matches("ecr:putregistrypolicy");
        let names = [
            (set, "ecr:SetRepositoryPolicy"),
            (put, "ecr:PutRegistryPolicy"),
        ];
        let found: Vec<&str> = names
            .iter()
            .filter(|(found, _)| *found)
            .map(|(_, name)| *name)
            .collect();
        if !found.is_empty() {
            linter.find(
                Code::ResourcePolicyPrivilegeEscalation,
                text.position,
                format!("with {} on every repository, the principal can give itself access to any image", some_of(found)),
                "list the ARNs of the repositories, and allow `ecr:PutRegistryPolicy` to administrators only",
            );
        }
    }
}
