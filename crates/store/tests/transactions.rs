//! What every engine promises about transactions.

#![allow(clippy::unwrap_used)]

use store::{Error, Scope, Store, Topic, on_every_engine, values};

async fn set(store: &Store, name: &str, value: &str) -> store::Result<()> {
    let mut tx = store.write(Scope::Identity).await?;
    tx.execute(
        "INSERT INTO settings (name, value) VALUES ($1, $2)",
        values![name, value],
    )
    .await?;
    tx.commit().await
}

async fn get(store: &Store, name: &str) -> Option<String> {
    let mut conn = store.read().await.unwrap();
    let row = conn
        .fetch_optional("SELECT value FROM settings WHERE name = $1", values![name])
        .await
        .unwrap();
    row.map(|row| row.text(0).unwrap())
}

on_every_engine! {
    async fn a_commit_is_seen_by_readers_and_after_reopening(t: TestStore) {
        set(&t.store, "a", "1").await.unwrap();
        assert_eq!(get(&t.store, "a").await.as_deref(), Some("1"));
        t.store.close().await;
        let again = Store::open(&t.url).await.unwrap();
        assert_eq!(get(&again, "a").await.as_deref(), Some("1"));
    }

    async fn a_dropped_transaction_leaves_no_trace(t: TestStore) {
        let mut tx = t.store.write(Scope::Identity).await.unwrap();
        tx.execute("INSERT INTO settings (name, value) VALUES ($1, $2)", values!["b", "1"]).await.unwrap();
        tx.touch(Topic::Identity).await.unwrap();
        let before = t.store.generation(Topic::Identity);
        drop(tx);
        assert_eq!(get(&t.store, "b").await, None);
        assert_eq!(t.store.generation(Topic::Identity), before);
        set(&t.store, "b", "2").await.unwrap();
    }

    async fn a_taken_key_is_a_unique_violation(t: TestStore) {
        set(&t.store, "c", "1").await.unwrap();
        let refused = set(&t.store, "c", "2").await;
        assert!(matches!(refused, Err(Error::Unique(_))), "{refused:?}");
        assert_eq!(get(&t.store, "c").await.as_deref(), Some("1"));
    }

    async fn concurrent_increments_of_one_scope_all_count(t: TestStore) {
        set(&t.store, "n", "0").await.unwrap();
        let mut tasks = Vec::new();
        for _ in 0..16 {
            let store = t.store.clone();
            tasks.push(tokio::spawn(async move {
                for _ in 0..8 {
                    let mut tx = store.write(Scope::Identity).await.unwrap();
                    let row = tx.fetch_one("SELECT value FROM settings WHERE name = 'n'", vec![]).await.unwrap();
                    let next = row.text(0).unwrap().parse::<i64>().unwrap() + 1;
                    tx.execute("UPDATE settings SET value = $1 WHERE name = 'n'", values![next.to_string()]).await.unwrap();
                    tx.commit().await.unwrap();
                }
            }));
        }
        for task in tasks { task.await.unwrap(); }
        assert_eq!(get(&t.store, "n").await.as_deref(), Some("128"));
    }

    async fn readers_do_not_wait_for_a_writer(t: TestStore) {
        set(&t.store, "d", "old").await.unwrap();
        let mut tx = t.store.write(Scope::Identity).await.unwrap();
        tx.execute("UPDATE settings SET value = 'new' WHERE name = 'd'", vec![]).await.unwrap();
        assert_eq!(get(&t.store, "d").await.as_deref(), Some("old"));
        tx.commit().await.unwrap();
        assert_eq!(get(&t.store, "d").await.as_deref(), Some("new"));
    }

    async fn another_node_learns_of_a_change_by_polling(t: TestStore) {
        let other = Store::open(&t.url).await.unwrap();
        let (here, there) = (t.store.generation(Topic::Registry), other.generation(Topic::Registry));
        let mut tx = t.store.write(Scope::Repository(1)).await.unwrap();
        tx.touch(Topic::Registry).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(t.store.generation(Topic::Registry), here + 1);
        assert_eq!(other.generation(Topic::Registry), there);
        other.poll_changes().await.unwrap();
        assert_eq!(other.generation(Topic::Registry), there + 1);
    }

    async fn two_nodes_may_start_together(t: TestStore) {
        let (a, b) = tokio::join!(Store::open(&t.url), Store::open(&t.url));
        a.unwrap();
        b.unwrap();
    }

    async fn a_newer_schema_is_refused(t: TestStore) {
        let mut tx = t.store.write(Scope::Identity).await.unwrap();
        tx.execute("INSERT INTO schema_steps (name) VALUES ('9999_future')", vec![]).await.unwrap();
        tx.commit().await.unwrap();
        let refused = Store::open(&t.url).await;
        assert!(matches!(refused, Err(Error::Schema(ref why)) if why.contains("9999_future")), "{refused:?}");
    }
}

/// Many writers wait for a scope that another node holds: readers and other scopes go on meanwhile, and
/// the wait is bounded by the database itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_scope_stops_no_reader() {
    let t = store::testing::postgres().await;
    set(&t.store, "e", "1").await.unwrap();
    let other_node = Store::open(&t.url).await.unwrap();
    let held = other_node.write(Scope::Repository(1)).await.unwrap();
    let waiting: Vec<_> = (0..40)
        .map(|_| {
            let store = t.store.clone();
            tokio::spawn(async move { store.write(Scope::Repository(1)).await?.commit().await })
        })
        .collect();
    for _ in 0..40 {
        tokio::task::yield_now().await;
        assert_eq!(get(&t.store, "e").await.as_deref(), Some("1"));
    }
    drop(held);
    for task in waiting {
        task.await.unwrap().unwrap();
    }
    let mut conn = t.store.read().await.unwrap();
    for setting in [
        "SHOW lock_timeout",
        "SHOW idle_in_transaction_session_timeout",
    ] {
        let bound = conn
            .fetch_one(setting, vec![])
            .await
            .unwrap()
            .text(0)
            .unwrap();
        assert_ne!(bound, "0", "{setting}");
    }
}

#[tokio::test]
async fn another_scheme_is_refused_and_the_password_is_not_repeated() {
    let refused = Store::open("mysql://root:hunter2@db/x").await;
    let text = refused.err().map(|e| e.to_string()).unwrap_or_default();
    assert!(
        text.contains("sqlite:") && !text.contains("hunter2"),
        "{text}"
    );
}
