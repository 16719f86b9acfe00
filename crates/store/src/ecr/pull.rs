//! The table `image_pulls`: who pulled which image on which day.

use crate::{Conn, Result, Row, values};

/// One principal's pulls of one image on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulls {
    /// Days since the epoch, in UTC.
    pub day: i64,
    /// The image's digest.
    pub digest: String,
    /// The principal's ARN.
    pub principal: String,
    /// How many.
    pub pulls: i64,
    /// The last one, in milliseconds since the epoch.
    pub last_at: i64,
}

fn read(row: &Row) -> Result<Pulls> {
    Ok(Pulls {
        day: row.int(0)?,
        digest: row.text(1)?,
        principal: row.text(2)?,
        pulls: row.int(3)?,
        last_at: row.int(4)?,
    })
}

/// Adds pulls to those that were counted; nothing where the repository is gone.
///
/// # Errors
/// The engine's.
pub async fn add(conn: &mut Conn<'_>, repository_id: i64, new: &Pulls) -> Result<()> {
    conn.execute(
        "INSERT INTO image_pulls (repository_id, day, digest, principal, pulls, last_at) \
         SELECT id, $2, $3, $4, $5, $6 FROM repositories WHERE id = $1 \
         ON CONFLICT (repository_id, day, digest, principal) DO UPDATE SET \
         pulls = image_pulls.pulls + excluded.pulls, \
         last_at = CASE WHEN image_pulls.last_at < excluded.last_at \
         THEN excluded.last_at ELSE image_pulls.last_at END",
        values![
            repository_id,
            new.day,
            &new.digest,
            &new.principal,
            new.pulls,
            new.last_at
        ],
    )
    .await
    .map(drop)
}

/// Which pulls a list is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter<'a> {
    /// Those of this image.
    pub digest: Option<&'a str>,
    /// Those by this principal.
    pub principal: Option<&'a str>,
    /// The first day.
    pub first_day: i64,
}

/// At most `limit` rows up to the place of day, digest and principal, newest day first.
///
/// # Errors
/// The engine's.
pub async fn list(
    conn: &mut Conn<'_>,
    repository_id: i64,
    filter: Filter<'_>,
    after: (i64, &str, &str),
    limit: i64,
) -> Result<Vec<Pulls>> {
    let (day, digest, principal) = after;
    let params = values![
        repository_id,
        filter.first_day,
        day,
        digest,
        principal,
        filter.principal.unwrap_or_default(),
        limit,
        filter.digest.unwrap_or_default(),
    ];
    let sql = match filter.digest {
        None => {
            "SELECT day, digest, principal, pulls, last_at FROM image_pulls \
             WHERE repository_id = $1 AND day >= $2 AND day <= $3 \
             AND (day < $3 OR digest > $4 OR (digest = $4 AND principal > $5)) \
             AND ($6 = '' OR principal = $6) AND $8 = $8 \
             ORDER BY day DESC, digest, principal LIMIT $7"
        }
        Some(_) => {
            "SELECT day, digest, principal, pulls, last_at FROM image_pulls \
             WHERE repository_id = $1 AND digest = $8 AND day >= $2 AND day <= $3 \
             AND (day < $3 OR digest > $4 OR (digest = $4 AND principal > $5)) \
             AND ($6 = '' OR principal = $6) \
             ORDER BY day DESC, principal LIMIT $7"
        }
    };
    conn.fetch_all(sql, params)
        .await?
        .iter()
        .map(read)
        .collect()
}

/// Who pulled an image last, and when.
///
/// # Errors
/// The engine's.
pub async fn last(
    conn: &mut Conn<'_>,
    repository_id: i64,
    digest: &str,
) -> Result<Option<(String, i64)>> {
    conn.fetch_optional(
        "SELECT principal, last_at FROM image_pulls WHERE repository_id = $1 AND digest = $2 \
         ORDER BY day DESC, last_at DESC LIMIT 1",
        values![repository_id, digest],
    )
    .await?
    .map(|row| Ok((row.text(0)?, row.int(1)?)))
    .transpose()
}

/// How often an image was pulled from a day on.
///
/// # Errors
/// The engine's.
pub async fn count(
    conn: &mut Conn<'_>,
    repository_id: i64,
    digest: &str,
    first_day: i64,
) -> Result<i64> {
    conn.fetch_one(
        "SELECT CAST(COALESCE(SUM(pulls), 0) AS BIGINT) FROM image_pulls \
         WHERE repository_id = $1 AND digest = $2 AND day >= $3",
        values![repository_id, digest, first_day],
    )
    .await?
    .int(0)
}

/// Removes rows of days before `oldest`, at most `limit`; how many went.
///
/// # Errors
/// The engine's.
pub async fn prune(conn: &mut Conn<'_>, oldest: i64, limit: i64) -> Result<u64> {
    conn.execute(
        "DELETE FROM image_pulls WHERE (repository_id, day, digest, principal) IN \
         (SELECT repository_id, day, digest, principal FROM image_pulls \
         WHERE day < $1 ORDER BY day LIMIT $2)",
        values![oldest, limit],
    )
    .await
}
