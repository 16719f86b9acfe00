//! Signing certificates of users and of root users.

use crate::{Conn, Result, Row, values};

/// A signing certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningCertificate {
    /// Its id.
    pub id: String,
    /// The user's row, or none for the account's root user.
    pub user_id: Option<i64>,
    /// In PEM, as it was uploaded.
    pub body: String,
    /// `Active`, not `Inactive`.
    pub active: bool,
    /// Milliseconds since the epoch.
    pub uploaded_at: i64,
}

macro_rules! columns {
    () => {
        "id, user_id, body, active, uploaded_at"
    };
}

fn certificate(row: &Row) -> Result<SigningCertificate> {
    Ok(SigningCertificate {
        id: row.text(0)?,
        user_id: row.opt_int(1)?,
        body: row.text(2)?,
        active: row.flag(3)?,
        uploaded_at: row.int(4)?,
    })
}

/// Adds a certificate; `digest` tells it apart in its account.
///
/// # Errors
/// [`crate::Error::Unique`] when the id is taken, or the account has the certificate.
pub async fn insert(
    conn: &mut Conn<'_>,
    account: &str,
    new: &SigningCertificate,
    digest: &str,
) -> Result<()> {
    let sql = "INSERT INTO iam_signing_certificates \
               (id, account, user_id, body, digest, active, uploaded_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let params = values![
        &new.id,
        account,
        new.user_id,
        &new.body,
        digest,
        new.active,
        new.uploaded_at
    ];
    conn.execute(sql, params).await.map(drop)
}

/// Whether a user of the account, or its root user, has the certificate of this digest.
pub async fn is_known(conn: &mut Conn<'_>, account: &str, digest: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM iam_signing_certificates WHERE account = $1 AND digest = $2";
    let row = conn.fetch_optional(sql, values![account, digest]).await?;
    Ok(row.is_some())
}

/// A user's certificates, the oldest first. A quota bounds their number.
pub async fn list_of_user(conn: &mut Conn<'_>, user_id: i64) -> Result<Vec<SigningCertificate>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM iam_signing_certificates WHERE user_id = $1 ORDER BY uploaded_at, id"
    );
    let rows = conn.fetch_all(sql, values![user_id]).await?;
    rows.iter().map(certificate).collect()
}

/// The certificates of an account's root user, the oldest first. A quota bounds their number.
pub async fn list_of_root(conn: &mut Conn<'_>, account: &str) -> Result<Vec<SigningCertificate>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM iam_signing_certificates WHERE account = $1 AND user_id IS NULL \
         ORDER BY uploaded_at, id"
    );
    let rows = conn.fetch_all(sql, values![account]).await?;
    rows.iter().map(certificate).collect()
}

/// Whose certificates the account has, whether each is active and when it was uploaded; the oldest first.
pub async fn list_of_account(
    conn: &mut Conn<'_>,
    account: &str,
) -> Result<Vec<(Option<i64>, bool, i64)>> {
    let sql = "SELECT user_id, active, uploaded_at FROM iam_signing_certificates \
               WHERE account = $1 ORDER BY uploaded_at, id";
    let rows = conn.fetch_all(sql, values![account]).await?;
    rows.iter()
        .map(|row| Ok((row.opt_int(0)?, row.flag(1)?, row.int(2)?)))
        .collect()
}

/// Switches a certificate on or off.
pub async fn set_active(conn: &mut Conn<'_>, id: &str, active: bool) -> Result<()> {
    let sql = "UPDATE iam_signing_certificates SET active = $2 WHERE id = $1";
    conn.execute(sql, values![id, active]).await.map(drop)
}

/// Removes a certificate.
pub async fn delete(conn: &mut Conn<'_>, id: &str) -> Result<()> {
    let sql = "DELETE FROM iam_signing_certificates WHERE id = $1";
    conn.execute(sql, values![id]).await.map(drop)
}
