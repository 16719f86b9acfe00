//! Replication to registries of other servers, whose part is made up here, and by tags.

use aws_api::ecr::DeleteReplication;
use serde_json::json;
use store::testing::{TestStore, on_every_engine};

use crate::replication::*;
use crate::world::*;

fn peer(region: &str, account: &str) -> registry::NewReplicationPeer {
    registry::NewReplicationPeer {
        region: region.into(),
        registry_id: account.into(),
        endpoint: "https://there.example".into(),
        access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
        secret: Some(b"sealed".to_vec()),
        certificate_authority: None,
    }
}

/// R2: what only a peer knows, it decides.
#[on_every_engine]
async fn r2_a_destination_with_a_peer_is_valid(store: TestStore) {
    let w = World::new(&store).await;
    // A region of another partition, and the registry of this number at the other server.
    for (account, region) in [(ACCOUNT, "cn-north-1"), (ACCOUNT, REGION)] {
        let rules = || vec![rule(&[(account, region)], &[])];
        assert_eq!(refusal(configure(&w, rules()).await), "InvalidParameter");
        let put = w
            .registry
            .put_replication_peer(&w.cx, peer(region, account));
        put.await.unwrap();
        configure(&w, rules()).await.unwrap();
    }
}

/// A change for a peer waits for it, and is not repeated inside the server.
#[on_every_engine]
async fn a_destination_with_a_peer_is_its_matter(store: TestStore) {
    let w = World::new(&store).await;
    let put = || w.registry.put_replication_peer(&w.cx, peer(THERE, ACCOUNT));
    put().await.unwrap();
    configure(&w, vec![rule(&[(ACCOUNT, THERE)], &[])])
        .await
        .unwrap();
    let repo = w.repository("app").await;
    let digest = w.image(&repo, "v1", "one").await;
    let service = ServiceName::Replication;
    let subject = jobs(&store).await.remove(0);
    let work = w.registry.replication_work(service, &subject, w.cx.now);
    let work = work.await.unwrap().unwrap();
    let known = work.peer.as_ref().unwrap();
    assert_eq!(known.secret, b"sealed");
    assert_eq!(put().await.unwrap().waiting_count, 1);
    let task = &work.tasks[0];
    let change = w.registry.replication_change(service, &work, task);
    let change = change.await.unwrap();
    let tags = vec!["v1".to_owned()];
    assert_eq!(change, registry::ReplicationChange::Copy { tags });
    // A tag that has moved since has a task of its own.
    w.image(&repo, "v1", "two").await;
    let moved = w.registry.replication_change(service, &work, task);
    let tags = Vec::new();
    assert_eq!(
        moved.await.unwrap(),
        registry::ReplicationChange::Copy { tags }
    );
    w.registry
        .repeated_at_peer(service, &work, task, &change, w.cx.now)
        .await
        .unwrap();
    let status = statuses(&w, "app", &digest.to_string()).await;
    assert_eq!(status, [(THERE.into(), "COMPLETE".into(), None)]);
    let (account, region) = (ACCOUNT.parse().unwrap(), THERE.parse().unwrap());
    let found = w.registry.repository_facts(&account, &region, "app");
    assert!(found.await.unwrap().is_none());
    // The pull times of replicas: a later one counts, an older one does not.
    let later = w.later(5).now;
    for (at, recorded) in [(later, 1), (w.cx.now, 0)] {
        let pull = registry::ReplicaPull {
            digest: digest.to_string(),
            at,
        };
        let pulls = [pull];
        let counted = w.registry.record_replica_pulls(service, repo.id, &pulls);
        assert_eq!(counted.await.unwrap(), recorded);
    }
}

