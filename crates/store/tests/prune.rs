//! Pruning the changes of deleted repositories, as seen by nodes that read them early, late or never.
#![allow(clippy::unwrap_used)]

use store::ecr::repository::{self, Repository};
use store::testing::{TestStore, on_every_engine};
use store::{Scope, Store, Topic, values};

/// Runs until the rows are old enough: on PostgreSQL, transactions of other tests hold this back.
const RUNS_MAX: usize = 2_000;

async fn create(store: &Store, name: &str) -> i64 {
    let new = Repository {
        id: 0,
        account: "123456789012".into(),
        region: "us-east-1".into(),
        name: name.into(),
        created_at: 0,
        tag_mutability: "MUTABLE".into(),
        tag_mutability_exclusions: String::new(),
        scan_on_push: false,
        policy: None,
        image_count: 0,
        read_only_mode: None,
        kms_key: None,
    };
    let mut tx = store.write(Scope::System("test")).await.unwrap();
    let id = repository::insert(&mut tx.conn(), &new).await.unwrap();
    tx.touch(Topic::Repository(id));
    tx.commit().await.unwrap();
    id
}

async fn touch(store: &Store, topic: Topic<'_>) {
    let mut tx = store.write(Scope::System("test")).await.unwrap();
    tx.touch(topic);
    tx.commit().await.unwrap();
}

async fn delete(store: &Store, id: i64) {
    let mut tx = store.write(Scope::Repository(id)).await.unwrap();
    tx.execute("DELETE FROM repositories WHERE id = $1", values![id])
        .await
        .unwrap();
    tx.touch(Topic::Repository(id));
    tx.commit().await.unwrap();
    // Something else happens later.
    touch(store, Topic::KeyRing).await;
}

async fn topics(store: &Store) -> Vec<String> {
    let mut read = store.read().await.unwrap();
    let rows = read
        .fetch_all("SELECT topic FROM changes ORDER BY topic", vec![])
        .await
        .unwrap();
    rows.iter().map(|row| row.text(0).unwrap()).collect()
}

async fn prune(store: &Store) {
    for _ in 0..RUNS_MAX {
        if store.prune_changes().await.unwrap() > 0 {
            return;
        }
    }
    panic!("nothing was pruned");
}

#[on_every_engine]
async fn keeps_what_exists_and_what_the_last_run_did_not_see(store: TestStore) {
    let store = store.store;
    let (kept, deleted) = (
        create(&store, "kept").await,
        create(&store, "deleted").await,
    );
    touch(&store, Topic::Account("123456789012")).await;
    delete(&store, deleted).await;
    assert_eq!(
        store.prune_changes().await.unwrap(),
        0,
        "the first run removes nothing"
    );
    prune(&store).await;
    let left = topics(&store).await;
    assert!(left.contains(&format!("repository/{kept}")), "{left:?}");
    assert!(!left.contains(&format!("repository/{deleted}")), "{left:?}");
    assert!(
        left.contains(&"account/123456789012".to_owned()),
        "{left:?}"
    );
    assert_eq!(store.prune_changes().await.unwrap(), 0);
}

#[on_every_engine]
async fn a_node_that_missed_a_pruned_change_counts_everything_as_changed(store: TestStore) {
    let other = Store::open(&store.url).await.unwrap();
    let store = store.store;
    let (kept, deleted) = (
        create(&store, "kept").await,
        create(&store, "deleted").await,
    );
    other.poll_changes().await.unwrap();
    let before = other.moment();
    delete(&store, deleted).await;
    prune(&store).await;
    other.poll_changes().await.unwrap();
    assert!(other.changed_since(Topic::Repository(deleted), before));
    assert!(other.changed_since(Topic::Repository(kept), before));
    // Once: what is read from now on stays good.
    let after = other.moment();
    other.poll_changes().await.unwrap();
    assert!(!other.changed_since(Topic::Account("123456789012"), after));
}

#[on_every_engine]
async fn a_node_that_read_the_change_keeps_its_other_entries(store: TestStore) {
    let other = Store::open(&store.url).await.unwrap();
    let store = store.store;
    let deleted = create(&store, "deleted").await;
    delete(&store, deleted).await;
    // The first run remembers how far it saw; the node reads up to there.
    store.prune_changes().await.unwrap();
    for _ in 0..RUNS_MAX {
        other.poll_changes().await.unwrap();
        let before = other.moment();
        let pruned = store.prune_changes().await.unwrap();
        other.poll_changes().await.unwrap();
        if pruned > 0 {
            assert!(!other.changed_since(Topic::Account("123456789012"), before));
            return;
        }
    }
    panic!("nothing was pruned");
}

#[on_every_engine]
async fn a_pruned_topic_that_changes_again_is_noticed(store: TestStore) {
    let other = Store::open(&store.url).await.unwrap();
    let store = store.store;
    let id = create(&store, "deleted").await;
    let topic = Topic::Repository(id);
    for _ in 0..5 {
        touch(&store, topic).await;
    }
    delete(&store, id).await;
    other.poll_changes().await.unwrap();
    prune(&store).await;
    other.poll_changes().await.unwrap();
    let before = other.moment();
    touch(&store, topic).await;
    other.poll_changes().await.unwrap();
    assert!(other.changed_since(topic, before));
}
