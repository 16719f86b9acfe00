//! What only server certificates have.

use crate::{Conn, Result, values};

/// A server certificate's own columns, without its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerCertificate {
    /// In PEM, as it was uploaded.
    pub body: String,
    /// In PEM, as it was uploaded.
    pub chain: Option<String>,
    /// Milliseconds since the epoch.
    pub expires_at: i64,
}

/// Adds a certificate's columns to its entity.
pub async fn insert(
    conn: &mut Conn<'_>,
    entity: i64,
    new: &ServerCertificate,
    sealed_private_key: &[u8],
) -> Result<()> {
    let sql = "INSERT INTO iam_server_certificates \
               (entity, body, chain, sealed_private_key, expires_at) VALUES ($1, $2, $3, $4, $5)";
    let params = values![
        entity,
        &new.body,
        new.chain.as_deref(),
        sealed_private_key,
        new.expires_at
    ];
    conn.execute(sql, params).await.map(drop)
}

/// The certificate's columns.
///
/// # Errors
/// [`crate::Error::NoRow`] when the entity is no server certificate.
pub async fn get(conn: &mut Conn<'_>, entity: i64) -> Result<ServerCertificate> {
    let sql = "SELECT body, chain, expires_at FROM iam_server_certificates WHERE entity = $1";
    let row = conn.fetch_one(sql, values![entity]).await?;
    Ok(ServerCertificate {
        body: row.text(0)?,
        chain: row.opt_text(1)?,
        expires_at: row.int(2)?,
    })
}

/// When the certificate expires, in milliseconds since the epoch: what a list needs of it.
///
/// # Errors
/// [`crate::Error::NoRow`] when the entity is no server certificate.
pub async fn expires_at(conn: &mut Conn<'_>, entity: i64) -> Result<i64> {
    let sql = "SELECT expires_at FROM iam_server_certificates WHERE entity = $1";
    conn.fetch_one(sql, values![entity]).await?.int(0)
}
