//! Who pushed and who pulled, counted by image, principal and day.

use std::sync::Arc;

use authz::testing::{authorized, caller};
use aws_api::{berth, ecr};
use registry::{Authorized, RepositoryFacts};
use store::testing::{TestStore, on_every_engine};

use crate::world::*;

/// Another user of the account.
fn user(w: &World, name: &str) -> Authorized {
    let mut context = w.cx.context().clone();
    context.caller = caller(&format!("arn:aws:iam::{ACCOUNT}:user/{name}"), None);
    authorized(context)
}

async fn pulls(
    w: &World,
    repo: &RepositoryFacts,
    change: impl FnOnce(&mut berth::ListImagePullsRequest),
) -> Vec<(String, String, String, i64)> {
    let mut input = berth::ListImagePullsRequest {
        repository_name: repo.name.to_string(),
        max_results: Some(2),
        ..Default::default()
    };
    change(&mut input);
    let mut rows = Vec::new();
    loop {
        let page = w
            .registry
            .list_image_pulls(&w.cx, input.clone())
            .await
            .unwrap();
        rows.extend(page.pulls.into_iter().map(|one| {
            let name = one.principal_arn.rsplit('/').next().unwrap().to_owned();
            (one.day, one.image_digest, name, one.pull_count)
        }));
        input.next_token = page.next_token;
        if input.next_token.is_none() {
            return rows;
        }
    }
}

#[on_every_engine]
async fn pulls_of_two_nodes_at_once_are_all_counted(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let one = w.image(&repo, "v1", "one").await.to_string();
    let (beside, ..) = w.another_node(true, w.cx.now).await;
    let (alice, bob) = (Arc::new(user(&w, "alice")), Arc::new(user(&w, "bob")));
    let mut tasks = Vec::new();
    for task in 0..8 {
        let node = [&w.registry, &beside][task % 2].clone();
        let who = [&alice, &bob][task / 4].clone();
        let repo = repo.clone();
        tasks.push(tokio::spawn(async move {
            for _ in 0..25 {
                node.get_manifest(&who, &repo, "v1").await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let (first, second) = tokio::join!(
        w.registry.maintain(ServiceName::Maintenance, w.cx.now),
        beside.maintain(ServiceName::Maintenance, w.cx.now),
    );
    first.unwrap();
    second.unwrap();
    let counted = pulls(&w, &repo, |_| {}).await;
    let day = w.cx.now.to_string()[..10].to_owned();
    let row = |who: &str| (day.clone(), one.clone(), who.to_owned(), 100);
    assert_eq!(counted, [row("alice"), row("bob")]);
    // Nothing is written twice.
    w.registry
        .maintain(ServiceName::Maintenance, w.cx.now)
        .await
        .unwrap();
    assert_eq!(pulls(&w, &repo, |_| {}).await, counted);
}

#[on_every_engine]
async fn pulls_are_listed_by_image_principal_and_day(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let one = w.image(&repo, "v1", "one").await.to_string();
    let two = w.image(&repo, "v2", "two").await.to_string();
    let alice = user(&w, "alice");
    let mut tomorrow = user(&w, "bob").context().clone();
    tomorrow.now = w.later(24).now;
    let tomorrow = authorized(tomorrow);
    for (cx, reference) in [
        (&alice, "v1"),
        (&alice, "v2"),
        (&tomorrow, "v1"),
        (&tomorrow, "v1"),
    ] {
        w.registry.get_manifest(cx, &repo, reference).await.unwrap();
    }
    // By the ECR API as well; a HEAD is no pull.
    let input = ecr::BatchGetImageRequest {
        repository_name: "app".into(),
        image_ids: vec![ecr::ImageIdentifier {
            image_tag: Some("v2".into()),
            image_digest: None,
        }],
        ..Default::default()
    };
    w.registry.batch_get_image(&alice, input).await.unwrap();
    w.registry.stat_manifest(&alice, &repo, "v1").await.unwrap();
    let end = tomorrow.now.to_string()[..10].to_owned();
    let today = w.cx.now.to_string()[..10].to_owned();
    let all = pulls(&w, &repo, |i| i.end_date = Some(end.clone())).await;
    let mut first_day = [
        (today.clone(), one.clone(), "alice".to_owned(), 1),
        (today.clone(), two.clone(), "alice".to_owned(), 2),
    ];
    first_day.sort();
    assert_eq!(all[0], (end.clone(), one.clone(), "bob".to_owned(), 2));
    assert_eq!(all[1..], first_day);
    let of_one = pulls(&w, &repo, |i| {
        i.end_date = Some(end.clone());
        i.image_digest = Some(one.clone());
    });
    assert_eq!(of_one.await.len(), 2);
    let by_bob = pulls(&w, &repo, |i| {
        i.end_date = Some(end.clone());
        i.principal_arn = Some(tomorrow.caller.arn.to_string());
    });
    assert_eq!(by_bob.await.len(), 1);
    assert_eq!(pulls(&w, &repo, |_| {}).await.len(), 2, "until today");

    let input = berth::BatchGetImageActivityRequest {
        registry_id: None,
        repository_name: "app".into(),
        image_digests: vec![two, format!("sha256:{}", "0".repeat(64)), one.clone()],
    };
    let activity = w
        .registry
        .batch_get_image_activity(&w.cx, input)
        .await
        .unwrap();
    assert_eq!(activity.images.len(), 2, "what is not there is left out");
    let last = &activity.images[1];
    assert_eq!(last.image_digest, one);
    assert_eq!(last.pushed_by.as_deref(), Some(&*w.cx.caller.arn));
    assert_eq!(last.last_pulled_by.as_deref(), Some(&*tomorrow.caller.arn));
    assert_eq!(last.last_pulled_at, Some(tomorrow.now));
    assert_eq!(last.pull_count, 3);

    let later = w.later(24 * 500).now;
    while w
        .registry
        .prune_usage(ServiceName::Maintenance, later)
        .await
        .unwrap()
    {}
    assert_eq!(pulls(&w, &repo, |i| i.end_date = Some(end)).await, []);
}
