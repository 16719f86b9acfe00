//! The table `registry_settings`.

use crate::{Conn, Result, values};

/// All settings of a registry that have another value than their default, by name.
///
/// # Errors
/// The engine's.
pub async fn list(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
) -> Result<Vec<(String, String)>> {
    let rows = conn
        .fetch_all(
            "SELECT name, value FROM registry_settings WHERE account = $1 AND region = $2 \
             ORDER BY name",
            values![account, region],
        )
        .await?;
    rows.iter()
        .map(|row| Ok((row.text(0)?, row.text(1)?)))
        .collect()
}

/// Sets one.
///
/// # Errors
/// The engine's.
pub async fn put(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    name: &str,
    value: &str,
) -> Result<()> {
    conn.execute(
        "INSERT INTO registry_settings (account, region, name, value) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (account, region, name) DO UPDATE SET value = excluded.value",
        values![account, region, name, value],
    )
    .await
    .map(drop)
}
