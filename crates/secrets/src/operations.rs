//! The operations that write (Secrets Manager API Reference, the page of each).

use authz::Authorized;
use aws_api::secrets_manager::{
    CreateSecretRequest, CreateSecretResponse, DeleteSecretRequest, DeleteSecretResponse,
    ErrorCode, PutSecretValueRequest, PutSecretValueResponse, RestoreSecretRequest,
    RestoreSecretResponse, TagResourceRequest, UntagResourceRequest, UpdateSecretRequest,
    UpdateSecretResponse,
};
use aws_types::draw;
use store::secrets::{Secret, Version};
use store::{Conn, Scope, Write};

use crate::common::{DAY_MS, arn, check_key, find, find_live, lines, time, unknown_arn};
use crate::listing::SECRETS_MAX;
use crate::name::{self, SUFFIX_CHARS};
use crate::secrets::{CURRENT, PREVIOUS, has_stage, place};
use crate::value::PlainValue;
use crate::{Error, Secrets, tags};

/// Versions without a label that are kept (user guide, "Versions": AWS removes deprecated ones beyond 100).
const DEPRECATED_MAX: usize = 20;
/// Labels of a version.
const STAGES_MAX: usize = 20;
/// The recovery window where a request names none.
const RECOVERY_DAYS: i64 = 30;

impl Secrets {
    /// `CreateSecret`.
    ///
    /// # Errors
    /// `ResourceExistsException`; `InvalidRequestException` for a name that is scheduled for deletion or has
    /// another prefix; `LimitExceededException`.
    pub async fn create_secret(
        &self,
        cx: &Authorized,
        input: CreateSecretRequest,
    ) -> Result<CreateSecretResponse, Error> {
        name::check(&input.name)?;
        check_key(input.kms_key_id.as_deref())?;
        let mut own_tags = tags::Tags::new();
        tags::add(&mut own_tags, input.tags.as_deref().unwrap_or_default())?;
        let value = PlainValue::of(input.secret_string, input.secret_binary)?;
        let token = self.token(input.client_request_token)?;
        let now = cx.now_ms();
        let account = cx.account.to_string();
        let region = cx.region.to_string();
        let mut tx = self.store.write(Scope::Account(&account)).await?;
        let found = store::secrets::find(&mut tx.conn(), &account, &region, &input.name).await?;
        if let Some(old) = found {
            match (old.deleted_at, old.purge_at) {
                (_, Some(at)) if at <= now => {
                    let service = authz::ServiceName::Maintenance;
                    self.remove(&mut tx, service, &account, &region, &old, now)
                        .await?;
                }
                (Some(_), _) => {
                    return Err(Error::refused(
                        ErrorCode::InvalidRequest,
                        "You can't create this secret because a secret with this name is already scheduled for \
                         deletion.",
                    ));
                }
                _ => {
                    return self
                        .created_before(cx, &mut tx.conn(), old, &token, value.as_ref())
                        .await;
                }
            }
        }
        if store::secrets::count(&mut tx.conn(), &account, &region).await? >= SECRETS_MAX {
            return Err(Error::refused(
                ErrorCode::LimitExceeded,
                format!(
                    "You can't have more than {SECRETS_MAX} secrets in this account and Region."
                ),
            ));
        }
        let mut secret = Secret {
            id: 0,
            name: input.name,
            suffix: self.suffix()?,
            description: input.description.unwrap_or_default(),
            kms_key_id: input.kms_key_id.filter(|key| !key.is_empty()),
            tags: tags::text(&own_tags)?,
            created_at: now,
            changed_at: now,
            accessed_at: None,
            deleted_at: None,
            purge_at: None,
        };
        secret.id = store::secrets::insert(&mut tx.conn(), &account, &region, &secret).await?;
        let version_id = match value {
            None => None,
            Some(value) => {
                let stages = vec![CURRENT.to_owned()];
                self.put(cx, &mut tx, &secret, &token, &value, stages)
                    .await?;
                Some(token)
            }
        };
        tx.commit().await?;
        Ok(CreateSecretResponse {
            arn: Some(arn(cx, &secret)),
            name: Some(secret.name),
            version_id,
            replication_status: None,
        })
    }

