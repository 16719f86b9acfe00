//! Lifecycle policies: what they say, what a run does, and that it harms nothing else.

use std::collections::BTreeMap;

use crate::world::*;
use aws_api::ecr;
use blobs::Digest;
use jiff::{SignedDuration, Timestamp};
use registry::lifecycle::Policy;
use registry::{Authorized, Error, Registry, RepositoryFacts};
use serde_json::{Value, json};
use store::testing::{TestStore, on_every_engine};

pub const LIFECYCLE: ServiceName = ServiceName::Lifecycle;

pub fn id(tag: &str) -> ecr::ImageIdentifier {
    ecr::ImageIdentifier {
        image_tag: Some(tag.into()),
        image_digest: None,
    }
}

/// A rule of the scenarios: tag status, entries, count type, number, action.
pub fn rule(priority: usize, rule: &Value) -> Value {
    let (status, entries, kind) = (&rule[0], &rule[1], &rule[2]);
    let mut selection = json!({"countType": kind, "countNumber": rule[3]});
    match status.as_str().unwrap() {
        "tagged" => {
            selection["tagStatus"] = "tagged".into();
            selection["tagPatternList"] = entries.clone();
        }
        "prefix" => {
            selection["tagStatus"] = "tagged".into();
            selection["tagPrefixList"] = entries.clone();
        }
        "archive" => {
            selection["tagStatus"] = "any".into();
            selection["storageClass"] = "archive".into();
        }
        other => selection["tagStatus"] = other.into(),
    }
    if kind != "imageCountMoreThan" {
        selection["countUnit"] = "days".into();
    }
    let mut action = json!({"type": rule[4]});
    if rule[4] == "transition" {
        action["targetStorageClass"] = "archive".into();
    }
    json!({"rulePriority": priority, "description": "a rule of a test", "selection": selection, "action": action})
}

pub fn json_policy(rules: &[Value]) -> String {
    let rules: Vec<Value> = rules
        .iter()
        .enumerate()
        .map(|(at, one)| rule(at + 1, one))
        .collect();
    json!({ "rules": rules }).to_string()
}

pub async fn put(w: &World, cx: &Authorized, text: &str) -> Result<String, Error> {
    let input = ecr::PutLifecyclePolicyRequest {
        repository_name: "app".into(),
        lifecycle_policy_text: text.into(),
        ..Default::default()
    };
    let put = w.registry.put_lifecycle_policy(cx, input).await?;
    Ok(put.lifecycle_policy_text.unwrap())
}

pub async fn run(r: &Registry, repo: &RepositoryFacts, now: Timestamp) -> Option<SignedDuration> {
    let id = repo.id.to_string();
    let mut next = r.run_lifecycle(LIFECYCLE, &id, now).await.unwrap();
    while next == Some(SignedDuration::ZERO) {
        next = r.run_lifecycle(LIFECYCLE, &id, now).await.unwrap();
    }
    next
}

async fn set_class(
    w: &World,
    cx: &Authorized,
    tag: &str,
    class: ecr::TargetStorageClass,
) -> ecr::ImageStatus {
    let input = ecr::UpdateImageStorageClassRequest {
        repository_name: "app".into(),
        image_id: id(tag),
        target_storage_class: class,
        ..Default::default()
    };
    w.registry
        .update_image_storage_class(cx, input)
        .await
        .unwrap()
        .image_status
        .unwrap()
}

/// Digests of all images, whatever their status, with the status.
pub async fn images(w: &World) -> BTreeMap<String, ecr::ImageStatus> {
    let input = ecr::DescribeImagesRequest {
        repository_name: "app".into(),
        filter: Some(ecr::DescribeImagesFilter {
            image_status: Some(ecr::ImageStatusFilter::Any),
            ..Default::default()
        }),
        ..Default::default()
    };
    let found = w.registry.describe_images(&w.cx, input).await.unwrap();
    let found = found.image_details.unwrap().into_iter();
    found
        .map(|image| (image.image_digest.unwrap(), image.image_status.unwrap()))
        .collect()
}

async fn preview(
    w: &World,
    cx: &Authorized,
    repo: &RepositoryFacts,
    text: &str,
) -> ecr::GetLifecyclePolicyPreviewResponse {
    let start = ecr::StartLifecyclePolicyPreviewRequest {
        repository_name: "app".into(),
        lifecycle_policy_text: Some(text.into()),
        ..Default::default()
    };
    w.registry
        .start_lifecycle_policy_preview(cx, start)
        .await
        .unwrap();
    w.registry
        .run_lifecycle_preview(LIFECYCLE, &repo.id.to_string(), 0, cx.now)
        .await
        .unwrap();
    let get = ecr::GetLifecyclePolicyPreviewRequest {
        repository_name: "app".into(),
        ..Default::default()
    };
    w.registry
        .get_lifecycle_policy_preview(cx, get)
        .await
        .unwrap()
}

