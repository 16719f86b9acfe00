//! The policies of an organization.

use crate::{Conn, Result, Row, values};

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// `p-…`
    pub id: String,
    /// Its organization.
    pub organization: String,
    /// `SERVICE_CONTROL_POLICY` and the like.
    pub policy_type: String,
    /// Unique in the organization.
    pub name: String,
    /// For people.
    pub description: String,
    /// The document as it was given.
    pub content: String,
}

macro_rules! columns {
    () => {
        "p.id, p.organization, p.policy_type, p.name, p.description, p.content \
         FROM organization_policies p"
    };
}

fn policy(row: &Row) -> Result<Policy> {
    Ok(Policy {
        id: row.text(0)?,
        organization: row.text(1)?,
        policy_type: row.text(2)?,
        name: row.text(3)?,
        description: row.text(4)?,
        content: row.text(5)?,
    })
}

/// Adds a policy.
///
/// # Errors
/// [`crate::Error::Unique`] when the name is taken.
pub async fn insert(conn: &mut Conn<'_>, new: &Policy) -> Result<()> {
    let sql = "INSERT INTO organization_policies (id, organization, policy_type, name, description, content) \
               VALUES ($1, $2, $3, $4, $5, $6)";
    let params = values![
        &new.id,
        &new.organization,
        &new.policy_type,
        &new.name,
        &new.description,
        &new.content
    ];
    conn.execute(sql, params).await.map(drop)
}

/// The organization's policy of this id.
pub async fn find(conn: &mut Conn<'_>, organization: &str, id: &str) -> Result<Option<Policy>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " WHERE p.organization = $1 AND p.id = $2"
    );
    let row = conn.fetch_optional(sql, values![organization, id]).await?;
    row.as_ref().map(policy).transpose()
}

/// The organization's policy of this name.
pub async fn find_named(
    conn: &mut Conn<'_>,
    organization: &str,
    name: &str,
) -> Result<Option<Policy>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " WHERE p.organization = $1 AND p.name = $2"
    );
    let row = conn
        .fetch_optional(sql, values![organization, name])
        .await?;
    row.as_ref().map(policy).transpose()
}

/// At most `limit` policies of the type whose id comes after `after`, in the order of their ids.
pub async fn list(
    conn: &mut Conn<'_>,
    organization: &str,
    policy_type: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Policy>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " WHERE p.organization = $1 AND p.policy_type = $2 AND p.id > $3 ORDER BY p.id LIMIT $4"
    );
    let params = values![organization, policy_type, after, limit];
    let rows = conn.fetch_all(sql, params).await?;
    rows.iter().map(policy).collect()
}

/// How many policies of the type the organization has.
pub async fn count(conn: &mut Conn<'_>, organization: &str, policy_type: &str) -> Result<i64> {
    let sql =
        "SELECT count(*) FROM organization_policies WHERE organization = $1 AND policy_type = $2";
    conn.fetch_one(sql, values![organization, policy_type])
        .await?
        .int(0)
}

/// Changes name, description and document.
///
/// # Errors
/// [`crate::Error::Unique`] when the name is taken.
pub async fn update(
    conn: &mut Conn<'_>,
    id: &str,
    name: &str,
    description: &str,
    content: &str,
) -> Result<()> {
    let sql =
        "UPDATE organization_policies SET name = $2, description = $3, content = $4 WHERE id = $1";
    conn.execute(sql, values![id, name, description, content])
        .await
        .map(drop)
}

/// Removes a policy.
pub async fn delete(conn: &mut Conn<'_>, id: &str) -> Result<()> {
    let sql = "DELETE FROM organization_policies WHERE id = $1";
    conn.execute(sql, values![id]).await.map(drop)
}
