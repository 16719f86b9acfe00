//! Artifacts that refer to an image: OCI 1.1's `subject`.

use crate::world::*;
use aws_api::ecr;
use blobs::Digest;
use serde_json::{Value, json};
use store::testing::{TestStore, on_every_engine};

const EMPTY: &str = "application/vnd.oci.empty.v1+json";

async fn artifact(w: &World, subject: &Digest, artifact_type: Option<&str>, n: usize) -> String {
    let repo = w.facts("app").await;
    let mut config = w.layer(&repo, "{}").await;
    config["mediaType"] = EMPTY.into();
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config,
        "layers": [w.layer(&repo, &format!("signature {n}")).await],
        "subject": {"mediaType": OCI_MANIFEST, "digest": subject.to_string(), "size": 7},
        "annotations": {"n": n.to_string()},
    });
    if let Some(artifact_type) = artifact_type {
        manifest["artifactType"] = artifact_type.into();
    }
    let bytes = manifest.to_string();
    let digest = Digest::sha256_of(bytes.as_bytes()).to_string();
    let put = w
        .registry
        .put_manifest(&w.cx, &repo, &digest, Some(OCI_MANIFEST), bytes.into())
        .await
        .unwrap();
    assert_eq!(put.subject.as_ref(), Some(subject));
    digest
}

#[on_every_engine]
async fn referrers_are_listed_by_type(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let image = w.image(&repo, "v1", "one").await;
    let subject = image.to_string();
    let signature = artifact(&w, &image, Some("example/signature"), 1).await;
    let sbom = artifact(&w, &image, Some("example/sbom"), 2).await;
    let untyped = artifact(&w, &image, None, 3).await;

    let all = w
        .registry
        .referrers(&w.cx, &repo, &subject, None, None)
        .await
        .unwrap();
    let digests: Vec<_> = all.referrers.iter().map(|r| r.digest.as_str()).collect();
    assert_eq!(digests, [&signature, &sbom, &untyped]);
    assert_eq!(all.next, None);
    let index: Value = serde_json::from_slice(&all.to_index()).unwrap();
    assert_eq!(index["mediaType"], OCI_INDEX);
    let size = w
        .registry
        .stat_manifest(&w.cx, &repo, &signature)
        .await
        .unwrap()
        .bytes
        .len();
    assert_eq!(
        index["manifests"][0],
        json!({
            "mediaType": OCI_MANIFEST, "digest": signature, "size": size,
            "artifactType": "example/signature", "annotations": {"n": "1"},
        })
    );
    // Without an artifact type, the config's media type stands for it.
    assert_eq!(index["manifests"][2]["artifactType"], EMPTY);

    let some = w
        .registry
        .referrers(&w.cx, &repo, &subject, Some("example/sbom"), None)
        .await
        .unwrap();
    assert_eq!(some.referrers.len(), 1);
    let none = w
        .registry
        .referrers(
            &w.cx,
            &repo,
            &Digest::sha256_of(b"nobody").to_string(),
            None,
            None,
        )
        .await
        .unwrap();
    assert_eq!(none, registry::Referrers::default());
    assert_eq!(
        refusal(w.registry.referrers(&w.cx, &repo, "v1", None, None).await),
        "InvalidDigest"
    );

    w.registry
        .delete_manifest(&w.cx, &repo, &sbom)
        .await
        .unwrap();
    assert_eq!(
        w.registry
            .referrers(&w.cx, &repo, &subject, None, None)
            .await
            .unwrap()
            .referrers
            .len(),
        2
    );
    let details = ecr::DescribeImagesRequest {
        repository_name: "app".into(),
        ..Default::default()
    };
    let details = w
        .registry
        .describe_images(&w.cx, details)
        .await
        .unwrap()
        .image_details
        .unwrap();
    assert_eq!(details[1].subject_manifest_digest.as_ref(), Some(&subject));
    assert_eq!(
        details[1].artifact_media_type.as_deref(),
        Some("example/signature")
    );
}

