//! Where OIDC providers take sign-ins, kept for a short while: anybody may begin a sign-in, and each needs the
//! provider's discovery document.

use std::sync::Arc;

use identity::federation::oidc::Provider;
use jiff::{SignedDuration, Timestamp};
use quick_cache::sync::Cache;
use tokio::sync::Mutex;

use crate::limits::SIGN_IN_ENDPOINTS_MAX;
use crate::outbound::{Endpoints, Outbound};

/// How long endpoints are used without asking the provider again.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// The pause after a failed attempt.
const RETRY: SignedDuration = SignedDuration::from_secs(10);

/// See the module.
pub(crate) struct EndpointCache {
    /// By the provider's id and how its documents are fetched.
    entries: Cache<(String, u64), Arc<Mutex<Entry>>>,
}

#[derive(Default)]
struct Entry {
    found: Option<(Endpoints, Timestamp)>,
    failed_at: Option<Timestamp>,
}

/// Whether less than `span` has passed since `at`.
fn is_within(at: Timestamp, span: SignedDuration, now: Timestamp) -> bool {
    now >= at && now.duration_since(at) < span
}

impl EndpointCache {
    pub(crate) fn new() -> EndpointCache {
        EndpointCache {
            entries: Cache::new(SIGN_IN_ENDPOINTS_MAX),
        }
    }

    /// A provider's endpoints; `None` where it does not answer. One request a provider asks at a time.
    pub(crate) async fn endpoints(
        &self,
        outbound: &Outbound,
        provider: &Provider,
        now: Timestamp,
    ) -> Option<Endpoints> {
        let key = (provider.unique_id.clone(), provider.fetch_revision());
        let made = self
            .entries
            .get_or_insert_with(&key, || Ok::<_, std::convert::Infallible>(Arc::default()));
        let entry = made.unwrap_or_default();
        let mut entry = entry.lock().await;
        if let Some((found, at)) = &entry.found
            && is_within(*at, FRESH, now)
        {
            return Some(found.clone());
        }
        if entry.failed_at.is_some_and(|at| is_within(at, RETRY, now)) {
            return None;
        }
        match outbound.endpoints(provider).await {
            Ok(found) => {
                *entry = Entry {
                    found: Some((found.clone(), now)),
                    failed_at: None,
                };
                Some(found)
            }
            Err(error) => {
                let cause = crate::error::chain(&error);
                tracing::warn!(provider = provider.arn, cause, "no endpoints for sign-ins");
                entry.failed_at = Some(now);
                None
            }
        }
    }
}
