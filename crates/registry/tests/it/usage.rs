//! What is stored and transferred: counters agree with a recount, whatever happened before.

use std::collections::{BTreeMap, BTreeSet};

use aws_api::{berth, ecr};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use registry::Registry;
use store::testing::{TestStore, on_every_engine};

use crate::world::*;

async fn account(w: &World) -> berth::GetUsageResponse {
    let input = berth::GetUsageRequest::default();
    w.registry.get_usage(&w.cx, input).await.unwrap()
}

async fn repositories(w: &World) -> BTreeMap<String, berth::RepositoryUsage> {
    let mut input = berth::ListRepositoryUsageRequest {
        max_results: Some(1),
        ..Default::default()
    };
    let mut all = BTreeMap::new();
    loop {
        let page = w
            .registry
            .list_repository_usage(&w.cx, input.clone())
            .await
            .unwrap();
        all.extend(
            page.repositories
                .into_iter()
                .map(|one| (one.repository_name.clone(), one)),
        );
        input.next_token = page.next_token;
        if input.next_token.is_none() {
            return all;
        }
    }
}

#[on_every_engine]
async fn a_shared_layer_counts_once_in_the_account(store: TestStore) {
    let w = World::new(&store).await;
    let (a, b) = (w.repository("aa").await, w.repository("bb").await);
    let of = |bytes: &str| i64::try_from(bytes.len()).unwrap();
    for repo in [&a, &b] {
        w.layer(repo, "shared by both").await;
    }
    w.layer(&a, "of one").await;
    // The same again is no more.
    w.layer(&a, "of one").await;
    let (shared, one) = (of("shared by both"), of("of one"));
    assert_eq!(account(&w).await.stored_bytes, shared + one);
    let usage = repositories(&w).await;
    let stored = |name: &str| (usage[name].stored_bytes, usage[name].shared_bytes);
    assert_eq!(stored("aa"), (shared + one, shared));
    assert_eq!(stored("bb"), (shared, shared));
    let input = ecr::DeleteRepositoryRequest {
        registry_id: None,
        repository_name: "bb".into(),
        force: Some(true),
    };
    w.registry.delete_repository(&w.cx, input).await.unwrap();
    assert_eq!(account(&w).await.stored_bytes, shared + one);
    assert_eq!(repositories(&w).await["aa"].shared_bytes, 0);
    // Each node's metrics have the sum, whichever of them counted.
    let (beside, ..) = w.another_node(true, w.cx.now).await;
    beside
        .maintain(ServiceName::Maintenance, w.cx.now)
        .await
        .unwrap();
    assert_eq!(beside.usage_totals().stored, (shared + one).unsigned_abs());
}

#[on_every_engine]
async fn days_hold_what_was_stored_and_who_transferred_what(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let digest = w.image(&repo, "v1", "content").await.to_string();
    w.pull(&repo, "v1").await.unwrap();
    let first = account(&w).await;
    let manifest = w
        .registry
        .get_manifest(&w.cx, &repo, &digest)
        .await
        .unwrap();
    let layers = i64::try_from("content".len() + "config of content".len()).unwrap();
    let bytes = i64::try_from(manifest.bytes.len()).unwrap();
    assert_eq!(first.stored_bytes, layers + bytes);
    assert_eq!(first.received_bytes, layers + bytes);
    assert_eq!(first.sent_bytes, bytes);
    assert_eq!((first.repository_count, first.image_count), (1, 1));
    assert_eq!(first.days.len(), 30);
    assert_eq!(first.stored_byte_days, first.stored_bytes);
    // Two days later, nothing happened in between.
    let later = w.later(48);
    let input = berth::GetUsageRequest::default();
    let then = w.registry.get_usage(&later, input).await.unwrap();
    assert_eq!(then.stored_byte_days, 3 * first.stored_bytes);
    let days: Vec<_> = then
        .days
        .iter()
        .rev()
        .take(4)
        .map(|day| day.stored_bytes)
        .collect();
    let stored = first.stored_bytes;
    assert_eq!(days, [stored, stored, stored, 0]);
    let input = berth::ListPrincipalUsageRequest::default();
    let by = w
        .registry
        .list_principal_usage(&w.cx, input)
        .await
        .unwrap()
        .principals;
    assert_eq!(by.len(), 1);
    assert_eq!(by[0].principal_arn, *w.cx.caller.arn);
    assert_eq!((by[0].pull_count, by[0].push_count), (2, 1));
    for wrong in [
        ("2026-01-02", "2026-01-01"),
        ("x", "2026-01-01"),
        ("2020-01-01", "2026-01-01"),
    ] {
        let input = berth::GetUsageRequest {
            registry_id: None,
            start_date: Some(wrong.0.to_owned()),
            end_date: Some(wrong.1.to_owned()),
        };
        assert_eq!(
            refusal(w.registry.get_usage(&w.cx, input).await),
            "InvalidParameter"
        );
    }
    // What was stored long ago holds after the rows of its time are removed.
    let later = w.later(24 * 450);
    while w
        .registry
        .prune_usage(ServiceName::Maintenance, later.now)
        .await
        .unwrap()
    {}
    let input = berth::GetUsageRequest::default();
    let then = w.registry.get_usage(&later, input).await.unwrap();
    assert_eq!(then.stored_byte_days, 30 * stored);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Layer(usize, usize),
    Unlink(usize, usize),
    Image(usize, usize),
    DeleteImage(usize, usize),
    DeleteRepository(usize),
    Count,
}

