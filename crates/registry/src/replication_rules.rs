//! The replication configuration of a registry.

use aws_api::ecr::{
    DeleteReplication, ReplicationConfiguration, ReplicationDestination, ReplicationRule,
    RepositoryFilter, RepositoryFilterType,
};
use aws_types::{AccountId, Region};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::tag_pattern::Pattern;

/// The name of its row. No account setting has it.
pub(crate) const SETTING: &str = "replication-configuration";
/// The name of the row with the limits by tags.
pub(crate) const TAGS_SETTING: &str = "replication-tag-filters";
/// Destinations of all rules together (ECR user guide, "Private image replication in Amazon ECR").
const DESTINATIONS_MAX: usize = 25;
/// What begins the names of the regions of other partitions.
const OTHER_PARTITIONS: [&str; 4] = ["cn-", "us-gov-", "us-iso", "eusc-"];

/// A registry that images are replicated to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Destination {
    pub(crate) account: String,
    pub(crate) region: String,
}

impl Destination {
    /// As the tables name it.
    pub(crate) fn word(&self) -> String {
        format!("{} {}", self.account, self.region)
    }

    /// For an answer.
    pub(crate) fn shown(&self) -> ReplicationDestination {
        ReplicationDestination {
            region: self.region.clone(),
            registry_id: self.account.clone(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Rule {
    destinations: Vec<Destination>,
    /// `None`: all repositories.
    filters: Option<Vec<String>>,
    /// As it was given.
    deletes: Option<bool>,
}

impl Rule {
    /// "A repository name prefix": a plain one, also within a path's part.
    fn is_for(&self, name: &str) -> bool {
        match &self.filters {
            None => true,
            Some(filters) => filters.iter().any(|filter| name.starts_with(filter)),
        }
    }
}

/// A replication configuration. Built only valid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReplicationRules {
    rules: Vec<Rule>,
    /// Limits by tags, by destination. They have a row of their own.
    #[serde(skip)]
    pub(crate) filters: Vec<TagFilter>,
}

/// Which tags are replicated to a destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TagFilter {
    /// As the tables name it.
    pub(crate) destination: String,
    /// One of them matches.
    pub(crate) patterns: Vec<String>,
}

impl TagFilter {
    /// From a request.
    pub(crate) fn asked(to: &Destination, patterns: Vec<String>) -> Result<Self, Error> {
        let is_valid = |text: &String| Pattern::new(text).is_some() && !text.contains(['\n', '\r']);
        match patterns.iter().all(is_valid) {
            true => Ok(TagFilter {
                destination: to.word(),
                patterns,
            }),
            false => Err(Error::parameter(
                "tagPatternList",
                "Invalid tag pattern provided. Total number of * must not exceed 4",
            )),
        }
    }

    /// Whether the tag is replicated.
    pub(crate) fn matches(&self, tag: &str) -> bool {
        let patterns = self.patterns.iter().filter_map(|text| Pattern::new(text));
        patterns.into_iter().any(|pattern| pattern.matches(tag))
    }
}

impl ReplicationRules {
    /// From a request for the registry of this account and region. Messages of refusals: badmintoncryer/cdk-preflight,
    /// `rules/ecr`, and moto's `ecr`.
    pub(crate) fn asked(
        config: ReplicationConfiguration,
        account: &AccountId,
        region: &Region,
        is_peer: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Self, Error> {
        let mut seen: Vec<Destination> = Vec::new();
        let mut rules = Vec::with_capacity(config.rules.len());
        for rule in config.rules {
            let mut destinations: Vec<Destination> = Vec::new();
            for asked in rule.destinations {
                // What only the peer knows, it decides: its regions, and its account of the same number.
                let named = format!("{} {}", asked.registry_id, asked.region);
                let is_peer = is_peer(&named);
                let one = match is_peer {
                    true => peer_destination(asked)?,
                    false => destination(AT, asked)?,
                };
                let is_source = one.account == account.as_str() && one.region == region.as_str();
                if is_source && !is_peer {
                    return Err(refused(
                        "Replication destination cannot be the same as the source registry",
                    ));
                }
                if !seen.contains(&one) {
                    seen.push(one.clone());
                }
                destinations.push(one);
            }
            let filters = rule.repository_filters.map(|filters| {
                let filters = filters.into_iter();
                filters.map(|filter| filter.filter).collect()
            });
            rules.push(Rule {
                destinations,
                filters,
                deletes: rule.delete_replication.map(|one| one.enabled),
            });
        }
        if seen.len() > DESTINATIONS_MAX {
            return Err(refused(&format!(
                "A replication configuration can have {DESTINATIONS_MAX} unique destinations at most"
            )));
        }
        Ok(ReplicationRules {
            rules,
            filters: Vec::new(),
        })
    }

    /// From the rows of a registry's settings.
    pub(crate) fn stored(rows: &[(String, String)]) -> Result<Self, Error> {
        let of = |wanted| rows.iter().find(|(name, _)| name == wanted);
        let rules = of(SETTING).map(|(_, text)| serde_json::from_str(text));
        let mut rules: ReplicationRules = rules
            .transpose()
            .map_err(Error::internal)?
            .unwrap_or_default();
        let filters = of(TAGS_SETTING).map(|(_, text)| serde_json::from_str(text));
        rules.filters = filters
            .transpose()
            .map_err(Error::internal)?
            .unwrap_or_default();
        Ok(rules)
    }

    /// The text to store.
    pub(crate) fn text(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(Error::internal)
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        let of_rule = |rule: &Rule| {
            let destinations = rule.destinations.iter();
            let destinations = destinations.map(|one| one.account.len() + one.region.len() + 48);
            let filters = rule.filters.iter().flatten();
            let filters = filters.map(|filter| filter.len() + size_of::<String>());
            size_of::<Rule>() + destinations.sum::<usize>() + filters.sum::<usize>()
        };
        let of_filter = |filter: &TagFilter| {
            let patterns = filter.patterns.iter().map(|text| text.len() + 24);
            size_of::<TagFilter>() + filter.destination.len() + patterns.sum::<usize>()
        };
        self.rules.iter().map(of_rule).sum::<usize>()
            + self.filters.iter().map(of_filter).sum::<usize>()
    }

    /// The limit by tags of a destination, as the tables name it.
    pub(crate) fn filter(&self, word: &str) -> Option<&TagFilter> {
        self.filters.iter().find(|one| one.destination == word)
    }

    /// Whether a rule names this destination, as the tables do.
    pub(crate) fn has_destination(&self, word: &str) -> bool {
        let mut all = self.rules.iter().flat_map(|rule| &rule.destinations);
        all.any(|one| one.word() == word)
    }

    /// Where changes of the repository of this name are repeated, each destination once: pushes, or deletions where
    /// a rule says so.
    pub(crate) fn destinations(&self, name: &str, deletions: bool) -> Vec<&Destination> {
        let mut found: Vec<&Destination> = Vec::new();
        for rule in &self.rules {
            if (deletions && rule.deletes != Some(true)) || !rule.is_for(name) {
                continue;
            }
            for one in &rule.destinations {
                if !found.contains(&one) {
                    found.push(one);
                }
            }
        }
        found
    }

    /// For an answer.
    pub(crate) fn shown(&self) -> ReplicationConfiguration {
        let rule = |rule: &Rule| ReplicationRule {
            destinations: rule.destinations.iter().map(Destination::shown).collect(),
            repository_filters: rule.filters.as_ref().map(|filters| {
                let filter = |filter: &String| RepositoryFilter {
                    filter: filter.clone(),
                    filter_type: RepositoryFilterType::PrefixMatch,
                };
                filters.iter().map(filter).collect()
            }),
            delete_replication: rule.deletes.map(|enabled| DeleteReplication { enabled }),
        };
        ReplicationConfiguration {
            rules: self.rules.iter().map(rule).collect(),
        }
    }
}

/// A destination in the member `at` of a request.
pub(crate) fn destination(
    at: &'static str,
    asked: ReplicationDestination,
) -> Result<Destination, Error> {
    let is_foreign = |one: &&str| asked.region.starts_with(one);
    if OTHER_PARTITIONS.iter().any(is_foreign) {
        let message = format!("Invalid region '{}'", asked.region);
        return Err(Error::parameter(at, message));
    }
    any_destination(at, asked)
}

/// A destination that a peer is, or may become.
pub(crate) fn peer_destination(asked: ReplicationDestination) -> Result<Destination, Error> {
    any_destination("region", asked)
}

fn any_destination(at: &'static str, asked: ReplicationDestination) -> Result<Destination, Error> {
    let region = asked.region;
    if region.parse::<Region>().is_err() {
        return Err(Error::parameter(at, format!("Invalid region '{region}'")));
    }
    if asked.registry_id.parse::<AccountId>().is_err() {
        let message = format!("Invalid registry id '{}'", asked.registry_id);
        return Err(Error::parameter(at, message));
    }
    Ok(Destination {
        account: asked.registry_id,
        region,
    })
}

/// The member of a request with the configuration.
const AT: &str = "replicationConfiguration";

fn refused(message: &str) -> Error {
    Error::parameter(AT, message)
}
