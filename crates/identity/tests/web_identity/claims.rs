//! What claims become: condition keys, roles, tags.

use super::*;

/// O6, and trap OIDC 7.
#[test]
fn any_issuer_gives_the_common_keys_and_no_others() {
    let identity = verify(json!({
        "email": "a@b.example", "amr": ["pwd", "mfa"], "repository": "octo/app", "groups": ["x"],
        "aws:PrincipalArn": "arn:aws:iam::111122223333:root", "azp": null,
    }))
    .unwrap();
    let mut names: Vec<String> = identity.keys().map(|(name, _)| name).collect();
    names.sort();
    let named = |claims: &[&str]| -> Vec<String> {
        claims
            .iter()
            .map(|claim| format!("issuer.example:{claim}"))
            .collect()
    };
    assert_eq!(names, named(&["amr", "aud", "email", "oaud", "sub"]));
    let mut staying: Vec<String> = identity.session_keys().map(|(name, _)| name).collect();
    staying.sort();
    assert_eq!(staying, named(&["amr", "aud", "sub"]));
    assert_eq!(
        one(&identity, "issuer.example:amr").as_deref(),
        Some("pwd mfa")
    );
    // A value that is too long refuses the token: a missing key would satisfy negated conditions.
    for changes in [
        json!({"sub": "x".repeat(2049)}),
        json!({"email": "x".repeat(2049)}),
        json!({"sub": 7}),
        json!({"sub": ""}),
        json!({"sub": null}),
        json!({"amr": {}}),
    ] {
        assert!(verify(changes.clone()).is_err(), "{changes}");
    }
}

/// O1: a provider's path, port and slash are part of its keys.
#[test]
fn keys_carry_the_whole_name_of_the_provider() {
    for issuer in [
        "https://x.auth0.com/",
        "https://issuer.example:6443",
        "https://oidc.eks.example/id/ABC",
    ] {
        let claims = claims(json!({"iss": issuer}));
        let identity = verify_at(&claims, &provider(issuer, &["sts.amazonaws.com"]), NOW).unwrap();
        let name = &issuer["https://".len()..];
        assert!(one(&identity, &format!("{name}:sub")).is_some(), "{issuer}");
    }
}

/// O7.
#[test]
fn known_issuers_give_their_own_keys() {
    let table = [
        (
            "https://token.actions.githubusercontent.com",
            json!({"repository": "octo/app", "environment": "prod", "run_id": "1"}),
            vec![("repository", "octo/app"), ("environment", "prod")],
            "run_id",
        ),
        (
            "https://token.actions.githubusercontent.com/octo-enterprise",
            json!({"enterprise_id": "7", "x": "y"}),
            vec![("enterprise_id", "7")],
            "x",
        ),
        (
            "https://gitlab.com",
            json!({"project_id": "22", "ref_protected": "true", "namespace_path": "g"}),
            vec![("project_id", "22"), ("ref_protected", "true")],
            "namespace_path",
        ),
        (
            "https://gitlab.example.com",
            json!({"project_id": "22"}),
            vec![],
            "project_id",
        ),
        (
            "https://agent.buildkite.com",
            json!({"pipeline_slug": "p", "step_key": "s"}),
            vec![("pipeline_slug", "p")],
            "step_key",
        ),
        (
            "https://oidc.circleci.com/org/0123",
            json!({"oidc.circleci.com/project-id": "p1", "oidc.circleci.com/vcs-ref": "r"}),
            vec![("oidc.circleci.com/project-id", "p1")],
            "oidc.circleci.com/vcs-ref",
        ),
        (
            "https://accounts.google.com",
            json!({"google": {"organization_number": 123}, "hd": "x"}),
            vec![("google/organization_number", "123")],
            "hd",
        ),
        (
            "https://token.actions.githubusercontent.com.evil.example",
            json!({"repository": "octo/app"}),
            vec![],
            "repository",
        ),
    ];
    for (issuer, changes, present, absent) in table {
        let mut claims = claims(changes);
        claims["iss"] = issuer.into();
        let identity = verify_at(&claims, &provider(issuer, &["sts.amazonaws.com"]), NOW).unwrap();
        let name = &issuer["https://".len()..];
        for (claim, value) in present {
            assert_eq!(
                one(&identity, &format!("{name}:{claim}")).as_deref(),
                Some(value),
                "{issuer} {claim}"
            );
            assert!(
                identity
                    .session_keys()
                    .all(|(key, _)| key != format!("{name}:{claim}")),
                "{claim}"
            );
        }
        assert_eq!(
            one(&identity, &format!("{name}:{absent}")),
            None,
            "{issuer}"
        );
    }
    // A known claim of another type gives no key; one that is too long refuses the token.
    let issuer = "https://token.actions.githubusercontent.com";
    let verify = |value: Json| {
        let claims = claims(json!({"iss": issuer, "actor": value}));
        verify_at(&claims, &provider(issuer, &["sts.amazonaws.com"]), NOW)
    };
    assert_eq!(
        one(
            &verify(json!(["a"])).unwrap(),
            "token.actions.githubusercontent.com:actor"
        ),
        None
    );
    assert!(verify(json!("x".repeat(2049))).is_err());
}

