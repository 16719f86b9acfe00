//! Events: what is told of which change, and that nothing is written that nobody asks for.

use crate::world::*;
use aws_api::ecr;
use blobs::Digest;
use serde_json::{Value, json};
use store::ecr::event::{self, Event};
use store::ecr::event_target::{self, Target};
use store::testing::{TestStore, on_every_engine};
use store::{Scope, Topic};

/// A target of the registry, as it is stored.
pub async fn target(t: &TestStore, name: &str, pattern: &Value) {
    target_of(t, (ACCOUNT, REGION), name, pattern).await;
}

/// The same in another registry.
pub async fn target_of(
    t: &TestStore,
    (account, region): (&str, &str),
    name: &str,
    pattern: &Value,
) {
    let target = Target {
        id: 0,
        account: account.into(),
        region: region.into(),
        name: name.into(),
        url: "https://hooks.example.com/".into(),
        pattern: pattern.to_string(),
        secret: vec![1],
        previous_secret: None,
        previous_until: None,
        enabled: true,
        disabled_reason: None,
        created_at: 0,
        updated_at: 0,
        failures: 0,
        not_before: 0,
    };
    let scope = Scope::Registry { account, region };
    let mut tx = t.store.write(scope).await.unwrap();
    event_target::put(&mut tx.conn(), &target).await.unwrap();
    tx.touch(Topic::Registry { account, region });
    tx.commit().await.unwrap();
}

/// What was written since it was last asked for.
pub async fn taken(t: &TestStore) -> Vec<Event> {
    let mut tx = t.store.write(Scope::System("test")).await.unwrap();
    let events = event::oldest(&mut tx.conn(), 1_000).await.unwrap();
    for event in &events {
        event::delete(&mut tx.conn(), event.id).await.unwrap();
    }
    tx.commit().await.unwrap();
    events
}

/// Detail types with their details.
pub async fn told(t: &TestStore) -> Vec<(String, Value)> {
    let events = taken(t).await;
    let told = events.into_iter().map(|event| {
        let detail = serde_json::from_str(&event.detail).unwrap();
        (event.detail_type, detail)
    });
    told.collect()
}

fn of(detail: &[(String, Value)], name: &str) -> Vec<String> {
    let text = |(kind, detail): &(String, Value)| match detail.get(name) {
        Some(value) => format!("{kind}: {}", value.as_str().unwrap_or(&value.to_string())),
        None => format!("{kind}: -"),
    };
    detail.iter().map(text).collect()
}

/// E1: `ECR Image Action` of a push and of deletions, member by member as the user guide shows them.
#[on_every_engine]
async fn e1_pushes_and_deletions_are_told(t: TestStore) {
    let w = World::new(&t).await;
    target(&t, "all", &json!({})).await;
    let repo = w.repository("app").await;
    let digest = w.image(&repo, "v1", "one").await.to_string();
    let events = taken(&t).await;
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!(
        (&*event.source, &*event.detail_type),
        ("aws.ecr", "ECR Image Action")
    );
    assert_eq!((&event.resource, &*event.repository), (&None, "app"));
    assert_eq!(event.occurred_at, w.cx.now_ms());
    assert_eq!(
        serde_json::from_str::<Value>(&event.detail).unwrap(),
        json!({
            "result": "SUCCESS",
            "repository-name": "app",
            "image-digest": digest,
            "action-type": "PUSH",
            "image-tag": "v1",
        })
    );

    // The same again changes nothing, and tells nothing.
    w.image(&repo, "v1", "one").await;
    assert_eq!(told(&t).await, []);

    // A second tag; a tag that goes; the last one, with the image.
    w.image(&repo, "v2", "one").await;
    w.registry
        .delete_manifest(&w.cx, &repo, "v1")
        .await
        .unwrap();
    w.registry
        .delete_manifest(&w.cx, &repo, "v2")
        .await
        .unwrap();
    let found = told(&t).await;
    let actions: Vec<_> = found
        .iter()
        .map(|(_, detail)| format!("{} {}", detail["action-type"], detail["image-tag"]))
        .collect();
    assert_eq!(
        actions,
        ["\"PUSH\" \"v2\"", "\"DELETE\" \"v1\"", "\"DELETE\" \"v2\""]
    );

    // By its digest, an image with two tags and its referrer; and one without a tag has no such member.
    let manifest = w.manifest(&repo, "two").await;
    let subject = w.put(&repo, "a", &manifest).await.unwrap();
    w.put(&repo, "b", &manifest).await.unwrap();
    let mut signature = w.manifest(&repo, "signature").await;
    signature["subject"] = json!({
        "mediaType": OCI_MANIFEST, "digest": subject.to_string(), "size": manifest.to_string().len(),
    });
    let referrer = Digest::sha256_of(signature.to_string().as_bytes()).to_string();
    w.put(&repo, &referrer, &signature).await.unwrap();
    let input = ecr::BatchDeleteImageRequest {
        repository_name: "app".into(),
        image_ids: vec![ecr::ImageIdentifier {
            image_digest: Some(subject.to_string()),
            image_tag: None,
        }],
        ..Default::default()
    };
    w.registry.batch_delete_image(&w.cx, input).await.unwrap();
    let found = told(&t).await;
    assert_eq!(
        of(&found, "image-tag"),
        [
            "ECR Image Action: a",
            "ECR Image Action: b",
            "ECR Referrer Action: -",
            "ECR Image Action: a",
            "ECR Image Action: b",
            "ECR Referrer Action: -",
        ]
    );
    assert_eq!(found[2].1["manifest-media-type"], OCI_MANIFEST);
    assert_eq!(found[2].1["artifact-media-type"], OCI_CONFIG);
    assert_eq!(found[5].1["image-digest"], referrer);
}

