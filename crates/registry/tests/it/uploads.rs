//! Uploads through both APIs, whole, in parts, cut, resumed, swept.

mod nodes;

use crate::world::*;
use aws_api::ecr;
use blobs::Digest;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use registry::{Error, RepositoryFacts};
use store::service_events;
use store::testing::{TestStore, on_every_engine};

async fn read(w: &World, repo: &RepositoryFacts, digest: &str) -> Vec<u8> {
    let (layer, file) = w.registry.open_blob(&w.cx, repo, digest).await.unwrap();
    let chunks: Vec<Bytes> = file.read_range(0..layer.size).try_collect().await.unwrap();
    chunks.concat()
}

fn part(id: &str, first: usize, content: &[u8]) -> ecr::UploadLayerPartRequest {
    ecr::UploadLayerPartRequest {
        repository_name: "app".into(),
        upload_id: id.into(),
        part_first_byte: first as i64,
        part_last_byte: (first + content.len()) as i64 - 1,
        layer_part_blob: Bytes::copy_from_slice(content).into(),
        ..Default::default()
    }
}

fn complete(id: &str, digest: &str) -> ecr::CompleteLayerUploadRequest {
    ecr::CompleteLayerUploadRequest {
        repository_name: "app".into(),
        upload_id: id.into(),
        layer_digests: vec![digest.into()],
        ..Default::default()
    }
}

async fn initiate(w: &World) -> String {
    let input = ecr::InitiateLayerUploadRequest {
        repository_name: "app".into(),
        ..Default::default()
    };
    w.registry
        .initiate_layer_upload(&w.cx, input)
        .await
        .unwrap()
        .upload_id
        .unwrap()
}

#[on_every_engine]
async fn a_layer_in_parts(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let digest = Digest::sha256_of(b"hello, world").to_string();
    let id = w
        .registry
        .start_upload(&w.cx, &repo)
        .await
        .unwrap()
        .to_string();
    assert_eq!(
        w.registry.upload_status(&w.cx, &repo, &id).await.unwrap(),
        0
    );
    assert_eq!(
        w.registry
            .append(&w.cx, &repo, &id, None, body("hello"))
            .await
            .unwrap(),
        5
    );
    assert_eq!(
        w.registry
            .append(&w.cx, &repo, &id, Some(5), body(", "))
            .await
            .unwrap(),
        7
    );
    let gap = w
        .registry
        .append(&w.cx, &repo, &id, Some(9), body("world"))
        .await;
    assert!(
        matches!(
            gap,
            Err(Error::InvalidLayerPart {
                last_valid_byte_received: 6,
                ..
            })
        ),
        "{gap:?}"
    );
    assert_eq!(refusal(gap), "InvalidLayerPart");
    assert_eq!(
        w.registry.upload_status(&w.cx, &repo, &id).await.unwrap(),
        7
    );
    let layer = w
        .registry
        .complete_upload(&w.cx, &repo, &id, &digest, None, body("world"))
        .await
        .unwrap();
    assert_eq!((layer.digest.to_string(), layer.size), (digest.clone(), 12));
    assert_eq!(
        w.registry.stat_blob(&w.cx, &repo, &digest).await.unwrap(),
        layer
    );
    assert_eq!(read(&w, &repo, &digest).await, b"hello, world");
    assert_eq!(
        refusal(w.registry.upload_status(&w.cx, &repo, &id).await),
        "UploadNotFound"
    );
    assert_eq!(w.temporary_files(), 0);
    // Once more is no error, and no second copy.
    w.layer(&repo, "hello, world").await;
}

#[on_every_engine]
async fn a_cut_body_keeps_the_received_bytes(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let id = w
        .registry
        .start_upload(&w.cx, &repo)
        .await
        .unwrap()
        .to_string();
    let cut = stream::iter([Ok(Bytes::from("half")), Err(std::io::Error::other("cut"))]);
    assert_eq!(
        refusal(w.registry.append(&w.cx, &repo, &id, None, cut).await),
        "BodyBroken"
    );
    assert_eq!(
        w.registry.upload_status(&w.cx, &repo, &id).await.unwrap(),
        4
    );
    let digest = Digest::sha256_of(b"half and half").to_string();
    w.registry
        .append(&w.cx, &repo, &id, Some(4), body(" and half"))
        .await
        .unwrap();
    w.registry
        .complete_upload(&w.cx, &repo, &id, &digest, None, nothing())
        .await
        .unwrap();
    assert_eq!(read(&w, &repo, &digest).await, b"half and half");
}

