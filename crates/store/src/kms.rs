//! Keys that repositories are encrypted under: keys, their aliases and tags.
//!
//! Every write here belongs in a transaction of the key's account, but for [`note_use`].

use crate::{Conn, Result, Row, values};

/// A key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// A UUID.
    pub id: String,
    /// Twelve digits.
    pub account: String,
    /// Region name.
    pub region: String,
    /// What somebody wrote about it.
    pub description: String,
    /// `CUSTOMER`, or `AWS` for a key that the server made.
    pub manager: String,
    /// `Enabled`, `Disabled` or `PendingDeletion`.
    pub state: String,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// When it is deleted.
    pub deletion_at: Option<i64>,
    /// The key policy, principals as they were stored.
    pub policy: String,
    /// Days between rotations of its material; `None`: it is not rotated.
    pub rotation_days: Option<i64>,
    /// When it is rotated next.
    pub next_rotation_at: Option<i64>,
}

/// One material of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Material {
    /// A UUID, which files name.
    pub id: String,
    /// The highest one seals, all open.
    pub number: i64,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// 32 bytes, sealed.
    pub sealed: Vec<u8>,
}

/// A name of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// `alias/…`.
    pub name: String,
    /// The key's id.
    pub key_id: String,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// Milliseconds since the epoch.
    pub updated_at: i64,
}

macro_rules! select_keys {
    ($rest:literal) => {
        concat!(
            "SELECT id, account, region, description, manager, state, created_at, deletion_at, policy, ",
            "rotation_days, next_rotation_at FROM kms_keys WHERE ",
            $rest
        )
    };
}

fn key_of(row: &Row) -> Result<Key> {
    Ok(Key {
        id: row.text(0)?,
        account: row.text(1)?,
        region: row.text(2)?,
        description: row.text(3)?,
        manager: row.text(4)?,
        state: row.text(5)?,
        created_at: row.int(6)?,
        deletion_at: row.opt_int(7)?,
        policy: row.text(8)?,
        rotation_days: row.opt_int(9)?,
        next_rotation_at: row.opt_int(10)?,
    })
}

macro_rules! select_aliases {
    ($rest:literal) => {
        concat!(
            "SELECT name, key_id, created_at, updated_at FROM kms_aliases WHERE account = $1 AND ",
            "region = $2 AND ",
            $rest
        )
    };
}

fn alias_of(row: &Row) -> Result<Alias> {
    Ok(Alias {
        name: row.text(0)?,
        key_id: row.text(1)?,
        created_at: row.int(2)?,
        updated_at: row.int(3)?,
    })
}

/// Adds a key.
///
/// # Errors
/// The engine's.
pub async fn insert(conn: &mut Conn<'_>, key: &Key) -> Result<()> {
    conn.execute(
        "INSERT INTO kms_keys (id, account, region, description, manager, state, created_at, deletion_at, \
         policy, rotation_days, next_rotation_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        values![
            &key.id,
            &key.account,
            &key.region,
            &key.description,
            &key.manager,
            &key.state,
            key.created_at,
            key.deletion_at,
            &key.policy,
            key.rotation_days,
            key.next_rotation_at,
        ],
    )
    .await?;
    Ok(())
}

/// The key of an id, in whichever registry.
///
/// # Errors
/// The engine's.
pub async fn get(conn: &mut Conn<'_>, id: &str) -> Result<Option<Key>> {
    let row = conn
        .fetch_optional(select_keys!("id = $1"), values![id])
        .await?;
    row.as_ref().map(key_of).transpose()
}