/// E1: `UPDATE_STORAGE_CLASS` has no tag, but the class, the media types, and of a restored image when.
#[on_every_engine]
async fn e1_storage_classes_are_told(t: TestStore) {
    let w = World::new(&t).await;
    target(
        &t,
        "classes",
        &json!({"detail": {"action-type": ["UPDATE_STORAGE_CLASS"]}}),
    )
    .await;
    let repo = w.repository("app").await;
    let digest = w.image(&repo, "v1", "one").await.to_string();
    assert_eq!(told(&t).await, [], "pushes are not asked for");
    for class in [
        ecr::TargetStorageClass::Archive,
        ecr::TargetStorageClass::Standard,
    ] {
        let input = ecr::UpdateImageStorageClassRequest {
            repository_name: "app".into(),
            target_storage_class: class,
            image_id: ecr::ImageIdentifier {
                image_digest: Some(digest.clone()),
                image_tag: None,
            },
            ..Default::default()
        };
        let updated = w.registry.update_image_storage_class(&w.cx, input).await;
        updated.unwrap();
    }
    let id = repo.id.to_string();
    let service = ServiceName::Lifecycle;
    w.registry
        .restore_images(service, &id, w.cx.now)
        .await
        .unwrap();
    let found = told(&t).await;
    let expected = json!({
        "action-type": "UPDATE_STORAGE_CLASS",
        "target-storage-class": "ARCHIVE",
        "image-digest": digest,
        "repository-name": "app",
        "result": "SUCCESS",
        "manifest-media-type": OCI_MANIFEST,
        "artifact-media-type": OCI_CONFIG,
    });
    assert_eq!(found[0], ("ECR Image Action".to_owned(), expected.clone()));
    let mut restored = expected;
    restored["target-storage-class"] = "STANDARD".into();
    restored["last-activated-at"] = format!("{:.2}", w.cx.now).into();
    assert_eq!(found[1..], [("ECR Image Action".to_owned(), restored)]);
}

/// A lifecycle policy's deletions are told as AWS tells them, and as the policy's work.
#[on_every_engine]
async fn lifecycle_policies_are_told(t: TestStore) {
    let w = World::new(&t).await;
    target(&t, "all", &json!({})).await;
    let repo = w.repository("app").await;
    for tag in ["v1", "v2"] {
        w.image(&repo, tag, tag).await;
    }
    taken(&t).await;
    let rules = [json!(["any", [], "imageCountMoreThan", 1, "expire"])];
    let text = crate::lifecycle::json_policy(&rules);
    crate::lifecycle::put(&w, &w.cx, &text).await.unwrap();
    crate::lifecycle::run(&w.registry, &repo, w.later(1).now).await;
    let found = told(&t).await;
    assert_eq!(
        of(&found, "action-type"),
        ["ECR Image Action: DELETE", "Berth Lifecycle Action: EXPIRE"]
    );
    assert_eq!(found[1].1["image-tags"], json!(["v1"]));
    assert_eq!(found[1].1["rule-priority"], 1);
}

/// Without a target that asks for it, nothing is written: neither a row nor a query more.
#[on_every_engine]
async fn nobody_asks_and_nothing_is_written(t: TestStore) {
    let w = World::new(&t).await;
    let repo = w.repository("app").await;
    w.image(&repo, "v1", "one").await;
    target(
        &t,
        "other",
        &json!({"detail": {"repository-name": ["other"]}}),
    )
    .await;
    let repo = w.facts("app").await;
    w.image(&repo, "v2", "two").await;
    w.registry
        .delete_manifest(&w.cx, &repo, "v2")
        .await
        .unwrap();
    w.pull(&repo, "v1").await.unwrap();
    let service = ServiceName::Maintenance;
    w.registry.write_pull_events(service).await.unwrap();
    assert_eq!(told(&t).await, []);
}

/// Pulls of an image by a principal are one event with their number.
#[on_every_engine]
async fn pulls_are_told_in_batches(t: TestStore) {
    let w = World::new(&t).await;
    target(&t, "pulls", &json!({"detail-type": ["Berth Image Pull"]})).await;
    let repo = w.repository("app").await;
    let digest = w.image(&repo, "v1", "one").await.to_string();
    for _ in 0..3 {
        w.pull(&repo, "v1").await.unwrap();
    }
    assert_eq!(told(&t).await, [], "not before they are written");
    let service = ServiceName::Maintenance;
    w.registry.write_pull_events(service).await.unwrap();
    let events = taken(&t).await;
    assert_eq!(events.len(), 1);
    assert_eq!(
        (&*events[0].source, &*events[0].detail_type),
        ("berth.registry", "Berth Image Pull")
    );
    assert_eq!(events[0].resource.as_deref(), Some(&*repo.arn));
    let detail: Value = serde_json::from_str(&events[0].detail).unwrap();
    assert_eq!(
        (&detail["pull-count"], &detail["image-digest"]),
        (&json!(3), &json!(digest))
    );
    w.registry.write_pull_events(service).await.unwrap();
    assert_eq!(told(&t).await, [], "told once");
    assert_eq!(w.registry.forgotten_pull_events(), 0);
}
