//! What a check of the registry's integrity reads, compares and sets right. Copies of blobs and marks are in
//! [`super::damage`].
//!
//! Each statement compares what it reads within itself, so that a change at the same moment is not taken for damage.

use crate::{Conn, Result, Row, values};

/// A repository's layer, and its blob as far as there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The repository.
    pub repository_id: i64,
    /// The layer's digest.
    pub digest: String,
    /// The key that its blob is encrypted under; empty: none.
    pub encryption: String,
    /// The layer's length in bytes.
    pub size: i64,
    /// The blob's length; `None` when there is no such blob.
    pub blob_size: Option<i64>,
}

/// The layers after one of them, in the order of repository and digest.
///
/// # Errors
/// The engine's.
pub async fn links_after(
    conn: &mut Conn<'_>,
    (repository_id, digest): (i64, &str),
    limit: i64,
) -> Result<Vec<Link>> {
    conn.fetch_all(
        "SELECT l.repository_id, l.digest, l.encryption, l.size, b.size FROM layers l \
         LEFT JOIN blobs b ON b.digest = l.digest AND b.encryption = l.encryption \
         WHERE (l.repository_id, l.digest) > ($1, $2) ORDER BY l.repository_id, l.digest LIMIT $3",
        values![repository_id, digest, limit],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Link {
            repository_id: row.int(0)?,
            digest: row.text(1)?,
            encryption: row.text(2)?,
            size: row.int(3)?,
            blob_size: row.opt_int(4)?,
        })
    })
    .collect()
}

/// Gives a layer the length of its blob.
///
/// # Errors
/// The engine's.
pub async fn set_link_size(conn: &mut Conn<'_>, repository_id: i64, digest: &str) -> Result<()> {
    conn.execute(
        "UPDATE layers SET size = (SELECT b.size FROM blobs b WHERE b.digest = layers.digest \
         AND b.encryption = layers.encryption) WHERE repository_id = $1 AND digest = $2 \
         AND EXISTS (SELECT 1 FROM blobs b WHERE b.digest = layers.digest AND b.encryption = layers.encryption)",
        values![repository_id, digest],
    )
    .await
    .map(drop)
}

/// Adds the row of a blob whose bytes are lost, so that it is known as lost and a push brings it back; an existing row
/// stays.
///
/// # Errors
/// The engine's.
pub async fn put_lost_blob(
    conn: &mut Conn<'_>,
    digest: &str,
    encryption: &str,
    size: i64,
    object_key: &str,
    now: i64,
) -> Result<()> {
    conn.execute(
        "INSERT INTO blobs (digest, encryption, size, object_key, stored_at, damaged_at) \
         VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (digest, encryption) DO NOTHING",
        values![digest, encryption, size, object_key, now],
    )
    .await
    .map(drop)
}

/// A stored manifest as a check reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredImage {
    /// The manifest.
    pub content: super::image::Content,
    /// Its repository.
    pub repository_id: i64,
    /// The length that its row says.
    pub content_size: i64,
    /// Since when it is known to be damaged.
    pub damaged_at: Option<i64>,
    /// Whether the row of what a search needs is there.
    pub has_facts: bool,
    /// Whether a search shall find it and has no term for it.
    pub lacks_terms: bool,
}

/// The images after one of them, in the order of their ids, over all repositories.
///
/// # Errors
/// The engine's.
pub async fn images_after(conn: &mut Conn<'_>, after: i64, limit: i64) -> Result<Vec<StoredImage>> {
    conn.fetch_all(
        "SELECT i.id, i.digest, i.media_type, i.content, i.pulled_at, i.repository_id, i.content_size, \
         i.damaged_at, f.image_id, CAST(CASE WHEN f.indexed = 1 AND NOT EXISTS (\
         SELECT 1 FROM image_terms t WHERE t.image_id = i.id) THEN 1 ELSE 0 END AS BIGINT) \
         FROM images i LEFT JOIN image_facts f ON f.image_id = i.id WHERE i.id > $1 ORDER BY i.id LIMIT $2",
        values![after, limit],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(StoredImage {
            content: super::image::Content {
                id: row.int(0)?,
                digest: row.text(1)?,
                media_type: row.text(2)?,
                bytes: row.bytes(3)?,
                pulled_at: row.opt_int(4)?,
            },
            repository_id: row.int(5)?,
            content_size: row.int(6)?,
            damaged_at: row.opt_int(7)?,
            has_facts: row.opt_int(8)?.is_some(),
            lacks_terms: row.int(9)? == 1,
        })
    })
    .collect()
}

