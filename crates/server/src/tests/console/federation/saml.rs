//! Sign-in by SAML 2.0, and attacks on it.

use aws_api::{berth, iam, sts};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use jiff::SignedDuration;
use serde_json::json;

use super::super::browser::{Browser, code, json_of, named};
use super::{begin, location, query, role, role_arn};
use crate::tests::saml::idp::{
    Facts, Idp, SIGN_ON, attribute, conditions, confirmation_of, encode, idp, stranger,
};
use crate::tests::world::{ACCOUNT, Reply, World};
use identity::federation::provider_key;

const ACTION: &str = "sts:AssumeRoleWithSAML";

fn arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:saml-provider/{name}")
}

async fn create(world: &World, name: &str, of: &Idp) {
    let input = iam::CreateSAMLProviderRequest {
        saml_metadata_document: of.metadata(),
        name: name.to_owned(),
        ..Default::default()
    };
    let made = world
        .aws::<iam::ops::CreateSAMLProvider>(&world.root, &input)
        .await;
    made.unwrap();
    let settings = berth::PutProviderSettingsRequest {
        provider_arn: arn(name),
        console_sign_in: Some(berth::ConsoleSignIn::default()),
        ..Default::default()
    };
    super::put_settings(world, settings).await.unwrap();
}

async fn with_roles(names: &[&str]) -> World {
    let world = World::new().await;
    create(&world, "corp", idp()).await;
    for name in names {
        role(&world, name, &arn("corp"), ACTION, json!({})).await;
    }
    world
}

fn consumer(world: &World) -> String {
    format!("http://{}/console/federation/saml", world.address)
}

/// A sign-in that has begun: the request's id and `RelayState`.
async fn begun(browser: &mut Browser<'_>, provider: &str) -> (String, String) {
    let url = begin(browser, &provider_key(&arn(provider)), "/console/users").await;
    let rest = url.strip_prefix(SIGN_ON).unwrap();
    let sent = query(rest);
    let deflated = STANDARD.decode(&sent["SAMLRequest"]).unwrap();
    // One stored block: a byte, and the length twice.
    let request = String::from_utf8(deflated[5..].to_vec()).unwrap();
    let own = consumer(browser.world);
    assert!(request.contains(&format!("Destination=\"{SIGN_ON}\"")));
    assert!(request.contains(&format!("AssertionConsumerServiceURL=\"{own}\"")));
    assert!(request.contains(&format!(">{own}</saml:Issuer>")));
    let (_, rest) = request.split_once(" ID=\"").unwrap();
    let (id, _) = rest.split_once('"').unwrap();
    (id.to_owned(), sent["RelayState"].clone())
}

/// What the provider says of alice at the world's time, in answer to a request.
fn facts(world: &World, request: &str, roles: &[&str]) -> Facts {
    let at = |seconds| {
        let at = world.now() + SignedDuration::from_secs(seconds);
        at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    };
    let own = consumer(world);
    let name = |name: &str| format!("https://aws.amazon.com/SAML/Attributes/{name}");
    let roles: Vec<String> = roles
        .iter()
        .map(|r| format!("{},{}", role_arn(r), arn("corp")))
        .collect();
    let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
    Facts {
        issued: at(-30),
        confirmations: confirmation_of(request, &own, &at(240)),
        conditions: conditions(&at(-30), &at(240), &[&own]),
        authn: format!(
            "<saml:AuthnStatement AuthnInstant=\"{}\"></saml:AuthnStatement>",
            at(-30)
        ),
        attributes: attribute(&name("Role"), &roles)
            + &attribute(&name("RoleSessionName"), &["alice"]),
        ..Facts::default()
    }
}

