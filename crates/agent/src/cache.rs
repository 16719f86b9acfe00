//! The host's credentials in memory: fetched when they are asked for, renewed early, and forgotten at once
//! when the server does not take them any more.

use std::future::Future;
use std::sync::Arc;

use aws_types::{Entropy, draw};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::upstream::HostRole;
use crate::{Error, Result};

/// How old the server's word may be that credentials are good. Within it they are given out without asking
/// again, so that a burst of requests is one call.
const CHECKED_FOR: SignedDuration = SignedDuration::from_secs(1);

/// After a failed attempt to renew credentials that are still good.
const RENEWAL_RETRY: SignedDuration = SignedDuration::from_secs(30);

/// After a failed attempt to get credentials where there are none.
const FETCH_RETRY: SignedDuration = SignedDuration::from_secs(1);

/// Where credentials come from.
pub trait Source: Send + Sync {
    /// Fetches new ones.
    fn fetch(&self, now: Timestamp) -> impl Future<Output = Result<HostRole>> + Send;
    /// Asks whether the server still takes them.
    fn is_good(&self, role: &HostRole, now: Timestamp)
    -> impl Future<Output = Result<bool>> + Send;
}

/// Why the last attempt failed, to say it again until the next one.
enum Failure {
    Refused { code: String, message: String },
    Unavailable(String),
}

impl Failure {
    fn of(error: &Error) -> Failure {
        match error {
            Error::Refused { code, message } => Failure::Refused {
                code: code.clone(),
                message: message.clone(),
            },
            Error::Unavailable(why) => Failure::Unavailable(why.clone()),
            other => Failure::Unavailable(other.to_string()),
        }
    }

    fn again(&self) -> Error {
        match self {
            Failure::Refused { code, message } => Error::Refused {
                code: code.clone(),
                message: message.clone(),
            },
            Failure::Unavailable(why) => Error::Unavailable(why.clone()),
        }
    }
}

/// See the module.
pub struct Cache<S> {
    source: S,
    entropy: Arc<dyn Entropy>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    role: Option<Arc<HostRole>>,
    renew_at: Timestamp,
    checked_at: Timestamp,
    /// No attempt before then.
    retry_at: Timestamp,
    failure: Option<Failure>,
    /// When somebody last asked.
    used_at: Timestamp,
}

impl<S: Source> Cache<S> {
    /// An empty cache.
    pub fn new(source: S, entropy: Arc<dyn Entropy>) -> Cache<S> {
        Cache {
            source,
            entropy,
            state: Mutex::default(),
        }
    }

    /// Credentials that the server takes, as far as is known. While it does not answer, those in memory
    /// serve until they expire.
    ///
    /// # Errors
    /// [`Error::Refused`] when the host or its role is gone, [`Error::Unavailable`] when the server is away
    /// and nothing is in memory.
    pub async fn role(&self, now: Timestamp) -> Result<Arc<HostRole>> {
        // Held over the calls: requests that come meanwhile wait for one answer.
        let mut state = self.state.lock().await;
        state.used_at = now;
        self.current(&mut state, now).await
    }

    /// Renews credentials that are in use, without anybody waiting for it.
    pub async fn keep_fresh(&self, now: Timestamp) {
        let mut state = self.state.lock().await;
        let Some(role) = &state.role else {
            return;
        };
        let lifetime = role.issued.expires_at.duration_since(role.issued.issued_at);
        if now.duration_since(state.used_at) < lifetime
            && let Err(error) = self.current(&mut state, now).await
        {
            tracing::warn!(%error, "the host's credentials cannot be renewed");
        }
    }

    async fn current(&self, state: &mut State, now: Timestamp) -> Result<Arc<HostRole>> {
        let expired = |role: &Arc<HostRole>| now >= role.issued.expires_at;
        if state.role.as_ref().is_some_and(expired) {
            state.role = None;
            // The pause was one of renewals; without credentials there is no time to lose.
            state.retry_at = now;
        }
        if let Some(role) = state.role.clone()
            && self.is_good(state, &role, now).await
        {
            if now < state.renew_at || now < state.retry_at {
                return Ok(role);
            }
            return match self.fetch(state, now, RENEWAL_RETRY).await {
                Err(Error::Unavailable(_)) => Ok(role),
                other => other,
            };
        }
        if now < state.retry_at
            && let Some(failure) = &state.failure
        {
            return Err(failure.again());
        }
        self.fetch(state, now, FETCH_RETRY).await
    }

