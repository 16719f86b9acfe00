//! Looking up what the authorization step needs to know of a repository.
//!
//! These look-ups come before the decision, so they take no proof of one. Their answers are for the
//! authorization step and for functions that have a proof.

use std::sync::Arc;

use aws_types::{AccountId, Arn, Region};
use policy::{CompiledDocument, Document, DocumentKind, PolicyRef, PolicySet};
use store::ecr::{repository, repository_tag};

use crate::layer_keys::stored_key;
use crate::read_only;
use crate::{Authorized, Error, Registry, RepositoryFacts, RepositoryRef};

const KIND_REPOSITORY: DocumentKind = DocumentKind::EcrRepository;

/// A repository's ARN.
pub(crate) fn arn(account: &AccountId, region: &Region, name: &str) -> String {
    Arn::ecr_repository(region, *account, name).to_string()
}

/// The id of no row: ids begin at 1.
const NO_REPOSITORY: i64 = 0;

/// What the authorization step learns from looking a repository up.
#[derive(Clone, Debug)]
pub struct RepositoryLookup {
    /// The repository; `None` when there is none.
    pub repository: Option<Arc<RepositoryFacts>>,
    /// The resource's side of the decision: of a repository that does not exist, the registry's
    /// policy.
    pub policy: Option<Arc<PolicySet>>,
    /// Whether it was answered from memory. Only a repository that exists is.
    pub from_memory: bool,
}

impl Registry {
    /// Looks a repository up, from memory when it was asked for before. Else it runs the same
    /// queries whether the repository exists or not, so that the time of a denial does not tell
    /// which repositories another account has.
    ///
    /// # Errors
    /// The store's.
    pub async fn look_up(
        &self,
        account: &AccountId,
        region: &Region,
        name: &str,
    ) -> Result<RepositoryLookup, Error> {
        if let Some(facts) = self.0.cache.repository(account, region, name) {
            return Ok(RepositoryLookup {
                policy: facts.policy.clone(),
                repository: Some(facts),
                from_memory: true,
            });
        }
        // On the heap: a request that finds them in memory does not carry the room for this.
        Box::pin(self.load(account, region, name)).await
    }

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
        Ok(self.look_up(account, region, name).await?.repository)
    }

    async fn load(
        &self,
        account: &AccountId,
        region: &Region,
        name: &str,
    ) -> Result<RepositoryLookup, Error> {
        let ticket = self.0.cache.ticket();
        // Whether the repository exists makes no difference to this.
        let registry = self.registry_facts(account, region).await?;
        let Rows {
            repository: Some(row),
            tags,
        } = self.rows(account, region, name).await?
        else {
            return Ok(RepositoryLookup {
                repository: None,
                policy: registry.policy.as_ref().map(|policy| policy.set.clone()),
                from_memory: false,
            });
        };
        let arn: Arc<str> = arn(account, region, name).into();
        let read_only_mode = read_only::of_row(&row)?;
        let encryption = stored_key(row.kms_key.as_deref())?;
        let of_repository = row.policy.map(|text| read_policy(&text, KIND_REPOSITORY));
        let of_registry = registry
            .policy
            .as_ref()
            .map(|policy| policy.document.clone());
        let policies = [of_repository.transpose()?, of_registry];
        let policy = union(&arn, policies.into_iter().flatten());
        let facts = Arc::new(RepositoryFacts {
            id: row.id,
            account: *account,
            region: region.clone(),
            name: name.into(),
            arn,
            policy,
            tags: Arc::new(tags.into_iter().collect()),
            read_only_mode,
            encryption,
            registry,
        });
        self.0.cache.put_repository(ticket, &facts);
        Ok(RepositoryLookup {
            policy: facts.policy.clone(),
            repository: Some(facts),
            from_memory: false,
        })
    }

    /// The same queries for every repository, whether it exists or not.
    async fn rows(&self, account: &AccountId, region: &Region, name: &str) -> Result<Rows, Error> {
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let (account, region) = (account.as_str(), region.as_str());
        let repository = repository::find(conn, account, region, name).await?;
        let id = repository.as_ref().map_or(NO_REPOSITORY, |row| row.id);
        Ok(Rows {
            repository,
            tags: repository_tag::list(conn, id).await?,
        })
    }

    /// The registry policy, compiled: all that the resource's side says of a repository
    /// that is not there yet, and of a listing. From memory when it was asked for before.
    ///
    /// # Errors
    /// The store's.
    pub async fn registry_policy(
        &self,
        account: &AccountId,
        region: &Region,
    ) -> Result<Option<Arc<PolicySet>>, Error> {
        let facts = self.registry_facts(account, region).await?;
        Ok(facts.policy.as_ref().map(|policy| policy.set.clone()))
    }

    /// The identity and the registry's facts, for work that no policy decides on. It reads, so it comes before
    /// a transaction.
    pub(crate) async fn facts_of_row(
        &self,
        row: &store::ecr::repository::Repository,
    ) -> Result<RepositoryFacts, Error> {
        let mut facts = RepositoryFacts::of_row(row)?;
        facts.registry = self.registry_facts(&facts.account, &facts.region).await?;
        Ok(facts)
    }

    /// Runs the queries that memory saved [`Registry::look_up`], for the denial of a caller of another
    /// account: else a quick refusal would tell that the repository exists.
    ///
    /// # Errors
    /// The store's.
    pub async fn repeat_look_up(&self, known: &RepositoryFacts) -> Result<(), Error> {
        let rows = self.rows(&known.account, &known.region, &known.name).await;
        rows.map(drop)
    }

    /// As [`Registry::repository_facts`], for callers that need the repository.
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
            Error::RepositoryNotFound(RepositoryRef {
                repository: name.to_owned(),
                registry_id: *account,
            })
        })
    }

    /// The repository that an ECR request names.
    pub(crate) async fn target(
        &self,
        cx: &Authorized,
        registry_id: Option<&String>,
        name: &str,
    ) -> Result<Arc<RepositoryFacts>, Error> {
        let account = registry_account(cx.account, registry_id.map(String::as_str))?;
        self.repository(&account, &cx.region, name).await
    }
}

/// The account that `registryId` names, or the caller's.
///
/// # Errors
/// [`Error::InvalidParameter`] for a text that is no account id.
pub fn registry_account(caller: AccountId, registry_id: Option<&str>) -> Result<AccountId, Error> {
    match registry_id {
        None => Ok(caller),
        Some(id) => id.parse().map_err(|_| {
            Error::parameter("registryId", "must satisfy regular expression '[0-9]{12}'")
        }),
    }
}

/// What the database has about a repository.
struct Rows {
    repository: Option<repository::Repository>,
    tags: Vec<(String, String)>,
}

/// Compiles a stored policy. If one cannot be read, the request fails rather than being decided without
/// it. The rules for storing apply when a policy is stored: a later rule invalidates no stored policy.
pub(crate) fn read_policy(text: &str, kind: DocumentKind) -> Result<CompiledDocument, Error> {
    let document = Document::parse_language(text, kind).map_err(Error::internal)?;
    Ok(CompiledDocument::new(&document))
}

pub(crate) fn union(
    arn: &Arc<str>,
    documents: impl IntoIterator<Item = CompiledDocument>,
) -> Option<Arc<PolicySet>> {
    let named =
        |document: CompiledDocument| (PolicyRef::new(document.kind(), arn.clone()), document);
    let set = PolicySet::union(documents.into_iter().map(named));
    (!set.policies().is_empty()).then(|| Arc::new(set))
}
