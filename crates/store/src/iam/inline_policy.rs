//! Inline policies of users, groups and roles.

use crate::{Conn, Result, Row, values};

/// An inline policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InlinePolicy {
    /// Unique on its entity.
    pub name: String,
    /// The document, byte for byte.
    pub document: String,
}

fn inline_policy(row: &Row) -> Result<InlinePolicy> {
    Ok(InlinePolicy {
        name: row.text(0)?,
        document: row.text(1)?,
    })
}

/// Sets a policy; one of this name is replaced.
pub async fn put(conn: &mut Conn<'_>, entity: i64, name: &str, document: &str) -> Result<()> {
    let sql = "INSERT INTO iam_inline_policies (entity, name, document) VALUES ($1, $2, $3) \
               ON CONFLICT (entity, name) DO UPDATE SET document = excluded.document";
    conn.execute(sql, values![entity, name, document])
        .await
        .map(drop)
}

/// The policy of this name.
pub async fn find(conn: &mut Conn<'_>, entity: i64, name: &str) -> Result<Option<InlinePolicy>> {
    let sql = "SELECT name, document FROM iam_inline_policies WHERE entity = $1 AND name = $2";
    let row = conn.fetch_optional(sql, values![entity, name]).await?;
    row.as_ref().map(inline_policy).transpose()
}

/// An entity's policies in the order of their names. The limit on their summed size
/// bounds their number.
pub async fn list(conn: &mut Conn<'_>, entity: i64) -> Result<Vec<InlinePolicy>> {
    let sql = "SELECT name, document FROM iam_inline_policies WHERE entity = $1 ORDER BY name";
    let rows = conn.fetch_all(sql, values![entity]).await?;
    rows.iter().map(inline_policy).collect()
}

/// Removes a policy; `false` when there was none.
pub async fn delete(conn: &mut Conn<'_>, entity: i64, name: &str) -> Result<bool> {
    let sql = "DELETE FROM iam_inline_policies WHERE entity = $1 AND name = $2";
    Ok(conn.execute(sql, values![entity, name]).await? > 0)
}