    async fn is_good(&self, state: &mut State, role: &HostRole, now: Timestamp) -> bool {
        if now.duration_since(state.checked_at).abs() < CHECKED_FOR {
            return true;
        }
        match self.source.is_good(role, now).await {
            Ok(true) => {
                state.checked_at = now;
                true
            }
            Ok(false) => {
                tracing::warn!("the server does not take the host's credentials any more");
                state.role = None;
                // New ones may be had at once: the profile may have got another role.
                state.retry_at = now;
                false
            }
            Err(error) => {
                tracing::warn!(%error, "the host's credentials cannot be checked");
                state.checked_at = now;
                true
            }
        }
    }

    async fn fetch(
        &self,
        state: &mut State,
        now: Timestamp,
        retry: SignedDuration,
    ) -> Result<Arc<HostRole>> {
        match self.source.fetch(now).await {
            Ok(role) => {
                let role = Arc::new(role);
                state.renew_at = self.renew_at(&role, now)?;
                state.checked_at = now;
                state.retry_at = now;
                state.failure = None;
                state.role = Some(Arc::clone(&role));
                Ok(role)
            }
            Err(error) => {
                state.retry_at = now.saturating_add(retry).unwrap_or(now);
                state.failure = Some(Failure::of(&error));
                if let Error::Refused { .. } = error {
                    // The server said no: what is in memory is worth nothing, or will be at once.
                    state.role = None;
                }
                Err(error)
            }
        }
    }

