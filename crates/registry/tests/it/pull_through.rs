//! The pull through cache over an upstream that the tests play: rows P1, P3, P6, and what a lying upstream gets.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_api::ecr;
use blobs::Digest;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use registry::pull_through::{
    Asked, CachedBlob, PullThroughCache, Source, Upstream, UpstreamBlob, UpstreamError,
    UpstreamManifest,
};
use registry::{BoxFuture, Error};
use serde_json::json;
use store::testing::{TestStore, on_every_engine};

use crate::world::*;

/// An upstream with what it was given, that counts what it is asked.
#[derive(Default)]
struct Played {
    manifests: Mutex<HashMap<String, Bytes>>,
    blobs: Mutex<HashMap<String, Bytes>>,
    asked_manifests: AtomicUsize,
    asked_blobs: AtomicUsize,
    down: Mutex<Option<UpstreamError>>,
}

impl Played {
    fn blob(&self, content: &str) -> serde_json::Value {
        let digest = Digest::sha256_of(content.as_bytes()).to_string();
        let bytes = Bytes::from(content.to_owned());
        self.blobs.lock().unwrap().insert(digest.clone(), bytes);
        json!({"mediaType": OCI_LAYER, "digest": digest, "size": content.len()})
    }

    /// An image by tag and digest.
    fn image(&self, tag: &str, content: &str) -> Digest {
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

    fn put(&self, tag: &str, manifest: &serde_json::Value) -> Digest {
        let bytes = Bytes::from(manifest.to_string());
        let digest = Digest::sha256_of(&bytes);
        let mut manifests = self.manifests.lock().unwrap();
        manifests.insert(tag.to_owned(), bytes.clone());
        manifests.insert(digest.to_string(), bytes);
        digest
    }

    fn fails(&self) -> Result<(), UpstreamError> {
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
}

fn source(upstream: &Arc<Played>) -> Source {
    Source {
        upstream: Arc::clone(upstream) as Arc<dyn Upstream>,
        repository: "library/app".to_owned(),
    }
}

struct Cached {
    world: World,
    upstream: Arc<Played>,
    cache: PullThroughCache,
    asked: Asked,
    cx: Arc<registry::Authorized>,
    repo: Arc<registry::RepositoryFacts>,
}

impl Cached {
    async fn new(t: &TestStore) -> Cached {
        let world = World::new(t).await;
        let upstream = Arc::new(Played::default());
        let repo = world.repository("hub/library/app").await;
        Cached {
            cache: PullThroughCache::new(world.registry.clone()),
            asked: Asked {
                sources: vec![source(&upstream)],
                place: format!("{ACCOUNT}/{REGION}/hub/library/app"),
                prefix: "hub".to_owned(),
            },
            cx: Arc::new(call()),
            upstream,
            repo,
            world,
        }
    }

    /// Fetches a tag, and returns when it is stored, or could not be.
    async fn pull(&self, t: &TestStore, tag: &str) -> serde_json::Value {
        let before = self.events(t).await.len();
        let found = self
            .cache
            .manifest(&self.asked, tag)
            .await
            .unwrap()
            .unwrap();
        self.cache
            .import(&self.cx, &self.repo, &self.asked, &found, Some(tag));
        loop {
            let events = self.events(t).await;
            if events.len() > before {
                return events.last().unwrap().clone();
            }
            tokio::task::yield_now().await;
        }
    }

    async fn events(&self, t: &TestStore) -> Vec<serde_json::Value> {
        self.world.events(t, "BatchImportUpstreamImage").await
    }

    async fn blob(&self, digest: &Digest, streamed: bool) -> Result<CachedBlob, UpstreamError> {
        self.cache
            .blob(&self.cx, &self.repo, &self.asked, digest, streamed)
            .await
    }
}

#[on_every_engine]
async fn p6_a_list_brings_all_its_images(t: TestStore) {
    let w = Cached::new(&t).await;
    let children = [
        w.upstream.image("amd", "one"),
        w.upstream.image("arm", "two"),
    ];
    let entries: Vec<_> = children
        .iter()
        .map(|digest| {
            let size = w.upstream.manifests.lock().unwrap()[&digest.to_string()].len();
            json!({"mediaType": OCI_MANIFEST, "digest": digest.to_string(), "size": size})
        })
        .collect();
    let list = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries});
    let digest = w.upstream.put("v1", &list);
    let event = w.pull(&t, "v1").await;
    assert_eq!(event["result"], "SUCCESS", "{event}");
    assert_eq!(event["upstreamRegistryUrl"], "upstream.example.com");
    assert_eq!(
        event["pulledBy"],
        format!("arn:aws:iam::{ACCOUNT}:user/pusher")
    );
    assert_eq!(w.world.pull(&w.repo, "v1").await.unwrap(), digest);
    for child in children {
        assert_eq!(
            w.world.pull(&w.repo, &child.to_string()).await.unwrap(),
            child
        );
    }
}

