//! A registry on a fresh database and directory, and a small language to fill it.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

pub use authz::ServiceName;
use aws_api::ecr;
use aws_types::{AccountId, Entropy, EntropyError, Region};
use blobs::{Blobs, Digest, EncryptionKey, Owner};
use bytes::Bytes;
use futures_util::{Stream, stream};
use jiff::{Timestamp, ToSpan as _};
use registry::{
    Authorized, BoxFuture, Error, KeyError, KeyId, LayerKeys, Pinned, Principals, Registry,
    RepositoryFacts, Settings,
};
use serde_json::{Value, json};
use store::Store;
use store::testing::TestStore;

pub const ACCOUNT: &str = "123456789012";
pub const REGION: &str = "us-east-1";
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Of a directory that several nodes share.
fn owner(store: &Store) -> Owner<'_> {
    Owner {
        database: store.id(),
        is_shared: true,
    }
}

pub struct World {
    pub registry: Registry,
    pub blobs: Blobs,
    pub people: Arc<People>,
    pub keys: Arc<Keys>,
    pub cx: Authorized,
    pub folder: tempfile::TempDir,
    url: String,
}

impl World {
    pub async fn new(store: &TestStore) -> World {
        World::with(store, |_| {}).await
    }

    pub async fn with(store: &TestStore, change: impl FnOnce(&mut Settings)) -> World {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open_directory(folder.path(), owner(&store.store))
            .await
            .unwrap();
        let people = Arc::new(People::default());
        let keys = Arc::new(Keys::default());
        let mut settings = settings();
        change(&mut settings);
        let cx = call();
        let registry = Registry::open(
            store.store.clone(),
            blobs.clone(),
            Arc::new(Counting),
            people.clone(),
            keys.clone(),
            settings,
            cx.now,
        )
        .await
        .unwrap();
        World {
            registry,
            blobs,
            people,
            keys,
            cx,
            folder,
            url: store.url.clone(),
        }
    }

    /// The same data opened again: another process, with caches of its own.
    pub async fn another_node(&self, shared: bool, now: Timestamp) -> (Registry, Store, Blobs) {
        self.another_node_with(shared, now, |_| {}).await
    }

    pub async fn another_node_with(
        &self,
        shared: bool,
        now: Timestamp,
        change: impl FnOnce(&mut Settings),
    ) -> (Registry, Store, Blobs) {
        let store = Store::open(&self.url).await.unwrap();
        let blobs = Blobs::open_directory(self.folder.path(), owner(&store))
            .await
            .unwrap();
        let mut settings = settings();
        settings.shared = shared;
        change(&mut settings);
        let people = self.people.clone();
        let registry = Registry::open(
            store.clone(),
            blobs.clone(),
            Arc::new(Counting),
            people,
            self.keys.clone(),
            settings,
            now,
        )
        .await
        .unwrap();
        (registry, store, blobs)
    }

    /// A new repository.
    pub async fn repository(&self, name: &str) -> Arc<RepositoryFacts> {
        self.create(name, |_| {}).await.unwrap();
        self.facts(name).await
    }

    pub async fn create(
        &self,
        name: &str,
        change: impl FnOnce(&mut ecr::CreateRepositoryRequest),
    ) -> Result<ecr::Repository, Error> {
        let mut input = ecr::CreateRepositoryRequest {
            repository_name: name.into(),
            ..Default::default()
        };
        change(&mut input);
        let created = self.registry.create_repository(&self.cx, input).await?;
        Ok(created.repository.unwrap())
    }

    pub async fn facts(&self, name: &str) -> Arc<RepositoryFacts> {
        self.registry
            .repository(&self.cx.account, &self.cx.region, name)
            .await
            .unwrap()
    }

    /// Pushes a layer, in one request.
    pub async fn layer(&self, repo: &RepositoryFacts, content: &str) -> Value {
        let digest = Digest::sha256_of(content.as_bytes()).to_string();
        self.registry
            .put_blob(&self.cx, repo, &digest, body(content))
            .await
            .unwrap();
        json!({"mediaType": OCI_LAYER, "digest": digest, "size": content.len()})
    }

    /// An image of the layer `content`, pushed with all it needs.
    pub async fn image(&self, repo: &RepositoryFacts, tag: &str, content: &str) -> Digest {
        let manifest = self.manifest(repo, content).await;
        self.put(repo, tag, &manifest).await.unwrap()
    }

    /// A manifest whose layers are pushed.
    pub async fn manifest(&self, repo: &RepositoryFacts, content: &str) -> Value {
        let mut config = self.layer(repo, &format!("config of {content}")).await;
        config["mediaType"] = OCI_CONFIG.into();
        let layer = self.layer(repo, content).await;
        json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": config,
            "layers": [layer],
        })
    }

    pub async fn put(
        &self,
        repo: &RepositoryFacts,
        reference: &str,
        manifest: &Value,
    ) -> Result<Digest, Error> {
        let bytes = Bytes::from(manifest.to_string());
        let put = self
            .registry
            .put_manifest(&self.cx, repo, reference, None, bytes)
            .await?;
        Ok(put.digest)
    }

    pub async fn pull(&self, repo: &RepositoryFacts, reference: &str) -> Result<Digest, Error> {
        let manifest = self
            .registry
            .get_manifest(&self.cx, repo, reference)
            .await?;
        Ok(manifest.digest)
    }

    /// The same caller, later.
    pub fn later(&self, hours: i64) -> Authorized {
        let mut context = self.cx.context().clone();
        context.now = context.now.checked_add(hours.hours()).unwrap();
        authz::testing::authorized(context)
    }

    /// The same caller, days and minutes after the world began.
    pub fn at(&self, days: i64, minutes: i64) -> Authorized {
        let mut context = self.cx.context().clone();
        context.now = context
            .now
            .checked_add((days * 24).hours().minutes(minutes))
            .unwrap();
        authz::testing::authorized(context)
    }

    /// Deletes a repository with its images.
    pub async fn delete(&self, name: &str) {
        let input = ecr::DeleteRepositoryRequest {
            repository_name: name.into(),
            force: Some(true),
            ..Default::default()
        };
        self.registry
            .delete_repository(&self.cx, input)
            .await
            .unwrap();
    }

    /// The details of the audit events of this name, the oldest first.
    pub async fn events(&self, store: &TestStore, name: &str) -> Vec<Value> {
        let mut read = store.store.read().await.unwrap();
        let sql = "SELECT details FROM service_events WHERE name = $1 ORDER BY id";
        let rows = read.fetch_all(sql, store::values![name]).await.unwrap();
        let details = rows.iter().map(|row| row.text(0).unwrap());
        details
            .map(|text| serde_json::from_str(&text).unwrap())
            .collect()
    }

    /// Unfinished uploads on disk.
    pub fn temporary_files(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("uploads"))
            .unwrap()
            .count()
    }
}

