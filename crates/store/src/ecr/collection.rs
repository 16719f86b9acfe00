//! The table `collections`, and what a collection reads and deletes: layers that no image needs, and blobs that
//! no repository has.
//!
//! What changes layers belongs in a transaction of [`crate::Scope::Repository`], all else in one of [`SCOPE`].

use std::collections::HashSet;

use super::usage;
use crate::{Conn, Result, Row, Scope, Value, values};

/// Keys that one statement asks about.
const KEYS: usize = 16;

/// The scope of runs and of blobs.
pub const SCOPE: Scope<'static> = Scope::System("collection");

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The row's id: later runs have higher ones.
    pub number: i64,
    /// The id that clients see.
    pub id: String,
    /// `RUNNING`, `COMPLETE`, `STOPPED` or `FAILED`.
    pub status: String,
    /// Whether it only counts.
    pub dry_run: bool,
    /// Whether it deletes unknown files however many they are.
    pub forced: bool,
    /// Whether it looks at files too.
    pub with_files: bool,
    /// What it looks at.
    pub stage: String,
    /// After which key of the stage it goes on.
    pub place: String,
    /// Milliseconds since the epoch.
    pub started_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// Layers, blobs and files that it looked at.
    pub examined: i64,
    /// Stored copies that it deleted, or would delete.
    pub deleted: i64,
    /// Their bytes.
    pub deleted_bytes: i64,
    /// Files of which there is a row.
    pub known_files: i64,
    /// Files of which there is none.
    pub unknown_files: i64,
    /// Why it failed.
    pub reason: Option<String>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT number, id, status, dry_run, forced, stage, place, started_at, ended_at, examined, ",
            "deleted, deleted_bytes, known_files, unknown_files, reason, with_files FROM collections ",
            $rest
        )
    };
}

fn run(row: &Row) -> Result<Run> {
    Ok(Run {
        number: row.int(0)?,
        id: row.text(1)?,
        status: row.text(2)?,
        dry_run: row.int(3)? == 1,
        forced: row.int(4)? == 1,
        stage: row.text(5)?,
        place: row.text(6)?,
        started_at: row.int(7)?,
        ended_at: row.opt_int(8)?,
        examined: row.int(9)?,
        deleted: row.int(10)?,
        deleted_bytes: row.int(11)?,
        known_files: row.int(12)?,
        unknown_files: row.int(13)?,
        reason: row.opt_text(14)?,
        with_files: row.int(15)? == 1,
    })
}

/// The run that goes on.
///
/// # Errors
/// The engine's.
pub async fn running(conn: &mut Conn<'_>) -> Result<Option<Run>> {
    let row = conn
        .fetch_optional(select!("WHERE status = 'RUNNING'"), values![])
        .await?;
    row.as_ref().map(run).transpose()
}

/// The run that began last and was no dry run.
///
/// # Errors
/// The engine's.
pub async fn latest(conn: &mut Conn<'_>) -> Result<Option<Run>> {
    let row = conn
        .fetch_optional(
            select!("WHERE dry_run = 0 ORDER BY number DESC LIMIT 1"),
            values![],
        )
        .await?;
    row.as_ref().map(run).transpose()
}

/// A run by its id.
///
/// # Errors
/// The engine's.
pub async fn get(conn: &mut Conn<'_>, id: &str) -> Result<Option<Run>> {
    let row = conn
        .fetch_optional(select!("WHERE id = $1"), values![id])
        .await?;
    row.as_ref().map(run).transpose()
}

/// Runs before the one with this number, the newest first.
///
/// # Errors
/// The engine's.
pub async fn list(conn: &mut Conn<'_>, before: i64, limit: i64) -> Result<Vec<Run>> {
    conn.fetch_all(
        select!("WHERE number < $1 ORDER BY number DESC LIMIT $2"),
        values![before, limit],
    )
    .await?
    .iter()
    .map(run)
    .collect()
}

/// Writes a new run that goes on; false when another one does. Its number is not used.
///
/// # Errors
/// The engine's.
pub async fn insert(conn: &mut Conn<'_>, new: &Run) -> Result<bool> {
    let inserted = conn
        .execute(
            "INSERT INTO collections (id, status, dry_run, forced, with_files, stage, place, started_at, \
             ended_at, examined, deleted, deleted_bytes, known_files, unknown_files, reason) \
             VALUES ($1, 'RUNNING', $2, $3, $4, $5, $6, $7, NULL, 0, 0, 0, 0, 0, NULL) \
             ON CONFLICT DO NOTHING",
            values![
                new.id.as_str(),
                new.dry_run,
                new.forced,
                new.with_files,
                new.stage.as_str(),
                new.place.as_str(),
                new.started_at,
            ],
        )
        .await?;
    Ok(inserted == 1)
}

