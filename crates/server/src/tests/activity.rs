//! Who pushed, who pulled, and what that amounts to.

use aws_api::berth::{
    BatchGetImageActivityRequest, GetUsageRequest, ListImagePullsRequest,
    ListPrincipalUsageRequest, ListRepositoryUsageRequest, ops,
};
use aws_api::ecr;
use http::Method;

use super::world::{ACCOUNT, World, statement};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pushes_and_pulls_name_their_principals_and_bytes() {
    let world = World::new().await;
    world.repository(&world.root, "app").await;
    let all = statement("Allow", &["ecr:*"], "*");
    let alice = world.user(&world.root, "alice", &all).await;
    let bob = world.user(&world.root, "bob", &all).await;
    let layer = "layer ".repeat(1_000);
    let digest = world.push(&alice, "app", "v1", &layer).await;
    for _ in 0..3 {
        assert_eq!(world.pull(&bob, "app", "v1").await, 200);
    }
    let login = world.login(&bob).await;
    let headers = [("authorization", login.as_str())];
    let layer_digest = blobs::Digest::sha256_of(layer.as_bytes()).to_string();
    let path = format!("/v2/app/blobs/{layer_digest}");
    let whole = world.send(Method::GET, &path, &headers, "").await;
    assert_eq!(whole.body.len(), layer.len());
    let range = [headers[0], ("range", "bytes=0-99")];
    let part = world.send(Method::GET, &path, &range, "").await;
    assert_eq!(part.body.len(), 100);
    // By a download URL, which names no caller.
    let input = ecr::GetDownloadUrlForLayerRequest {
        repository_name: "app".into(),
        layer_digest,
        ..Default::default()
    };
    let answer = world
        .aws::<ecr::ops::GetDownloadUrlForLayer>(&bob, &input)
        .await;
    let url = answer.unwrap().download_url.unwrap().expose().clone();
    let path = &url[url.find("//").unwrap() + 2..];
    let path = &path[path.find('/').unwrap()..];
    let by_url = world.send(Method::GET, path, &[], "").await;
    assert_eq!(by_url.body.len(), layer.len());

    let input = ListImagePullsRequest {
        repository_name: "app".to_owned(),
        ..Default::default()
    };
    let pulls = world
        .aws::<ops::ListImagePulls>(&world.root, &input)
        .await
        .unwrap()
        .pulls;
    assert_eq!(pulls.len(), 1);
    assert_eq!(
        pulls[0].principal_arn,
        format!("arn:aws:iam::{ACCOUNT}:user/bob")
    );
    assert_eq!(
        (pulls[0].pull_count, pulls[0].image_digest.as_str()),
        (3, digest.as_str())
    );

    let input = BatchGetImageActivityRequest {
        registry_id: None,
        repository_name: "app".to_owned(),
        image_digests: vec![digest],
    };
    let answer = world
        .aws::<ops::BatchGetImageActivity>(&world.root, &input)
        .await;
    let activity = answer.unwrap().images.remove(0);
    let arn = |name: &str| Some(format!("arn:aws:iam::{ACCOUNT}:user/{name}"));
    assert_eq!(
        (activity.pushed_by, activity.last_pulled_by),
        (arn("alice"), arn("bob"))
    );

    let input = ListPrincipalUsageRequest::default();
    let usage = world
        .aws::<ops::ListPrincipalUsage>(&world.root, &input)
        .await;
    let usage = usage.unwrap().principals;
    let by = |name: &str| {
        usage
            .iter()
            .find(|one| Some(&one.principal_arn) == arn(name).as_ref())
    };
    let (alice_used, bob_used) = (by("alice").unwrap(), by("bob").unwrap());
    let sent = bob_used.sent_bytes - 2 * layer.len() as i64 - 100;
    assert!(sent > 0 && sent % 3 == 0, "and three manifests: {sent}");
    assert!(alice_used.received_bytes > layer.len() as i64);
    assert_eq!((alice_used.sent_bytes, bob_used.received_bytes), (0, 0));

    let metrics = world.send(Method::GET, "/metrics", &[], "").await;
    let line = format!(
        "berth_transfer_bytes_total{{direction=\"out\"}} {}",
        bob_used.sent_bytes
    );
    assert!(
        metrics.text().lines().any(|one| one == line),
        "{}",
        metrics.text()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usage_is_shown_to_who_may_ask_in_its_account() {
    let world = World::new().await;
    world.repository(&world.root, "app").await;
    world.push(&world.root, "app", "v1", "layer").await;
    let stranger = world.other_account().await;
    let none = world.user(&world.root, "none", "").await;
    let allow = statement(
        "Allow",
        &["berth:GetUsage", "berth:ListRepositoryUsage"],
        "*",
    );
    let reader = world.user(&world.root, "reader", &allow).await;
    let usage = |registry_id: Option<&str>| GetUsageRequest {
        registry_id: registry_id.map(str::to_owned),
        ..Default::default()
    };
    for (person, registry) in [(&none, None), (&stranger, Some(ACCOUNT))] {
        let refused = world.aws::<ops::GetUsage>(person, &usage(registry)).await;
        assert_eq!(refused.unwrap_err().code, "AccessDeniedException");
    }
    let shown = world
        .aws::<ops::GetUsage>(&reader, &usage(Some(ACCOUNT)))
        .await;
    assert!(shown.unwrap().stored_bytes > 0);
    let own = world.aws::<ops::GetUsage>(&stranger, &usage(None)).await;
    assert_eq!(own.unwrap().stored_bytes, 0);
    let input = ListRepositoryUsageRequest::default();
    let listed = world.aws::<ops::ListRepositoryUsage>(&reader, &input).await;
    assert_eq!(listed.unwrap().repositories[0].push_count, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_noted_is_written_when_the_server_stops() {
    let world = World::new().await;
    world.repository(&world.root, "app").await;
    world.push(&world.root, "app", "v1", "layer").await;
    assert_eq!(world.pull(&world.root, "app", "v1").await, 200);
    let store = world.app.store.clone();
    world.stop().await;
    let sql = "SELECT CAST(SUM(pulls) AS BIGINT) FROM image_pulls";
    let row = store
        .read()
        .await
        .unwrap()
        .fetch_one(sql, vec![])
        .await
        .unwrap();
    assert_eq!(row.int(0).unwrap(), 1);
}
