//! Docker's token protocol: a token carries its principal and narrows what it is used for; what the principal
//! may do is decided at each request.

use aws_api::{berth, iam, sts};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::Value;

use super::world::{ACCOUNT, OTHER, Person, Reply, World, statement};

const PULL: [&str; 3] = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
];
const PUSH: [&str; 4] = [
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
];
const UPLOADS: &str = "/v2/app/blobs/uploads/";
const TAGS: &str = "/v2/app/tags/list";

async fn world() -> World {
    let world = World::new().await;
    world.repository(&world.root, "app").await;
    world.repository(&world.root, "other").await;
    world
}

async fn pusher(world: &World) -> Person {
    let actions = [&PULL[..], &PUSH[..], &["ecr:ListImages"]].concat();
    world
        .user(&world.root, "alice", &statement("Allow", &actions, "*"))
        .await
}

async fn get(world: &World, path: &str, authorization: &str) -> Reply {
    let headers = [("authorization", authorization)];
    world.send(Method::GET, path, &headers, "").await
}

/// The status of an upload's begin.
async fn upload(world: &World, authorization: &str) -> u16 {
    let headers = [("authorization", authorization)];
    world.send(Method::POST, UPLOADS, &headers, "").await.status
}

fn document(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

/// The `Authorization` header of a token with these scopes.
async fn bearer(world: &World, person: &Person, scopes: &str) -> String {
    let login = world.login(person).await;
    of_login(world, &login, scopes).await
}

async fn of_login(world: &World, authorization: &str, scopes: &str) -> String {
    let path = format!("/token?service=ecr.amazonaws.com&scope={scopes}");
    let reply = get(world, &path, authorization).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("cache-control"), "no-store");
    let token = document(&reply)["token"].as_str().unwrap().to_owned();
    format!("Bearer {token}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_for_its_scope_alone() {
    let world = world().await;
    let alice = pusher(&world).await;
    let pull = bearer(&world, &alice, "repository:app:pull").await;
    assert_eq!(get(&world, "/v2/", &pull).await.status, 200);
    assert_eq!(get(&world, TAGS, &pull).await.status, 200);
    assert_eq!(upload(&world, &pull).await, 403);
    assert_eq!(get(&world, "/v2/other/tags/list", &pull).await.status, 403);
    assert_eq!(get(&world, "/v2/_catalog", &pull).await.status, 403);
    let push = bearer(&world, &alice, "repository:app:pull,push").await;
    assert_eq!(upload(&world, &push).await, 202);
    // A token without a scope proves a login.
    let none = bearer(&world, &alice, "").await;
    assert_eq!(get(&world, "/v2/", &none).await.status, 200);
    assert_eq!(get(&world, TAGS, &none).await.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_permits_nothing_that_its_principal_may_not() {
    let world = world().await;
    let puller = statement("Allow", &[&PULL[..], &["ecr:ListImages"]].concat(), "*");
    let alice = world.user(&world.root, "alice", &puller).await;
    let token = bearer(&world, &alice, "repository:app:pull,push").await;
    assert_eq!(get(&world, TAGS, &token).await.status, 200);
    assert_eq!(upload(&world, &token).await, 403);
    // Each request is decided anew.
    world
        .policy(&world.root, "alice", &statement("Allow", &PUSH, "*"))
        .await;
    assert_eq!(upload(&world, &token).await, 202);
    assert_eq!(get(&world, TAGS, &token).await.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_ends_with_its_key_its_user_and_its_time() {
    let world = world().await;
    let alice = pusher(&world).await;
    let token = bearer(&world, &alice, "repository:app:pull").await;
    let switch = |status| iam::UpdateAccessKeyRequest {
        user_name: Some("alice".to_owned()),
        access_key_id: alice.id.clone(),
        status,
    };
    let inactive = switch(iam::StatusType::Inactive);
    world
        .aws::<iam::ops::UpdateAccessKey>(&world.root, &inactive)
        .await
        .unwrap();
    let reply = get(&world, TAGS, &token).await;
    assert_eq!(
        (reply.status, reply.oci_code().as_str()),
        (401, "UNAUTHORIZED")
    );
    let active = switch(iam::StatusType::Active);
    world
        .aws::<iam::ops::UpdateAccessKey>(&world.root, &active)
        .await
        .unwrap();
    assert_eq!(get(&world, TAGS, &token).await.status, 200);
    world.pass(599);
    assert_eq!(get(&world, TAGS, &token).await.status, 200);
    world.pass(1);
    assert_eq!(get(&world, TAGS, &token).await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_of_a_revoked_session_stops_working() {
    let world = world().await;
    let actions = [&PULL[..], &["ecr:ListImages"]].concat();
    let allowed = statement("Allow", &actions, "*");
    world.role(&world.root, "ci", ACCOUNT, &allowed).await;
    let assumes = statement("Allow", &["sts:AssumeRole"], "*");
    let alice = world.user(&world.root, "alice", &assumes).await;
    let input = sts::AssumeRoleRequest {
        role_arn: format!("arn:aws:iam::{ACCOUNT}:role/ci"),
        role_session_name: "job".to_owned(),
        ..Default::default()
    };
    let session = world.assume(&alice, &input).await.unwrap();
    let token = bearer(&world, &session, "repository:app:pull").await;
    assert_eq!(get(&world, TAGS, &token).await.status, 200);
    // What the console writes to revoke older sessions.
    let input = iam::PutRolePolicyRequest {
        role_name: "ci".to_owned(),
        policy_name: "AWSRevokeOlderSessions".to_owned(),
        policy_document: super::world::document(
            r#"{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-11-22T13:00:00Z"}}}"#,
        ),
    };
    world
        .aws::<iam::ops::PutRolePolicy>(&world.root, &input)
        .await
        .unwrap();
    assert_eq!(get(&world, TAGS, &token).await.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_of_a_token_is_no_wider_and_lasts_no_longer() {
    let world = world().await;
    let alice = pusher(&world).await;
    let first = bearer(&world, &alice, "repository:app:pull").await;
    world.pass(300);
    let second = of_login(
        &world,
        &first,
        "repository:app:pull,push%20repository:other:pull",
    )
    .await;
    assert_eq!(get(&world, TAGS, &second).await.status, 200);
    assert_eq!(upload(&world, &second).await, 403);
    assert_eq!(
        get(&world, "/v2/other/tags/list", &second).await.status,
        403
    );
    world.pass(300);
    assert_eq!(get(&world, TAGS, &second).await.status, 401);
    // As the password of a docker login it is the same token.
    let token = bearer(&world, &alice, "repository:app:pull").await;
    let token = token.trim_start_matches("Bearer ");
    let basic = format!("Basic {}", STANDARD.encode(format!("AWS:{token}")));
    assert_eq!(get(&world, TAGS, &basic).await.status, 200);
    assert_eq!(upload(&world, &basic).await, 403);
    let again = of_login(&world, &basic, "repository:app:push").await;
    assert_eq!(upload(&world, &again).await, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_of_the_registry_that_it_was_asked_of() {
    let world = world().await;
    let all = statement("Allow", &["ecr:*"], "*");
    let alice = world.user(&world.root, "alice", &all).await;
    let login = world.login(&alice).await;
    let host = format!("{OTHER}.dkr.ecr.us-east-1.example.com");
    let headers = [("authorization", login.as_str()), ("host", host.as_str())];
    let path = "/token?scope=repository:app:pull";
    let reply = world.send(Method::GET, path, &headers, "").await;
    let token = format!("Bearer {}", document(&reply)["token"].as_str().unwrap());
    assert_eq!(get(&world, TAGS, &token).await.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_without_credentials_gets_no_token() {
    let world = World::with(|settings| settings.token_auth = true).await;
    let path = "/token?scope=repository:app:pull";
    let password = world.login(&world.root).await.replace("Basic ", "");
    let swapped = STANDARD.encode(format!("somebody:{password}"));
    for authorization in [
        "",
        "Basic QVdTOm5vdGhpbmc=",
        &format!("Basic {swapped}"),
        "Bearer bt.x",
    ] {
        let headers = [("authorization", authorization)];
        let headers = &headers[usize::from(authorization.is_empty())..];
        let reply = world.send(Method::GET, path, headers, "").await;
        assert_eq!(reply.status, 401, "{authorization}");
        // The way to a token is a password: Bearer would lead here again.
        assert!(reply.header("www-authenticate").starts_with("Basic "));
        assert!(!reply.text().contains("token\":"));
    }
    // A password is no bearer token.
    let login = world.login(&world.root).await;
    let decoded = STANDARD.decode(login.trim_start_matches("Basic ")).unwrap();
    let password = String::from_utf8(decoded).unwrap().replace("AWS:", "");
    let reply = get(&world, "/v2/", &format!("Bearer {password}")).await;
    assert_eq!(reply.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_form_of_oauth2_gives_the_same_token() {
    let world = world().await;
    let alice = pusher(&world).await;
    let login = world.login(&alice).await;
    let decoded = STANDARD.decode(login.trim_start_matches("Basic ")).unwrap();
    let password = String::from_utf8(decoded).unwrap().replace("AWS:", "");
    let post = async |form: String| {
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        world.send(Method::POST, "/token", &kind, form).await
    };
    let asked = "service=ecr.amazonaws.com&client_id=test&scope=repository:app:pull";
    let by_password = format!("grant_type=password&username=AWS&password={password}");
    let reply = post(format!("{by_password}&access_type=offline&{asked}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let granted = document(&reply);
    assert_eq!(granted["scope"], "repository:app:pull");
    assert_eq!(granted["expires_in"], 600);
    let token = format!("Bearer {}", granted["access_token"].as_str().unwrap());
    assert_eq!(get(&world, TAGS, &token).await.status, 200);

    let refresh = granted["refresh_token"].as_str().unwrap();
    let reply = post(format!(
        "grant_type=refresh_token&refresh_token={refresh}&{asked}"
    ))
    .await;
    let again = document(&reply);
    assert_eq!(again["refresh_token"], Value::Null);
    let token = format!("Bearer {}", again["access_token"].as_str().unwrap());
    assert_eq!(get(&world, TAGS, &token).await.status, 200);

    for (form, error) in [
        (
            format!("grant_type=password&username=bob&password={password}"),
            "invalid_grant",
        ),
        (
            "grant_type=password&username=AWS&password=wrong".to_owned(),
            "invalid_grant",
        ),
        ("grant_type=refresh_token".to_owned(), "invalid_grant"),
        (
            "grant_type=client_credentials".to_owned(),
            "unsupported_grant_type",
        ),
        (String::new(), "unsupported_grant_type"),
        ("x".repeat(25 * 1024), "invalid_request"),
    ] {
        let reply = post(form).await;
        assert_eq!(reply.status, 400);
        assert_eq!(document(&reply)["error"], error);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn challenges_offer_one_scheme() {
    for token_auth in [false, true] {
        let world = World::with(|settings| settings.token_auth = token_auth).await;
        world.repository(&world.root, "app").await;
        let challenge = async |method: Method, path: &str| {
            let reply = world.send(method, path, &[], "").await;
            assert_eq!(reply.status, 401);
            let all = reply.headers.get_all("www-authenticate").iter();
            let all: Vec<&str> = all.map(|value| value.to_str().unwrap()).collect();
            let [one] = all.as_slice() else {
                panic!("{all:?}")
            };
            (*one).to_owned()
        };
        let base = challenge(Method::GET, "/v2/").await;
        let push = challenge(Method::POST, UPLOADS).await;
        if !token_auth {
            assert!(base.starts_with("Basic realm=") && push.starts_with("Basic realm="));
            continue;
        }
        let realm = format!("Bearer realm=\"http://{}/token\"", world.address);
        assert_eq!(base, format!("{realm},service=\"ecr.amazonaws.com\""));
        let scope = ",scope=\"repository:app:pull,push\"";
        assert_eq!(
            push,
            format!("{realm},service=\"ecr.amazonaws.com\"{scope}")
        );
        // A password goes on working; a token with too small a scope is sent for another one.
        let login = world.login(&world.root).await;
        assert_eq!(upload(&world, &login).await, 202);
        let pull = of_login(&world, &login, "repository:app:pull").await;
        let headers = [("authorization", pull.as_str())];
        let reply = world.send(Method::POST, UPLOADS, &headers, "").await;
        assert_eq!(reply.status, 401);
        let challenge = reply.header("www-authenticate");
        assert!(
            challenge.ends_with("error=\"insufficient_scope\""),
            "{challenge}"
        );
        assert!(challenge.contains(scope), "{challenge}");
        world.pass(600);
        let reply = get(&world, TAGS, &pull).await;
        assert!(
            reply
                .header("www-authenticate")
                .ends_with("error=\"invalid_token\"")
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_tokens_name_the_principal_and_hold_no_token() {
    let world = world().await;
    let alice = pusher(&world).await;
    let token = bearer(&world, &alice, "repository:app:pull").await;
    assert_eq!(upload(&world, &token).await, 403);
    let login = world.login(&alice).await;
    let events = world.stop().await;
    let named = |name: &str| {
        events
            .iter()
            .find(|event| event["eventName"] == name)
            .unwrap()
    };
    let issued = named("GetRegistryToken");
    assert_eq!(issued["userIdentity"]["userName"], "alice");
    assert_eq!(
        issued["requestParameters"]["grantedScope"],
        "repository:app:pull"
    );
    let refused = named("InitiateLayerUpload");
    assert_eq!(refused["userIdentity"]["userName"], "alice");
    assert!(refused["errorCode"].is_string());
    let log = serde_json::to_string(&events).unwrap();
    for secret in [
        token.trim_start_matches("Bearer "),
        login.trim_start_matches("Basic "),
    ] {
        assert!(!log.contains(secret));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_for_a_job_needs_the_right_to_log_in() {
    let world = world().await;
    let alice = pusher(&world).await;
    let input = berth::GetRegistryTokenRequest {
        repository_name: "app".to_owned(),
        actions: vec![berth::RegistryTokenAction::Pull],
        duration_seconds: Some(7200),
        registry_id: None,
    };
    let own = statement(
        "Allow",
        &["berth:GetRegistryToken"],
        &format!("arn:aws:ecr:us-east-1:{ACCOUNT}:repository/app"),
    );
    let rights = statement(
        "Allow",
        &[&PULL[..], &PUSH[..], &["ecr:ListImages"]].concat(),
        "*",
    );
    let login = statement("Allow", &["ecr:GetAuthorizationToken"], "*");
    for lacking in [&login, &own] {
        world
            .policy(&world.root, "alice", &format!("{rights},{lacking}"))
            .await;
        let refused = world
            .aws::<berth::ops::GetRegistryToken>(&alice, &input)
            .await;
        assert_eq!(refused.unwrap_err().code, "AccessDeniedException");
    }
    world
        .policy(&world.root, "alice", &format!("{rights},{login},{own}"))
        .await;
    let answer = world
        .aws::<berth::ops::GetRegistryToken>(&alice, &input)
        .await;
    let answer = answer.unwrap();
    assert_eq!(
        answer.expires_at.as_second() - world.now().as_second(),
        7200
    );
    let token = format!("Bearer {}", answer.registry_token.expose());
    assert_eq!(get(&world, TAGS, &token).await.status, 200);
    assert_eq!(upload(&world, &token).await, 403);
    world.pass(7200);
    assert_eq!(get(&world, TAGS, &token).await.status, 401);
}
