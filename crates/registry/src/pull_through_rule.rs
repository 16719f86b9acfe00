//! Rules (ECR API Reference, `CreatePullThroughCacheRule`).

use serde::{Deserialize, Serialize};
use store::ecr::pull_through;

use crate::Error;

/// Rules of a registry (ECR user guide, "Amazon ECR service quotas").
pub(crate) const RULES_MAX: usize = 50;
/// The prefix of all repositories that no other rule is for.
pub(crate) const ROOT: &str = "ROOT";

/// A rule: repositories below a prefix cache those of an upstream registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullThroughRule {
    /// `ecrRepositoryPrefix`, as it was written.
    pub prefix: String,
    /// `upstreamRegistryUrl`: a host, perhaps with a port; `http://` before it for one without TLS.
    pub upstream_url: String,
    /// `upstreamRepositoryPrefix`.
    pub upstream_prefix: String,
    /// `upstreamRegistry`.
    #[serde(default)]
    pub upstream_registry: Option<String>,
    /// The secret with user name and access token.
    #[serde(default)]
    pub credential_arn: Option<String>,
    /// The role by which an ECR is asked.
    #[serde(default)]
    pub custom_role_arn: Option<String>,
    /// Milliseconds since the epoch.
    #[serde(skip)]
    pub created_at: i64,
    /// Milliseconds since the epoch.
    #[serde(skip)]
    pub updated_at: i64,
}

/// A prefix without a slash at its end: "There is always an assumed / applied to the end of the prefix".
pub(crate) fn key(prefix: &str) -> &str {
    prefix.strip_suffix('/').unwrap_or(prefix)
}

impl PullThroughRule {
    pub(crate) fn stored(row: &pull_through::PullThroughRule) -> Result<PullThroughRule, Error> {
        let mut rule: PullThroughRule =
            serde_json::from_str(&row.settings).map_err(Error::internal)?;
        rule.created_at = row.created_at;
        rule.updated_at = row.updated_at;
        Ok(rule)
    }

    pub(crate) fn row(&self) -> Result<pull_through::PullThroughRule, Error> {
        Ok(pull_through::PullThroughRule {
            prefix: key(&self.prefix).to_owned(),
            settings: serde_json::to_string(self).map_err(Error::internal)?,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }

    /// The bytes on the heap, for a cache that is bounded in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        let optional = [
            &self.upstream_registry,
            &self.credential_arn,
            &self.custom_role_arn,
        ];
        let optional = optional.into_iter().flatten().map(String::len);
        self.prefix.len()
            + self.upstream_url.len()
            + self.upstream_prefix.len()
            + optional.sum::<usize>()
            + size_of::<PullThroughRule>()
    }

    /// How specific the rule is for a repository of this name; `None` where it is not for it.
    fn rank(&self, name: &str) -> Option<usize> {
        let prefix = key(&self.prefix);
        if prefix == ROOT {
            return Some(0);
        }
        let rest = name.strip_prefix(prefix)?;
        (rest.starts_with('/') && rest.len() > 1).then_some(prefix.len())
    }

    /// The repository's name at the upstream.
    #[must_use]
    pub fn upstream_name(&self, name: &str) -> Option<String> {
        self.rank(name)?;
        let prefix = key(&self.prefix);
        let rest = match prefix == ROOT {
            true => name,
            false => name.strip_prefix(prefix)?.strip_prefix('/')?,
        };
        Some(match key(&self.upstream_prefix) {
            ROOT => rest.to_owned(),
            upstream => format!("{upstream}/{rest}"),
        })
    }

    /// The name here of a repository at the upstream.
    fn local_name(&self, upstream: &str) -> Option<String> {
        let rest = match key(&self.upstream_prefix) {
            ROOT => upstream,
            prefix => upstream.strip_prefix(prefix)?.strip_prefix('/')?,
        };
        Some(match key(&self.prefix) {
            ROOT => rest.to_owned(),
            prefix => format!("{prefix}/{rest}"),
        })
    }

