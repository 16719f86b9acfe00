//! Repositories and their settings.

use aws_api::ecr::{
    CreateRepositoryRequest, CreateRepositoryResponse, DeleteRepositoryRequest,
    DeleteRepositoryResponse, DescribeRepositoriesRequest, DescribeRepositoriesResponse,
    ImageScanningConfiguration, PutImageTagMutabilityRequest, PutImageTagMutabilityResponse,
    Repository,
};
use aws_types::{AccountId, Region};
use jiff::Timestamp;
use store::ecr::quota::REPOSITORIES;
use store::ecr::{repository, repository_tag};
use store::{Scope, kms};

use super::tags::{check_tags, merged};
use super::token;
use crate::cache::Change;
use crate::facts::{arn, registry_account};
use crate::layer_keys::{shown_encryption, stored_key};
use crate::mutability::Mutability;
use crate::{Authorized, Error, Registry, RepositoryFacts, RepositoryRef, check_repository_name};

/// The policies of a repository that is created.
#[derive(Default)]
pub(super) struct Policies {
    /// Its repository policy, principals as unique ids.
    pub(super) repository: Option<String>,
    /// Its lifecycle policy.
    pub(super) lifecycle: Option<String>,
}

impl Registry {
    /// `CreateRepository`.
    ///
    /// # Errors
    /// [`Error::RepositoryAlreadyExists`], [`Error::LimitExceeded`], and those of names,
    /// tags and settings.
    pub async fn create_repository(
        &self,
        cx: &Authorized,
        input: CreateRepositoryRequest,
    ) -> Result<CreateRepositoryResponse, Error> {
        self.create_with_policies(cx, input, Policies::default())
            .await
    }

    /// The same with policies that were checked.
    pub(super) async fn create_with_policies(
        &self,
        cx: &Authorized,
        input: CreateRepositoryRequest,
        policies: Policies,
    ) -> Result<CreateRepositoryResponse, Error> {
        let account = registry_account(cx.account, input.registry_id.as_deref())?;
        let name = input.repository_name;
        check_repository_name(&name).map_err(Error::InvalidRepositoryName)?;
        let encryption = input.encryption_configuration;
        let kms_key = self
            .asked_key(&account, &cx.region, encryption, cx.now_ms())
            .await?;
        let mutability = Mutability::asked(
            input.image_tag_mutability,
            input.image_tag_mutability_exclusion_filters,
        )?;
        let tags = merged([], input.tags.unwrap_or_default());
        check_tags(&tags)?;
        let scanning = input.image_scanning_configuration.unwrap_or_default();
        let new = repository::Repository {
            id: 0,
            account: account.to_string(),
            region: cx.region.to_string(),
            name,
            created_at: cx.now_ms(),
            tag_mutability: mutability.kind.as_str().to_owned(),
            tag_mutability_exclusions: mutability.filters_text(),
            scan_on_push: scanning.scan_on_push.unwrap_or(false),
            policy: policies.repository,
            image_count: 0,
            read_only_mode: None,
            kms_key,
        };
        let scope = Scope::Registry {
            account: &new.account,
            region: &new.region,
        };
        let quotas = self.account_quotas(account).await?;
        let mut tx = self.0.store.write(scope).await?;
        let max = quotas.value(REPOSITORIES, self.0.settings.limits.repositories_max);
        let conn = &mut tx.conn();
        if repository::find(conn, &new.account, &new.region, &new.name)
            .await?
            .is_some()
        {
            return Err(Error::RepositoryAlreadyExists(RepositoryRef {
                repository: new.name,
                registry_id: account,
            }));
        }
        if repository::count(conn, &new.account, &new.region)
            .await?
            .unsigned_abs()
            >= max
        {
            return Err(Error::TooManyRepositories {
                registry_id: account,
                max,
            });
        }
        if let Some(key) = stored_key(new.kms_key.as_deref())?
            && !kms::note_use(conn, &key.to_string(), cx.now_ms()).await?
        {
            return Err(Error::Kms(format!("Key '{key}' is not enabled.")));
        }
        let id = repository::insert(conn, &new).await?;
        for (key, value) in &tags {
            repository_tag::put(conn, id, key, value).await?;
        }
        if let Some(text) = &policies.lifecycle {
            self.store_lifecycle_policy(conn, id, text, cx.now_ms())
                .await?;
        }
        tx.commit().await?;
        Ok(CreateRepositoryResponse {
            repository: Some(self.describe(&new)?),
        })
    }

