//! Tags of hosts.

use std::collections::HashSet;

use aws_api::berth::{
    ErrorCode, ListTagsForResourceRequest, ListTagsForResourceResponse, Tag, TagResourceRequest,
    TagResourceResponse, UntagResourceRequest, UntagResourceResponse,
};
use store::hosts;

use super::registry::own_host;
use super::{id_in_arn, not_found};
use crate::{Authorized, Error, Identity};

/// Tags of a host.
const TAGS_MAX: usize = 50;

impl Identity {
    /// `TagResource`; a tag of the same key is replaced.
    ///
    /// # Errors
    /// `HostNotFoundException`, `InvalidTagParameterException`, `TooManyTagsException`.
    pub async fn tag_host(
        &self,
        cx: &Authorized,
        input: TagResourceRequest,
    ) -> Result<TagResourceResponse, Error> {
        let tags = checked(input.tags)?;
        let mut tx = self.change_hosts(cx.account.as_str()).await?;
        let mut conn = tx.conn();
        let id =
            id_in_arn(cx, &input.resource_arn).ok_or_else(|| not_found(&input.resource_arn))?;
        let host = own_host(&mut conn, cx, id).await?;
        for tag in &tags {
            hosts::put_tag(&mut conn, &host.id, &tag.key, &tag.value).await?;
        }
        if hosts::tags(&mut conn, &host.id).await?.len() > TAGS_MAX {
            return Err(too_many());
        }
        tx.commit().await?;
        Ok(TagResourceResponse {})
    }

    /// `UntagResource`; keys that are not there are left out.
    ///
    /// # Errors
    /// `HostNotFoundException`.
    pub async fn untag_host(
        &self,
        cx: &Authorized,
        input: UntagResourceRequest,
    ) -> Result<UntagResourceResponse, Error> {
        let mut tx = self.change_hosts(cx.account.as_str()).await?;
        let mut conn = tx.conn();
        let id =
            id_in_arn(cx, &input.resource_arn).ok_or_else(|| not_found(&input.resource_arn))?;
        let host = own_host(&mut conn, cx, id).await?;
        for key in &input.tag_keys {
            hosts::delete_tag(&mut conn, &host.id, key).await?;
        }
        tx.commit().await?;
        Ok(UntagResourceResponse {})
    }

    /// `ListTagsForResource`.
    ///
    /// # Errors
    /// `HostNotFoundException`.
    pub async fn list_tags_of_host(
        &self,
        cx: &Authorized,
        input: ListTagsForResourceRequest,
    ) -> Result<ListTagsForResourceResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let id =
            id_in_arn(cx, &input.resource_arn).ok_or_else(|| not_found(&input.resource_arn))?;
        let host = own_host(&mut conn, cx, id).await?;
        let tags = hosts::tags(&mut conn, &host.id).await?;
        Ok(ListTagsForResourceResponse {
            tags: Some(views(tags)),
        })
    }
}

/// Tags of a request: keys that are not AWS's own, each once.
pub(super) fn checked(tags: Vec<Tag>) -> Result<Vec<Tag>, Error> {
    let invalid = |message| Error::new(ErrorCode::InvalidTagParameter, message);
    let mut keys = HashSet::new();
    for tag in &tags {
        let reserved = tag.key.get(..4);
        if reserved.is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
            return Err(invalid(format!(
                "Tag key {} is not valid: keys that begin with aws: are reserved.",
                tag.key
            )));
        }
        if !keys.insert(tag.key.as_str()) {
            return Err(invalid(format!(
                "The tag key {} is in the request more than once.",
                tag.key
            )));
        }
    }
    if tags.len() > TAGS_MAX {
        return Err(too_many());
    }
    Ok(tags)
}

fn too_many() -> Error {
    Error::new(
        ErrorCode::TooManyTags,
        format!("A host can have up to {TAGS_MAX} tags."),
    )
}

pub(super) fn views(tags: Vec<(String, String)>) -> Vec<Tag> {
    tags.into_iter()
        .map(|(key, value)| Tag { key, value })
        .collect()
}
