//! `ListKeys`, tags, and how lists are cut into pages.

use authz::Authorized;
use aws_api::kms::{
    ErrorCode, KeyListEntry, ListKeysRequest, ListKeysResponse, ListResourceTagsRequest,
    ListResourceTagsResponse, ResourceOwnerType, Tag, TagResourceRequest, UntagResourceRequest,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use store::{Conn, Scope};

use super::keys::not_pending;
use super::{Kms, KmsError, arn_of, by_id};

/// A page of keys where the request names no size (KMS API reference, `ListKeys`).
const KEYS_PAGE: i32 = 100;
/// A page of tags (KMS API reference, `ListResourceTags`).
const TAGS_PAGE: i32 = 50;
/// Tags of a key (KMS developer guide, "Resource quotas").
const TAGS_MAX: usize = 50;

/// A page of a list that was read with one row more.
pub(super) struct Page<T> {
    pub(super) rows: Vec<T>,
    pub(super) next: Option<String>,
    pub(super) is_cut: bool,
}

pub(super) fn page<T>(mut rows: Vec<T>, size: i32, name: impl Fn(&T) -> &String) -> Page<T> {
    let size = usize::try_from(size).unwrap_or(1);
    let is_cut = rows.len() > size;
    rows.truncate(size);
    let last = rows.last().filter(|_| is_cut);
    let next = last.map(|row| URL_SAFE_NO_PAD.encode(name(row)));
    Page { rows, next, is_cut }
}

/// What a marker stands after; nothing at the list's start.
pub(super) fn marker(marker: Option<&str>) -> Result<String, KmsError> {
    let invalid = || KmsError::refused(ErrorCode::InvalidMarker, "The marker is invalid.");
    let Some(marker) = marker else {
        return Ok(String::new());
    };
    let bytes = URL_SAFE_NO_PAD.decode(marker).map_err(|_| invalid())?;
    String::from_utf8(bytes).map_err(|_| invalid())
}

impl Kms {
    /// `ListKeys`, in the order of ids.
    ///
    /// # Errors
    /// `InvalidMarkerException`.
    pub async fn list_keys(
        &self,
        cx: &Authorized,
        input: ListKeysRequest,
    ) -> Result<ListKeysResponse, KmsError> {
        let after = marker(input.marker.as_deref())?;
        let size = input.limit.unwrap_or(KEYS_PAGE);
        let owners = input.resource_owners.unwrap_or_default();
        // Nothing is shared between accounts here.
        let is_own = owners.is_empty() || owners.contains(&ResourceOwnerType::Self_);
        let mut read = self.0.store.read().await?;
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let limit = i64::from(size) + 1;
        let rows = match is_own {
            true => store::kms::list(&mut read.conn(), account, region, &after, limit).await?,
            false => Vec::new(),
        };
        let Page { rows, next, is_cut } = page(rows, size, |key| &key.id);
        let shown = rows.into_iter().map(|key| KeyListEntry {
            key_arn: Some(arn_of(&key)),
            key_id: Some(key.id),
        });
        Ok(ListKeysResponse {
            keys: Some(shown.collect()),
            next_marker: next,
            truncated: Some(is_cut),
        })
    }

    /// `ListResourceTags`, in the order of keys.
    ///
    /// # Errors
    /// `NotFoundException`, `InvalidMarkerException`.
    pub async fn list_resource_tags(
        &self,
        cx: &Authorized,
        input: ListResourceTagsRequest,
    ) -> Result<ListResourceTagsResponse, KmsError> {
        let after = marker(input.marker.as_deref())?;
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let key = by_id(conn, cx.account, &cx.region, &input.key_id).await?;
        let mut rows = store::kms::tags(conn, &key.id).await?;
        rows.retain(|(key, _)| *key > after);
        let size = input.limit.unwrap_or(TAGS_PAGE);
        let Page { rows, next, is_cut } = page(rows, size, |(key, _)| key);
        let shown = rows
            .into_iter()
            .map(|(tag_key, tag_value)| Tag { tag_key, tag_value });
        Ok(ListResourceTagsResponse {
            tags: Some(shown.collect()),
            next_marker: next,
            truncated: Some(is_cut),
        })
    }

    /// `TagResource`.
    ///
    /// # Errors
    /// `NotFoundException`, `TagException`, `LimitExceededException`, `KMSInvalidStateException`.
    pub async fn tag_resource(
        &self,
        cx: &Authorized,
        input: TagResourceRequest,
    ) -> Result<(), KmsError> {
        let mut tx = self
            .0
            .store
            .write(Scope::Account(cx.account.as_str()))
            .await?;
        let conn = &mut tx.conn();
        let key = by_id(conn, cx.account, &cx.region, &input.key_id).await?;
        not_pending(&key)?;
        let known = store::kms::tags(conn, &key.id).await?;
        let stays =
            |(known, _): &&(String, String)| input.tags.iter().all(|tag| tag.tag_key != *known);
        check_tags(&input.tags, known.iter().filter(stays).count())?;
        put_tags(conn, &key.id, &input.tags).await?;
        Ok(tx.commit().await?)
    }

    /// `UntagResource`.
    ///
    /// # Errors
    /// `NotFoundException`, `KMSInvalidStateException`.
    pub async fn untag_resource(
        &self,
        cx: &Authorized,
        input: UntagResourceRequest,
    ) -> Result<(), KmsError> {
        let mut tx = self
            .0
            .store
            .write(Scope::Account(cx.account.as_str()))
            .await?;
        let conn = &mut tx.conn();
        let key = by_id(conn, cx.account, &cx.region, &input.key_id).await?;
        not_pending(&key)?;
        for tag in &input.tag_keys {
            store::kms::delete_tag(conn, &key.id, tag).await?;
        }
        Ok(tx.commit().await?)
    }
}

pub(super) async fn put_tags(
    conn: &mut Conn<'_>,
    key_id: &str,
    tags: &[Tag],
) -> Result<(), KmsError> {
    for tag in tags {
        store::kms::put_tag(conn, key_id, &tag.tag_key, &tag.tag_value).await?;
    }
    Ok(())
}

/// Checks tags that come to `others` which stay.
pub(super) fn check_tags(tags: &[Tag], others: usize) -> Result<(), KmsError> {
    let mut seen = std::collections::BTreeSet::new();
    for tag in tags {
        if tag.tag_key.to_ascii_lowercase().starts_with("aws:") {
            return Err(KmsError::refused(
                ErrorCode::Tag,
                "Tags that begin with aws: are reserved",
            ));
        }
        if !seen.insert(&tag.tag_key) {
            return Err(KmsError::refused(ErrorCode::Tag, "Duplicate tag keys"));
        }
    }
    match others + tags.len() > TAGS_MAX {
        true => Err(KmsError::refused(
            ErrorCode::LimitExceeded,
            format!("A key has at most {TAGS_MAX} tags"),
        )),
        false => Ok(()),
    }
}
