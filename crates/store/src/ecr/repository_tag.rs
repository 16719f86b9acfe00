//! The table `repository_tags`: resource tags.

use crate::{Conn, Result, values};

/// The tags of a repository in the order of their keys: key and value.
///
/// # Errors
/// The engine's.
pub async fn list(conn: &mut Conn<'_>, repository_id: i64) -> Result<Vec<(String, String)>> {
    conn.fetch_all(
        "SELECT tag_key, tag_value FROM repository_tags WHERE repository_id = $1 ORDER BY tag_key",
        values![repository_id],
    )
    .await?
    .iter()
    .map(|row| Ok((row.text(0)?, row.text(1)?)))
    .collect()
}

/// Adds a tag or changes its value.
///
/// # Errors
/// [`crate::Error::ForeignKey`] when the repository is gone.
pub async fn put(conn: &mut Conn<'_>, repository_id: i64, key: &str, value: &str) -> Result<()> {
    conn.execute(
        "INSERT INTO repository_tags (repository_id, tag_key, tag_value) VALUES ($1, $2, $3) \
         ON CONFLICT (repository_id, tag_key) DO UPDATE SET tag_value = excluded.tag_value",
        values![repository_id, key, value],
    )
    .await
    .map(drop)
}

/// Removes a tag, if it is there.
///
/// # Errors
/// The engine's.
pub async fn delete(conn: &mut Conn<'_>, repository_id: i64, key: &str) -> Result<()> {
    conn.execute(
        "DELETE FROM repository_tags WHERE repository_id = $1 AND tag_key = $2",
        values![repository_id, key],
    )
    .await
    .map(drop)
}
