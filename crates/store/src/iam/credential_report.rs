//! Credential reports of accounts.

use crate::{Conn, Result, values};

/// An account's report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialReport {
    /// The file.
    pub content: Vec<u8>,
    /// Milliseconds since the epoch.
    pub generated_at: i64,
}

/// The account's report.
pub async fn find(conn: &mut Conn<'_>, account: &str) -> Result<Option<CredentialReport>> {
    let sql = "SELECT content, generated_at FROM iam_credential_reports WHERE account = $1";
    let Some(row) = conn.fetch_optional(sql, values![account]).await? else {
        return Ok(None);
    };
    Ok(Some(CredentialReport {
        content: row.bytes(0)?,
        generated_at: row.int(1)?,
    }))
}

/// Sets the account's report in place of the one before.
pub async fn put(conn: &mut Conn<'_>, account: &str, content: &[u8], now: i64) -> Result<()> {
    let sql = "INSERT INTO iam_credential_reports (account, content, generated_at) VALUES ($1, $2, $3) \
               ON CONFLICT (account) DO UPDATE SET content = excluded.content, \
               generated_at = excluded.generated_at";
    conn.execute(sql, values![account, content, now])
        .await
        .map(drop)
}
