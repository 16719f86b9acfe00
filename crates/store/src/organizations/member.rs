//! The accounts of an organization.

use crate::{Conn, Result, Row, values};

/// An account of an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Twelve digits.
    pub account: String,
    /// Its organization.
    pub organization: String,
    /// The root's id or a unit's.
    pub parent: String,
    /// `CREATED` or `INVITED`.
    pub joined_method: String,
    /// Milliseconds since the epoch.
    pub joined_at: i64,
    /// The account's name.
    pub name: String,
    /// The owner's e-mail address, where one is known.
    pub email: Option<String>,
    /// When it was closed.
    pub closed_at: Option<i64>,
}

macro_rules! columns {
    () => {
        "m.account, m.organization, m.parent, m.joined_method, m.joined_at, a.name, a.email, a.closed_at \
         FROM organization_accounts m JOIN accounts a ON a.id = m.account"
    };
}

fn member(row: &Row) -> Result<Member> {
    Ok(Member {
        account: row.text(0)?,
        organization: row.text(1)?,
        parent: row.text(2)?,
        joined_method: row.text(3)?,
        joined_at: row.int(4)?,
        name: row.text(5)?,
        email: row.opt_text(6)?,
        closed_at: row.opt_int(7)?,
    })
}

/// Adds an account to an organization.
///
/// # Errors
/// [`crate::Error::Unique`] when it belongs to one already.
pub async fn insert(
    conn: &mut Conn<'_>,
    organization: &str,
    account: &str,
    parent: &str,
    joined_method: &str,
    now: i64,
) -> Result<()> {
    let sql = "INSERT INTO organization_accounts (account, organization, parent, joined_method, joined_at) \
               VALUES ($1, $2, $3, $4, $5)";
    let params = values![account, organization, parent, joined_method, now];
    conn.execute(sql, params).await.map(drop)
}

/// The organization's account of this id.
pub async fn find(
    conn: &mut Conn<'_>,
    organization: &str,
    account: &str,
) -> Result<Option<Member>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " WHERE m.organization = $1 AND m.account = $2"
    );
    let row = conn
        .fetch_optional(sql, values![organization, account])
        .await?;
    row.as_ref().map(member).transpose()
}

/// At most `limit` accounts of the organization after this id, in the order of their ids; of one parent
/// where one is given.
pub async fn list(
    conn: &mut Conn<'_>,
    organization: &str,
    parent: Option<&str>,
    after: &str,
    limit: i64,
) -> Result<Vec<Member>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " WHERE m.organization = $1 AND ($2 = '' OR m.parent = $2) AND m.account > $3 \
         ORDER BY m.account LIMIT $4"
    );
    let params = values![organization, parent.unwrap_or(""), after, limit];
    let rows = conn.fetch_all(sql, params).await?;
    rows.iter().map(member).collect()
}

/// The ids of all accounts of the organization. A quota bounds their number.
pub async fn ids(conn: &mut Conn<'_>, organization: &str) -> Result<Vec<String>> {
    let sql = "SELECT account FROM organization_accounts WHERE organization = $1 ORDER BY account";
    let rows = conn.fetch_all(sql, values![organization]).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// How many accounts the organization has; of them, how many were closed after this time.
pub async fn count(
    conn: &mut Conn<'_>,
    organization: &str,
    closed_after: i64,
) -> Result<(i64, i64)> {
    let sql = "SELECT count(*), count(CASE WHEN a.closed_at > $2 THEN 1 END) \
               FROM organization_accounts m JOIN accounts a ON a.id = m.account \
               WHERE m.organization = $1";
    let row = conn
        .fetch_one(sql, values![organization, closed_after])
        .await?;
    Ok((row.int(0)?, row.int(1)?))
}

/// Moves an account under another parent.
pub async fn set_parent(conn: &mut Conn<'_>, account: &str, parent: &str) -> Result<()> {
    let sql = "UPDATE organization_accounts SET parent = $2 WHERE account = $1";
    conn.execute(sql, values![account, parent]).await.map(drop)
}

/// Takes an account out of its organization.
pub async fn delete(conn: &mut Conn<'_>, account: &str) -> Result<()> {
    let sql = "DELETE FROM organization_accounts WHERE account = $1";
    conn.execute(sql, values![account]).await.map(drop)
}
