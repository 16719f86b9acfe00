//! Storing what was fetched: an image with all that it needs, and only then its manifest and its tag.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use authz::ServiceName;
use futures_util::stream::{self, StreamExt as _};
use serde_json::json;
use store::ecr::{pull_through, repository};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::asked::{Asked, FromUpstream};
use super::cache::{CachedBlob, PullThroughCache, failed};
use super::pending::{self, Payload, PendingImport};
use super::platforms::unwanted;
use super::upstream::UpstreamError;
use crate::events::{self, Event, PullThroughCache as PullThroughCacheEvent};
use crate::images::ManifestPush;
use crate::mutability::Mutability;
use crate::tag_moves::MoveMethod;
use crate::{Authorized, BoxFuture, Error, Registry, RepositoryFacts, manifest, service_event};

/// Images that wait to be stored. Beyond, a pull is served and stores nothing; the next one tries again.
const IMPORTS_MAX: usize = 64;
/// Images that are stored at once.
const RUNNING_MAX: usize = 8;
/// Layers of one image that are fetched at once.
const LAYERS_AT_ONCE: usize = 3;
/// How often a node that stores an image says so.
const SIGN_INTERVAL: Duration = Duration::from_secs(5);
/// Lists in lists.
const DEPTH_MAX: usize = 4;

/// What is being stored, by repository and digest.
pub(super) struct Imports {
    running: Mutex<HashMap<(String, String), Running>>,
    turns: Semaphore,
}

/// The time of the server as far as this crate knows it: that of the request, and what has passed since.
struct Elapsed {
    from: i64,
    begun: Instant,
}

impl Elapsed {
    fn now(&self) -> i64 {
        let passed = i64::try_from(self.begun.elapsed().as_millis());
        self.from.saturating_add(passed.unwrap_or(i64::MAX))
    }
}

struct Running {
    manifest: Arc<FromUpstream>,
    tags: Vec<String>,
}

impl Default for Imports {
    fn default() -> Self {
        Imports {
            running: Mutex::default(),
            turns: Semaphore::new(RUNNING_MAX),
        }
    }
}

impl Imports {
    /// The manifest with this digest or tag that is being stored.
    pub(super) fn find(&self, place: &str, reference: &str) -> Option<Arc<FromUpstream>> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let found = running.iter().find(|((in_place, digest), one)| {
            in_place == place
                && (digest == reference || one.tags.iter().any(|tag| tag == reference))
        });
        found.map(|(_, one)| Arc::clone(&one.manifest))
    }

    /// Notes one: whether it has to be begun, and all its tags; `None` where too many wait.
    fn begin(
        &self,
        place: &str,
        manifest: &Arc<FromUpstream>,
        tag: Option<&str>,
    ) -> Option<(bool, Vec<String>)> {
        let key = (place.to_owned(), manifest.digest.to_string());
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = running.len() >= IMPORTS_MAX;
        if let Some(one) = running.get_mut(&key) {
            one.tags.extend(tag.map(str::to_owned));
            one.tags.sort();
            one.tags.dedup();
            return Some((false, one.tags.clone()));
        }
        if is_full {
            tracing::warn!(place, "too many images wait to be cached: one is not");
            return None;
        }
        let tags: Vec<_> = tag.into_iter().map(str::to_owned).collect();
        let one = Running {
            manifest: Arc::clone(manifest),
            tags: tags.clone(),
        };
        running.insert(key, one);
        Some((true, tags))
    }

    /// The tags of one, so far.
    fn tags(&self, place: &str, manifest: &FromUpstream) -> Vec<String> {
        let key = (place.to_owned(), manifest.digest.to_string());
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running
            .get(&key)
            .map(|one| one.tags.clone())
            .unwrap_or_default()
    }

    /// Whether one of those at this place names the layer.
    fn needs(&self, place: &str, layer: &str) -> bool {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let here = running.iter().filter(|((at, _), _)| at == place);
        let mut manifests = here.map(|(_, one)| &one.manifest);
        manifests.any(|manifest| {
            let parsed = manifest::parse(&manifest.bytes, Some(&manifest.media_type));
            parsed.is_ok_and(|parsed| {
                let mut blobs = parsed.blobs.iter();
                blobs.any(|blob| blob.digest.to_string() == layer)
            })
        })
    }

    /// Takes it off; its tags.
    fn end(&self, place: &str, manifest: &FromUpstream) -> Vec<String> {
        let key = (place.to_owned(), manifest.digest.to_string());
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(&key).map(|one| one.tags).unwrap_or_default()
    }
}

