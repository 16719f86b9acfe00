//! From the outbox into the queues of targets, by one node at a time.

use std::collections::{BTreeSet, HashMap};

use authz::ServiceName;
use jiff::Timestamp;
use serde_json::{Value, json};
use store::Conn;
use store::ecr::event::{self as outbox, Event};
use store::ecr::event_delivery::{self, Delivery, SCOPE};
use store::ecr::event_target;

use crate::event_pattern::Pattern;
use crate::{Error, Registry};

/// Events that one transaction queues.
const EVENTS_AT_ONCE: i64 = 200;
/// Events that wait for a target, and their bytes. Beyond, the oldest are given up.
pub(crate) const WAITING_MAX: i64 = 10_000;
const WAITING_BYTES_MAX: i64 = 64 << 20;
/// Events that a target did not get, of which the oldest are forgotten.
const FAILED_MAX: i64 = 10_000;
const FAILED_BYTES_MAX: i64 = 64 << 20;
/// How long they are kept.
const FAILED_KEPT_MS: i64 = 14 * 24 * 3_600_000;
/// Of these, how many one transaction forgets.
const EXPIRED_AT_ONCE: i64 = 500;

/// The body of an event as EventBridge writes it.
///
/// # Errors
/// [`Error::Internal`] for a row that is none of ours.
pub fn envelope(event: &Event, id: &str) -> Result<String, Error> {
    let time = Timestamp::from_millisecond(event.occurred_at).map_err(Error::internal)?;
    let detail: Value = serde_json::from_str(&event.detail).map_err(Error::internal)?;
    let resources: Vec<&String> = event.resource.iter().collect();
    let body = json!({
        "version": "0",
        "id": id,
        "detail-type": event.detail_type,
        "source": event.source,
        "account": event.account,
        "time": aws_types::time::iso8601(time),
        "region": event.region,
        "resources": resources,
        "detail": detail,
    });
    Ok(body.to_string())
}

/// The enabled targets of a registry.
type Targets = Vec<(i64, Pattern)>;

async fn targets(conn: &mut Conn<'_>, account: &str, region: &str) -> Result<Targets, Error> {
    let rows = event_target::list(conn, account, region).await?;
    let enabled = rows.into_iter().filter(|target| target.enabled);
    enabled
        .map(|target| {
            let pattern = Pattern::parse(&target.pattern).map_err(Error::internal)?;
            Ok((target.id, pattern))
        })
        .collect()
}

impl Registry {
    /// A new event id.
    ///
    /// # Errors
    /// The random source's.
    pub fn event_id(&self) -> Result<String, Error> {
        let bytes = aws_types::draw(&*self.0.entropy).map_err(Error::internal)?;
        Ok(uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .to_string())
    }

    /// Moves events that wait into the queues of their targets; answers whether more may wait.
    ///
    /// # Errors
    /// The store's.
    pub async fn route_events(&self, _: ServiceName, now: Timestamp) -> Result<bool, Error> {
        {
            let mut read = self.0.store.read().await?;
            if !outbox::is_waiting(&mut read.conn()).await? {
                return Ok(false);
            }
        }
        let now = now.as_millisecond();
        let mut tx = self.0.store.write(SCOPE).await?;
        let conn = &mut tx.conn();
        let events = outbox::oldest(conn, EVENTS_AT_ONCE).await?;
        let mut known: HashMap<(String, String), Targets> = HashMap::new();
        let mut touched = BTreeSet::new();
        for event in &events {
            let registry = (event.account.clone(), event.region.clone());
            if !known.contains_key(&registry) {
                let found = targets(conn, &registry.0, &registry.1).await?;
                known.insert(registry.clone(), found);
            }
            let detail: Value = serde_json::from_str(&event.detail).map_err(Error::internal)?;
            let wants = |(_, pattern): &&(i64, Pattern)| {
                pattern.matches(&event.source, &event.detail_type, &detail)
            };
            let wanted: Vec<i64> = known[&registry].iter().filter(wants).map(|t| t.0).collect();
            if !wanted.is_empty() {
                let id = self.event_id()?;
                let body = envelope(event, &id)?;
                for target_id in wanted {
                    let delivery = Delivery {
                        id: 0,
                        target_id,
                        event_id: id.clone(),
                        detail_type: event.detail_type.clone(),
                        repository: event.repository.clone(),
                        body: body.clone(),
                        occurred_at: event.occurred_at,
                        queued_at: now,
                        attempts: 0,
                        due_at: now,
                        failed_at: None,
                        reason: None,
                    };
                    event_delivery::insert(conn, &delivery).await?;
                    touched.insert(target_id);
                }
            }
            outbox::delete(conn, event.id).await?;
        }
        let mut given_up = 0;
        for target_id in touched {
            given_up += bound(conn, target_id, now).await?;
        }
        tx.commit().await?;
        self.0.event_totals.gave_up(given_up);
        Ok(i64::try_from(events.len()).unwrap_or(i64::MAX) >= EVENTS_AT_ONCE)
    }

    /// Forgets events that targets did not get and that have been kept for 14 days; answers whether there may be
    /// more of them.
    ///
    /// # Errors
    /// The store's.
    pub async fn forget_failed_events(
        &self,
        _: ServiceName,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let until = now.as_millisecond().saturating_sub(FAILED_KEPT_MS);
        let mut tx = self.0.store.write(SCOPE).await?;
        let forgotten =
            event_delivery::forget_until(&mut tx.conn(), until, EXPIRED_AT_ONCE).await?;
        tx.commit().await?;
        Ok(i64::try_from(forgotten).unwrap_or(i64::MAX) >= EXPIRED_AT_ONCE)
    }
}

/// Keeps the queue of a target and the list of what it did not get within their bounds. Answers how many
/// events were given up.
async fn bound(conn: &mut Conn<'_>, target_id: i64, now: i64) -> Result<u64, Error> {
    let reason = "the queue of the target is full";
    let mut given_up = 0;
    let (rows, bytes) = event_delivery::count(conn, target_id, false).await?;
    if rows > WAITING_MAX || bytes > WAITING_BYTES_MAX {
        let most = (WAITING_MAX, WAITING_BYTES_MAX);
        given_up = event_delivery::fail_beyond(conn, target_id, most, now, reason).await?;
    }
    let (rows, bytes) = event_delivery::count(conn, target_id, true).await?;
    if rows > FAILED_MAX || bytes > FAILED_BYTES_MAX {
        let most = (FAILED_MAX, FAILED_BYTES_MAX);
        event_delivery::forget_beyond(conn, target_id, most).await?;
    }
    Ok(given_up)
}
