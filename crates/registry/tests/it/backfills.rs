//! R7: replication backfills.

use aws_api::ecr::{
    self, ReplicationBackfillResultStatus as ResultStatus, ReplicationBackfillStatus as Status,
    ReplicationDestination,
};
use registry::{Authorized, Error};
use serde_json::json;
use store::testing::{TestStore, on_every_engine};

use crate::replication::*;
use crate::world::*;

fn to(account: &str, region: &str) -> ReplicationDestination {
    ReplicationDestination {
        region: region.into(),
        registry_id: account.into(),
    }
}

async fn start_at(
    w: &World,
    cx: &Authorized,
    account: &str,
    region: &str,
) -> Result<String, Error> {
    let input = ecr::StartReplicationBackfillRequest {
        registry_id: None,
        destination: to(account, region),
    };
    let started = w.registry.start_replication_backfill(cx, input).await?;
    assert_eq!(started.status, Some(Status::Preparing));
    assert_eq!(started.registry_id.as_deref(), Some(ACCOUNT));
    assert_eq!(started.destination, Some(to(account, region)));
    Ok(started.replication_backfill_id.unwrap())
}

async fn start(w: &World, account: &str, region: &str) -> Result<String, Error> {
    start_at(w, &w.cx, account, region).await
}

async fn described(
    w: &World,
    id: &str,
    change: impl FnOnce(&mut ecr::DescribeReplicationBackfillResultsRequest),
) -> ecr::DescribeReplicationBackfillResultsResponse {
    let mut input = ecr::DescribeReplicationBackfillResultsRequest {
        replication_backfill_id: id.into(),
        ..Default::default()
    };
    change(&mut input);
    let found = w
        .registry
        .describe_replication_backfill_results(&w.cx, input);
    found.await.unwrap()
}

async fn status(w: &World, id: &str) -> Status {
    described(w, id, |_| {}).await.status.unwrap()
}

/// Total, completed, failed.
async fn progress(w: &World, id: &str) -> Option<(i32, i32, i32)> {
    let found = described(w, id, |_| {}).await.progress?;
    Some((
        found.total_replication_count,
        found.completed_replication_count,
        found.failed_replication_count,
    ))
}

/// One run of the backfill's job; whether something is left.
async fn step(w: &World, id: &str) -> bool {
    let service = ServiceName::Replication;
    let next = w.registry.run_replication_backfill(service, id, w.cx.now);
    next.await.unwrap().is_some()
}

/// The backfill's job and the tasks in turn, until nothing is left.
async fn finish(w: &World, store: &TestStore, id: &str, allowed: bool) {
    for hour in 0..100 {
        if !step(w, id).await {
            return;
        }
        run_at(w, store, w.later(hour).now, allowed).await;
    }
    panic!("the backfill does not end");
}

async fn stop(w: &World, id: &str) -> Result<Status, Error> {
    let input = ecr::StopReplicationBackfillRequest {
        registry_id: None,
        replication_backfill_id: id.into(),
    };
    let stopped = w.registry.stop_replication_backfill(&w.cx, input).await?;
    Ok(stopped.status.unwrap())
}

