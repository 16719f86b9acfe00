//! Managed policies attached to users, groups and roles. A policy is named by its ARN,
//! so that the customers' and AWS's are alike; policies are never renamed.

use super::entity::{self, Entity, entity_columns};
use crate::{Conn, Result, values};

/// Attaches a policy; `false` when it was attached already.
pub async fn insert(conn: &mut Conn<'_>, entity: i64, policy_arn: &str) -> Result<bool> {
    let sql = "INSERT INTO iam_attachments (entity, policy_arn) VALUES ($1, $2) ON CONFLICT (entity, policy_arn) DO NOTHING";
    Ok(conn.execute(sql, values![entity, policy_arn]).await? > 0)
}

/// Detaches a policy; `false` when it was not attached.
pub async fn delete(conn: &mut Conn<'_>, entity: i64, policy_arn: &str) -> Result<bool> {
    let sql = "DELETE FROM iam_attachments WHERE entity = $1 AND policy_arn = $2";
    Ok(conn.execute(sql, values![entity, policy_arn]).await? > 0)
}

/// The ARNs of an entity's policies. A quota bounds their number.
pub async fn list(conn: &mut Conn<'_>, entity: i64) -> Result<Vec<String>> {
    let sql = "SELECT policy_arn FROM iam_attachments WHERE entity = $1 ORDER BY policy_arn";
    let rows = conn.fetch_all(sql, values![entity]).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// At most `limit` entities of the account that the policy is attached to, whose row id
/// comes after `after`.
pub async fn entities(
    conn: &mut Conn<'_>,
    account: &str,
    policy_arn: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<Entity>> {
    let sql = concat!(
        "SELECT ",
        entity_columns!(),
        " FROM iam_attachments a JOIN iam_entities e ON e.id = a.entity \
         WHERE a.policy_arn = $2 AND a.entity > $3 AND e.account = $1 ORDER BY a.entity LIMIT $4"
    );
    let rows = conn
        .fetch_all(sql, values![account, policy_arn, after, limit])
        .await?;
    rows.iter().map(entity::entity).collect()
}

/// At most `limit` entities of the account whose permissions boundary the policy is,
/// whose row id comes after `after`.
pub async fn bounded_entities(
    conn: &mut Conn<'_>,
    account: &str,
    policy_arn: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<Entity>> {
    let sql = concat!(
        "SELECT ",
        entity_columns!(),
        " FROM iam_entities e WHERE e.boundary_arn = $2 AND e.id > $3 AND e.account = $1 \
         ORDER BY e.id LIMIT $4"
    );
    let rows = conn
        .fetch_all(sql, values![account, policy_arn, after, limit])
        .await?;
    rows.iter().map(entity::entity).collect()
}

/// How often a policy is used in the account: as a permissions policy, as a boundary.
pub async fn count(conn: &mut Conn<'_>, account: &str, policy_arn: &str) -> Result<(i64, i64)> {
    let sql = "SELECT (SELECT count(*) FROM iam_attachments a JOIN iam_entities e ON e.id = a.entity \
                       WHERE a.policy_arn = $2 AND e.account = $1), \
                      (SELECT count(*) FROM iam_entities WHERE boundary_arn = $2 AND account = $1)";
    let row = conn.fetch_one(sql, values![account, policy_arn]).await?;
    Ok((row.int(0)?, row.int(1)?))
}
