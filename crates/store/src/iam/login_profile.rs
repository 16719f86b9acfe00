//! Passwords of users, and whether the root user may get one.

use crate::{Conn, Result, Row, values};

/// A user's password and its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginProfile {
    /// The password's hash, sealed.
    pub sealed_hash: Vec<u8>,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// When the password was set; milliseconds since the epoch.
    pub changed_at: i64,
    /// The user must set another one at the next sign-in.
    pub reset_required: bool,
    /// `MaxSigninSessionDuration`, in seconds.
    pub max_signin_seconds: Option<i64>,
    /// When the password was last used; milliseconds since the epoch.
    pub last_used_at: Option<i64>,
    /// Wrong passwords in a row.
    pub failures: i64,
    /// Until this time no password is looked at; milliseconds since the epoch.
    pub wait_until: i64,
}

fn profile(row: &Row) -> Result<LoginProfile> {
    Ok(LoginProfile {
        sealed_hash: row.bytes(0)?,
        created_at: row.int(1)?,
        changed_at: row.int(2)?,
        reset_required: row.flag(3)?,
        max_signin_seconds: row.opt_int(4)?,
        last_used_at: row.opt_int(5)?,
        failures: row.int(6)?,
        wait_until: row.int(7)?,
    })
}

/// Adds a password.
///
/// # Errors
/// [`crate::Error::Unique`] when the user has one.
pub async fn insert(conn: &mut Conn<'_>, user_id: i64, new: &LoginProfile) -> Result<()> {
    let sql = "INSERT INTO iam_login_profiles (user_id, sealed_hash, created_at, changed_at, \
               reset_required, max_signin_seconds, failures, wait_until) \
               VALUES ($1, $2, $3, $4, $5, $6, 0, 0)";
    let params = values![
        user_id,
        &new.sealed_hash[..],
        new.created_at,
        new.changed_at,
        new.reset_required,
        new.max_signin_seconds
    ];
    conn.execute(sql, params).await.map(drop)
}

/// The user's password.
pub async fn find(conn: &mut Conn<'_>, user_id: i64) -> Result<Option<LoginProfile>> {
    let sql = "SELECT sealed_hash, created_at, changed_at, reset_required, max_signin_seconds, \
               last_used_at, failures, wait_until FROM iam_login_profiles WHERE user_id = $1";
    let row = conn.fetch_optional(sql, values![user_id]).await?;
    row.as_ref().map(profile).transpose()
}

/// Sets another password and remembers the one before.
pub async fn set_password(
    conn: &mut Conn<'_>,
    user_id: i64,
    sealed_hash: &[u8],
    now: i64,
) -> Result<()> {
    let sql = "INSERT INTO iam_password_history (user_id, sealed_hash) \
               SELECT user_id, sealed_hash FROM iam_login_profiles WHERE user_id = $1";
    conn.execute(sql, values![user_id]).await?;
    let sql = "UPDATE iam_login_profiles SET sealed_hash = $2, changed_at = $3, failures = 0, \
               wait_until = 0 WHERE user_id = $1";
    conn.execute(sql, values![user_id, sealed_hash, now])
        .await
        .map(drop)
}

/// Writes what is not the password.
pub async fn set_options(
    conn: &mut Conn<'_>,
    user_id: i64,
    reset_required: bool,
    max_signin_seconds: Option<i64>,
) -> Result<()> {
    let sql = "UPDATE iam_login_profiles SET reset_required = $2, max_signin_seconds = $3 \
               WHERE user_id = $1";
    conn.execute(sql, values![user_id, reset_required, max_signin_seconds])
        .await
        .map(drop)
}

/// At most `limit` passwords before the present one, the newest first.
pub async fn history(conn: &mut Conn<'_>, user_id: i64, limit: i64) -> Result<Vec<Vec<u8>>> {
    let sql = "SELECT sealed_hash FROM iam_password_history WHERE user_id = $1 \
               ORDER BY id DESC LIMIT $2";
    let rows = conn.fetch_all(sql, values![user_id, limit]).await?;
    rows.iter().map(|row| row.bytes(0)).collect()
}

