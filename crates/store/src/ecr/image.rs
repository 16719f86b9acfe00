//! The tables `images`, `image_layers` and `image_children`.

use super::layer::{chunk, chunk_values};
use super::usage;
use crate::{Conn, Result, Row, values};

/// An image without what may be megabytes of it: its manifest's bytes and annotations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The row's id; images of a repository are listed in its order.
    pub id: i64,
    /// The manifest's digest.
    pub digest: String,
    /// The manifest's media type.
    pub media_type: String,
    /// The manifest's artifact type, or its config's media type.
    pub artifact_type: Option<String>,
    /// The digest of the manifest that this one refers to.
    pub subject: Option<String>,
    /// The manifest's length in bytes.
    pub content_size: i64,
    /// The layers' length in bytes; of a list, that of its largest image.
    pub image_size: i64,
    /// Milliseconds since the epoch.
    pub pushed_at: i64,
    /// Milliseconds since the epoch; recorded now and then.
    pub pulled_at: Option<i64>,
    /// `ACTIVE`, `ARCHIVED`, `ACTIVATING`.
    pub status: String,
    /// When it was last archived.
    pub archived_at: Option<i64>,
    /// When it was last restored.
    pub activated_at: Option<i64>,
}

/// The status of an image that can be pulled.
pub const ACTIVE: &str = "ACTIVE";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT i.id, i.digest, i.media_type, i.artifact_type, i.subject, ",
            "i.content_size, i.image_size, i.pushed_at, i.pulled_at, ",
            "i.status, i.archived_at, i.activated_at ",
            $rest
        )
    };
}

impl Image {
    fn read(row: &Row) -> Result<Self> {
        Ok(Image {
            id: row.int(0)?,
            digest: row.text(1)?,
            media_type: row.text(2)?,
            artifact_type: row.opt_text(3)?,
            subject: row.opt_text(4)?,
            content_size: row.int(5)?,
            image_size: row.int(6)?,
            pushed_at: row.int(7)?,
            pulled_at: row.opt_int(8)?,
            status: row.text(9)?,
            archived_at: row.opt_int(10)?,
            activated_at: row.opt_int(11)?,
        })
    }
}

/// Adds an active image and says its id. Of the row, `id`, `pulled_at`, and what tells of its storage
/// class, are not looked at.
/// `annotations` is a JSON object, kept for those with a subject.
///
/// # Errors
/// [`crate::Error::Unique`] when the repository has it already.
pub async fn insert(
    conn: &mut Conn<'_>,
    repository_id: i64,
    new: &Image,
    annotations: Option<&str>,
    content: &[u8],
) -> Result<i64> {
    usage::changed(conn, repository_id, &new.digest).await?;
    conn.fetch_one(
        "INSERT INTO images (repository_id, digest, media_type, artifact_type, subject, \
         annotations, content, content_size, image_size, pushed_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id",
        values![
            repository_id,
            &new.digest,
            &new.media_type,
            new.artifact_type.clone(),
            new.subject.clone(),
            annotations.map(str::to_owned),
            content,
            new.content_size,
            new.image_size,
            new.pushed_at,
        ],
    )
    .await?
    .int(0)
}

/// Says that an image needs a layer.
///
/// # Errors
/// The engine's.
pub async fn add_layer(
    conn: &mut Conn<'_>,
    image_id: i64,
    repository_id: i64,
    digest: &str,
) -> Result<()> {
    conn.execute(
        "INSERT INTO image_layers (image_id, digest, repository_id) VALUES ($1, $2, $3)",
        values![image_id, digest, repository_id],
    )
    .await
    .map(drop)
}

/// Says that an image needs a layer, unless that is known or the image is gone; how many rows that made.
///
/// # Errors
/// The engine's.
pub async fn add_missing_layer(conn: &mut Conn<'_>, image_id: i64, digest: &str) -> Result<u64> {
    conn.execute(
        "INSERT INTO image_layers (image_id, digest, repository_id) \
         SELECT id, $2, repository_id FROM images WHERE id = $1 \
         ON CONFLICT (image_id, digest) DO NOTHING",
        values![image_id, digest],
    )
    .await
}

/// Says that a manifest list needs an image.
///
/// # Errors
/// The engine's.
pub async fn add_child(
    conn: &mut Conn<'_>,
    image_id: i64,
    repository_id: i64,
    digest: &str,
) -> Result<()> {
    conn.execute(
        "INSERT INTO image_children (image_id, digest, repository_id) VALUES ($1, $2, $3)",
        values![image_id, digest, repository_id],
    )
    .await
    .map(drop)
}

