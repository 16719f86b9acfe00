//! Repository creation templates: which one a new repository follows (ECR user guide, "Templates to control
//! repositories created during a pull through cache, create on push, or replication action").

use std::collections::BTreeMap;

use aws_api::ecr::{
    CreateRepositoryRequest, EncryptionConfiguration, EncryptionType, ImageTagMutability,
    RCTAppliedFor, Tag,
};
use aws_types::{AccountId, Region};
use serde::{Deserialize, Serialize};
use store::ecr::repository_template::{self, RepositoryTemplate};

use crate::mutability::Mutability;
use crate::{Authorized, Error, Registry};

/// The prefix of the template for all repositories that no other one is for.
pub(crate) const ROOT: &str = "ROOT";
/// Templates of a registry. All of them are read when a push names a repository that is not there.
pub(crate) const TEMPLATES_MAX: u32 = 500;

/// What a template says of repositories.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Template {
    /// As it was written: perhaps with a slash at its end.
    pub(crate) prefix: String,
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// Names of [`RCTAppliedFor`].
    pub(crate) applied_for: Vec<String>,
    /// The name of an [`ImageTagMutability`].
    pub(crate) tag_mutability: String,
    /// One filter a line.
    #[serde(default)]
    pub(crate) tag_mutability_exclusions: String,
    /// Principals as unique ids.
    #[serde(default)]
    pub(crate) repository_policy: Option<String>,
    #[serde(default)]
    pub(crate) resource_tags: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) lifecycle_policy: Option<String>,
    #[serde(default)]
    pub(crate) custom_role_arn: Option<String>,
    /// Whether its repositories are encrypted under a key.
    #[serde(default)]
    pub(crate) is_kms: bool,
    /// The key's ARN; without one, `alias/aws/ecr` is meant.
    #[serde(default)]
    pub(crate) kms_key: Option<String>,
}

/// A repository that a template says how to create.
#[derive(Debug)]
pub struct TemplatedRepository {
    /// What it is created with.
    pub request: CreateRepositoryRequest,
    /// The repository policy, principals as unique ids.
    pub(crate) policy: Option<String>,
    /// The lifecycle policy.
    pub(crate) lifecycle_policy: Option<String>,
    /// Whether the template names a role.
    pub(crate) has_role: bool,
    /// The template's prefix.
    pub(crate) prefix: String,
}

impl TemplatedRepository {
    /// One with the defaults.
    pub(crate) fn plain(account: &AccountId, name: &str) -> Self {
        TemplatedRepository {
            request: CreateRepositoryRequest {
                registry_id: Some(account.to_string()),
                repository_name: name.to_owned(),
                ..CreateRepositoryRequest::default()
            },
            policy: None,
            lifecycle_policy: None,
            has_role: false,
            prefix: String::new(),
        }
    }
}

impl Template {
    /// From its row.
    pub(crate) fn stored(row: &RepositoryTemplate) -> Result<Template, Error> {
        serde_json::from_str(&row.settings).map_err(Error::internal)
    }

    /// The text to store.
    pub(crate) fn text(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(Error::internal)
    }

    /// The prefix without a slash at its end. "There is always an assumed / applied to the end of the
    /// prefix" (ECR API, `CreateRepositoryCreationTemplate`).
    pub(crate) fn key(prefix: &str) -> &str {
        prefix.strip_suffix('/').unwrap_or(prefix)
    }

    /// How specific the template is for a repository of this name; `None` where it is not for it.
    fn rank(&self, name: &str) -> Option<usize> {
        let prefix = Template::key(&self.prefix);
        if prefix == ROOT {
            return Some(0);
        }
        let rest = name.strip_prefix(prefix)?;
        rest.starts_with('/').then_some(prefix.len())
    }

    fn is_for(&self, scenario: RCTAppliedFor) -> bool {
        self.applied_for.iter().any(|one| one == scenario.as_str())
    }

    /// The mutability of its repositories.
    pub(crate) fn mutability(&self) -> Result<Mutability, Error> {
        let kind: ImageTagMutability = self.tag_mutability.parse().map_err(Error::internal)?;
        Ok(Mutability::of_lines(kind, &self.tag_mutability_exclusions))
    }

    pub(crate) fn tags(&self) -> Option<Vec<Tag>> {
        let tag = |(key, value): (&String, &String)| Tag {
            key: key.clone(),
            value: value.clone(),
        };
        let tags: Vec<_> = self.resource_tags.iter().map(tag).collect();
        (!tags.is_empty()).then_some(tags)
    }
}

