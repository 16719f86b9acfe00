//! Resource tags of repositories.

use std::collections::{BTreeMap, HashSet};

use aws_api::ecr::{
    ListTagsForResourceRequest, ListTagsForResourceResponse, Tag, TagResourceRequest,
    TagResourceResponse, UntagResourceRequest, UntagResourceResponse,
};
use aws_types::{AccountId, Arn};
use store::ecr::{repository, repository_tag};

use crate::cache::Change;
use crate::{Authorized, Error, Registry, RepositoryFacts};

/// Tags of a repository (ECR API, `TooManyTagsException`).
const TAGS_MAX: usize = 50;
/// Characters of a key (ECR user guide, "Tag restrictions").
const KEY_CHARS_MAX: usize = 128;
/// Characters of a value.
const VALUE_CHARS_MAX: usize = 256;
/// Keys that AWS keeps to itself, in whatever case.
const RESERVED_PREFIX: &str = "aws:";

impl Registry {
    /// `TagResource`.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::InvalidTagParameter`], [`Error::TooManyTags`].
    pub async fn tag_resource(
        &self,
        cx: &Authorized,
        input: TagResourceRequest,
    ) -> Result<TagResourceResponse, Error> {
        let repo = self.resource(cx, &input.resource_arn).await?;
        let new = merged([], input.tags);
        check_tags(&new)?;
        let mut tx = self.write(repo.id).await?;
        let conn = &mut tx.conn();
        if repository::get(conn, repo.id).await?.is_none() {
            return Err(Error::RepositoryNotFound(repo.place()));
        }
        let stored = repository_tag::list(conn, repo.id).await?;
        for (key, _) in &stored {
            let folded = fold(key);
            if new.keys().any(|new| new != key && fold(new) == folded) {
                return Err(alike(key));
            }
        }
        let all = merged(stored, to_tags(&new));
        if all.len() > TAGS_MAX {
            return Err(Error::TooManyTags(TAGS_MAX));
        }
        for (key, value) in &new {
            repository_tag::put(conn, repo.id, key, value).await?;
        }
        self.commit(tx, &[changed(&repo)]).await?;
        Ok(TagResourceResponse {})
    }

    /// `UntagResource`. Keys that are not there are no error.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`].
    pub async fn untag_resource(
        &self,
        cx: &Authorized,
        input: UntagResourceRequest,
    ) -> Result<UntagResourceResponse, Error> {
        let repo = self.resource(cx, &input.resource_arn).await?;
        let mut tx = self.write(repo.id).await?;
        for key in &input.tag_keys {
            repository_tag::delete(&mut tx.conn(), repo.id, key).await?;
        }
        self.commit(tx, &[changed(&repo)]).await?;
        Ok(UntagResourceResponse {})
    }

    /// `ListTagsForResource`, in the order of keys.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`].
    pub async fn list_tags_for_resource(
        &self,
        cx: &Authorized,
        input: ListTagsForResourceRequest,
    ) -> Result<ListTagsForResourceResponse, Error> {
        let repo = self.resource(cx, &input.resource_arn).await?;
        let mut read = self.0.store.read().await?;
        let tags = repository_tag::list(&mut read.conn(), repo.id).await?;
        Ok(ListTagsForResourceResponse {
            tags: Some(to_tags(&tags.into_iter().collect())),
        })
    }

    /// The repository that an ARN names.
    async fn resource(
        &self,
        cx: &Authorized,
        text: &str,
    ) -> Result<std::sync::Arc<RepositoryFacts>, Error> {
        let invalid = || Error::parameter("resourceArn", "Invalid ARN");
        let arn: Arn = text.parse().map_err(|_| invalid())?;
        let name = arn
            .resource()
            .strip_prefix("repository/")
            .ok_or_else(invalid)?;
        let account: AccountId = arn.account().parse().map_err(|_| invalid())?;
        if arn.service() != "ecr" || arn.region() != cx.region.as_str() {
            return Err(invalid());
        }
        self.repository(&account, &cx.region, name).await
    }
}

fn changed(repo: &RepositoryFacts) -> Change {
    Change::Repository(
        repo.id,
        repo.account,
        repo.region.clone(),
        repo.name.to_string(),
    )
}

/// Tags by key, a later one in the place of an earlier.
pub(super) fn merged(
    old: impl IntoIterator<Item = (String, String)>,
    new: Vec<Tag>,
) -> BTreeMap<String, String> {
    let mut all: BTreeMap<_, _> = old.into_iter().collect();
    all.extend(new.into_iter().map(|tag| (tag.key, tag.value)));
    all
}

fn to_tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    let tag = |(key, value): (&String, &String)| Tag {
        key: key.clone(),
        value: value.clone(),
    };
    tags.iter().map(tag).collect()
}

/// Refuses tags that AWS refuses (ECR user guide, "Tag restrictions").
pub(super) fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), Error> {
    if tags.len() > TAGS_MAX {
        return Err(Error::TooManyTags(TAGS_MAX));
    }
    let invalid = |what: String| Err(Error::InvalidTagParameter(what));
    let mut folded = HashSet::new();
    for (key, value) in tags {
        let (key_chars, value_chars) = (key.chars().count(), value.chars().count());
        if key_chars == 0 || key_chars > KEY_CHARS_MAX {
            return invalid(format!(
                "A tag's key must have 1 to {KEY_CHARS_MAX} characters"
            ));
        }
        if value_chars > VALUE_CHARS_MAX {
            return invalid(format!(
                "A tag's value must have {VALUE_CHARS_MAX} characters at most"
            ));
        }
        if !key.chars().chain(value.chars()).all(allowed) {
            return invalid(
                "A tag's key and value may hold letters, numbers, spaces and _ . : / = + - @"
                    .into(),
            );
        }
        let reserved = key.get(..RESERVED_PREFIX.len());
        if reserved.is_some_and(|head| head.eq_ignore_ascii_case(RESERVED_PREFIX)) {
            return invalid(format!("A tag's key must not begin with {RESERVED_PREFIX}"));
        }
        if !folded.insert(fold(key)) {
            return Err(alike(key));
        }
    }
    Ok(())
}

/// Condition keys know no case, so `aws:ResourceTag/team` would be either of two tags
/// `team` and `Team`, and a policy about it could be evaded with the other. ECR would keep
/// both; here the second is refused.
fn fold(key: &str) -> String {
    key.to_lowercase()
}

fn alike(key: &str) -> Error {
    Error::InvalidTagParameter(format!(
        "A repository cannot have two tags whose keys differ only in case, as '{key}' and another do"
    ))
}

fn allowed(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c)
}
