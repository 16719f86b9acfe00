//! The read-only mode, of the server and of a repository.

use aws_api::{berth, ecr, iam, sts};
use bytes::Bytes;
use http::Method;

use super::world::{ACCOUNT, OTHER, Person, Refused, World, statement};

async fn put(
    world: &World,
    person: &Person,
    repository: Option<&str>,
    enabled: bool,
    reason: &str,
) -> Result<berth::ReadOnlyMode, Refused> {
    let input = berth::PutReadOnlyModeRequest {
        enabled,
        reason: (!reason.is_empty()).then(|| reason.to_owned()),
        registry_id: None,
        repository_name: repository.map(str::to_owned),
    };
    let put = world
        .aws::<berth::ops::PutReadOnlyMode>(person, &input)
        .await?;
    Ok(put.read_only_mode)
}

async fn get(world: &World, person: &Person, repository: Option<&str>) -> berth::ReadOnlyMode {
    let input = berth::GetReadOnlyModeRequest {
        registry_id: None,
        repository_name: repository.map(str::to_owned),
    };
    let got = world
        .aws::<berth::ops::GetReadOnlyMode>(person, &input)
        .await;
    got.unwrap().read_only_mode
}

async fn upload(world: &World, name: &str) -> (u16, String) {
    let login = world.login(&world.root).await;
    let headers = [("authorization", login.as_str())];
    let path = format!("/v2/{name}/blobs/uploads/");
    let reply = world
        .send(Method::POST, &path, &headers, Bytes::new())
        .await;
    (reply.status, reply.text().to_owned())
}

async fn ready(world: &World, query: &str) -> (u16, String) {
    let reply = world
        .send(Method::GET, &format!("/readyz{query}"), &[], Bytes::new())
        .await;
    (reply.status, reply.text().to_owned())
}

