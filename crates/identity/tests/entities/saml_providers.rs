//! SAML providers: S1, S2, and what deletes and updates do.

#[path = "../../../saml/tests/common/mod.rs"]
mod idp;

use aws_api::iam::{self, AssertionEncryptionModeType as Mode};
use idp::{idp, stranger};
use store::testing::{TestStore, on_every_engine};

use super::common::*;

fn arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:saml-provider/{name}")
}

fn create(name: &str) -> iam::CreateSAMLProviderRequest {
    iam::CreateSAMLProviderRequest {
        saml_metadata_document: idp().metadata(),
        name: name.to_owned(),
        ..Default::default()
    }
}

fn get(name: &str) -> iam::GetSAMLProviderRequest {
    iam::GetSAMLProviderRequest {
        saml_provider_arn: arn(name),
    }
}

fn update(name: &str) -> iam::UpdateSAMLProviderRequest {
    iam::UpdateSAMLProviderRequest {
        saml_provider_arn: arn(name),
        ..Default::default()
    }
}

fn says(code: &str, message: &str) -> (String, String) {
    (code.to_owned(), message.to_owned())
}

#[on_every_engine]
async fn providers_are_created_shown_listed_tagged_and_deleted(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let tag = |key: &str| iam::Tag {
        key: key.to_owned(),
        value: "1".to_owned(),
    };
    let input = iam::CreateSAMLProviderRequest {
        tags: Some(vec![tag("a")]),
        ..create("idp")
    };
    let made = i.create_saml_provider(&root, input).await.unwrap();
    assert_eq!(made.saml_provider_arn, Some(arn("idp")));
    assert_eq!(made.tags, Some(vec![tag("a")]));
    i.create_saml_provider(&root, create("Another"))
        .await
        .unwrap();
    let twice = said(i.create_saml_provider(&root, create("IDP")).await);
    assert_eq!(twice.0, "EntityAlreadyExists");

    let shown = i.get_saml_provider(&root, get("idp")).await.unwrap();
    assert_eq!(shown.saml_metadata_document, Some(idp().metadata()));
    assert_eq!(shown.tags, Some(vec![tag("a")]));
    assert_eq!(shown.assertion_encryption_mode, Some(Mode::Allowed));
    assert_eq!(shown.private_key_list, Some(Vec::new()));
    let uuid = shown.saml_provider_uuid.unwrap();
    assert!((22..=64).contains(&uuid.len()), "{uuid}");
    // S1: valid for a hundred years.
    let (from, until) = (shown.create_date.unwrap(), shown.valid_until.unwrap());
    assert_eq!(
        until.strftime("%Y").to_string().parse::<i32>().unwrap(),
        from.strftime("%Y").to_string().parse::<i32>().unwrap() + 100
    );
    assert_eq!(
        until.strftime("-%m-%dT%T").to_string(),
        from.strftime("-%m-%dT%T").to_string()
    );

    let listed = i
        .list_saml_providers(&root, iam::ListSAMLProvidersRequest::default())
        .await
        .unwrap();
    let arns: Vec<_> = listed
        .saml_provider_list
        .unwrap()
        .into_iter()
        .map(|p| p.arn.unwrap())
        .collect();
    assert_eq!(arns, [arn("Another"), arn("idp")]);

    let input = iam::TagSAMLProviderRequest {
        saml_provider_arn: arn("idp"),
        tags: vec![tag("b"), tag("A")],
    };
    i.tag_saml_provider(&root, input).await.unwrap();
    let input = iam::UntagSAMLProviderRequest {
        saml_provider_arn: arn("idp"),
        tag_keys: vec!["a".to_owned()],
    };
    i.untag_saml_provider(&root, input).await.unwrap();
    let input = iam::ListSAMLProviderTagsRequest {
        saml_provider_arn: arn("idp"),
        ..Default::default()
    };
    let tags = i.list_saml_provider_tags(&root, input).await.unwrap();
    assert_eq!(tags.tags, [tag("A"), tag("b")]);

    let delete = || iam::DeleteSAMLProviderRequest {
        saml_provider_arn: arn("idp"),
    };
    i.delete_saml_provider(&root, delete()).await.unwrap();
    let gone = says(
        "NoSuchEntity",
        &format!("Manifest not found for arn {}", arn("idp")),
    );
    assert_eq!(said(i.delete_saml_provider(&root, delete()).await), gone);
    assert_eq!(said(i.get_saml_provider(&root, get("idp")).await), gone);
    assert_eq!(
        said(
            i.update_saml_provider(
                &root,
                iam::UpdateSAMLProviderRequest {
                    saml_metadata_document: Some(idp().metadata()),
                    ..update("idp")
                }
            )
            .await
        ),
        gone
    );
    assert!(i.saml_provider(&arn("idp")).await.unwrap().is_none());
}

