//! Repositories whose layers are encrypted under a key.

use crate::world::*;
use aws_api::ecr::{self, EncryptionConfiguration, EncryptionType, RCTAppliedFor};
use blobs::Digest;
use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream};
use registry::{Error, Registry, RepositoryFacts};
use std::sync::Arc;
use store::testing::{TestStore, on_every_engine};

const SECRET: &str = "a secret that is long enough to be found";

fn kms(key: Option<String>) -> EncryptionConfiguration {
    EncryptionConfiguration {
        encryption_type: EncryptionType::Kms,
        kms_key: key,
    }
}

async fn encrypted(w: &World, name: &str, key: &str) -> Arc<RepositoryFacts> {
    let setting = kms(Some(key.to_owned()));
    let created = w.create(name, |input| {
        input.encryption_configuration = Some(setting.clone())
    });
    let created = created.await.unwrap();
    assert_eq!(created.encryption_configuration, Some(setting));
    w.facts(name).await
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
        .unwrap();
    Ok(bytes.concat())
}

/// Files below the folder, with what is in them.
fn files(folder: &std::path::Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(std::fs::read(path).unwrap()),
        }
    }
    found
}

fn shows(w: &World, text: &str) -> bool {
    let holds = |file: &Vec<u8>| file.windows(text.len()).any(|at| at == text.as_bytes());
    files(w.folder.path()).iter().any(holds)
}

async fn count(store: &TestStore, digest: &str) -> i64 {
    let mut read = store.store.read().await.unwrap();
    let sql = "SELECT COUNT(*) FROM blobs WHERE digest = $1";
    let row = read.fetch_one(sql, store::values![digest]).await.unwrap();
    row.int(0).unwrap()
}

#[on_every_engine]
async fn layers_of_a_repository_with_a_key_are_encrypted_on_disk(store: TestStore) {
    let w = World::new(&store).await;
    let key = w.keys.add(&store, 1).await;
    let repo = encrypted(&w, "app", &key).await;
    w.image(&repo, "v1", SECRET).await;
    assert!(!shows(&w, SECRET));
    let digest = Digest::sha256_of(SECRET.as_bytes()).to_string();
    let content = read(&w.registry, &w, &repo, &digest).await.unwrap();
    assert_eq!(content, SECRET.as_bytes());
    let stat = w.registry.stat_blob(&w.cx, &repo, &digest).await.unwrap();
    assert_eq!(stat.size, SECRET.len() as u64);
    // Beside it, one without a key.
    let plain = w.repository("plain").await;
    w.image(&plain, "v1", SECRET).await;
    assert!(shows(&w, SECRET));
    assert_eq!(count(&store, &digest).await, 2);
}

#[on_every_engine]
async fn a_layer_is_stored_once_for_each_key_and_mounted_within_one(store: TestStore) {
    let w = World::new(&store).await;
    let (one, other) = (w.keys.add(&store, 1).await, w.keys.add(&store, 2).await);
    let first = encrypted(&w, "first", &one).await;
    let second = encrypted(&w, "second", &one).await;
    let third = encrypted(&w, "third", &other).await;
    let plain = w.repository("plain").await;
    w.layer(&first, SECRET).await;
    let digest = Digest::sha256_of(SECRET.as_bytes()).to_string();
    for (to, from, is_mounted) in [
        (&second, &first, true),
        (&third, &first, false),
        (&plain, &first, false),
    ] {
        let mounted = w
            .registry
            .mount_blob(&w.cx, to, from, &digest)
            .await
            .unwrap();
        assert_eq!(mounted.is_some(), is_mounted, "{}", to.name);
    }
    assert_eq!(count(&store, &digest).await, 1);
    w.layer(&third, SECRET).await;
    w.layer(&plain, SECRET).await;
    w.layer(&second, SECRET).await;
    assert_eq!(count(&store, &digest).await, 3);
    assert!(
        w.registry
            .mount_blob(&w.cx, &first, &plain, &digest)
            .await
            .unwrap()
            .is_none()
    );
    for repo in [&first, &second, &third, &plain] {
        let content = read(&w.registry, &w, repo, &digest).await.unwrap();
        assert_eq!(content, SECRET.as_bytes(), "{}", repo.name);
    }
}

#[on_every_engine]
async fn an_encrypted_upload_goes_on_at_another_node(store: TestStore) {
    let w = World::new(&store).await;
    let key = w.keys.add(&store, 1).await;
    let repo = encrypted(&w, "app", &key).await;
    let content = SECRET.repeat(500_000);
    let (first, second) = content.split_at(content.len() - 1_000_001);
    let chunks = |text: &str| {
        let text = Bytes::from(text.to_owned());
        let parts = (0..text.len().div_ceil(100_000)).map(move |n| {
            Ok::<_, std::convert::Infallible>(
                text.slice(n * 100_000..text.len().min((n + 1) * 100_000)),
            )
        });
        stream::iter(parts.collect::<Vec<_>>())
    };
    let id = w
        .registry
        .start_upload(&w.cx, &repo)
        .await
        .unwrap()
        .to_string();
    let end = w
        .registry
        .append(&w.cx, &repo, &id, Some(0), chunks(first))
        .await
        .unwrap();
    assert_eq!(end, first.len() as u64);
    let (node, ..) = w.another_node(true, w.cx.now).await;
    let size = node.upload_status(&w.cx, &repo, &id).await.unwrap();
    assert_eq!(size, end);
    let digest = Digest::sha256_of(content.as_bytes()).to_string();
    node.complete_upload(&w.cx, &repo, &id, &digest, Some(end), chunks(second))
        .await
        .unwrap();
    assert!(!shows(&w, &SECRET[..16]));
    let pulled = read(&w.registry, &w, &repo, &digest).await.unwrap();
    assert!(pulled == content.as_bytes());
    assert_eq!(w.temporary_files(), 0);
}

