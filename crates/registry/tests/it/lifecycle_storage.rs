//! Storage classes: archived images are kept and not served.

use crate::lifecycle::{LIFECYCLE, id, images, json_policy, put, run};
use crate::world::*;
use aws_api::ecr;
use blobs::Digest;
use registry::{Authorized, Error, RepositoryFacts};
use serde_json::json;
use store::testing::{TestStore, on_every_engine};

type Updated = Result<ecr::ImageStatus, Error>;

async fn set(
    w: &World,
    cx: &Authorized,
    id: ecr::ImageIdentifier,
    class: ecr::TargetStorageClass,
) -> Updated {
    let input = ecr::UpdateImageStorageClassRequest {
        repository_name: "app".into(),
        image_id: id,
        target_storage_class: class,
        ..Default::default()
    };
    let updated = w.registry.update_image_storage_class(cx, input).await?;
    Ok(updated.image_status.unwrap())
}

async fn archive(w: &World, tag: &str) {
    let status = set(w, &w.cx, id(tag), ecr::TargetStorageClass::Archive)
        .await
        .unwrap();
    assert_eq!(status, ecr::ImageStatus::Archived);
}

async fn listed(w: &World, status: Option<ecr::ImageStatusFilter>) -> Vec<String> {
    let input = ecr::ListImagesRequest {
        repository_name: "app".into(),
        filter: Some(ecr::ListImagesFilter {
            image_status: status,
            tag_status: None,
        }),
        ..Default::default()
    };
    let found = w.registry.list_images(&w.cx, input).await.unwrap();
    let found = found.image_ids.unwrap().into_iter();
    found
        .map(|id| id.image_tag.unwrap_or(id.image_digest.unwrap()))
        .collect()
}

async fn availability(w: &World, digest: &str) -> ecr::LayerAvailability {
    let input = ecr::BatchCheckLayerAvailabilityRequest {
        repository_name: "app".into(),
        layer_digests: vec![digest.into()],
        ..Default::default()
    };
    let answer = w
        .registry
        .batch_check_layer_availability(&w.cx, input)
        .await
        .unwrap();
    answer.layers.unwrap()[0].layer_availability.unwrap()
}

fn by_digest(digest: &Digest) -> ecr::ImageIdentifier {
    ecr::ImageIdentifier {
        image_digest: Some(digest.to_string()),
        image_tag: None,
    }
}

async fn list_of(w: &World, repo: &RepositoryFacts, tag: &str, content: &str) -> (Digest, Digest) {
    let child = w.image(repo, "child", content).await;
    let size = w.manifest(repo, content).await.to_string().len();
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX,
        "manifests": [{"mediaType": OCI_MANIFEST, "digest": child.to_string(), "size": size}]});
    (w.put(repo, tag, &index).await.unwrap(), child)
}

/// Row S1.
#[on_every_engine]
async fn lists_have_active_images_unless_they_are_asked_for_others(store: TestStore) {
    use ecr::ImageStatusFilter::{Activating, Active, Any, Archived};
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    for tag in ["v1", "v2", "v3"] {
        w.image(&repo, tag, tag).await;
    }
    archive(&w, "v1").await;
    archive(&w, "v2").await;
    set(&w, &w.cx, id("v2"), ecr::TargetStorageClass::Standard)
        .await
        .unwrap();
    for (filter, expected) in [
        (None, vec!["v3"]),
        (Some(Active), vec!["v3"]),
        (Some(Archived), vec!["v1"]),
        (Some(Activating), vec!["v2"]),
        (Some(Any), vec!["v1", "v2", "v3"]),
    ] {
        assert_eq!(listed(&w, filter).await, expected, "{filter:?}");
        let input = ecr::DescribeImagesRequest {
            repository_name: "app".into(),
            filter: Some(ecr::DescribeImagesFilter {
                image_status: filter,
                tag_status: Some(ecr::TagStatus::Tagged),
            }),
            ..Default::default()
        };
        let found = w.registry.describe_images(&w.cx, input).await.unwrap();
        let tags: Vec<String> = found
            .image_details
            .unwrap()
            .into_iter()
            .flat_map(|image| image.image_tags.unwrap())
            .collect();
        assert_eq!(tags, expected, "{filter:?}");
    }
    let tags = w
        .registry
        .list_tags(&w.cx, &repo, None, None)
        .await
        .unwrap();
    assert_eq!(tags.items, ["v3"], "a tag of /v2 names what can be pulled");
    // An image that is named is shown, whatever its status.
    let input = ecr::DescribeImagesRequest {
        repository_name: "app".into(),
        image_ids: Some(vec![id("v1")]),
        ..Default::default()
    };
    let shown = w
        .registry
        .describe_images(&w.cx, input)
        .await
        .unwrap()
        .image_details
        .unwrap();
    assert_eq!(shown[0].image_status, Some(ecr::ImageStatus::Archived));
    assert_eq!(shown[0].last_archived_at, Some(w.cx.now));
    assert_eq!(shown[0].last_activated_at, None);
}

