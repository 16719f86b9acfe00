//! Settings of a registry, as clients meet them.

use aws_api::ecr;
use bytes::Bytes;
use http::Method;

use super::world::{ACCOUNT, Person, World, statement};

async fn put(world: &World, name: &str, value: &str) {
    let input = ecr::PutAccountSettingRequest {
        name: name.into(),
        value: value.into(),
    };
    let put = world.aws::<ecr::ops::PutAccountSetting>(&world.root, &input);
    put.await.unwrap();
}

/// ECR user guide, "Blob mounting in Amazon ECR". The client uploads what is not mounted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_without_blob_mounting_begins_an_upload() {
    let world = World::new().await;
    for name in ["from", "to"] {
        world.repository(&world.root, name).await;
    }
    let login = world.login(&world.root).await;
    let headers = [("authorization", login.as_str())];
    let digest = blobs::Digest::sha256_of(b"layer").to_string();
    let path = format!("/v2/from/blobs/uploads/?digest={digest}");
    let pushed = world.send(Method::POST, &path, &headers, Bytes::from_static(b"layer"));
    assert_eq!(pushed.await.status, 201);
    let mount = async || {
        let path = format!("/v2/to/blobs/uploads/?mount={digest}&from=from");
        let reply = world
            .send(Method::POST, &path, &headers, Bytes::new())
            .await;
        (
            reply.status,
            reply
                .header("location")
                .starts_with("/v2/to/blobs/uploads/"),
        )
    };
    put(&world, "BLOB_MOUNTING", "DISABLED").await;
    assert_eq!(mount().await, (202, true));
    put(&world, "BLOB_MOUNTING", "ENABLED").await;
    assert_eq!(mount().await.0, 201);
}

/// ECR user guide, "Private registry permissions".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scope_of_the_registry_policy_decides_for_another_account() {
    let world = World::new().await;
    let other = world.other_account().await;
    world.repository(&world.root, "app").await;
    let foreign = super::world::OTHER;
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{foreign}"}},"Action":["ecr:DescribeImages","ecr:CreateRepository"],"Resource":"*"}}]}}"#
    );
    let input = ecr::PutRegistryPolicyRequest {
        policy_text: policy,
    };
    let stored = world.aws::<ecr::ops::PutRegistryPolicy>(&world.root, &input);
    stored.await.unwrap();
    let describe = ecr::DescribeImagesRequest {
        registry_id: Some(ACCOUNT.into()),
        repository_name: "app".into(),
        ..Default::default()
    };
    let create = |name: &str| ecr::CreateRepositoryRequest {
        registry_id: Some(ACCOUNT.into()),
        repository_name: name.into(),
        ..Default::default()
    };
    let described = async || {
        world
            .aws::<ecr::ops::DescribeImages>(&other, &describe)
            .await
    };
    described().await.unwrap();
    put(&world, "REGISTRY_POLICY_SCOPE", "V1").await;
    assert_eq!(described().await.unwrap_err().code, "AccessDeniedException");
    world
        .aws::<ecr::ops::CreateRepository>(&other, &create("new"))
        .await
        .unwrap();
    put(&world, "REGISTRY_POLICY_SCOPE", "V2").await;
    described().await.unwrap();
}

/// Service Authorization Reference, "Condition keys for Amazon Elastic Container Registry".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_put_a_setting_is_said_by_its_name() {
    let world = World::new().await;
    let may = format!(
        r#"{{"Effect":"Allow","Action":"ecr:PutAccountSetting","Resource":"*","Condition":{{"StringEquals":{{"ecr:AccountSetting":"BLOB_MOUNTING"}}}}}},{}"#,
        statement("Allow", &["ecr:GetAccountSetting"], "*")
    );
    let user = world.user(&world.root, "ops", &may).await;
    let input = |name: &str, value: &str| ecr::PutAccountSettingRequest {
        name: name.into(),
        value: value.into(),
    };
    let blobs = input("BLOB_MOUNTING", "DISABLED");
    world
        .aws::<ecr::ops::PutAccountSetting>(&user, &blobs)
        .await
        .unwrap();
    let scope = input("REGISTRY_POLICY_SCOPE", "V1");
    let refused = world
        .aws::<ecr::ops::PutAccountSetting>(&user, &scope)
        .await;
    assert_eq!(refused.unwrap_err().code, "AccessDeniedException");
}

async fn template(world: &World, prefix: &str) {
    let input = ecr::CreateRepositoryCreationTemplateRequest {
        prefix: prefix.into(),
        applied_for: vec![ecr::RCTAppliedFor::CreateOnPush],
        image_tag_mutability: Some(ecr::ImageTagMutability::Immutable),
        ..Default::default()
    };
    let made = world.aws::<ecr::ops::CreateRepositoryCreationTemplate>(&world.root, &input);
    made.await.unwrap();
}

const PUSH: [&str; 4] = [
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
];

