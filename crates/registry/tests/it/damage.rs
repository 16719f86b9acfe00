//! Damaged copies and manifests: noticed, absent for pushers, an error for who pulls, and whole again when they are
//! pushed again.

use std::fs;
use std::path::{Path, PathBuf};

use crate::world::*;
use aws_api::ecr::{
    self, EncryptionConfiguration, EncryptionType, ImageFailureCode, LayerAvailability,
};
use blobs::Digest;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use registry::{Error, Registry, RepositoryFacts};
use serde_json::json;
use store::testing::{TestStore, on_every_engine};
use store::values;

/// The file of the copy of a digest.
pub async fn file_of(w: &World, store: &TestStore, digest: &str) -> PathBuf {
    let mut read = store.store.read().await.unwrap();
    let sql = "SELECT object_key FROM blobs WHERE digest = $1";
    let row = read.fetch_one(sql, values![digest]).await.unwrap();
    w.folder.path().join("blobs").join(row.text(0).unwrap())
}

/// Changes one bit in the middle of a file.
pub fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

pub fn cut(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() - 1]).unwrap();
}

async fn read(
    registry: &Registry,
    w: &World,
    repo: &RepositoryFacts,
    digest: &str,
) -> Result<Vec<u8>, Error> {
    let (layer, source) = registry.open_blob(&w.cx, repo, digest).await?;
    let bytes: Vec<Bytes> = source
        .read_range(0..layer.size)
        .try_collect()
        .await
        .map_err(|error| Error::Internal(Box::new(error)))?;
    Ok(bytes.concat())
}

async fn availability(w: &World, name: &str, digest: &str) -> LayerAvailability {
    let input = ecr::BatchCheckLayerAvailabilityRequest {
        repository_name: name.into(),
        layer_digests: vec![digest.into()],
        ..Default::default()
    };
    let answer = w.registry.batch_check_layer_availability(&w.cx, input);
    let layers = answer.await.unwrap().layers.unwrap();
    layers[0].layer_availability.unwrap()
}

async fn count(store: &TestStore, sql: &'static str) -> i64 {
    let mut read = store.store.read().await.unwrap();
    let row = read.fetch_one(sql, values![]).await.unwrap();
    row.int(0).unwrap()
}

type Break = fn(&Path);

/// How a copy is damaged, in a repository with a key or without one, whether a pull finds it, and when.
const DAMAGE: [(&str, Break, bool, bool); 5] = [
    ("lost", |path| fs::remove_file(path).unwrap(), false, true),
    ("short", cut, false, true),
    ("encrypted and short", cut, true, true),
    ("encrypted and changed", flip, true, true),
    // Only reading all of it tells: a push does, and the scrub.
    ("changed", flip, false, false),
];