/// Row S2.
#[on_every_engine]
async fn an_image_is_archived_and_restored(store: TestStore) {
    use ecr::TargetStorageClass::{Archive, Standard};
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    w.image(&repo, "v1", "one").await;
    assert_eq!(
        set(&w, &w.cx, id("v1"), Standard).await.unwrap(),
        ecr::ImageStatus::Active,
        "the same again"
    );
    archive(&w, "v1").await;
    archive(&w, "v1").await;
    assert_eq!(
        set(&w, &w.cx, id("v1"), Standard).await.unwrap(),
        ecr::ImageStatus::Activating
    );
    assert_eq!(
        set(&w, &w.cx, id("v1"), Standard).await.unwrap(),
        ecr::ImageStatus::Activating
    );
    assert_eq!(
        refusal(w.pull(&repo, "v1").await),
        "ImageNotFound",
        "not yet"
    );
    assert_eq!(
        refusal(set(&w, &w.cx, id("v1"), Archive).await),
        "StorageClassUpdateNotSupported"
    );
    let later = w.at(1, 0);
    let subject = repo.id.to_string();
    w.registry
        .restore_images(LIFECYCLE, &subject, later.now)
        .await
        .unwrap();
    w.pull(&repo, "v1").await.unwrap();
    let missing = set(&w, &w.cx, id("none"), Archive).await.unwrap_err();
    assert!(missing.to_string().contains("does not exist"), "{missing}");
    let events = w.events(&store, "ImageActivationEvent").await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["repositoryName"], "app");
    assert_eq!(events[0]["lastActivatedAt"], later.now_ms());
}

/// Row S3.
#[on_every_engine]
async fn an_archived_image_and_its_layers_are_not_served(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let digest = w.image(&repo, "v1", "one").await;
    let layer = Digest::sha256_of(b"one").to_string();
    w.image(&repo, "shared", "two").await;
    let shared = Digest::sha256_of(b"two").to_string();
    // Warm caches must not serve them either.
    w.pull(&repo, "v1").await.unwrap();
    w.pull(&repo, &digest.to_string()).await.unwrap();
    w.registry.stat_blob(&w.cx, &repo, &layer).await.unwrap();
    assert_eq!(
        availability(&w, &layer).await,
        ecr::LayerAvailability::Available
    );
    archive(&w, "v1").await;
    assert_eq!(refusal(w.pull(&repo, "v1").await), "ImageNotFound");
    assert_eq!(
        refusal(w.pull(&repo, &digest.to_string()).await),
        "ImageNotFound"
    );
    assert_eq!(
        refusal(w.registry.stat_blob(&w.cx, &repo, &layer).await),
        "LayerNotFound"
    );
    assert_eq!(
        refusal(w.registry.open_blob(&w.cx, &repo, &layer).await.map(drop)),
        "LayerNotFound"
    );
    assert_eq!(
        availability(&w, &layer).await,
        ecr::LayerAvailability::Archived
    );
    assert_eq!(
        availability(&w, &shared).await,
        ecr::LayerAvailability::Available
    );
    let download = ecr::GetDownloadUrlForLayerRequest {
        repository_name: "app".into(),
        layer_digest: layer.clone(),
        ..Default::default()
    };
    assert_eq!(
        refusal(w.registry.layer_for_download(&w.cx, download, false).await),
        "LayerInaccessible"
    );
    let get = ecr::BatchGetImageRequest {
        repository_name: "app".into(),
        image_ids: vec![id("v1"), by_digest(&digest), id("none")],
        ..Default::default()
    };
    let failures = w
        .registry
        .batch_get_image(&w.cx, get)
        .await
        .unwrap()
        .failures
        .unwrap();
    let codes: Vec<_> = failures
        .iter()
        .map(|failure| failure.failure_code.unwrap().as_str())
        .collect();
    assert_eq!(
        codes,
        ["ImageInaccessible", "ImageInaccessible", "ImageNotFound"]
    );
    let other = w.repository("other").await;
    let mounted = w
        .registry
        .mount_blob(&w.cx, &other, &repo, &layer)
        .await
        .unwrap();
    assert_eq!(mounted, None, "it is uploaded instead");
    // It is deleted like any other.
    w.registry
        .delete_manifest(&w.cx, &repo, "v1")
        .await
        .unwrap();
}

