//! What goes on while the audit log cannot be written.

use std::time::Duration;

use aws_api::{ecr, iam, sts};
use http::Method;

use super::world::World;
use crate::health::Problem;

/// Puts a directory where the next day's log must be, and waits until the server has noticed.
async fn break_the_log(world: &World) {
    world.pass(24 * 3600);
    let login = world.login(&world.root).await;
    let headers = [("authorization", login.as_str())];
    std::fs::create_dir_all(world.directory.path().join("audit/2026-11-23.jsonl")).unwrap();
    let mut tries = 0..100_000;
    while world.app.audit.is_available() {
        assert!(tries.next().is_some(), "the failure was never noticed");
        // A read, whose event cannot be written.
        world.send(Method::GET, "/v2/_catalog", &headers, "").await;
    }
}

/// What the audit log's reserve holds once this event is there: its line is queued before the answer, and written soon
/// after it.
async fn reserve_with(world: &World, event: &str) -> String {
    let path = world.directory.path().join("audit-reserve");
    for _ in 0..10_000 {
        let reserve = std::fs::read(&path).unwrap();
        let reserve = String::from_utf8_lossy(&reserve).into_owned();
        if reserve.contains(event) {
            return reserve;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("{event} never came to the reserve");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_and_revocations_go_on_while_the_audit_log_cannot_be_written() {
    let world = World::new().await;
    break_the_log(&world).await;
    let root = &world.root;
    let login = world.login(root).await;
    let headers = [("authorization", login.as_str())];

    let created = ecr::CreateRepositoryRequest {
        repository_name: "app1".to_owned(),
        ..Default::default()
    };
    let refused = world
        .aws::<ecr::ops::CreateRepository>(root, &created)
        .await
        .unwrap_err();
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.message.contains("audit log"), "{refused:?}");
    let key = iam::CreateAccessKeyRequest { user_name: None };
    let refused = world
        .aws::<iam::ops::CreateAccessKey>(root, &key)
        .await
        .unwrap_err();
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (503, "ServiceUnavailable")
    );
    let token = sts::GetSessionTokenRequest::default();
    let refused = world
        .aws::<sts::ops::GetSessionToken>(root, &token)
        .await
        .unwrap_err();
    assert_eq!(refused.status, 503);
    let reply = world
        .send(Method::POST, "/v2/app1/blobs/uploads/", &headers, "")
        .await;
    assert_eq!(
        (reply.status, reply.oci_code().as_str()),
        (503, "UNAVAILABLE")
    );
    assert_eq!(reply.header("retry-after"), "1");

    let reply = world.send(Method::GET, "/v2/_catalog", &headers, "").await;
    assert_eq!(reply.status, 200);
    let token = ecr::GetAuthorizationTokenRequest::default();
    world
        .aws::<ecr::ops::GetAuthorizationToken>(root, &token)
        .await
        .unwrap();
    let inactive = iam::UpdateAccessKeyRequest {
        user_name: None,
        access_key_id: root.id.clone(),
        status: iam::StatusType::Inactive,
    };
    world
        .aws::<iam::ops::UpdateAccessKey>(root, &inactive)
        .await
        .unwrap();
    let reserve = reserve_with(&world, "UpdateAccessKey").await;
    assert!(!reserve.contains("CreateAccessKey"));
}

/// Clients repeat a request after 503, and 507 ends their push.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_without_space_is_refused_with_503_by_either_api() {
    let world = World::new().await;
    world.repository(&world.root, "app1").await;
    let login = world.login(&world.root).await;
    let headers = [("authorization", login.as_str())];
    world.app.health.set(Problem::DiskReserve, true);

    let reply = world
        .send(Method::POST, "/v2/app1/blobs/uploads/", &headers, "")
        .await;
    assert_eq!(
        (reply.status, reply.oci_code().as_str()),
        (503, "UNAVAILABLE")
    );
    assert_eq!(reply.header("retry-after"), "1");
    let input = ecr::InitiateLayerUploadRequest {
        repository_name: "app1".to_owned(),
        ..Default::default()
    };
    let refused = world
        .aws::<ecr::ops::InitiateLayerUpload>(&world.root, &input)
        .await
        .unwrap_err();
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (503, "ServiceUnavailableException")
    );
    let reply = world.send(Method::GET, "/v2/_catalog", &headers, "").await;
    assert_eq!(reply.status, 200);
}
