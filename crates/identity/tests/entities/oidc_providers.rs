//! OIDC providers (O1, O2, O3). The messages are recorded: LocalStack's `test_iam_oidc.snapshot.json`.

use aws_api::iam;
use store::testing::{TestStore, on_every_engine};

use super::common::*;
use super::{iam_tag, words};

fn create(url: &str) -> iam::CreateOpenIDConnectProviderRequest {
    iam::CreateOpenIDConnectProviderRequest {
        url: url.to_owned(),
        thumbprint_list: Some(vec!["a".repeat(40)]),
        ..Default::default()
    }
}

fn arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{name}")
}

fn get(name: &str) -> iam::GetOpenIDConnectProviderRequest {
    iam::GetOpenIDConnectProviderRequest {
        open_id_connect_provider_arn: arn(name),
    }
}

fn refused(error: identity::Error) -> (String, String) {
    words(error.code().as_str(), &error.to_string())
}

#[on_every_engine]
async fn a_provider_is_created_shown_listed_and_deleted(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let input = iam::CreateOpenIDConnectProviderRequest {
        client_id_list: Some(vec!["sts.amazonaws.com".into(), "b".into(), "b".into()]),
        tags: Some(vec![iam_tag("team", "ci")]),
        ..create("https://issuer.example:6443/Path/")
    };
    let created = i
        .create_open_id_connect_provider(&root, input)
        .await
        .unwrap();
    let name = "issuer.example:6443/Path/";
    assert_eq!(created.open_id_connect_provider_arn, Some(arn(name)));
    assert_eq!(created.tags, Some(vec![iam_tag("team", "ci")]));
    let shown = i
        .get_open_id_connect_provider(&root, get(name))
        .await
        .unwrap();
    // O1: the URL without its scheme.
    assert_eq!(shown.url.as_deref(), Some(name));
    assert_eq!(
        shown.client_id_list,
        Some(vec!["sts.amazonaws.com".into(), "b".into()])
    );
    assert_eq!(shown.thumbprint_list, Some(vec!["a".repeat(40)]));
    assert_eq!(shown.tags, Some(vec![iam_tag("team", "ci")]));
    // O1: the case of letters counts, and so does a slash at the end.
    for other in [
        "https://issuer.example:6443/path/",
        "https://issuer.example:6443/Path",
    ] {
        i.create_open_id_connect_provider(&root, create(other))
            .await
            .unwrap();
    }
    let listed = i
        .list_open_id_connect_providers(&root, Default::default())
        .await
        .unwrap();
    let listed: Vec<_> = listed
        .open_id_connect_provider_list
        .unwrap()
        .into_iter()
        .filter_map(|one| one.arn)
        .collect();
    assert_eq!(
        listed,
        [
            arn("issuer.example:6443/Path"),
            arn(name),
            arn("issuer.example:6443/path/")
        ]
    );
    let summary = i
        .get_account_summary(&root, ())
        .await
        .unwrap()
        .summary_map
        .unwrap();
    assert_eq!(summary.get(&iam::SummaryKeyType::Providers), Some(&3));

    let delete = || iam::DeleteOpenIDConnectProviderRequest {
        open_id_connect_provider_arn: arn(name),
    };
    i.delete_open_id_connect_provider(&root, delete())
        .await
        .unwrap();
    let missing = i
        .get_open_id_connect_provider(&root, get(name))
        .await
        .unwrap_err();
    assert_eq!(
        refused(missing),
        words(
            "NoSuchEntity",
            &format!("OpenIDConnect Provider not found for arn {}", arn(name))
        )
    );
    // Deletion is not idempotent, and has words of its own.
    let missing = i
        .delete_open_id_connect_provider(&root, delete())
        .await
        .unwrap_err();
    assert_eq!(
        refused(missing),
        words(
            "NoSuchEntity",
            &format!("OpenId connect Provider {} cannot be found.", arn(name))
        )
    );
}

