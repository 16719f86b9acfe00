//! Who is in which group.

use super::entity::{self, Entity, entity_columns};
use crate::{Conn, Result, values};

/// Adds a user to a group; `false` when it was there already.
pub async fn add_member(conn: &mut Conn<'_>, group: i64, user: i64) -> Result<bool> {
    let sql = "INSERT INTO iam_group_members (group_id, user_id) VALUES ($1, $2) ON CONFLICT (group_id, user_id) DO NOTHING";
    Ok(conn.execute(sql, values![group, user]).await? > 0)
}

/// Removes a user from a group; `false` when it was not there.
pub async fn remove_member(conn: &mut Conn<'_>, group: i64, user: i64) -> Result<bool> {
    let sql = "DELETE FROM iam_group_members WHERE group_id = $1 AND user_id = $2";
    Ok(conn.execute(sql, values![group, user]).await? > 0)
}

/// At most `limit` users of a group whose name, folded, comes after `after`.
pub async fn members(
    conn: &mut Conn<'_>,
    group: i64,
    after: &str,
    limit: i64,
) -> Result<Vec<Entity>> {
    let sql = concat!(
        "SELECT ",
        entity_columns!(),
        " FROM iam_group_members m JOIN iam_entities e ON e.id = m.user_id \
         WHERE m.group_id = $1 AND e.name_folded > $2 ORDER BY e.name_folded LIMIT $3"
    );
    let rows = conn.fetch_all(sql, values![group, after, limit]).await?;
    rows.iter().map(entity::entity).collect()
}

/// A user's groups in the order of their names. A quota bounds their number.
pub async fn of_user(conn: &mut Conn<'_>, user: i64) -> Result<Vec<Entity>> {
    let sql = concat!(
        "SELECT ",
        entity_columns!(),
        " FROM iam_group_members m JOIN iam_entities e ON e.id = m.group_id \
         WHERE m.user_id = $1 ORDER BY e.name_folded"
    );
    let rows = conn.fetch_all(sql, values![user]).await?;
    rows.iter().map(entity::entity).collect()
}
