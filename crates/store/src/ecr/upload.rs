//! The table `uploads`: unfinished uploads that outlive a restart, and that another node can go on with.

use crate::{Conn, Result, Row, values};

/// An unfinished upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Its id.
    pub id: String,
    /// Whose upload it is; `None` where an earlier version kept it.
    pub owner: Option<String>,
    /// How many bytes were on disk when the row was written. There may be more by now.
    pub size: i64,
    /// The state of the digest after `size` bytes.
    pub hash_state: Option<Vec<u8>>,
}

fn upload(row: &Row) -> Result<Upload> {
    Ok(Upload {
        id: row.text(0)?,
        owner: row.opt_text(1)?,
        size: row.int(2)?,
        hash_state: row.opt_bytes(3)?,
    })
}

/// Keeps an upload, or what is newly known of it.
///
/// # Errors
/// [`crate::Error::ForeignKey`] when the repository is gone.
pub async fn keep(
    conn: &mut Conn<'_>,
    upload: &Upload,
    repository_id: i64,
    now: i64,
) -> Result<()> {
    conn.execute(
        "INSERT INTO uploads (id, repository_id, kept_at, owner, size, hash_state) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET \
         kept_at = excluded.kept_at, owner = excluded.owner, size = excluded.size, \
         hash_state = excluded.hash_state",
        values![
            &upload.id,
            repository_id,
            now,
            upload.owner.clone(),
            upload.size,
            upload.hash_state.clone(),
        ],
    )
    .await
    .map(drop)
}

/// What is known of an upload.
///
/// # Errors
/// The engine's.
pub async fn get(conn: &mut Conn<'_>, id: &str) -> Result<Option<Upload>> {
    conn.fetch_optional(
        "SELECT id, owner, size, hash_state FROM uploads WHERE id = $1",
        values![id],
    )
    .await?
    .map(|row| upload(&row))
    .transpose()
}

/// The ids and owners of all kept uploads and when their rows were written, at most `limit`, after `after`,
/// in the order of the ids.
///
/// # Errors
/// The engine's.
pub async fn list(
    conn: &mut Conn<'_>,
    after: &str,
    limit: i64,
) -> Result<Vec<(String, Option<String>, i64)>> {
    conn.fetch_all(
        "SELECT id, owner, kept_at FROM uploads WHERE id > $1 ORDER BY id LIMIT $2",
        values![after, limit],
    )
    .await?
    .iter()
    .map(|row| Ok((row.text(0)?, row.opt_text(1)?, row.int(2)?)))
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
