//! Denied requests, kept for explanations. Every write belongs in a transaction of [`SCOPE`].

use crate::{Conn, Result, Scope, values};

/// The scope of every write here.
pub const SCOPE: Scope<'static> = Scope::System("denials");

/// A denied request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The caller's account.
    pub account: String,
    /// The request's id.
    pub request_id: String,
    /// Milliseconds since the epoch.
    pub at: i64,
    /// What was decided, in the caller's form.
    pub document: String,
}

/// Adds a denial. One that is there stays.
pub async fn insert(conn: &mut Conn<'_>, denial: &Denial) -> Result<()> {
    let sql = "INSERT INTO denials (account, request_id, at, document) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (account, request_id) DO NOTHING";
    let Denial {
        account,
        request_id,
        at,
        document,
    } = denial;
    conn.execute(
        sql,
        values![
            account.as_str(),
            request_id.as_str(),
            *at,
            document.as_str()
        ],
    )
    .await
    .map(drop)
}

/// A denial of an account's request.
pub async fn find(conn: &mut Conn<'_>, account: &str, request_id: &str) -> Result<Option<Denial>> {
    let sql = "SELECT at, document FROM denials WHERE account = $1 AND request_id = $2";
    let row = conn
        .fetch_optional(sql, values![account, request_id])
        .await?;
    row.map(|row| {
        Ok(Denial {
            account: account.to_owned(),
            request_id: request_id.to_owned(),
            at: row.int(0)?,
            document: row.text(1)?,
        })
    })
    .transpose()
}

/// Denials of an account, newest first, after the one of this time and id; `None` begins with the newest.
pub async fn list(
    conn: &mut Conn<'_>,
    account: &str,
    after: Option<(i64, &str)>,
    limit: i64,
) -> Result<Vec<Denial>> {
    let (at, request_id) = after.unwrap_or((i64::MAX, ""));
    let sql = "SELECT request_id, at, document FROM denials WHERE account = $1 \
               AND (at < $2 OR (at = $2 AND request_id > $3)) ORDER BY at DESC, request_id LIMIT $4";
    let rows = conn
        .fetch_all(sql, values![account, at, request_id, limit])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Denial {
                account: account.to_owned(),
                request_id: row.text(0)?,
                at: row.int(1)?,
                document: row.text(2)?,
            })
        })
        .collect()
}

/// Removes an account's denials before `oldest`, and all but the newest `keep`.
pub async fn prune(conn: &mut Conn<'_>, account: &str, oldest: i64, keep: i64) -> Result<()> {
    let sql = "DELETE FROM denials WHERE account = $1 AND (at < $2 OR request_id NOT IN \
               (SELECT request_id FROM denials WHERE account = $1 \
                ORDER BY at DESC, request_id LIMIT $3))";
    conn.execute(sql, values![account, oldest, keep])
        .await
        .map(drop)
}
