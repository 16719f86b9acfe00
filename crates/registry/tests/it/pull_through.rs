//! The pull through cache over an upstream that the tests play: rows P1, P3, P6, and what a lying upstream gets.

mod played;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use aws_api::ecr;
use blobs::Digest;
use bytes::Bytes;
use futures_util::StreamExt as _;
use registry::pull_through::{CachedBlob, PullThroughCache, UpstreamError};
use registry::{Error, FurtherUpstream, RuleOptions};
use serde_json::json;
use store::testing::{TestStore, on_every_engine};

use crate::world::*;
use played::*;

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
async fn of_a_list_the_wanted_platforms_are_stored(t: TestStore) {
    let mut w = Cached::new(&t).await;
    w.asked.platforms = Arc::new(["linux/arm64".to_owned().try_into().unwrap()]);
    let entry = |architecture: &str, digest: Digest| {
        let size = w.upstream.manifests.lock().unwrap()[&digest.to_string()].len();
        json!({"mediaType": OCI_MANIFEST, "digest": digest.to_string(), "size": size,
            "platform": {"os": "linux", "architecture": architecture}})
    };
    let (amd, arm) = (
        w.upstream.image("amd", "one"),
        w.upstream.image("arm", "two"),
    );
    let list = json!({"schemaVersion": 2, "mediaType": OCI_INDEX,
        "manifests": [entry("amd64", amd), entry("arm64", arm)]});
    let digest = w.upstream.put("v1", &list);
    let event = w.pull(&t, "v1").await;
    assert_eq!(event["result"], "SUCCESS", "{event}");
    assert_eq!(w.world.pull(&w.repo, "v1").await.unwrap(), digest);
    assert_eq!(w.world.pull(&w.repo, &arm.to_string()).await.unwrap(), arm);
    let missing = w.world.pull(&w.repo, &amd.to_string()).await;
    assert!(
        matches!(missing, Err(Error::ImageNotFound { .. })),
        "{missing:?}"
    );
    // Who pushes such a list is refused, as before.
    let repo = w.world.repository("own").await;
    let pushed = w
        .world
        .registry
        .put_manifest(&w.cx, &repo, "v1", None, Bytes::from(list.to_string()))
        .await;
    assert!(
        matches!(pushed, Err(Error::ReferencedImagesNotFound { .. })),
        "{pushed:?}"
    );
}