#[on_every_engine]
async fn a_wrong_digest_leaves_nothing(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let other = Digest::sha256_of(b"other").to_string();
    let id = w
        .registry
        .start_upload(&w.cx, &repo)
        .await
        .unwrap()
        .to_string();
    let wrong = w
        .registry
        .complete_upload(&w.cx, &repo, &id, &other, None, body("this"))
        .await;
    assert_eq!(refusal(wrong), "InvalidLayer");
    assert_eq!(
        refusal(
            w.registry
                .put_blob(&w.cx, &repo, &other, body("this"))
                .await
        ),
        "InvalidLayer"
    );
    assert_eq!(
        refusal(w.registry.stat_blob(&w.cx, &repo, &other).await),
        "LayerNotFound"
    );
    assert_eq!(
        refusal(
            w.registry
                .stat_blob(&w.cx, &repo, &Digest::sha256_of(b"this").to_string())
                .await
        ),
        "LayerNotFound"
    );
    assert_eq!(w.temporary_files(), 0);
    for digest in [
        "",
        "sha256:",
        "sha256:xyz",
        "md5:d41d8cd98f00b204e9800998ecf8427e",
        "../../etc/passwd",
    ] {
        assert_eq!(
            refusal(w.registry.put_blob(&w.cx, &repo, digest, body("x")).await),
            "InvalidDigest",
            "{digest}"
        );
    }
}

#[on_every_engine]
async fn a_cancelled_upload_is_gone(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let id = w
        .registry
        .start_upload(&w.cx, &repo)
        .await
        .unwrap()
        .to_string();
    w.registry
        .append(&w.cx, &repo, &id, None, body("x"))
        .await
        .unwrap();
    w.registry.cancel_upload(&w.cx, &repo, &id).await.unwrap();
    assert_eq!(
        refusal(w.registry.cancel_upload(&w.cx, &repo, &id).await),
        "UploadNotFound"
    );
    assert_eq!(w.temporary_files(), 0);
    for id in ["", "nope", "../x", "00000000-0000-4000-8000-000000000000"] {
        assert_eq!(
            refusal(w.registry.upload_status(&w.cx, &repo, id).await),
            "UploadNotFound",
            "{id}"
        );
    }
}

#[on_every_engine]
async fn a_repository_has_so_many_uploads_at_once(store: TestStore) {
    let w = World::with(&store, |settings| {
        settings.limits.uploads_per_repository_max = 2
    })
    .await;
    let (repo, other) = (w.repository("app").await, w.repository("other").await);
    let start = async |cx: &registry::Authorized| {
        w.registry
            .start_upload(cx, &repo)
            .await
            .map(|id| id.to_string())
    };
    let (first, second) = (start(&w.cx).await.unwrap(), start(&w.cx).await.unwrap());
    assert_eq!(refusal(start(&w.cx).await), "LimitExceeded");
    let ecr = ecr::InitiateLayerUploadRequest {
        repository_name: "app".into(),
        ..Default::default()
    };
    assert_eq!(
        refusal(w.registry.initiate_layer_upload(&w.cx, ecr).await),
        "LimitExceeded"
    );
    assert_eq!(w.temporary_files(), 2);
    // Another repository's are its own, and whole layers need none.
    w.registry.start_upload(&w.cx, &other).await.unwrap();
    w.layer(&repo, "whole").await;
    // Finished, cancelled, refused for its digest: each makes room.
    let digest = Digest::sha256_of(b"x").to_string();
    w.registry
        .complete_upload(&w.cx, &repo, &first, &digest, None, body("x"))
        .await
        .unwrap();
    let third = start(&w.cx).await.unwrap();
    assert_eq!(refusal(start(&w.cx).await), "LimitExceeded");
    w.registry
        .cancel_upload(&w.cx, &repo, &second)
        .await
        .unwrap();
    start(&w.cx).await.unwrap();
    assert_eq!(refusal(start(&w.cx).await), "LimitExceeded");
    w.registry
        .complete_upload(&w.cx, &repo, &third, &digest, None, body("y"))
        .await
        .unwrap_err();
    start(&w.cx).await.unwrap();
    assert_eq!(refusal(start(&w.cx).await), "LimitExceeded");
    // Those that nobody goes on with make room when they are swept.
    let later = w.later(25);
    w.registry
        .sweep_uploads(ServiceName::Maintenance, later.now)
        .await
        .unwrap();
    start(&later).await.unwrap();
    // Housekeeping counts what is there, and what another node has finished no longer.
    let open = start(&later).await.unwrap();
    w.registry
        .sweep_uploads(ServiceName::Maintenance, later.now)
        .await
        .unwrap();
    assert_eq!(refusal(start(&later).await), "LimitExceeded");
    let (node, _, _) = w.another_node(true, later.now).await;
    node.complete_upload(&later, &repo, &open, &digest, None, body("x"))
        .await
        .unwrap();
    let soon = w.later(26);
    w.registry
        .sweep_uploads(ServiceName::Maintenance, soon.now)
        .await
        .unwrap();
    start(&soon).await.unwrap();
    assert_eq!(refusal(start(&soon).await), "LimitExceeded");
}

