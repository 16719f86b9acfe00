//! What botocore signs, this crate accepts; and it signs the same way.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use sigv4::{Expected, Lifetime, PathStyle, RequestParts, SecretKey, SigError, Signer, parse};

/// Made by `botocore_vectors.py` beside it.
const VECTORS: &str = include_str!("botocore_vectors.json");

#[test]
fn botocores_signatures_stand_and_ours_are_the_same() {
    let file: Value = serde_json::from_str(VECTORS).unwrap();
    let secret = SecretKey::new(file["secret"].as_str().unwrap());
    let now = file["now_epoch_seconds"].as_i64().unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 7);
    for vector in vectors {
        let text = |name: &str| vector[name].as_str().unwrap();
        let headers: Vec<(&str, &[u8])> = vector["headers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|header| {
                (
                    header[0].as_str().unwrap(),
                    header[1].as_str().unwrap().as_bytes(),
                )
            })
            .collect();
        let parts = RequestParts {
            method: text("method"),
            path: text("path"),
            query: text("query"),
            headers: &headers,
        };
        let presented = parse(&parts).unwrap();
        assert_eq!(presented.access_key_id(), "AKIDEXAMPLE");
        assert_eq!(presented.session_token(), vector["session_token"].as_str());
        let expected = Expected {
            service: text("service"),
            region: Some("eu-central-1"),
            payload_sha256_hex: text("payload_sha256_hex"),
            now_epoch_seconds: now,
            path_style: PathStyle::Standard,
            lifetime: Lifetime::Stated,
        };
        let name = text("name");
        assert_eq!(
            presented.verify(&parts, &secret, &expected),
            Ok(()),
            "{name}"
        );
        let wrong = SecretKey::new("another");
        assert_eq!(
            presented
                .verify(&parts, &wrong, &expected)
                .unwrap_err()
                .to_string(),
            "The request signature we calculated does not match the signature you provided. Check your AWS \
             Secret Access Key and signing method. Consult the service documentation for details."
        );
        let later = Expected {
            now_epoch_seconds: now + 86_400,
            ..expected
        };
        let late = presented.verify(&parts, &secret, &later);
        assert!(
            matches!(late, Err(SigError::Expired { .. })),
            "{name}: {late:?}"
        );

        if presented.is_presigned() {
            continue;
        }
        let made = ["authorization", "x-amz-date", "x-amz-security-token"];
        let unsigned: Vec<(&str, &[u8])> = headers
            .iter()
            .filter(|(name, _)| !made.contains(&name.to_ascii_lowercase().as_str()))
            .copied()
            .collect();
        let signer = Signer {
            access_key_id: "AKIDEXAMPLE",
            secret: &secret,
            session_token: vector["session_token"].as_str(),
            region: "eu-central-1",
            service: text("service"),
            now_epoch_seconds: now,
            path_style: PathStyle::Standard,
        };
        let unsigned = RequestParts {
            headers: &unsigned,
            ..parts
        };
        let signed = signer.sign(&unsigned, text("payload_sha256_hex")).unwrap();
        let (_, theirs) = headers[0];
        assert_eq!(signed.authorization.as_bytes(), theirs, "{name}");
    }
}
