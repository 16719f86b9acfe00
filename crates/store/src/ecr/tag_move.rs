//! The table `tag_moves`: which images the tags of a repository named, when, and by whom.

use crate::{Conn, Result, Row, values};

/// A move of a tag: from one image to another, from nothing, or to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagMove {
    /// The row's id; later moves have greater ones.
    pub id: i64,
    /// The tag.
    pub tag: String,
    /// Milliseconds since the epoch.
    pub moved_at: i64,
    /// How: a word of the registry's closed list.
    pub method: String,
    /// The image before.
    pub from_digest: Option<String>,
    /// The image afterwards.
    pub to_digest: Option<String>,
    /// The ARN of who did it.
    pub principal: Option<String>,
    /// The name of the session.
    pub session_name: Option<String>,
    /// The part of the server that did it, in place of a principal.
    pub service: Option<String>,
    /// The request.
    pub request_id: Option<String>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, tag, moved_at, method, from_digest, to_digest, principal, session_name, ",
            "service, request_id FROM tag_moves ",
            $rest
        )
    };
}

fn read(row: &Row) -> Result<TagMove> {
    Ok(TagMove {
        id: row.int(0)?,
        tag: row.text(1)?,
        moved_at: row.int(2)?,
        method: row.text(3)?,
        from_digest: row.opt_text(4)?,
        to_digest: row.opt_text(5)?,
        principal: row.opt_text(6)?,
        session_name: row.opt_text(7)?,
        service: row.opt_text(8)?,
        request_id: row.opt_text(9)?,
    })
}

/// Adds a move; the row's own `id` is not looked at.
///
/// # Errors
/// The engine's.
pub async fn insert(conn: &mut Conn<'_>, repository_id: i64, new: &TagMove) -> Result<()> {
    conn.execute(
        "INSERT INTO tag_moves (repository_id, tag, moved_at, method, from_digest, to_digest, \
         principal, session_name, service, request_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        values![
            repository_id,
            &new.tag,
            new.moved_at,
            &new.method,
            new.from_digest.clone(),
            new.to_digest.clone(),
            new.principal.clone(),
            new.session_name.clone(),
            new.service.clone(),
            new.request_id.clone(),
        ],
    )
    .await
    .map(drop)
}

/// Which moves a list is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter<'a> {
    /// All of the repository.
    All,
    /// Those of a tag.
    Tag(&'a str),
    /// Those to an image or away from it.
    Digest(&'a str),
    /// Both.
    TagAndDigest(&'a str, &'a str),
}

/// At most `limit` moves with ids below `before`, newest first.
///
/// # Errors
/// The engine's.
pub async fn list(
    conn: &mut Conn<'_>,
    repository_id: i64,
    filter: Filter<'_>,
    before: i64,
    limit: i64,
) -> Result<Vec<TagMove>> {
    let rows = match filter {
        Filter::All => {
            let sql = select!("WHERE repository_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
            conn.fetch_all(sql, values![repository_id, before, limit])
                .await?
        }
        Filter::Tag(tag) => {
            let sql = select!(
                "WHERE repository_id = $1 AND tag = $4 AND id < $2 ORDER BY id DESC LIMIT $3"
            );
            conn.fetch_all(sql, values![repository_id, before, limit, tag])
                .await?
        }
        // A tag's moves are bounded, so its index does the work.
        Filter::TagAndDigest(tag, digest) => {
            let sql = select!(
                "WHERE repository_id = $1 AND tag = $4 AND id < $2 \
                 AND (to_digest = $5 OR from_digest = $5) ORDER BY id DESC LIMIT $3"
            );
            conn.fetch_all(sql, values![repository_id, before, limit, tag, digest])
                .await?
        }
        // Each half reads its own index; a move is from one image to another, so no row is in both.
        Filter::Digest(digest) => {
            let params = || values![repository_id, before, limit, digest];
            let to = select!(
                "WHERE repository_id = $1 AND to_digest = $4 AND id < $2 ORDER BY id DESC LIMIT $3"
            );
            let from = select!(
                "WHERE repository_id = $1 AND from_digest = $4 AND id < $2 ORDER BY id DESC LIMIT $3"
            );
            let mut rows = conn.fetch_all(to, params()).await?;
            rows.extend(conn.fetch_all(from, params()).await?);
            let mut moves = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
            moves.sort_unstable_by_key(|one| std::cmp::Reverse(one.id));
            moves.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            return Ok(moves);
        }
    };
    rows.iter().map(read).collect()
}

/// Whether the tag named this image, as far as the moves that are kept tell.
///
/// # Errors
/// The engine's.
pub async fn named(
    conn: &mut Conn<'_>,
    repository_id: i64,
    tag: &str,
    digest: &str,
) -> Result<bool> {
    conn.fetch_optional(
        "SELECT 1 FROM tag_moves WHERE repository_id = $1 AND tag = $2 \
         AND (to_digest = $3 OR from_digest = $3) LIMIT 1",
        values![repository_id, tag, digest],
    )
    .await
    .map(|row| row.is_some())
}

/// The tags that were moved after the row `after`, at most `limit` rows of them: the last row's id, and
/// repository and tag, each once.
///
/// # Errors
/// The engine's.
pub async fn moved_after(
    conn: &mut Conn<'_>,
    after: i64,
    limit: i64,
) -> Result<Option<(i64, Vec<(i64, String)>)>> {
    let rows = conn
        .fetch_all(
            "SELECT id, repository_id, tag FROM tag_moves WHERE id > $1 ORDER BY id LIMIT $2",
            values![after, limit],
        )
        .await?;
    let Some(last) = rows.last() else {
        return Ok(None);
    };
    let last = last.int(0)?;
    let mut tags = rows
        .iter()
        .map(|row| Ok((row.int(1)?, row.text(2)?)))
        .collect::<Result<Vec<_>>>()?;
    tags.sort_unstable();
    tags.dedup();
    Ok(Some((last, tags)))
}

/// Removes all but the newest `keep` moves of a tag; how many went.
///
/// # Errors
/// The engine's.
pub async fn prune_tag(
    conn: &mut Conn<'_>,
    repository_id: i64,
    tag: &str,
    keep: i64,
) -> Result<u64> {
    conn.execute(
        "DELETE FROM tag_moves WHERE repository_id = $1 AND tag = $2 AND id <= \
         (SELECT id FROM tag_moves WHERE repository_id = $1 AND tag = $2 \
         ORDER BY id DESC LIMIT 1 OFFSET $3)",
        values![repository_id, tag, keep],
    )
    .await
}

/// Removes all but the newest `keep` moves of a repository; how many went.
///
/// # Errors
/// The engine's.
pub async fn prune_repository(conn: &mut Conn<'_>, repository_id: i64, keep: i64) -> Result<u64> {
    conn.execute(
        "DELETE FROM tag_moves WHERE repository_id = $1 AND id <= \
         (SELECT id FROM tag_moves WHERE repository_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
        values![repository_id, keep],
    )
    .await
}
