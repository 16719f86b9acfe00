//! Invitations between accounts and organizations.

use crate::{Conn, Result, Row, values};

/// A handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// `h-…`
    pub id: String,
    /// The organization that invites.
    pub organization: String,
    /// Its management account.
    pub management_account: String,
    /// `INVITE`, `ENABLE_ALL_FEATURES` or `APPROVE_ALL_FEATURES`.
    pub action: String,
    /// `REQUESTED`, `OPEN`, `ACCEPTED`, `DECLINED`, `CANCELED`; an open one that is over has expired.
    pub state: String,
    /// Milliseconds since the epoch.
    pub requested_at: i64,
    /// Milliseconds since the epoch.
    pub expires_at: i64,
    /// The account that is invited.
    pub account: String,
    /// How the request named it: `ACCOUNT` or `EMAIL`.
    pub party_type: String,
    /// The text by which it named it.
    pub party_id: String,
    /// What the inviter wrote.
    pub notes: Option<String>,
    /// A JSON list of keys and values.
    pub tags: String,
    /// The handshake that this one is a part of.
    pub parent: Option<String>,
}

macro_rules! columns {
    () => {
        "id, organization, management_account, action, state, requested_at, expires_at, account, \
         party_type, party_id, notes, tags, parent FROM organization_handshakes"
    };
}

fn handshake(row: &Row) -> Result<Handshake> {
    Ok(Handshake {
        id: row.text(0)?,
        organization: row.text(1)?,
        management_account: row.text(2)?,
        action: row.text(3)?,
        state: row.text(4)?,
        requested_at: row.int(5)?,
        expires_at: row.int(6)?,
        account: row.text(7)?,
        party_type: row.text(8)?,
        party_id: row.text(9)?,
        notes: row.opt_text(10)?,
        tags: row.text(11)?,
        parent: row.opt_text(12)?,
    })
}

/// Adds a handshake.
pub async fn insert(conn: &mut Conn<'_>, new: &Handshake) -> Result<()> {
    let sql = "INSERT INTO organization_handshakes (id, organization, management_account, action, state, \
               requested_at, expires_at, account, party_type, party_id, notes, tags, parent) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let params = values![
        &new.id,
        &new.organization,
        &new.management_account,
        &new.action,
        &new.state,
        new.requested_at,
        new.expires_at,
        &new.account,
        &new.party_type,
        &new.party_id,
        new.notes.as_deref(),
        &new.tags,
        new.parent.as_deref()
    ];
    conn.execute(sql, params).await.map(drop)
}

/// The handshake of this id.
pub async fn find(conn: &mut Conn<'_>, id: &str) -> Result<Option<Handshake>> {
    let sql = concat!("SELECT ", columns!(), " WHERE id = $1");
    let row = conn.fetch_optional(sql, values![id]).await?;
    row.as_ref().map(handshake).transpose()
}

/// The open handshake of the organization with this account, about this action.
pub async fn find_open(
    conn: &mut Conn<'_>,
    organization: &str,
    action: &str,
    party_id: &str,
    now: i64,
) -> Result<Option<Handshake>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " WHERE organization = $1 AND action = $2 AND party_id = $3 AND state IN ('REQUESTED', 'OPEN') \
         AND expires_at > $4 LIMIT 1"
    );
    let row = conn
        .fetch_optional(sql, values![organization, action, party_id, now])
        .await?;
    row.as_ref().map(handshake).transpose()
}

/// At most `limit` handshakes of the organization after this id, in the order of their ids.
pub async fn of_organization(
    conn: &mut Conn<'_>,
    organization: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Handshake>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " WHERE organization = $1 AND id > $2 ORDER BY id LIMIT $3"
    );
    let rows = conn
        .fetch_all(sql, values![organization, after, limit])
        .await?;
    rows.iter().map(handshake).collect()
}

/// At most `limit` handshakes that invite the account, after this id, in the order of their ids.
pub async fn of_account(
    conn: &mut Conn<'_>,
    account: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Handshake>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " WHERE account = $1 AND id > $2 ORDER BY id LIMIT $3"
    );
    let rows = conn.fetch_all(sql, values![account, after, limit]).await?;
    rows.iter().map(handshake).collect()
}

/// How many parts of a handshake are still open.
pub async fn open_parts(conn: &mut Conn<'_>, parent: &str) -> Result<i64> {
    let sql = "SELECT count(*) FROM organization_handshakes WHERE parent = $1 AND state = 'OPEN'";
    conn.fetch_one(sql, values![parent]).await?.int(0)
}

/// How many handshakes the organization has begun since this time.
pub async fn count_since(conn: &mut Conn<'_>, organization: &str, since: i64) -> Result<i64> {
    let sql = "SELECT count(*) FROM organization_handshakes \
               WHERE organization = $1 AND requested_at > $2";
    conn.fetch_one(sql, values![organization, since])
        .await?
        .int(0)
}

/// Sets the state.
pub async fn set_state(conn: &mut Conn<'_>, id: &str, state: &str) -> Result<()> {
    let sql = "UPDATE organization_handshakes SET state = $2 WHERE id = $1";
    conn.execute(sql, values![id, state]).await.map(drop)
}
