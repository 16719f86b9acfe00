//! Images.

use sha2::Digest as _;

use super::*;

/// A manifest that names nothing, so that it can be pushed alone.
fn manifest(note: &str) -> String {
    json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [],
        "annotations": {"note": note}})
    .to_string()
}

pub(super) fn digest(bytes: &[u8]) -> String {
    format!(
        "sha256:{}",
        aws_types::hex::encode(sha2::Sha256::digest(bytes))
    )
}

/// The input of a push.
pub(super) fn put(repository: &str, tag: &str) -> Value {
    json!({"repositoryName": repository, "imageManifest": manifest(tag), "imageTag": tag})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_images() {
    let mut g = Golden::new(Service::Ecr).await;
    for name in ["app", "empty"] {
        g.given("CreateRepository", json!({"repositoryName": name}))
            .await;
    }
    let v1 = digest(manifest("v1").as_bytes());
    let none = digest(b"none");
    g.call("PutImage", "an image", put("app", "v1")).await;
    g.call("PutImage", "the same image", put("app", "v1")).await;
    g.call("PutImage", "no such repository", put("none", "v1"))
        .await;
    let mut input = put("app", "v2");
    input["imageDigest"] = none.clone().into();
    g.call("PutImage", "another digest", input).await;
    let mut input = put("app", "v2");
    input["imageManifest"] = "not json".into();
    g.call("PutImage", "no JSON", input).await;
    g.call("PutImage", "a tag with other characters", put("app", "a b"))
        .await;
    let layer = json!({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": none, "size": 1});
    let config =
        json!({"mediaType": "application/vnd.oci.image.config.v1+json", "digest": none, "size": 1});
    let text = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config, "layers": [layer]});
    let input =
        json!({"repositoryName": "app", "imageManifest": text.to_string(), "imageTag": "v2"});
    g.call("PutImage", "layers that were not pushed", input)
        .await;
    let part = json!({"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": none, "size": 1});
    let text = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [part]});
    let input =
        json!({"repositoryName": "app", "imageManifest": text.to_string(), "imageTag": "v2"});
    g.call("PutImage", "images that were not pushed", input)
        .await;
    let part = json!({"mediaType": "application/vnd.oci.image.index.v1+json", "digest": v1, "size": manifest("v1").len()});
    let text = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [part]});
    let input =
        json!({"repositoryName": "app", "imageManifest": text.to_string(), "imageTag": "list"});
    let list = digest(text.to_string().as_bytes());
    g.call("PutImage", "a list of images", input).await;
    let input = json!({"repositoryName": "app", "imageTagMutability": "IMMUTABLE"});
    g.given("PutImageTagMutability", input).await;
    let mut input = put("app", "v1");
    input["imageManifest"] = manifest("other").into();
    g.call("PutImage", "a tag that is immutable", input).await;

    let get = |name: &str, ids: Value| json!({"repositoryName": name, "imageIds": ids});
    let operation = "BatchGetImage";
    g.call(operation, "by tag", get("app", json!([{"imageTag": "v1"}])))
        .await;
    g.call(
        operation,
        "by digest",
        get("app", json!([{"imageDigest": v1}])),
    )
    .await;
    let ids = json!([{"imageTag": "none"}, {"imageDigest": none}, {"imageDigest": "x"}, {}]);
    g.call(operation, "failures", get("app", ids)).await;
    let ids = json!([{"imageTag": "v1", "imageDigest": list}]);
    g.call(operation, "a tag of another digest", get("app", ids))
        .await;
    g.call(
        operation,
        "no such repository",
        get("none", json!([{"imageTag": "v1"}])),
    )
    .await;
    g.call(operation, "no images", get("app", json!([]))).await;

    g.call("ListImages", "all", json!({"repositoryName": "app"}))
        .await;
    g.call("ListImages", "none", json!({"repositoryName": "empty"}))
        .await;
    let input = json!({"repositoryName": "app", "filter": {"tagStatus": "UNTAGGED"}});
    g.call("ListImages", "untagged", input).await;
    g.call(
        "ListImages",
        "no such repository",
        json!({"repositoryName": "none"}),
    )
    .await;
    g.call("DescribeImages", "all", json!({"repositoryName": "app"}))
        .await;
    g.call(
        "DescribeImages",
        "by tag",
        get("app", json!([{"imageTag": "v1"}])),
    )
    .await;
    g.call(
        "DescribeImages",
        "no such image",
        get("app", json!([{"imageTag": "none"}])),
    )
    .await;
    g.call(
        "DescribeImages",
        "no such repository",
        json!({"repositoryName": "none"}),
    )
    .await;
    let input = json!({"repositoryName": "app", "subjectId": {"imageDigest": v1}});
    g.call("ListImageReferrers", "none", input).await;
    let input = json!({"repositoryName": "app", "subjectId": {"imageDigest": none}});
    g.call("ListImageReferrers", "no such image", input).await;

    let operation = "BatchDeleteImage";
    g.call(
        operation,
        "part of a list",
        get("app", json!([{"imageDigest": v1}])),
    )
    .await;
    g.call(
        operation,
        "a tag and its image",
        get("app", json!([{"imageTag": "list"}])),
    )
    .await;
    g.call(
        operation,
        "failures",
        get("app", json!([{"imageTag": "none"}, {"imageDigest": none}])),
    )
    .await;
    g.call(
        operation,
        "no such repository",
        get("none", json!([{"imageTag": "v1"}])),
    )
    .await;
    g.compare();
}
