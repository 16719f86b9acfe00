//! Accounts.

use crate::{Conn, Result, Row, values};

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// For people.
    pub name: String,
    /// The account alias, unique among all accounts.
    pub alias: Option<String>,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// The owner's e-mail address, where one is known.
    pub email: Option<String>,
    /// When the account was closed, in milliseconds since the epoch.
    pub closed_at: Option<i64>,
}

/// The select list that [`account`] reads.
macro_rules! account_columns {
    () => {
        "id, name, alias, created_at, email, closed_at"
    };
}

fn account(row: &Row) -> Result<Account> {
    Ok(Account {
        id: row.text(0)?,
        name: row.text(1)?,
        alias: row.opt_text(2)?,
        created_at: row.int(3)?,
        email: row.opt_text(4)?,
        closed_at: row.opt_int(5)?,
    })
}

/// Adds an account; `false` when it was there.
pub async fn insert(conn: &mut Conn<'_>, id: &str, name: &str, now: i64) -> Result<bool> {
    let sql = "INSERT INTO accounts (id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING";
    Ok(conn.execute(sql, values![id, name, now]).await? > 0)
}

/// The account of this id.
pub async fn find(conn: &mut Conn<'_>, id: &str) -> Result<Option<Account>> {
    let sql = concat!(
        "SELECT ",
        account_columns!(),
        " FROM accounts WHERE id = $1"
    );
    let row = conn.fetch_optional(sql, values![id]).await?;
    row.as_ref().map(account).transpose()
}

/// The account that has the alias.
pub async fn find_by_alias(conn: &mut Conn<'_>, alias: &str) -> Result<Option<Account>> {
    let sql = concat!(
        "SELECT ",
        account_columns!(),
        " FROM accounts WHERE alias = $1"
    );
    let row = conn.fetch_optional(sql, values![alias]).await?;
    row.as_ref().map(account).transpose()
}

/// At most `limit` accounts after the id, in the ids' order.
pub async fn list(conn: &mut Conn<'_>, after: &str, limit: i64) -> Result<Vec<Account>> {
    let sql = concat!(
        "SELECT ",
        account_columns!(),
        " FROM accounts WHERE id > $1 ORDER BY id LIMIT $2"
    );
    let rows = conn.fetch_all(sql, values![after, limit]).await?;
    rows.iter().map(account).collect()
}

/// Sets or removes the alias.
pub async fn set_alias(conn: &mut Conn<'_>, id: &str, alias: Option<&str>) -> Result<()> {
    let sql = "UPDATE accounts SET alias = $2 WHERE id = $1";
    conn.execute(sql, values![id, alias]).await.map(drop)
}

/// The account whose owner has this e-mail address, whatever its letters' case.
pub async fn find_by_email(conn: &mut Conn<'_>, email: &str) -> Result<Option<Account>> {
    let sql = concat!(
        "SELECT ",
        account_columns!(),
        " FROM accounts WHERE email_folded = $1"
    );
    let row = conn
        .fetch_optional(sql, values![email.to_lowercase()])
        .await?;
    row.as_ref().map(account).transpose()
}

/// Sets the owner's e-mail address.
///
/// # Errors
/// [`crate::Error::Unique`] when another account has it.
pub async fn set_email(conn: &mut Conn<'_>, id: &str, email: &str) -> Result<()> {
    let sql = "UPDATE accounts SET email = $2, email_folded = $3 WHERE id = $1";
    conn.execute(sql, values![id, email, email.to_lowercase()])
        .await
        .map(drop)
}

/// Closes an account.
pub async fn close(conn: &mut Conn<'_>, id: &str, now: i64) -> Result<()> {
    let sql = "UPDATE accounts SET closed_at = $2 WHERE id = $1";
    conn.execute(sql, values![id, now]).await.map(drop)
}

/// Whether the account is closed; one that does not exist is not.
pub async fn is_closed(conn: &mut Conn<'_>, id: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM accounts WHERE id = $1 AND closed_at IS NOT NULL";
    Ok(conn.fetch_optional(sql, values![id]).await?.is_some())
}

/// Ends the root user's sessions that were issued before `from`.
pub async fn end_root_sessions(conn: &mut Conn<'_>, id: &str, from: i64) -> Result<()> {
    let sql = "UPDATE accounts SET root_sessions_from = $2 WHERE id = $1";
    conn.execute(sql, values![id, from]).await.map(drop)
}

/// Before when issued sessions of the root user are over; `None`: none were ended.
pub async fn root_sessions_from(conn: &mut Conn<'_>, id: &str) -> Result<Option<i64>> {
    let sql = "SELECT root_sessions_from FROM accounts WHERE id = $1";
    let row = conn.fetch_optional(sql, values![id]).await?;
    row.map_or(Ok(None), |row| row.opt_int(0))
}