#[on_every_engine]
async fn p6_a_tag_is_fresh_for_a_day(t: TestStore) {
    let w = Cached::new(&t).await;
    w.upstream.image("v1", "one");
    w.pull(&t, "v1").await;
    let r = &w.world.registry;
    for (hours, fresh) in [(0, true), (23, true), (24, false)] {
        let later = w.world.later(hours);
        let found = r
            .is_cached_tag_fresh(&later, &w.repo, "v1", DAY)
            .await
            .unwrap();
        assert_eq!(found, fresh, "{hours} hours");
    }
    let later = w.world.later(30);
    r.cached_tag_compared(&later, &w.repo, "v1").await.unwrap();
    assert!(
        r.is_cached_tag_fresh(&w.world.later(53), &w.repo, "v1", DAY)
            .await
            .unwrap()
    );
    for (seconds, fresh) in [(23 * 3600 + 1, true), (23 * 3600, false), (0, false)] {
        let later = w.world.later(53);
        let found = r.is_cached_tag_fresh(&later, &w.repo, "v1", seconds);
        assert_eq!(found.await.unwrap(), fresh, "{seconds} seconds");
    }
    // A tag that was pushed here was never compared.
    w.world.image(&w.repo, "own", "mine").await;
    assert!(
        !r.is_cached_tag_fresh(&w.cx, &w.repo, "own", DAY)
            .await
            .unwrap()
    );
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
async fn an_answer_of_a_moment_ago_serves_where_it_may(t: TestStore) {
    let mut w = Cached::new(&t).await;
    let first = w.upstream.image("v1", "one");
    let digest = async |w: &Cached| {
        let found = w.cache.manifest(&w.asked, "v1").await;
        found.unwrap().unwrap().digest
    };
    assert_eq!(digest(&w).await, first);
    let second = w.upstream.image("v1", "two");
    assert_eq!(digest(&w).await, first);
    w.asked.recent = false;
    assert_eq!(digest(&w).await, second);
    w.asked.recent = true;
    assert_eq!(digest(&w).await, first);
    let now = w.cache.manifest_now(&w.asked, "v1").await;
    assert_eq!(now.unwrap().unwrap().digest, second);
    assert_eq!(digest(&w).await, second);
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
    // Left out where it was not written: Terraform compares the answer with what was.
    assert_eq!(made.upstream_repository_prefix, None);
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
        found.map(|rule| rule.upstream().base())
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

#[on_every_engine]
async fn what_is_set_beside_a_rule_goes_with_it(t: TestStore) {
    let w = World::new(&t).await;
    let (r, cx) = (&w.registry, &w.cx);
    let create = ecr::CreatePullThroughCacheRuleRequest {
        ecr_repository_prefix: "quay".into(),
        upstream_registry_url: "quay.io".into(),
        ..Default::default()
    };
    let further = |url: &str| FurtherUpstream {
        url: url.to_owned(),
        prefix: "ROOT".to_owned(),
        ..FurtherUpstream::default()
    };
    let options = RuleOptions {
        tag_freshness_seconds: Some(60),
        upstreams: vec![further("mirror.example.com")],
        ..RuleOptions::default()
    };
    let none = r
        .put_pull_through_options(cx, "quay", Some(options.clone()))
        .await;
    assert!(matches!(
        none,
        Err(Error::PullThroughCacheRuleNotFound { .. })
    ));
    r.create_pull_through_cache_rule(cx, create.clone())
        .await
        .unwrap();
    let put = r.put_pull_through_options(cx, "quay/", Some(options.clone()));
    put.await.unwrap();
    let found = async || {
        let rule = r
            .pull_through_rule(&cx.account, &cx.region, "quay/app")
            .await;
        rule.unwrap().unwrap().options.clone()
    };
    assert_eq!(found().await.upstreams, options.upstreams);
    assert_eq!(found().await.updated_at, Some(cx.now_ms()));
    // An upstream is checked as a rule's (P3).
    let refused = RuleOptions {
        upstreams: vec![further("ghcr.io")],
        ..RuleOptions::default()
    };
    let refused = r.put_pull_through_options(cx, "quay", Some(refused)).await;
    assert!(
        matches!(refused, Err(Error::UnsupportedUpstreamRegistry(_))),
        "{refused:?}"
    );
    r.put_pull_through_options(cx, "quay", None).await.unwrap();
    assert_eq!(found().await, RuleOptions::default());
    // A rule that is made again begins without.
    let put = r.put_pull_through_options(cx, "quay", Some(options));
    put.await.unwrap();
    let delete = ecr::DeletePullThroughCacheRuleRequest {
        ecr_repository_prefix: "quay".into(),
        ..Default::default()
    };
    r.delete_pull_through_cache_rule(cx, delete).await.unwrap();
    r.create_pull_through_cache_rule(cx, create).await.unwrap();
    assert_eq!(found().await, RuleOptions::default());
}

/// The job of the one import that is not finished: its subject, what it says, and when it is run.
async fn job(t: &TestStore) -> Option<(String, String, i64)> {
    let mut read = t.store.read().await.unwrap();
    let sql = "SELECT subject, payload, run_at FROM jobs WHERE kind = $1";
    let row = read
        .conn()
        .fetch_optional(sql, store::values![registry::pull_through::IMPORT_JOB])
        .await
        .unwrap();
    row.map(|row| {
        (
            row.text(0).unwrap(),
            row.text(1).unwrap(),
            row.int(2).unwrap(),
        )
    })
}

#[on_every_engine]
async fn an_import_is_written_down_before_it_begins_and_finished_by_its_job(t: TestStore) {
    let w = Cached::new(&t).await;
    let digest = w.upstream.image("v1", "one");
    let layer = Digest::sha256_of(b"one").to_string();
    let kept = w.upstream.blobs.lock().unwrap().remove(&layer).unwrap();
    // The node fails to store the image; it may as well have died.
    let event = w.pull(&t, "v1").await;
    assert_eq!(event["result"], "FAILURE", "{event}");
    let (subject, payload, run_at) = job(&t).await.expect("the import is not given up");
    assert_eq!(subject, format!("{} {digest}", w.repo.id));
    assert!(run_at >= w.cx.now_ms() + 30_000, "it is not tried at once");
    let registry = &w.world.registry;
    let service = authz::ServiceName::PullThrough;
    let pending = registry.pending_import(service, &subject, &payload).await;
    let pending = pending.unwrap().expect("the repository is there");
    assert_eq!(pending.digest, digest.to_string());
    let error = w.cache.resume(&w.cx, &w.asked, &pending).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    let day = 24 * 3_600_000;
    assert_eq!(pending.pause_ms(Some(60), w.cx.now_ms()), Some(60_000));
    assert_eq!(pending.pause_ms(None, w.cx.now_ms() + day), None);
    // The upstream has it again.
    w.upstream.blobs.lock().unwrap().insert(layer, kept);
    w.cache.resume(&w.cx, &w.asked, &pending).await.unwrap();
    assert_eq!(w.world.pull(&w.repo, "v1").await.unwrap(), digest);
    let events = w.events(&t).await;
    let last = events.last().unwrap();
    assert_eq!(last["result"], "SUCCESS", "{last}");
    assert_eq!(
        last["pulledBy"],
        format!("arn:aws:iam::{ACCOUNT}:user/pusher")
    );
}

#[on_every_engine]
async fn the_job_of_an_import_goes_with_it(t: TestStore) {
    let w = Cached::new(&t).await;
    w.upstream.image("v1", "one");
    let event = w.pull(&t, "v1").await;
    assert_eq!(event["result"], "SUCCESS", "{event}");
    assert_eq!(job(&t).await, None);
    // What never will be stored is not tried again.
    w.upstream.image("v2", "two");
    let lie = Bytes::from_static(b"lie");
    let layer = Digest::sha256_of(b"two").to_string();
    w.upstream.blobs.lock().unwrap().insert(layer, lie);
    let event = w.pull(&t, "v2").await;
    assert_eq!(event["result"], "FAILURE", "{event}");
    assert_eq!(job(&t).await, None);
}

#[on_every_engine]
async fn referrers_come_with_their_image(t: TestStore) {
    let w = Cached::new(&t).await;
    let image = w.upstream.image("v1", "one");
    let referrer = |name: &str, subject: &Digest| {
        let mut config = w.upstream.blob(&format!("config of {name}"));
        config["mediaType"] = "application/vnd.example.signature".into();
        w.upstream.put(
            name,
            &json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config,
                "layers": [w.upstream.blob(name)],
                "subject": {"mediaType": OCI_MANIFEST, "digest": subject.to_string(), "size": 2}}),
        )
    };
    let signature = referrer("signature", &image);
    let foreign = referrer("foreign", &Digest::sha256_of(b"another image"));
    let gone = Digest::sha256_of(b"deleted since");
    let all = [foreign, gone, signature].map(|digest| digest.to_string());
    let subject = image.to_string();
    let listed = &w.upstream.referrers;
    listed.lock().unwrap().insert(subject.clone(), all.to_vec());
    w.pull(&t, "v1").await;
    w.cache
        .referrers(&w.cx, &w.repo, &w.asked, &subject)
        .await
        .unwrap();
    let registry = &w.world.registry;
    let found = registry.referrers(&w.cx, &w.repo, &subject, None, None);
    let found = serde_json::to_value(found.await.unwrap().referrers).unwrap();
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
    assert_eq!(found[0]["digest"], signature.to_string());
    let pulled = w.world.pull(&w.repo, &foreign.to_string()).await;
    assert!(
        matches!(pulled, Err(Error::ImageNotFound { .. })),
        "{pulled:?}"
    );
    for (hours, fresh) in [(23, true), (24, false)] {
        let later = w.world.later(hours);
        let found = registry.are_referrers_fresh(&later, &w.repo, &subject, DAY);
        assert_eq!(found.await.unwrap(), fresh, "{hours} hours");
    }
}
