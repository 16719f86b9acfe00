//! What every engine promises about transactions.

#![allow(clippy::unwrap_used)]

use store::testing::{TestStore, on_every_engine};
use store::{Error, Moment, Scope, Store, Topic, values};

const ACCOUNT: Scope<'static> = Scope::Account("123456789012");
const PRINCIPALS: Topic<'static> = Topic::Account("123456789012");

async fn set(store: &Store, name: &str, value: &str) -> store::Result<()> {
    let mut tx = store.write(ACCOUNT).await?;
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

#[on_every_engine]
async fn a_commit_is_seen_by_readers_and_after_reopening(t: TestStore) {
    set(&t.store, "a", "1").await.unwrap();
    assert_eq!(get(&t.store, "a").await.as_deref(), Some("1"));
    t.store.close().await;
    let again = Store::open(&t.url).await.unwrap();
    assert_eq!(get(&again, "a").await.as_deref(), Some("1"));
}

#[on_every_engine]
async fn a_dropped_transaction_leaves_no_trace(t: TestStore) {
    let mut tx = t.store.write(ACCOUNT).await.unwrap();
    tx.execute(
        "INSERT INTO settings (name, value) VALUES ($1, $2)",
        values!["b", "1"],
    )
    .await
    .unwrap();
    tx.touch(PRINCIPALS);
    let before = t.store.moment();
    drop(tx);
    assert_eq!(get(&t.store, "b").await, None);
    assert!(!t.store.changed_since(PRINCIPALS, before));
    set(&t.store, "b", "2").await.unwrap();
}

#[on_every_engine]
async fn a_snapshot_sees_one_state(t: TestStore) {
    let value = async |conn: &mut store::Read| {
        let sql = "SELECT value FROM settings WHERE name = 's'";
        let row = conn.fetch_optional(sql, vec![]).await.unwrap();
        row.map(|row| row.text(0).unwrap())
    };
    set(&t.store, "s", "1").await.unwrap();
    let mut snapshot = t.store.snapshot().await.unwrap();
    assert_eq!(value(&mut snapshot).await.as_deref(), Some("1"));
    let mut tx = t.store.write(ACCOUNT).await.unwrap();
    tx.execute("DELETE FROM settings WHERE name = 's'", vec![])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(value(&mut snapshot).await.as_deref(), Some("1"));
    drop(snapshot);
    assert_eq!(value(&mut t.store.snapshot().await.unwrap()).await, None);
}

#[on_every_engine]
async fn a_taken_key_is_a_unique_violation(t: TestStore) {
    set(&t.store, "c", "1").await.unwrap();
    let refused = set(&t.store, "c", "2").await;
    assert!(matches!(refused, Err(Error::Unique(_))), "{refused:?}");
    assert_eq!(get(&t.store, "c").await.as_deref(), Some("1"));
}

#[on_every_engine]
async fn concurrent_increments_of_one_scope_all_count(t: TestStore) {
    set(&t.store, "n", "0").await.unwrap();
    let mut tasks = Vec::new();
    for _ in 0..16 {
        let store = t.store.clone();
        tasks.push(tokio::spawn(async move {
            for _ in 0..8 {
                let mut tx = store.write(ACCOUNT).await.unwrap();
                let row = tx
                    .fetch_one("SELECT value FROM settings WHERE name = 'n'", vec![])
                    .await
                    .unwrap();
                let next = row.text(0).unwrap().parse::<i64>().unwrap() + 1;
                tx.execute(
                    "UPDATE settings SET value = $1 WHERE name = 'n'",
                    values![next.to_string()],
                )
                .await
                .unwrap();
                tx.commit().await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(get(&t.store, "n").await.as_deref(), Some("128"));
}

#[on_every_engine]
async fn readers_do_not_wait_for_a_writer(t: TestStore) {
    set(&t.store, "d", "old").await.unwrap();
    let mut tx = t.store.write(ACCOUNT).await.unwrap();
    tx.execute("UPDATE settings SET value = 'new' WHERE name = 'd'", vec![])
        .await
        .unwrap();
    assert_eq!(get(&t.store, "d").await.as_deref(), Some("old"));
    tx.commit().await.unwrap();
    assert_eq!(get(&t.store, "d").await.as_deref(), Some("new"));
}

#[on_every_engine]
async fn another_node_learns_of_a_change_by_polling(t: TestStore) {
    let other = Store::open(&t.url).await.unwrap();
    let (topic, neighbour) = (Topic::Repository(1), Topic::Repository(2));
    for round in 0..3 {
        let (here, there) = (t.store.moment(), other.moment());
        let mut tx = t.store.write(Scope::Repository(1)).await.unwrap();
        tx.touch(topic);
        tx.commit().await.unwrap();
        assert!(t.store.changed_since(topic, here), "round {round}");
        assert!(!other.changed_since(topic, there), "round {round}");
        other.poll_changes().await.unwrap();
        assert!(other.changed_since(topic, there), "round {round}");
        // The own change is no news, and the neighbour has not changed.
        let here = t.store.moment();
        t.store.poll_changes().await.unwrap();
        assert!(!t.store.changed_since(topic, here), "round {round}");
        assert!(!other.changed_since(neighbour, there), "round {round}");
    }
}

#[on_every_engine]
async fn no_change_is_missed_whatever_the_order_of_commits(t: TestStore) {
    // On PostgreSQL the transactions overlap: the one that began first commits last, after a poll that
    // has seen the other.
    let other = Store::open(&t.url).await.unwrap();
    let begin = other.moment();
    let (first, second) = (Topic::Repository(1), Topic::Repository(2));
    let mut late = t.store.write(Scope::Repository(1)).await.unwrap();
    late.execute(
        "INSERT INTO settings (name, value) VALUES ('late', '1')",
        vec![],
    )
    .await
    .unwrap();
    if t.store.engine() == store::Engine::Postgres {
        let mut early = t.store.write(Scope::Repository(2)).await.unwrap();
        early.touch(second);
        early.commit().await.unwrap();
        other.poll_changes().await.unwrap();
        assert!(other.changed_since(second, begin));
    }
    late.touch(first);
    late.commit().await.unwrap();
    other.poll_changes().await.unwrap();
    assert!(other.changed_since(first, begin));
}

#[on_every_engine]
async fn a_handled_change_keeps_the_rest_of_its_topic_on_this_node(t: TestStore) {
    let topic = Topic::Repository(3);
    let change = async |store: &Store| {
        let mut tx = store.write(Scope::Repository(3)).await.unwrap();
        tx.touch_handled(topic);
        tx.commit().await.unwrap();
    };
    change(&t.store).await;
    let moment = t.store.moment();
    change(&t.store).await;
    assert!(!t.store.changed_since(topic, moment));
    let other = Store::open(&t.url).await.unwrap();
    change(&other).await;
    t.store.poll_changes().await.unwrap();
    assert!(t.store.changed_since(topic, moment));
    assert!(t.store.changed_since(topic, Moment::START));
}

#[on_every_engine]
async fn a_transaction_that_the_engine_ended_stops_no_later_write(t: TestStore) {
    // What SQLite does by itself after a full disk or an I/O error, when the ROLLBACK that follows fails.
    for round in 0..3 {
        let mut tx = t.store.write(ACCOUNT).await.unwrap();
        tx.execute(
            "INSERT INTO settings (name, value) VALUES ('lost', '1')",
            vec![],
        )
        .await
        .unwrap();
        tx.execute("ROLLBACK", vec![]).await.unwrap();
        match round {
            0 => drop(tx),
            1 => drop(tx.commit().await),
            _ => {
                let failed = tx.execute("SELECT no_such_function()", vec![]).await;
                assert!(failed.is_err());
                let refused = tx.commit().await;
                assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
            }
        }
        set(&t.store, &format!("after-{round}"), "1").await.unwrap();
        assert_eq!(get(&t.store, "lost").await, None);
    }
}

#[on_every_engine]
async fn a_failed_statement_undoes_its_transaction(t: TestStore) {
    let mut tx = t.store.write(ACCOUNT).await.unwrap();
    tx.execute(
        "INSERT INTO settings (name, value) VALUES ('half', '1')",
        vec![],
    )
    .await
    .unwrap();
    assert!(
        tx.execute("SELECT no_such_function()", vec![])
            .await
            .is_err()
    );
    assert!(tx.commit().await.is_err());
    assert_eq!(get(&t.store, "half").await, None);
    set(&t.store, "half", "2").await.unwrap();
}

#[on_every_engine]
async fn a_request_that_goes_away_in_a_statement_leaves_its_connection_usable(t: TestStore) {
    for _ in 0..20 {
        let store = t.store.clone();
        let gone = async move {
            let mut tx = store.write(ACCOUNT).await.unwrap();
            tx.execute(
                "INSERT INTO settings (name, value) VALUES ('gone', '1') ON CONFLICT DO NOTHING",
                vec![],
            )
            .await
            .unwrap();
            tx.commit().await
        };
        // Polled once and dropped, at whatever await it stands then; it may have committed.
        let _ = futures_util::FutureExt::now_or_never(gone);
    }
    set(&t.store, "kept", "1").await.unwrap();
    assert_eq!(get(&t.store, "kept").await.as_deref(), Some("1"));
}

#[on_every_engine]
async fn every_database_has_an_id_of_its_own_that_its_nodes_share(t: TestStore) {
    let again = Store::open(&t.url).await.unwrap();
    assert_eq!((t.store.id(), t.store.id().len()), (again.id(), 32));
    let another = match t.store.engine() {
        store::Engine::Sqlite => store::testing::sqlite().await,
        store::Engine::Postgres => store::testing::postgres().await,
    };
    assert_ne!(t.store.id(), another.store.id());
}

#[on_every_engine]
async fn two_nodes_may_start_together(t: TestStore) {
    let (a, b) = tokio::join!(Store::open(&t.url), Store::open(&t.url));
    a.unwrap();
    b.unwrap();
}

#[on_every_engine]
async fn a_newer_schema_is_refused(t: TestStore) {
    let mut tx = t.store.write(ACCOUNT).await.unwrap();
    tx.execute(
        "INSERT INTO schema_steps (name) VALUES ('9999_future')",
        vec![],
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let refused = Store::open(&t.url).await;
    assert!(
        matches!(refused, Err(Error::Schema(ref why)) if why.contains("9999_future")),
        "{refused:?}"
    );
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

#[tokio::test]
async fn a_full_database_is_unavailable_and_the_next_write_succeeds() {
    let t = store::testing::sqlite().await;
    for round in 0..5 {
        let mut tx = t.store.write(ACCOUNT).await.unwrap();
        // The limit is this connection's; the engine answers as on a full disk (SQLITE_FULL).
        tx.fetch_optional("PRAGMA max_page_count = 1", vec![])
            .await
            .unwrap();
        let full = tx
            .execute(
                "INSERT INTO settings (name, value) VALUES ('large', hex(zeroblob(200000)))",
                vec![],
            )
            .await;
        assert!(matches!(full, Err(Error::Unavailable(_))), "{full:?}");
        drop(tx);
        set(&t.store, &format!("after-{round}"), "1").await.unwrap();
    }
}

#[tokio::test]
async fn a_locked_database_is_unavailable() {
    let t = store::testing::sqlite().await;
    let other = Store::open(&t.url).await.unwrap();
    let held = other.write(ACCOUNT).await.unwrap();
    let mut read = t.store.read().await.unwrap();
    // A statement that does not wait, unlike a writer.
    read.fetch_optional("PRAGMA busy_timeout = 0", vec![])
        .await
        .unwrap();
    read.fetch_optional("PRAGMA query_only = off", vec![])
        .await
        .unwrap();
    let locked = read
        .execute(
            "INSERT INTO settings (name, value) VALUES ('x', '1')",
            vec![],
        )
        .await;
    assert!(matches!(locked, Err(Error::Unavailable(_))), "{locked:?}");
    drop(held);
    set(&t.store, "x", "2").await.unwrap();
}

#[tokio::test]
async fn a_second_server_on_an_sqlite_file_is_refused_and_a_command_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("berth.db");
    let url = format!("sqlite:{}", file.display());
    let server = Store::open_for_server(&url).await.unwrap();
    let link = dir.path().join("link.db");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    for name in [url.clone(), format!("sqlite:{}", link.display())] {
        let second = Store::open_for_server(&name).await;
        assert!(matches!(second, Err(Error::InUse(_))), "{second:?}");
        Store::open(&name).await.unwrap().close().await;
    }
    server.close().await;
    drop(server);
    Store::open_for_server(&url).await.unwrap();
}

/// Writers side by side that commit, give up, meet a taken key, or go away in the middle.
#[on_every_engine]
async fn exactly_what_was_acknowledged_is_there(t: TestStore) {
    set(&t.store, "taken", "0").await.unwrap();
    let mut tasks = Vec::new();
    for number in 0..120_u32 {
        let store = t.store.clone();
        let name = format!("n{number}");
        let work = {
            let name = name.clone();
            async move {
                let mut tx = store.write(ACCOUNT).await?;
                let sql = "INSERT INTO settings (name, value) VALUES ($1, 'x')";
                tx.execute(sql, values![&name]).await?;
                match number % 4 {
                    0 => return Err(Error::NoRow),
                    1 => drop(tx.execute(sql, values!["taken"]).await?),
                    _ => {}
                }
                tx.touch(PRINCIPALS);
                tx.commit().await
            }
        };
        let task = tokio::spawn(work);
        if number % 7 == 3 {
            tokio::task::yield_now().await;
            task.abort();
        }
        tasks.push((name, number, task));
    }
    for (name, number, task) in tasks {
        let there = |found: Option<String>| found.is_some();
        match task.await {
            Ok(Ok(())) => {
                assert!(number % 4 > 1);
                assert!(there(get(&t.store, &name).await), "{name} was acknowledged");
            }
            Ok(Err(error)) => {
                assert!(
                    matches!(error, Error::NoRow | Error::Unique(_)),
                    "{error:?}"
                );
                assert!(!there(get(&t.store, &name).await), "{name} was refused");
            }
            // Gone in the middle: either, but never after a refusal.
            Err(_) => assert!(number % 4 > 1 || !there(get(&t.store, &name).await)),
        }
    }
}
