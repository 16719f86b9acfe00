//! Images put, pulled and deleted, through both APIs.

use crate::world::*;
use aws_api::ecr;
use blobs::Digest;
use registry::Error;
use serde_json::json;
use store::testing::{TestStore, on_every_engine};

fn put_image(manifest: &str, tag: Option<&str>) -> ecr::PutImageRequest {
    ecr::PutImageRequest {
        repository_name: "app".into(),
        image_manifest: manifest.into(),
        image_tag: tag.map(str::to_owned),
        ..Default::default()
    }
}

fn id(digest: Option<&str>, tag: Option<&str>) -> ecr::ImageIdentifier {
    ecr::ImageIdentifier {
        image_digest: digest.map(str::to_owned),
        image_tag: tag.map(str::to_owned),
    }
}

fn get(ids: Vec<ecr::ImageIdentifier>) -> ecr::BatchGetImageRequest {
    ecr::BatchGetImageRequest {
        repository_name: "app".into(),
        image_ids: ids,
        ..Default::default()
    }
}

fn delete(ids: Vec<ecr::ImageIdentifier>) -> ecr::BatchDeleteImageRequest {
    ecr::BatchDeleteImageRequest {
        repository_name: "app".into(),
        image_ids: ids,
        ..Default::default()
    }
}

fn codes(failures: Option<Vec<ecr::ImageFailure>>) -> Vec<&'static str> {
    failures
        .unwrap()
        .iter()
        .map(|f| f.failure_code.unwrap().as_str())
        .collect()
}

async fn set_mutability(w: &World, kind: ecr::ImageTagMutability, filters: &[&str]) {
    let filter = |text: &&str| ecr::ImageTagMutabilityExclusionFilter {
        filter_type: ecr::ImageTagMutabilityExclusionFilterType::Wildcard,
        filter: (*text).to_owned(),
    };
    let input = ecr::PutImageTagMutabilityRequest {
        repository_name: "app".into(),
        image_tag_mutability: kind,
        image_tag_mutability_exclusion_filters: (!filters.is_empty())
            .then(|| filters.iter().map(filter).collect()),
        ..Default::default()
    };
    w.registry
        .put_image_tag_mutability(&w.cx, input)
        .await
        .unwrap();
}

#[on_every_engine]
async fn images_pushed_by_one_api_are_seen_by_the_other(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    // Byte for byte: the white space is the digest's too.
    let manifest = serde_json::to_string_pretty(&w.manifest(&repo, "one").await).unwrap();
    let put = w
        .registry
        .put_image(&w.cx, put_image(&manifest, Some("v1")))
        .await
        .unwrap();
    let digest = put.image.unwrap().image_id.unwrap().image_digest.unwrap();
    assert_eq!(digest, Digest::sha256_of(manifest.as_bytes()).to_string());
    for reference in ["v1", &digest] {
        let pulled = w
            .registry
            .get_manifest(&w.cx, &repo, reference)
            .await
            .unwrap();
        assert_eq!(pulled.bytes, manifest.as_bytes());
        assert_eq!(
            (pulled.media_type.as_str(), pulled.digest.to_string()),
            (OCI_MANIFEST, digest.clone())
        );
    }
    let second = w.image(&repo, "v2", "two").await.to_string();
    let got = w
        .registry
        .batch_get_image(
            &w.cx,
            get(vec![id(None, Some("v2")), id(Some(&digest), None)]),
        )
        .await
        .unwrap();
    let images = got.images.unwrap();
    assert_eq!(images[0].image_id, Some(id(Some(&second), Some("v2"))));
    assert_eq!(images[1].image_manifest.as_deref(), Some(manifest.as_str()));
    assert_eq!(
        images[1].image_manifest_media_type.as_deref(),
        Some(OCI_MANIFEST)
    );
}

#[on_every_engine]
async fn the_same_push_again(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let manifest = w.manifest(&repo, "one").await;
    let digest = w.put(&repo, "v1", &manifest).await.unwrap().to_string();
    // The OCI API: success. The ECR API: an error that says so.
    w.put(&repo, "v1", &manifest).await.unwrap();
    w.put(&repo, &digest, &manifest).await.unwrap();
    let again = w
        .registry
        .put_image(&w.cx, put_image(&manifest.to_string(), Some("v1")))
        .await;
    assert_eq!(
        again.as_ref().unwrap_err().to_string(),
        format!(
            "Image with digest '{digest}' and tag 'v1' already exists in the repository with name 'app' in registry with id '123456789012'"
        )
    );
    assert_eq!(refusal(again), "ImageAlreadyExists");
    assert_eq!(
        refusal(
            w.registry
                .put_image(&w.cx, put_image(&manifest.to_string(), None))
                .await
        ),
        "ImageAlreadyExists"
    );
    // Another tag for it is new.
    w.registry
        .put_image(&w.cx, put_image(&manifest.to_string(), Some("v2")))
        .await
        .unwrap();
    assert_eq!(w.pull(&repo, "v2").await.unwrap().to_string(), digest);
}

