//! Tag history: listed, restored, pruned.

use std::collections::HashSet;

use authz::ServiceName;
use aws_api::berth::{
    ListTagHistoryRequest, ListTagHistoryResponse, RestoreTagRequest, RestoreTagResponse, TagEvent,
    TagEventType, TagMoveMethod,
};
use jiff::Timestamp;
use store::ecr::image::ACTIVE;
use store::ecr::quota;
use store::ecr::tag_move::{self, Filter, TagMove};
use store::ecr::{image, image_status, image_tag, repository};
use store::{Scope, settings};

use crate::cache::Change;
use crate::digest::parse_digest;
use crate::ecr::token;
use crate::events::{self, Artifact};
use crate::mutability::Mutability;
use crate::name::{OCI_TAG_CHARS_MAX, is_tag};
use crate::storage_class::restore;
use crate::tag_moves::{Cause, MoveMethod};
use crate::{Authorized, Error, Registry};

/// The setting that holds the last move that pruning looked at.
const PRUNED_UNTIL: &str = "tag_moves_pruned_until";
/// Moves that one step of pruning looks at.
const PRUNE_ROWS_MAX: i64 = 1_000;

impl Registry {
    /// `ListTagHistory`: the moves of a repository's tags, newest first.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::InvalidDigest`], [`Error::InvalidParameter`] for a token.
    pub async fn list_tag_history(
        &self,
        cx: &Authorized,
        input: ListTagHistoryRequest,
    ) -> Result<ListTagHistoryResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let digest = match input.image_digest.as_deref() {
            Some(text) => Some(parse_digest(text)?.to_string()),
            None => None,
        };
        let filter = match (input.image_tag.as_deref(), digest.as_deref()) {
            (None, None) => Filter::All,
            (Some(tag), None) => Filter::Tag(tag),
            (None, Some(digest)) => Filter::Digest(digest),
            (Some(tag), Some(digest)) => Filter::TagAndDigest(tag, digest),
        };
        let before = match token::open(input.next_token.as_ref())?.as_str() {
            "" => i64::MAX,
            place => place.parse().map_err(|_| token::invalid())?,
        };
        let n = token::page_size(input.max_results);
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let mut moves = tag_move::list(conn, repo.id, filter, before, token::rows(n)).await?;
        let next_token = token::cut(&mut moves, n).map(|last| token::seal(&last.id.to_string()));
        let mut named: Vec<String> = moves
            .iter()
            .filter_map(|one| one.to_digest.clone())
            .collect();
        named.sort_unstable();
        named.dedup();
        let found = image::sizes(conn, repo.id, &named).await?;
        let existing: HashSet<String> = found.into_iter().map(|(digest, ..)| digest).collect();
        let events = moves.into_iter().map(|one| event(one, &existing));
        Ok(ListTagHistoryResponse {
            events: events.collect::<Result<_, _>>()?,
            next_token,
        })
    }

    /// `RestoreTag`: an earlier target of a tag that the repository still has becomes its target again. The
    /// rules are those of a push, and it is a move like any other.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::ImageNotFound`], [`Error::NotInTagHistory`],
    /// [`Error::ImageTagAlreadyExists`], [`Error::TooManyImageTags`].
    pub async fn restore_tag(
        &self,
        cx: &Authorized,
        input: RestoreTagRequest,
    ) -> Result<RestoreTagResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let (tag, digest) = (input.image_tag, parse_digest(&input.image_digest)?);
        if !is_tag(&tag, OCI_TAG_CHARS_MAX) {
            return Err(Error::InvalidTag {
                chars_max: OCI_TAG_CHARS_MAX,
            });
        }
        let digest = digest.to_string();
        let quotas = self.account_quotas(repo.account).await?;
        let mut tx = self.write(repo.id).await?;
        let Some(row) = repository::get(&mut tx.conn(), repo.id).await? else {
            return Err(Error::RepositoryNotFound(repo.place()));
        };
        let found = image::find(&mut tx.conn(), repo.id, &digest).await?;
        let image = found.ok_or_else(|| repo.no_image(Some(&digest), None))?;
        if !tag_move::named(&mut tx.conn(), repo.id, &tag, &digest).await? {
            return Err(Error::NotInTagHistory {
                tag,
                digest,
                place: repo.place(),
            });
        }
        let current = image_tag::find(&mut tx.conn(), repo.id, &tag).await?;
        let previous = current.map(|(_, digest)| digest);
        if previous.as_ref() != Some(&digest) {
            if previous.is_some() && Mutability::stored(&row)?.forbids_moving(&tag) {
                return Err(Error::ImageTagAlreadyExists {
                    tag,
                    place: repo.place(),
                });
            }
            let max = quotas.value(quota::TAGS, self.0.settings.limits.tags_per_image_max);
            let count = image_tag::count(&mut tx.conn(), image.id).await?;
            if count.unsigned_abs() >= max {
                return Err(Error::TooManyImageTags {
                    tag,
                    place: repo.place(),
                    max,
                });
            }
            // As a push of the image does.
            let archived = image_status::get(&mut tx.conn(), image.id).await?;
            restore(&mut tx, &repo, Vec::from_iter(archived), cx.now_ms()).await?;
            self.note_change(&mut tx, &repo, cx.now_ms()).await?;
            // As a push of the image: it can be pulled by the tag afterwards.
            let conn = &mut tx.conn();
            let mut archived = image_status::children(conn, image.id).await?;
            if image.status != ACTIVE {
                archived.extend(image_status::get(conn, image.id).await?);
            }
            restore(&mut tx, &repo, archived, cx.now_ms()).await?;
            image_tag::put(&mut tx.conn(), repo.id, &tag, image.id, cx.now_ms()).await?;
            let cause = Cause::caller(cx, MoveMethod::Restore);
            let (from, to) = (previous.as_deref(), Some(digest.as_str()));
            cause
                .record(&mut tx.conn(), repo.id, &tag, from, to)
                .await?;
            let artifact = Artifact {
                digest: &digest,
                media_type: Some(&image.media_type),
                artifact_type: image.artifact_type.as_deref(),
                is_referrer: image.subject.is_some(),
            };
            let conn = &mut tx.conn();
            events::pushed(conn, &repo, artifact, &[&tag], cx.now_ms()).await?;
            self.note_change(&mut tx, &repo, cx.now_ms()).await?;
            let moved = previous.iter().map(|_| Change::Tag(repo.id, tag.clone()));
            self.commit(tx, &moved.collect::<Vec<_>>()).await?;
        }
        Ok(RestoreTagResponse {
            image_tag: tag,
            image_digest: digest,
            previous_image_digest: previous,
        })
    }

    /// Removes moves beyond [`crate::HistoryLimits`], of the tags that moved since it last ran, some at a
    /// time; returns whether there is more to do. One node does it for all.
    ///
    /// # Errors
    /// The store's.
    pub async fn prune_tag_history(&self, _: ServiceName) -> Result<bool, Error> {
        let limits = self.0.settings.history;
        let mut tx = self.0.store.write(Scope::System("tag-history")).await?;
        let conn = &mut tx.conn();
        let after = settings::get(conn, PRUNED_UNTIL).await?;
        let after = after.and_then(|text| text.parse().ok()).unwrap_or(0);
        let Some((last, tags)) = tag_move::moved_after(conn, after, PRUNE_ROWS_MAX).await? else {
            return Ok(false);
        };
        let mut repositories = Vec::new();
        for (repository_id, tag) in &tags {
            let keep = i64::from(limits.moves_per_tag_max);
            tag_move::prune_tag(conn, *repository_id, tag, keep).await?;
            if repositories.last() != Some(repository_id) {
                repositories.push(*repository_id);
            }
        }
        for repository_id in repositories {
            let keep = i64::from(limits.moves_per_repository_max);
            tag_move::prune_repository(conn, repository_id, keep).await?;
        }
        settings::put(conn, PRUNED_UNTIL, &last.to_string()).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// A move as the API shows it.
fn event(one: TagMove, existing: &HashSet<String>) -> Result<TagEvent, Error> {
    let event_type = match (&one.from_digest, &one.to_digest) {
        (_, None) => TagEventType::Deleted,
        (None, Some(_)) => TagEventType::Created,
        (Some(_), Some(_)) => TagEventType::Moved,
    };
    let method: TagMoveMethod = one
        .method
        .parse()
        .map_err(|_| Error::internal(format!("unknown method `{}`", one.method)))?;
    Ok(TagEvent {
        image_tag: one.tag,
        event_type,
        method,
        image_exists: one
            .to_digest
            .as_ref()
            .map(|digest| existing.contains(digest)),
        image_digest: one.to_digest,
        previous_image_digest: one.from_digest,
        event_time: Timestamp::from_millisecond(one.moved_at).map_err(Error::internal)?,
        principal_arn: one.principal,
        session_name: one.session_name,
        service_name: one.service,
        request_id: one.request_id,
    })
}
