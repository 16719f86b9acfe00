//! SSH public keys of users.

use crate::{Conn, Result, Row, values};

/// An SSH public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshPublicKey {
    /// `APKA…`
    pub id: String,
    /// The user's row.
    pub user_id: i64,
    /// As it was uploaded.
    pub body: String,
    /// The same key as `ssh-rsa AAAA…`: what tells keys apart.
    pub ssh_form: String,
    /// `Active`, not `Inactive`.
    pub active: bool,
    /// Milliseconds since the epoch.
    pub uploaded_at: i64,
}

fn key(row: &Row) -> Result<SshPublicKey> {
    Ok(SshPublicKey {
        id: row.text(0)?,
        user_id: row.int(1)?,
        body: row.text(2)?,
        ssh_form: row.text(3)?,
        active: row.flag(4)?,
        uploaded_at: row.int(5)?,
    })
}

/// Adds a key.
///
/// # Errors
/// [`crate::Error::Unique`] when the id is taken, or the user has the key.
pub async fn insert(conn: &mut Conn<'_>, account: &str, new: &SshPublicKey) -> Result<()> {
    let sql = "INSERT INTO iam_ssh_public_keys \
               (id, account, user_id, body, ssh_form, active, uploaded_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let params = values![
        &new.id,
        account,
        new.user_id,
        &new.body,
        &new.ssh_form,
        new.active,
        new.uploaded_at
    ];
    conn.execute(sql, params).await.map(drop)
}

/// A user's keys, the oldest first. A quota bounds their number.
pub async fn list_of_user(conn: &mut Conn<'_>, user_id: i64) -> Result<Vec<SshPublicKey>> {
    let sql = "SELECT id, user_id, body, ssh_form, active, uploaded_at FROM iam_ssh_public_keys \
               WHERE user_id = $1 ORDER BY uploaded_at, id";
    let rows = conn.fetch_all(sql, values![user_id]).await?;
    rows.iter().map(key).collect()
}

/// Switches a key on or off.
pub async fn set_active(conn: &mut Conn<'_>, id: &str, active: bool) -> Result<()> {
    let sql = "UPDATE iam_ssh_public_keys SET active = $2 WHERE id = $1";
    conn.execute(sql, values![id, active]).await.map(drop)
}

/// Removes a key.
pub async fn delete(conn: &mut Conn<'_>, id: &str) -> Result<()> {
    let sql = "DELETE FROM iam_ssh_public_keys WHERE id = $1";
    conn.execute(sql, values![id]).await.map(drop)
}
