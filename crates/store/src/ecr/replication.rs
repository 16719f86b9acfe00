//! The tables `replication_tasks` and `replication_statuses`: what is to be repeated at other registries, and what
//! became of it.
//!
//! A task is written in the transaction of the change that it repeats, with its job, and removed in the transaction
//! that has repeated it.

use crate::{Conn, Result, Row, jobs, values};

/// The kind of the jobs that repeat changes: one for each repository and destination. A job's subject is the
/// repository's id, the account and the region of the destination.
pub const JOB: &str = "replicate";

/// A change that is to be repeated.
#[derive(Clone, Copy, Debug)]
pub struct NewTask<'a> {
    /// The source.
    pub repository_id: i64,
    /// `account region`.
    pub destination: &'a str,
    /// `COPY`, `DELETE_TAG`, `DELETE_IMAGE`.
    pub action: &'a str,
    /// The image's digest.
    pub digest: &'a str,
    /// Tags, one a line.
    pub tags: &'a str,
    /// The part of a backfill that it does.
    pub backfill_item: Option<i64>,
}

/// A task of a repository and a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The row's id.
    pub id: i64,
    /// As in [`NewTask`], and so are the others.
    pub action: String,
    /// The image's digest.
    pub digest: String,
    /// Tags, one a line.
    pub tags: String,
    /// When the change was made.
    pub created_at: i64,
    /// Failed attempts.
    pub attempts: i64,
    /// The part of a backfill that it does.
    pub backfill_item: Option<i64>,
}

fn task(row: &Row) -> Result<Task> {
    Ok(Task {
        id: row.int(0)?,
        action: row.text(1)?,
        digest: row.text(2)?,
        tags: row.text(3)?,
        created_at: row.int(4)?,
        attempts: row.int(5)?,
        backfill_item: row.opt_int(6)?,
    })
}

/// Adds a task and asks for its job.
///
/// # Errors
/// The engine's.
pub async fn add(conn: &mut Conn<'_>, new: &NewTask<'_>, now: i64) -> Result<()> {
    conn.execute(
        "INSERT INTO replication_tasks \
         (repository_id, destination, action, digest, tags, created_at, attempts, due_at, \
         backfill_item) VALUES ($1, $2, $3, $4, $5, $6, 0, $6, $7)",
        values![
            new.repository_id,
            new.destination,
            new.action,
            new.digest,
            new.tags,
            now,
            new.backfill_item
        ],
    )
    .await?;
    let subject = format!("{} {}", new.repository_id, new.destination);
    jobs::put(conn, JOB, &subject, "", now).await
}

/// At most `limit` tasks that are due, the earliest first.
///
/// # Errors
/// The engine's.
pub async fn due(
    conn: &mut Conn<'_>,
    repository_id: i64,
    destination: &str,
    now: i64,
    limit: i64,
) -> Result<Vec<Task>> {
    conn.fetch_all(
        "SELECT id, action, digest, tags, created_at, attempts, backfill_item \
         FROM replication_tasks \
         WHERE repository_id = $1 AND destination = $2 AND due_at <= $3 ORDER BY due_at, id LIMIT $4",
        values![repository_id, destination, now, limit],
    )
    .await?
    .iter()
    .map(task)
    .collect()
}

/// When the next task is due; `None` where there is none.
///
/// # Errors
/// The engine's.
pub async fn next_due(
    conn: &mut Conn<'_>,
    repository_id: i64,
    destination: &str,
) -> Result<Option<i64>> {
    conn.fetch_optional(
        "SELECT due_at FROM replication_tasks WHERE repository_id = $1 AND destination = $2 \
         ORDER BY due_at LIMIT 1",
        values![repository_id, destination],
    )
    .await?
    .map(|row| row.int(0))
    .transpose()
}

/// Removes a task; false when it is gone.
///
/// # Errors
/// The engine's.
pub async fn remove(conn: &mut Conn<'_>, id: i64) -> Result<bool> {
    let removed = conn
        .execute("DELETE FROM replication_tasks WHERE id = $1", values![id])
        .await?;
    Ok(removed == 1)
}

/// Notes a failed attempt and when the next one is due.
///
/// # Errors
/// The engine's.
pub async fn postpone(conn: &mut Conn<'_>, id: i64, due_at: i64, error: &str) -> Result<()> {
    conn.execute(
        "UPDATE replication_tasks SET attempts = attempts + 1, due_at = $2, last_error = $3 \
         WHERE id = $1",
        values![id, due_at, error],
    )
    .await
    .map(drop)
}

/// What became of an image at a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// `account region`.
    pub destination: String,
    /// `IN_PROGRESS`, `COMPLETE`, `FAILED`.
    pub status: String,
    /// Why it failed.
    pub failure_code: Option<String>,
    /// The row of the replica on this server.
    pub replica_id: Option<i64>,
}

/// Sets the status of an image; nothing where the image is gone.
///
/// # Errors
/// The engine's.
pub async fn set_status(conn: &mut Conn<'_>, image_id: i64, new: &Status, now: i64) -> Result<()> {
    conn.execute(
        "INSERT INTO replication_statuses \
         (image_id, destination, status, failure_code, replica_id, updated_at) \
         SELECT id, $2, $3, $4, $5, $6 FROM images WHERE id = $1 \
         ON CONFLICT (image_id, destination) DO UPDATE SET status = excluded.status, \
         failure_code = excluded.failure_code, updated_at = excluded.updated_at, \
         replica_id = COALESCE(excluded.replica_id, replication_statuses.replica_id)",
        values![
            image_id,
            &new.destination,
            &new.status,
            new.failure_code.clone(),
            new.replica_id,
            now
        ],
    )
    .await
    .map(drop)
}

/// The statuses of an image, by destination. A registry has 25 destinations at most at a time; images keep the
/// status of earlier ones.
///
/// # Errors
/// The engine's.
pub async fn statuses(conn: &mut Conn<'_>, image_id: i64, limit: i64) -> Result<Vec<Status>> {
    conn.fetch_all(
        "SELECT destination, status, failure_code, replica_id FROM replication_statuses \
         WHERE image_id = $1 ORDER BY destination LIMIT $2",
        values![image_id, limit],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Status {
            destination: row.text(0)?,
            status: row.text(1)?,
            failure_code: row.opt_text(2)?,
            replica_id: row.opt_int(3)?,
        })
    })
    .collect()
}

/// Counts a pull of a replica as a pull of the image that it was made from; an older time changes nothing.
///
/// # Errors
/// The engine's.
pub async fn record_pull(conn: &mut Conn<'_>, replica_id: i64, pulled_at: i64) -> Result<()> {
    conn.execute(
        "UPDATE images SET pulled_at = $2 WHERE id IN \
         (SELECT image_id FROM replication_statuses WHERE replica_id = $1) \
         AND (pulled_at IS NULL OR pulled_at < $2)",
        values![replica_id, pulled_at],
    )
    .await
    .map(drop)
}
