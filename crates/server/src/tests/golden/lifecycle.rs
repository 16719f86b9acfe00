//! Lifecycle policies and storage classes: what changes them. Reads are recorded where there is nothing.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_lifecycle_policies_and_storage_classes() {
    let mut g = Golden::new(Service::Ecr).await;
    for name in ["app", "empty"] {
        g.given("CreateRepository", json!({"repositoryName": name}))
            .await;
    }
    g.given("PutImage", images::put("app", "v1")).await;
    let rule = |priority: u32| {
        json!({"rulePriority": priority, "description": "Expire untagged images after two weeks",
            "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14},
            "action": {"type": "expire"}})
    };
    let text = |rules: Value| json!({ "rules": rules }).to_string();
    let valid = text(json!([rule(1)]));
    let of = |name: &str, text: &str| json!({"repositoryName": name, "lifecyclePolicyText": text});
    let unknown = text(json!([rule(1)])).replace("description", "descriptions");
    for (case, input) in [
        ("a policy", of("app", &valid)),
        (
            "two rules of one priority",
            of("app", &text(json!([rule(1), rule(1)]))),
        ),
        ("an unknown property", of("app", &unknown)),
        ("no JSON", of("app", &"x".repeat(100))),
        ("a short text", of("app", "{}")),
        ("no such repository", of("none", &valid)),
    ] {
        g.call("PutLifecyclePolicy", case, input).await;
    }
    for (case, input) in [
        ("of the given policy", of("app", &valid)),
        ("while another one is made", of("app", &valid)),
        (
            "of the repository's policy, which it has not",
            json!({"repositoryName": "empty"}),
        ),
        ("no such repository", of("none", &valid)),
    ] {
        g.call("StartLifecyclePolicyPreview", case, input).await;
    }
    let to = |name: &str, tag: &str, class: &str| json!({"repositoryName": name, "imageId": {"imageTag": tag}, "targetStorageClass": class});
    for (case, input) in [
        ("archived", to("app", "v1", "ARCHIVE")),
        ("to be restored", to("app", "v1", "STANDARD")),
        ("archived while it is restored", to("app", "v1", "ARCHIVE")),
        ("no such image", to("app", "v2", "ARCHIVE")),
        ("no such repository", to("none", "v1", "ARCHIVE")),
    ] {
        g.call("UpdateImageStorageClass", case, input).await;
    }
    g.compare();
}