/// At most `limit` keys of a registry in the order of their ids, after `after`.
///
/// # Errors
/// The engine's.
pub async fn list(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Key>> {
    conn.fetch_all(
        select_keys!("account = $1 AND region = $2 AND id > $3 ORDER BY id LIMIT $4"),
        values![account, region, after, limit],
    )
    .await?
    .iter()
    .map(key_of)
    .collect()
}

/// How many keys of customers a registry has.
///
/// # Errors
/// The engine's.
pub async fn count(conn: &mut Conn<'_>, account: &str, region: &str) -> Result<i64> {
    conn.fetch_one(
        "SELECT COUNT(*) FROM kms_keys WHERE account = $1 AND region = $2 AND manager = 'CUSTOMER'",
        values![account, region],
    )
    .await?
    .int(0)
}

/// Adds a material.
///
/// # Errors
/// The engine's.
pub async fn insert_material(conn: &mut Conn<'_>, key_id: &str, new: &Material) -> Result<()> {
    conn.execute(
        "INSERT INTO kms_materials (id, key_id, number, created_at, sealed) VALUES ($1, $2, $3, $4, $5)",
        values![
            &new.id,
            key_id,
            new.number,
            new.created_at,
            new.sealed.clone(),
        ],
    )
    .await?;
    Ok(())
}

/// The materials of a key, the newest first.
///
/// # Errors
/// The engine's.
pub async fn materials(conn: &mut Conn<'_>, key_id: &str) -> Result<Vec<Material>> {
    conn.fetch_all(
        "SELECT id, number, created_at, sealed FROM kms_materials WHERE key_id = $1 ORDER BY number DESC",
        values![key_id],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Material {
            id: row.text(0)?,
            number: row.int(1)?,
            created_at: row.int(2)?,
            sealed: row.bytes(3)?,
        })
    })
    .collect()
}

/// Ids of enabled keys whose next rotation is due, at most `limit`.
///
/// # Errors
/// The engine's.
pub async fn due_for_rotation(conn: &mut Conn<'_>, now: i64, limit: i64) -> Result<Vec<String>> {
    conn.fetch_all(
        "SELECT id FROM kms_keys WHERE next_rotation_at <= $1 AND state = 'Enabled' \
         ORDER BY next_rotation_at LIMIT $2",
        values![now, limit],
    )
    .await?
    .iter()
    .map(|row| row.text(0))
    .collect()
}

/// Writes what can change of a key: description, state, time of deletion, policy, rotation.
///
/// # Errors
/// The engine's.
pub async fn update(conn: &mut Conn<'_>, key: &Key) -> Result<()> {
    conn.execute(
        "UPDATE kms_keys SET description = $2, state = $3, deletion_at = $4, policy = $5, \
         rotation_days = $6, next_rotation_at = $7 WHERE id = $1",
        values![
            &key.id,
            &key.description,
            &key.state,
            key.deletion_at,
            &key.policy,
            key.rotation_days,
            key.next_rotation_at,
        ],
    )
    .await?;
    Ok(())
}

/// Says that a repository begins to use a key; false where it is not enabled. Until the transaction ends, no
/// other one changes the key: a repository does not come to a key that is about to be deleted.
///
/// # Errors
/// The engine's.
pub async fn note_use(conn: &mut Conn<'_>, id: &str, now: i64) -> Result<bool> {
    let changed = conn
        .execute(
            "UPDATE kms_keys SET last_used_at = $2 WHERE id = $1 AND state = 'Enabled'",
            values![id, now],
        )
        .await?;
    Ok(changed == 1)
}

/// A repository that uses the key of this ARN, for a message.
///
/// # Errors
/// The engine's.
pub async fn user(conn: &mut Conn<'_>, arn: &str) -> Result<Option<String>> {
    conn.fetch_optional(
        "SELECT name FROM repositories WHERE kms_key = $1 ORDER BY name LIMIT 1",
        values![arn],
    )
    .await?
    .map(|row| row.text(0))
    .transpose()
}

/// Ids of keys whose time of deletion is over, at most `limit`.
///
/// # Errors
/// The engine's.
pub async fn due(conn: &mut Conn<'_>, now: i64, limit: i64) -> Result<Vec<String>> {
    conn.fetch_all(
        "SELECT id FROM kms_keys WHERE deletion_at <= $1 ORDER BY deletion_at LIMIT $2",
        values![now, limit],
    )
    .await?
    .iter()
    .map(|row| row.text(0))
    .collect()
}

