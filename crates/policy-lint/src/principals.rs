//! Who: trust policies and resource policies that let in more than is meant.

use std::collections::HashMap;

use policy::language::is_account_id;
use policy::language::is_open;
use policy::language::shared_providers as providers;
use policy::{
    ConditionEntry, DocumentKind, PrincipalElement, PrincipalEntry, PrincipalType, Statement,
};

use crate::budget::Budget;
use crate::covering::covered;
use crate::globs::Glob;
use crate::{Code, Linter, allows, github, services, who};

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
    if element.not {
        linter.find(
            Code::DenyWithNotPrincipal,
            element.position,
            "`NotPrincipal` spares a session only when its role and its account are listed too",
            "write \"Principal\": \"*\" and a condition on `aws:PrincipalArn` with `ArnNotLike`",
        );
        return;
    }
    let kind = linter.document.kind();
    if kind == DocumentKind::Trust {
        trust_actions(linter, statement, element);
    }
    if !allows(statement) || kind == DocumentKind::ResourceControl {
        return;
    }
    // Asked once of a statement, however many principals it lists.
    let mut known_by = None;
    let mut bound_to_source = None;
    let mut issuers = HashMap::new();
    for entry in &element.entries {
        match entry.kind {
            PrincipalType::Everyone | PrincipalType::Aws
                if &*entry.text.value == "*"
                    && !*known_by.get_or_insert_with(|| who::is_told(statement)) =>
            {
                everyone(linter, statement, entry);
            }
            PrincipalType::Service
                if kind != DocumentKind::Trust
                    && !*bound_to_source.get_or_insert_with(|| who::is_source_told(statement)) =>
            {
                service(linter, entry);
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

/// Whether the condition limits anything: it needs the key, and does not take every value.
pub(super) fn limits(entry: &ConditionEntry) -> bool {
    who::needs(entry).is_some() && !entry.values.iter().any(|value| is_open(&value.value))
}

fn everyone(linter: &mut Linter<'_>, statement: &Statement, entry: &PrincipalEntry) {
    let conditional = match statement.conditions.is_empty() {
        true => "",
        false => "; its conditions do not limit who",
    };
    match linter.document.kind() {
        DocumentKind::Trust => linter.find(
            Code::TrustPolicyOpenToEveryone,
            entry.text.position,
            format!("anyone, of any account, may assume the role{conditional}"),
            "name the accounts, users or roles, or add a condition on `aws:PrincipalOrgID` or `aws:PrincipalArn`",
        ),
        _ => linter.find(
            Code::PrincipalStarWithoutCondition,
            entry.text.position,
            format!("anyone, of any account, is allowed{conditional}"),
            "name the accounts, users or roles, or add a condition on `aws:PrincipalOrgID` or `aws:PrincipalArn`",
        ),
    }
}

fn service(linter: &mut Linter<'_>, entry: &PrincipalEntry) {
    linter.find(
        Code::RestrictAccessToServicePrincipal,
        entry.text.position,
        format!("`{}` acts for any account: a stranger can have it use this permission", entry.text.value),
        "add a condition on `aws:SourceArn`, `aws:SourceAccount`, `aws:SourceOrgID` or `aws:SourceOrgPaths`",
    );
}

/// The provider's name ahead of a claim: of `arn:…:oidc-provider/host/path` what follows.
fn issuer(provider: &str) -> Option<&str> {
    match provider.split_once(":oidc-provider/") {
        Some((_, issuer)) => Some(issuer),
        None if provider.starts_with("arn:") => None,
        None => Some(provider),
    }
}

/// The claims that say which identities of a provider are meant.
const IDENTITY: [&str; 8] = [
    "sub", "aud", "oaud", "app_id", "id", "user_id", "amr", "email",
];

/// What a statement asks of the identities of one provider.
enum Claims {
    Limited,
    Open,
    /// GitHub's: which repositories it lets in.
    GitHub(github::Repositories),
}

impl Claims {
    fn of(statement: &Statement, issuer: &str, budget: &Budget) -> Claims {
        if issuer == github::ISSUER {
            return Claims::GitHub(github::repositories(statement));
        }
        // Of a provider that all the world shares IAM asks for one claim, and others do not do.
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
            claim.is_some_and(|claim| IDENTITY.contains(&claim)) && limits(entry)
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
            format!("every identity of `{issuer}` may assume the role"),
            match providers::keys(issuer) {
                Some(keys) => format!("add a condition on `{}`", keys.join("` or `")),
                None => format!("add a condition on `{issuer}:sub` or `{issuer}:aud`"),
            },
        ),
    }
}

/// STS API Reference: which credential each variant of AssumeRole takes.
fn trust_actions(linter: &mut Linter<'_>, statement: &Statement, element: &PrincipalElement) {
    let patterns: Vec<Glob> = statement
        .action
        .values
        .iter()
        .map(|text| Glob::folded(&text.value))
        .collect();
    // In the order of their credentials: a principal of AWS, of SAML, of OIDC.
    let assumes = [
        "sts:AssumeRole",
        "sts:AssumeRoleWithSAML",
        "sts:AssumeRoleWithWebIdentity",
    ];
    let may = assumes.map(|action| {
        let action = action.to_ascii_lowercase();
        patterns.iter().any(|pattern| pattern.matches(&action))
    });
    // Only about `sts:TagSession` and its like.
    if may == [false; 3] {
        return;
    }
    for entry in &element.entries {
        let text = &*entry.text.value;
        let wanted = match entry.kind {
            PrincipalType::Federated if text.contains(":saml-provider/") => 1,
            PrincipalType::Federated => 2,
            // Identity providers are matched by name only.
            PrincipalType::Everyone | PrincipalType::Aws | PrincipalType::Service => 0,
            PrincipalType::CanonicalUser => continue,
        };
        if !may[wanted] {
            let wanted = assumes[wanted];
            linter.find(
                Code::MismatchedActionForPrincipal,
                entry.text.position,
                format!("`{text}` assumes roles by `{wanted}`, which the statement does not list"),
                format!("write \"Action\": \"{wanted}\""),
            );
        }
    }
}

/// Row 16: a policy shows the bare ID once its user or role is gone.
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
            format!(
                "`{text}` is the ID of a {what}, which a policy shows when the {what} was deleted"
            ),
            format!("write the ARN of a {what} that exists, or leave it out"),
        );
    }
}

/// An account in both of its forms is one.
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
            format!("`{}` is covered by `{}` beside it", text.value, other.value),
            "leave it out",
        );
    }
}
