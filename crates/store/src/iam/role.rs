//! What only roles have.

use crate::{Conn, Result, values};

/// A role's own columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The trust policy, with unique ids in place of the users and roles it names.
    pub trust_policy: String,
    /// For people.
    pub description: Option<String>,
    /// `MaxSessionDuration`, in seconds.
    pub max_session_seconds: i64,
    /// Milliseconds since the epoch, and the region.
    pub last_used: Option<(i64, String)>,
}

/// Adds a role's columns to its entity.
pub async fn insert(conn: &mut Conn<'_>, entity: i64, role: &Role) -> Result<()> {
    let sql = "INSERT INTO iam_roles (entity, trust_policy, description, max_session_seconds) VALUES ($1, $2, $3, $4)";
    let params = values![
        entity,
        &role.trust_policy,
        role.description.as_deref(),
        role.max_session_seconds
    ];
    conn.execute(sql, params).await.map(drop)
}

/// The role's columns.
///
/// # Errors
/// [`crate::Error::NoRow`] when the entity is no role.
pub async fn get(conn: &mut Conn<'_>, entity: i64) -> Result<Role> {
    find(conn, entity).await?.ok_or(crate::Error::NoRow)
}

/// The role's columns; `None` when the entity is no role.
///
/// # Errors
/// The engine's.
pub async fn find(conn: &mut Conn<'_>, entity: i64) -> Result<Option<Role>> {
    let sql = "SELECT trust_policy, description, max_session_seconds, last_used_at, last_used_region \
               FROM iam_roles WHERE entity = $1";
    let Some(row) = conn.fetch_optional(sql, values![entity]).await? else {
        return Ok(None);
    };
    Ok(Some(Role {
        trust_policy: row.text(0)?,
        description: row.opt_text(1)?,
        max_session_seconds: row.int(2)?,
        last_used: row.opt_int(3)?.zip(row.opt_text(4)?),
    }))
}

/// Writes description and session duration.
pub async fn update(
    conn: &mut Conn<'_>,
    entity: i64,
    description: Option<&str>,
    max_session_seconds: i64,
) -> Result<()> {
    let sql = "UPDATE iam_roles SET description = $2, max_session_seconds = $3 WHERE entity = $1";
    conn.execute(sql, values![entity, description, max_session_seconds])
        .await
        .map(drop)
}

/// Writes the trust policy.
pub async fn set_trust_policy(conn: &mut Conn<'_>, entity: i64, trust_policy: &str) -> Result<()> {
    let sql = "UPDATE iam_roles SET trust_policy = $2 WHERE entity = $1";
    conn.execute(sql, values![entity, trust_policy])
        .await
        .map(drop)
}

/// Path and name of the account's roles whose trust policy has `text` somewhere, at most `max`, by name. That a
/// policy has a provider's ARN in it says little: whether it lets somebody in is decided elsewhere.
pub async fn with_trust_policy_containing(
    conn: &mut Conn<'_>,
    account: &str,
    text: &str,
    max: i64,
) -> Result<Vec<(String, String)>> {
    let escaped = text
        .replace('!', "!!")
        .replace('%', "!%")
        .replace('_', "!_");
    let sql = "SELECT e.path, e.name FROM iam_entities e JOIN iam_roles r ON r.entity = e.id \
               WHERE e.account = $1 AND e.kind = 'role' AND r.trust_policy LIKE $2 ESCAPE '!' \
               ORDER BY e.name_folded LIMIT $3";
    let pattern = format!("%{escaped}%");
    let rows = conn.fetch_all(sql, values![account, &pattern, max]).await?;
    rows.iter()
        .map(|row| Ok((row.text(0)?, row.text(1)?)))
        .collect()
}

/// Notes a use by the role's unique id, unless a later one is noted already.
pub async fn set_last_used(
    conn: &mut Conn<'_>,
    unique_id: &str,
    at: i64,
    region: &str,
) -> Result<()> {
    let sql = "UPDATE iam_roles SET last_used_at = $2, last_used_region = $3 \
               WHERE entity = (SELECT id FROM iam_entities WHERE unique_id = $1) \
               AND (last_used_at IS NULL OR last_used_at < $2)";
    conn.execute(sql, values![unique_id, at, region])
        .await
        .map(drop)
}
