//! Damage: marks on rows of `blobs` and `images` whose bytes are lost or not those of their digest, and when each
//! stored copy was last found whole.

use crate::{Conn, Result, Row, Scope, values};

/// The scope of marks and of checks. A mark is set on the row of one copy, by its key: it never meets the copy that a
/// push stored in its place.
pub const SCOPE: Scope<'static> = Scope::System("integrity");

/// A stored copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// The digest of its bytes.
    pub digest: String,
    /// The id of the key that it is encrypted under; empty: it is not.
    pub encryption: String,
    /// The length of its content.
    pub size: i64,
    /// Where it is.
    pub object_key: String,
    /// Since when it is known to be lost or damaged.
    pub damaged_at: Option<i64>,
    /// When it was last known to be whole.
    pub verified_at: i64,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT digest, encryption, size, object_key, damaged_at, verified_at FROM blobs ",
            $rest
        )
    };
}

fn copy(row: &Row) -> Result<Copy> {
    Ok(Copy {
        digest: row.text(0)?,
        encryption: row.text(1)?,
        size: row.int(2)?,
        object_key: row.text(3)?,
        damaged_at: row.opt_int(4)?,
        verified_at: row.int(5)?,
    })
}

/// Notes that a copy is lost or damaged; false when that is known, or the copy was replaced or deleted meanwhile.
///
/// # Errors
/// The engine's.
pub async fn mark(
    conn: &mut Conn<'_>,
    digest: &str,
    encryption: &str,
    object_key: &str,
    now: i64,
) -> Result<bool> {
    let marked = conn
        .execute(
            "UPDATE blobs SET damaged_at = $4 WHERE digest = $1 AND encryption = $2 AND object_key = $3 \
             AND damaged_at IS NULL",
            values![digest, encryption, object_key, now],
        )
        .await?;
    Ok(marked == 1)
}

/// Notes that a copy was read: whole, which takes a mark away, or still damaged. False when it was replaced or deleted
/// meanwhile.
///
/// # Errors
/// The engine's.
pub async fn set_verified(
    conn: &mut Conn<'_>,
    copy: &Copy,
    is_whole: bool,
    now: i64,
) -> Result<bool> {
    let sql = match is_whole {
        true => {
            "UPDATE blobs SET verified_at = $4, damaged_at = NULL \
             WHERE digest = $1 AND encryption = $2 AND object_key = $3"
        }
        false => {
            "UPDATE blobs SET verified_at = $4 WHERE digest = $1 AND encryption = $2 AND object_key = $3"
        }
    };
    let set = conn
        .execute(
            sql,
            values![&copy.digest, &copy.encryption, &copy.object_key, now],
        )
        .await?;
    Ok(set == 1)
}

/// Whether a copy is first in the order of the scrub, or known to be damaged, or unknown.
///
/// # Errors
/// The engine's.
pub async fn is_suspected(conn: &mut Conn<'_>, object_key: &str) -> Result<bool> {
    let found = conn
        .fetch_optional(
            "SELECT 1 FROM blobs WHERE object_key = $1 AND verified_at > 0 AND damaged_at IS NULL",
            values![object_key],
        )
        .await?;
    Ok(found.is_none())
}

/// Puts a copy first in the order of the scrub; false when it is there, or another copy took its place.
///
/// # Errors
/// The engine's.
pub async fn suspect(conn: &mut Conn<'_>, object_key: &str) -> Result<bool> {
    let noted = conn
        .execute(
            "UPDATE blobs SET verified_at = 0 WHERE object_key = $1 AND verified_at > 0 AND damaged_at IS NULL",
            values![object_key],
        )
        .await?;
    Ok(noted == 1)
}

/// The row of a copy as it is now; `None` when another one took its place, or none did.
///
/// # Errors
/// The engine's.
pub async fn get(conn: &mut Conn<'_>, of: &Copy) -> Result<Option<Copy>> {
    conn.fetch_optional(
        select!("WHERE digest = $1 AND encryption = $2 AND object_key = $3"),
        values![&of.digest, &of.encryption, &of.object_key],
    )
    .await?
    .as_ref()
    .map(copy)
    .transpose()
}

/// The copies after one of them, in the order of digest and key.
///
/// # Errors
/// The engine's.
pub async fn copies_after(
    conn: &mut Conn<'_>,
    (digest, encryption): (&str, &str),
    limit: i64,
) -> Result<Vec<Copy>> {
    conn.fetch_all(
        select!("WHERE (digest, encryption) > ($1, $2) ORDER BY digest, encryption LIMIT $3"),
        values![digest, encryption, limit],
    )
    .await?
    .iter()
    .map(copy)
    .collect()
}

