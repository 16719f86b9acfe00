//! Conditional requests, pushes with several tags, and ranges, as clients send them.

use http::Method;
use serde_json::{Value, json};

use super::registry_routes::{Client, MANIFEST, manifest};
use super::world::Reply;

impl Client {
    /// A manifest that refers to `layer`, different for each `n`.
    fn manifest_number(layer: &str, n: usize) -> (String, String) {
        let mut body: Value = serde_json::from_str(&manifest(layer, 5)).unwrap();
        body["annotations"] = json!({"n": n.to_string()});
        let body = body.to_string();
        let digest = blobs::Digest::sha256_of(body.as_bytes()).to_string();
        (digest, body)
    }

    async fn put(&self, reference: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let path = format!("/v2/app1/manifests/{reference}");
        let headers = [&[("content-type", MANIFEST)], headers].concat();
        self.send(Method::PUT, &path, &headers, body.to_owned())
            .await
    }

    async fn tags(&self, query: &str) -> Value {
        let reply = self.get(&format!("/v2/app1/tags/list{query}")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        serde_json::from_slice::<Value>(&reply.body).unwrap()["tags"].clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_are_refused_when_their_condition_does_not_hold() {
    let client = Client::new().await;
    let layer = client.blob(b"layer").await;
    let (first, one) = Client::manifest_number(&layer, 1);
    let (second, two) = Client::manifest_number(&layer, 2);
    let (of_first, of_second) = (format!("\"{first}\""), format!("\"{second}\""));
    let (weak, both) = (format!("W/{of_first}"), format!("\"x\", {of_first}"));

    // The header, its value, the manifest, and the status.
    let absent = [("if-match", "*"), ("if-match", &of_first)];
    for condition in absent {
        let reply = client.put("v1", &[condition], &one).await;
        assert_eq!(reply.status, 412, "{condition:?} {}", reply.text());
    }
    let reply = client.put("v1", &[("if-none-match", "*")], &one).await;
    assert_eq!(
        (reply.status, reply.header("etag")),
        (201, of_first.as_str())
    );
    let table = [
        ("if-none-match", "*", 412),
        ("if-none-match", &of_first, 412),
        ("if-none-match", &weak, 412),
        ("if-none-match", &both, 412),
        ("if-match", &of_second, 412),
        // `If-Match` compares strongly: a weak tag equals nothing.
        ("if-match", &weak, 412),
        ("if-match", "\"", 400),
        ("if-none-match", "*, *", 400),
    ];
    for (name, value, status) in table {
        let reply = client.put("v1", &[(name, value)], &two).await;
        assert_eq!(reply.status, status, "{name}: {value} {}", reply.text());
        let now = client
            .send(Method::HEAD, "/v2/app1/manifests/v1", &[], "")
            .await;
        assert_eq!(now.header("docker-content-digest"), first);
        let reply = client
            .send(
                Method::DELETE,
                "/v2/app1/manifests/v1",
                &[(name, value)],
                "",
            )
            .await;
        assert_eq!(
            reply.status,
            status,
            "DELETE {name}: {value} {}",
            reply.text()
        );
    }
    // Two lines are one list.
    let lines = [
        ("if-match", of_second.as_str()),
        ("if-match", of_first.as_str()),
    ];
    assert_eq!(client.put("v1", &lines, &two).await.status, 201);
    let reply = client
        .send(
            Method::DELETE,
            "/v2/app1/manifests/v1",
            &[("if-match", &of_first)],
            "",
        )
        .await;
    assert_eq!(reply.status, 412);
    let reply = client
        .send(
            Method::DELETE,
            "/v2/app1/manifests/v1",
            &[("if-match", &of_second)],
            "",
        )
        .await;
    assert_eq!(reply.status, 202);
    // A condition on what is not there changes nothing (RFC 9110, section 13.2.1).
    let reply = client
        .send(
            Method::DELETE,
            "/v2/app1/manifests/v1",
            &[("if-match", "*")],
            "",
        )
        .await;
    assert_eq!(reply.status, 404);

    // The first manifest has lost its tag and still needs the blob.
    let untagged = format!("/v2/app1/manifests/{first}");
    let reply = client.send(Method::DELETE, &untagged, &[], "").await;
    assert_eq!(reply.status, 202);
    let blob = format!("/v2/app1/blobs/{layer}");
    for (condition, status) in [
        (("if-match", of_first.as_str()), 412),
        (("if-none-match", "*"), 412),
        (("if-match", "*"), 202),
    ] {
        let reply = client.send(Method::DELETE, &blob, &[condition], "").await;
        assert_eq!(reply.status, status, "{condition:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_follow_their_condition() {
    let client = Client::new().await;
    let (digest, _) = client.image("v1").await;
    let layer = blobs::Digest::sha256_of(b"layer").to_string();
    let other = format!("\"{}\"", blobs::Digest::sha256_of(b"other"));
    for (path, digest) in [
        ("/v2/app1/manifests/v1".to_owned(), &digest),
        (format!("/v2/app1/blobs/{layer}"), &layer),
    ] {
        let own = format!("\"{digest}\"");
        let weak = format!("W/{own}, {other}");
        let table = [
            (vec![("if-none-match", own.as_str())], 304),
            (vec![("if-none-match", weak.as_str())], 304),
            (vec![("if-none-match", "*")], 304),
            (
                vec![
                    ("if-none-match", other.as_str()),
                    ("if-none-match", own.as_str()),
                ],
                304,
            ),
            (vec![("if-none-match", other.as_str())], 200),
            (vec![("if-none-match", "\"")], 200),
            (vec![("if-match", own.as_str())], 200),
            (vec![("if-match", "*")], 200),
            (vec![("if-match", other.as_str())], 412),
            (vec![("if-match", weak.as_str())], 412),
            (
                vec![("if-match", own.as_str()), ("if-none-match", own.as_str())],
                304,
            ),
        ];
        for (headers, status) in table {
            for method in [Method::GET, Method::HEAD] {
                // HEAD of a blob is answered from the database alone.
                if method == Method::HEAD && path.contains("/blobs/") {
                    continue;
                }
                let reply = client.send(method.clone(), &path, &headers, "").await;
                assert_eq!(reply.status, status, "{method} {path} {headers:?}");
                if status == 304 {
                    assert_eq!((reply.header("etag"), reply.body.len()), (own.as_str(), 0));
                }
            }
        }
    }
    let reply = client
        .send(
            Method::GET,
            "/v2/app1/manifests/v2",
            &[("if-match", "*")],
            "",
        )
        .await;
    assert_eq!(reply.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_by_digest_sets_its_tags() {
    let client = Client::new().await;
    let layer = client.blob(b"layer").await;
    let (digest, body) = Client::manifest_number(&layer, 1);
    let reply = client
        .put(&format!("{digest}?tag=a&tag=b&tag=c.1"), &[], &body)
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.header("oci-tag"), "a, b, c.1");
    assert_eq!(reply.header("docker-content-digest"), digest);
    assert_eq!(client.tags("").await, json!(["a", "b", "c.1"]));
    // Absent and empty page sizes are alike.
    assert_eq!(client.tags("?n=").await, json!(["a", "b", "c.1"]));
    assert_eq!(client.tags("?n=&last=a").await, json!(["b", "c.1"]));
    let plain = client.put(&digest, &[], &body).await;
    assert_eq!((plain.status, plain.header("oci-tag")), (201, ""));

    let sha512 = blobs::Digest::sha512_of(body.as_bytes()).to_string();
    let many = "tag=x&".repeat(101);
    let table = [
        (format!("{digest}?tag=d&tag=%2Fbad"), 400, "TAG_INVALID"),
        (format!("{digest}?tag=d&tag="), 400, "TAG_INVALID"),
        (format!("{digest}?tag=d&tag=%ff"), 400, "TAG_INVALID"),
        (format!("{digest}?{many}"), 414, "SIZE_INVALID"),
        ("d?tag=e".to_owned(), 400, "UNSUPPORTED"),
        (
            format!("d?digest=sha256:{}", "0".repeat(64)),
            400,
            "DIGEST_INVALID",
        ),
        ("d?digest=sha256:00".to_owned(), 400, "DIGEST_INVALID"),
        ("d?digest=%ff".to_owned(), 400, "DIGEST_INVALID"),
        (format!("{digest}?digest={sha512}"), 400, "DIGEST_INVALID"),
    ];
    for (reference, status, code) in table {
        let reply = client.put(&reference, &[], &body).await;
        let found = (reply.status, reply.oci_code());
        assert_eq!(
            found,
            (status, code.to_owned()),
            "{reference} {}",
            reply.text()
        );
    }
    assert_eq!(client.tags("").await, json!(["a", "b", "c.1"]));
    let reply = client.put(&format!("d?digest={sha512}"), &[], &body).await;
    assert_eq!(
        (reply.status, reply.header("docker-content-digest")),
        (201, sha512.as_str())
    );
    let reply = client
        .send(Method::HEAD, "/v2/app1/manifests/d", &[], "")
        .await;
    assert_eq!(reply.header("docker-content-digest"), sha512);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_ranges_come_as_parts() {
    let client = Client::new().await;
    let content: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let digest = client.blob(b"0123456789abcdefghijklmnopqrstuvwxyz").await;
    let path = format!("/v2/app1/blobs/{digest}");
    let get = async |range: &str| {
        client
            .send(Method::GET, &path, &[("range", range)], "")
            .await
    };
    let reply = get("bytes=0-1,10-14,-2").await;
    assert_eq!(reply.status, 206);
    assert_eq!(reply.header("content-length"), reply.body.len().to_string());
    assert_eq!(reply.header("content-range"), "");
    let boundary = reply.header("content-type");
    let boundary = boundary
        .strip_prefix("multipart/byteranges; boundary=")
        .unwrap();
    let mut wanted = String::new();
    for (nth, (first, last)) in [(0, 1), (10, 14), (34, 35)].into_iter().enumerate() {
        let part = std::str::from_utf8(&content[first..=last]).unwrap();
        let line_end = if nth == 0 { "" } else { "\r\n" };
        wanted += &format!(
            "{line_end}--{boundary}\r\nContent-Type: application/octet-stream\r\n\
             Content-Range: bytes {first}-{last}/36\r\n\r\n{part}"
        );
    }
    assert_eq!(reply.text(), format!("{wanted}\r\n--{boundary}--\r\n"));

    // What becomes one range is sent as one.
    for (range, content_range) in [
        ("bytes=0-3,2-9", "bytes 0-9/36"),
        ("bytes=5-6,99-", "bytes 5-6/36"),
    ] {
        let reply = get(range).await;
        assert_eq!(
            (reply.status, reply.header("content-range")),
            (206, content_range)
        );
    }
    let reply = get("bytes=36-,-0").await;
    assert_eq!(
        (reply.status, reply.header("content-range")),
        (416, "bytes */36")
    );
    // Too many, and the client asks for one at a time.
    let many: Vec<_> = (0..4_000).map(|_| "0-0,2-2,4-4").collect();
    assert_eq!(get(&format!("bytes={}", many.join(","))).await.status, 206);
    let blob = client.blob(&[b'x'; 200]).await;
    let single: Vec<_> = (0..100).map(|n| format!("{0}-{0}", n * 2)).collect();
    let range = format!("bytes={}", single.join(","));
    let reply = client
        .send(
            Method::GET,
            &format!("/v2/app1/blobs/{blob}"),
            &[("range", &range)],
            "",
        )
        .await;
    assert_eq!(reply.status, 400);
    // Malformed, another unit, or a condition that does not hold: everything.
    for headers in [
        vec![("range", "bytes=0-1,x")],
        vec![("range", "items=0-1,2-3")],
        vec![("range", "bytes=0-1,4-5"), ("if-range", "\"other\"")],
    ] {
        let reply = client.send(Method::GET, &path, &headers, "").await;
        assert_eq!((reply.status, reply.body.len()), (200, 36), "{headers:?}");
    }
}

/// Texts that clients show or match, as Amazon ECR sends them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_are_in_amazon_ecrs_words() {
    let client = Client::new().await;
    let (_, body) = client.image("v1").await;
    let errors = |reply: &Reply| -> Vec<(String, String)> {
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        let entries = body["errors"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        entries
            .map(|e| (text(&e["code"]), text(&e["message"])))
            .collect()
    };
    let one = |reply: &Reply| errors(reply).remove(0);
    let reply = client.get("/v2/app1/manifests/nope").await;
    assert_eq!(
        one(&reply),
        (
            "MANIFEST_UNKNOWN".into(),
            "Requested image not found".into()
        )
    );
    let wrong = blobs::Digest::sha256_of(b"wrong").to_string();
    let reply = client.put(&wrong, &[], &body).await;
    assert_eq!(
        one(&reply).1,
        format!(
            "The image with digest '{wrong}' in repository 'app1' and registry ID '123456789012' does not match the image digest that Amazon ECR has calculated."
        )
    );
    let path = format!("/v2/app1/blobs/uploads/?digest={wrong}");
    let reply = client.send(Method::POST, &path, &[], "right").await;
    assert_eq!(
        one(&reply).1,
        "None of the provided layer digests match the calculated layer digest"
    );
    // Every missing blob has an entry.
    let (a, b) = (
        blobs::Digest::sha256_of(b"a").to_string(),
        blobs::Digest::sha256_of(b"b").to_string(),
    );
    let mut missing: Value = serde_json::from_str(&body).unwrap();
    missing["layers"] = [&a, &b]
        .map(|digest| json!({"mediaType": "x", "digest": digest, "size": 1}))
        .into();
    let reply = client.put("v2", &[], &missing.to_string()).await;
    let mut wanted = [a, b].map(|digest| ("MANIFEST_BLOB_UNKNOWN".to_owned(), format!("Layers with digests '[{digest}]' required for pushing image into repository with name 'app1' in the registry with id '123456789012' do not exist")));
    wanted.sort();
    let mut found = errors(&reply);
    found.sort();
    assert_eq!((reply.status, found), (404, wanted.to_vec()));
    // The rule that a name breaks is the rule in force.
    let pattern = r"must satisfy regular expression '[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*'";
    let long = format!("/v2/{}/tags/list", "a".repeat(257));
    for (path, rule) in [
        ("/v2/App/tags/list", pattern),
        ("/v2/a_-b/tags/list", pattern),
        (
            "/v2/a/tags/list",
            "must have length greater than or equal to 2",
        ),
        (&long, "must have length less than or equal to 256"),
    ] {
        let reply = client.get(path).await;
        let message =
            format!("Invalid parameter at 'repositoryName' failed to satisfy constraint: '{rule}'");
        assert_eq!(
            (reply.status, one(&reply)),
            (400, ("NAME_INVALID".into(), message)),
            "{path}"
        );
    }
    let reply = client.put(".v1", &[], &body).await;
    assert_eq!(one(&reply), ("TAG_INVALID".into(), "Invalid parameter at 'imageTag' failed to satisfy constraint: 'must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}''".into()));
}
