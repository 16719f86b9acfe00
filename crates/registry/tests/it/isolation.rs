//! A digest alone gives nothing: layers and uploads belong to their repository.

use crate::world::*;
use aws_api::ecr;
use blobs::Digest;
use futures_util::TryStreamExt;
use registry::Error;
use store::testing::{TestStore, on_every_engine};

#[on_every_engine]
async fn a_digest_alone_gives_nothing(store: TestStore) {
    let w = World::new(&store).await;
    let (mine, theirs) = (w.repository("mine").await, w.repository("theirs").await);
    let manifest = w.manifest(&theirs, "secret").await;
    let image = w.put(&theirs, "v1", &manifest).await.unwrap().to_string();
    let layer = Digest::sha256_of(b"secret").to_string();

    assert_eq!(
        refusal(w.registry.stat_blob(&w.cx, &mine, &layer).await),
        "LayerNotFound"
    );
    assert!(matches!(
        w.registry.open_blob(&w.cx, &mine, &layer).await,
        Err(registry::Error::LayerNotFound { .. })
    ));
    assert!(
        w.registry
            .open_layer(
                ServiceName::DownloadUrl,
                mine.id,
                &layer.parse().unwrap(),
                w.cx.now_ms()
            )
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(refusal(w.pull(&mine, &image).await), "ImageNotFound");
    // A manifest that names the layers does not link them.
    assert_eq!(
        refusal(w.put(&mine, "v1", &manifest).await),
        "LayersNotFound"
    );
    // Nor does an upload that claims the digest without its bytes.
    let id = w
        .registry
        .start_upload(&w.cx, &mine)
        .await
        .unwrap()
        .to_string();
    let claim = w
        .registry
        .complete_upload(&w.cx, &mine, &id, &layer, None, nothing())
        .await;
    assert_eq!(refusal(claim), "InvalidLayer");
    // The answers do not tell a stored digest from one that is not.
    let unknown = Digest::sha256_of(b"never stored").to_string();
    let (stored, never) = (
        w.registry.stat_blob(&w.cx, &mine, &layer).await,
        w.registry.stat_blob(&w.cx, &mine, &unknown).await,
    );
    assert_eq!(
        stored.unwrap_err().to_string().replace(&layer, "D"),
        never.unwrap_err().to_string().replace(&unknown, "D"),
    );
}

#[on_every_engine]
async fn a_mount_links_without_a_copy(store: TestStore) {
    let w = World::new(&store).await;
    let (source, target) = (w.repository("source").await, w.repository("target").await);
    let layer = w.layer(&source, "shared").await["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let mounted = w
        .registry
        .mount_blob(&w.cx, &target, &source, &layer)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(mounted.size, 6);
    assert_eq!(
        w.registry.stat_blob(&w.cx, &target, &layer).await.unwrap(),
        mounted
    );
    // What the source has not cannot be mounted, be it stored elsewhere.
    let elsewhere = w.repository("elsewhere").await;
    let other = w.layer(&elsewhere, "other").await["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        w.registry
            .mount_blob(&w.cx, &target, &source, &other)
            .await
            .unwrap(),
        None
    );
    // The source's copy goes, the target's stays.
    w.registry
        .delete_blob(&w.cx, &source, &layer)
        .await
        .unwrap();
    assert_eq!(
        refusal(w.registry.stat_blob(&w.cx, &source, &layer).await),
        "LayerNotFound"
    );
    assert!(w.registry.open_blob(&w.cx, &target, &layer).await.is_ok());
}

#[on_every_engine]
async fn a_mount_into_a_deleted_repository_fails(store: TestStore) {
    let w = World::new(&store).await;
    let (source, target) = (w.repository("source").await, w.repository("target").await);
    let layer = w.layer(&source, "shared").await["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let delete = ecr::DeleteRepositoryRequest {
        repository_name: "target".into(),
        ..Default::default()
    };
    w.registry.delete_repository(&w.cx, delete).await.unwrap();
    assert_eq!(
        refusal(w.registry.mount_blob(&w.cx, &target, &source, &layer).await),
        "RepositoryNotFound"
    );
}

#[on_every_engine]
async fn an_upload_belongs_to_its_repository(store: TestStore) {
    let w = World::new(&store).await;
    let (mine, theirs) = (w.repository("mine").await, w.repository("theirs").await);
    let id = w
        .registry
        .start_upload(&w.cx, &theirs)
        .await
        .unwrap()
        .to_string();
    assert_eq!(
        refusal(w.registry.upload_status(&w.cx, &mine, &id).await),
        "UploadNotFound"
    );
    assert_eq!(
        refusal(w.registry.append(&w.cx, &mine, &id, None, body("x")).await),
        "UploadNotFound"
    );
    assert_eq!(
        refusal(w.registry.cancel_upload(&w.cx, &mine, &id).await),
        "UploadNotFound"
    );
    let digest = Digest::sha256_of(b"").to_string();
    let stolen = w
        .registry
        .complete_upload(&w.cx, &mine, &id, &digest, None, nothing())
        .await;
    assert_eq!(refusal(stolen), "UploadNotFound");
    assert_eq!(
        w.registry.upload_status(&w.cx, &theirs, &id).await.unwrap(),
        0
    );
}

#[on_every_engine]
async fn an_upload_into_a_deleted_repository_fails(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let id = w
        .registry
        .start_upload(&w.cx, &repo)
        .await
        .unwrap()
        .to_string();
    let delete = ecr::DeleteRepositoryRequest {
        repository_name: "app".into(),
        ..Default::default()
    };
    w.registry.delete_repository(&w.cx, delete).await.unwrap();
    let digest = Digest::sha256_of(b"late").to_string();
    let late = w
        .registry
        .complete_upload(&w.cx, &repo, &id, &digest, None, body("late"))
        .await;
    assert_eq!(refusal(late), "RepositoryNotFound");
    assert_eq!(
        refusal(
            w.put(
                &repo,
                "v1",
                &serde_json::json!({
                    "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [],
                })
            )
            .await
        ),
        "RepositoryNotFound"
    );
}

#[on_every_engine]
async fn accounts_and_regions_do_not_meet(store: TestStore) {
    let w = World::new(&store).await;
    w.repository("app").await;
    let (other, region) = (
        "210987654321".parse().unwrap(),
        "eu-west-1".parse().unwrap(),
    );
    assert!(
        w.registry
            .repository_facts(&other, &w.cx.region, "app")
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        w.registry
            .repository_facts(&w.cx.account, &region, "app")
            .await
            .unwrap()
            .is_none()
    );
    let page = w
        .registry
        .list_repositories(&w.cx, &other, &w.cx.region, None, None)
        .await
        .unwrap();
    assert!(page.items.is_empty());
}

#[on_every_engine]
async fn a_download_url_needs_an_image(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let layer = w.layer(&repo, "layer").await["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let ask = |digest: &str| ecr::GetDownloadUrlForLayerRequest {
        repository_name: "app".into(),
        layer_digest: digest.into(),
        ..Default::default()
    };
    assert_eq!(
        refusal(
            w.registry
                .layer_for_download(&w.cx, ask(&layer), false)
                .await
        ),
        "LayerInaccessible"
    );
    w.image(&repo, "v1", "layer").await;
    let found = w
        .registry
        .layer_for_download(&w.cx, ask(&layer), false)
        .await
        .unwrap();
    assert_eq!((found.repository.id, found.layer.size), (repo.id, 5));
    let unknown = Digest::sha256_of(b"unknown").to_string();
    let missing = w
        .registry
        .layer_for_download(&w.cx, ask(&unknown), false)
        .await;
    assert_eq!(
        missing.as_ref().unwrap_err().to_string(),
        format!(
            "The layer with digest '{unknown}' does not exist within the repository with name 'app' in the registry with id '123456789012'"
        )
    );
    assert_eq!(refusal(missing), "LayerNotFound");
    // A layer that an image needs is not unlinked.
    assert_eq!(
        refusal(w.registry.delete_blob(&w.cx, &repo, &layer).await),
        "LayerInUse"
    );
}

#[on_every_engine]
async fn bytes_are_stored_once(store: TestStore) {
    let w = World::new(&store).await;
    for name in ["one", "two"] {
        let repo = w.repository(name).await;
        w.layer(&repo, "shared").await;
        let id = w
            .registry
            .start_upload(&w.cx, &repo)
            .await
            .unwrap()
            .to_string();
        let digest = Digest::sha256_of(b"shared").to_string();
        w.registry
            .complete_upload(&w.cx, &repo, &id, &digest, None, body("shared"))
            .await
            .unwrap();
    }
    let stored: Vec<_> = w.blobs.list().try_collect().await.unwrap();
    assert_eq!(stored.len(), 1);
    assert_eq!(w.temporary_files(), 0);
}

#[on_every_engine]
async fn a_lost_file_is_told_of_and_a_push_heals_it(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    w.layer(&repo, "lost").await;
    let digest = Digest::sha256_of(b"lost");
    let stored: Vec<_> = w.blobs.list().try_collect().await.unwrap();
    w.blobs.delete(&stored[0].key).await.unwrap();
    let error = w
        .registry
        .open_blob(&w.cx, &repo, &digest.to_string())
        .await
        .err()
        .unwrap();
    assert!(matches!(error, Error::LayerDamaged(_)), "{error:?}");
    w.layer(&repo, "lost").await;
    assert!(
        w.registry
            .open_blob(&w.cx, &repo, &digest.to_string())
            .await
            .is_ok()
    );
    let again: Vec<_> = w.blobs.list().try_collect().await.unwrap();
    assert_eq!(again.len(), 1);
    assert_ne!(again[0].key, stored[0].key, "a key is never used twice");
}

#[on_every_engine]
async fn a_copy_that_was_cut_short_is_not_served_and_a_push_replaces_it(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let digest = w.layer(&repo, "a whole layer").await["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let stored: Vec<_> = w.blobs.list().try_collect().await.unwrap();
    let path = w.folder.path().join(format!("blobs/{}", stored[0].key));
    std::fs::write(&path, "a whole").unwrap();
    let error = w
        .registry
        .open_blob(&w.cx, &repo, &digest)
        .await
        .err()
        .unwrap();
    assert!(matches!(error, Error::LayerDamaged(_)), "{error:?}");
    w.layer(&repo, "a whole layer").await;
    assert!(w.registry.open_blob(&w.cx, &repo, &digest).await.is_ok());
    assert!(!path.exists(), "the damaged copy is gone");
}

/// A collector deletes the row in its transaction and the file of the row's key after it: whoever
/// pushes the digest in between has a copy that the collector does not know.
#[on_every_engine]
async fn a_copy_that_is_collected_late_takes_nothing_else_with_it(store: TestStore) {
    let w = World::new(&store).await;
    let (one, two) = (w.repository("one").await, w.repository("two").await);
    let digest = w.layer(&one, "shared").await["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let doomed: Vec<_> = w.blobs.list().try_collect().await.unwrap();
    let mut tx = store
        .store
        .write(store::Scope::Repository(one.id))
        .await
        .unwrap();
    for sql in ["DELETE FROM layers", "DELETE FROM blobs"] {
        tx.execute(sql, Vec::new()).await.unwrap();
    }
    tx.touch(store::Topic::Repository(one.id));
    tx.commit().await.unwrap();
    w.layer(&two, "shared").await;
    assert!(w.blobs.delete(&doomed[0].key).await.unwrap());
    assert!(w.registry.open_blob(&w.cx, &two, &digest).await.is_ok());
    assert_eq!(
        refusal(w.registry.stat_blob(&w.cx, &one, &digest).await),
        "LayerNotFound"
    );
}

#[on_every_engine]
async fn of_many_pushes_of_one_digest_one_copy_stays(store: TestStore) {
    let w = std::sync::Arc::new(World::new(&store).await);
    let mut repositories = Vec::new();
    for n in 0..8 {
        repositories.push(w.repository(&format!("app-{n}")).await);
    }
    let pushes = repositories.iter().map(|repo| w.layer(repo, "shared"));
    futures_util::future::join_all(pushes).await;
    let stored: Vec<_> = w.blobs.list().try_collect().await.unwrap();
    assert_eq!(stored.len(), 1);
    let digest = Digest::sha256_of(b"shared").to_string();
    for repo in &repositories {
        assert!(w.registry.open_blob(&w.cx, repo, &digest).await.is_ok());
    }
}

/// Between the look and the link, another node may take the layer from the source and
/// collect its blob. SQLite has one writer, so this is PostgreSQL's alone.
#[tokio::test]
async fn a_blob_that_goes_while_it_is_mounted_is_uploaded() {
    let store = store::testing::postgres().await;
    let w = World::new(&store).await;
    let (source, target) = (w.repository("source").await, w.repository("target").await);
    let layer = w.layer(&source, "shared").await;
    let digest = layer["digest"].as_str().unwrap();
    let scope = store::Scope::Repository(source.id);
    let mut tx = store.store.write(scope).await.unwrap();
    // What the look saw stays seen, and the blob is gone.
    for sql in [
        "ALTER TABLE layers DROP CONSTRAINT keyed_layers_digest_encryption_fkey",
        "DELETE FROM blobs",
        "ALTER TABLE layers ADD CONSTRAINT keyed_layers_digest_encryption_fkey \
         FOREIGN KEY (digest, encryption) REFERENCES blobs (digest, encryption) NOT VALID",
    ] {
        tx.conn().execute(sql, Vec::new()).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mounted = w.registry.mount_blob(&w.cx, &target, &source, digest).await;
    assert_eq!(mounted.unwrap(), None);
}
