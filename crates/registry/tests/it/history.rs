//! Tag history: each move is a row, rows replay to the tags, and an earlier target can be restored.

use std::collections::BTreeMap;

use authz::testing::{authorized, caller, context};
use aws_api::{berth, ecr};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use registry::{Authorized, Error, HistoryLimits, Registry, RepositoryFacts};
use serde_json::Value;
use store::testing::{TestStore, on_every_engine};

use crate::world::*;

async fn page(
    w: &World,
    repo: &RepositoryFacts,
    change: impl FnOnce(&mut berth::ListTagHistoryRequest),
) -> berth::ListTagHistoryResponse {
    let mut input = berth::ListTagHistoryRequest {
        repository_name: repo.name.to_string(),
        ..Default::default()
    };
    change(&mut input);
    w.registry.list_tag_history(&w.cx, input).await.unwrap()
}

/// All moves, oldest first, over as many pages as there are.
async fn moves(w: &World, repo: &RepositoryFacts) -> Vec<berth::TagEvent> {
    let (mut events, mut token) = (Vec::new(), None);
    loop {
        let answer = page(w, repo, |input| {
            input.max_results = Some(3);
            input.next_token = token.take();
        })
        .await;
        events.extend(answer.events);
        token = answer.next_token;
        if token.is_none() {
            break;
        }
    }
    events.reverse();
    events
}

async fn restore(
    node: &Registry,
    cx: &Authorized,
    repo: &RepositoryFacts,
    tag: &str,
    digest: &str,
) -> Result<berth::RestoreTagResponse, Error> {
    let input = berth::RestoreTagRequest {
        registry_id: None,
        repository_name: repo.name.to_string(),
        image_tag: tag.to_owned(),
        image_digest: digest.to_owned(),
    };
    node.restore_tag(cx, input).await
}

/// Type, method, and the digests before and after.
type Seen<'a> = (
    berth::TagEventType,
    berth::TagMoveMethod,
    Option<&'a str>,
    Option<&'a str>,
);

fn seen(event: &berth::TagEvent) -> Seen<'_> {
    (
        event.event_type,
        event.method,
        event.previous_image_digest.as_deref(),
        event.image_digest.as_deref(),
    )
}

#[on_every_engine]
async fn each_move_says_who_when_how_and_between_what(store: TestStore) {
    use berth::{TagEventType as Type, TagMoveMethod as Method};
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let one = w.image(&repo, "v1", "one").await.to_string();
    // A role's session puts a new image by the ECR API.
    let arn = format!("arn:aws:sts::{ACCOUNT}:assumed-role/ci/job-7");
    let mut session = authz::Caller::clone(&caller(&arn, None));
    session.kind = authz::CallerKind::RoleSession {
        role_arn: format!("arn:aws:iam::{ACCOUNT}:role/ci"),
        role_name: "ci".to_owned(),
        session_name: "job-7".to_owned(),
    };
    let mut session = context(std::sync::Arc::new(session));
    session.region = REGION.parse().unwrap();
    let session = authorized(session);
    let put = ecr::PutImageRequest {
        repository_name: "app".into(),
        image_manifest: w.manifest(&repo, "two").await.to_string(),
        image_tag: Some("v1".into()),
        ..Default::default()
    };
    let put = w.registry.put_image(&session, put).await.unwrap();
    let two = put.image.unwrap().image_id.unwrap().image_digest.unwrap();
    // An image that is there gets another tag; the tag goes, and comes back.
    let manifest = w.registry.get_manifest(&w.cx, &repo, &one).await.unwrap();
    let bytes = manifest.bytes.clone();
    let tagged = w.registry.put_manifest(&w.cx, &repo, "old", None, bytes);
    tagged.await.unwrap();
    w.registry
        .delete_manifest(&w.cx, &repo, "v1")
        .await
        .unwrap();
    let events = moves(&w, &repo).await;
    let (first, second) = (Some(one.as_str()), Some(two.as_str()));
    let wanted: [Seen<'_>; 4] = [
        (Type::Created, Method::Push, None, first),
        (Type::Moved, Method::PutImage, first, second),
        (Type::Created, Method::Retag, None, first),
        (Type::Deleted, Method::Delete, second, None),
    ];
    assert_eq!(events.iter().map(seen).collect::<Vec<_>>(), wanted);
    let exists: Vec<_> = events.iter().map(|event| event.image_exists).collect();
    assert_eq!(exists, [Some(true), Some(false), Some(true), None]);
    let who = |at: usize| {
        let event = &events[at];
        (
            event.principal_arn.as_deref(),
            event.session_name.as_deref(),
        )
    };
    let pusher = format!("arn:aws:iam::{ACCOUNT}:user/pusher");
    let role = format!("arn:aws:iam::{ACCOUNT}:role/ci");
    assert_eq!(who(0), (Some(pusher.as_str()), None));
    assert_eq!(who(1), (Some(role.as_str()), Some("job-7")));
    let request = w.cx.request_id.to_string();
    assert_eq!(events[0].request_id.as_ref(), Some(&request));
    assert_eq!(events[0].event_time, w.cx.now);
    // By tag, by digest (which a move leaves or reaches), and by both.
    let tags = |answer: berth::ListTagHistoryResponse| {
        let tags = answer.events.into_iter().map(|event| event.image_tag);
        tags.collect::<Vec<_>>()
    };
    let by_tag = page(&w, &repo, |i| i.image_tag = Some("old".into())).await;
    assert_eq!(tags(by_tag), ["old"]);
    let by_digest = page(&w, &repo, |i| i.image_digest = Some(one.clone())).await;
    assert_eq!(tags(by_digest), ["old", "v1", "v1"]);
    let both = page(&w, &repo, |i| {
        i.image_digest = Some(one.clone());
        i.image_tag = Some("v1".into());
    });
    assert_eq!(tags(both.await), ["v1", "v1"]);
}

