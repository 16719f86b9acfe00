//! Fetching: what many ask for at a time is asked of the upstream once.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use blobs::{BoxError, Digest};
use bytes::Bytes;
use futures_util::stream::{BoxStream, unfold};
use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use super::asked::{Asked, Upstreamed};
use super::upstream::{UpstreamBlob, UpstreamError};
use crate::{Authorized, Error, Registry, RepositoryFacts};

/// Manifests and layers that are fetched at once, of all upstreams.
const FETCHES_MAX: usize = 16;
/// Chunks of a layer that its first client may be behind.
const CHUNKS_AHEAD: usize = 16;
/// How long a layer's caching waits for its first client, in all: others wait for the layer, and for the turn that
/// the fetch has. A slower client is cut off, the layer is cached without it, and the client's next try is served
/// from the cache.
const CLIENT_WAITS_MAX: std::time::Duration = std::time::Duration::from_secs(60);

/// How long a manifest that was fetched answers who asks for it next: an image that many nodes pull at a time is
/// asked for once, also by those that come while the first answer is on its way.
const RECENT: std::time::Duration = std::time::Duration::from_secs(10);
/// The longest that is kept so, in bytes.
const RECENT_BYTES_MAX: usize = 256 << 10;
/// Manifests and layers that may be fetched, or wait for it. Beyond, a pull is to try again.
const FLIGHTS_MAX: usize = 1_000;
/// Manifests that are kept so.
const RECENT_MAX: usize = 64;

/// The answer for a blob.
pub enum CachedBlob {
    /// It is in the repository now.
    Stored,
    /// The upstream has none.
    Missing,
    /// It is being cached. The last bytes come once the digest was verified.
    Streaming {
        /// The length in bytes.
        size: u64,
        /// The bytes.
        stream: BoxStream<'static, std::io::Result<Bytes>>,
    },
}

/// The cache of all rules on one node. Cheap to clone.
#[derive(Clone)]
pub struct PullThroughCache(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) registry: Registry,
    manifests: Arc<Flights<(String, String), Upstreamed>>,
    /// The same for those whom an answer of a moment ago does not do.
    asked_now: Arc<Flights<(String, String), Upstreamed>>,
    blobs: Arc<Flights<(i64, Digest), Result<bool, UpstreamError>>>,
    referrers: Arc<Flights<(i64, String), Result<(), UpstreamError>>>,
    pub(super) imports: super::import::Imports,
    fetches: Semaphore,
}

impl PullThroughCache {
    /// A cache that stores in `registry`.
    #[must_use]
    pub fn new(registry: Registry) -> PullThroughCache {
        PullThroughCache(Arc::new(Inner {
            registry,
            manifests: Arc::new(Flights::new(|landed| match landed {
                Ok(Some(found)) => found.bytes.len() <= RECENT_BYTES_MAX,
                _ => false,
            })),
            asked_now: Arc::new(Flights::new(|_| false)),
            blobs: Arc::new(Flights::new(|_| false)),
            referrers: Arc::new(Flights::new(|_| false)),
            imports: super::import::Imports::default(),
            fetches: Semaphore::new(FETCHES_MAX),
        }))
    }

    /// A manifest of the upstream by tag or digest; `None` when there is none. One that is being stored comes
    /// from memory.
    ///
    /// # Errors
    /// See [`UpstreamError`].
    pub async fn manifest(&self, asked: &Asked, reference: &str) -> Upstreamed {
        if let Some(known) = self.0.imports.find(&asked.place, reference) {
            return Ok(Some(known));
        }
        let key = (asked.place.clone(), reference.to_owned());
        // What has a digest never changes.
        let recent = asked.recent || reference.contains(':');
        let (cache, asked, reference) = (self.clone(), asked.clone(), reference.to_owned());
        let fetch = async move {
            let _turn = cache.0.fetches.acquire().await;
            asked.manifest(&reference).await
        };
        let flights = match recent {
            true => &self.0.manifests,
            false => &self.0.asked_now,
        };
        let (flight, _) = flights.join(key, fetch)?;
        landed(flight).await?
    }

    /// The same from the upstream as it is now, whatever was asked a moment ago.
    ///
    /// # Errors
    /// See [`UpstreamError`].
    pub async fn manifest_now(&self, asked: &Asked, reference: &str) -> Upstreamed {
        let _turn = self.0.fetches.acquire().await;
        let found = asked.manifest(reference).await;
        // Who asks next must not get what was there before.
        let key = (asked.place.clone(), reference.to_owned());
        self.0.manifests.forget(&key);
        found
    }