#[on_every_engine]
async fn r7_images_that_were_there_before_are_copied_with_each_tag(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("prod/app").await;
    let manifest = w.manifest(&repo, "one").await;
    let first = w.put(&repo, "v1", &manifest).await.unwrap();
    w.put(&repo, "latest", &manifest).await.unwrap();
    // A list, whose image without a tag comes with it, and an image that lost its tag.
    let child = w.manifest(&repo, "child").await;
    let bytes = bytes::Bytes::from(child.to_string());
    let child_digest = blobs::Digest::sha256_of(&bytes).to_string();
    w.put(&repo, &child_digest, &child).await.unwrap();
    let list = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
        {"mediaType": OCI_MANIFEST, "digest": child_digest, "size": bytes.len()}]});
    w.put(&repo, "list", &list).await.unwrap();
    let untagged = w.image(&repo, "moves", "two").await;
    w.image(&repo, "moves", "three").await;
    let other = w.repository("dev/app").await;
    w.image(&other, "v1", "one").await;
    let empty = w.repository("prod/empty").await;
    assert_ne!(empty.id, repo.id);
    configure(&w, vec![rule(&[(ACCOUNT, THERE)], &["prod"])])
        .await
        .unwrap();

    let id = start(&w, ACCOUNT, THERE).await.unwrap();
    let before = described(&w, &id, |_| {}).await;
    assert_eq!(before.status, Some(Status::Preparing));
    assert_eq!((before.progress, before.results), (None, None));
    assert!(step(&w, &id).await);
    let meanwhile = described(&w, &id, |_| {}).await;
    assert_eq!(meanwhile.status, Some(Status::InProgress));
    assert_eq!((meanwhile.results, meanwhile.ended_at), (None, None));
    assert_eq!(progress(&w, &id).await, Some((5, 0, 0)));
    finish(&w, &store, &id, true).await;

    let done = described(&w, &id, |_| {}).await;
    assert_eq!(done.status, Some(Status::Complete));
    assert!(done.ended_at.is_some() && done.failure_code.is_none());
    assert_eq!(progress(&w, &id).await, Some((5, 5, 0)));
    let results = done.results.unwrap();
    let tags: Vec<_> = results
        .iter()
        .map(|one| one.image_id.image_tag.as_deref())
        .collect();
    assert_eq!(
        tags,
        [
            Some("latest"),
            Some("v1"),
            Some("list"),
            None,
            Some("moves")
        ]
    );
    let is_complete = |one: &ecr::ReplicationBackfillResult| {
        one.repository_name == "prod/app"
            && one.status == ResultStatus::Complete
            && one.failure_code.is_none()
    };
    assert!(results.iter().all(is_complete), "{results:?}");
    let replica = there(&w, ACCOUNT, THERE, "prod/app").await;
    for (reference, digest) in [
        ("v1", first.to_string()),
        ("latest", first.to_string()),
        (&child_digest, child_digest.clone()),
        (&untagged.to_string(), untagged.to_string()),
    ] {
        let pulled = w.pull(&replica, reference).await.unwrap();
        assert_eq!(pulled.to_string(), digest);
    }
    let status = statuses(&w, "prod/app", &first.to_string()).await;
    assert_eq!(status, [(THERE.into(), "COMPLETE".into(), None)]);
    // Once more, it finds all of them there.
    let again = start(&w, ACCOUNT, THERE).await.unwrap();
    finish(&w, &store, &again, true).await;
    assert_eq!(progress(&w, &again).await, Some((5, 5, 0)));
}

#[on_every_engine]
async fn r7_a_destination_is_configured_and_has_one_backfill_by_region(store: TestStore) {
    let w = World::new(&store).await;
    let regions: Vec<String> = (0..11).map(|n| format!("eu-west-{n}")).collect();
    let mut all: Vec<_> = regions.iter().map(|one| (ACCOUNT, one.as_str())).collect();
    all.push((OTHER, "eu-west-0"));
    configure(&w, vec![rule(&all, &[])]).await.unwrap();
    for (account, region, refused) in [
        (ACCOUNT, "ap-south-1", "InvalidParameter"),
        (OTHER, "eu-west-1", "InvalidParameter"),
        (ACCOUNT, "cn-north-1", "InvalidParameter"),
    ] {
        assert_eq!(
            refusal(start(&w, account, region).await),
            refused,
            "{region}"
        );
    }
    let mut ids = Vec::new();
    for region in &regions[..10] {
        ids.push(start(&w, ACCOUNT, region).await.unwrap());
    }
    // By the Region, whosever registry it is.
    let twice = start(&w, OTHER, "eu-west-0").await;
    assert_eq!(refusal(twice), "ReplicationBackfillInProgress");
    let eleventh = start(&w, ACCOUNT, "eu-west-10").await;
    assert_eq!(refusal(eleventh), "LimitExceeded");
    // Another registry has its own.
    let cx = proof(&w, OTHER, REGION, w.cx.now);
    let input = ecr::ListReplicationBackfillsRequest::default();
    let theirs = w.registry.list_replication_backfills(&cx, input).await;
    assert_eq!(theirs.unwrap().backfills, Some(vec![]));
    // One that has ended leaves its place.
    finish(&w, &store, &ids[0], true).await;
    assert_eq!(status(&w, &ids[0]).await, Status::Complete);
    assert_eq!(progress(&w, &ids[0]).await, Some((0, 0, 0)));
    start(&w, ACCOUNT, "eu-west-10").await.unwrap();
}

