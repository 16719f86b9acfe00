//! Queues of targets: routed, leased by one node, tried again, given up, brought back.

use crate::events::target;
use crate::world::*;
use aws_api::berth::ListFailedEventDeliveriesRequest;
use jiff::{SignedDuration, Timestamp};
use registry::Registry;
use registry::webhooks::{FailedChange, Failure, Turn};
use serde_json::{Value, json};
use store::ecr::event_delivery::{self, Delivery};
use store::testing::{TestStore, on_every_engine};

const SERVICE: ServiceName = ServiceName::Maintenance;

/// A registry with targets, and an image pushed.
async fn told(t: &TestStore, targets: &[&str]) -> World {
    let w = World::new(t).await;
    for name in targets {
        target(t, name, &json!({})).await;
    }
    let repo = w.repository("app").await;
    w.image(&repo, "v1", "one").await;
    w.registry.route_events(SERVICE, w.cx.now).await.unwrap();
    w
}

async fn due(r: &Registry, now: Timestamp) -> Vec<i64> {
    r.due_event_targets(SERVICE, now, 100).await.unwrap()
}

async fn turn(r: &Registry, now: Timestamp) -> Turn {
    let [id] = due(r, now).await[..] else {
        panic!("one target is due");
    };
    r.begin_turn(SERVICE, id, "node", now)
        .await
        .unwrap()
        .unwrap()
}

fn failure(pauses_target: bool, retry_after_ms: Option<i64>) -> Failure {
    Failure {
        reason: "the target answered 503".into(),
        retry_after_ms,
        pauses_target,
    }
}

fn later(from: Timestamp, seconds: i64) -> Timestamp {
    from.checked_add(SignedDuration::from_secs(seconds))
        .unwrap()
}

async fn failed(w: &World) -> Vec<aws_api::berth::FailedEventDelivery> {
    let input = ListFailedEventDeliveriesRequest::default();
    let page = w
        .registry
        .failed_event_deliveries(&w.cx, input)
        .await
        .unwrap();
    page.unwrap().deliveries
}

#[on_every_engine]
async fn an_event_has_one_id_and_the_form_of_eventbridge(t: TestStore) {
    let w = told(&t, &["a", "b"]).await;
    let mut bodies = Vec::new();
    for id in due(&w.registry, w.cx.now).await {
        let turn = w.registry.begin_turn(SERVICE, id, "node", w.cx.now).await;
        let turn = turn.unwrap().unwrap();
        assert_eq!(turn.due.len(), 1);
        bodies.push(turn.due[0].body.clone());
        // Another node does not get it meanwhile.
        let other = w.registry.begin_turn(SERVICE, id, "other", w.cx.now).await;
        assert!(other.unwrap().is_none());
    }
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0], bodies[1]);
    let body: Value = serde_json::from_str(&bodies[0]).unwrap();
    let mut members: Vec<&String> = body.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(
        members,
        [
            "account",
            "detail",
            "detail-type",
            "id",
            "region",
            "resources",
            "source",
            "time",
            "version"
        ]
    );
    assert_eq!(
        (&body["version"], &body["resources"]),
        (&json!("0"), &json!([]))
    );
    // A node that died loses its lease.
    let after = later(w.cx.now, 61);
    assert_eq!(due(&w.registry, after).await.len(), 2);
}

