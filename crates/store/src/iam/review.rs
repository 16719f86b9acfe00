//! Who may do something here, for a person to look at: principals and keys with their last use.

use crate::{Conn, Result, Row, values};

/// A user or a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Its name.
    pub name: String,
    /// Its name, to go on after it.
    pub name_folded: String,
    /// Its path.
    pub path: String,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// Of a role, when it was last used; of a user, when its password was.
    pub last_used_at: Option<i64>,
    /// Of a user, whether it has a password.
    pub has_password: bool,
}

/// An access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// The user's name; `None` for the root user.
    pub user: Option<String>,
    /// Whether it opens.
    pub is_active: bool,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// When it was last used.
    pub last_used_at: Option<i64>,
    /// For which service.
    pub last_used_service: Option<String>,
}

/// A host that joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its id.
    pub id: String,
    /// The ARN of its instance profile.
    pub profile_arn: String,
    /// Milliseconds since the epoch.
    pub joined_at: i64,
    /// When it last called.
    pub last_seen_at: Option<i64>,
}

/// The ids of the accounts that are open, after one of them.
///
/// # Errors
/// The engine's.
pub async fn accounts(conn: &mut Conn<'_>, after: &str, limit: i64) -> Result<Vec<String>> {
    let sql = "SELECT id FROM accounts WHERE id > $1 AND closed_at IS NULL ORDER BY id LIMIT $2";
    let rows = conn.fetch_all(sql, values![after, limit]).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// The users (`user`) or roles (`role`) of an account after one of them, by name.
///
/// # Errors
/// The engine's.
pub async fn principals(
    conn: &mut Conn<'_>,
    account: &str,
    kind: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Principal>> {
    let rows = conn
        .fetch_all(
            "SELECT e.name, e.name_folded, e.path, e.created_at, COALESCE(r.last_used_at, p.last_used_at), \
             p.user_id FROM iam_entities e LEFT JOIN iam_roles r ON r.entity = e.id \
             LEFT JOIN iam_login_profiles p ON p.user_id = e.id \
             WHERE e.account = $1 AND e.kind = $2 AND e.name_folded > $3 ORDER BY e.name_folded LIMIT $4",
            values![account, kind, after, limit],
        )
        .await?;
    let principal = |row: &Row| {
        Ok(Principal {
            name: row.text(0)?,
            name_folded: row.text(1)?,
            path: row.text(2)?,
            created_at: row.int(3)?,
            last_used_at: row.opt_int(4)?,
            has_password: row.opt_int(5)?.is_some(),
        })
    };
    rows.iter().map(principal).collect()
}

/// The access keys of an account after one of them.
///
/// # Errors
/// The engine's.
pub async fn keys(conn: &mut Conn<'_>, account: &str, after: &str, limit: i64) -> Result<Vec<Key>> {
    let rows = conn
        .fetch_all(
            "SELECT k.id, e.name, k.active, k.created_at, k.last_used_at, k.last_used_service \
             FROM iam_access_keys k LEFT JOIN iam_entities e ON e.id = k.user_id \
             WHERE k.account = $1 AND k.id > $2 ORDER BY k.id LIMIT $3",
            values![account, after, limit],
        )
        .await?;
    let key = |row: &Row| {
        Ok(Key {
            id: row.text(0)?,
            user: row.opt_text(1)?,
            is_active: row.flag(2)?,
            created_at: row.int(3)?,
            last_used_at: row.opt_int(4)?,
            last_used_service: row.opt_text(5)?,
        })
    };
    rows.iter().map(key).collect()
}

/// The hosts of an account that were not revoked, after one of them.
///
/// # Errors
/// The engine's.
pub async fn hosts(
    conn: &mut Conn<'_>,
    account: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Host>> {
    let rows = conn
        .fetch_all(
            "SELECT id, profile_arn, joined_at, last_seen_at FROM hosts \
             WHERE account = $1 AND revoked_at IS NULL AND id > $2 ORDER BY id LIMIT $3",
            values![account, after, limit],
        )
        .await?;
    let host = |row: &Row| {
        Ok(Host {
            id: row.text(0)?,
            profile_arn: row.text(1)?,
            joined_at: row.int(2)?,
            last_seen_at: row.opt_int(3)?,
        })
    };
    rows.iter().map(host).collect()
}