#[on_every_engine]
async fn a_key_that_is_disabled_closes_the_repository_at_once(store: TestStore) {
    let w = World::new(&store).await;
    let key = w.keys.add(&store, 1).await;
    let repo = encrypted(&w, "app", &key).await;
    w.image(&repo, "v1", SECRET).await;
    let digest = Digest::sha256_of(SECRET.as_bytes()).to_string();
    read(&w.registry, &w, &repo, &digest).await.unwrap();
    w.keys.disable();
    assert_eq!(refusal(read(&w.registry, &w, &repo, &digest).await), "Kms");
    let started = w.registry.start_upload(&w.cx, &repo).await;
    assert_eq!(refusal(started), "Kms");
    let put = w
        .registry
        .put_blob(&w.cx, &repo, &digest, body(SECRET))
        .await;
    assert_eq!(refusal(put), "Kms");
}

#[on_every_engine]
async fn a_repository_needs_an_enabled_key_and_keeps_it(store: TestStore) {
    let w = World::new(&store).await;
    let unknown = "arn:aws:kms:us-east-1:123456789012:key/09000000-0000-4000-8000-000000000000";
    let create =
        |name, setting| w.create(name, |input| input.encryption_configuration = Some(setting));
    let refused = create("app", kms(Some(unknown.into()))).await;
    assert_eq!(refusal(refused), "Kms");
    let key = w.keys.add(&store, 1).await;
    let both = EncryptionConfiguration {
        encryption_type: EncryptionType::Aes256,
        kms_key: Some(key.clone()),
    };
    let refused = create("app", both).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "Invalid encryption configuration: Encryption key should not be set for AES256 encryption."
    );
    let dsse = EncryptionConfiguration {
        encryption_type: EncryptionType::KmsDsse,
        kms_key: None,
    };
    assert_eq!(refusal(create("app", dsse).await), "Encryption");
    encrypted(&w, "app", &key).await;
    let mut read = store.store.read().await.unwrap();
    let user = store::kms::user(&mut read.conn(), &key).await.unwrap();
    assert_eq!(user.as_deref(), Some("app"));
}

#[on_every_engine]
async fn a_template_with_a_key_makes_encrypted_repositories(store: TestStore) {
    let w = World::new(&store).await;
    let key = w.keys.add(&store, 1).await;
    let asked = |kms_key: Option<&str>| ecr::EncryptionConfigurationForRepositoryCreationTemplate {
        encryption_type: EncryptionType::Kms,
        kms_key: kms_key.map(str::to_owned),
    };
    let input =
        |prefix: &str, kms_key, role: Option<&str>| ecr::CreateRepositoryCreationTemplateRequest {
            prefix: prefix.into(),
            applied_for: vec![RCTAppliedFor::CreateOnPush],
            encryption_configuration: Some(asked(kms_key)),
            custom_role_arn: role.map(str::to_owned),
            ..Default::default()
        };
    let make = async |input| {
        w.registry
            .create_repository_creation_template(&w.cx, input)
            .await
    };
    let refused = make(input("alias", Some("alias/my"), None)).await;
    assert_eq!(refusal(refused), "InvalidParameter");
    let role = "arn:aws:iam::123456789012:role/templates";
    w.people
        .0
        .lock()
        .unwrap()
        .push((role.into(), "AROA1".into()));
    let made = make(input("prod", Some(&key), Some(role))).await.unwrap();
    let shown = made
        .repository_creation_template
        .unwrap()
        .encryption_configuration;
    assert_eq!(shown, Some(asked(Some(&key))));
    make(input("dev", Some(&key), None)).await.unwrap();
    let push = async |name: &str| {
        let (account, region) = (&w.cx.account, &w.cx.region);
        let found = w
            .registry
            .repository_on_push(&w.cx, account, region, name)
            .await?;
        w.registry
            .create_templated_repository(&w.cx, found.unwrap())
            .await
    };
    assert_eq!(refusal(push("dev/app").await), "TemplateWithoutRole");
    push("prod/app").await.unwrap();
    let repo = w.facts("prod/app").await;
    w.layer(&repo, SECRET).await;
    assert!(!shows(&w, SECRET));
}

#[on_every_engine]
async fn a_layer_is_copied_between_keys(store: TestStore) {
    let w = World::new(&store).await;
    let key = w.keys.add(&store, 1).await;
    let (from, to) = (
        w.repository("plain").await,
        encrypted(&w, "app", &key).await,
    );
    w.layer(&from, SECRET).await;
    let digest = Digest::sha256_of(SECRET.as_bytes());
    let now = w.cx.now.as_millisecond();
    let service = ServiceName::Maintenance;
    assert!(
        w.registry
            .copy_layer(service, &from, &to, &digest, now)
            .await
            .unwrap()
    );
    let content = read(&w.registry, &w, &to, &digest.to_string())
        .await
        .unwrap();
    assert_eq!(content, SECRET.as_bytes());
    let none = Digest::sha256_of(b"none");
    assert!(
        !w.registry
            .copy_layer(service, &from, &to, &none, now)
            .await
            .unwrap()
    );
}
