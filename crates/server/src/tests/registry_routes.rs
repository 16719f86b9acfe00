//! The registry's routes, request by request: a push, a pull, and what is refused.

use bytes::Bytes;
use http::Method;

use super::world::{Reply, World, statement};

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

pub(super) fn manifest(layer: &str, size: usize) -> String {
    serde_json::json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": layer, "size": size},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": size}],
    })
    .to_string()
}

/// Someone logged in to a registry with one repository.
pub(super) struct Client {
    pub(super) world: World,
    login: String,
}

impl Client {
    pub(super) async fn new() -> Client {
        let world = World::new().await;
        world.repository(&world.root, "app1").await;
        let login = world.login(&world.root).await;
        Client { world, login }
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Reply {
        let headers = [&[("authorization", self.login.as_str())], headers].concat();
        self.world.send(method, path, &headers, body).await
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, &[], "").await
    }

    async fn upload(&self) -> String {
        let reply = self
            .send(Method::POST, "/v2/app1/blobs/uploads/", &[], "")
            .await;
        assert_eq!(reply.status, 202);
        let location = reply.header("location").to_owned();
        assert!(
            location.starts_with("/v2/app1/blobs/uploads/"),
            "{location}"
        );
        assert!(location.ends_with(reply.header("docker-upload-uuid")));
        assert_eq!(reply.header("range"), "0-0");
        location
    }

    pub(super) async fn blob(&self, bytes: &'static [u8]) -> String {
        let digest = blobs::Digest::sha256_of(bytes).to_string();
        let path = format!("/v2/app1/blobs/uploads/?digest={digest}");
        let reply = self.send(Method::POST, &path, &[], bytes).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        assert_eq!(reply.header("location"), format!("/v2/app1/blobs/{digest}"));
        assert_eq!(reply.header("docker-content-digest"), digest);
        digest
    }

