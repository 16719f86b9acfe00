//! Attacks on a sign-in by OpenID Connect. Each test names its trap.

use serde_json::{Value, json};

use super::super::browser::{Browser, code, json_of, named};
use super::issuer::Issuer;
use super::{begin, query, role};
use crate::limits::SIGN_IN_ADDRESS_FAILURES_FREE;
use crate::tests::world::{ACCOUNT, Reply, World};

const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

async fn with_role(issuer: &Issuer, world: &World) {
    issuer.create(world).await;
    let subject = format!("{}:sub", issuer.url().replace("https://", ""));
    let condition = json!({"StringEquals": {(subject): "u-1"}});
    let name = format!("dev-{}", &issuer.key()[..8]);
    role(world, &name, &issuer.arn(), ACTION, condition).await;
}

fn refusal(reply: &Reply) -> (u16, String) {
    (reply.status, code(reply))
}

fn no_sign_in() -> (u16, String) {
    (401, "NoSignIn".to_owned())
}

fn invalid() -> (u16, String) {
    (401, "InvalidAnswer".to_owned())
}

/// Login CSRF: a link to an attacker's own answer signs nobody in, and does not end the sign-in that the browser has
/// begun.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn login_csrf_an_answer_counts_in_the_browser_that_asked_alone() {
    let (issuer, world) = Issuer::with_world().await;
    with_role(&issuer, &world).await;
    let mut mallory = Browser::new(&world);
    let hers = query(&begin(&mut mallory, &issuer.key(), "/console/").await);
    issuer.give(
        &issuer
            .signer
            .token("k1", &issuer.claims(&world, &hers["nonce"])),
    );
    let answer = issuer.answer(&hers["state"]);

    let mut victim = Browser::new(&world);
    let reply = victim.post("federation/finish", &answer).await;
    assert_eq!(refusal(&reply), no_sign_in());
    let own = query(&begin(&mut victim, &issuer.key(), "/console/").await);
    let reply = victim.post("federation/finish", &answer).await;
    assert_eq!(refusal(&reply), no_sign_in());
    for state in ["", &own["state"][..42], "null"] {
        let reply = victim
            .post("federation/finish", &issuer.answer(state))
            .await;
        assert_eq!(refusal(&reply), no_sign_in(), "{state}");
    }
    assert_eq!(issuer.asked(), [] as [String; 0], "no code was redeemed");
    assert_eq!(victim.refusal().await, "NoSession");
    issuer.give(
        &issuer
            .signer
            .token("k1", &issuer.claims(&world, &own["nonce"])),
    );
    let reply = victim
        .post("federation/finish", &issuer.answer(&own["state"]))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// Fixation: a cookie that somebody planted, or changed, is no sign-in, and a sign-in ends the session that the
/// browser had.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fixation_a_planted_sign_in_is_none() {
    let (issuer, world) = Issuer::with_world().await;
    with_role(&issuer, &world).await;
    let mut browser = Browser::new(&world);
    let sent = query(&begin(&mut browser, &issuer.key(), "/console/").await);
    let own = browser.sign_in_cookie.clone().unwrap();
    let mut changed = own.clone();
    let last = changed.pop().unwrap();
    changed.push(if last == 'A' { 'B' } else { 'A' });
    let twice = format!("{own}; {own}");
    for planted in ["__Host-berth-sign-in=A", &changed, &twice] {
        browser.sign_in_cookie = Some(planted.to_owned());
        let reply = browser
            .post("federation/finish", &issuer.answer(&sent["state"]))
            .await;
        assert_eq!(refusal(&reply), no_sign_in(), "{planted}");
    }
    let mut browser = Browser::new(&world);
    issuer.sign_in(&mut browser, &json!({})).await;
    let mut before = Browser::new(&world);
    before.cookie.clone_from(&browser.cookie);
    before.credentials().await;
    issuer.sign_in(&mut browser, &json!({})).await;
    assert_ne!(before.cookie, browser.cookie);
    assert_eq!(before.refusal().await, "NoSession");
}