impl PullThroughCache {
    /// Stores a manifest's image in the background, with all its layers and, of a list, the images that the rule
    /// wants; then points `tag` at it. When this returns, it will be done, also after a restart.
    ///
    /// # Errors
    /// The store's: then nothing is begun.
    pub async fn import(
        &self,
        cx: &Arc<Authorized>,
        repo: &Arc<RepositoryFacts>,
        asked: &Asked,
        manifest: &Arc<FromUpstream>,
        tag: Option<&str>,
    ) -> Result<(), Error> {
        let begun = self.0.imports.begin(&asked.place, manifest, tag);
        let Some((is_new, tags)) = begun else {
            return Ok(());
        };
        let payload = Payload {
            tags,
            pulled_by: cx.caller.arn.to_string(),
            request_id: cx.request_id.to_string(),
            begun_at: cx.now_ms(),
        };
        if let Err(error) = self.write_down(cx, repo, manifest, &payload).await {
            if is_new {
                self.0.imports.end(&asked.place, manifest);
            }
            return Err(error);
        }
        if !is_new {
            return Ok(());
        }
        let (cache, cx, repo) = (self.clone(), Arc::clone(cx), Arc::clone(repo));
        let (asked, manifest) = (asked.clone(), Arc::clone(manifest));
        tokio::spawn(async move {
            let clock = Elapsed {
                from: cx.now_ms(),
                begun: Instant::now(),
            };
            let work = cache.stored_needs(&cx, &repo, &asked, &manifest);
            let needs = cache.alive_during(&repo, &manifest, &clock, work).await;
            // It is found here until it is found in the repository.
            let tags = cache.0.imports.tags(&asked.place, &manifest);
            let mut stored = match needs {
                Ok(()) => cache.tag(&cx, &repo, &asked, &manifest, &tags).await,
                Err(error) => Err(error),
            };
            let all = cache.0.imports.end(&asked.place, &manifest);
            if stored.is_ok() && all != tags {
                stored = cache.tag(&cx, &repo, &asked, &manifest, &all).await;
            }
            let tags = all;
            let payload = Payload { tags, ..payload };
            let now = Some(clock.now());
            let noted = cache.note(
                &cx,
                &repo,
                &asked,
                &manifest,
                &payload,
                stored.as_ref(),
                now,
            );
            if let Err(error) = noted.await {
                tracing::warn!(repository = %repo.arn, %error, "the event of a cached image is lost");
            }
            if stored.is_ok() {
                cache
                    .store_referrers_of(&cx, &repo, &asked, &manifest)
                    .await;
            }
        });
        Ok(())
    }

    /// Whether this node is storing the image.
    #[must_use]
    pub fn is_importing(&self, place: &str, digest: &str) -> bool {
        self.0.imports.find(place, digest).is_some()
    }

    /// Whether an image that this node is storing needs the layer.
    #[must_use]
    pub fn needs_layer(&self, place: &str, digest: &str) -> bool {
        self.0.imports.needs(place, digest)
    }

    /// Finishes an import that the node which began it did not finish.
    ///
    /// # Errors
    /// See [`UpstreamError`].
    pub async fn resume(
        &self,
        cx: &Arc<Authorized>,
        asked: &Asked,
        pending: &PendingImport,
    ) -> Result<(), UpstreamError> {
        let (repo, payload) = (&pending.repository, &pending.payload);
        let found = self.manifest(asked, &pending.digest).await?;
        let found = found.ok_or_else(|| lacks(&pending.digest))?;
        let stored = async {
            self.stored_needs(cx, repo, asked, &found).await?;
            self.tag(cx, repo, asked, &found, &payload.tags).await
        };
        let stored = stored.await;
        let noted = self.note(cx, repo, asked, &found, payload, stored.as_ref(), None);
        noted.await.map_err(|error| failed(&error))?;
        if stored.is_ok() {
            self.store_referrers_of(cx, repo, asked, &found).await;
        }
        stored
    }

    /// Stores what a manifest points at, when it has its turn.
    async fn stored_needs(
        &self,
        cx: &Arc<Authorized>,
        repo: &Arc<RepositoryFacts>,
        asked: &Asked,
        of: &FromUpstream,
    ) -> Result<(), UpstreamError> {
        let _turn = self.0.imports.turns.acquire().await;
        let stored = self.needs(cx, repo, asked, of, 0).await;
        if let Err(error) = &stored {
            tracing::warn!(repository = %repo.arn, digest = %of.digest, %error,
                "an image of an upstream is not cached");
        }
        stored
    }

