//! The rows that a change leaves for each destination, in its own transaction. A registry without rules pays a look
//! into memory.

use store::Conn;
use store::ecr::replication::{self, NewTask, Status};
use store::ecr::{image, image_status, image_tag};

use crate::replication_rules::TagFilter;
use crate::{Error, RepositoryFacts};

pub(crate) const COPY: &str = "COPY";
pub(crate) const DELETE_TAG: &str = "DELETE_TAG";
pub(crate) const DELETE_IMAGE: &str = "DELETE_IMAGE";

/// What a deletion removed.
pub(crate) struct Deletion<'a> {
    /// The image's digest.
    pub(crate) digest: &'a str,
    /// The tags that were removed.
    pub(crate) tags: &'a [String],
    /// Whether the image is gone, or only one of its tags.
    pub(crate) image_deleted: bool,
    /// The digests of the referrers that were deleted with the image.
    pub(crate) referrers: &'a [String],
}

/// An image was pushed, or given these tags.
pub(crate) async fn note_pushed(
    conn: &mut Conn<'_>,
    repo: &RepositoryFacts,
    image_id: i64,
    digest: &str,
    tags: &[&str],
    now: i64,
) -> Result<(), Error> {
    let rules = &repo.registry.replication;
    for destination in rules.destinations(&repo.name, false) {
        let destination = &destination.word();
        let mut wanted = tags.to_vec();
        if let Some(filter) = rules.filter(destination) {
            wanted.retain(|tag| filter.matches(tag));
            let is_wanted = match tags.is_empty() {
                true => follows(conn, repo.id, digest, filter).await?,
                false => !wanted.is_empty(),
            };
            if !is_wanted {
                continue;
            }
        }
        let copy = Copy {
            repository_id: repo.id,
            destination,
            image_id,
            digest,
            tags: &wanted,
            backfill_item: None,
        };
        add_copy(conn, &copy, now).await?;
    }
    Ok(())
}

/// Subjects of subjects that are looked at: a signature of a list of contents of an image.
const SUBJECTS_MAX: usize = 4;

/// Whether an image without a tag goes to a destination with a limit by tags: one about an image that does.
pub(crate) async fn follows(
    conn: &mut Conn<'_>,
    repository_id: i64,
    digest: &str,
    filter: &TagFilter,
) -> Result<bool, Error> {
    let mut digest = digest.to_owned();
    for _ in 0..SUBJECTS_MAX {
        let found = image::find(conn, repository_id, &digest).await?;
        let Some(subject) = found.and_then(|found| found.subject) else {
            return Ok(false);
        };
        if let Some(found) = image::find(conn, repository_id, &subject).await? {
            let tags = image_tag::of_image(conn, found.id).await?;
            if tags.iter().any(|tag| filter.matches(tag)) {
                return Ok(true);
            }
        }
        digest = subject;
    }
    Ok(false)
}

/// An image that is to be at a destination.
pub(crate) struct Copy<'a> {
    /// The source.
    pub(crate) repository_id: i64,
    /// As the tables name it.
    pub(crate) destination: &'a str,
    /// The image's row.
    pub(crate) image_id: i64,
    /// Its digest.
    pub(crate) digest: &'a str,
    /// With these tags.
    pub(crate) tags: &'a [&'a str],
    /// The part of a backfill that this is.
    pub(crate) backfill_item: Option<i64>,
}

/// A task for an image, which is in progress from now on.
pub(crate) async fn add_copy(conn: &mut Conn<'_>, copy: &Copy<'_>, now: i64) -> Result<(), Error> {
    let task = NewTask {
        repository_id: copy.repository_id,
        destination: copy.destination,
        action: COPY,
        digest: copy.digest,
        tags: &copy.tags.join("\n"),
        backfill_item: copy.backfill_item,
    };
    replication::add(conn, &task, now).await?;
    let status = Status {
        destination: copy.destination.to_owned(),
        status: "IN_PROGRESS".to_owned(),
        failure_code: None,
        replica_id: None,
    };
    Ok(replication::set_status(conn, copy.image_id, &status, now).await?)
}

/// An archived image was restored: it is replicated as if it was pushed with its tags.
pub(crate) async fn note_restored(
    conn: &mut Conn<'_>,
    repo: &RepositoryFacts,
    image: &image_status::Marked,
    now: i64,
) -> Result<(), Error> {
    let rules = &repo.registry.replication;
    if rules.destinations(&repo.name, false).is_empty() {
        return Ok(());
    }
    let tags = image_tag::of_image(conn, image.id).await?;
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    note_pushed(conn, repo, image.id, &image.digest, &tags, now).await
}

/// A tag, or an image, was deleted: "deleteReplication" (ECR API, `ReplicationRule`).
pub(crate) async fn note_removed(
    conn: &mut Conn<'_>,
    repo: &RepositoryFacts,
    removed: &Deletion<'_>,
    now: i64,
) -> Result<(), Error> {
    for destination in repo.registry.replication.destinations(&repo.name, true) {
        let destination = &destination.word();
        let task = |action, digest, tags| NewTask {
            repository_id: repo.id,
            destination,
            action,
            digest,
            tags,
            backfill_item: None,
        };
        if !removed.image_deleted {
            let filter = repo.registry.replication.filter(destination);
            let is_there = |tag: &&String| filter.is_none_or(|filter| filter.matches(tag));
            let tags: Vec<_> = removed.tags.iter().filter(is_there).cloned().collect();
            if tags.is_empty() {
                continue;
            }
            let tags = tags.join("\n");
            let one = task(DELETE_TAG, removed.digest, tags.as_str());
            replication::add(conn, &one, now).await?;
            continue;
        }
        let digests = [removed.digest]
            .into_iter()
            .chain(removed.referrers.iter().map(String::as_str));
        for digest in digests {
            replication::add(conn, &task(DELETE_IMAGE, digest, ""), now).await?;
        }
    }
    Ok(())
}
