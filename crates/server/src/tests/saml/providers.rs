//! Providers: their endpoints, their account, their metadata.

use super::*;

/// Trap 9: which URLs are this server's, and which only look like it.
#[tokio::test]
async fn takes_the_endpoints_of_aws_and_of_the_server_alone() {
    let world = World::new().await;
    create_provider(&world, "idp", idp()).await;
    create_role(&world, "ci", ACTION, "{}").await;
    let input = iam::GetSAMLProviderRequest {
        saml_provider_arn: provider_arn("idp"),
    };
    let shown = world
        .aws::<iam::ops::GetSAMLProvider>(&world.root, &input)
        .await
        .unwrap();
    let uuid = shown.saml_provider_uuid.unwrap();
    let own = format!("{}/saml", world.app.names.public_url);
    let by_id = [format!("{AWS}/acs/{uuid}"), format!("{own}/acs/{uuid}")];
    for endpoint in [
        AWS,
        "https://eu-central-1.signin.aws.amazon.com/saml",
        &own,
        &by_id[0],
        &by_id[1],
    ] {
        let response = facts(&world, "ci", endpoint).signed_assertion(idp());
        let answer = assume(&world, &request(&response, "ci")).await;
        assert!(answer.is_ok(), "{endpoint}: {answer:?}");
    }
    let audience = facts(&world, "ci", AWS);
    let named = audience.conditions.replace(AWS, "urn:amazon:webservices");
    let response = Facts {
        conditions: named,
        ..audience
    }
    .signed_assertion(idp());
    assert!(assume(&world, &request(&response, "ci")).await.is_ok());
    let longer = format!("{own}/more");
    for endpoint in [
        "urn:amazon:webservices",
        "http://signin.aws.amazon.com/saml",
        "https://evil.example/.signin.aws.amazon.com/saml",
        "https://signin.aws.amazon.com.evil.example/saml",
        "https://signin.aws.amazon.com/saml/acs/SAMLSPOTHER",
        "https://signin.aws.amazon.com/saml/",
        &longer,
        "",
    ] {
        let response = facts(&world, "ci", endpoint).signed_assertion(idp());
        let refused = assume(&world, &request(&response, "ci")).await.unwrap_err();
        assert_eq!(refused.code, "InvalidIdentityToken", "{endpoint}");
    }
}

/// A provider of one account vouches for nobody in another one, and nobody there can read it.
#[tokio::test]
async fn providers_count_in_their_own_account_alone() {
    let world = World::new().await;
    create_provider(&world, "idp", idp()).await;
    let other = world.other_account().await;
    let trust = format!(
        r#"{{"Effect":"Allow","Principal":{{"Federated":"{}"}},"Action":{ACTION}}}"#,
        provider_arn("idp")
    );
    let input = iam::CreateRoleRequest {
        role_name: "theirs".to_owned(),
        assume_role_policy_document: document(&trust),
        ..Default::default()
    };
    world
        .aws::<iam::ops::CreateRole>(&other, &input)
        .await
        .unwrap();
    let theirs = format!("arn:aws:iam::{OTHER}:role/theirs");
    let plain = facts(&world, "ci", AWS);
    let role = format!("{theirs},{}", provider_arn("idp"));
    let attributes =
        aws_attribute("Role", &[&role]) + &aws_attribute("RoleSessionName", &["alice"]);
    let response = Facts {
        attributes,
        ..plain
    }
    .signed_assertion(idp());
    let input = sts::AssumeRoleWithSAMLRequest {
        role_arn: theirs,
        ..request(&response, "ci")
    };
    assert_eq!(
        assume(&world, &input).await.unwrap_err().code,
        "AccessDenied"
    );

    let get = iam::GetSAMLProviderRequest {
        saml_provider_arn: provider_arn("idp"),
    };
    let refused = world
        .aws::<iam::ops::GetSAMLProvider>(&other, &get)
        .await
        .unwrap_err();
    assert!(
        ["AccessDenied", "NoSuchEntity"].contains(&refused.code.as_str()),
        "{refused:?}"
    );
    let listed = world
        .aws::<iam::ops::ListSAMLProviders>(&other, &Default::default())
        .await
        .unwrap();
    assert_eq!(listed.saml_provider_list, Some(Vec::new()));
}

/// Metadata may be larger than other requests, and only there.
#[tokio::test]
async fn s1_takes_metadata_of_several_megabytes() {
    let world = World::new().await;
    let metadata = idp().metadata() + &"a\n".replace('a', " ").repeat(1_500_000);
    let input = iam::CreateSAMLProviderRequest {
        saml_metadata_document: metadata.clone(),
        name: "large".to_owned(),
        ..Default::default()
    };
    world
        .aws::<iam::ops::CreateSAMLProvider>(&world.root, &input)
        .await
        .unwrap();
    let get = iam::GetSAMLProviderRequest {
        saml_provider_arn: provider_arn("large"),
    };
    let shown = world
        .aws::<iam::ops::GetSAMLProvider>(&world.root, &get)
        .await
        .unwrap();
    assert_eq!(shown.saml_metadata_document, Some(metadata.clone()));
    let input = iam::CreateUserRequest {
        user_name: metadata,
        ..Default::default()
    };
    let refused = world
        .aws::<iam::ops::CreateUser>(&world.root, &input)
        .await
        .unwrap_err();
    assert_eq!(refused.status, 413, "{refused:?}");
}