/// The template that is for a repository of this name: of those for the scenario, the one with the longest
/// prefix. (AWS's documents do not say whether a longer prefix for other scenarios hides it.)
fn matching(
    templates: impl Iterator<Item = Template>,
    name: &str,
    scenario: RCTAppliedFor,
) -> Option<Template> {
    let ranked = templates
        .filter(|template| template.is_for(scenario))
        .filter_map(|template| Some((template.rank(name)?, template)));
    ranked
        .max_by_key(|(rank, _)| *rank)
        .map(|(_, template)| template)
}

impl Registry {
    /// How a push creates the repository `name`, which is not there; `None` where no template says so: then
    /// a push creates nothing.
    ///
    /// # Errors
    /// The store's.
    pub async fn repository_on_push(
        &self,
        _: &Authorized,
        account: &AccountId,
        region: &Region,
        name: &str,
    ) -> Result<Option<TemplatedRepository>, Error> {
        let scenario = RCTAppliedFor::CreateOnPush;
        self.templated(account, region, name, scenario).await
    }

    /// How a pull creates the repository `name`, which caches an upstream: by its template, or with the defaults
    /// (ECR user guide, "Templates to control repositories created during a pull through cache").
    ///
    /// # Errors
    /// The store's.
    pub async fn repository_on_pull(
        &self,
        _: &Authorized,
        account: &AccountId,
        region: &Region,
        name: &str,
    ) -> Result<TemplatedRepository, Error> {
        let scenario = RCTAppliedFor::PullThroughCache;
        let found = self.templated(account, region, name, scenario).await?;
        Ok(found.unwrap_or_else(|| TemplatedRepository::plain(account, name)))
    }

    /// How a repository of this name is created in a scenario; `None` where no template says so.
    pub(crate) async fn templated(
        &self,
        account: &AccountId,
        region: &Region,
        name: &str,
        scenario: RCTAppliedFor,
    ) -> Result<Option<TemplatedRepository>, Error> {
        let rows = {
            let mut read = self.0.store.read().await?;
            let (account, all) = (account.as_str(), i64::from(TEMPLATES_MAX));
            repository_template::list(&mut read.conn(), account, region.as_str(), "", all).await?
        };
        let templates: Vec<_> = rows
            .iter()
            .map(Template::stored)
            .collect::<Result<_, _>>()?;
        let Some(template) = matching(templates.into_iter(), name, scenario) else {
            return Ok(None);
        };
        let mutability = template.mutability()?;
        let tags = template.tags();
        Ok(Some(TemplatedRepository {
            request: CreateRepositoryRequest {
                registry_id: Some(account.to_string()),
                repository_name: name.to_owned(),
                tags,
                encryption_configuration: template.is_kms.then(|| EncryptionConfiguration {
                    encryption_type: EncryptionType::Kms,
                    kms_key: template.kms_key.clone(),
                }),
                image_tag_mutability: Some(mutability.kind),
                image_tag_mutability_exclusion_filters: mutability.filters(),
                ..CreateRepositoryRequest::default()
            },
            policy: template.repository_policy,
            lifecycle_policy: template.lifecycle_policy,
            has_role: template.custom_role_arn.is_some(),
            prefix: template.prefix,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(prefix: &str, scenarios: &[RCTAppliedFor]) -> Template {
        Template {
            prefix: prefix.to_owned(),
            applied_for: scenarios
                .iter()
                .map(|one| one.as_str().to_owned())
                .collect(),
            ..Template::default()
        }
    }

    #[test]
    fn the_longest_prefix_of_the_scenario_wins() {
        use RCTAppliedFor::{CreateOnPush, Replication};
        let all = [
            template("ROOT", &[CreateOnPush, Replication]),
            template("prod", &[CreateOnPush]),
            template("prod/team/", &[CreateOnPush]),
            template("prod/team/x", &[Replication]),
        ];
        let chosen = |name: &str, scenario| {
            let found = matching(all.iter().cloned(), name, scenario);
            found.map(|template| template.prefix)
        };
        for (name, prefix) in [
            ("app", "ROOT"),
            ("prod", "ROOT"),
            ("production/a", "ROOT"),
            ("prod/a", "prod"),
            ("prod/team", "prod"),
            ("prod/team/a", "prod/team/"),
            ("prod/team/x/a", "prod/team/"),
        ] {
            assert_eq!(
                chosen(name, CreateOnPush).as_deref(),
                Some(prefix),
                "{name}"
            );
        }
        assert_eq!(chosen("prod/a", Replication).as_deref(), Some("ROOT"));
        assert_eq!(chosen("prod/a", RCTAppliedFor::PullThroughCache), None);
    }
}
