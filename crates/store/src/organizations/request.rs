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
    /// The e-mail address of the account's owner; requests of earlier versions have none.
    pub email: Option<String>,
    /// The role that lets the management account in.
    pub role_name: Option<String>,
    /// A JSON list of keys and values.
    pub tags: Option<String>,
    /// When it succeeded or failed, in milliseconds since the epoch.
    pub completed_at: Option<i64>,
    /// The account, once there is one.
    pub account: Option<String>,
    /// Why there is none.
    pub failure: Option<String>,
}

/// The state of a request that waits.
const IN_PROGRESS: &str = "IN_PROGRESS";

/// The select list that [`request`] reads.
macro_rules! columns {
    () => {
        "id, organization, account_name, state, requested_at, account, failure, email, role_name, tags, completed_at"
    };
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
        email: row.opt_text(7)?,
        role_name: row.opt_text(8)?,
        tags: row.opt_text(9)?,
        completed_at: row.opt_int(10)?,
    })
}

/// Adds a request.
pub async fn insert(conn: &mut Conn<'_>, new: &Request) -> Result<()> {
    let sql = "INSERT INTO organization_account_requests \
               (id, organization, account_name, state, requested_at, account, failure, \
               email, role_name, tags, completed_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let params = values![
        &new.id,
        &new.organization,
        &new.account_name,
        &new.state,
        new.requested_at,
        new.account.as_deref(),
        new.failure.as_deref(),
        new.email.as_deref(),
        new.role_name.as_deref(),
        new.tags.as_deref(),
        new.completed_at
    ];
    conn.execute(sql, params).await.map(drop)
}

/// The organization's request of this id.
pub async fn find(conn: &mut Conn<'_>, organization: &str, id: &str) -> Result<Option<Request>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM organization_account_requests WHERE organization = $1 AND id = $2"
    );
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
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM organization_account_requests WHERE organization = $1 AND id > $2 \
         ORDER BY id LIMIT $3"
    );
    let rows = conn
        .fetch_all(sql, values![organization, after, limit])
        .await?;
    rows.iter().map(request).collect()
}

/// The request of this id that waits, of whichever organization.
pub async fn waiting(conn: &mut Conn<'_>, id: &str) -> Result<Option<Request>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM organization_account_requests WHERE id = $1 AND state = $2"
    );
    let row = conn.fetch_optional(sql, values![id, IN_PROGRESS]).await?;
    row.as_ref().map(request).transpose()
}

/// How many requests of the organization wait.
pub async fn count_waiting(conn: &mut Conn<'_>, organization: &str) -> Result<i64> {
    let sql = "SELECT count(*) FROM organization_account_requests \
               WHERE organization = $1 AND state = $2";
    conn.fetch_one(sql, values![organization, IN_PROGRESS])
        .await?
        .int(0)
}

/// Notes how a request ended: its state, time, account and failure.
pub async fn finish(conn: &mut Conn<'_>, request: &Request) -> Result<()> {
    let sql = "UPDATE organization_account_requests SET state = $2, completed_at = $3, \
               account = $4, failure = $5 WHERE id = $1";
    let params = values![
        &request.id,
        &request.state,
        request.completed_at,
        request.account.as_deref(),
        request.failure.as_deref()
    ];
    conn.execute(sql, params).await.map(drop)
}
