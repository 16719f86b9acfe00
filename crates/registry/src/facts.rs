//! What the authorization door asks of a repository.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_api::{AccountId, Region};
use policy::PolicySet;

use crate::Place;

/// A repository as a request meets it: who it is, and what decides about access.
#[derive(Clone, Debug)]
pub struct RepositoryFacts {
    /// The row's id. Never used twice: a deleted and created repository is another.
    pub id: i64,
    /// The account that it belongs to.
    pub account: AccountId,
    /// Its region.
    pub region: Region,
    /// Its name.
    pub name: Arc<str>,
    /// `arn:aws:ecr:<region>:<account>:repository/<name>`.
    pub arn: Arc<str>,
    /// The repository policy, compiled; principals are unique ids in it.
    pub policy: Option<Arc<PolicySet>>,
    /// Resource tags (`aws:ResourceTag/…`, `ecr:ResourceTag/…`).
    pub tags: Arc<BTreeMap<String, String>>,
}

impl RepositoryFacts {
    pub(crate) fn place(&self) -> Place {
        Place {
            repository: self.name.to_string(),
            registry_id: self.account,
        }
    }
}
