//! The table `image_terms`, and what a search reads beside it.

use crate::{Conn, Result, Row, Value, values};

/// Terms that one statement adds.
const CHUNK: usize = 8;

/// Adds terms of an image: kind and term, each once.
///
/// # Errors
/// The engine's.
pub async fn add_terms(
    conn: &mut Conn<'_>,
    registry: &str,
    image_id: i64,
    terms: &[(&'static str, String)],
) -> Result<()> {
    for chunk in terms.chunks(CHUNK) {
        let mut params = values![registry, image_id];
        for (kind, term) in chunk {
            params.push(Value::from(*kind));
            params.push(Value::from(term));
        }
        // Filled up with the last one, which is there then.
        let last = params[params.len() - 2..].to_vec();
        while params.len() < 2 + 2 * CHUNK {
            params.extend(last.iter().cloned());
        }
        conn.execute(
            "INSERT INTO image_terms (registry, image_id, kind, term) VALUES \
             ($1, $2, $3, $4), ($1, $2, $5, $6), ($1, $2, $7, $8), ($1, $2, $9, $10), \
             ($1, $2, $11, $12), ($1, $2, $13, $14), ($1, $2, $15, $16), ($1, $2, $17, $18) \
             ON CONFLICT (registry, kind, term, image_id) DO NOTHING",
            params,
        )
        .await?;
    }
    Ok(())
}

/// The first text behind all that begin with `prefix`.
fn end_of(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}

/// Images by a term that begins with `prefix`, in the order of terms and images, after the place; term and
/// image.
///
/// # Errors
/// The engine's.
pub async fn by_prefix(
    conn: &mut Conn<'_>,
    registry: &str,
    kind: &str,
    prefix: &str,
    after: (&str, i64),
    limit: i64,
) -> Result<Vec<(String, i64)>> {
    let from = if after.0.is_empty() { prefix } else { after.0 };
    conn.fetch_all(
        "SELECT term, image_id FROM image_terms WHERE registry = $1 AND kind = $2 \
         AND term >= $3 AND term < $4 AND (term > $3 OR image_id > $5) \
         ORDER BY term, image_id LIMIT $6",
        values![registry, kind, from, end_of(prefix), after.1, limit],
    )
    .await?
    .iter()
    .map(|row| Ok((row.text(0)?, row.int(1)?)))
    .collect()
}

/// Images with exactly this term, newest first, before the image `before`.
///
/// # Errors
/// The engine's.
pub async fn by_term(
    conn: &mut Conn<'_>,
    registry: &str,
    kind: &str,
    term: &str,
    before: i64,
    limit: i64,
) -> Result<Vec<i64>> {
    conn.fetch_all(
        "SELECT image_id FROM image_terms WHERE registry = $1 AND kind = $2 AND term = $3 \
         AND image_id < $4 ORDER BY image_id DESC LIMIT $5",
        values![registry, kind, term, before, limit],
    )
    .await?
    .iter()
    .map(|row| row.int(0))
    .collect()
}

/// Images by the time of their push, newest first, before the place of time and image; with a pusher, those
/// of the pusher.
///
/// # Errors
/// The engine's.
pub async fn by_push(
    conn: &mut Conn<'_>,
    registry: &str,
    pushed_by: Option<&str>,
    first: i64,
    before: (i64, i64),
    limit: i64,
) -> Result<Vec<(i64, i64)>> {
    let params = values![
        registry,
        first,
        before.0,
        before.1,
        limit,
        pushed_by.unwrap_or_default()
    ];
    let sql = match pushed_by {
        Some(_) => {
            "SELECT pushed_at, image_id FROM image_facts WHERE registry = $1 AND pushed_by = $6 \
             AND pushed_at >= $2 AND pushed_at <= $3 AND (pushed_at < $3 OR image_id < $4) \
             ORDER BY pushed_at DESC, image_id DESC LIMIT $5"
        }
        None => {
            "SELECT pushed_at, image_id FROM image_facts WHERE registry = $1 AND $6 = $6 \
             AND pushed_at >= $2 AND pushed_at <= $3 AND (pushed_at < $3 OR image_id < $4) \
             ORDER BY pushed_at DESC, image_id DESC LIMIT $5"
        }
    };
    conn.fetch_all(sql, params)
        .await?
        .iter()
        .map(|row| Ok((row.int(0)?, row.int(1)?)))
        .collect()
}

/// Tags that begin with `prefix` in all repositories of a registry, after the place of tag and repository:
/// tag, repository and image.
///
/// # Errors
/// The engine's.
pub async fn tags(
    conn: &mut Conn<'_>,
    registry: &str,
    prefix: &str,
    after: (&str, i64),
    limit: i64,
) -> Result<Vec<(String, i64, i64)>> {
    let from = if after.0.is_empty() { prefix } else { after.0 };
    conn.fetch_all(
        "SELECT tag, repository_id, image_id FROM image_tags WHERE registry = $1 \
         AND tag >= $2 AND tag < $3 AND (tag > $2 OR repository_id > $4) \
         ORDER BY tag, repository_id LIMIT $5",
        values![registry, from, end_of(prefix), after.1, limit],
    )
    .await?
    .iter()
    .map(|row| Ok((row.text(0)?, row.int(1)?, row.int(2)?)))
    .collect()
}

/// Whether an image has a term: exactly, or one that begins with it.
///
/// # Errors
/// The engine's.
pub async fn has_term(
    conn: &mut Conn<'_>,
    registry: &str,
    image_id: i64,
    kind: &str,
    term: &str,
    is_prefix: bool,
) -> Result<bool> {
    let end = if is_prefix {
        end_of(term)
    } else {
        // No text lies between a text and itself with the smallest character behind it.
        format!("{term}\u{1}")
    };
    conn.fetch_optional(
        "SELECT 1 FROM image_terms WHERE image_id = $1 AND registry = $2 AND kind = $3 \
         AND term >= $4 AND term < $5 LIMIT 1",
        values![image_id, registry, kind, term, end],
    )
    .await
    .map(|row| row.is_some())
}

/// The first tag of an image that begins with `prefix`.
///
/// # Errors
/// The engine's.
pub async fn first_tag(conn: &mut Conn<'_>, image_id: i64, prefix: &str) -> Result<Option<String>> {
    conn.fetch_optional(
        "SELECT tag FROM image_tags WHERE image_id = $1 AND tag >= $2 AND tag < $3 \
         ORDER BY tag LIMIT 1",
        values![image_id, prefix, end_of(prefix)],
    )
    .await?
    .map(|row| row.text(0))
    .transpose()
}

/// An image as a search shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its repository's id.
    pub repository_id: i64,
    /// Its repository's name.
    pub repository: String,
    /// Its digest.
    pub digest: String,
    /// The manifest's media type.
    pub media_type: String,
    /// The manifest's artifact type, or its config's media type.
    pub artifact_type: Option<String>,
    /// Milliseconds since the epoch.
    pub pushed_at: i64,
    /// The ARN of who pushed it.
    pub pushed_by: Option<String>,
    /// Its platform.
    pub platform: Option<String>,
}

fn found(row: &Row) -> Result<Found> {
    Ok(Found {
        repository_id: row.int(0)?,
        repository: row.text(1)?,
        digest: row.text(2)?,
        media_type: row.text(3)?,
        artifact_type: row.opt_text(4)?,
        pushed_at: row.int(5)?,
        pushed_by: row.opt_text(6)?,
        platform: row.opt_text(7)?,
    })
}

/// An image by its id.
///
/// # Errors
/// The engine's.
pub async fn image(conn: &mut Conn<'_>, image_id: i64) -> Result<Option<Found>> {
    conn.fetch_optional(
        "SELECT r.id, r.name, i.digest, i.media_type, i.artifact_type, i.pushed_at, f.pushed_by, \
         f.platform FROM images i JOIN repositories r ON r.id = i.repository_id \
         LEFT JOIN image_facts f ON f.image_id = i.id WHERE i.id = $1",
        values![image_id],
    )
    .await?
    .as_ref()
    .map(found)
    .transpose()
}
