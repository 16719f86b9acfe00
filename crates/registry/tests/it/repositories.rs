//! Repositories and their settings.

use crate::world::*;
use aws_api::ecr;
use store::testing::{TestStore, on_every_engine};

fn describe(names: Option<&[&str]>) -> ecr::DescribeRepositoriesRequest {
    ecr::DescribeRepositoriesRequest {
        repository_names: names.map(|names| names.iter().map(|n| (*n).to_owned()).collect()),
        ..Default::default()
    }
}

fn delete(name: &str, force: bool) -> ecr::DeleteRepositoryRequest {
    ecr::DeleteRepositoryRequest {
        repository_name: name.into(),
        force: Some(force),
        ..Default::default()
    }
}

fn tag(key: &str, value: &str) -> ecr::Tag {
    ecr::Tag {
        key: key.into(),
        value: value.into(),
    }
}

#[on_every_engine]
async fn a_repository_is_created_described_and_deleted(store: TestStore) {
    let w = World::new(&store).await;
    let made = w.create("team/app", |_| {}).await.unwrap();
    assert_eq!(
        made.repository_arn.as_deref(),
        Some("arn:aws:ecr:us-east-1:123456789012:repository/team/app")
    );
    assert_eq!(
        made.repository_uri.as_deref(),
        Some("123456789012.dkr.ecr.us-east-1.example.com/team/app")
    );
    assert_eq!(made.created_at, Some(w.cx.now));
    assert_eq!(
        made.image_tag_mutability,
        Some(ecr::ImageTagMutability::Mutable)
    );
    assert_eq!(
        made.encryption_configuration
            .as_ref()
            .unwrap()
            .encryption_type,
        ecr::EncryptionType::Aes256
    );
    assert_eq!(
        made.image_scanning_configuration
            .as_ref()
            .unwrap()
            .scan_on_push,
        Some(false)
    );

    let again = w.create("team/app", |_| {}).await;
    assert_eq!(
        again.as_ref().unwrap_err().to_string(),
        "The repository with name 'team/app' already exists in the registry with id '123456789012'"
    );
    assert_eq!(refusal(again), "RepositoryAlreadyExists");

    let found = w
        .registry
        .describe_repositories(&w.cx, describe(Some(&["team/app"])))
        .await
        .unwrap();
    assert_eq!(found.repositories.unwrap(), vec![made.clone()]);
    let missing = w
        .registry
        .describe_repositories(&w.cx, describe(Some(&["team/app", "nope"])))
        .await;
    assert_eq!(
        missing.as_ref().unwrap_err().to_string(),
        "The repository with name 'nope' does not exist in the registry with id '123456789012'"
    );
    assert_eq!(refusal(missing), "RepositoryNotFound");

    let gone = w
        .registry
        .delete_repository(&w.cx, delete("team/app", false))
        .await
        .unwrap();
    let shown = ecr::Repository {
        image_scanning_configuration: None,
        encryption_configuration: None,
        ..made
    };
    assert_eq!(gone.repository.unwrap(), shown);
    assert_eq!(
        refusal(
            w.registry
                .delete_repository(&w.cx, delete("team/app", false))
                .await
        ),
        "RepositoryNotFound"
    );
    assert!(
        w.registry
            .repository_facts(&w.cx.account, &w.cx.region, "team/app")
            .await
            .unwrap()
            .is_none()
    );
}

#[on_every_engine]
async fn a_repository_with_images_goes_only_by_force(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    w.image(&repo, "v1", "layer").await;
    let refused = w
        .registry
        .delete_repository(&w.cx, delete("app", false))
        .await;
    assert_eq!(
        refused.as_ref().unwrap_err().to_string(),
        "The repository with name 'app' in registry with id '123456789012' cannot be deleted because it still contains images"
    );
    assert_eq!(refusal(refused), "RepositoryNotEmpty");
    w.registry
        .delete_repository(&w.cx, delete("app", true))
        .await
        .unwrap();
    // The next of that name is another one, and empty.
    let next = w.repository("app").await;
    assert_ne!(next.id, repo.id);
    assert_eq!(refusal(w.pull(&next, "v1").await), "ImageNotFound");
    assert_eq!(refusal(w.pull(&repo, "v1").await), "ImageNotFound");
}