/// Writes down how far a run is, or how it ended; false when it was stopped meanwhile.
///
/// # Errors
/// The engine's.
pub async fn save(conn: &mut Conn<'_>, run: &Run) -> Result<bool> {
    let saved = conn
        .execute(
            "UPDATE collections SET status = $2, stage = $3, place = $4, ended_at = $5, examined = $6, \
             deleted = $7, deleted_bytes = $8, known_files = $9, unknown_files = $10, reason = $11 \
             WHERE number = $1 AND status = 'RUNNING'",
            values![
                run.number,
                run.status.as_str(),
                run.stage.as_str(),
                run.place.as_str(),
                run.ended_at,
                run.examined,
                run.deleted,
                run.deleted_bytes,
                run.known_files,
                run.unknown_files,
                run.reason.clone(),
            ],
        )
        .await?;
    Ok(saved == 1)
}

/// Deletes all runs but the newest `keep` and the one that goes on.
///
/// # Errors
/// The engine's.
pub async fn prune(conn: &mut Conn<'_>, keep: i64) -> Result<u64> {
    conn.execute(
        "DELETE FROM collections WHERE status <> 'RUNNING' AND number <= \
         (SELECT max(number) FROM collections) - $1",
        values![keep],
    )
    .await
}

/// A layer as a collection sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenLayer {
    /// The repository.
    pub repository_id: i64,
    /// The digest.
    pub digest: String,
    /// When the repository got it.
    pub linked_at: i64,
    /// Since when no image is known to need it.
    pub unused_since: Option<i64>,
    /// Whether an image of the repository needs it.
    pub is_used: bool,
}

/// The layers after one of them, in the order of repository and digest.
///
/// # Errors
/// The engine's.
pub async fn layers_after(
    conn: &mut Conn<'_>,
    (repository_id, digest): (i64, &str),
    limit: i64,
) -> Result<Vec<SeenLayer>> {
    conn.fetch_all(
        "SELECT l.repository_id, l.digest, l.linked_at, l.unused_since, CAST(CASE WHEN EXISTS (\
         SELECT 1 FROM image_layers i WHERE i.repository_id = l.repository_id AND i.digest = l.digest) \
         THEN 1 ELSE 0 END AS BIGINT) FROM layers l WHERE (l.repository_id, l.digest) > ($1, $2) \
         ORDER BY l.repository_id, l.digest LIMIT $3",
        values![repository_id, digest, limit],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(SeenLayer {
            repository_id: row.int(0)?,
            digest: row.text(1)?,
            linked_at: row.int(2)?,
            unused_since: row.opt_int(3)?,
            is_used: row.int(4)? == 1,
        })
    })
    .collect()
}

/// Notes that no image needs a layer, from now on; false when one does, or it was noted before.
///
/// # Errors
/// The engine's.
pub async fn mark_unused(
    conn: &mut Conn<'_>,
    repository_id: i64,
    digest: &str,
    now: i64,
) -> Result<bool> {
    let marked = conn
        .execute(
            "UPDATE layers SET unused_since = $3 \
             WHERE repository_id = $1 AND digest = $2 AND unused_since IS NULL AND NOT EXISTS (\
             SELECT 1 FROM image_layers WHERE repository_id = $1 AND digest = $2)",
            values![repository_id, digest, now],
        )
        .await?;
    Ok(marked == 1)
}

/// Takes such a note back, since an image needs the layer.
///
/// # Errors
/// The engine's.
pub async fn mark_used(conn: &mut Conn<'_>, repository_id: i64, digest: &str) -> Result<()> {
    conn.execute(
        "UPDATE layers SET unused_since = NULL WHERE repository_id = $1 AND digest = $2",
        values![repository_id, digest],
    )
    .await
    .map(drop)
}

/// Notes that a client was told that the layer is there: its time begins again.
///
/// # Errors
/// The engine's.
pub async fn ask_for_unused(
    conn: &mut Conn<'_>,
    repository_id: i64,
    digest: &str,
    now: i64,
) -> Result<()> {
    conn.execute(
        "UPDATE layers SET unused_since = $3 \
         WHERE repository_id = $1 AND digest = $2 AND unused_since < $3",
        values![repository_id, digest, now],
    )
    .await
    .map(drop)
}

