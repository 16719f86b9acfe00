//! The table `event_deliveries`: the queue of each target, and what could not be delivered.
//!
//! Every write belongs in a transaction of [`SCOPE`].

use crate::{Conn, Result, Row, Scope, values};

/// The scope of queues.
pub const SCOPE: Scope<'static> = Scope::System("event-deliveries");

/// An event on its way to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The row's id; a target gets events in its order.
    pub id: i64,
    /// The target.
    pub target_id: i64,
    /// The event's id.
    pub event_id: String,
    /// Its `detail-type`.
    pub detail_type: String,
    /// The name of the repository.
    pub repository: String,
    /// What is sent.
    pub body: String,
    /// Milliseconds since the epoch.
    pub occurred_at: i64,
    /// When it came into the queue, at first or by a retry.
    pub queued_at: i64,
    /// Attempts since then.
    pub attempts: i64,
    /// When it is tried.
    pub due_at: i64,
    /// When the server gave up.
    pub failed_at: Option<i64>,
    /// Why the last attempt failed.
    pub reason: Option<String>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, target_id, event_id, detail_type, repository, body, occurred_at, queued_at, ",
            "attempts, due_at, failed_at, reason FROM event_deliveries ",
            $rest
        )
    };
}

fn delivery(row: &Row) -> Result<Delivery> {
    Ok(Delivery {
        id: row.int(0)?,
        target_id: row.int(1)?,
        event_id: row.text(2)?,
        detail_type: row.text(3)?,
        repository: row.text(4)?,
        body: row.text(5)?,
        occurred_at: row.int(6)?,
        queued_at: row.int(7)?,
        attempts: row.int(8)?,
        due_at: row.int(9)?,
        failed_at: row.opt_int(10)?,
        reason: row.opt_text(11)?,
    })
}

/// Queues an event for a target. Its id is not used.
///
/// # Errors
/// The engine's.
pub async fn insert(conn: &mut Conn<'_>, new: &Delivery) -> Result<()> {
    conn.execute(
        "INSERT INTO event_deliveries (target_id, event_id, detail_type, repository, body, size, \
         occurred_at, queued_at, attempts, due_at, failed_at, reason) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        values![
            new.target_id,
            new.event_id.as_str(),
            new.detail_type.as_str(),
            new.repository.as_str(),
            new.body.as_str(),
            i64::try_from(new.body.len()).unwrap_or(i64::MAX),
            new.occurred_at,
            new.queued_at,
            new.attempts,
            new.due_at,
            new.failed_at,
            new.reason.clone(),
        ],
    )
    .await
    .map(drop)
}

/// How many events of a target wait, and their bytes; or those that it did not get.
///
/// # Errors
/// The engine's.
pub async fn count(conn: &mut Conn<'_>, target_id: i64, failed: bool) -> Result<(i64, i64)> {
    let row = conn
        .fetch_one(
            "SELECT count(*), CAST(coalesce(sum(size), 0) AS BIGINT) FROM event_deliveries \
             WHERE target_id = $1 AND (failed_at IS NOT NULL) = ($2 = 1)",
            values![target_id, failed],
        )
        .await?;
    Ok((row.int(0)?, row.int(1)?))
}

/// How many events wait, of all targets, and how many were given up.
///
/// # Errors
/// The engine's.
pub async fn totals(conn: &mut Conn<'_>) -> Result<(i64, i64)> {
    let row = conn
        .fetch_one(
            "SELECT count(*), count(failed_at) FROM event_deliveries",
            values![],
        )
        .await?;
    let (all, failed) = (row.int(0)?, row.int(1)?);
    Ok((all - failed, failed))
}

