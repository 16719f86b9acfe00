//! The table `image_tags`.

use crate::{Conn, Result, values};

/// Points a tag at an image, whatever it pointed at before.
///
/// # Errors
/// The engine's.
pub async fn put(
    conn: &mut Conn<'_>,
    repository_id: i64,
    tag: &str,
    image_id: i64,
    now: i64,
) -> Result<()> {
    conn.execute(
        "INSERT INTO image_tags (repository_id, tag, image_id, tagged_at, registry) \
         SELECT id, $2, $3, $4, account || ' ' || region FROM repositories WHERE id = $1 \
         ON CONFLICT (repository_id, tag) \
         DO UPDATE SET image_id = excluded.image_id, tagged_at = excluded.tagged_at",
        values![repository_id, tag, image_id, now],
    )
    .await
    .map(drop)
}

/// The image that a tag points at: its id and digest.
///
/// # Errors
/// The engine's.
pub async fn find(
    conn: &mut Conn<'_>,
    repository_id: i64,
    tag: &str,
) -> Result<Option<(i64, String)>> {
    conn.fetch_optional(
        "SELECT i.id, i.digest FROM image_tags t JOIN images i ON i.id = t.image_id \
         WHERE t.repository_id = $1 AND t.tag = $2",
        values![repository_id, tag],
    )
    .await?
    .map(|row| Ok((row.int(0)?, row.text(1)?)))
    .transpose()
}

/// How many tags an image has.
///
/// # Errors
/// The engine's.
pub async fn count(conn: &mut Conn<'_>, image_id: i64) -> Result<i64> {
    conn.fetch_one(
        "SELECT COUNT(*) FROM image_tags WHERE image_id = $1",
        values![image_id],
    )
    .await?
    .int(0)
}

/// The tags of an image in their order. Their number is bounded by a quota.
///
/// # Errors
/// The engine's.
pub async fn of_image(conn: &mut Conn<'_>, image_id: i64) -> Result<Vec<String>> {
    conn.fetch_all(
        "SELECT tag FROM image_tags WHERE image_id = $1 ORDER BY tag",
        values![image_id],
    )
    .await?
    .iter()
    .map(|row| row.text(0))
    .collect()
}

/// The tags of those images of a repository whose ids are between `first` and `last`,
/// both included: image id and tag, in their order, at most `limit`.
///
/// # Errors
/// The engine's.
pub async fn of_images(
    conn: &mut Conn<'_>,
    repository_id: i64,
    first: i64,
    last: i64,
    limit: i64,
) -> Result<Vec<(i64, String)>> {
    conn.fetch_all(
        "SELECT t.image_id, t.tag FROM images i JOIN image_tags t ON t.image_id = i.id \
         WHERE i.repository_id = $1 AND i.id BETWEEN $2 AND $3 \
         AND t.image_id BETWEEN $2 AND $3 ORDER BY t.image_id, t.tag LIMIT $4",
        values![repository_id, first, last, limit],
    )
    .await?
    .iter()
    .map(|row| Ok((row.int(0)?, row.text(1)?)))
    .collect()
}

/// At most `limit` tags of a repository after `after`, in their order, without those of images that are not served.
///
/// The tags come in one row: a row costs more than a tag. None of them has a space.
///
/// # Errors
/// The engine's.
pub async fn list(
    conn: &mut Conn<'_>,
    repository_id: i64,
    after: &str,
    limit: i64,
) -> Result<Vec<String>> {
    // Nearly always all images are served. Both conditions in one query cost a fifth more.
    let row = conn
        .fetch_one(
            "SELECT (SELECT CAST(1 AS BIGINT) FROM images WHERE repository_id = $1 \
                     AND status IN ('ARCHIVED', 'ACTIVATING') LIMIT 1), \
             (SELECT string_agg(tag, ' ') FROM (SELECT tag FROM image_tags \
              WHERE repository_id = $1 AND tag > $2 ORDER BY tag LIMIT $3) page)",
            values![repository_id, after, limit],
        )
        .await?;
    if row.opt_int(0)?.is_none() {
        return Ok(split(row.opt_text(1)?));
    }
    let row = conn
        .fetch_one(
            "SELECT string_agg(tag, ' ') FROM (SELECT t.tag AS tag \
             FROM image_tags t JOIN images i ON i.id = t.image_id \
             WHERE t.repository_id = $1 AND t.tag > $2 AND i.status = 'ACTIVE' \
             ORDER BY t.tag LIMIT $3) page",
            values![repository_id, after, limit],
        )
        .await?;
    Ok(split(row.opt_text(0)?))
}

/// The tags of an aggregate, which is not promised to keep their order.
fn split(tags: Option<String>) -> Vec<String> {
    let mut tags: Vec<String> = match &tags {
        Some(tags) => tags.split(' ').map(str::to_owned).collect(),
        None => Vec::new(),
    };
    tags.sort_unstable();
    tags
}

/// Removes a tag; false when there is none.
///
/// # Errors
/// The engine's.
pub async fn delete(conn: &mut Conn<'_>, repository_id: i64, tag: &str) -> Result<bool> {
    let changed = conn
        .execute(
            "DELETE FROM image_tags WHERE repository_id = $1 AND tag = $2",
            values![repository_id, tag],
        )
        .await?;
    Ok(changed == 1)
}
