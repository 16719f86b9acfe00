//! The table `repository_templates`.

use crate::{Conn, Result, Row, values};

/// A repository creation template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryTemplate {
    /// The prefix without a slash at its end, or `ROOT`.
    pub prefix: String,
    /// What it says of repositories, as JSON.
    pub settings: String,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// Milliseconds since the epoch.
    pub updated_at: i64,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT prefix, settings, created_at, updated_at FROM repository_templates ",
            "WHERE account = $1 AND region = $2 AND ",
            $rest
        )
    };
}

fn read(row: &Row) -> Result<RepositoryTemplate> {
    Ok(RepositoryTemplate {
        prefix: row.text(0)?,
        settings: row.text(1)?,
        created_at: row.int(2)?,
        updated_at: row.int(3)?,
    })
}

/// The template of a prefix.
///
/// # Errors
/// The engine's.
pub async fn find(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    prefix: &str,
) -> Result<Option<RepositoryTemplate>> {
    let row = conn
        .fetch_optional(select!("prefix = $3"), values![account, region, prefix])
        .await?;
    row.as_ref().map(read).transpose()
}

/// At most `limit` templates of a registry in the order of their prefixes, after `after`.
///
/// # Errors
/// The engine's.
pub async fn list(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<RepositoryTemplate>> {
    let rows = conn
        .fetch_all(
            select!("prefix > $3 ORDER BY prefix LIMIT $4"),
            values![account, region, after, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// How many templates a registry has.
///
/// # Errors
/// The engine's.
pub async fn count(conn: &mut Conn<'_>, account: &str, region: &str) -> Result<i64> {
    conn.fetch_one(
        "SELECT COUNT(*) FROM repository_templates WHERE account = $1 AND region = $2",
        values![account, region],
    )
    .await?
    .int(0)
}

/// Adds a template, or puts it in the place of the one with its prefix.
///
/// # Errors
/// The engine's.
pub async fn put(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    template: &RepositoryTemplate,
) -> Result<()> {
    conn.execute(
        "INSERT INTO repository_templates \
         (account, region, prefix, settings, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (account, region, prefix) DO UPDATE \
         SET settings = excluded.settings, updated_at = excluded.updated_at",
        values![
            account,
            region,
            &template.prefix,
            &template.settings,
            template.created_at,
            template.updated_at,
        ],
    )
    .await
    .map(drop)
}

/// Removes the template of a prefix.
///
/// # Errors
/// The engine's.
pub async fn delete(conn: &mut Conn<'_>, account: &str, region: &str, prefix: &str) -> Result<()> {
    conn.execute(
        "DELETE FROM repository_templates WHERE account = $1 AND region = $2 AND prefix = $3",
        values![account, region, prefix],
    )
    .await
    .map(drop)
}
