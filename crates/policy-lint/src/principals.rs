//! `Principal`: trust policies and resource policies that allow more principals than is meant.

use std::collections::HashMap;

use policy::language::is_account_id;
use policy::language::shared_providers as providers;
use policy::{DocumentKind, PrincipalElement, PrincipalEntry, PrincipalType, Statement};

use crate::budget::Budget;
use crate::codes::Code;
use crate::covering::covered;
use crate::globs::Glob;
use crate::linter::{Linter, allows};
use crate::{github, keys, services, who};

pub(super) fn check(linter: &mut Linter<'_>, statement: &Statement) {
    let Some(element) = &statement.principal else {
        return;
    };
    redundant(linter, element);
    deleted(linter, element);
    let of_service = |entry: &&PrincipalEntry| entry.kind == PrincipalType::Service;
    for entry in element.entries.iter().filter(of_service) {
        services::check(linter, &entry.text);
    }
    let kind = linter.document.kind();
    if kind != DocumentKind::Trust && linter.is_resource_policy() {
        let of_provider = |entry: &&PrincipalEntry| entry.kind == PrincipalType::Federated;
        for entry in element.entries.iter().filter(of_provider) {
            linter.find(
                Code::FederatedPrincipalNotSupported,
                entry.text.position,
                format!(
                    "`{}` is an identity provider, which only trust policies support",
                    entry.text.value
                ),
                "name the role that the provider's identities assume",
            );
        }
    }
    if element.not {
        linter.find(
            Code::DenyWithNotPrincipal,
            element.position,
            "`NotPrincipal` exempts a session only if its role and its account are listed as well",
            "write \"Principal\": \"*\" and a condition on `aws:PrincipalArn` with `ArnNotLike`",
        );
        return;
    }
    if kind == DocumentKind::Trust {
        trust_actions(linter, statement, element);
    }
    if !allows(statement) || kind == DocumentKind::ResourceControl {
        return;
    }
    // Checked once for a statement, however many principals it lists.
    let mut limited = None;
    let mut source_limited = None;
    let never_of_a_service = keys::never_of_a_service(statement);
    let mut issuers = HashMap::new();
    for entry in &element.entries {
        if entry.kind == PrincipalType::Everyone && kind == DocumentKind::Trust {
            linter.find(
                Code::RoleTrustPolicyUnsupportedWildcardInPrincipal,
                entry.text.position,
                "AWS does not support \"Principal\": \"*\" in trust policies",
                "name the accounts, users or roles",
            );
        }
        if let (PrincipalType::Service, Some(condition)) = (entry.kind, never_of_a_service) {
            linter.find(
                Code::UnsupportedConditionKeyForServicePrincipal,
                condition.key.position,
                format!(
                    "requests of `{}` do not have `{}`, so the statement never applies to them",
                    entry.text.value, condition.key.value
                ),
                "use `aws:SourceOrgID`, `aws:SourceAccount` or `aws:SourceArn`",
            );
        }
        match entry.kind {
            PrincipalType::Everyone | PrincipalType::Aws
                if &*entry.text.value == "*"
                    && !*limited.get_or_insert_with(|| who::is_limited(statement)) =>
            {
                everyone(linter, statement, entry);
            }
            PrincipalType::Service
                if kind != DocumentKind::Trust
                    && !*source_limited
                        .get_or_insert_with(|| who::is_source_limited(statement)) =>
            {
                service(linter, statement, entry);
            }
            PrincipalType::Federated => {
                if let Some(issuer) = issuer(&entry.text.value) {
                    let issuer = issuer.to_ascii_lowercase();
                    let budget = &linter.work.conditions;
                    let claims = issuers
                        .entry(issuer.clone())
                        .or_insert_with(|| Claims::of(statement, &issuer, budget));
                    provider(linter, entry, &issuer, claims);
                }
            }
            _ => {}
        }
    }
}

