//! Service-specific credentials of users.

use crate::{Conn, Result, Row, values};

/// A service-specific credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceCredential {
    /// `ACCA…`
    pub id: String,
    /// The user's row.
    pub user_id: i64,
    /// The service principal.
    pub service: String,
    /// The generated user name, or the alias of an API key.
    pub name: String,
    /// `Active`, not `Inactive`.
    pub active: bool,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// Milliseconds since the epoch.
    pub expires_at: Option<i64>,
}

fn credential(row: &Row) -> Result<ServiceCredential> {
    Ok(ServiceCredential {
        id: row.text(0)?,
        user_id: row.int(1)?,
        service: row.text(2)?,
        name: row.text(3)?,
        active: row.flag(4)?,
        created_at: row.int(5)?,
        expires_at: row.opt_int(6)?,
    })
}

/// Adds a credential.
///
/// # Errors
/// [`crate::Error::Unique`] when the id is taken.
pub async fn insert(conn: &mut Conn<'_>, account: &str, new: &ServiceCredential) -> Result<()> {
    let sql = "INSERT INTO iam_service_credentials \
               (id, account, user_id, service, name, active, created_at, expires_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let params = values![
        &new.id,
        account,
        new.user_id,
        &new.service,
        &new.name,
        new.active,
        new.created_at,
        new.expires_at
    ];
    conn.execute(sql, params).await.map(drop)
}

/// A user's credentials in the order of their ids. A quota bounds their number.
pub async fn list_of_user(conn: &mut Conn<'_>, user_id: i64) -> Result<Vec<ServiceCredential>> {
    let sql = "SELECT id, user_id, service, name, active, created_at, expires_at \
               FROM iam_service_credentials WHERE user_id = $1 ORDER BY id";
    let rows = conn.fetch_all(sql, values![user_id]).await?;
    rows.iter().map(credential).collect()
}

/// At most `limit` credentials of the account whose id comes after `after`; of one service, where it is
/// not empty.
pub async fn list(
    conn: &mut Conn<'_>,
    account: &str,
    service: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<ServiceCredential>> {
    let sql = "SELECT id, user_id, service, name, active, created_at, expires_at \
               FROM iam_service_credentials WHERE account = $1 AND ($2 = '' OR service = $2) \
               AND id > $3 ORDER BY id LIMIT $4";
    let rows = conn
        .fetch_all(sql, values![account, service, after, limit])
        .await?;
    rows.iter().map(credential).collect()
}

/// Switches a credential on or off.
pub async fn set_active(conn: &mut Conn<'_>, id: &str, active: bool) -> Result<()> {
    let sql = "UPDATE iam_service_credentials SET active = $2 WHERE id = $1";
    conn.execute(sql, values![id, active]).await.map(drop)
}

/// Removes a credential.
pub async fn delete(conn: &mut Conn<'_>, id: &str) -> Result<()> {
    let sql = "DELETE FROM iam_service_credentials WHERE id = $1";
    conn.execute(sql, values![id]).await.map(drop)
}