fn texts(rows: &[Row]) -> Result<Vec<String>> {
    rows.iter().map(|row| row.text(0)).collect()
}

/// The digests of layers that an image is known to need.
///
/// # Errors
/// The engine's.
pub async fn needed_layers(conn: &mut Conn<'_>, image_id: i64) -> Result<Vec<String>> {
    let rows = conn
        .fetch_all(
            "SELECT digest FROM image_layers WHERE image_id = $1",
            values![image_id],
        )
        .await?;
    texts(&rows)
}

/// The digests of images that a list is known to need.
///
/// # Errors
/// The engine's.
pub async fn needed_images(conn: &mut Conn<'_>, image_id: i64) -> Result<Vec<String>> {
    let rows = conn
        .fetch_all(
            "SELECT digest FROM image_children WHERE image_id = $1",
            values![image_id],
        )
        .await?;
    texts(&rows)
}

/// Whether an image of this digest is in the repository, whatever its state.
///
/// # Errors
/// The engine's.
pub async fn has_image(conn: &mut Conn<'_>, repository_id: i64, digest: &str) -> Result<bool> {
    conn.fetch_optional(
        "SELECT 1 FROM images WHERE repository_id = $1 AND digest = $2",
        values![repository_id, digest],
    )
    .await
    .map(|row| row.is_some())
}

/// Whether an image still is there.
///
/// # Errors
/// The engine's.
pub async fn is_image(conn: &mut Conn<'_>, image_id: i64) -> Result<bool> {
    conn.fetch_optional("SELECT 1 FROM images WHERE id = $1", values![image_id])
        .await
        .map(|row| row.is_some())
}

/// Says that a list needs an image, unless that is known or the list is gone.
///
/// # Errors
/// The engine's.
pub async fn add_missing_child(conn: &mut Conn<'_>, image_id: i64, digest: &str) -> Result<()> {
    conn.execute(
        "INSERT INTO image_children (image_id, digest, repository_id) \
         SELECT id, $2, repository_id FROM images WHERE id = $1 \
         ON CONFLICT (image_id, digest) DO NOTHING",
        values![image_id, digest],
    )
    .await
    .map(drop)
}

/// Whether lists of a repository may lack images: cached ones of an upstream (ADR 0017).
///
/// # Errors
/// The engine's.
pub async fn may_be_sparse(conn: &mut Conn<'_>, repository_id: i64) -> Result<bool> {
    conn.fetch_optional(
        "SELECT 1 FROM repositories r WHERE r.id = $1 AND (EXISTS (SELECT 1 FROM pull_through_tags t \
         WHERE t.repository_id = r.id) OR EXISTS (SELECT 1 FROM pull_through_rules p \
         WHERE p.account = r.account AND p.region = r.region))",
        values![repository_id],
    )
    .await
    .map(|row| row.is_some())
}

/// Writes the length of a manifest's bytes to its row.
///
/// # Errors
/// The engine's.
pub async fn set_content_size(conn: &mut Conn<'_>, image_id: i64, size: i64) -> Result<()> {
    conn.execute(
        "UPDATE images SET content_size = $2 WHERE id = $1",
        values![image_id, size],
    )
    .await
    .map(drop)
}

/// Adds the row that a search needs of an image, as the schema step that made the table did; it is indexed later.
///
/// # Errors
/// The engine's.
pub async fn add_missing_facts(conn: &mut Conn<'_>, image_id: i64) -> Result<()> {
    conn.execute(
        "INSERT INTO image_facts (image_id, repository_id, registry, pushed_at, indexed) \
         SELECT i.id, i.repository_id, r.account || ' ' || r.region, i.pushed_at, 0 \
         FROM images i JOIN repositories r ON r.id = i.repository_id WHERE i.id = $1 \
         ON CONFLICT (image_id) DO NOTHING",
        values![image_id],
    )
    .await
    .map(drop)
}

/// Has an image indexed again.
///
/// # Errors
/// The engine's.
pub async fn index_again(conn: &mut Conn<'_>, image_id: i64) -> Result<()> {
    conn.execute(
        "UPDATE image_facts SET indexed = 0 WHERE image_id = $1 AND NOT EXISTS (\
         SELECT 1 FROM image_terms t WHERE t.image_id = $1)",
        values![image_id],
    )
    .await
    .map(drop)
}

/// A tag as a check reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTag {
    /// Its repository.
    pub repository_id: i64,
    /// The tag.
    pub tag: String,
    /// The digest that it names, of whatever repository; `None` when there is no image.
    pub digest: Option<String>,
    /// The repository of that image.
    pub image_repository_id: Option<i64>,
    /// Whether its registry is that of its repository.
    pub is_in_registry: bool,
}