/// Beyond AWS: a provider's settings name further claims, which never replace the ones above.
#[test]
fn further_claims_become_keys_where_the_provider_is_set_so() {
    let mut own = provider(ISSUER, &["sts.amazonaws.com", "app"]);
    own.settings.claims = vec![
        "project_path".into(),
        "aud".into(),
        "groups".into(),
        "level".into(),
    ];
    let claims =
        claims(json!({"project_path": "group/app", "azp": "app", "groups": ["a"], "level": 40}));
    let identity = verify_at(&claims, &own, NOW).unwrap();
    assert_eq!(
        one(&identity, "issuer.example:project_path").as_deref(),
        Some("group/app")
    );
    assert_eq!(one(&identity, "issuer.example:aud").as_deref(), Some("app"));
    assert_eq!(one(&identity, "issuer.example:groups"), None);
    assert_eq!(
        one(&identity, "issuer.example:level").as_deref(),
        Some("40")
    );
}

/// O9.
#[test]
fn the_roles_claim_limits_the_roles() {
    const ROLES: &str = "https://aws.amazon.com/roles";
    let other = "arn:aws:iam::111122223333:role/other";
    for (claim, authorized) in [
        (Json::Null, Some(false)),
        (json!(ROLE), Some(true)),
        (json!([other, ROLE]), Some(true)),
        (json!(format!("{other};{ROLE}")), Some(true)),
        (json!(other), None),
        (json!([]), None),
        (json!("ci"), None),
        (json!("arn:aws:iam::111122223333:role/*"), None),
        (json!({"role": ROLE}), None),
    ] {
        let verified = verify(json!({ROLES: claim.clone()}));
        match authorized {
            Some(authorized) => {
                assert_eq!(verified.unwrap().is_role_authorized, authorized, "{claim}")
            }
            None => assert!(
                verified.unwrap_err().is(ErrorCode::InvalidIdentityToken),
                "{claim}"
            ),
        }
    }
    let message = verify(json!({ROLES: other})).unwrap_err().to_string();
    assert_eq!(
        message,
        "The target role ARN is not present in the roles claim of the identity token"
    );
}

/// O10.
#[test]
fn tags_and_the_source_identity_come_from_claims_in_both_forms() {
    const TAGS: &str = "https://aws.amazon.com/tags";
    let nested = json!({TAGS: {"principal_tags": {"Project": ["Automation"], "Team": ["ci"]}, "transitive_tag_keys": ["project"]}});
    let flat = json!({
        "https://aws.amazon.com/tags/principal_tags/Project": "Automation",
        "https://aws.amazon.com/tags/principal_tags/Team": "ci",
        "https://aws.amazon.com/tags/transitive_tag_keys": ["Project"],
    });
    for changes in [nested, flat] {
        let mut tags = verify(changes).unwrap().tags;
        tags.sort();
        assert_eq!(
            tags,
            [
                ("Project".into(), "Automation".into(), true),
                ("Team".into(), "ci".into(), false)
            ]
        );
    }
    for bad in [
        json!({TAGS: "x"}),
        json!({TAGS: {"principal_tags": []}}),
        json!({TAGS: {"principal_tags": {"a": ["1", "2"]}}}),
        json!({TAGS: {"principal_tags": {"a": 1}}}),
        json!({TAGS: {"principal_tags": {"aws:a": "1"}}}),
        json!({TAGS: {"principal_tags": {"a": "1", "A": "2"}}}),
        json!({TAGS: {"principal_tags": {"a": "1"}, "transitive_tag_keys": ["b"]}}),
        json!({TAGS: {"principal_tags": {"a": "x".repeat(257)}}}),
        json!({TAGS: {"principal_tags": (0..51).map(|n| (n.to_string(), json!("v"))).collect::<serde_json::Map<_, _>>()}}),
        json!({"https://aws.amazon.com/source_identity": "x"}),
        json!({"https://aws.amazon.com/source_identity": "a b"}),
        json!({"https://aws.amazon.com/source_identity": 7}),
    ] {
        let error = verify(bad.clone()).unwrap_err();
        assert!(error.is(ErrorCode::InvalidIdentityToken), "{bad}: {error}");
    }
    let identity = verify(json!({"https://aws.amazon.com/source_identity": "ana"})).unwrap();
    assert_eq!(identity.source_identity.as_deref(), Some("ana"));
}