/// However many uploads expire, the audit log gets one line.
#[on_every_engine]
async fn a_sweep_is_one_audit_event(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    for _ in 0..50 {
        let id = w
            .registry
            .start_upload(&w.cx, &repo)
            .await
            .unwrap()
            .to_string();
        w.registry
            .append(&w.cx, &repo, &id, None, body("12345"))
            .await
            .unwrap();
    }
    // Nothing has expired, so nothing is told.
    w.registry
        .sweep_uploads(ServiceName::Maintenance, w.cx.now)
        .await
        .unwrap();
    let later = w.later(25);
    w.registry
        .sweep_uploads(ServiceName::Maintenance, later.now)
        .await
        .unwrap();
    w.registry
        .sweep_uploads(ServiceName::Maintenance, later.now)
        .await
        .unwrap();
    let mut tx = store.store.write(service_events::SCOPE).await.unwrap();
    let events = service_events::claim(&mut tx.conn(), 1, 2, 100)
        .await
        .unwrap();
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!(
        (event.name.as_str(), event.service.as_str()),
        ("DeleteExpiredUploads", "maintenance.berth")
    );
    assert_eq!(event.occurred_at, later.now.as_millisecond());
    let details: serde_json::Value = serde_json::from_str(&event.details).unwrap();
    assert_eq!(
        (&details["files"], &details["bytes"]),
        (&50.into(), &250.into())
    );
}

#[on_every_engine]
async fn a_layer_has_a_largest_size(store: TestStore) {
    let w = World::with(&store, |settings| settings.limits.layer_bytes_max = 8).await;
    let repo = w.repository("app").await;
    let id = w
        .registry
        .start_upload(&w.cx, &repo)
        .await
        .unwrap()
        .to_string();
    w.registry
        .append(&w.cx, &repo, &id, None, body("12345"))
        .await
        .unwrap();
    assert_eq!(
        refusal(
            w.registry
                .append(&w.cx, &repo, &id, None, body("6789"))
                .await
        ),
        "LayerTooLarge"
    );
    let digest = Digest::sha256_of(b"123456789").to_string();
    assert_eq!(
        refusal(
            w.registry
                .put_blob(&w.cx, &repo, &digest, body("123456789"))
                .await
        ),
        "LayerTooLarge"
    );
    w.layer(&repo, "12345678").await;
}

#[on_every_engine]
async fn the_ecr_api_checks_each_part(store: TestStore) {
    let w = World::with(&store, |settings| {
        settings.limits.layer_part_bytes_min = 4;
        settings.limits.layer_part_bytes_max = 8;
    })
    .await;
    let repo = w.repository("app").await;
    let id = initiate(&w).await;
    let digest = Digest::sha256_of(b"123456").to_string();
    assert_eq!(
        refusal(
            w.registry
                .complete_layer_upload(&w.cx, complete(&id, &digest))
                .await
        ),
        "EmptyUpload"
    );
    let last = w
        .registry
        .upload_layer_part(&w.cx, part(&id, 0, b"1234"))
        .await
        .unwrap()
        .last_byte_received;
    assert_eq!(last, Some(3));
    // Not consecutive, not as long as it says, too long, empty.
    let gap = w
        .registry
        .upload_layer_part(&w.cx, part(&id, 5, b"6"))
        .await
        .unwrap_err();
    let Error::InvalidLayerPart {
        last_valid_byte_received,
        upload_id,
        ..
    } = gap
    else {
        panic!("{gap:?}")
    };
    assert_eq!(
        (last_valid_byte_received, upload_id.as_str()),
        (3, id.as_str())
    );
    let mut lying = part(&id, 4, b"56");
    lying.part_last_byte = 9;
    assert_eq!(
        refusal(w.registry.upload_layer_part(&w.cx, lying).await),
        "InvalidLayerPart"
    );
    assert_eq!(
        refusal(
            w.registry
                .upload_layer_part(&w.cx, part(&id, 4, b"123456789"))
                .await
        ),
        "InvalidLayerPart"
    );
    assert_eq!(
        refusal(w.registry.upload_layer_part(&w.cx, part(&id, 4, b"")).await),
        "InvalidLayerPart"
    );
    // The last part may be small; then it was the last.
    w.registry
        .upload_layer_part(&w.cx, part(&id, 4, b"56"))
        .await
        .unwrap();
    assert_eq!(
        refusal(
            w.registry
                .upload_layer_part(&w.cx, part(&id, 6, b"7890"))
                .await
        ),
        "LayerPartTooSmall"
    );
    let done = w
        .registry
        .complete_layer_upload(&w.cx, complete(&id, &digest))
        .await
        .unwrap();
    assert_eq!(done.layer_digest.as_deref(), Some(digest.as_str()));
    assert_eq!(read(&w, &repo, &digest).await, b"123456");
    assert_eq!(
        refusal(
            w.registry
                .complete_layer_upload(&w.cx, complete(&id, &digest))
                .await
        ),
        "UploadNotFound"
    );

    let id = initiate(&w).await;
    w.registry
        .upload_layer_part(&w.cx, part(&id, 0, b"123456"))
        .await
        .unwrap();
    assert_eq!(
        refusal(
            w.registry
                .complete_layer_upload(&w.cx, complete(&id, &digest))
                .await
        ),
        "LayerAlreadyExists"
    );
    let id = initiate(&w).await;
    w.registry
        .upload_layer_part(&w.cx, part(&id, 0, b"other"))
        .await
        .unwrap();
    let wrong = Digest::sha256_of(b"another").to_string();
    assert_eq!(
        refusal(
            w.registry
                .complete_layer_upload(&w.cx, complete(&id, &wrong))
                .await
        ),
        "InvalidLayer"
    );
    assert_eq!(w.temporary_files(), 0);
}

