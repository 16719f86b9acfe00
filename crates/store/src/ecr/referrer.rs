//! Referrers: images that name another image of the repository as their subject (columns of the table `images`).

use super::image_status::{Marked, marked};
use crate::{Conn, Result, values};

/// An image as one of its subject's referrers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// Its digest.
    pub digest: String,
    /// Its media type.
    pub media_type: String,
    /// The manifest's artifact type, or its config's media type.
    pub artifact_type: Option<String>,
    /// The manifest's length in bytes.
    pub content_size: i64,
    /// The manifest's annotations as a JSON object.
    pub annotations: Option<String>,
    /// `ACTIVE`, `ARCHIVED`, `ACTIVATING`.
    pub status: String,
}

/// Which referrers of a subject a list is about.
#[derive(Clone, Copy, Debug)]
pub struct Filter<'a> {
    /// The subject's digest.
    pub subject: &'a str,
    /// Only those of this artifact type.
    pub artifact_type: Option<&'a str>,
    /// Only those of this status.
    pub status: Option<&'a str>,
}

/// At most `limit` referrers after the id `after`. Of each, its id and its manifest's length,
/// which its annotations do not exceed: how many of them [`list`] may load.
///
/// # Errors
/// The engine's.
pub async fn sizes(
    conn: &mut Conn<'_>,
    repository_id: i64,
    of: Filter<'_>,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, i64)>> {
    conn.fetch_all(
        "SELECT id, content_size FROM images WHERE repository_id = $1 \
         AND subject = $2 AND id > $3 AND ($5 IS NULL OR artifact_type = $5) \
         AND ($6 IS NULL OR status = $6) ORDER BY id LIMIT $4",
        values![
            repository_id,
            of.subject,
            after,
            limit,
            of.artifact_type.map(str::to_owned),
            of.status.map(str::to_owned),
        ],
    )
    .await?
    .iter()
    .map(|row| Ok((row.int(0)?, row.int(1)?)))
    .collect()
}

/// The referrers after the id `after` up to the id `last`. What they are in bytes is bounded
/// by the caller: see [`sizes`].
///
/// # Errors
/// The engine's.
pub async fn list(
    conn: &mut Conn<'_>,
    repository_id: i64,
    of: Filter<'_>,
    after: i64,
    last: i64,
) -> Result<Vec<Referrer>> {
    conn.fetch_all(
        "SELECT digest, media_type, artifact_type, content_size, annotations, status \
         FROM images WHERE repository_id = $1 AND subject = $2 \
         AND id > $3 AND id <= $4 AND ($5 IS NULL OR artifact_type = $5) \
         AND ($6 IS NULL OR status = $6) ORDER BY id",
        values![
            repository_id,
            of.subject,
            after,
            last,
            of.artifact_type.map(str::to_owned),
            of.status.map(str::to_owned),
        ],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Referrer {
            digest: row.text(0)?,
            media_type: row.text(1)?,
            artifact_type: row.opt_text(2)?,
            content_size: row.int(3)?,
            annotations: row.opt_text(4)?,
            status: row.text(5)?,
        })
    })
    .collect()
}

/// The children of the list `image_id` that nothing would lead to without it: they have no
/// tag and no other list, and their subject is not in the repository. Children without a
/// subject are images, which stay. Their ids and digests.
///
/// # Errors
/// The engine's.
pub async fn orphaned_children(conn: &mut Conn<'_>, image_id: i64) -> Result<Vec<(i64, String)>> {
    conn.fetch_all(
        // A CROSS JOIN is done in this order by SQLite, which would walk the whole repository otherwise.
        "SELECT i.id, i.digest FROM image_children c CROSS JOIN images i \
         WHERE i.repository_id = c.repository_id AND i.digest = c.digest \
         AND c.image_id = $1 AND i.subject IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM images s \
         WHERE s.repository_id = i.repository_id AND s.digest = i.subject) \
         AND NOT EXISTS (SELECT 1 FROM image_tags t WHERE t.image_id = i.id) \
         AND NOT EXISTS (SELECT 1 FROM image_children o \
         WHERE o.repository_id = i.repository_id AND o.digest = i.digest \
         AND o.image_id <> c.image_id) ORDER BY i.id",
        values![image_id],
    )
    .await?
    .iter()
    .map(|row| Ok((row.int(0)?, row.text(1)?)))
    .collect()
}

/// The referrers of a subject that nothing else leads to: no tag, no list.
///
/// # Errors
/// The engine's.
pub async fn sole(conn: &mut Conn<'_>, repository_id: i64, subject: &str) -> Result<Vec<Marked>> {
    conn.fetch_all(
        "SELECT i.id, i.digest, i.status FROM images i \
         WHERE i.repository_id = $1 AND i.subject = $2 \
         AND NOT EXISTS (SELECT 1 FROM image_tags t WHERE t.image_id = i.id) \
         AND NOT EXISTS (SELECT 1 FROM image_children c \
         WHERE c.repository_id = i.repository_id AND c.digest = i.digest) ORDER BY i.id",
        values![repository_id, subject],
    )
    .await?
    .iter()
    .map(marked)
    .collect()
}
