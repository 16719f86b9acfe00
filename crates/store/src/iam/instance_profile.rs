//! The role of an instance profile.

use super::entity::{self, Entity, entity_columns};
use crate::{Conn, Result, values};

/// Gives a profile its role.
///
/// # Errors
/// [`crate::Error::Unique`] when it has one.
pub async fn set_role(conn: &mut Conn<'_>, profile: i64, role: i64) -> Result<()> {
    let sql = "INSERT INTO iam_instance_profile_roles (profile, role) VALUES ($1, $2)";
    conn.execute(sql, values![profile, role]).await.map(drop)
}

/// Takes a role from a profile; `false` when it was not there.
pub async fn remove_role(conn: &mut Conn<'_>, profile: i64, role: i64) -> Result<bool> {
    let sql = "DELETE FROM iam_instance_profile_roles WHERE profile = $1 AND role = $2";
    Ok(conn.execute(sql, values![profile, role]).await? > 0)
}

/// The profile's role.
pub async fn role(conn: &mut Conn<'_>, profile: i64) -> Result<Option<Entity>> {
    let sql = concat!(
        "SELECT ",
        entity_columns!(),
        " FROM iam_instance_profile_roles p JOIN iam_entities e ON e.id = p.role WHERE p.profile = $1"
    );
    let row = conn.fetch_optional(sql, values![profile]).await?;
    row.as_ref().map(entity::entity).transpose()
}

/// At most `limit` profiles that hold the role and whose name, folded, comes after `after`.
pub async fn of_role(
    conn: &mut Conn<'_>,
    role: i64,
    after: &str,
    limit: i64,
) -> Result<Vec<Entity>> {
    let sql = concat!(
        "SELECT ",
        entity_columns!(),
        " FROM iam_instance_profile_roles p JOIN iam_entities e ON e.id = p.profile \
         WHERE p.role = $1 AND e.name_folded > $2 ORDER BY e.name_folded LIMIT $3"
    );
    let rows = conn.fetch_all(sql, values![role, after, limit]).await?;
    rows.iter().map(entity::entity).collect()
}
