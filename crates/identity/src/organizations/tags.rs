//! Tags of accounts, units, the root, policies and the delegation policy.

use aws_api::organizations::{
    ListTagsForResourceRequest, ListTagsForResourceResponse, Tag, TagResourceRequest,
    UntagResourceRequest,
};
use store::Conn;
use store::Topic;
use store::organizations::organization::Organization;
use store::organizations::{policy, tag};

use super::paging::Page;
use super::{Organizations, decided, messages, tree};
use crate::{Authorized, Error};

/// Tags of a resource (Organizations User Guide, "Tagging AWS Organizations resources").
const TAGS_MAX: usize = 50;

impl Organizations {
    /// `TagResource`.
    ///
    /// # Errors
    /// `TargetNotFoundException`; `InvalidInputException` and `ConstraintViolationException` for the tags.
    pub async fn tag_resource(
        &self,
        cx: &Authorized,
        input: TagResourceRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = decided(&mut conn, cx).await?;
        check_taggable(&mut conn, &organization, &input.resource_id).await?;
        put(
            &mut conn,
            &organization.id,
            &input.resource_id,
            Some(input.tags),
        )
        .await?;
        tx.touch(Topic::Organization(&organization.id));
        Ok(tx.commit().await?)
    }

    /// `UntagResource`.
    ///
    /// # Errors
    /// `TargetNotFoundException`.
    pub async fn untag_resource(
        &self,
        cx: &Authorized,
        input: UntagResourceRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = decided(&mut conn, cx).await?;
        check_taggable(&mut conn, &organization, &input.resource_id).await?;
        for key in &input.tag_keys {
            tag::delete(&mut conn, &organization.id, &input.resource_id, key).await?;
        }
        tx.touch(Topic::Organization(&organization.id));
        Ok(tx.commit().await?)
    }

    /// `ListTagsForResource`.
    ///
    /// # Errors
    /// `TargetNotFoundException`.
    pub async fn list_tags_for_resource(
        &self,
        cx: &Authorized,
        input: ListTagsForResourceRequest,
    ) -> Result<ListTagsForResourceResponse, Error> {
        let page = Page::new(None, input.next_token.as_deref())?;
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = decided(&mut conn, cx).await?;
        check_taggable(&mut conn, &organization, &input.resource_id).await?;
        let mut found = tag::list(&mut conn, &organization.id, &input.resource_id).await?;
        found.retain(|(key, _)| *key > page.after);
        let (found, next_token) = page.cut(found, |(key, _)| key);
        let tags = found.into_iter().map(|(key, value)| Tag { key, value });
        Ok(ListTagsForResourceResponse {
            tags: Some(tags.collect()),
            next_token,
        })
    }
}

async fn check_taggable(
    conn: &mut Conn<'_>,
    organization: &Organization,
    id: &str,
) -> Result<(), Error> {
    let own_policy = organization.resource_policy.as_ref();
    let exists = match id {
        // AWS's own policies have no tags.
        _ if id.starts_with("p-") => policy::find(conn, &organization.id, id).await?.is_some(),
        _ if id.starts_with("rp-") => own_policy.is_some_and(|policy| policy.0 == id),
        _ => tree::node(conn, organization, id).await?.is_some(),
    };
    match exists {
        true => Ok(()),
        false => Err(messages::no_target()),
    }
}

/// Checks tags that a request sets at once.
pub(super) fn check(tags: &[Tag]) -> Result<(), Error> {
    let mut seen = std::collections::HashSet::new();
    for new in tags {
        let is_aws = new.key.get(..4);
        if is_aws.is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
            return Err(messages::invalid(
                "INVALID_SYSTEM_TAGS_PARAMETER",
                "You specified a tag key that is a system tag. You can't add, edit, or delete system tag \
                 keys because they're reserved for AWS use.",
            ));
        }
        if !seen.insert(new.key.as_str()) {
            return Err(messages::invalid(
                "DUPLICATE_TAG_KEY",
                "Tag keys must be unique among the tags attached to the same entity.",
            ));
        }
    }
    check_count(tags.len())
}

fn check_count(tags: usize) -> Result<(), Error> {
    match tags > TAGS_MAX {
        true => Err(messages::constraint(
            "MAX_TAG_LIMIT_EXCEEDED",
            "You have exceeded the number of tags allowed on this resource.",
        )),
        false => Ok(()),
    }
}

/// Sets tags within the quota.
pub(super) async fn put(
    conn: &mut Conn<'_>,
    organization: &str,
    resource: &str,
    tags: Option<Vec<Tag>>,
) -> Result<(), Error> {
    let tags = tags.unwrap_or_default();
    check(&tags)?;
    for new in &tags {
        tag::put(conn, organization, resource, &new.key, &new.value).await?;
    }
    if tags.is_empty() {
        return Ok(());
    }
    check_count(tag::list(conn, organization, resource).await?.len())
}
