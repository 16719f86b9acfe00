//! The tables `usage_…`: what is stored and transferred, by account, repository and principal.
//!
//! Every write but [`changed`] belongs in a transaction of [`SCOPE`].

use crate::{Conn, Result, Row, Scope, Value, values};

/// The scope of counting.
pub const SCOPE: Scope<'static> = Scope::System("usage");

/// The digest of a change that stands for a deleted repository.
pub const REPOSITORY_DELETED: &str = "";

/// Says that a layer or manifest came to a repository or left it.
///
/// # Errors
/// The engine's.
pub async fn changed(conn: &mut Conn<'_>, repository_id: i64, digest: &str) -> Result<()> {
    conn.execute(
        "INSERT INTO usage_changes (repository_id, digest) VALUES ($1, $2)",
        values![repository_id, digest],
    )
    .await
    .map(drop)
}

/// The oldest changes that are not counted yet: row, repository and digest.
///
/// # Errors
/// The engine's.
pub async fn changes(conn: &mut Conn<'_>, limit: i64) -> Result<Vec<(i64, i64, String)>> {
    conn.fetch_all(
        "SELECT id, repository_id, digest FROM usage_changes ORDER BY id LIMIT $1",
        values![limit],
    )
    .await?
    .iter()
    .map(|row| Ok((row.int(0)?, row.int(1)?, row.text(2)?)))
    .collect()
}

/// Removes counted changes by their rows' ids.
///
/// # Errors
/// The engine's.
pub async fn remove_changes(conn: &mut Conn<'_>, ids: &[i64]) -> Result<()> {
    for chunk in ids.chunks(16) {
        let mut params: Vec<Value> = chunk.iter().copied().map(Value::from).collect();
        params.resize(16, Value::from(0_i64));
        let sql = "DELETE FROM usage_changes WHERE id IN \
                   ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
        conn.execute(sql, params).await?;
    }
    Ok(())
}

/// The size of a layer or manifest that a repository has; `None` when it has none of the digest.
///
/// # Errors
/// The engine's.
pub async fn present_size(
    conn: &mut Conn<'_>,
    repository_id: i64,
    digest: &str,
) -> Result<Option<i64>> {
    conn.fetch_optional(
        "SELECT size FROM layers WHERE repository_id = $1 AND digest = $2 UNION ALL \
         SELECT content_size FROM images WHERE repository_id = $1 AND digest = $2 LIMIT 1",
        values![repository_id, digest],
    )
    .await?
    .map(|row| row.int(0))
    .transpose()
}

/// What was counted of a repository's layer or manifest: its registry and size.
///
/// # Errors
/// The engine's.
pub async fn counted(
    conn: &mut Conn<'_>,
    repository_id: i64,
    digest: &str,
) -> Result<Option<(String, i64)>> {
    conn.fetch_optional(
        "SELECT registry, size FROM usage_objects WHERE repository_id = $1 AND digest = $2",
        values![repository_id, digest],
    )
    .await?
    .map(|row| Ok((row.text(0)?, row.int(1)?)))
    .transpose()
}

/// Some digests that are counted of a repository.
///
/// # Errors
/// The engine's.
pub async fn counted_digests(
    conn: &mut Conn<'_>,
    repository_id: i64,
    limit: i64,
) -> Result<Vec<String>> {
    conn.fetch_all(
        "SELECT digest FROM usage_objects WHERE repository_id = $1 ORDER BY digest LIMIT $2",
        values![repository_id, limit],
    )
    .await?
    .iter()
    .map(|row| row.text(0))
    .collect()
}

/// Other repositories of the registry of which the digest is counted, two at most.
///
/// # Errors
/// The engine's.
pub async fn other_holders(
    conn: &mut Conn<'_>,
    registry: &str,
    digest: &str,
    repository_id: i64,
) -> Result<Vec<i64>> {
    conn.fetch_all(
        "SELECT repository_id FROM usage_objects WHERE registry = $1 AND digest = $2 \
         AND repository_id <> $3 ORDER BY repository_id LIMIT 2",
        values![registry, digest, repository_id],
    )
    .await?
    .iter()
    .map(|row| row.int(0))
    .collect()
}