/// Replay: a state, and with it a code, counts once; and for ten minutes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_an_answer_counts_once_and_for_ten_minutes() {
    let (issuer, world) = Issuer::with_world().await;
    with_role(&issuer, &world).await;
    let mut browser = Browser::new(&world);
    let sent = query(&begin(&mut browser, &issuer.key(), "/console/").await);
    let pending = browser.sign_in_cookie.clone();
    issuer.give(
        &issuer
            .signer
            .token("k1", &issuer.claims(&world, &sent["nonce"])),
    );
    let answer = issuer.answer(&sent["state"]);
    assert_eq!(browser.post("federation/finish", &answer).await.status, 200);
    // Whoever has the browser's cookie as well comes too late.
    let mut thief = Browser::new(&world);
    thief.sign_in_cookie = pending;
    let reply = thief.post("federation/finish", &answer).await;
    assert_eq!(refusal(&reply), no_sign_in());
    assert_eq!(issuer.asked().len(), 1);

    let sent = query(&begin(&mut browser, &issuer.key(), "/console/").await);
    world.pass(600);
    issuer.give(
        &issuer
            .signer
            .token("k1", &issuer.claims(&world, &sent["nonce"])),
    );
    let reply = browser
        .post("federation/finish", &issuer.answer(&sent["state"]))
        .await;
    assert_eq!(refusal(&reply), no_sign_in());
    assert_eq!(issuer.asked().len(), 1);
}

/// Mix-up (RFC 9700, section 4.4): an answer at the redirect URI of another provider, or in the name of another
/// issuer, is not redeemed anywhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mix_up_the_answer_of_one_provider_is_not_given_to_another() {
    let (honest, evil, world) = Issuer::two_with_world().await;
    with_role(&honest, &world).await;
    with_role(&evil, &world).await;
    assert_ne!(honest.key(), evil.key());
    let mut browser = Browser::new(&world);
    let sent = query(&begin(&mut browser, &evil.key(), "/console/").await);
    // The evil provider sent the browser on to the honest one, which sends it to its own redirect URI.
    let reply = browser
        .post("federation/finish", &honest.answer(&sent["state"]))
        .await;
    assert_eq!(refusal(&reply), no_sign_in());

    let sent = query(&begin(&mut browser, &evil.key(), "/console/").await);
    let mut answer = evil.answer(&sent["state"]);
    answer["iss"] = honest.url().into();
    let reply = browser.post("federation/finish", &answer).await;
    assert_eq!(refusal(&reply), invalid());

    // A provider that promises to name itself must do so (RFC 9207, section 2.4).
    evil.set_discovery(
        "authorization_response_iss_parameter_supported",
        true.into(),
    );
    world.pass(301);
    let sent = query(&begin(&mut browser, &evil.key(), "/console/").await);
    let reply = browser
        .post("federation/finish", &evil.answer(&sent["state"]))
        .await;
    assert_eq!(refusal(&reply), invalid());

    // A token of the honest provider is none of the evil one's.
    let sent = query(&begin(&mut browser, &evil.key(), "/console/").await);
    let mut answer = evil.answer(&sent["state"]);
    answer["iss"] = evil.url().into();
    evil.give(
        &honest
            .signer
            .token("k1", &honest.claims(&world, &sent["nonce"])),
    );
    let reply = browser.post("federation/finish", &answer).await;
    assert_eq!(refusal(&reply), invalid());
    assert_eq!(honest.asked(), [] as [String; 0]);
    assert_eq!(evil.asked().len(), 1);
}

/// Forged and borrowed tokens: the verifier is that of `AssumeRoleWithWebIdentity`, and the nonce and the client are
/// checked beside.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_are_not_for_this_sign_in_are_refused() {
    let (issuer, stranger, world) = Issuer::two_with_world().await;
    with_role(&issuer, &world).await;
    let mut browser = Browser::new(&world);
    let past = world.now().as_second() - 1;
    for (claims, expected) in [
        (json!({"nonce": "another"}), no_sign_in()),
        (json!({"nonce": null}), no_sign_in()),
        (json!({"nonce": 7}), no_sign_in()),
        (json!({"aud": "other"}), invalid()),
        (json!({"aud": "unknown"}), invalid()),
        (
            json!({"aud": [super::issuer::CLIENT], "azp": "other"}),
            invalid(),
        ),
        (json!({"exp": past}), invalid()),
        (json!({"iss": stranger.url()}), invalid()),
    ] {
        let reply = issuer.sign_in(&mut browser, &claims).await;
        assert_eq!(refusal(&reply), expected, "{claims}");
        assert_eq!(browser.sign_in_cookie, None, "the sign-in is over");
    }
    for forge in [
        |issuer: &Issuer, stranger: &Issuer, claims: &Value| {
            // The stranger's key, under the issuer's key id and name.
            let _ = issuer;
            stranger.signer.token("k1", claims)
        },
        |_: &Issuer, _: &Issuer, _: &Value| "not.a.token".to_owned(),
    ] {
        let sent = query(&begin(&mut browser, &issuer.key(), "/console/").await);
        let claims = issuer.claims(&world, &sent["nonce"]);
        issuer.give(&forge(&issuer, &stranger, &claims));
        let reply = browser
            .post("federation/finish", &issuer.answer(&sent["state"]))
            .await;
        assert_eq!(refusal(&reply), invalid());
    }
    assert_eq!(browser.refusal().await, "NoSession");
}

