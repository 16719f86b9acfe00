//! Which rule is for a repository. These look-ups come before a decision, so they take no proof of one.

use std::sync::Arc;

use aws_types::{AccountId, Region};

use crate::pull_through_rule::{PullThroughRule, matching, mirrored};
use crate::{Error, Registry};

impl Registry {
    /// The rule that is for a repository, from memory when it was asked for before.
    ///
    /// # Errors
    /// The store's.
    pub async fn pull_through_rule(
        &self,
        account: &AccountId,
        region: &Region,
        name: &str,
    ) -> Result<Option<Arc<PullThroughRule>>, Error> {
        let facts = self.registry_facts(account, region).await?;
        Ok(matching(&facts.rules, name).cloned())
    }

    /// The repository that caches `name` of the registry `host`.
    ///
    /// # Errors
    /// The store's.
    pub async fn mirrored_repository(
        &self,
        account: &AccountId,
        region: &Region,
        host: &str,
        name: &str,
    ) -> Result<Option<String>, Error> {
        let facts = self.registry_facts(account, region).await?;
        Ok(mirrored(&facts.rules, host, name))
    }
}
