//! Tokens of OIDC providers: signatures, claims and condition keys (O4 to O7, O9, O10, O14; traps OIDC 1,
//! 3 and 7).

#![allow(clippy::unwrap_used)]

mod claims;
#[path = "../jose/mod.rs"]
mod jose;

use aws_api::sts::ErrorCode;
use identity::Error;
use identity::federation::oidc::{
    Algorithm, Jws, KeyError, KeySet, Presented, Provider, Value, WebIdentity,
};
use jiff::Timestamp;
use jose::{ISSUER, NOW, ROLE, Signer, claims, encode, provider, token_of};
use serde_json::{Value as Json, json};

fn verify_at(claims: &Json, provider: &Provider, at: i64) -> Result<WebIdentity, Error> {
    let signer = Signer::new(Algorithm::Es256);
    let token = signer.token("k1", claims);
    let keys = KeySet::parse(&signer.jwks("k1")).unwrap();
    let at = Timestamp::from_second(at).unwrap();
    Presented::parse(&token)?.verify(provider, &keys, ROLE, at)
}

fn verify(changes: Json) -> Result<WebIdentity, Error> {
    verify_at(
        &claims(changes),
        &provider(ISSUER, &["sts.amazonaws.com", "app"]),
        NOW,
    )
}

fn one(identity: &WebIdentity, name: &str) -> Option<String> {
    let found = identity.keys().find(|(key, _)| key == name)?;
    match found.1 {
        Value::One(value) => Some(value.clone()),
        Value::Many(values) => Some(values.join(" ")),
    }
}

/// O4.
#[test]
fn accepts_every_algorithm_of_aws_and_no_other_key() {
    for algorithm in Algorithm::ALL {
        let (signer, other) = (Signer::new(algorithm), Signer::another(algorithm));
        let token = signer.token("k1", &claims(json!({})));
        let token = Jws::parse(&token).unwrap();
        let keys = KeySet::parse(&signer.jwks("k1")).unwrap();
        assert_eq!(
            keys.verify(&token, &Algorithm::ALL),
            Ok(()),
            "{algorithm:?}"
        );
        let keys = KeySet::parse(&other.jwks("k1")).unwrap();
        assert_eq!(
            keys.verify(&token, &Algorithm::ALL),
            Err(KeyError::Signature)
        );
        // A provider's settings may allow fewer.
        let fewer: Vec<_> = Algorithm::ALL
            .into_iter()
            .filter(|one| *one != algorithm)
            .collect();
        let keys = KeySet::parse(&signer.jwks("k1")).unwrap();
        assert_eq!(keys.verify(&token, &fewer), Err(KeyError::Signature));
    }
}

/// Trap OIDC 1.
#[test]
fn takes_no_algorithm_from_the_token_that_is_not_the_keys() {
    let signer = Signer::new(Algorithm::Rs256);
    let payload = claims(json!({}));
    // Unsigned, and signed by HMAC with the public key as the secret.
    for header in [
        json!({"alg": "none"}),
        json!({"alg": "None"}),
        json!({"alg": "HS256", "kid": "k1"}),
        json!({"alg": "PS256", "kid": "k1"}),
        json!({"alg": "EdDSA"}),
        json!({"alg": "rs256"}),
        json!({"kid": "k1"}),
        json!({"alg": ["RS256"]}),
        json!({"alg": "RS256", "crit": ["exp"]}),
        json!({"alg": "RS256", "alg ": "none", "crit": []}),
    ] {
        let token = token_of(&header, &payload, b"signature");
        assert!(Jws::parse(&token).is_err(), "{header}");
    }
    // A key that is for one algorithm verifies no other one of its type.
    let keys = signer.jwks_with("k1", json!({"alg": "RS512"}));
    let token = signer.token("k1", &payload);
    let token = Jws::parse(&token).unwrap();
    assert_eq!(
        KeySet::parse(&keys)
            .unwrap()
            .verify(&token, &Algorithm::ALL),
        Err(KeyError::UnknownKey)
    );
    // Keys for other uses verify nothing.
    for change in [
        json!({"use": "enc"}),
        json!({"key_ops": ["sign"]}),
        json!({"alg": "PS256"}),
        json!({"kty": "oct"}),
    ] {
        let keys = KeySet::parse(&signer.jwks_with("k1", change)).unwrap();
        assert_eq!(
            keys.verify(&token, &Algorithm::ALL),
            Err(KeyError::UnknownKey)
        );
    }
}