#[on_every_engine]
async fn availability_is_that_of_the_repository(store: TestStore) {
    let w = World::new(&store).await;
    let (repo, _) = (w.repository("app").await, w.repository("other").await);
    let there = w.layer(&repo, "there").await["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let ask = |name: &str| ecr::BatchCheckLayerAvailabilityRequest {
        repository_name: name.into(),
        layer_digests: vec![there.clone(), "nonsense".into(), String::new()],
        ..Default::default()
    };
    let answer = w
        .registry
        .batch_check_layer_availability(&w.cx, ask("app"))
        .await
        .unwrap();
    let layer = &answer.layers.unwrap()[0];
    assert_eq!(
        (layer.layer_availability, layer.layer_size),
        (Some(ecr::LayerAvailability::Available), Some(5))
    );
    let codes: Vec<_> = answer
        .failures
        .unwrap()
        .into_iter()
        .map(|f| f.failure_code.unwrap())
        .collect();
    assert_eq!(
        codes,
        [
            ecr::LayerFailureCode::InvalidLayerDigest,
            ecr::LayerFailureCode::MissingLayerDigest
        ]
    );
    let answer = w
        .registry
        .batch_check_layer_availability(&w.cx, ask("other"))
        .await
        .unwrap();
    assert_eq!(
        answer.layers.unwrap()[0].layer_availability,
        Some(ecr::LayerAvailability::Unavailable)
    );
}

#[on_every_engine]
async fn a_layer_costs_five_statements_and_a_look_up_two(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let count = async |content: &'static str| {
        let push = Box::pin(w.layer(&repo, content));
        store::testing::count_queries(push).await.1
    };
    // On PostgreSQL, a transaction begins with its lock.
    let lock = u64::from(store.store.engine() == store::Engine::Postgres);
    // Whether a copy is known; its row; the link; what is counted later and what quotas are compared with.
    assert_eq!(count("new").await, 5 + lock);
    // A layer that is there adds nothing but that somebody wants it.
    assert_eq!(count("new").await, 4 + lock);

    let look_up = async |name: &'static str| {
        let (other, ..) = w.another_node(true, w.cx.now).await;
        // The registry's policy, settings, event targets and replication, which its repositories share.
        let registry = other.registry_policy(&w.cx.account, &w.cx.region);
        assert_eq!(store::testing::count_queries(registry).await.1, 5);
        let look_up = other.look_up(&w.cx.account, &w.cx.region, name);
        let (found, count) = store::testing::count_queries(look_up).await;
        (found.unwrap().repository.is_some(), count)
    };
    assert_eq!(look_up("app").await, (true, 2));
    assert_eq!(look_up("missing").await, (false, 2));
    let policy_text = serde_json::json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "210987654321"}, "Action": ["ecr:ReplicateImage"],
        "Resource": ["arn:aws:ecr:us-east-1:123456789012:repository/*"],
    }]})
    .to_string();
    w.registry
        .put_registry_policy(&w.cx, ecr::PutRegistryPolicyRequest { policy_text })
        .await
        .unwrap();
    assert_eq!(look_up("app").await, (true, 2));
    assert_eq!(look_up("missing").await, (false, 2));
}
