//! Deletions of service-linked roles.

use crate::{Conn, Result, values};

/// Notes a deletion under its task's id, and forgets those before `oldest`.
pub async fn insert(
    conn: &mut Conn<'_>,
    account: &str,
    id: &str,
    now: i64,
    oldest: i64,
) -> Result<()> {
    let sql = "DELETE FROM iam_role_deletions WHERE account = $1 AND created_at < $2";
    conn.execute(sql, values![account, oldest]).await?;
    let sql = "INSERT INTO iam_role_deletions (id, account, created_at) VALUES ($1, $2, $3)";
    conn.execute(sql, values![id, account, now]).await.map(drop)
}

/// Whether the account has a deletion of this id.
pub async fn exists(conn: &mut Conn<'_>, account: &str, id: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM iam_role_deletions WHERE account = $1 AND id = $2";
    let row = conn.fetch_optional(sql, values![account, id]).await?;
    Ok(row.is_some())
}