/// Notes that a layer or manifest is counted.
///
/// # Errors
/// The engine's.
pub async fn count_in(
    conn: &mut Conn<'_>,
    registry: &str,
    repository_id: i64,
    digest: &str,
    size: i64,
) -> Result<()> {
    conn.execute(
        "INSERT INTO usage_objects (registry, digest, repository_id, size) VALUES ($1, $2, $3, $4)",
        values![registry, digest, repository_id, size],
    )
    .await
    .map(drop)
}

/// Notes that it is counted no more.
///
/// # Errors
/// The engine's.
pub async fn count_out(
    conn: &mut Conn<'_>,
    registry: &str,
    repository_id: i64,
    digest: &str,
) -> Result<()> {
    conn.execute(
        "DELETE FROM usage_objects WHERE registry = $1 AND digest = $2 AND repository_id = $3",
        values![registry, digest, repository_id],
    )
    .await
    .map(drop)
}

/// Adds to what a subject stores and shares, and says what it stores now.
///
/// # Errors
/// The engine's.
pub async fn add_stored(
    conn: &mut Conn<'_>,
    registry: &str,
    subject: &str,
    stored: i64,
    shared: i64,
) -> Result<i64> {
    conn.fetch_one(
        "INSERT INTO usage_stored (registry, subject, stored, shared) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (registry, subject) DO UPDATE SET stored = usage_stored.stored + $3, \
         shared = usage_stored.shared + $4 RETURNING stored",
        values![registry, subject, stored, shared],
    )
    .await?
    .int(0)
}

/// What a subject stores and shares now.
///
/// # Errors
/// The engine's.
pub async fn stored(conn: &mut Conn<'_>, registry: &str, subject: &str) -> Result<(i64, i64)> {
    let row = conn
        .fetch_optional(
            "SELECT stored, shared FROM usage_stored WHERE registry = $1 AND subject = $2",
            values![registry, subject],
        )
        .await?;
    row.map_or(Ok((0, 0)), |row| Ok((row.int(0)?, row.int(1)?)))
}

/// Removes what a deleted repository stored.
///
/// # Errors
/// The engine's.
pub async fn forget_stored(conn: &mut Conn<'_>, subject: &str, registry: &str) -> Result<()> {
    conn.execute(
        "DELETE FROM usage_stored WHERE registry = $1 AND subject = $2",
        values![registry, subject],
    )
    .await
    .map(drop)
}

/// What all accounts store together, each account's shared layers once.
///
/// # Errors
/// The engine's.
pub async fn stored_by_all(conn: &mut Conn<'_>, account_subject: &str) -> Result<i64> {
    conn.fetch_one(
        "SELECT CAST(COALESCE(SUM(stored), 0) AS BIGINT) FROM usage_stored WHERE subject = $1",
        values![account_subject],
    )
    .await?
    .int(0)
}

/// What happened on a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Bytes that pushes brought.
    pub received: i64,
    /// Bytes that pulls took.
    pub sent: i64,
    /// Manifests that were pulled.
    pub pulls: i64,
    /// Manifests that were pushed.
    pub pushes: i64,
}

/// Adds to a subject's day.
///
/// # Errors
/// The engine's.
pub async fn add_day(
    conn: &mut Conn<'_>,
    registry: &str,
    subject: &str,
    day: i64,
    amounts: Amounts,
) -> Result<()> {
    conn.execute(
        "INSERT INTO usage_days (registry, subject, day, received, sent, pulls, pushes) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (registry, subject, day) DO UPDATE SET \
         received = usage_days.received + excluded.received, sent = usage_days.sent + excluded.sent, \
         pulls = usage_days.pulls + excluded.pulls, pushes = usage_days.pushes + excluded.pushes",
        values![
            registry,
            subject,
            day,
            amounts.received,
            amounts.sent,
            amounts.pulls,
            amounts.pushes
        ],
    )
    .await
    .map(drop)
}

