//! Lists of images and tags, page by page.

use crate::world::*;
use aws_api::ecr;
use store::ecr::image;
use store::testing::{TestStore, on_every_engine};
use store::{Scope, values};

fn list(status: Option<ecr::TagStatus>) -> ecr::ListImagesRequest {
    ecr::ListImagesRequest {
        repository_name: "app".into(),
        filter: Some(ecr::ListImagesFilter {
            tag_status: status,
            image_status: None,
        }),
        ..Default::default()
    }
}

fn describe(status: Option<ecr::TagStatus>) -> ecr::DescribeImagesRequest {
    ecr::DescribeImagesRequest {
        repository_name: "app".into(),
        filter: Some(ecr::DescribeImagesFilter {
            tag_status: status,
            image_status: None,
        }),
        ..Default::default()
    }
}

/// Five images: v0 and also-v0 on the first, v1 to v3, and one without a tag.
async fn fill(w: &World) -> Vec<String> {
    let repo = w.repository("app").await;
    let mut digests = Vec::new();
    for n in 0..5 {
        let manifest = w.manifest(&repo, &format!("content {n}")).await;
        let digest = w.put(&repo, &format!("v{n}"), &manifest).await.unwrap();
        digests.push(digest.to_string());
        if n == 0 {
            w.put(&repo, "also-v0", &manifest).await.unwrap();
        }
    }
    w.image(&repo, "v4", "content 3").await;
    digests
}

#[on_every_engine]
async fn images_are_listed_in_pages_of_any_size(store: TestStore) {
    let w = World::new(&store).await;
    let digests = fill(&w).await;
    let wanted: Vec<(String, Option<&str>)> = vec![
        (digests[0].clone(), Some("also-v0")),
        (digests[0].clone(), Some("v0")),
        (digests[1].clone(), Some("v1")),
        (digests[2].clone(), Some("v2")),
        (digests[3].clone(), Some("v3")),
        (digests[3].clone(), Some("v4")),
        (digests[4].clone(), None),
    ];
    for (status, wanted) in [
        (None, wanted.as_slice()),
        (Some(ecr::TagStatus::Tagged), &wanted[..6]),
        (Some(ecr::TagStatus::Untagged), &wanted[6..]),
    ] {
        for size in [1, 2, 3, 7, 1000] {
            let (mut seen, mut next_token) = (Vec::new(), None);
            loop {
                let input = ecr::ListImagesRequest {
                    max_results: Some(size),
                    next_token,
                    ..list(status)
                };
                let page = w.registry.list_images(&w.cx, input).await.unwrap();
                let ids = page.image_ids.unwrap();
                assert!(ids.len() <= size as usize);
                seen.extend(
                    ids.into_iter()
                        .map(|id| (id.image_digest.unwrap(), id.image_tag)),
                );
                next_token = page.next_token;
                if next_token.is_none() {
                    break;
                }
            }
            let seen: Vec<_> = seen
                .iter()
                .map(|(digest, tag)| (digest.clone(), tag.as_deref()))
                .collect();
            assert_eq!(seen, wanted, "{status:?} {size}");
        }
    }
    let archived = ecr::ListImagesRequest {
        filter: Some(ecr::ListImagesFilter {
            tag_status: None,
            image_status: Some(ecr::ImageStatusFilter::Archived),
        }),
        ..list(None)
    };
    assert_eq!(
        w.registry
            .list_images(&w.cx, archived)
            .await
            .unwrap()
            .image_ids
            .unwrap(),
        vec![]
    );
    let foreign = ecr::ListImagesRequest {
        next_token: Some("AAAA".into()),
        ..list(None)
    };
    assert_eq!(
        refusal(w.registry.list_images(&w.cx, foreign).await),
        "InvalidParameter"
    );
}

#[on_every_engine]
async fn images_are_described(store: TestStore) {
    let w = World::new(&store).await;
    let digests = fill(&w).await;
    let all = w
        .registry
        .describe_images(&w.cx, describe(None))
        .await
        .unwrap()
        .image_details
        .unwrap();
    let seen: Vec<_> = all
        .iter()
        .map(|d| d.image_digest.clone().unwrap())
        .collect();
    assert_eq!(seen, digests);
    let first = &all[0];
    assert_eq!(
        first.image_tags,
        Some(vec!["also-v0".to_owned(), "v0".to_owned()])
    );
    assert_eq!(first.image_size_in_bytes, Some("content 0".len() as i64));
    assert_eq!(first.image_pushed_at, Some(w.cx.now));
    assert_eq!(
        first.image_manifest_media_type.as_deref(),
        Some(OCI_MANIFEST)
    );
    assert_eq!(first.artifact_media_type.as_deref(), Some(OCI_CONFIG));
    assert_eq!(first.last_recorded_pull_time, None);
    assert_eq!(all[4].image_tags, None);

    let page = ecr::DescribeImagesRequest {
        max_results: Some(4),
        ..describe(Some(ecr::TagStatus::Tagged))
    };
    let page = w.registry.describe_images(&w.cx, page).await.unwrap();
    assert_eq!(
        (page.image_details.unwrap().len(), page.next_token),
        (4, None)
    );
    let page = ecr::DescribeImagesRequest {
        max_results: Some(3),
        ..describe(None)
    };
    let page = w.registry.describe_images(&w.cx, page).await.unwrap();
    let rest = ecr::DescribeImagesRequest {
        max_results: Some(3),
        next_token: page.next_token,
        ..describe(None)
    };
    let rest = w.registry.describe_images(&w.cx, rest).await.unwrap();
    assert_eq!(rest.image_details.unwrap(), all[3..].to_vec());

    let id = |digest: Option<&str>, tag: Option<&str>| ecr::ImageIdentifier {
        image_digest: digest.map(str::to_owned),
        image_tag: tag.map(str::to_owned),
    };
    let named = ecr::DescribeImagesRequest {
        image_ids: Some(vec![
            id(None, Some("v0")),
            id(Some(&digests[0]), None),
            id(None, Some("v1")),
        ]),
        ..describe(None)
    };
    assert_eq!(
        w.registry
            .describe_images(&w.cx, named)
            .await
            .unwrap()
            .image_details
            .unwrap(),
        all[..2].to_vec()
    );
    let missing = ecr::DescribeImagesRequest {
        image_ids: Some(vec![id(None, Some("nope"))]),
        ..describe(None)
    };
    let missing = w.registry.describe_images(&w.cx, missing).await;
    assert_eq!(
        missing.as_ref().unwrap_err().to_string(),
        "The image with imageId {imageDigest:'null', imageTag:'nope'} does not exist within the repository with name 'app' in the registry with id '123456789012'"
    );
    assert_eq!(refusal(missing), "ImageNotFound");
    let both = ecr::DescribeImagesRequest {
        image_ids: Some(vec![id(None, Some("v0"))]),
        max_results: Some(3),
        ..describe(None)
    };
    assert_eq!(
        refusal(w.registry.describe_images(&w.cx, both).await),
        "InvalidParameter"
    );
}

