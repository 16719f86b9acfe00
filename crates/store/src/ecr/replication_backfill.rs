//! The tables `replication_backfills` and `replication_backfill_items`: replications of what was there before.
//!
//! Each item that is due has a task (`super::replication`), which does the work and says here what became of it.

use crate::{Conn, Result, Row, jobs, values};

/// The kind of the jobs that prepare backfills and give out their tasks: one for each, by its id.
pub const JOB: &str = "replication-backfill";

/// A backfill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backfill {
    /// A UUID.
    pub id: String,
    /// The account of the source.
    pub account: String,
    /// The region of the source.
    pub region: String,
    /// `account region`.
    pub destination: String,
    /// `PREPARING`, `IN_PROGRESS`, `COMPLETE`, `FAILED`, `STOPPING`, `STOPPED`.
    pub status: String,
    /// Why it failed.
    pub failure_code: Option<String>,
    /// Milliseconds since the epoch.
    pub started_at: i64,
    /// Milliseconds since the epoch.
    pub ended_at: Option<i64>,
    /// Where the look for images goes on.
    pub place: Place,
    /// The number of items; `None` while they are looked for.
    pub total: Option<i64>,
    /// Items that were replicated.
    pub completed: i64,
    /// Items that were not.
    pub failed: i64,
    /// Why, each code once, one a line.
    pub failure_codes: String,
}

/// A place in the order of repositories, images and tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The repository's name.
    pub repository: String,
    /// The image's id.
    pub image: i64,
    /// The tag.
    pub tag: String,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, account, region, destination, status, failure_code, started_at, ended_at, ",
            "at_repository, at_image, at_tag, total, completed, failed, failure_codes ",
            "FROM replication_backfills ",
            $rest
        )
    };
}

fn backfill(row: &Row) -> Result<Backfill> {
    Ok(Backfill {
        id: row.text(0)?,
        account: row.text(1)?,
        region: row.text(2)?,
        destination: row.text(3)?,
        status: row.text(4)?,
        failure_code: row.opt_text(5)?,
        started_at: row.int(6)?,
        ended_at: row.opt_int(7)?,
        place: Place {
            repository: row.text(8)?,
            image: row.int(9)?,
            tag: row.text(10)?,
        },
        total: row.opt_int(11)?,
        completed: row.int(12)?,
        failed: row.int(13)?,
        failure_codes: row.text(14)?,
    })
}

/// Adds a backfill that is being prepared, with its job.
///
/// # Errors
/// The engine's.
pub async fn insert(
    conn: &mut Conn<'_>,
    id: &str,
    (account, region): (&str, &str),
    destination: &str,
    now: i64,
) -> Result<()> {
    conn.execute(
        "INSERT INTO replication_backfills (id, account, region, destination, status, started_at, \
         at_repository, at_image, at_tag, completed, failed, failure_codes) \
         VALUES ($1, $2, $3, $4, 'PREPARING', $5, '', 0, '', 0, 0, '')",
        values![id, account, region, destination, now],
    )
    .await?;
    jobs::put(conn, JOB, id, "", now).await
}

/// A backfill by its id.
///
/// # Errors
/// The engine's.
pub async fn get(conn: &mut Conn<'_>, id: &str) -> Result<Option<Backfill>> {
    conn.fetch_optional(select!("WHERE id = $1"), values![id])
        .await?
        .as_ref()
        .map(backfill)
        .transpose()
}

/// The destinations of a registry's backfills that have not ended. Their number is bounded when they are begun.
///
/// # Errors
/// The engine's.
pub async fn running(conn: &mut Conn<'_>, account: &str, region: &str) -> Result<Vec<String>> {
    conn.fetch_all(
        "SELECT destination FROM replication_backfills \
         WHERE account = $1 AND region = $2 AND ended_at IS NULL",
        values![account, region],
    )
    .await?
    .iter()
    .map(|row| row.text(0))
    .collect()
}

