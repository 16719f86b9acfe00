//! The table `image_facts`: who pushed an image, and whether a search knows its terms.

use crate::{Conn, Result, values};

/// What is known of an image beside its manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFacts {
    /// Account and region.
    pub registry: String,
    /// The ARN of who pushed it.
    pub pushed_by: Option<String>,
    /// The name of the session that pushed it.
    pub pushed_session: Option<String>,
    /// `os/architecture`, with the variant where there is one.
    pub platform: Option<String>,
}

/// Adds the row of a new image, whose terms are not known yet.
///
/// # Errors
/// The engine's.
pub async fn insert(
    conn: &mut Conn<'_>,
    image_id: i64,
    repository_id: i64,
    new: &ImageFacts,
    pushed_at: i64,
) -> Result<()> {
    conn.execute(
        "INSERT INTO image_facts (image_id, repository_id, registry, pushed_at, pushed_by, \
         pushed_session, platform, indexed) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)",
        values![
            image_id,
            repository_id,
            &new.registry,
            pushed_at,
            new.pushed_by.clone(),
            new.pushed_session.clone(),
            new.platform.clone(),
        ],
    )
    .await
    .map(drop)
}

/// The facts of an image.
///
/// # Errors
/// The engine's.
pub async fn get(conn: &mut Conn<'_>, image_id: i64) -> Result<Option<ImageFacts>> {
    conn.fetch_optional(
        "SELECT registry, pushed_by, pushed_session, platform FROM image_facts WHERE image_id = $1",
        values![image_id],
    )
    .await?
    .map(|row| {
        Ok(ImageFacts {
            registry: row.text(0)?,
            pushed_by: row.opt_text(1)?,
            pushed_session: row.opt_text(2)?,
            platform: row.opt_text(3)?,
        })
    })
    .transpose()
}

/// An image whose terms are not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The image's id.
    pub image_id: i64,
    /// Its repository.
    pub repository_id: i64,
    /// Account and region.
    pub registry: String,
    /// The ARN of who pushed it.
    pub pushed_by: Option<String>,
    /// The manifest's media type.
    pub media_type: String,
    /// The manifest's artifact type, or its config's media type.
    pub artifact_type: Option<String>,
    /// The manifest's digest.
    pub digest: String,
    /// The manifest.
    pub content: Vec<u8>,
}

/// Images whose terms are not known yet, in the order of their ids.
///
/// # Errors
/// The engine's.
pub async fn waiting(conn: &mut Conn<'_>, limit: i64) -> Result<Vec<Waiting>> {
    conn.fetch_all(
        "SELECT f.image_id, f.repository_id, f.registry, f.pushed_by, i.media_type, \
         i.artifact_type, i.digest, i.content FROM image_facts f JOIN images i ON i.id = f.image_id \
         WHERE f.indexed = 0 ORDER BY f.image_id LIMIT $1",
        values![limit],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Waiting {
            image_id: row.int(0)?,
            repository_id: row.int(1)?,
            registry: row.text(2)?,
            pushed_by: row.opt_text(3)?,
            media_type: row.text(4)?,
            artifact_type: row.opt_text(5)?,
            digest: row.text(6)?,
            content: row.bytes(7)?,
        })
    })
    .collect()
}

/// Notes that the terms of an image are known; false when it is gone or was done already.
///
/// # Errors
/// The engine's.
pub async fn set_indexed(
    conn: &mut Conn<'_>,
    image_id: i64,
    platform: Option<&str>,
) -> Result<bool> {
    let changed = conn
        .execute(
            "UPDATE image_facts SET indexed = 1, platform = $2 WHERE image_id = $1 AND indexed = 0",
            values![image_id, platform.map(str::to_owned)],
        )
        .await?;
    Ok(changed == 1)
}