    /// A request that is repeated with its token made what is there; another one finds the name taken.
    async fn created_before(
        &self,
        cx: &Authorized,
        conn: &mut Conn<'_>,
        old: Secret,
        token: &str,
        value: Option<&PlainValue>,
    ) -> Result<CreateSecretResponse, Error> {
        let versions = store::secrets::versions(conn, old.id).await?;
        if let (Some(version), Some(value)) =
            (versions.iter().find(|one| one.version_id == token), value)
            && self.open(cx, &old, version).await? == *value
        {
            return Ok(CreateSecretResponse {
                arn: Some(arn(cx, &old)),
                name: Some(old.name),
                version_id: Some(token.to_owned()),
                replication_status: None,
            });
        }
        Err(Error::refused(
            ErrorCode::ResourceExists,
            format!(
                "The operation failed because the secret {} already exists.",
                old.name
            ),
        ))
    }

    /// `UpdateSecret`: description, key, and a new current value.
    ///
    /// # Errors
    /// `ResourceNotFoundException`, `InvalidRequestException`, `ResourceExistsException` for a token that was
    /// used for another value.
    pub async fn update_secret(
        &self,
        cx: &Authorized,
        input: UpdateSecretRequest,
    ) -> Result<UpdateSecretResponse, Error> {
        check_key(input.kms_key_id.as_deref())?;
        let value = PlainValue::of(input.secret_string, input.secret_binary)?;
        let token = self.token(input.client_request_token)?;
        let account = cx.account.to_string();
        let mut tx = self.store.write(Scope::Account(&account)).await?;
        let mut secret = find_live(&mut tx.conn(), cx, &input.secret_id).await?;
        if let Some(description) = input.description {
            secret.description = description;
        }
        if let Some(key) = input.kms_key_id {
            secret.kms_key_id = Some(key).filter(|key| !key.is_empty());
        }
        secret.changed_at = cx.now_ms();
        store::secrets::update(&mut tx.conn(), &secret).await?;
        let version_id = match value {
            None => None,
            Some(value) => {
                let stages = vec![CURRENT.to_owned()];
                self.put(cx, &mut tx, &secret, &token, &value, stages)
                    .await?;
                Some(token)
            }
        };
        tx.commit().await?;
        Ok(UpdateSecretResponse {
            arn: Some(arn(cx, &secret)),
            name: Some(secret.name),
            version_id,
        })
    }

    /// `PutSecretValue`.
    ///
    /// # Errors
    /// As [`Secrets::update_secret`]; `InvalidRequestException` without a value.
    pub async fn put_secret_value(
        &self,
        cx: &Authorized,
        input: PutSecretValueRequest,
    ) -> Result<PutSecretValueResponse, Error> {
        let value = PlainValue::of(input.secret_string, input.secret_binary)?;
        let value = value.ok_or_else(|| {
            let message = "You must provide either SecretString or SecretBinary.";
            Error::refused(ErrorCode::InvalidRequest, message)
        })?;
        let mut stages = input
            .version_stages
            .unwrap_or_else(|| vec![CURRENT.to_owned()]);
        stages.sort();
        stages.dedup();
        if stages.len() > STAGES_MAX || stages.iter().any(|stage| stage.contains('\n')) {
            return Err(Error::refused(
                ErrorCode::InvalidParameter,
                format!("A version has 1 to {STAGES_MAX} staging labels, each on one line."),
            ));
        }
        let token = self.token(input.client_request_token)?;
        let account = cx.account.to_string();
        let mut tx = self.store.write(Scope::Account(&account)).await?;
        let mut secret = find_live(&mut tx.conn(), cx, &input.secret_id).await?;
        let stages = self
            .put(cx, &mut tx, &secret, &token, &value, stages)
            .await?;
        secret.changed_at = cx.now_ms();
        store::secrets::update(&mut tx.conn(), &secret).await?;
        tx.commit().await?;
        Ok(PutSecretValueResponse {
            arn: Some(arn(cx, &secret)),
            name: Some(secret.name),
            version_id: Some(token),
            version_stages: Some(stages),
        })
    }