    /// Caches a blob. With `streamed`, whoever asks first gets the bytes while they come; everybody else, and
    /// everybody when the upstream does not note the length, waits until it is stored.
    ///
    /// # Errors
    /// See [`UpstreamError`].
    pub async fn blob(
        &self,
        cx: &Arc<Authorized>,
        repo: &Arc<RepositoryFacts>,
        asked: &Asked,
        digest: &Digest,
        streamed: bool,
    ) -> Result<CachedBlob, UpstreamError> {
        let (head, announced) = oneshot::channel();
        let (to, from) = mpsc::channel(CHUNKS_AHEAD);
        let tee = streamed.then_some(Tee {
            head: Some(head),
            to: Some(to),
            held: None,
            waited: std::time::Duration::ZERO,
        });
        let (cache, cx, repo) = (self.clone(), Arc::clone(cx), Arc::clone(repo));
        let key = (repo.id, *digest);
        let (asked, digest) = (asked.clone(), *digest);
        let download = async move { cache.download(&cx, &repo, &asked, &digest, tee).await };
        let (flight, is_first) = self.0.blobs.join(key, download)?;
        if streamed
            && is_first
            && let Ok(size) = announced.await
        {
            let chunks = unfold(from, |mut from| async move {
                let chunk = from.recv().await?;
                Some((chunk, from))
            });
            return Ok(CachedBlob::Streaming {
                size,
                stream: chunks.boxed(),
            });
        }
        match landed(flight).await? {
            Ok(true) => Ok(CachedBlob::Stored),
            Ok(false) => Ok(CachedBlob::Missing),
            Err(error) => Err(error),
        }
    }

    /// Runs `work` once for all who ask for the same image's referrers at a time.
    pub(super) async fn once_for_referrers(
        &self,
        key: (i64, String),
        work: impl Future<Output = Result<(), UpstreamError>> + Send + 'static,
    ) -> Result<(), UpstreamError> {
        let (flight, _) = self.0.referrers.join(key, work)?;
        landed(flight).await?
    }

    /// Fetches and links a blob; whether there is one.
    async fn download(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        asked: &Asked,
        digest: &Digest,
        tee: Option<Tee>,
    ) -> Result<bool, UpstreamError> {
        let _turn = self.0.fetches.acquire().await;
        let text = digest.to_string();
        let registry = &self.0.registry;
        match registry.stat_blob(cx, repo, &text).await {
            Ok(_) => return Ok(true),
            Err(Error::LayerNotFound { .. }) => {}
            Err(error) => return Err(failed(&error)),
        }
        let Some((source, blob)) = asked.blob(&text).await? else {
            return Ok(false);
        };
        let UpstreamBlob { size, stream } = blob;
        let mut tee = tee;
        match (&mut tee, size) {
            (Some(tee), Some(size)) => tee.announce(size),
            _ => tee = None,
        }
        let tee = Arc::new(tokio::sync::Mutex::new(tee));
        let cause = Arc::new(Mutex::new(None));
        let (passed, broken) = (Arc::clone(&tee), Arc::clone(&cause));
        let body = stream
            .inspect_err(move |error| {
                *broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
            })
            .and_then(move |chunk| {
                let tee = Arc::clone(&passed);
                async move {
                    if let Some(tee) = &mut *tee.lock().await {
                        tee.pass(chunk.clone()).await;
                    }
                    Ok(chunk)
                }
            })
            .map_err(BoxError::from);
        let stored = registry.put_blob(cx, repo, &text, body).await;
        let tee = tee.lock().await.take();
        let Err(error) = stored else {
            if let Some(tee) = tee {
                tee.finish().await;
            }
            return Ok(true);
        };
        let cause = cause.lock().unwrap_or_else(PoisonError::into_inner).take();
        let error = match (cause, &error) {
            (Some(cause), _) => cause,
            (None, Error::InvalidLayer { .. }) => {
                tracing::error!(upstream = source.upstream.host(), repository = source.repository, %digest,
                    "the upstream sent another layer than the digest's");
                UpstreamError::Mismatch {
                    expected: text,
                    found: "a layer with another digest".to_owned(),
                }
            }
            (None, error) => failed(error),
        };
        if let Some(tee) = tee {
            tee.fail(&error).await;
        }
        Err(error)
    }
}

