//! Sessions of the web console, and one-time links that begin one.
//!
//! Every write here belongs in a transaction of the account's scope.

use crate::{Conn, Result, Row, values};

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The session's name, which its credentials carry.
    pub id: String,
    /// SHA-256 of the secret in the browser's cookie.
    pub secret_hash: Vec<u8>,
    /// Twelve digits.
    pub account: String,
    /// The unique id of the user or role; the account's id for the root user.
    pub principal: String,
    /// A sealed document; only `identity` reads it.
    pub sealed: Vec<u8>,
    /// The access key that signed in.
    pub access_key_id: Option<String>,
    /// When the password that signed in was set.
    pub password_changed_at: Option<i64>,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// When credentials were last given.
    pub used_at: i64,
    /// When the session ends at the latest.
    pub ends_at: i64,
    /// The unique id of the identity provider that signed in.
    pub provider: Option<String>,
}

macro_rules! session_columns {
    () => {
        "id, secret_hash, account, principal, sealed, access_key_id, password_changed_at, created_at, \
         used_at, ends_at, provider"
    };
}

fn session(row: &Row) -> Result<Session> {
    Ok(Session {
        id: row.text(0)?,
        secret_hash: row.bytes(1)?,
        account: row.text(2)?,
        principal: row.text(3)?,
        sealed: row.bytes(4)?,
        access_key_id: row.opt_text(5)?,
        password_changed_at: row.opt_int(6)?,
        created_at: row.int(7)?,
        used_at: row.int(8)?,
        ends_at: row.int(9)?,
        provider: row.opt_text(10)?,
    })
}

/// Adds a session.
///
/// # Errors
/// [`crate::Error::Unique`] when its id or its secret is taken.
pub async fn insert(conn: &mut Conn<'_>, new: &Session) -> Result<()> {
    let sql = concat!(
        "INSERT INTO console_sessions (",
        session_columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
    );
    let params = values![
        &new.id,
        &new.secret_hash[..],
        &new.account,
        &new.principal,
        &new.sealed[..],
        new.access_key_id.as_deref(),
        new.password_changed_at,
        new.created_at,
        new.used_at,
        new.ends_at,
        new.provider.as_deref()
    ];
    conn.execute(sql, params).await.map(drop)
}

/// The session of this id.
pub async fn find(conn: &mut Conn<'_>, id: &str) -> Result<Option<Session>> {
    let sql = concat!(
        "SELECT ",
        session_columns!(),
        " FROM console_sessions WHERE id = $1"
    );
    let row = conn.fetch_optional(sql, values![id]).await?;
    row.as_ref().map(session).transpose()
}

/// The session whose cookie has the secret with this hash.
pub async fn find_by_secret(conn: &mut Conn<'_>, secret_hash: &[u8]) -> Result<Option<Session>> {
    let sql = concat!(
        "SELECT ",
        session_columns!(),
        " FROM console_sessions WHERE secret_hash = $1"
    );
    let row = conn.fetch_optional(sql, values![secret_hash]).await?;
    row.as_ref().map(session).transpose()
}

/// Notes that the session was used.
pub async fn set_used(conn: &mut Conn<'_>, id: &str, used_at: i64) -> Result<()> {
    let sql = "UPDATE console_sessions SET used_at = $2 WHERE id = $1";
    conn.execute(sql, values![id, used_at]).await.map(drop)
}

/// Gives the session another secret and other contents. `false`: its secret is no longer `old_hash`.
pub async fn replace(
    conn: &mut Conn<'_>,
    id: &str,
    old_hash: &[u8],
    new_hash: &[u8],
    sealed: &[u8],
    used_at: i64,
) -> Result<bool> {
    let sql = "UPDATE console_sessions SET secret_hash = $3, sealed = $4, used_at = $5 \
               WHERE id = $1 AND secret_hash = $2";
    let params = values![id, old_hash, new_hash, sealed, used_at];
    Ok(conn.execute(sql, params).await? > 0)
}

/// Removes a session.
pub async fn delete(conn: &mut Conn<'_>, id: &str) -> Result<()> {
    let sql = "DELETE FROM console_sessions WHERE id = $1";
    conn.execute(sql, values![id]).await.map(drop)
}

/// Removes the account's sessions that ended, or that nobody used since `used_before`.
pub async fn delete_over(
    conn: &mut Conn<'_>,
    account: &str,
    now: i64,
    used_before: i64,
) -> Result<()> {
    let sql =
        "DELETE FROM console_sessions WHERE account = $1 AND (ends_at <= $2 OR used_at <= $3)";
    conn.execute(sql, values![account, now, used_before])
        .await
        .map(drop)
}

/// Removes all but the newest `keep` sessions of a principal.
pub async fn trim(conn: &mut Conn<'_>, account: &str, principal: &str, keep: i64) -> Result<()> {
    let sql = "DELETE FROM console_sessions WHERE account = $1 AND principal = $2 AND id NOT IN \
               (SELECT id FROM console_sessions WHERE account = $1 AND principal = $2 \
                ORDER BY created_at DESC, id LIMIT $3)";
    conn.execute(sql, values![account, principal, keep])
        .await
        .map(drop)
}

/// Replaces the account's links by one.
pub async fn set_link(
    conn: &mut Conn<'_>,
    account: &str,
    token_hash: &[u8],
    ends_at: i64,
) -> Result<()> {
    let sql = "DELETE FROM console_links WHERE account = $1";
    conn.execute(sql, values![account]).await?;
    let sql = "INSERT INTO console_links (token_hash, account, ends_at) VALUES ($1, $2, $3)";
    conn.execute(sql, values![token_hash, account, ends_at])
        .await
        .map(drop)
}

/// The account that a link is for, and when the link ends.
pub async fn find_link(conn: &mut Conn<'_>, token_hash: &[u8]) -> Result<Option<(String, i64)>> {
    let sql = "SELECT account, ends_at FROM console_links WHERE token_hash = $1";
    let row = conn.fetch_optional(sql, values![token_hash]).await?;
    row.map(|row| Ok((row.text(0)?, row.int(1)?))).transpose()
}

/// Uses a link up. `false`: it was used before.
pub async fn use_link(conn: &mut Conn<'_>, token_hash: &[u8]) -> Result<bool> {
    let sql = "DELETE FROM console_links WHERE token_hash = $1";
    Ok(conn.execute(sql, values![token_hash]).await? > 0)
}