fn settings() -> Settings {
    Settings::new(Arc::new(|account, region, name| {
        format!("{account}.dkr.ecr.{region}.example.com/{name}")
    }))
}

pub fn call() -> Authorized {
    let pusher = format!("arn:aws:iam::{ACCOUNT}:user/pusher");
    let mut context = authz::testing::context(authz::testing::caller(&pusher, None));
    context.region = REGION.parse().unwrap();
    authz::testing::authorized(context)
}

/// Bytes that never repeat, in this process.
/// Counts instead of drawing, so that ids repeat from run to run.
struct Counting;

impl Entropy for Counting {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        for chunk in out.chunks_mut(4) {
            let count = COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            let length = chunk.len();
            chunk.copy_from_slice(&count[8 - length..]);
        }
        Ok(())
    }
}

/// A body of one chunk.
pub fn body(content: &str) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + use<> {
    stream::iter([Ok(Bytes::from(content.to_owned()))])
}

/// A body of nothing.
pub fn nothing() -> impl Stream<Item = Result<Bytes, Infallible>> + Send + use<> {
    stream::empty()
}

/// Who IAM knows: pairs of ARN and unique id.
#[derive(Default)]
pub struct People(pub Mutex<Vec<(String, String)>>);

impl Principals for People {
    fn pin<'a>(&'a self, principal: &'a str) -> BoxFuture<'a, Result<Pinned, String>> {
        Box::pin(async move {
            let people = self.0.lock().unwrap();
            let is_account = principal.ends_with(":root") || !principal.starts_with("arn:");
            Ok(match people.iter().find(|(arn, _)| arn == principal) {
                Some((_, id)) => Pinned::Id(id.clone()),
                None if is_account => Pinned::AsIs,
                None => Pinned::Unknown,
            })
        })
    }

    fn show<'a>(&'a self, stored: &'a str) -> BoxFuture<'a, Result<Option<String>, String>> {
        Box::pin(async move {
            let people = self.0.lock().unwrap();
            Ok(people
                .iter()
                .find(|(_, id)| id == stored)
                .map(|(arn, _)| arn.clone()))
        })
    }
}

/// Keys of KMS: those in the database that are enabled, by their ARNs. The material is made of the id.
#[derive(Default)]
pub struct Keys(pub Mutex<Vec<KeyId>>);

impl Keys {
    /// A new enabled key, and its ARN.
    pub async fn add(&self, store: &TestStore, id: u8) -> String {
        let id = format!("{id:02x}000000-0000-4000-8000-000000000000");
        self.0.lock().unwrap().push(KeyId::parse(&id).unwrap());
        let key = store::kms::Key {
            id: id.clone(),
            account: ACCOUNT.into(),
            region: REGION.into(),
            description: String::new(),
            manager: "CUSTOMER".into(),
            state: "Enabled".into(),
            created_at: 0,
            deletion_at: None,
            policy: String::new(),
            rotation_days: None,
            next_rotation_at: None,
        };
        let mut tx = store
            .store
            .write(store::Scope::System("keys"))
            .await
            .unwrap();
        store::kms::insert(&mut tx.conn(), &key).await.unwrap();
        tx.commit().await.unwrap();
        format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{id}")
    }

    /// Disables all keys.
    pub fn disable(&self) {
        self.0.lock().unwrap().clear();
    }
}

impl LayerKeys for Keys {
    fn resolve<'a>(
        &'a self,
        _: &'a AccountId,
        _: &'a Region,
        named: Option<&'a str>,
        _: i64,
    ) -> BoxFuture<'a, Result<String, KeyError>> {
        Box::pin(async move {
            let named = named.ok_or_else(|| KeyError::Refused("no key".to_owned()))?;
            Ok(named.to_owned())
        })
    }

    fn material(&self, key: KeyId) -> BoxFuture<'_, Result<Arc<EncryptionKey>, KeyError>> {
        Box::pin(async move {
            let bytes = key.bytes();
            match self.0.lock().unwrap().contains(&key) {
                true => Ok(Arc::new(EncryptionKey::new(bytes, &[bytes[0]; 32]))),
                false => Err(KeyError::Refused(format!("Key '{key}' is disabled"))),
            }
        })
    }
}

/// Which error a refusal is: the name of its variant.
pub fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    let mut debug = format!("{:?}", result.unwrap_err());
    let end = debug.find(|c: char| !c.is_alphanumeric());
    debug.truncate(end.unwrap_or(debug.len()));
    debug.leak()
}
