//! Quotas that were set by account.

use crate::{Conn, Result, values};

/// What a quota of the account was set to.
pub async fn find(conn: &mut Conn<'_>, account: &str, name: &str) -> Result<Option<i64>> {
    let sql = "SELECT value FROM iam_quotas WHERE account = $1 AND name = $2";
    let row = conn.fetch_optional(sql, values![account, name]).await?;
    row.map(|row| row.int(0)).transpose()
}

/// All that were set for the account, by name. The names bound their number.
pub async fn list(conn: &mut Conn<'_>, account: &str) -> Result<Vec<(String, i64)>> {
    let sql = "SELECT name, value FROM iam_quotas WHERE account = $1 ORDER BY name";
    let rows = conn.fetch_all(sql, values![account]).await?;
    rows.iter()
        .map(|row| Ok((row.text(0)?, row.int(1)?)))
        .collect()
}

/// Sets a quota of the account.
pub async fn put(conn: &mut Conn<'_>, account: &str, name: &str, value: i64) -> Result<()> {
    let sql = "INSERT INTO iam_quotas (account, name, value) VALUES ($1, $2, $3) \
               ON CONFLICT (account, name) DO UPDATE SET value = excluded.value";
    conn.execute(sql, values![account, name, value])
        .await
        .map(drop)
}

/// Gives a quota of the account back to its default.
pub async fn delete(conn: &mut Conn<'_>, account: &str, name: &str) -> Result<()> {
    let sql = "DELETE FROM iam_quotas WHERE account = $1 AND name = $2";
    conn.execute(sql, values![account, name]).await.map(drop)
}
