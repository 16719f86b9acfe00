//! Forged tokens and weak keys: what other implementations have accepted (trap OIDC 1, O4). The vectors of
//! Project Wycheproof are in `wycheproof.rs`.

#![allow(clippy::unwrap_used)]

mod jose;

use aws_api::sts::ErrorCode;
use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RsaPublicKeyComponents,
};
use identity::Error;
use identity::federation::oidc::{Algorithm, Jws, KeyError, KeySet, Presented, WebIdentity};
use jiff::Timestamp;
use jose::{ISSUER, NOW, ROLE, Signer, claims, decode, encode, provider};
use serde_json::{Value, json};

/// A set of one key.
fn set_of(jwk: &Value) -> KeySet {
    KeySet::parse(json!({"keys": [jwk]}).to_string().as_bytes()).unwrap()
}

fn verify(keys: &KeySet, token: &str) -> Result<(), KeyError> {
    keys.verify(&Jws::parse(token).unwrap(), &Algorithm::ALL)
}

/// The token with this text as its payload, signed, through the whole verification.
fn present(payload: &str) -> Result<WebIdentity, Error> {
    let signer = Signer::new(Algorithm::Es256);
    let token = signer.token_of_text(r#"{"alg":"ES256","kid":"k1"}"#, payload);
    let keys = KeySet::parse(&signer.jwks("k1")).unwrap();
    let at = Timestamp::from_second(NOW).unwrap();
    Presented::parse(&token)?.verify(&provider(ISSUER, &["sts.amazonaws.com"]), &keys, ROLE, at)
}

/// The accepted claims as text, with further members behind them.
fn claims_with(members: &str) -> String {
    let text = claims(json!({})).to_string();
    format!("{},{members}}}", text.strip_suffix('}').unwrap())
}

/// RFC 7515, sections 4 and 4.1.11; RFC 7519, section 4.
#[test]
fn refuses_headers_that_can_be_read_in_two_ways() {
    let signer = Signer::new(Algorithm::Es256);
    let keys = KeySet::parse(&signer.jwks("k1")).unwrap();
    let payload = claims(json!({})).to_string();
    for (header, accepted) in [
        (r#"{"alg":"ES256","kid":"k1"}"#, true),
        (r#"{"alg":"ES256","kid":"k1","typ":"JWT","x":[1]}"#, true),
        // Keys that the token brings are not looked at.
        (
            r#"{"alg":"ES256","kid":"k1","jwk":{"kty":"oct","k":""},"jku":"https://a.example","x5c":["AA"]}"#,
            true,
        ),
        (r#"{"alg":"none","alg":"ES256","kid":"k1"}"#, false),
        (r#"{"alg":"ES256","alg":"none","kid":"k1"}"#, false),
        (r#"{"alg":"ES256","al\u0067":"none","kid":"k1"}"#, false),
        (r#"{"alg":"ES256","kid":"k2","kid":"k1"}"#, false),
        (r#"{"alg":"ES256","kid":"k1","crit":null}"#, false),
        (
            r#"{"alg":"ES256","kid":"k1","crit":["b64"],"b64":false}"#,
            false,
        ),
        (r#"{"alg":"ES256","kid":"k1","crit":"exp"}"#, false),
        (r#"{"alg":"ES256","kid":"k1"}{}"#, false),
        (r#"["ES256","k1"]"#, false),
        ("{\"alg\":\"ES256\",\"kid\":\"k1\u{0}\"}", false),
        ("\u{feff}{\"alg\":\"ES256\",\"kid\":\"k1\"}", false),
    ] {
        let token = signer.token_of_text(header, &payload);
        let verified = Jws::parse(&token).map(|token| keys.verify(&token, &Algorithm::ALL));
        assert_eq!(verified == Ok(Ok(())), accepted, "{header}: {verified:?}");
    }
}

/// A key's id is compared as text, and is no path, pattern or query.
#[test]
fn takes_key_ids_as_they_are() {
    let signer = Signer::new(Algorithm::Es256);
    let payload = claims(json!({}));
    let keys = KeySet::parse(&signer.jwks("k1")).unwrap();
    for id in [
        "",
        "K1",
        "k1 ",
        "k1\0",
        "*",
        "k%31",
        "../k1",
        "' OR '1'='1",
        "https://evil.example/k1",
    ] {
        let refused = verify(&keys, &signer.token(id, &payload));
        assert_eq!(refused, Err(KeyError::UnknownKey), "{id:?}");
    }
    for id in [json!(1), json!(["k1"]), json!({"kid": "k1"}), json!(true)] {
        let token = signer.token_with(json!({"alg": "ES256", "kid": id}), &payload);
        assert!(Jws::parse(&token).is_err(), "{id}");
    }
    // A key whose id is no text has none, and is not found by another one's.
    let mut nameless = signer.jwk("k1");
    nameless["kid"] = json!(1);
    assert_eq!(
        verify(&set_of(&nameless), &signer.token("1", &payload)),
        Err(KeyError::UnknownKey)
    );
    // Of keys with one id, a few are tried: verification costs the same for any set.
    let others = || (0..3).map(|_| Signer::new(Algorithm::Es256).jwk("k1"));
    for (before, expected) in [(3, Ok(())), (4, Err(KeyError::Signature))] {
        let keys: Vec<Value> = others()
            .chain(others())
            .take(before)
            .chain([signer.jwk("k1")])
            .collect();
        let keys = KeySet::parse(json!({"keys": keys}).to_string().as_bytes()).unwrap();
        assert_eq!(
            verify(&keys, &signer.token("k1", &payload)),
            expected,
            "{before}"
        );
    }
}

/// The algorithm belongs to the key: its curve, its type, its `alg`.
#[test]
fn refuses_a_key_of_another_curve_or_type() {
    let payload = claims(json!({}));
    for algorithm in Algorithm::ALL {
        let signer = Signer::new(algorithm);
        for other in Algorithm::ALL
            .into_iter()
            .filter(|other| *other != algorithm)
        {
            // The header claims another algorithm than the key's, signed with the key.
            let token = signer.token_with(json!({"alg": other.name(), "kid": "k1"}), &payload);
            let keys = KeySet::parse(&signer.jwks("k1")).unwrap();
            assert!(
                verify(&keys, &token).is_err(),
                "{other:?} with a key of {algorithm:?}"
            );
            // The key claims to be for another algorithm than it is.
            let keys = signer.jwks_with("k1", json!({"alg": other.name()}));
            let keys = KeySet::parse(&keys).unwrap();
            assert!(
                verify(&keys, &token).is_err()
                    && verify(&keys, &signer.token("k1", &payload)).is_err()
            );
        }
    }
}

#[test]
fn refuses_points_that_are_not_on_the_curve() {
    let signer = Signer::new(Algorithm::Es256);
    let token = signer.token("k1", &claims(json!({})));
    let good = signer.jwk("k1");
    assert_eq!(verify(&set_of(&good), &token), Ok(()));
    let changed = |changes: Value| {
        let mut jwk = good.clone();
        for (name, value) in changes.as_object().unwrap() {
            jwk[name] = value.clone();
        }
        verify(&set_of(&jwk), &token)
    };
    let coordinate = |name: &str| decode(good[name].as_str().unwrap());
    let (x, y) = (coordinate("x"), coordinate("y"));
    let with_zero = |number: &[u8]| encode(&[&[0], number].concat());
    let mut off = y.clone();
    off[31] ^= 1;
    for changes in [
        json!({"y": encode(&off)}),
        json!({"x": encode(&y), "y": encode(&x)}),
        json!({"x": encode(&[0; 32]), "y": encode(&[0; 32])}),
        json!({"x": encode(&[0xff; 32]), "y": encode(&[0xff; 32])}),
        // Other lengths than the curve's (RFC 7518, 6.2.1.2), and texts that are no base64url.
        json!({"x": encode(&x[1..])}),
        json!({"x": with_zero(&x)}),
        json!({"x": format!("{}=", encode(&x))}),
        json!({"x": ""}),
        json!({"x": null}),
        json!({"x": [1]}),
        // Other curves with coordinates of the same length, and another one's name.
        json!({"crv": "secp256k1"}),
        json!({"crv": "P-384"}),
        json!({"crv": "p-256"}),
        json!({"crv": null}),
        json!({"kty": "OKP", "crv": "Ed25519"}),
        json!({"kty": "ec"}),
    ] {
        assert!(changed(changes.clone()).is_err(), "{changes}");
    }
}

/// RFC 7518, 3.4: both numbers in the curve's full length. Zeros verify for any key where a library does
/// not check them (CVE-2022-21449).
#[test]
fn refuses_signatures_of_another_length_or_of_zeros() {
    for (algorithm, bytes) in [
        (Algorithm::Es256, 32),
        (Algorithm::Es384, 48),
        (Algorithm::Es512, 66),
    ] {
        let signer = Signer::new(algorithm);
        let keys = KeySet::parse(&signer.jwks("k1")).unwrap();
        let token = signer.token("k1", &claims(json!({})));
        assert_eq!(verify(&keys, &token), Ok(()));
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = decode(signature);
        assert_eq!(signature.len(), 2 * bytes);
        let (r, s) = signature.split_at(bytes);
        let zeros = vec![0; bytes];
        for forged in [
            Vec::new(),
            vec![0; 2 * bytes],
            vec![0xff; 2 * bytes],
            [r, &zeros].concat(),
            [&zeros, s].concat(),
            [s, r].concat(),
            signature[..2 * bytes - 1].to_vec(),
            signature[1..].to_vec(),
            [&signature[..], &[0]].concat(),
            [&[0], &signature[..]].concat(),
            // Each number with a zero in front.
            [&[0], r, &[0], s].concat(),
        ] {
            let token = format!("{signed}.{}", encode(&forged));
            assert_eq!(
                verify(&keys, &token),
                Err(KeyError::Signature),
                "{algorithm:?} {forged:?}"
            );
        }
    }
}

/// The text that is signed by PKCS #1 v1.5 with SHA-256 (RFC 8017, 9.2), for a modulus of 256 bytes.
fn padded(message: &[u8]) -> Vec<u8> {
    const SHA256: &[u8] = &[
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0x04, 0x20,
    ];
    let hash = digest::digest(&digest::SHA256, message);
    let info = [SHA256, hash.as_ref()].concat();
    let fill = vec![0xff; 256 - 3 - info.len()];
    [&[0, 1], &fill[..], &[0], &info].concat()
}

/// With the exponent 1 a signature is the padded text itself: anybody makes it. A huge exponent or modulus
/// costs time.
#[test]
fn refuses_rsa_keys_with_a_weak_or_costly_exponent() {
    let signer = Signer::new(Algorithm::Rs256);
    let payload = claims(json!({}));
    let unsigned = signer.token_with(json!({"alg": "RS256", "kid": "k1"}), &payload);
    let (signed, _) = unsigned.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", encode(&padded(signed.as_bytes())));
    for exponent in [
        &[1][..],
        &[0, 0, 1],
        &[0],
        &[],
        &[2],
        &[1, 0, 0],
        // 34 bits: aws-lc takes up to 33.
        &[2, 0, 0, 0, 1],
        &[0xff; 256],
        &[0xff; 4096],
    ] {
        let keys = signer.jwks_with("k1", json!({"e": encode(exponent)}));
        let keys = KeySet::parse(&keys).unwrap();
        for token in [&forged, &unsigned] {
            assert_eq!(
                verify(&keys, token),
                Err(KeyError::Signature),
                "{exponent:?}"
            );
        }
    }
    for modulus in [
        &[][..],
        &[0],
        &[1],
        &[3],
        &[0xff; 32],
        // Even, and above 8,192 bits.
        &[0xfe; 256],
        &[0xff; 1025],
        &[0xff; 8192],
    ] {
        let keys = signer.jwks_with("k1", json!({"n": encode(modulus)}));
        let keys = KeySet::parse(&keys).unwrap();
        assert_eq!(
            verify(&keys, &unsigned),
            Err(KeyError::Signature),
            "{} bytes",
            modulus.len()
        );
    }
}

/// A valid signature by a key of 1,024 bits, made with OpenSSL.
#[test]
fn refuses_rsa_keys_below_2048_bits() {
    const MODULUS: &str = "xz7IEvGhTFLAa8Tz6gS2WXE5amoDEt9L1ZRC4CbnpvDehrt-kGMhNch_dEAozzyaSA6r-LxjeO_BGoOVCxjBhP4NO_O_UZz2XJZ9drt0EXaRGcUKE3YPN53pM68NmIArYAOckYnC2yR4U3gEmakMwgSK-VlBV9JsGGxOZ9CN_w0";
    const TOKEN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.e30.nBeaDDY3d88pLDSH8HAN0AFgOBeCCuhiWfypSRs7ctQFhGElC1NUwETRU1CFE7-qUyLkSoCqGQKhKZUlaUxFeJoEfQacQKcfwLgLCjrGBkNF1n0jwb-waPsVHdlhy_0-FU2uOfTliGZiOmEALMWDlVCjT5sJi79ddcolg8LDuTk";
    let (signed, signature) = TOKEN.rsplit_once('.').unwrap();
    let (n, e) = (decode(MODULUS), decode("AQAB"));
    let key = RsaPublicKeyComponents { n: &n, e: &e };
    let parameters = &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY;
    key.verify(parameters, signed.as_bytes(), &decode(signature))
        .expect("the signature is valid");
    let keys = set_of(&json!({"kty": "RSA", "kid": "k1", "n": MODULUS, "e": "AQAB"}));
    assert_eq!(verify(&keys, TOKEN), Err(KeyError::Signature));
}

/// A shared secret is no public key, even where a provider publishes one.
#[test]
fn never_verifies_with_a_shared_secret() {
    let header = encode(br#"{"alg":"HS256","kid":"k1"}"#);
    let signed = format!(
        "{header}.{}",
        encode(claims(json!({})).to_string().as_bytes())
    );
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"secret");
    let tag = aws_lc_rs::hmac::sign(&key, signed.as_bytes());
    let token = format!("{signed}.{}", encode(tag.as_ref()));
    let error = Presented::parse(&token).unwrap_err();
    assert!(error.is(ErrorCode::InvalidIdentityToken));
    let keys = set_of(&json!({"kty": "oct", "kid": "k1", "alg": "HS256", "k": encode(b"secret")}));
    assert_eq!(keys, KeySet::default());
}

/// RFC 7519, section 4: a claim that stands twice means two things.
#[test]
fn refuses_claims_that_stand_twice() {
    assert!(present(&claims_with(r#""extra":{"a":1,"b":[{"a":2}]}"#)).is_ok());
    for members in [
        r#""sub":"repo:octo/other:ref:refs/heads/main""#,
        r#""su\u0062":"repo:octo/other:ref:refs/heads/main""#,
        r#""iss":"https://issuer.example""#,
        r#""aud":["sts.amazonaws.com"]"#,
        r#""exp":9999999999"#,
        r#""extra":1,"extra":1"#,
        r#""https://aws.amazon.com/tags":{"principal_tags":{"a":["1"],"a":["2"]}}"#,
        r#""extra":[{"a":1,"a":2}]"#,
    ] {
        let error = present(&claims_with(members)).unwrap_err();
        assert!(
            error.is(ErrorCode::InvalidIdentityToken),
            "{members}: {error}"
        );
    }
}

/// Times that are no whole numbers (O4), and payloads that other parsers complete.
#[test]
fn refuses_numbers_and_documents_that_are_not_exact() {
    let with = |name: &str, value: &str| {
        let mut all = claims(json!({}));
        all[name] = json!("value");
        all.to_string().replace("\"value\"", value)
    };
    for value in [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "1795349000.0",
        "1.795349e9",
        "-0",
        "0x6b02f188",
        "+1795349000",
        "01795349000",
        "18446744073709551616",
        "[1795349000]",
        "true",
        "\"1795349000\"",
        "{}",
    ] {
        for name in ["exp", "iat", "nbf"] {
            assert!(present(&with(name, value)).is_err(), "{name}: {value}");
        }
    }
    assert!(present(&with("exp", "1795349000")).is_ok());
    let good = claims(json!({})).to_string();
    let cut = good.strip_suffix('}').unwrap();
    for payload in [
        cut.to_owned(),
        format!("{good}{good}"),
        format!("{cut},}}"),
        format!("{cut},\"a\":'b'}}"),
        format!("/**/{good}"),
        format!("\u{feff}{good}"),
        format!("[{good}]"),
        format!("{cut},\"a\":\"\\ud800\"}}"),
        format!("{cut},\"a\":{}1{}}}", "[".repeat(4_000), "]".repeat(4_000)),
        "null".to_owned(),
        "\"token\"".to_owned(),
        String::new(),
    ] {
        assert!(present(&payload).is_err(), "{payload:.80}");
    }
}
