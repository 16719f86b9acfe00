//! The table `service_events`: audit events of work that no request asked for, on their way into the
//! audit log.
//!
//! A row is part of the transaction whose change it tells of: neither exists without the other. A server
//! claims rows, writes them to its audit log, and removes them once they are durable there. A server that
//! dies in between leaves its rows to the next one, which may write them a second time, under the same id.

use crate::{Conn, Result, Row, Scope, values};

/// The scope of claiming and removing events.
pub const SCOPE: Scope<'static> = Scope::System("service-events");

/// What was done.
#[derive(Clone, Copy, Debug)]
pub struct NewEvent<'a> {
    /// Milliseconds since the epoch.
    pub occurred_at: i64,
    /// Who did it, as `invokedBy` names it.
    pub service: &'a str,
    /// `eventSource`.
    pub source: &'a str,
    /// `eventName`.
    pub name: &'a str,
    /// The account whose data it was, where it was one's.
    pub account: Option<&'a str>,
    /// The ARN of the resource that it is about, where it is about one.
    pub resource: Option<&'a str>,
    /// `serviceEventDetails`: a JSON object. The caller bounds its size.
    pub details: &'a str,
}

/// An event that was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The row's id, which no other event gets.
    pub id: i64,
    /// Milliseconds since the epoch.
    pub occurred_at: i64,
    /// As in [`NewEvent`], and so are the others.
    pub service: String,
    /// `eventSource`.
    pub source: String,
    /// `eventName`.
    pub name: String,
    /// Twelve digits.
    pub account: Option<String>,
    /// An ARN.
    pub resource: Option<String>,
    /// A JSON object.
    pub details: String,
}

fn event(row: &Row) -> Result<Event> {
    Ok(Event {
        id: row.int(0)?,
        occurred_at: row.int(1)?,
        service: row.text(2)?,
        source: row.text(3)?,
        name: row.text(4)?,
        account: row.opt_text(5)?,
        details: row.text(6)?,
        resource: row.opt_text(7)?,
    })
}

/// Adds an event. It belongs in the transaction of what it tells of, whatever that one's scope is.
///
/// # Errors
/// The engine's.
pub async fn insert(conn: &mut Conn<'_>, new: &NewEvent<'_>) -> Result<()> {
    let mut values = values![
        new.occurred_at,
        new.service,
        new.source,
        new.name,
        new.account,
        new.details
    ];
    // The column came later than the table: an upgrade writes its event before it is there.
    let sql = match new.resource {
        None => {
            "INSERT INTO service_events \
             (occurred_at, service, source, name, account, details, claimed_until) \
             VALUES ($1, $2, $3, $4, $5, $6, 0)"
        }
        Some(resource) => {
            values.extend(values![resource]);
            "INSERT INTO service_events \
             (occurred_at, service, source, name, account, details, resource, claimed_until) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0)"
        }
    };
    conn.execute(sql, values).await.map(drop)
}

/// Whether an event waits that nobody has claimed: a look that costs no transaction.
///
/// # Errors
/// The engine's.
pub async fn is_waiting(conn: &mut Conn<'_>, now: i64) -> Result<bool> {
    conn.fetch_optional(
        "SELECT 1 FROM service_events WHERE claimed_until <= $1 LIMIT 1",
        values![now],
    )
    .await
    .map(|row| row.is_some())
}

/// Claims at most `limit` events until `until`, the oldest first.
///
/// # Errors
/// The engine's.
pub async fn claim(conn: &mut Conn<'_>, now: i64, until: i64, limit: i64) -> Result<Vec<Event>> {
    debug_assert!(until > now, "a claim lasts");
    let rows = conn
        .fetch_all(
            "UPDATE service_events SET claimed_until = $2 WHERE id IN (\
             SELECT id FROM service_events WHERE claimed_until <= $1 ORDER BY id LIMIT $3) \
             RETURNING id, occurred_at, service, source, name, account, details, resource",
            values![now, until, limit],
        )
        .await?;
    let mut events = rows.iter().map(event).collect::<Result<Vec<_>>>()?;
    // RETURNING promises no order.
    events.sort_by_key(|event| event.id);
    Ok(events)
}

/// Removes an event that stands in an audit log.
///
/// # Errors
/// The engine's.
pub async fn delete(conn: &mut Conn<'_>, id: i64) -> Result<()> {
    conn.execute("DELETE FROM service_events WHERE id = $1", values![id])
        .await
        .map(drop)
}
