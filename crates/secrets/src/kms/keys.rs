//! Keys: creation, description, states, deletion.

use authz::{Authorized, ServiceName};
use aws_api::kms::{
    CancelKeyDeletionRequest, CancelKeyDeletionResponse, CreateKeyRequest, CreateKeyResponse,
    DescribeKeyRequest, DescribeKeyResponse, DisableKeyRequest, EnableKeyRequest,
    EncryptionAlgorithmSpec, ErrorCode, KeyManagerType, KeyMetadata, KeySpec, KeyState,
    KeyUsageType, OriginType, ScheduleKeyDeletionRequest, ScheduleKeyDeletionResponse,
    UpdateKeyDescriptionRequest,
};
use aws_types::{AccountId, Region};
use jiff::Timestamp;
use store::kms::{Alias, Key};
use store::service_events::{self, NewEvent};
use store::{Scope, Topic, Write};

use super::lists::{check_tags, put_tags};
use super::policies::default_policy;
use super::{
    CUSTOMER, DISABLED, ECR_ALIAS, ENABLED, Kms, KmsError, MANAGED, PENDING_DELETION, arn_of,
    by_id, existing, find, key_arn, new_uuid, parse,
};

/// Keys of an account in a region (KMS developer guide, "Resource quotas").
const KEYS_MAX: i64 = 100_000;
/// The waiting time before a key is deleted, in days (KMS API reference, `ScheduleKeyDeletion`).
const WINDOW_DAYS: std::ops::RangeInclusive<i32> = 7..=30;
const WINDOW_DAYS_DEFAULT: i32 = 30;
pub(super) const DAY_MS: i64 = 86_400_000;
/// CloudTrail's `eventSource`.
const SOURCE: &str = "kms.amazonaws.com";
/// Keys that one run removes or rotates.
pub(super) const KEYS_AT_ONCE: i64 = 100;

impl Kms {
    /// `CreateKey`: a symmetric key whose material is made here.
    ///
    /// # Errors
    /// `UnsupportedOperationException` for another kind, `MalformedPolicyDocumentException`, `TagException`,
    /// `LimitExceededException`.
    pub async fn create_key(
        &self,
        cx: &Authorized,
        input: CreateKeyRequest,
    ) -> Result<CreateKeyResponse, KmsError> {
        let is_symmetric = input
            .key_spec
            .is_none_or(|spec| spec == KeySpec::SymmetricDefault)
            && input
                .customer_master_key_spec
                .as_ref()
                .is_none_or(|spec| spec.as_str() == KeySpec::SymmetricDefault.as_str());
        let is_for_encryption = input
            .key_usage
            .is_none_or(|usage| usage == KeyUsageType::EncryptDecrypt);
        let is_own = input
            .origin
            .is_none_or(|origin| origin == OriginType::AwsKms)
            && input.custom_key_store_id.is_none()
            && input.xks_key_id.is_none()
            && input.multi_region != Some(true);
        if !(is_symmetric && is_for_encryption && is_own) {
            return Err(KmsError::refused(
                ErrorCode::UnsupportedOperation,
                "This server has symmetric encryption keys of one region, with material of its own: \
                 SYMMETRIC_DEFAULT, ENCRYPT_DECRYPT, AWS_KMS",
            ));
        }
        let tags = input.tags.unwrap_or_default();
        check_tags(&tags, 0)?;
        let policy = self
            .checked_policy(cx.account, input.policy.as_deref())
            .await?;
        let mut tx = self
            .0
            .store
            .write(Scope::Account(cx.account.as_str()))
            .await?;
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        if store::kms::count(&mut tx.conn(), account, region).await? >= KEYS_MAX {
            return Err(KmsError::refused(
                ErrorCode::LimitExceeded,
                format!("An account has at most {KEYS_MAX} keys in a region"),
            ));
        }
        let key = Key {
            id: new_uuid(&*self.0.entropy)?,
            account: account.to_owned(),
            region: region.to_owned(),
            description: input.description.unwrap_or_default(),
            manager: CUSTOMER.to_owned(),
            state: ENABLED.to_owned(),
            created_at: cx.now_ms(),
            deletion_at: None,
            policy,
            rotation_days: None,
            next_rotation_at: None,
        };
        self.insert(&mut tx, &key).await?;
        put_tags(&mut tx.conn(), &key.id, &tags).await?;
        tx.commit().await?;
        Ok(CreateKeyResponse {
            key_metadata: Some(metadata(&key)?),
        })
    }

