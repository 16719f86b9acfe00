//! The table `jobs`: background work, who runs it, and when it is tried again.
//!
//! Crate `jobs` holds the rules. Every write here belongs in a transaction of [`SCOPE`], except
//! [`put`] and [`put_if_absent`], which may be part of the transaction that makes the work necessary.

use crate::{Conn, Result, Row, Scope, values};

/// The scope of leasing and finishing jobs.
pub const SCOPE: Scope<'static> = Scope::System("jobs");

/// A job as it was leased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The row's id.
    pub id: i64,
    /// What to do.
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// What else must be known, in the kind's own form.
    pub payload: String,
    /// Which request for the job this is.
    pub revision: i64,
    /// Failures in a row before this attempt.
    pub failures: i64,
}

fn job(row: &Row) -> Result<Job> {
    Ok(Job {
        id: row.int(0)?,
        kind: row.text(1)?,
        subject: row.text(2)?,
        payload: row.text(3)?,
        revision: row.int(4)?,
        failures: row.int(5)?,
    })
}

/// Asks for a job at `run_at` at the latest. Where the subject has one, that one is brought forward and
/// gets the new payload; where it runs now, it runs once more.
///
/// # Errors
/// The engine's.
pub async fn put(
    conn: &mut Conn<'_>,
    kind: &str,
    subject: &str,
    payload: &str,
    run_at: i64,
) -> Result<()> {
    conn.execute(
        "INSERT INTO jobs (kind, subject, payload, revision, run_at, failures) \
         VALUES ($1, $2, $3, 1, $4, 0) ON CONFLICT (kind, subject) DO UPDATE SET \
         payload = excluded.payload, revision = jobs.revision + 1, \
         run_at = CASE WHEN jobs.run_at < excluded.run_at THEN jobs.run_at ELSE excluded.run_at END",
        values![kind, subject, payload, run_at],
    )
    .await
    .map(drop)
}

/// As [`put`], and nothing where the subject has a job.
///
/// # Errors
/// The engine's.
pub async fn put_if_absent(
    conn: &mut Conn<'_>,
    kind: &str,
    subject: &str,
    payload: &str,
    run_at: i64,
) -> Result<()> {
    conn.execute(
        "INSERT INTO jobs (kind, subject, payload, revision, run_at, failures) \
         VALUES ($1, $2, $3, 1, $4, 0) ON CONFLICT (kind, subject) DO NOTHING",
        values![kind, subject, payload, run_at],
    )
    .await
    .map(drop)
}

/// Gives a subject's job that nobody runs a later time.
///
/// # Errors
/// The engine's.
pub async fn postpone(conn: &mut Conn<'_>, kind: &str, subject: &str, run_at: i64) -> Result<()> {
    conn.execute(
        "UPDATE jobs SET run_at = $3 WHERE kind = $1 AND subject = $2 AND lease_holder IS NULL",
        values![kind, subject, run_at],
    )
    .await
    .map(drop)
}

/// Removes a subject's job that nobody runs: what it is for was done elsewhere.
///
/// # Errors
/// The engine's.
pub async fn remove(conn: &mut Conn<'_>, kind: &str, subject: &str) -> Result<()> {
    conn.execute(
        "DELETE FROM jobs WHERE kind = $1 AND subject = $2 AND lease_holder IS NULL",
        values![kind, subject],
    )
    .await
    .map(drop)
}

/// Leases the job of the kind that is due longest, until `until`; `None` when none is due.
///
/// # Errors
/// The engine's.
pub async fn lease(
    conn: &mut Conn<'_>,
    kind: &str,
    holder: &str,
    now: i64,
    until: i64,
) -> Result<Option<Job>> {
    debug_assert!(until > now, "a lease lasts");
    conn.fetch_optional(
        "UPDATE jobs SET lease_holder = $2, lease_until = $4 WHERE id = (\
         SELECT id FROM jobs WHERE kind = $1 AND run_at <= $3 \
         AND (lease_until IS NULL OR lease_until <= $3) ORDER BY run_at, id LIMIT 1) \
         RETURNING id, kind, subject, payload, revision, failures",
        values![kind, holder, now, until],
    )
    .await?
    .map(|row| job(&row))
    .transpose()
}

