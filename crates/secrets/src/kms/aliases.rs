//! Aliases: names of keys that can be moved from one key to another.

use authz::Authorized;
use aws_api::kms::{
    AliasListEntry, CreateAliasRequest, DeleteAliasRequest, ErrorCode, ListAliasesRequest,
    ListAliasesResponse, UpdateAliasRequest,
};
use store::Scope;
use store::kms::Alias;

use super::keys::{not_pending, time};
use super::lists::{Page, marker, page};
use super::{Kms, KmsError, RESERVED, by_id, existing};

/// Aliases of a key (KMS developer guide, "Resource quotas").
const ALIASES_PER_KEY_MAX: i64 = 50;
/// A page of aliases where the request names no size (KMS API reference, `ListAliases`).
const PAGE: i32 = 50;

impl Kms {
    /// `CreateAlias`.
    ///
    /// # Errors
    /// `AlreadyExistsException`, `NotFoundException`, `InvalidAliasNameException`, `LimitExceededException`.
    pub async fn create_alias(
        &self,
        cx: &Authorized,
        input: CreateAliasRequest,
    ) -> Result<(), KmsError> {
        check_name(&input.alias_name)?;
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut tx = self.0.store.write(Scope::Account(account)).await?;
        let conn = &mut tx.conn();
        let key = by_id(conn, cx.account, &cx.region, &input.target_key_id).await?;
        not_pending(&key)?;
        if store::kms::alias(conn, account, region, &input.alias_name)
            .await?
            .is_some()
        {
            let arn = Kms::alias_arn(cx.account, &cx.region, &input.alias_name);
            return Err(KmsError::refused(
                ErrorCode::AlreadyExists,
                format!("An alias with the name {arn} already exists"),
            ));
        }
        self.check_room(conn, account, region, &key.id).await?;
        let alias = Alias {
            name: input.alias_name,
            key_id: key.id,
            created_at: cx.now_ms(),
            updated_at: cx.now_ms(),
        };
        store::kms::insert_alias(conn, account, region, &alias).await?;
        Ok(tx.commit().await?)
    }

    /// `UpdateAlias`: repositories keep the key that they were created with.
    ///
    /// # Errors
    /// `NotFoundException`, `InvalidAliasNameException`, `LimitExceededException`.
    pub async fn update_alias(
        &self,
        cx: &Authorized,
        input: UpdateAliasRequest,
    ) -> Result<(), KmsError> {
        check_name(&input.alias_name)?;
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut tx = self.0.store.write(Scope::Account(account)).await?;
        let conn = &mut tx.conn();
        let key = by_id(conn, cx.account, &cx.region, &input.target_key_id).await?;
        not_pending(&key)?;
        let Some(mut alias) = store::kms::alias(conn, account, region, &input.alias_name).await?
        else {
            let arn = Kms::alias_arn(cx.account, &cx.region, &input.alias_name);
            return Err(KmsError::no_alias(&arn));
        };
        if alias.key_id != key.id {
            self.check_room(conn, account, region, &key.id).await?;
        }
        alias.key_id = key.id;
        alias.updated_at = cx.now_ms();
        store::kms::update_alias(conn, account, region, &alias).await?;
        Ok(tx.commit().await?)
    }

    async fn check_room(
        &self,
        conn: &mut store::Conn<'_>,
        account: &str,
        region: &str,
        key_id: &str,
    ) -> Result<(), KmsError> {
        let max = ALIASES_PER_KEY_MAX;
        let known = store::kms::aliases(conn, account, region, Some(key_id), "", max).await?;
        match i64::try_from(known.len()).is_ok_and(|count| count < max) {
            true => Ok(()),
            false => Err(KmsError::refused(
                ErrorCode::LimitExceeded,
                format!("A key has at most {max} aliases"),
            )),
        }
    }

    /// `DeleteAlias`.
    ///
    /// # Errors
    /// `NotFoundException`.
    pub async fn delete_alias(
        &self,
        cx: &Authorized,
        input: DeleteAliasRequest,
    ) -> Result<(), KmsError> {
        check_name(&input.alias_name)?;
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut tx = self.0.store.write(Scope::Account(account)).await?;
        if !store::kms::delete_alias(&mut tx.conn(), account, region, &input.alias_name).await? {
            let arn = Kms::alias_arn(cx.account, &cx.region, &input.alias_name);
            return Err(KmsError::no_alias(&arn));
        }
        Ok(tx.commit().await?)
    }

    /// `ListAliases`, in the order of names; of one key, or of all.
    ///
    /// # Errors
    /// `NotFoundException`, `InvalidMarkerException`.
    pub async fn list_aliases(
        &self,
        cx: &Authorized,
        input: ListAliasesRequest,
    ) -> Result<ListAliasesResponse, KmsError> {
        let after = marker(input.marker.as_deref())?;
        let size = input.limit.unwrap_or(PAGE);
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let key = match input.key_id.as_deref() {
            Some(id) => Some(existing(conn, cx.account, &cx.region, id).await?.id),
            None => None,
        };
        let limit = i64::from(size) + 1;
        let rows =
            store::kms::aliases(conn, account, region, key.as_deref(), &after, limit).await?;
        let Page { rows, next, is_cut } = page(rows, size, |alias| &alias.name);
        let shown = rows.into_iter().map(|alias| {
            Ok(AliasListEntry {
                alias_arn: Some(Kms::alias_arn(cx.account, &cx.region, &alias.name)),
                alias_name: Some(alias.name),
                target_key_id: Some(alias.key_id),
                creation_date: Some(time(alias.created_at)?),
                last_updated_date: Some(time(alias.updated_at)?),
            })
        });
        Ok(ListAliasesResponse {
            aliases: Some(shown.collect::<Result<_, KmsError>>()?),
            next_marker: next,
            truncated: Some(is_cut),
        })
    }
}

/// `alias/` and a name; `alias/aws/` is for keys that the server makes (KMS API reference, `CreateAlias`).
fn check_name(name: &str) -> Result<(), KmsError> {
    let rest = name.strip_prefix("alias/").filter(|rest| !rest.is_empty());
    let is_valid = rest.is_some_and(|rest| !rest.contains(':'));
    if !is_valid {
        return Err(KmsError::Validation("Invalid identifier".to_owned()));
    }
    match name.starts_with(RESERVED) {
        true => Err(KmsError::refused(
            ErrorCode::InvalidAliasName,
            format!("Aliases that begin with {RESERVED} are those of keys that the server manages"),
        )),
        false => Ok(()),
    }
}
