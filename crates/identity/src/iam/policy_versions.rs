//! Versions of managed policies.

use aws_api::iam::ErrorCode;
use aws_api::iam::{
    CreatePolicyVersionRequest, CreatePolicyVersionResponse, DeletePolicyVersionRequest,
    GetPolicyVersionRequest, GetPolicyVersionResponse, ListPolicyVersionsRequest,
    ListPolicyVersionsResponse, PolicyVersion, SetDefaultPolicyVersionRequest,
};
use policy::{Document, DocumentKind};
use store::Conn;
use store::iam::entity::Entity;
use store::iam::managed_policy::{self, Version};

use super::managed_policies::{PolicyChange, version_id};
use super::{commit, time};
use crate::managed::AwsPolicy;
use crate::paging::Page;
use crate::policy_cache::{ManagedPolicyRef, encode};
use crate::{Authorized, Error, Identity, messages};

/// A version as lists show it: without the document.
pub(super) fn listed(version: &Version, default_version: i64) -> PolicyVersion {
    PolicyVersion {
        document: None,
        version_id: Some(version_id(version.version)),
        is_default_version: Some(version.version == default_version),
        create_date: Some(time(version.created_at)),
    }
}

/// The version of an AWS managed policy, without the document.
fn aws_version(policy: &AwsPolicy) -> PolicyVersion {
    PolicyVersion {
        document: None,
        version_id: Some(version_id(policy.version)),
        is_default_version: Some(true),
        create_date: Some(policy.updated_at()),
    }
}

/// The version of an AWS managed policy, with the document.
pub(super) fn aws_version_detail(policy: &AwsPolicy) -> Result<PolicyVersion, Error> {
    Ok(PolicyVersion {
        document: Some(encode(&policy.text()?)),
        ..aws_version(policy)
    })
}

/// The version of this id, which must be there.
async fn existing_version(
    conn: &mut Conn<'_>,
    policy: &Entity,
    id: &str,
) -> Result<Version, Error> {
    let number = id.strip_prefix('v').and_then(|number| number.parse().ok());
    let found = match number {
        Some(number) => managed_policy::find_version(conn, policy.id, number).await?,
        None => None,
    };
    found.ok_or_else(|| messages::version_not_found(&policy.arn(), id))
}

impl Identity {
    /// A version of the account's own policy. AWS names the version also where the policy is missing.
    async fn own_version(
        &self,
        conn: &mut Conn<'_>,
        cx: &Authorized,
        arn: &str,
        id: &str,
        change: PolicyChange,
    ) -> Result<(Entity, Version), Error> {
        let policy = match self.own_policy(conn, cx, arn, change).await {
            Err(error) if error.is(ErrorCode::NoSuchEntity) => {
                return Err(messages::version_not_found(arn, id));
            }
            found => found?,
        };
        let version = existing_version(conn, &policy, id).await?;
        Ok((policy, version))
    }

    /// `CreatePolicyVersion`.
    ///
    /// # Errors
    /// `NoSuchEntity`, `MalformedPolicyDocument`, `LimitExceeded`.
    pub async fn create_policy_version(
        &self,
        cx: &Authorized,
        input: CreatePolicyVersionRequest,
    ) -> Result<CreatePolicyVersionResponse, Error> {
        Document::parse(&input.policy_document, DocumentKind::Managed)?;
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let found = self
            .own_policy(&mut conn, cx, &input.policy_arn, PolicyChange::Update)
            .await?;
        let max = self.0.settings.policy_versions_max;
        let count = managed_policy::list_versions(&mut conn, found.id)
            .await?
            .len();
        if i64::try_from(count).unwrap_or(i64::MAX) >= max {
            return Err(Error::new(
                ErrorCode::LimitExceeded,
                format!(
                    "A managed policy can have up to {max} versions. Before you create a new \
                 version, you must delete an existing version."
                ),
            ));
        }
        let now = cx.now.as_millisecond();
        let document = &input.policy_document;
        let number = managed_policy::insert_version(&mut conn, found.id, document, now).await?;
        let is_default = input.set_as_default.unwrap_or(false);
        if is_default {
            managed_policy::set_default_version(&mut conn, found.id, number, now).await?;
        }
        commit(tx).await?;
        Ok(CreatePolicyVersionResponse {
            policy_version: Some(PolicyVersion {
                document: None,
                version_id: Some(version_id(number)),
                is_default_version: Some(is_default),
                create_date: Some(time(now)),
            }),
        })
    }

