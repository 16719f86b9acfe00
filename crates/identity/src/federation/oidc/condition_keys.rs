//! The condition keys that a token's claims become (IAM User Guide, "Available keys for AWS OIDC
//! federation"; rows O5, O6 and O7 of the tests).

use std::collections::BTreeMap;

use super::claims::{ClaimError, Claims};

/// Keys with their values, by the claim's name in the key.
pub(super) type Values = BTreeMap<String, Value>;

/// The value of a condition key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Of a single-valued key.
    One(String),
    /// Of a multivalued key.
    Many(Vec<String>),
}

/// Claims that AWS knows of one issuer only.
struct Issuer {
    /// Whether it is this issuer's URL, without the scheme.
    is: fn(&str) -> bool,
    /// The claims, as the token and the key name them.
    claims: &'static [(&'static str, &'static str)],
}

/// `same!["a", "b"]`: claims that have the same name in the key.
macro_rules! same {
    ($($name:literal),* $(,)?) => { &[$(($name, $name)),*] };
}

const ISSUERS: &[Issuer] = &[
    Issuer {
        // An enterprise's issuer is a path below.
        is: |issuer| {
            let rest = issuer.strip_prefix("token.actions.githubusercontent.com");
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        },
        claims: same![
            "actor",
            "actor_id",
            "job_workflow_ref",
            "repository",
            "repository_id",
            "repository_owner_id",
            "workflow",
            "ref",
            "environment",
            "enterprise_id",
        ],
    },
    Issuer {
        is: |issuer| issuer == "gitlab.com",
        claims: same![
            "namespace_id",
            "project_id",
            "user_id",
            "user_login",
            "user_email",
            "user_access_level",
            "ref_protected",
            "pipeline_source",
            "runner_environment",
        ],
    },
    Issuer {
        is: |issuer| issuer == "agent.buildkite.com",
        claims: same![
            "organization_slug",
            "organization_id",
            "pipeline_slug",
            "pipeline_id",
            "cluster_name",
            "cluster_id",
            "build_branch",
        ],
    },
    Issuer {
        is: |issuer| {
            let organization = issuer.strip_prefix("oidc.circleci.com/org/");
            organization.is_some_and(|id| !id.is_empty() && !id.contains('/'))
        },
        claims: same!["oidc.circleci.com/project-id"],
    },
    Issuer {
        is: |issuer| issuer == "accounts.google.com",
        claims: &[("google", "google/organization_number")],
    },
    Issuer {
        is: |issuer| {
            let host = issuer.split('/').next().unwrap_or_default();
            host.starts_with("identity.") && host.ends_with(".oraclecloud.com")
        },
        claims: same!["rpst_id"],
    },
];

/// Names that are ours: a further claim never replaces one of them.
const OWN: [&str; 6] = ["amr", "aud", "azp", "email", "oaud", "sub"];

/// The keys of a trust policy's evaluation, without the issuer before the colon. `audience` is the value
/// that was checked against the provider's client ids. `further` are claims that the provider's settings
/// name; AWS ignores them.
///
/// # Errors
/// [`ClaimError::Invalid`] for a value that is too long.
pub(super) fn of(
    issuer: &str,
    claims: &Claims,
    audience: &str,
    further: &[String],
) -> Result<Values, ClaimError> {
    let mut values = Values::new();
    let mut one = |name: &str, value: &str| {
        values.insert(name.to_owned(), Value::One(value.to_owned()));
    };
    one("aud", audience);
    one("sub", &claims.subject);
    if let Some(email) = &claims.email {
        one("email", email);
    }
    // With `azp`, `oaud` is what the token has as `aud`. Several audiences without `azp` are not on
    // AWS's page: `aud` is the registered one.
    match &claims.audiences[..] {
        [only] => one("oaud", only),
        several => {
            values.insert("oaud".to_owned(), Value::Many(several.to_vec()));
        }
    }
    if !claims.methods.is_empty() {
        values.insert("amr".to_owned(), Value::Many(claims.methods.clone()));
    }
    for known in ISSUERS.iter().filter(|known| (known.is)(issuer)) {
        for (claim, key) in known.claims {
            let value = match *claim {
                "google" => claims.within("google", "organization_number"),
                claim => claims.other(claim)?,
            };
            if let Some(value) = value {
                values.insert((*key).to_owned(), Value::One(value));
            }
        }
    }
    for name in further.iter().filter(|name| !OWN.contains(&name.as_str())) {
        let value = claims.named(name);
        let value =
            value.map_err(|()| ClaimError::Invalid("a claim of the provider's settings"))?;
        if let Some(value) = value {
            values.entry(name.clone()).or_insert(Value::One(value));
        }
    }
    Ok(values)
}

/// Whether the key stays in the session: `amr`, `aud` and `sub` (IAM User Guide, "AWS OIDC federation":
/// "available in the role session").
pub(super) fn stays(name: &str) -> bool {
    matches!(name, "amr" | "aud" | "sub")
}