/// Row S4.
#[on_every_engine]
async fn a_push_restores_an_archived_image(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let manifest = w.manifest(&repo, "one").await;
    w.put(&repo, "v1", &manifest).await.unwrap();
    archive(&w, "v1").await;
    let later = w.at(3, 0);
    let put = ecr::PutImageRequest {
        repository_name: "app".into(),
        image_manifest: manifest.to_string(),
        image_tag: Some("v1".into()),
        ..Default::default()
    };
    w.registry.put_image(&later, put.clone()).await.unwrap();
    w.pull(&repo, "v1").await.unwrap();
    let layer = Digest::sha256_of(b"one").to_string();
    w.registry.stat_blob(&w.cx, &repo, &layer).await.unwrap();
    assert_eq!(
        refusal(w.registry.put_image(&later, put).await),
        "ImageAlreadyExists"
    );
    assert_eq!(w.events(&store, "ImageActivationEvent").await.len(), 1);
    // L7: it is as young as its restoration.
    put_policy_of_two_days(&w).await;
    run(&w.registry, &repo, w.at(4, 0).now).await;
    assert_eq!(images(&w).await.len(), 1);
    run(&w.registry, &repo, w.at(6, 0).now).await;
    assert_eq!(images(&w).await.len(), 0);
}

async fn put_policy_of_two_days(w: &World) {
    let text = json_policy(&[json!(["any", [], "sinceImagePushed", 2, "expire"])]);
    put(w, &w.cx, &text).await.unwrap();
}

#[on_every_engine]
async fn a_list_and_its_images_can_be_pulled_together(store: TestStore) {
    use ecr::TargetStorageClass::{Archive, Standard};
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let (list, child) = list_of(&w, &repo, "v1", "child").await;
    assert_eq!(
        refusal(set(&w, &w.cx, by_digest(&child), Archive).await),
        "StorageClassUpdateNotSupported"
    );
    archive(&w, "v1").await;
    w.pull(&repo, &child.to_string()).await.unwrap();
    set(&w, &w.cx, by_digest(&child), Archive).await.unwrap();
    // Restoring the list restores what it needs.
    set(&w, &w.cx, by_digest(&list), Standard).await.unwrap();
    w.registry
        .restore_images(LIFECYCLE, &repo.id.to_string(), w.cx.now)
        .await
        .unwrap();
    w.pull(&repo, "v1").await.unwrap();
    w.pull(&repo, &child.to_string()).await.unwrap();
    // And so does pushing a list that names an archived image.
    archive(&w, "v1").await;
    set(&w, &w.cx, by_digest(&child), Archive).await.unwrap();
    let size = w.manifest(&repo, "child").await.to_string().len();
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "annotations": {"a": "b"},
        "manifests": [{"mediaType": OCI_MANIFEST, "digest": child.to_string(), "size": size}]});
    w.put(&repo, "v2", &index).await.unwrap();
    w.pull(&repo, &child.to_string()).await.unwrap();
}

#[on_every_engine]
async fn referrers_go_with_their_image_and_come_back(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let image = w.image(&repo, "v1", "one").await;
    let mut signature = w.manifest(&repo, "signature").await;
    signature["subject"] =
        json!({"mediaType": OCI_MANIFEST, "digest": image.to_string(), "size": 7});
    let reference = Digest::sha256_of(signature.to_string().as_bytes()).to_string();
    w.put(&repo, &reference, &signature).await.unwrap();
    archive(&w, "v1").await;
    let subject = image.to_string();
    let found = w
        .registry
        .referrers(&w.cx, &repo, &subject, None, None)
        .await
        .unwrap();
    assert!(found.referrers.is_empty());
    let input = ecr::ListImageReferrersRequest {
        repository_name: "app".into(),
        subject_id: ecr::SubjectIdentifier {
            image_digest: subject.clone(),
        },
        filter: Some(ecr::ListImageReferrersFilter {
            artifact_status: Some(ecr::ArtifactStatusFilter::Any),
            artifact_types: None,
        }),
        ..Default::default()
    };
    let found = w
        .registry
        .list_image_referrers(&w.cx, input)
        .await
        .unwrap()
        .referrers
        .unwrap();
    assert_eq!(
        found[0].artifact_status,
        Some(ecr::ArtifactStatus::Archived)
    );
    w.put(&repo, "v1", &w.manifest(&repo, "one").await)
        .await
        .unwrap();
    let found = w
        .registry
        .referrers(&w.cx, &repo, &subject, None, None)
        .await
        .unwrap();
    assert_eq!(found.referrers.len(), 1);
}
