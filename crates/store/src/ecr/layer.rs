//! The tables `blobs` and `layers`: what is stored, and which repositories may show it.

use super::{collection, usage};
use crate::{Conn, Result, Row, Value, values};

/// Digests that one statement asks about. A statement's text is fixed, so lists are
/// asked in pieces of this size, the last one filled up with what matches nothing.
const CHUNK: usize = 16;

/// A stored blob: where its one copy is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Its length in bytes.
    pub size: i64,
    /// The key of the copy.
    pub object_key: String,
    /// The id of the key that the copy is encrypted under; empty: it is not encrypted.
    pub encryption: String,
    /// Whether its bytes are known to be lost or damaged ([`super::damage`]).
    pub is_damaged: bool,
}

fn blob_of(row: &Row) -> Result<Blob> {
    Ok(Blob {
        size: row.int(0)?,
        object_key: row.text(1)?,
        encryption: row.text(2)?,
        is_damaged: row.opt_int(3)?.is_some(),
    })
}

/// The stored blob of a digest under a key, whichever repositories link it.
///
/// # Errors
/// The engine's.
pub async fn blob(conn: &mut Conn<'_>, digest: &str, encryption: &str) -> Result<Option<Blob>> {
    conn.fetch_optional(
        "SELECT size, object_key, encryption, damaged_at FROM blobs WHERE digest = $1 AND encryption = $2",
        values![digest, encryption],
    )
    .await?
    .map(|row| blob_of(&row))
    .transpose()
}

/// A repository's layer as its readers need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// Where its bytes are.
    pub blob: Blob,
    /// Since when no image is known to need it ([`super::collection`]).
    pub unused_since: Option<i64>,
}

/// Says that a copy is durable, and answers the row that holds from now on: this one, or that of a copy
/// which was there before. Call it before [`link`], in one transaction.
///
/// # Errors
/// The engine's.
pub async fn put_blob(conn: &mut Conn<'_>, digest: &str, new: &Blob, now: i64) -> Result<Blob> {
    let Blob {
        size,
        object_key,
        encryption,
        is_damaged: _,
    } = new;
    debug_assert!(!object_key.is_empty(), "a copy has a key");
    let inserted = conn
        .execute(
            "INSERT INTO blobs (digest, encryption, size, object_key, stored_at, verified_at) \
             VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (digest, encryption) DO NOTHING",
            values![digest, encryption, *size, object_key, now],
        )
        .await?;
    if inserted == 1 {
        return Ok(new.clone());
    }
    let found = blob(conn, digest, encryption).await?;
    let found = found.ok_or(crate::Error::NoRow)?;
    debug_assert_eq!(found.size, *size, "one digest has one size");
    Ok(found)
}

/// Replaces a copy by another one, which is whole; false when the row has changed meanwhile.
///
/// # Errors
/// The engine's.
pub async fn replace_copy(
    conn: &mut Conn<'_>,
    digest: &str,
    old_key: &str,
    new: &Blob,
    now: i64,
) -> Result<bool> {
    let changed = conn
        .execute(
            "UPDATE blobs SET object_key = $3, size = $4, stored_at = $5, verified_at = $5, damaged_at = NULL \
             WHERE digest = $1 AND object_key = $2",
            values![digest, old_key, &new.object_key, new.size, now],
        )
        .await?;
    Ok(changed == 1)
}

/// The blob behind a repository's layer; `None` when the repository has no layer of this digest, be it
/// stored or not.
///
/// # Errors
/// The engine's.
pub async fn find(conn: &mut Conn<'_>, repository_id: i64, digest: &str) -> Result<Option<Linked>> {
    conn.fetch_optional(
        "SELECT blobs.size, blobs.object_key, blobs.encryption, blobs.damaged_at, layers.unused_since FROM layers \
         JOIN blobs ON blobs.digest = layers.digest AND blobs.encryption = layers.encryption \
         WHERE layers.repository_id = $1 AND layers.digest = $2",
        values![repository_id, digest],
    )
    .await?
    .map(|row| {
        Ok(Linked {
            blob: blob_of(&row)?,
            unused_since: row.opt_int(4)?,
        })
    })
    .transpose()
}

