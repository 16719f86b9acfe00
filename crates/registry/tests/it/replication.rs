//! Replication to other registries of this server; the decision of the server is made up here.

use std::sync::Arc;

use aws_api::ecr::{
    self, DeleteReplication, ReplicationConfiguration, ReplicationDestination, ReplicationRule,
    RepositoryFilter, RepositoryFilterType,
};
use jiff::Timestamp;
use registry::{
    Authorized, Error, REPLICATION_JOB, ReplicationFailure, ReplicationTarget, RepositoryFacts,
};
use serde_json::json;
use store::testing::{TestStore, on_every_engine};

use crate::events::{taken, target_of};
use crate::world::*;

pub const THERE: &str = "eu-west-1";
pub const OTHER: &str = "210987654321";

fn destination(account: &str, region: &str) -> ReplicationDestination {
    ReplicationDestination {
        region: region.into(),
        registry_id: account.into(),
    }
}

pub fn rule(destinations: &[(&str, &str)], filters: &[&str]) -> ReplicationRule {
    let filter = |filter: &&str| RepositoryFilter {
        filter: (*filter).into(),
        filter_type: RepositoryFilterType::PrefixMatch,
    };
    ReplicationRule {
        destinations: destinations
            .iter()
            .map(|(account, region)| destination(account, region))
            .collect(),
        repository_filters: (!filters.is_empty()).then(|| filters.iter().map(filter).collect()),
        delete_replication: None,
    }
}

pub async fn configure(w: &World, rules: Vec<ReplicationRule>) -> Result<(), Error> {
    let input = ecr::PutReplicationConfigurationRequest {
        replication_configuration: ReplicationConfiguration { rules },
    };
    let put = w.registry.put_replication_configuration(&w.cx, input);
    put.await.map(drop)
}

/// The subjects of the jobs that wait.
pub async fn jobs(store: &TestStore) -> Vec<String> {
    let mut read = store.store.read().await.unwrap();
    let sql = "SELECT subject FROM jobs WHERE kind = $1 ORDER BY subject";
    let rows = read
        .fetch_all(sql, store::values![REPLICATION_JOB])
        .await
        .unwrap();
    rows.iter().map(|row| row.text(0).unwrap()).collect()
}

pub fn proof(w: &World, account: &str, region: &str, now: Timestamp) -> Authorized {
    let mut context = w.cx.context().clone();
    context.account = account.parse().unwrap();
    context.region = region.parse().unwrap();
    context.now = now;
    authz::testing::authorized(context)
}

/// Runs all jobs at this time as the server does it, with its decision.
pub async fn run_at(w: &World, store: &TestStore, now: Timestamp, allowed: bool) {
    let service = ServiceName::Replication;
    for subject in jobs(store).await {
        loop {
            let work = w.registry.replication_work(service, &subject, now);
            let Some(work) = work.await.unwrap() else {
                break;
            };
            if work.tasks.is_empty() {
                break;
            }
            let (account, region) = (work.account.to_string(), work.region.to_string());
            let proof = proof(w, &account, &region, now);
            let target = match w.registry.replication_target(service, &work).await.unwrap() {
                ReplicationTarget::There(found) => found,
                ReplicationTarget::Missing(templated) => {
                    let made = w.registry.create_templated_repository(&proof, *templated);
                    made.await.unwrap();
                    there(w, &account, &region, &work.source.name).await
                }
            };
            for task in &work.tasks {
                let done = match allowed {
                    true => {
                        let done = w
                            .registry
                            .repeat_change(service, &proof, &work, &target, task);
                        done.await
                    }
                    false => Err(ReplicationFailure::Denied("no".into())),
                };
                if let Err(failure) = done {
                    let noted = w
                        .registry
                        .replication_failed(service, &work, task, &failure, now);
                    noted.await.unwrap();
                }
            }
        }
    }
}

pub async fn run(w: &World, store: &TestStore) {
    run_at(w, store, w.cx.now, true).await;
}

pub async fn there(w: &World, account: &str, region: &str, name: &str) -> Arc<RepositoryFacts> {
    let (account, region) = (account.parse().unwrap(), region.parse().unwrap());
    w.registry
        .repository(&account, &region, name)
        .await
        .unwrap()
}

