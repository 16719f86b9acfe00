//! The table `settings`: single values of the database.

use crate::{Conn, Result, values};

/// The value of a setting.
///
/// # Errors
/// The engine's.
pub async fn get(conn: &mut Conn<'_>, name: &str) -> Result<Option<String>> {
    conn.fetch_optional("SELECT value FROM settings WHERE name = $1", values![name])
        .await?
        .map(|row| row.text(0))
        .transpose()
}

/// Sets it.
///
/// # Errors
/// The engine's.
pub async fn put(conn: &mut Conn<'_>, name: &str, value: &str) -> Result<()> {
    conn.execute(
        "INSERT INTO settings (name, value) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        values![name, value],
    )
    .await
    .map(drop)
}

/// Removes it; nothing where it is not set.
///
/// # Errors
/// The engine's.
pub async fn remove(conn: &mut Conn<'_>, name: &str) -> Result<()> {
    conn.execute("DELETE FROM settings WHERE name = $1", values![name])
        .await
        .map(drop)
}
