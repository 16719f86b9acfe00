//! Rules (ECR API Reference, `CreatePullThroughCacheRule`).

use serde::{Deserialize, Serialize};
use store::ecr::pull_through;

use crate::Error;
use crate::pull_through_options::{FurtherUpstream, RuleOptions, UpstreamTls};

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
    /// `upstreamRepositoryPrefix`, as it was written. Answers leave it out where it was not, and the rule is
    /// then for the whole upstream: [`PullThroughRule::upstream_prefix`].
    #[serde(default, rename = "upstream_prefix")]
    pub written_upstream_prefix: Option<String>,
    /// `upstreamRegistry`.
    #[serde(default)]
    pub upstream_registry: Option<String>,
    /// The secret with user name and access token.
    #[serde(default)]
    pub credential_arn: Option<String>,
    /// The role by which an ECR is asked.
    #[serde(default)]
    pub custom_role_arn: Option<String>,
    /// What is set beside the rule.
    #[serde(skip)]
    pub options: RuleOptions,
    /// Milliseconds since the epoch.
    #[serde(skip)]
    pub created_at: i64,
    /// Milliseconds since the epoch.
    #[serde(skip)]
    pub updated_at: i64,
}

/// An upstream of a rule: its own, or a further one.
#[derive(Clone, Copy, Debug)]
pub struct RuleUpstream<'a> {
    /// A host, perhaps with a port; `http://` before it for one without TLS.
    pub url: &'a str,
    prefix: &'a str,
    /// The secret with its credentials.
    pub credential_arn: Option<&'a str>,
    /// The role by which an ECR is asked.
    pub custom_role_arn: Option<&'a str>,
    /// Its certificates.
    pub tls: &'a UpstreamTls,
}

impl<'a> RuleUpstream<'a> {
    /// The upstream's host, perhaps with a port.
    #[must_use]
    pub fn host(&self) -> &'a str {
        self.url.strip_prefix("http://").unwrap_or(self.url)
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn base(&self) -> String {
        match self.url.starts_with("http://") {
            true => self.url.to_owned(),
            false => format!("https://{}", self.url),
        }
    }

    /// The repository's name at the upstream, for what follows the rule's prefix in its name here.
    fn repository(&self, rest: &str) -> String {
        match key(self.prefix) {
            ROOT => rest.to_owned(),
            upstream => format!("{upstream}/{rest}"),
        }
    }
}

impl<'a> From<&'a FurtherUpstream> for RuleUpstream<'a> {
    fn from(further: &'a FurtherUpstream) -> RuleUpstream<'a> {
        RuleUpstream {
            url: &further.url,
            prefix: &further.prefix,
            credential_arn: further.credential_arn.as_deref(),
            custom_role_arn: further.custom_role_arn.as_deref(),
            tls: &further.tls,
        }
    }
}

/// A prefix without a slash at its end: "There is always an assumed / applied to the end of the prefix".
pub(crate) fn key(prefix: &str) -> &str {
    prefix.strip_suffix('/').unwrap_or(prefix)
}

impl PullThroughRule {
    pub(crate) fn stored(row: &pull_through::PullThroughRule) -> Result<PullThroughRule, Error> {
        let mut rule: PullThroughRule =
            serde_json::from_str(&row.settings).map_err(Error::internal)?;
        rule.options = RuleOptions::stored(row.options.as_deref())?;
        rule.created_at = row.created_at;
        rule.updated_at = row.updated_at;
        Ok(rule)
    }