async fn finish(browser: &mut Browser<'_>, response: &str, state: &str) -> Reply {
    let body = json!({"kind": "saml", "response": encode(response), "relayState": state});
    browser.post("federation/finish", &body).await
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_signs_in_with_the_one_role_of_the_assertion() {
    let world = with_roles(&["dev"]).await;
    let mut browser = Browser::new(&world);
    let (id, state) = begun(&mut browser, "corp").await;
    let duration = attribute(
        "https://aws.amazon.com/SAML/Attributes/SessionDuration",
        &["1800"],
    );
    let mut facts = facts(&world, &id, &["dev"]);
    facts.attributes += &duration;
    let response = facts.signed_assertion(idp());

    // The browser comes from another site, by a form.
    let form = format!(
        "SAMLResponse={}&RelayState={state}",
        aws_types::percent::encode(&encode(&response))
    );
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("origin", "https://idp.example"),
        ("sec-fetch-site", "cross-site"),
    ];
    let page = world
        .send(Method::POST, "/console/federation/saml", &headers, form)
        .await;
    assert_eq!(page.status, 200);
    assert!(
        page.text()
            .contains(&format!("data-response=\"{}\"", encode(&response)))
    );
    assert!(
        page.text()
            .contains(&format!("data-relay-state=\"{state}\""))
    );
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'; connect-src 'self';"),
        "{policy}"
    );
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert!(
        !page.headers.contains_key("set-cookie"),
        "the page alone does nothing"
    );

    let reply = finish(&mut browser, &response, &state).await;
    assert_eq!(location(&reply), "/console/users");
    let reply = browser.post("session/credentials", &json!({})).await;
    let given = json_of(&reply);
    assert_eq!(given["name"], "dev/alice");
    let ends = world.now() + SignedDuration::from_secs(1800);
    assert_eq!(
        given["sessionEnds"],
        ends.to_string(),
        "as SessionDuration says"
    );
    let person = browser.credentials().await;
    let users = iam::ListUsersRequest::default();
    assert!(
        world
            .aws::<iam::ops::ListUsers>(&person, &users)
            .await
            .is_ok()
    );

    let input = iam::DeleteSAMLProviderRequest {
        saml_provider_arn: arn("corp"),
    };
    world
        .aws::<iam::ops::DeleteSAMLProvider>(&world.root, &input)
        .await
        .unwrap();
    assert_eq!(
        browser.refusal().await,
        "NoSession",
        "the session ends with the provider"
    );
    let events = world.stop().await;
    let login = named(&events, "ConsoleLogin")[0];
    assert_eq!(login["userIdentity"]["type"], "AssumedRole");
    assert_eq!(
        login["additionalEventData"]["SamlProviderArn"],
        arn("corp").as_str()
    );
    assert_eq!(
        named(&events, "AssumeRoleWithSAML")[0]["userIdentity"]["type"],
        "SAMLUser"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_is_denied_leaves_the_others_to_choose_from() {
    let world = with_roles(&["dev"]).await;
    let mut browser = Browser::new(&world);
    let (id, state) = begun(&mut browser, "corp").await;
    let response = facts(&world, &id, &["dev", "gone"]).signed_response(idp());
    let reply = finish(&mut browser, &response, &state).await;
    assert_eq!(location(&reply), "/console/federation/roles");
    let reply = browser
        .post("federation/role", &json!({"role": role_arn("gone")}))
        .await;
    assert_eq!(refusal(&reply), (403, "AccessDenied".to_owned()));
    let reply = browser
        .post("federation/role", &json!({"role": role_arn("dev")}))
        .await;
    assert_eq!(location(&reply), "/console/users");
    // The assertion is good for five minutes, as at STS.
    let (id, state) = begun(&mut browser, "corp").await;
    let response = facts(&world, &id, &["dev", "gone"]).signed_response(idp());
    finish(&mut browser, &response, &state).await;
    world.pass(301);
    let reply = browser
        .post("federation/role", &json!({"role": role_arn("dev")}))
        .await;
    assert_eq!(refusal(&reply), invalid());
}

/// Login CSRF and replay: a response that this browser did not ask for is refused, whoever it is about.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn login_csrf_a_response_counts_once_in_answer_to_the_browsers_own_request() {
    let world = with_roles(&["dev"]).await;
    let mut mallory = Browser::new(&world);
    let (hers, her_state) = begun(&mut mallory, "corp").await;
    let response = facts(&world, &hers, &["dev"]).signed_assertion(idp());
    let mut victim = Browser::new(&world);
    assert_eq!(
        refusal(&finish(&mut victim, &response, &her_state).await),
        no_sign_in()
    );
    let (_, state) = begun(&mut victim, "corp").await;
    assert_eq!(
        refusal(&finish(&mut victim, &response, &her_state).await),
        no_sign_in()
    );
    // Under the victim's state it is still the answer to another request.
    assert_eq!(
        refusal(&finish(&mut victim, &response, &state).await),
        no_sign_in()
    );
    // Unsolicited: it answers no request.
    let (id, state) = begun(&mut victim, "corp").await;
    let mut unsolicited = facts(&world, &id, &["dev"]);
    unsolicited.confirmations = unsolicited
        .confirmations
        .replace(&format!(" InResponseTo=\"{id}\""), "");
    let response = unsolicited.signed_assertion(idp());
    assert_eq!(
        refusal(&finish(&mut victim, &response, &state).await),
        no_sign_in()
    );

    let (id, state) = begun(&mut victim, "corp").await;
    let pending = victim.sign_in_cookie.clone();
    let response = facts(&world, &id, &["dev"]).signed_assertion(idp());
    assert_eq!(finish(&mut victim, &response, &state).await.status, 200);
    let mut thief = Browser::new(&world);
    thief.sign_in_cookie = pending;
    assert_eq!(
        refusal(&finish(&mut thief, &response, &state).await),
        no_sign_in()
    );
}

