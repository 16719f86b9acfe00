//! The tables `pull_through_rules` and `pull_through_tags`.

use crate::{Conn, Result, values};

/// A rule of the pull through cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullThroughRule {
    /// The prefix of its repositories, or `ROOT`.
    pub prefix: String,
    /// What it says, as JSON.
    pub settings: String,
    /// What is set beside it, as JSON.
    pub options: Option<String>,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// Milliseconds since the epoch.
    pub updated_at: i64,
}

/// At most `limit` rules of a registry in the order of their prefixes.
///
/// # Errors
/// The engine's.
pub async fn list(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    limit: i64,
) -> Result<Vec<PullThroughRule>> {
    let sql = "SELECT prefix, settings, options, created_at, updated_at FROM pull_through_rules \
               WHERE account = $1 AND region = $2 ORDER BY prefix LIMIT $3";
    let rows = conn.fetch_all(sql, values![account, region, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(PullThroughRule {
                prefix: row.text(0)?,
                settings: row.text(1)?,
                options: row.opt_text(2)?,
                created_at: row.int(3)?,
                updated_at: row.int(4)?,
            })
        })
        .collect()
}

/// Adds a rule, or puts it in the place of the one with its prefix, whose options stay.
///
/// # Errors
/// The engine's.
pub async fn put(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    rule: &PullThroughRule,
) -> Result<()> {
    conn.execute(
        "INSERT INTO pull_through_rules (account, region, prefix, settings, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (account, region, prefix) DO UPDATE \
         SET settings = excluded.settings, updated_at = excluded.updated_at",
        values![
            account,
            region,
            &rule.prefix,
            &rule.settings,
            rule.created_at,
            rule.updated_at,
        ],
    )
    .await
    .map(drop)
}

/// Sets what is set beside a rule; whether there is one.
///
/// # Errors
/// The engine's.
pub async fn put_options(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    prefix: &str,
    options: Option<&str>,
) -> Result<bool> {
    let changed = conn
        .execute(
            "UPDATE pull_through_rules SET options = $4 \
             WHERE account = $1 AND region = $2 AND prefix = $3",
            values![account, region, prefix, options],
        )
        .await?;
    Ok(changed == 1)
}

/// Removes the rule of a prefix, with its options.
///
/// # Errors
/// The engine's.
pub async fn delete(conn: &mut Conn<'_>, account: &str, region: &str, prefix: &str) -> Result<()> {
    conn.execute(
        "DELETE FROM pull_through_rules WHERE account = $1 AND region = $2 AND prefix = $3",
        values![account, region, prefix],
    )
    .await
    .map(drop)
}

/// When a tag was last compared with its upstream.
///
/// # Errors
/// The engine's.
pub async fn checked_at(conn: &mut Conn<'_>, repository_id: i64, tag: &str) -> Result<Option<i64>> {
    let sql = "SELECT checked_at FROM pull_through_tags WHERE repository_id = $1 AND tag = $2";
    let row = conn
        .fetch_optional(sql, values![repository_id, tag])
        .await?;
    row.as_ref().map(|row| row.int(0)).transpose()
}

/// Notes that a tag was compared with its upstream.
///
/// # Errors
/// The engine's.
pub async fn checked(conn: &mut Conn<'_>, repository_id: i64, tag: &str, at: i64) -> Result<()> {
    conn.execute(
        "INSERT INTO pull_through_tags (repository_id, tag, checked_at) VALUES ($1, $2, $3) \
         ON CONFLICT (repository_id, tag) DO UPDATE SET checked_at = excluded.checked_at",
        values![repository_id, tag, at],
    )
    .await
    .map(drop)
}
