//! Sign-in through identity providers.

mod issuer;
mod oidc;
mod oidc_attacks;
mod saml;
mod settings;

use aws_api::{berth, iam};
use serde_json::{Value, json};

use super::browser::{Browser, json_of};
use crate::tests::world::{ACCOUNT, Refused, Reply, World, document};

/// What a URL's query says.
fn query(url: &str) -> std::collections::HashMap<String, String> {
    let (_, query) = url.split_once('?').unwrap();
    crate::form::pairs(query).collect()
}

/// A role that trusts a provider for an action under a condition, and may list users.
async fn role(world: &World, name: &str, provider: &str, action: &str, condition: Value) {
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": {"Federated": provider}, "Action": action, "Condition": condition,
        }],
    });
    let input = iam::CreateRoleRequest {
        role_name: name.to_owned(),
        assume_role_policy_document: trust.to_string(),
        ..Default::default()
    };
    let made = world.aws::<iam::ops::CreateRole>(&world.root, &input).await;
    made.unwrap();
    let input = iam::PutRolePolicyRequest {
        role_name: name.to_owned(),
        policy_name: "inline".to_owned(),
        policy_document: document(r#"{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}"#),
    };
    let put = world
        .aws::<iam::ops::PutRolePolicy>(&world.root, &input)
        .await;
    put.unwrap();
}

fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

async fn put_settings(
    world: &World,
    input: berth::PutProviderSettingsRequest,
) -> Result<berth::ProviderSettings, Refused> {
    let put = world
        .aws::<berth::ops::PutProviderSettings>(&world.root, &input)
        .await;
    Ok(put?.settings)
}

async fn providers(browser: &mut Browser<'_>, account: &str) -> Vec<Value> {
    let reply = browser
        .post("providers", &json!({"account": account}))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    json_of(&reply)["providers"].as_array().unwrap().clone()
}

/// Begins a sign-in; returns the URL that the browser is sent to.
async fn begin(browser: &mut Browser<'_>, key: &str, next: &str) -> String {
    let body = json!({"account": ACCOUNT, "provider": key, "next": next});
    let reply = browser.post("federation/begin", &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    json_of(&reply)["location"].as_str().unwrap().to_owned()
}

/// Where an answer leads to.
fn location(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text());
    json_of(reply)["location"].as_str().unwrap().to_owned()
}
