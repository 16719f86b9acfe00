//! What is answered from memory is never stale, on this node or beside it.

use crate::world::*;
use aws_api::ecr;
use store::testing::{TestStore, on_every_engine};

#[on_every_engine]
async fn changes_are_seen_at_once(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let mut last = None;
    for n in 0..5 {
        let pushed = w.image(&repo, "latest", &format!("content {n}")).await;
        // Twice: once from the database, once from memory.
        for _ in 0..2 {
            assert_eq!(w.pull(&repo, "latest").await.unwrap(), pushed);
        }
        last = Some(pushed.to_string());
    }
    let last = last.unwrap();
    w.pull(&repo, &last).await.unwrap();
    w.registry
        .delete_manifest(&w.cx, &repo, &last)
        .await
        .unwrap();
    assert_eq!(refusal(w.pull(&repo, "latest").await), "ImageNotFound");
    assert_eq!(refusal(w.pull(&repo, &last).await), "ImageNotFound");
}

#[on_every_engine]
async fn other_nodes_follow(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let one = w.image(&repo, "latest", "one").await;
    let gone = w.layer(&repo, "gone").await["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let (other, its_store, _) = w.another_node(true, w.cx.now).await;
    let facts = other
        .repository(&w.cx.account, &w.cx.region, "app")
        .await
        .unwrap();
    assert_eq!(
        other
            .get_manifest(&w.cx, &facts, "latest")
            .await
            .unwrap()
            .digest,
        one
    );
    assert!(other.stat_blob(&w.cx, &facts, &gone).await.is_ok());
    assert!(facts.tags.is_empty());

    let two = w.image(&repo, "latest", "two").await;
    w.registry.delete_blob(&w.cx, &repo, &gone).await.unwrap();
    let tag = ecr::TagResourceRequest {
        resource_arn: repo.arn.to_string(),
        tags: vec![ecr::Tag {
            key: "team".into(),
            value: "a".into(),
        }],
    };
    w.registry.tag_resource(&w.cx, tag).await.unwrap();
    // What is new needs no message, for absence is not remembered.
    let new = w.image(&repo, "new", "new").await;
    assert_eq!(
        other
            .get_manifest(&w.cx, &facts, "new")
            .await
            .unwrap()
            .digest,
        new
    );

    its_store.poll_changes().await.unwrap();
    assert_eq!(
        other
            .get_manifest(&w.cx, &facts, "latest")
            .await
            .unwrap()
            .digest,
        two
    );
    assert_eq!(
        refusal(other.stat_blob(&w.cx, &facts, &gone).await),
        "LayerNotFound"
    );
    let facts = other
        .repository(&w.cx.account, &w.cx.region, "app")
        .await
        .unwrap();
    assert_eq!(facts.tags["team"], "a");

    // And back: the other node moves the tag, this one follows.
    let manifest = w.manifest(&repo, "three").await;
    let three = other
        .put_manifest(&w.cx, &facts, "latest", None, manifest.to_string().into())
        .await
        .unwrap()
        .digest;
    store.store.poll_changes().await.unwrap();
    assert_eq!(w.pull(&repo, "latest").await.unwrap(), three);
}

#[on_every_engine]
async fn pulls_beside_moving_pushes_never_go_back(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let mut manifests = Vec::new();
    for n in 0..20 {
        manifests.push(w.manifest(&repo, &format!("content {n}")).await);
    }
    let order: Vec<_> = manifests
        .iter()
        .map(|m| blobs::Digest::sha256_of(m.to_string().as_bytes()))
        .collect();
    w.put(&repo, "latest", &manifests[0]).await.unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    let relaxed = std::sync::atomic::Ordering::Relaxed;
    let push = async {
        for (n, manifest) in manifests.iter().enumerate() {
            w.put(&repo, "latest", manifest).await.unwrap();
            // Acknowledged: whoever asks now gets this one.
            assert_eq!(w.pull(&repo, "latest").await.unwrap(), order[n]);
        }
        done.store(true, relaxed);
    };
    let pull = async {
        let mut newest = 0;
        while !done.load(relaxed) {
            let seen = w.pull(&repo, "latest").await.unwrap();
            let at = order.iter().position(|digest| *digest == seen).unwrap();
            assert!(at >= newest, "{at} after {newest}");
            newest = at;
            tokio::task::yield_now().await;
        }
    };
    futures_util::future::join3(push, pull, async {}).await;
}
