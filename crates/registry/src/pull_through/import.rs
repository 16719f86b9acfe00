//! Storing what was fetched: an image with all that it needs, and only then its manifest and its tag.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use authz::ServiceName;
use futures_util::stream::{self, StreamExt as _};
use serde_json::json;
use store::ecr::{pull_through, repository};
use tokio::sync::Semaphore;

use super::asked::{Asked, FromUpstream};
use super::cache::{CachedBlob, PullThroughCache, failed};
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
/// Lists in lists.
const DEPTH_MAX: usize = 4;
/// How long a tag is served without asking the upstream again (ECR user guide, "Sync an upstream registry": "at
/// most once every 24 hours").
const FRESH_MS: i64 = 24 * 60 * 60 * 1000;

/// What is being stored, by repository and digest.
pub(super) struct Imports {
    running: Mutex<HashMap<(String, String), Running>>,
    turns: Semaphore,
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

    /// Notes one; whether it has to be begun.
    fn begin(&self, place: &str, manifest: &Arc<FromUpstream>, tag: Option<&str>) -> bool {
        let key = (place.to_owned(), manifest.digest.to_string());
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = running.len() >= IMPORTS_MAX;
        if let Some(one) = running.get_mut(&key) {
            one.tags.extend(tag.map(str::to_owned));
            one.tags.sort();
            one.tags.dedup();
            return false;
        }
        if is_full {
            tracing::warn!(place, "too many images wait to be cached: one is not");
            return false;
        }
        let one = Running {
            manifest: Arc::clone(manifest),
            tags: tag.into_iter().map(str::to_owned).collect(),
        };
        running.insert(key, one);
        true
    }

    /// Takes it off; its tags.
    fn end(&self, place: &str, manifest: &FromUpstream) -> Vec<String> {
        let key = (place.to_owned(), manifest.digest.to_string());
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(&key).map(|one| one.tags).unwrap_or_default()
    }
}

impl PullThroughCache {
    /// Stores a manifest's image in the background, with all its layers and, of a list, all its images; then
    /// points `tag` at it.
    pub fn import(
        &self,
        cx: &Arc<Authorized>,
        repo: &Arc<RepositoryFacts>,
        asked: &Asked,
        manifest: &Arc<FromUpstream>,
        tag: Option<&str>,
    ) {
        if !self.0.imports.begin(&asked.place, manifest, tag) {
            return;
        }
        let (cache, cx, repo) = (self.clone(), Arc::clone(cx), Arc::clone(repo));
        let (asked, manifest) = (asked.clone(), Arc::clone(manifest));
        tokio::spawn(async move {
            let _turn = cache.0.imports.turns.acquire().await;
            let needs = cache.needs(&cx, &repo, &asked, &manifest, 0).await;
            let tags = cache.0.imports.end(&asked.place, &manifest);
            let stored = match needs {
                Ok(()) => cache.tag(&cx, &repo, &manifest, &tags).await,
                Err(error) => Err(error),
            };
            if let Err(error) = &stored {
                tracing::warn!(repository = %repo.arn, digest = %manifest.digest, %error,
                    "an image of an upstream is not cached");
            }
            let noted = cache.note(&cx, &repo, &asked, &manifest, &tags, stored.err());
            if let Err(error) = noted.await {
                tracing::warn!(repository = %repo.arn, %error, "the event of a cached image is lost");
            }
        });
    }

    /// Stores what a manifest points at.
    fn needs<'a>(
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
            for child in &parsed.children {
                let digest = child.digest.to_string();
                match self.0.registry.stat_manifest(cx, repo, &digest).await {
                    Ok(_) => continue,
                    Err(Error::ImageNotFound { .. }) => {}
                    Err(error) => return Err(failed(&error)),
                }
                let found = self.manifest(asked, &digest).await?;
                let found = found.ok_or_else(|| lacks(&digest))?;
                self.needs(cx, repo, asked, &found, depth + 1).await?;
                self.tag(cx, repo, &found, &[]).await?;
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
    async fn tag(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
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
            ..ManifestPush::default()
        };
        let pushed = self.0.registry.push_manifest(cx, repo, push).await;
        pushed.map(drop).map_err(|error| failed(&error))
    }

    /// Writes down when the tags were compared with the upstream, and the event of it. Who pulled is in the
    /// event: an image in the cache comes from a request.
    async fn note(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        asked: &Asked,
        manifest: &FromUpstream,
        tags: &[String],
        error: Option<UpstreamError>,
    ) -> Result<(), Error> {
        let registry = &self.0.registry;
        let mut tx = registry.write(repo.id).await?;
        if error.is_none() {
            for tag in tags {
                pull_through::checked(&mut tx.conn(), repo.id, tag, cx.now_ms()).await?;
            }
        }
        let digest = manifest.digest.to_string();
        let reason = error.as_ref().map(ToString::to_string);
        let event = |tag| {
            Event::PullThroughCache(PullThroughCacheEvent {
                succeeded: error.is_none(),
                prefix: &asked.prefix,
                upstream_registry_url: &manifest.host,
                tag,
                digest: Some(&digest),
                failure: error.as_ref().map(code).zip(reason.as_deref()),
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
            "pulledBy": &*cx.caller.arn,
            "requestId": &*cx.request_id,
        });
        let (service, name) = (ServiceName::PullThrough, "BatchImportUpstreamImage");
        let now = cx.now_ms();
        service_event::insert(&mut tx.conn(), service, name, repo, &details, now).await?;
        Ok(tx.commit().await?)
    }
}

impl Registry {
    /// Whether a cached tag is served without asking the upstream: it was compared within a day, or never moves.
    ///
    /// # Errors
    /// The store's.
    pub async fn is_cached_tag_fresh(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        tag: &str,
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
        Ok(checked_at.is_some_and(|at| cx.now_ms() - at < FRESH_MS))
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
