//! Tokens of OIDC providers: header, claims, and the condition keys that they become.

use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::federation::oidc::{
    Claims, Jws, KeySet, Presented, Provider, ProviderSettings, Value, WebIdentity, provider_name,
};
use jiff::Timestamp;

const NOW: i64 = 1_795_348_800;
const AUDIENCE: &str = "sts.amazonaws.com";
const ROLE: &str = "arn:aws:iam::111122223333:role/ci";
/// Providers whose claims AWS knows, and one of a company's own.
const ISSUERS: [&str; 6] = [
    "issuer.example:6443/x",
    "token.actions.githubusercontent.com",
    "gitlab.com",
    "agent.buildkite.com",
    "oidc.circleci.com/org/1",
    "accounts.google.com",
];
/// The longest value of a condition key, in bytes.
const VALUE_BYTES_MAX: usize = 2048;
/// Session tags of a token.
const TAGS_MAX: usize = 50;

struct Issuer {
    pair: EcdsaKeyPair,
    keys: KeySet,
}

/// The key that signs every token of this run.
fn issuer() -> &'static Issuer {
    static ISSUER: OnceLock<Issuer> = OnceLock::new();
    ISSUER.get_or_init(|| {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair = EcdsaKeyPair::generate(algorithm).expect("the system has randomness");
        let point = pair.public_key().as_ref();
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let keys = serde_json::json!({"keys": [{
            "kty": "EC", "kid": "k1", "crv": "P-256", "x": number(&point[1..33]), "y": number(&point[33..]),
        }]});
        let keys = KeySet::parse(keys.to_string().as_bytes()).expect("a set of one key");
        Issuer { pair, keys }
    })
}

fn provider(name: &str) -> Provider {
    Provider {
        account: "111122223333".parse().expect("an account id"),
        arn: format!("arn:aws:iam::111122223333:oidc-provider/{name}"),
        unique_id: "OIDCEXAMPLE".to_owned(),
        name: name.to_owned(),
        client_ids: vec![AUDIENCE.to_owned()],
        thumbprints: Vec::new(),
        settings: ProviderSettings {
            claims: vec!["project_path".to_owned(), "level".to_owned()],
            ..ProviderSettings::default()
        },
    }
}

/// Any bytes as a token and as a provider's URL; and the first line as a header, the rest as a payload,
/// which the provider signs.
///
/// Without the signature nothing is accepted. What is accepted has the provider's own prefix before each
/// key, keeps its bounds, and says what another JSON parser reads.
pub fn present(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let now = Timestamp::from_second(NOW).expect("a time");
    if let Ok(name) = provider_name(&text) {
        assert!(
            !name.is_empty() && !name.contains(['?', '#', ' ', '@']),
            "{name}"
        );
    }
    let _ = Presented::parse(&text);

    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let header = parts.next().unwrap_or_default();
    let payload = parts.next().unwrap_or_default();
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let signed = format!("{}.{}", encode(header), encode(payload));
    let signature = issuer().pair.sign(&SystemRandom::new(), signed.as_bytes());
    let signature = signature.expect("the key signs").as_ref().to_vec();
    let token = format!("{signed}.{}", encode(&signature));
    let Ok(jws) = Jws::parse(&token) else {
        return;
    };
    let claims = Claims::of(&jws);
    let Ok(presented) = Presented::parse(&token) else {
        return;
    };
    let Some(name) = presented.provider_name() else {
        return;
    };
    // Any other issuer's provider refuses it.
    let of_another = presented.verify(&provider("other.example"), &issuer().keys, ROLE, now);
    assert!(of_another.is_err() || name == "other.example");
    if !ISSUERS.contains(&name) {
        return;
    }
    let provider = provider(name);
    let Ok(identity) = presented.verify(&provider, &issuer().keys, ROLE, now) else {
        return;
    };
    assert!(claims.is_ok(), "accepted without its claims");
    check(&identity, &provider, payload);
    // The same text with a signature of nobody.
    let mut forged = signature;
    forged[40] ^= 1;
    let forged = format!("{signed}.{}", encode(&forged));
    let forged = Presented::parse(&forged)
        .and_then(|token| token.verify(&provider, &issuer().keys, ROLE, now));
    assert!(forged.is_err(), "accepted without a signature");
}

fn check(identity: &WebIdentity, provider: &Provider, payload: &[u8]) {
    let said: serde_json::Value = serde_json::from_slice(payload).expect("an object");
    assert_eq!(said["iss"], provider.issuer());
    assert_eq!(said["sub"], identity.subject.as_str());
    assert_eq!(identity.audience, AUDIENCE);
    assert!(said["exp"].as_i64().is_some_and(|exp| exp > NOW), "{said}");
    assert!(identity.tags.len() <= TAGS_MAX);
    let prefix = format!("{}:", provider.name);
    for (key, value) in identity.keys() {
        assert!(key.starts_with(&prefix), "{key}");
        let values = match value {
            Value::One(value) => std::slice::from_ref(value),
            Value::Many(values) => &values[..],
        };
        let is_short = |value: &String| value.len() <= VALUE_BYTES_MAX;
        assert!(values.iter().all(is_short), "{key} has a long value");
    }
    let staying: Vec<String> = identity.session_keys().map(|(key, _)| key).collect();
    let may_stay = |key: &String| ["amr", "aud", "sub"].contains(&&key[prefix.len()..]);
    assert!(staying.iter().all(may_stay), "{staying:?}");
    for (key, value, _) in &identity.tags {
        assert!(
            !key.is_empty() && !key.to_lowercase().starts_with("aws:"),
            "{key}"
        );
        assert!(key.chars().count() <= 128 && value.chars().count() <= 256);
    }
}

/// Tokens as issuers write them.
pub fn seeds() -> Vec<Vec<u8>> {
    let header = r#"{"alg":"ES256","kid":"k1","typ":"JWT"}"#;
    let further = [
        r#""project_path":"group/app","level":40,"email":"a@b.example","amr":["pwd","mfa"],"nbf":1795348700"#,
        r#""actor":"octo","repository":"octo/app","ref":"refs/heads/main","environment":"prod","actor_id":"7""#,
        r#""namespace_id":"1","project_id":"22","ref_protected":"true","user_access_level":"developer""#,
        r#""organization_slug":"o","pipeline_slug":"p","build_branch":"main","azp":"sts.amazonaws.com""#,
        r#""oidc.circleci.com/project-id":"p1","https://aws.amazon.com/roles":["arn:aws:iam::111122223333:role/ci"]"#,
        r#""google":{"organization_number":123},"https://aws.amazon.com/source_identity":"ana","https://aws.amazon.com/tags":{"principal_tags":{"Team":["ci"]},"transitive_tag_keys":["team"]}"#,
    ];
    let tokens = ISSUERS.iter().zip(further).map(|(issuer, further)| {
        let claims = format!(
            r#"{{"iss":"https://{issuer}","sub":"job","aud":["x","{AUDIENCE}"],"iat":{NOW},"exp":{},{further}}}"#,
            NOW + 300,
        );
        format!("{header}\n{claims}").into_bytes()
    });
    tokens
        .chain([b"https://issuer.example:6443/x".to_vec()])
        .collect()
}
