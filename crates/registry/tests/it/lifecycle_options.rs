//! What Berth adds to lifecycle policies.

use crate::lifecycle::{images, json_policy, put, run};
use crate::world::*;
use aws_api::{berth, ecr};
use serde_json::json;
use store::testing::{TestStore, on_every_engine};

async fn set(w: &World, days: Option<i32>, patterns: &[&str], dry_run: bool) {
    let input = berth::PutLifecycleOptionsRequest {
        repository_name: "app".into(),
        pulled_within_days: days,
        protected_tag_patterns: Some(patterns.iter().map(|text| (*text).to_owned()).collect()),
        dry_run: Some(dry_run),
        ..Default::default()
    };
    w.registry
        .put_lifecycle_options(&w.cx, input)
        .await
        .unwrap();
}

#[on_every_engine]
async fn pulled_images_and_protected_tags_stay(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    for tag in ["release-1", "pulled", "old"] {
        w.image(&repo, tag, tag).await;
    }
    w.registry
        .get_manifest(&w.at(5, 0), &repo, "pulled")
        .await
        .unwrap();
    let text = json_policy(&[json!(["any", [], "sinceImagePushed", 7, "expire"])]);
    put(&w, &w.cx, &text).await.unwrap();
    set(&w, Some(30), &["release-*"], true).await;

    let later = w.at(20, 0);
    run(&w.registry, &repo, later.now).await;
    assert_eq!(images(&w).await.len(), 3, "a dry run");
    let get = || ecr::GetLifecyclePolicyPreviewRequest {
        repository_name: "app".into(),
        ..Default::default()
    };
    let report = w
        .registry
        .get_lifecycle_policy_preview(&later, get())
        .await
        .unwrap();
    let results = report.preview_results.unwrap();
    assert_eq!(results.len(), 1);
    assert_eq!(results[0].image_tags, Some(vec!["old".to_owned()]));
    assert_eq!(w.events(&store, "PolicyExecutionEvent").await.len(), 0);
    assert_eq!(w.events(&store, "DryRunEvent").await.len(), 1);

    set(&w, Some(30), &["release-*"], false).await;
    run(&w.registry, &repo, later.now).await;
    assert_eq!(images(&w).await.len(), 2);
    // The pull is longer ago now.
    run(&w.registry, &repo, w.at(36, 0).now).await;
    assert_eq!(images(&w).await.len(), 1);
    w.pull(&repo, "release-1").await.unwrap();
    set(&w, None, &[], false).await;
    run(&w.registry, &repo, w.at(37, 0).now).await;
    assert_eq!(images(&w).await.len(), 0, "without options nothing is kept");
}

#[on_every_engine]
async fn options_are_read_replaced_and_validated(store: TestStore) {
    let w = World::new(&store).await;
    w.repository("app").await;
    let get = || berth::GetLifecycleOptionsRequest {
        repository_name: "app".into(),
        ..Default::default()
    };
    let read = w
        .registry
        .get_lifecycle_options(&w.cx, get())
        .await
        .unwrap()
        .options;
    assert_eq!((read.pulled_within_days, read.dry_run), (None, false));
    assert!(read.protected_tag_patterns.is_empty());
    set(&w, Some(3), &["a*", "b"], true).await;
    set(&w, None, &["c"], false).await;
    let read = w
        .registry
        .get_lifecycle_options(&w.cx, get())
        .await
        .unwrap()
        .options;
    assert_eq!((read.pulled_within_days, read.dry_run), (None, false));
    assert_eq!(read.protected_tag_patterns, ["c"]);
    for pattern in ["*a*b*c*d*", "a\nb"] {
        let input = berth::PutLifecycleOptionsRequest {
            repository_name: "app".into(),
            protected_tag_patterns: Some(vec![pattern.into()]),
            ..Default::default()
        };
        assert_eq!(
            refusal(w.registry.put_lifecycle_options(&w.cx, input).await),
            "InvalidParameter"
        );
    }
    let none = berth::GetLifecycleOptionsRequest {
        repository_name: "none".into(),
        ..Default::default()
    };
    assert_eq!(
        refusal(w.registry.get_lifecycle_options(&w.cx, none).await),
        "RepositoryNotFound"
    );
}