#[on_every_engine]
async fn a_failure_is_tried_again_later_each_time_and_given_up_after_a_day(t: TestStore) {
    let w = told(&t, &["a"]).await;
    let r = &w.registry;
    let (mut now, mut pauses) = (w.cx.now, Vec::new());
    while failed(&w).await.is_empty() {
        let mut turn = turn(r, now).await;
        let delivery = turn.due.remove(0);
        let why = failure(false, None);
        r.attempt_failed(SERVICE, &mut turn, &delivery, &why, now)
            .await
            .unwrap();
        r.end_turn(SERVICE, turn).await.unwrap();
        let mut pause = 0;
        while due(r, now).await.is_empty() && failed(&w).await.is_empty() {
            now = later(now, 5);
            pause += 5;
        }
        pauses.push(pause);
        assert!(pauses.len() < 60, "it is tried for ever: {pauses:?}");
    }
    assert!(pauses[0] >= 5 && pauses[..9].is_sorted(), "{pauses:?}");
    let tried = now.duration_since(w.cx.now);
    assert!(tried < SignedDuration::from_hours(25) && tried > SignedDuration::from_hours(20));
    let [dead] = &failed(&w).await[..] else {
        panic!("one event was given up");
    };
    assert_eq!(dead.attempts, i64::try_from(pauses.len()).unwrap());
    assert_eq!(r.event_counts().given_up, 1);
    // Somebody tries it again: it is due at once, and counts from the beginning.
    let again = r
        .change_failed_deliveries(&w.cx, "a", None, FailedChange::Retry)
        .await;
    assert_eq!(again.unwrap(), Some(1));
    let mut turn = turn(r, now).await;
    let delivery = turn.due.remove(0);
    assert_eq!(delivery.attempts, 0);
    r.delivered(SERVICE, &mut turn, &delivery).await.unwrap();
    r.end_turn(SERVICE, turn).await.unwrap();
    assert_eq!(r.event_queue_totals(SERVICE).await.unwrap(), (0, 0));
}

#[on_every_engine]
async fn a_target_that_asks_for_time_gets_it_and_holds_up_no_other(t: TestStore) {
    let w = told(&t, &["a", "b"]).await;
    let r = &w.registry;
    let both = due(r, w.cx.now).await;
    let turn = r.begin_turn(SERVICE, both[0], "node", w.cx.now).await;
    let mut turn = turn.unwrap().unwrap();
    let delivery = turn.due.remove(0);
    let why = failure(true, Some(600_000));
    r.attempt_failed(SERVICE, &mut turn, &delivery, &why, w.cx.now)
        .await
        .unwrap();
    r.end_turn(SERVICE, turn).await.unwrap();
    assert_eq!(due(r, w.cx.now).await, [both[1]]);
    assert_eq!(due(r, later(w.cx.now, 599)).await, [both[1]]);
    assert_eq!(due(r, later(w.cx.now, 600)).await.len(), 2);
}

#[on_every_engine]
async fn a_target_that_is_gone_is_disabled_and_asked_no_more(t: TestStore) {
    let w = told(&t, &["a"]).await;
    let r = &w.registry;
    let turn = turn(r, w.cx.now).await;
    let gone = r.disable_event_target(SERVICE, &turn, "410 Gone", w.cx.now);
    gone.await.unwrap();
    r.end_turn(SERVICE, turn).await.unwrap();
    assert_eq!(failed(&w).await.len(), 1);
    assert_eq!(due(r, later(w.cx.now, 3_600)).await, [0; 0]);
    let repo = w.facts("app").await;
    w.image(&repo, "v2", "two").await;
    assert!(!r.route_events(SERVICE, w.cx.now).await.unwrap());
    assert_eq!(r.event_queue_totals(SERVICE).await.unwrap(), (0, 1));
    let purged = r
        .change_failed_deliveries(&w.cx, "a", None, FailedChange::Purge)
        .await;
    assert_eq!(purged.unwrap(), Some(1));
    assert_eq!(r.event_queue_totals(SERVICE).await.unwrap(), (0, 0));
}