    /// `DeleteSecret`. With `ForceDeleteWithoutRecovery` it is gone at once, and one that is not there is no
    /// error.
    ///
    /// # Errors
    /// `ResourceNotFoundException`; `InvalidParameterException` for the recovery window;
    /// `InvalidRequestException` for one that is scheduled already.
    pub async fn delete_secret(
        &self,
        cx: &Authorized,
        input: DeleteSecretRequest,
    ) -> Result<DeleteSecretResponse, Error> {
        let force = input.force_delete_without_recovery == Some(true);
        let days = input.recovery_window_in_days;
        if force && days.is_some() {
            return Err(Error::refused(
                ErrorCode::InvalidParameter,
                "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
            ));
        }
        let days = days.unwrap_or(RECOVERY_DAYS);
        if !(7..=30).contains(&days) {
            return Err(Error::refused(
                ErrorCode::InvalidParameter,
                "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
            ));
        }
        let now = cx.now_ms();
        let account = cx.account.to_string();
        let mut tx = self.store.write(Scope::Account(&account)).await?;
        let mut secret = match find(&mut tx.conn(), cx, &input.secret_id).await {
            Err(error) if force && error.is(ErrorCode::ResourceNotFound) => {
                return Ok(DeleteSecretResponse {
                    arn: Some(unknown_arn(cx, &input.secret_id)),
                    name: Some(input.secret_id),
                    deletion_date: time(now),
                });
            }
            found => found?,
        };
        let deletion = if force {
            store::secrets::delete(&mut tx.conn(), secret.id).await?;
            now
        } else {
            if secret.deleted_at.is_some() {
                return Err(Error::marked_for_deletion());
            }
            let purge_at = now + days * DAY_MS;
            secret.deleted_at = Some(now);
            secret.purge_at = Some(purge_at);
            store::secrets::update(&mut tx.conn(), &secret).await?;
            purge_at
        };
        tx.commit().await?;
        Ok(DeleteSecretResponse {
            arn: Some(arn(cx, &secret)),
            name: Some(secret.name),
            deletion_date: time(deletion),
        })
    }

    /// `RestoreSecret`.
    ///
    /// # Errors
    /// `ResourceNotFoundException`.
    pub async fn restore_secret(
        &self,
        cx: &Authorized,
        input: RestoreSecretRequest,
    ) -> Result<RestoreSecretResponse, Error> {
        let account = cx.account.to_string();
        let mut tx = self.store.write(Scope::Account(&account)).await?;
        let mut secret = find(&mut tx.conn(), cx, &input.secret_id).await?;
        secret.deleted_at = None;
        secret.purge_at = None;
        store::secrets::update(&mut tx.conn(), &secret).await?;
        tx.commit().await?;
        Ok(RestoreSecretResponse {
            arn: Some(arn(cx, &secret)),
            name: Some(secret.name),
        })
    }

    /// `TagResource`.
    ///
    /// # Errors
    /// `ResourceNotFoundException`, `InvalidParameterException`.
    pub async fn tag_resource(
        &self,
        cx: &Authorized,
        input: TagResourceRequest,
    ) -> Result<(), Error> {
        let change = |tags: &mut tags::Tags| tags::add(tags, &input.tags);
        self.change_tags(cx, &input.secret_id, change).await
    }

    /// `UntagResource`.
    ///
    /// # Errors
    /// `ResourceNotFoundException`.
    pub async fn untag_resource(
        &self,
        cx: &Authorized,
        input: UntagResourceRequest,
    ) -> Result<(), Error> {
        let change = |tags: &mut tags::Tags| {
            tags.retain(|key, _| !input.tag_keys.contains(key));
            Ok(())
        };
        self.change_tags(cx, &input.secret_id, change).await
    }

