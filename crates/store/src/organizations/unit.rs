//! Organizational units.

use crate::{Conn, Result, Row, values};

/// An organizational unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// `ou-…`
    pub id: String,
    /// Its organization.
    pub organization: String,
    /// The root's id or a unit's.
    pub parent: String,
    /// Unique under its parent.
    pub name: String,
}

fn unit(row: &Row) -> Result<Unit> {
    Ok(Unit {
        id: row.text(0)?,
        organization: row.text(1)?,
        parent: row.text(2)?,
        name: row.text(3)?,
    })
}

/// Adds a unit.
///
/// # Errors
/// [`crate::Error::Unique`] when the name is taken under the parent.
pub async fn insert(conn: &mut Conn<'_>, new: &Unit) -> Result<()> {
    let sql =
        "INSERT INTO organization_units (id, organization, parent, name) VALUES ($1, $2, $3, $4)";
    let params = values![&new.id, &new.organization, &new.parent, &new.name];
    conn.execute(sql, params).await.map(drop)
}

/// The organization's unit of this id.
pub async fn find(conn: &mut Conn<'_>, organization: &str, id: &str) -> Result<Option<Unit>> {
    let sql = "SELECT id, organization, parent, name FROM organization_units \
               WHERE organization = $1 AND id = $2";
    let row = conn.fetch_optional(sql, values![organization, id]).await?;
    row.as_ref().map(unit).transpose()
}

/// The unit of this name under the parent.
pub async fn find_named(conn: &mut Conn<'_>, parent: &str, name: &str) -> Result<Option<Unit>> {
    let sql = "SELECT id, organization, parent, name FROM organization_units \
               WHERE parent = $1 AND name = $2";
    let row = conn.fetch_optional(sql, values![parent, name]).await?;
    row.as_ref().map(unit).transpose()
}

/// At most `limit` units under the parent whose id comes after `after`, in the order of their ids.
pub async fn list(
    conn: &mut Conn<'_>,
    organization: &str,
    parent: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Unit>> {
    let sql = "SELECT id, organization, parent, name FROM organization_units \
               WHERE organization = $1 AND parent = $2 AND id > $3 ORDER BY id LIMIT $4";
    let params = values![organization, parent, after, limit];
    let rows = conn.fetch_all(sql, params).await?;
    rows.iter().map(unit).collect()
}

/// The ids of all units of the organization. A quota bounds their number.
pub async fn ids(conn: &mut Conn<'_>, organization: &str) -> Result<Vec<String>> {
    let sql = "SELECT id FROM organization_units WHERE organization = $1 ORDER BY id";
    let rows = conn.fetch_all(sql, values![organization]).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// How many units the organization has.
pub async fn count(conn: &mut Conn<'_>, organization: &str) -> Result<i64> {
    let sql = "SELECT count(*) FROM organization_units WHERE organization = $1";
    conn.fetch_one(sql, values![organization]).await?.int(0)
}

/// Gives a unit another name.
///
/// # Errors
/// [`crate::Error::Unique`] when the name is taken under its parent.
pub async fn rename(conn: &mut Conn<'_>, id: &str, name: &str) -> Result<()> {
    let sql = "UPDATE organization_units SET name = $2 WHERE id = $1";
    conn.execute(sql, values![id, name]).await.map(drop)
}

/// Removes a unit.
pub async fn delete(conn: &mut Conn<'_>, id: &str) -> Result<()> {
    let sql = "DELETE FROM organization_units WHERE id = $1";
    conn.execute(sql, values![id]).await.map(drop)
}