#[on_every_engine]
async fn a_mutable_tag_moves(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let one = w.image(&repo, "latest", "one").await;
    assert_eq!(w.pull(&repo, "latest").await.unwrap(), one);
    let two = w.image(&repo, "latest", "two").await;
    assert_eq!(w.pull(&repo, "latest").await.unwrap(), two);
    // The first image stays, untagged.
    assert_eq!(w.pull(&repo, &one.to_string()).await.unwrap(), one);
}

#[on_every_engine]
async fn an_immutable_tag_stays(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    set_mutability(&w, ecr::ImageTagMutability::Immutable, &[]).await;
    let manifest = w.manifest(&repo, "one").await;
    let one = w.put(&repo, "v1", &manifest).await.unwrap();
    let other = w.manifest(&repo, "two").await;
    let refused = w.put(&repo, "v1", &other).await;
    assert_eq!(
        refused.as_ref().unwrap_err().to_string(),
        "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the tag is immutable."
    );
    assert_eq!(refusal(refused), "ImageTagAlreadyExists");
    assert_eq!(
        refusal(
            w.registry
                .put_image(&w.cx, put_image(&other.to_string(), Some("v1")))
                .await
        ),
        "ImageTagAlreadyExists"
    );
    // The same image under the same tag is no overwriting.
    assert_eq!(w.put(&repo, "v1", &manifest).await.unwrap(), one);
    assert_eq!(w.pull(&repo, "v1").await.unwrap(), one);
    // The refused image was not stored.
    assert_eq!(
        refusal(
            w.pull(
                &repo,
                &Digest::sha256_of(other.to_string().as_bytes()).to_string()
            )
            .await
        ),
        "ImageNotFound"
    );
}

#[on_every_engine]
async fn filters_exclude_tags(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    set_mutability(
        &w,
        ecr::ImageTagMutability::ImmutableWithExclusion,
        &["latest", "dev-*"],
    )
    .await;
    for tag in ["latest", "dev-1", "v1"] {
        w.image(&repo, tag, "one").await;
    }
    let other = w.manifest(&repo, "two").await;
    w.put(&repo, "latest", &other).await.unwrap();
    w.put(&repo, "dev-1", &other).await.unwrap();
    assert_eq!(
        refusal(w.put(&repo, "v1", &other).await),
        "ImageTagAlreadyExists"
    );
    set_mutability(
        &w,
        ecr::ImageTagMutability::MutableWithExclusion,
        &["dev-*"],
    )
    .await;
    w.put(&repo, "v1", &other).await.unwrap();
    let third = w.manifest(&repo, "three").await;
    assert_eq!(
        refusal(w.put(&repo, "dev-1", &third).await),
        "ImageTagAlreadyExists"
    );
}

#[on_every_engine]
async fn of_two_pushes_of_an_immutable_tag_one_wins(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    set_mutability(&w, ecr::ImageTagMutability::Immutable, &[]).await;
    let mut manifests = Vec::new();
    for n in 0..6 {
        manifests.push(w.manifest(&repo, &format!("content {n}")).await);
    }
    let pushes = manifests
        .iter()
        .map(|manifest| w.put(&repo, "v1", manifest));
    let results = futures_util::future::join_all(pushes).await;
    let winners: Vec<_> = results.iter().filter_map(|r| r.as_ref().ok()).collect();
    assert_eq!(winners.len(), 1, "{results:?}");
    assert!(
        results
            .iter()
            .filter_map(|r| r.as_ref().err())
            .all(|e| matches!(e, Error::ImageTagAlreadyExists { .. }))
    );
    assert_eq!(w.pull(&repo, "v1").await.unwrap(), *winners[0]);
}

