//! The hosts of registries: parsing and building, in one place.
//!
//! | form | source |
//! |---|---|
//! | `<account>.dkr.ecr.<region>.amazonaws.com`, `….amazonaws.com.cn` | ECR User Guide, "Amazon ECR private registry" |
//! | `<account>.dkr.ecr-fips.<region>.amazonaws.com` | the same, FIPS endpoints |
//! | `<account>.dkr-ecr.<region>.on.aws`, `….on.amazonwebservices.com.cn` | "Making requests to Amazon ECR registries", dual stack |
//! | `<account>.dkr-ecr-fips.<region>.on.aws` | the same, FIPS endpoints |
//!
//! Any other domain works as AWS's do, so that a server has these names below its own domain.

use aws_types::{AccountId, Region};

/// A registry: whose, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RegistryId {
    /// The account that owns it.
    pub(crate) account: AccountId,
    /// Its region.
    pub(crate) region: Region,
}

/// What a host names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RegistryHost<'a> {
    /// A registry.
    Named(NamedRegistry<'a>),
    /// Nothing: an address, or a name of another form. It stands for the default registry.
    Other,
    /// A host in a registry's form that names no account or region. It must never stand for the
    /// default registry, whose images would then be served under another account's name.
    Malformed,
}

/// A host that names a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedRegistry<'a> {
    pub(crate) id: RegistryId,
    /// `dkr.ecr` and its variants.
    endpoint: &'static str,
    /// What follows the region, and the port with its colon.
    domain: &'a str,
}

/// The endpoints' labels.
const ENDPOINTS: [&str; 4] = ["dkr.ecr", "dkr.ecr-fips", "dkr-ecr", "dkr-ecr-fips"];

/// AWS's domains: what follows the region, whose first label is no region itself.
const AWS_DOMAINS: [&str; 5] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "on.aws",
    "on.amazonwebservices.com.cn",
];

/// Parses a host, with or without a port. Letter case does not matter (RFC 9110, section 4.2.3), and
/// a trailing dot makes a name absolute (RFC 1034, section 3.1).
pub(crate) fn parse(host: &str) -> RegistryHost<'_> {
    let (name, _) = split_port(host);
    let lower = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    if !looks_like_registry(&lower) {
        return RegistryHost::Other;
    }
    let named = || {
        let (account, rest) = lower.split_once('.')?;
        let account: AccountId = account.parse().ok()?;
        let endpoint = ENDPOINTS.into_iter().find(|endpoint| {
            rest.strip_prefix(endpoint)
                .is_some_and(|rest| rest.starts_with('.'))
        })?;
        let rest = rest.get(endpoint.len() + 1..)?;
        if AWS_DOMAINS.contains(&rest) {
            return None;
        }
        let (region, domain) = rest.split_once('.')?;
        let region: Region = region.parse().ok()?;
        if domain.split('.').any(str::is_empty) {
            return None;
        }
        // Lower case has the same length, so the domain's start is the same in the host.
        let domain = host.get(lower.len() - domain.len()..)?;
        Some(NamedRegistry {
            id: RegistryId { account, region },
            endpoint,
            domain,
        })
    };
    named().map_or(RegistryHost::Malformed, RegistryHost::Named)
}

impl NamedRegistry<'_> {
    /// What follows the region, and the port with its colon.
    pub(crate) fn domain(&self) -> &str {
        self.domain
    }

    /// The host of another registry of the same server.
    pub(crate) fn sibling(&self, account: &AccountId, region: &Region) -> String {
        format!("{account}.{}.{region}.{}", self.endpoint, self.domain)
    }
}

/// The host of a registry below `domain` (which may have a port).
pub(crate) fn build(account: &AccountId, region: &Region, domain: &str) -> String {
    format!("{account}.{}.{region}.{domain}", ENDPOINTS[0])
}

/// The host's name, and its port with the colon.
pub(crate) fn split_port(host: &str) -> (&str, &str) {
    match host.rfind(':') {
        Some(at) if host[at + 1..].bytes().all(|b| b.is_ascii_digit()) => host.split_at(at),
        _ => (host, ""),
    }
}

