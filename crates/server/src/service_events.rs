//! Moves events of work that no request asked for from the database into the audit log.
//!
//! They stand in the database because the change they tell of is there, in the same transaction: commands
//! work beside a server or without one, and a crash loses neither or both. One node takes each event; it
//! removes the row when the line is on its disk.

use sha2::Digest as _;
use store::service_events::{self as table, SCOPE};
use uuid::Uuid;

use crate::app::App;
use crate::audit::ServiceEvent;

/// Events that are moved at once.
const EVENTS_AT_ONCE: i64 = 100;
/// How long a node has to write what it claimed, in milliseconds. Then another one may.
const CLAIM_MILLISECONDS: i64 = 60_000;

impl App {
    /// Writes the events that wait. Those that cannot be written now stay in the database.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn record_service_events(&self) -> store::Result<()> {
        while self.audit.is_available() {
            let now = self.now().as_millisecond();
            let is_waiting = {
                let mut read = self.store.read().await?;
                table::is_waiting(&mut read.conn(), now).await?
            };
            if !is_waiting {
                return Ok(());
            }
            let mut tx = self.store.write(SCOPE).await?;
            let until = now.saturating_add(CLAIM_MILLISECONDS);
            let events = table::claim(&mut tx.conn(), now, until, EVENTS_AT_ONCE).await?;
            tx.commit().await?;
            let database = self.store.id();
            let lines = events.iter().map(|event| ServiceEvent {
                id: event_id(database, event),
                time: jiff::Timestamp::from_millisecond(event.occurred_at)
                    .unwrap_or_else(|_| self.now()),
                service: &event.service,
                source: &event.source,
                name: &event.name,
                account: event.account.as_deref(),
                resource: event.resource.as_deref(),
                details: serde_json::from_str(&event.details).unwrap_or_default(),
                read_only: false,
            });
            let written = self.audit.record_durably(lines).await;
            let mut tx = self.store.write(SCOPE).await?;
            for (event, written) in events.iter().zip(&written) {
                if *written {
                    table::delete(&mut tx.conn(), event.id).await?;
                }
            }
            tx.commit().await?;
            if written.contains(&false) {
                // Tried again once the claim is over.
                return Ok(());
            }
        }
        Ok(())
    }
}

/// The event's id, which is the same whoever writes it, and no other event's. The row alone does not do: a
/// database that is restored from a copy gives numbers again.
fn event_id(database: &str, event: &table::Event) -> Uuid {
    let (row, at, name) = (event.id, event.occurred_at, &event.name);
    let hash = sha2::Sha256::digest(format!("service-event/{database}/{row}/{at}/{name}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_stable_and_differ_by_event_and_database() {
        let event = table::Event {
            id: 1,
            occurred_at: 5,
            service: "maintenance.berth".to_owned(),
            source: "berth".to_owned(),
            name: "RotateKey".to_owned(),
            account: None,
            resource: None,
            details: "{}".to_owned(),
        };
        let id = event_id("a", &event);
        assert_eq!(id, event_id("a", &event));
        assert_ne!(id, event_id("b", &event));
        let next = table::Event {
            id: 2,
            ..event.clone()
        };
        assert_ne!(id, event_id("a", &next));
        let later = table::Event {
            occurred_at: 6,
            ..event
        };
        assert_ne!(id, event_id("a", &later));
    }
}