/// Takes a layer away from a repository that no image has needed since `until` or longer, and says its size;
/// `None` when one needs it, or a client asked for it meanwhile.
///
/// # Errors
/// The engine's.
pub async fn unlink_unused(
    conn: &mut Conn<'_>,
    repository_id: i64,
    digest: &str,
    until: i64,
) -> Result<Option<i64>> {
    let row = conn
        .fetch_optional(
            "DELETE FROM layers WHERE repository_id = $1 AND digest = $2 AND unused_since <= $3 \
             AND NOT EXISTS (SELECT 1 FROM image_layers WHERE repository_id = $1 AND digest = $2) \
             RETURNING size",
            values![repository_id, digest, until],
        )
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    usage::changed(conn, repository_id, digest).await?;
    row.int(0).map(Some)
}

/// A blob as a collection sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenBlob {
    /// The digest.
    pub digest: String,
    /// The id of the key that it is encrypted under, or nothing.
    pub encryption: String,
    /// Its length.
    pub size: i64,
    /// Whether a repository has it.
    pub is_linked: bool,
}

/// The blobs after one of them, in the order of digest and key.
///
/// # Errors
/// The engine's.
pub async fn blobs_after(
    conn: &mut Conn<'_>,
    (digest, encryption): (&str, &str),
    limit: i64,
) -> Result<Vec<SeenBlob>> {
    conn.fetch_all(
        "SELECT b.digest, b.encryption, b.size, CAST(CASE WHEN EXISTS (SELECT 1 FROM layers l \
         WHERE l.digest = b.digest AND l.encryption = b.encryption) THEN 1 ELSE 0 END AS BIGINT) \
         FROM blobs b WHERE (b.digest, b.encryption) > ($1, $2) \
         ORDER BY b.digest, b.encryption LIMIT $3",
        values![digest, encryption, limit],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(SeenBlob {
            digest: row.text(0)?,
            encryption: row.text(1)?,
            size: row.int(2)?,
            is_linked: row.int(3)? == 1,
        })
    })
    .collect()
}

/// Deletes a blob that no repository has, and says the key of its copy, which the caller deletes after the
/// commit; `None` when one has it.
///
/// # Errors
/// [`crate::Error::ForeignKey`] when a repository gets it at this moment.
pub async fn delete_unlinked(
    conn: &mut Conn<'_>,
    digest: &str,
    encryption: &str,
) -> Result<Option<String>> {
    conn.fetch_optional(
        "DELETE FROM blobs WHERE digest = $1 AND encryption = $2 AND NOT EXISTS (\
         SELECT 1 FROM layers WHERE digest = $1 AND encryption = $2) RETURNING object_key",
        values![digest, encryption],
    )
    .await?
    .map(|row| row.text(0))
    .transpose()
}

/// The size of a layer's blob that would have no repository any more if all layers went that are unused since
/// `until` or longer; `None` where one would stay, or a repository with a lower id counts it.
///
/// # Errors
/// The engine's.
pub async fn would_free(
    conn: &mut Conn<'_>,
    repository_id: i64,
    digest: &str,
    until: i64,
) -> Result<Option<i64>> {
    conn.fetch_optional(
        "SELECT l.size FROM layers l WHERE l.repository_id = $1 AND l.digest = $2 AND NOT EXISTS (\
         SELECT 1 FROM layers o WHERE o.digest = l.digest AND o.encryption = l.encryption AND (\
         o.unused_since IS NULL OR o.unused_since > $3 OR o.repository_id < l.repository_id OR EXISTS (\
         SELECT 1 FROM image_layers i WHERE i.repository_id = o.repository_id AND i.digest = o.digest)))",
        values![repository_id, digest, until],
    )
    .await?
    .map(|row| row.int(0))
    .transpose()
}

/// Those of `keys` that are copies of blobs.
///
/// # Errors
/// The engine's.
pub async fn known_copies(conn: &mut Conn<'_>, keys: &[String]) -> Result<HashSet<String>> {
    let mut known = HashSet::with_capacity(keys.len());
    for chunk in keys.chunks(KEYS) {
        let mut values: Vec<Value> = chunk.iter().map(Value::from).collect();
        values.resize(KEYS, Value::from(""));
        let rows = conn
            .fetch_all(
                "SELECT object_key FROM blobs WHERE object_key IN \
                 ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
                values,
            )
            .await?;
        for row in rows {
            known.insert(row.text(0)?);
        }
    }
    Ok(known)
}
