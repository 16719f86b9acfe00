//! The cache of providers' keys (traps OIDC 5 and 6; O14).

#![allow(clippy::unwrap_used)]

mod jose;

use std::sync::atomic::{AtomicUsize, Ordering};

use identity::federation::oidc::{Algorithm, FetchKeys, KeyCache, KeySet, Presented, Provider};
use jiff::{SignedDuration, Timestamp};
use jose::{ISSUER, NOW, ROLE, Signer, claims, provider};
use serde_json::json;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

/// A provider that answers with what a test sets, and counts.
#[derive(Default)]
struct Issuer {
    keys: std::sync::Mutex<Option<Vec<u8>>>,
    asked: AtomicUsize,
}

#[derive(Debug, thiserror::Error)]
#[error("away")]
struct Away;

impl FetchKeys for Issuer {
    type Error = Away;

    async fn fetch(&self, _provider: &Provider) -> Result<KeySet, Away> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let keys = self.keys.lock().unwrap().clone().ok_or(Away)?;
        KeySet::parse(&keys).map_err(|_| Away)
    }
}

impl Issuer {
    fn publishes(&self, keys: Option<Vec<u8>>) {
        *self.keys.lock().unwrap() = keys;
    }

    /// Calls since the last look.
    fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::SeqCst)
    }
}

const NO_KEY: &str = "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements";

#[tokio::test]
async fn keys_are_kept_and_rotated() {
    let (old, new) = (Signer::new(Algorithm::Es256), Signer::new(Algorithm::Es256));
    let (cache, issuer) = (KeyCache::default(), Issuer::default());
    let own = provider(ISSUER, &["sts.amazonaws.com"]);
    let payload = claims(json!({"exp": NOW + 100_000}));
    let ask = async |signer: &Signer, kid: &str, seconds: i64| {
        let token = signer.token(kid, &payload);
        let token = Presented::parse(&token).unwrap();
        let at = now() + SignedDuration::from_secs(seconds);
        let keys = cache.keys(&issuer, &own, &token, at).await?;
        token.verify(&own, &keys, ROLE, at)
    };
    issuer.publishes(Some(old.jwks("old")));
    for _ in 0..3 {
        ask(&old, "old", 0).await.unwrap();
    }
    assert_eq!(issuer.asked(), 1, "keys are kept");

    // A new key is looked for at once, and the key that is gone stops working with it (trap OIDC 6).
    issuer.publishes(Some(new.jwks("new")));
    ask(&new, "new", 1).await.unwrap();
    assert_eq!(issuer.asked(), 1);
    assert_eq!(ask(&old, "old", 2).await.unwrap_err().to_string(), NO_KEY);
    // Trap OIDC 5: unknown keys cause one fetch a minute.
    for n in 3..50 {
        assert_eq!(
            ask(&old, &format!("made up {n}"), n)
                .await
                .unwrap_err()
                .to_string(),
            NO_KEY
        );
    }
    assert_eq!(issuer.asked(), 0);
    ask(&new, "new", 50).await.unwrap();
    assert_eq!(issuer.asked(), 0, "others are not disturbed");

    // A removed key stops working a minute later, although nobody asked for another one.
    issuer.publishes(Some(old.jwks("old")));
    assert!(ask(&new, "new", 60).await.is_ok());
    assert_eq!(ask(&new, "new", 62).await.unwrap_err().to_string(), NO_KEY);
    ask(&old, "old", 63).await.unwrap();
}

/// Trap OIDC 6: an issuer that cannot be reached.
#[tokio::test]
async fn an_unreachable_issuer_never_lets_anybody_in() {
    let signer = Signer::new(Algorithm::Es256);
    let (cache, issuer) = (KeyCache::default(), Issuer::default());
    let own = provider(ISSUER, &["sts.amazonaws.com"]);
    let payload = claims(json!({"exp": NOW + 100_000}));
    let token = signer.token("k1", &payload);
    let ask = async |seconds: i64| {
        let token = Presented::parse(&token).unwrap();
        let at = now() + SignedDuration::from_secs(seconds);
        cache
            .keys(&issuer, &own, &token, at)
            .await
            .map_err(|error| error.to_string())
    };
    // Never reached: an error, and a pause between attempts.
    for second in [0, 1, 9] {
        assert_eq!(ask(second).await.unwrap_err(), NO_KEY);
    }
    assert_eq!(issuer.asked(), 1);
    issuer.publishes(Some(signer.jwks("k1")));
    ask(10).await.unwrap();
    // Away again: the keys serve for a quarter of an hour after they were fetched.
    issuer.publishes(None);
    for (second, accepted) in [
        (69, true),
        (71, true),
        (600, true),
        (909, true),
        (910, false),
        (5000, false),
    ] {
        assert_eq!(ask(second).await.is_ok(), accepted, "{second}");
    }
    issuer.publishes(Some(b"<html>".to_vec()));
    assert!(ask(6000).await.is_err());
}

/// Whatever decides how keys are fetched makes other keys.
#[tokio::test]
async fn keys_belong_to_one_provider_and_its_settings() {
    let signer = Signer::new(Algorithm::Es256);
    let (cache, issuer) = (KeyCache::default(), Issuer::default());
    issuer.publishes(Some(signer.jwks("k1")));
    let token = signer.token("k1", &claims(json!({})));
    let token = Presented::parse(&token).unwrap();
    let first = provider(ISSUER, &["a"]);
    let again = Provider {
        unique_id: "OIDCOTHER".into(),
        ..first.clone()
    };
    let pinned = Provider {
        thumbprints: vec!["a".repeat(40)],
        ..first.clone()
    };
    let audience = Provider {
        client_ids: vec!["b".into()],
        ..first.clone()
    };
    for (own, fetches) in [
        (&first, 1),
        (&again, 1),
        (&pinned, 1),
        (&audience, 0),
        (&first, 0),
    ] {
        cache.keys(&issuer, own, &token, now()).await.unwrap();
        assert_eq!(issuer.asked(), fetches, "{own:?}");
    }
}