fn everyone(linter: &mut Linter<'_>, statement: &Statement, entry: &PrincipalEntry) {
    let conditional = match statement.conditions.is_empty() {
        true => "",
        false => "; the conditions do not limit who",
    };
    match linter.document.kind() {
        DocumentKind::Trust => linter.find(
            Code::TrustPolicyOpenToEveryone,
            entry.text.position,
            format!("everyone, of any account, can assume the role{conditional}"),
            "name the accounts, users or roles, or add a condition on `aws:PrincipalOrgID` or `aws:PrincipalArn`",
        ),
        _ => linter.find(
            Code::PrincipalStarWithoutCondition,
            entry.text.position,
            format!("everyone, of any account, is allowed{conditional}"),
            "name the accounts, users or roles, or add a condition on `aws:PrincipalOrgID` or `aws:PrincipalArn`",
        ),
    }
}

/// Keys that are sometimes used to limit a service, and limit it less than its source.
const WEAK_FOR_SERVICES: [&str; 3] = ["aws:referer", "aws:useragent", "aws:sourceip"];

fn service(linter: &mut Linter<'_>, statement: &Statement, entry: &PrincipalEntry) {
    let name = &entry.text.value;
    let keys = "`aws:SourceArn`, `aws:SourceAccount`, `aws:SourceOrgID` or `aws:SourceOrgPaths`";
    linter.find(
        Code::RestrictAccessToServicePrincipal,
        entry.text.position,
        format!(
            "`{name}` acts for any account, so other accounts can use this permission through it"
        ),
        format!("add a condition on {keys}"),
    );
    let mut conditions = statement.conditions.iter();
    let weak = conditions
        .find(|entry| WEAK_FOR_SERVICES.contains(&&*entry.key.value.to_ascii_lowercase()));
    if let Some(weak) = weak {
        linter.find(
            Code::RecommendedConditionKeyForServicePrincipal,
            weak.key.position,
            format!("`{}` does not say for whom `{name}` acts", weak.key.value),
            format!("use {keys} instead"),
        );
    }
}

/// The provider's name in claims: `host/path` of `arn:…:oidc-provider/host/path`.
fn issuer(provider: &str) -> Option<&str> {
    match provider.split_once(":oidc-provider/") {
        Some((_, issuer)) => Some(issuer),
        None if provider.starts_with("arn:") => None,
        None => Some(provider),
    }
}

/// The claims that limit the identities of a provider.
const IDENTITY: [&str; 8] = [
    "sub", "aud", "oaud", "app_id", "id", "user_id", "amr", "email",
];

/// How a statement limits the identities of one provider.
enum Claims {
    Limited,
    Open,
    /// GitHub's: which repositories it allows.
    GitHub(github::Repositories),
}

impl Claims {
    fn of(statement: &Statement, issuer: &str, budget: &Budget) -> Claims {
        if issuer == github::ISSUER {
            return Claims::GitHub(github::repositories(statement));
        }
        // IAM requires one certain claim of a shared provider.
        let asked = providers::keys(issuer);
        let limited = statement.conditions.iter().any(|entry| {
            if !budget.take(1) {
                return true;
            }
            if let Some(keys) = &asked {
                return providers::is_scoped(entry, keys);
            }
            let key = entry.key.value.to_ascii_lowercase();
            let claim = key.strip_prefix(issuer).and_then(|k| k.strip_prefix(':'));
            claim.is_some_and(|claim| IDENTITY.contains(&claim)) && who::limits(entry)
        });
        match limited {
            true => Claims::Limited,
            false => Claims::Open,
        }
    }
}

fn provider(linter: &mut Linter<'_>, entry: &PrincipalEntry, issuer: &str, claims: &Claims) {
    match claims {
        Claims::Limited => {}
        Claims::GitHub(repositories) => github::check(linter, entry, repositories),
        Claims::Open => linter.find(
            Code::MissingConditionKeyForOidcPrincipal,
            entry.text.position,
            format!("every identity of `{issuer}` can assume the role"),
            match providers::keys(issuer) {
                Some(keys) => format!("add a condition on `{}`", keys.join("` or `")),
                None => format!("add a condition on `{issuer}:sub` or `{issuer}:aud`"),
            },
        ),
    }
}