#[on_every_engine]
async fn s1_metadata_that_cannot_be_parsed_is_refused(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let refused = says("InvalidInput", "Could not parse metadata");
    for metadata in [
        "a".repeat(1000),
        idp()
            .metadata()
            .replace("IDPSSODescriptor", "SPSSODescriptor"),
    ] {
        let input = iam::CreateSAMLProviderRequest {
            saml_metadata_document: metadata.clone(),
            ..create("idp")
        };
        assert_eq!(said(i.create_saml_provider(&root, input).await), refused);
    }
    i.create_saml_provider(&root, create("idp")).await.unwrap();
    let input = iam::UpdateSAMLProviderRequest {
        saml_metadata_document: Some("a".repeat(1000)),
        ..update("idp")
    };
    assert_eq!(said(i.update_saml_provider(&root, input).await), refused);
    assert_eq!(
        i.get_saml_provider(&root, get("idp"))
            .await
            .unwrap()
            .saml_metadata_document,
        Some(idp().metadata())
    );
    let input = iam::UpdateSAMLProviderRequest {
        saml_metadata_document: Some(stranger().metadata()),
        ..update("idp")
    };
    assert_eq!(
        i.update_saml_provider(&root, input)
            .await
            .unwrap()
            .saml_provider_arn,
        Some(arn("idp"))
    );
    assert_eq!(
        i.get_saml_provider(&root, get("idp"))
            .await
            .unwrap()
            .saml_metadata_document,
        Some(stranger().metadata())
    );
}

#[on_every_engine]
async fn s2_private_keys_and_encryption_modes(t: TestStore) {
    let mut w = World::new(&t).await;
    let root = w.root().await;
    let with_key = |key: &str| iam::UpdateSAMLProviderRequest {
        add_private_key: Some(key.to_owned().into()),
        ..update("idp")
    };
    let with_mode = |mode| iam::UpdateSAMLProviderRequest {
        assertion_encryption_mode: Some(mode),
        ..update("idp")
    };
    let without = |id: &str| iam::UpdateSAMLProviderRequest {
        remove_private_key: Some(id.to_owned()),
        ..update("idp")
    };
    let required = says(
        "InvalidInput",
        "Unable to set assertion encryption mode to Required because no private key is provided.",
    );
    let bad_key = says("InvalidInput", "Invalid private key.");

    let input = iam::CreateSAMLProviderRequest {
        assertion_encryption_mode: Some(Mode::Required),
        ..create("idp")
    };
    assert_eq!(
        said(w.identity.create_saml_provider(&root, input).await),
        required
    );
    let input = iam::CreateSAMLProviderRequest {
        add_private_key: Some("no key".to_owned().into()),
        ..create("idp")
    };
    assert_eq!(
        said(w.identity.create_saml_provider(&root, input).await),
        bad_key
    );
    w.identity
        .create_saml_provider(&root, create("idp"))
        .await
        .unwrap();

    assert_eq!(
        said(w.identity.update_saml_provider(&root, update("idp")).await),
        says(
            "InvalidInput",
            "Unable to update identity provider. No updates are defined for metadata or encryption assertion.",
        )
    );
    assert_eq!(
        said(
            w.identity
                .update_saml_provider(&root, with_mode(Mode::Required))
                .await
        ),
        required
    );
    assert_eq!(
        said(
            w.identity
                .update_saml_provider(&root, with_key("no key"))
                .await
        ),
        bad_key
    );
    let both = iam::UpdateSAMLProviderRequest {
        remove_private_key: Some("SAMLPKABCDEFGHIJKLMNOPQR".to_owned()),
        ..with_key(&idp().pem())
    };
    assert_eq!(
        said(w.identity.update_saml_provider(&root, both).await),
        says(
            "InvalidInput",
            "Unable to add and remove private keys in the same request. Set a value for only one of the two parameters.",
        )
    );

    w.identity
        .update_saml_provider(&root, with_key(&idp().pem()))
        .await
        .unwrap();
    w.identity
        .update_saml_provider(&root, with_mode(Mode::Required))
        .await
        .unwrap();
    w.now += jiff::SignedDuration::from_secs(60);
    let root = w.root_again(&root).await;
    w.identity
        .update_saml_provider(&root, with_key(&stranger().pem()))
        .await
        .unwrap();
    assert_eq!(
        said(
            w.identity
                .update_saml_provider(&root, with_key(&idp().pem()))
                .await
        ),
        says("LimitExceeded", "Private key limit of 2 is reached.")
    );
    let shown = w
        .identity
        .get_saml_provider(&root, get("idp"))
        .await
        .unwrap();
    assert_eq!(shown.assertion_encryption_mode, Some(Mode::Required));
    // The newest first.
    let keys = shown.private_key_list.unwrap();
    assert!(
        keys.len() == 2 && keys[0].timestamp > keys[1].timestamp,
        "{keys:?}"
    );

    assert_eq!(
        said(
            w.identity
                .update_saml_provider(&root, without("SAMLPKABCDEFGHIJKLMNOPQR"))
                .await
        ),
        says(
            "InvalidInput",
            "Failed to remove private key because the Key ID does not match a private key.",
        )
    );
    let id = |at: usize| keys[at].key_id.clone().unwrap();
    w.identity
        .update_saml_provider(&root, without(&id(0)))
        .await
        .unwrap();
    assert_eq!(
        said(
            w.identity
                .update_saml_provider(&root, without(&id(1)))
                .await
        ),
        says("InvalidInput", "Failed to remove private key.")
    );
    w.identity
        .update_saml_provider(&root, with_mode(Mode::Allowed))
        .await
        .unwrap();
    w.identity
        .update_saml_provider(&root, without(&id(1)))
        .await
        .unwrap();
    let shown = w
        .identity
        .get_saml_provider(&root, get("idp"))
        .await
        .unwrap();
    assert_eq!(shown.private_key_list, Some(Vec::new()));
    assert_eq!(shown.assertion_encryption_mode, Some(Mode::Allowed));
}

