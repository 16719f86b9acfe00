//! Layers and their uploads.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_layers() {
    let mut g = Golden::new(Service::Ecr).await;
    g.given("CreateRepository", json!({"repositoryName": "app"}))
        .await;
    let none = "0f1e2d3c-0000-4000-8000-000000000000";
    let digest = images::digest(b"layer");
    let started = g
        .call(
            "InitiateLayerUpload",
            "an upload",
            json!({"repositoryName": "app"}),
        )
        .await;
    g.call(
        "InitiateLayerUpload",
        "no such repository",
        json!({"repositoryName": "none"}),
    )
    .await;
    let id = member(&started, "uploadId").to_owned();
    let part = |id: &str, first: i64, bytes: &str| {
        json!({"repositoryName": "app", "uploadId": id, "partFirstByte": first,
            "partLastByte": first + 4, "layerPartBlob": bytes})
    };
    let complete = |id: &str, digest: &str| json!({"repositoryName": "app", "uploadId": id, "layerDigests": [digest]});
    g.secret(&id);
    g.call(
        "CompleteLayerUpload",
        "an upload without parts",
        complete(&id, &digest),
    )
    .await;
    g.call("UploadLayerPart", "a part", part(&id, 0, "bGF5ZXI="))
        .await;
    g.call(
        "UploadLayerPart",
        "a part that does not continue",
        part(&id, 100, "bGF5ZXI="),
    )
    .await;
    g.call(
        "UploadLayerPart",
        "a part of another size",
        part(&id, 5, "bGF5ZQ=="),
    )
    .await;
    g.call(
        "UploadLayerPart",
        "no such upload",
        part(none, 0, "bGF5ZXI="),
    )
    .await;
    g.call(
        "CompleteLayerUpload",
        "no such upload",
        complete(none, &digest),
    )
    .await;
    g.call("CompleteLayerUpload", "no digest", complete(&id, "x"))
        .await;
    g.call("CompleteLayerUpload", "an upload", complete(&id, &digest))
        .await;

    let second = g
        .given("InitiateLayerUpload", json!({"repositoryName": "app"}))
        .await;
    let id = member(&second, "uploadId").to_owned();
    g.secret(&id);
    g.given("UploadLayerPart", part(&id, 0, "bGF5ZXI=")).await;
    g.call(
        "CompleteLayerUpload",
        "a layer that is there",
        complete(&id, &digest),
    )
    .await;
    let third = g
        .given("InitiateLayerUpload", json!({"repositoryName": "app"}))
        .await;
    let id = member(&third, "uploadId").to_owned();
    g.secret(&id);
    g.given("UploadLayerPart", part(&id, 0, "bGF5ZXI=")).await;
    g.call(
        "CompleteLayerUpload",
        "another digest",
        complete(&id, &images::digest(b"other")),
    )
    .await;

    let check =
        |name: &str, digests: &[&str]| json!({"repositoryName": name, "layerDigests": digests});
    let missing = images::digest(b"none");
    let input = check("app", &[&digest, &missing, "x"]);
    g.call(
        "BatchCheckLayerAvailability",
        "there, missing, no digest",
        input,
    )
    .await;
    g.call(
        "BatchCheckLayerAvailability",
        "no such repository",
        check("none", &[&digest]),
    )
    .await;
    let url = |digest: &str| json!({"repositoryName": "app", "layerDigest": digest});
    g.call(
        "GetDownloadUrlForLayer",
        "a layer of no image",
        url(&digest),
    )
    .await;
    g.call("GetDownloadUrlForLayer", "no such layer", url(&missing))
        .await;
    let input = json!({"repositoryName": "none", "layerDigest": digest});
    g.call("GetDownloadUrlForLayer", "no such repository", input)
        .await;
    let blob = |kind: &str| json!({"mediaType": format!("application/vnd.oci.image.{kind}"), "digest": digest, "size": 5});
    let text = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob("config.v1+json"), "layers": [blob("layer.v1.tar+gzip")]});
    let input =
        json!({"repositoryName": "app", "imageManifest": text.to_string(), "imageTag": "v1"});
    g.given("PutImage", input).await;
    g.call("GetDownloadUrlForLayer", "a layer", url(&digest))
        .await;
    g.compare();
}