#[on_every_engine]
async fn r7_half_of_a_hundred_failures_end_it(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let manifest = w.manifest(&repo, "one").await;
    for n in 0..150 {
        w.put(&repo, &format!("v{n}"), &manifest).await.unwrap();
    }
    configure(&w, vec![rule(&[(OTHER, REGION)], &[])])
        .await
        .unwrap();
    let id = start(&w, OTHER, REGION).await.unwrap();
    finish(&w, &store, &id, false).await;
    let found = described(&w, &id, |input| input.max_results = Some(1_000)).await;
    assert_eq!(found.status, Some(Status::Failed));
    assert_eq!(
        found.failure_code.as_deref(),
        Some("FailureThresholdExceeded")
    );
    let progress = found.progress.unwrap();
    assert_eq!(progress.total_replication_count, 150);
    assert_eq!(progress.failed_replication_count, 100);
    assert_eq!(progress.failure_codes, ["AccessDenied"]);
    // What was not tried has no result.
    let results = found.results.unwrap();
    assert_eq!(results.len(), 100);
    assert_eq!(results[0].failure_code.as_deref(), Some("AccessDenied"));
}

#[on_every_engine]
async fn r7_fewer_than_a_hundred_are_not_judged(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let digest = w.image(&repo, "v1", "one").await.to_string();
    configure(&w, vec![rule(&[(OTHER, REGION)], &[])])
        .await
        .unwrap();
    let id = start(&w, OTHER, REGION).await.unwrap();
    finish(&w, &store, &id, false).await;
    assert_eq!(status(&w, &id).await, Status::Complete);
    assert_eq!(progress(&w, &id).await, Some((1, 0, 1)));
    let status = statuses(&w, "app", &digest).await;
    let failed = (REGION.into(), "FAILED".into(), Some("AccessDenied".into()));
    assert_eq!(status, [failed]);
}

#[on_every_engine]
async fn r7_a_list_names_the_codes_of_its_images(store: TestStore) {
    let w = World::with(&store, |settings| {
        settings.limits.images_per_repository_max = 2;
    })
    .await;
    let there_cx = proof(&w, ACCOUNT, THERE, w.cx.now);
    let made = ecr::CreateRepositoryRequest {
        repository_name: "app".into(),
        ..Default::default()
    };
    w.registry.create_repository(&there_cx, made).await.unwrap();
    let full = there(&w, ACCOUNT, THERE, "app").await;
    for n in 0..2 {
        let content = format!("there already {n}");
        let mut config = w.layer(&full, &content).await;
        config["mediaType"] = OCI_CONFIG.into();
        let manifest =
            json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": []});
        w.put(&full, &format!("x{n}"), &manifest).await.unwrap();
    }
    let repo = w.repository("app").await;
    let child = w.manifest(&repo, "child").await;
    let bytes = bytes::Bytes::from(child.to_string());
    let digest = blobs::Digest::sha256_of(&bytes).to_string();
    w.put(&repo, &digest, &child).await.unwrap();
    let list = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
        {"mediaType": OCI_MANIFEST, "digest": digest, "size": bytes.len()}]});
    w.put(&repo, "list", &list).await.unwrap();
    configure(&w, vec![rule(&[(ACCOUNT, THERE)], &[])])
        .await
        .unwrap();
    let id = start(&w, ACCOUNT, THERE).await.unwrap();
    finish(&w, &store, &id, true).await;
    let results = described(&w, &id, |_| {}).await.results.unwrap();
    assert_eq!(results.len(), 1);
    assert_eq!(results[0].failure_code.as_deref(), Some("LimitExceeded"));
    let subs = results[0].sub_image_failure_codes.as_deref();
    assert_eq!(subs, Some(&["LimitExceeded".to_owned()][..]));
}

