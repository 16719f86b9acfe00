//! What the changes of images tell.

use jiff::Timestamp;
use store::Conn;
use store::ecr::image::{self, Image};

use super::{Artifact, Event, ImageAction, LifecycleAction, StorageClassChange, are_wanted, emit};
use crate::{Error, RepositoryFacts};

fn artifact(image: &Image) -> Artifact<'_> {
    Artifact {
        digest: &image.digest,
        media_type: Some(&image.media_type),
        artifact_type: image.artifact_type.as_deref(),
        is_referrer: image.subject.is_some(),
    }
}

/// Tags were put on an image, by a push or otherwise: an event for each. A push without a tag is one event.
pub(crate) async fn pushed(
    conn: &mut Conn<'_>,
    repo: &RepositoryFacts,
    artifact: Artifact<'_>,
    tags: &[&str],
    now: i64,
) -> Result<(), Error> {
    if tags.is_empty() {
        let event = Event::Image(artifact, ImageAction::Push(None));
        return emit(conn, repo, &event, now).await;
    }
    for tag in tags {
        let event = Event::Image(artifact, ImageAction::Push(Some(tag)));
        emit(conn, repo, &event, now).await?;
    }
    Ok(())
}

/// An image that is to be told of, read before it is gone; `None` where no target wants to know.
pub(crate) async fn subject_of(
    conn: &mut Conn<'_>,
    repo: &RepositoryFacts,
    digest: &str,
) -> Result<Option<Image>, Error> {
    match are_wanted(repo) {
        true => Ok(image::find(conn, repo.id, digest).await?),
        false => Ok(None),
    }
}

/// What was removed of an image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Removed<'a> {
    pub(crate) image: &'a Image,
    /// The tags that it has lost.
    pub(crate) tags: &'a [String],
}

/// An image lost tags, or went with those that it had.
pub(crate) async fn deleted(
    conn: &mut Conn<'_>,
    repo: &RepositoryFacts,
    removed: Removed<'_>,
    now: i64,
) -> Result<(), Error> {
    let artifact = artifact(removed.image);
    if removed.tags.is_empty() {
        let event = Event::Image(artifact, ImageAction::Delete(None));
        return emit(conn, repo, &event, now).await;
    }
    for tag in removed.tags {
        let event = Event::Image(artifact, ImageAction::Delete(Some(tag)));
        emit(conn, repo, &event, now).await?;
    }
    Ok(())
}

/// Referrers went with their subject.
pub(crate) async fn deleted_referrers(
    conn: &mut Conn<'_>,
    repo: &RepositoryFacts,
    digests: &[String],
    now: i64,
) -> Result<(), Error> {
    for digest in digests {
        let artifact = Artifact {
            digest,
            media_type: None,
            artifact_type: None,
            is_referrer: true,
        };
        let event = Event::Image(artifact, ImageAction::Delete(None));
        emit(conn, repo, &event, now).await?;
    }
    Ok(())
}

/// An image is archived (`None`), or active again since `activated_at`.
pub(crate) async fn moved_class(
    conn: &mut Conn<'_>,
    repo: &RepositoryFacts,
    digest: &str,
    activated_at: Option<i64>,
    now: i64,
) -> Result<(), Error> {
    let Some(image) = subject_of(conn, repo, digest).await? else {
        return Ok(());
    };
    let at = activated_at
        .map(Timestamp::from_millisecond)
        .transpose()
        .map_err(Error::internal)?
        .map(|at| format!("{at:.2}"));
    let change = match at.as_deref() {
        None => StorageClassChange::Archive,
        Some(last_activated_at) => StorageClassChange::Standard { last_activated_at },
    };
    let event = Event::Image(artifact(&image), ImageAction::UpdateStorageClass(change));
    emit(conn, repo, &event, now).await
}

/// A lifecycle policy acted on an image.
pub(crate) async fn expired(
    conn: &mut Conn<'_>,
    repo: &RepositoryFacts,
    digest: &str,
    tags: &[String],
    (action, rule_priority): (LifecycleAction, i64),
    now: i64,
) -> Result<(), Error> {
    let event = Event::Lifecycle {
        digest,
        tags,
        action,
        rule_priority,
    };
    emit(conn, repo, &event, now).await
}