fn create(name: &str) -> ecr::CreateRepositoryRequest {
    ecr::CreateRepositoryRequest {
        repository_name: name.into(),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_server_refuses_writes_and_serves_reads() {
    let world = World::new().await;
    let root = world.root.clone();
    world.repository(&root, "app").await;
    world
        .role(&root, "job", ACCOUNT, &statement("Allow", &["ecr:*"], "*"))
        .await;
    let may = statement("Allow", &["sts:AssumeRole"], "*");
    let user = world.user(&root, "ci", &may).await;
    assert!(!get(&world, &root, None).await.enabled);
    let mode = put(&world, &root, None, true, "moving the disk")
        .await
        .unwrap();
    assert_eq!(mode, get(&world, &root, None).await);
    assert_eq!(
        mode.changed_by,
        Some(format!("arn:aws:iam::{ACCOUNT}:root"))
    );

    let refused = world
        .aws::<ecr::ops::CreateRepository>(&root, &create("new"))
        .await
        .unwrap_err();
    let message = "The server is in read-only mode: moving the disk";
    assert_eq!(
        (
            refused.status,
            refused.code.as_str(),
            refused.message.as_str()
        ),
        (400, "ReadOnlyModeException", message)
    );
    let input = iam::CreateUserRequest {
        user_name: "new".into(),
        ..Default::default()
    };
    let refused = world
        .aws::<iam::ops::CreateUser>(&root, &input)
        .await
        .unwrap_err();
    assert_eq!(refused.message, message);
    let (status, body) = upload(&world, "app").await;
    assert_eq!(status, 403);
    assert!(body.contains("DENIED") && body.contains(message), "{body}");

    // Reads, logins and roles go on.
    let list = ecr::DescribeRepositoriesRequest::default();
    world
        .aws::<ecr::ops::DescribeRepositories>(&root, &list)
        .await
        .unwrap();
    let token = ecr::GetAuthorizationTokenRequest::default();
    world
        .aws::<ecr::ops::GetAuthorizationToken>(&root, &token)
        .await
        .unwrap();
    let assume = sts::AssumeRoleRequest {
        role_arn: format!("arn:aws:iam::{ACCOUNT}:role/job"),
        role_session_name: "one".into(),
        ..Default::default()
    };
    world.assume(&user, &assume).await.unwrap();

    assert_eq!(ready(&world, "").await, (200, "ok\n".to_owned()));
    assert_eq!(
        ready(&world, "?for=write").await,
        (503, format!("not ready\n{message}\n"))
    );
    put(&world, &root, None, false, "").await.unwrap();
    assert_eq!(ready(&world, "?for=write").await.0, 200);
    assert_eq!(upload(&world, "app").await.0, 202);
    world
        .aws::<ecr::ops::CreateRepository>(&root, &create("new"))
        .await
        .unwrap();
    let events = world.stop().await;
    let changes = events
        .iter()
        .filter(|event| event["eventName"] == "PutReadOnlyMode");
    assert_eq!(changes.count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_repository_refuses_writes_alone() {
    let world = World::new().await;
    let root = world.root.clone();
    for name in ["frozen", "other"] {
        world.repository(&root, name).await;
    }
    assert_eq!(upload(&world, "frozen").await.0, 202);
    put(&world, &root, Some("frozen"), true, "release 1.0")
        .await
        .unwrap();
    let (status, body) = upload(&world, "frozen").await;
    assert_eq!(status, 403);
    let message = format!(
        "The repository with name 'frozen' in the registry with id '{ACCOUNT}' is in read-only mode: release 1.0"
    );
    assert!(body.contains(&message), "{body}");
    assert_eq!(upload(&world, "other").await.0, 202);
    let delete = ecr::DeleteRepositoryRequest {
        repository_name: "frozen".into(),
        ..Default::default()
    };
    let refused = world
        .aws::<ecr::ops::DeleteRepository>(&root, &delete)
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code.as_str(), refused.message),
        ("ReadOnlyModeException", message)
    );
    let images = ecr::ListImagesRequest {
        repository_name: "frozen".into(),
        ..Default::default()
    };
    world
        .aws::<ecr::ops::ListImages>(&root, &images)
        .await
        .unwrap();
    assert_eq!(ready(&world, "?for=write").await.0, 200);
    put(&world, &root, Some("frozen"), false, "").await.unwrap();
    world
        .aws::<ecr::ops::DeleteRepository>(&root, &delete)
        .await
        .unwrap();
    let gone = put(&world, &root, Some("frozen"), true, "")
        .await
        .unwrap_err();
    assert_eq!(gone.code, "RepositoryNotFoundException");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_stops_the_pushes_of_no_other_one() {
    let world = World::new().await;
    let other = world.other_account().await;
    let refused = put(&world, &other, None, true, "mine").await.unwrap_err();
    assert_eq!(refused.code, "AccessDeniedException");
    assert!(refused.message.contains(ACCOUNT), "{refused:?}");
    world.repository(&other, "app").await;
    put(&world, &other, Some("app"), true, "").await.unwrap();
    put(&world, &world.root, None, true, "all").await.unwrap();
    let seen = get(&world, &other, None).await;
    assert_eq!((seen.enabled, seen.changed_by), (true, None));
    assert!(other.id != world.root.id && OTHER != ACCOUNT);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mode_of_a_repository_is_a_permission_on_it() {
    let world = World::new().await;
    for name in ["mine", "other"] {
        world.repository(&world.root, name).await;
    }
    let arn = format!("arn:aws:ecr:us-east-1:{ACCOUNT}:repository/mine");
    let may = statement("Allow", &["berth:PutReadOnlyMode"], &arn);
    let user = world.user(&world.root, "ops", &may).await;
    put(&world, &user, Some("mine"), true, "").await.unwrap();
    for repository in [Some("other"), None] {
        let refused = put(&world, &user, repository, true, "").await.unwrap_err();
        assert_eq!(refused.code, "AccessDeniedException", "{repository:?}");
    }
}