#[on_every_engine]
async fn a_damaged_layer_is_absent_for_pushers_and_whole_when_it_is_pushed_again(store: TestStore) {
    let w = World::new(&store).await;
    let key = w.keys.add(&store, 7).await;
    let (node, its_store, _) = w.another_node(true, w.cx.now).await;
    for (at, (what, damage, is_encrypted, is_found)) in DAMAGE.into_iter().enumerate() {
        let (name, other) = (format!("app-{at}"), format!("other-{at}"));
        for name in [&name, &other] {
            let setting = EncryptionConfiguration {
                encryption_type: EncryptionType::Kms,
                kms_key: Some(key.clone()),
            };
            w.create(name, |input| {
                input.encryption_configuration = is_encrypted.then_some(setting);
            })
            .await
            .unwrap();
        }
        let (repo, third) = (w.facts(&name).await, w.facts(&other).await);
        let content = format!("content that is {what}");
        w.image(&repo, "v1", &content).await;
        let manifest = w.manifest(&repo, &content).await;
        let digest = Digest::sha256_of(content.as_bytes()).to_string();
        // Both nodes have it in memory.
        assert!(w.registry.stat_blob(&w.cx, &repo, &digest).await.is_ok());
        assert!(node.stat_blob(&w.cx, &repo, &digest).await.is_ok());
        let old = file_of(&w, &store, &digest).await;
        damage(&old);

        if is_found {
            // The first reader of an encrypted layer finds it in the middle of the bytes, and is cut off.
            assert!(
                read(&w.registry, &w, &repo, &digest).await.is_err(),
                "{what}"
            );
            let refused = async {
                loop {
                    match read(&w.registry, &w, &repo, &digest).await {
                        Err(Error::LayerDamaged(digest)) => break digest,
                        // The mark is written behind the failed read.
                        _ => tokio::task::yield_now().await,
                    }
                }
            };
            assert_eq!(refused.await, digest, "{what}");
            its_store.poll_changes().await.unwrap();
            for registry in [&w.registry, &node] {
                let stat = registry.stat_blob(&w.cx, &repo, &digest).await;
                assert_eq!(refusal(stat), "LayerNotFound", "{what}");
                let opened = registry.open_blob(&w.cx, &repo, &digest).await;
                assert_eq!(refusal(opened), "LayerDamaged", "{what}");
            }
            let is_available = availability(&w, &name, &digest).await;
            assert_eq!(is_available, LayerAvailability::Unavailable, "{what}");
            let mounted = w.registry.mount_blob(&w.cx, &third, &repo, &digest).await;
            assert_eq!(mounted.unwrap(), None, "{what}");
            let url = ecr::GetDownloadUrlForLayerRequest {
                repository_name: name.clone(),
                layer_digest: digest.clone(),
                ..Default::default()
            };
            let url = w.registry.layer_for_download(&w.cx, url, false).await;
            assert_eq!(refusal(url), "LayerDamaged", "{what}");
            // No image is accepted that could not be pulled.
            let mut tagged = manifest.clone();
            tagged["annotations"] = json!({"again": "yes"});
            let put = w.put(&repo, "v2", &tagged).await;
            assert_eq!(refusal(put), "LayersNotFound", "{what}");
            let told = w.events(&store, "MarkDamagedLayer").await;
            assert_eq!(told.last().unwrap()["digest"], digest.as_str(), "{what}");
        }

        let pushed = w.registry.put_blob(&w.cx, &repo, &digest, body(&content));
        pushed.await.unwrap();
        assert!(!old.exists(), "{what}: another copy takes its place");
        for registry in [&w.registry, &node] {
            assert!(registry.stat_blob(&w.cx, &repo, &digest).await.is_ok());
            let bytes = read(registry, &w, &repo, &digest).await.unwrap();
            assert_eq!(bytes, content.as_bytes(), "{what}");
        }
        let mounted = w.registry.mount_blob(&w.cx, &third, &repo, &digest).await;
        assert!(mounted.unwrap().is_some(), "{what}");
    }
    let marked = "SELECT count(*) FROM blobs WHERE damaged_at IS NOT NULL";
    assert_eq!(count(&store, marked).await, 0);
    let files = w.blobs.list().map(Result::unwrap).count().await as i64;
    assert_eq!(count(&store, "SELECT count(*) FROM blobs").await, files);
}

/// In the three ways in which a layer comes.
#[on_every_engine]
async fn each_way_to_upload_repairs(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    // Smaller copies that were read once are served from memory, whatever becomes of their files.
    let content = "content".repeat(10_000);
    let digest = w.layer(&repo, &content).await["digest"].clone();
    let digest = digest.as_str().unwrap();
    for way in ["parts", "chunks", "whole"] {
        fs::remove_file(file_of(&w, &store, digest).await).unwrap();
        assert_eq!(
            refusal(w.registry.open_blob(&w.cx, &repo, digest).await),
            "LayerDamaged"
        );
        let id = w
            .registry
            .start_upload(&w.cx, &repo)
            .await
            .unwrap()
            .to_string();
        match way {
            "parts" => {
                let input = ecr::UploadLayerPartRequest {
                    repository_name: "app".into(),
                    upload_id: id.clone(),
                    part_first_byte: 0,
                    part_last_byte: content.len() as i64 - 1,
                    layer_part_blob: Bytes::from(content.clone()).into(),
                    ..Default::default()
                };
                w.registry.upload_layer_part(&w.cx, input).await.unwrap();
                let input = ecr::CompleteLayerUploadRequest {
                    repository_name: "app".into(),
                    upload_id: id,
                    layer_digests: vec![digest.into()],
                    ..Default::default()
                };
                w.registry
                    .complete_layer_upload(&w.cx, input)
                    .await
                    .unwrap();
            }
            "chunks" => {
                let sent = w.registry.append(&w.cx, &repo, &id, None, body(&content));
                sent.await.unwrap();
                let done = w
                    .registry
                    .complete_upload(&w.cx, &repo, &id, digest, None, nothing());
                done.await.unwrap();
            }
            _ => {
                let sent = w.registry.put_blob(&w.cx, &repo, digest, body(&content));
                sent.await.unwrap();
            }
        }
        assert_eq!(
            read(&w.registry, &w, &repo, digest).await.unwrap(),
            content.as_bytes(),
            "{way}"
        );
    }
}