/// The backfills of a registry, the latest first, at most `limit`, before `(started_at, id)`; of those that have
/// ended only what ended after `ended_after`.
///
/// # Errors
/// The engine's.
pub async fn list(
    conn: &mut Conn<'_>,
    (account, region): (&str, &str),
    (before, before_id): (i64, &str),
    ended_after: i64,
    limit: i64,
) -> Result<Vec<Backfill>> {
    conn.fetch_all(
        select!(
            "WHERE account = $1 AND region = $2 AND started_at <= $3 \
             AND (started_at < $3 OR id < $4) AND (ended_at IS NULL OR ended_at > $5) \
             ORDER BY started_at DESC, id DESC LIMIT $6"
        ),
        values![account, region, before, before_id, ended_after, limit],
    )
    .await?
    .iter()
    .map(backfill)
    .collect()
}

/// Says where the look for images goes on.
///
/// # Errors
/// The engine's.
pub async fn set_place(conn: &mut Conn<'_>, id: &str, place: &Place) -> Result<()> {
    conn.execute(
        "UPDATE replication_backfills SET at_repository = $2, at_image = $3, at_tag = $4 \
         WHERE id = $1",
        values![id, &place.repository, place.image, &place.tag],
    )
    .await
    .map(drop)
}

/// All items are known.
///
/// # Errors
/// The engine's.
pub async fn set_prepared(conn: &mut Conn<'_>, id: &str) -> Result<()> {
    conn.execute(
        "UPDATE replication_backfills SET status = 'IN_PROGRESS', total = \
         (SELECT COUNT(*) FROM replication_backfill_items WHERE backfill_id = $1) \
         WHERE id = $1 AND status = 'PREPARING'",
        values![id],
    )
    .await
    .map(drop)
}

/// Ends a backfill, or says that it is stopping; false where it has ended already.
///
/// # Errors
/// The engine's.
pub async fn set_status(
    conn: &mut Conn<'_>,
    id: &str,
    status: &str,
    failure_code: Option<&str>,
    ended_at: Option<i64>,
) -> Result<bool> {
    let changed = conn
        .execute(
            "UPDATE replication_backfills SET status = $2, failure_code = $3, ended_at = $4 \
             WHERE id = $1 AND ended_at IS NULL",
            values![id, status, failure_code.map(str::to_owned), ended_at],
        )
        .await?;
    Ok(changed == 1)
}

/// An image and one of its tags; the tag is empty for an image without any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The image's id.
    pub image: i64,
    /// Its digest.
    pub digest: String,
    /// The tag.
    pub tag: String,
}

/// The active images of a repository with their tags, at most `limit`, after an image and a tag, in their order.
/// Left out are images without a tag that a list holds: they come with it.
///
/// # Errors
/// The engine's.
pub async fn images(
    conn: &mut Conn<'_>,
    repository_id: i64,
    (image, tag): (i64, &str),
    limit: i64,
) -> Result<Vec<Found>> {
    conn.fetch_all(
        "SELECT i.id, i.digest, COALESCE(t.tag, '') FROM images i \
         LEFT JOIN image_tags t ON t.image_id = i.id \
         WHERE i.repository_id = $1 AND i.id >= $2 AND i.status = 'ACTIVE' \
         AND (i.id > $2 OR COALESCE(t.tag, '') > $3) \
         AND (t.tag IS NOT NULL OR NOT EXISTS (SELECT 1 FROM image_children c \
         WHERE c.repository_id = i.repository_id AND c.digest = i.digest)) \
         ORDER BY i.id, COALESCE(t.tag, '') LIMIT $4",
        values![repository_id, image, tag, limit],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Found {
            image: row.int(0)?,
            digest: row.text(1)?,
            tag: row.text(2)?,
        })
    })
    .collect()
}

/// Adds an item.
///
/// # Errors
/// The engine's.
pub async fn add_item(
    conn: &mut Conn<'_>,
    backfill_id: &str,
    (repository_id, repository): (i64, &str),
    found: &Found,
) -> Result<()> {
    conn.execute(
        "INSERT INTO replication_backfill_items (backfill_id, repository_id, repository, digest, \
         tag, status, sub_failure_codes) VALUES ($1, $2, $3, $4, $5, 'WAITING', '')",
        values![
            backfill_id,
            repository_id,
            repository,
            &found.digest,
            &found.tag
        ],
    )
    .await
    .map(drop)
}

