//! What only customer managed policies have: their versions.

use crate::{Conn, Result, Row, values};

/// A managed policy's own columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedPolicy {
    /// For people.
    pub description: Option<String>,
    /// The number of the version in force: 1 for `v1`.
    pub default_version: i64,
    /// The highest number given so far.
    pub last_version: i64,
    /// Milliseconds since the epoch.
    pub updated_at: i64,
}

/// A version of a managed policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// 1 for `v1`.
    pub version: i64,
    /// The document, byte for byte.
    pub document: String,
    /// Milliseconds since the epoch.
    pub created_at: i64,
}

fn version(row: &Row) -> Result<Version> {
    Ok(Version {
        version: row.int(0)?,
        document: row.text(1)?,
        created_at: row.int(2)?,
    })
}

/// Adds a policy's columns and its version 1 to its entity.
pub async fn insert(
    conn: &mut Conn<'_>,
    entity: i64,
    description: Option<&str>,
    document: &str,
    now: i64,
) -> Result<()> {
    let sql = "INSERT INTO iam_policies (entity, description, default_version, last_version, updated_at) VALUES ($1, $2, 1, 0, $3)";
    conn.execute(sql, values![entity, description, now]).await?;
    insert_version(conn, entity, document, now).await.map(drop)
}

/// The policy's columns.
///
/// # Errors
/// [`crate::Error::NoRow`] when the entity is no policy.
pub async fn get(conn: &mut Conn<'_>, entity: i64) -> Result<ManagedPolicy> {
    let sql = "SELECT description, default_version, last_version, updated_at FROM iam_policies WHERE entity = $1";
    let row = conn.fetch_one(sql, values![entity]).await?;
    Ok(ManagedPolicy {
        description: row.opt_text(0)?,
        default_version: row.int(1)?,
        last_version: row.int(2)?,
        updated_at: row.int(3)?,
    })
}

/// Adds a version under the next number, and says that number.
pub async fn insert_version(
    conn: &mut Conn<'_>,
    entity: i64,
    document: &str,
    now: i64,
) -> Result<i64> {
    let sql = "UPDATE iam_policies SET last_version = last_version + 1, updated_at = $2 \
               WHERE entity = $1 RETURNING last_version";
    let number = conn.fetch_one(sql, values![entity, now]).await?.int(0)?;
    let sql = "INSERT INTO iam_policy_versions (policy, version, document, created_at) VALUES ($1, $2, $3, $4)";
    conn.execute(sql, values![entity, number, document, now])
        .await?;
    Ok(number)
}

/// A version by its number.
pub async fn find_version(
    conn: &mut Conn<'_>,
    entity: i64,
    number: i64,
) -> Result<Option<Version>> {
    let sql = "SELECT version, document, created_at FROM iam_policy_versions WHERE policy = $1 AND version = $2";
    let row = conn.fetch_optional(sql, values![entity, number]).await?;
    row.as_ref().map(version).transpose()
}

/// The version in force.
///
/// # Errors
/// [`crate::Error::NoRow`] when the entity is no policy.
pub async fn default_version(conn: &mut Conn<'_>, entity: i64) -> Result<Version> {
    let sql = "SELECT v.version, v.document, v.created_at FROM iam_policies p \
               JOIN iam_policy_versions v ON v.policy = p.entity AND v.version = p.default_version \
               WHERE p.entity = $1";
    version(&conn.fetch_one(sql, values![entity]).await?)
}

/// All versions, the newest first. A quota bounds their number.
pub async fn list_versions(conn: &mut Conn<'_>, entity: i64) -> Result<Vec<Version>> {
    let sql = "SELECT version, document, created_at FROM iam_policy_versions WHERE policy = $1 ORDER BY version DESC";
    let rows = conn.fetch_all(sql, values![entity]).await?;
    rows.iter().map(version).collect()
}

/// Puts a version in force.
pub async fn set_default_version(
    conn: &mut Conn<'_>,
    entity: i64,
    number: i64,
    now: i64,
) -> Result<()> {
    let sql = "UPDATE iam_policies SET default_version = $2, updated_at = $3 WHERE entity = $1";
    conn.execute(sql, values![entity, number, now])
        .await
        .map(drop)
}

/// Removes a version.
pub async fn delete_version(conn: &mut Conn<'_>, entity: i64, number: i64) -> Result<()> {
    let sql = "DELETE FROM iam_policy_versions WHERE policy = $1 AND version = $2";
    conn.execute(sql, values![entity, number]).await.map(drop)
}

/// How many versions the account's policies have altogether.
pub async fn count_versions(conn: &mut Conn<'_>, account: &str) -> Result<i64> {
    let sql = "SELECT count(*) FROM iam_policy_versions v JOIN iam_entities e ON e.id = v.policy WHERE e.account = $1";
    conn.fetch_one(sql, values![account]).await?.int(0)
}