/// The tags after one of them, in the order of repository and tag.
///
/// # Errors
/// The engine's.
pub async fn tags_after(
    conn: &mut Conn<'_>,
    (repository_id, tag): (i64, &str),
    limit: i64,
) -> Result<Vec<StoredTag>> {
    conn.fetch_all(
        "SELECT t.repository_id, t.tag, i.digest, i.repository_id, CAST(CASE WHEN r.id IS NULL \
         OR t.registry = r.account || ' ' || r.region THEN 1 ELSE 0 END AS BIGINT) FROM image_tags t \
         LEFT JOIN images i ON i.id = t.image_id LEFT JOIN repositories r ON r.id = t.repository_id \
         WHERE (t.repository_id, t.tag) > ($1, $2) ORDER BY t.repository_id, t.tag LIMIT $3",
        values![repository_id, tag, limit],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(StoredTag {
            repository_id: row.int(0)?,
            tag: row.text(1)?,
            digest: row.opt_text(2)?,
            image_repository_id: row.opt_int(3)?,
            is_in_registry: row.int(4)? == 1,
        })
    })
    .collect()
}

/// Writes the registry of its repository to a tag.
///
/// # Errors
/// The engine's.
pub async fn set_tag_registry(conn: &mut Conn<'_>, repository_id: i64, tag: &str) -> Result<()> {
    conn.execute(
        "UPDATE image_tags SET registry = (SELECT account || ' ' || region FROM repositories \
         WHERE repositories.id = image_tags.repository_id) WHERE repository_id = $1 AND tag = $2",
        values![repository_id, tag],
    )
    .await
    .map(drop)
}

/// A repository's counters, and what they count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counters {
    /// The repository.
    pub id: i64,
    /// Its account.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Its name.
    pub name: String,
    /// The counter of images, and how many there are.
    pub images: (i64, i64),
    /// The counter of bytes of layers, and how many there are.
    pub layer_bytes: (i64, i64),
}

/// The counters of the repositories after one of them.
///
/// # Errors
/// The engine's.
pub async fn counters_after(conn: &mut Conn<'_>, after: i64, limit: i64) -> Result<Vec<Counters>> {
    conn.fetch_all(
        "SELECT r.id, r.account, r.region, r.name, r.image_count, \
         (SELECT count(*) FROM images i WHERE i.repository_id = r.id), r.layer_bytes, \
         (SELECT CAST(COALESCE(SUM(l.size), 0) AS BIGINT) FROM layers l WHERE l.repository_id = r.id) \
         FROM repositories r WHERE r.id > $1 ORDER BY r.id LIMIT $2",
        values![after, limit],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Counters {
            id: row.int(0)?,
            account: row.text(1)?,
            region: row.text(2)?,
            name: row.text(3)?,
            images: (row.int(4)?, row.int(5)?),
            layer_bytes: (row.int(6)?, row.int(7)?),
        })
    })
    .collect()
}

/// Counts a repository's images and bytes again.
///
/// # Errors
/// The engine's.
pub async fn recount(conn: &mut Conn<'_>, repository_id: i64) -> Result<()> {
    conn.execute(
        "UPDATE repositories SET image_count = (SELECT count(*) FROM images i WHERE i.repository_id = $1), \
         layer_bytes = (SELECT CAST(COALESCE(SUM(l.size), 0) AS BIGINT) FROM layers l WHERE l.repository_id = $1) \
         WHERE id = $1",
        values![repository_id],
    )
    .await
    .map(drop)
}

/// A layer or manifest that is not counted as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncounted {
    /// The repository.
    pub repository_id: i64,
    /// Its digest.
    pub digest: String,
    /// Its size; `None` when the repository has none.
    pub size: Option<i64>,
    /// The size that is counted; `None` when none is.
    pub counted: Option<i64>,
}

fn uncounted(row: &Row) -> Result<Uncounted> {
    Ok(Uncounted {
        repository_id: row.int(0)?,
        digest: row.text(1)?,
        size: row.opt_int(2)?,
        counted: row.opt_int(3)?,
    })
}

