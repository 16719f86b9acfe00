//! Trust in GitHub's identity provider: whose workflows may assume the role?
//!
//! GitHub signs tokens for the workflows of everyone's repositories, so the role says which are
//! meant (UG id_roles_create_for-idp_oidc, "Configuring a role for GitHub OIDC identity
//! provider"). Claims: GitHub Docs, *OpenID Connect reference*.

use policy::language::{Operator, Test};
use policy::{ConditionEntry, PrincipalEntry, Statement, Text};

use crate::principals::limits;
use crate::{Code, Linter};

pub(super) use policy::language::shared_providers::GITHUB as ISSUER;

/// Whose repositories a statement lets in.
pub(super) enum Repositories {
    Named,
    /// By this value also those of owners who are not meant.
    Strangers(Text),
    All,
}

pub(super) fn check(linter: &mut Linter<'_>, entry: &PrincipalEntry, found: &Repositories) {
    match found {
        Repositories::Named => {}
        Repositories::Strangers(text) => {
            let value = &text.value;
            linter.find(
                Code::MissingGithubRepoConditionKey,
                text.position,
                format!("`{value}` leaves the owner open, so strangers' workflows on GitHub may assume the role"),
                "write the owner and a slash ahead of the first wildcard, such as `repo:owner/*`",
            );
        }
        Repositories::All => linter.find(
            Code::MissingGithubRepoConditionKey,
            entry.text.position,
            "workflows of every repository on GitHub may assume the role",
            format!(
                "add a condition on `{ISSUER}:sub`, such as `repo:owner/name:ref:refs/heads/main`"
            ),
        ),
    }
}

pub(super) fn repositories(statement: &Statement) -> Repositories {
    let mut strangers = None;
    for condition in &statement.conditions {
        let Some(claim) = claim(condition).filter(|_| limits(condition)) else {
            continue;
        };
        match condition
            .values
            .iter()
            .find(|text| is_open(&claim, text, condition))
        {
            None => return Repositories::Named,
            Some(text) if means_all(&text.value) => {}
            Some(text) => strangers = strangers.or(Some(text)),
        }
    }
    match strangers {
        Some(text) => Repositories::Strangers(text.clone()),
        None => Repositories::All,
    }
}

/// The claim that a condition is about, in lower case, where it says whose repository it is.
fn claim(condition: &ConditionEntry) -> Option<String> {
    let key = condition.key.value.to_ascii_lowercase();
    let claim = key.strip_prefix(ISSUER)?.strip_prefix(':')?;
    let tells = matches!(
        claim,
        "sub"
            | "job_workflow_ref"
            | "repository"
            | "repository_id"
            | "repository_owner_id"
            | "repository_owner"
    );
    tells.then(|| claim.to_owned())
}

/// Nothing but wildcards where owner and repository stand.
fn means_all(value: &str) -> bool {
    matches!(value, "repo:*" | "repo:*/*" | "repo:*/*:*" | "repo:*:*")
}

/// Whether a value also matches what belongs to another owner: the first wildcard stands ahead
/// of the owner's end. `my-org*` is `my-org-evil` too.
fn is_open(claim: &str, text: &Text, condition: &ConditionEntry) -> bool {
    let value = &*text.value;
    if means_all(value) {
        return true;
    }
    let like = Operator::parse(&condition.operator.value)
        .is_some_and(|operator| matches!(operator.test, Test::StringLike | Test::Arn));
    let Some(first) = value.find(['*', '?']).filter(|_| like) else {
        return false;
    };
    let head = &value[..first];
    match claim {
        // A subject may be made of other claims, which are its owner's choice.
        "sub" => {
            let of_repository = head.starts_with("repo:") || "repo:".starts_with(head);
            of_repository && !head.contains('/')
        }
        "repository" | "job_workflow_ref" => !head.contains('/'),
        // IDs and names of owners are compared whole.
        _ => true,
    }
}
