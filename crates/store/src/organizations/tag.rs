//! Tags of what an organization holds.

use crate::{Conn, Result, Row, values};

/// A resource's tags in the order of their keys. A quota bounds their number.
pub async fn list(
    conn: &mut Conn<'_>,
    organization: &str,
    resource: &str,
) -> Result<Vec<(String, String)>> {
    let sql = "SELECT key, value FROM organization_tags \
               WHERE organization = $1 AND resource = $2 ORDER BY key";
    let rows = conn.fetch_all(sql, values![organization, resource]).await?;
    let tag = |row: &Row| Ok((row.text(0)?, row.text(1)?));
    rows.iter().map(tag).collect()
}

/// Sets a tag; one of the same key is replaced.
pub async fn put(
    conn: &mut Conn<'_>,
    organization: &str,
    resource: &str,
    key: &str,
    value: &str,
) -> Result<()> {
    let sql = "INSERT INTO organization_tags (organization, resource, key, value) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (organization, resource, key) DO UPDATE SET value = excluded.value";
    conn.execute(sql, values![organization, resource, key, value])
        .await
        .map(drop)
}

/// Removes a tag, if it is there.
pub async fn delete(
    conn: &mut Conn<'_>,
    organization: &str,
    resource: &str,
    key: &str,
) -> Result<()> {
    let sql =
        "DELETE FROM organization_tags WHERE organization = $1 AND resource = $2 AND key = $3";
    conn.execute(sql, values![organization, resource, key])
        .await
        .map(drop)
}

/// Removes all tags of a resource that goes.
pub async fn delete_all(conn: &mut Conn<'_>, organization: &str, resource: &str) -> Result<()> {
    let sql = "DELETE FROM organization_tags WHERE organization = $1 AND resource = $2";
    conn.execute(sql, values![organization, resource])
        .await
        .map(drop)
}
