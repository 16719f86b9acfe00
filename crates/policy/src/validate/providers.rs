//! Trust policies for identity providers that are shared by many customers: anyone can get a token from
//! them, and a claim tells whose it is. A trust policy without a condition on that claim trusts every
//! customer of the provider, so IAM does not store it.
//!
//! Sources: UG id_roles_providers_oidc_secure-by-default, "Identity-provider controls for shared OIDC
//! providers"; the messages are those that people report of IAM. IBM Turbonomic is left out: the page
//! says that its URLs change with its versions.

use crate::case_fold;
use crate::document::{ConditionEntry, PrincipalEntry, PrincipalType, Statement, StatementEffect};
use crate::error::{Violation, violation};
use crate::glob;
use crate::operator::{Operator, Quantifier, Test};

const COGNITO: &str = "cognito-identity.amazonaws.com";
pub const GITHUB: &str = "token.actions.githubusercontent.com";

/// The shared providers and the claims that tell whose a token is; a condition on one of them is
/// required. A name with a colon is a whole condition key.
const SHARED: [(&str, &[&str]); 16] = [
    (COGNITO, &["aud"]),
    (GITHUB, &["sub", "job_workflow_ref"]),
    ("agent.buildkite.com", &["sub"]),
    ("api.pulumi.com/oidc", &["aud"]),
    ("app.terraform.io", &["sub"]),
    ("gitlab.com", &["sub"]),
    (
        "oidc-configuration.audit-log.githubusercontent.com",
        &["sub"],
    ),
    ("oidc.codefresh.io", &["sub"]),
    ("oidc.vercel.com", &["aud"]),
    ("proidc.upbound.io", &["sub"]),
    ("sandboxes.cloud", &["aud"]),
    ("scalr.io", &["sub"]),
    ("studio.datachain.ai/api", &["sub"]),
    ("tokens.cloud.shisho.dev", &["sub"]),
    ("vstoken.actions.githubusercontent.com", &["sub"]),
    // Microsoft Sentinel: the session's name tells the workspace.
    (
        "sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d",
        &["sts:RoleSessionName"],
    ),
];

/// Checks a statement that lets providers' identities assume the role.
pub(super) fn check(statement: &Statement) -> Result<(), Violation> {
    let Some(element) = &statement.principal else {
        return Ok(());
    };
    if statement.effect == StatementEffect::Deny || element.not {
        return Ok(());
    }
    let providers = element
        .entries
        .iter()
        .filter(|entry| entry.kind == PrincipalType::Federated);
    for entry in providers {
        let Some(keys) = keys(&entry.text.value) else {
            continue;
        };
        if !statement
            .conditions
            .iter()
            .any(|condition| is_scoped(condition, &keys))
        {
            return Err(unscoped(entry, statement, &keys));
        }
    }
    Ok(())
}

/// The condition keys of which one must be scoped, when the provider is a shared one.
pub fn keys(principal: &str) -> Option<Vec<String>> {
    let issuer = match principal.split_once(":oidc-provider/") {
        Some((_, issuer)) => issuer,
        None => principal,
    };
    let lower = issuer.to_ascii_lowercase();
    // An enterprise's issuer at GitHub is a path below the shared one, and treated alike.
    let is_known = |known: &str| {
        let rest = lower.strip_prefix(known);
        rest.is_some_and(|rest| rest.is_empty() || known == GITHUB && rest.starts_with('/'))
    };
    let (_, claims) = SHARED.iter().find(|(known, _)| is_known(known))?;
    let key = |claim: &&str| match claim.contains(':') {
        true => (*claim).to_owned(),
        false => format!("{issuer}:{claim}"),
    };
    Some(claims.iter().map(key).collect())
}

/// Whether a condition takes some values of one of the keys, and not all. A list in which one value is
/// `*` takes all, and IAM takes an empty value for none. `ForAllValues` and `…IfExists` hold without the
/// key, so they scope nothing.
pub fn is_scoped(condition: &ConditionEntry, keys: &[String]) -> bool {
    let operator = Operator::parse(&condition.operator.value).filter(|operator| {
        let test = matches!(
            operator.test,
            Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike
        );
        let vacuous = operator.if_exists || operator.quantifier == Quantifier::ForAllValues;
        test && !operator.negated && !vacuous
    });
    let key = case_fold::key(&condition.key.value);
    operator.is_some()
        && keys.iter().any(|known| case_fold::key(known) == key)
        && !condition
            .values
            .iter()
            .any(|value| value.value.is_empty() || glob::is_open(&value.value))
}

fn unscoped(entry: &PrincipalEntry, statement: &Statement, keys: &[String]) -> Violation {
    let principal = &entry.text.value;
    let message = if &**principal == COGNITO && statement.conditions.is_empty() {
        "A condition block must be present for the Cognito provider".to_owned()
    } else {
        format!(
            "Trust policy with trusted principal {principal} must evaluate, using StringEquals, \
             StringLike or StringEqualsIgnoreCase, {} which is not scoped to all.",
            keys.join(" or ")
        )
    };
    let detail = format!(
        "anyone can get a token from this provider; add a condition on `{}`",
        keys[0]
    );
    violation(message, detail, entry.text.position)
}