pub async fn statuses(
    w: &World,
    name: &str,
    digest: &str,
) -> Vec<(String, String, Option<String>)> {
    let input = ecr::DescribeImageReplicationStatusRequest {
        repository_name: name.into(),
        image_id: ecr::ImageIdentifier {
            image_digest: Some(digest.into()),
            image_tag: None,
        },
        registry_id: None,
    };
    let found = w.registry.describe_image_replication_status(&w.cx, input);
    let found = found.await.unwrap().replication_statuses.unwrap();
    found
        .into_iter()
        .map(|one| {
            let region = one.region.unwrap();
            (region, one.status.unwrap().to_string(), one.failure_code)
        })
        .collect()
}

#[on_every_engine]
async fn r1_the_configuration_is_put_shown_and_removed(store: TestStore) {
    let w = World::new(&store).await;
    let mut first = rule(
        &[(ACCOUNT, THERE), (OTHER, "us-west-2")],
        &["prod", "team/"],
    );
    first.delete_replication = Some(DeleteReplication { enabled: true });
    let rules = vec![first, rule(&[(ACCOUNT, "ap-south-1")], &[])];
    configure(&w, rules.clone()).await.unwrap();
    let shown = || async {
        let input = ecr::DescribeRegistryRequest {};
        let found = w.registry.describe_registry(&w.cx, input).await.unwrap();
        found.replication_configuration.unwrap().rules
    };
    assert_eq!(shown().await, rules);
    configure(&w, Vec::new()).await.unwrap();
    assert_eq!(shown().await, Vec::new());
}

#[on_every_engine]
async fn r2_what_cannot_be_a_destination_is_refused(store: TestStore) {
    let w = World::new(&store).await;
    let regions: Vec<String> = (0..26).map(|n| format!("eu-west-{n}")).collect();
    let many: Vec<_> = regions.iter().map(|one| (ACCOUNT, one.as_str())).collect();
    for (destinations, message) in [
        (
            vec![(ACCOUNT, REGION)],
            "Replication destination cannot be the same as the source registry",
        ),
        (vec![(ACCOUNT, "cn-north-1")], "Invalid region 'cn-north-1'"),
        (
            vec![(ACCOUNT, "us-gov-west-1")],
            "Invalid region 'us-gov-west-1'",
        ),
        (many, "25 unique destinations"),
    ] {
        let refused = configure(&w, vec![rule(&destinations, &[])]).await;
        let text = refused.unwrap_err().to_string();
        let start = "Invalid parameter at 'replicationConfiguration' failed to satisfy constraint:";
        assert!(text.starts_with(start), "{text}");
        assert!(text.contains(message), "{text}");
    }
    // The same account elsewhere, and another account here, are other registries.
    let rules = vec![rule(&[(ACCOUNT, THERE), (OTHER, REGION)], &[])];
    configure(&w, rules).await.unwrap();
}

#[on_every_engine]
async fn r3_what_is_pushed_afterwards_is_copied_with_its_tags(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("prod/app").await;
    let before = w.image(&repo, "before", "one").await;
    assert!(jobs(&store).await.is_empty());
    configure(&w, vec![rule(&[(ACCOUNT, THERE)], &["pro"])])
        .await
        .unwrap();
    let repo = w.facts("prod/app").await;
    let other = w.repository("dev").await;
    w.image(&other, "v1", "two").await;
    assert!(jobs(&store).await.is_empty(), "no rule is for it");
    let pushed = w.image(&repo, "v1", "two").await;
    assert_eq!(
        statuses(&w, "prod/app", &pushed.to_string()).await,
        [(THERE.into(), "IN_PROGRESS".into(), None)]
    );
    run(&w, &store).await;
    assert_eq!(
        statuses(&w, "prod/app", &pushed.to_string()).await,
        [(THERE.into(), "COMPLETE".into(), None)]
    );
    let replica = there(&w, ACCOUNT, THERE, "prod/app").await;
    assert_eq!(w.pull(&replica, "v1").await.unwrap(), pushed);
    assert_eq!(
        refusal(w.pull(&replica, &before.to_string()).await),
        "ImageNotFound"
    );
    let events = w.events(&store, "ReplicateImage").await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["result"], "SUCCESS");
    assert_eq!(events[0]["imageTags"], json!(["v1"]));
    // A new tag of an image that was there before brings the image.
    let manifest = w.manifest(&repo, "one").await;
    w.put(&repo, "again", &manifest).await.unwrap();
    run(&w, &store).await;
    assert_eq!(w.pull(&replica, "again").await.unwrap(), before);
    assert_eq!(refusal(w.pull(&replica, "before").await), "ImageNotFound");
}