/// STS API Reference: the credentials that each variant of AssumeRole takes.
fn trust_actions(linter: &mut Linter<'_>, statement: &Statement, element: &PrincipalElement) {
    let patterns: Vec<Glob> = statement
        .action
        .values
        .iter()
        .map(|text| Glob::folded(&text.value))
        .collect();
    // The credentials of AWS, of SAML, of OIDC.
    let assumes = [
        "sts:AssumeRole",
        "sts:AssumeRoleWithSAML",
        "sts:AssumeRoleWithWebIdentity",
    ];
    let may = assumes.map(|action| {
        let action = action.to_ascii_lowercase();
        patterns.iter().any(|pattern| pattern.matches(&action))
    });
    // The statement only has actions such as `sts:TagSession`.
    if may == [false; 3] {
        return;
    }
    for entry in &element.entries {
        let text = &*entry.text.value;
        let wanted = match entry.kind {
            PrincipalType::Federated if text.contains(":saml-provider/") => 1,
            PrincipalType::Federated => 2,
            // `*` does not include identity providers.
            PrincipalType::Everyone | PrincipalType::Aws | PrincipalType::Service => 0,
            PrincipalType::CanonicalUser => continue,
        };
        if !may[wanted] {
            let wanted = assumes[wanted];
            linter.find(
                Code::MismatchedActionForPrincipal,
                entry.text.position,
                format!(
                    "`{text}` assumes roles with `{wanted}`, which the statement does not list"
                ),
                format!("write \"Action\": \"{wanted}\""),
            );
        }
    }
}

/// A policy shows the ID of a principal whose user or role was deleted (UG
/// reference_policies_elements_principal).
fn deleted(linter: &mut Linter<'_>, element: &PrincipalElement) {
    for entry in element
        .entries
        .iter()
        .filter(|e| e.kind == PrincipalType::Aws)
    {
        let text = &*entry.text.value;
        let (code, what) = match text.get(..4) {
            Some("AROA") => (Code::InvalidRoleReference, "role"),
            Some("AIDA") => (Code::InvalidUserReference, "user"),
            _ => continue,
        };
        linter.find(
            code,
            entry.text.position,
            format!("`{text}` is the ID of a deleted {what}"),
            format!("write the ARN of an existing {what}, or remove it"),
        );
    }
}

/// The two forms of an account are equal.
fn same(text: &str) -> String {
    match text
        .strip_suffix(":root")
        .and_then(|arn| arn.rsplit(':').next())
    {
        Some(account) if is_account_id(account) => account.to_owned(),
        _ => text.to_owned(),
    }
}

fn redundant(linter: &mut Linter<'_>, element: &PrincipalElement) {
    let entries = &element.entries;
    let aws = |at: usize| {
        matches!(
            entries[at].kind,
            PrincipalType::Aws | PrincipalType::Everyone
        )
    };
    let star = |at: usize| &*entries[at].text.value == "*" && aws(at);
    let budget = &linter.work.entries;
    let key = |at: usize| (entries[at].kind, same(&entries[at].text.value));
    for (at, other) in covered(entries.len(), budget, key, star, |i, j| star(i) && aws(j)) {
        let (text, other) = (&entries[at].text, &entries[other].text);
        linter.find(
            Code::RedundantPrincipal,
            text.position,
            format!("`{}` is covered by `{}`", text.value, other.value),
            "remove it",
        );
    }
    if linter.document.kind() == DocumentKind::Trust {
        sessions(linter, entries);
    }
}

/// A session whose role is listed as well. The session's ARN does not have the role's path.
fn sessions(linter: &mut Linter<'_>, entries: &[PrincipalEntry]) {
    let name = |arn: &str| arn.rsplit('/').next().unwrap_or_default().to_owned();
    let mut roles = HashMap::new();
    for entry in entries {
        if let Some((head, role)) = entry.text.value.split_once(":role/") {
            let account = head.rsplit(':').next().unwrap_or_default();
            roles.insert((account.to_owned(), name(role)), &entry.text);
        }
    }
    for entry in entries {
        let Some((head, session)) = entry.text.value.split_once(":assumed-role/") else {
            continue;
        };
        let account = head.rsplit(':').next().unwrap_or_default().to_owned();
        let role = session.split('/').next().unwrap_or_default().to_owned();
        if let Some(role) = roles.get(&(account, role)) {
            linter.find(
                Code::RedundantPrincipalInRoleTrustPolicy,
                entry.text.position,
                format!(
                    "`{}` is a session of `{}`, which is listed as well",
                    entry.text.value, role.value
                ),
                "remove the session, or the role if only the session is meant",
            );
        }
    }
}