/// The image of this digest.
///
/// # Errors
/// The engine's.
pub async fn find(conn: &mut Conn<'_>, repository_id: i64, digest: &str) -> Result<Option<Image>> {
    conn.fetch_optional(
        select!("FROM images i WHERE i.repository_id = $1 AND i.digest = $2"),
        values![repository_id, digest],
    )
    .await?
    .as_ref()
    .map(Image::read)
    .transpose()
}

/// The image of this digest, and whether its manifest has these bytes and is not marked as damaged.
///
/// # Errors
/// The engine's.
pub async fn find_to_push(
    conn: &mut Conn<'_>,
    repository_id: i64,
    digest: &str,
    content: &[u8],
) -> Result<Option<(Image, bool)>> {
    conn.fetch_optional(
        "SELECT i.id, i.digest, i.media_type, i.artifact_type, i.subject, i.content_size, i.image_size, \
         i.pushed_at, i.pulled_at, i.status, i.archived_at, i.activated_at, CAST(CASE WHEN i.content = $3 \
         AND i.damaged_at IS NULL THEN 1 ELSE 0 END AS BIGINT) \
         FROM images i WHERE i.repository_id = $1 AND i.digest = $2",
        values![repository_id, digest, content],
    )
    .await?
    .map(|row| Ok((Image::read(&row)?, row.int(12)? == 1)))
    .transpose()
}

/// The image of this id, in this repository.
///
/// # Errors
/// The engine's.
pub async fn get(conn: &mut Conn<'_>, repository_id: i64, id: i64) -> Result<Option<Image>> {
    conn.fetch_optional(
        select!("FROM images i WHERE i.id = $2 AND i.repository_id = $1"),
        values![repository_id, id],
    )
    .await?
    .as_ref()
    .map(Image::read)
    .transpose()
}

/// The image of this tag.
///
/// # Errors
/// The engine's.
pub async fn find_by_tag(
    conn: &mut Conn<'_>,
    repository_id: i64,
    tag: &str,
) -> Result<Option<Image>> {
    conn.fetch_optional(
        select!(
            "FROM image_tags t JOIN images i ON i.id = t.image_id \
             WHERE t.repository_id = $1 AND t.tag = $2"
        ),
        values![repository_id, tag],
    )
    .await?
    .as_ref()
    .map(Image::read)
    .transpose()
}

/// A manifest as it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The image's id.
    pub id: i64,
    /// Its digest.
    pub digest: String,
    /// Its media type.
    pub media_type: String,
    /// The bytes, as they were pushed.
    pub bytes: Vec<u8>,
    /// When a pull was last recorded.
    pub pulled_at: Option<i64>,
}

fn content(row: &Row) -> Result<Content> {
    Ok(Content {
        id: row.int(0)?,
        digest: row.text(1)?,
        media_type: row.text(2)?,
        bytes: row.bytes(3)?,
        pulled_at: row.opt_int(4)?,
    })
}

/// The manifests of all repositories, at most `limit`, with an id greater than `after`, in the order of
/// their ids; each with its repository's id.
///
/// # Errors
/// The engine's.
pub async fn contents(conn: &mut Conn<'_>, after: i64, limit: i64) -> Result<Vec<(Content, i64)>> {
    conn.fetch_all(
        "SELECT id, digest, media_type, content, pulled_at, repository_id FROM images \
         WHERE id > $1 ORDER BY id LIMIT $2",
        values![after, limit],
    )
    .await?
    .iter()
    .map(|row| Ok((content(row)?, row.int(5)?)))
    .collect()
}

/// The manifest of this digest, unless the image is archived.
///
/// # Errors
/// The engine's.
pub async fn content_by_digest(
    conn: &mut Conn<'_>,
    repository_id: i64,
    digest: &str,
) -> Result<Option<Content>> {
    conn.fetch_optional(
        "SELECT i.id, i.digest, i.media_type, i.content, i.pulled_at FROM images i \
         WHERE i.repository_id = $1 AND i.digest = $2 AND i.status = 'ACTIVE'",
        values![repository_id, digest],
    )
    .await?
    .as_ref()
    .map(content)
    .transpose()
}