/// Gives up the oldest events that wait for a target, until the newest ones are at most `rows` and `bytes`. Answers
/// how many.
///
/// # Errors
/// The engine's.
pub async fn fail_beyond(
    conn: &mut Conn<'_>,
    target_id: i64,
    (rows, bytes): (i64, i64),
    now: i64,
    reason: &str,
) -> Result<u64> {
    conn.execute(
        "UPDATE event_deliveries SET failed_at = $4, reason = $5 WHERE id IN (\
         SELECT id FROM (SELECT id, row_number() OVER newest AS place, sum(size) OVER newest AS kept \
         FROM event_deliveries WHERE target_id = $1 AND failed_at IS NULL \
         WINDOW newest AS (ORDER BY id DESC)) waiting WHERE place > $2 OR kept > $3)",
        values![target_id, rows, bytes, now, reason],
    )
    .await
}

/// Deletes the oldest events that a target did not get, until the newest ones are at most `rows` and `bytes`.
/// Answers how many.
///
/// # Errors
/// The engine's.
pub async fn forget_beyond(
    conn: &mut Conn<'_>,
    target_id: i64,
    (rows, bytes): (i64, i64),
) -> Result<u64> {
    conn.execute(
        "DELETE FROM event_deliveries WHERE id IN (\
         SELECT id FROM (SELECT id, row_number() OVER newest AS place, sum(size) OVER newest AS kept \
         FROM event_deliveries WHERE target_id = $1 AND failed_at IS NOT NULL \
         WINDOW newest AS (ORDER BY failed_at DESC, id DESC)) failed WHERE place > $2 OR kept > $3)",
        values![target_id, rows, bytes],
    )
    .await
}

/// Deletes what was given up before `until`, of all targets, at most `limit` rows. Answers how many.
///
/// # Errors
/// The engine's.
pub async fn forget_until(conn: &mut Conn<'_>, until: i64, limit: i64) -> Result<u64> {
    conn.execute(
        "DELETE FROM event_deliveries WHERE id IN (\
         SELECT id FROM event_deliveries WHERE failed_at IS NOT NULL AND failed_at < $1 \
         ORDER BY failed_at LIMIT $2)",
        values![until, limit],
    )
    .await
}

/// The targets that are free and have something to do, the one that waits longest first: their ids. Of an account
/// there are as few as it takes that no more than `share` of its targets are served at once, by all nodes.
///
/// # Errors
/// The engine's.
pub async fn due_targets(
    conn: &mut Conn<'_>,
    now: i64,
    share: i64,
    limit: i64,
) -> Result<Vec<i64>> {
    conn.fetch_all(
        "SELECT id FROM (SELECT t.id, t.not_before, \
         row_number() OVER (PARTITION BY t.account ORDER BY t.not_before, t.id) + \
         (SELECT count(*) FROM event_targets l WHERE l.account = t.account AND l.lease_until > $1) \
         AS place FROM event_targets t WHERE t.enabled = 1 AND t.not_before <= $1 \
         AND (t.lease_until IS NULL OR t.lease_until <= $1) \
         AND EXISTS (SELECT 1 FROM event_deliveries d \
         WHERE d.target_id = t.id AND d.failed_at IS NULL AND d.due_at <= $1)) waiting \
         WHERE place <= $2 ORDER BY not_before, id LIMIT $3",
        values![now, share, limit],
    )
    .await?
    .iter()
    .map(|row| row.int(0))
    .collect()
}

/// Leases a target's queue until `until`; false when another node has it.
///
/// # Errors
/// The engine's.
pub async fn lease(
    conn: &mut Conn<'_>,
    target_id: i64,
    holder: &str,
    now: i64,
    until: i64,
) -> Result<bool> {
    let leased = conn
        .execute(
            "UPDATE event_targets SET lease_holder = $2, lease_until = $4 WHERE id = $1 \
             AND enabled = 1 AND (lease_until IS NULL OR lease_until <= $3 OR lease_holder = $2)",
            values![target_id, holder, now, until],
        )
        .await?;
    Ok(leased == 1)
}

/// Gives a queue back. `not_before` moves the target behind others that wait.
///
/// # Errors
/// The engine's.
pub async fn release(
    conn: &mut Conn<'_>,
    target_id: i64,
    holder: &str,
    (failures, not_before): (i64, i64),
) -> Result<()> {
    conn.execute(
        "UPDATE event_targets SET lease_holder = NULL, lease_until = NULL, failures = $3, \
         not_before = $4 WHERE id = $1 AND lease_holder = $2",
        values![target_id, holder, failures, not_before],
    )
    .await
    .map(drop)
}

