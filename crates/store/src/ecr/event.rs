//! The table `events`: what happened and is in no target's queue yet.

use crate::{Conn, Result, Row, values};

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The row's id; events of one repository are in its order.
    pub id: i64,
    /// The account of the registry.
    pub account: String,
    /// Its region.
    pub region: String,
    /// The name of the repository.
    pub repository: String,
    /// EventBridge's `source`.
    pub source: String,
    /// EventBridge's `detail-type`.
    pub detail_type: String,
    /// The ARN in `resources`.
    pub resource: Option<String>,
    /// `detail`, as JSON.
    pub detail: String,
    /// Milliseconds since the epoch.
    pub occurred_at: i64,
}

fn event(row: &Row) -> Result<Event> {
    Ok(Event {
        id: row.int(0)?,
        account: row.text(1)?,
        region: row.text(2)?,
        repository: row.text(3)?,
        source: row.text(4)?,
        detail_type: row.text(5)?,
        resource: row.opt_text(6)?,
        detail: row.text(7)?,
        occurred_at: row.int(8)?,
    })
}

/// Adds one, in the transaction of what it tells of. Its id is not used.
///
/// # Errors
/// The engine's.
pub async fn insert(conn: &mut Conn<'_>, new: &Event) -> Result<()> {
    conn.execute(
        "INSERT INTO events (account, region, repository, source, detail_type, resource, detail, \
         occurred_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        values![
            new.account.as_str(),
            new.region.as_str(),
            new.repository.as_str(),
            new.source.as_str(),
            new.detail_type.as_str(),
            new.resource.clone(),
            new.detail.as_str(),
            new.occurred_at,
        ],
    )
    .await
    .map(drop)
}

/// Whether there is one: a look that costs no transaction.
///
/// # Errors
/// The engine's.
pub async fn is_waiting(conn: &mut Conn<'_>) -> Result<bool> {
    let found = conn.fetch_optional("SELECT 1 FROM events LIMIT 1", values![]);
    Ok(found.await?.is_some())
}

/// The oldest, at most `limit`.
///
/// # Errors
/// The engine's.
pub async fn oldest(conn: &mut Conn<'_>, limit: i64) -> Result<Vec<Event>> {
    conn.fetch_all(
        "SELECT id, account, region, repository, source, detail_type, resource, detail, \
         occurred_at FROM events ORDER BY id LIMIT $1",
        values![limit],
    )
    .await?
    .iter()
    .map(event)
    .collect()
}

/// Removes one that has been queued.
///
/// # Errors
/// The engine's.
pub async fn delete(conn: &mut Conn<'_>, id: i64) -> Result<()> {
    conn.execute("DELETE FROM events WHERE id = $1", values![id])
        .await
        .map(drop)
}