#[on_every_engine]
async fn an_earlier_target_that_still_exists_is_restored(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let one = w.image(&repo, "v1", "one").await.to_string();
    let two = w.image(&repo, "v1", "two").await.to_string();
    let three = w.image(&repo, "other", "three").await.to_string();
    let (_, its_store, _) = w.another_node(true, w.cx.now).await;
    drop(its_store);
    let (beside, its_store, _) = w.another_node(true, w.cx.now).await;
    assert_eq!(
        beside
            .get_manifest(&w.cx, &repo, "v1")
            .await
            .unwrap()
            .digest
            .to_string(),
        two
    );
    let done = restore(&w.registry, &w.cx, &repo, "v1", &one)
        .await
        .unwrap();
    assert_eq!(done.previous_image_digest.as_deref(), Some(two.as_str()));
    assert_eq!(w.pull(&repo, "v1").await.unwrap().to_string(), one);
    // Another node that had the tag in memory learns of it.
    its_store.poll_changes().await.unwrap();
    let pulled = beside.get_manifest(&w.cx, &repo, "v1").await.unwrap();
    assert_eq!(pulled.digest.to_string(), one);
    // The same again changes nothing, and is no move.
    let before = moves(&w, &repo).await.len();
    restore(&w.registry, &w.cx, &repo, "v1", &one)
        .await
        .unwrap();
    assert_eq!(moves(&w, &repo).await.len(), before);
    // What the tag never named, and what is gone.
    let never = restore(&w.registry, &w.cx, &repo, "v1", &three).await;
    assert_eq!(refusal(never), "NotInTagHistory");
    w.registry
        .delete_manifest(&w.cx, &repo, &two)
        .await
        .unwrap();
    let gone = restore(&w.registry, &w.cx, &repo, "v1", &two).await;
    assert_eq!(refusal(gone), "ImageNotFound");
    // A tag that was deleted comes back.
    let bytes = w.registry.get_manifest(&w.cx, &repo, &one).await.unwrap();
    let kept = w
        .registry
        .put_manifest(&w.cx, &repo, "kept", None, bytes.bytes.clone());
    kept.await.unwrap();
    w.registry
        .delete_manifest(&w.cx, &repo, "v1")
        .await
        .unwrap();
    restore(&w.registry, &w.cx, &repo, "v1", &one)
        .await
        .unwrap();
    assert_eq!(w.pull(&repo, "v1").await.unwrap().to_string(), one);
}

#[on_every_engine]
async fn an_immutable_tag_is_not_restored(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let one = w.image(&repo, "v1", "one").await.to_string();
    let two = w.image(&repo, "v1", "two").await.to_string();
    let input = ecr::PutImageTagMutabilityRequest {
        registry_id: None,
        repository_name: "app".into(),
        image_tag_mutability: ecr::ImageTagMutability::Immutable,
        image_tag_mutability_exclusion_filters: None,
    };
    w.registry
        .put_image_tag_mutability(&w.cx, input)
        .await
        .unwrap();
    let refused = restore(&w.registry, &w.cx, &repo, "v1", &one).await;
    assert_eq!(refusal(refused), "ImageTagAlreadyExists");
    assert_eq!(w.pull(&repo, "v1").await.unwrap().to_string(), two);
}

/// As a push does: what a tag names can be pulled.
#[on_every_engine]
async fn an_archived_target_is_active_again_when_it_is_restored(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let one = w.image(&repo, "v1", "one").await.to_string();
    w.image(&repo, "v1", "two").await;
    let input = ecr::UpdateImageStorageClassRequest {
        repository_name: "app".into(),
        image_id: ecr::ImageIdentifier {
            image_digest: Some(one.clone()),
            image_tag: None,
        },
        target_storage_class: ecr::TargetStorageClass::Archive,
        ..Default::default()
    };
    let archived = w.registry.update_image_storage_class(&w.cx, input).await;
    assert_eq!(
        archived.unwrap().image_status,
        Some(ecr::ImageStatus::Archived)
    );
    restore(&w.registry, &w.cx, &repo, "v1", &one)
        .await
        .unwrap();
    assert_eq!(w.pull(&repo, "v1").await.unwrap().to_string(), one);
}

