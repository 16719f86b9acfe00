//! Repositories, their tags, settings and policies.

use super::*;

const APP: &str = "arn:aws:ecr:us-east-1:123456789012:repository/team/app";
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"pull","Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"ecr:BatchGetImage"}]}"#;

fn named(name: &str) -> Value {
    json!({"repositoryName": name})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_repositories() {
    let mut g = Golden::new(Service::Ecr).await;
    g.world.other_account().await;
    g.call("CreateRepository", "a repository", named("app"))
        .await;
    let input = json!({"repositoryName": "team/app", "imageTagMutability": "IMMUTABLE",
        "imageScanningConfiguration": {"scanOnPush": true}, "tags": [{"Key": "team", "Value": "core"}]});
    g.call("CreateRepository", "immutable tags, scans, a tag", input)
        .await;
    g.call("CreateRepository", "a name that is taken", named("app"))
        .await;
    g.call("CreateRepository", "a name in upper case", named("App"))
        .await;
    g.call("CreateRepository", "a name that is too short", named("a"))
        .await;
    g.call("CreateRepository", "no name", json!({})).await;
    let input = json!({"repositoryName": "kms", "encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": "alias/none"}});
    g.call(
        "CreateRepository",
        "encryption with a key that is not there",
        input,
    )
    .await;
    let input = json!({"repositoryName": "other", "imageTagMutability": "SOMETIMES"});
    g.call("CreateRepository", "another mutability", input)
        .await;
    let input = json!({"repositoryName": "other", "tags": [{"Key": "aws:x", "Value": "1"}]});
    g.call("CreateRepository", "a tag of AWS", input).await;
    let input = json!({"repositoryName": "other", "registryId": "444455556666"});
    g.call("CreateRepository", "another account's registry", input)
        .await;

    g.call("DescribeRepositories", "all", json!({})).await;
    g.call(
        "DescribeRepositories",
        "by name",
        json!({"repositoryNames": ["team/app"]}),
    )
    .await;
    g.call(
        "DescribeRepositories",
        "no such repository",
        json!({"repositoryNames": ["none"]}),
    )
    .await;
    g.call("DescribeRepositories", "a page", json!({"maxResults": 1}))
        .await;
    let input = json!({"repositoryNames": ["app"], "maxResults": 1});
    g.call("DescribeRepositories", "a page of names", input)
        .await;
    g.call(
        "DescribeRepositories",
        "no token of ours",
        json!({"nextToken": "x"}),
    )
    .await;

    let mutability =
        |name: &str, value: &str| json!({"repositoryName": name, "imageTagMutability": value});
    g.call(
        "PutImageTagMutability",
        "immutable",
        mutability("app", "IMMUTABLE"),
    )
    .await;
    g.call(
        "PutImageTagMutability",
        "another value",
        mutability("app", "SOMETIMES"),
    )
    .await;
    g.call(
        "PutImageTagMutability",
        "no such repository",
        mutability("none", "MUTABLE"),
    )
    .await;
    let input = json!({"repositoryName": "app", "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "dev-*"}]});
    g.call("PutImageTagMutability", "immutable but for some", input)
        .await;
    let scan = |name: &str| json!({"repositoryName": name, "imageScanningConfiguration": {"scanOnPush": true}});
    g.call("PutImageScanningConfiguration", "scans", scan("app"))
        .await;
    g.call(
        "PutImageScanningConfiguration",
        "no such repository",
        scan("none"),
    )
    .await;
    let input = json!({"repositoryNames": ["app", "none"]});
    g.call(
        "BatchGetRepositoryScanningConfiguration",
        "one of two",
        input,
    )
    .await;

    let tags =
        |arn: &str, key: &str| json!({"resourceArn": arn, "tags": [{"Key": key, "Value": "v"}]});
    g.call("TagResource", "a tag", tags(APP, "stage")).await;
    g.call("TagResource", "a tag of AWS", tags(APP, "aws:x"))
        .await;
    g.call(
        "TagResource",
        "no such repository",
        tags(&APP.replace("team", "none"), "k"),
    )
    .await;
    g.call("TagResource", "not an ARN", tags("x", "k")).await;
    g.call(
        "ListTagsForResource",
        "two tags",
        json!({"resourceArn": APP}),
    )
    .await;
    g.call(
        "ListTagsForResource",
        "no such repository",
        json!({"resourceArn": APP.replace("team", "none")}),
    )
    .await;
    g.call(
        "UntagResource",
        "one of two",
        json!({"resourceArn": APP, "tagKeys": ["stage", "none"]}),
    )
    .await;
    let input = json!({"resourceArn": APP.replace("team", "none"), "tagKeys": ["k"]});
    g.call("UntagResource", "no such repository", input).await;

    g.call("GetRepositoryPolicy", "no policy", named("app"))
        .await;
    let policy =
        |name: &str, text: &str| json!({"repositoryName": name, "policyText": text, "force": true});
    g.call("SetRepositoryPolicy", "a policy", policy("app", POLICY))
        .await;
    g.call("SetRepositoryPolicy", "no JSON", policy("app", "not json"))
        .await;
    let text = POLICY.replace("444455556666", "arn:aws:iam::123456789012:user/none");
    g.call(
        "SetRepositoryPolicy",
        "a principal that does not exist",
        policy("app", &text),
    )
    .await;
    let text = POLICY.replace("BatchGetImage", "GetAuthorizationToken");
    g.call(
        "SetRepositoryPolicy",
        "an action without a repository",
        policy("app", &text),
    )
    .await;
    g.call(
        "SetRepositoryPolicy",
        "no such repository",
        policy("none", POLICY),
    )
    .await;
    let text = POLICY.replace(
        r#""Effect":"Allow","Principal":{"AWS":"444455556666"}"#,
        r#""Effect":"Deny","Principal":"*""#,
    );
    let text = text.replace("BatchGetImage", "SetRepositoryPolicy");
    let input = json!({"repositoryName": "app", "policyText": text});
    let owner = std::mem::replace(&mut g.caller, {
        let everything = super::super::world::statement("Allow", &["*"], "*");
        g.world.user(&g.world.root, "admin", &everything).await
    });
    g.call(
        "SetRepositoryPolicy",
        "a policy that locks its maker out",
        input,
    )
    .await;
    g.caller = owner;
    g.call("GetRepositoryPolicy", "a policy", named("app"))
        .await;
    g.call("GetRepositoryPolicy", "no such repository", named("none"))
        .await;
    g.call("DeleteRepositoryPolicy", "a policy", named("app"))
        .await;
    g.call("DeleteRepositoryPolicy", "no policy", named("app"))
        .await;
    g.call(
        "DeleteRepositoryPolicy",
        "no such repository",
        named("none"),
    )
    .await;

    g.call("DeleteRepository", "a repository", named("app"))
        .await;
    g.call("DeleteRepository", "no such repository", named("app"))
        .await;
    g.given("PutImage", images::put("team/app", "v1")).await;
    g.call(
        "DeleteRepository",
        "a repository with images",
        named("team/app"),
    )
    .await;
    let input = json!({"repositoryName": "team/app", "force": true});
    g.call("DeleteRepository", "with its images", input).await;
    g.compare();
}