/// What is too large to be read again is replaced by what came.
#[on_every_engine]
async fn a_large_layer_is_replaced(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let content = "x".repeat((16 << 20) + 1);
    let digest = w.layer(&repo, &content).await["digest"].clone();
    let digest = digest.as_str().unwrap();
    let old = file_of(&w, &store, digest).await;
    flip(&old);
    w.layer(&repo, &content).await;
    assert!(!old.exists());
    let bytes = read(&w.registry, &w, &repo, digest).await.unwrap();
    assert!(bytes == content.as_bytes());
}

/// A file system that is not there has lost nothing.
#[on_every_engine]
async fn a_directory_that_is_not_mounted_marks_nothing(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let digest = w.layer(&repo, "content").await["digest"].clone();
    let digest = digest.as_str().unwrap();
    let (here, away) = (w.folder.path(), w.folder.path().with_extension("away"));
    fs::rename(here, &away).unwrap();
    let opened = w.registry.open_blob(&w.cx, &repo, digest).await;
    assert_eq!(refusal(opened), "Internal");
    fs::rename(&away, here).unwrap();
    assert_eq!(
        read(&w.registry, &w, &repo, digest).await.unwrap(),
        b"content"
    );
}

#[on_every_engine]
async fn a_changed_manifest_is_never_served_and_whole_when_it_is_pushed_again(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let digest = w.image(&repo, "v1", "content").await;
    let manifest = w.manifest(&repo, "content").await;
    let mut tx = store
        .store
        .write(store::Scope::Repository(repo.id))
        .await
        .unwrap();
    let sql = "UPDATE images SET content = $1 WHERE digest = $2";
    let changed = manifest
        .to_string()
        .replace("config", "konfig")
        .into_bytes();
    tx.execute(sql, values![changed.as_slice(), &digest.to_string()])
        .await
        .unwrap();
    tx.commit().await.unwrap();

    for reference in ["v1", &digest.to_string()] {
        assert_eq!(refusal(w.pull(&repo, reference).await), "ImageDamaged");
        let stat = w.registry.stat_manifest(&w.cx, &repo, reference).await;
        assert_eq!(refusal(stat), "ImageNotFound");
    }
    let input = ecr::BatchGetImageRequest {
        repository_name: "app".into(),
        image_ids: vec![ecr::ImageIdentifier {
            image_tag: Some("v1".into()),
            ..Default::default()
        }],
        ..Default::default()
    };
    let answer = w.registry.batch_get_image(&w.cx, input).await.unwrap();
    let failure = &answer.failures.unwrap()[0];
    assert_eq!(
        failure.failure_code,
        Some(ImageFailureCode::ImageInaccessible)
    );
    assert!(
        failure
            .failure_reason
            .as_ref()
            .unwrap()
            .contains("is damaged")
    );
    let told = w.events(&store, "MarkDamagedImage").await;
    assert_eq!(told, [json!({"imageDigest": digest.to_string()})]);
    let size = manifest.to_string().len();
    let list = json!({
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [{"mediaType": OCI_MANIFEST, "digest": digest.to_string(), "size": size}],
    });
    let put = w.put(&repo, "list", &list).await;
    assert_eq!(refusal(put), "ReferencedImagesNotFound");

    // The tag is on it already, and yet something changes.
    assert_eq!(w.put(&repo, "v1", &manifest).await.unwrap(), digest);
    assert_eq!(w.pull(&repo, "v1").await.unwrap(), digest);
    assert!(w.put(&repo, "list", &list).await.is_ok());
    let marked = "SELECT count(*) FROM images WHERE damaged_at IS NOT NULL";
    assert_eq!(count(&store, marked).await, 0);
}
