//! Requests of `CreateAccount`.

use crate::{Conn, Result, Row, values};

/// A request for an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `car-…`
    pub id: String,
    /// The organization.
    pub organization: String,
    /// The name that the account was to get.
    pub account_name: String,
    /// `IN_PROGRESS`, `SUCCEEDED` or `FAILED`.
    pub state: String,
    /// Milliseconds since the epoch.
    pub requested_at: i64,
    /// The account, once there is one.
    pub account: Option<String>,
    /// Why there is none.
    pub failure: Option<String>,
}

fn request(row: &Row) -> Result<Request> {
    Ok(Request {
        id: row.text(0)?,
        organization: row.text(1)?,
        account_name: row.text(2)?,
        state: row.text(3)?,
        requested_at: row.int(4)?,
        account: row.opt_text(5)?,
        failure: row.opt_text(6)?,
    })
}

/// Adds a request.
pub async fn insert(conn: &mut Conn<'_>, new: &Request) -> Result<()> {
    let sql = "INSERT INTO organization_account_requests \
               (id, organization, account_name, state, requested_at, account, failure) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let params = values![
        &new.id,
        &new.organization,
        &new.account_name,
        &new.state,
        new.requested_at,
        new.account.as_deref(),
        new.failure.as_deref()
    ];
    conn.execute(sql, params).await.map(drop)
}

/// The organization's request of this id.
pub async fn find(conn: &mut Conn<'_>, organization: &str, id: &str) -> Result<Option<Request>> {
    let sql = "SELECT id, organization, account_name, state, requested_at, account, failure \
               FROM organization_account_requests WHERE organization = $1 AND id = $2";
    let row = conn.fetch_optional(sql, values![organization, id]).await?;
    row.as_ref().map(request).transpose()
}

/// At most `limit` requests after this id, in the order of their ids.
pub async fn list(
    conn: &mut Conn<'_>,
    organization: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Request>> {
    let sql = "SELECT id, organization, account_name, state, requested_at, account, failure \
               FROM organization_account_requests WHERE organization = $1 AND id > $2 \
               ORDER BY id LIMIT $3";
    let rows = conn
        .fetch_all(sql, values![organization, after, limit])
        .await?;
    rows.iter().map(request).collect()
}