#[on_every_engine]
async fn tags_are_listed_in_pages(store: TestStore) {
    let w = World::new(&store).await;
    fill(&w).await;
    let repo = w.facts("app").await;
    let all = w
        .registry
        .list_tags(&w.cx, &repo, None, None)
        .await
        .unwrap();
    assert_eq!(
        (all.items.join(" "), all.more),
        ("also-v0 v0 v1 v2 v3 v4".to_owned(), false)
    );
    let page = w
        .registry
        .list_tags(&w.cx, &repo, Some(2), Some("v0"))
        .await
        .unwrap();
    assert_eq!(
        (page.items.join(" "), page.more),
        ("v1 v2".to_owned(), true)
    );
    let page = w
        .registry
        .list_tags(&w.cx, &repo, Some(2), Some("v2"))
        .await
        .unwrap();
    assert_eq!(
        (page.items.join(" "), page.more),
        ("v3 v4".to_owned(), false)
    );
    assert_eq!(
        w.registry
            .list_tags(&w.cx, &repo, Some(0), None)
            .await
            .unwrap(),
        registry::Page::default()
    );
    assert!(
        w.registry
            .list_tags(&w.cx, &repo, None, Some("z"))
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

#[on_every_engine]
async fn pulls_are_recorded_now_and_then(store: TestStore) {
    let w = World::new(&store).await;
    fill(&w).await;
    let repo = w.facts("app").await;
    let shown = async |w: &World| {
        let all = w
            .registry
            .describe_images(&w.cx, describe(None))
            .await
            .unwrap();
        all.image_details.unwrap()[1].last_recorded_pull_time
    };
    let at = |hours| w.later(hours).now;
    // A HEAD is no pull.
    w.registry.stat_manifest(&w.cx, &repo, "v1").await.unwrap();
    w.registry
        .maintain(ServiceName::Maintenance, at(0))
        .await
        .unwrap();
    assert_eq!(shown(&w).await, None);
    w.pull(&repo, "v1").await.unwrap();
    w.registry
        .maintain(ServiceName::Maintenance, at(0))
        .await
        .unwrap();
    assert_eq!(shown(&w).await, Some(at(0)));
    w.registry
        .get_manifest(&w.later(2), &repo, "v1")
        .await
        .unwrap();
    assert_eq!(shown(&w).await, Some(at(0)));
    w.registry
        .maintain(ServiceName::Maintenance, at(2))
        .await
        .unwrap();
    assert_eq!(shown(&w).await, Some(at(2)));
}

#[on_every_engine]
async fn a_page_ends_with_the_image_that_has_too_many_tags(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let mut digests = Vec::new();
    for (n, tags) in [6_000_i64, 6_000, 2, 9_999].into_iter().enumerate() {
        let digest = w
            .image(&repo, &format!("v{n}"), &format!("content {n}"))
            .await
            .to_string();
        let mut tx = store.store.write(Scope::Repository(repo.id)).await.unwrap();
        let id = image::find(&mut tx.conn(), repo.id, &digest)
            .await
            .unwrap()
            .unwrap()
            .id;
        let more = "WITH RECURSIVE n (i) AS \
                (SELECT CAST(2 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $3) \
                INSERT INTO image_tags (repository_id, tag, image_id, tagged_at) \
                SELECT CAST($1 AS BIGINT), $4 || CAST(i AS TEXT), CAST($2 AS BIGINT), 0 FROM n";
        let prefix = format!("also-v{n}-");
        tx.conn()
            .execute(more, values![repo.id, id, tags, prefix])
            .await
            .unwrap();
        tx.commit().await.unwrap();
        digests.push((digest, tags as usize));
    }
    for (status, size) in [(None, None), (Some(ecr::TagStatus::Tagged), Some(3))] {
        let (mut pages, mut next_token) = (Vec::new(), None);
        loop {
            let input = ecr::DescribeImagesRequest {
                max_results: size,
                next_token,
                ..describe(status)
            };
            let page = w.registry.describe_images(&w.cx, input).await.unwrap();
            let details = page.image_details.unwrap().into_iter();
            pages.push(
                details
                    .map(|d| (d.image_digest.unwrap(), d.image_tags.unwrap().len()))
                    .collect::<Vec<_>>(),
            );
            next_token = page.next_token;
            if next_token.is_none() {
                break;
            }
        }
        assert_eq!(pages, [&digests[..2], &digests[2..]], "{status:?}");
    }
}