#[on_every_engine]
async fn an_image_deleted_leaves_the_repository_deletable(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    w.image(&repo, "v1", "layer").await;
    w.registry
        .delete_manifest(&w.cx, &repo, "v1")
        .await
        .unwrap();
    w.registry
        .delete_repository(&w.cx, delete("app", false))
        .await
        .unwrap();
}

#[on_every_engine]
async fn names_and_settings_are_checked(store: TestStore) {
    let w = World::new(&store).await;
    for name in ["a", "UPPER", "a//b", "../etc", "a..b"] {
        assert_eq!(
            refusal(w.create(name, |_| {}).await),
            "InvalidRepositoryName",
            "{name}"
        );
    }
    let kms = w.create("app", |input| {
        input.encryption_configuration = Some(ecr::EncryptionConfiguration {
            encryption_type: ecr::EncryptionType::Kms,
            kms_key: None,
        });
    });
    assert_eq!(refusal(kms.await), "Kms");
    let filters = w.create("app", |input| {
        input.image_tag_mutability = Some(ecr::ImageTagMutability::ImmutableWithExclusion);
    });
    assert_eq!(refusal(filters.await), "InvalidParameter");
    let foreign = w
        .create("app", |input| {
            input.registry_id = Some("210987654321".into())
        })
        .await
        .unwrap();
    assert_eq!(foreign.registry_id.as_deref(), Some("210987654321"));
    assert!(
        w.registry
            .repository_facts(&w.cx.account, &w.cx.region, "app")
            .await
            .unwrap()
            .is_none()
    );
}

#[on_every_engine]
async fn repositories_are_listed_in_pages(store: TestStore) {
    let w = World::new(&store).await;
    let names: Vec<String> = (0..7).map(|n| format!("app-{n}")).collect();
    for name in names.iter().rev() {
        w.create(name, |_| {}).await.unwrap();
    }
    let (mut seen, mut next_token, mut pages) = (Vec::new(), None, 0);
    loop {
        let input = ecr::DescribeRepositoriesRequest {
            max_results: Some(3),
            next_token,
            ..describe(None)
        };
        let page = w
            .registry
            .describe_repositories(&w.cx, input)
            .await
            .unwrap();
        seen.extend(
            page.repositories
                .unwrap()
                .into_iter()
                .map(|r| r.repository_name.unwrap()),
        );
        pages += 1;
        next_token = page.next_token;
        if next_token.is_none() {
            break;
        }
    }
    assert_eq!((seen, pages), (names.clone(), 3));
    let foreign = ecr::DescribeRepositoriesRequest {
        next_token: Some("!".into()),
        ..describe(None)
    };
    assert_eq!(
        refusal(w.registry.describe_repositories(&w.cx, foreign).await),
        "InvalidParameter"
    );

    let page = w
        .registry
        .list_repositories(&w.cx, &w.cx.account, &w.cx.region, Some(3), Some("app-2"))
        .await
        .unwrap();
    assert_eq!((page.items, page.more), (names[3..6].to_vec(), true));
    let page = w
        .registry
        .list_repositories(&w.cx, &w.cx.account, &w.cx.region, None, Some("app-5"))
        .await
        .unwrap();
    assert_eq!((page.items, page.more), (names[6..].to_vec(), false));
}

#[on_every_engine]
async fn a_quota_bounds_the_repositories(store: TestStore) {
    let w = World::with(&store, |settings| settings.limits.repositories_max = 2).await;
    w.repository("one").await;
    w.repository("two").await;
    assert_eq!(
        refusal(w.create("three", |_| {}).await),
        "TooManyRepositories"
    );
    w.registry
        .delete_repository(&w.cx, delete("one", false))
        .await
        .unwrap();
    w.repository("three").await;
}