/// Puts events of `bytes` into the queue of the target, as routed before.
async fn wait_already(t: &TestStore, target_id: i64, count: usize, bytes: usize) {
    let mut tx = t.store.write(event_delivery::SCOPE).await.unwrap();
    for number in 0..count {
        let delivery = Delivery {
            id: 0,
            target_id,
            event_id: format!("early-{number}"),
            detail_type: "ECR Image Action".into(),
            repository: "app".into(),
            body: "x".repeat(bytes),
            occurred_at: 0,
            queued_at: 0,
            attempts: 0,
            due_at: 0,
            failed_at: None,
            reason: None,
        };
        event_delivery::insert(&mut tx.conn(), &delivery)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
}

/// With `count` events of `bytes` in the queue, two new events make the oldest ones be given up: so many after the
/// first new one, and after the second.
async fn one_too_many(t: &TestStore, count: usize, bytes: usize, given_up: [i64; 2]) {
    let w = told(t, &["a"]).await;
    let r = &w.registry;
    let mut first = turn(r, w.cx.now).await;
    let (target_id, push) = (first.target.id, first.due.remove(0));
    r.delivered(SERVICE, &mut first, &push).await.unwrap();
    r.end_turn(SERVICE, first).await.unwrap();
    wait_already(t, target_id, count, bytes).await;
    let repo = w.facts("app").await;
    let mut waiting = i64::try_from(count).unwrap();
    for (tag, given_up) in ["v2", "v3"].into_iter().zip(given_up) {
        w.image(&repo, tag, tag).await;
        assert!(!r.route_events(SERVICE, w.cx.now).await.unwrap());
        let totals = r.event_queue_totals(SERVICE).await.unwrap();
        waiting += 1;
        assert_eq!(totals, (waiting - given_up, given_up));
    }
    let lost = failed(&w).await;
    let ids: Vec<&str> = lost.iter().map(|one| one.event_id.as_str()).collect();
    let oldest: Vec<String> = (0..given_up[1]).map(|at| format!("early-{at}")).collect();
    assert_eq!(ids, oldest);
    assert_eq!(r.event_counts().given_up, given_up[1].unsigned_abs());
    assert_eq!(lost[0].reason, "the queue of the target is full");
}

#[on_every_engine]
async fn the_oldest_of_too_many_events_are_given_up(t: TestStore) {
    one_too_many(&t, 10_000, 1, [1, 2]).await;
}

#[on_every_engine]
async fn the_oldest_of_too_large_events_are_given_up(t: TestStore) {
    // One of them makes room for both.
    one_too_many(&t, 64, 1 << 20, [1, 1]).await;
}

#[on_every_engine]
async fn what_a_target_did_not_get_is_forgotten_after_two_weeks(t: TestStore) {
    const TWO_WEEKS: i64 = 14 * 24 * 3_600;
    let w = told(&t, &["a"]).await;
    let r = &w.registry;
    let turn = turn(r, w.cx.now).await;
    let gone = r.disable_event_target(SERVICE, &turn, "410 Gone", w.cx.now);
    gone.await.unwrap();
    for (seconds, left) in [(TWO_WEEKS, 1), (TWO_WEEKS + 1, 0)] {
        let now = later(w.cx.now, seconds);
        assert!(!r.forget_failed_events(SERVICE, now).await.unwrap());
        assert_eq!(failed(&w).await.len(), left);
    }
}

#[on_every_engine]
async fn an_account_has_a_few_turns_at_once(t: TestStore) {
    let names: Vec<String> = (0..9).map(|n| format!("t{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let w = told(&t, &names).await;
    let r = &w.registry;
    let all = due(r, w.cx.now).await;
    assert_eq!(all.len(), 4);
    let mut turns = Vec::new();
    for id in &all[..3] {
        let turn = r.begin_turn(SERVICE, *id, "node", w.cx.now).await.unwrap();
        turns.push(turn.unwrap());
    }
    assert_eq!(due(r, w.cx.now).await, [all[3]]);
    r.end_turn(SERVICE, turns.remove(0)).await.unwrap();
    assert_eq!(due(r, w.cx.now).await.len(), 2);
    // A lease that has run out is none.
    assert_eq!(due(r, later(w.cx.now, 61)).await.len(), 4);
}