/// Removes a key with its aliases and tags.
///
/// # Errors
/// The engine's.
pub async fn delete(conn: &mut Conn<'_>, id: &str) -> Result<()> {
    conn.execute("DELETE FROM kms_keys WHERE id = $1", values![id])
        .await?;
    Ok(())
}

/// The alias of a name.
///
/// # Errors
/// The engine's.
pub async fn alias(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    name: &str,
) -> Result<Option<Alias>> {
    let row = conn
        .fetch_optional(select_aliases!("name = $3"), values![account, region, name])
        .await?;
    row.as_ref().map(alias_of).transpose()
}

/// At most `limit` aliases in the order of their names, after `after`; of one key, or of all.
///
/// # Errors
/// The engine's.
pub async fn aliases(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    key_id: Option<&str>,
    after: &str,
    limit: i64,
) -> Result<Vec<Alias>> {
    let rows = match key_id {
        None => {
            conn.fetch_all(
                select_aliases!("name > $3 ORDER BY name LIMIT $4"),
                values![account, region, after, limit],
            )
            .await?
        }
        Some(key) => {
            conn.fetch_all(
                select_aliases!("key_id = $3 AND name > $4 ORDER BY name LIMIT $5"),
                values![account, region, key, after, limit],
            )
            .await?
        }
    };
    rows.iter().map(alias_of).collect()
}

/// Adds an alias.
///
/// # Errors
/// [`crate::Error::Unique`] when the name is taken.
pub async fn insert_alias(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    alias: &Alias,
) -> Result<()> {
    conn.execute(
        "INSERT INTO kms_aliases (account, region, name, key_id, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        values![
            account,
            region,
            &alias.name,
            &alias.key_id,
            alias.created_at,
            alias.updated_at,
        ],
    )
    .await?;
    Ok(())
}

/// Points an alias at another key.
///
/// # Errors
/// The engine's.
pub async fn update_alias(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    alias: &Alias,
) -> Result<()> {
    conn.execute(
        "UPDATE kms_aliases SET key_id = $4, updated_at = $5 WHERE account = $1 AND region = $2 AND name = $3",
        values![account, region, &alias.name, &alias.key_id, alias.updated_at],
    )
    .await?;
    Ok(())
}

/// Removes an alias; false when there is none of this name.
///
/// # Errors
/// The engine's.
pub async fn delete_alias(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    name: &str,
) -> Result<bool> {
    let deleted = conn
        .execute(
            "DELETE FROM kms_aliases WHERE account = $1 AND region = $2 AND name = $3",
            values![account, region, name],
        )
        .await?;
    Ok(deleted == 1)
}

/// A key's tags in the order of their keys.
///
/// # Errors
/// The engine's.
pub async fn tags(conn: &mut Conn<'_>, key_id: &str) -> Result<Vec<(String, String)>> {
    conn.fetch_all(
        "SELECT tag_key, tag_value FROM kms_key_tags WHERE key_id = $1 ORDER BY tag_key",
        values![key_id],
    )
    .await?
    .iter()
    .map(|row| Ok((row.text(0)?, row.text(1)?)))
    .collect()
}

/// Sets a tag.
///
/// # Errors
/// The engine's.
pub async fn put_tag(conn: &mut Conn<'_>, key_id: &str, key: &str, value: &str) -> Result<()> {
    conn.execute(
        "INSERT INTO kms_key_tags (key_id, tag_key, tag_value) VALUES ($1, $2, $3) \
         ON CONFLICT (key_id, tag_key) DO UPDATE SET tag_value = excluded.tag_value",
        values![key_id, key, value],
    )
    .await?;
    Ok(())
}

/// Removes a tag; nothing where there is none.
///
/// # Errors
/// The engine's.
pub async fn delete_tag(conn: &mut Conn<'_>, key_id: &str, key: &str) -> Result<()> {
    conn.execute(
        "DELETE FROM kms_key_tags WHERE key_id = $1 AND tag_key = $2",
        values![key_id, key],
    )
    .await?;
    Ok(())
}
