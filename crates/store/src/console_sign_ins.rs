//! Sign-ins to the web console that came back from an identity provider.
//!
//! Every write here belongs in a transaction of the account's scope.

use crate::{Conn, Result, values};

/// Notes that a sign-in came back; `false` when it had come back before. The account's sign-ins that are over are
/// forgotten.
pub async fn use_once(
    conn: &mut Conn<'_>,
    id: &str,
    account: &str,
    ends_at: i64,
    now: i64,
) -> Result<bool> {
    let sql = "DELETE FROM console_sign_ins WHERE account = $1 AND ends_at <= $2";
    conn.execute(sql, values![account, now]).await?;
    let sql = "INSERT INTO console_sign_ins (id, account, ends_at) VALUES ($1, $2, $3) \
               ON CONFLICT (id) DO NOTHING";
    Ok(conn.execute(sql, values![id, account, ends_at]).await? > 0)
}

/// Keeps what the provider said until a role is chosen.
pub async fn hold(conn: &mut Conn<'_>, id: &str, sealed: &[u8]) -> Result<()> {
    let sql = "UPDATE console_sign_ins SET sealed = $2 WHERE id = $1";
    conn.execute(sql, values![id, sealed]).await.map(drop)
}

/// What the provider said, while a role is being chosen.
pub async fn held(conn: &mut Conn<'_>, id: &str, now: i64) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT sealed FROM console_sign_ins WHERE id = $1 AND ends_at > $2";
    let row = conn.fetch_optional(sql, values![id, now]).await?;
    row.map_or(Ok(None), |row| row.opt_bytes(0))
}

/// Ends the choice. `false`: it had ended.
pub async fn release(conn: &mut Conn<'_>, id: &str) -> Result<bool> {
    let sql = "UPDATE console_sign_ins SET sealed = NULL WHERE id = $1 AND sealed IS NOT NULL";
    Ok(conn.execute(sql, values![id]).await? > 0)
}
