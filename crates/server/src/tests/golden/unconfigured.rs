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
    let id = || json!({"replicationBackfillId": "0f1e2d3c-0000-4000-8000-000000000000"});
    for (operation, input) in [
        ("GetLifecyclePolicy", app()),
        ("DeleteLifecyclePolicy", app()),
        ("GetLifecyclePolicyPreview", app()),
        ("GetRegistryScanningConfiguration", json!({})),
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
        ("DescribeRepositoryCreationTemplates", json!({})),
        ("DeleteRepositoryCreationTemplate", json!({"prefix": "hub"})),
        ("UpdateRepositoryCreationTemplate", json!({"prefix": "hub"})),
        ("ListReplicationBackfills", json!({})),
        ("DescribeReplicationBackfillResults", id()),
        ("StopReplicationBackfill", id()),
        ("GetSigningConfiguration", json!({})),
        ("DeleteSigningConfiguration", json!({})),
        ("ListPullTimeUpdateExclusions", json!({})),
        (
            "DeregisterPullTimeUpdateExclusion",
            json!({"principalArn": arn}),
        ),
        (
            "GetAccountSetting",
            json!({"name": "BASIC_SCAN_TYPE_VERSION"}),
        ),
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
    g.call(
        "GetAccountSetting",
        "another setting",
        json!({"name": "NONE"}),
    )
    .await;
    g.compare();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_keys_and_certificates_that_a_user_does_not_have() {
    let mut g = Golden::new(Service::Iam).await;
    g.given("CreateUser", json!({"UserName": "alice"})).await;
    let alice = |more: Value| {
        let mut input = json!({"UserName": "alice"});
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        input
    };
    let key = "APKAIOSFODNN7EXAMPLE";
    let certificate = "TA7SMP42TDN5Z26OBPJE7EXAMPLE";
    let server = || json!({"ServerCertificateName": "web"});
    let of_users = [
        ("ListSSHPublicKeys", json!({})),
        (
            "GetSSHPublicKey",
            json!({"SSHPublicKeyId": key, "Encoding": "SSH"}),
        ),
        (
            "UpdateSSHPublicKey",
            json!({"SSHPublicKeyId": key, "Status": "Inactive"}),
        ),
        ("DeleteSSHPublicKey", json!({"SSHPublicKeyId": key})),
        ("ListSigningCertificates", json!({})),
        (
            "UpdateSigningCertificate",
            json!({"CertificateId": certificate, "Status": "Inactive"}),
        ),
        (
            "DeleteSigningCertificate",
            json!({"CertificateId": certificate}),
        ),
    ];
    for (operation, more) in of_users {
        g.call(operation, "there is none", alice(more.clone()))
            .await;
        let mut input = alice(more);
        input["UserName"] = "nobody".into();
        g.call(operation, "no such user", input).await;
    }
    let tags = json!({"ServerCertificateName": "web", "Tags": [{"Key": "k", "Value": "v"}]});
    for (operation, input) in [
        ("ListServerCertificates", json!({})),
        ("GetServerCertificate", server()),
        (
            "UpdateServerCertificate",
            json!({"ServerCertificateName": "web", "NewPath": "/x/"}),
        ),
        ("DeleteServerCertificate", server()),
        ("ListServerCertificateTags", server()),
        ("TagServerCertificate", tags),
        (
            "UntagServerCertificate",
            json!({"ServerCertificateName": "web", "TagKeys": ["k"]}),
        ),
        ("GetOutboundWebIdentityFederationInfo", json!({})),
        ("DisableOutboundWebIdentityFederation", json!({})),
    ] {
        g.call(operation, "there is none", input).await;
    }
    g.compare();
}
