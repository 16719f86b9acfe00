//! The table `repositories`.

use super::usage;
use crate::{Conn, Result, Row, values};

/// A repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The row's id, never used twice.
    pub id: i64,
    /// Account id.
    pub account: String,
    /// Region name.
    pub region: String,
    /// Name, unique in account and region.
    pub name: String,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// `MUTABLE`, `IMMUTABLE`, `MUTABLE_WITH_EXCLUSION`, `IMMUTABLE_WITH_EXCLUSION`.
    pub tag_mutability: String,
    /// The filters of tags that are excluded from the above, one a line.
    pub tag_mutability_exclusions: String,
    /// Stored setting of the scan on push.
    pub scan_on_push: bool,
    /// The repository policy, principals as unique ids.
    pub policy: Option<String>,
    /// How many images it holds.
    pub image_count: i64,
    /// Its read-only mode, as JSON.
    pub read_only_mode: Option<String>,
    /// The ARN of the key that its layers are encrypted under; `None`: they are not.
    pub kms_key: Option<String>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, account, region, name, created_at, tag_mutability, ",
            "tag_mutability_exclusions, scan_on_push, policy, image_count, read_only_mode, kms_key ",
            "FROM repositories ",
            $rest
        )
    };
}

impl Repository {
    fn read(row: &Row) -> Result<Self> {
        Ok(Repository {
            id: row.int(0)?,
            account: row.text(1)?,
            region: row.text(2)?,
            name: row.text(3)?,
            created_at: row.int(4)?,
            tag_mutability: row.text(5)?,
            tag_mutability_exclusions: row.text(6)?,
            scan_on_push: row.flag(7)?,
            policy: row.opt_text(8)?,
            image_count: row.int(9)?,
            read_only_mode: row.opt_text(10)?,
            kms_key: row.opt_text(11)?,
        })
    }
}

/// Adds a repository without images and says its id; the row's own `id` and
/// `image_count` are not looked at.
///
/// # Errors
/// [`crate::Error::Unique`] when the name is taken.
pub async fn insert(conn: &mut Conn<'_>, new: &Repository) -> Result<i64> {
    conn.fetch_one(
        "INSERT INTO repositories (account, region, name, created_at, tag_mutability, \
         tag_mutability_exclusions, scan_on_push, policy, kms_key, image_count) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0) RETURNING id",
        values![
            &new.account,
            &new.region,
            &new.name,
            new.created_at,
            &new.tag_mutability,
            &new.tag_mutability_exclusions,
            new.scan_on_push,
            new.policy.clone(),
            new.kms_key.clone(),
        ],
    )
    .await?
    .int(0)
}

/// The repository of this name.
///
/// # Errors
/// The engine's.
pub async fn find(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    name: &str,
) -> Result<Option<Repository>> {
    conn.fetch_optional(
        select!("WHERE account = $1 AND region = $2 AND name = $3"),
        values![account, region, name],
    )
    .await?
    .as_ref()
    .map(Repository::read)
    .transpose()
}

/// The repository of this id.
///
/// # Errors
/// The engine's.
pub async fn get(conn: &mut Conn<'_>, id: i64) -> Result<Option<Repository>> {
    conn.fetch_optional(select!("WHERE id = $1"), values![id])
        .await?
        .as_ref()
        .map(Repository::read)
        .transpose()
}