/// Sets what a subject stores at the end of a day.
///
/// # Errors
/// The engine's.
pub async fn set_day_stored(
    conn: &mut Conn<'_>,
    registry: &str,
    subject: &str,
    day: i64,
    stored: i64,
) -> Result<()> {
    conn.execute(
        "INSERT INTO usage_days (registry, subject, day, received, sent, pulls, pushes, stored) \
         VALUES ($1, $2, $3, 0, 0, 0, 0, $4) \
         ON CONFLICT (registry, subject, day) DO UPDATE SET stored = excluded.stored",
        values![registry, subject, day, stored],
    )
    .await
    .map(drop)
}

/// A subject's day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// Days since the epoch, in UTC.
    pub day: i64,
    /// What happened.
    pub amounts: Amounts,
    /// What was stored at its end, where that changed on the day.
    pub stored: Option<i64>,
}

fn amounts(row: &Row, at: usize) -> Result<Amounts> {
    Ok(Amounts {
        received: row.int(at)?,
        sent: row.int(at + 1)?,
        pulls: row.int(at + 2)?,
        pushes: row.int(at + 3)?,
    })
}

/// The days of a subject in a range that have a row.
///
/// # Errors
/// The engine's.
pub async fn days(
    conn: &mut Conn<'_>,
    registry: &str,
    subject: &str,
    (first, last): (i64, i64),
) -> Result<Vec<Day>> {
    conn.fetch_all(
        "SELECT day, received, sent, pulls, pushes, stored FROM usage_days \
         WHERE registry = $1 AND subject = $2 AND day BETWEEN $3 AND $4 ORDER BY day",
        values![registry, subject, first, last],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Day {
            day: row.int(0)?,
            amounts: amounts(row, 1)?,
            stored: row.opt_int(5)?,
        })
    })
    .collect()
}

/// What a subject stored before a day; `None` when nothing is known.
///
/// # Errors
/// The engine's.
pub async fn stored_before(
    conn: &mut Conn<'_>,
    registry: &str,
    subject: &str,
    day: i64,
) -> Result<Option<i64>> {
    conn.fetch_optional(
        "SELECT stored FROM usage_days WHERE registry = $1 AND subject = $2 AND day < $3 \
         AND stored IS NOT NULL ORDER BY day DESC LIMIT 1",
        values![registry, subject, day],
    )
    .await?
    .map(|row| row.int(0))
    .transpose()
}

/// The sums of subjects that begin with `prefix`, in their order after `after`, at most `limit`.
///
/// # Errors
/// The engine's.
pub async fn sums(
    conn: &mut Conn<'_>,
    registry: &str,
    prefix: &str,
    after: &str,
    (first, last): (i64, i64),
    limit: i64,
) -> Result<Vec<(String, Amounts)>> {
    let end = format!("{prefix}\u{10ffff}");
    let after = if after.is_empty() { prefix } else { after };
    conn.fetch_all(
        "SELECT subject, CAST(SUM(received) AS BIGINT), CAST(SUM(sent) AS BIGINT), \
         CAST(SUM(pulls) AS BIGINT), CAST(SUM(pushes) AS BIGINT) FROM usage_days \
         WHERE registry = $1 AND subject > $2 AND subject < $3 AND day BETWEEN $4 AND $5 \
         GROUP BY subject ORDER BY subject LIMIT $6",
        values![registry, after, end, first, last, limit],
    )
    .await?
    .iter()
    .map(|row| Ok((row.text(0)?, amounts(row, 1)?)))
    .collect()
}

/// Removes days before `oldest`, at most `limit` rows; how many went. Of what was stored, the newest row
/// before stays, because it holds until the next.
///
/// # Errors
/// The engine's.
pub async fn prune_days(conn: &mut Conn<'_>, oldest: i64, limit: i64) -> Result<u64> {
    conn.execute(
        "DELETE FROM usage_days WHERE (registry, subject, day) IN \
         (SELECT u.registry, u.subject, u.day FROM usage_days u WHERE u.day < $1 \
         AND (u.stored IS NULL OR EXISTS (SELECT 1 FROM usage_days n WHERE n.registry = u.registry \
         AND n.subject = u.subject AND n.day > u.day AND n.day <= $1 AND n.stored IS NOT NULL)) \
         ORDER BY u.day LIMIT $2)",
        values![oldest, limit],
    )
    .await
}