/// Cases of the kinds in Project Wycheproof's `json_web_signature_test`: tokens in forms that other
/// implementations have accepted.
#[test]
fn refuses_tokens_in_any_other_form() {
    let signer = Signer::new(Algorithm::Es256);
    let keys = KeySet::parse(&signer.jwks("k1")).unwrap();
    let good = signer.token("k1", &claims(json!({})));
    let verifies = |token: &str| {
        Jws::parse(token).is_ok_and(|token| keys.verify(&token, &Algorithm::ALL).is_ok())
    };
    assert!(verifies(&good));
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("{good}")
    };
    let raw = jose::decode(signature);
    let cut = encode(&raw[..63]);
    let long = encode(&[&raw[..], &[0]].concat());
    let der = encode(&signer.der_signature(format!("{header}.{payload}").as_bytes()));
    let zeros = encode(&[0; 64]);
    let swapped = encode(&[&raw[32..], &raw[..32]].concat());
    // 22 characters hold 132 bits: the last four of a 16-byte value must be zero.
    let loose = format!(
        "{}{}",
        &signature[..signature.len() - 1],
        next_digit(signature)
    );
    for (what, token) in [
        ("no signature", format!("{header}.{payload}.")),
        ("two parts", format!("{header}.{payload}")),
        ("four parts", format!("{good}.{signature}")),
        ("a part in front", format!(".{good}")),
        ("empty", String::new()),
        ("dots", "..".to_owned()),
        ("padding", format!("{good}=")),
        ("white space", format!("{good} ")),
        ("a line break", format!("{header}.\n{payload}.{signature}")),
        (
            "the plain alphabet",
            good.replace('-', "+").replace('_', "/") + "+",
        ),
        ("a shorter signature", format!("{header}.{payload}.{cut}")),
        ("a longer signature", format!("{header}.{payload}.{long}")),
        ("a signature in DER", format!("{header}.{payload}.{der}")),
        ("zeros", format!("{header}.{payload}.{zeros}")),
        ("swapped numbers", format!("{header}.{payload}.{swapped}")),
        ("bits beyond the end", format!("{header}.{payload}.{loose}")),
        (
            "another payload",
            format!("{header}.{}.{signature}", encode(b"{}")),
        ),
        (
            "JSON serialization",
            json!({"protected": header, "payload": payload, "signature": signature}).to_string(),
        ),
        (
            "too long",
            format!("{header}.{}.{signature}", "A".repeat(20_000)),
        ),
    ] {
        assert!(!verifies(&token), "{what}");
    }
    // A key in the header is nobody's.
    let jwk: Json = serde_json::from_slice(&signer.jwks("own")).unwrap();
    let own = Signer::new(Algorithm::Es256);
    let forged = own.token_with(json!({"alg": "ES256", "kid": "k1", "jwk": jwk["keys"][0], "jku": "https://evil.example/jwks", "x5u": "https://evil.example/"}), &claims(json!({})));
    assert!(!verifies(&forged));
}

/// The digit after the last one of a base64url text.
fn next_digit(text: &str) -> char {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = DIGITS.find(text.chars().last().unwrap()).unwrap();
    DIGITS.chars().nth(last + 1).unwrap()
}

#[test]
fn finds_the_key_by_its_id() {
    let (first, second) = (Signer::new(Algorithm::Es256), Signer::new(Algorithm::Es256));
    let both: Json = json!({"keys": [first.jwk("a"), second.jwk("b"), {"kty": "OKP"}, 7, {"kty": "RSA", "kid": "a"}]});
    let keys = KeySet::parse(both.to_string().as_bytes()).unwrap();
    let payload = claims(json!({}));
    let verify =
        |keys: &KeySet, token: &str| keys.verify(&Jws::parse(token).unwrap(), &Algorithm::ALL);
    assert_eq!(verify(&keys, &second.token("b", &payload)), Ok(()));
    assert_eq!(
        verify(&keys, &second.token("a", &payload)),
        Err(KeyError::Signature)
    );
    assert_eq!(
        verify(&keys, &second.token("c", &payload)),
        Err(KeyError::UnknownKey)
    );
    // Without an id only one key can be meant.
    let nameless = second.token_with(json!({"alg": "ES256"}), &payload);
    assert_eq!(verify(&keys, &nameless), Err(KeyError::UnknownKey));
    let single = KeySet::parse(&second.jwks("b")).unwrap();
    assert_eq!(verify(&single, &nameless), Ok(()));
    for document in ["", "[]", "{}", r#"{"keys": {}}"#, "null"] {
        assert!(KeySet::parse(document.as_bytes()).is_err(), "{document}");
    }
}

/// O4.
#[test]
fn refuses_a_set_with_more_than_a_hundred_keys_of_the_type_that_signed() {
    let (ec, rsa) = (Signer::new(Algorithm::Es256), Signer::new(Algorithm::Rs256));
    let payload = claims(json!({}));
    for (count, expected) in [(100, Ok(())), (101, Err(KeyError::TooManyKeys))] {
        let mut keys: Vec<Json> = (1..count)
            .map(|n| json!({"kty": "EC", "kid": n.to_string()}))
            .collect();
        keys.extend([ec.jwk("ec"), rsa.jwk("rsa")]);
        let set = KeySet::parse(json!({"keys": keys}).to_string().as_bytes()).unwrap();
        let verify = |token: &str| set.verify(&Jws::parse(token).unwrap(), &Algorithm::ALL);
        assert_eq!(verify(&ec.token("ec", &payload)), expected);
        assert_eq!(verify(&rsa.token("rsa", &payload)), Ok(()));
    }
}

