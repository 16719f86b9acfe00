//! Hostile tokens and key sets, as properties: nothing panics, and nothing but the signed token verifies.

#![allow(clippy::unwrap_used)]

mod jose;

use std::sync::OnceLock;

use identity::federation::oidc::{Algorithm, Claims, Jws, KeySet, Presented, provider_name};
use jiff::Timestamp;
use jose::{ISSUER, NOW, ROLE, Signer, claims, encode, provider};
use proptest::prelude::*;
use serde_json::{Value, json};

fn signer() -> &'static Signer {
    static SIGNER: OnceLock<Signer> = OnceLock::new();
    SIGNER.get_or_init(|| Signer::new(Algorithm::Es256))
}

/// Any JSON, a few levels deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("\\PC{0,12}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn claim_name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "iss",
        "sub",
        "aud",
        "azp",
        "exp",
        "iat",
        "nbf",
        "amr",
        "email",
        "https://aws.amazon.com/tags",
        "https://aws.amazon.com/tags/transitive_tag_keys",
        "https://aws.amazon.com/tags/principal_tags/x",
        "https://aws.amazon.com/roles",
        "https://aws.amazon.com/source_identity",
        "anything",
    ])
}

proptest! {
    #[test]
    fn any_text_is_refused_or_read(text in "\\PC{0,200}") {
        let _ = Presented::parse(&text);
        let _ = provider_name(&text);
        prop_assert!(Jws::parse(&text).is_err());
    }

    #[test]
    fn any_bytes_are_a_key_set_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = KeySet::parse(&bytes);
    }

    #[test]
    fn any_header_and_payload_are_refused_or_read(header in any_json(), payload in any_json()) {
        let part = |value: &Value| encode(value.to_string().as_bytes());
        let token = format!("{}.{}.AAAA", part(&header), part(&payload));
        prop_assert!(Presented::parse(&token).is_err() || header["alg"].is_string());
    }

    /// Claims of any type never panic, and what is accepted keeps its bounds.
    #[test]
    fn any_claims_are_refused_or_bounded(changes in prop::collection::vec((claim_name(), any_json()), 0..4)) {
        let mut all = claims(json!({}));
        for (name, value) in changes {
            all[name] = value;
        }
        let token = signer().token("k1", &all);
        let jws = Jws::parse(&token).unwrap();
        let _ = Claims::of(&jws);
        let keys = KeySet::parse(&signer().jwks("k1")).unwrap();
        let own = provider(ISSUER, &["sts.amazonaws.com"]);
        let now = Timestamp::from_second(NOW).unwrap();
        let verified = Presented::parse(&token).and_then(|token| token.verify(&own, &keys, ROLE, now));
        if let Ok(identity) = verified {
            prop_assert!(identity.tags.len() <= 50);
            // Trap OIDC 7: every key has the provider's prefix.
            for (name, _) in identity.keys() {
                prop_assert!(name.starts_with("issuer.example:"), "{name}");
            }
        }
    }

    /// A token with a changed character is another token.
    #[test]
    fn no_changed_token_verifies(at in any::<prop::sample::Index>(), with in "[A-Za-z0-9_.-]") {
        let token = signer().token("k1", &claims(json!({})));
        let at = at.index(token.len());
        let mut changed = token.clone();
        changed.replace_range(at..=at, &with);
        prop_assume!(changed != token);
        let keys = KeySet::parse(&signer().jwks("k1")).unwrap();
        let verifies = Jws::parse(&changed).is_ok_and(|token| keys.verify(&token, &Algorithm::ALL).is_ok());
        prop_assert!(!verifies);
    }
}
