//! A repository, as the authorization step and the domain know it.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_types::{AccountId, Arn, Region};
use policy::PolicySet;

use crate::layer_keys::{KeyId, stored_key};
use crate::read_only::{self, StoredMode};
use crate::registry_facts::RegistryFacts;
use crate::{Error, RepositoryRef};

/// What a message repeats of an upload's id that a client made up.
const SHOWN_ID_CHARS_MAX: usize = 100;

/// An account in a region, as the tables of searches and usage name it.
pub(crate) fn registry_of(account: &str, region: &str) -> String {
    format!("{account} {region}")
}

/// A repository as a request sees it: its identity, and what decides about access.
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
    /// The repository policy and the registry's, compiled together: both are the resource's
    /// side of a decision (user guide, "Private registry permissions"). Principals are
    /// unique ids in them.
    pub policy: Option<Arc<PolicySet>>,
    /// Resource tags (`aws:ResourceTag/…`, `ecr:ResourceTag/…`).
    pub tags: Arc<BTreeMap<String, String>>,
    /// Its read-only mode, where somebody changed it.
    pub read_only_mode: Option<Arc<StoredMode>>,
    /// The key that its layers are encrypted under.
    pub encryption: Option<KeyId>,
    /// The registry that it belongs to.
    pub(crate) registry: Arc<RegistryFacts>,
}

impl RepositoryFacts {
    /// The identity alone: for work that no policy decides on.
    pub(crate) fn of_row(row: &store::ecr::repository::Repository) -> Result<Self, Error> {
        let account: AccountId = row.account.parse().map_err(Error::internal)?;
        let region: Region = row.region.parse().map_err(Error::internal)?;
        let arn = Arn::ecr_repository(&region, account, &row.name).to_string();
        Ok(RepositoryFacts {
            id: row.id,
            account,
            region,
            name: row.name.as_str().into(),
            arn: arn.into(),
            policy: None,
            tags: Arc::default(),
            read_only_mode: read_only::of_row(row)?,
            encryption: stored_key(row.kms_key.as_deref())?,
            registry: Arc::default(),
        })
    }

    /// The message for those who want to change the repository; `None` where that is possible. Whoever
    /// changes a repository in the background asks this as well.
    #[must_use]
    pub fn read_only_refusal(&self) -> Option<String> {
        let mode = self.read_only_mode.as_ref()?;
        let place = self.place();
        let what = format!(
            "The repository with name '{}' in the registry with id '{}'",
            place.repository, place.registry_id
        );
        mode.enabled.then(|| mode.refusal(&what))
    }

    /// The bytes that the facts keep on the heap, for a cache that is bounded in bytes. The registry
    /// policy is counted with each repository.
    pub(crate) fn heap_bytes(&self) -> usize {
        // A tag's node in the map, and the overhead of its texts' blocks.
        const TAG_BYTES: usize = 150;
        let tags = self
            .tags
            .iter()
            .map(|(key, value)| key.len() + value.len() + TAG_BYTES);
        let policy = self.policy.as_ref().map_or(0, |policy| policy.heap_bytes());
        size_of::<RepositoryFacts>()
            + self.name.len()
            + self.arn.len()
            + tags.sum::<usize>()
            + policy
    }

    pub(crate) fn place(&self) -> RepositoryRef {
        RepositoryRef {
            repository: self.name.to_string(),
            registry_id: self.account,
        }
    }

    /// For messages about layers that were not found.
    pub(crate) fn no_layer(&self, digest: &str) -> Error {
        Error::LayerNotFound {
            digest: digest.to_owned(),
            place: self.place(),
        }
    }

    /// For messages about uploads that were not found, whatever the client called them.
    pub(crate) fn no_upload(&self, upload: &str) -> Error {
        Error::UploadNotFound {
            upload_id: upload.chars().take(SHOWN_ID_CHARS_MAX).collect(),
            place: self.place(),
        }
    }

    /// For messages about images that were not found.
    pub(crate) fn no_image(&self, digest: Option<&str>, tag: Option<&str>) -> Error {
        Error::ImageNotFound {
            digest: digest.map(str::to_owned),
            tag: tag.map(str::to_owned),
            place: self.place(),
        }
    }
}