/// Mix-up and forgery: the verifier is that of `AssumeRoleWithSAML`, with the provider that the sign-in began with.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mix_up_responses_of_other_providers_and_forged_ones_are_refused() {
    let world = with_roles(&["dev"]).await;
    create(&world, "other", stranger()).await;
    let mut browser = Browser::new(&world);
    for (provider, signer) in [("corp", stranger()), ("other", idp())] {
        let (id, state) = begun(&mut browser, provider).await;
        let response = facts(&world, &id, &["dev"]).signed_assertion(signer);
        assert_eq!(
            refusal(&finish(&mut browser, &response, &state).await),
            invalid()
        );
    }
    let (id, state) = begun(&mut browser, "corp").await;
    let forged = facts(&world, &id, &["dev"])
        .signed_assertion(idp())
        .replace("alice<", "admin<");
    assert_eq!(
        refusal(&finish(&mut browser, &forged, &state).await),
        invalid()
    );
    // The request's id is read from what is signed alone.
    let (id, state) = begun(&mut browser, "corp").await;
    let around = facts(&world, "_0", &["dev"])
        .signed_assertion(idp())
        .replacen(
            " ID=\"_r1\"",
            &format!(" ID=\"_r1\" InResponseTo=\"{id}\""),
            1,
        );
    assert_eq!(
        refusal(&finish(&mut browser, &around, &state).await),
        no_sign_in()
    );
}

/// An assertion for the console serves at the console, with its browser; one for STS serves at STS.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn assertions_for_the_console_and_for_sts_are_not_exchanged() {
    let world = with_roles(&["dev"]).await;
    let mut browser = Browser::new(&world);
    let (id, _) = begun(&mut browser, "corp").await;
    let for_console = facts(&world, &id, &["dev"]);
    let input = sts::AssumeRoleWithSAMLRequest {
        role_arn: role_arn("dev"),
        principal_arn: arn("corp"),
        saml_assertion: encode(&for_console.signed_assertion(idp())).into(),
        ..Default::default()
    };
    let request = aws_api::encode_request::<sts::ops::AssumeRoleWithSAML>(&input);
    let headers = [("content-type", request.content_type)];
    let reply = world.send(Method::POST, "/", &headers, request.body).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(reply.text().contains("InvalidIdentityToken"));

    let own = format!("http://{}/saml", world.address);
    let by_id = format!("{}/acs/SAMLSP1", consumer(&world));
    for place in [
        "https://signin.aws.amazon.com/saml",
        &own,
        &by_id,
        "urn:amazon:webservices",
    ] {
        for is_recipient in [true, false] {
            let (id, state) = begun(&mut browser, "corp").await;
            let mut other = facts(&world, &id, &["dev"]);
            let part = match is_recipient {
                true => &mut other.confirmations,
                false => &mut other.conditions,
            };
            *part = part.replace(&consumer(&world), place);
            let response = other.signed_assertion(idp());
            let reply = finish(&mut browser, &response, &state).await;
            assert_eq!(refusal(&reply), invalid(), "{place} {is_recipient}");
        }
    }
    let (id, state) = begun(&mut browser, "corp").await;
    let response = facts(&world, &id, &["dev"]).signed_assertion(idp());
    assert_eq!(finish(&mut browser, &response, &state).await.status, 200);
}

/// What a provider is told of this server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metadata_names_the_assertion_consumer_service() {
    let world = World::new().await;
    let reply = world
        .send(Method::GET, "/console/federation/saml/metadata", &[], "")
        .await;
    assert_eq!(reply.header("content-type"), "application/samlmetadata+xml");
    let own = consumer(&world);
    assert!(reply.text().contains(&format!("entityID=\"{own}\"")));
    assert!(reply.text().contains(&format!("Location=\"{own}\"")));
    // A form that is none, and a script: the page shows nothing of it.
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let form = "SAMLResponse=%3Cscript%3E&RelayState=x";
    let reply = world
        .send(Method::POST, "/console/federation/saml", &headers, form)
        .await;
    assert_eq!(reply.status, 400);
    assert!(!reply.text().contains("<script>"), "{}", reply.text());
    let script = world
        .send(Method::GET, "/console/federation/return.js", &[], "")
        .await;
    assert_eq!(
        script.header("content-type"),
        "text/javascript; charset=utf-8"
    );
}