#[on_every_engine]
async fn rejects_a_manifest_whose_parts_are_missing(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let mut manifest = w.manifest(&repo, "one").await;
    let unknown = Digest::sha256_of(b"unknown").to_string();
    manifest["layers"][0]["digest"] = unknown.clone().into();
    let missing = w.put(&repo, "v1", &manifest).await;
    assert_eq!(
        missing.as_ref().unwrap_err().to_string(),
        format!(
            "Layers with digests '[{unknown}]' required for pushing image into repository with name 'app' in the registry with id '123456789012' do not exist"
        )
    );
    assert_eq!(refusal(missing), "LayersNotFound");
    assert_eq!(
        refusal(
            w.registry
                .put_image(&w.cx, put_image(&manifest.to_string(), None))
                .await
        ),
        "LayersNotFound"
    );

    let mut lying = w.manifest(&repo, "two").await;
    lying["layers"][0]["size"] = 4711.into();
    assert_eq!(refusal(w.put(&repo, "v2", &lying).await), "InvalidManifest");

    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
        {"mediaType": OCI_MANIFEST, "digest": unknown, "size": 7},
    ]});
    assert_eq!(
        refusal(w.put(&repo, "list", &index).await),
        "ReferencedImagesNotFound"
    );
    assert_eq!(
        refusal(
            w.registry
                .put_image(&w.cx, put_image(&index.to_string(), None))
                .await
        ),
        "ReferencedImagesNotFound"
    );
}

#[on_every_engine]
async fn references_and_digests_are_checked(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let manifest = w.manifest(&repo, "one").await;
    let other = Digest::sha256_of(b"other").to_string();
    assert_eq!(
        refusal(w.put(&repo, &other, &manifest).await),
        "ImageDigestDoesNotMatch"
    );
    assert_eq!(
        refusal(w.put(&repo, "sha256:short", &manifest).await),
        "InvalidDigest"
    );
    let long = "t".repeat(129);
    for tag in ["", "-x", ".x", "a/b", "ä", &long] {
        assert_eq!(
            refusal(w.put(&repo, tag, &manifest).await),
            "InvalidTag",
            "{tag}"
        );
        assert_eq!(refusal(w.pull(&repo, tag).await), "ImageNotFound", "{tag}");
    }
    let mut input = put_image(&manifest.to_string(), Some("v1"));
    input.image_digest = Some(other);
    assert_eq!(
        refusal(w.registry.put_image(&w.cx, input).await),
        "ImageDigestDoesNotMatch"
    );
    // A sha512 digest names the image where the client asks for it.
    let sha512 = Digest::sha512_of(manifest.to_string().as_bytes());
    assert_eq!(
        w.put(&repo, &sha512.to_string(), &manifest).await.unwrap(),
        sha512
    );
    assert_eq!(w.pull(&repo, &sha512.to_string()).await.unwrap(), sha512);
}

#[on_every_engine]
async fn quotas_bound_images_and_tags(store: TestStore) {
    let w = World::with(&store, |settings| {
        settings.limits.images_per_repository_max = 2;
        settings.limits.tags_per_image_max = 2;
    })
    .await;
    let repo = w.repository("app").await;
    let manifest = w.manifest(&repo, "one").await;
    w.put(&repo, "a", &manifest).await.unwrap();
    w.put(&repo, "b", &manifest).await.unwrap();
    assert!(matches!(
        w.put(&repo, "c", &manifest).await,
        Err(Error::TooManyImageTags { max: 2, .. })
    ));
    w.image(&repo, "d", "two").await;
    let third = w.manifest(&repo, "three").await;
    assert_eq!(refusal(w.put(&repo, "e", &third).await), "TooManyImages");
    w.registry.delete_manifest(&w.cx, &repo, "d").await.unwrap();
    w.put(&repo, "e", &third).await.unwrap();
}

#[on_every_engine]
async fn the_last_tag_takes_the_image_along(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let manifest = w.manifest(&repo, "one").await;
    let digest = w.put(&repo, "a", &manifest).await.unwrap().to_string();
    w.put(&repo, "b", &manifest).await.unwrap();
    w.registry.delete_manifest(&w.cx, &repo, "a").await.unwrap();
    assert_eq!(refusal(w.pull(&repo, "a").await), "ImageNotFound");
    assert!(w.pull(&repo, &digest).await.is_ok());
    w.registry.delete_manifest(&w.cx, &repo, "b").await.unwrap();
    assert_eq!(refusal(w.pull(&repo, &digest).await), "ImageNotFound");
    assert_eq!(
        refusal(w.registry.delete_manifest(&w.cx, &repo, "b").await),
        "ImageNotFound"
    );
    // Its layers stay: the same image is pushed again without uploading.
    w.put(&repo, "c", &manifest).await.unwrap();
}