/// At most `limit` repositories in the order of their names, after `after`.
///
/// # Errors
/// The engine's.
pub async fn list(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Repository>> {
    conn.fetch_all(
        select!("WHERE account = $1 AND region = $2 AND name > $3 ORDER BY name LIMIT $4"),
        values![account, region, after, limit],
    )
    .await?
    .iter()
    .map(Repository::read)
    .collect()
}

/// How many repositories an account has in a region.
///
/// # Errors
/// The engine's.
pub async fn count(conn: &mut Conn<'_>, account: &str, region: &str) -> Result<i64> {
    conn.fetch_one(
        "SELECT COUNT(*) FROM repositories WHERE account = $1 AND region = $2",
        values![account, region],
    )
    .await?
    .int(0)
}

/// How many repositories an account has in a region, and how many images they hold.
///
/// # Errors
/// The engine's.
pub async fn counts(conn: &mut Conn<'_>, account: &str, region: &str) -> Result<(i64, i64)> {
    let row = conn
        .fetch_one(
            "SELECT COUNT(*), CAST(COALESCE(SUM(image_count), 0) AS BIGINT) FROM repositories \
             WHERE account = $1 AND region = $2",
            values![account, region],
        )
        .await?;
    Ok((row.int(0)?, row.int(1)?))
}

/// Sets or removes the repository policy; false when there is no such repository.
///
/// # Errors
/// The engine's.
pub async fn set_policy(conn: &mut Conn<'_>, id: i64, policy: Option<String>) -> Result<bool> {
    let changed = conn
        .execute(
            "UPDATE repositories SET policy = $2 WHERE id = $1",
            values![id, policy],
        )
        .await?;
    Ok(changed == 1)
}

/// Sets the tag mutability and its exclusions; false when there is no such repository.
///
/// # Errors
/// The engine's.
pub async fn set_tag_mutability(
    conn: &mut Conn<'_>,
    id: i64,
    tag_mutability: &str,
    exclusions: &str,
) -> Result<bool> {
    let changed = conn
        .execute(
            "UPDATE repositories SET tag_mutability = $2, tag_mutability_exclusions = $3 \
             WHERE id = $1",
            values![id, tag_mutability, exclusions],
        )
        .await?;
    Ok(changed == 1)
}

/// Sets the read-only mode; false when there is no such repository.
///
/// # Errors
/// The engine's.
pub async fn set_read_only_mode(conn: &mut Conn<'_>, id: i64, mode: &str) -> Result<bool> {
    let changed = conn
        .execute(
            "UPDATE repositories SET read_only_mode = $2 WHERE id = $1",
            values![id, mode],
        )
        .await?;
    Ok(changed == 1)
}

/// Sets the stored scan setting; false when there is no such repository.
///
/// # Errors
/// The engine's.
pub async fn set_scan_on_push(conn: &mut Conn<'_>, id: i64, scan_on_push: bool) -> Result<bool> {
    let changed = conn
        .execute(
            "UPDATE repositories SET scan_on_push = $2 WHERE id = $1",
            values![id, scan_on_push],
        )
        .await?;
    Ok(changed == 1)
}

/// Counts one more image unless there are `max` already; false then, or when the
/// repository is gone.
///
/// # Errors
/// The engine's.
pub async fn add_image(conn: &mut Conn<'_>, id: i64, max: i64) -> Result<bool> {
    let changed = conn
        .execute(
            "UPDATE repositories SET image_count = image_count + 1 \
             WHERE id = $1 AND image_count < $2",
            values![id, max],
        )
        .await?;
    Ok(changed == 1)
}

/// Counts one image less.
///
/// # Errors
/// The engine's.
pub async fn remove_image(conn: &mut Conn<'_>, id: i64) -> Result<()> {
    conn.execute(
        "UPDATE repositories SET image_count = image_count - 1 WHERE id = $1",
        values![id],
    )
    .await
    .map(drop)
}

/// Counts the bytes of one more layer unless that makes more than `max`; false then, or when the
/// repository is gone.
///
/// # Errors
/// The engine's.
pub async fn add_bytes(conn: &mut Conn<'_>, id: i64, bytes: i64, max: i64) -> Result<bool> {
    let changed = conn
        .execute(
            "UPDATE repositories SET layer_bytes = layer_bytes + $2 \
             WHERE id = $1 AND layer_bytes <= $3 - $2",
            values![id, bytes, max],
        )
        .await?;
    Ok(changed == 1)
}

/// Counts the bytes of one layer less.
///
/// # Errors
/// The engine's.
pub async fn remove_bytes(conn: &mut Conn<'_>, id: i64, bytes: i64) -> Result<()> {
    conn.execute(
        "UPDATE repositories SET layer_bytes = layer_bytes - $2 WHERE id = $1",
        values![id, bytes],
    )
    .await
    .map(drop)
}

/// The bytes of the layers of an account's repositories, from the repositories' counts.
///
/// # Errors
/// The engine's.
pub async fn bytes_of_account(conn: &mut Conn<'_>, account: &str) -> Result<i64> {
    conn.fetch_one(
        "SELECT CAST(COALESCE(SUM(layer_bytes), 0) AS BIGINT) FROM repositories \
         WHERE account = $1",
        values![account],
    )
    .await?
    .int(0)
}

/// Deletes a repository with all that hangs on it; false when there is none.
///
/// # Errors
/// The engine's.
pub async fn delete(conn: &mut Conn<'_>, id: i64) -> Result<bool> {
    let changed = conn
        .execute("DELETE FROM repositories WHERE id = $1", values![id])
        .await?;
    if changed == 1 {
        usage::changed(conn, id, usage::REPOSITORY_DELETED).await?;
    }
    Ok(changed == 1)
}
