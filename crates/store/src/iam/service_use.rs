//! When principals last called each service, and the reports about it.

use crate::{Conn, Result, values};

/// A use of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUse {
    /// The user's or role's row.
    pub entity: i64,
    /// The service's signing name (`ecr`).
    pub service: String,
    /// Milliseconds since the epoch.
    pub at: i64,
    /// The region of the call.
    pub region: String,
}

/// Notes a use by the principal's unique id, unless a later one is noted already.
pub async fn put(
    conn: &mut Conn<'_>,
    unique_id: &str,
    service: &str,
    at: i64,
    region: &str,
) -> Result<()> {
    let sql = "INSERT INTO iam_service_uses (entity, service, used_at, region) \
               SELECT id, $2, $3, $4 FROM iam_entities WHERE unique_id = $1 \
               ON CONFLICT (entity, service) DO UPDATE SET used_at = excluded.used_at, \
               region = excluded.region WHERE iam_service_uses.used_at < excluded.used_at";
    conn.execute(sql, values![unique_id, service, at, region])
        .await
        .map(drop)
}

/// A principal's uses since a time. Few services are served, which bounds their number.
pub async fn list(conn: &mut Conn<'_>, entity: i64, since: i64) -> Result<Vec<ServiceUse>> {
    let sql = "SELECT entity, service, used_at, region FROM iam_service_uses \
               WHERE entity = $1 AND used_at >= $2 ORDER BY service";
    let rows = conn.fetch_all(sql, values![entity, since]).await?;
    rows.iter()
        .map(|row| {
            Ok(ServiceUse {
                entity: row.int(0)?,
                service: row.text(1)?,
                at: row.int(2)?,
                region: row.text(3)?,
            })
        })
        .collect()
}

/// A report that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessJob {
    /// A UUID.
    pub id: String,
    /// The unique id of the user or role that asked, or the account for root.
    pub requester: String,
    /// An ARN, or the path of an entity of an organization.
    pub subject: String,
    /// `ACTION_LEVEL`, not `SERVICE_LEVEL`.
    pub action_level: bool,
    /// Milliseconds since the epoch.
    pub created_at: i64,
}

/// Adds a job, and forgets those before `oldest` and all but the newest `keep`.
pub async fn insert_job(
    conn: &mut Conn<'_>,
    account: &str,
    job: &AccessJob,
    oldest: i64,
    keep: i64,
) -> Result<()> {
    let sql = "DELETE FROM iam_access_jobs WHERE account = $1 AND (created_at < $2 OR id NOT IN \
               (SELECT id FROM iam_access_jobs WHERE account = $1 \
                ORDER BY created_at DESC, id LIMIT $3))";
    conn.execute(sql, values![account, oldest, keep - 1])
        .await?;
    let sql = "INSERT INTO iam_access_jobs (id, account, requester, subject, action_level, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6)";
    let params = values![
        &job.id,
        account,
        &job.requester,
        &job.subject,
        job.action_level,
        job.created_at
    ];
    conn.execute(sql, params).await.map(drop)
}

/// The account's job of this id.
pub async fn find_job(conn: &mut Conn<'_>, account: &str, id: &str) -> Result<Option<AccessJob>> {
    let sql = "SELECT id, requester, subject, action_level, created_at FROM iam_access_jobs \
               WHERE account = $1 AND id = $2";
    let Some(row) = conn.fetch_optional(sql, values![account, id]).await? else {
        return Ok(None);
    };
    Ok(Some(AccessJob {
        id: row.text(0)?,
        requester: row.text(1)?,
        subject: row.text(2)?,
        action_level: row.flag(3)?,
        created_at: row.int(4)?,
    }))
}