    /// Does `work`, and tells other nodes all the while that this one does it.
    async fn alive_during<T>(
        &self,
        repo: &RepositoryFacts,
        manifest: &FromUpstream,
        clock: &Elapsed,
        work: impl Future<Output = T>,
    ) -> T {
        let mut work = std::pin::pin!(work);
        let digest = manifest.digest.to_string();
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(SIGN_INTERVAL) => {}
            }
            let sign = async {
                let mut tx = self.0.registry.write(repo.id).await?;
                pending::goes_on(&mut tx.conn(), repo, &digest, clock.now()).await?;
                Ok::<_, Error>(tx.commit().await?)
            };
            if let Err(error) = sign.await {
                tracing::warn!(repository = %repo.arn, digest, %error, "another node may store the image, too");
            }
        }
    }

    async fn write_down(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        manifest: &FromUpstream,
        payload: &Payload,
    ) -> Result<(), Error> {
        let digest = manifest.digest.to_string();
        let mut tx = self.0.registry.write(repo.id).await?;
        pending::begin(&mut tx.conn(), repo, &digest, payload, cx.now_ms()).await?;
        Ok(tx.commit().await?)
    }

    /// Stores an image's referrers. That they cannot be asked for is no failure of the image.
    async fn store_referrers_of(
        &self,
        cx: &Arc<Authorized>,
        repo: &Arc<RepositoryFacts>,
        asked: &Asked,
        manifest: &FromUpstream,
    ) {
        if !asked.referrers {
            return;
        }
        let subject = manifest.digest.to_string();
        if let Err(error) = self.referrers(cx, repo, asked, &subject).await {
            tracing::info!(repository = %repo.arn, subject, %error, "the referrers of an image are not cached");
        }
    }

    /// Stores what a manifest points at.
    pub(super) fn needs<'a>(
        &'a self,
        cx: &'a Arc<Authorized>,
        repo: &'a Arc<RepositoryFacts>,
        asked: &'a Asked,
        of: &'a FromUpstream,
        depth: usize,
    ) -> BoxFuture<'a, Result<(), UpstreamError>> {
        Box::pin(async move {
            let parsed = manifest::parse(&of.bytes, Some(&of.media_type));
            let parsed = parsed.map_err(|error| UpstreamError::Invalid(error.to_string()))?;
            if depth >= DEPTH_MAX && !parsed.children.is_empty() {
                return Err(UpstreamError::Invalid(
                    "lists in lists, without an end".to_owned(),
                ));
            }
            let unwanted = unwanted(&of.bytes, &asked.platforms);
            for child in &parsed.children {
                let digest = child.digest.to_string();
                if unwanted.contains(&digest) {
                    continue;
                }
                match self.0.registry.stat_manifest(cx, repo, &digest).await {
                    Ok(_) => continue,
                    Err(Error::ImageNotFound { .. }) => {}
                    Err(error) => return Err(failed(&error)),
                }
                let found = self.manifest(asked, &digest).await?;
                let found = found.ok_or_else(|| lacks(&digest))?;
                self.needs(cx, repo, asked, &found, depth + 1).await?;
                self.tag(cx, repo, asked, &found, &[]).await?;
            }
            let blobs = parsed.blobs.iter().map(|blob| blob.digest);
            let foreign = parsed.foreign.iter().filter(|layer| !layer.fetchable);
            let blobs = blobs.chain(foreign.map(|layer| layer.descriptor.digest));
            let fetched = blobs.map(|digest| async move {
                match self
                    .0
                    .registry
                    .stat_blob(cx, repo, &digest.to_string())
                    .await
                {
                    Ok(_) => return Ok(()),
                    Err(Error::LayerNotFound { .. }) => {}
                    Err(error) => return Err(failed(&error)),
                }
                match self.blob(cx, repo, asked, &digest, false).await? {
                    CachedBlob::Missing => Err(lacks(&digest.to_string())),
                    CachedBlob::Stored | CachedBlob::Streaming { .. } => Ok(()),
                }
            });
            let fetched: Vec<_> = fetched.collect();
            let mut fetched = stream::iter(fetched).buffer_unordered(LAYERS_AT_ONCE);
            while let Some(one) = fetched.next().await {
                one?;
            }
            Ok(())
        })
    }

    /// Stores a manifest whose needs are there, and points tags at it.
    pub(super) async fn tag(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        asked: &Asked,
        manifest: &FromUpstream,
        tags: &[String],
    ) -> Result<(), UpstreamError> {
        let digest = manifest.digest.to_string();
        let push = ManifestPush {
            reference: &digest,
            tags,
            media_type: Some(&manifest.media_type),
            bytes: manifest.bytes.clone(),
            method: Some(MoveMethod::PullThrough),
            // What is not here is at the upstream, where a pull finds it.
            sparse: !asked.platforms.is_empty(),
            ..ManifestPush::default()
        };
        let pushed = self.0.registry.push_manifest(cx, repo, push).await;
        pushed.map(drop).map_err(|error| failed(&error))
    }

    /// Writes down when the tags were compared with the upstream, and the event of it. Who pulled is in the
    /// event: an image in the cache comes from a request. With `now`, the import's job is put off or removed; else it
    /// is the job that runs.
    #[expect(clippy::too_many_arguments, reason = "an event tells all of it")]
    async fn note(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        asked: &Asked,
        manifest: &FromUpstream,
        payload: &Payload,
        stored: Result<&(), &UpstreamError>,
        now: Option<i64>,
    ) -> Result<(), Error> {
        let (registry, tags, error) = (&self.0.registry, &*payload.tags, stored.err());
        let mut tx = registry.write(repo.id).await?;
        if error.is_none() {
            for tag in tags {
                pull_through::checked(&mut tx.conn(), repo.id, tag, cx.now_ms()).await?;
            }
        }
        let digest = manifest.digest.to_string();
        if let Some(now) = now {
            match error {
                Some(error) if error.is_transient() => {
                    let run_at = now + pending::pause_ms(error.retry_after());
                    pending::later(&mut tx.conn(), repo, &digest, run_at).await?;
                }
                _ => pending::end(&mut tx.conn(), repo, &digest).await?,
            }
        }
        let reason = error.map(ToString::to_string);
        let event = |tag| {
            Event::PullThroughCache(PullThroughCacheEvent {
                succeeded: error.is_none(),
                prefix: &asked.prefix,
                upstream_registry_url: &manifest.host,
                tag,
                digest: Some(&digest),
                failure: error.map(code).zip(reason.as_deref()),
            })
        };
        match tags {
            [] => events::emit(&mut tx.conn(), repo, &event(None), cx.now_ms()).await?,
            tags => {
                for tag in tags {
                    events::emit(&mut tx.conn(), repo, &event(Some(tag)), cx.now_ms()).await?;
                }
            }
        }
        let details = json!({
            "repositoryName": &*repo.name,
            "upstreamRegistryUrl": &*manifest.host,
            "upstreamRepositoryName": &*manifest.repository,
            "imageDigest": digest,
            "imageTags": tags,
            "result": if error.is_none() { "SUCCESS" } else { "FAILURE" },
            "failureReason": reason,
            "pulledBy": payload.pulled_by,
            "requestId": payload.request_id,
        });
        let (service, name) = (ServiceName::PullThrough, "BatchImportUpstreamImage");
        let now = cx.now_ms();
        service_event::insert(&mut tx.conn(), service, name, repo, &details, now).await?;
        Ok(tx.commit().await?)
    }
}

