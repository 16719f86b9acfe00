//! Settings of identity providers for which AWS has no field, sealed.

use crate::{Conn, Result, values};

/// The settings of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderSettings {
    /// A sealed document; only `identity` reads it.
    pub sealed: Vec<u8>,
    /// Milliseconds since the epoch.
    pub updated_at: i64,
    /// Whether people sign in to the console through the provider.
    pub is_for_console: bool,
}

/// A provider through which people sign in to the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleProvider {
    /// `oidc-provider` or `saml-provider`.
    pub kind: String,
    /// Its name: the URL without its scheme for an OIDC one.
    pub name: String,
    /// Its settings, sealed.
    pub sealed: Vec<u8>,
}

/// Sets or replaces the settings of a provider, an OIDC or a SAML one, by its entity.
pub async fn put(conn: &mut Conn<'_>, entity: i64, settings: &ProviderSettings) -> Result<()> {
    let sql = "INSERT INTO provider_settings (entity, sealed, updated_at, console) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (entity) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at, \
               console = excluded.console";
    let params = values![
        entity,
        &settings.sealed[..],
        settings.updated_at,
        i64::from(settings.is_for_console)
    ];
    conn.execute(sql, params).await.map(drop)
}

/// The settings of a provider; none where nobody has set any.
pub async fn find(conn: &mut Conn<'_>, entity: i64) -> Result<Option<ProviderSettings>> {
    let sql = "SELECT sealed, updated_at, console FROM provider_settings WHERE entity = $1";
    let row = conn.fetch_optional(sql, values![entity]).await?;
    let read = |row: crate::Row| {
        Ok(ProviderSettings {
            sealed: row.bytes(0)?,
            updated_at: row.int(1)?,
            is_for_console: row.int(2)? != 0,
        })
    };
    row.map(read).transpose()
}

/// The account's providers through which people sign in to the console, at most `max`, by kind and name.
pub async fn for_console(
    conn: &mut Conn<'_>,
    account: &str,
    max: i64,
) -> Result<Vec<ConsoleProvider>> {
    // Strangers ask: the kinds keep the account's users and roles out of it.
    let sql = "SELECT e.kind, e.name, s.sealed FROM iam_entities e CROSS JOIN provider_settings s \
               WHERE s.entity = e.id AND e.account = $1 AND e.kind IN ('oidc-provider', 'saml-provider') \
               AND s.console = 1 ORDER BY e.kind, e.name_folded LIMIT $2";
    let rows = conn.fetch_all(sql, values![account, max]).await?;
    let provider = |row: &crate::Row| {
        Ok(ConsoleProvider {
            kind: row.text(0)?,
            name: row.text(1)?,
            sealed: row.bytes(2)?,
        })
    };
    rows.iter().map(provider).collect()
}
