//! The registries that Amazon ECR names, and what it says of a rule that does not fit one. The messages are AWS's
//! (answers recorded in public issues and in cdk-preflight's rules). Another registry is any other host.

use aws_api::ecr::UpstreamRegistry;
use aws_types::Arn;

use crate::{Authorized, Error};

/// What a registry takes for a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Credential {
    /// None.
    Open,
    /// A secret with a user's name and access token.
    Secret,
    /// A role, or a secret with an access key: AWS reaches another account's registry by a role alone, which this
    /// server can only assume where the registry is its own.
    Role,
    /// A registry that AWS does not know: a secret, or none.
    Any,
}

/// What AWS knows of a host.
fn known(host: &str) -> (Credential, Option<UpstreamRegistry>) {
    use UpstreamRegistry as Registry;
    match host {
        "public.ecr.aws" => (Credential::Open, Some(Registry::EcrPublic)),
        "registry.k8s.io" => (Credential::Open, Some(Registry::K8s)),
        "quay.io" => (Credential::Open, Some(Registry::Quay)),
        "registry-1.docker.io" => (Credential::Secret, Some(Registry::DockerHub)),
        "ghcr.io" => (Credential::Secret, Some(Registry::GithubContainerRegistry)),
        "registry.gitlab.com" => (Credential::Secret, Some(Registry::GitlabContainerRegistry)),
        "cgr.dev" => (Credential::Secret, Some(Registry::Chainguard)),
        azure if azure.ends_with(".azurecr.io") => {
            (Credential::Secret, Some(Registry::AzureContainerRegistry))
        }
        ecr if is_ecr(ecr) => (Credential::Role, Some(Registry::Ecr)),
        _ => (Credential::Any, None),
    }
}

/// `<account>.dkr.ecr.<region>.amazonaws.com`.
fn is_ecr(host: &str) -> bool {
    let Some((account, rest)) = host.split_once(".dkr.ecr.") else {
        return false;
    };
    account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && rest.ends_with(".amazonaws.com")
}

/// A host, perhaps with a port, in lower case.
fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
        && name.len() <= 253
        && name.split('.').all(label)
}

/// Checks an upstream with its credentials (row P3) and completes `upstreamRegistry`. `own` is this registry's
/// host.
pub(crate) fn check(
    url: &str,
    registry: Option<UpstreamRegistry>,
    secret: bool,
    role: bool,
    own: &str,
) -> Result<Option<UpstreamRegistry>, Error> {
    let host = url.strip_prefix("http://").unwrap_or(url);
    if !is_host(host) {
        return Err(Error::InvalidUpstream(format!(
            "The upstream registry URL {url} is invalid. Specify a valid upstream registry URL and try again"
        )));
    }
    if host == own {
        return Err(Error::InvalidUpstream(
            "Upstream registry URL cannot be the same as the cache registry".to_owned(),
        ));
    }
    let (credential, named) = known(host);
    match credential {
        Credential::Open if secret => {
            return Err(Error::UnsupportedUpstreamRegistry(
                "The specified upstream registry doesn't require authentication".to_owned(),
            ));
        }
        Credential::Secret if !secret && !role => {
            return Err(Error::UnsupportedUpstreamRegistry(
                "The specified upstream registry requires authentication. Specify a valid Secrets Manager ARN \
                 containing the upstream registry credentials and try again."
                    .to_owned(),
            ));
        }
        Credential::Open | Credential::Secret if role => return Err(mismatch()),
        _ => {}
    }
    if credential == Credential::Secret && registry.is_some() && registry != named {
        return Err(Error::InvalidUpstream(
            "Upstream registry URL and entered upstream registry do not match".to_owned(),
        ));
    }
    Ok(named.or(registry))
}

fn mismatch() -> Error {
    Error::InvalidUpstream(
        "Upstream registry URL and provided credential type do not match".to_owned(),
    )
}

/// A secret is of the same account and region (ECR user guide, "Storing your upstream repository credentials":
/// "must be in the same account and Region as the pull through cache rule").
pub(crate) fn check_secret(cx: &Authorized, arn: Option<&str>) -> Result<(), Error> {
    let Some(arn) = arn else {
        return Ok(());
    };
    let parsed = arn.parse::<Arn>();
    let is_own = parsed.is_ok_and(|arn| {
        arn.account() == cx.account.as_str() && arn.region() == cx.region.as_str()
    });
    match is_own {
        true => Ok(()),
        false => Err(Error::UnableToAccessSecret(
            "The secret must be in the account and the Region of the pull through cache rule"
                .to_owned(),
        )),
    }
}

/// There is no rule with this prefix.
pub(crate) fn no_rule(cx: &Authorized, prefix: &str) -> Error {
    Error::PullThroughCacheRuleNotFound {
        prefix: prefix.to_owned(),
        registry_id: cx.account,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "123456789012.dkr.ecr.us-east-1.example.com";

    fn message(url: &str, registry: Option<UpstreamRegistry>, secret: bool, role: bool) -> String {
        check(url, registry, secret, role, OWN)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn p2_registries_that_aws_knows_and_others() {
        use UpstreamRegistry as Registry;
        let ecr = "999999999999.dkr.ecr.eu-west-1.amazonaws.com";
        for (url, secret, role, expected) in [
            ("public.ecr.aws", false, false, Some(Registry::EcrPublic)),
            ("registry.k8s.io", false, false, Some(Registry::K8s)),
            ("quay.io", false, false, Some(Registry::Quay)),
            (
                "registry-1.docker.io",
                true,
                false,
                Some(Registry::DockerHub),
            ),
            (
                "ghcr.io",
                true,
                false,
                Some(Registry::GithubContainerRegistry),
            ),
            (
                "registry.gitlab.com",
                true,
                false,
                Some(Registry::GitlabContainerRegistry),
            ),
            (
                "team.azurecr.io",
                true,
                false,
                Some(Registry::AzureContainerRegistry),
            ),
            ("cgr.dev", true, false, Some(Registry::Chainguard)),
            (ecr, false, true, Some(Registry::Ecr)),
            ("registry.example.com:5000", true, false, None),
            ("registry.example.com", false, false, None),
            ("http://127.0.0.1:5000", false, false, None),
        ] {
            assert_eq!(
                check(url, None, secret, role, OWN).unwrap(),
                expected,
                "{url}"
            );
        }
    }

    #[test]
    fn p3_refusals_are_in_aws_s_words() {
        for url in [
            "https://quay.io",
            "quay.io/x",
            "Quay.io",
            "",
            "a b",
            "quay.io:0",
            "http://http://a",
        ] {
            let expected = format!(
                "The upstream registry URL {url} is invalid. Specify a valid upstream registry URL and try again"
            );
            assert_eq!(message(url, None, false, false), expected);
        }
        assert!(message("ghcr.io", None, false, false).starts_with(
            "The specified upstream registry requires authentication. Specify a valid Secrets Manager ARN"
        ));
        assert_eq!(
            message("quay.io", None, true, false),
            "The specified upstream registry doesn't require authentication"
        );
        let type_mismatch = "Upstream registry URL and provided credential type do not match";
        assert_eq!(message("quay.io", None, false, true), type_mismatch);
        assert_eq!(message("ghcr.io", None, false, true), type_mismatch);
        assert_eq!(
            message("ghcr.io", Some(UpstreamRegistry::DockerHub), true, false),
            "Upstream registry URL and entered upstream registry do not match"
        );
        assert_eq!(
            message(OWN, None, false, true),
            "Upstream registry URL cannot be the same as the cache registry"
        );
    }
}
