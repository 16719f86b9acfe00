//! The queues of targets: leased by one node, sent in order, retried, given up.
//!
//! A target's queue is served by one node at a time. An event that fails is tried again later and later, until
//! [`RETRY_FOR_MS`] after it was queued. A target that does not answer, or answers that it cannot, is left alone
//! as well, so that order is kept through short outages; an event that the target refuses lets the others pass.

use std::sync::atomic::{AtomicU64, Ordering};

use authz::ServiceName;
use aws_api::berth::{
    FailedEventDelivery, ListFailedEventDeliveriesRequest, ListFailedEventDeliveriesResponse,
};
use jiff::Timestamp;
use serde_json::json;
use store::ecr::event_delivery::{self, Delivery, SCOPE};
use store::ecr::event_target::{self, Target};
use store::service_events::{self, NewEvent};

use super::targets::{shown_time, target_arn};
use crate::cache::Change;
use crate::ecr::token;
use crate::{Authorized, Error, Registry};

/// How long a node has a queue before another one may take it over. A turn is much shorter.
const LEASE_MS: i64 = 60_000;
/// Targets of one account that are served at once, by all nodes together.
const TURNS_PER_ACCOUNT: i64 = 4;
/// Events of one turn of a target.
const TURN_EVENTS: i64 = 20;
/// The first pause after a failure, and the longest.
const RETRY_FIRST_MS: i64 = 5_000;
const RETRY_MAX_MS: i64 = 3_600_000;
/// The longest pause of a target as a whole.
const PAUSE_MAX_MS: i64 = 5 * 60_000;
/// How long an event is tried.
const RETRY_FOR_MS: i64 = 24 * 3_600_000;
/// What is kept of a reason.
const REASON_CHARS_MAX: usize = 500;

/// The pause after an event has failed `attempts` times: twice as long each time, up to an hour, and up to a
/// quarter longer, so that events that failed together are not tried together.
#[must_use]
pub fn retry_pause_ms(attempts: i64, id: i64) -> i64 {
    let doublings = u32::try_from(attempts.saturating_sub(1).clamp(0, 20)).unwrap_or(20);
    let pause = (RETRY_FIRST_MS << doublings).min(RETRY_MAX_MS);
    // A multiplicative hash (Knuth): neighbouring ids are spread.
    let hash = id.unsigned_abs().wrapping_add(attempts.unsigned_abs());
    let spread = i64::try_from(hash.wrapping_mul(0x9e37_79b9) % 256).unwrap_or(0);
    pause + pause * spread / 1024
}

/// The same, read at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventCounts {
    /// Events that targets accepted.
    pub delivered: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Events that were given up.
    pub given_up: u64,
    /// Pulls that no event tells of.
    pub forgotten_pulls: u64,
}

/// A target's turn: its queue is this node's until it is released.
#[derive(Debug)]
pub struct Turn {
    /// The target.
    pub target: Target,
    /// What is due, in order.
    pub due: Vec<Delivery>,
    holder: String,
    failures: i64,
    not_before: i64,
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What is shown.
    pub reason: String,
    /// How long the target asks to be left alone, in milliseconds.
    pub retry_after_ms: Option<i64>,
    /// Whether the target as a whole is to be left alone.
    pub pauses_target: bool,
}

impl Registry {
    /// Targets with something to do, at most `limit`; no more of an account than it has turns left, so that the
    /// slow targets of one account hold up nobody else's.
    ///
    /// # Errors
    /// The store's.
    pub async fn due_event_targets(
        &self,
        _: ServiceName,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<i64>, Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut read = self.0.store.read().await?;
        let now = now.as_millisecond();
        let found =
            event_delivery::due_targets(&mut read.conn(), now, TURNS_PER_ACCOUNT, limit).await?;
        Ok(found)
    }

    /// Begins a turn of a target; `None` when another node has it, or it is gone or disabled.
    ///
    /// # Errors
    /// The store's.
    pub async fn begin_turn(
        &self,
        _: ServiceName,
        target_id: i64,
        holder: &str,
        now: Timestamp,
    ) -> Result<Option<Turn>, Error> {
        let now = now.as_millisecond();
        let mut tx = self.0.store.write(SCOPE).await?;
        let conn = &mut tx.conn();
        let until = now.saturating_add(LEASE_MS);
        if !event_delivery::lease(conn, target_id, holder, now, until).await? {
            return Ok(None);
        }
        let Some(target) = event_target::get(conn, target_id).await? else {
            return Ok(None);
        };
        let due = event_delivery::due(conn, target_id, now, TURN_EVENTS).await?;
        tx.commit().await?;
        Ok(Some(Turn {
            holder: holder.to_owned(),
            failures: target.failures,
            // Behind the others that wait.
            not_before: now,
            target,
            due,
        }))
    }

