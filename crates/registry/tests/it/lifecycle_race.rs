//! A policy is run while clients push and tag in the same repository: what was acknowledged after an image was
//! selected is not lost, and what nobody touched goes.

use crate::lifecycle::{images, json_policy, put, run};
use crate::world::*;
use futures_util::future::join_all;
use serde_json::json;
use store::testing::{TestStore, on_every_engine};

const IMAGES: usize = 120;
const CLIENTS: usize = 6;

#[on_every_engine]
async fn tags_that_are_set_while_a_policy_is_run_stay(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let mut manifests = Vec::new();
    for at in 0..IMAGES {
        let manifest = w.manifest(&repo, &format!("image {at}")).await;
        w.put(&repo, &format!("old-{at}"), &manifest).await.unwrap();
        manifests.push(manifest.to_string());
    }
    // An image with a tag `keep-…` is closed to the rule that deletes.
    let text = json_policy(&[
        json!(["tagged", ["keep-*"], "imageCountMoreThan", 9999, "expire"]),
        json!(["any", [], "sinceImagePushed", 1, "expire"]),
    ]);
    put(&w, &w.cx, &text).await.unwrap();
    let later = w.at(30, 0);
    let clients = (0..CLIENTS).map(|client| {
        let (w, repo, later, manifests) = (&w, &repo, &later, &manifests);
        async move {
            let mut kept = Vec::new();
            // Each client tags every twelfth image, the youngest first: the run comes from the other end.
            for at in (client..IMAGES).step_by(2 * CLIENTS).rev() {
                let tag = format!("keep-{at}");
                let bytes = manifests[at].clone().into();
                w.registry
                    .put_manifest(later, repo, &tag, None, bytes)
                    .await
                    .unwrap();
                kept.push(tag);
                tokio::task::yield_now().await;
            }
            kept
        }
    });
    let runs = async {
        run(&w.registry, &repo, later.now).await;
        run(&w.registry, &repo, later.now).await;
    };
    let (kept, ()) = futures_util::future::join(join_all(clients), runs).await;
    let kept: Vec<String> = kept.into_iter().flatten().collect();
    for tag in &kept {
        w.pull(&repo, tag).await.unwrap();
    }
    run(&w.registry, &repo, later.now).await;
    for tag in &kept {
        w.pull(&repo, tag).await.unwrap();
    }
    assert_eq!(images(&w).await.len(), kept.len(), "the others went");
}
