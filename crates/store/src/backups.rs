//! The table `backups`, and the hold that keeps deletions of blobs waiting while one is taken.
//!
//! Runs and holds belong in transactions of [`SCOPE`], which is that of the collection: a deletion of blobs either
//! committed before the hold, and so before the snapshot, or sees it.

use crate::{Conn, Result, Row, Scope, settings, values};

/// The scope of runs and of the hold.
pub const SCOPE: Scope<'static> = crate::ecr::collection::SCOPE;

/// The setting that holds: until when, and for which backup.
pub(crate) const HOLD: &str = "backup_hold";

/// A backup that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The row's id: later ones have higher ones.
    pub number: i64,
    /// The backup's id.
    pub id: String,
    /// `RUNNING`, `COMPLETE`, `STOPPED` or `FAILED`.
    pub status: String,
    /// Milliseconds since the epoch.
    pub started_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// The moment that it is of.
    pub taken_at: Option<i64>,
    /// Stored copies that it names.
    pub blob_count: i64,
    /// The bytes of their contents.
    pub blob_bytes: i64,
    /// Copies that were looked at.
    pub seen_count: i64,
    /// Copies that the directory did not have.
    pub new_count: i64,
    /// The bytes of their contents.
    pub new_bytes: i64,
    /// Copies that are missing or damaged.
    pub fault_count: i64,
    /// Why it failed.
    pub reason: Option<String>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT number, id, status, started_at, ended_at, taken_at, blob_count, blob_bytes, seen_count, \
             new_count, new_bytes, fault_count, reason FROM backups ",
            $rest
        )
    };
}

fn run(row: &Row) -> Result<Run> {
    Ok(Run {
        number: row.int(0)?,
        id: row.text(1)?,
        status: row.text(2)?,
        started_at: row.int(3)?,
        ended_at: row.opt_int(4)?,
        taken_at: row.opt_int(5)?,
        blob_count: row.int(6)?,
        blob_bytes: row.int(7)?,
        seen_count: row.int(8)?,
        new_count: row.int(9)?,
        new_bytes: row.int(10)?,
        fault_count: row.int(11)?,
        reason: row.opt_text(12)?,
    })
}

/// The one that is being taken.
///
/// # Errors
/// The engine's.
pub async fn running(conn: &mut Conn<'_>) -> Result<Option<Run>> {
    let sql = select!("WHERE status = 'RUNNING'");
    let row = conn.fetch_optional(sql, values![]).await?;
    row.as_ref().map(run).transpose()
}

/// One by its id.
///
/// # Errors
/// The engine's.
pub async fn get(conn: &mut Conn<'_>, id: &str) -> Result<Option<Run>> {
    let row = conn
        .fetch_optional(select!("WHERE id = $1"), values![id])
        .await?;
    row.as_ref().map(run).transpose()
}

/// Those before the one with this number, the newest first.
///
/// # Errors
/// The engine's.
pub async fn list(conn: &mut Conn<'_>, before: i64, limit: i64) -> Result<Vec<Run>> {
    let sql = select!("WHERE number < $1 ORDER BY number DESC LIMIT $2");
    let rows = conn.fetch_all(sql, values![before, limit]).await?;
    rows.iter().map(run).collect()
}

/// Writes a new one that is being taken; false when another one is.
///
/// # Errors
/// The engine's.
pub async fn insert(conn: &mut Conn<'_>, id: &str, now: i64) -> Result<bool> {
    let inserted = conn
        .execute(
            "INSERT INTO backups (id, status, started_at, blob_count, blob_bytes, seen_count, new_count, \
             new_bytes, fault_count) VALUES ($1, 'RUNNING', $2, 0, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING",
            values![id, now],
        )
        .await?;
    Ok(inserted == 1)
}

/// Writes down how far it is, or how it ended; false when it was stopped meanwhile.
///
/// # Errors
/// The engine's.
pub async fn save(conn: &mut Conn<'_>, run: &Run) -> Result<bool> {
    let saved = conn
        .execute(
            "UPDATE backups SET status = $2, ended_at = $3, taken_at = $4, blob_count = $5, blob_bytes = $6, \
             seen_count = $7, new_count = $8, new_bytes = $9, fault_count = $10, reason = $11 \
             WHERE number = $1 AND status = 'RUNNING'",
            values![
                run.number,
                run.status.as_str(),
                run.ended_at,
                run.taken_at,
                run.blob_count,
                run.blob_bytes,
                run.seen_count,
                run.new_count,
                run.new_bytes,
                run.fault_count,
                run.reason.clone(),
            ],
        )
        .await?;
    Ok(saved == 1)
}

/// Deletes all but the newest `keep` and the one that is being taken.
///
/// # Errors
/// The engine's.
pub async fn prune(conn: &mut Conn<'_>, keep: i64) -> Result<u64> {
    conn.execute(
        "DELETE FROM backups WHERE status <> 'RUNNING' AND number <= \
         (SELECT max(number) FROM backups) - $1",
        values![keep],
    )
    .await
}

/// The hold that is there: until when, and for which backup.
async fn held(conn: &mut Conn<'_>) -> Result<Option<(i64, String)>> {
    let text = settings::get(conn, HOLD).await?;
    Ok(text.and_then(|text| {
        let (until, holder) = text.split_once(' ')?;
        Some((until.parse().ok()?, holder.to_owned()))
    }))
}

/// Whether blobs must stay at this time.
///
/// # Errors
/// The engine's.
pub async fn is_held(conn: &mut Conn<'_>, now: i64) -> Result<bool> {
    Ok(held(conn).await?.is_some_and(|(until, _)| until > now))
}

/// Whether this backup has held without a gap until now, so that all that was there at its snapshot is.
///
/// # Errors
/// The engine's.
pub async fn holds(conn: &mut Conn<'_>, id: &str, now: i64) -> Result<bool> {
    let held = held(conn).await?;
    Ok(held.is_some_and(|(until, holder)| until > now && holder == id))
}

/// Begins or renews the hold of a backup.
///
/// # Errors
/// The engine's.
pub async fn hold(conn: &mut Conn<'_>, id: &str, until: i64) -> Result<()> {
    settings::put(conn, HOLD, &format!("{until} {id}")).await
}

/// Ends the hold of a backup; nothing where it has none.
///
/// # Errors
/// The engine's.
pub async fn release(conn: &mut Conn<'_>, id: &str) -> Result<()> {
    if held(conn).await?.is_some_and(|(_, holder)| holder == id) {
        settings::put(conn, HOLD, "").await?;
    }
    Ok(())
}
