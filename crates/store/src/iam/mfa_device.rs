//! What only virtual MFA devices have.

use super::entity::{Entity, entity, entity_columns};
use crate::{Conn, Result, Row, values};

/// A virtual MFA device's own columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MfaDevice {
    /// The seed, sealed.
    pub sealed_seed: Vec<u8>,
    /// The user's row; none for the account's root user, and for a device that is not enabled.
    pub user_id: Option<i64>,
    /// Milliseconds since the epoch; none for a device that is not assigned.
    pub enabled_at: Option<i64>,
    /// The last time step whose code was accepted.
    pub last_step: i64,
    /// How many steps the device's clock is ahead of the server's.
    pub drift: i64,
    /// Wrong codes in a row.
    pub failures: i64,
    /// Until this time no code is looked at; milliseconds since the epoch.
    pub wait_until: i64,
}

macro_rules! device_columns {
    () => {
        "d.sealed_seed, d.user_id, d.enabled_at, d.last_step, d.drift, d.failures, d.wait_until"
    };
}

/// Reads the columns from `first` on.
fn device(row: &Row, first: usize) -> Result<MfaDevice> {
    Ok(MfaDevice {
        sealed_seed: row.bytes(first)?,
        user_id: row.opt_int(first + 1)?,
        enabled_at: row.opt_int(first + 2)?,
        last_step: row.int(first + 3)?,
        drift: row.int(first + 4)?,
        failures: row.int(first + 5)?,
        wait_until: row.int(first + 6)?,
    })
}

/// The number of columns of an entity.
const ENTITY_COLUMNS: usize = 8;

fn both(row: &Row) -> Result<(Entity, MfaDevice)> {
    Ok((entity(row)?, device(row, ENTITY_COLUMNS)?))
}

/// Adds a device's columns to its entity. It is not assigned.
pub async fn insert(conn: &mut Conn<'_>, entity: &Entity, sealed_seed: &[u8]) -> Result<()> {
    let sql = "INSERT INTO iam_mfa_devices \
               (entity, account, sealed_seed, last_step, drift, failures, wait_until) \
               VALUES ($1, $2, $3, 0, 0, 0, 0)";
    let params = values![entity.id, &entity.account, sealed_seed];
    conn.execute(sql, params).await.map(drop)
}

/// The device's columns.
///
/// # Errors
/// [`crate::Error::NoRow`] when the entity is no MFA device.
pub async fn get(conn: &mut Conn<'_>, entity: i64) -> Result<MfaDevice> {
    let sql = concat!(
        "SELECT ",
        device_columns!(),
        " FROM iam_mfa_devices d WHERE d.entity = $1"
    );
    device(&conn.fetch_one(sql, values![entity]).await?, 0)
}

/// A user's devices, the oldest first; without a user, those of the account's root user. A quota
/// bounds their number.
pub async fn list_of(
    conn: &mut Conn<'_>,
    account: &str,
    user_id: Option<i64>,
) -> Result<Vec<(Entity, MfaDevice)>> {
    let rows = match user_id {
        Some(user_id) => {
            let sql = concat!(
                "SELECT ",
                entity_columns!(),
                ", ",
                device_columns!(),
                " FROM iam_mfa_devices d JOIN iam_entities e ON e.id = d.entity \
                 WHERE d.user_id = $1 ORDER BY d.enabled_at, e.id"
            );
            conn.fetch_all(sql, values![user_id]).await?
        }
        None => {
            let sql = concat!(
                "SELECT ",
                entity_columns!(),
                ", ",
                device_columns!(),
                " FROM iam_mfa_devices d JOIN iam_entities e ON e.id = d.entity \
                 WHERE d.account = $1 AND d.user_id IS NULL AND d.enabled_at IS NOT NULL \
                 ORDER BY d.enabled_at, e.id"
            );
            conn.fetch_all(sql, values![account]).await?
        }
    };
    rows.iter().map(both).collect()
}

