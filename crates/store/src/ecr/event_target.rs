//! The table `event_targets`: where a registry's events are sent.

use crate::{Conn, Result, Row, values};

/// A target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The row's id.
    pub id: i64,
    /// The account of the registry.
    pub account: String,
    /// Its region.
    pub region: String,
    /// The name, unique in the registry.
    pub name: String,
    /// Where events are posted.
    pub url: String,
    /// Which events, as JSON.
    pub pattern: String,
    /// What signs the requests, sealed.
    pub secret: Vec<u8>,
    /// What signed them before, sealed.
    pub previous_secret: Option<Vec<u8>>,
    /// Until when both sign.
    pub previous_until: Option<i64>,
    /// Whether events are queued and sent.
    pub enabled: bool,
    /// Why not, where the server itself disabled it.
    pub disabled_reason: Option<String>,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// Milliseconds since the epoch.
    pub updated_at: i64,
    /// Failures since the last success.
    pub failures: i64,
    /// Nothing is sent before.
    pub not_before: i64,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, account, region, name, url, pattern, secret, previous_secret, ",
            "previous_until, enabled, disabled_reason, created_at, updated_at, failures, ",
            "not_before FROM event_targets ",
            $rest
        )
    };
}

pub(super) fn target(row: &Row) -> Result<Target> {
    Ok(Target {
        id: row.int(0)?,
        account: row.text(1)?,
        region: row.text(2)?,
        name: row.text(3)?,
        url: row.text(4)?,
        pattern: row.text(5)?,
        secret: row.bytes(6)?,
        previous_secret: row.opt_bytes(7)?,
        previous_until: row.opt_int(8)?,
        enabled: row.flag(9)?,
        disabled_reason: row.opt_text(10)?,
        created_at: row.int(11)?,
        updated_at: row.int(12)?,
        failures: row.int(13)?,
        not_before: row.int(14)?,
    })
}

/// The targets of a registry, by name. Their number is bounded when they are made.
///
/// # Errors
/// The engine's.
pub async fn list(conn: &mut Conn<'_>, account: &str, region: &str) -> Result<Vec<Target>> {
    conn.fetch_all(
        select!("WHERE account = $1 AND region = $2 ORDER BY name"),
        values![account, region],
    )
    .await?
    .iter()
    .map(target)
    .collect()
}

/// The patterns of the targets that are enabled.
///
/// # Errors
/// The engine's.
pub async fn patterns(conn: &mut Conn<'_>, account: &str, region: &str) -> Result<Vec<String>> {
    conn.fetch_all(
        "SELECT pattern FROM event_targets WHERE account = $1 AND region = $2 AND enabled = 1 \
         ORDER BY name",
        values![account, region],
    )
    .await?
    .iter()
    .map(|row| row.text(0))
    .collect()
}

/// A target by its name.
///
/// # Errors
/// The engine's.
pub async fn find(
    conn: &mut Conn<'_>,
    account: &str,
    region: &str,
    name: &str,
) -> Result<Option<Target>> {
    conn.fetch_optional(
        select!("WHERE account = $1 AND region = $2 AND name = $3"),
        values![account, region, name],
    )
    .await?
    .map(|row| target(&row))
    .transpose()
}

/// A target by its id.
///
/// # Errors
/// The engine's.
pub async fn get(conn: &mut Conn<'_>, id: i64) -> Result<Option<Target>> {
    conn.fetch_optional(select!("WHERE id = $1"), values![id])
        .await?
        .map(|row| target(&row))
        .transpose()
}

/// Adds one, or changes the one of this name. Its id, failures and times of waiting are not used: a changed
/// target is tried at once.
///
/// # Errors
/// The engine's.
pub async fn put(conn: &mut Conn<'_>, new: &Target) -> Result<()> {
    conn.execute(
        "INSERT INTO event_targets (account, region, name, url, pattern, secret, previous_secret, \
         previous_until, enabled, disabled_reason, created_at, updated_at, failures, not_before) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0) \
         ON CONFLICT (account, region, name) DO UPDATE SET url = excluded.url, \
         pattern = excluded.pattern, secret = excluded.secret, \
         previous_secret = excluded.previous_secret, previous_until = excluded.previous_until, \
         enabled = excluded.enabled, disabled_reason = excluded.disabled_reason, \
         updated_at = excluded.updated_at, failures = 0, not_before = 0",
        values![
            new.account.as_str(),
            new.region.as_str(),
            new.name.as_str(),
            new.url.as_str(),
            new.pattern.as_str(),
            new.secret.clone(),
            new.previous_secret.clone(),
            new.previous_until,
            i64::from(new.enabled),
            new.disabled_reason.clone(),
            new.created_at,
            new.updated_at,
        ],
    )
    .await
    .map(drop)
}

/// Removes one with what waits for it; false when there is none.
///
/// # Errors
/// The engine's.
pub async fn delete(conn: &mut Conn<'_>, id: i64) -> Result<bool> {
    let gone = conn
        .execute("DELETE FROM event_targets WHERE id = $1", values![id])
        .await?;
    Ok(gone == 1)
}
