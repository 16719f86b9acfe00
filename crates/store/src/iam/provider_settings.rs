//! Settings of identity providers for which AWS has no field, sealed.

use crate::{Conn, Result, values};

/// The settings of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderSettings {
    /// A sealed document; only `identity` reads it.
    pub sealed: Vec<u8>,
    /// Milliseconds since the epoch.
    pub updated_at: i64,
}

/// Sets or replaces the settings of a provider, an OIDC or a SAML one, by its entity.
pub async fn put(conn: &mut Conn<'_>, entity: i64, sealed: &[u8], now: i64) -> Result<()> {
    let sql = "INSERT INTO provider_settings (entity, sealed, updated_at) VALUES ($1, $2, $3) \
               ON CONFLICT (entity) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at";
    conn.execute(sql, values![entity, sealed, now])
        .await
        .map(drop)
}

/// The settings of a provider; none where nobody has set any.
pub async fn find(conn: &mut Conn<'_>, entity: i64) -> Result<Option<ProviderSettings>> {
    let sql = "SELECT sealed, updated_at FROM provider_settings WHERE entity = $1";
    let row = conn.fetch_optional(sql, values![entity]).await?;
    let read = |row: crate::Row| {
        Ok(ProviderSettings {
            sealed: row.bytes(0)?,
            updated_at: row.int(1)?,
        })
    };
    row.map(read).transpose()
}