/// What the provider says stays in its own pages: its error is not repeated.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_refuses_or_fails_signs_nobody_in() {
    let (issuer, world) = Issuer::with_world().await;
    with_role(&issuer, &world).await;
    let mut browser = Browser::new(&world);
    let sent = query(&begin(&mut browser, &issuer.key(), "/console/").await);
    let answer = json!({
        "kind": "oidc", "provider": issuer.key(), "state": sent["state"], "error": "<b>denied</b>",
    });
    let reply = browser.post("federation/finish", &answer).await;
    assert_eq!(refusal(&reply), invalid());
    assert!(!reply.text().contains("denied"));
    // The token endpoint answers 400 until it is told otherwise.
    let sent = query(&begin(&mut browser, &issuer.key(), "/console/").await);
    let reply = browser
        .post("federation/finish", &issuer.answer(&sent["state"]))
        .await;
    assert_eq!(refusal(&reply), invalid());
    // An address that is none to send a browser to.
    for endpoint in [
        "http://idp.example/authorize",
        "javascript:alert(1)",
        "//evil.example",
    ] {
        issuer.set_discovery("authorization_endpoint", endpoint.into());
        world.pass(301);
        let body = json!({"account": ACCOUNT, "provider": issuer.key()});
        let reply = browser.post("federation/begin", &body).await;
        assert_eq!(
            refusal(&reply),
            (502, "ProviderUnavailable".to_owned()),
            "{endpoint}"
        );
    }
}

/// Open redirects: a sign-in leads to screens of the console alone. Which addresses are such is tested where it is
/// decided.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_redirects_a_sign_in_leads_to_the_console_alone() {
    let (issuer, world) = Issuer::with_world().await;
    issuer.create(&world).await;
    let mut browser = Browser::new(&world);
    for next in [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/console/",
        "javascript:alert(1)",
        "/console/%2e%2e//evil.example",
        "/v2/",
    ] {
        let body = json!({"account": ACCOUNT, "provider": issuer.key(), "next": next});
        let reply = browser.post("federation/begin", &body).await;
        assert_eq!(
            refusal(&reply),
            (400, "InvalidRequest".to_owned()),
            "{next}"
        );
        assert_eq!(browser.sign_in_cookie, None);
    }
    // The redirect URI does not follow from the request's host: a page at another name begins nothing.
    let host = format!("localhost:{}", world.address.port());
    let origin = format!("http://{host}");
    let body = json!({"account": ACCOUNT, "provider": issuer.key()});
    let headers = [
        ("host", host.as_str()),
        ("origin", origin.as_str()),
        ("content-type", "application/json"),
    ];
    let path = "/console/federation/begin";
    let reply = world
        .send(http::Method::POST, path, &headers, body.to_string())
        .await;
    assert_eq!(refusal(&reply), (400, "OtherAddress".to_owned()));
    assert!(
        json_of(&reply)["message"]
            .as_str()
            .unwrap()
            .contains(&browser.origin())
    );
}

/// An address that fails often waits, and a sign-in that succeeds is not counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_sign_ins_of_an_address_are_slowed_down() {
    let (issuer, world) = Issuer::with_world().await;
    with_role(&issuer, &world).await;
    let mut browser = Browser::new(&world);
    assert_eq!(issuer.sign_in(&mut browser, &json!({})).await.status, 200);
    let mut refused = Vec::new();
    for _ in 0..=SIGN_IN_ADDRESS_FAILURES_FREE {
        let reply = issuer.sign_in(&mut browser, &json!({"nonce": "x"})).await;
        refused.push(reply);
    }
    let last = refused.pop().unwrap();
    assert_eq!(refusal(&last), (429, "TooManySignIns".to_owned()));
    assert!(!last.header("retry-after").is_empty());
    assert!(refused.iter().all(|reply| refusal(reply) == no_sign_in()));
    let events = world.stop().await;
    let failed = named(&events, "ConsoleLogin");
    let failed = failed
        .iter()
        .filter(|event| event["responseElements"]["ConsoleLogin"] == "Failure");
    assert!(failed.count() > 0);
}