    pub(super) async fn image(&self, tag: &str) -> (String, String) {
        let layer = self.blob(b"layer").await;
        let body = manifest(&layer, 5);
        let path = format!("/v2/app1/manifests/{tag}");
        let reply = self
            .send(
                Method::PUT,
                &path,
                &[("content-type", MANIFEST)],
                body.clone(),
            )
            .await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        let digest = blobs::Digest::sha256_of(body.as_bytes()).to_string();
        assert_eq!(reply.header("docker-content-digest"), digest);
        assert_eq!(
            reply.header("location"),
            format!("/v2/app1/manifests/{digest}")
        );
        (digest, body)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blob_in_chunks() {
    let client = Client::new().await;
    let location = client.upload().await;
    let part = [("content-range", "0-4")];
    let reply = client.send(Method::PATCH, &location, &part, "hello").await;
    assert_eq!((reply.status, reply.header("range")), (202, "0-4"));
    // Out of order, twice: where it begins, and how long it says it is.
    let reply = client
        .send(Method::PATCH, &location, &[("content-range", "7-8")], "no")
        .await;
    assert_eq!((reply.status, reply.header("range")), (416, "0-4"));
    assert_eq!(reply.header("location"), location);
    assert_eq!(reply.oci_code(), "BLOB_UPLOAD_INVALID");
    let reply = client
        .send(Method::PATCH, &location, &[("content-range", "5-9")], "no")
        .await;
    assert_eq!(reply.status, 400);
    let reply = client.get(&location).await;
    assert_eq!((reply.status, reply.header("range")), (204, "0-4"));
    // The last part with the digest.
    let digest = blobs::Digest::sha256_of(b"hello, world").to_string();
    let path = format!("{location}?digest={}", digest.replace(':', "%3A"));
    let reply = client
        .send(Method::PUT, &path, &[("content-range", "5-11")], ", world")
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.header("location"), format!("/v2/app1/blobs/{digest}"));

    let path = format!("/v2/app1/blobs/{digest}");
    let reply = client.get(&path).await;
    assert_eq!((reply.status, reply.text()), (200, "hello, world"));
    for (name, value) in [
        ("content-length", "12"),
        ("docker-content-digest", &*digest),
        ("etag", &format!("\"{digest}\"")),
        ("accept-ranges", "bytes"),
        ("content-type", "application/octet-stream"),
    ] {
        assert_eq!(reply.header(name), value, "{name}");
    }
    let reply = client.send(Method::HEAD, &path, &[], "").await;
    assert_eq!(
        (reply.status, reply.header("content-length"), reply.text()),
        (200, "12", "")
    );
    let reply = client
        .send(Method::GET, &path, &[("range", "bytes=7-")], "")
        .await;
    assert_eq!((reply.status, reply.text()), (206, "world"));
    assert_eq!(reply.header("content-range"), "bytes 7-11/12");
    let reply = client
        .send(Method::GET, &path, &[("range", "bytes=12-")], "")
        .await;
    assert_eq!(
        (reply.status, reply.header("content-range")),
        (416, "bytes */12")
    );
    let etag = format!("\"{digest}\"");
    let reply = client
        .send(Method::GET, &path, &[("if-none-match", &etag)], "")
        .await;
    assert_eq!((reply.status, reply.text()), (304, ""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_that_do_not_end_well() {
    let client = Client::new().await;
    let wrong = blobs::Digest::sha256_of(b"something else").to_string();
    let location = client.upload().await;
    let reply = client
        .send(
            Method::PUT,
            &format!("{location}?digest={wrong}"),
            &[],
            "bytes",
        )
        .await;
    assert_eq!(
        (reply.status, reply.oci_code().as_str()),
        (400, "DIGEST_INVALID")
    );
    assert_eq!(
        client.get(&format!("/v2/app1/blobs/{wrong}")).await.status,
        404
    );

    let location = client.upload().await;
    let reply = client.send(Method::PUT, &location, &[], "bytes").await;
    assert_eq!(
        (reply.status, reply.oci_code().as_str()),
        (400, "DIGEST_INVALID")
    );
    assert_eq!(
        client.send(Method::DELETE, &location, &[], "").await.status,
        204
    );
    let reply = client.get(&location).await;
    assert_eq!(
        (reply.status, reply.oci_code().as_str()),
        (404, "BLOB_UPLOAD_UNKNOWN")
    );
    let reply = client
        .send(Method::PATCH, "/v2/app1/blobs/uploads/made-up", &[], "x")
        .await;
    assert_eq!(
        (reply.status, reply.oci_code().as_str()),
        (404, "BLOB_UPLOAD_UNKNOWN")
    );

    let reply = client
        .send(Method::POST, "/v2/nowhere/blobs/uploads/", &[], "")
        .await;
    assert_eq!(
        (reply.status, reply.oci_code().as_str()),
        (404, "NAME_UNKNOWN")
    );
    let words =
        "The repository with name 'nowhere' does not exist in the registry with id '123456789012'";
    assert!(reply.text().contains(words), "{}", reply.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_byte_for_byte() {
    let client = Client::new().await;
    let (digest, body) = client.image("v1").await;
    for reference in ["v1", &digest] {
        let path = format!("/v2/app1/manifests/{reference}");
        let reply = client.get(&path).await;
        assert_eq!((reply.status, reply.text()), (200, body.as_str()));
        assert_eq!(reply.header("content-type"), MANIFEST);
        assert_eq!(reply.header("docker-content-digest"), digest);
        let head = client.send(Method::HEAD, &path, &[], "").await;
        assert_eq!((head.status, head.text()), (200, ""));
        assert_eq!(head.header("content-length"), body.len().to_string());
    }
    client.image("v2").await;
    let reply = client.get("/v2/app1/tags/list?n=1").await;
    assert_eq!(reply.text(), r#"{"name":"app1","tags":["v1"]}"#);
    assert_eq!(
        reply.header("link"),
        "</v2/app1/tags/list?n=1&last=v1>; rel=\"next\""
    );
    let reply = client.get("/v2/app1/tags/list?n=1&last=v1").await;
    assert_eq!(
        (reply.text(), reply.header("link")),
        (r#"{"name":"app1","tags":["v2"]}"#, "")
    );
    assert_eq!(
        client.get("/v2/app1/tags/list?n=0").await.text(),
        r#"{"name":"app1","tags":[]}"#
    );
    assert_eq!(
        client.get("/v2/_catalog").await.text(),
        r#"{"repositories":["app1"]}"#
    );

    let path = format!("/v2/app1/manifests/{digest}");
    assert_eq!(
        client.send(Method::DELETE, &path, &[], "").await.status,
        202
    );
    let reply = client.get("/v2/app1/manifests/v1").await;
    assert_eq!(
        (reply.status, reply.oci_code().as_str()),
        (404, "MANIFEST_UNKNOWN")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_refers_to_an_image() {
    let client = Client::new().await;
    let (digest, body) = client.image("v1").await;
    let layer = blobs::Digest::sha256_of(b"layer").to_string();
    let mut signature: serde_json::Value = serde_json::from_str(&manifest(&layer, 5)).unwrap();
    signature["artifactType"] = "application/vnd.example+sig".into();
    signature["subject"] =
        serde_json::json!({"mediaType": MANIFEST, "digest": digest, "size": body.len()});
    let signature = signature.to_string();
    let own = blobs::Digest::sha256_of(signature.as_bytes()).to_string();
    let path = format!("/v2/app1/manifests/{own}");
    let reply = client
        .send(Method::PUT, &path, &[("content-type", MANIFEST)], signature)
        .await;
    assert_eq!(
        (reply.status, reply.header("oci-subject")),
        (201, digest.as_str())
    );
    let reply = client.get(&format!("/v2/app1/referrers/{digest}")).await;
    assert_eq!(
        reply.header("content-type"),
        "application/vnd.oci.image.index.v1+json"
    );
    let index: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(index["manifests"][0]["digest"], own);
    assert_eq!(
        index["manifests"][0]["artifactType"],
        "application/vnd.example+sig"
    );
    let path = format!("/v2/app1/referrers/{digest}?artifactType=application%2Fother");
    let reply = client.get(&path).await;
    assert_eq!(reply.header("oci-filters-applied"), "artifactType");
    let index: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(index["manifests"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mount_needs_the_right_to_read_the_source() {
    let client = Client::new().await;
    client.image("v1").await;
    let layer = blobs::Digest::sha256_of(b"layer").to_string();
    let world = &client.world;
    world.repository(&world.root, "app2").await;
    let app2 = "arn:aws:ecr:us-east-1:123456789012:repository/app2";
    let push = statement("Allow", &["ecr:*"], app2);
    let pusher = world.user(&world.root, "pusher", &push).await;
    let login = world.login(&pusher).await;
    let headers = [("authorization", login.as_str())];
    let path = format!("/v2/app2/blobs/uploads/?mount={layer}&from=app1");
    let blob = format!("/v2/app2/blobs/{layer}");
    // Knowing the digest gives nothing: an upload session, and no blob.
    let reply = world.send(Method::POST, &path, &headers, "").await;
    assert_eq!((reply.status, reply.header("range")), (202, "0-0"));
    assert_eq!(
        world.send(Method::GET, &blob, &headers, "").await.status,
        404
    );
    let read = statement(
        "Allow",
        &[
            "ecr:GetDownloadUrlForLayer",
            "ecr:BatchCheckLayerAvailability",
        ],
        "arn:aws:ecr:us-east-1:123456789012:repository/app1",
    );
    world
        .policy(&world.root, "pusher", &format!("{push},{read}"))
        .await;
    let reply = world.send(Method::POST, &path, &headers, "").await;
    assert_eq!(
        (reply.status, reply.header("docker-content-digest")),
        (201, layer.as_str())
    );
    let reply = world.send(Method::GET, &blob, &headers, "").await;
    assert_eq!((reply.status, reply.text()), (200, "layer"));
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    // A source that is not there is an upload session as well.
    let path = format!("/v2/app2/blobs/uploads/?mount={layer}&from=nowhere");
    assert_eq!(
        world.send(Method::POST, &path, &headers, "").await.status,
        202
    );

    let events = client.world.stop().await;
    let mounts: Vec<_> = events
        .iter()
        .filter(|event| event["requestParameters"]["mount"] == layer.as_str())
        .collect();
    assert_eq!(mounts.len(), 3);
    assert_eq!(mounts[0]["requestParameters"]["from"], "app1");
    let denied = &mounts[0]["additionalEventData"]["authorization"];
    assert_eq!(denied["action"], "ecr:GetDownloadUrlForLayer");
    assert_eq!(
        denied["resource"],
        "arn:aws:ecr:us-east-1:123456789012:repository/app1"
    );
    assert_eq!(mounts[1].get("additionalEventData"), None);
}

/// One line a refusal: request, status, code.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals() {
    let client = Client::new().await;
    let missing = blobs::Digest::sha256_of(b"missing").to_string();
    let table = [
        (
            Method::GET,
            "/v2/app1/manifests/nope".to_owned(),
            404,
            "MANIFEST_UNKNOWN",
        ),
        (
            Method::GET,
            "/v2/app1/manifests/.INVALID".to_owned(),
            404,
            "MANIFEST_UNKNOWN",
        ),
        (
            Method::GET,
            format!("/v2/app1/manifests/{missing}"),
            404,
            "MANIFEST_UNKNOWN",
        ),
        (
            Method::GET,
            "/v2/nowhere/manifests/v1".to_owned(),
            404,
            "NAME_UNKNOWN",
        ),
        (
            Method::GET,
            format!("/v2/app1/blobs/{missing}"),
            404,
            "BLOB_UNKNOWN",
        ),
        (
            Method::GET,
            "/v2/app1/blobs/sha256:00".to_owned(),
            400,
            "DIGEST_INVALID",
        ),
        (
            Method::GET,
            "/v2/app1/blobs/md5:00".to_owned(),
            400,
            "DIGEST_INVALID",
        ),
        (
            Method::DELETE,
            format!("/v2/app1/blobs/{missing}"),
            404,
            "BLOB_UNKNOWN",
        ),
        (
            Method::DELETE,
            "/v2/app1/manifests/nope".to_owned(),
            404,
            "MANIFEST_UNKNOWN",
        ),
        (
            Method::PUT,
            "/v2/app1/manifests/v1".to_owned(),
            400,
            "MANIFEST_INVALID",
        ),
        (
            Method::GET,
            "/v2/app1/../app1/manifests/v1".to_owned(),
            400,
            "NAME_INVALID",
        ),
        (
            Method::GET,
            "/v2/App/tags/list".to_owned(),
            400,
            "NAME_INVALID",
        ),
        (
            Method::GET,
            "/v2/app1/tags/list?n=x".to_owned(),
            400,
            "PAGINATION_NUMBER_INVALID",
        ),
        (
            Method::GET,
            "/v2/app1/nothing".to_owned(),
            404,
            "UNSUPPORTED",
        ),
        (
            Method::POST,
            "/v2/app1/tags/list".to_owned(),
            405,
            "UNSUPPORTED",
        ),
        (
            Method::GET,
            "/v2/app1/referrers/x".to_owned(),
            400,
            "DIGEST_INVALID",
        ),
    ];
    for (method, path, status, code) in table {
        let reply = client
            .send(method.clone(), &path, &[("content-type", MANIFEST)], "")
            .await;
        let found = (reply.status, reply.oci_code());
        assert_eq!(
            found,
            (status, code.to_owned()),
            "{method} {path}: {}",
            reply.text()
        );
    }
    // A manifest that names what is not there.
    let body = manifest(&missing, 7);
    let reply = client
        .send(
            Method::PUT,
            "/v2/app1/manifests/v1",
            &[("content-type", MANIFEST)],
            body,
        )
        .await;
    assert_eq!(
        (reply.status, reply.oci_code().as_str()),
        (404, "MANIFEST_BLOB_UNKNOWN")
    );
}

/// The registry's host picks account and region.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_picks_the_registry() {
    let client = Client::new().await;
    client.image("v1").await;
    let path = "/v2/app1/tags/list";
    for (host, status) in [
        ("123456789012.dkr.ecr.us-east-1.localhost:5000", 200),
        ("123456789012.dkr.ecr.eu-west-1.localhost:5000", 404),
        ("registry.example.com", 200),
    ] {
        let reply = client.send(Method::GET, path, &[("host", host)], "").await;
        assert_eq!(reply.status, status, "{host}: {}", reply.text());
    }
    // Another account's registry: the root user of this one has no say there.
    let host = "444455556666.dkr.ecr.us-east-1.localhost:5000";
    let reply = client.send(Method::GET, path, &[("host", host)], "").await;
    assert_eq!(reply.status, 403);
    assert!(
        reply
            .text()
            .contains("arn:aws:ecr:us-east-1:444455556666:repository/app1"),
        "{}",
        reply.text()
    );
}
