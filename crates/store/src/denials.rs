//! Denied requests, kept for explanations. Every write belongs in a transaction of [`SCOPE`].

use crate::{Conn, Result, Row, Scope, values};

/// The scope of every write here.
pub const SCOPE: Scope<'static> = Scope::System("denials");

/// A denied request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Denial {
    /// The caller's account.
    pub account: String,
    /// The request's id.
    pub request_id: String,
    /// Milliseconds since the epoch.
    pub at: i64,
    /// The caller's ARN.
    pub principal_arn: String,
    /// The role of a session; otherwise the caller's ARN.
    pub issuer_arn: String,
    /// The action that was refused.
    pub action: String,
    /// The resource that it was refused on.
    pub resource: String,
    /// Equal for denials with the same cause.
    pub cause: String,
    /// What was decided, in the caller's form.
    pub document: String,
}

/// Which denials are listed; an absent member allows any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The caller, or the role of its session.
    pub principal_arn: Option<String>,
    /// The action.
    pub action: Option<String>,
    /// The resource.
    pub resource: Option<String>,
    /// The first time, in milliseconds.
    pub from: Option<i64>,
    /// The time before which all are.
    pub before: Option<i64>,
}

/// Denials with the same cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// How many.
    pub count: i64,
    /// When the oldest was.
    pub first: i64,
    /// The newest.
    pub newest: Denial,
}

/// The conditions of a filter; the parameters from `$4` on are its members', each twice the type's empty value
/// where it is absent.
macro_rules! filtered {
    () => {
        "($4 = '' OR principal_arn = $4 OR issuer_arn = $4) AND ($5 = '' OR action = $5) \
         AND ($6 = '' OR resource = $6) AND at >= $7 AND at < $8"
    };
}

macro_rules! columns {
    () => {
        "account, request_id, at, principal_arn, issuer_arn, action, resource, cause, document"
    };
}

/// Adds a denial. One that is there stays.
pub async fn insert(conn: &mut Conn<'_>, denial: &Denial) -> Result<()> {
    let sql = concat!(
        "INSERT INTO denials (",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (account, request_id) DO NOTHING"
    );
    let params = values![
        denial.account.as_str(),
        denial.request_id.as_str(),
        denial.at,
        denial.principal_arn.as_str(),
        denial.issuer_arn.as_str(),
        denial.action.as_str(),
        denial.resource.as_str(),
        denial.cause.as_str(),
        denial.document.as_str()
    ];
    conn.execute(sql, params).await.map(drop)
}

/// A denial of an account's request.
pub async fn find(conn: &mut Conn<'_>, account: &str, request_id: &str) -> Result<Option<Denial>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM denials WHERE account = $1 AND request_id = $2"
    );
    let row = conn
        .fetch_optional(sql, values![account, request_id])
        .await?;
    row.as_ref().map(denial).transpose()
}

/// Denials of an account, newest first, after the one of this time and id; `None` begins with the newest.
pub async fn list(
    conn: &mut Conn<'_>,
    account: &str,
    filter: &Filter,
    after: Option<(i64, &str)>,
    limit: i64,
) -> Result<Vec<Denial>> {
    let (at, request_id) = after.unwrap_or((i64::MAX, ""));
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM denials WHERE account = $1 AND (at < $2 OR (at = $2 AND request_id > $3)) AND ",
        filtered!(),
        " ORDER BY at DESC, request_id LIMIT $9"
    );
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let params = values![
        account,
        at,
        request_id,
        text(&filter.principal_arn),
        text(&filter.action),
        text(&filter.resource),
        filter.from.unwrap_or(i64::MIN),
        filter.before.unwrap_or(i64::MAX),
        limit
    ];
    let rows = conn.fetch_all(sql, params).await?;
    rows.iter().map(denial).collect()
}

/// The causes of an account's denials with how often each occurred, the one with the newest denial first, after
/// the one of this time and cause. Denials whose cause is not known are left out.
pub async fn groups(
    conn: &mut Conn<'_>,
    account: &str,
    filter: &Filter,
    after: Option<(i64, &str)>,
    limit: i64,
) -> Result<Vec<Group>> {
    let (at, cause) = after.unwrap_or((i64::MAX, ""));
    let sql = concat!(
        "SELECT cause, COUNT(*), MIN(at), MAX(at) FROM denials WHERE account = $1 AND cause <> '' AND ",
        filtered!(),
        " GROUP BY cause HAVING MAX(at) < $2 OR (MAX(at) = $2 AND cause > $3) \
         ORDER BY MAX(at) DESC, cause LIMIT $9"
    );
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let params = values![
        account,
        at,
        cause,
        text(&filter.principal_arn),
        text(&filter.action),
        text(&filter.resource),
        filter.from.unwrap_or(i64::MIN),
        filter.before.unwrap_or(i64::MAX),
        limit
    ];
    let rows = conn.fetch_all(sql, params).await?;
    let mut groups = Vec::with_capacity(rows.len());
    for row in &rows {
        let (cause, last) = (row.text(0)?, row.int(3)?);
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM denials WHERE account = $1 AND cause = $2 AND at = $3 ORDER BY request_id LIMIT 1"
        );
        let newest = conn.fetch_optional(sql, values![account, cause, last]);
        // Removed since: then the group is as well, as far as anybody can tell.
        let Some(newest) = newest.await? else {
            continue;
        };
        groups.push(Group {
            count: row.int(1)?,
            first: row.int(2)?,
            newest: denial(&newest)?,
        });
    }
    Ok(groups)
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

/// Removes denials of all accounts before `oldest`, at most `limit` at a time; returns how many.
pub async fn prune_older(conn: &mut Conn<'_>, oldest: i64, limit: i64) -> Result<u64> {
    let sql = "DELETE FROM denials WHERE (account, request_id) IN \
               (SELECT account, request_id FROM denials WHERE at < $1 ORDER BY at LIMIT $2)";
    conn.execute(sql, values![oldest, limit]).await
}

fn denial(row: &Row) -> Result<Denial> {
    Ok(Denial {
        account: row.text(0)?,
        request_id: row.text(1)?,
        at: row.int(2)?,
        principal_arn: row.text(3)?,
        issuer_arn: row.text(4)?,
        action: row.text(5)?,
        resource: row.text(6)?,
        cause: row.text(7)?,
        document: row.text(8)?,
    })
}