#[on_every_engine]
async fn p6_a_tag_is_fresh_for_a_day(t: TestStore) {
    let w = Cached::new(&t).await;
    w.upstream.image("v1", "one");
    w.pull(&t, "v1").await;
    let r = &w.world.registry;
    for (hours, fresh) in [(0, true), (23, true), (24, false)] {
        let later = w.world.later(hours);
        let found = r.is_cached_tag_fresh(&later, &w.repo, "v1").await.unwrap();
        assert_eq!(found, fresh, "{hours} hours");
    }
    let later = w.world.later(30);
    r.cached_tag_compared(&later, &w.repo, "v1").await.unwrap();
    assert!(
        r.is_cached_tag_fresh(&w.world.later(53), &w.repo, "v1")
            .await
            .unwrap()
    );
    // A tag that was pushed here was never compared.
    w.world.image(&w.repo, "own", "mine").await;
    assert!(!r.is_cached_tag_fresh(&w.cx, &w.repo, "own").await.unwrap());
}

#[on_every_engine]
async fn many_who_ask_at_a_time_ask_the_upstream_once(t: TestStore) {
    let w = Cached::new(&t).await;
    w.upstream.image("v1", "one");
    let all =
        futures_util::future::join_all((0..20).map(|_| w.cache.manifest(&w.asked, "v1"))).await;
    assert!(all.into_iter().all(|one| one.unwrap().is_some()));
    assert_eq!(w.upstream.asked_manifests.load(Ordering::Relaxed), 1);
    let digest = Digest::sha256_of(b"one");
    let all = futures_util::future::join_all((0..20).map(|_| w.blob(&digest, false))).await;
    assert!(
        all.into_iter()
            .all(|one| matches!(one, Ok(CachedBlob::Stored)))
    );
    assert_eq!(w.upstream.asked_blobs.load(Ordering::Relaxed), 1);
}

#[on_every_engine]
async fn the_first_client_reads_a_blob_while_it_is_cached(t: TestStore) {
    let w = Cached::new(&t).await;
    w.upstream.blob("content");
    let digest = Digest::sha256_of(b"content");
    let Ok(CachedBlob::Streaming { size, stream }) = w.blob(&digest, true).await else {
        panic!("it streams");
    };
    assert_eq!(size, 7);
    let chunks: Vec<_> = stream.map(Result::unwrap).collect().await;
    assert_eq!(chunks.concat(), b"content");
    let stored = w
        .world
        .registry
        .stat_blob(&w.cx, &w.repo, &digest.to_string())
        .await;
    assert_eq!(stored.unwrap().size, 7);
}

#[on_every_engine]
async fn a_blob_with_another_digest_is_refused_and_never_whole(t: TestStore) {
    let w = Cached::new(&t).await;
    let digest = Digest::sha256_of(b"content");
    let lie = Bytes::from_static(b"another");
    w.upstream
        .blobs
        .lock()
        .unwrap()
        .insert(digest.to_string(), lie);
    let error = w.blob(&digest, false).await.err().unwrap();
    assert!(matches!(error, UpstreamError::Mismatch { .. }), "{error:?}");
    let Ok(CachedBlob::Streaming { size, stream }) = w.blob(&digest, true).await else {
        panic!("it begins");
    };
    let chunks: Vec<_> = stream.collect().await;
    assert!(chunks.last().unwrap().is_err());
    let sent = chunks.iter().flatten().map(Bytes::len).sum::<usize>();
    assert!((sent as u64) < size, "the client has all {sent} bytes");
    let stored = w
        .world
        .registry
        .stat_blob(&w.cx, &w.repo, &digest.to_string())
        .await;
    assert!(matches!(stored, Err(Error::LayerNotFound { .. })));
    assert_eq!(w.world.temporary_files(), 0);
}