    /// `GetPolicyVersion`: with the document.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn get_policy_version(
        &self,
        cx: &Authorized,
        input: GetPolicyVersionRequest,
    ) -> Result<GetPolicyVersionResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let (arn, id) = (&input.policy_arn, &input.version_id);
        let account = cx.account.as_str();
        let version = match self.0.policies.find_in(&mut conn, account, arn).await? {
            Some(ManagedPolicyRef::Aws(policy)) if version_id(policy.version) == *id => {
                aws_version_detail(policy)?
            }
            Some(ManagedPolicyRef::Customer(found)) => {
                let version = existing_version(&mut conn, &found, id).await?;
                let row = managed_policy::get(&mut conn, found.id).await?;
                PolicyVersion {
                    document: Some(encode(&version.document)),
                    ..listed(&version, row.default_version)
                }
            }
            Some(ManagedPolicyRef::Aws(_)) | None => {
                return Err(messages::version_not_found(arn, id));
            }
        };
        Ok(GetPolicyVersionResponse {
            policy_version: Some(version),
        })
    }

    /// `ListPolicyVersions`: the newest first, without documents.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn list_policy_versions(
        &self,
        cx: &Authorized,
        input: ListPolicyVersionsRequest,
    ) -> Result<ListPolicyVersionsResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let arn = &input.policy_arn;
        let account = cx.account.as_str();
        let found = self.0.policies.find_in(&mut conn, account, arn).await?;
        let versions: Vec<(i64, PolicyVersion)> = match found {
            Some(ManagedPolicyRef::Aws(policy)) => vec![(policy.version, aws_version(policy))],
            Some(ManagedPolicyRef::Customer(found)) => {
                let row = managed_policy::get(&mut conn, found.id).await?;
                let versions = managed_policy::list_versions(&mut conn, found.id).await?;
                let shown =
                    |version: Version| (version.version, listed(&version, row.default_version));
                versions.into_iter().map(shown).collect()
            }
            None => return Err(messages::policy_not_found(arn)),
        };
        // Keys grow as versions go back in time.
        let cut = page.of(versions, |version| format!("{:020}", i64::MAX - version.0));
        Ok(ListPolicyVersionsResponse {
            versions: Some(cut.items.into_iter().map(|version| version.1).collect()),
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        })
    }

    /// `DeletePolicyVersion`.
    ///
    /// # Errors
    /// `NoSuchEntity`; `DeleteConflict` for the default version.
    pub async fn delete_policy_version(
        &self,
        cx: &Authorized,
        input: DeletePolicyVersionRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let (arn, id) = (&input.policy_arn, &input.version_id);
        let (found, version) = self
            .own_version(&mut conn, cx, arn, id, PolicyChange::DeleteVersion)
            .await?;
        let row = managed_policy::get(&mut conn, found.id).await?;
        if version.version == row.default_version {
            return Err(Error::new(
                ErrorCode::DeleteConflict,
                "Cannot delete the default version of a policy.".to_owned(),
            ));
        }
        managed_policy::delete_version(&mut conn, found.id, version.version).await?;
        commit(tx).await
    }

    /// `SetDefaultPolicyVersion`.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn set_default_policy_version(
        &self,
        cx: &Authorized,
        input: SetDefaultPolicyVersionRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let (arn, id) = (&input.policy_arn, &input.version_id);
        let (found, version) = self
            .own_version(&mut conn, cx, arn, id, PolicyChange::Update)
            .await?;
        let now = cx.now.as_millisecond();
        managed_policy::set_default_version(&mut conn, found.id, version.version, now).await?;
        commit(tx).await
    }
}