/// Ends all leases.
///
/// # Errors
/// The engine's.
pub async fn free_all(conn: &mut Conn<'_>) -> Result<u64> {
    conn.execute(
        "UPDATE jobs SET lease_holder = NULL, lease_until = NULL WHERE lease_holder IS NOT NULL",
        values![],
    )
    .await
}

/// Whether a job of the kind is due and free: a look that costs no transaction.
///
/// # Errors
/// The engine's.
pub async fn is_due(conn: &mut Conn<'_>, kind: &str, now: i64) -> Result<bool> {
    conn.fetch_optional(
        "SELECT 1 FROM jobs WHERE kind = $1 AND run_at <= $2 \
         AND (lease_until IS NULL OR lease_until <= $2) LIMIT 1",
        values![kind, now],
    )
    .await
    .map(|row| row.is_some())
}

/// Makes a lease last until `until`; false when the holder has lost it.
///
/// # Errors
/// The engine's.
pub async fn extend(conn: &mut Conn<'_>, id: i64, holder: &str, until: i64) -> Result<bool> {
    let changed = conn
        .execute(
            "UPDATE jobs SET lease_until = $3 WHERE id = $1 AND lease_holder = $2",
            values![id, holder, until],
        )
        .await?;
    Ok(changed == 1)
}

/// Removes a job that is done, unless it was asked for again meanwhile: then it runs once more. False
/// when the holder has lost the lease.
///
/// # Errors
/// The engine's.
pub async fn complete(conn: &mut Conn<'_>, job: &Job, holder: &str) -> Result<bool> {
    let done = conn
        .execute(
            "DELETE FROM jobs WHERE id = $1 AND lease_holder = $2 AND revision = $3",
            values![job.id, holder, job.revision],
        )
        .await?;
    Ok(done == 1 || release(conn, job.id, holder).await?)
}

/// Gives a leased job a new time after a success; one that was asked for again meanwhile keeps its own.
/// False when the holder has lost the lease.
///
/// # Errors
/// The engine's.
pub async fn repeat(conn: &mut Conn<'_>, job: &Job, holder: &str, run_at: i64) -> Result<bool> {
    let changed = conn
        .execute(
            "UPDATE jobs SET run_at = $4, failures = 0, last_error = NULL, \
             lease_holder = NULL, lease_until = NULL \
             WHERE id = $1 AND lease_holder = $2 AND revision = $3",
            values![job.id, holder, job.revision, run_at],
        )
        .await?;
    Ok(changed == 1 || release(conn, job.id, holder).await?)
}

/// Notes a failure and when the job is tried again; false when the holder has lost the lease.
///
/// # Errors
/// The engine's.
pub async fn fail(
    conn: &mut Conn<'_>,
    job: &Job,
    holder: &str,
    run_at: i64,
    error: &str,
) -> Result<bool> {
    let changed = conn
        .execute(
            "UPDATE jobs SET run_at = $3, failures = $4, last_error = $5, \
             lease_holder = NULL, lease_until = NULL WHERE id = $1 AND lease_holder = $2",
            values![job.id, holder, run_at, job.failures + 1, error],
        )
        .await?;
    Ok(changed == 1)
}

async fn release(conn: &mut Conn<'_>, id: i64, holder: &str) -> Result<bool> {
    let changed = conn
        .execute(
            "UPDATE jobs SET failures = 0, last_error = NULL, lease_holder = NULL, lease_until = NULL \
             WHERE id = $1 AND lease_holder = $2",
            values![id, holder],
        )
        .await?;
    Ok(changed == 1)
}

/// The failures in a row of a subject's job and what the last one said; `None` when it has no job.
///
/// # Errors
/// The engine's.
pub async fn failures(
    conn: &mut Conn<'_>,
    kind: &str,
    subject: &str,
) -> Result<Option<(i64, Option<String>)>> {
    conn.fetch_optional(
        "SELECT failures, last_error FROM jobs WHERE kind = $1 AND subject = $2",
        values![kind, subject],
    )
    .await?
    .map(|row| Ok((row.int(0)?, row.opt_text(1)?)))
    .transpose()
}
