//! What only SAML providers have.

use crate::{Conn, Result, values};

/// A SAML provider's own columns, without its metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SamlProvider {
    /// `SAMLProviderUUID`.
    pub uuid: String,
    /// The entity id of its metadata.
    pub issuer: String,
    /// The keys of its metadata, a JSON list.
    pub signing_keys: String,
    /// `AssertionEncryptionMode`, where it was set.
    pub encryption_mode: Option<String>,
    /// Where people sign in, as far as the metadata says so.
    pub sign_on_url: Option<String>,
}

/// A key that opens encrypted assertions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateKey {
    /// `KeyId`.
    pub key_id: String,
    /// The key, sealed.
    pub sealed: Vec<u8>,
    /// Milliseconds since the epoch.
    pub uploaded_at: i64,
}

/// Adds a provider's columns to its entity.
pub async fn insert(
    conn: &mut Conn<'_>,
    entity: i64,
    provider: &SamlProvider,
    metadata: &str,
) -> Result<()> {
    let sql = "INSERT INTO iam_saml_providers \
               (entity, uuid, metadata, issuer, signing_keys, encryption_mode, sign_on_url) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let params = values![
        entity,
        &provider.uuid,
        metadata,
        &provider.issuer,
        &provider.signing_keys,
        provider.encryption_mode.as_deref(),
        provider.sign_on_url.as_deref()
    ];
    conn.execute(sql, params).await.map(drop)
}

/// The provider's columns.
///
/// # Errors
/// [`crate::Error::NoRow`] when the entity is no SAML provider.
pub async fn get(conn: &mut Conn<'_>, entity: i64) -> Result<SamlProvider> {
    let sql = "SELECT uuid, issuer, signing_keys, encryption_mode, sign_on_url \
               FROM iam_saml_providers WHERE entity = $1";
    let row = conn.fetch_one(sql, values![entity]).await?;
    Ok(SamlProvider {
        uuid: row.text(0)?,
        issuer: row.text(1)?,
        signing_keys: row.text(2)?,
        encryption_mode: row.opt_text(3)?,
        sign_on_url: row.opt_text(4)?,
    })
}

/// The provider's metadata.
pub async fn metadata(conn: &mut Conn<'_>, entity: i64) -> Result<String> {
    let sql = "SELECT metadata FROM iam_saml_providers WHERE entity = $1";
    conn.fetch_one(sql, values![entity]).await?.text(0)
}

/// Replaces the metadata with what was read of it.
pub async fn set_metadata(
    conn: &mut Conn<'_>,
    entity: i64,
    metadata: &str,
    issuer: &str,
    signing_keys: &str,
    sign_on_url: Option<&str>,
) -> Result<()> {
    let sql = "UPDATE iam_saml_providers \
               SET metadata = $2, issuer = $3, signing_keys = $4, sign_on_url = $5 WHERE entity = $1";
    let params = values![entity, metadata, issuer, signing_keys, sign_on_url];
    conn.execute(sql, params).await.map(drop)
}

/// Sets where people sign in.
pub async fn set_sign_on_url(conn: &mut Conn<'_>, entity: i64, url: Option<&str>) -> Result<()> {
    let sql = "UPDATE iam_saml_providers SET sign_on_url = $2 WHERE entity = $1";
    conn.execute(sql, values![entity, url]).await.map(drop)
}

/// Sets the encryption mode.
pub async fn set_encryption_mode(conn: &mut Conn<'_>, entity: i64, mode: &str) -> Result<()> {
    let sql = "UPDATE iam_saml_providers SET encryption_mode = $2 WHERE entity = $1";
    conn.execute(sql, values![entity, mode]).await.map(drop)
}

/// Adds a private key.
pub async fn insert_private_key(
    conn: &mut Conn<'_>,
    provider: i64,
    key: &PrivateKey,
) -> Result<()> {
    let sql = "INSERT INTO iam_saml_private_keys (provider, key_id, sealed, uploaded_at) \
               VALUES ($1, $2, $3, $4)";
    let params = values![provider, &key.key_id, &key.sealed[..], key.uploaded_at];
    conn.execute(sql, params).await.map(drop)
}

/// The provider's private keys, the newest first. A quota bounds their number.
pub async fn private_keys(conn: &mut Conn<'_>, provider: i64) -> Result<Vec<PrivateKey>> {
    let sql = "SELECT key_id, sealed, uploaded_at FROM iam_saml_private_keys \
               WHERE provider = $1 ORDER BY id DESC";
    let rows = conn.fetch_all(sql, values![provider]).await?;
    let key = |row: &crate::Row| {
        Ok(PrivateKey {
            key_id: row.text(0)?,
            sealed: row.bytes(1)?,
            uploaded_at: row.int(2)?,
        })
    };
    rows.iter().map(key).collect()
}

/// Removes a private key; `false` when it was not there.
pub async fn delete_private_key(conn: &mut Conn<'_>, provider: i64, key_id: &str) -> Result<bool> {
    let sql = "DELETE FROM iam_saml_private_keys WHERE provider = $1 AND key_id = $2";
    Ok(conn.execute(sql, values![provider, key_id]).await? > 0)
}

/// Notes that an assertion was used; `false` when it was used before. What nobody could use at `now`
/// is forgotten.
pub async fn use_once(
    conn: &mut Conn<'_>,
    provider: i64,
    assertion_id: &str,
    usable_until: i64,
    now: i64,
) -> Result<bool> {
    let sql = "DELETE FROM iam_saml_assertions WHERE provider = $1 AND usable_until < $2";
    conn.execute(sql, values![provider, now]).await?;
    let sql = "INSERT INTO iam_saml_assertions (provider, assertion_id, usable_until) \
               VALUES ($1, $2, $3) ON CONFLICT (provider, assertion_id) DO NOTHING";
    let params = values![provider, assertion_id, usable_until];
    Ok(conn.execute(sql, params).await? > 0)
}