    async fn insert(&self, tx: &mut Write, key: &Key) -> Result<(), KmsError> {
        store::kms::insert(&mut tx.conn(), key).await?;
        self.add_material(tx, key, 1, key.created_at).await
    }

    /// `DescribeKey`, by id, alias or ARN.
    ///
    /// # Errors
    /// `NotFoundException`, `InvalidArnException`.
    pub async fn describe_key(
        &self,
        cx: &Authorized,
        input: DescribeKeyRequest,
    ) -> Result<DescribeKeyResponse, KmsError> {
        let mut read = self.0.store.read().await?;
        let key = existing(&mut read.conn(), cx.account, &cx.region, &input.key_id).await?;
        Ok(DescribeKeyResponse {
            key_metadata: Some(metadata(&key)?),
        })
    }

    /// `UpdateKeyDescription`.
    ///
    /// # Errors
    /// `NotFoundException`, `KMSInvalidStateException`.
    pub async fn update_key_description(
        &self,
        cx: &Authorized,
        input: UpdateKeyDescriptionRequest,
    ) -> Result<(), KmsError> {
        self.change(cx, &input.key_id, |key| {
            not_pending(key)?;
            key.description = input.description;
            Ok(())
        })
        .await
        .map(drop)
    }

    /// `EnableKey`.
    ///
    /// # Errors
    /// `NotFoundException`, `KMSInvalidStateException`.
    pub async fn enable_key(
        &self,
        cx: &Authorized,
        input: EnableKeyRequest,
    ) -> Result<(), KmsError> {
        self.set_state(cx, &input.key_id, ENABLED).await
    }

    /// `DisableKey`: layers under it can neither be pushed nor pulled until it is enabled again.
    ///
    /// # Errors
    /// `NotFoundException`, `KMSInvalidStateException`.
    pub async fn disable_key(
        &self,
        cx: &Authorized,
        input: DisableKeyRequest,
    ) -> Result<(), KmsError> {
        self.set_state(cx, &input.key_id, DISABLED).await
    }

    async fn set_state(&self, cx: &Authorized, id: &str, state: &str) -> Result<(), KmsError> {
        self.change(cx, id, |key| {
            not_pending(key)?;
            key.state = state.to_owned();
            Ok(())
        })
        .await
        .map(drop)
    }

    /// `ScheduleKeyDeletion`: from now on the key opens nothing, and after the window its material is gone.
    ///
    /// # Errors
    /// `NotFoundException`, `KMSInvalidStateException`; also while a repository uses the key, which AWS does not
    /// check: its layers could never be read again.
    pub async fn schedule_key_deletion(
        &self,
        cx: &Authorized,
        input: ScheduleKeyDeletionRequest,
    ) -> Result<ScheduleKeyDeletionResponse, KmsError> {
        let days = input.pending_window_in_days.unwrap_or(WINDOW_DAYS_DEFAULT);
        if !WINDOW_DAYS.contains(&days) {
            return Err(KmsError::Validation(format!(
                "PendingWindowInDays must be between {} and {} days",
                WINDOW_DAYS.start(),
                WINDOW_DAYS.end()
            )));
        }
        let mut tx = self
            .0
            .store
            .write(Scope::Account(cx.account.as_str()))
            .await?;
        let mut key = by_id(&mut tx.conn(), cx.account, &cx.region, &input.key_id).await?;
        not_pending(&key)?;
        customers(&key)?;
        let deletion_at = cx.now_ms().saturating_add(i64::from(days) * DAY_MS);
        key.state = PENDING_DELETION.to_owned();
        key.deletion_at = Some(deletion_at);
        // The row is locked by this: a repository that is being created with the key comes before or after.
        store::kms::update(&mut tx.conn(), &key).await?;
        let arn = arn_of(&key);
        if let Some(repository) = store::kms::user(&mut tx.conn(), &arn).await? {
            return Err(KmsError::refused(
                ErrorCode::KMSInvalidState,
                format!(
                    "{arn} is in use: the layers of the repository '{repository}' are encrypted under it, and could \
                     not be read any more. Delete the repositories that use the key first, or disable the key."
                ),
            ));
        }
        tx.touch(Topic::EncryptionKeys);
        tx.commit().await?;
        Ok(ScheduleKeyDeletionResponse {
            key_id: Some(arn),
            deletion_date: Some(time(deletion_at)?),
            key_state: Some(KeyState::PendingDeletion),
            pending_window_in_days: Some(days),
        })
    }

