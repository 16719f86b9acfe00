//! Sign-in by OpenID Connect, as it is meant.

use aws_api::iam;
use serde_json::{Value, json};

use super::super::browser::{Browser, code, json_of, named, works};
use super::issuer::{CLIENT, Issuer, challenge};
use super::{location, providers, query, role, role_arn};
use crate::tests::world::{ACCOUNT, Person, World};

const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

fn for_alice(issuer: &Issuer) -> Value {
    let name = issuer.url().replace("https://", "");
    json!({"StringEquals": {(format!("{name}:sub")): "u-1"}})
}

async fn may_list_users(world: &World, person: &Person) -> bool {
    let input = iam::ListUsersRequest::default();
    world
        .aws::<iam::ops::ListUsers>(person, &input)
        .await
        .is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_signs_in_and_has_the_roles_permissions_until_the_provider_is_gone() {
    let (issuer, world) = Issuer::with_world().await;
    issuer.create(&world).await;
    role(&world, "dev", &issuer.arn(), ACTION, for_alice(&issuer)).await;
    let mut browser = Browser::new(&world);
    let listed = providers(&mut browser, ACCOUNT).await;
    assert_eq!(
        listed,
        [json!({"kind": "oidc", "name": "Company", "key": issuer.key()})]
    );

    let url = super::begin(&mut browser, &issuer.key(), "/console/roles?x=1#y").await;
    assert!(url.starts_with(&format!(
        "{}/authorize?tenant=1&response_type=code&",
        issuer.url()
    )));
    let sent = query(&url);
    let redirect_uri = format!(
        "{}/console/federation/oidc/{}",
        browser.origin(),
        issuer.key()
    );
    assert_eq!(sent["redirect_uri"], redirect_uri);
    assert_eq!(sent["client_id"], CLIENT);
    assert_eq!(sent["scope"], "openid email profile");
    assert_eq!(sent["code_challenge_method"], "S256");
    assert_eq!(sent["state"].len(), 43);
    issuer.give(
        &issuer
            .signer
            .token("k1", &issuer.claims(&world, &sent["nonce"])),
    );
    let answer = issuer.answer(&sent["state"]);
    let reply = browser.post("federation/finish", &answer).await;
    assert_eq!(location(&reply), "/console/roles?x=1#y");
    assert_eq!(browser.sign_in_cookie, None, "the sign-in is over");

    let asked = issuer.asked();
    let (head, body) = asked[0].split_once("\r\n\r\n").unwrap();
    // `printf 'berth-console:hush%%3A%%20very' | base64`
    let basic = "basic ymvydggty29uc29sztpodxnojtnbjtiwdmvyeq==";
    assert!(head.to_lowercase().contains(basic), "{head}");
    let form = query(&format!("?{body}"));
    assert_eq!(form["grant_type"], "authorization_code");
    assert_eq!(form["code"], "code-1");
    assert_eq!(form["redirect_uri"], redirect_uri);
    assert_eq!(challenge(&form["code_verifier"]), sent["code_challenge"]);
    assert!(!form.contains_key("client_secret"));

    let reply = browser.post("session/credentials", &json!({})).await;
    let given = json_of(&reply);
    let arn = format!("arn:aws:sts::{ACCOUNT}:assumed-role/dev/alice@example.com");
    assert_eq!(
        (&given["kind"], &given["mfa"]),
        (&json!("role"), &json!(false))
    );
    assert_eq!(given["arn"], arn.as_str());
    let person = browser.credentials().await;
    assert!(may_list_users(&world, &person).await);

    issuer.delete(&world).await;
    assert!(
        !works(&world, &person).await,
        "the session ends with the provider"
    );
    assert_eq!(browser.refusal().await, "NoSession");

    let provider = issuer.arn();
    let events = world.stop().await;
    let login = named(&events, "ConsoleLogin")[0];
    assert_eq!(login["eventType"], "AwsConsoleSignIn");
    assert_eq!(login["userIdentity"]["type"], "AssumedRole");
    assert_eq!(login["userIdentity"]["arn"], arn.as_str());
    assert_eq!(login["responseElements"]["ConsoleLogin"], "Success");
    assert_eq!(
        login["additionalEventData"]["OidcProviderArn"],
        provider.as_str()
    );
    assert_eq!(login["additionalEventData"]["MFAUsed"], "No");
    let assumed = named(&events, "AssumeRoleWithWebIdentity")[0];
    assert_eq!(assumed["userIdentity"]["type"], "WebIdentityUser");
    let text = serde_json::to_string(&events).unwrap();
    for secret in ["hush", "code-1", &sent["state"], &form["code_verifier"]] {
        assert!(!text.contains(secret), "the log has no secret");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_take_several_roles_chooses_one_of_them() {
    let (issuer, world) = Issuer::with_world().await;
    issuer.create(&world).await;
    for (name, condition) in [
        ("dev", for_alice(&issuer)),
        ("ops", for_alice(&issuer)),
        (
            "bobs",
            json!({"StringEquals": {(format!("{}:sub", issuer.url().replace("https://", ""))): "u-2"}}),
        ),
    ] {
        role(&world, name, &issuer.arn(), ACTION, condition).await;
    }
    let mut browser = Browser::new(&world);
    let reply = issuer.sign_in(&mut browser, &json!({})).await;
    assert_eq!(location(&reply), "/console/federation/roles");
    assert_eq!(browser.refusal().await, "NoSession", "not signed in yet");
    let reply = browser.post("federation/roles", &json!({})).await;
    let shown = json!({"account": ACCOUNT, "roles": [
        {"arn": role_arn("dev"), "name": "dev"}, {"arn": role_arn("ops"), "name": "ops"},
    ]});
    assert_eq!(json_of(&reply), shown);

    for (role, status) in [("bobs", 400), ("none", 400)] {
        let body = json!({"role": role_arn(role)});
        let reply = browser.post("federation/role", &body).await;
        assert_eq!(reply.status, status, "{}", reply.text());
    }
    // Fixation: a choice belongs to the browser that signed in, and is made once.
    let choice = browser.sign_in_cookie.clone();
    let mut thief = Browser::new(&world);
    let body = json!({"role": role_arn("ops")});
    let refused = thief.post("federation/role", &body).await;
    assert_eq!(
        (refused.status, code(&refused)),
        (401, "NoSignIn".to_owned())
    );
    let reply = browser.post("federation/role", &body).await;
    assert_eq!(location(&reply), "/console/roles?x=1");
    let person = browser.credentials().await;
    assert!(may_list_users(&world, &person).await);
    thief.sign_in_cookie = choice;
    let again = thief.post("federation/role", &body).await;
    assert_eq!(code(&again), "NoSignIn", "a choice is made once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_lasts_as_long_as_the_role_allows_and_ends_with_it() {
    let (issuer, world) = Issuer::with_world().await;
    issuer.create(&world).await;
    role(&world, "dev", &issuer.arn(), ACTION, for_alice(&issuer)).await;
    let input = iam::UpdateRoleRequest {
        role_name: "dev".to_owned(),
        max_session_duration: Some(7200),
        ..Default::default()
    };
    world
        .aws::<iam::ops::UpdateRole>(&world.root, &input)
        .await
        .unwrap();
    let mut browser = Browser::new(&world);
    issuer
        .sign_in(
            &mut browser,
            &json!({"email_verified": false, "preferred_username": "al ice"}),
        )
        .await;
    let reply = browser.post("session/credentials", &json!({})).await;
    let given = json_of(&reply);
    assert_eq!(given["name"], "dev/al-ice");
    let ends = world.now() + jiff::SignedDuration::from_secs(7200);
    assert_eq!(given["sessionEnds"], ends.to_string());
    let person = browser.credentials().await;
    let input = iam::DeleteRolePolicyRequest {
        role_name: "dev".to_owned(),
        policy_name: "inline".to_owned(),
    };
    world
        .aws::<iam::ops::DeleteRolePolicy>(&world.root, &input)
        .await
        .unwrap();
    let input = iam::DeleteRoleRequest {
        role_name: "dev".to_owned(),
    };
    world
        .aws::<iam::ops::DeleteRole>(&world.root, &input)
        .await
        .unwrap();
    assert!(!works(&world, &person).await);
    assert_eq!(browser.refusal().await, "NoSession");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_take_no_role_is_told_so() {
    let (issuer, world) = Issuer::with_world().await;
    issuer.create(&world).await;
    role(&world, "dev", &issuer.arn(), ACTION, for_alice(&issuer)).await;
    let mut browser = Browser::new(&world);
    let reply = issuer.sign_in(&mut browser, &json!({"sub": "u-9"})).await;
    assert_eq!((reply.status, code(&reply)), (403, "NoRole".to_owned()));
    assert_eq!(browser.sign_in_cookie, None);
    let events = world.stop().await;
    let login = named(&events, "ConsoleLogin")[0];
    assert_eq!(login["responseElements"]["ConsoleLogin"], "Failure");
    assert_eq!(login["userIdentity"]["type"], "WebIdentityUser");
}

/// The existence of an account is told by its providers alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn providers_are_listed_where_an_administrator_lets_people_sign_in_through_them() {
    let (issuer, world) = Issuer::with_world().await;
    let mut browser = Browser::new(&world);
    for account in [ACCOUNT, "999999999999", "nobody", ""] {
        assert_eq!(providers(&mut browser, account).await, [] as [Value; 0]);
    }
    issuer.create(&world).await;
    assert_eq!(providers(&mut browser, ACCOUNT).await.len(), 1);
    let off = aws_api::berth::PutProviderSettingsRequest {
        provider_arn: issuer.arn(),
        ..Default::default()
    };
    super::put_settings(&world, off).await.unwrap();
    assert_eq!(providers(&mut browser, ACCOUNT).await, [] as [Value; 0]);
    let body = json!({"account": ACCOUNT, "provider": issuer.key()});
    let reply = browser.post("federation/begin", &body).await;
    assert_eq!(reply.status, 400);
    assert_eq!(browser.sign_in_cookie, None);
}