    /// Between 40 and 60 % of the lifetime: SDKs want credentials with a quarter of an hour left, and hosts
    /// that started together shall not ask together.
    fn renew_at(&self, role: &HostRole, now: Timestamp) -> Result<Timestamp> {
        let lifetime = role.issued.expires_at.duration_since(now).as_secs().max(0);
        let random = i64::from(draw::<1>(&*self.entropy).map_err(Error::internal)?[0]);
        let seconds = lifetime * 2 / 5 + lifetime / 5 * random / 255;
        let after = SignedDuration::from_secs(seconds);
        now.saturating_add(after).map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::Issued;
    use aws_types::SystemEntropy;
    use std::sync::Mutex as StdMutex;
    use zeroize::Zeroizing;

    #[derive(Default)]
    struct Server {
        fetched: usize,
        checked: usize,
        refuses: bool,
        away: bool,
        /// The credentials that are not taken any more.
        revoked: usize,
    }

    struct Fake(StdMutex<Server>);

    fn unavailable() -> Error {
        Error::Unavailable("away".to_owned())
    }

    impl Source for &Fake {
        async fn fetch(&self, now: Timestamp) -> Result<HostRole> {
            let mut server = self.0.lock().unwrap();
            server.fetched += 1;
            if server.away {
                return Err(unavailable());
            }
            if server.refuses {
                return Err(Error::Refused {
                    code: "HostRevokedException".to_owned(),
                    message: String::new(),
                });
            }
            Ok(HostRole {
                issued: Issued {
                    access_key_id: format!("ASIA{}", server.fetched),
                    secret: Zeroizing::new("secret".to_owned()),
                    token: Zeroizing::new("token".to_owned()),
                    issued_at: now,
                    expires_at: now + SignedDuration::from_hours(1),
                },
                role_name: "ci".to_owned(),
                instance_profile_arn: String::new(),
                instance_profile_id: String::new(),
            })
        }

        async fn is_good(&self, role: &HostRole, _now: Timestamp) -> Result<bool> {
            let mut server = self.0.lock().unwrap();
            server.checked += 1;
            match server.away {
                true => Err(unavailable()),
                false => {
                    let number: usize = role.issued.access_key_id[4..].parse().unwrap();
                    Ok(number > server.revoked)
                }
            }
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn fake() -> Fake {
        Fake(StdMutex::default())
    }

    fn cache(fake: &Fake) -> Cache<&Fake> {
        Cache::new(fake, Arc::new(SystemEntropy))
    }

    async fn key(cache: &Cache<&Fake>, seconds: i64) -> String {
        let role = cache.role(at(seconds)).await;
        role.map_or_else(
            |error| error.to_string(),
            |role| role.issued.access_key_id.clone(),
        )
    }

    #[tokio::test]
    async fn a_burst_is_one_call() {
        let fake = fake();
        let cache = cache(&fake);
        for _ in 0..5 {
            assert_eq!(key(&cache, 0).await, "ASIA1");
        }
        assert_eq!(fake.0.lock().unwrap().checked, 0);
        assert_eq!(key(&cache, 1).await, "ASIA1");
        assert_eq!(key(&cache, 1).await, "ASIA1");
        let server = fake.0.lock().unwrap();
        assert_eq!((server.fetched, server.checked), (1, 1));
    }

    /// Trap: sessions are refreshed early, with jitter.
    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn renews_between_two_and_three_fifths_of_the_lifetime() {
        let mut moments = std::collections::BTreeSet::new();
        for _ in 0..20 {
            let fake = fake();
            let cache = cache(&fake);
            cache.role(at(0)).await.unwrap();
            let moment = (0..3_600).step_by(30).find(|second| {
                let role = futures(cache.role(at(*second)));
                role.unwrap().issued.access_key_id == "ASIA2"
            });
            let moment = moment.unwrap();
            assert!((1_440..=2_190).contains(&moment), "{moment}");
            moments.insert(moment);
        }
        assert!(moments.len() > 3, "{moments:?}");
    }

    fn futures<T>(future: impl Future<Output = T>) -> T {
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(future))
    }

    /// Trap: a deleted role empties the agent's cache at once.
    #[tokio::test]
    async fn what_the_server_refuses_is_forgotten_at_once() {
        let fake = fake();
        let cache = cache(&fake);
        assert_eq!(key(&cache, 0).await, "ASIA1");
        {
            let mut server = fake.0.lock().unwrap();
            server.revoked = 1;
            server.refuses = true;
        }
        assert!(key(&cache, 1).await.contains("HostRevokedException"));
        assert!(cache.state.lock().await.role.is_none());
        // Another role in the profile: new credentials at once.
        fake.0.lock().unwrap().refuses = false;
        assert_eq!(key(&cache, 2).await, "ASIA3");
    }

    #[tokio::test]
    async fn a_session_that_is_refused_is_replaced_in_the_same_request() {
        let fake = fake();
        let cache = cache(&fake);
        assert_eq!(key(&cache, 0).await, "ASIA1");
        fake.0.lock().unwrap().revoked = 1;
        assert_eq!(key(&cache, 1).await, "ASIA2");
    }

    #[tokio::test]
    async fn while_the_server_is_away_what_is_in_memory_serves_until_it_ends() {
        let fake = fake();
        let cache = cache(&fake);
        assert_eq!(key(&cache, 0).await, "ASIA1");
        fake.0.lock().unwrap().away = true;
        for second in [10, 1_800, 2_500, 3_599] {
            assert_eq!(key(&cache, second).await, "ASIA1");
        }
        assert!(key(&cache, 3_600).await.contains("away"));
        let fetched = fake.0.lock().unwrap().fetched;
        // Attempts are bounded.
        assert!(key(&cache, 3_600).await.contains("away"));
        assert_eq!(fake.0.lock().unwrap().fetched, fetched);
        fake.0.lock().unwrap().away = false;
        assert!(key(&cache, 3_602).await.starts_with("ASIA"));
    }

    #[tokio::test]
    async fn only_credentials_in_use_are_kept_fresh() {
        let fake = fake();
        let cache = cache(&fake);
        cache.keep_fresh(at(0)).await;
        assert_eq!(fake.0.lock().unwrap().fetched, 0);
        cache.role(at(0)).await.unwrap();
        cache.keep_fresh(at(2_300)).await;
        assert_eq!(fake.0.lock().unwrap().fetched, 2);
        cache.keep_fresh(at(2_300 + 3_590)).await;
        assert_eq!(fake.0.lock().unwrap().fetched, 2);
    }
}