/// Makes a blob reachable through a repository; false when it is already. Whoever adds a layer counts its
/// bytes in the same transaction (`repository::add_bytes`).
///
/// # Errors
/// [`crate::Error::ForeignKey`] when the repository or the blob is gone.
pub async fn link(
    conn: &mut Conn<'_>,
    repository_id: i64,
    digest: &str,
    blob: &Blob,
    now: i64,
) -> Result<bool> {
    let inserted = conn
        .execute(
            "INSERT INTO layers (repository_id, digest, encryption, size, linked_at) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (repository_id, digest) DO NOTHING",
            values![repository_id, digest, &blob.encryption, blob.size, now],
        )
        .await?;
    match inserted {
        1 => usage::changed(conn, repository_id, digest).await?,
        // It was pushed again.
        _ => collection::ask_for_unused(conn, repository_id, digest, now).await?,
    }
    Ok(inserted == 1)
}

/// The size of a repository's layer in bytes; `None` when the repository has none of
/// this digest, be it stored or not.
///
/// # Errors
/// The engine's.
pub async fn size(conn: &mut Conn<'_>, repository_id: i64, digest: &str) -> Result<Option<i64>> {
    conn.fetch_optional(
        "SELECT size FROM layers WHERE repository_id = $1 AND digest = $2",
        values![repository_id, digest],
    )
    .await?
    .map(|row| row.int(0))
    .transpose()
}

/// Those of `digests` that are layers of the repository and not known to be damaged, each with its size.
///
/// # Errors
/// The engine's.
pub async fn sizes(
    conn: &mut Conn<'_>,
    repository_id: i64,
    digests: &[String],
) -> Result<Vec<(String, i64)>> {
    let mut found = Vec::with_capacity(digests.len());
    for chunk in digests.chunks(CHUNK) {
        let rows = conn
            .fetch_all(
                "SELECT l.digest, l.size FROM layers l \
                 JOIN blobs b ON b.digest = l.digest AND b.encryption = l.encryption \
                 WHERE l.repository_id = $1 AND b.damaged_at IS NULL AND l.digest IN \
                 ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
                chunk_values(repository_id, chunk),
            )
            .await?;
        for row in rows {
            found.push((row.text(0)?, row.int(1)?));
        }
    }
    Ok(found)
}

/// The repository's id and one chunk of digests, filled up.
pub(super) fn chunk_values(repository_id: i64, chunk: &[String]) -> Vec<Value> {
    let mut values = values![repository_id];
    values.extend(chunk.iter().map(Value::from));
    values.resize(1 + CHUNK, Value::from(""));
    values
}

/// How many digests go into one statement.
pub(super) const fn chunk() -> usize {
    CHUNK
}

/// Whether an image of the repository needs the layer.
///
/// # Errors
/// The engine's.
pub async fn in_use(conn: &mut Conn<'_>, repository_id: i64, digest: &str) -> Result<bool> {
    conn.fetch_optional(
        "SELECT 1 FROM image_layers WHERE repository_id = $1 AND digest = $2 LIMIT 1",
        values![repository_id, digest],
    )
    .await
    .map(|row| row.is_some())
}

/// Takes a layer away from a repository and says its size; `None` when it had none. The blob stays.
///
/// # Errors
/// The engine's.
pub async fn unlink(conn: &mut Conn<'_>, repository_id: i64, digest: &str) -> Result<Option<i64>> {
    let row = conn
        .fetch_optional(
            "DELETE FROM layers WHERE repository_id = $1 AND digest = $2 RETURNING size",
            values![repository_id, digest],
        )
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    usage::changed(conn, repository_id, digest).await?;
    row.int(0).map(Some)
}