    /// `CancelKeyDeletion`: the key is disabled then.
    ///
    /// # Errors
    /// `NotFoundException`, `KMSInvalidStateException`.
    pub async fn cancel_key_deletion(
        &self,
        cx: &Authorized,
        input: CancelKeyDeletionRequest,
    ) -> Result<CancelKeyDeletionResponse, KmsError> {
        let key = self
            .change(cx, &input.key_id, |key| {
                if key.state != PENDING_DELETION {
                    return Err(KmsError::refused(
                        ErrorCode::KMSInvalidState,
                        format!("{} is not pending deletion.", arn_of(key)),
                    ));
                }
                key.state = DISABLED.to_owned();
                key.deletion_at = None;
                Ok(())
            })
            .await?;
        Ok(CancelKeyDeletionResponse {
            key_id: Some(arn_of(&key)),
        })
    }

    /// Changes a key that customers manage, in a transaction.
    pub(super) async fn change(
        &self,
        cx: &Authorized,
        id: &str,
        change: impl FnOnce(&mut Key) -> Result<(), KmsError>,
    ) -> Result<Key, KmsError> {
        let mut tx = self
            .0
            .store
            .write(Scope::Account(cx.account.as_str()))
            .await?;
        let mut key = by_id(&mut tx.conn(), cx.account, &cx.region, id).await?;
        customers(&key)?;
        change(&mut key)?;
        store::kms::update(&mut tx.conn(), &key).await?;
        tx.touch(Topic::EncryptionKeys);
        tx.commit().await?;
        Ok(key)
    }

    /// The ARN of the enabled key that a request for a repository names; without a name, that of
    /// [`ECR_ALIAS`], which is made at its first use.
    ///
    /// # Errors
    /// `NotFoundException`, `InvalidArnException`, `DisabledException`, `KMSInvalidStateException`.
    pub async fn resolve(
        &self,
        account: AccountId,
        region: &Region,
        named: Option<&str>,
        now: i64,
    ) -> Result<String, KmsError> {
        let id = named.unwrap_or(ECR_ALIAS);
        let found = {
            let mut read = self.0.store.read().await?;
            find(
                &mut read.conn(),
                account,
                region,
                &parse(account, region, id)?,
            )
            .await?
        };
        let is_own = id == ECR_ALIAS || id == Kms::alias_arn(account, region, ECR_ALIAS);
        let key = match found {
            Some(key) => key,
            None if is_own => self.make_ecr_key(account, region, now).await?,
            None => {
                let mut read = self.0.store.read().await?;
                existing(&mut read.conn(), account, region, id).await?
            }
        };
        match key.state == ENABLED {
            true => Ok(arn_of(&key)),
            false => Err(KmsError::state(&arn_of(&key), &key.state)),
        }
    }

    async fn make_ecr_key(
        &self,
        account: AccountId,
        region: &Region,
        now: i64,
    ) -> Result<Key, KmsError> {
        let mut tx = self.0.store.write(Scope::Account(account.as_str())).await?;
        let named = parse(account, region, ECR_ALIAS)?;
        if let Some(key) = find(&mut tx.conn(), account, region, &named).await? {
            // It may be of a transaction whose COMMIT is still to come.
            tx.commit().await?;
            return Ok(key);
        }
        let key = Key {
            id: new_uuid(&*self.0.entropy)?,
            account: account.to_string(),
            region: region.to_string(),
            description:
                "Default key that protects my ECR repositories when no other key is defined"
                    .to_owned(),
            manager: MANAGED.to_owned(),
            state: ENABLED.to_owned(),
            created_at: now,
            deletion_at: None,
            policy: default_policy(account),
            // AWS managed keys are rotated each year (KMS developer guide, "Rotate KMS keys").
            rotation_days: Some(365),
            next_rotation_at: Some(now.saturating_add(365 * DAY_MS)),
        };
        self.insert(&mut tx, &key).await?;
        let alias = Alias {
            name: ECR_ALIAS.to_owned(),
            key_id: key.id.clone(),
            created_at: now,
            updated_at: now,
        };
        let conn = &mut tx.conn();
        store::kms::insert_alias(conn, account.as_str(), region.as_str(), &alias).await?;
        tx.commit().await?;
        Ok(key)
    }

