//! Who: trust policies and resource policies that let in more than is meant.

use crate::compiled::is_account_id;
use crate::document::{
    ConditionEntry, DocumentKind, PrincipalElement, PrincipalEntry, PrincipalType, Statement,
};
use crate::operator::{Operator, Quantifier};

use super::globs::Glob;
use super::values::{covered, pairs};
use super::{Code, Linter, allows};

/// Keys that say who calls, or from where; with one of them `*` is not everyone.
/// UG reference_policies_condition-keys, "Properties of the principal" and of the network.
const WHO: [&str; 21] = [
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principaltag/",
    "aws:principaltype",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:principalisawsservice",
    "aws:sourceip",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourcevpcarn",
    "aws:vpcsourceip",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:userid",
    "aws:username",
];

pub(super) fn check(linter: &mut Linter<'_>, statement: &Statement) {
    let Some(element) = &statement.principal else {
        return;
    };
    redundant(linter, element);
    deleted(linter, element);
    if element.not {
        linter.find(
            Code::DenyWithNotPrincipal,
            element.position,
            "`NotPrincipal` spares a session only when its role and its account are listed too",
            "write \"Principal\": \"*\" and a condition on `aws:PrincipalArn` with `ArnNotLike`",
        );
        return;
    }
    let kind = linter.document.kind;
    if kind == DocumentKind::Trust {
        trust_actions(linter, statement, element);
    }
    if !allows(statement) || kind == DocumentKind::ResourceControl {
        return;
    }
    for entry in &element.entries {
        match entry.kind {
            PrincipalType::Everyone | PrincipalType::Aws if &*entry.text.value == "*" => {
                everyone(linter, statement, entry);
            }
            PrincipalType::Service if kind != DocumentKind::Trust => {
                service(linter, statement, entry);
            }
            PrincipalType::Federated => provider(linter, statement, entry),
            _ => {}
        }
    }
}

/// Whether the condition limits anything: it needs the key, and does not take every value.
fn limits(entry: &ConditionEntry) -> bool {
    let open = |text: &str| !text.is_empty() && text.bytes().all(|b| matches!(b, b'*' | b'?'));
    Operator::parse(&entry.operator.value).is_some_and(|operator| {
        !operator.negated
            && !operator.if_exists
            && operator.quantifier != Quantifier::ForAllValues
            && operator.test != crate::operator::Test::Null
            && !entry.values.iter().any(|value| open(&value.value))
    })
}

fn is_limited_by(statement: &Statement, keys: &[&str]) -> bool {
    statement.conditions.iter().any(|entry| {
        let key = entry.key.value.to_ascii_lowercase();
        let same = |known: &&str| match known.ends_with('/') {
            true => key.starts_with(*known),
            false => key == *known,
        };
        keys.iter().any(same) && limits(entry)
    })
}

fn everyone(linter: &mut Linter<'_>, statement: &Statement, entry: &PrincipalEntry) {
    if is_limited_by(statement, &WHO) {
        return;
    }
    let conditional = match statement.conditions.is_empty() {
        true => "",
        false => "; its conditions do not limit who",
    };
    match linter.document.kind {
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

fn service(linter: &mut Linter<'_>, statement: &Statement, entry: &PrincipalEntry) {
    let source = [
        "aws:sourcearn",
        "aws:sourceaccount",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
    ];
    if !is_limited_by(statement, &source) {
        linter.find(
            Code::RestrictAccessToServicePrincipal,
            entry.text.position,
            format!("`{}` acts for any account: a stranger can have it use this permission", entry.text.value),
            "add a condition on `aws:SourceArn`, `aws:SourceAccount`, `aws:SourceOrgID` or `aws:SourceOrgPaths`",
        );
    }
}

/// The provider's name ahead of a claim: of `arn:…:oidc-provider/host/path` what follows.
fn issuer(provider: &str) -> Option<&str> {
    match provider.split_once(":oidc-provider/") {
        Some((_, issuer)) => Some(issuer),
        None if provider.starts_with("arn:") => None,
        None => Some(provider),
    }
}

fn provider(linter: &mut Linter<'_>, statement: &Statement, entry: &PrincipalEntry) {
    let Some(issuer) = issuer(&entry.text.value) else {
        return;
    };
    let issuer = issuer.to_ascii_lowercase();
    let claims = |names: &[&str]| -> Vec<String> {
        names
            .iter()
            .map(|name| format!("{issuer}:{name}"))
            .collect()
    };
    let limited = |names: &[&str]| {
        let keys = claims(names);
        is_limited_by(
            statement,
            &keys.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    };
    if issuer == "token.actions.githubusercontent.com" {
        // `repo:*` is every repository too.
        let named = statement.conditions.iter().any(|condition| {
            let key = condition.key.value.to_ascii_lowercase();
            let any = ["repo:*", "repo:*/*", "repo:*/*:*", "repo:*:*"];
            claims(&[
                "sub",
                "job_workflow_ref",
                "repository",
                "repository_id",
                "repository_owner_id",
                "repository_owner",
            ])
            .contains(&key)
                && limits(condition)
                && !condition
                    .values
                    .iter()
                    .any(|value| any.contains(&&*value.value))
        });
        if !named {
            linter.find(
                Code::MissingGithubRepoConditionKey,
                entry.text.position,
                "workflows of every repository on GitHub may assume the role",
                format!("add a condition on `{issuer}:sub`, such as `repo:owner/name:ref:refs/heads/main`"),
            );
        }
    } else if !limited(&[
        "sub", "aud", "oaud", "app_id", "id", "user_id", "amr", "email",
    ]) {
        linter.find(
            Code::MissingConditionKeyForOidcPrincipal,
            entry.text.position,
            format!("every identity of `{issuer}` may assume the role"),
            format!("add a condition on `{issuer}:sub` or `{issuer}:aud`"),
        );
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
    let may = |action: &str| patterns.iter().any(|pattern| pattern.matches(action));
    for entry in &element.entries {
        let text = &*entry.text.value;
        let wanted = match entry.kind {
            PrincipalType::Federated if text.contains(":saml-provider/") => {
                "sts:AssumeRoleWithSAML"
            }
            PrincipalType::Federated => "sts:AssumeRoleWithWebIdentity",
            // Identity providers are matched by name only.
            PrincipalType::Everyone | PrincipalType::Aws | PrincipalType::Service => {
                "sts:AssumeRole"
            }
            PrincipalType::CanonicalUser => continue,
        };
        let assumes = [
            "sts:assumerole",
            "sts:assumerolewithsaml",
            "sts:assumerolewithwebidentity",
        ];
        // Only about `sts:TagSession` and its like.
        let names_any = assumes.iter().any(|action| may(action));
        if names_any && !may(&wanted.to_ascii_lowercase()) {
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
    let aws =
        |entry: &PrincipalEntry| matches!(entry.kind, PrincipalType::Aws | PrincipalType::Everyone);
    let covers = pairs(&element.entries, |a, b| {
        let star = &*a.text.value == "*" && aws(a) && aws(b);
        star || a.kind == b.kind && same(&a.text.value) == same(&b.text.value)
    });
    for (entry, other) in covered(&element.entries, &covers) {
        linter.find(
            Code::RedundantPrincipal,
            entry.text.position,
            format!(
                "`{}` is covered by `{}` beside it",
                entry.text.value, other.text.value
            ),
            "leave it out",
        );
    }
}