/// A part of a backfill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The row's id.
    pub id: i64,
    /// The repository's id, when the backfill was prepared.
    pub repository_id: i64,
    /// Its name.
    pub repository: String,
    /// The image's digest.
    pub digest: String,
    /// The tag; empty for none.
    pub tag: String,
    /// `WAITING`, `QUEUED`, `COMPLETE`, `FAILED`.
    pub status: String,
    /// Why it failed, or why the last attempt did.
    pub failure_code: Option<String>,
    /// The codes of a list's images, one a line.
    pub sub_failure_codes: String,
}

macro_rules! select_items {
    ($rest:literal) => {
        concat!(
            "SELECT id, repository_id, repository, digest, tag, status, failure_code, ",
            "sub_failure_codes FROM replication_backfill_items ",
            $rest
        )
    };
}

fn item(row: &Row) -> Result<Item> {
    Ok(Item {
        id: row.int(0)?,
        repository_id: row.int(1)?,
        repository: row.text(2)?,
        digest: row.text(3)?,
        tag: row.text(4)?,
        status: row.text(5)?,
        failure_code: row.opt_text(6)?,
        sub_failure_codes: row.text(7)?,
    })
}

/// At most `limit` items of a status after `after`, in their order.
///
/// # Errors
/// The engine's.
pub async fn items(
    conn: &mut Conn<'_>,
    backfill_id: &str,
    status: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<Item>> {
    conn.fetch_all(
        select_items!("WHERE backfill_id = $1 AND status = $2 AND id > $3 ORDER BY id LIMIT $4"),
        values![backfill_id, status, after, limit],
    )
    .await?
    .iter()
    .map(item)
    .collect()
}

/// At most `limit` items after `after` of which it is known what became, in their order.
///
/// # Errors
/// The engine's.
pub async fn results(
    conn: &mut Conn<'_>,
    backfill_id: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<Item>> {
    conn.fetch_all(
        select_items!(
            "WHERE backfill_id = $1 AND id > $2 AND status IN ('COMPLETE', 'FAILED') \
             ORDER BY id LIMIT $3"
        ),
        values![backfill_id, after, limit],
    )
    .await?
    .iter()
    .map(item)
    .collect()
}

/// How many items of a backfill have a task.
///
/// # Errors
/// The engine's.
pub async fn queued(conn: &mut Conn<'_>, backfill_id: &str) -> Result<i64> {
    conn.fetch_one(
        "SELECT COUNT(*) FROM replication_backfill_items \
         WHERE backfill_id = $1 AND status = 'QUEUED'",
        values![backfill_id],
    )
    .await?
    .int(0)
}

/// The items that should have a task and have none: their repository was deleted with it.
///
/// # Errors
/// The engine's.
pub async fn lost(conn: &mut Conn<'_>, backfill_id: &str, limit: i64) -> Result<Vec<i64>> {
    conn.fetch_all(
        "SELECT q.id FROM replication_backfill_items q \
         LEFT JOIN replication_tasks t ON t.backfill_item = q.id \
         WHERE q.backfill_id = $1 AND q.status = 'QUEUED' AND t.id IS NULL ORDER BY q.id LIMIT $2",
        values![backfill_id, limit],
    )
    .await?
    .iter()
    .map(|row| row.int(0))
    .collect()
}

/// The items whose task failed and waits for another attempt, with the ids of their tasks.
///
/// # Errors
/// The engine's.
pub async fn failing(
    conn: &mut Conn<'_>,
    backfill_id: &str,
    limit: i64,
) -> Result<Vec<(Item, i64)>> {
    conn.fetch_all(
        "SELECT q.id, q.repository_id, q.repository, q.digest, q.tag, q.status, q.failure_code, \
         q.sub_failure_codes, t.id FROM replication_backfill_items q \
         JOIN replication_tasks t ON t.backfill_item = q.id \
         WHERE q.backfill_id = $1 AND q.status = 'QUEUED' AND t.attempts > 0 \
         ORDER BY q.id LIMIT $2",
        values![backfill_id, limit],
    )
    .await?
    .iter()
    .map(|row| Ok((item(row)?, row.int(8)?)))
    .collect()
}

/// An item has a task now.
///
/// # Errors
/// The engine's.
pub async fn set_queued(conn: &mut Conn<'_>, id: i64) -> Result<()> {
    conn.execute(
        "UPDATE replication_backfill_items SET status = 'QUEUED' WHERE id = $1",
        values![id],
    )
    .await
    .map(drop)
}

/// An attempt of an item failed; there will be another one.
///
/// # Errors
/// The engine's.
pub async fn note_failure(conn: &mut Conn<'_>, id: i64, code: &str, subs: &str) -> Result<()> {
    conn.execute(
        "UPDATE replication_backfill_items SET failure_code = $2, sub_failure_codes = $3 \
         WHERE id = $1 AND status = 'QUEUED'",
        values![id, code, subs],
    )
    .await
    .map(drop)
}

/// What became of an item: `None`, or why it failed, with the codes of a list's images, one a line. Nothing where
/// that is known, or the backfill has ended.
///
/// # Errors
/// The engine's.
pub async fn set_result(conn: &mut Conn<'_>, id: i64, failure: Option<(&str, &str)>) -> Result<()> {
    let status = match failure {
        None => "COMPLETE",
        Some(_) => "FAILED",
    };
    let (code, subs) = failure.unzip();
    let changed = conn
        .fetch_optional(
            "UPDATE replication_backfill_items SET status = $2, failure_code = $3, \
             sub_failure_codes = $4 WHERE id = $1 AND status IN ('WAITING', 'QUEUED') \
             AND EXISTS (SELECT 1 FROM replication_backfills b \
             WHERE b.id = backfill_id AND b.ended_at IS NULL) RETURNING backfill_id",
            values![
                id,
                status,
                code.map(str::to_owned),
                subs.unwrap_or_default()
            ],
        )
        .await?;
    let Some(row) = changed else {
        return Ok(());
    };
    let backfill_id = row.text(0)?;
    let Some(code) = code else {
        return conn
            .execute(
                "UPDATE replication_backfills SET completed = completed + 1 WHERE id = $1",
                values![&backfill_id],
            )
            .await
            .map(drop);
    };
    // The first statement holds the row, so that two failures at once leave both codes.
    let row = conn
        .fetch_one(
            "UPDATE replication_backfills SET failed = failed + 1 WHERE id = $1 \
             RETURNING failure_codes",
            values![&backfill_id],
        )
        .await?;
    let known = row.text(0)?;
    if known.lines().any(|line| line == code) {
        return Ok(());
    }
    conn.execute(
        "UPDATE replication_backfills SET failure_codes = $2 WHERE id = $1",
        values![&backfill_id, format!("{known}{code}\n")],
    )
    .await
    .map(drop)
}

/// Removes at most `limit` items of a backfill that has ended without doing them; how many.
///
/// # Errors
/// The engine's.
pub async fn remove_undone(conn: &mut Conn<'_>, backfill_id: &str, limit: i64) -> Result<u64> {
    conn.execute(
        "DELETE FROM replication_backfill_items WHERE id IN (SELECT id \
         FROM replication_backfill_items WHERE backfill_id = $1 AND status = 'WAITING' \
         ORDER BY id LIMIT $2)",
        values![backfill_id, limit],
    )
    .await
}

/// Removes at most `limit` items of backfills that ended before `before`, and those that have none any more; how
/// many rows.
///
/// # Errors
/// The engine's.
pub async fn prune(conn: &mut Conn<'_>, before: i64, limit: i64) -> Result<u64> {
    let row = conn
        .fetch_optional(
            "SELECT id FROM replication_backfills WHERE ended_at <= $1 ORDER BY ended_at LIMIT 1",
            values![before],
        )
        .await?;
    let Some(row) = row else {
        return Ok(0);
    };
    let id = row.text(0)?;
    let items = conn
        .execute(
            "DELETE FROM replication_backfill_items WHERE id IN (SELECT id \
             FROM replication_backfill_items WHERE backfill_id = $1 ORDER BY id LIMIT $2)",
            values![&id, limit],
        )
        .await?;
    if items > 0 {
        return Ok(items);
    }
    conn.execute(
        "DELETE FROM replication_backfills WHERE id = $1",
        values![&id],
    )
    .await
}
