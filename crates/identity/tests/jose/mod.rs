//! Makes and signs tokens.

#![allow(clippy::unwrap_used, dead_code)]

use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING,
    ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::federation::oidc::{Algorithm, Provider, ProviderSettings};
use serde_json::{Value, json};

pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

pub fn token_of(header: &Value, payload: &Value, signature: &[u8]) -> String {
    let part = |value: &Value| encode(value.to_string().as_bytes());
    format!("{}.{}.{}", part(header), part(payload), encode(signature))
}

pub const ISSUER: &str = "https://issuer.example";
pub const NOW: i64 = 1_795_348_800;
pub const ROLE: &str = "arn:aws:iam::111122223333:role/ci";

pub fn provider(issuer: &str, client_ids: &[&str]) -> Provider {
    let name = issuer.strip_prefix("https://").unwrap();
    Provider {
        account: "111122223333".parse().unwrap(),
        arn: format!("arn:aws:iam::111122223333:oidc-provider/{name}"),
        unique_id: "OIDCEXAMPLE".to_owned(),
        name: name.to_owned(),
        client_ids: client_ids.iter().map(|id| (*id).to_owned()).collect(),
        thumbprints: Vec::new(),
        settings: ProviderSettings::default(),
    }
}

/// Claims that are accepted, with changes; null removes a claim.
pub fn claims(changes: Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "sub": "repo:octo/app:ref:refs/heads/main", "aud": "sts.amazonaws.com",
        "iat": NOW - 10, "exp": NOW + 300,
    });
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

enum Pair {
    Rsa(&'static RsaKeyPair),
    Ec(EcdsaKeyPair, Vec<u8>),
}

/// A key of an issuer.
pub struct Signer {
    algorithm: Algorithm,
    pair: Pair,
}

impl Signer {
    pub fn new(algorithm: Algorithm) -> Signer {
        Signer::numbered(algorithm, 0)
    }

    /// Another key than that of [`Signer::new`], also of RSA.
    pub fn another(algorithm: Algorithm) -> Signer {
        Signer::numbered(algorithm, 1)
    }

    fn numbered(algorithm: Algorithm, at: usize) -> Signer {
        let signing = match algorithm {
            Algorithm::Es256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
            Algorithm::Es384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
            Algorithm::Es512 => &ECDSA_P521_SHA512_FIXED_SIGNING,
            _ => {
                // Two keys for all tests: making one takes a second.
                static KEYS: [OnceLock<RsaKeyPair>; 2] = [OnceLock::new(), OnceLock::new()];
                let pair = KEYS[at].get_or_init(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
                return Signer {
                    algorithm,
                    pair: Pair::Rsa(pair),
                };
            }
        };
        let rng = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(signing, &rng).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(signing, pkcs8.as_ref()).unwrap();
        Signer {
            algorithm,
            pair: Pair::Ec(pair, pkcs8.as_ref().to_vec()),
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let rng = SystemRandom::new();
        match &self.pair {
            Pair::Ec(pair, _) => pair.sign(&rng, message).unwrap().as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let encoding = match self.algorithm {
                    Algorithm::Rs256 => &RSA_PKCS1_SHA256,
                    Algorithm::Rs384 => &RSA_PKCS1_SHA384,
                    _ => &RSA_PKCS1_SHA512,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &rng, message, &mut signature).unwrap();
                signature
            }
        }
    }

    /// A P-256 signature in the form that X.509 has.
    pub fn der_signature(&self, message: &[u8]) -> Vec<u8> {
        let Pair::Ec(_, pkcs8) = &self.pair else {
            panic!("no P-256 key")
        };
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8).unwrap();
        pair.sign(&SystemRandom::new(), message)
            .unwrap()
            .as_ref()
            .to_vec()
    }

    pub fn token(&self, kid: &str, payload: &Value) -> String {
        let header = json!({"alg": self.algorithm.name(), "kid": kid, "typ": "JWT"});
        self.token_with(header, payload)
    }

    pub fn token_with(&self, header: Value, payload: &Value) -> String {
        let unsigned = token_of(&header, payload, b"");
        let message = unsigned.trim_end_matches('.');
        format!("{message}.{}", encode(&self.sign(message.as_bytes())))
    }

    /// A token of this header and payload, written as they are.
    pub fn token_of_text(&self, header: &str, payload: &str) -> String {
        let message = format!(
            "{}.{}",
            encode(header.as_bytes()),
            encode(payload.as_bytes())
        );
        format!("{message}.{}", encode(&self.sign(message.as_bytes())))
    }

    pub fn jwk(&self, kid: &str) -> Value {
        match &self.pair {
            Pair::Rsa(pair) => {
                // RFC 8017, A.1.1: a sequence of two integers; lengths of up to 65,535 bytes.
                let der = pair.public_key().as_ref();
                let element = |at: usize| match der[at + 1] {
                    0x82 => (
                        at + 4,
                        usize::from(u16::from_be_bytes([der[at + 2], der[at + 3]])),
                    ),
                    short => (at + 2, usize::from(short)),
                };
                let (first, _) = element(0);
                let (n, n_bytes) = element(first);
                let (e, e_bytes) = element(n + n_bytes);
                json!({
                    "kty": "RSA", "kid": kid, "use": "sig",
                    // With the zero byte that some issuers leave in front.
                    "n": encode(&der[n..n + n_bytes]),
                    "e": encode(&der[e..e + e_bytes]),
                })
            }
            Pair::Ec(pair, _) => {
                let point = pair.public_key().as_ref();
                let (x, y) = point[1..].split_at((point.len() - 1) / 2);
                let curve = match self.algorithm {
                    Algorithm::Es256 => "P-256",
                    Algorithm::Es384 => "P-384",
                    _ => "P-521",
                };
                json!({"kty": "EC", "kid": kid, "use": "sig", "crv": curve, "x": encode(x), "y": encode(y)})
            }
        }
    }

    pub fn jwks(&self, kid: &str) -> Vec<u8> {
        json!({"keys": [self.jwk(kid)]}).to_string().into_bytes()
    }

    pub fn jwks_with(&self, kid: &str, changes: Value) -> Vec<u8> {
        let mut key = self.jwk(kid);
        for (name, value) in changes.as_object().unwrap() {
            key[name] = value.clone();
        }
        json!({"keys": [key]}).to_string().into_bytes()
    }
}
