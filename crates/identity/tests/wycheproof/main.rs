//! The vectors of Project Wycheproof for JSON Web Signatures and keys (O4, trap OIDC 1), from the Go module
//! that `go.mod` beside this file pins.
//!
//! `cargo xtask test` downloads the module and names its folder in `BERTH_TEST_WYCHEPROOF`. Without it these
//! tests fail, they never pass unseen.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::federation::oidc::{Algorithm, Jws, KeySet};
use serde_json::{Value, json};

/// Vectors with another verdict than the file's, and whether they are accepted here.
type Otherwise<'a> = &'a [(u64, bool)];

/// RFC 7520's example, in a set that calls the key's algorithm `ES521`. No token has that algorithm, so the
/// key is for none.
const SIGNATURES: Otherwise<'_> = &[(347, false), (351, false)];

/// A key of 2,048 bits with the weakness ROCA (CVE-2017-15361), which its structure shows. It is the
/// provider's to replace; neither aws-lc nor AWS's documents know of a check.
const KEYS: Otherwise<'_> = &[(7, true)];

fn read(name: &str) -> Value {
    let folder = std::env::var_os("BERTH_TEST_WYCHEPROOF").expect(
        "BERTH_TEST_WYCHEPROOF names the folder of the Go module github.com/c2sp/wycheproof; `cargo xtask test` \
         downloads it and sets it",
    );
    let path = PathBuf::from(folder).join("testvectors_v1").join(name);
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap()
}

/// Runs a file: the verdict of each vector, for tokens of the algorithms that AWS accepts.
fn run(name: &str, otherwise: Otherwise<'_>) {
    let file = read(name);
    let (mut accepted, mut count, mut wrong) = (0, 0, Vec::new());
    for group in file["testGroups"].as_array().unwrap() {
        // Groups of shared secrets have a private key alone.
        let key = group.get("public").unwrap_or(&group["private"]);
        let set = match key.get("keys") {
            Some(_) => key.clone(),
            None => json!({"keys": [key]}),
        };
        let set = KeySet::parse(set.to_string().as_bytes()).unwrap();
        for vector in group["tests"].as_array().unwrap() {
            let text = vector["jws"].as_str().unwrap();
            let verified =
                Jws::parse(text).is_ok_and(|token| set.verify(&token, &Algorithm::ALL).is_ok());
            let id = vector["tcId"].as_u64().unwrap();
            let expected = match otherwise.iter().find(|(listed, _)| *listed == id) {
                Some((_, verdict)) => *verdict,
                None => vector["result"] == "valid" && is_of_aws(text),
            };
            count += 1;
            accepted += usize::from(verified);
            if verified != expected {
                wrong.push(format!(
                    "{id} {} {}: {verified}",
                    group["comment"], vector["comment"]
                ));
            }
        }
    }
    assert_eq!(Some(count), file["numberOfTests"].as_u64());
    assert!(accepted > 0, "no vector of {name} is accepted");
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Whether the header names one of the algorithms that AWS accepts.
fn is_of_aws(token: &str) -> bool {
    let header = token.split('.').next().unwrap();
    let header = URL_SAFE_NO_PAD.decode(header).unwrap_or_default();
    let header: Value = serde_json::from_slice(&header).unwrap_or_default();
    Algorithm::ALL
        .iter()
        .any(|algorithm| header["alg"] == algorithm.name())
}

#[test]
fn verifies_signatures_as_project_wycheproof_says() {
    run("json_web_signature_test.json", SIGNATURES);
}

#[test]
fn takes_keys_as_project_wycheproof_says() {
    run("json_web_key_test.json", KEYS);
}