#[on_every_engine]
async fn a_manifest_with_another_digest_is_refused(t: TestStore) {
    let w = Cached::new(&t).await;
    let digest = w.upstream.image("v1", "one").to_string();
    let lie = w.upstream.manifests.lock().unwrap()["v1"].slice(1..);
    w.upstream
        .manifests
        .lock()
        .unwrap()
        .insert(digest.clone(), lie);
    let error = w.cache.manifest(&w.asked, &digest).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Mismatch { .. }), "{error:?}");
    w.upstream
        .manifests
        .lock()
        .unwrap()
        .insert("v2".to_owned(), Bytes::from_static(b"<html>"));
    let error = w.cache.manifest(&w.asked, "v2").await.unwrap_err();
    assert!(matches!(error, UpstreamError::Invalid(_)), "{error:?}");
}

#[on_every_engine]
async fn an_image_without_one_of_its_layers_is_not_visible(t: TestStore) {
    let w = Cached::new(&t).await;
    let digest = w.upstream.image("v1", "one");
    w.upstream
        .blobs
        .lock()
        .unwrap()
        .remove(&Digest::sha256_of(b"one").to_string());
    let event = w.pull(&t, "v1").await;
    assert_eq!(event["result"], "FAILURE", "{event}");
    for reference in ["v1", &digest.to_string()] {
        let pulled = w.world.pull(&w.repo, reference).await;
        assert!(
            matches!(pulled, Err(Error::ImageNotFound { .. })),
            "{pulled:?}"
        );
    }
}

#[on_every_engine]
async fn an_upstream_that_fails_says_how(t: TestStore) {
    let w = Cached::new(&t).await;
    assert_eq!(w.cache.manifest(&w.asked, "none").await, Ok(None));
    let busy = UpstreamError::TooManyRequests {
        retry_after: Some(7),
    };
    *w.upstream.down.lock().unwrap() = Some(busy.clone());
    assert_eq!(w.cache.manifest(&w.asked, "v1").await, Err(busy));
    // A failure is not kept.
    *w.upstream.down.lock().unwrap() = None;
    w.upstream.image("v1", "one");
    assert!(w.cache.manifest(&w.asked, "v1").await.unwrap().is_some());
}

