//! The key ring.

use crate::{Conn, Result, values};

/// A key of the ring, sealed under the master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealingKey {
    /// Grows with each rotation.
    pub id: i64,
    /// The key, sealed.
    pub sealed_key: Vec<u8>,
    /// Milliseconds since the epoch.
    pub created_at: i64,
}

/// Adds a key and says its id.
pub async fn insert(conn: &mut Conn<'_>, sealed_key: &[u8], now: i64) -> Result<i64> {
    let sql = "INSERT INTO sealing_keys (sealed_key, created_at) VALUES ($1, $2) RETURNING id";
    conn.fetch_one(sql, values![sealed_key, now]).await?.int(0)
}

/// At most `limit` keys, the newest first.
pub async fn list(conn: &mut Conn<'_>, limit: i64) -> Result<Vec<SealingKey>> {
    let sql = "SELECT id, sealed_key, created_at FROM sealing_keys ORDER BY id DESC LIMIT $1";
    let rows = conn.fetch_all(sql, values![limit]).await?;
    let key = |row: &crate::Row| {
        Ok(SealingKey {
            id: row.int(0)?,
            sealed_key: row.bytes(1)?,
            created_at: row.int(2)?,
        })
    };
    rows.iter().map(key).collect()
}

/// How many keys there are.
pub async fn count(conn: &mut Conn<'_>) -> Result<i64> {
    let sql = "SELECT count(*) FROM sealing_keys";
    conn.fetch_one(sql, values![]).await?.int(0)
}
