//! The registry itself.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_the_registry() {
    let mut g = Golden::new(Service::Ecr).await;
    g.call("GetAuthorizationToken", "a password", json!({}))
        .await;
    let input = json!({"registryIds": ["123456789012", "444455556666"]});
    g.call("GetAuthorizationToken", "two registries", input)
        .await;
    g.call(
        "GetAuthorizationToken",
        "no registry id",
        json!({"registryIds": ["x"]}),
    )
    .await;
    g.call("DescribeRegistry", "without replication", json!({}))
        .await;

    g.world.other_account().await;
    g.call("GetRegistryPolicy", "no policy", json!({})).await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Sid":"replicate","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":["ecr:CreateRepository","ecr:ReplicateImage"],"Resource":"arn:aws:ecr:us-east-1:123456789012:repository/*"}]}"#;
    g.call(
        "PutRegistryPolicy",
        "a policy",
        json!({"policyText": policy}),
    )
    .await;
    g.call(
        "PutRegistryPolicy",
        "no JSON",
        json!({"policyText": "not json"}),
    )
    .await;
    g.call("GetRegistryPolicy", "a policy", json!({})).await;
    g.call("DeleteRegistryPolicy", "a policy", json!({})).await;
    g.call("DeleteRegistryPolicy", "no policy", json!({})).await;
    let root = g.world.root.clone();
    g.caller = g.world.user(&root, "nobody", "").await;
    g.call("GetAuthorizationToken", "a user who may not", json!({}))
        .await;
    g.call("DescribeRegistry", "a user who may not", json!({}))
        .await;
    g.compare();
}