#[on_every_engine]
async fn many_are_deleted_at_once(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let one = w.manifest(&repo, "one").await;
    let digest = w.put(&repo, "a", &one).await.unwrap().to_string();
    w.put(&repo, "b", &one).await.unwrap();
    let two = w.image(&repo, "c", "two").await.to_string();
    let answer = w
        .registry
        .batch_delete_image(
            &w.cx,
            delete(vec![
                id(Some(&digest), None),
                id(None, Some("c")),
                id(None, Some("nope")),
                id(None, None),
                id(Some("nonsense"), None),
                id(None, Some("-")),
            ]),
        )
        .await
        .unwrap();
    assert_eq!(
        answer.image_ids.unwrap(),
        vec![
            id(Some(&digest), Some("a")),
            id(Some(&digest), Some("b")),
            id(Some(&two), Some("c")),
        ]
    );
    assert_eq!(
        codes(answer.failures),
        [
            "ImageNotFound",
            "MissingDigestAndTag",
            "InvalidImageDigest",
            "InvalidImageTag"
        ]
    );
    let left = w
        .registry
        .list_tags(&w.cx, &repo, None, None)
        .await
        .unwrap();
    assert!(left.items.is_empty());

    let three = w.image(&repo, "three", "three").await.to_string();
    w.image(&repo, "four", "four").await;
    let mixed = id(Some(&three), Some("four"));
    let answer = w
        .registry
        .batch_delete_image(&w.cx, delete(vec![mixed.clone()]))
        .await
        .unwrap();
    assert_eq!(codes(answer.failures), ["ImageTagDoesNotMatchDigest"]);
    let answer = w
        .registry
        .batch_get_image(&w.cx, get(vec![mixed, id(None, Some("nope"))]))
        .await
        .unwrap();
    assert_eq!(
        codes(answer.failures),
        ["ImageTagDoesNotMatchDigest", "ImageNotFound"]
    );
}

#[on_every_engine]
async fn a_list_protects_its_images(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let child = w.image(&repo, "amd64", "one").await.to_string();
    let size = w
        .registry
        .stat_manifest(&w.cx, &repo, &child)
        .await
        .unwrap()
        .bytes
        .len();
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
        {"mediaType": OCI_MANIFEST, "digest": child, "size": size, "platform": {"os": "linux", "architecture": "amd64"}},
    ]});
    let list = w.put(&repo, "v1", &index).await.unwrap().to_string();
    let refused = w.registry.delete_manifest(&w.cx, &repo, &child).await;
    assert_eq!(
        refused.as_ref().unwrap_err().to_string(),
        format!("Requested image referenced by manifest list: [{list}]")
    );
    assert_eq!(refusal(refused), "ImageReferencedByManifestList");
    // Its last tag would take it along.
    let answer = w
        .registry
        .batch_delete_image(&w.cx, delete(vec![id(None, Some("amd64"))]))
        .await
        .unwrap();
    assert_eq!(codes(answer.failures), ["ImageReferencedByManifestList"]);
    assert!(w.pull(&repo, "amd64").await.is_ok());
    // Named together, in whatever order, both go.
    let answer = w
        .registry
        .batch_delete_image(
            &w.cx,
            delete(vec![id(Some(&child), None), id(Some(&list), None)]),
        )
        .await
        .unwrap();
    assert_eq!(answer.failures.unwrap(), vec![]);
    assert_eq!(answer.image_ids.unwrap().len(), 2);
}

#[on_every_engine]
async fn accepted_media_types_are_respected(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    w.image(&repo, "v1", "one").await;
    let mut input = get(vec![id(None, Some("v1"))]);
    input.accepted_media_types = Some(vec![
        "application/vnd.docker.distribution.manifest.v2+json".into(),
    ]);
    let answer = w
        .registry
        .batch_get_image(&w.cx, input.clone())
        .await
        .unwrap();
    assert_eq!(codes(answer.failures), ["ImageNotFound"]);
    input.accepted_media_types = Some(vec![OCI_MANIFEST.into()]);
    assert_eq!(
        w.registry
            .batch_get_image(&w.cx, input)
            .await
            .unwrap()
            .images
            .unwrap()
            .len(),
        1
    );
}
