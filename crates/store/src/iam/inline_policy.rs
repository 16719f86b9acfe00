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

/// A statement about the policy `$2` of the entity `$1`. Names differ by more than their case; where an
/// older version has stored two that do not, the one that is spelled so comes first.
macro_rules! named {
    ($statement:literal) => {
        concat!(
            $statement,
            " WHERE entity = $1 AND name = \
             (SELECT name FROM iam_inline_policies WHERE entity = $1 AND LOWER(name) = LOWER($2) \
             ORDER BY CASE WHEN name = $2 THEN 0 ELSE 1 END, name LIMIT 1)"
        )
    };
}

/// Sets a policy; one of this name is replaced, and keeps its spelling.
pub async fn put(conn: &mut Conn<'_>, entity: i64, name: &str, document: &str) -> Result<()> {
    let sql = named!("UPDATE iam_inline_policies SET document = $3");
    if conn.execute(sql, values![entity, name, document]).await? > 0 {
        return Ok(());
    }
    let sql = "INSERT INTO iam_inline_policies (entity, name, document) VALUES ($1, $2, $3)";
    conn.execute(sql, values![entity, name, document])
        .await
        .map(drop)
}

/// The policy of this name.
pub async fn find(conn: &mut Conn<'_>, entity: i64, name: &str) -> Result<Option<InlinePolicy>> {
    let sql = named!("SELECT name, document FROM iam_inline_policies");
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
    let sql = named!("DELETE FROM iam_inline_policies");
    Ok(conn.execute(sql, values![entity, name]).await? > 0)
}
