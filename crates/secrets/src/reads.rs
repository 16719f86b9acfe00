//! The operations that read (Secrets Manager API Reference, the page of each).

use authz::Authorized;
use aws_api::secrets_manager::{
    DescribeSecretRequest, DescribeSecretResponse, ErrorCode, GetResourcePolicyRequest,
    GetResourcePolicyResponse, GetSecretValueRequest, GetSecretValueResponse,
    ListSecretVersionIdsRequest, ListSecretVersionIdsResponse, ListSecretsRequest,
    ListSecretsResponse, SecretListEntry, SecretVersionsListEntry,
};
use store::Scope;
use store::secrets::{Secret, Version};

use crate::common::{DAY_MS, arn, find, find_live, no_value, some, staged, stages, time};
use crate::listing::{self, SECRETS_MAX};
use crate::secrets::{CURRENT, has_stage, lookup};
use crate::value::PlainValue;
use crate::{Error, Secrets, tags};

/// A page of version ids.
const PAGE: i32 = 100;

impl Secrets {
    /// `DescribeSecret`, also of one that is scheduled for deletion.
    ///
    /// # Errors
    /// `ResourceNotFoundException`.
    pub async fn describe_secret(
        &self,
        cx: &Authorized,
        input: DescribeSecretRequest,
    ) -> Result<DescribeSecretResponse, Error> {
        let mut read = self.store.snapshot().await?;
        let secret = find(&mut read.conn(), cx, &input.secret_id).await?;
        let versions = store::secrets::versions(&mut read.conn(), secret.id).await?;
        Ok(DescribeSecretResponse {
            arn: Some(arn(cx, &secret)),
            description: some(&secret.description),
            kms_key_id: secret.kms_key_id.clone(),
            created_date: time(secret.created_at),
            last_changed_date: time(secret.changed_at),
            last_accessed_date: secret.accessed_at.and_then(time),
            deleted_date: secret.deleted_at.and_then(time),
            tags: tags::shown(&tags::stored(&secret.tags)?),
            version_ids_to_stages: staged(&versions),
            name: Some(secret.name),
            ..DescribeSecretResponse::default()
        })
    }

    /// `ListSecrets`.
    ///
    /// # Errors
    /// `InvalidNextTokenException`.
    pub async fn list_secrets(
        &self,
        cx: &Authorized,
        input: ListSecretsRequest,
    ) -> Result<ListSecretsResponse, Error> {
        let mut read = self.store.snapshot().await?;
        let conn = &mut read.conn();
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let all = store::secrets::list(conn, account, region, SECRETS_MAX).await?;
        let with_deleted = input.include_planned_deletion == Some(true);
        let mut listed = Vec::new();
        for secret in &all {
            let gone = secret.purge_at.is_some_and(|at| at <= cx.now_ms());
            if gone || (secret.deleted_at.is_some() && !with_deleted) {
                continue;
            }
            let versions = store::secrets::versions(conn, secret.id).await?;
            let entry = SecretListEntry {
                arn: Some(arn(cx, secret)),
                name: Some(secret.name.clone()),
                description: some(&secret.description),
                kms_key_id: secret.kms_key_id.clone(),
                created_date: time(secret.created_at),
                last_changed_date: time(secret.changed_at),
                last_accessed_date: secret.accessed_at.and_then(time),
                deleted_date: secret.deleted_at.and_then(time),
                tags: tags::shown(&tags::stored(&secret.tags)?),
                secret_versions_to_stages: staged(&versions),
                ..SecretListEntry::default()
            };
            listed.push(listing::listed(secret, input.sort_by, entry)?);
        }
        self.page(listed, &input)
    }

