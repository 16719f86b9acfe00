//! The tables `integrity_checks` and `integrity_findings`: checks of a running server. Everything here belongs in a
//! transaction of [`super::damage::SCOPE`].

use crate::{Conn, Result, Row, values};

/// A check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The row's id: later checks have higher ones.
    pub number: i64,
    /// The id that clients see.
    pub id: String,
    /// `RUNNING`, `COMPLETE`, `STOPPED` or `FAILED`.
    pub status: String,
    /// Whether what is found is repaired.
    pub repair: bool,
    /// Where it goes on, and what it looked at, as JSON.
    pub progress: String,
    /// Milliseconds since the epoch.
    pub started_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// How many findings there are.
    pub found: i64,
    /// How many of them were repaired.
    pub repaired: i64,
    /// The number of findings by kind, as JSON.
    pub counts: String,
    /// Why it failed.
    pub reason: Option<String>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT number, id, status, repair, progress, started_at, ended_at, found, repaired, counts, ",
            "reason FROM integrity_checks ",
            $rest
        )
    };
}

fn run(row: &Row) -> Result<Run> {
    Ok(Run {
        number: row.int(0)?,
        id: row.text(1)?,
        status: row.text(2)?,
        repair: row.int(3)? == 1,
        progress: row.text(4)?,
        started_at: row.int(5)?,
        ended_at: row.opt_int(6)?,
        found: row.int(7)?,
        repaired: row.int(8)?,
        counts: row.text(9)?,
        reason: row.opt_text(10)?,
    })
}

/// The check that goes on.
///
/// # Errors
/// The engine's.
pub async fn running(conn: &mut Conn<'_>) -> Result<Option<Run>> {
    let row = conn
        .fetch_optional(select!("WHERE status = 'RUNNING'"), values![])
        .await?;
    row.as_ref().map(run).transpose()
}

/// A check by its id.
///
/// # Errors
/// The engine's.
pub async fn get(conn: &mut Conn<'_>, id: &str) -> Result<Option<Run>> {
    let row = conn
        .fetch_optional(select!("WHERE id = $1"), values![id])
        .await?;
    row.as_ref().map(run).transpose()
}

/// Checks before the one with this number, the newest first.
///
/// # Errors
/// The engine's.
pub async fn list(conn: &mut Conn<'_>, before: i64, limit: i64) -> Result<Vec<Run>> {
    conn.fetch_all(
        select!("WHERE number < $1 ORDER BY number DESC LIMIT $2"),
        values![before, limit],
    )
    .await?
    .iter()
    .map(run)
    .collect()
}

/// Writes a new check that goes on; false when another one does.
///
/// # Errors
/// The engine's.
pub async fn insert(
    conn: &mut Conn<'_>,
    id: &str,
    repair: bool,
    progress: &str,
    now: i64,
) -> Result<bool> {
    let inserted = conn
        .execute(
            "INSERT INTO integrity_checks (id, status, repair, progress, started_at, found, repaired, counts) \
             VALUES ($1, 'RUNNING', $2, $3, $4, 0, 0, '{}') ON CONFLICT DO NOTHING",
            values![id, repair, progress, now],
        )
        .await?;
    Ok(inserted == 1)
}

/// Writes down how far a check is, or how it ended; false when it was stopped meanwhile.
///
/// # Errors
/// The engine's.
pub async fn save(conn: &mut Conn<'_>, run: &Run) -> Result<bool> {
    let saved = conn
        .execute(
            "UPDATE integrity_checks SET status = $2, progress = $3, ended_at = $4, found = $5, repaired = $6, \
             counts = $7, reason = $8 WHERE number = $1 AND status = 'RUNNING'",
            values![
                run.number,
                run.status.as_str(),
                run.progress.as_str(),
                run.ended_at,
                run.found,
                run.repaired,
                run.counts.as_str(),
                run.reason.clone(),
            ],
        )
        .await?;
    Ok(saved == 1)
}

/// Deletes all checks but the newest `keep` and the one that goes on.
///
/// # Errors
/// The engine's.
pub async fn prune(conn: &mut Conn<'_>, keep: i64) -> Result<u64> {
    conn.execute(
        "DELETE FROM integrity_checks WHERE status <> 'RUNNING' AND number <= \
         (SELECT max(number) FROM integrity_checks) - $1",
        values![keep],
    )
    .await
}

/// Something that a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its number in the check.
    pub position: i64,
    /// What is wrong.
    pub kind: String,
    /// What it is about.
    pub object: String,
    /// What was found in the place of what.
    pub detail: String,
    /// Whether it was repaired.
    pub repaired: bool,
}

/// Keeps a finding.
///
/// # Errors
/// The engine's.
pub async fn add_finding(conn: &mut Conn<'_>, number: i64, new: &Finding) -> Result<()> {
    conn.execute(
        "INSERT INTO integrity_findings (number, position, kind, object, detail, repaired) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        values![
            number,
            new.position,
            new.kind.as_str(),
            new.object.as_str(),
            new.detail.as_str(),
            new.repaired,
        ],
    )
    .await
    .map(drop)
}

/// The findings of a check after one of them.
///
/// # Errors
/// The engine's.
pub async fn findings(
    conn: &mut Conn<'_>,
    number: i64,
    after: i64,
    limit: i64,
) -> Result<Vec<Finding>> {
    conn.fetch_all(
        "SELECT position, kind, object, detail, repaired FROM integrity_findings \
         WHERE number = $1 AND position > $2 ORDER BY position LIMIT $3",
        values![number, after, limit],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Finding {
            position: row.int(0)?,
            kind: row.text(1)?,
            object: row.text(2)?,
            detail: row.text(3)?,
            repaired: row.int(4)? == 1,
        })
    })
    .collect()
}
