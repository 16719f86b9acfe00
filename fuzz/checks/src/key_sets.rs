//! Key sets of OIDC providers.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::federation::oidc::{Algorithm, Jws, KEYS_OF_TYPE_MAX, KeyError, KeySet};

/// The public key of RFC 7515, A.3, and the token that it signed.
const PUBLISHED: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
const SIGNED: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

/// Any bytes as a key set.
///
/// No set lets a forged token in: zeros for a signature, and the padded text itself, which is the RSA
/// signature of a key with the exponent 1. A set that verifies the signed token has its key.
pub fn parse(bytes: &[u8]) {
    let Ok(keys) = KeySet::parse(bytes) else {
        return;
    };
    // Each key is a few words more than its text.
    assert!(keys.heap_bytes() <= 1_024 + 64 * bytes.len());
    for token in forged() {
        let token = Jws::parse(token).expect("the token has the form");
        assert!(
            keys.verify(&token, &Algorithm::ALL).is_err(),
            "accepted a forged token"
        );
    }
    let signed = Jws::parse(SIGNED).expect("the token has the form");
    match keys.verify(&signed, &Algorithm::ALL) {
        Ok(()) => {
            assert!(bytes.len() > 80, "accepted without the key");
            let none: [Algorithm; 0] = [];
            assert_eq!(keys.verify(&signed, &none), Err(KeyError::Signature));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Tokens that are signed by nobody, with and without a key's id.
fn forged() -> impl Iterator<Item = &'static str> {
    static FORGED: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();
    let make = || {
        let mut all = Vec::new();
        for id in ["", r#","kid":"k1""#] {
            for algorithm in Algorithm::ALL {
                let header = format!(r#"{{"alg":"{}"{id}}}"#, algorithm.name());
                let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
                let signed = format!("{}.e30", encode(header.as_bytes()));
                let signatures = match algorithm {
                    Algorithm::Es256 => vec![vec![0; 64]],
                    Algorithm::Es384 => vec![vec![0; 96]],
                    Algorithm::Es512 => vec![vec![0; 132]],
                    _ => vec![vec![0; 256], vec![1; 256], padded(signed.as_bytes())],
                };
                let tokens = signatures.iter();
                all.extend(tokens.map(|signature| format!("{signed}.{}", encode(signature))));
            }
        }
        all
    };
    FORGED.get_or_init(make).iter().map(String::as_str)
}

/// The text that PKCS #1 v1.5 signs with SHA-256 (RFC 8017, 9.2), for a modulus of 256 bytes.
fn padded(message: &[u8]) -> Vec<u8> {
    const SHA256: [u8; 19] =
        *b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    let hash = digest::digest(&digest::SHA256, message);
    let info = [&SHA256, hash.as_ref()].concat();
    [&[0, 1], &vec![0xff; 253 - info.len()][..], &[0], &info].concat()
}

/// Sets as providers publish them.
pub fn seeds() -> Vec<Vec<u8>> {
    let modulus = URL_SAFE_NO_PAD.encode([0xd5; 256]);
    let rsa = |exponent: &str| {
        format!(
            r#"{{"keys":[{{"kty":"RSA","kid":"k1","use":"sig","alg":"RS256","n":"{modulus}","e":"{exponent}","x5c":["AA=="]}}]}}"#
        )
    };
    let many = vec![r#"{"kty":"EC"}"#; KEYS_OF_TYPE_MAX + 1].join(",");
    let sets = [
        format!(r#"{{"keys":[{PUBLISHED}]}}"#),
        format!(
            r#"{{"keys":[{PUBLISHED},{{"kty":"oct","k":"AA"}},{{"kty":"OKP","crv":"Ed25519","x":"AA"}},7]}}"#
        ),
        format!(r#"{{"keys":[{PUBLISHED},{many}]}}"#),
        rsa("AQAB"),
        rsa("AQ"),
        rsa("Aw"),
    ];
    sets.into_iter().map(String::into_bytes).collect()
}
