//! Accounts as issuers of identity tokens, and their keys.

use crate::{Conn, Result, values};

/// An account's issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// Twelve digits.
    pub account: String,
    /// The part of its URL that names it.
    pub issuer_id: String,
    /// Whether it gives tokens.
    pub enabled: bool,
}

fn issuer(row: &crate::Row) -> Result<Issuer> {
    Ok(Issuer {
        account: row.text(0)?,
        issuer_id: row.text(1)?,
        enabled: row.int(2)? != 0,
    })
}

/// The account's issuer; none where it never had one.
pub async fn find(conn: &mut Conn<'_>, account: &str) -> Result<Option<Issuer>> {
    let sql = "SELECT account, issuer_id, enabled FROM outbound_issuers WHERE account = $1";
    let row = conn.fetch_optional(sql, values![account]).await?;
    row.as_ref().map(issuer).transpose()
}

/// The issuer of this id.
pub async fn find_by_id(conn: &mut Conn<'_>, issuer_id: &str) -> Result<Option<Issuer>> {
    let sql = "SELECT account, issuer_id, enabled FROM outbound_issuers WHERE issuer_id = $1";
    let row = conn.fetch_optional(sql, values![issuer_id]).await?;
    row.as_ref().map(issuer).transpose()
}

/// Adds an issuer, or enables or disables the account's; its id stays.
pub async fn put(conn: &mut Conn<'_>, new: &Issuer) -> Result<()> {
    let sql = "INSERT INTO outbound_issuers (account, issuer_id, enabled) VALUES ($1, $2, $3) \
               ON CONFLICT (account) DO UPDATE SET enabled = excluded.enabled";
    let enabled = i64::from(new.enabled);
    let params = values![new.account.as_str(), new.issuer_id.as_str(), enabled];
    conn.execute(sql, params).await.map(drop)
}

/// A key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The algorithm's name.
    pub algorithm: String,
    /// `kid`.
    pub key_id: String,
    /// A JSON Web Key.
    pub public_jwk: String,
    /// The private key, sealed.
    pub sealed_key: Vec<u8>,
    /// Milliseconds since the epoch.
    pub created_at: i64,
}

/// Adds a key.
pub async fn insert_key(conn: &mut Conn<'_>, account: &str, new: &Key) -> Result<()> {
    let sql = "INSERT INTO outbound_keys (account, algorithm, key_id, public_jwk, sealed_key, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6)";
    let params = values![
        account,
        new.algorithm.as_str(),
        new.key_id.as_str(),
        new.public_jwk.as_str(),
        new.sealed_key.as_slice(),
        new.created_at
    ];
    conn.execute(sql, params).await.map(drop)
}

/// At most `limit` keys of the account, the newest first.
pub async fn keys(conn: &mut Conn<'_>, account: &str, limit: i64) -> Result<Vec<Key>> {
    let sql = "SELECT algorithm, key_id, public_jwk, sealed_key, created_at FROM outbound_keys \
               WHERE account = $1 ORDER BY id DESC LIMIT $2";
    let rows = conn.fetch_all(sql, values![account, limit]).await?;
    let key = |row: &crate::Row| {
        Ok(Key {
            algorithm: row.text(0)?,
            key_id: row.text(1)?,
            public_jwk: row.text(2)?,
            sealed_key: row.bytes(3)?,
            created_at: row.int(4)?,
        })
    };
    rows.iter().map(key).collect()
}

/// Removes the account's keys of an algorithm that were made before a time.
pub async fn delete_keys_before(
    conn: &mut Conn<'_>,
    account: &str,
    algorithm: &str,
    created_before: i64,
) -> Result<()> {
    let sql = "DELETE FROM outbound_keys WHERE account = $1 AND algorithm = $2 AND created_at < $3";
    conn.execute(sql, values![account, algorithm, created_before])
        .await
        .map(drop)
}
