//! The collection: layers and blobs that nobody needs go in their time, and nothing else does.

use std::collections::HashSet;
use std::fs;

use crate::world::*;
use aws_api::berth::{Collection, CollectionStatus, ListCollectionsRequest};
use aws_api::ecr;
use blobs::Digest;
use futures_util::future::join_all;
use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::{SignedDuration, Timestamp};
use registry::{Registry, RepositoryFacts};
use serde_json::json;
use store::testing::{TestStore, on_every_engine};

const SERVICE: ServiceName = ServiceName::Maintenance;
/// Pauses inside of a run are shorter, and those between two runs longer.
const END_OF_RUN: SignedDuration = SignedDuration::from_secs(1);

/// One run to its end.
async fn collect(registry: &Registry, now: Timestamp) {
    registry.link_foreign_layers(SERVICE, now).await.unwrap();
    while registry.collect(SERVICE, now).await.unwrap() < END_OF_RUN {}
}

/// What the runs did, the newest first.
async fn runs(w: &World) -> Vec<Collection> {
    let input = ListCollectionsRequest::default();
    let page = w.registry.list_collections(&w.cx, input).await.unwrap();
    page.collections
}

/// Files of stored copies.
async fn files(w: &World) -> usize {
    w.blobs.list().map(Result::unwrap).count().await
}

async fn delete(w: &World, repo: &RepositoryFacts, tag: &str) {
    let input = ecr::BatchDeleteImageRequest {
        repository_name: repo.name.to_string(),
        image_ids: vec![ecr::ImageIdentifier {
            image_tag: Some(tag.into()),
            ..ecr::ImageIdentifier::default()
        }],
        ..ecr::BatchDeleteImageRequest::default()
    };
    let answer = w.registry.batch_delete_image(&w.cx, input).await.unwrap();
    assert_eq!(answer.failures.unwrap(), []);
}

async fn is_there(w: &World, repo: &RepositoryFacts, content: &str, hours: i64) -> bool {
    let digest = Digest::sha256_of(content.as_bytes()).to_string();
    w.registry
        .stat_blob(&w.later(hours), repo, &digest)
        .await
        .is_ok()
}

/// The content of a layer, as a client gets it.
async fn read(w: &World, repo: &RepositoryFacts, content: &str) -> Vec<u8> {
    let digest = Digest::sha256_of(content.as_bytes()).to_string();
    let (layer, source) = w.registry.open_blob(&w.cx, repo, &digest).await.unwrap();
    let read = source.read_range(0..layer.size);
    let parts: Vec<_> = read.try_collect().await.unwrap();
    parts.concat()
}

#[on_every_engine]
async fn a_layer_that_no_image_needs_goes_in_its_time(store: TestStore) {
    let w = World::new(&store).await;
    let (repo, other) = (w.repository("app").await, w.repository("other").await);
    w.image(&repo, "v1", "shared").await;
    w.image(&repo, "v2", "own").await;
    w.image(&other, "v1", "shared").await;
    assert_eq!(files(&w).await, 4);
    delete(&w, &repo, "v1").await;
    delete(&w, &repo, "v2").await;
    // It is noted at the first run, and stays for a day.
    for hours in [1, 24] {
        collect(&w.registry, w.later(hours).now).await;
        assert_eq!(files(&w).await, 4, "{hours}");
    }
    collect(&w.registry, w.later(25).now).await;
    assert_eq!(files(&w).await, 2, "the other repository has what both had");
    for content in ["shared", "own"] {
        assert!(!is_there(&w, &repo, content, 26).await, "{content}");
    }
    assert_eq!(read(&w, &other, "shared").await, b"shared");
    let removed = w.events(&store, "CollectLayers").await;
    assert_eq!(removed.len(), 1);
    assert_eq!(removed[0]["layerDigests"].as_array().unwrap().len(), 4);
    let deleted = w.events(&store, "CollectBlobs").await;
    assert_eq!(deleted[0]["reason"], "no repository has the blob");
    let [last, ..] = &runs(&w).await[..] else {
        panic!("runs are listed");
    };
    let found = (last.status, last.deleted_count, last.deleted_bytes);
    let bytes = ("own".len() + "config of own".len()) as i64;
    assert_eq!(found, (CollectionStatus::Complete, Some(2), Some(bytes)));
    // What was counted of the repository is nothing again.
    let mut read = store.store.read().await.unwrap();
    let sql = "SELECT layer_bytes FROM repositories WHERE name = 'app'";
    let row = read.fetch_one(sql, store::values![]).await.unwrap();
    assert_eq!(row.int(0).unwrap(), 0);
}

