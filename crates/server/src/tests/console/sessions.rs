//! How a session ends: its credentials are refused at the next request.

use aws_api::iam;
use http::Method;
use serde_json::json;

use super::browser::{Browser, PASSWORD, code, user, works};
use crate::tests::world::{Person, World};

async fn signed_in<'w>(world: &'w World, name: &str) -> (Browser<'w>, Person) {
    let mut browser = Browser::new(world);
    let reply = browser.sign_in(name, PASSWORD).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let person = browser.credentials().await;
    assert!(works(world, &person).await);
    (browser, person)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_ends_the_credentials_and_the_docker_login() {
    let world = World::new().await;
    user(&world, "alice", "").await;
    let (mut browser, alice) = signed_in(&world, "alice").await;
    let (mut other, elsewhere) = signed_in(&world, "alice").await;
    let login = world.login(&alice).await;
    let base = async || {
        let headers = [("authorization", login.as_str())];
        world.send(Method::GET, "/v2/", &headers, "").await.status
    };
    assert_eq!(base().await, 200);
    let cookie = browser.cookie.clone();
    let reply = browser.post("session/end", &json!({})).await;
    assert_eq!(reply.status, 204);
    assert!(reply.header("set-cookie").contains("Max-Age=0"));
    assert!(!works(&world, &alice).await);
    assert_eq!(base().await, 401);
    browser.cookie = cookie;
    assert_eq!(browser.refusal().await, "NoSession");
    // The session in another browser goes on.
    assert!(works(&world, &elsewhere).await);
    other.credentials().await;
    // A second time there is nothing to end.
    assert_eq!(browser.post("session/end", &json!({})).await.status, 204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_ends_the_sessions_of_the_old_one() {
    let world = World::new().await;
    user(&world, "alice", "").await;
    let (mut browser, alice) = signed_in(&world, "alice").await;
    world.pass(1);
    let input = iam::UpdateLoginProfileRequest {
        user_name: "alice".to_owned(),
        password: Some("Another-horse2".into()),
        ..Default::default()
    };
    world
        .aws::<iam::ops::UpdateLoginProfile>(&world.root, &input)
        .await
        .unwrap();
    assert!(!works(&world, &alice).await);
    assert_eq!(browser.refusal().await, "NoSession");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_end_with_the_login_profile_and_with_the_user() {
    let world = World::new().await;
    let key = user(&world, "alice", "").await;
    let (mut browser, alice) = signed_in(&world, "alice").await;
    let input = iam::DeleteLoginProfileRequest {
        user_name: Some("alice".to_owned()),
    };
    world
        .aws::<iam::ops::DeleteLoginProfile>(&world.root, &input)
        .await
        .unwrap();
    assert!(!works(&world, &alice).await);
    assert_eq!(browser.refusal().await, "NoSession");

    let mut browser = Browser::new(&world);
    browser.sign_in_by_key(&key).await;
    let by_key = browser.credentials().await;
    let input = iam::UpdateAccessKeyRequest {
        user_name: Some("alice".to_owned()),
        access_key_id: key.id.clone(),
        status: iam::StatusType::Inactive,
    };
    world
        .aws::<iam::ops::UpdateAccessKey>(&world.root, &input)
        .await
        .unwrap();
    assert!(!works(&world, &by_key).await, "the key is not active");
    assert_eq!(browser.refusal().await, "NoSession");

    user(&world, "bob", "").await;
    let (mut browser, bob) = signed_in(&world, "bob").await;
    let keys = iam::ListAccessKeysRequest {
        user_name: Some("bob".to_owned()),
        ..Default::default()
    };
    let keys = world.aws::<iam::ops::ListAccessKeys>(&world.root, &keys);
    for key in keys.await.unwrap().access_key_metadata {
        let input = iam::DeleteAccessKeyRequest {
            user_name: Some("bob".to_owned()),
            access_key_id: key.access_key_id.unwrap(),
        };
        world
            .aws::<iam::ops::DeleteAccessKey>(&world.root, &input)
            .await
            .unwrap();
    }
    let input = iam::DeleteLoginProfileRequest {
        user_name: Some("bob".to_owned()),
    };
    world
        .aws::<iam::ops::DeleteLoginProfile>(&world.root, &input)
        .await
        .unwrap();
    let input = iam::DeleteUserRequest {
        user_name: "bob".to_owned(),
    };
    world
        .aws::<iam::ops::DeleteUser>(&world.root, &input)
        .await
        .unwrap();
    assert!(!works(&world, &bob).await);
    assert_eq!(browser.refusal().await, "NoSession");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_end_after_an_idle_hour_and_after_twelve() {
    let world = World::new().await;
    user(&world, "alice", "").await;
    let (mut browser, _) = signed_in(&world, "alice").await;
    for _ in 0..12 {
        world.pass(59 * 60);
        browser.credentials().await;
    }
    world.pass(12 * 60);
    let reply = browser.post("session/credentials", &json!({})).await;
    assert_eq!(code(&reply), "NoSession", "twelve hours are over");

    let (mut browser, _) = signed_in(&world, "alice").await;
    world.pass(60 * 60);
    assert_eq!(browser.refusal().await, "NoSession", "an hour without use");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_last_a_quarter_of_an_hour() {
    let world = World::new().await;
    user(&world, "alice", "").await;
    let (_, alice) = signed_in(&world, "alice").await;
    world.pass(15 * 60);
    let input = aws_api::sts::GetCallerIdentityRequest::default();
    let answer = world
        .aws::<aws_api::sts::ops::GetCallerIdentity>(&alice, &input)
        .await;
    assert_eq!(answer.unwrap_err().code, "ExpiredToken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_principal_has_a_bounded_number_of_sessions() {
    let world = World::new().await;
    let alice = user(&world, "alice", "").await;
    let mut first = Browser::new(&world);
    first.sign_in_by_key(&alice).await;
    let given = first.credentials().await;
    for _ in 0..20 {
        world.pass(1);
        Browser::new(&world).sign_in_by_key(&alice).await;
    }
    assert_eq!(first.refusal().await, "NoSession");
    assert!(!works(&world, &given).await);
}
