//! Providers' keys, kept for a short while.

use std::future::Future;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use quick_cache::sync::Cache;
use tokio::sync::Mutex;

use super::jwks::KeySet;
use super::provider::Provider;
use super::verify::{Presented, no_verification_key};
use crate::Error;

/// How long keys are used without asking the provider again. A key that the provider has removed works
/// no longer than this.
const FRESH: SignedDuration = SignedDuration::from_mins(1);
/// How long they are used while the provider does not answer. Then nobody gets a session: an issuer
/// that cannot be reached may have removed any key.
const USABLE: SignedDuration = SignedDuration::from_mins(15);
/// The pause after a failed attempt.
const RETRY: SignedDuration = SignedDuration::from_secs(10);
/// The pause between fetches for keys that a provider does not have: tokens are anybody's, and each may
/// name another key.
const UNKNOWN_KEY: SignedDuration = SignedDuration::from_mins(1);
/// Providers whose keys are kept. Each set comes from a document of at most 64 KiB.
const PROVIDERS_MAX: usize = 256;

/// Fetches a provider's keys.
pub trait FetchKeys: Sync {
    /// Why the keys could not be fetched; for the log.
    type Error: std::error::Error + Send + 'static;

    /// Fetches the keys that the provider publishes now. Bounded in time and bytes.
    fn fetch(
        &self,
        provider: &Provider,
    ) -> impl Future<Output = Result<KeySet, Self::Error>> + Send;
}

/// The keys of all providers of this node.
#[derive(Debug)]
pub struct KeyCache {
    /// By the provider's id and how its keys are fetched.
    entries: Cache<(String, u64), Arc<Mutex<Entry>>>,
}

#[derive(Debug, Default)]
struct Entry {
    keys: Option<(Arc<KeySet>, Timestamp)>,
    failed_at: Option<Timestamp>,
    /// When the keys were last fetched because they lacked one.
    looked_for_key_at: Option<Timestamp>,
}

/// Whether `pause` has passed since `at`, also where a clock was set back.
fn has_passed(at: Timestamp, pause: SignedDuration, now: Timestamp) -> bool {
    now < at || now.duration_since(at) >= pause
}

impl Default for KeyCache {
    fn default() -> KeyCache {
        KeyCache {
            entries: Cache::new(PROVIDERS_MAX),
        }
    }
}

impl KeyCache {
    /// Keys of which one may have signed the token. One request a provider fetches at a time; the others
    /// wait for its result.
    ///
    /// # Errors
    /// `InvalidIdentityToken` when the keys cannot be fetched or none is the token's.
    pub async fn keys<F: FetchKeys>(
        &self,
        fetcher: &F,
        provider: &Provider,
        token: &Presented<'_>,
        now: Timestamp,
    ) -> Result<Arc<KeySet>, Error> {
        let key = (provider.unique_id.clone(), provider.fetch_revision());
        let entry = match self.entries.get(&key) {
            Some(entry) => entry,
            None => {
                let made = self
                    .entries
                    .get_or_insert_with(&key, || Ok::<_, std::convert::Infallible>(Arc::default()));
                made.unwrap_or_default()
            }
        };
        let mut entry = entry.lock().await;
        let keys = entry.current(fetcher, provider, now).await?;
        if !token.needs_other_keys(&keys) {
            return Ok(keys);
        }
        let looked = entry.looked_for_key_at;
        let fetched_now = entry.keys.as_ref().is_some_and(|(_, at)| *at == now);
        if fetched_now || looked.is_some_and(|at| !has_passed(at, UNKNOWN_KEY, now)) {
            return Err(no_verification_key());
        }
        entry.looked_for_key_at = Some(now);
        let keys = entry.fetch(fetcher, provider, now).await?;
        match token.needs_other_keys(&keys) {
            true => Err(no_verification_key()),
            false => Ok(keys),
        }
    }
}

impl Entry {
    /// Keys that are fresh, or as fresh as the provider allows.
    async fn current<F: FetchKeys>(
        &mut self,
        fetcher: &F,
        provider: &Provider,
        now: Timestamp,
    ) -> Result<Arc<KeySet>, Error> {
        if let Some((keys, at)) = &self.keys
            && !has_passed(*at, FRESH, now)
        {
            return Ok(Arc::clone(keys));
        }
        let pausing = self.failed_at.is_some_and(|at| !has_passed(at, RETRY, now));
        let fetched = match pausing {
            true => Err(no_verification_key()),
            false => self.fetch(fetcher, provider, now).await,
        };
        match (fetched, &self.keys) {
            (Err(_), Some((keys, at))) if now >= *at && !has_passed(*at, USABLE, now) => {
                Ok(Arc::clone(keys))
            }
            (fetched, _) => fetched,
        }
    }

    async fn fetch<F: FetchKeys>(
        &mut self,
        fetcher: &F,
        provider: &Provider,
        now: Timestamp,
    ) -> Result<Arc<KeySet>, Error> {
        match fetcher.fetch(provider).await {
            Ok(keys) => {
                let keys = Arc::new(keys);
                self.keys = Some((Arc::clone(&keys), now));
                self.failed_at = None;
                Ok(keys)
            }
            Err(error) => {
                self.failed_at = Some(now);
                let error: &dyn std::error::Error = &error;
                tracing::warn!(provider = provider.arn, error, "the keys cannot be fetched");
                Err(no_verification_key())
            }
        }
    }
}
