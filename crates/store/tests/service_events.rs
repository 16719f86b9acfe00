//! Audit events that wait in the database for a server's log.
#![allow(clippy::unwrap_used)]

use store::service_events::{self, Event, NewEvent, SCOPE};
use store::testing::{TestStore, on_every_engine};
use store::{Scope, Store};

fn new(name: &str) -> NewEvent<'_> {
    NewEvent {
        occurred_at: 7,
        service: "maintenance.berth",
        source: "berth",
        name,
        account: Some("123456789012"),
        resource: None,
        details: r#"{"count":3}"#,
    }
}

async fn insert(store: &Store, names: &[&str]) {
    let mut tx = store.write(Scope::System("test")).await.unwrap();
    for name in names {
        let event = new(name);
        service_events::insert(&mut tx.conn(), &event)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
}

async fn claim(store: &Store, now: i64, limit: i64) -> Vec<Event> {
    let mut tx = store.write(SCOPE).await.unwrap();
    let events = service_events::claim(&mut tx.conn(), now, now + 60, limit)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    events
}

async fn is_waiting(store: &Store, now: i64) -> bool {
    let mut read = store.read().await.unwrap();
    service_events::is_waiting(&mut read.conn(), now)
        .await
        .unwrap()
}

#[on_every_engine]
async fn one_server_gets_an_event_until_its_claim_is_over(store: TestStore) {
    let store = store.store;
    assert!(!is_waiting(&store, 0).await);
    insert(&store, &["A", "B", "C"]).await;
    let first = claim(&store, 10, 2).await;
    let names: Vec<_> = first.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["A", "B"]);
    assert_eq!(
        (
            first[0].occurred_at,
            first[0].service.as_str(),
            first[0].source.as_str()
        ),
        (7, "maintenance.berth", "berth")
    );
    assert_eq!(
        (first[0].account.as_deref(), first[0].details.as_str()),
        (Some("123456789012"), r#"{"count":3}"#)
    );
    assert!(is_waiting(&store, 10).await);
    assert_eq!(claim(&store, 10, 10).await.len(), 1, "C alone is free");
    assert!(!is_waiting(&store, 69).await);
    // A was written, and its server died before it wrote B.
    let mut tx = store.write(SCOPE).await.unwrap();
    service_events::delete(&mut tx.conn(), first[0].id)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let again = claim(&store, 70, 10).await;
    assert_eq!(
        (again[0].id, again[0].name.as_str(), again.len()),
        (first[1].id, "B", 2)
    );
}

#[on_every_engine]
async fn an_event_is_part_of_its_transaction(store: TestStore) {
    let store = store.store;
    let mut tx = store.write(Scope::System("test")).await.unwrap();
    let event = new("A");
    service_events::insert(&mut tx.conn(), &event)
        .await
        .unwrap();
    drop(tx);
    assert!(!is_waiting(&store, 10).await);
}