/// Of a repository: layers and manifests that are not counted, or with another size, and what is counted and not
/// there. What waits to be counted is left out.
///
/// # Errors
/// The engine's.
pub async fn uncounted_of(
    conn: &mut Conn<'_>,
    repository_id: i64,
    limit: i64,
) -> Result<Vec<Uncounted>> {
    conn.fetch_all(
        "SELECT p.repository_id, p.digest, p.size, o.size FROM (\
         SELECT repository_id, digest, size FROM layers WHERE repository_id = $1 UNION ALL \
         SELECT repository_id, digest, content_size FROM images i WHERE repository_id = $1 AND NOT EXISTS (\
         SELECT 1 FROM layers l WHERE l.repository_id = $1 AND l.digest = i.digest)) p \
         LEFT JOIN usage_objects o ON o.repository_id = p.repository_id AND o.digest = p.digest \
         WHERE (o.size IS NULL OR o.size <> p.size) AND NOT EXISTS (SELECT 1 FROM usage_changes c \
         WHERE c.repository_id = p.repository_id AND c.digest = p.digest) \
         UNION ALL SELECT o.repository_id, o.digest, NULL, o.size FROM usage_objects o \
         WHERE o.repository_id = $1 \
         AND NOT EXISTS (SELECT 1 FROM layers l WHERE l.repository_id = $1 AND l.digest = o.digest) \
         AND NOT EXISTS (SELECT 1 FROM images i WHERE i.repository_id = $1 AND i.digest = o.digest) \
         AND NOT EXISTS (SELECT 1 FROM usage_changes c WHERE c.repository_id = $1 \
         AND c.digest = o.digest) LIMIT $2",
        values![repository_id, limit],
    )
    .await?
    .iter()
    .map(uncounted)
    .collect()
}

/// Writes the right size to what is counted of a layer or manifest.
///
/// # Errors
/// The engine's.
pub async fn set_counted_size(
    conn: &mut Conn<'_>,
    repository_id: i64,
    digest: &str,
    size: i64,
) -> Result<()> {
    conn.execute(
        "UPDATE usage_objects SET size = $3 WHERE repository_id = $1 AND digest = $2",
        values![repository_id, digest, size],
    )
    .await
    .map(drop)
}

/// A total of what is stored, and what the counted layers and manifests add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Total {
    /// Account and region.
    pub registry: String,
    /// Whose total it is.
    pub subject: String,
    /// Bytes stored: the total, and the sum.
    pub stored: (i64, i64),
    /// Bytes that other repositories of the registry have as well, likewise.
    pub shared: (i64, i64),
}

fn total(row: &Row) -> Result<Total> {
    Ok(Total {
        registry: row.text(0)?,
        subject: row.text(1)?,
        stored: (row.int(2)?, row.int(4)?),
        shared: (row.int(3)?, row.int(5)?),
    })
}

/// The total of a repository.
///
/// # Errors
/// The engine's.
pub async fn total_of(
    conn: &mut Conn<'_>,
    registry: &str,
    subject: &str,
    repository_id: i64,
) -> Result<Total> {
    let row = conn
        .fetch_one(
            "SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), \
             COALESCE((SELECT stored FROM usage_stored WHERE registry = $1 AND subject = $2), 0), \
             COALESCE((SELECT shared FROM usage_stored WHERE registry = $1 AND subject = $2), 0), \
             (SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM usage_objects \
             WHERE registry = $1 AND repository_id = $3), \
             (SELECT CAST(COALESCE(SUM(o.size), 0) AS BIGINT) FROM usage_objects o \
             WHERE o.registry = $1 AND o.repository_id = $3 AND EXISTS (SELECT 1 FROM usage_objects p \
             WHERE p.registry = $1 AND p.digest = o.digest AND p.repository_id <> $3))",
            values![registry, subject, repository_id],
        )
        .await?;
    total(&row)
}

/// The totals of registries: of each digest once.
///
/// # Errors
/// The engine's.
pub async fn totals_of_registries(conn: &mut Conn<'_>, subject: &str) -> Result<Vec<Total>> {
    conn.fetch_all(
        "SELECT s.registry, s.subject, s.stored, s.shared, (SELECT CAST(COALESCE(SUM(d.size), 0) AS BIGINT) \
         FROM (SELECT MAX(size) AS size FROM usage_objects o WHERE o.registry = s.registry \
         GROUP BY o.digest) d), CAST(0 AS BIGINT) FROM usage_stored s WHERE s.subject = $1 ORDER BY s.registry",
        values![subject],
    )
    .await?
    .iter()
    .map(total)
    .collect()
}

/// Writes a total.
///
/// # Errors
/// The engine's.
pub async fn set_total(
    conn: &mut Conn<'_>,
    registry: &str,
    subject: &str,
    stored: i64,
    shared: i64,
) -> Result<()> {
    conn.execute(
        "INSERT INTO usage_stored (registry, subject, stored, shared) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (registry, subject) DO UPDATE SET stored = $3, shared = $4",
        values![registry, subject, stored, shared],
    )
    .await
    .map(drop)
}