#[on_every_engine]
async fn a_referrer_may_come_before_its_subject(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let manifest = w.manifest(&repo, "one").await;
    let image = Digest::sha256_of(manifest.to_string().as_bytes());
    artifact(&w, &image, Some("example/signature"), 1).await;
    w.put(&repo, "v1", &manifest).await.unwrap();
    let found = w
        .registry
        .referrers(&w.cx, &repo, &image.to_string(), None, None)
        .await
        .unwrap();
    assert_eq!(found.referrers.len(), 1);
}

#[on_every_engine]
async fn referrers_are_deleted_with_their_image(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let image = w.image(&repo, "v1", "one").await;
    let signature = artifact(&w, &image, Some("example/signature"), 1).await;
    let sbom = artifact(&w, &image, Some("example/sbom"), 2).await;
    // The SBOM is signed too; and one attestation has a tag of its own.
    let of_sbom = artifact(&w, &sbom.parse().unwrap(), Some("example/signature"), 3).await;
    let kept = artifact(&w, &image, Some("example/kept"), 4).await;
    let bytes = w
        .registry
        .stat_manifest(&w.cx, &repo, &kept)
        .await
        .unwrap()
        .bytes
        .clone();
    w.registry
        .put_manifest(&w.cx, &repo, "kept", None, bytes)
        .await
        .unwrap();
    // Another image's are not touched.
    let other = w.image(&repo, "v2", "two").await;
    let of_other = artifact(&w, &other, Some("example/signature"), 5).await;

    let deleted = w
        .registry
        .delete_manifest(&w.cx, &repo, "v1")
        .await
        .unwrap();
    assert!(deleted.image_deleted);
    assert_eq!(deleted.referrers.len(), 3);
    for digest in [&signature, &sbom, &of_sbom] {
        assert!(deleted.referrers.contains(digest));
        assert_eq!(refusal(w.pull(&repo, digest).await), "ImageNotFound");
    }
    for digest in [&kept, &of_other] {
        w.pull(&repo, digest).await.unwrap();
    }
    let left = w
        .registry
        .list_images(
            &w.cx,
            ecr::ListImagesRequest {
                repository_name: "app".into(),
                ..Default::default()
            },
        )
        .await
        .unwrap();
    assert_eq!(left.image_ids.unwrap().len(), 3);
}

/// Also for the clients that list signatures in an index under the referrers tag.
#[on_every_engine]
async fn a_referrers_tag_keeps_and_takes_its_signatures(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let image = w.image(&repo, "v1", "one").await;
    let signature = artifact(&w, &image, Some("example/signature"), 1).await;
    let size = w
        .registry
        .stat_manifest(&w.cx, &repo, &signature)
        .await
        .unwrap()
        .bytes
        .len();
    let child = w.image(&repo, "tagged", "child").await.to_string();
    let child_size = w
        .registry
        .stat_manifest(&w.cx, &repo, &child)
        .await
        .unwrap()
        .bytes
        .len();
    let tag = image.to_string().replace(':', "-");
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
        {"mediaType": OCI_MANIFEST, "digest": signature, "size": size},
        {"mediaType": OCI_MANIFEST, "digest": child, "size": child_size},
    ]});
    w.put(&repo, &tag, &index).await.unwrap();
    // The tag leads to them, so they stay when the image goes.
    assert_eq!(
        w.registry
            .delete_manifest(&w.cx, &repo, "v1")
            .await
            .unwrap()
            .referrers,
        Vec::<String>::new()
    );
    w.pull(&repo, &signature).await.unwrap();
    let deleted = w
        .registry
        .delete_manifest(&w.cx, &repo, &tag)
        .await
        .unwrap();
    assert_eq!(deleted.referrers, std::slice::from_ref(&signature));
    assert_eq!(refusal(w.pull(&repo, &signature).await), "ImageNotFound");
    w.pull(&repo, &child).await.unwrap();
}

#[on_every_engine]
async fn an_image_and_its_signature_are_deleted_together(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let image = w.image(&repo, "v1", "one").await;
    let signature = artifact(&w, &image, Some("example/signature"), 1).await;
    let id = |digest: &str| ecr::ImageIdentifier {
        image_digest: Some(digest.to_owned()),
        image_tag: None,
    };
    let input = ecr::BatchDeleteImageRequest {
        repository_name: "app".into(),
        image_ids: vec![id(&image.to_string()), id(&signature)],
        ..Default::default()
    };
    let answer = w.registry.batch_delete_image(&w.cx, input).await.unwrap();
    assert_eq!(answer.failures.unwrap(), vec![]);
    assert_eq!(answer.image_ids.unwrap().len(), 2);
}

