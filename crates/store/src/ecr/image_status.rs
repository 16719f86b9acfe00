//! The storage class of images: columns of the table `images`.
//!
//! An image that is `ARCHIVED` or `ACTIVATING` is not served. All changes belong in the transaction of
//! [`crate::Scope::Repository`].

use crate::{Conn, Result, Row, values};

/// Archives an image.
///
/// # Errors
/// The engine's.
pub async fn archive(conn: &mut Conn<'_>, id: i64, now: i64) -> Result<()> {
    conn.execute(
        "UPDATE images SET status = 'ARCHIVED', archived_at = $2 WHERE id = $1",
        values![id, now],
    )
    .await
    .map(drop)
}

/// Says that an archived image is to be restored.
///
/// # Errors
/// The engine's.
pub async fn begin_activation(conn: &mut Conn<'_>, id: i64) -> Result<()> {
    conn.execute(
        "UPDATE images SET status = 'ACTIVATING' WHERE id = $1 AND status = 'ARCHIVED'",
        values![id],
    )
    .await
    .map(drop)
}

/// Restores an image.
///
/// # Errors
/// The engine's.
pub async fn activate(conn: &mut Conn<'_>, id: i64, now: i64) -> Result<()> {
    conn.execute(
        "UPDATE images SET status = 'ACTIVE', activated_at = $2 WHERE id = $1",
        values![id, now],
    )
    .await
    .map(drop)
}

/// An image whose status is to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// The row's id.
    pub id: i64,
    /// Its digest.
    pub digest: String,
    /// `ACTIVE`, `ARCHIVED`, `ACTIVATING`.
    pub status: String,
}

pub(super) fn marked(row: &Row) -> Result<Marked> {
    Ok(Marked {
        id: row.int(0)?,
        digest: row.text(1)?,
        status: row.text(2)?,
    })
}

/// The status of an image.
///
/// # Errors
/// The engine's.
pub async fn get(conn: &mut Conn<'_>, id: i64) -> Result<Option<Marked>> {
    conn.fetch_optional(
        "SELECT id, digest, status FROM images WHERE id = $1",
        values![id],
    )
    .await?
    .as_ref()
    .map(marked)
    .transpose()
}

/// At most `limit` images that are being restored, in the order of their ids.
///
/// # Errors
/// The engine's.
pub async fn activating(
    conn: &mut Conn<'_>,
    repository_id: i64,
    limit: i64,
) -> Result<Vec<Marked>> {
    conn.fetch_all(
        "SELECT id, digest, status FROM images WHERE repository_id = $1 AND status = 'ACTIVATING' \
         ORDER BY id LIMIT $2",
        values![repository_id, limit],
    )
    .await?
    .iter()
    .map(marked)
    .collect()
}

/// The images that a list needs.
///
/// # Errors
/// The engine's.
pub async fn children(conn: &mut Conn<'_>, list_id: i64) -> Result<Vec<Marked>> {
    conn.fetch_all(
        "SELECT i.id, i.digest, i.status FROM image_children c \
         JOIN images i ON i.repository_id = c.repository_id AND i.digest = c.digest \
         WHERE c.image_id = $1 ORDER BY i.id",
        values![list_id],
    )
    .await?
    .iter()
    .map(marked)
    .collect()
}

/// The digests of the lists that need this image and are not archived, at most `limit`.
///
/// # Errors
/// The engine's.
pub async fn parents_in_use(
    conn: &mut Conn<'_>,
    repository_id: i64,
    digest: &str,
    limit: i64,
) -> Result<Vec<String>> {
    conn.fetch_all(
        "SELECT i.digest FROM image_children c JOIN images i ON i.id = c.image_id \
         WHERE c.repository_id = $1 AND c.digest = $2 AND i.status <> 'ARCHIVED' \
         ORDER BY i.digest LIMIT $3",
        values![repository_id, digest, limit],
    )
    .await?
    .iter()
    .map(|row| row.text(0))
    .collect()
}

/// Whether the repository has an image that is not served: a look into the index.
///
/// # Errors
/// The engine's.
async fn has_inactive(conn: &mut Conn<'_>, repository_id: i64) -> Result<bool> {
    conn.fetch_optional(
        "SELECT 1 FROM images WHERE repository_id = $1 AND status IN ('ARCHIVED', 'ACTIVATING') \
         LIMIT 1",
        values![repository_id],
    )
    .await
    .map(|row| row.is_some())
}

/// Whether images need this layer, and none of them is served.
///
/// # Errors
/// The engine's.
pub async fn is_layer_archived(
    conn: &mut Conn<'_>,
    repository_id: i64,
    digest: &str,
) -> Result<bool> {
    if !has_inactive(conn, repository_id).await? {
        return Ok(false);
    }
    let of_active = conn
        .fetch_optional(
            "SELECT 1 FROM image_layers l JOIN images i ON i.id = l.image_id \
             WHERE l.repository_id = $1 AND l.digest = $2 AND i.status = 'ACTIVE' LIMIT 1",
            values![repository_id, digest],
        )
        .await?;
    if of_active.is_some() {
        return Ok(false);
    }
    // A layer of no image at all was just pushed.
    super::layer::in_use(conn, repository_id, digest).await
}
