//! The table `pull_time_exclusions`.

use crate::{Conn, Result, values};

/// At most `limit` exclusions of a registry, with the time of each, in the order of their principals'
/// ARNs, after `after`.
///
/// # Errors
/// The engine's.
pub async fn list(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<(String, i64)>> {
    let rows = conn
        .fetch_all(
            "SELECT principal_arn, created_at FROM pull_time_exclusions \
             WHERE account = $1 AND region = $2 AND principal_arn > $3 \
             ORDER BY principal_arn LIMIT $4",
            values![account, region, after, limit],
        )
        .await?;
    rows.iter()
        .map(|row| Ok((row.text(0)?, row.int(1)?)))
        .collect()
}

/// Adds one; false when it is there.
///
/// # Errors
/// The engine's.
pub async fn insert(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    principal_arn: &str,
    now: i64,
) -> Result<bool> {
    let inserted = conn
        .execute(
            "INSERT INTO pull_time_exclusions (account, region, principal_arn, created_at) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (account, region, principal_arn) DO NOTHING",
            values![account, region, principal_arn, now],
        )
        .await?;
    Ok(inserted == 1)
}

/// Removes one; false when there is none.
///
/// # Errors
/// The engine's.
pub async fn delete(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    principal_arn: &str,
) -> Result<bool> {
    let deleted = conn
        .execute(
            "DELETE FROM pull_time_exclusions \
             WHERE account = $1 AND region = $2 AND principal_arn = $3",
            values![account, region, principal_arn],
        )
        .await?;
    Ok(deleted == 1)
}
