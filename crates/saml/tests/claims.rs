//! What attributes become (S3, S4).

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::*;
use saml::claims::{Claims, condition_keys};
use saml::{Assertion, Refused};

const PREFIX: &str = "https://aws.amazon.com/SAML/Attributes/";

fn assertion(attributes: &[(&str, &[&str])]) -> Assertion {
    let attributes = attributes
        .iter()
        .map(|(name, values)| match name.contains(':') {
            true if !name.starts_with("PrincipalTag:") => attribute(name, values),
            _ => attribute(&format!("{PREFIX}{name}"), values),
        });
    let facts = Facts {
        attributes: attributes.collect(),
        ..Facts::default()
    };
    open(&facts.signed_assertion(idp())).unwrap()
}

fn claims(attributes: &[(&str, &[&str])]) -> Result<Claims, Refused> {
    Claims::read(&assertion(attributes))
}

#[test]
fn s3_reads_roles_in_either_order() {
    let (role, provider) = ROLE.split_once(',').unwrap();
    let reverse = format!("{provider}, {role}");
    let other = "arn:aws:iam::111122223333:role/other,arn:aws:iam::111122223333:saml-provider/idp";
    let claims = claims(&[
        ("Role", &[&reverse, other, "nonsense", "a,b"]),
        ("RoleSessionName", &["alice"]),
    ])
    .unwrap();
    assert_eq!(claims.roles.len(), 2);
    assert!(claims.names_role(role, provider));
    assert!(claims.names_role("arn:aws:iam::111122223333:role/other", provider));
    assert!(!claims.names_role("arn:aws:iam::111122223333:role/admin", provider));
    assert!(!claims.names_role(role, "arn:aws:iam::111122223333:saml-provider/other"));
}

#[test]
fn s3_requires_a_role_session_name_of_the_pattern() {
    let required = Refused::Claim("RoleSessionName is required in AuthnResponse");
    assert_eq!(claims(&[("Role", &[ROLE])]).unwrap_err(), required);
    for name in [
        "a",
        " alice",
        "alice ",
        "al ice",
        "al/ice",
        "\u{e4}lice",
        &"a".repeat(65),
        "",
    ] {
        let refused = claims(&[("RoleSessionName", &[name])]).unwrap_err();
        assert!(
            refused.to_string().contains("must match"),
            "{name:?}: {refused}"
        );
    }
    for name in ["al", "alice@example.com", "a_b+c=d,e.f-9", &"a".repeat(64)] {
        assert_eq!(
            claims(&[("RoleSessionName", &[name])])
                .unwrap()
                .role_session_name,
            name
        );
    }
    assert!(claims(&[("RoleSessionName", &["alice", "bob"])]).is_err());
}

#[test]
fn s3_reads_duration_source_identity_and_tags() {
    let all = claims(&[
        ("RoleSessionName", &["alice"]),
        ("SessionDuration", &["1800"]),
        ("SourceIdentity", &["alice"]),
        ("PrincipalTag:team", &["red"]),
        ("PrincipalTag:env", &[""]),
        ("TransitiveTagKeys", &["team", "env"]),
    ])
    .unwrap();
    assert_eq!(all.session_seconds, Some(1800));
    assert_eq!(all.source_identity.as_deref(), Some("alice"));
    let tags = [("team", "red"), ("env", "")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    assert_eq!(all.tags, tags);
    assert_eq!(all.transitive_tag_keys, ["team", "env"]);
    for (name, value) in [
        ("SessionDuration", "899"),
        ("SessionDuration", "43201"),
        ("SessionDuration", "an hour"),
        ("SourceIdentity", "aws:alice"),
        ("SourceIdentity", "AWS:alice"),
        ("SourceIdentity", "a"),
        ("SourceIdentity", "al ice"),
    ] {
        let refused = claims(&[("RoleSessionName", &["alice"]), (name, &[value])]);
        assert!(matches!(refused, Err(Refused::Claim(_))), "{name} {value}");
    }
    assert!(
        claims(&[
            ("RoleSessionName", &["alice"]),
            ("PrincipalTag:a", &["1", "2"])
        ])
        .is_err()
    );
}

/// S4, and trap 7: an attribute never becomes another key than the documented ones.
#[test]
fn s4_maps_documented_attributes_alone() {
    let keys = condition_keys(&assertion(&[
        ("urn:oid:1.3.6.1.4.1.5923.1.1.1.1", &["staff", "member"]),
        (
            "urn:oid:1.3.6.1.4.1.5923.1.1.1.6",
            &["alice@example.com", "second"],
        ),
        (
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
            &["a@example.com"],
        ),
        ("0.9.2342.19200300100.1.3", &["b@example.com"]),
        ("aws:PrincipalTag/admin", &["true"]),
        ("saml:doc", &["999999999999/other"]),
        ("saml:sub", &["admin"]),
    ]));
    let shown: Vec<(&str, Vec<&str>, bool)> = keys
        .iter()
        .map(|k| {
            (
                k.name,
                k.values.iter().map(String::as_str).collect(),
                k.is_multivalued,
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("saml:edupersonaffiliation", vec!["staff", "member"], true),
            (
                "saml:edupersonprincipalname",
                vec!["alice@example.com"],
                false
            ),
            ("saml:mail", vec!["a@example.com"], false),
        ]
    );
}
