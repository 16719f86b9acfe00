//! The replication configuration of a registry.

use aws_api::ecr::{
    DeleteReplication, ReplicationConfiguration, ReplicationDestination, ReplicationRule,
    RepositoryFilter, RepositoryFilterType,
};
use aws_types::{AccountId, Region};
use serde::{Deserialize, Serialize};

use crate::Error;

/// The name of its row. No account setting has it.
pub(crate) const SETTING: &str = "replication-configuration";
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
}

impl ReplicationRules {
    /// From a request for the registry of this account and region. Messages of refusals: badmintoncryer/cdk-preflight,
    /// `rules/ecr`, and moto's `ecr`.
    pub(crate) fn asked(
        config: ReplicationConfiguration,
        account: &AccountId,
        region: &Region,
    ) -> Result<Self, Error> {
        let mut seen: Vec<Destination> = Vec::new();
        let mut rules = Vec::with_capacity(config.rules.len());
        for rule in config.rules {
            let mut destinations: Vec<Destination> = Vec::new();
            for asked in rule.destinations {
                let one = destination(AT, asked)?;
                if one.account == account.as_str() && one.region == region.as_str() {
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
        Ok(ReplicationRules { rules })
    }

    /// From the rows of a registry's settings.
    pub(crate) fn stored(rows: &[(String, String)]) -> Result<Self, Error> {
        match rows.iter().find(|(name, _)| name == SETTING) {
            None => Ok(ReplicationRules::default()),
            Some((_, text)) => serde_json::from_str(text).map_err(Error::internal),
        }
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
        self.rules.iter().map(of_rule).sum()
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
    let region = asked.region;
    let is_foreign = OTHER_PARTITIONS.iter().any(|one| region.starts_with(one));
    if is_foreign || region.parse::<Region>().is_err() {
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