#[on_every_engine]
async fn p1_rules_are_made_listed_changed_and_deleted(t: TestStore) {
    let w = World::new(&t).await;
    let (r, cx) = (&w.registry, &w.cx);
    let create = |prefix: &str, url: &str| ecr::CreatePullThroughCacheRuleRequest {
        ecr_repository_prefix: prefix.to_owned(),
        upstream_registry_url: url.to_owned(),
        ..Default::default()
    };
    let made = r
        .create_pull_through_cache_rule(cx, create("quay", "quay.io"))
        .await
        .unwrap();
    assert_eq!(made.upstream_repository_prefix.as_deref(), Some("ROOT"));
    assert_eq!(made.upstream_registry, Some(ecr::UpstreamRegistry::Quay));
    let error = r
        .create_pull_through_cache_rule(cx, create("quay", "registry.k8s.io"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::PullThroughCacheRuleAlreadyExists { .. }),
        "{error}"
    );
    r.create_pull_through_cache_rule(cx, create("lab", "http://127.0.0.1:5000"))
        .await
        .unwrap();
    let rule = async |name: &str| {
        let found = r
            .pull_through_rule(&cx.account, &cx.region, name)
            .await
            .unwrap();
        found.map(|rule| rule.base())
    };
    assert_eq!(rule("quay/a/b").await.as_deref(), Some("https://quay.io"));
    assert_eq!(
        rule("lab/a").await.as_deref(),
        Some("http://127.0.0.1:5000")
    );
    assert_eq!(rule("other/a").await, None);
    let describe = |prefixes: Option<Vec<String>>| ecr::DescribePullThroughCacheRulesRequest {
        ecr_repository_prefixes: prefixes,
        max_results: Some(1),
        ..Default::default()
    };
    let mut input = describe(None);
    let first = r
        .describe_pull_through_cache_rules(cx, input.clone())
        .await
        .unwrap();
    input.next_token = first.next_token;
    let second = r
        .describe_pull_through_cache_rules(cx, input)
        .await
        .unwrap();
    assert_eq!(second.next_token, None);
    let prefix = |page: Option<Vec<ecr::PullThroughCacheRule>>| {
        page.unwrap()[0].ecr_repository_prefix.clone()
    };
    assert_eq!(
        prefix(first.pull_through_cache_rules).as_deref(),
        Some("lab")
    );
    assert_eq!(
        prefix(second.pull_through_cache_rules).as_deref(),
        Some("quay")
    );
    let error = r
        .describe_pull_through_cache_rules(cx, describe(Some(vec!["hub".into()])))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "The pull through cache rule with prefix 'hub' does not exist in the registry with id '123456789012'"
    );
    let update = |secret: Option<&str>| ecr::UpdatePullThroughCacheRuleRequest {
        ecr_repository_prefix: "lab".into(),
        credential_arn: secret.map(str::to_owned),
        ..Default::default()
    };
    let error = r
        .update_pull_through_cache_rule(cx, update(None))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("Please set either credential arn or role arn"),
        "{error}"
    );
    let own =
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/lab-AbCdEf";
    let updated = r
        .update_pull_through_cache_rule(cx, update(Some(own)))
        .await
        .unwrap();
    assert_eq!(updated.credential_arn.as_deref(), Some(own));
    let foreign = own.replace("123456789012", "999999999999");
    let error = r
        .update_pull_through_cache_rule(cx, update(Some(&foreign)))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::UnableToAccessSecret(_)), "{error}");
    let delete = || ecr::DeletePullThroughCacheRuleRequest {
        ecr_repository_prefix: "lab".into(),
        ..Default::default()
    };
    r.delete_pull_through_cache_rule(cx, delete())
        .await
        .unwrap();
    let error = r
        .delete_pull_through_cache_rule(cx, delete())
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::PullThroughCacheRuleNotFound { .. }),
        "{error}"
    );
    assert_eq!(rule("lab/a").await, None);
}

#[on_every_engine]
async fn the_next_upstream_is_asked_where_one_fails_or_lacks_it(t: TestStore) {
    let mut w = Cached::new(&t).await;
    let second = Arc::new(Played::default());
    w.asked.sources.push(source(&second));
    let digest = second.image("v1", "one");
    let layer = Digest::sha256_of(b"one");
    for (failure, passes_on) in [
        (None, true),
        (
            Some(UpstreamError::TooManyRequests { retry_after: None }),
            true,
        ),
        (Some(UpstreamError::Unavailable("down".to_owned())), true),
        (Some(UpstreamError::AccessDenied("no".to_owned())), true),
        (Some(UpstreamError::Invalid("html".to_owned())), false),
    ] {
        *w.upstream.down.lock().unwrap() = failure.clone();
        // A cache of its own remembers nothing of the case before.
        let cache = PullThroughCache::new(w.world.registry.clone());
        let found = cache.manifest(&w.asked, "v1").await;
        match passes_on {
            true => assert_eq!(found.unwrap().unwrap().digest, digest, "{failure:?}"),
            false => assert_eq!(found, Err(failure.unwrap())),
        }
    }
    *w.upstream.down.lock().unwrap() = None;
    assert!(matches!(
        w.blob(&layer, false).await,
        Ok(CachedBlob::Stored)
    ));
    // Nobody has it; that is told only where all say so.
    assert_eq!(w.cache.manifest(&w.asked, "none").await, Ok(None));
    let down = UpstreamError::Unavailable("down".to_owned());
    *w.upstream.down.lock().unwrap() = Some(down.clone());
    assert_eq!(w.cache.manifest(&w.asked, "none").await, Err(down));
}