#[on_every_engine]
async fn a_deleted_repository_takes_its_history_along(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    w.image(&repo, "v1", "one").await;
    let input = ecr::DeleteRepositoryRequest {
        registry_id: None,
        repository_name: "app".into(),
        force: Some(true),
    };
    w.registry.delete_repository(&w.cx, input).await.unwrap();
    let repo = w.repository("app").await;
    assert_eq!(moves(&w, &repo).await, []);
}

#[on_every_engine]
async fn old_moves_are_pruned_by_tag_and_by_repository(store: TestStore) {
    let w = World::with(&store, |settings| {
        settings.history = HistoryLimits {
            moves_per_tag_max: 2,
            moves_per_repository_max: 5,
        };
    })
    .await;
    let (app, other) = (w.repository("app").await, w.repository("other").await);
    for repo in [&app, &other] {
        for content in ["one", "two", "three"] {
            w.image(repo, "v1", content).await;
        }
    }
    for tag in ["v2", "v3", "v4", "v5"] {
        w.image(&app, tag, "four").await;
    }
    while w
        .registry
        .prune_tag_history(ServiceName::Maintenance)
        .await
        .unwrap()
    {}
    let tags: Vec<_> = moves(&w, &app)
        .await
        .into_iter()
        .map(|e| e.image_tag)
        .collect();
    assert_eq!(tags, ["v1", "v2", "v3", "v4", "v5"]);
    assert_eq!(moves(&w, &other).await.len(), 2);
    // Nothing moved since: there is nothing to do.
    assert!(
        !w.registry
            .prune_tag_history(ServiceName::Maintenance)
            .await
            .unwrap()
    );
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Push(usize, usize),
    Untag(usize),
    Delete(usize),
    Restore(usize, usize),
}

fn steps() -> impl Strategy<Value = Vec<(Step, bool)>> {
    let step = prop_oneof![
        4 => (0..3_usize, 0..3_usize).prop_map(|(image, tag)| Step::Push(image, tag)),
        1 => (0..3_usize).prop_map(Step::Untag),
        1 => (0..3_usize).prop_map(Step::Delete),
        2 => (0..3_usize, 0..3_usize).prop_map(|(image, tag)| Step::Restore(image, tag)),
    ];
    proptest::collection::vec((step, any::<bool>()), 1..16)
}

/// Whatever happens, on whichever node and refused or not: the moves in their order lead to the tags, and
/// each begins where the one before it ended.
#[on_every_engine]
async fn history_replays_to_the_present_tags(store: TestStore) {
    const TAGS: [&str; 3] = ["a", "b", "c"];
    let w = World::new(&store).await;
    let (beside, ..) = w.another_node(true, w.cx.now).await;
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    for count in 0..12 {
        let case = steps().new_tree(&mut runner).unwrap().current();
        let repo = w.repository(&format!("app-{count}")).await;
        let mut images: Vec<(Value, String)> = Vec::new();
        for n in 0..3 {
            let manifest = w.manifest(&repo, &format!("content {n}")).await;
            let digest = blobs::Digest::sha256_of(manifest.to_string().as_bytes());
            images.push((manifest, digest.to_string()));
        }
        for (step, here) in &case {
            let node = if *here { &w.registry } else { &beside };
            // What is refused must leave no row either.
            match *step {
                Step::Push(image, tag) => {
                    let bytes = images[image].0.to_string().into();
                    let put = node.put_manifest(&w.cx, &repo, TAGS[tag], None, bytes);
                    put.await.unwrap();
                }
                Step::Untag(tag) => {
                    drop(node.delete_manifest(&w.cx, &repo, TAGS[tag]).await);
                }
                Step::Delete(image) => {
                    drop(node.delete_manifest(&w.cx, &repo, &images[image].1).await);
                }
                Step::Restore(image, tag) => {
                    drop(restore(node, &w.cx, &repo, TAGS[tag], &images[image].1).await);
                }
            }
        }
        let mut tags: BTreeMap<String, String> = BTreeMap::new();
        for event in moves(&w, &repo).await {
            let before = tags.get(&event.image_tag).cloned();
            assert_eq!(before, event.previous_image_digest, "{case:?}");
            match event.image_digest {
                Some(digest) => drop(tags.insert(event.image_tag, digest)),
                None => drop(tags.remove(&event.image_tag)),
            }
        }
        let listed = w
            .registry
            .list_tags(&w.cx, &repo, None, None)
            .await
            .unwrap();
        let mut present = BTreeMap::new();
        for tag in listed.items {
            let input = ecr::BatchGetImageRequest {
                repository_name: repo.name.to_string(),
                image_ids: vec![ecr::ImageIdentifier {
                    image_tag: Some(tag.clone()),
                    image_digest: None,
                }],
                ..Default::default()
            };
            // From the database: this node's memory may not have heard of the other's moves yet.
            store.store.poll_changes().await.unwrap();
            let got = w.registry.batch_get_image(&w.cx, input).await.unwrap();
            let id = got.images.unwrap().remove(0).image_id.unwrap();
            present.insert(tag, id.image_digest.unwrap());
        }
        assert_eq!(tags, present, "{case:?}");
    }
}