    /// `DescribeRepositories`, in the order of names.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`] for the first of `repositoryNames` that is missing.
    pub async fn describe_repositories(
        &self,
        cx: &Authorized,
        input: DescribeRepositoriesRequest,
    ) -> Result<DescribeRepositoriesResponse, Error> {
        let account = registry_account(cx.account, input.registry_id.as_deref())?;
        let (owner, region) = (account.as_str(), cx.region.as_str());
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        if let Some(names) = input.repository_names {
            let mut repositories = Vec::with_capacity(names.len());
            for name in names {
                match repository::find(conn, owner, region, &name).await? {
                    Some(row) => repositories.push(self.describe(&row)?),
                    None => {
                        return Err(Error::RepositoryNotFound(RepositoryRef {
                            repository: name,
                            registry_id: account,
                        }));
                    }
                }
            }
            return Ok(DescribeRepositoriesResponse {
                repositories: Some(repositories),
                next_token: None,
            });
        }
        let after = token::open(input.next_token.as_ref())?;
        let n = token::page_size(input.max_results);
        let mut rows = repository::list(conn, owner, region, &after, token::rows(n)).await?;
        let next_token = token::cut(&mut rows, n).map(|row| token::seal(&row.name));
        let repositories = rows
            .iter()
            .map(|row| self.describe(row))
            .collect::<Result<_, _>>()?;
        Ok(DescribeRepositoriesResponse {
            repositories: Some(repositories),
            next_token,
        })
    }

    /// `DeleteRepository`; with `force`, its images too.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::RepositoryNotEmpty`].
    pub async fn delete_repository(
        &self,
        cx: &Authorized,
        input: DeleteRepositoryRequest,
    ) -> Result<DeleteRepositoryResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let mut tx = self.write(repo.id).await?;
        let row = row_of(&mut tx, &repo).await?;
        if row.image_count > 0 && input.force != Some(true) {
            return Err(Error::RepositoryNotEmpty(repo.place()));
        }
        repository::delete(&mut tx.conn(), repo.id).await?;
        self.commit(tx, &[Change::RepositoryContents(repo.id)])
            .await?;
        // Of a deleted repository ECR shows six members (recorded answers: radkawar/stackd,
        // `testdata/aws/ecr`).
        let described = self.describe(&row)?;
        Ok(DeleteRepositoryResponse {
            repository: Some(Repository {
                image_tag_mutability_exclusion_filters: None,
                image_scanning_configuration: None,
                encryption_configuration: None,
                ..described
            }),
        })
    }

    /// `PutImageTagMutability`.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::InvalidParameter`].
    pub async fn put_image_tag_mutability(
        &self,
        cx: &Authorized,
        input: PutImageTagMutabilityRequest,
    ) -> Result<PutImageTagMutabilityResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let mutability = Mutability::asked(
            Some(input.image_tag_mutability),
            input.image_tag_mutability_exclusion_filters,
        )?;
        let (kind, filters) = (mutability.kind.as_str(), mutability.filters_text());
        let mut tx = self.write(repo.id).await?;
        if !repository::set_tag_mutability(&mut tx.conn(), repo.id, kind, &filters).await? {
            return Err(Error::RepositoryNotFound(repo.place()));
        }
        // Pushes read the setting in their own transaction, so no cache holds it.
        tx.commit().await?;
        Ok(PutImageTagMutabilityResponse {
            registry_id: Some(repo.account.to_string()),
            repository_name: Some(repo.name.to_string()),
            image_tag_mutability: Some(mutability.kind),
            image_tag_mutability_exclusion_filters: mutability.filters(),
        })
    }

    /// A row as the API shows it.
    fn describe(&self, row: &repository::Repository) -> Result<Repository, Error> {
        let account: AccountId = row.account.parse().map_err(Error::internal)?;
        let region: Region = row.region.parse().map_err(Error::internal)?;
        let mutability = Mutability::stored(row)?;
        let uri = (self.0.settings.repository_uri)(&account, &region, &row.name);
        Ok(Repository {
            repository_arn: Some(arn(&account, &region, &row.name)),
            registry_id: Some(row.account.clone()),
            repository_name: Some(row.name.clone()),
            repository_uri: Some(uri),
            created_at: Some(time(row.created_at)?),
            image_tag_mutability: Some(mutability.kind),
            image_tag_mutability_exclusion_filters: mutability.filters(),
            image_scanning_configuration: Some(ImageScanningConfiguration {
                scan_on_push: Some(row.scan_on_push),
            }),
            encryption_configuration: Some(shown_encryption(row.kms_key.clone())),
        })
    }
}

/// The repository's row inside a transaction.
async fn row_of(
    tx: &mut store::Write,
    repo: &RepositoryFacts,
) -> Result<repository::Repository, Error> {
    let row = repository::get(&mut tx.conn(), repo.id).await?;
    row.ok_or_else(|| Error::RepositoryNotFound(repo.place()))
}

/// A stored time as the API shows it.
pub(super) fn time(milliseconds: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(milliseconds).map_err(Error::internal)
}