    /// `GetSecretValue`.
    ///
    /// # Errors
    /// `ResourceNotFoundException` for the secret or the version; `InvalidRequestException` for one that is
    /// scheduled for deletion, and for a version that lacks the named label.
    pub async fn get_secret_value(
        &self,
        cx: &Authorized,
        input: GetSecretValueRequest,
    ) -> Result<GetSecretValueResponse, Error> {
        let (secret, versions) = {
            let mut read = self.store.snapshot().await?;
            let secret = find_live(&mut read.conn(), cx, &input.secret_id).await?;
            let versions = store::secrets::versions(&mut read.conn(), secret.id).await?;
            (secret, versions)
        };
        let stage = input.version_stage.as_deref();
        let version = match &input.version_id {
            Some(id) => {
                let version = versions.iter().find(|one| one.version_id == *id);
                let version = version.ok_or_else(|| no_value(&format!("VersionId: {id}")))?;
                if stage.is_some_and(|stage| !has_stage(&version.stages, stage)) {
                    return Err(Error::refused(
                        ErrorCode::InvalidRequest,
                        "You provided a VersionStage that is not associated to the provided VersionId.",
                    ));
                }
                version
            }
            None => {
                let stage = stage.unwrap_or(CURRENT);
                let version = versions.iter().find(|one| has_stage(&one.stages, stage));
                version.ok_or_else(|| no_value(&format!("staging label: {stage}")))?
            }
        };
        let value = self.open(cx, &secret, version).await?;
        self.note_access(cx, &secret).await?;
        let (secret_string, secret_binary) = match value {
            PlainValue::Text(text) => (Some(text), None),
            PlainValue::Bytes(bytes) => (None, Some(bytes)),
        };
        Ok(GetSecretValueResponse {
            arn: Some(arn(cx, &secret)),
            version_id: Some(version.version_id.clone()),
            version_stages: stages(version),
            created_date: time(version.created_at),
            name: Some(secret.name),
            secret_string,
            secret_binary,
        })
    }

    /// `GetResourcePolicy`: a secret here has none.
    ///
    /// # Errors
    /// `ResourceNotFoundException`.
    pub async fn get_resource_policy(
        &self,
        cx: &Authorized,
        input: GetResourcePolicyRequest,
    ) -> Result<GetResourcePolicyResponse, Error> {
        let mut read = self.store.read().await?;
        let secret = find(&mut read.conn(), cx, &input.secret_id).await?;
        Ok(GetResourcePolicyResponse {
            arn: Some(arn(cx, &secret)),
            name: Some(secret.name),
            resource_policy: None,
            policy_name: None,
        })
    }

    /// `ListSecretVersionIds`.
    ///
    /// # Errors
    /// `ResourceNotFoundException`, `InvalidNextTokenException`.
    pub async fn list_secret_version_ids(
        &self,
        cx: &Authorized,
        input: ListSecretVersionIdsRequest,
    ) -> Result<ListSecretVersionIdsResponse, Error> {
        let mut read = self.store.snapshot().await?;
        let secret = find(&mut read.conn(), cx, &input.secret_id).await?;
        let mut versions = store::secrets::versions(&mut read.conn(), secret.id).await?;
        versions.retain(|one| !one.stages.is_empty() || input.include_deprecated == Some(true));
        let start = match &input.next_token {
            None => 0,
            Some(token) => {
                let at = versions.iter().position(|one| one.version_id == *token);
                at.ok_or_else(listing::bad_token)? + 1
            }
        };
        let size = usize::try_from(input.max_results.unwrap_or(PAGE)).unwrap_or(1);
        let more = versions.len() > start + size;
        let page: Vec<_> = versions.iter().skip(start).take(size).collect();
        let last = page.last().filter(|_| more);
        let entry = |version: &&Version| SecretVersionsListEntry {
            version_id: Some(version.version_id.clone()),
            version_stages: stages(version),
            created_date: time(version.created_at),
            ..SecretVersionsListEntry::default()
        };
        Ok(ListSecretVersionIdsResponse {
            next_token: last.map(|version| version.version_id.clone()),
            versions: Some(page.iter().map(entry).collect()),
            arn: Some(arn(cx, &secret)),
            name: Some(secret.name),
        })
    }

    /// Notes that a value was read, by day (API Reference, `LastAccessedDate`: "truncated to midnight UTC").
    async fn note_access(&self, cx: &Authorized, secret: &Secret) -> Result<(), Error> {
        let day = cx.now_ms() - cx.now_ms().rem_euclid(DAY_MS);
        if secret.accessed_at == Some(day) {
            return Ok(());
        }
        let account = cx.account.to_string();
        let mut tx = self.store.write(Scope::Account(&account)).await?;
        let named = [(secret.name.clone(), Some(secret.suffix.clone()))];
        let found = lookup(
            &mut tx.conn(),
            cx.account,
            &cx.region,
            &named,
            Some(cx.now_ms()),
        )
        .await?;
        if let Some(mut secret) = found {
            secret.accessed_at = Some(day);
            store::secrets::update(&mut tx.conn(), &secret).await?;
        }
        Ok(tx.commit().await?)
    }
}