    /// Removes keys whose waiting time is over, and rotates those that are due. One node does it for all.
    ///
    /// # Errors
    /// The store's.
    pub async fn maintain(&self, service: ServiceName, now: Timestamp) -> Result<(), KmsError> {
        let now = now.as_millisecond();
        let due = {
            let mut read = self.0.store.read().await?;
            store::kms::due(&mut read.conn(), now, KEYS_AT_ONCE).await?
        };
        for id in due {
            let Some(account) = self.account_of(&id).await? else {
                continue;
            };
            let mut tx = self.0.store.write(Scope::Account(&account)).await?;
            let found = store::kms::get(&mut tx.conn(), &id).await?;
            // Its deletion may have been cancelled meanwhile.
            let Some(key) = found.filter(|key| key.deletion_at.is_some_and(|at| at <= now)) else {
                continue;
            };
            let arn = arn_of(&key);
            if let Some(repository) = store::kms::user(&mut tx.conn(), &arn).await? {
                tracing::error!(%arn, %repository, "a key that is in use is not deleted");
                continue;
            }
            store::kms::delete(&mut tx.conn(), &id).await?;
            tx.touch(Topic::EncryptionKeys);
            event(&mut tx, service, "DeleteKey", &key, now).await?;
            tx.commit().await?;
        }
        self.rotate_due(service, now).await
    }

    pub(super) async fn account_of(&self, id: &str) -> Result<Option<String>, KmsError> {
        let mut read = self.0.store.read().await?;
        let key = store::kms::get(&mut read.conn(), id).await?;
        Ok(key.map(|key| key.account))
    }
}

/// Writes down what the server did to a key by itself.
pub(super) async fn event(
    tx: &mut Write,
    service: ServiceName,
    name: &str,
    key: &Key,
    now: i64,
) -> Result<(), KmsError> {
    let account: AccountId = key.account.parse().map_err(KmsError::internal)?;
    let region: Region = key.region.parse().map_err(KmsError::internal)?;
    let arn = key_arn(account, &region, &key.id);
    let details = serde_json::json!({ "keyId": key.id });
    let event = NewEvent {
        occurred_at: now,
        service: service.as_str(),
        source: SOURCE,
        name,
        account: Some(&key.account),
        resource: Some(&arn),
        details: &details.to_string(),
    };
    Ok(service_events::insert(&mut tx.conn(), &event).await?)
}

/// A key that is about to be deleted is not changed.
pub(super) fn not_pending(key: &Key) -> Result<(), KmsError> {
    match key.state == PENDING_DELETION {
        true => Err(KmsError::state(&arn_of(key), &key.state)),
        false => Ok(()),
    }
}

/// Keys that the server made are not changed by anybody (KMS developer guide, "AWS managed keys").
fn customers(key: &Key) -> Result<(), KmsError> {
    match key.manager == MANAGED {
        true => Err(KmsError::refused(
            ErrorCode::UnsupportedOperation,
            format!("{} is managed by the server", arn_of(key)),
        )),
        false => Ok(()),
    }
}

fn metadata(key: &Key) -> Result<KeyMetadata, KmsError> {
    Ok(KeyMetadata {
        aws_account_id: Some(key.account.clone()),
        key_id: key.id.clone(),
        arn: Some(arn_of(key)),
        creation_date: Some(time(key.created_at)?),
        enabled: Some(key.state == ENABLED),
        description: Some(key.description.clone()),
        key_usage: Some(KeyUsageType::EncryptDecrypt),
        key_state: Some(key.state.parse().map_err(KmsError::internal)?),
        deletion_date: key.deletion_at.map(time).transpose()?,
        origin: Some(OriginType::AwsKms),
        key_manager: Some(match key.manager == MANAGED {
            true => KeyManagerType::Aws,
            false => KeyManagerType::Customer,
        }),
        customer_master_key_spec: Some(
            KeySpec::SymmetricDefault
                .as_str()
                .parse()
                .map_err(KmsError::internal)?,
        ),
        key_spec: Some(KeySpec::SymmetricDefault),
        encryption_algorithms: Some(vec![EncryptionAlgorithmSpec::SymmetricDefault]),
        multi_region: Some(false),
        ..KeyMetadata::default()
    })
}

pub(super) fn time(milliseconds: i64) -> Result<Timestamp, KmsError> {
    Timestamp::from_millisecond(milliseconds).map_err(KmsError::internal)
}