/// Which devices a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assignment {
    /// Those of users and of root.
    Assigned,
    /// Those of nobody.
    Unassigned,
    /// All.
    Any,
}

/// At most `limit` devices of the account whose folded name comes after `after`, in that order.
pub async fn list(
    conn: &mut Conn<'_>,
    account: &str,
    which: Assignment,
    after: &str,
    limit: i64,
) -> Result<Vec<(Entity, MfaDevice)>> {
    let sql = concat!(
        "SELECT ",
        entity_columns!(),
        ", ",
        device_columns!(),
        " FROM iam_entities e JOIN iam_mfa_devices d ON d.entity = e.id \
         WHERE e.account = $1 AND e.kind = 'mfa' AND e.name_folded > $2 \
         AND ($3 = 2 OR (d.enabled_at IS NOT NULL AND $3 = 1) OR (d.enabled_at IS NULL AND $3 = 0)) \
         ORDER BY e.name_folded LIMIT $4"
    );
    let which = match which {
        Assignment::Unassigned => 0_i64,
        Assignment::Assigned => 1,
        Assignment::Any => 2,
    };
    let rows = conn
        .fetch_all(sql, values![account, after, which, limit])
        .await?;
    rows.iter().map(both).collect()
}

/// How many devices of the account are assigned.
pub async fn count_assigned(conn: &mut Conn<'_>, account: &str) -> Result<i64> {
    let sql = "SELECT count(*) FROM iam_mfa_devices WHERE account = $1 AND enabled_at IS NOT NULL";
    conn.fetch_one(sql, values![account]).await?.int(0)
}

/// How many devices each holder of the account has, by the user's row; none is the root user. The quota
/// of users bounds their number.
pub async fn count_by_holder(
    conn: &mut Conn<'_>,
    account: &str,
) -> Result<Vec<(Option<i64>, i64)>> {
    let sql = "SELECT user_id, count(*) FROM iam_mfa_devices \
               WHERE account = $1 AND enabled_at IS NOT NULL GROUP BY user_id";
    let rows = conn.fetch_all(sql, values![account]).await?;
    rows.iter()
        .map(|row| Ok((row.opt_int(0)?, row.int(1)?)))
        .collect()
}

/// Assigns a device to a user, or to root. `step` is the step of the code that proved it.
pub async fn enable(
    conn: &mut Conn<'_>,
    entity: i64,
    user_id: Option<i64>,
    now: i64,
    step: i64,
    drift: i64,
) -> Result<()> {
    let sql = "UPDATE iam_mfa_devices SET user_id = $2, enabled_at = $3, last_step = $4, drift = $5, \
               failures = 0, wait_until = 0 WHERE entity = $1";
    conn.execute(sql, values![entity, user_id, now, step, drift])
        .await
        .map(drop)
}

/// Takes a device from its user. The last step stays: no code is accepted twice.
pub async fn disable(conn: &mut Conn<'_>, entity: i64) -> Result<()> {
    let sql = "UPDATE iam_mfa_devices SET user_id = NULL, enabled_at = NULL WHERE entity = $1";
    conn.execute(sql, values![entity]).await.map(drop)
}

/// Notes that the code of `step` was accepted. `false`: it, or a later one, was accepted before.
pub async fn accept(conn: &mut Conn<'_>, entity: i64, step: i64, drift: i64) -> Result<bool> {
    let sql = "UPDATE iam_mfa_devices SET last_step = $2, drift = $3, failures = 0, wait_until = 0 \
               WHERE entity = $1 AND last_step < $2";
    Ok(conn.execute(sql, values![entity, step, drift]).await? > 0)
}

/// Notes a wrong code.
pub async fn fail(conn: &mut Conn<'_>, entity: i64, wait_until: i64) -> Result<()> {
    let sql =
        "UPDATE iam_mfa_devices SET failures = failures + 1, wait_until = $2 WHERE entity = $1";
    conn.execute(sql, values![entity, wait_until])
        .await
        .map(drop)
}