/// The manifest of this tag, unless the image is archived.
///
/// # Errors
/// The engine's.
pub async fn content_by_tag(
    conn: &mut Conn<'_>,
    repository_id: i64,
    tag: &str,
) -> Result<Option<Content>> {
    conn.fetch_optional(
        "SELECT i.id, i.digest, i.media_type, i.content, i.pulled_at FROM image_tags t \
         JOIN images i ON i.id = t.image_id WHERE t.repository_id = $1 AND t.tag = $2 \
         AND i.status = 'ACTIVE'",
        values![repository_id, tag],
    )
    .await?
    .as_ref()
    .map(content)
    .transpose()
}

/// Those of `digests` that are images of the repository and not known to be damaged: digest, the manifest's
/// length, the image's size.
///
/// # Errors
/// The engine's.
pub async fn sizes(
    conn: &mut Conn<'_>,
    repository_id: i64,
    digests: &[String],
) -> Result<Vec<(String, i64, i64)>> {
    let mut found = Vec::with_capacity(digests.len());
    for piece in digests.chunks(chunk()) {
        let rows = conn
            .fetch_all(
                "SELECT digest, content_size, image_size FROM images \
                 WHERE repository_id = $1 AND damaged_at IS NULL AND digest IN \
                 ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
                chunk_values(repository_id, piece),
            )
            .await?;
        for row in rows {
            found.push((row.text(0)?, row.int(1)?, row.int(2)?));
        }
    }
    Ok(found)
}

/// The digests of the lists that need this image, at most `limit`.
///
/// # Errors
/// The engine's.
pub async fn parents(
    conn: &mut Conn<'_>,
    repository_id: i64,
    digest: &str,
    limit: i64,
) -> Result<Vec<String>> {
    conn.fetch_all(
        "SELECT i.digest FROM image_children c JOIN images i ON i.id = c.image_id \
         WHERE c.repository_id = $1 AND c.digest = $2 ORDER BY i.digest LIMIT $3",
        values![repository_id, digest, limit],
    )
    .await?
    .iter()
    .map(|row| row.text(0))
    .collect()
}

/// Which images a list is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagStatus {
    /// All.
    Any,
    /// Those with a tag.
    Tagged,
    /// Those without.
    Untagged,
}

/// At most `limit` images after the id `after`, in the order of their ids. With a status, only those that
/// have it.
///
/// # Errors
/// The engine's.
pub async fn list(
    conn: &mut Conn<'_>,
    repository_id: i64,
    tagged: TagStatus,
    status: Option<&str>,
    after: i64,
    limit: i64,
) -> Result<Vec<Image>> {
    // A statement of its own for each choice: an index is chosen by what a statement says.
    let sql = match (tagged, status) {
        (TagStatus::Any, None) => {
            select!("FROM images i WHERE i.repository_id = $1 AND i.id > $2 ORDER BY i.id LIMIT $3")
        }
        (TagStatus::Tagged, None) => select!(
            "FROM images i WHERE i.repository_id = $1 AND i.id > $2 \
             AND EXISTS (SELECT 1 FROM image_tags t WHERE t.image_id = i.id) \
             ORDER BY i.id LIMIT $3"
        ),
        (TagStatus::Untagged, None) => select!(
            "FROM images i WHERE i.repository_id = $1 AND i.id > $2 \
             AND NOT EXISTS (SELECT 1 FROM image_tags t WHERE t.image_id = i.id) \
             ORDER BY i.id LIMIT $3"
        ),
        (TagStatus::Any, Some(_)) => select!(
            "FROM images i WHERE i.repository_id = $1 AND i.status = $4 AND i.id > $2 \
             ORDER BY i.id LIMIT $3"
        ),
        (TagStatus::Tagged, Some(_)) => select!(
            "FROM images i WHERE i.repository_id = $1 AND i.status = $4 AND i.id > $2 \
             AND EXISTS (SELECT 1 FROM image_tags t WHERE t.image_id = i.id) \
             ORDER BY i.id LIMIT $3"
        ),
        (TagStatus::Untagged, Some(_)) => select!(
            "FROM images i WHERE i.repository_id = $1 AND i.status = $4 AND i.id > $2 \
             AND NOT EXISTS (SELECT 1 FROM image_tags t WHERE t.image_id = i.id) \
             ORDER BY i.id LIMIT $3"
        ),
    };
    let mut values = values![repository_id, after, limit];
    values.extend(status.map(Into::into));
    conn.fetch_all(sql, values)
        .await?
        .iter()
        .map(Image::read)
        .collect()
}

