//! Settings of sign-in to the console.

use aws_api::berth::{ConsoleSignIn, GetProviderSettingsRequest, PutProviderSettingsRequest, ops};
use aws_api::iam;

use super::issuer::{CLIENT, Issuer};
use super::put_settings;
use crate::tests::saml::idp::{SIGN_ON, idp};
use crate::tests::world::{ACCOUNT, World};

async fn refused(world: &World, input: PutProviderSettingsRequest) -> String {
    let refused = put_settings(world, input).await.unwrap_err();
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (400, "InvalidParameterException")
    );
    refused.message
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_oidc_provider_needs_one_of_its_audiences_and_shows_no_secret() {
    let (issuer, world) = Issuer::with_world().await;
    issuer.create(&world).await;
    let with = |change: &dyn Fn(&mut ConsoleSignIn)| {
        let mut input = issuer.settings();
        change(input.console_sign_in.as_mut().unwrap());
        input
    };
    let other = with(&|console| console.client_id = Some("stranger".to_owned()));
    assert!(refused(&world, other).await.contains("audiences"));
    let none = with(&|console| console.client_id = None);
    assert!(refused(&world, none).await.contains("clientId"));
    let name = with(&|console| console.display_name = Some("a\u{7}b".to_owned()));
    assert!(refused(&world, name).await.contains("displayName"));

    let input = GetProviderSettingsRequest {
        provider_arn: issuer.arn(),
    };
    let shown = world
        .aws::<ops::GetProviderSettings>(&world.root, &input)
        .await;
    let shown = shown.unwrap().settings;
    let console = shown.console_sign_in.unwrap();
    assert_eq!(console.client_id.as_deref(), Some(CLIENT));
    assert_eq!(console.has_client_secret, Some(true));
    assert_eq!(console.scopes.unwrap(), ["email", "profile"]);
    let url = format!(
        "http://{}/console/federation/oidc/{}",
        world.address,
        issuer.key()
    );
    assert_eq!(shown.console_callback_url, Some(url));
}

/// Who may change the settings cannot send a secret that they do not know to another place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_kept_where_they_go_to_the_same_place() {
    let (issuer, world) = Issuer::with_world().await;
    issuer.create(&world).await;
    let mut input = issuer.settings();
    input.bearer_token = Some("token".into());
    put_settings(&world, input).await.unwrap();
    let keep = |client: &str, keys_host: Option<&str>| {
        let mut input = issuer.settings();
        let console = input.console_sign_in.as_mut().unwrap();
        console.client_secret = None;
        console.client_id = Some(client.to_owned());
        input.keys_host = keys_host.map(str::to_owned);
        input.keep_secrets = Some(true);
        input
    };
    let kept = put_settings(&world, keep(CLIENT, None)).await.unwrap();
    assert_eq!(kept.has_bearer_token, Some(true));
    assert_eq!(kept.console_sign_in.unwrap().has_client_secret, Some(true));
    for input in [keep("other", None), keep(CLIENT, Some("evil.example"))] {
        assert!(refused(&world, input).await.contains("same place"));
    }
    // What is shown can be sent again.
    let mut input = keep(CLIENT, None);
    input.keep_secrets = None;
    let console = input.console_sign_in.as_mut().unwrap();
    console.has_client_secret = Some(true);
    let kept = put_settings(&world, input).await.unwrap();
    assert_eq!(kept.has_bearer_token, Some(false));
    assert_eq!(kept.console_sign_in.unwrap().has_client_secret, Some(true));
    let mut input = keep(CLIENT, None);
    input.keep_secrets = None;
    let removed = put_settings(&world, input).await.unwrap();
    assert_eq!(removed.has_bearer_token, Some(false));
    assert_eq!(
        removed.console_sign_in.unwrap().has_client_secret,
        Some(false)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saml_provider_needs_a_place_to_sign_in_at() {
    let world = World::new().await;
    let arn = format!("arn:aws:iam::{ACCOUNT}:saml-provider/corp");
    let without = idp().metadata().replace("HTTP-Redirect", "SOAP");
    let input = iam::CreateSAMLProviderRequest {
        saml_metadata_document: without,
        name: "corp".to_owned(),
        ..Default::default()
    };
    world
        .aws::<iam::ops::CreateSAMLProvider>(&world.root, &input)
        .await
        .unwrap();
    let with = |console: ConsoleSignIn| PutProviderSettingsRequest {
        provider_arn: arn.clone(),
        console_sign_in: Some(console),
        ..Default::default()
    };
    let message = refused(&world, with(ConsoleSignIn::default())).await;
    assert!(message.contains("SingleSignOnService"), "{message}");
    let input = iam::UpdateSAMLProviderRequest {
        saml_provider_arn: arn.clone(),
        saml_metadata_document: Some(idp().metadata()),
        ..Default::default()
    };
    assert!(
        input
            .saml_metadata_document
            .as_ref()
            .unwrap()
            .contains(SIGN_ON)
    );
    world
        .aws::<iam::ops::UpdateSAMLProvider>(&world.root, &input)
        .await
        .unwrap();
    let client = ConsoleSignIn {
        client_id: Some("x".to_owned()),
        ..ConsoleSignIn::default()
    };
    assert!(refused(&world, with(client)).await.contains("displayName"));
    let shown = put_settings(&world, with(ConsoleSignIn::default()))
        .await
        .unwrap();
    let url = format!("http://{}/console/federation/saml", world.address);
    assert_eq!(shown.console_callback_url, Some(url));
    assert!(shown.console_sign_in.is_some());
}