    /// Ends a turn.
    ///
    /// # Errors
    /// The store's.
    pub async fn end_turn(&self, _: ServiceName, turn: Turn) -> Result<(), Error> {
        let mut tx = self.0.store.write(SCOPE).await?;
        let next = (turn.failures, turn.not_before);
        event_delivery::release(&mut tx.conn(), turn.target.id, &turn.holder, next).await?;
        Ok(tx.commit().await?)
    }

    /// The target accepted an event.
    ///
    /// # Errors
    /// The store's: it may be sent once more then.
    pub async fn delivered(
        &self,
        _: ServiceName,
        turn: &mut Turn,
        delivery: &Delivery,
    ) -> Result<(), Error> {
        let mut tx = self.0.store.write(SCOPE).await?;
        event_delivery::delete(&mut tx.conn(), delivery.id).await?;
        tx.commit().await?;
        turn.failures = 0;
        self.0
            .event_totals
            .delivered
            .fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// An attempt failed: the event is tried again, or given up.
    ///
    /// # Errors
    /// The store's.
    pub async fn attempt_failed(
        &self,
        _: ServiceName,
        turn: &mut Turn,
        delivery: &Delivery,
        failure: &Failure,
        now: Timestamp,
    ) -> Result<(), Error> {
        let now = now.as_millisecond();
        let pause = retry_pause_ms(delivery.attempts + 1, delivery.id);
        let asked = failure.retry_after_ms.unwrap_or(0).min(RETRY_MAX_MS);
        let pause = pause.max(asked);
        let due_at = now.saturating_add(pause);
        let last = due_at.saturating_sub(delivery.queued_at) > RETRY_FOR_MS;
        let reason: String = failure.reason.chars().take(REASON_CHARS_MAX).collect();
        let mut tx = self.0.store.write(SCOPE).await?;
        let failed_at = last.then_some(now);
        event_delivery::note_failure(&mut tx.conn(), delivery.id, due_at, failed_at, &reason)
            .await?;
        tx.commit().await?;
        turn.failures += 1;
        if failure.pauses_target {
            turn.not_before = now.saturating_add(pause.min(PAUSE_MAX_MS.max(asked)));
        }
        let totals = &self.0.event_totals;
        totals.failed.fetch_add(1, Ordering::Relaxed);
        totals.gave_up(u64::from(last));
        Ok(())
    }

    /// The target answered that it is gone: it is disabled, and what waits for it is given up.
    ///
    /// # Errors
    /// The store's.
    pub async fn disable_event_target(
        &self,
        service: ServiceName,
        turn: &Turn,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (target, now) = (&turn.target, now.as_millisecond());
        let account = target.account.parse().map_err(Error::internal)?;
        let region = target.region.parse().map_err(Error::internal)?;
        let arn = target_arn(&account, &region, &target.name);
        let details = json!({"targetName": target.name, "reason": reason});
        let mut tx = self.0.store.write(SCOPE).await?;
        let conn = &mut tx.conn();
        let (waiting, _) = event_delivery::count(conn, target.id, false).await?;
        event_delivery::disable(conn, target.id, now, reason).await?;
        let event = NewEvent {
            occurred_at: now,
            service: service.as_str(),
            source: ServiceName::EVENT_SOURCE,
            name: "DisableEventTarget",
            account: Some(&target.account),
            resource: Some(&arn),
            details: &details.to_string(),
        };
        service_events::insert(conn, &event).await?;
        self.commit(tx, &[Change::Registry(account, region)])
            .await?;
        let totals = &self.0.event_totals;
        totals.failed.fetch_add(1, Ordering::Relaxed);
        totals.gave_up(waiting.unsigned_abs());
        Ok(())
    }

    /// Counters of this process.
    #[must_use]
    pub fn event_counts(&self) -> EventCounts {
        let totals = &self.0.event_totals;
        let of = |total: &AtomicU64| total.load(Ordering::Relaxed);
        EventCounts {
            delivered: of(&totals.delivered),
            failed: of(&totals.failed),
            given_up: of(&totals.given_up),
            forgotten_pulls: self.forgotten_pull_events(),
        }
    }

    /// Events that wait, and events that were given up, of all targets.
    ///
    /// # Errors
    /// The store's.
    pub async fn event_queue_totals(&self, _: ServiceName) -> Result<(i64, i64), Error> {
        let mut read = self.0.store.read().await?;
        Ok(event_delivery::totals(&mut read.conn()).await?)
    }

    /// What the targets of the caller's registry did not get; `None` where the named target is not there.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a token.
    pub async fn failed_event_deliveries(
        &self,
        cx: &Authorized,
        input: ListFailedEventDeliveriesRequest,
    ) -> Result<Option<ListFailedEventDeliveriesResponse>, Error> {
        let place = token::open(input.next_token.as_ref())?;
        let after: i64 = match place.is_empty() {
            true => 0,
            false => place.parse().map_err(|_| token::invalid())?,
        };
        let n = token::page_size(input.max_results);
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let names = self.target_names(conn, cx).await?;
        let target_id = match &input.target_name {
            None => None,
            Some(name) => match names.iter().find(|(_, known)| *known == name) {
                Some((id, _)) => Some(*id),
                None => return Ok(None),
            },
        };
        let registry = (cx.account.as_str(), cx.region.as_str());
        let mut rows =
            event_delivery::failed(conn, registry, target_id, after, token::rows(n)).await?;
        let next_token = token::cut(&mut rows, n).map(|row| token::seal(&row.id.to_string()));
        let shown = rows.into_iter().map(|row| {
            Ok(FailedEventDelivery {
                delivery_id: row.id.to_string(),
                target_name: names.get(&row.target_id).cloned().unwrap_or_default(),
                event_id: row.event_id,
                detail_type: row.detail_type,
                repository_name: Some(row.repository).filter(|name| !name.is_empty()),
                occurred_at: shown_time(row.occurred_at)?,
                failed_at: shown_time(row.failed_at.unwrap_or_default())?,
                attempts: row.attempts,
                reason: row.reason.unwrap_or_default(),
                event: row.body,
            })
        });
        Ok(Some(ListFailedEventDeliveriesResponse {
            deliveries: shown.collect::<Result<_, Error>>()?,
            next_token,
        }))
    }

    /// Puts deliveries back into the queue of a target, or deletes them: those with these ids, or all. `None`
    /// where the target is not there.
    ///
    /// # Errors
    /// The store's.
    pub async fn change_failed_deliveries(
        &self,
        cx: &Authorized,
        name: &str,
        ids: Option<&[String]>,
        change: FailedChange,
    ) -> Result<Option<i64>, Error> {
        let (account, region, now) = (cx.account.as_str(), cx.region.as_str(), cx.now_ms());
        let mut tx = self.0.store.write(SCOPE).await?;
        let conn = &mut tx.conn();
        let Some(target) = event_target::find(conn, account, region, name).await? else {
            return Ok(None);
        };
        let ids = match ids {
            None => vec![None],
            // The model says that they are digits; one that no row has is none of the target's.
            Some(ids) => ids
                .iter()
                .filter_map(|id| id.parse().ok())
                .map(Some)
                .collect(),
        };
        let mut changed = 0;
        for id in ids {
            changed += match change {
                FailedChange::Retry => event_delivery::retry(conn, target.id, id, now).await?,
                FailedChange::Purge => event_delivery::purge(conn, target.id, id).await?,
            };
        }
        tx.commit().await?;
        Ok(Some(i64::try_from(changed).unwrap_or(i64::MAX)))
    }
}

/// What is to become of failed deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedChange {
    /// They are tried again.
    Retry,
    /// They are deleted.
    Purge,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour_and_are_spread() {
        for id in 0..300 {
            for attempts in 1..40 {
                let pause = retry_pause_ms(attempts, id);
                let plain = (RETRY_FIRST_MS << (attempts - 1).min(20)).min(RETRY_MAX_MS);
                assert!(
                    (plain..=plain + plain / 4).contains(&pause),
                    "{attempts} {pause}"
                );
            }
        }
        let distinct: std::collections::HashSet<i64> =
            (0..100).map(|id| retry_pause_ms(5, id)).collect();
        assert!(distinct.len() > 50);
    }
}
