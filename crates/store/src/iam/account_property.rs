//! Properties of accounts, and the preference for STS's global endpoint.

use crate::{Conn, Result, values};

/// The account's properties by name (`Namespace/Name`), in the order of the names. The caller bounds
/// their number.
pub async fn list(conn: &mut Conn<'_>, account: &str) -> Result<Vec<(String, String)>> {
    let sql = "SELECT name, value FROM iam_account_properties WHERE account = $1 ORDER BY name";
    let rows = conn.fetch_all(sql, values![account]).await?;
    rows.iter()
        .map(|row| Ok((row.text(0)?, row.text(1)?)))
        .collect()
}

/// Sets a property.
pub async fn put(conn: &mut Conn<'_>, account: &str, name: &str, value: &str) -> Result<()> {
    let sql = "INSERT INTO iam_account_properties (account, name, value) VALUES ($1, $2, $3) \
               ON CONFLICT (account, name) DO UPDATE SET value = excluded.value";
    conn.execute(sql, values![account, name, value])
        .await
        .map(drop)
}

/// The version of the global endpoint's tokens, where one was chosen.
pub async fn token_version(conn: &mut Conn<'_>, account: &str) -> Result<Option<i64>> {
    let sql = "SELECT token_version FROM iam_sts_preferences WHERE account = $1";
    let row = conn.fetch_optional(sql, values![account]).await?;
    row.map(|row| row.int(0)).transpose()
}

/// Chooses the version of the global endpoint's tokens.
pub async fn set_token_version(conn: &mut Conn<'_>, account: &str, version: i64) -> Result<()> {
    let sql = "INSERT INTO iam_sts_preferences (account, token_version) VALUES ($1, $2) \
               ON CONFLICT (account) DO UPDATE SET token_version = excluded.token_version";
    conn.execute(sql, values![account, version]).await.map(drop)
}