#[on_every_engine]
async fn r3_an_image_is_never_replicated_onward(store: TestStore) {
    let w = World::new(&store).await;
    // This registry and the other one replicate to each other; the other one also to a third.
    configure(&w, vec![rule(&[(ACCOUNT, THERE)], &[])])
        .await
        .unwrap();
    let back = ecr::PutReplicationConfigurationRequest {
        replication_configuration: ReplicationConfiguration {
            rules: vec![rule(&[(ACCOUNT, REGION), (ACCOUNT, "us-west-2")], &[])],
        },
    };
    let cx = proof(&w, ACCOUNT, THERE, w.cx.now);
    w.registry
        .put_replication_configuration(&cx, back)
        .await
        .unwrap();
    let repo = w.repository("app").await;
    w.image(&repo, "v1", "one").await;
    run(&w, &store).await;
    let subjects = jobs(&store).await;
    assert_eq!(subjects, [format!("{} {ACCOUNT} {THERE}", repo.id)]);
    there(&w, ACCOUNT, THERE, "app").await;
}

#[on_every_engine]
async fn r4_lists_come_with_their_images_and_referrers_by_themselves(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    // Before the configuration: so the list's task brings its image.
    let child = w.manifest(&repo, "child").await;
    let child_digest = w.image(&repo, "child", "child").await;
    configure(&w, vec![rule(&[(ACCOUNT, THERE)], &[])])
        .await
        .unwrap();
    let repo = w.facts("app").await;
    let size = child.to_string().len();
    let list = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
        {"mediaType": OCI_MANIFEST, "digest": child_digest.to_string(), "size": size}]});
    let list_digest = w.put(&repo, "list", &list).await.unwrap();
    let mut signature = w.manifest(&repo, "signature").await;
    signature["subject"] = json!({"mediaType": OCI_INDEX, "digest": list_digest.to_string(), "size": list.to_string().len()});
    let bytes = bytes::Bytes::from(signature.to_string());
    let reference = blobs::Digest::sha256_of(&bytes).to_string();
    w.put(&repo, &reference, &signature).await.unwrap();
    run(&w, &store).await;
    let replica = there(&w, ACCOUNT, THERE, "app").await;
    for (reference, digest) in [
        ("list", list_digest.to_string()),
        (child_digest.to_string().as_str(), child_digest.to_string()),
        (reference.as_str(), reference.clone()),
    ] {
        assert_eq!(
            w.pull(&replica, reference).await.unwrap().to_string(),
            digest
        );
    }
    assert_eq!(refusal(w.pull(&replica, "child").await), "ImageNotFound");
}

#[on_every_engine]
async fn r4_an_immutable_tag_in_use_stays_and_the_image_comes_without_it(store: TestStore) {
    let w = World::new(&store).await;
    let template = ecr::CreateRepositoryCreationTemplateRequest {
        prefix: "ROOT".into(),
        applied_for: vec![ecr::RCTAppliedFor::Replication],
        image_tag_mutability: Some(ecr::ImageTagMutability::Immutable),
        ..Default::default()
    };
    let cx = proof(&w, ACCOUNT, THERE, w.cx.now);
    let made = w
        .registry
        .create_repository_creation_template(&cx, template);
    made.await.unwrap();
    configure(&w, vec![rule(&[(ACCOUNT, THERE)], &[])])
        .await
        .unwrap();
    let repo = w.repository("app").await;
    let first = w.image(&repo, "v1", "one").await;
    run(&w, &store).await;
    let second = w.image(&repo, "v1", "two").await;
    run(&w, &store).await;
    let replica = there(&w, ACCOUNT, THERE, "app").await;
    assert_eq!(w.pull(&replica, "v1").await.unwrap(), first);
    assert_eq!(w.pull(&replica, &second.to_string()).await.unwrap(), second);
    let status = statuses(&w, "app", &second.to_string()).await;
    assert_eq!(status[0].1, "COMPLETE");
}