/// Pushes an image without a tag.
async fn untagged(w: &World, cx: &Authorized, repo: &RepositoryFacts, content: &str) -> Digest {
    let bytes = w.manifest(repo, content).await.to_string();
    let digest = Digest::sha256_of(bytes.as_bytes());
    w.registry
        .put_manifest(cx, repo, &digest.to_string(), None, bytes.into())
        .await
        .unwrap();
    digest
}

async fn scenario(store: &TestStore, scenario: &Value) {
    let name = scenario["name"].as_str().unwrap();
    let w = World::new(store).await;
    let repo = w.repository("app").await;
    let mut digests = BTreeMap::new();
    for (minute, image) in scenario["images"].as_array().unwrap().iter().enumerate() {
        let day = image["day"].as_i64().unwrap_or(0);
        let cx = w.at(day, i64::try_from(minute).unwrap());
        let content = image["id"].as_str().unwrap();
        let tags: Vec<&str> = image["tags"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tag| tag.as_str().unwrap())
            .collect();
        let digest = untagged(&w, &cx, &repo, content).await;
        let bytes = w.manifest(&repo, content).await.to_string();
        for tag in &tags {
            w.registry
                .put_manifest(&cx, &repo, tag, None, bytes.clone().into())
                .await
                .unwrap();
        }
        digests.insert(digest.to_string(), content.to_owned());
        if let Some(day) = image["pulled"].as_i64() {
            w.registry
                .get_manifest(&w.at(day, 0), &repo, tags[0])
                .await
                .unwrap();
            w.registry
                .maintain(ServiceName::Maintenance, w.at(day, 1).now)
                .await
                .unwrap();
        }
        if let Some(day) = image["archived"].as_i64() {
            set_class(&w, &w.at(day, 0), tags[0], ecr::TargetStorageClass::Archive).await;
        }
        if let Some(day) = image["restored"].as_i64() {
            let cx = w.at(day, 0);
            set_class(&w, &cx, tags[0], ecr::TargetStorageClass::Standard).await;
            w.registry
                .restore_images(LIFECYCLE, &repo.id.to_string(), cx.now)
                .await
                .unwrap();
        }
    }
    let text = json_policy(scenario["rules"].as_array().unwrap());
    let cx = w.at(scenario["days"].as_i64().unwrap_or(1), 0);
    let expected: Vec<(String, String, i64)> =
        serde_json::from_value(scenario["expect"].clone()).unwrap();

    let preview = preview(&w, &cx, &repo, &text).await;
    assert_eq!(
        preview.status,
        Some(ecr::LifecyclePolicyPreviewStatus::Complete),
        "{name}"
    );
    let seen: Vec<(String, String, i64)> = preview
        .preview_results
        .unwrap()
        .into_iter()
        .map(|result| {
            let digest = result.image_digest.unwrap();
            let action = result.action.unwrap().r#type.unwrap();
            (
                digests[&digest].clone(),
                action.as_str().to_lowercase(),
                result.applied_rule_priority.unwrap().into(),
            )
        })
        .collect();
    assert_eq!(seen, expected, "{name}");

    let before = images(&w).await;
    put(&w, &cx, &text).await.unwrap();
    run(&w.registry, &repo, cx.now).await;
    let after = images(&w).await;
    for (digest, content) in &digests {
        let status = after.get(digest);
        match expected.iter().find(|(image, ..)| image == content) {
            Some((_, action, _)) if action == "expire" => {
                assert_eq!(status, None, "{name}: {content}")
            }
            Some(_) => assert_eq!(
                status,
                Some(&ecr::ImageStatus::Archived),
                "{name}: {content}"
            ),
            None => assert_eq!(status, before.get(digest), "{name}: {content}"),
        }
    }
}

#[on_every_engine]
async fn scenarios_of_the_user_guide(store: TestStore) {
    let all: Vec<Value> =
        serde_json::from_str(include_str!("../lifecycle/scenarios.json")).unwrap();
    for one in &all {
        scenario(&store, one).await;
        World::new(&store).await.delete("app").await;
    }
}