#[on_every_engine]
async fn r7_it_is_stopped_where_it_has_not_ended(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let manifest = w.manifest(&repo, "one").await;
    for n in 0..120 {
        w.put(&repo, &format!("v{n:03}"), &manifest).await.unwrap();
    }
    configure(&w, vec![rule(&[(ACCOUNT, THERE)], &[])])
        .await
        .unwrap();
    // While it is prepared nothing is in progress.
    let id = start(&w, ACCOUNT, THERE).await.unwrap();
    assert_eq!(stop(&w, &id).await.unwrap(), Status::Stopped);
    assert_eq!(described(&w, &id, |_| {}).await.progress, None);
    assert_eq!(
        refusal(stop(&w, &id).await),
        "ReplicationBackfillInvalidStatus"
    );
    assert!(!step(&w, &id).await);
    // Then what was begun is done, and nothing more.
    let id = start(&w, ACCOUNT, THERE).await.unwrap();
    assert!(step(&w, &id).await);
    assert_eq!(stop(&w, &id).await.unwrap(), Status::Stopping);
    assert_eq!(
        refusal(stop(&w, &id).await),
        "ReplicationBackfillInvalidStatus"
    );
    assert!(step(&w, &id).await);
    assert_eq!(status(&w, &id).await, Status::Stopping);
    finish(&w, &store, &id, true).await;
    assert_eq!(status(&w, &id).await, Status::Stopped);
    assert_eq!(progress(&w, &id).await, Some((120, 100, 0)));
    let unknown = stop(&w, "0f1e2d3c-0000-4000-8000-000000000000").await;
    assert_eq!(refusal(unknown), "ReplicationBackfillNotFound");
}

#[on_every_engine]
async fn r7_what_failed_once_is_not_tried_again_after_a_stop(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let digest = w.image(&repo, "v1", "one").await.to_string();
    configure(&w, vec![rule(&[(OTHER, REGION)], &[])])
        .await
        .unwrap();
    let id = start(&w, OTHER, REGION).await.unwrap();
    assert!(step(&w, &id).await);
    run_at(&w, &store, w.cx.now, false).await;
    assert_eq!(
        progress(&w, &id).await,
        Some((1, 0, 0)),
        "it is to be tried again"
    );
    assert_eq!(stop(&w, &id).await.unwrap(), Status::Stopping);
    assert!(!step(&w, &id).await);
    assert_eq!(status(&w, &id).await, Status::Stopped);
    assert_eq!(progress(&w, &id).await, Some((1, 0, 1)));
    assert_eq!(statuses(&w, "app", &digest).await[0].1, "FAILED");
}

/// Each step is in the database: another process goes on where this one was.
#[on_every_engine]
async fn r7_it_survives_a_restart(store: TestStore) {
    let w = World::new(&store).await;
    for name in ["aa", "bb", "cc"] {
        let repo = w.repository(name).await;
        w.image(&repo, "v1", name).await;
    }
    configure(&w, vec![rule(&[(ACCOUNT, THERE)], &[])])
        .await
        .unwrap();
    let id = start(&w, ACCOUNT, THERE).await.unwrap();
    assert!(step(&w, &id).await);
    run_at(&w, &store, w.cx.now, true).await;
    let (registry, other, _) = w.another_node(true, w.cx.now).await;
    let mut read = other.read().await.unwrap();
    let sql = "SELECT subject FROM jobs WHERE kind = 'replication-backfill'";
    let rows = read.fetch_all(sql, vec![]).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].text(0).unwrap(), id);
    drop(read);
    let service = ServiceName::Replication;
    let next = registry.run_replication_backfill(service, &id, w.cx.now);
    assert_eq!(next.await.unwrap(), None);
    assert_eq!(status(&w, &id).await, Status::Complete);
    assert_eq!(progress(&w, &id).await, Some((3, 3, 0)));
}

#[on_every_engine]
async fn r7_what_goes_away_meanwhile_fails(store: TestStore) {
    let w = World::new(&store).await;
    let gone = w.repository("gone").await;
    w.image(&gone, "v1", "one").await;
    let repo = w.repository("stays").await;
    w.image(&repo, "v1", "one").await;
    w.image(&repo, "v2", "two").await;
    configure(&w, vec![rule(&[(ACCOUNT, THERE)], &[])])
        .await
        .unwrap();
    let id = start(&w, ACCOUNT, THERE).await.unwrap();
    assert!(step(&w, &id).await);
    w.delete("gone").await;
    w.registry
        .delete_manifest(&w.cx, &repo, "v1")
        .await
        .unwrap();
    finish(&w, &store, &id, true).await;
    let found = described(&w, &id, |_| {}).await;
    let codes = found.progress.unwrap().failure_codes;
    assert_eq!(codes, ["RepositoryNotFound", "ImageNotFound"]);
    assert_eq!(progress(&w, &id).await, Some((3, 1, 2)));

    // Nor is a destination written to that is configured no more.
    let id = start(&w, ACCOUNT, THERE).await.unwrap();
    configure(&w, Vec::new()).await.unwrap();
    finish(&w, &store, &id, true).await;
    let found = described(&w, &id, |_| {}).await;
    assert_eq!(found.status, Some(Status::Failed));
    assert_eq!(
        found.failure_code.as_deref(),
        Some("DestinationNotConfigured")
    );
}

