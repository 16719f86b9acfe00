//! What cannot be configured: read, changed and deleted as where there is nothing. Each operation is called with
//! the least input that its model takes.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_what_the_registry_does_not_have() {
    let mut g = Golden::new(Service::Ecr).await;
    g.given("CreateRepository", json!({"repositoryName": "app"}))
        .await;
    g.given("PutImage", images::put("app", "v1")).await;
    let app = || json!({"repositoryName": "app"});
    let image = || json!({"repositoryName": "app", "imageId": {"imageTag": "v1"}});
    let prefix = |more: Value| {
        let mut input = json!({"ecrRepositoryPrefix": "hub"});
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        input
    };
    let arn = "arn:aws:iam::123456789012:role/ci";
    for (operation, input) in [
        ("GetLifecyclePolicy", app()),
        ("DeleteLifecyclePolicy", app()),
        ("GetLifecyclePolicyPreview", app()),
        ("DescribeImageScanFindings", image()),
        ("DescribeImageReplicationStatus", image()),
        ("DescribeImageSigningStatus", image()),
        ("DescribePullThroughCacheRules", json!({})),
        ("DeletePullThroughCacheRule", prefix(json!({}))),
        (
            "UpdatePullThroughCacheRule",
            prefix(json!({"customRoleArn": arn})),
        ),
        ("ValidatePullThroughCacheRule", prefix(json!({}))),
        ("GetSigningConfiguration", json!({})),
        ("DeleteSigningConfiguration", json!({})),
    ] {
        g.call(operation, "there is none", input.clone()).await;
        if input.get("repositoryName").is_some() {
            let mut input = input;
            input["repositoryName"] = "none".into();
            g.call(operation, "no such repository", input).await;
        }
    }
    let input = json!({"repositoryName": "app", "imageId": {"imageTag": "none"}});
    g.call("DescribeImageScanFindings", "no such image", input)
        .await;
    g.compare();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_identity_tokens_that_an_account_does_not_issue() {
    let mut g = Golden::new(Service::Iam).await;
    for operation in [
        "GetOutboundWebIdentityFederationInfo",
        "DisableOutboundWebIdentityFederation",
    ] {
        g.call(operation, "there is none", json!({})).await;
    }
    g.compare();
}