    /// The upstream's host, perhaps with a port.
    #[must_use]
    pub fn host(&self) -> &str {
        let url = &self.upstream_url;
        url.strip_prefix("http://").unwrap_or(url)
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn base(&self) -> String {
        match self.upstream_url.starts_with("http://") {
            true => self.upstream_url.clone(),
            false => format!("https://{}", self.upstream_url),
        }
    }
}

/// The rule for a repository: the one with the longest prefix.
pub(crate) fn matching<'a>(
    rules: &'a [std::sync::Arc<PullThroughRule>],
    name: &str,
) -> Option<&'a std::sync::Arc<PullThroughRule>> {
    let ranked = rules
        .iter()
        .filter_map(|rule| Some((rule.rank(name)?, rule)));
    ranked.max_by_key(|(rank, _)| *rank).map(|(_, rule)| rule)
}

/// The repository here that caches `name` of the registry `host`, for requests of a mirror's client: containerd
/// sends the registry's name as `ns` (containerd, "Registry Configuration", "Registry Host Namespace").
pub(crate) fn mirrored(
    rules: &[std::sync::Arc<PullThroughRule>],
    host: &str,
    name: &str,
) -> Option<String> {
    // Docker Hub's name is not its host.
    let host = match host {
        "docker.io" | "index.docker.io" => "registry-1.docker.io",
        other => other,
    };
    let mut names: Vec<_> = rules
        .iter()
        .filter(|rule| rule.host() == host)
        .filter_map(|rule| rule.local_name(name))
        .collect();
    names.sort_by_key(String::len);
    names.into_iter().next()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn rule(prefix: &str, upstream: &str, host: &str) -> Arc<PullThroughRule> {
        Arc::new(PullThroughRule {
            prefix: prefix.to_owned(),
            upstream_url: host.to_owned(),
            upstream_prefix: upstream.to_owned(),
            upstream_registry: None,
            credential_arn: None,
            custom_role_arn: None,
            created_at: 0,
            updated_at: 0,
        })
    }

    #[test]
    fn p1_prefixes_name_repositories_at_the_upstream() {
        for (prefix, upstream, name, expected) in [
            ("hub", "ROOT", "hub/library/alpine", Some("library/alpine")),
            ("my-app", "upstream-app", "my-app/x", Some("upstream-app/x")),
            (
                "my-app/",
                "upstream-app/",
                "my-app/x/y",
                Some("upstream-app/x/y"),
            ),
            ("ROOT", "ROOT", "a/b", Some("a/b")),
            ("hub", "ROOT", "hubs/alpine", None),
            ("hub", "ROOT", "hub", None),
            ("hub", "ROOT", "other/alpine", None),
        ] {
            let rule = rule(prefix, upstream, "h");
            assert_eq!(
                rule.upstream_name(name).as_deref(),
                expected,
                "{prefix} {name}"
            );
        }
    }

    #[test]
    fn p1_the_longest_prefix_wins() {
        let rules = [
            rule("ROOT", "ROOT", "a"),
            rule("hub", "ROOT", "b"),
            rule("hub/x", "ROOT", "c"),
        ];
        let host = |name| matching(&rules, name).map(|rule| rule.host().to_owned());
        assert_eq!(host("hub/x/y").as_deref(), Some("c"));
        assert_eq!(host("hub/y").as_deref(), Some("b"));
        assert_eq!(host("other").as_deref(), Some("a"));
        assert_eq!(matching(&rules[1..], "other"), None);
    }

    #[test]
    fn mirrors_are_found_by_the_upstream_s_name() {
        let rules = [
            rule("hub", "ROOT", "registry-1.docker.io"),
            rule("quay", "team", "quay.io"),
            rule("lab", "ROOT", "http://127.0.0.1:5001"),
        ];
        for (host, name, expected) in [
            ("docker.io", "library/alpine", Some("hub/library/alpine")),
            ("quay.io", "team/app", Some("quay/app")),
            ("quay.io", "other/app", None),
            ("127.0.0.1:5001", "app", Some("lab/app")),
            ("ghcr.io", "app", None),
        ] {
            assert_eq!(
                mirrored(&rules, host, name).as_deref(),
                expected,
                "{host}/{name}"
            );
        }
    }
}