#[on_every_engine]
async fn who_asks_for_a_layer_or_pushes_it_again_keeps_it(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    for tag in ["asked", "pushed", "mounted", "forgotten"] {
        w.image(&repo, tag, tag).await;
        delete(&w, &repo, tag).await;
    }
    collect(&w.registry, w.later(1).now).await;
    assert!(is_there(&w, &repo, "asked", 20).await);
    let later = w.later(20);
    let digest = Digest::sha256_of(b"pushed").to_string();
    let again = w.registry.put_blob(&later, &repo, &digest, body("pushed"));
    again.await.unwrap();
    let other = w.repository("other").await;
    let digest = Digest::sha256_of(b"mounted").to_string();
    let mounted = w.registry.mount_blob(&later, &other, &repo, &digest).await;
    assert!(mounted.unwrap().is_some());
    collect(&w.registry, w.later(26).now).await;
    for (content, repository, is_kept) in [
        ("asked", &repo, true),
        ("pushed", &repo, true),
        ("mounted", &repo, false),
        ("mounted", &other, true),
        ("forgotten", &repo, false),
    ] {
        assert_eq!(
            is_there(&w, repository, content, 26).await,
            is_kept,
            "{content}"
        );
    }
    // A manifest that names what was asked for is accepted, and keeps it.
    let manifest = w.manifest(&repo, "asked").await;
    w.put(&repo, "again", &manifest).await.unwrap();
    for hours in [50, 100, 150] {
        collect(&w.registry, w.later(hours).now).await;
        assert_eq!(read(&w, &repo, "asked").await, b"asked");
    }
}

#[on_every_engine]
async fn layers_of_a_deleted_repository_go_at_the_next_run(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    w.image(&repo, "v1", "one").await;
    w.delete("app").await;
    collect(&w.registry, w.later(1).now).await;
    assert_eq!(files(&w).await, 0);
    // The digest comes back under another key.
    let repo = w.repository("app").await;
    w.image(&repo, "v1", "one").await;
    assert_eq!(read(&w, &repo, "one").await, b"one");
}

#[on_every_engine]
async fn a_dry_run_counts_and_changes_nothing(store: TestStore) {
    let w = World::new(&store).await;
    let (repo, other) = (w.repository("app").await, w.repository("other").await);
    for repo in [&repo, &other] {
        w.image(repo, "v1", "one").await;
        delete(&w, repo, "v1").await;
    }
    w.image(&repo, "v2", "two").await;
    collect(&w.registry, w.later(1).now).await;
    let later = w.later(30);
    let begun = w
        .registry
        .start_collection(&later, true, false)
        .await
        .unwrap();
    let begun = begun.unwrap();
    assert_eq!(begun.status, CollectionStatus::Running);
    // One at a time.
    let second = w.registry.start_collection(&later, true, false).await;
    assert_eq!(second.unwrap(), None);
    collect(&w.registry, later.now).await;
    let run = w.registry.collection(&later, &begun.collection_id).await;
    let run = run.unwrap().unwrap();
    assert_eq!(
        (run.status, run.dry_run),
        (CollectionStatus::Complete, true)
    );
    assert_eq!(run.deleted_count, Some(2), "a digest counts once");
    assert_eq!(files(&w).await, 4);
    assert_eq!(w.events(&store, "CollectLayers").await, [json!(null); 0]);
}

#[on_every_engine]
async fn a_run_is_stopped_and_the_next_one_begins_anew(store: TestStore) {
    let w = World::new(&store).await;
    let later = w.later(1);
    let begun = w.registry.start_collection(&later, false, false).await;
    let id = begun.unwrap().unwrap().collection_id;
    let stopped = w.registry.stop_collection(&later, &id).await.unwrap();
    assert_eq!(stopped.unwrap().status, CollectionStatus::Stopped);
    collect(&w.registry, w.later(3).now).await;
    let states: Vec<_> = runs(&w).await.into_iter().map(|run| run.status).collect();
    assert_eq!(
        states,
        [CollectionStatus::Complete, CollectionStatus::Stopped]
    );
    assert_eq!(
        w.registry.stop_collection(&later, "col-0").await.unwrap(),
        None
    );
}