/// The copies that were read or stored longest ago, and before `until`.
///
/// # Errors
/// The engine's.
pub async fn read_before(conn: &mut Conn<'_>, until: i64, limit: i64) -> Result<Vec<Copy>> {
    conn.fetch_all(
        select!("WHERE verified_at < $1 ORDER BY verified_at, digest, encryption LIMIT $2"),
        values![until, limit],
    )
    .await?
    .iter()
    .map(copy)
    .collect()
}

/// How many copies are known to be lost or damaged.
///
/// # Errors
/// The engine's.
pub async fn count_marked(conn: &mut Conn<'_>) -> Result<i64> {
    conn.fetch_one(
        "SELECT count(*) FROM blobs WHERE damaged_at IS NOT NULL",
        values![],
    )
    .await?
    .int(0)
}

/// Damaged content of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// Its digest.
    pub digest: String,
    /// The repository.
    pub repository_id: i64,
    /// The length of a layer; of a manifest, the image's id.
    pub number: i64,
}

fn damaged(row: &Row) -> Result<Damaged> {
    Ok(Damaged {
        digest: row.text(0)?,
        repository_id: row.int(1)?,
        number: row.int(2)?,
    })
}

/// Layers whose copies are known to be damaged, after one of them, in the order of digest and repository: once for each
/// repository that has one.
///
/// # Errors
/// The engine's.
pub async fn layers_after(
    conn: &mut Conn<'_>,
    (digest, repository_id): (&str, i64),
    limit: i64,
) -> Result<Vec<Damaged>> {
    conn.fetch_all(
        "SELECT b.digest, l.repository_id, b.size FROM blobs b \
         JOIN layers l ON l.digest = b.digest AND l.encryption = b.encryption \
         WHERE b.damaged_at IS NOT NULL AND (b.digest, l.repository_id) > ($1, $2) \
         ORDER BY b.digest, l.repository_id LIMIT $3",
        values![digest, repository_id, limit],
    )
    .await?
    .iter()
    .map(damaged)
    .collect()
}

/// Images whose manifests are known to be damaged, after the one of this id.
///
/// # Errors
/// The engine's.
pub async fn images_after(conn: &mut Conn<'_>, id: i64, limit: i64) -> Result<Vec<Damaged>> {
    conn.fetch_all(
        "SELECT digest, repository_id, id FROM images \
         WHERE damaged_at IS NOT NULL AND id > $1 ORDER BY id LIMIT $2",
        values![id, limit],
    )
    .await?
    .iter()
    .map(damaged)
    .collect()
}

/// Whether an image is known to be damaged.
///
/// # Errors
/// The engine's.
pub async fn is_image_damaged(conn: &mut Conn<'_>, image_id: i64) -> Result<bool> {
    let found = conn
        .fetch_optional(
            "SELECT 1 FROM images WHERE id = $1 AND damaged_at IS NOT NULL",
            values![image_id],
        )
        .await?;
    Ok(found.is_some())
}

/// The repositories that have a blob.
///
/// # Errors
/// The engine's.
pub async fn repositories_of(
    conn: &mut Conn<'_>,
    digest: &str,
    encryption: &str,
) -> Result<Vec<i64>> {
    conn.fetch_all(
        "SELECT repository_id FROM layers WHERE digest = $1 AND encryption = $2 ORDER BY repository_id",
        values![digest, encryption],
    )
    .await?
    .iter()
    .map(|row| row.int(0))
    .collect()
}

/// Notes that an image's manifest is not that of its digest; false when that is known.
///
/// # Errors
/// The engine's.
pub async fn mark_image(conn: &mut Conn<'_>, image_id: i64, now: i64) -> Result<bool> {
    let marked = conn
        .execute(
            "UPDATE images SET damaged_at = $2 WHERE id = $1 AND damaged_at IS NULL",
            values![image_id, now],
        )
        .await?;
    Ok(marked == 1)
}

/// Takes the mark away from an image whose manifest is the right one.
///
/// # Errors
/// The engine's.
pub async fn unmark_image(conn: &mut Conn<'_>, image_id: i64) -> Result<()> {
    conn.execute(
        "UPDATE images SET damaged_at = NULL WHERE id = $1",
        values![image_id],
    )
    .await
    .map(drop)
}

/// Gives an image the manifest of its digest again.
///
/// # Errors
/// The engine's.
pub async fn restore_manifest(conn: &mut Conn<'_>, image_id: i64, content: &[u8]) -> Result<()> {
    let size = i64::try_from(content.len()).unwrap_or(i64::MAX);
    conn.execute(
        "UPDATE images SET content = $2, content_size = $3, damaged_at = NULL WHERE id = $1",
        values![image_id, content, size],
    )
    .await
    .map(drop)
}
