//! An upstream that the tests play, and a cache of it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use blobs::Digest;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use registry::BoxFuture;
use registry::pull_through::{
    Asked, CachedBlob, PullThroughCache, Source, Upstream, UpstreamBlob, UpstreamError,
    UpstreamManifest,
};
use serde_json::json;
use store::testing::TestStore;

use crate::world::*;

/// An upstream with what it was given, that counts what it is asked.
#[derive(Default)]
pub(super) struct Played {
    pub(super) manifests: Mutex<HashMap<String, Bytes>>,
    pub(super) blobs: Mutex<HashMap<String, Bytes>>,
    pub(super) referrers: Mutex<HashMap<String, Vec<String>>>,
    pub(super) asked_manifests: AtomicUsize,
    pub(super) asked_blobs: AtomicUsize,
    pub(super) down: Mutex<Option<UpstreamError>>,
}

impl Played {
    pub(super) fn blob(&self, content: &str) -> serde_json::Value {
        let digest = Digest::sha256_of(content.as_bytes()).to_string();
        let bytes = Bytes::from(content.to_owned());
        self.blobs.lock().unwrap().insert(digest.clone(), bytes);
        json!({"mediaType": OCI_LAYER, "digest": digest, "size": content.len()})
    }

    /// An image by tag and digest.
    pub(super) fn image(&self, tag: &str, content: &str) -> Digest {
        let mut config = self.blob(&format!("config of {content}"));
        config["mediaType"] = OCI_CONFIG.into();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": config,
            "layers": [self.blob(content)],
        });
        self.put(tag, &manifest)
    }

    pub(super) fn put(&self, tag: &str, manifest: &serde_json::Value) -> Digest {
        let bytes = Bytes::from(manifest.to_string());
        let digest = Digest::sha256_of(&bytes);
        let mut manifests = self.manifests.lock().unwrap();
        manifests.insert(tag.to_owned(), bytes.clone());
        manifests.insert(digest.to_string(), bytes);
        digest
    }

    pub(super) fn fails(&self) -> Result<(), UpstreamError> {
        self.down.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

impl Upstream for Played {
    fn host(&self) -> &str {
        "upstream.example.com"
    }

    fn manifest<'a>(
        &'a self,
        repository: &'a str,
        reference: &'a str,
    ) -> BoxFuture<'a, Result<Option<UpstreamManifest>, UpstreamError>> {
        assert_eq!(repository, "library/app");
        self.asked_manifests.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            self.fails()?;
            let found = self.manifests.lock().unwrap().get(reference).cloned();
            Ok(found.map(|bytes| UpstreamManifest {
                media_type: None,
                digest: None,
                bytes,
            }))
        })
    }

    fn blob<'a>(
        &'a self,
        _: &'a str,
        digest: &'a str,
    ) -> BoxFuture<'a, Result<Option<UpstreamBlob>, UpstreamError>> {
        self.asked_blobs.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            self.fails()?;
            let found = self.blobs.lock().unwrap().get(digest).cloned();
            Ok(found.map(|bytes| {
                let middle = bytes.len() / 2;
                let parts = [Ok(bytes.slice(..middle)), Ok(bytes.slice(middle..))];
                UpstreamBlob {
                    size: Some(bytes.len() as u64),
                    stream: stream::iter(parts).boxed(),
                }
            }))
        })
    }

    fn referrers<'a>(
        &'a self,
        _: &'a str,
        subject: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, UpstreamError>> {
        Box::pin(async move {
            self.fails()?;
            let found = self.referrers.lock().unwrap().get(subject).cloned();
            Ok(found.unwrap_or_default())
        })
    }
}

/// How long a tag is fresh where nothing is set, in seconds.
pub(super) const DAY: u32 = 24 * 3600;

pub(super) fn source(upstream: &Arc<Played>) -> Source {
    Source {
        upstream: Arc::clone(upstream) as Arc<dyn Upstream>,
        repository: "library/app".to_owned(),
    }
}

pub(super) struct Cached {
    pub(super) world: World,
    pub(super) upstream: Arc<Played>,
    pub(super) cache: PullThroughCache,
    pub(super) asked: Asked,
    pub(super) cx: Arc<registry::Authorized>,
    pub(super) repo: Arc<registry::RepositoryFacts>,
}

impl Cached {
    pub(super) async fn new(t: &TestStore) -> Cached {
        let world = World::new(t).await;
        let upstream = Arc::new(Played::default());
        let repo = world.repository("hub/library/app").await;
        Cached {
            cache: PullThroughCache::new(world.registry.clone()),
            asked: Asked {
                sources: vec![source(&upstream)],
                place: format!("{ACCOUNT}/{REGION}/hub/library/app"),
                prefix: "hub".to_owned(),
                platforms: Arc::new([]),
                recent: true,
                referrers: true,
            },
            cx: Arc::new(call()),
            upstream,
            repo,
            world,
        }
    }

    /// Fetches a tag, and returns when it is stored, or could not be.
    pub(super) async fn pull(&self, t: &TestStore, tag: &str) -> serde_json::Value {
        let before = self.events(t).await.len();
        let found = self
            .cache
            .manifest(&self.asked, tag)
            .await
            .unwrap()
            .unwrap();
        self.cache
            .import(&self.cx, &self.repo, &self.asked, &found, Some(tag))
            .await
            .unwrap();
        loop {
            let events = self.events(t).await;
            if events.len() > before {
                return events.last().unwrap().clone();
            }
            tokio::task::yield_now().await;
        }
    }

    pub(super) async fn events(&self, t: &TestStore) -> Vec<serde_json::Value> {
        self.world.events(t, "BatchImportUpstreamImage").await
    }

    pub(super) async fn blob(
        &self,
        digest: &Digest,
        streamed: bool,
    ) -> Result<CachedBlob, UpstreamError> {
        self.cache
            .blob(&self.cx, &self.repo, &self.asked, digest, streamed)
            .await
    }
}
