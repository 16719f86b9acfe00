//! Blobs that the client fetches elsewhere: 307 instead of the bytes, for those who may read them.

use aws_api::ecr;
use http::Method;

use super::registry_routes::{MANIFEST, manifest};
use super::world::World;

const LAYER: &[u8] = b"layer";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_is_for_those_who_may_read_the_blob() {
    let world = World::over(
        |blobs| blobs.redirecting(|key| format!("https://store.example/{key}?X-Amz-Signature=f00")),
        |_| {},
    )
    .await;
    world.repository(&world.root, "app1").await;
    let login = world.login(&world.root).await;
    let authorized = ("authorization", login.as_str());
    let digest = blobs::Digest::sha256_of(LAYER).to_string();
    let path = format!("/v2/app1/blobs/uploads/?digest={digest}");
    let pushed = world.send(Method::POST, &path, &[authorized], LAYER).await;
    assert_eq!(pushed.status, 201, "{}", pushed.text());

    let path = format!("/v2/app1/blobs/{digest}");
    // Ranges are asked for at the other place, with the same header.
    for more in [
        ("accept", "*/*"),
        ("range", "bytes=1-2"),
        ("range", "bytes=9-"),
    ] {
        let reply = world
            .send(Method::GET, &path, &[authorized, more], "")
            .await;
        assert_eq!((reply.status, reply.body.len()), (307, 0), "{more:?}");
        let location = reply.header("location");
        assert!(
            location.starts_with("https://store.example/objects/"),
            "{location}"
        );
        assert!(location.ends_with("?X-Amz-Signature=f00"), "{location}");
        assert_eq!(reply.header("cache-control"), "no-store");
    }
    // What needs no bytes is answered here.
    let reply = world.send(Method::HEAD, &path, &[authorized], "").await;
    assert_eq!((reply.status, reply.header("content-length")), (200, "5"));
    let etag = format!("\"{digest}\"");
    let known = [authorized, ("if-none-match", etag.as_str())];
    let reply = world.send(Method::GET, &path, &known, "").await;
    assert_eq!((reply.status, reply.header("location")), (304, ""));

    // Who may not read it does not learn where it is.
    let stranger = world.user(&world.root, "stranger", "").await;
    world
        .policy(
            &world.root,
            "stranger",
            &super::world::statement("Allow", &["ecr:GetAuthorizationToken"], "*"),
        )
        .await;
    let refused = [("authorization", world.login(&stranger).await)];
    let refused = refused
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let reply = world.send(Method::GET, &path, &refused, "").await;
    assert_eq!((reply.status, reply.header("location")), (403, ""));
    let reply = world.send(Method::GET, &path, &[], "").await;
    assert_eq!((reply.status, reply.header("location")), (401, ""));

    // By the URL of the ECR API as well, once an image needs the layer.
    let kind = ("content-type", MANIFEST);
    let image = manifest(&digest, LAYER.len());
    let reply = world
        .send(
            Method::PUT,
            "/v2/app1/manifests/v1",
            &[authorized, kind],
            image,
        )
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let input = ecr::GetDownloadUrlForLayerRequest {
        repository_name: "app1".into(),
        layer_digest: digest,
        ..Default::default()
    };
    let answer = world
        .aws::<ecr::ops::GetDownloadUrlForLayer>(&world.root, &input)
        .await
        .unwrap();
    let url = answer.download_url.unwrap().expose().clone();
    let path = url
        .strip_prefix(&format!("http://{}", world.address))
        .unwrap();
    let reply = world.send(Method::GET, path, &[], "").await;
    assert_eq!(
        (reply.status, reply.header("cache-control")),
        (307, "no-store")
    );

    // The URL is a bearer's: no event has it.
    let events = world.stop().await;
    assert!(!events.is_empty());
    let told = serde_json::to_string(&events).unwrap();
    assert!(
        !told.contains("X-Amz-Signature") && !told.contains("store.example"),
        "{told}"
    );
}