/// O4, O14.
#[test]
fn checks_the_times() {
    let expired = verify(json!({"exp": NOW})).unwrap_err();
    assert!(expired.is(ErrorCode::ExpiredToken));
    let message = format!(
        "Token expired: current date/time {NOW} must be before the expiration date/time {NOW}"
    );
    assert_eq!(expired.to_string(), message);
    assert!(verify(json!({"exp": NOW + 1})).is_ok());
    for (changes, accepted) in [
        (json!({"exp": null}), false),
        (json!({"exp": (NOW + 300) as f64 + 0.5}), false),
        (json!({"exp": (NOW + 300).to_string()}), false),
        (json!({"exp": -1}), false),
        (json!({"exp": u64::MAX}), false),
        (json!({"exp": i64::MAX}), false),
        (json!({"iat": null}), false),
        (json!({"iat": "yesterday"}), false),
        (json!({"iat": NOW + 60}), true),
        (json!({"iat": NOW + 61}), false),
        (json!({"iat": 0}), true),
        (json!({"nbf": NOW + 60}), true),
        (json!({"nbf": NOW + 61}), false),
        (json!({"nbf": "now"}), false),
    ] {
        let verified = verify(changes.clone());
        assert_eq!(verified.is_ok(), accepted, "{changes}");
        if let Err(error) = verified {
            assert!(
                error.is(ErrorCode::InvalidIdentityToken),
                "{changes}: {error}"
            );
        }
    }
}

/// O5.
#[test]
fn checks_the_audience_or_the_authorized_party() {
    for (changes, aud, oaud) in [
        (json!({}), Some("sts.amazonaws.com"), "sts.amazonaws.com"),
        (
            json!({"aud": ["sts.amazonaws.com"]}),
            Some("sts.amazonaws.com"),
            "sts.amazonaws.com",
        ),
        (json!({"aud": ["other", "app"]}), Some("app"), "other app"),
        (json!({"aud": "other", "azp": "app"}), Some("app"), "other"),
        (json!({"aud": "app", "azp": "other"}), None, ""),
        (json!({"aud": "other"}), None, ""),
        (json!({"aud": "APP"}), None, ""),
    ] {
        let verified = verify(changes.clone());
        match aud {
            Some(aud) => {
                let identity = verified.unwrap();
                assert_eq!(identity.audience, aud, "{changes}");
                assert_eq!(
                    one(&identity, "issuer.example:aud").as_deref(),
                    Some(aud),
                    "{changes}"
                );
                assert_eq!(
                    one(&identity, "issuer.example:oaud").as_deref(),
                    Some(oaud),
                    "{changes}"
                );
            }
            None => {
                let error = verified.unwrap_err();
                assert!(error.is(ErrorCode::InvalidIdentityToken));
                assert_eq!(error.to_string(), "Incorrect token audience", "{changes}");
            }
        }
    }
    for changes in [
        json!({"aud": null}),
        json!({"aud": []}),
        json!({"aud": ""}),
        json!({"aud": 7}),
        json!({"aud": [7]}),
        json!({"aud": "x".repeat(256)}),
    ] {
        assert!(verify(changes.clone()).is_err(), "{changes}");
    }
}

/// Trap OIDC 3: the issuer is compared byte by byte.
#[test]
fn the_issuer_is_compared_as_it_is() {
    for issuer in [
        "https://issuer.example/",
        "https://ISSUER.example",
        "https://issuer.example.evil",
        "http://issuer.example",
        "issuer.example",
        "https://issuer.example:443",
        "",
    ] {
        let error = verify(json!({"iss": issuer})).unwrap_err();
        assert!(error.is(ErrorCode::InvalidIdentityToken), "{issuer}");
    }
    let error = verify(json!({"iss": "https://other.example"})).unwrap_err();
    // O14.
    assert_eq!(
        error.to_string(),
        "No OpenIDConnect provider found in your account for https://other.example"
    );
    let message = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
    let error = Presented::parse("no token").unwrap_err();
    assert_eq!(error.to_string(), message);
}

/// Jobs write their token to a file with `jq` or `echo`, and SDKs send the file as it is.
#[test]
fn takes_a_token_that_ends_with_a_line_feed() {
    let signer = Signer::new(Algorithm::Es256);
    let token = signer.token("k1", &claims(json!({})));
    let keys = KeySet::parse(&signer.jwks("k1")).unwrap();
    let provider = provider(ISSUER, &["sts.amazonaws.com"]);
    let at = Timestamp::from_second(NOW).unwrap();
    for end in ["\n", "\r\n", " \n"] {
        let token = format!("{token}{end}");
        let presented = Presented::parse(&token).unwrap();
        assert!(presented.verify(&provider, &keys, ROLE, at).is_ok());
    }
    let (head, tail) = token.split_at(20);
    assert!(Presented::parse(&format!("{head}\n{tail}")).is_err());
    assert!(Presented::parse(&format!("{token}\0")).is_err());
}