#[on_every_engine]
async fn r4_an_archived_replica_is_restored_and_a_restored_image_is_copied(store: TestStore) {
    let w = World::new(&store).await;
    configure(&w, vec![rule(&[(ACCOUNT, THERE)], &[])])
        .await
        .unwrap();
    let repo = w.repository("app").await;
    let digest = w.image(&repo, "v1", "one").await;
    run(&w, &store).await;
    let replica = there(&w, ACCOUNT, THERE, "app").await;
    let storage = |class| ecr::UpdateImageStorageClassRequest {
        repository_name: "app".into(),
        registry_id: None,
        image_id: ecr::ImageIdentifier {
            image_digest: Some(digest.to_string()),
            image_tag: None,
        },
        target_storage_class: class,
    };
    let cx = proof(&w, ACCOUNT, THERE, w.cx.now);
    for cx in [&cx, &w.cx] {
        let archive = storage(ecr::TargetStorageClass::Archive);
        let done = w.registry.update_image_storage_class(cx, archive);
        done.await.unwrap();
    }
    run(&w, &store).await;
    assert_eq!(
        refusal(w.pull(&replica, "v1").await),
        "ImageNotFound",
        "archiving stays here"
    );
    let restore = storage(ecr::TargetStorageClass::Standard);
    let done = w.registry.update_image_storage_class(&w.cx, restore);
    done.await.unwrap();
    let id = repo.id.to_string();
    let restored = w
        .registry
        .restore_images(ServiceName::Lifecycle, &id, w.cx.now);
    restored.await.unwrap();
    run(&w, &store).await;
    assert_eq!(w.pull(&replica, "v1").await.unwrap(), digest);
}

#[on_every_engine]
async fn r5_deletions_are_repeated_where_a_rule_says_so(store: TestStore) {
    let w = World::new(&store).await;
    let mut deleting = rule(&[(ACCOUNT, THERE)], &[]);
    deleting.delete_replication = Some(DeleteReplication { enabled: true });
    let keeping = rule(&[(ACCOUNT, "us-west-2")], &[]);
    configure(&w, vec![deleting, keeping]).await.unwrap();
    let repo = w.repository("app").await;
    let manifest = w.manifest(&repo, "one").await;
    let digest = w.put(&repo, "v1", &manifest).await.unwrap();
    w.put(&repo, "v2", &manifest).await.unwrap();
    run(&w, &store).await;
    let deletes = there(&w, ACCOUNT, THERE, "app").await;
    let keeps = there(&w, ACCOUNT, "us-west-2", "app").await;
    w.registry
        .delete_manifest(&w.cx, &repo, "v1")
        .await
        .unwrap();
    run(&w, &store).await;
    assert_eq!(refusal(w.pull(&deletes, "v1").await), "ImageNotFound");
    assert_eq!(w.pull(&deletes, "v2").await.unwrap(), digest);
    assert_eq!(w.pull(&keeps, "v1").await.unwrap(), digest);
    // The last tag takes the image along.
    w.registry
        .delete_manifest(&w.cx, &repo, "v2")
        .await
        .unwrap();
    run(&w, &store).await;
    assert_eq!(
        refusal(w.pull(&deletes, &digest.to_string()).await),
        "ImageNotFound"
    );
    assert_eq!(w.pull(&keeps, "v2").await.unwrap(), digest);
    // What is pushed again before the deletion was repeated stays.
    w.put(&repo, "v3", &manifest).await.unwrap();
    run(&w, &store).await;
    w.registry
        .delete_manifest(&w.cx, &repo, "v3")
        .await
        .unwrap();
    w.put(&repo, "v3", &manifest).await.unwrap();
    run(&w, &store).await;
    assert_eq!(w.pull(&deletes, "v3").await.unwrap(), digest);
}

#[on_every_engine]
async fn r6_what_is_refused_fails_after_some_attempts(store: TestStore) {
    let w = World::new(&store).await;
    configure(&w, vec![rule(&[(OTHER, REGION)], &[])])
        .await
        .unwrap();
    let repo = w.repository("app").await;
    let digest = w.image(&repo, "v1", "one").await.to_string();
    for attempt in 0..5 {
        assert_eq!(
            statuses(&w, "app", &digest).await[0].1,
            "IN_PROGRESS",
            "{attempt}"
        );
        run_at(&w, &store, w.later(attempt).now, false).await;
    }
    let failed = (
        REGION.to_owned(),
        "FAILED".to_owned(),
        Some("AccessDenied".to_owned()),
    );
    assert_eq!(statuses(&w, "app", &digest).await, [failed]);
    let events = w.events(&store, "ReplicateImage").await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["failureReason"], "no");
    // The next push of the image tries again.
    let manifest = w.manifest(&repo, "one").await;
    w.put(&repo, "v2", &manifest).await.unwrap();
    run_at(&w, &store, w.later(9).now, true).await;
    assert_eq!(statuses(&w, "app", &digest).await[0].1, "COMPLETE");
}

