//! The table `uploads`: unfinished uploads that outlive a restart.

use crate::{Conn, Result, values};

/// Keeps an upload, or keeps it for longer.
///
/// # Errors
/// [`crate::Error::ForeignKey`] when the repository is gone.
pub async fn keep(conn: &mut Conn<'_>, id: &str, repository_id: i64, now: i64) -> Result<()> {
    conn.execute(
        "INSERT INTO uploads (id, repository_id, kept_at) VALUES ($1, $2, $3) \
         ON CONFLICT (id) DO UPDATE SET kept_at = excluded.kept_at",
        values![id, repository_id, now],
    )
    .await
    .map(drop)
}

/// The ids of all kept uploads, at most `limit`, after `after`, in their order.
///
/// # Errors
/// The engine's.
pub async fn list(conn: &mut Conn<'_>, after: &str, limit: i64) -> Result<Vec<String>> {
    conn.fetch_all(
        "SELECT id FROM uploads WHERE id > $1 ORDER BY id LIMIT $2",
        values![after, limit],
    )
    .await?
    .iter()
    .map(|row| row.text(0))
    .collect()
}

/// Forgets an upload: it was finished, cancelled or swept.
///
/// # Errors
/// The engine's.
pub async fn delete(conn: &mut Conn<'_>, id: &str) -> Result<()> {
    conn.execute("DELETE FROM uploads WHERE id = $1", values![id])
        .await
        .map(drop)
}