#[on_every_engine]
async fn a_policy_is_put_read_and_deleted(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let text = json_policy(&[json!(["untagged", [], "sinceImagePushed", 14, "expire"])]);
    assert_eq!(put(&w, &w.cx, &text).await.unwrap(), text);
    let get = || ecr::GetLifecyclePolicyRequest {
        repository_name: "app".into(),
        ..Default::default()
    };
    // L10: epoch 0 before the first run.
    let read = w.registry.get_lifecycle_policy(&w.cx, get()).await.unwrap();
    assert_eq!(read.lifecycle_policy_text.as_deref(), Some(&*text));
    assert_eq!(read.last_evaluated_at, Some(Timestamp::UNIX_EPOCH));
    assert_eq!(
        run(&w.registry, &repo, w.cx.now).await,
        Some(SignedDuration::from_hours(24))
    );
    let read = w.registry.get_lifecycle_policy(&w.cx, get()).await.unwrap();
    assert_eq!(read.last_evaluated_at, Some(w.cx.now));
    let delete = || ecr::DeleteLifecyclePolicyRequest {
        repository_name: "app".into(),
        ..Default::default()
    };
    let deleted = w
        .registry
        .delete_lifecycle_policy(&w.cx, delete())
        .await
        .unwrap();
    assert_eq!(deleted.last_evaluated_at, Some(w.cx.now));
    assert_eq!(
        refusal(w.registry.get_lifecycle_policy(&w.cx, get()).await),
        "LifecyclePolicyNotFound"
    );
    assert_eq!(
        refusal(w.registry.delete_lifecycle_policy(&w.cx, delete()).await),
        "LifecyclePolicyNotFound"
    );
    assert_eq!(run(&w.registry, &repo, w.cx.now).await, None);
}

/// Row L8: children are older than their list, and are selected before it.
#[on_every_engine]
async fn an_image_that_a_list_needs_goes_after_the_list(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let child = untagged(&w, &w.cx, &repo, "child").await;
    let size = w.manifest(&repo, "child").await.to_string().len();
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX,
        "manifests": [{"mediaType": OCI_MANIFEST, "digest": child.to_string(), "size": size}]});
    let list = w.put(&repo, "v1", &index).await.unwrap();
    let text = json_policy(&[json!(["untagged", [], "sinceImagePushed", 1, "expire"])]);
    put(&w, &w.cx, &text).await.unwrap();
    let later = w.at(30, 0);
    run(&w.registry, &repo, later.now).await;
    assert_eq!(images(&w).await.len(), 2, "the list holds the child");
    let events = w.events(&store, "PolicyExecutionEvent").await;
    let failures = events.last().unwrap()["lifecycleEventFailureDetails"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0]["failureCode"], "ImageReferencedByManifestList");
    assert_eq!(
        failures[0]["failureReason"],
        format!("Requested image referenced by manifest list: [{list}]")
    );
    assert_eq!(
        failures[0]["lifecycleEventImage"]["digest"],
        child.to_string()
    );

    let text = json_policy(&[json!(["any", [], "sinceImagePushed", 1, "expire"])]);
    put(&w, &later, &text).await.unwrap();
    run(&w.registry, &repo, later.now).await;
    assert!(
        images(&w).await.is_empty(),
        "one run takes the list and then the child"
    );
}

/// Row E3: events are split at ten images, and an evaluation that does nothing has one as well.
#[on_every_engine]
async fn runs_are_told_in_events_of_ten_images(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    for at in 0..12 {
        let manifest = w.manifest(&repo, &format!("image {at}")).await.to_string();
        w.registry
            .put_manifest(
                &w.at(0, at),
                &repo,
                &format!("v{at}"),
                None,
                manifest.into(),
            )
            .await
            .unwrap();
    }
    let text = json_policy(&[json!(["any", [], "imageCountMoreThan", 1, "expire"])]);
    put(&w, &w.cx, &text).await.unwrap();
    run(&w.registry, &repo, w.at(1, 0).now).await;
    run(&w.registry, &repo, w.at(2, 0).now).await;
    let events = w.events(&store, "PolicyExecutionEvent").await;
    let counts: Vec<usize> = events
        .iter()
        .map(|event| {
            event["lifecycleEventImageActions"]
                .as_array()
                .unwrap()
                .len()
        })
        .collect();
    assert_eq!(counts, [10, 1, 0]);
    let first = &events[0];
    assert_eq!(first["repositoryName"], "app");
    assert_eq!(first["lifecycleEventPolicy"]["lastEvaluatedAt"], 0);
    assert_eq!(first["lifecycleEventPolicy"]["policyVersion"], 1);
    assert_eq!(
        first["lifecycleEventPolicy"]["lifecycleEventRules"][0],
        json!({"rulePriority": 1, "description": "a rule of a test", "action": "expire",
            "lifecycleEventSelection": {"tagStatus": "Any", "tagPrefixList": [], "tagPatternList": [],
                "countType": "Image count more than", "countNumber": 1}})
    );
    let image = &first["lifecycleEventImageActions"][0];
    assert_eq!(image["rulePriority"], 1);
    assert_eq!(image["lifecycleEventImage"]["tagList"], json!(["v0"]));
    assert_eq!(image["lifecycleEventImage"]["tagStatus"], "Tagged");
    assert_eq!(
        image["lifecycleEventImage"]["pushedAt"],
        w.at(0, 0).now_ms()
    );
}

