//! Trust in GitHub's identity provider: whose workflows can assume the role?
//!
//! GitHub signs tokens for the workflows of all repositories, so the trust policy must say which are
//! meant (UG id_roles_create_for-idp_oidc, "Configuring a role for GitHub OIDC identity
//! provider"). Claims: GitHub Docs, *OpenID Connect reference*.

use policy::language::{Operator, Test};
use policy::{ConditionEntry, PrincipalEntry, Statement, Text};

use crate::codes::Code;
use crate::linter::Linter;
use crate::who::limits;

pub(super) use policy::language::shared_providers::GITHUB as ISSUER;

/// Which repositories a statement allows.
pub(super) enum Repositories {
    /// Those of named owners; the value is one that leaves repository or branch open.
    Named(Option<Text>),
    /// With this value also those of other owners.
    Others(Text),
    All,
}

pub(super) fn check(linter: &mut Linter<'_>, entry: &PrincipalEntry, found: &Repositories) {
    match found {
        Repositories::Named(None) => {}
        Repositories::Named(Some(text)) => linter.find(
            Code::SpecificGithubRepoAndBranchRecommended,
            text.position,
            format!("`{}` also matches other repositories or branches", text.value),
            format!("write the repository and the branch, such as `repo:owner/name:ref:refs/heads/main`, or add a condition on `{ISSUER}:ref`"),
        ),
        Repositories::Others(text) => {
            let value = &text.value;
            linter.find(
                Code::MissingGithubRepoConditionKey,
                text.position,
                format!("`{value}` also matches other owners, so their workflows on GitHub can assume the role"),
                "write the owner and a slash before the first wildcard, such as `repo:owner/*`",
            );
        }
        Repositories::All => linter.find(
            Code::MissingGithubRepoConditionKey,
            entry.text.position,
            "workflows of every repository on GitHub can assume the role",
            format!(
                "add a condition on `{ISSUER}:sub`, such as `repo:owner/name:ref:refs/heads/main`"
            ),
        ),
    }
}

pub(super) fn repositories(statement: &Statement) -> Repositories {
    let mut others = None;
    for condition in &statement.conditions {
        let Some(claim) = claim(condition).filter(|_| limits(condition)) else {
            continue;
        };
        match condition
            .values
            .iter()
            .find(|text| is_open(&claim, text, condition))
        {
            None => return Repositories::Named(open_subject(statement)),
            Some(text) if means_all(&text.value) => {}
            Some(text) => others = others.or(Some(text)),
        }
    }
    match others {
        Some(text) => Repositories::Others(text.clone()),
        None => Repositories::All,
    }
}

/// A subject with a wildcard, unless another claim names the branch (Access Analyzer's check
/// "Specific github repo and branch recommended").
fn open_subject(statement: &Statement) -> Option<Text> {
    let limiting = |claim: &str| {
        let key = format!("{ISSUER}:{claim}");
        let conditions = statement.conditions.iter();
        conditions.filter(move |entry| entry.key.value.eq_ignore_ascii_case(&key) && limits(entry))
    };
    let open = |entry: &ConditionEntry, value: &str| {
        let operator = Operator::parse(&entry.operator.value);
        operator.is_some_and(|operator| operator.test == Test::StringLike)
            && value.contains(['*', '?'])
    };
    let mut refs = limiting("ref").chain(limiting("job_workflow_ref"));
    let branch = refs.any(|entry| !entry.values.iter().any(|text| open(entry, &text.value)));
    limiting("sub").find_map(|entry| {
        let mut values = entry.values.iter();
        let found = values.find(|text| {
            // With the branch in another claim only the repository must be fixed.
            let repository: String = text.value.splitn(3, ':').take(2).collect();
            open(entry, &text.value) && (!branch || open(entry, &repository))
        });
        found.cloned()
    })
}

/// The claim that a condition is about, in lower case, if it names a repository.
fn claim(condition: &ConditionEntry) -> Option<String> {
    let key = condition.key.value.to_ascii_lowercase();
    let claim = key.strip_prefix(ISSUER)?.strip_prefix(':')?;
    let names = matches!(
        claim,
        "sub"
            | "job_workflow_ref"
            | "repository"
            | "repository_id"
            | "repository_owner_id"
            | "repository_owner"
    );
    names.then(|| claim.to_owned())
}

/// Whether owner and repository are wildcards.
fn means_all(value: &str) -> bool {
    matches!(value, "repo:*" | "repo:*/*" | "repo:*/*:*" | "repo:*:*")
}

/// Whether a value also matches repositories of other owners: the first wildcard comes before the end
/// of the owner's name. `my-org*` also matches `my-org-evil`.
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
        // Owners may choose other claims for their subjects.
        "sub" => {
            let of_repository = head.starts_with("repo:") || "repo:".starts_with(head);
            of_repository && !head.contains('/')
        }
        "repository" | "job_workflow_ref" => !head.contains('/'),
        // IDs and names of owners are compared whole.
        _ => true,
    }
}