    async fn change_tags(
        &self,
        cx: &Authorized,
        id: &str,
        change: impl FnOnce(&mut tags::Tags) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        let account = cx.account.to_string();
        let mut tx = self.store.write(Scope::Account(&account)).await?;
        let mut secret = find_live(&mut tx.conn(), cx, id).await?;
        let mut own = tags::stored(&secret.tags)?;
        change(&mut own)?;
        secret.tags = tags::text(&own)?;
        store::secrets::update(&mut tx.conn(), &secret).await?;
        Ok(tx.commit().await?)
    }

    /// Adds a version with its labels, which no other version keeps; whoever had [`CURRENT`] gets
    /// [`PREVIOUS`]. The same token with the same value changes nothing. Returns the version's labels.
    async fn put(
        &self,
        cx: &Authorized,
        tx: &mut Write,
        secret: &Secret,
        token: &str,
        value: &PlainValue,
        stages: Vec<String>,
    ) -> Result<Vec<String>, Error> {
        let versions = store::secrets::versions(&mut tx.conn(), secret.id).await?;
        if let Some(known) = versions.iter().find(|one| one.version_id == token) {
            if self.open(cx, secret, known).await? == *value {
                return Ok(lines(&known.stages));
            }
            return Err(Error::refused(
                ErrorCode::ResourceExists,
                format!(
                    "You can't use ClientRequestToken {token} because that value is already in use for a version of \
                     secret {}.",
                    arn(cx, secret)
                ),
            ));
        }
        let is_first = versions.iter().all(|one| !has_stage(&one.stages, CURRENT));
        let mut stages = stages;
        if is_first && !stages.iter().any(|stage| stage == CURRENT) {
            // A secret with a value has a current one.
            stages.push(CURRENT.to_owned());
        }
        let moves_current = stages.iter().any(|stage| stage == CURRENT);
        for old in &versions {
            let mut kept = lines(&old.stages);
            let was_current = has_stage(&old.stages, CURRENT);
            kept.retain(|stage| !stages.contains(stage));
            if moves_current {
                kept.retain(|stage| stage != PREVIOUS);
                if was_current {
                    kept.push(PREVIOUS.to_owned());
                }
            }
            let kept = kept.join("\n");
            if kept != old.stages {
                let changed = Version {
                    stages: kept,
                    ..old.clone()
                };
                store::secrets::put_version(&mut tx.conn(), secret.id, &changed).await?;
            }
        }
        let place = place(cx.account, &cx.region, &secret.name, token);
        let version = Version {
            version_id: token.to_owned(),
            stages: stages.join("\n"),
            sealed: value.seal(&*self.seal, &place)?,
            created_at: cx.now_ms(),
        };
        store::secrets::put_version(&mut tx.conn(), secret.id, &version).await?;
        let versions = store::secrets::versions(&mut tx.conn(), secret.id).await?;
        let deprecated = versions.iter().filter(|one| one.stages.is_empty());
        for old in deprecated.skip(DEPRECATED_MAX) {
            store::secrets::delete_version(&mut tx.conn(), secret.id, &old.version_id).await?;
        }
        Ok(stages)
    }

    /// The id of the new version: the request's token, or a random UUID (SDKs send one).
    fn token(&self, given: Option<String>) -> Result<String, Error> {
        match given {
            Some(token) => Ok(token),
            None => {
                let hex = aws_types::hex::encode(draw::<16>(&*self.entropy)?);
                let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
                let parts = [
                    part(0, 8),
                    part(8, 12),
                    part(12, 16),
                    part(16, 20),
                    part(20, 32),
                ];
                Ok(parts.join("-"))
            }
        }
    }

    /// Six random letters and digits: an ARN does not come back with a new secret of the same name.
    fn suffix(&self) -> Result<String, Error> {
        const ALPHABET: &[u8; 62] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let random = draw::<SUFFIX_CHARS>(&*self.entropy)?;
        let letter = |byte: u8| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]);
        Ok(random.into_iter().map(letter).collect())
    }
}
