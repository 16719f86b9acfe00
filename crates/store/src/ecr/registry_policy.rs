//! The table `registry_policies`.

use crate::{Conn, Result, values};

/// The policy of an account's registry in a region.
///
/// # Errors
/// The engine's.
pub async fn get(conn: &mut Conn<'_>, account: &str, region: &str) -> Result<Option<String>> {
    conn.fetch_optional(
        "SELECT policy FROM registry_policies WHERE account = $1 AND region = $2",
        values![account, region],
    )
    .await?
    .map(|row| row.text(0))
    .transpose()
}

/// Sets it.
///
/// # Errors
/// The engine's.
pub async fn put(conn: &mut Conn<'_>, account: &str, region: &str, policy: &str) -> Result<()> {
    conn.execute(
        "INSERT INTO registry_policies (account, region, policy) VALUES ($1, $2, $3) \
         ON CONFLICT (account, region) DO UPDATE SET policy = excluded.policy",
        values![account, region, policy],
    )
    .await
    .map(drop)
}

/// Removes it; false when there is none.
///
/// # Errors
/// The engine's.
pub async fn delete(conn: &mut Conn<'_>, account: &str, region: &str) -> Result<bool> {
    let changed = conn
        .execute(
            "DELETE FROM registry_policies WHERE account = $1 AND region = $2",
            values![account, region],
        )
        .await?;
    Ok(changed == 1)
}