#[on_every_engine]
async fn a_peer_stays_while_a_rule_names_it(store: TestStore) {
    use registry::PeerDeletion;
    let w = World::new(&store).await;
    let delete = || async {
        let input = aws_api::berth::DeleteReplicationPeerRequest {
            region: THERE.into(),
            registry_id: ACCOUNT.into(),
        };
        w.registry.delete_replication_peer(&w.cx, &input).await
    };
    assert_eq!(delete().await.unwrap(), PeerDeletion::Missing);
    let mut without_secret = peer(THERE, ACCOUNT);
    without_secret.secret = None;
    let refused = w.registry.put_replication_peer(&w.cx, without_secret).await;
    assert_eq!(refusal(refused), "InvalidParameter");
    let put = |change: fn(&mut registry::NewReplicationPeer)| {
        let mut new = peer(THERE, ACCOUNT);
        change(&mut new);
        w.registry.put_replication_peer(&w.cx, new)
    };
    put(|_| {}).await.unwrap();
    // The secret stays with its key and its place.
    put(|new| new.secret = None).await.unwrap();
    let elsewhere = put(|new| {
        new.secret = None;
        new.endpoint = "https://elsewhere.example".into();
    });
    assert_eq!(refusal(elsewhere.await), "InvalidParameter");
    configure(&w, vec![rule(&[(ACCOUNT, THERE)], &[])])
        .await
        .unwrap();
    assert_eq!(delete().await.unwrap(), PeerDeletion::InUse);
    configure(&w, Vec::new()).await.unwrap();
    assert_eq!(delete().await.unwrap(), PeerDeletion::Deleted);
}

/// Beyond Amazon ECR: a limit by tags, off by default.
#[on_every_engine]
async fn only_tags_that_a_filter_matches_are_replicated(store: TestStore) {
    let w = World::new(&store).await;
    let filter = |patterns: &[&str]| aws_api::berth::PutReplicationTagFilterRequest {
        region: THERE.into(),
        registry_id: ACCOUNT.into(),
        tag_pattern_list: patterns.iter().map(|one| (*one).to_owned()).collect(),
    };
    let wrong = filter(&["a*b*c*d*e*"]);
    let refused = w.registry.put_replication_tag_filter(&w.cx, wrong).await;
    assert_eq!(refusal(refused), "InvalidParameter");
    let put = w
        .registry
        .put_replication_tag_filter(&w.cx, filter(&["prod-*", "v?"]));
    put.await.unwrap();
    let mut deleting = rule(&[(ACCOUNT, THERE)], &[]);
    deleting.delete_replication = Some(DeleteReplication { enabled: true });
    let keeps_all = rule(&[(ACCOUNT, "us-west-2")], &[]);
    configure(&w, vec![deleting, keeps_all]).await.unwrap();
    let repo = w.repository("app").await;
    let manifest = w.manifest(&repo, "one").await;
    let digest = w.put(&repo, "prod-1", &manifest).await.unwrap();
    w.put(&repo, "dev-1", &manifest).await.unwrap();
    let other = w.image(&repo, "dev-2", "two").await;
    // A signature follows what it is about.
    let mut signatures = Vec::new();
    for (subject, of) in [(digest, "first"), (other, "second")] {
        let mut signature = w.manifest(&repo, of).await;
        signature["subject"] =
            json!({"mediaType": OCI_MANIFEST, "digest": subject.to_string(), "size": 1});
        let bytes = bytes::Bytes::from(signature.to_string());
        let reference = blobs::Digest::sha256_of(&bytes).to_string();
        w.put(&repo, &reference, &signature).await.unwrap();
        signatures.push(reference);
    }
    run(&w, &store).await;
    let filtered = there(&w, ACCOUNT, THERE, "app").await;
    let whole = there(&w, ACCOUNT, "us-west-2", "app").await;
    for (reference, is_there) in [
        ("prod-1", true),
        ("dev-1", false),
        (&*other.to_string(), false),
        (&*signatures[0], true),
        (&*signatures[1], false),
    ] {
        let found = w.pull(&filtered, reference).await.is_ok();
        assert_eq!(found, is_there, "{reference}");
        w.pull(&whole, reference).await.unwrap();
    }
    let status = statuses(&w, "app", &other.to_string()).await;
    assert_eq!(status.len(), 1, "{status:?}");
    // Without patterns there is no limit.
    let put = w.registry.put_replication_tag_filter(&w.cx, filter(&[]));
    put.await.unwrap();
    let repo = w.facts("app").await;
    w.image(&repo, "dev-3", "three").await;
    run(&w, &store).await;
    w.pull(&filtered, "dev-3").await.unwrap();
}
