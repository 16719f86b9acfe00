//! Password policies of accounts.

use crate::{Conn, Result, Row, values};

/// What an account demands of its users' passwords.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// `MinimumPasswordLength`.
    pub minimum_length: i64,
    /// `RequireSymbols`.
    pub require_symbols: bool,
    /// `RequireNumbers`.
    pub require_numbers: bool,
    /// `RequireUppercaseCharacters`.
    pub require_uppercase: bool,
    /// `RequireLowercaseCharacters`.
    pub require_lowercase: bool,
    /// `AllowUsersToChangePassword`.
    pub allow_users_to_change: bool,
    /// `MaxPasswordAge`.
    pub max_age_days: Option<i64>,
    /// `PasswordReusePrevention`.
    pub reuse_prevention: Option<i64>,
    /// `HardExpiry`; none where no request named it.
    pub hard_expiry: Option<bool>,
}

fn policy(row: &Row) -> Result<PasswordPolicy> {
    Ok(PasswordPolicy {
        minimum_length: row.int(0)?,
        require_symbols: row.flag(1)?,
        require_numbers: row.flag(2)?,
        require_uppercase: row.flag(3)?,
        require_lowercase: row.flag(4)?,
        allow_users_to_change: row.flag(5)?,
        max_age_days: row.opt_int(6)?,
        reuse_prevention: row.opt_int(7)?,
        hard_expiry: row.opt_int(8)?.map(|flag| flag != 0),
    })
}

/// The account's policy.
pub async fn find(conn: &mut Conn<'_>, account: &str) -> Result<Option<PasswordPolicy>> {
    let sql = "SELECT minimum_length, require_symbols, require_numbers, require_uppercase, \
               require_lowercase, allow_users_to_change, max_age_days, reuse_prevention, hard_expiry \
               FROM iam_password_policies WHERE account = $1";
    let row = conn.fetch_optional(sql, values![account]).await?;
    row.as_ref().map(policy).transpose()
}

/// Sets the account's policy in place of any before.
pub async fn put(conn: &mut Conn<'_>, account: &str, new: &PasswordPolicy) -> Result<()> {
    delete(conn, account).await?;
    let sql = "INSERT INTO iam_password_policies (account, minimum_length, require_symbols, \
               require_numbers, require_uppercase, require_lowercase, allow_users_to_change, \
               max_age_days, reuse_prevention, hard_expiry) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let params = values![
        account,
        new.minimum_length,
        new.require_symbols,
        new.require_numbers,
        new.require_uppercase,
        new.require_lowercase,
        new.allow_users_to_change,
        new.max_age_days,
        new.reuse_prevention,
        new.hard_expiry
    ];
    conn.execute(sql, params).await.map(drop)
}

/// Removes the account's policy. `false`: there was none.
pub async fn delete(conn: &mut Conn<'_>, account: &str) -> Result<bool> {
    let sql = "DELETE FROM iam_password_policies WHERE account = $1";
    Ok(conn.execute(sql, values![account]).await? > 0)
}
