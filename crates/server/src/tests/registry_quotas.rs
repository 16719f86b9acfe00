//! Quotas of registries that are set for an account, and rates of requests.

use authz::ServiceName;
use aws_api::ecr;
use bytes::Bytes;
use http::Method;
use identity::Quota;

use super::world::{ACCOUNT, Person, Reply, World};

async fn set(world: &World, quota: Quota, value: Option<i64>) {
    let account = ACCOUNT.parse().unwrap();
    let service = ServiceName::AccountCommand;
    let identity = &world.app.identity;
    identity
        .set_quotas(service, account, &[(quota, value)], world.now())
        .await
        .unwrap();
}

async fn layer(world: &World, person: &Person, name: &str, content: &'static str) -> Reply {
    let login = world.login(person).await;
    let digest = blobs::Digest::sha256_of(content.as_bytes());
    let path = format!("/v2/{name}/blobs/uploads/?digest={digest}");
    let headers = [("authorization", login.as_str())];
    let body = Bytes::from_static(content.as_bytes());
    world.send(Method::POST, &path, &headers, body).await
}

async fn delete_layer(world: &World, name: &str, content: &str) -> u16 {
    let login = world.login(&world.root).await;
    let path = format!(
        "/v2/{name}/blobs/{}",
        blobs::Digest::sha256_of(content.as_bytes())
    );
    let headers = [("authorization", login.as_str())];
    world
        .send(Method::DELETE, &path, &headers, Bytes::new())
        .await
        .status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repositories_are_as_many_as_the_account_may_have() {
    let world = World::new().await;
    set(&world, Quota::Repositories, Some(1)).await;
    world.repository(&world.root, "one").await;
    let input = ecr::CreateRepositoryRequest {
        repository_name: "two".into(),
        ..Default::default()
    };
    let create = async || {
        world
            .aws::<ecr::ops::CreateRepository>(&world.root, &input)
            .await
    };
    let refused = create().await.unwrap_err();
    assert_eq!(refused.code, "LimitExceededException");
    assert!(
        refused
            .message
            .ends_with("number of repositories which is '1'"),
        "{refused:?}"
    );
    set(&world, Quota::Repositories, None).await;
    create().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_and_tags_are_as_many_as_the_account_may_have() {
    let world = World::new().await;
    world.repository(&world.root, "app").await;
    let login = world.login(&world.root).await;
    let headers = [
        ("authorization", login.as_str()),
        ("content-type", "application/vnd.oci.image.index.v1+json"),
    ];
    let put = async |tag: &str, annotation: &str| {
        let index = serde_json::json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [], "annotations": {"which": annotation},
        });
        let path = format!("/v2/app/manifests/{tag}");
        let reply = world
            .send(Method::PUT, &path, &headers, Bytes::from(index.to_string()))
            .await;
        (reply.status, reply.text().to_owned())
    };
    set(&world, Quota::Images, Some(1)).await;
    set(&world, Quota::ImageTags, Some(2)).await;
    assert_eq!(put("v1", "one").await.0, 201);
    let (status, body) = put("v2", "two").await;
    assert_eq!(status, 403);
    assert!(
        body.contains("maximum allowed number of images which is '1'"),
        "{body}"
    );
    assert_eq!(put("v2", "one").await.0, 201);
    let (status, body) = put("v3", "one").await;
    assert_eq!(status, 403);
    assert!(
        body.contains("maximum allowed number of tags per image which is '2'"),
        "{body}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_are_counted_as_layers_come_and_go() {
    let world = World::new().await;
    for name in ["one", "two"] {
        world.repository(&world.root, name).await;
    }
    let root = &world.root;
    // What was linked before the quota was set counts.
    assert_eq!(layer(&world, root, "one", "12345").await.status, 201);
    set(&world, Quota::RepositoryBytes, Some(8)).await;
    let refused = layer(&world, root, "one", "6789").await;
    assert_eq!(
        (refused.status, refused.oci_code()),
        (403, "DENIED".to_owned())
    );
    let words = "exceeds the maximum allowed number of bytes of the repository with name 'one'";
    assert!(refused.text().contains(words), "{}", refused.text());
    // The same layer again adds nothing, and another repository has its own bytes.
    assert_eq!(layer(&world, root, "one", "12345").await.status, 201);
    assert_eq!(layer(&world, root, "two", "6789").await.status, 201);
    assert_eq!(delete_layer(&world, "one", "12345").await, 202);
    assert_eq!(layer(&world, root, "one", "abcdefgh").await.status, 201);

    // 8 bytes in `one`, 4 in `two`.
    set(&world, Quota::AccountBytes, Some(14)).await;
    assert_eq!(layer(&world, root, "two", "xy").await.status, 201);
    let refused = layer(&world, root, "two", "z").await;
    assert_eq!(refused.status, 403);
    assert!(
        refused.text().contains("bytes of the registry with id"),
        "{}",
        refused.text()
    );
    // A mount adds to the bytes of its repository.
    let login = world.login(root).await;
    let digest = blobs::Digest::sha256_of(b"xy");
    let path = format!("/v2/one/blobs/uploads/?mount={digest}&from=two");
    let headers = [("authorization", login.as_str())];
    assert_eq!(
        world
            .send(Method::POST, &path, &headers, Bytes::new())
            .await
            .status,
        403
    );
    set(&world, Quota::AccountBytes, None).await;
    set(&world, Quota::RepositoryBytes, None).await;
    assert_eq!(
        world
            .send(Method::POST, &path, &headers, Bytes::new())
            .await
            .status,
        201
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn layers_that_come_at_once_do_not_exceed_the_account() {
    let world = World::new().await;
    const NAMES: [&str; 4] = ["one", "two", "three", "four"];
    for name in NAMES {
        world.repository(&world.root, name).await;
    }
    set(&world, Quota::AccountBytes, Some(8)).await;
    let pushes = NAMES.map(|name| layer(&world, &world.root, name, "1234"));
    let replies = futures_util::future::join_all(pushes).await;
    let made = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(made, 2);
}

/// ECR user guide, "Amazon ECR service quotas"; "Amazon ECR error messages", HTTP 429.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_is_answered_by_throttling() {
    let world = World::new().await;
    let other = world.other_account().await;
    world.repository(&world.root, "app").await;
    let token = ecr::GetAuthorizationTokenRequest::default();
    let ask = async |person: &Person| {
        let answer = world
            .aws::<ecr::ops::GetAuthorizationToken>(person, &token)
            .await;
        answer
            .map(drop)
            .map_err(|refused| (refused.status, refused.code))
    };
    for _ in 0..20 {
        ask(&world.root).await.unwrap();
    }
    set(&world, Quota::AuthorizationTokenRate, Some(2)).await;
    set(&world, Quota::InitiateUploadRate, Some(1)).await;
    let throttled = Err((400, "ThrottlingException".to_owned()));
    assert_eq!(
        (ask(&world.root).await, ask(&world.root).await),
        (Ok(()), Ok(()))
    );
    assert_eq!(ask(&world.root).await, throttled);
    ask(&other).await.unwrap();
    assert_eq!(layer(&world, &world.root, "app", "one").await.status, 201);
    let reply = layer(&world, &world.root, "app", "two").await;
    assert_eq!(
        (reply.status, reply.oci_code()),
        (429, "TOOMANYREQUESTS".to_owned())
    );
    assert_eq!(reply.header("retry-after"), "1");
    world.pass(1);
    ask(&world.root).await.unwrap();
    set(&world, Quota::AuthorizationTokenRate, None).await;
    for _ in 0..20 {
        ask(&world.root).await.unwrap();
    }
}
