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

/// How often an account uses a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The policy.
    pub policy_arn: String,
    /// Users, groups and roles that it is attached to.
    pub attached: i64,
    /// Users and roles whose permissions boundary it is.
    pub boundary_of: i64,
}

/// The account's use of one policy.
pub async fn usage_of(conn: &mut Conn<'_>, account: &str, policy_arn: &str) -> Result<Usage> {
    let (attached, boundary_of) = count(conn, account, policy_arn).await?;
    Ok(Usage {
        policy_arn: policy_arn.to_owned(),
        attached,
        boundary_of,
    })
}

/// The policies that the account uses, of those whose ARN begins with `arn_prefix`, which must hold
/// no wildcard of `LIKE`.
pub async fn usage(conn: &mut Conn<'_>, account: &str, arn_prefix: &str) -> Result<Vec<Usage>> {
    let sql = "SELECT arn, count(attached), count(bounding) FROM (\
                 SELECT a.policy_arn AS arn, 1 AS attached, NULL AS bounding \
                   FROM iam_attachments a JOIN iam_entities e ON e.id = a.entity \
                  WHERE e.account = $1 AND a.policy_arn LIKE $2 \
                 UNION ALL \
                 SELECT boundary_arn, NULL, 1 FROM iam_entities \
                  WHERE account = $1 AND boundary_arn LIKE $2) used \
               GROUP BY arn ORDER BY arn";
    let pattern = format!("{arn_prefix}%");
    let rows = conn.fetch_all(sql, values![account, pattern]).await?;
    let usage = |row: &crate::Row| {
        Ok(Usage {
            policy_arn: row.text(0)?,
            attached: row.int(1)?,
            boundary_of: row.int(2)?,
        })
    };
    rows.iter().map(usage).collect()
}
