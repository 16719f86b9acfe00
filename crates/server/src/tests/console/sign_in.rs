//! The ways to sign in, and the events that they leave.

use aws_api::iam;
use identity::Recovery;
use serde_json::json;

use super::browser::{Browser, PASSWORD, code, json_of, named, password, person, user, works};
use crate::tests::mfa::Phone;
use crate::tests::world::{ACCOUNT, World, statement};

const IAM: &str = r#"{"Effect":"Allow","Action":"iam:*","Resource":"*"}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_signs_in_by_password_and_may_call_iam() {
    let world = World::new().await;
    user(&world, "alice", IAM).await;
    let mut browser = Browser::new(&world);
    let reply = browser.sign_in("alice", PASSWORD).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let given = json_of(&reply);
    for (name, expected) in [
        ("account", json!(ACCOUNT)),
        ("arn", json!(format!("arn:aws:iam::{ACCOUNT}:user/alice"))),
        ("name", json!("alice")),
        ("kind", json!("user")),
        ("mfa", json!(false)),
        ("partition", json!("aws")),
        ("region", json!("us-east-1")),
        ("registry", json!(world.address.to_string())),
        ("expiration", json!("2026-11-22T12:15:00Z")),
        ("sessionEnds", json!("2026-11-23T00:00:00Z")),
    ] {
        assert_eq!(given[name], expected, "{name}");
    }
    // GetSessionToken's limits do not hold: IAM and STS, without MFA.
    let alice = browser.credentials().await;
    let users = iam::ListUsersRequest::default();
    let users = world.aws::<iam::ops::ListUsers>(&alice, &users).await;
    assert_eq!(users.unwrap().users.len(), 1);
    assert!(works(&world, &alice).await);

    let events = world.stop().await;
    let login = named(&events, "ConsoleLogin");
    assert_eq!(login.len(), 1);
    let login = login[0];
    assert_eq!(login["eventType"], "AwsConsoleSignIn");
    assert_eq!(login["eventSource"], "signin.amazonaws.com");
    assert_eq!(
        login["responseElements"],
        json!({"ConsoleLogin": "Success"})
    );
    assert_eq!(login["userIdentity"]["type"], "IAMUser");
    assert_eq!(login["userIdentity"]["userName"], "alice");
    assert_eq!(login["additionalEventData"]["MFAUsed"], "No");
    assert_eq!(login["additionalEventData"]["MobileVersion"], "No");
    let home = &login["additionalEventData"]["LoginTo"];
    assert!(home.as_str().unwrap().ends_with("/console/"), "{home}");
    let list = named(&events, "ListUsers")[0];
    assert_eq!(list["sessionCredentialFromConsole"], "true");
    assert!(
        !events
            .iter()
            .any(|event| event.to_string().contains(PASSWORD))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_names_and_wrong_passwords_get_one_answer() {
    let world = World::new().await;
    user(&world, "alice", "").await;
    // A user without a password.
    world.user(&world.root, "bob", "").await;
    let mut answers = Vec::new();
    for (account, name, password) in [
        (ACCOUNT, "alice", "wrong"),
        (ACCOUNT, "nobody", PASSWORD),
        (ACCOUNT, "bob", PASSWORD),
        ("999999999999", "alice", PASSWORD),
        ("no-such-alias", "alice", PASSWORD),
    ] {
        let began = tokio::time::Instant::now();
        let mut browser = Browser::new(&world);
        let body = json!({"kind": "user", "account": account, "user": name, "password": password});
        let reply = browser.post("session", &body).await;
        assert_eq!(reply.status, 401);
        assert_eq!(code(&reply), "InvalidSignIn");
        assert!(browser.cookie.is_none());
        // Answers come at steps of a clock.
        assert!(began.elapsed() >= crate::limits::SIGN_IN_REFUSAL_STEP);
        answers.push(reply.body);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));

    let events = world.stop().await;
    let logins = named(&events, "ConsoleLogin");
    assert_eq!(logins.len(), 5);
    for login in &logins {
        assert_eq!(login["errorMessage"], "Failed authentication");
        assert!(login["errorCode"].is_null());
        assert_eq!(
            login["responseElements"],
            json!({"ConsoleLogin": "Failure"})
        );
    }
    assert_eq!(logins[0]["userIdentity"]["userName"], "alice");
    let hidden = "HIDDEN_DUE_TO_SECURITY_REASONS";
    assert_eq!(logins[1]["userIdentity"]["userName"], hidden);
    assert!(
        !events
            .iter()
            .any(|event| event.to_string().contains("nobody"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_a_device_signs_in_with_its_code_alone() {
    let world = World::new().await;
    let mfa = r#"{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*",
        "Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}"#;
    user(&world, "alice", mfa).await;
    let phone = Phone::of(&world, "alice").await;
    let mut browser = Browser::new(&world);
    let reply = browser.sign_in("alice", "wrong").await;
    assert_eq!(
        code(&reply),
        "InvalidSignIn",
        "a wrong password tells of no device"
    );
    let reply = browser.sign_in("alice", PASSWORD).await;
    assert_eq!((reply.status, code(&reply).as_str()), (401, "MfaRequired"));
    assert!(browser.cookie.is_none());
    let with = |code: &str| json!({"kind": "user", "account": ACCOUNT, "user": "alice", "password": PASSWORD, "mfaCode": code});
    let reply = browser.post("session", &with("000000")).await;
    assert_eq!(code(&reply), "InvalidSignIn");
    let right = phone.code(&world, 1);
    let reply = browser.post("session", &with(&right)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(json_of(&reply)["mfa"], true);
    let users = iam::ListUsersRequest::default();
    let alice = person(&reply);
    let users = world.aws::<iam::ops::ListUsers>(&alice, &users).await;
    assert!(users.is_ok());
    // A code works once.
    let reply = Browser::new(&world).post("session", &with(&right)).await;
    assert_eq!(code(&reply), "InvalidSignIn");

    let events = world.stop().await;
    let check = named(&events, "CheckMfa");
    assert_eq!(check.len(), 1);
    assert_eq!(check[0]["responseElements"], json!({"CheckMfa": "Success"}));
    assert_eq!(check[0]["additionalEventData"]["MfaType"], "Virtual MFA");
    let logins = named(&events, "ConsoleLogin");
    let login = logins
        .iter()
        .find(|event| event["errorMessage"].is_null())
        .unwrap();
    assert_eq!(login["additionalEventData"]["MFAUsed"], "Yes");
    assert_eq!(
        login["additionalEventData"]["MFAIdentifier"],
        phone.serial.as_str()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demanded_change_of_the_password_comes_first() {
    let world = World::new().await;
    world.user(&world.root, "alice", "").await;
    password(&world, "alice", true).await;
    let mut browser = Browser::new(&world);
    let reply = browser.sign_in("alice", PASSWORD).await;
    let refusal = (reply.status, code(&reply));
    assert_eq!(refusal, (403, "PasswordChangeRequired".to_owned()));
    assert_eq!(browser.refusal().await, "PasswordChangeRequired");
    let switch = json!({"account": ACCOUNT, "role": "ops"});
    let reply = browser.post("session/role", &switch).await;
    assert_eq!(code(&reply), "PasswordChangeRequired");

    let change = json!({"oldPassword": PASSWORD, "newPassword": "Another-horse2"});
    let reply = browser.post("session/password", &change).await;
    assert_eq!(
        reply.status,
        403,
        "the user may not change it: {}",
        reply.text()
    );
    let allowed = statement("Allow", &["iam:ChangePassword"], "*");
    world.policy(&world.root, "alice", &allowed).await;
    let short = json!({"oldPassword": PASSWORD, "newPassword": "short"});
    let reply = browser.post("session/password", &short).await;
    assert_eq!(code(&reply), "PasswordPolicyViolation");
    world.pass(1);
    let before = browser.cookie.clone();
    let reply = browser.post("session/password", &change).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_ne!(browser.cookie, before);
    assert!(works(&world, &browser.credentials().await).await);
    let mut old = Browser::new(&world);
    old.cookie = before;
    assert_eq!(old.refusal().await, "NoSession");
    let reply = Browser::new(&world).sign_in("alice", PASSWORD).await;
    assert_eq!(code(&reply), "InvalidSignIn");

    let events = world.stop().await;
    let changes = named(&events, "ChangePassword");
    assert_eq!(changes.len(), 3, "each was authorized and recorded");
    assert!(
        !events
            .iter()
            .any(|event| event.to_string().contains("Another-horse2"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_access_key_signs_in_without_its_secret() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let reply = browser.sign_in_by_key(&world.root).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(json_of(&reply)["kind"], "root");
    assert!(works(&world, &browser.credentials().await).await);

    let alice = world.user(&world.root, "alice", "").await;
    let mut browser = Browser::new(&world);
    let reply = browser.sign_in_by_key(&alice).await;
    assert_eq!(json_of(&reply)["name"], "alice");
    let mut forger = alice.clone();
    forger.secret.push('x');
    let reply = Browser::new(&world).sign_in_by_key(&forger).await;
    assert_eq!(
        (reply.status, code(&reply).as_str()),
        (401, "InvalidSignIn")
    );
    // Temporary credentials begin no session: it would outlive them.
    let given = browser.credentials().await;
    let reply = Browser::new(&world).sign_in_by_key(&given).await;
    assert_eq!(
        (reply.status, code(&reply).as_str()),
        (401, "InvalidSignIn")
    );

    let events = world.stop().await;
    let logins = named(&events, "ConsoleLogin");
    assert_eq!(logins[0]["userIdentity"]["type"], "Root");
    assert_eq!(logins[2]["userIdentity"]["accessKeyId"], alice.id.as_str());
    assert_eq!(logins[2]["errorMessage"], "Failed authentication");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_of_the_recovery_signs_root_in_once() {
    let world = World::new().await;
    let recover = async || {
        let service = authz::ServiceName::AccountCommand;
        let (account, now) = (ACCOUNT.parse().unwrap(), world.now());
        let recovery = Recovery {
            revoke: true,
            keep_mfa: false,
        };
        let identity = &world.app.identity;
        let recovered = identity.recover_account(service, account, recovery, now);
        recovered.await.unwrap().sign_in_token.expose().clone()
    };
    let (replaced, token) = (recover().await, recover().await);
    world.pass(1);
    let sign_in = |token: &str| json!({"kind": "link", "token": token});
    let mut browser = Browser::new(&world);
    let reply = browser.post("session", &sign_in(&replaced)).await;
    assert_eq!(code(&reply), "InvalidSignIn", "a later link replaces it");
    let reply = browser.post("session", &sign_in(&token)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(json_of(&reply)["kind"], "root");
    let reply = Browser::new(&world).post("session", &sign_in(&token)).await;
    assert_eq!(code(&reply), "InvalidSignIn");

    let late = recover().await;
    world.pass(3600);
    let reply = Browser::new(&world).post("session", &sign_in(&late)).await;
    assert_eq!(code(&reply), "InvalidSignIn");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn root_has_no_password() {
    let world = World::new().await;
    let body = json!({"kind": "root", "account": ACCOUNT, "password": "x"});
    let reply = Browser::new(&world).post("session", &body).await;
    assert_eq!(
        (reply.status, code(&reply).as_str()),
        (400, "InvalidRequest")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_account_may_be_named_by_its_alias() {
    let world = World::new().await;
    user(&world, "alice", "").await;
    let input = iam::CreateAccountAliasRequest {
        account_alias: "acme".to_owned(),
    };
    world
        .aws::<iam::ops::CreateAccountAlias>(&world.root, &input)
        .await
        .unwrap();
    let body = json!({"kind": "user", "account": "acme", "user": "alice", "password": PASSWORD});
    let reply = Browser::new(&world).post("session", &body).await;
    assert_eq!(json_of(&reply)["accountAlias"], "acme");
}
