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
    let itself = json!({"replicationConfiguration": {"rules": [
        {"destinations": [{"region": "us-east-1", "registryId": "123456789012"}]}]}});
    g.call("PutReplicationConfiguration", "to itself", itself)
        .await;
    let region = json!({"replicationConfiguration": {"rules": [
        {"destinations": [{"region": "cn-north-1", "registryId": "123456789012"}]}]}});
    g.call(
        "PutReplicationConfiguration",
        "to another partition",
        region,
    )
    .await;
    let none = json!({"replicationConfiguration": {"rules": []}});
    g.call("PutReplicationConfiguration", "without rules", none)
        .await;
    let rules = json!({"replicationConfiguration": {"rules": [
        {"destinations": [{"region": "eu-west-1", "registryId": "123456789012"}],
         "repositoryFilters": [{"filter": "prod", "filterType": "PREFIX_MATCH"}],
         "deleteReplication": {"enabled": true}},
        {"destinations": [{"region": "eu-west-1", "registryId": "444455556666"}]}]}});
    g.call("DescribeRegistry", "without replication", json!({}))
        .await;
    g.call("PutReplicationConfiguration", "rules", rules).await;
    g.call("DescribeRegistry", "with replication", json!({}))
        .await;
    backfills(&mut g).await;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_registry_settings() {
    let mut g = Golden::new(Service::Ecr).await;
    let basic = || json!({"name": "BASIC_SCAN_TYPE_VERSION"});
    g.call("GetAccountSetting", "the default", basic()).await;
    let none = json!({"name": "NONE", "value": "V2"});
    g.call(
        "GetAccountSetting",
        "another setting",
        json!({"name": "NONE"}),
    )
    .await;
    g.call("PutAccountSetting", "another setting", none).await;
    let put = json!({"name": "REGISTRY_POLICY_SCOPE", "value": "V1"});
    g.call("PutAccountSetting", "a value", put).await;
    let put = json!({"name": "REGISTRY_POLICY_SCOPE", "value": "V3"});
    g.call("PutAccountSetting", "another value", put).await;

    g.call("GetRegistryScanningConfiguration", "the default", json!({}))
        .await;
    let rules = |frequencies: &[&str]| {
        let rule = |frequency: &&str| json!({"scanFrequency": frequency, "repositoryFilters": [{"filter": "prod*", "filterType": "WILDCARD"}]});
        json!({"scanType": "BASIC", "rules": frequencies.iter().map(rule).collect::<Vec<_>>()})
    };
    let put = "PutRegistryScanningConfiguration";
    g.call(put, "a rule", rules(&["SCAN_ON_PUSH"])).await;
    g.call(put, "not of basic scanning", rules(&["CONTINUOUS_SCAN"]))
        .await;
    g.call(put, "twice", rules(&["SCAN_ON_PUSH", "SCAN_ON_PUSH"]))
        .await;
    g.call("GetRegistryScanningConfiguration", "a rule", json!({}))
        .await;

    let role = || json!({"principalArn": "arn:aws:iam::123456789012:role/scanner"});
    g.call("ListPullTimeUpdateExclusions", "there is none", json!({}))
        .await;
    g.call("DeregisterPullTimeUpdateExclusion", "there is none", role())
        .await;
    g.call("RegisterPullTimeUpdateExclusion", "a role", role())
        .await;
    g.call("RegisterPullTimeUpdateExclusion", "again", role())
        .await;
    let no_arn = json!({"principalArn": "scanner"});
    g.call("RegisterPullTimeUpdateExclusion", "no ARN", no_arn)
        .await;
    g.call("ListPullTimeUpdateExclusions", "a role", json!({}))
        .await;
    g.call("DeregisterPullTimeUpdateExclusion", "a role", role())
        .await;
    g.compare();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_repository_creation_templates() {
    let mut g = Golden::new(Service::Ecr).await;
    let prefix = || json!({"prefix": "team"});
    let template = json!({
        "prefix": "team",
        "description": "of the team",
        "appliedFor": ["CREATE_ON_PUSH"],
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "dev-*"}],
        "encryptionConfiguration": {"encryptionType": "AES256"},
    });
    for (operation, input) in [
        ("DescribeRepositoryCreationTemplates", json!({})),
        ("UpdateRepositoryCreationTemplate", prefix()),
        ("DeleteRepositoryCreationTemplate", prefix()),
    ] {
        g.call(operation, "there is none", input).await;
    }
    g.call(
        "CreateRepositoryCreationTemplate",
        "a template",
        template.clone(),
    )
    .await;
    g.call("CreateRepositoryCreationTemplate", "again", template)
        .await;
    let lifecycle = json!({"prefix": "other", "appliedFor": ["REPLICATION"], "lifecyclePolicy": "{\"rules\": 1}"});
    g.call(
        "CreateRepositoryCreationTemplate",
        "a wrong lifecycle policy",
        lifecycle,
    )
    .await;
    let bad = json!({"prefix": "Team", "appliedFor": ["PULL"]});
    g.call("CreateRepositoryCreationTemplate", "not of the model", bad)
        .await;
    let update = json!({"prefix": "team", "description": "", "imageTagMutability": "MUTABLE"});
    g.call("UpdateRepositoryCreationTemplate", "a template", update)
        .await;
    g.call(
        "DescribeRepositoryCreationTemplates",
        "a template",
        json!({}),
    )
    .await;
    g.call("DeleteRepositoryCreationTemplate", "a template", prefix())
        .await;
    g.compare();
}

/// Of a registry with two destinations in one Region. No job runs here, so each stays as it was begun.
async fn backfills(g: &mut Golden) {
    let to = |account: &str, region: &str| json!({"destination": {"region": region, "registryId": account}});
    let none = || json!({"replicationBackfillId": "0f1e2d3c-0000-4000-8000-000000000000"});
    for (operation, input) in [
        ("ListReplicationBackfills", json!({})),
        ("DescribeReplicationBackfillResults", none()),
        ("StopReplicationBackfill", none()),
    ] {
        g.call(operation, "there is none", input).await;
    }
    let operation = "StartReplicationBackfill";
    let input = to("123456789012", "eu-west-1");
    let started = g.call(operation, "a destination", input).await;
    let input = to("444455556666", "eu-west-1");
    g.call(operation, "its Region has one", input).await;
    let input = to("123456789012", "ap-south-1");
    g.call(operation, "no rule names it", input).await;
    let started: Value = serde_json::from_str(&started).unwrap();
    let id = started["replicationBackfillId"]
        .as_str()
        .unwrap()
        .to_owned();
    g.hidden.push(id.clone());
    let id = || json!({"replicationBackfillId": id});
    g.call("ListReplicationBackfills", "one", json!({})).await;
    g.call("DescribeReplicationBackfillResults", "one", id())
        .await;
    g.call("StopReplicationBackfill", "one", id()).await;
    g.call("StopReplicationBackfill", "once more", id()).await;
}
