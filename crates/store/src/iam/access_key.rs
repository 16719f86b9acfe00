//! Access keys of users and of root users.

use crate::{Conn, Result, Row, values};

/// An access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKey {
    /// `AKIA…`
    pub id: String,
    /// Twelve digits.
    pub account: String,
    /// The user's row, or none for the account's root user.
    pub user_id: Option<i64>,
    /// `Active`, not `Inactive`.
    pub active: bool,
    /// The secret access key, sealed.
    pub sealed_secret: Vec<u8>,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// When it last signed a request; behind by up to the interval of its batches.
    pub last_used: Option<LastUsed>,
}

/// What a key was last used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastUsed {
    /// Milliseconds since the epoch.
    pub at: i64,
    /// The service's signing name (`ecr`).
    pub service: String,
    /// The region of the signature.
    pub region: String,
}

macro_rules! columns {
    () => {
        "id, account, user_id, active, sealed_secret, created_at, last_used_at, last_used_service, last_used_region"
    };
}

fn access_key(row: &Row) -> Result<AccessKey> {
    let last_used = match (row.opt_int(6)?, row.opt_text(7)?, row.opt_text(8)?) {
        (Some(at), Some(service), Some(region)) => Some(LastUsed {
            at,
            service,
            region,
        }),
        _ => None,
    };
    Ok(AccessKey {
        id: row.text(0)?,
        account: row.text(1)?,
        user_id: row.opt_int(2)?,
        active: row.flag(3)?,
        sealed_secret: row.bytes(4)?,
        created_at: row.int(5)?,
        last_used,
    })
}

/// Adds a key.
///
/// # Errors
/// [`crate::Error::Unique`] when the id is taken: draw another.
pub async fn insert(conn: &mut Conn<'_>, key: &AccessKey) -> Result<()> {
    let sql = "INSERT INTO iam_access_keys (id, account, user_id, active, sealed_secret, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6)";
    let params = values![
        &key.id,
        &key.account,
        key.user_id,
        key.active,
        &key.sealed_secret[..],
        key.created_at
    ];
    conn.execute(sql, params).await.map(drop)
}

/// The key of this id.
pub async fn find(conn: &mut Conn<'_>, id: &str) -> Result<Option<AccessKey>> {
    let sql = concat!("SELECT ", columns!(), " FROM iam_access_keys WHERE id = $1");
    let row = conn.fetch_optional(sql, values![id]).await?;
    row.as_ref().map(access_key).transpose()
}

/// A user's keys, the oldest first. A quota bounds their number.
pub async fn list_of_user(conn: &mut Conn<'_>, user_id: i64) -> Result<Vec<AccessKey>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM iam_access_keys WHERE user_id = $1 ORDER BY created_at, id"
    );
    let rows = conn.fetch_all(sql, values![user_id]).await?;
    rows.iter().map(access_key).collect()
}

/// The root user's keys, the oldest first. A quota bounds their number.
pub async fn list_of_root(conn: &mut Conn<'_>, account: &str) -> Result<Vec<AccessKey>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM iam_access_keys WHERE account = $1 AND user_id IS NULL ORDER BY created_at, id"
    );
    let rows = conn.fetch_all(sql, values![account]).await?;
    rows.iter().map(access_key).collect()
}

/// All keys of the account, the oldest first. The quotas of users and of their keys bound their number.
pub async fn list_of_account(conn: &mut Conn<'_>, account: &str) -> Result<Vec<AccessKey>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM iam_access_keys WHERE account = $1 ORDER BY created_at, id"
    );
    let rows = conn.fetch_all(sql, values![account]).await?;
    rows.iter().map(access_key).collect()
}

/// Switches a key on or off.
pub async fn set_active(conn: &mut Conn<'_>, id: &str, active: bool) -> Result<()> {
    let sql = "UPDATE iam_access_keys SET active = $2 WHERE id = $1";
    conn.execute(sql, values![id, active]).await.map(drop)
}

/// Notes a use, unless a later one is noted already.
pub async fn set_last_used(conn: &mut Conn<'_>, id: &str, used: &LastUsed) -> Result<()> {
    let sql = "UPDATE iam_access_keys SET last_used_at = $2, last_used_service = $3, last_used_region = $4 \
               WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";
    conn.execute(sql, values![id, used.at, &used.service, &used.region])
        .await
        .map(drop)
}

/// Removes a key.
pub async fn delete(conn: &mut Conn<'_>, id: &str) -> Result<()> {
    let sql = "DELETE FROM iam_access_keys WHERE id = $1";
    conn.execute(sql, values![id]).await.map(drop)
}