#[on_every_engine]
async fn the_ecr_api_lists_referrers_in_pages(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let image = w.image(&repo, "v1", "one").await;
    let mut pushed = Vec::new();
    for n in 0..5 {
        let kind = ["example/a", "example/b"][n % 2];
        pushed.push(artifact(&w, &image, Some(kind), n).await);
    }
    let ask = |types: &[&str]| ecr::ListImageReferrersRequest {
        repository_name: "app".into(),
        subject_id: ecr::SubjectIdentifier {
            image_digest: image.to_string(),
        },
        filter: Some(ecr::ListImageReferrersFilter {
            artifact_types: Some(types.iter().map(|t| (*t).to_owned()).collect()),
            artifact_status: None,
        }),
        max_results: Some(2),
        ..Default::default()
    };
    for (types, wanted) in [
        (&[][..], 5),
        (&["example/a"][..], 3),
        (&["example/a", "example/b"][..], 5),
        (&["x", "y"][..], 0),
    ] {
        let (mut seen, mut next_token) = (Vec::new(), None);
        loop {
            let input = ecr::ListImageReferrersRequest {
                next_token,
                ..ask(types)
            };
            let page = w.registry.list_image_referrers(&w.cx, input).await.unwrap();
            seen.extend(page.referrers.unwrap().into_iter().map(|r| r.digest));
            next_token = page.next_token;
            if next_token.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), wanted, "{types:?}");
        assert!(seen.iter().all(|digest| pushed.contains(digest)));
    }
}

#[on_every_engine]
async fn large_annotations_make_short_pages(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let image = w.image(&repo, "v1", "one").await;
    let subject = image.to_string();
    let mut pushed = Vec::new();
    // The second is larger than what fits beside another one.
    for (n, kib) in [(0, 1), (1, 3_900), (2, 1_500), (3, 1_500), (4, 1_500)] {
        let mut config = w.layer(&repo, "{}").await;
        config["mediaType"] = EMPTY.into();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": "example/notes",
            "config": config,
            "layers": [w.layer(&repo, &format!("note {n}")).await],
            "subject": {"mediaType": OCI_MANIFEST, "digest": subject, "size": 7},
            "annotations": {"text": "x".repeat(kib << 10)},
        });
        pushed.push(
            w.put(&repo, &format!("note-{n}"), &manifest)
                .await
                .unwrap()
                .to_string(),
        );
    }
    let wanted: [&[String]; 3] = [&pushed[..2], &pushed[2..4], &pushed[4..]];
    for artifact_type in [None, Some("example/notes")] {
        let (mut pages, mut next) = (Vec::new(), None);
        loop {
            let page = w
                .registry
                .referrers(&w.cx, &repo, &subject, artifact_type, next.as_deref())
                .await
                .unwrap();
            assert!(
                page.to_index().len() <= (4 << 20) + 4096,
                "{}",
                page.to_index().len()
            );
            pages.push(
                page.referrers
                    .into_iter()
                    .map(|r| r.digest)
                    .collect::<Vec<_>>(),
            );
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        assert_eq!(pages, wanted, "{artifact_type:?}");
    }
    let (mut pages, mut next_token) = (Vec::new(), None);
    loop {
        let input = ecr::ListImageReferrersRequest {
            repository_name: "app".into(),
            subject_id: ecr::SubjectIdentifier {
                image_digest: subject.clone(),
            },
            next_token,
            ..Default::default()
        };
        let page = w.registry.list_image_referrers(&w.cx, input).await.unwrap();
        pages.push(
            page.referrers
                .unwrap()
                .into_iter()
                .map(|r| r.digest)
                .collect::<Vec<_>>(),
        );
        next_token = page.next_token;
        if next_token.is_none() {
            break;
        }
    }
    assert_eq!(pages, wanted);
}