#[on_every_engine]
async fn r7_lists_and_results_come_in_pages(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    for n in 0..3 {
        w.image(&repo, &format!("v{n}"), &format!("{n}")).await;
    }
    configure(&w, vec![rule(&[(ACCOUNT, THERE)], &[])])
        .await
        .unwrap();
    let mut ids = Vec::new();
    for hour in 0..3 {
        let id = start_at(&w, &w.later(hour), ACCOUNT, THERE).await.unwrap();
        finish(&w, &store, &id, true).await;
        ids.insert(0, id);
    }
    let (mut listed, mut token) = (Vec::new(), None);
    loop {
        let input = ecr::ListReplicationBackfillsRequest {
            registry_id: None,
            max_results: Some(2),
            next_token: token,
        };
        let page = w.registry.list_replication_backfills(&w.cx, input);
        let page = page.await.unwrap();
        let backfills = page.backfills.unwrap();
        assert!(backfills.len() <= 2);
        listed.extend(backfills.into_iter().map(|one| one.replication_backfill_id));
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(listed, ids, "the latest first");
    let page = described(&w, &ids[0], |input| input.max_results = Some(2)).await;
    assert_eq!(page.results.unwrap().len(), 2);
    let rest = described(&w, &ids[0], |input| input.next_token = page.next_token).await;
    assert_eq!(rest.results.unwrap().len(), 1);
    assert_eq!(rest.next_token, None);
    let failed = described(&w, &ids[0], |input| {
        input.result_status_filter = Some(ResultStatus::Failed);
    });
    assert_eq!(failed.await.results, Some(vec![]));

    // After 90 days they are not returned, and removed.
    let much_later = w.at(91, 0);
    let input = ecr::ListReplicationBackfillsRequest::default();
    let listed = w.registry.list_replication_backfills(&much_later, input);
    assert_eq!(listed.await.unwrap().backfills, Some(vec![]));
    let service = ServiceName::Maintenance;
    let prune = || {
        w.registry
            .prune_replication_backfills(service, much_later.now)
    };
    while prune().await.unwrap() {}
    let mut read = store.store.read().await.unwrap();
    let sql = "SELECT COUNT(*) FROM replication_backfill_items";
    let count = read.fetch_one(sql, vec![]).await.unwrap().int(0).unwrap();
    assert_eq!(count, 0);
}

/// A registry is a matter of its own account.
#[on_every_engine]
async fn r7_another_accounts_registry_is_refused(store: TestStore) {
    let w = World::new(&store).await;
    let input = ecr::StartReplicationBackfillRequest {
        registry_id: Some(OTHER.into()),
        destination: to(ACCOUNT, THERE),
    };
    let refused = w.registry.start_replication_backfill(&w.cx, input).await;
    assert_eq!(refusal(refused), "InvalidParameter");
}

/// Beyond Amazon ECR: a limit by tags holds for backfills as well.
#[on_every_engine]
async fn r7_a_limit_by_tags_holds(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let manifest = w.manifest(&repo, "one").await;
    for tag in ["prod-1", "dev-1"] {
        w.put(&repo, tag, &manifest).await.unwrap();
    }
    configure(&w, vec![rule(&[(ACCOUNT, THERE)], &[])])
        .await
        .unwrap();
    let filter = aws_api::berth::PutReplicationTagFilterRequest {
        region: THERE.into(),
        registry_id: ACCOUNT.into(),
        tag_pattern_list: vec!["prod-*".into()],
    };
    let put = w.registry.put_replication_tag_filter(&w.cx, filter);
    put.await.unwrap();
    let id = start(&w, ACCOUNT, THERE).await.unwrap();
    finish(&w, &store, &id, true).await;
    assert_eq!(progress(&w, &id).await, Some((1, 1, 0)));
}