impl Registry {
    /// Whether a cached tag is served without asking the upstream: it was compared in the last seconds, or never
    /// moves.
    ///
    /// # Errors
    /// The store's.
    pub async fn is_cached_tag_fresh(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        tag: &str,
        seconds: u32,
    ) -> Result<bool, Error> {
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let Some(row) = repository::get(conn, repo.id).await? else {
            return Ok(false);
        };
        if Mutability::stored(&row)?.forbids_moving(tag) {
            return Ok(true);
        }
        let checked_at = pull_through::checked_at(conn, repo.id, tag).await?;
        let fresh_ms = i64::from(seconds) * 1000;
        if self.is_resting() {
            // What is cached stays as it was restored.
            return Ok(checked_at.is_some());
        }
        Ok(checked_at.is_some_and(|at| cx.now_ms() - at < fresh_ms))
    }

    /// Whether a tag never moves.
    ///
    /// # Errors
    /// The store's.
    pub async fn is_tag_immutable(
        &self,
        _: &Authorized,
        repo: &RepositoryFacts,
        tag: &str,
    ) -> Result<bool, Error> {
        let mut read = self.0.store.read().await?;
        let Some(row) = repository::get(&mut read.conn(), repo.id).await? else {
            return Ok(false);
        };
        Ok(Mutability::stored(&row)?.forbids_moving(tag))
    }

    /// Notes that a cached tag is what the upstream has.
    ///
    /// # Errors
    /// The store's.
    pub async fn cached_tag_compared(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        tag: &str,
    ) -> Result<(), Error> {
        let mut tx = self.write(repo.id).await?;
        pull_through::checked(&mut tx.conn(), repo.id, tag, cx.now_ms()).await?;
        Ok(tx.commit().await?)
    }
}

/// The code of a failure in events (ECR API Reference, `ImageFailureCode`, where it has one).
fn code(error: &UpstreamError) -> &'static str {
    match error {
        UpstreamError::AccessDenied(_) | UpstreamError::Credentials(_) => "UpstreamAccessDenied",
        UpstreamError::TooManyRequests { .. } => "UpstreamTooManyRequests",
        UpstreamError::Unavailable(_) => "UpstreamUnavailable",
        UpstreamError::Mismatch { .. } => "ImageDigestDoesNotMatch",
        UpstreamError::Invalid(_) => "InvalidManifest",
        UpstreamError::Store(_) => "StorageFailed",
    }
}

fn lacks(digest: &str) -> UpstreamError {
    UpstreamError::Unavailable(format!("it lacks {digest}, which the image needs"))
}
