//! Delegation requests.

use crate::{Conn, Result, Row, values};

/// A delegation request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelegationRequest {
    /// Its id.
    pub id: String,
    /// The account that asks.
    pub requestor: String,
    /// The requestor's name for it.
    pub workflow_id: String,
    /// What the requestor said, as JSON.
    pub details: String,
    /// The account that is asked, where it is known.
    pub owner_account: Option<String>,
    /// The ARN of the identity that took it.
    pub owner_id: Option<String>,
    /// The ARN of the identity that accepted or rejected it.
    pub approver_id: Option<String>,
    /// Its state, in AWS's word.
    pub state: String,
    /// Notes of the owner.
    pub notes: Option<String>,
    /// Why it was rejected.
    pub rejection_reason: Option<String>,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// Milliseconds since the epoch.
    pub updated_at: i64,
    /// Milliseconds since the epoch.
    pub expires_at: i64,
}

macro_rules! columns {
    () => {
        "id, requestor, workflow_id, details, owner_account, owner_id, approver_id, state, notes, \
         rejection_reason, created_at, updated_at, expires_at"
    };
}

fn request(row: &Row) -> Result<DelegationRequest> {
    Ok(DelegationRequest {
        id: row.text(0)?,
        requestor: row.text(1)?,
        workflow_id: row.text(2)?,
        details: row.text(3)?,
        owner_account: row.opt_text(4)?,
        owner_id: row.opt_text(5)?,
        approver_id: row.opt_text(6)?,
        state: row.text(7)?,
        notes: row.opt_text(8)?,
        rejection_reason: row.opt_text(9)?,
        created_at: row.int(10)?,
        updated_at: row.int(11)?,
        expires_at: row.int(12)?,
    })
}

/// Adds a request.
///
/// # Errors
/// [`crate::Error::Unique`] when the requestor has one with this workflow id.
pub async fn insert(conn: &mut Conn<'_>, new: &DelegationRequest) -> Result<()> {
    let sql = concat!(
        "INSERT INTO iam_delegation_requests (",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
    );
    conn.execute(sql, params(new)).await.map(drop)
}

fn params(request: &DelegationRequest) -> Vec<crate::Value> {
    values![
        &request.id,
        &request.requestor,
        &request.workflow_id,
        &request.details,
        request.owner_account.clone(),
        request.owner_id.clone(),
        request.approver_id.clone(),
        &request.state,
        request.notes.clone(),
        request.rejection_reason.clone(),
        request.created_at,
        request.updated_at,
        request.expires_at
    ]
}

/// The request of this id.
pub async fn find(conn: &mut Conn<'_>, id: &str) -> Result<Option<DelegationRequest>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM iam_delegation_requests WHERE id = $1"
    );
    let row = conn.fetch_optional(sql, values![id]).await?;
    row.as_ref().map(request).transpose()
}

/// The requestor's request of this workflow.
pub async fn find_workflow(
    conn: &mut Conn<'_>,
    requestor: &str,
    workflow_id: &str,
) -> Result<Option<DelegationRequest>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM iam_delegation_requests WHERE requestor = $1 AND workflow_id = $2"
    );
    let row = conn
        .fetch_optional(sql, values![requestor, workflow_id])
        .await?;
    row.as_ref().map(request).transpose()
}

/// How many requests the account has made that are kept.
pub async fn count(conn: &mut Conn<'_>, requestor: &str) -> Result<i64> {
    let sql = "SELECT count(*) FROM iam_delegation_requests WHERE requestor = $1";
    conn.fetch_one(sql, values![requestor]).await?.int(0)
}

/// Forgets the requestor's requests that ended before `oldest`.
pub async fn prune(conn: &mut Conn<'_>, requestor: &str, oldest: i64) -> Result<()> {
    let sql = "DELETE FROM iam_delegation_requests WHERE requestor = $1 AND expires_at < $2";
    conn.execute(sql, values![requestor, oldest])
        .await
        .map(drop)
}

/// At most `limit` requests that an identity of the account owns, whose id comes after `after`; of one
/// identity, where `owner_id` is not empty.
pub async fn list(
    conn: &mut Conn<'_>,
    owner_account: &str,
    owner_id: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<DelegationRequest>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM iam_delegation_requests WHERE owner_account = $1 AND owner_id IS NOT NULL \
         AND ($2 = '' OR owner_id = $2) AND id > $3 ORDER BY id LIMIT $4"
    );
    let rows = conn
        .fetch_all(sql, values![owner_account, owner_id, after, limit])
        .await?;
    rows.iter().map(request).collect()
}

/// Writes what changes in the life of a request.
pub async fn update(conn: &mut Conn<'_>, request: &DelegationRequest) -> Result<()> {
    let sql = "UPDATE iam_delegation_requests SET owner_account = $2, owner_id = $3, approver_id = $4, \
               state = $5, notes = $6, rejection_reason = $7, updated_at = $8, expires_at = $9 \
               WHERE id = $1";
    let params = values![
        &request.id,
        request.owner_account.clone(),
        request.owner_id.clone(),
        request.approver_id.clone(),
        &request.state,
        request.notes.clone(),
        request.rejection_reason.clone(),
        request.updated_at,
        request.expires_at
    ];
    conn.execute(sql, params).await.map(drop)
}