/// The answer to a layer's whole upload: status and body.
async fn push(world: &World, person: &Person, name: &str) -> (u16, String) {
    let login = world.login(person).await;
    let digest = blobs::Digest::sha256_of(b"layer").to_string();
    let path = format!("/v2/{name}/blobs/uploads/?digest={digest}");
    let headers = [("authorization", login.as_str())];
    let body = Bytes::from_static(b"layer");
    let reply = world.send(Method::POST, &path, &headers, body).await;
    (reply.status, reply.text().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_upload_creates_a_repository() {
    let world = World::new().await;
    template(&world, "team").await;
    let may = [&PUSH[..], &["ecr:CreateRepository"]].concat();
    let maker = world
        .user(&world.root, "maker", &statement("Allow", &may, "*"))
        .await;
    let pusher = world
        .user(&world.root, "pusher", &statement("Allow", &PUSH, "*"))
        .await;

    // Without permission to create, the answer is that of a registry without the template.
    let (status, denied) = push(&world, &pusher, "team/app").await;
    let (_, unknown) = push(&world, &pusher, "other/app").await;
    assert_eq!(
        (status, denied.replace("team", "other")),
        (404, unknown.clone())
    );
    assert!(unknown.contains("NAME_UNKNOWN"), "{unknown}");
    assert_eq!(push(&world, &maker, "other/app").await.0, 404);

    assert_eq!(push(&world, &maker, "team/app").await.0, 201);
    assert_eq!(push(&world, &pusher, "team/app").await.0, 201);
    let input = ecr::DescribeRepositoriesRequest::default();
    let found = world
        .aws::<ecr::ops::DescribeRepositories>(&world.root, &input)
        .await
        .unwrap();
    let found: Vec<_> = found.repositories.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].image_tag_mutability,
        Some(ecr::ImageTagMutability::Immutable)
    );

    let events = world.stop().await;
    let created: Vec<_> = events
        .iter()
        .filter(|event| event["eventName"] == "CreateRepository")
        .collect();
    assert_eq!(created.len(), 1, "{created:?}");
    assert_eq!(
        created[0]["requestParameters"]["repositoryName"],
        "team/app"
    );
    assert!(
        created[0]["userIdentity"]["arn"]
            .as_str()
            .unwrap()
            .ends_with("user/maker")
    );
    let denied = events.iter().find(|event| {
        event["errorCode"] == "NAME_UNKNOWN" && event.to_string().contains("ecr:CreateRepository")
    });
    assert!(denied.is_some(), "the audit log says what was denied");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_an_upload_creates_a_repository() {
    let world = World::new().await;
    template(&world, "ROOT").await;
    let login = world.login(&world.root).await;
    let headers = [("authorization", login.as_str())];
    let digest = blobs::Digest::sha256_of(b"layer").to_string();
    let index = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    for (method, path, body) in [
        (Method::HEAD, format!("/v2/app/blobs/{digest}"), ""),
        (Method::GET, "/v2/app/manifests/v1".to_owned(), ""),
        (Method::GET, "/v2/app/tags/list".to_owned(), ""),
        (Method::PUT, "/v2/app/manifests/v1".to_owned(), index),
    ] {
        let reply = world.send(method, &path, &headers, Bytes::from_static(body.as_bytes()));
        assert_eq!(reply.await.status, 404, "{path}");
    }
    // A mount that finds nothing begins an upload, as in a repository that is there.
    let path = format!("/v2/app/blobs/uploads/?mount={digest}&from=none");
    let reply = world
        .send(Method::POST, &path, &headers, Bytes::new())
        .await;
    assert_eq!(reply.status, 202);
    world
        .app
        .registry
        .repository(
            &ACCOUNT.parse().unwrap(),
            &"us-east-1".parse().unwrap(),
            "app",
        )
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first_pushes_at_once_create_one_repository() {
    let world = World::new().await;
    template(&world, "ROOT").await;
    let pushes = (0..8).map(|_| push(&world, &world.root, "app"));
    for (status, body) in futures_util::future::join_all(pushes).await {
        assert_eq!(status, 201, "{body}");
    }
}

/// ECR user guide, "Creating a repository creation template", "IAM permissions for creating repository creation
/// templates".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_makes_a_template_may_do_what_it_does() {
    let world = World::new().await;
    let role = format!("arn:aws:iam::{ACCOUNT}:role/maker");
    let may = statement("Allow", &["ecr:TagResource"], "*");
    world.role(&world.root, "maker", ACCOUNT, &may).await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage"}]}"#;
    let input = ecr::CreateRepositoryCreationTemplateRequest {
        prefix: "team".into(),
        applied_for: vec![ecr::RCTAppliedFor::CreateOnPush],
        repository_policy: Some(policy.into()),
        custom_role_arn: Some(role.clone()),
        ..Default::default()
    };
    let user = world.user(&world.root, "ops", "").await;
    let repositories = format!("arn:aws:ecr:us-east-1:{ACCOUNT}:repository/team/*");
    let may = [
        ("ecr:CreateRepositoryCreationTemplate", "*"),
        ("ecr:CreateRepository", repositories.as_str()),
        ("ecr:SetRepositoryPolicy", repositories.as_str()),
        ("iam:PassRole", role.as_str()),
    ];
    for count in 0..=may.len() {
        let statements: Vec<_> = may[..count]
            .iter()
            .map(|(action, resource)| statement("Allow", &[action], resource))
            .collect();
        if count > 0 {
            world
                .policy(&world.root, "ops", &statements.join(","))
                .await;
        }
        let made = world
            .aws::<ecr::ops::CreateRepositoryCreationTemplate>(&user, &input)
            .await;
        match may.get(count) {
            Some((action, _)) => {
                let message = made.unwrap_err().message;
                assert!(
                    message.contains(&format!("perform: {action} on")),
                    "{message}"
                );
            }
            None => drop(made.unwrap()),
        }
    }
}
