//! Layers that the disk cannot read: an error that is worth another try, and damage only when it stays so.

use std::time::Duration;

use crate::damage::file_of;
use crate::integrity::SERVICE;
use crate::world::*;
use blobs::Digest;
use bytes::Bytes;
use crash_points::break_reads;
use futures_util::TryStreamExt as _;
use jiff::SignedDuration;
use registry::{Error, RepositoryFacts};
use serde_json::json;
use store::testing::{TestStore, on_every_engine};
use store::values;

/// Longer than the copies that are kept in memory.
fn content() -> String {
    "content ".repeat(20_000)
}

async fn scrub(w: &World, days: i64) {
    let now = w.at(days, 0).now;
    while w.registry.scrub(SERVICE, now).await.unwrap() < SignedDuration::from_secs(1) {}
}

async fn pull(w: &World, repo: &RepositoryFacts, digest: &str) -> Result<Vec<u8>, Error> {
    let (layer, source) = w.registry.open_blob(&w.cx, repo, digest).await?;
    let read: Result<Vec<Bytes>, _> = source.read_range(0..layer.size).try_collect().await;
    Ok(read.unwrap().concat())
}

/// How many copies the scrub reads next.
async fn suspected(store: &TestStore) -> i64 {
    let mut read = store.store.read().await.unwrap();
    let sql = "SELECT count(*) FROM blobs WHERE verified_at = 0";
    read.fetch_one(sql, values![])
        .await
        .unwrap()
        .int(0)
        .unwrap()
}

#[on_every_engine]
async fn a_layer_that_cannot_be_read_for_a_moment_is_not_damaged(store: TestStore) {
    let w = World::new(&store).await;
    w.create("app", |_| {}).await.unwrap();
    let repo = w.facts("app").await;
    w.image(&repo, "v1", &content()).await;
    let digest = Digest::sha256_of(content().as_bytes()).to_string();
    let file = file_of(&w, &store, &digest).await;
    // The process that reads it already is cut off.
    let (_, source) = w.registry.open_blob(&w.cx, &repo, &digest).await.unwrap();

    let broken = break_reads(&file).unwrap();
    for _ in 0..3 {
        let refused = pull(&w, &repo, &digest).await;
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    }
    let cut: Result<Vec<Bytes>, _> = source.read_range(0..7).try_collect().await;
    assert!(blobs::is_unreadable(&cut.unwrap_err()));
    // It is there, and no client is told to push it.
    assert!(w.registry.stat_blob(&w.cx, &repo, &digest).await.is_ok());
    assert_eq!(suspected(&store).await, 1);

    drop(broken);
    assert_eq!(
        pull(&w, &repo, &digest).await.unwrap(),
        content().as_bytes()
    );
    // The scrub reads it long before its time, and is content.
    scrub(&w, 0).await;
    assert_eq!(suspected(&store).await, 0);
    assert_eq!(w.events(&store, "MarkDamagedLayer").await, [json!(null); 0]);
}

/// A disk that recovers does so for one thread before the other: what tries the disk may work when the read next to it
/// still fails.
#[on_every_engine]
async fn a_layer_that_is_read_again_when_the_disk_recovers_is_not_damaged(store: TestStore) {
    let w = World::new(&store).await;
    w.create("app", |_| {}).await.unwrap();
    let repo = w.facts("app").await;
    w.image(&repo, "v1", &content()).await;
    let digest = Digest::sha256_of(content().as_bytes()).to_string();
    let file = file_of(&w, &store, &digest).await;
    let broken = break_reads(&file).unwrap();
    assert!(pull(&w, &repo, &digest).await.is_err());

    let recovery = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        drop(broken);
    };
    tokio::join!(scrub(&w, 0), recovery);
    assert_eq!(suspected(&store).await, 0);
    assert_eq!(w.events(&store, "MarkDamagedLayer").await, [json!(null); 0]);
    assert_eq!(
        pull(&w, &repo, &digest).await.unwrap(),
        content().as_bytes()
    );
}

#[on_every_engine]
async fn a_layer_that_stays_unreadable_is_marked_and_healed_by_a_push(store: TestStore) {
    let w = World::new(&store).await;
    w.create("app", |_| {}).await.unwrap();
    let repo = w.facts("app").await;
    w.image(&repo, "v1", &content()).await;
    let digest = Digest::sha256_of(content().as_bytes()).to_string();
    let file = file_of(&w, &store, &digest).await;
    let broken = break_reads(&file).unwrap();
    assert!(pull(&w, &repo, &digest).await.is_err());

    // The disk itself works, so that the block is lost.
    scrub(&w, 0).await;
    let told = w.events(&store, "MarkDamagedLayer").await;
    assert_eq!(
        (told.len(), told[0]["damage"].as_str()),
        (1, Some("UNREADABLE"))
    );
    let stat = w.registry.stat_blob(&w.cx, &repo, &digest).await;
    assert_eq!(refusal(stat), "LayerNotFound");
    let pulled = pull(&w, &repo, &digest).await;
    assert!(matches!(pulled, Err(Error::LayerDamaged(_))), "{pulled:?}");

    w.image(&repo, "v1", &content()).await;
    assert_eq!(
        pull(&w, &repo, &digest).await.unwrap(),
        content().as_bytes()
    );
    drop(broken);
}

#[on_every_engine]
async fn a_push_replaces_a_layer_that_cannot_be_read(store: TestStore) {
    let w = World::new(&store).await;
    w.create("app", |_| {}).await.unwrap();
    let repo = w.facts("app").await;
    w.image(&repo, "v1", &content()).await;
    let digest = Digest::sha256_of(content().as_bytes()).to_string();
    let file = file_of(&w, &store, &digest).await;
    let broken = break_reads(&file).unwrap();
    w.image(&repo, "v2", &content()).await;
    assert_ne!(file_of(&w, &store, &digest).await, file);
    assert_eq!(
        pull(&w, &repo, &digest).await.unwrap(),
        content().as_bytes()
    );
    drop(broken);
}