/// Forgets all but the newest `keep` passwords before the present one.
pub async fn trim_history(conn: &mut Conn<'_>, user_id: i64, keep: i64) -> Result<()> {
    let sql = "DELETE FROM iam_password_history WHERE user_id = $1 AND id NOT IN \
               (SELECT id FROM iam_password_history WHERE user_id = $1 ORDER BY id DESC LIMIT $2)";
    conn.execute(sql, values![user_id, keep]).await.map(drop)
}

/// Notes a right password.
pub async fn accept(conn: &mut Conn<'_>, user_id: i64, used_at: Option<i64>) -> Result<()> {
    let sql = "UPDATE iam_login_profiles SET failures = 0, wait_until = 0, \
               last_used_at = COALESCE($2, last_used_at) WHERE user_id = $1";
    conn.execute(sql, values![user_id, used_at]).await.map(drop)
}

/// Notes a wrong password.
pub async fn fail(conn: &mut Conn<'_>, user_id: i64, wait_until: i64) -> Result<()> {
    let sql =
        "UPDATE iam_login_profiles SET failures = failures + 1, wait_until = $2 WHERE user_id = $1";
    conn.execute(sql, values![user_id, wait_until])
        .await
        .map(drop)
}

/// When passwords of the account's users were last used, by the users' rows. The quota of users bounds
/// their number.
pub async fn last_used(conn: &mut Conn<'_>, account: &str) -> Result<Vec<(i64, i64)>> {
    let sql = "SELECT p.user_id, p.last_used_at FROM iam_login_profiles p \
               JOIN iam_entities e ON e.id = p.user_id \
               WHERE e.account = $1 AND p.last_used_at IS NOT NULL";
    let rows = conn.fetch_all(sql, values![account]).await?;
    rows.iter()
        .map(|row| Ok((row.int(0)?, row.int(1)?)))
        .collect()
}

/// All passwords of the account's users, by the users' rows. The quota of users bounds their number.
pub async fn list(conn: &mut Conn<'_>, account: &str) -> Result<Vec<(i64, LoginProfile)>> {
    let sql = "SELECT p.sealed_hash, p.created_at, p.changed_at, p.reset_required, \
               p.max_signin_seconds, p.last_used_at, p.failures, p.wait_until, p.user_id \
               FROM iam_login_profiles p JOIN iam_entities e ON e.id = p.user_id \
               WHERE e.account = $1";
    let rows = conn.fetch_all(sql, values![account]).await?;
    rows.iter()
        .map(|row| Ok((row.int(8)?, profile(row)?)))
        .collect()
}

/// Removes a user's password.
pub async fn delete(conn: &mut Conn<'_>, user_id: i64) -> Result<()> {
    let sql = "DELETE FROM iam_login_profiles WHERE user_id = $1";
    conn.execute(sql, values![user_id]).await.map(drop)
}

/// When the account's root user got its login profile: milliseconds since the epoch. It has no password.
pub async fn root_created_at(conn: &mut Conn<'_>, account: &str) -> Result<Option<i64>> {
    let sql = "SELECT created_at FROM iam_root_login_profiles WHERE account = $1";
    let row = conn.fetch_optional(sql, values![account]).await?;
    row.map(|row| row.int(0)).transpose()
}

/// Adds the root user's login profile.
///
/// # Errors
/// [`crate::Error::Unique`] when it has one.
pub async fn insert_of_root(conn: &mut Conn<'_>, account: &str, now: i64) -> Result<()> {
    let sql = "INSERT INTO iam_root_login_profiles (account, created_at) VALUES ($1, $2)";
    conn.execute(sql, values![account, now]).await.map(drop)
}

/// Removes the root user's login profile.
pub async fn delete_of_root(conn: &mut Conn<'_>, account: &str) -> Result<()> {
    let sql = "DELETE FROM iam_root_login_profiles WHERE account = $1";
    conn.execute(sql, values![account]).await.map(drop)
}