#[on_every_engine]
async fn resource_tags_come_and_go(store: TestStore) {
    let w = World::new(&store).await;
    let made = w
        .create("app", |input| input.tags = Some(vec![tag("team", "a")]))
        .await
        .unwrap();
    let arn = made.repository_arn.unwrap();
    assert_eq!(w.facts("app").await.tags["team"], "a");
    let change = ecr::TagResourceRequest {
        resource_arn: arn.clone(),
        tags: vec![tag("team", "b"), tag("env", "")],
    };
    w.registry.tag_resource(&w.cx, change).await.unwrap();
    // What decides about access is the new tag, at the very next request.
    assert_eq!(w.facts("app").await.tags["team"], "b");
    let list = || ecr::ListTagsForResourceRequest {
        resource_arn: arn.clone(),
    };
    let tags = w
        .registry
        .list_tags_for_resource(&w.cx, list())
        .await
        .unwrap()
        .tags
        .unwrap();
    assert_eq!(tags, vec![tag("env", ""), tag("team", "b")]);
    let untag = ecr::UntagResourceRequest {
        resource_arn: arn.clone(),
        tag_keys: vec!["team".into(), "nope".into()],
    };
    w.registry.untag_resource(&w.cx, untag).await.unwrap();
    assert!(!w.facts("app").await.tags.contains_key("team"));

    let long = "k".repeat(129);
    for key in ["", "aws:x", "AWS:x", "a!b", &long] {
        let bad = ecr::TagResourceRequest {
            resource_arn: arn.clone(),
            tags: vec![tag(key, "v")],
        };
        assert_eq!(
            refusal(w.registry.tag_resource(&w.cx, bad).await),
            "InvalidTagParameter",
            "{key}"
        );
    }
    // Condition keys know no case: two such tags would evade a policy about either.
    let twice = w
        .create("twice", |input| {
            input.tags = Some(vec![tag("Team", "a"), tag("team", "b")])
        })
        .await;
    assert_eq!(refusal(twice), "InvalidTagParameter");
    for tags in [
        vec![tag("Stage", "a"), tag("stage", "b")],
        vec![tag("ENV", "prod")],
    ] {
        let alike = ecr::TagResourceRequest {
            resource_arn: arn.clone(),
            tags,
        };
        assert_eq!(
            refusal(w.registry.tag_resource(&w.cx, alike).await),
            "InvalidTagParameter"
        );
    }
    assert_eq!(
        *w.facts("app").await.tags,
        [("env".to_owned(), String::new())].into()
    );
    let many = (0..50).map(|n| tag(&format!("k{n}"), "v")).collect();
    let many = ecr::TagResourceRequest {
        resource_arn: arn.clone(),
        tags: many,
    };
    assert_eq!(
        refusal(w.registry.tag_resource(&w.cx, many).await),
        "TooManyTags"
    );
    for arn in [
        "nope",
        "arn:aws:ecr:us-east-1:123456789012:app",
        "arn:aws:ecr:eu-west-1:123456789012:repository/app",
    ] {
        let bad = ecr::ListTagsForResourceRequest {
            resource_arn: arn.into(),
        };
        assert_eq!(
            refusal(w.registry.list_tags_for_resource(&w.cx, bad).await),
            "InvalidParameter",
            "{arn}"
        );
    }
}

#[on_every_engine]
async fn stored_settings_are_shown(store: TestStore) {
    let w = World::new(&store).await;
    w.repository("app").await;
    let scan = ecr::PutImageScanningConfigurationRequest {
        repository_name: "app".into(),
        image_scanning_configuration: ecr::ImageScanningConfiguration {
            scan_on_push: Some(true),
        },
        ..Default::default()
    };
    w.registry
        .put_image_scanning_configuration(&w.cx, scan)
        .await
        .unwrap();
    let shown = w
        .registry
        .describe_repositories(&w.cx, describe(Some(&["app"])))
        .await
        .unwrap();
    assert_eq!(
        shown.repositories.unwrap()[0]
            .image_scanning_configuration
            .as_ref()
            .unwrap()
            .scan_on_push,
        Some(true)
    );
    let batch = ecr::BatchGetRepositoryScanningConfigurationRequest {
        repository_names: vec!["app".into(), "nope".into()],
    };
    let batch = w
        .registry
        .batch_get_repository_scanning_configuration(&w.cx, batch)
        .await
        .unwrap();
    assert_eq!(
        batch.scanning_configurations.unwrap()[0].scan_frequency,
        Some(ecr::ScanFrequency::ScanOnPush)
    );
    assert_eq!(
        batch.failures.unwrap()[0].failure_code,
        Some(ecr::ScanningConfigurationFailureCode::RepositoryNotFound)
    );
    let registry = w
        .registry
        .describe_registry(&w.cx, ecr::DescribeRegistryRequest::default())
        .await
        .unwrap();
    assert_eq!(registry.registry_id.as_deref(), Some(ACCOUNT));
}
