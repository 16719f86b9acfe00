//! Any order of pushes and deletions, on two nodes that answer from memory, ends where
//! a simple model ends: tags point at images, an image without its last tag goes, one
//! that lost its tag to another stays.

use std::collections::{BTreeMap, BTreeSet};

use crate::world::*;
use blobs::Digest;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use registry::{Registry, RepositoryFacts};
use serde_json::Value;
use store::testing::{TestStore, on_every_engine};

const TAGS: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Copy, Debug)]
enum Step {
    Push(usize, usize),
    Untag(usize),
    Delete(usize),
}

fn steps() -> impl Strategy<Value = Vec<(Step, bool)>> {
    let step = prop_oneof![
        3 => (0..3_usize, 0..3_usize).prop_map(|(image, tag)| Step::Push(image, tag)),
        1 => (0..3_usize).prop_map(Step::Untag),
        1 => (0..3_usize).prop_map(Step::Delete),
    ];
    proptest::collection::vec((step, any::<bool>()), 1..12)
}

#[derive(Default)]
struct Model {
    images: BTreeSet<usize>,
    tags: BTreeMap<usize, usize>,
}

impl Model {
    /// Applies a step; whether it finds what it is about.
    fn apply(&mut self, step: Step) -> bool {
        match step {
            Step::Push(image, tag) => {
                self.images.insert(image);
                self.tags.insert(tag, image);
                true
            }
            Step::Untag(tag) => {
                let Some(image) = self.tags.remove(&tag) else {
                    return false;
                };
                if !self.tags.values().any(|other| *other == image) {
                    self.images.remove(&image);
                }
                true
            }
            Step::Delete(image) => {
                self.tags.retain(|_, tagged| *tagged != image);
                self.images.remove(&image)
            }
        }
    }
}

async fn apply(
    w: &World,
    node: &Registry,
    repo: &RepositoryFacts,
    images: &[(Value, Digest)],
    step: Step,
) -> bool {
    match step {
        Step::Push(image, tag) => {
            let bytes = images[image].0.to_string().into();
            node.put_manifest(&w.cx, repo, TAGS[tag], None, bytes)
                .await
                .is_ok()
        }
        Step::Untag(tag) => node.delete_manifest(&w.cx, repo, TAGS[tag]).await.is_ok(),
        Step::Delete(image) => node
            .delete_manifest(&w.cx, repo, &images[image].1.to_string())
            .await
            .is_ok(),
    }
}

async fn agrees(
    w: &World,
    node: &Registry,
    repo: &RepositoryFacts,
    images: &[(Value, Digest)],
    model: &Model,
) -> Result<(), TestCaseError> {
    for (n, tag) in TAGS.iter().enumerate() {
        let pulled = node
            .get_manifest(&w.cx, repo, tag)
            .await
            .ok()
            .map(|m| m.digest);
        prop_assert_eq!(
            pulled,
            model.tags.get(&n).map(|image| images[*image].1),
            "{}",
            tag
        );
    }
    for (n, (_, digest)) in images.iter().enumerate() {
        let pulled = node
            .get_manifest(&w.cx, repo, &digest.to_string())
            .await
            .is_ok();
        prop_assert_eq!(pulled, model.images.contains(&n), "image {}", n);
    }
    let listed = node.list_tags(&w.cx, repo, None, None).await.unwrap().items;
    let wanted: Vec<_> = model.tags.keys().map(|n| TAGS[*n]).collect();
    prop_assert_eq!(listed, wanted);
    Ok(())
}

#[on_every_engine]
async fn any_order_ends_where_the_model_ends(store: TestStore) {
    let w = World::new(&store).await;
    let (beside, its_store, _) = w.another_node(true, w.cx.now).await;
    let mut count = 0;
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 12,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let mut cases = Vec::new();
    for _ in 0..runner.config().cases {
        cases.push(steps().new_tree(&mut runner).unwrap().current());
    }
    for case in cases {
        count += 1;
        let repo = w.repository(&format!("app-{count}")).await;
        let mut images = Vec::new();
        for n in 0..3 {
            let manifest = w.manifest(&repo, &format!("content {n}")).await;
            let digest = Digest::sha256_of(manifest.to_string().as_bytes());
            images.push((manifest, digest));
        }
        let mut model = Model::default();
        for (step, here) in &case {
            let node = if *here { &w.registry } else { &beside };
            let found = apply(&w, node, &repo, &images, *step).await;
            assert_eq!(found, model.apply(*step), "{step:?} of {case:?}");
            store.store.poll_changes().await.unwrap();
            its_store.poll_changes().await.unwrap();
            for node in [&w.registry, &beside] {
                agrees(&w, node, &repo, &images, &model)
                    .await
                    .unwrap_or_else(|e| panic!("{e} after {step:?} of {case:?}"));
            }
        }
    }
}