#[on_every_engine]
async fn a_destinations_quota_is_kept(store: TestStore) {
    let w = World::with(&store, |settings| {
        settings.limits.images_per_repository_max = 1
    })
    .await;
    configure(&w, vec![rule(&[(ACCOUNT, THERE)], &[])])
        .await
        .unwrap();
    let repo = w.repository("app").await;
    let first = w.image(&repo, "v1", "one").await.to_string();
    run(&w, &store).await;
    w.registry
        .delete_manifest(&w.cx, &repo, "v1")
        .await
        .unwrap();
    let second = w.image(&repo, "v1", "two").await.to_string();
    for attempt in 0..5 {
        run_at(&w, &store, w.later(attempt).now, true).await;
    }
    let status = statuses(&w, "app", &second).await;
    assert_eq!(status[0].2.as_deref(), Some("LimitExceeded"));
    let replica = there(&w, ACCOUNT, THERE, "app").await;
    assert_eq!(w.pull(&replica, "v1").await.unwrap().to_string(), first);
}

#[on_every_engine]
async fn a_pull_of_the_replica_counts_at_the_source(store: TestStore) {
    let w = World::new(&store).await;
    configure(&w, vec![rule(&[(ACCOUNT, THERE)], &[])])
        .await
        .unwrap();
    let repo = w.repository("app").await;
    let digest = w.image(&repo, "v1", "one").await.to_string();
    run(&w, &store).await;
    let pulled = || async {
        let mut read = store.store.read().await.unwrap();
        let conn = &mut read.conn();
        let found = store::ecr::image::find(conn, repo.id, &digest)
            .await
            .unwrap();
        found.unwrap().pulled_at
    };
    assert_eq!(pulled().await, None);
    let replica = there(&w, ACCOUNT, THERE, "app").await;
    let later = w.later(5);
    w.registry
        .get_manifest(&later, &replica, "v1")
        .await
        .unwrap();
    let done = w.registry.maintain(ServiceName::Maintenance, later.now);
    done.await.unwrap();
    assert_eq!(pulled().await, Some(later.now_ms()));
}

/// E2: `ECR Replication Action`, in the destination's registry.
#[on_every_engine]
async fn e2_replications_are_told_at_the_destination(store: TestStore) {
    let w = World::new(&store).await;
    let pattern = json!({"detail-type": ["ECR Replication Action"]});
    target_of(&store, (ACCOUNT, THERE), "hook", &pattern).await;
    target_of(&store, (OTHER, REGION), "hook", &pattern).await;
    let there = rule(&[(ACCOUNT, THERE)], &[]);
    configure(&w, vec![there]).await.unwrap();
    let repo = w.repository("app").await;
    let digest = w.image(&repo, "v1", "one").await.to_string();
    run(&w, &store).await;
    let told = taken(&store).await;
    assert_eq!(told.len(), 1);
    assert_eq!((&*told[0].account, &*told[0].region), (ACCOUNT, THERE));
    let detail: serde_json::Value = serde_json::from_str(&told[0].detail).unwrap();
    let expected = json!({
        "result": "SUCCESS",
        "repository-name": "app",
        "image-digest": digest,
        "source-account": ACCOUNT,
        "action-type": "REPLICATE",
        "source-region": REGION,
        "image-tag": "v1",
    });
    assert_eq!(detail, expected);

    configure(&w, vec![rule(&[(OTHER, REGION)], &[])])
        .await
        .unwrap();
    let repo = w.facts("app").await;
    w.image(&repo, "v2", "two").await;
    for attempt in 0..5 {
        run_at(&w, &store, w.later(attempt).now, false).await;
    }
    let told = taken(&store).await;
    assert_eq!(told.len(), 1);
    assert_eq!((&*told[0].account, &*told[0].region), (OTHER, REGION));
    let detail: serde_json::Value = serde_json::from_str(&told[0].detail).unwrap();
    assert_eq!(detail["result"], "FAILED");
    assert_eq!(detail["failure-reason"], "no");
}