    pub(crate) fn row(&self) -> Result<pull_through::PullThroughRule, Error> {
        Ok(pull_through::PullThroughRule {
            prefix: key(&self.prefix).to_owned(),
            settings: serde_json::to_string(self).map_err(Error::internal)?,
            options: None,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }

    /// The bytes on the heap, for a cache that is bounded in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        let optional = [
            &self.written_upstream_prefix,
            &self.upstream_registry,
            &self.credential_arn,
            &self.custom_role_arn,
        ];
        let optional = optional.into_iter().flatten().map(String::len);
        self.prefix.len()
            + self.upstream_url.len()
            + optional.sum::<usize>()
            + self.options.heap_bytes()
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

    /// What follows the rule's prefix in a repository's name.
    fn rest<'a>(&self, name: &'a str) -> Option<&'a str> {
        self.rank(name)?;
        match key(&self.prefix) {
            ROOT => Some(name),
            prefix => name.strip_prefix(prefix)?.strip_prefix('/'),
        }
    }

    /// The prefix at the upstream. "By default, it's set to `ROOT`" (ECR user guide, "Customizing repository
    /// prefixes for ECR to ECR pull through cache").
    #[must_use]
    pub fn upstream_prefix(&self) -> &str {
        self.written_upstream_prefix.as_deref().unwrap_or(ROOT)
    }

    /// The rule's own upstream.
    #[must_use]
    pub fn upstream(&self) -> RuleUpstream<'_> {
        RuleUpstream {
            url: &self.upstream_url,
            prefix: self.upstream_prefix(),
            credential_arn: self.credential_arn.as_deref(),
            custom_role_arn: self.custom_role_arn.as_deref(),
            tls: &self.options.tls,
        }
    }

    /// All upstreams, in the order in which they are asked.
    pub fn upstreams(&self) -> impl Iterator<Item = RuleUpstream<'_>> {
        let further = self.options.upstreams.iter().map(RuleUpstream::from);
        std::iter::once(self.upstream()).chain(further)
    }

    /// All upstreams with the name there of a repository here; nothing where the rule is not for it.
    pub fn upstream_repositories<'a>(
        &'a self,
        name: &'a str,
    ) -> impl Iterator<Item = (RuleUpstream<'a>, String)> {
        let rest = self.rest(name);
        self.upstreams()
            .filter_map(move |upstream| Some((upstream, upstream.repository(rest?))))
    }

    /// When rule and options were last changed.
    #[must_use]
    pub fn version(&self) -> (i64, Option<i64>) {
        (self.updated_at, self.options.updated_at)
    }

    /// The name here of a repository at the upstream.
    fn local_name(&self, upstream: &str) -> Option<String> {
        let rest = match key(self.upstream_prefix()) {
            ROOT => upstream,
            prefix => upstream.strip_prefix(prefix)?.strip_prefix('/')?,
        };
        Some(match key(&self.prefix) {
            ROOT => rest.to_owned(),
            prefix => format!("{prefix}/{rest}"),
        })
    }

    /// The own upstream's host, perhaps with a port.
    #[must_use]
    pub fn host(&self) -> &str {
        self.upstream().host()
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
            written_upstream_prefix: Some(upstream.to_owned()),
            upstream_registry: None,
            credential_arn: None,
            custom_role_arn: None,
            options: RuleOptions::default(),
            created_at: 0,
            updated_at: 0,
        })
    }

    fn repository(rule: &PullThroughRule, name: &str) -> Option<String> {
        let mut all = rule.upstream_repositories(name);
        all.next().map(|(_, repository)| repository)
    }

    #[test]
    fn further_upstreams_have_prefixes_of_their_own() {
        let mut rule = PullThroughRule::clone(&rule("hub", "team", "a"));
        rule.options.upstreams = vec![FurtherUpstream {
            url: "http://b:5000".to_owned(),
            prefix: "mirror/hub".to_owned(),
            ..FurtherUpstream::default()
        }];
        let all = rule.upstream_repositories("hub/app");
        let all: Vec<_> = all
            .map(|(upstream, name)| (upstream.base(), name))
            .collect();
        let texts = |base: &str, name: &str| (base.to_owned(), name.to_owned());
        assert_eq!(
            all,
            [
                texts("https://a", "team/app"),
                texts("http://b:5000", "mirror/hub/app")
            ]
        );
        assert_eq!(rule.upstream_repositories("other/app").count(), 0);
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
                repository(&rule, name).as_deref(),
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