fn steps() -> impl Strategy<Value = Vec<(Step, bool)>> {
    let pair = || (0..3_usize, 0..3_usize);
    let step = prop_oneof![
        4 => pair().prop_map(|(repo, n)| Step::Layer(repo, n)),
        2 => pair().prop_map(|(repo, n)| Step::Unlink(repo, n)),
        3 => pair().prop_map(|(repo, n)| Step::Image(repo, n)),
        2 => pair().prop_map(|(repo, n)| Step::DeleteImage(repo, n)),
        1 => (0..3_usize).prop_map(Step::DeleteRepository),
        1 => Just(Step::Count),
    ];
    proptest::collection::vec((step, any::<bool>()), 1..25)
}

/// What the tables say, read whole.
async fn recount(store: &store::Store) -> BTreeMap<String, BTreeMap<String, i64>> {
    let sql = "SELECT r.name, l.digest, l.size FROM layers l JOIN repositories r ON r.id = l.repository_id \
               UNION SELECT r.name, i.digest, i.content_size FROM images i \
               JOIN repositories r ON r.id = i.repository_id";
    let rows = store
        .read()
        .await
        .unwrap()
        .fetch_all(sql, vec![])
        .await
        .unwrap();
    let mut all: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for row in rows {
        let of = all.entry(row.text(0).unwrap()).or_default();
        of.insert(row.text(1).unwrap(), row.int(2).unwrap());
    }
    all
}

#[on_every_engine]
async fn counters_equal_a_recount_after_any_operations(store: TestStore) {
    let w = World::new(&store).await;
    let (beside, its_store, _) = w.another_node(true, w.cx.now).await;
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    for _ in 0..10 {
        let case = steps().new_tree(&mut runner).unwrap().current();
        for (step, here) in &case {
            let node = if *here { &w.registry } else { &beside };
            apply(&w, node, *step).await;
            store.store.poll_changes().await.unwrap();
            its_store.poll_changes().await.unwrap();
        }
        let mut objects: BTreeMap<&String, (i64, BTreeSet<&String>)> = BTreeMap::new();
        let real = recount(&store.store).await;
        for (name, of) in &real {
            for (digest, size) in of {
                let object = objects.entry(digest).or_insert((*size, BTreeSet::new()));
                object.1.insert(name);
            }
        }
        let sum: i64 = objects.values().map(|(size, _)| *size).sum();
        assert_eq!(account(&w).await.stored_bytes, sum, "{case:?}");
        for (name, usage) in repositories(&w).await {
            let of = real.get(&name).cloned().unwrap_or_default();
            assert_eq!(
                usage.stored_bytes,
                of.values().sum::<i64>(),
                "{name} {case:?}"
            );
            let shared = objects
                .values()
                .filter(|(_, by)| by.len() > 1 && by.contains(&name));
            let shared: i64 = shared.map(|(size, _)| *size).sum();
            assert_eq!(usage.shared_bytes, shared, "{name} {case:?}");
        }
    }
}

async fn apply(w: &World, node: &Registry, step: Step) {
    let name = |n: usize| format!("app-{n}");
    let repo = |n: usize| {
        let name = name(n);
        async move {
            // One that is deleted comes back with the next step that needs it.
            drop(w.create(&name, |_| {}).await);
            node.repository(&w.cx.account, &w.cx.region, &name)
                .await
                .unwrap()
        }
    };
    // Some steps are refused, and must leave the counters alone then.
    match step {
        Step::Layer(at, n) => {
            w.layer(&*repo(at).await, &"layer ".repeat(n + 1)).await;
        }
        Step::Unlink(at, n) => {
            let digest = blobs::Digest::sha256_of("layer ".repeat(n + 1).as_bytes()).to_string();
            drop(node.delete_blob(&w.cx, &*repo(at).await, &digest).await);
        }
        Step::Image(at, n) => {
            w.image(&*repo(at).await, &format!("v{n}"), &"layer ".repeat(n + 1))
                .await;
        }
        Step::DeleteImage(at, n) => {
            let reference = format!("v{n}");
            drop(
                node.delete_manifest(&w.cx, &*repo(at).await, &reference)
                    .await,
            );
        }
        Step::DeleteRepository(at) => {
            let input = ecr::DeleteRepositoryRequest {
                registry_id: None,
                repository_name: name(at),
                force: Some(true),
            };
            drop(w.registry.delete_repository(&w.cx, input).await);
            w.registry
                .maintain(ServiceName::Maintenance, w.cx.now)
                .await
                .unwrap();
        }
        Step::Count => {
            let _more = node
                .count_usage(ServiceName::Maintenance, w.cx.now)
                .await
                .unwrap();
        }
    }
}