#[on_every_engine]
async fn creation_refuses_what_aws_refuses(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    i.create_open_id_connect_provider(&root, create("https://one.example"))
        .await
        .unwrap();
    let invalid = words("ValidationError", "Invalid Open ID Connect Provider URL");
    let many = |n: usize| Some((0..n).map(|k| k.to_string()).collect::<Vec<_>>());
    let thumbprints = |n: usize| Some(vec!["a".repeat(40); n]);
    let table = [
        (
            create("https://one.example"),
            words(
                "EntityAlreadyExists",
                "Provider with url https://one.example already exists.",
            ),
        ),
        (
            iam::CreateOpenIDConnectProviderRequest {
                thumbprint_list: thumbprints(6),
                ..create("https://a.example")
            },
            words(
                "InvalidInput",
                "Thumbprint list must contain fewer than 5 entries.",
            ),
        ),
        (
            iam::CreateOpenIDConnectProviderRequest {
                client_id_list: many(101),
                ..create("https://a.example")
            },
            words(
                "LimitExceeded",
                "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100",
            ),
        ),
        (create("example.org"), invalid.clone()),
        (create("http://a.example"), invalid.clone()),
        (create("HTTPS://a.example"), invalid.clone()),
        (create("https://"), invalid.clone()),
        (create("https:///path"), invalid.clone()),
        (create("https://a.example?query"), invalid.clone()),
        (create("https://a.example/p#f"), invalid.clone()),
        (create("https://user@a.example"), invalid.clone()),
        (create("https://a.example:99999"), invalid.clone()),
        (create("https://a.example/ b"), invalid.clone()),
        (create("https://a.example/ä"), invalid.clone()),
        // Trap OIDC 7: claims of such a provider would be AWS's own keys.
        (create("https://aws"), invalid.clone()),
        (create("https://AWS:8443/x"), invalid.clone()),
        (create("https://sts"), invalid.clone()),
        (create("https://saml"), invalid.clone()),
    ];
    for (input, expected) in table {
        let url = input.url.clone();
        let error = i
            .create_open_id_connect_provider(&root, input)
            .await
            .unwrap_err();
        assert_eq!(refused(error), expected, "{url}");
    }
    // Five thumbprints are taken, although the message says fewer; an empty list is one.
    for (url, thumbprints) in [
        ("https://five.example", thumbprints(5)),
        ("https://none.example", Some(Vec::new())),
    ] {
        let input = iam::CreateOpenIDConnectProviderRequest {
            thumbprint_list: thumbprints,
            ..create(url)
        };
        i.create_open_id_connect_provider(&root, input)
            .await
            .unwrap();
    }
    for url in [
        "https://[::1]:8443",
        "https://127.0.0.1:8443/x",
        "https://localhost:1",
        "https://a_b.example/~x%20y",
    ] {
        i.create_open_id_connect_provider(&root, create(url))
            .await
            .unwrap();
    }
}

/// O2.
#[on_every_engine]
async fn client_ids_are_added_and_removed_idempotently(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    i.create_open_id_connect_provider(&root, create("https://one.example"))
        .await
        .unwrap();
    let add = |id: &str| iam::AddClientIDToOpenIDConnectProviderRequest {
        open_id_connect_provider_arn: arn("one.example"),
        client_id: id.to_owned(),
    };
    let remove = |id: &str| iam::RemoveClientIDFromOpenIDConnectProviderRequest {
        open_id_connect_provider_arn: arn("one.example"),
        client_id: id.to_owned(),
    };
    for id in ["a", "b", "a"] {
        i.add_client_id_to_open_id_connect_provider(&root, add(id))
            .await
            .unwrap();
    }
    for id in ["b", "b", "c"] {
        i.remove_client_id_from_open_id_connect_provider(&root, remove(id))
            .await
            .unwrap();
    }
    let shown = i
        .get_open_id_connect_provider(&root, get("one.example"))
        .await
        .unwrap();
    assert_eq!(shown.client_id_list, Some(vec!["a".to_owned()]));
    for n in 1..100 {
        i.add_client_id_to_open_id_connect_provider(&root, add(&n.to_string()))
            .await
            .unwrap();
    }
    let error = i
        .add_client_id_to_open_id_connect_provider(&root, add("one too many"))
        .await
        .unwrap_err();
    assert_eq!(
        refused(error),
        words(
            "LimitExceeded",
            "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"
        )
    );
    i.add_client_id_to_open_id_connect_provider(&root, add("7"))
        .await
        .unwrap();
}