/// Row L11.
#[on_every_engine]
async fn a_preview_changes_nothing_and_is_read_in_pages(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let get = || ecr::GetLifecyclePolicyPreviewRequest {
        repository_name: "app".into(),
        ..Default::default()
    };
    let read = w.registry.get_lifecycle_policy_preview(&w.cx, get()).await;
    assert_eq!(refusal(read), "LifecyclePolicyPreviewNotFound");
    let start = |text: Option<&str>| ecr::StartLifecyclePolicyPreviewRequest {
        repository_name: "app".into(),
        lifecycle_policy_text: text.map(str::to_owned),
        ..Default::default()
    };
    let started = w
        .registry
        .start_lifecycle_policy_preview(&w.cx, start(None))
        .await;
    assert_eq!(refusal(started), "LifecyclePolicyNotFound");
    for at in 0..5 {
        w.image(&repo, &format!("v{at}"), &format!("image {at}"))
            .await;
    }
    let text = json_policy(&[json!(["any", [], "imageCountMoreThan", 1, "transition"])]);
    let started = w
        .registry
        .start_lifecycle_policy_preview(&w.cx, start(Some(&text)))
        .await
        .unwrap();
    assert_eq!(
        started.status,
        Some(ecr::LifecyclePolicyPreviewStatus::InProgress)
    );
    let again = w
        .registry
        .start_lifecycle_policy_preview(&w.cx, start(Some(&text)))
        .await;
    assert_eq!(refusal(again), "LifecyclePolicyPreviewInProgress");
    let read = w
        .registry
        .get_lifecycle_policy_preview(&w.cx, get())
        .await
        .unwrap();
    assert_eq!(
        read.status,
        Some(ecr::LifecyclePolicyPreviewStatus::InProgress)
    );
    assert_eq!(read.preview_results, Some(vec![]));

    let subject = repo.id.to_string();
    w.registry
        .run_lifecycle_preview(LIFECYCLE, &subject, 0, w.cx.now)
        .await
        .unwrap();
    let mut pages = Vec::new();
    let mut next_token = None;
    loop {
        let input = ecr::GetLifecyclePolicyPreviewRequest {
            max_results: Some(3),
            next_token: next_token.take(),
            ..get()
        };
        let page = w
            .registry
            .get_lifecycle_policy_preview(&w.cx, input)
            .await
            .unwrap();
        pages.push(page.preview_results.unwrap().len());
        let summary = page.summary.unwrap();
        assert_eq!(summary.expiring_image_total_count, Some(0));
        let counts = summary.transitioning_image_total_counts.unwrap();
        assert_eq!(counts[0].image_total_count, Some(4));
        next_token = page.next_token;
        if next_token.is_none() {
            break;
        }
    }
    assert_eq!(pages, [3, 1]);
    assert_eq!(
        images(&w)
            .await
            .values()
            .filter(|status| **status == ecr::ImageStatus::Active)
            .count(),
        5
    );
    let one = ecr::GetLifecyclePolicyPreviewRequest {
        image_ids: Some(vec![id("v1"), id("v4"), id("none")]),
        ..get()
    };
    let read = w
        .registry
        .get_lifecycle_policy_preview(&w.cx, one)
        .await
        .unwrap();
    let results = read.preview_results.unwrap();
    assert_eq!(results.len(), 1, "v4 stays");
    assert_eq!(results[0].image_tags, Some(vec!["v1".to_owned()]));
    assert_eq!(
        results[0].storage_class,
        Some(ecr::LifecyclePolicyStorageClass::Standard)
    );
    let untagged = ecr::GetLifecyclePolicyPreviewRequest {
        filter: Some(ecr::LifecyclePolicyPreviewFilter {
            tag_status: Some(ecr::TagStatus::Untagged),
        }),
        ..get()
    };
    let read = w
        .registry
        .get_lifecycle_policy_preview(&w.cx, untagged)
        .await
        .unwrap();
    assert_eq!(read.preview_results, Some(vec![]));
    assert_eq!(w.events(&store, "DryRunEvent").await.len(), 1);

    let later = w.at(2, 0);
    let read = w
        .registry
        .get_lifecycle_policy_preview(&later, get())
        .await
        .unwrap();
    assert_eq!(
        read.status,
        Some(ecr::LifecyclePolicyPreviewStatus::Expired)
    );
    assert_eq!(read.preview_results, Some(vec![]));
    let next = w
        .registry
        .run_lifecycle_preview(LIFECYCLE, &subject, 0, later.now)
        .await
        .unwrap();
    assert_eq!(next, None);
}

