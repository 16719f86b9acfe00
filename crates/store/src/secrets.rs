//! Secrets and their versions. Values are sealed by the caller.
//!
//! Every write here belongs in a transaction of the account's scope.

use crate::{Conn, Result, Row, values};

/// A secret without its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// The row.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The six characters at the end of its ARN.
    pub suffix: String,
    /// May be empty.
    pub description: String,
    /// The key that the caller named.
    pub kms_key_id: Option<String>,
    /// Tags in the caller's form.
    pub tags: String,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// Of its value or its description.
    pub changed_at: i64,
    /// When its value was last read; a day's beginning.
    pub accessed_at: Option<i64>,
    /// When its deletion was requested.
    pub deleted_at: Option<i64>,
    /// From when on it is gone.
    pub purge_at: Option<i64>,
}

/// A version of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its id.
    pub version_id: String,
    /// Its staging labels, one a line.
    pub stages: String,
    /// The value.
    pub sealed: Vec<u8>,
    /// Milliseconds since the epoch.
    pub created_at: i64,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, suffix, description, kms_key_id, tags, created_at, changed_at, accessed_at, ",
            "deleted_at, purge_at FROM secrets WHERE ",
            $rest
        )
    };
}

fn read(row: &Row) -> Result<Secret> {
    Ok(Secret {
        id: row.int(0)?,
        name: row.text(1)?,
        suffix: row.text(2)?,
        description: row.text(3)?,
        kms_key_id: row.opt_text(4)?,
        tags: row.text(5)?,
        created_at: row.int(6)?,
        changed_at: row.int(7)?,
        accessed_at: row.opt_int(8)?,
        deleted_at: row.opt_int(9)?,
        purge_at: row.opt_int(10)?,
    })
}

/// The secret of a name, also one whose time is over.
///
/// # Errors
/// The engine's.
pub async fn find(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    name: &str,
) -> Result<Option<Secret>> {
    let sql = select!("account = $1 AND region = $2 AND name = $3");
    let row = conn
        .fetch_optional(sql, values![account, region, name])
        .await?;
    row.as_ref().map(read).transpose()
}

/// At most `limit` secrets in the order of their names, after `after`.
///
/// # Errors
/// The engine's.
pub async fn list(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    limit: i64,
) -> Result<Vec<Secret>> {
    let sql = select!("account = $1 AND region = $2 ORDER BY name LIMIT $3");
    let rows = conn.fetch_all(sql, values![account, region, limit]).await?;
    rows.iter().map(read).collect()
}

/// How many secrets there are.
///
/// # Errors
/// The engine's.
pub async fn count(conn: &mut Conn<'_>, account: &str, region: &str) -> Result<i64> {
    conn.fetch_one(
        "SELECT COUNT(*) FROM secrets WHERE account = $1 AND region = $2",
        values![account, region],
    )
    .await?
    .int(0)
}

/// Adds a secret and returns its row's id.
///
/// # Errors
/// The engine's.
pub async fn insert(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    secret: &Secret,
) -> Result<i64> {
    conn.fetch_one(
        "INSERT INTO secrets (account, region, name, suffix, description, kms_key_id, tags, created_at, \
         changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id",
        values![
            account,
            region,
            &secret.name,
            &secret.suffix,
            &secret.description,
            secret.kms_key_id.as_deref(),
            &secret.tags,
            secret.created_at,
            secret.changed_at,
        ],
    )
    .await?
    .int(0)
}

/// Writes everything of a secret that can change.
///
/// # Errors
/// The engine's.
pub async fn update(conn: &mut Conn<'_>, secret: &Secret) -> Result<()> {
    conn.execute(
        "UPDATE secrets SET description = $2, kms_key_id = $3, tags = $4, changed_at = $5, accessed_at = $6, \
         deleted_at = $7, purge_at = $8 WHERE id = $1",
        values![
            secret.id,
            &secret.description,
            secret.kms_key_id.as_deref(),
            &secret.tags,
            secret.changed_at,
            secret.accessed_at,
            secret.deleted_at,
            secret.purge_at,
        ],
    )
    .await
    .map(drop)
}

/// Removes a secret with its versions.
///
/// # Errors
/// The engine's.
pub async fn delete(conn: &mut Conn<'_>, id: i64) -> Result<()> {
    conn.execute("DELETE FROM secrets WHERE id = $1", values![id])
        .await
        .map(drop)
}

/// At most `limit` secrets whose time is over: account, region, name.
///
/// # Errors
/// The engine's.
pub async fn expired(
    conn: &mut Conn<'_>,
    now: i64,
    limit: i64,
) -> Result<Vec<(String, String, String)>> {
    let sql =
        "SELECT account, region, name FROM secrets WHERE purge_at <= $1 ORDER BY purge_at LIMIT $2";
    let rows = conn.fetch_all(sql, values![now, limit]).await?;
    rows.iter()
        .map(|row| Ok((row.text(0)?, row.text(1)?, row.text(2)?)))
        .collect()
}

/// The versions of a secret, the newest first.
///
/// # Errors
/// The engine's.
pub async fn versions(conn: &mut Conn<'_>, secret: i64) -> Result<Vec<Version>> {
    let sql = "SELECT version_id, stages, sealed, created_at FROM secret_versions WHERE secret_id = $1 \
               ORDER BY created_at DESC, version_id";
    let rows = conn.fetch_all(sql, values![secret]).await?;
    let version = |row: &Row| {
        Ok(Version {
            version_id: row.text(0)?,
            stages: row.text(1)?,
            sealed: row.bytes(2)?,
            created_at: row.int(3)?,
        })
    };
    rows.iter().map(version).collect()
}

/// Adds a version, or changes the labels of the one with this id.
///
/// # Errors
/// The engine's.
pub async fn put_version(conn: &mut Conn<'_>, secret: i64, version: &Version) -> Result<()> {
    conn.execute(
        "INSERT INTO secret_versions (secret_id, version_id, stages, sealed, created_at) \
         VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (secret_id, version_id) DO UPDATE SET stages = excluded.stages",
        values![
            secret,
            &version.version_id,
            &version.stages,
            version.sealed.as_slice(),
            version.created_at,
        ],
    )
    .await
    .map(drop)
}

/// Removes a version.
///
/// # Errors
/// The engine's.
pub async fn delete_version(conn: &mut Conn<'_>, secret: i64, version_id: &str) -> Result<()> {
    conn.execute(
        "DELETE FROM secret_versions WHERE secret_id = $1 AND version_id = $2",
        values![secret, version_id],
    )
    .await
    .map(drop)
}