/// Trap 9: where the provider's settings say so, an assertion is used once, whatever node it comes to.
#[on_every_engine]
async fn assertions_are_used_once_where_the_settings_say_so(t: TestStore) {
    let mut w = World::new(&t).await;
    w.now = idp::NOW.parse().unwrap();
    let root = w.root().await;
    w.identity
        .create_saml_provider(&root, create("idp"))
        .await
        .unwrap();
    let role = w.create_role(&root, "ci", ACCOUNT).await.unwrap().arn;
    let claim = format!("{role},{}", arn("idp"));
    let facts = idp::Facts {
        attributes: idp::attribute("https://aws.amazon.com/SAML/Attributes/Role", &[&claim])
            + &idp::attribute(
                "https://aws.amazon.com/SAML/Attributes/RoleSessionName",
                &["alice"],
            ),
        ..idp::Facts::default()
    };
    let response = idp::encode(&facts.signed_assertion(idp()));
    let other = idp::encode(&facts.signed_assertion(idp()).replace("_r1", "_r2"));
    let assume = async |response: &str| {
        let provider = w
            .identity
            .saml_provider_of_request(&arn("idp"))
            .await
            .unwrap();
        let endpoints = identity::SamlEndpoints {
            own: "http://localhost/saml".to_owned(),
            is_console: false,
        };
        let alice = provider
            .identify(response, &role, &endpoints, w.now)
            .unwrap();
        let cx = w.call_as(std::sync::Arc::new(identity::saml_caller(alice, w.now)));
        let input = aws_api::sts::AssumeRoleWithSAMLRequest {
            role_arn: role.clone(),
            principal_arn: arn("idp"),
            ..Default::default()
        };
        w.identity.assume_role_with_saml(&cx, input).await
    };
    for _ in 0..2 {
        assert!(assume(&response).await.is_ok());
    }
    let settings = br#"{"single_use_assertions": true}"#;
    let sealed = w
        .identity
        .sealer()
        .seal_bytes("provider-settings", settings)
        .unwrap();
    let mut tx = t.store.write(store::Scope::Account(ACCOUNT)).await.unwrap();
    let found = store::iam::entity::find(
        &mut tx.conn(),
        ACCOUNT,
        store::iam::entity::Kind::SamlProvider,
        "idp",
    )
    .await;
    let id = found.unwrap().unwrap().id;
    let stored = store::iam::provider_settings::ProviderSettings {
        sealed,
        updated_at: 0,
        is_for_console: false,
    };
    store::iam::provider_settings::put(&mut tx.conn(), id, &stored)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(assume(&response).await.is_ok());
    // The same assertion in another response is the same assertion.
    for again in [&response, &other] {
        assert_eq!(
            said(assume(again).await),
            says("InvalidIdentityToken", "The assertion was used before.")
        );
    }
}

#[on_every_engine]
async fn providers_have_a_quota(t: TestStore) {
    let w = World::with(
        &t,
        identity::Settings {
            saml_providers_max: 1,
            ..Default::default()
        },
    )
    .await;
    let root = w.root().await;
    w.identity
        .create_saml_provider(&root, create("one"))
        .await
        .unwrap();
    let refused = said(w.identity.create_saml_provider(&root, create("two")).await);
    assert_eq!(
        refused,
        says(
            "LimitExceeded",
            "Cannot exceed quota for SAMLProvidersPerAccount: 1"
        )
    );
}
