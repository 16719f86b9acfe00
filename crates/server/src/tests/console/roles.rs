//! Switching roles.

use aws_api::iam;
use serde_json::{Value, json};

use super::browser::{Browser, PASSWORD, code, json_of, named, person, user, works};
use crate::tests::world::{ACCOUNT, OTHER, World};

const ASSUME: &str = r#"{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}"#;
const READ: &str = r#"{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*"}"#;

fn to(account: &str, role: &str) -> Value {
    json!({"account": account, "role": role, "displayName": "Ops", "color": "#AA0000"})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switches_to_a_role_of_another_account_and_back() {
    let world = World::new().await;
    user(&world, "alice", ASSUME).await;
    let other = world.other_account().await;
    let trusted = format!("arn:aws:iam::{ACCOUNT}:user/alice");
    world.role(&other, "ops", &trusted, READ).await;
    let mut browser = Browser::new(&world);
    browser.sign_in("alice", PASSWORD).await;
    let alice = browser.credentials().await;
    let before = browser.cookie.clone();
    let reply = browser.post("session/role", &to(OTHER, "ops")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let given = json_of(&reply);
    assert_eq!(given["kind"], "role");
    assert_eq!(given["account"], OTHER);
    let arn = format!("arn:aws:sts::{OTHER}:assumed-role/ops/alice");
    assert_eq!(given["arn"], arn.as_str());
    let switched = json!({"displayName": "Ops", "color": "aa0000", "from": trusted});
    assert_eq!(given["switched"], switched);
    let ops = person(&reply);
    let roles = iam::ListRolesRequest::default();
    assert!(world.aws::<iam::ops::ListRoles>(&ops, &roles).await.is_ok());
    assert!(works(&world, &browser.credentials().await).await);
    // Trap: a new session id at a role switch.
    assert_ne!(browser.cookie, before);
    let mut old = Browser::new(&world);
    old.cookie = before;
    assert_eq!(old.refusal().await, "NoSession");

    let reply = browser.post("session/role/back", &json!({})).await;
    assert_eq!(json_of(&reply)["name"], "alice");
    assert!(works(&world, &alice).await);
    browser.post("session/end", &json!({})).await;
    assert!(
        !works(&world, &ops).await,
        "the role's credentials end with the session"
    );

    let events = world.stop().await;
    let assumed = named(&events, "AssumeRole");
    assert_eq!(assumed.len(), 1);
    assert_eq!(assumed[0]["userIdentity"]["userName"], "alice");
    let switch = named(&events, "SwitchRole")[0];
    assert_eq!(switch["eventType"], "AwsConsoleSignIn");
    assert_eq!(switch["recipientAccountId"], OTHER);
    assert_eq!(switch["userIdentity"]["arn"], arn.as_str());
    assert_eq!(
        switch["additionalEventData"]["SwitchFrom"],
        trusted.as_str()
    );
    assert_eq!(switch["responseElements"], json!({"SwitchRole": "Success"}));
    let exit = named(&events, "ExitRole")[0];
    assert_eq!(exit["responseElements"], json!({"ExitRole": "Success"}));
    let ids: std::collections::HashSet<_> = events
        .iter()
        .map(|event| event["eventID"].to_string())
        .collect();
    assert_eq!(ids.len(), events.len(), "each event has an id of its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_does_not_trust_refuses_as_one_that_is_not_there() {
    let world = World::new().await;
    user(&world, "alice", ASSUME).await;
    let other = world.other_account().await;
    world
        .role(&other, "ops", &format!("arn:aws:iam::{OTHER}:root"), READ)
        .await;
    let mut browser = Browser::new(&world);
    browser.sign_in("alice", PASSWORD).await;
    let cookie = browser.cookie.clone();
    let mut texts = Vec::new();
    for (account, role) in [(OTHER, "ops"), (OTHER, "none"), ("999999999999", "ops")] {
        let reply = browser.post("session/role", &to(account, role)).await;
        assert_eq!(reply.status, 403);
        let answer = json_of(&reply);
        assert!(answer["code"].as_str().unwrap().contains("AccessDenied"));
        assert!(answer["requestId"].is_string());
        let message = answer["message"].as_str().unwrap();
        texts.push(message.replace(account, "ACCOUNT").replace(role, "ROLE"));
    }
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    // The session is what it was.
    assert_eq!(browser.cookie, cookie);
    browser.credentials().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn root_switches_to_no_role() {
    let world = World::new().await;
    let root = format!("arn:aws:iam::{ACCOUNT}:root");
    world.role(&world.root, "ops", &root, READ).await;
    let mut browser = Browser::new(&world);
    browser.sign_in_by_key(&world.root).await;
    let reply = browser.post("session/role", &to(ACCOUNT, "ops")).await;
    assert_eq!(reply.status, 403, "{}", reply.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_session_ends_with_its_role_and_its_user() {
    let world = World::new().await;
    user(&world, "alice", ASSUME).await;
    let other = world.other_account().await;
    let trusted = format!("arn:aws:iam::{ACCOUNT}:user/alice");
    world.role(&other, "ops", &trusted, READ).await;
    let mut browser = Browser::new(&world);
    browser.sign_in("alice", PASSWORD).await;
    let ops = person(&browser.post("session/role", &to(OTHER, "ops")).await);
    let policy = iam::DeleteRolePolicyRequest {
        role_name: "ops".to_owned(),
        policy_name: "inline".to_owned(),
    };
    world
        .aws::<iam::ops::DeleteRolePolicy>(&other, &policy)
        .await
        .unwrap();
    let role = iam::DeleteRoleRequest {
        role_name: "ops".to_owned(),
    };
    world
        .aws::<iam::ops::DeleteRole>(&other, &role)
        .await
        .unwrap();
    assert!(!works(&world, &ops).await);
    assert_eq!(browser.refusal().await, "RoleSessionEnded");
    let reply = browser.post("session/role/back", &json!({})).await;
    assert_eq!(json_of(&reply)["kind"], "user");

    world.role(&other, "ops", &trusted, READ).await;
    let ops = person(&browser.post("session/role", &to(OTHER, "ops")).await);
    assert!(works(&world, &ops).await);
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
    assert!(!works(&world, &ops).await, "its user's session is over");
    assert_eq!(browser.refusal().await, "NoSession");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_badge_is_a_short_text_and_a_color() {
    let world = World::new().await;
    user(&world, "alice", ASSUME).await;
    let mut browser = Browser::new(&world);
    browser.sign_in("alice", PASSWORD).await;
    for body in [
        json!({"account": ACCOUNT, "role": "ops", "color": "red;background:url(//x)"}),
        json!({"account": ACCOUNT, "role": "ops", "displayName": "a\u{7}b"}),
    ] {
        let reply = browser.post("session/role", &body).await;
        assert_eq!(
            (reply.status, code(&reply).as_str()),
            (400, "InvalidRequest")
        );
    }
}