/// Whether a host is meant to be a registry's: a `dkr` label, or an account id in front of an `ecr`
/// label.
fn looks_like_registry(name: &str) -> bool {
    let labels = || name.split('.');
    let is_dkr = |label: &str| label == "dkr" || label.starts_with("dkr-");
    let is_ecr = |label: &str| label == "ecr" || label.starts_with("ecr-");
    let numeric = labels()
        .next()
        .is_some_and(|first| !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit()));
    labels().any(is_dkr) || (numeric && labels().any(is_ecr))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_account_and_region_in_every_form() {
        for host in [
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com",
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com.",
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com.cn",
            "111122223333.dkr.ecr-fips.eu-west-1.amazonaws.com:443",
            "111122223333.dkr-ecr.eu-west-1.on.aws",
            "111122223333.dkr-ecr-fips.eu-west-1.on.aws",
            "111122223333.dkr-ecr.eu-west-1.on.amazonwebservices.com.cn",
            "111122223333.dkr.ecr.eu-west-1.localhost:5000",
            "111122223333.DKR.Ecr.EU-WEST-1.registry.Example.com",
        ] {
            let RegistryHost::Named(named) = parse(host) else {
                panic!("{host}");
            };
            assert_eq!(named.id.account.as_str(), "111122223333", "{host}");
            assert_eq!(named.id.region.as_str(), "eu-west-1", "{host}");
        }
    }

    #[test]
    fn refuses_what_only_looks_like_a_registry() {
        for host in [
            "11112222333.dkr.ecr.eu-west-1.amazonaws.com",
            "111122223333.dkr.ecr.eu-west-1",
            "111122223333.dkr.ecr.eu-west-1.",
            "111122223333.dkr.ecr.eu-west-1..com",
            "111122223333.dkr.ecr.amazonaws.com",
            "111122223333.dkr.ecr.EU_1.amazonaws.com",
            "111122223333.dkr.s3.eu-west-1.amazonaws.com",
            "111122223333.dkr.ecr-test.eu-west-1.amazonaws.com",
            "111122223333.dkr-ecr-test.eu-west-1.on.aws",
            "111122223333.dkr-ecr.on.aws",
            "111122223333.ecr.eu-west-1.amazonaws.com",
            "x.111122223333.dkr.ecr.eu-west-1.amazonaws.com",
            "dkr.ecr.eu-west-1.amazonaws.com",
            "dkr-ecr.eu-west-1.on.aws:5000",
        ] {
            assert_eq!(parse(host), RegistryHost::Malformed, "{host}");
        }
    }

    #[test]
    fn leaves_other_hosts_to_the_default() {
        for host in [
            "",
            "localhost:5000",
            "127.0.0.1:5000",
            "[::1]:5000",
            "registry.example.com",
            "api.ecr.us-east-1.amazonaws.com",
            "ecr.us-east-1.api.aws",
            "111122223333.example.com",
        ] {
            assert_eq!(parse(host), RegistryHost::Other, "{host}");
        }
    }

    #[test]
    fn builds_what_it_parses() {
        let region: Region = "eu-west-1".parse().unwrap();
        let other = "444455556666".parse().unwrap();
        for (host, sibling) in [
            (
                "111122223333.dkr-ecr.us-east-1.on.aws:8443",
                "444455556666.dkr-ecr.eu-west-1.on.aws:8443",
            ),
            (
                "111122223333.dkr.ecr.us-east-1.example.com",
                "444455556666.dkr.ecr.eu-west-1.example.com",
            ),
        ] {
            let RegistryHost::Named(named) = parse(host) else {
                panic!("{host}");
            };
            assert_eq!(named.sibling(&other, &region), sibling);
        }
        let built = build(&other, &region, "localhost:5000");
        assert!(matches!(parse(&built), RegistryHost::Named(named) if named.id.account == other));
    }
}
