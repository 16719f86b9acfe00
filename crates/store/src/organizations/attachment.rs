//! Policies attached to a root, to units and to accounts.

use crate::{Conn, Result, values};

/// Attaches a policy; `false` when it was attached already.
pub async fn insert(
    conn: &mut Conn<'_>,
    organization: &str,
    target: &str,
    policy: &str,
    policy_type: &str,
) -> Result<bool> {
    let sql = "INSERT INTO organization_attachments (organization, target, policy, policy_type) \
               VALUES ($1, $2, $3, $4) ON CONFLICT (organization, target, policy) DO NOTHING";
    let params = values![organization, target, policy, policy_type];
    Ok(conn.execute(sql, params).await? > 0)
}

/// Detaches a policy; `false` when it was not attached.
pub async fn delete(
    conn: &mut Conn<'_>,
    organization: &str,
    target: &str,
    policy: &str,
) -> Result<bool> {
    let sql = "DELETE FROM organization_attachments \
               WHERE organization = $1 AND target = $2 AND policy = $3";
    Ok(conn
        .execute(sql, values![organization, target, policy])
        .await?
        > 0)
}

/// Detaches everything from a target that goes.
pub async fn delete_target(conn: &mut Conn<'_>, organization: &str, target: &str) -> Result<()> {
    let sql = "DELETE FROM organization_attachments WHERE organization = $1 AND target = $2";
    conn.execute(sql, values![organization, target])
        .await
        .map(drop)
}

/// Detaches all policies of a type.
pub async fn delete_type(conn: &mut Conn<'_>, organization: &str, policy_type: &str) -> Result<()> {
    let sql = "DELETE FROM organization_attachments WHERE organization = $1 AND policy_type = $2";
    conn.execute(sql, values![organization, policy_type])
        .await
        .map(drop)
}

/// The policies of a type that are attached to a target, in the order of their ids. A quota bounds their
/// number.
pub async fn of_target(
    conn: &mut Conn<'_>,
    organization: &str,
    target: &str,
    policy_type: &str,
) -> Result<Vec<String>> {
    let sql = "SELECT policy FROM organization_attachments \
               WHERE organization = $1 AND target = $2 AND policy_type = $3 ORDER BY policy";
    let rows = conn
        .fetch_all(sql, values![organization, target, policy_type])
        .await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// The documents that are attached to a target: type, id and text. AWS's own have none, since they are
/// not stored.
pub async fn documents(
    conn: &mut Conn<'_>,
    organization: &str,
    target: &str,
) -> Result<Vec<(String, String, Option<String>)>> {
    let sql = "SELECT a.policy_type, a.policy, p.content FROM organization_attachments a \
               LEFT JOIN organization_policies p ON p.id = a.policy AND p.organization = a.organization \
               WHERE a.organization = $1 AND a.target = $2 ORDER BY a.policy";
    let rows = conn.fetch_all(sql, values![organization, target]).await?;
    let document = |row: &crate::Row| Ok((row.text(0)?, row.text(1)?, row.opt_text(2)?));
    rows.iter().map(document).collect()
}

/// At most `limit` targets of a policy after this one, in their order.
pub async fn targets(
    conn: &mut Conn<'_>,
    organization: &str,
    policy: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<String>> {
    let sql = "SELECT target FROM organization_attachments \
               WHERE organization = $1 AND policy = $2 AND target > $3 ORDER BY target LIMIT $4";
    let rows = conn
        .fetch_all(sql, values![organization, policy, after, limit])
        .await?;
    rows.iter().map(|row| row.text(0)).collect()
}
