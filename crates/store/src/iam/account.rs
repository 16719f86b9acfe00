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
}

fn account(row: &Row) -> Result<Account> {
    Ok(Account {
        id: row.text(0)?,
        name: row.text(1)?,
        alias: row.opt_text(2)?,
        created_at: row.int(3)?,
    })
}

/// Adds an account; `false` when it was there.
pub async fn insert(conn: &mut Conn<'_>, id: &str, name: &str, now: i64) -> Result<bool> {
    let sql = "INSERT INTO accounts (id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING";
    Ok(conn.execute(sql, values![id, name, now]).await? > 0)
}

/// The account of this id.
pub async fn find(conn: &mut Conn<'_>, id: &str) -> Result<Option<Account>> {
    let sql = "SELECT id, name, alias, created_at FROM accounts WHERE id = $1";
    let row = conn.fetch_optional(sql, values![id]).await?;
    row.as_ref().map(account).transpose()
}

/// The account that has the alias.
pub async fn find_by_alias(conn: &mut Conn<'_>, alias: &str) -> Result<Option<Account>> {
    let sql = "SELECT id, name, alias, created_at FROM accounts WHERE alias = $1";
    let row = conn.fetch_optional(sql, values![alias]).await?;
    row.as_ref().map(account).transpose()
}

/// At most `limit` accounts after the id, in the ids' order.
pub async fn list(conn: &mut Conn<'_>, after: &str, limit: i64) -> Result<Vec<Account>> {
    let sql = "SELECT id, name, alias, created_at FROM accounts WHERE id > $1 ORDER BY id LIMIT $2";
    let rows = conn.fetch_all(sql, values![after, limit]).await?;
    rows.iter().map(account).collect()
}

/// Sets or removes the alias.
pub async fn set_alias(conn: &mut Conn<'_>, id: &str, alias: Option<&str>) -> Result<()> {
    let sql = "UPDATE accounts SET alias = $2 WHERE id = $1";
    conn.execute(sql, values![id, alias]).await.map(drop)
}
