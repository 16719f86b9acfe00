//! Tags of IAM entities. A key is unique on its entity without regard to case.

use crate::{Conn, Result, values};

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// As it was given.
    pub key: String,
    /// May be empty.
    pub value: String,
}

/// An entity's tags in the order of their keys. A quota bounds their number.
pub async fn list(conn: &mut Conn<'_>, entity: i64) -> Result<Vec<Tag>> {
    let sql = "SELECT key, value FROM iam_tags WHERE entity = $1 ORDER BY key_folded";
    let rows = conn.fetch_all(sql, values![entity]).await?;
    let tag = |row: &crate::Row| {
        Ok(Tag {
            key: row.text(0)?,
            value: row.text(1)?,
        })
    };
    rows.iter().map(tag).collect()
}

/// Sets a tag; one whose key differs only in case is replaced.
pub async fn put(conn: &mut Conn<'_>, entity: i64, key: &str, value: &str) -> Result<()> {
    let sql = "INSERT INTO iam_tags (entity, key, key_folded, value) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (entity, key_folded) DO UPDATE SET key = excluded.key, value = excluded.value";
    // Tag keys are any letters: fold as Unicode does.
    let params = values![entity, key, key.to_lowercase(), value];
    conn.execute(sql, params).await.map(drop)
}

/// Removes a tag, if it is there.
pub async fn delete(conn: &mut Conn<'_>, entity: i64, key: &str) -> Result<()> {
    let sql = "DELETE FROM iam_tags WHERE entity = $1 AND key_folded = $2";
    conn.execute(sql, values![entity, key.to_lowercase()])
        .await
        .map(drop)
}