/// Copies whose rows are lost, as after a restore of an older backup.
async fn unknown(w: &World, repo: &RepositoryFacts, count: usize) {
    for at in 0..count {
        let path = w
            .folder
            .path()
            .join(format!("blobs/objects/{:02x}/{at:032x}", 0));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"lost").unwrap();
    }
    assert!(w.registry.stat_blob(&w.cx, repo, "sha256:0").await.is_err());
}

#[on_every_engine]
async fn files_that_no_row_names_go_unless_they_are_suspiciously_many(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    w.image(&repo, "v1", "one").await;
    // The files' times are the real ones, whatever the clock of the test says.
    let real = |hours| {
        let now = Timestamp::now().max(w.cx.now);
        now.checked_add(SignedDuration::from_hours(hours)).unwrap()
    };
    unknown(&w, &repo, 100).await;
    collect(&w.registry, real(0)).await;
    assert_eq!(files(&w).await, 102, "they are young");
    collect(&w.registry, real(48)).await;
    assert_eq!(files(&w).await, 2);
    unknown(&w, &repo, 101).await;
    collect(&w.registry, real(96)).await;
    assert_eq!(files(&w).await, 103);
    let failed = &runs(&w).await[0];
    assert_eq!(failed.status, CollectionStatus::Failed);
    let reason = failed.failure_reason.as_deref().unwrap();
    assert!(
        reason.starts_with("the database does not know 101 of 103 files"),
        "{reason}"
    );
    let mut context = w.cx.context().clone();
    context.now = real(97);
    let forced = authz::testing::authorized(context);
    let begun = w.registry.start_collection(&forced, false, true).await;
    assert!(begun.unwrap().is_some());
    collect(&w.registry, real(97)).await;
    assert_eq!(files(&w).await, 2);
    assert_eq!(read(&w, &repo, "one").await, b"one");
}

/// Clients push, delete, mount and ask while runs of two nodes go on whose clock is days ahead, so that each
/// run removes what the one before noted.
#[on_every_engine]
async fn nothing_is_lost_while_clients_push(store: TestStore) {
    const CLIENTS: usize = 4;
    const ROUNDS: usize = 12;
    let w = World::new(&store).await;
    let (node, ..) = w.another_node(true, w.cx.now).await;
    let (repo, other) = (w.repository("app").await, w.repository("other").await);
    let clients = (0..CLIENTS).map(|client| {
        let (w, repo, other) = (&w, &repo, &other);
        async move {
            for round in 0..ROUNDS {
                // All clients have the same few layers, in two repositories.
                let content = format!("layer {}", round % 3);
                let tag = format!("{client}-{round}");
                let repo = if (client + round).is_multiple_of(2) {
                    repo
                } else {
                    other
                };
                // A layer may go between its push and the manifest, as its time is none here: the client
                // uploads again.
                let mut pushed = false;
                for _ in 0..20 {
                    let manifest = w.manifest(repo, &content).await;
                    if w.put(repo, &tag, &manifest).await.is_ok() {
                        pushed = true;
                        break;
                    }
                }
                assert!(pushed, "{tag}");
                assert_eq!(read(w, repo, &content).await, content.as_bytes());
                if round % 4 != 3 {
                    delete(w, repo, &tag).await;
                }
            }
        }
    });
    let collections = async {
        for hours in 1..20 {
            collect(&w.registry, w.later(hours * 48).now).await;
            collect(&node, w.later(hours * 48 + 24).now).await;
        }
    };
    futures_util::future::join(join_all(clients), collections).await;
    for hours in [2_000, 2_048, 2_096] {
        collect(&w.registry, w.later(hours).now).await;
    }
    let mut kept = HashSet::new();
    for client in 0..CLIENTS {
        for round in (0..ROUNDS).filter(|round| round % 4 == 3) {
            let content = format!("layer {}", round % 3);
            let repo = if (client + round).is_multiple_of(2) {
                &repo
            } else {
                &other
            };
            w.pull(repo, &format!("{client}-{round}")).await.unwrap();
            assert_eq!(read(&w, repo, &content).await, content.as_bytes());
            kept.insert(content);
        }
    }
    // Each with its configuration.
    assert_eq!(files(&w).await, 2 * kept.len());
}
