//! Services that have access to an organization, and the members that administer them.

use crate::{Conn, Result, Row, values};

/// A service principal and when it was enabled.
pub type Service = (String, i64);

fn service(row: &Row) -> Result<Service> {
    Ok((row.text(0)?, row.int(1)?))
}

/// Gives a service access; nothing when it has it.
pub async fn enable_service(
    conn: &mut Conn<'_>,
    organization: &str,
    principal: &str,
    now: i64,
) -> Result<()> {
    let sql = "INSERT INTO organization_services (organization, principal, enabled_at) \
               VALUES ($1, $2, $3) ON CONFLICT (organization, principal) DO NOTHING";
    conn.execute(sql, values![organization, principal, now])
        .await
        .map(drop)
}

/// Takes a service's access away.
pub async fn disable_service(
    conn: &mut Conn<'_>,
    organization: &str,
    principal: &str,
) -> Result<()> {
    let sql = "DELETE FROM organization_services WHERE organization = $1 AND principal = $2";
    conn.execute(sql, values![organization, principal])
        .await
        .map(drop)
}

/// Whether a service has access.
pub async fn has_service(conn: &mut Conn<'_>, organization: &str, principal: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM organization_services WHERE organization = $1 AND principal = $2";
    let row = conn
        .fetch_optional(sql, values![organization, principal])
        .await?;
    Ok(row.is_some())
}

/// At most `limit` services with access after this one, in the order of their names.
pub async fn services(
    conn: &mut Conn<'_>,
    organization: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Service>> {
    let sql = "SELECT principal, enabled_at FROM organization_services \
               WHERE organization = $1 AND principal > $2 ORDER BY principal LIMIT $3";
    let rows = conn
        .fetch_all(sql, values![organization, after, limit])
        .await?;
    rows.iter().map(service).collect()
}

/// Registers a delegated administrator of a service; `false` when it was one.
pub async fn register(
    conn: &mut Conn<'_>,
    organization: &str,
    account: &str,
    principal: &str,
    now: i64,
) -> Result<bool> {
    let sql = "INSERT INTO organization_administrators (organization, account, principal, enabled_at) \
               VALUES ($1, $2, $3, $4) ON CONFLICT (organization, account, principal) DO NOTHING";
    let params = values![organization, account, principal, now];
    Ok(conn.execute(sql, params).await? > 0)
}

/// Removes a delegated administrator of a service; `false` when it was none.
pub async fn deregister(
    conn: &mut Conn<'_>,
    organization: &str,
    account: &str,
    principal: &str,
) -> Result<bool> {
    let sql = "DELETE FROM organization_administrators \
               WHERE organization = $1 AND account = $2 AND principal = $3";
    let params = values![organization, account, principal];
    Ok(conn.execute(sql, params).await? > 0)
}

/// Removes an account from all services that it administers.
pub async fn deregister_all(conn: &mut Conn<'_>, organization: &str, account: &str) -> Result<()> {
    let sql = "DELETE FROM organization_administrators WHERE organization = $1 AND account = $2";
    conn.execute(sql, values![organization, account])
        .await
        .map(drop)
}

/// At most `limit` delegated administrators after this account: the account and when it first became one;
/// of one service where one is given.
pub async fn administrators(
    conn: &mut Conn<'_>,
    organization: &str,
    principal: Option<&str>,
    after: &str,
    limit: i64,
) -> Result<Vec<(String, i64)>> {
    let sql = "SELECT account, MIN(enabled_at) FROM organization_administrators \
               WHERE organization = $1 AND ($2 = '' OR principal = $2) AND account > $3 \
               GROUP BY account ORDER BY account LIMIT $4";
    let params = values![organization, principal.unwrap_or(""), after, limit];
    let rows = conn.fetch_all(sql, params).await?;
    rows.iter().map(service).collect()
}

/// At most `limit` services that the account administers after this one, in the order of their names.
pub async fn administered(
    conn: &mut Conn<'_>,
    organization: &str,
    account: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Service>> {
    let sql = "SELECT principal, enabled_at FROM organization_administrators \
               WHERE organization = $1 AND account = $2 AND principal > $3 ORDER BY principal LIMIT $4";
    let params = values![organization, account, after, limit];
    let rows = conn.fetch_all(sql, params).await?;
    rows.iter().map(service).collect()
}