/// O3: an update replaces all thumbprints.
#[on_every_engine]
async fn thumbprints_are_replaced_as_a_whole(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    i.create_open_id_connect_provider(&root, create("https://one.example"))
        .await
        .unwrap();
    let update = |n: usize| iam::UpdateOpenIDConnectProviderThumbprintRequest {
        open_id_connect_provider_arn: arn("one.example"),
        thumbprint_list: vec!["b".repeat(40); n],
    };
    let error = i
        .update_open_id_connect_provider_thumbprint(&root, update(6))
        .await
        .unwrap_err();
    assert_eq!(
        refused(error),
        words(
            "InvalidInput",
            "Thumbprint list must contain fewer than 5 entries."
        )
    );
    i.update_open_id_connect_provider_thumbprint(&root, update(2))
        .await
        .unwrap();
    let shown = i
        .get_open_id_connect_provider(&root, get("one.example"))
        .await
        .unwrap();
    assert_eq!(shown.thumbprint_list, Some(vec!["b".repeat(40); 2]));
    assert_eq!(shown.client_id_list, Some(Vec::new()));
}

#[on_every_engine]
async fn tags_are_set_listed_in_pages_and_removed(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    i.create_open_id_connect_provider(&root, create("https://one.example"))
        .await
        .unwrap();
    let tag = |tags| iam::TagOpenIDConnectProviderRequest {
        open_id_connect_provider_arn: arn("one.example"),
        tags,
    };
    i.tag_open_id_connect_provider(
        &root,
        tag(vec![
            iam_tag("k1", "v1"),
            iam_tag("k2", "v2"),
            iam_tag("K1", "v3"),
        ]),
    )
    .await
    .unwrap();
    let page = |marker| iam::ListOpenIDConnectProviderTagsRequest {
        open_id_connect_provider_arn: arn("one.example"),
        marker,
        max_items: Some(2),
    };
    let first = i
        .list_open_id_connect_provider_tags(&root, page(None))
        .await
        .unwrap();
    assert_eq!((first.tags.len(), first.is_truncated), (2, Some(true)));
    let last = i
        .list_open_id_connect_provider_tags(&root, page(first.marker))
        .await
        .unwrap();
    assert_eq!((last.tags, last.marker), (vec![iam_tag("k2", "v2")], None));
    let untag = iam::UntagOpenIDConnectProviderRequest {
        open_id_connect_provider_arn: arn("one.example"),
        tag_keys: vec!["k2".into(), "none".into()],
    };
    i.untag_open_id_connect_provider(&root, untag)
        .await
        .unwrap();
    let tags = (0..50).map(|n| iam_tag(&format!("n{n}"), "")).collect();
    let error = i
        .tag_open_id_connect_provider(&root, tag(tags))
        .await
        .unwrap_err();
    assert_eq!(
        refused(error),
        words(
            "LimitExceeded",
            "The number of tags has reached the maximum limit."
        )
    );
}

#[on_every_engine]
async fn providers_of_other_accounts_are_not_there(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    i.create_open_id_connect_provider(&root, create("https://one.example"))
        .await
        .unwrap();
    let other = w.account(OTHER_ACCOUNT).await;
    let other = w.call(&other).await.unwrap();
    let error = i
        .get_open_id_connect_provider(&other, get("one.example"))
        .await
        .unwrap_err();
    assert!(error.is(iam::ErrorCode::NoSuchEntity));
    let listed = i
        .list_open_id_connect_providers(&other, Default::default())
        .await
        .unwrap();
    assert_eq!(listed.open_id_connect_provider_list, Some(Vec::new()));
    let own = ACCOUNT.parse().unwrap();
    assert!(i.oidc_provider(own, "one.example").await.unwrap().is_some());
    assert!(
        i.oidc_provider(OTHER_ACCOUNT.parse().unwrap(), "one.example")
            .await
            .unwrap()
            .is_none()
    );
    // Trap OIDC 3: no prefix and no other spelling finds it.
    for name in [
        "one.example/",
        "One.example",
        "one.exampl",
        "https://one.example",
        "",
    ] {
        assert!(
            i.oidc_provider(own, name).await.unwrap().is_none(),
            "{name}"
        );
    }
}

/// N4.
#[on_every_engine]
async fn an_update_changes_one_thing(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    i.create_open_id_connect_provider(&root, create("https://one.example"))
        .await
        .unwrap();
    let update = |context, instance| iam::UpdateOpenIDConnectProviderRequest {
        open_id_connect_provider_arn: arn("one.example"),
        remove_context_provider: context,
        remove_identity_center_instance: instance,
        ..Default::default()
    };
    i.update_open_id_connect_provider(&root, update(Some(true), None))
        .await
        .unwrap();
    for (context, instance) in [(None, None), (Some(true), Some(true)), (Some(false), None)] {
        let error = i
            .update_open_id_connect_provider(&root, update(context, instance))
            .await
            .unwrap_err();
        assert!(error.is(iam::ErrorCode::InvalidInput));
    }
}
