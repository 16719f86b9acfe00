//! Organizations themselves, and the policy types that are enabled in their roots.

use crate::{Conn, Result, Row, values};

/// An organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// `o-…`
    pub id: String,
    /// Twelve digits.
    pub management_account: String,
    /// `ALL` or `CONSOLIDATED_BILLING`.
    pub feature_set: String,
    /// `r-…`
    pub root_id: String,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// The delegation policy: its id and its text.
    pub resource_policy: Option<(String, String)>,
    /// Whether root credentials of members are managed centrally.
    pub root_credentials: bool,
    /// Whether privileged root sessions of members may be opened.
    pub root_sessions: bool,
}

macro_rules! columns {
    () => {
        "o.id, o.management_account, o.feature_set, o.root_id, o.created_at, o.resource_policy_id, \
         o.resource_policy, o.root_credentials, o.root_sessions"
    };
}

fn organization(row: &Row) -> Result<Organization> {
    Ok(Organization {
        id: row.text(0)?,
        management_account: row.text(1)?,
        feature_set: row.text(2)?,
        root_id: row.text(3)?,
        created_at: row.int(4)?,
        resource_policy: row.opt_text(5)?.zip(row.opt_text(6)?),
        root_credentials: row.flag(7)?,
        root_sessions: row.flag(8)?,
    })
}

/// Adds an organization.
///
/// # Errors
/// [`crate::Error::Unique`] for an id that is taken.
pub async fn insert(conn: &mut Conn<'_>, new: &Organization) -> Result<()> {
    let sql = "INSERT INTO organizations (id, management_account, feature_set, root_id, created_at, \
               root_credentials, root_sessions) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let params = values![
        &new.id,
        &new.management_account,
        &new.feature_set,
        &new.root_id,
        new.created_at,
        new.root_credentials,
        new.root_sessions
    ];
    conn.execute(sql, params).await.map(drop)
}

/// The organization that the account is a member of.
pub async fn of_account(conn: &mut Conn<'_>, account: &str) -> Result<Option<Organization>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM organization_accounts a JOIN organizations o ON o.id = a.organization \
         WHERE a.account = $1"
    );
    let row = conn.fetch_optional(sql, values![account]).await?;
    row.as_ref().map(organization).transpose()
}

/// The organization of this id.
pub async fn find(conn: &mut Conn<'_>, id: &str) -> Result<Option<Organization>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM organizations o WHERE o.id = $1"
    );
    let row = conn.fetch_optional(sql, values![id]).await?;
    row.as_ref().map(organization).transpose()
}

/// Removes an organization with everything in it but its handshakes.
pub async fn delete(conn: &mut Conn<'_>, id: &str) -> Result<()> {
    let sql = "DELETE FROM organizations WHERE id = $1";
    conn.execute(sql, values![id]).await.map(drop)
}

/// Sets the feature set.
pub async fn set_feature_set(conn: &mut Conn<'_>, id: &str, feature_set: &str) -> Result<()> {
    let sql = "UPDATE organizations SET feature_set = $2 WHERE id = $1";
    conn.execute(sql, values![id, feature_set]).await.map(drop)
}

/// Sets or removes the delegation policy: its id and its text.
pub async fn set_resource_policy(
    conn: &mut Conn<'_>,
    id: &str,
    policy: Option<(&str, &str)>,
) -> Result<()> {
    let sql =
        "UPDATE organizations SET resource_policy_id = $2, resource_policy = $3 WHERE id = $1";
    let params = values![
        id,
        policy.map(|policy| policy.0),
        policy.map(|policy| policy.1)
    ];
    conn.execute(sql, params).await.map(drop)
}

/// Sets the features of central root access.
pub async fn set_root_features(
    conn: &mut Conn<'_>,
    id: &str,
    credentials: bool,
    sessions: bool,
) -> Result<()> {
    let sql = "UPDATE organizations SET root_credentials = $2, root_sessions = $3 WHERE id = $1";
    conn.execute(sql, values![id, credentials, sessions])
        .await
        .map(drop)
}

/// The policy types that are enabled, in the order of their names.
pub async fn policy_types(conn: &mut Conn<'_>, id: &str) -> Result<Vec<String>> {
    let sql = "SELECT policy_type FROM organization_policy_types WHERE organization = $1 \
               ORDER BY policy_type";
    let rows = conn.fetch_all(sql, values![id]).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// Enables a policy type; `false` when it was enabled.
pub async fn enable_policy_type(conn: &mut Conn<'_>, id: &str, policy_type: &str) -> Result<bool> {
    let sql = "INSERT INTO organization_policy_types (organization, policy_type) VALUES ($1, $2) \
               ON CONFLICT (organization, policy_type) DO NOTHING";
    Ok(conn.execute(sql, values![id, policy_type]).await? > 0)
}

/// Disables a policy type; `false` when it was not enabled.
pub async fn disable_policy_type(conn: &mut Conn<'_>, id: &str, policy_type: &str) -> Result<bool> {
    let sql = "DELETE FROM organization_policy_types WHERE organization = $1 AND policy_type = $2";
    Ok(conn.execute(sql, values![id, policy_type]).await? > 0)
}
