//! What the authorization door asks of a repository.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_api::{AccountId, Region};
use policy::{Document, DocumentKind, PolicyRef, PolicySet};
use store::ecr::{repository, repository_tag};

use crate::{Call, Error, Place, Registry};

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

    /// For messages about images that were not found.
    pub(crate) fn no_image(&self, digest: Option<&str>, tag: Option<&str>) -> Error {
        Error::ImageNotFound {
            digest: digest.map(str::to_owned),
            tag: tag.map(str::to_owned),
            place: self.place(),
        }
    }
}

/// A repository's ARN.
pub(crate) fn arn(account: &AccountId, region: &Region, name: &str) -> String {
    format!("arn:aws:ecr:{region}:{account}:repository/{name}")
}

impl Registry {
    /// The repository's facts; `None` when there is no such repository. From memory
    /// when it was asked for before.
    ///
    /// # Errors
    /// The store's.
    pub async fn repository_facts(
        &self,
        account: &AccountId,
        region: &Region,
        name: &str,
    ) -> Result<Option<Arc<RepositoryFacts>>, Error> {
        self.refresh();
        if let Some(facts) = self.0.cache.repository(account, region, name) {
            return Ok(Some(facts));
        }
        let ticket = self.0.cache.ticket();
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let Some(row) = repository::find(conn, account.as_str(), region.as_str(), name).await?
        else {
            return Ok(None);
        };
        let tags = repository_tag::list(conn, row.id).await?;
        drop(read);
        let arn: Arc<str> = arn(account, region, name).into();
        let policy = row
            .policy
            .as_deref()
            .map(|text| compile(text, &arn))
            .transpose()?;
        let facts = Arc::new(RepositoryFacts {
            id: row.id,
            account: *account,
            region: region.clone(),
            name: name.into(),
            arn,
            policy: policy.map(Arc::new),
            tags: Arc::new(tags.into_iter().collect()),
        });
        self.0.cache.put_repository(ticket, &facts);
        Ok(Some(facts))
    }

    /// As [`Registry::repository_facts`], for who cannot go on without.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], and the store's.
    pub async fn repository(
        &self,
        account: &AccountId,
        region: &Region,
        name: &str,
    ) -> Result<Arc<RepositoryFacts>, Error> {
        let facts = self.repository_facts(account, region, name).await?;
        facts.ok_or_else(|| {
            Error::RepositoryNotFound(Place {
                repository: name.to_owned(),
                registry_id: *account,
            })
        })
    }

    /// The repository that an ECR request names.
    pub(crate) async fn target(
        &self,
        cx: &Call,
        registry_id: Option<&String>,
        name: &str,
    ) -> Result<Arc<RepositoryFacts>, Error> {
        let account = registry_account(cx, registry_id)?;
        self.repository(&account, &cx.region, name).await
    }
}

/// The account that `registryId` names, or the caller's.
pub(crate) fn registry_account(
    cx: &Call,
    registry_id: Option<&String>,
) -> Result<AccountId, Error> {
    match registry_id {
        None => Ok(cx.account),
        Some(id) => id.parse().map_err(|_| {
            Error::parameter("registryId", "must satisfy regular expression '[0-9]{12}'")
        }),
    }
}

/// A stored policy, ready to decide. One that does not parse lets nobody in: the
/// request fails rather than being decided without it.
fn compile(text: &str, arn: &Arc<str>) -> Result<PolicySet, Error> {
    let document = Document::parse(text, DocumentKind::EcrRepository).map_err(Error::internal)?;
    let name = PolicyRef::new(DocumentKind::EcrRepository, arn.clone());
    Ok(PolicySet::compile([(name, &document)]))
}
