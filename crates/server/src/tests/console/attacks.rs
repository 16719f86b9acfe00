//! Attacks on the session.

use http::Method;
use serde_json::json;
use tokio::time::Instant;

use super::browser::{Browser, PASSWORD, code, json_of, user};
use crate::limits::SIGN_IN_ADDRESS_FAILURES_FREE;
use crate::network::AddressGroup;
use crate::tests::world::{ACCOUNT, World};

/// Every route of the session.
const ROUTES: [&str; 11] = [
    "session",
    "session/credentials",
    "session/role",
    "session/role/back",
    "session/password",
    "session/end",
    "providers",
    "federation/begin",
    "federation/finish",
    "federation/roles",
    "federation/role",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn csrf_requests_of_other_pages_are_refused() {
    let world = World::new().await;
    user(&world, "alice", "").await;
    let mut browser = Browser::new(&world);
    browser.sign_in("alice", PASSWORD).await;
    let (cookie, own) = (browser.cookie.clone().unwrap(), browser.origin());
    let json_type = ("content-type", "application/json");
    let subdomain = own.replace("http://", "http://evil.");
    let longer = format!("{own}.evil.example");
    let foreign = [
        vec![json_type],
        vec![json_type, ("origin", "null")],
        vec![json_type, ("origin", "https://evil.example")],
        vec![json_type, ("origin", &subdomain)],
        vec![json_type, ("origin", &longer)],
        vec![
            json_type,
            ("origin", &own),
            ("origin", "https://evil.example"),
        ],
        vec![
            json_type,
            ("origin", &own),
            ("sec-fetch-site", "cross-site"),
        ],
        vec![json_type, ("origin", &own), ("sec-fetch-site", "same-site")],
        vec![json_type, ("origin", &own), ("sec-fetch-site", "none")],
        vec![("content-type", "text/plain"), ("origin", &own)],
        vec![
            ("content-type", "application/x-www-form-urlencoded"),
            ("origin", &own),
        ],
        vec![("origin", &own)],
    ];
    for route in ROUTES {
        for headers in &foreign {
            let mut headers = headers.clone();
            headers.push(("cookie", &cookie));
            let path = format!("/console/{route}");
            let body =
                json!({"kind": "user", "account": ACCOUNT, "user": "alice", "password": PASSWORD});
            let reply = world
                .send(Method::POST, &path, &headers, body.to_string())
                .await;
            assert!(
                matches!(reply.status, 400 | 403),
                "{route} {headers:?}: {}",
                reply.text()
            );
            assert!(!reply.headers.contains_key("set-cookie"));
            assert!(!reply.headers.contains_key("access-control-allow-origin"));
        }
    }
    // A preflight gets no permission.
    let headers = [
        ("origin", "https://evil.example"),
        ("access-control-request-method", "POST"),
    ];
    let reply = world.send(Method::OPTIONS, "/console/session", &headers, "");
    let reply = reply.await;
    assert!(!reply.headers.contains_key("access-control-allow-origin"));
    assert_eq!(reply.status, 405);
    browser.credentials().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cookie_opens_neither_the_apis_nor_the_registry() {
    let world = World::new().await;
    let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    user(&world, "alice", all).await;
    world.repository(&world.root, "app").await;
    let mut browser = Browser::new(&world);
    browser.sign_in("alice", PASSWORD).await;
    let cookie = browser.cookie.clone().unwrap();
    let origin = browser.origin();
    let form = ("content-type", "application/x-www-form-urlencoded");
    let who = "Action=GetCallerIdentity&Version=2011-06-15";
    let headers = [
        ("cookie", cookie.as_str()),
        ("origin", origin.as_str()),
        ("sec-fetch-site", "same-origin"),
        form,
    ];
    let reply = world.send(Method::POST, "/", &headers, who).await;
    assert_eq!(reply.status, 403, "{}", reply.text());
    let target = "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories";
    let json = [
        headers[0],
        headers[1],
        headers[2],
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", target),
    ];
    let reply = world.send(Method::POST, "/", &json, "{}").await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(reply.text().contains("MissingAuthenticationToken"));
    for path in ["/v2/", "/v2/app/tags/list"] {
        let reply = world.send(Method::GET, path, &headers, "").await;
        assert_eq!(reply.status, 401);
    }
    // Its secret is no password and no token either.
    let secret = cookie.split_once('=').unwrap().1;
    let basic = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        format!("AWS:{secret}"),
    );
    let basic = format!("Basic {basic}");
    let headers = [("authorization", basic.as_str())];
    let reply = world.send(Method::GET, "/v2/", &headers, "").await;
    assert_eq!(reply.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fixation_a_planted_cookie_is_never_the_session() {
    let world = World::new().await;
    user(&world, "alice", "").await;
    let planted = format!("__Host-berth-console={}", "A".repeat(43));
    let mut browser = Browser::new(&world);
    browser.cookie = Some(planted.clone());
    browser.sign_in("alice", PASSWORD).await;
    assert_ne!(browser.cookie.as_ref(), Some(&planted));
    let mut thief = Browser::new(&world);
    thief.cookie = Some(planted);
    assert_eq!(thief.refusal().await, "NoSession");
    // A session that was there when somebody signs in is over.
    let first = browser.cookie.clone();
    browser.sign_in("alice", PASSWORD).await;
    thief.cookie = first;
    assert_eq!(thief.refusal().await, "NoSession");
    // Of two cookies of the name, neither counts.
    let own = browser.cookie.clone().unwrap();
    browser.cookie = Some(format!("{own}; __Host-berth-console={}", "A".repeat(43)));
    assert_eq!(browser.refusal().await, "NoSession");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cookie_is_bound_to_the_host_and_closed_to_scripts() {
    let world = World::new().await;
    user(&world, "alice", "").await;
    let reply = Browser::new(&world).sign_in("alice", PASSWORD).await;
    let set = reply.header("set-cookie");
    let attributes: Vec<&str> = set.split("; ").skip(1).collect();
    assert!(set.starts_with("__Host-berth-console="), "{set}");
    assert_eq!(
        attributes,
        ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"]
    );
    // Click-jacking and caches.
    assert_eq!(reply.header("x-frame-options"), "DENY");
    assert!(
        reply
            .header("content-security-policy")
            .contains("frame-ancestors 'none'")
    );
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_is_slowed_down_by_address_and_never_for_root() {
    let world = World::new().await;
    user(&world, "alice", "").await;
    let address = AddressGroup::of(world.address.ip());
    for _ in 0..SIGN_IN_ADDRESS_FAILURES_FREE {
        let begun = world.app.guesses.begin(address, "x", Instant::now());
        assert!(begun.is_ok());
    }
    let mut browser = Browser::new(&world);
    let reply = browser.sign_in("alice", PASSWORD).await;
    assert_eq!(reply.status, 429, "{}", reply.text());
    assert_eq!(code(&reply), "TooManySignIns");
    let wait: u64 = reply.header("retry-after").parse().unwrap();
    assert!((1..=4).contains(&wait), "{wait}");
    let reply = browser.sign_in_by_key(&world.root).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_passwords_of_one_user_cost_time_and_not_the_account() {
    let world = World::new().await;
    user(&world, "alice", "").await;
    user(&world, "bob", "").await;
    for _ in 0..6 {
        let reply = Browser::new(&world).sign_in("alice", "wrong").await;
        assert_eq!(code(&reply), "InvalidSignIn");
    }
    let reply = Browser::new(&world).sign_in("alice", PASSWORD).await;
    assert_eq!(
        code(&reply),
        "InvalidSignIn",
        "a wait that the answer does not tell"
    );
    assert_eq!(
        Browser::new(&world).sign_in("bob", PASSWORD).await.status,
        200
    );
    world.pass(2);
    assert_eq!(
        Browser::new(&world).sign_in("alice", PASSWORD).await.status,
        200
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_http_outside_loopback_says_that_it_needs_tls() {
    let world = World::new().await;
    user(&world, "alice", "").await;
    let body = json!({"kind": "user", "account": ACCOUNT, "user": "alice", "password": PASSWORD});
    let send = async |host: &str, origin: &str| {
        let headers = [
            ("host", host),
            ("origin", origin),
            ("content-type", "application/json"),
        ];
        world
            .send(Method::POST, "/console/session", &headers, body.to_string())
            .await
    };
    let reply = send("berth.example.com", "http://berth.example.com").await;
    assert_eq!((reply.status, code(&reply).as_str()), (403, "TlsRequired"));
    assert!(!reply.headers.contains_key("set-cookie"));
    // A proxy in front speaks TLS.
    let reply = send("berth.example.com", "https://berth.example.com").await;
    assert_eq!(reply.status, 200, "{}", json_of(&reply));
    let reply = send("localhost:5000", "http://localhost:5000").await;
    assert_eq!(reply.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_are_short_and_of_known_members() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let long = json!({"kind": "link", "token": "x".repeat(20_000)});
    assert_eq!(browser.post("session", &long).await.status, 413);
    for body in [
        json!({}),
        json!([]),
        json!({"kind": "other"}),
        json!({"kind": "user", "account": ACCOUNT, "user": "alice", "password": {"$ne": ""}}),
        json!({"kind": "link", "token": "x", "admin": true}),
    ] {
        let reply = browser.post("session", &body).await;
        assert_eq!(
            (reply.status, code(&reply).as_str()),
            (400, "InvalidRequest")
        );
    }
}