/// A failure of ours, for the log of those who wait.
pub(super) fn failed(error: &Error) -> UpstreamError {
    UpstreamError::Store(format!("{error} ({error:?})").into())
}

/// The first client of a blob that is being cached.
struct Tee {
    head: Option<oneshot::Sender<u64>>,
    to: Option<mpsc::Sender<std::io::Result<Bytes>>>,
    /// The last chunk, which the client gets when the digest was verified: a client never holds all bytes of
    /// a blob that is another one.
    held: Option<Bytes>,
    /// How long it has been waited for.
    waited: std::time::Duration,
}

impl Tee {
    fn announce(&mut self, size: u64) {
        if let Some(head) = self.head.take()
            && head.send(size).is_err()
        {
            self.to = None;
        }
    }

    /// Passes the chunk before on. A client that went away, or takes nothing, gets no more.
    async fn pass(&mut self, chunk: Bytes) {
        if chunk.is_empty() {
            return;
        }
        if let Some(before) = self.held.replace(chunk) {
            self.send(Ok(before)).await;
        }
    }

    async fn finish(mut self) {
        if let Some(last) = self.held.take() {
            self.send(Ok(last)).await;
        }
    }

    async fn fail(mut self, error: &UpstreamError) {
        let text = error.to_string();
        self.send(Err(std::io::Error::other(text))).await;
    }

    async fn send(&mut self, chunk: std::io::Result<Bytes>) {
        let Some(to) = &self.to else {
            return;
        };
        let begun = tokio::time::Instant::now();
        let left = CLIENT_WAITS_MAX.saturating_sub(self.waited);
        let sent = tokio::time::timeout(left, to.send(chunk)).await;
        self.waited += begun.elapsed();
        if !matches!(sent, Ok(Ok(()))) {
            self.to = None;
        }
    }
}

/// Work that is done once for all who ask for it at a time. It goes on when they leave.
struct Flights<K, T> {
    running: Mutex<HashMap<K, watch::Receiver<Option<T>>>>,
    /// Whether a result serves who comes a moment later.
    lasts: fn(&T) -> bool,
}

impl<K, T> Flights<K, T> {
    fn new(lasts: fn(&T) -> bool) -> Self {
        Flights {
            running: Mutex::default(),
            lasts,
        }
    }
}

impl<K, T> Flights<K, T>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// Forgets the work for `key` and its result. Who waits for it gets it.
    fn forget(&self, key: &K) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(key);
    }

    /// The running work for `key`, or `work` begun for it; whether it was begun.
    fn join(
        self: &Arc<Self>,
        key: K,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<(watch::Receiver<Option<T>>, bool), UpstreamError> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = running.get(&key) {
            return Ok((flight.clone(), false));
        }
        if running.len() >= FLIGHTS_MAX {
            return Err(UpstreamError::Unavailable(
                "too many pulls wait for upstreams".to_owned(),
            ));
        }
        let (sender, flight) = watch::channel(None);
        running.insert(key.clone(), flight.clone());
        drop(running);
        let ended = Ended {
            flights: Arc::clone(self),
            key,
        };
        tokio::spawn(async move {
            let result = work.await;
            if ended.stays(&result) {
                sender.send_replace(Some(result));
                tokio::time::sleep(RECENT).await;
                return;
            }
            // Who comes from here on begins anew.
            drop(ended);
            sender.send_replace(Some(result));
        });
        Ok((flight, true))
    }
}

/// Takes a flight off the list, also when its work panics.
struct Ended<K: Eq + Hash, T> {
    flights: Arc<Flights<K, T>>,
    key: K,
}

impl<K: Eq + Hash, T> Ended<K, T> {
    fn stays(&self, result: &T) -> bool {
        let running = &self.flights.running;
        let count = running.lock().unwrap_or_else(PoisonError::into_inner).len();
        count <= RECENT_MAX && (self.flights.lasts)(result)
    }
}

impl<K: Eq + Hash, T> Drop for Ended<K, T> {
    fn drop(&mut self) {
        let running = &self.flights.running;
        let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(&self.key);
    }
}

async fn landed<T: Clone>(mut flight: watch::Receiver<Option<T>>) -> Result<T, UpstreamError> {
    let result = flight.wait_for(Option::is_some).await;
    let result = result.ok().and_then(|result| result.clone());
    result.ok_or_else(|| UpstreamError::Store("the fetching task ended".into()))
}
