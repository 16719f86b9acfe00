//! Tags of IAM entities.

use super::entity::Kind;
use crate::{Conn, Result, values};

/// Whether keys that differ only in case are one key on entities of this kind (UG id_tags, "Case
/// sensitivity": so it is for users and roles, and for no other resource of IAM).
#[must_use]
pub fn ignores_case(kind: Kind) -> bool {
    matches!(kind, Kind::User | Kind::Role)
}

/// What tells a key from others on an entity of this kind.
fn folded(kind: Kind, key: &str) -> String {
    match ignores_case(kind) {
        // Tag keys are any letters: fold as Unicode does.
        true => key.to_lowercase(),
        false => key.to_owned(),
    }
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// As it was given.
    pub key: String,
    /// May be empty.
    pub value: String,
}

/// An entity's tags in the order of their keys, byte by byte. A quota bounds their number.
pub async fn list(conn: &mut Conn<'_>, entity: i64) -> Result<Vec<Tag>> {
    let sql = "SELECT key, value FROM iam_tags WHERE entity = $1 ORDER BY key_folded, key";
    let rows = conn.fetch_all(sql, values![entity]).await?;
    let tag = |row: &crate::Row| {
        Ok(Tag {
            key: row.text(0)?,
            value: row.text(1)?,
        })
    };
    rows.iter().map(tag).collect()
}

/// Sets a tag; one of the same key is replaced.
pub async fn put(
    conn: &mut Conn<'_>,
    entity: i64,
    kind: Kind,
    key: &str,
    value: &str,
) -> Result<()> {
    if !ignores_case(kind) {
        // Until 2026-11 the keys of all kinds were folded.
        let sql = "UPDATE iam_tags SET key_folded = key WHERE entity = $1 AND key_folded <> key";
        conn.execute(sql, values![entity]).await?;
    }
    let sql = "INSERT INTO iam_tags (entity, key, key_folded, value) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (entity, key_folded) DO UPDATE SET key = excluded.key, value = excluded.value";
    let params = values![entity, key, folded(kind, key), value];
    conn.execute(sql, params).await.map(drop)
}

/// Removes a tag, if it is there.
pub async fn delete(conn: &mut Conn<'_>, entity: i64, kind: Kind, key: &str) -> Result<()> {
    let sql = match ignores_case(kind) {
        true => "DELETE FROM iam_tags WHERE entity = $1 AND key_folded = $2",
        false => "DELETE FROM iam_tags WHERE entity = $1 AND key = $2",
    };
    conn.execute(sql, values![entity, folded(kind, key)])
        .await
        .map(drop)
}
