//! The tables `lifecycle_previews` and `lifecycle_preview_images`: what a policy would do.

use crate::{Conn, Result, Row, values};

/// The kind of the jobs that make previews. A job's subject is the repository's id.
pub const PREVIEW_JOB: &str = "lifecycle-preview";

/// The last preview of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The policy that is previewed.
    pub policy: String,
    /// `IN_PROGRESS`, `COMPLETE`, `FAILED`.
    pub status: String,
    /// When it was asked for.
    pub started_at: i64,
    /// When it was done.
    pub completed_at: Option<i64>,
    /// How many images would expire.
    pub expiring: i64,
    /// How many images would be archived.
    pub archiving: i64,
}

/// What would become of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewImage {
    /// Its place in the preview.
    pub position: i64,
    /// Its digest.
    pub digest: String,
    /// Its tags, as a JSON array.
    pub tags: String,
    /// When it was pushed.
    pub pushed_at: i64,
    /// The priority of the rule.
    pub rule_priority: i64,
    /// `EXPIRE`, `TRANSITION`.
    pub action: String,
    /// `STANDARD`, `ARCHIVE`: where it is.
    pub storage_class: String,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT position, digest, tags, pushed_at, rule_priority, action, storage_class ",
            "FROM lifecycle_preview_images ",
            $rest
        )
    };
}

fn image(row: &Row) -> Result<PreviewImage> {
    Ok(PreviewImage {
        position: row.int(0)?,
        digest: row.text(1)?,
        tags: row.text(2)?,
        pushed_at: row.int(3)?,
        rule_priority: row.int(4)?,
        action: row.text(5)?,
        storage_class: row.text(6)?,
    })
}

/// The last preview of a repository.
///
/// # Errors
/// The engine's.
pub async fn get(conn: &mut Conn<'_>, repository_id: i64) -> Result<Option<Preview>> {
    conn.fetch_optional(
        "SELECT policy, status, started_at, completed_at, expiring, archiving \
         FROM lifecycle_previews WHERE repository_id = $1",
        values![repository_id],
    )
    .await?
    .map(|row| {
        Ok(Preview {
            policy: row.text(0)?,
            status: row.text(1)?,
            started_at: row.int(2)?,
            completed_at: row.opt_int(3)?,
            expiring: row.int(4)?,
            archiving: row.int(5)?,
        })
    })
    .transpose()
}

/// Begins a preview, in place of an earlier one.
///
/// # Errors
/// [`crate::Error::ForeignKey`] when the repository is gone.
pub async fn start(conn: &mut Conn<'_>, repository_id: i64, policy: &str, now: i64) -> Result<()> {
    clear(conn, repository_id).await?;
    conn.execute(
        "INSERT INTO lifecycle_previews \
         (repository_id, policy, status, started_at, expiring, archiving) \
         VALUES ($1, $2, 'IN_PROGRESS', $3, 0, 0) ON CONFLICT (repository_id) DO UPDATE SET \
         policy = excluded.policy, status = excluded.status, started_at = excluded.started_at, \
         completed_at = NULL, expiring = 0, archiving = 0",
        values![repository_id, policy, now],
    )
    .await
    .map(drop)
}

/// Ends a preview. False when it is not the one that began at `started_at`, or has ended.
///
/// # Errors
/// The engine's.
pub async fn finish(conn: &mut Conn<'_>, repository_id: i64, done: &Preview) -> Result<bool> {
    let changed = conn
        .execute(
            "UPDATE lifecycle_previews SET status = $3, completed_at = $4, expiring = $5, \
             archiving = $6 WHERE repository_id = $1 AND started_at = $2 \
             AND status = 'IN_PROGRESS'",
            values![
                repository_id,
                done.started_at,
                &done.status,
                done.completed_at,
                done.expiring,
                done.archiving,
            ],
        )
        .await?;
    Ok(changed == 1)
}

/// Removes the images of a preview.
///
/// # Errors
/// The engine's.
pub async fn clear(conn: &mut Conn<'_>, repository_id: i64) -> Result<()> {
    conn.execute(
        "DELETE FROM lifecycle_preview_images WHERE repository_id = $1",
        values![repository_id],
    )
    .await
    .map(drop)
}

/// Adds an image to a preview.
///
/// # Errors
/// The engine's.
pub async fn add_image(
    conn: &mut Conn<'_>,
    repository_id: i64,
    image: &PreviewImage,
) -> Result<()> {
    conn.execute(
        "INSERT INTO lifecycle_preview_images (repository_id, position, digest, tags, pushed_at, \
         rule_priority, action, storage_class) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        values![
            repository_id,
            image.position,
            &image.digest,
            &image.tags,
            image.pushed_at,
            image.rule_priority,
            &image.action,
            &image.storage_class,
        ],
    )
    .await
    .map(drop)
}

/// At most `limit` images after the place `after`; with `tagged`, only those with tags or without.
///
/// # Errors
/// The engine's.
pub async fn images(
    conn: &mut Conn<'_>,
    repository_id: i64,
    tagged: Option<bool>,
    after: i64,
    limit: i64,
) -> Result<Vec<PreviewImage>> {
    let sql = match tagged {
        None => {
            select!("WHERE repository_id = $1 AND position > $2 ORDER BY position LIMIT $3")
        }
        Some(true) => select!(
            "WHERE repository_id = $1 AND position > $2 AND tags <> '[]' ORDER BY position LIMIT $3"
        ),
        Some(false) => select!(
            "WHERE repository_id = $1 AND position > $2 AND tags = '[]' ORDER BY position LIMIT $3"
        ),
    };
    conn.fetch_all(sql, values![repository_id, after, limit])
        .await?
        .iter()
        .map(image)
        .collect()
}

/// The image of this digest in the preview.
///
/// # Errors
/// The engine's.
pub async fn find(
    conn: &mut Conn<'_>,
    repository_id: i64,
    digest: &str,
) -> Result<Option<PreviewImage>> {
    conn.fetch_optional(
        select!("WHERE repository_id = $1 AND digest = $2"),
        values![repository_id, digest],
    )
    .await?
    .as_ref()
    .map(image)
    .transpose()
}