#[on_every_engine]
async fn a_preview_that_cannot_be_made_has_failed(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let start = ecr::StartLifecyclePolicyPreviewRequest {
        repository_name: "app".into(),
        lifecycle_policy_text: Some(json_policy(&[json!([
            "any",
            [],
            "imageCountMoreThan",
            1,
            "expire"
        ])])),
        ..Default::default()
    };
    w.registry
        .start_lifecycle_policy_preview(&w.cx, start)
        .await
        .unwrap();
    w.registry
        .run_lifecycle_preview(LIFECYCLE, &repo.id.to_string(), 3, w.cx.now)
        .await
        .unwrap();
    let get = ecr::GetLifecyclePolicyPreviewRequest {
        repository_name: "app".into(),
        ..Default::default()
    };
    let read = w
        .registry
        .get_lifecycle_policy_preview(&w.cx, get)
        .await
        .unwrap();
    assert_eq!(read.status, Some(ecr::LifecyclePolicyPreviewStatus::Failed));
}

/// Row L4, each text once: a policy and what is said of it.
#[test]
fn refusals_are_in_the_words_of_aws() {
    let all: Vec<Value> = serde_json::from_str(include_str!("../lifecycle/refusals.json")).unwrap();
    for case in &all {
        let document = match &case["policy"] {
            Value::String(text) => text.clone(),
            document => document.to_string(),
        };
        let said = Policy::parse(&document).unwrap_err();
        assert_eq!(said, case["message"].as_str().unwrap(), "{document}");
    }
    // Row L1: priorities may have gaps, and 50 rules are accepted.
    let rules: Vec<Value> = (1..=50)
        .map(|at| {
            let pattern = format!("v{at}-*");
            rule(
                at * 3,
                &json!(["tagged", [pattern], "imageCountMoreThan", 1, "expire"]),
            )
        })
        .collect();
    assert_eq!(
        Policy::parse(&json!({"rules": rules}).to_string())
            .unwrap()
            .rules()
            .len(),
        50
    );
}

/// A policy is run soon after its repository's images change, also when they change during a run.
#[on_every_engine]
async fn a_change_asks_for_a_run(store: TestStore) {
    use store::jobs::{self, SCOPE};
    const KIND: &str = "lifecycle";
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let text = json_policy(&[json!(["any", [], "sinceImagePushed", 14, "expire"])]);
    put(&w, &w.cx, &text).await.unwrap();
    let (now, hour) = (w.cx.now_ms(), 3_600_000);
    let lease = async |at: i64| {
        let mut tx = store.store.write(SCOPE).await.unwrap();
        let job = jobs::lease(&mut tx.conn(), KIND, "node", at, at + 60_000)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        job
    };
    let job = lease(now).await.expect("it is due when the policy is put");
    assert_eq!(job.subject, repo.id.to_string());
    assert_eq!(
        run(&w.registry, &repo, w.cx.now).await,
        Some(SignedDuration::from_hours(24))
    );
    let manifest = w.manifest(&repo, "one").await.to_string();
    w.registry
        .put_manifest(&w.at(0, 1), &repo, "v1", None, manifest.into())
        .await
        .unwrap();
    let next = run(&w.registry, &repo, w.cx.now).await;
    assert_eq!(
        next,
        Some(SignedDuration::from_mins(11)),
        "the run goes on while it changes"
    );
    let mut tx = store.store.write(SCOPE).await.unwrap();
    assert!(
        jobs::repeat(&mut tx.conn(), &job, "node", now + 24 * hour)
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    let mut read = store.store.read().await.unwrap();
    assert!(
        !jobs::is_due(&mut read.conn(), KIND, now + hour)
            .await
            .unwrap()
    );
    drop(read);
    w.registry
        .delete_manifest(&w.at(0, 2), &repo, "v1")
        .await
        .unwrap();
    assert_eq!(lease(now + 11 * 60_000).await, None);
    assert!(lease(now + 12 * 60_000).await.is_some());
    // Without a policy nothing is asked for.
    let other = w.repository("other").await;
    w.image(&other, "v1", "two").await;
    assert!(
        lease(now + 48 * hour)
            .await
            .is_none_or(|job| job.subject != other.id.to_string())
    );
}