/// The events of a target that are due, in their order.
///
/// # Errors
/// The engine's.
pub async fn due(
    conn: &mut Conn<'_>,
    target_id: i64,
    now: i64,
    limit: i64,
) -> Result<Vec<Delivery>> {
    conn.fetch_all(
        select!("WHERE target_id = $1 AND failed_at IS NULL AND due_at <= $2 ORDER BY id LIMIT $3"),
        values![target_id, now, limit],
    )
    .await?
    .iter()
    .map(delivery)
    .collect()
}

/// Removes one that was delivered.
///
/// # Errors
/// The engine's.
pub async fn delete(conn: &mut Conn<'_>, id: i64) -> Result<()> {
    conn.execute("DELETE FROM event_deliveries WHERE id = $1", values![id])
        .await
        .map(drop)
}

/// Notes a failed attempt: it is tried again at `due_at`, or was the last one (`failed_at`).
///
/// # Errors
/// The engine's.
pub async fn note_failure(
    conn: &mut Conn<'_>,
    id: i64,
    due_at: i64,
    failed_at: Option<i64>,
    reason: &str,
) -> Result<()> {
    conn.execute(
        "UPDATE event_deliveries SET attempts = attempts + 1, due_at = $2, failed_at = $3, \
         reason = $4 WHERE id = $1",
        values![id, due_at, failed_at, reason],
    )
    .await
    .map(drop)
}

/// Disables a target, and gives up what waits for it.
///
/// # Errors
/// The engine's.
pub async fn disable(conn: &mut Conn<'_>, target_id: i64, now: i64, reason: &str) -> Result<()> {
    conn.execute(
        "UPDATE event_targets SET enabled = 0, disabled_reason = $2, updated_at = $3 WHERE id = $1",
        values![target_id, reason, now],
    )
    .await?;
    conn.execute(
        "UPDATE event_deliveries SET failed_at = $2, reason = $3 \
         WHERE target_id = $1 AND failed_at IS NULL",
        values![target_id, now, reason],
    )
    .await
    .map(drop)
}

/// What the targets of a registry did not get, after the id `after`; of one target where it is named.
///
/// # Errors
/// The engine's.
pub async fn failed(
    conn: &mut Conn<'_>,
    (account, region): (&str, &str),
    target_id: Option<i64>,
    after: i64,
    limit: i64,
) -> Result<Vec<Delivery>> {
    conn.fetch_all(
        select!(
            "WHERE target_id IN (SELECT id FROM event_targets WHERE account = $1 AND region = $2) \
             AND failed_at IS NOT NULL AND id > $4 AND ($3 IS NULL OR target_id = $3) \
             ORDER BY id LIMIT $5"
        ),
        values![account, region, target_id, after, limit],
    )
    .await?
    .iter()
    .map(delivery)
    .collect()
}

/// Puts what a target did not get back into its queue: one delivery, or all. Answers how many.
///
/// # Errors
/// The engine's.
pub async fn retry(conn: &mut Conn<'_>, target_id: i64, id: Option<i64>, now: i64) -> Result<u64> {
    conn.execute(
        "UPDATE event_deliveries SET failed_at = NULL, attempts = 0, due_at = $3, queued_at = $3 \
         WHERE target_id = $1 AND failed_at IS NOT NULL AND ($2 IS NULL OR id = $2)",
        values![target_id, id, now],
    )
    .await
}

/// Deletes what a target did not get: one delivery, or all. Answers how many.
///
/// # Errors
/// The engine's.
pub async fn purge(conn: &mut Conn<'_>, target_id: i64, id: Option<i64>) -> Result<u64> {
    conn.execute(
        "DELETE FROM event_deliveries WHERE target_id = $1 AND failed_at IS NOT NULL \
         AND ($2 IS NULL OR id = $2)",
        values![target_id, id],
    )
    .await
}