/// One entry of `ListImages`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The image's id.
    pub id: i64,
    /// Its digest.
    pub digest: String,
    /// One of its tags; `None` for an image that has none.
    pub tag: Option<String>,
}

/// At most `limit` entries, an image with several tags several times, after the entry
/// of the image `after.0` with the tag `after.1`. With a status, only of images that have it.
///
/// # Errors
/// The engine's.
pub async fn list_ids(
    conn: &mut Conn<'_>,
    repository_id: i64,
    tagged: TagStatus,
    status: Option<&str>,
    after: (i64, &str),
    limit: i64,
) -> Result<Vec<Listed>> {
    // `t.image_id >= $2` follows from the rest. It says to a merge join that the tags of
    // earlier images, of whatever repository, need not be walked.
    let sql = match (tagged, status) {
        (TagStatus::Any, None) => {
            "SELECT i.id, i.digest, t.tag FROM images i \
             LEFT JOIN image_tags t ON t.image_id = i.id AND t.image_id >= $2 \
             WHERE i.repository_id = $1 AND i.id >= $2 \
             AND (i.id > $2 OR t.tag > $3) ORDER BY i.id, t.tag LIMIT $4"
        }
        (TagStatus::Tagged, None) => {
            "SELECT i.id, i.digest, t.tag FROM images i \
             JOIN image_tags t ON t.image_id = i.id AND t.image_id >= $2 \
             WHERE i.repository_id = $1 AND i.id >= $2 \
             AND (i.id > $2 OR t.tag > $3) ORDER BY i.id, t.tag LIMIT $4"
        }
        (TagStatus::Untagged, None) => {
            "SELECT i.id, i.digest, NULL FROM images i \
             WHERE i.repository_id = $1 AND i.id > $2 AND $3 = $3 \
             AND NOT EXISTS (SELECT 1 FROM image_tags t WHERE t.image_id = i.id) \
             ORDER BY i.id LIMIT $4"
        }
        (TagStatus::Any, Some(_)) => {
            "SELECT i.id, i.digest, t.tag FROM images i \
             LEFT JOIN image_tags t ON t.image_id = i.id AND t.image_id >= $2 \
             WHERE i.repository_id = $1 AND i.status = $5 AND i.id >= $2 \
             AND (i.id > $2 OR t.tag > $3) ORDER BY i.id, t.tag LIMIT $4"
        }
        (TagStatus::Tagged, Some(_)) => {
            "SELECT i.id, i.digest, t.tag FROM images i \
             JOIN image_tags t ON t.image_id = i.id AND t.image_id >= $2 \
             WHERE i.repository_id = $1 AND i.status = $5 AND i.id >= $2 \
             AND (i.id > $2 OR t.tag > $3) ORDER BY i.id, t.tag LIMIT $4"
        }
        (TagStatus::Untagged, Some(_)) => {
            "SELECT i.id, i.digest, NULL FROM images i \
             WHERE i.repository_id = $1 AND i.status = $5 AND i.id > $2 AND $3 = $3 \
             AND NOT EXISTS (SELECT 1 FROM image_tags t WHERE t.image_id = i.id) \
             ORDER BY i.id LIMIT $4"
        }
    };
    let mut values = values![repository_id, after.0, after.1, limit];
    values.extend(status.map(Into::into));
    conn.fetch_all(sql, values)
        .await?
        .iter()
        .map(|row| {
            Ok(Listed {
                id: row.int(0)?,
                digest: row.text(1)?,
                tag: row.opt_text(2)?,
            })
        })
        .collect()
}

/// Records when an image was last pulled; an older time changes nothing.
///
/// # Errors
/// The engine's.
pub async fn record_pull(conn: &mut Conn<'_>, id: i64, pulled_at: i64) -> Result<()> {
    conn.execute(
        "UPDATE images SET pulled_at = $2 \
         WHERE id = $1 AND (pulled_at IS NULL OR pulled_at < $2)",
        values![id, pulled_at],
    )
    .await
    .map(drop)
}

/// Deletes an image with its tags.
///
/// # Errors
/// The engine's.
pub async fn delete(conn: &mut Conn<'_>, id: i64) -> Result<()> {
    let gone = conn
        .fetch_optional(
            "DELETE FROM images WHERE id = $1 RETURNING repository_id, digest",
            values![id],
        )
        .await?;
    match gone {
        Some(row) => usage::changed(conn, row.int(0)?, &row.text(1)?).await,
        None => Ok(()),
    }
}
