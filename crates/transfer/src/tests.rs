//! Copies between stores, bundles and a registry in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use blobs::Digest;
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::ends::{Reference, Source as _, Standing, Target};
use crate::error::{Error, Result};
use crate::manifest::{Descriptor, Manifest, OCI_INDEX, OCI_MANIFEST};
use crate::report::{Outcome, Progress, State, Totals};
use crate::{Bundle, Home, Job, Options, Stored, Written, copy};

/// Remembers what it is told.
#[derive(Default)]
struct Heard(Mutex<Vec<Outcome>>);

impl Progress for Heard {
    fn expected(&self, _bytes: u64) {}
    fn passed(&self, _bytes: u64) {}
    fn outcome(&self, outcome: &Outcome) {
        self.0.lock().unwrap().push(outcome.clone());
    }
}

impl Heard {
    fn failures(&self) -> String {
        let outcomes = self.0.lock().unwrap();
        let failed = outcomes.iter().filter_map(|outcome| match &outcome.state {
            State::Failed(why) => Some(why.clone()),
            _ => None,
        });
        failed.collect::<Vec<_>>().join("\n")
    }
}

/// A registry in memory, which keeps what its rules allow.
#[derive(Default)]
struct Memory {
    blobs: Mutex<BTreeSet<(String, Digest)>>,
    manifests: Mutex<BTreeSet<(String, Digest)>>,
    tags: Mutex<BTreeMap<(String, String), Digest>>,
    uploads: Mutex<usize>,
    mounts: Mutex<usize>,
}

impl Target for Memory {
    async fn prepare(&self, _repository: &str) -> Result<()> {
        Ok(())
    }
    async fn has_repository(&self, _repository: &str) -> Result<bool> {
        Ok(true)
    }
    async fn tag(&self, repository: &str, tag: &str) -> Result<Option<Digest>> {
        let key = (repository.to_owned(), tag.to_owned());
        Ok(self.tags.lock().unwrap().get(&key).copied())
    }
    async fn has_manifest(&self, repository: &str, digest: &Digest) -> Result<bool> {
        Ok(self
            .manifests
            .lock()
            .unwrap()
            .contains(&(repository.to_owned(), *digest)))
    }
    async fn has_blob(&self, repository: &str, blob: &Descriptor) -> Result<bool> {
        Ok(self
            .blobs
            .lock()
            .unwrap()
            .contains(&(repository.to_owned(), blob.digest)))
    }
    async fn mount(&self, repository: &str, from: &str, blob: &Digest) -> Result<bool> {
        let mut blobs = self.blobs.lock().unwrap();
        let found = blobs.contains(&(from.to_owned(), *blob));
        if found {
            *self.mounts.lock().unwrap() += 1;
            blobs.insert((repository.to_owned(), *blob));
        }
        Ok(found)
    }
    async fn put_blob(
        &self,
        repository: &str,
        blob: &Descriptor,
        mut chunks: crate::Chunks,
    ) -> Result<()> {
        while let Some(chunk) = chunks.next().await {
            chunk?;
        }
        *self.uploads.lock().unwrap() += 1;
        self.blobs
            .lock()
            .unwrap()
            .insert((repository.to_owned(), blob.digest));
        Ok(())
    }
    async fn put_manifest(
        &self,
        repository: &str,
        manifest: &Manifest,
        standing: Standing<'_>,
    ) -> Result<()> {
        for blob in &manifest.blobs {
            assert!(
                self.has_blob(repository, blob).await?,
                "a manifest before its blobs"
            );
        }
        for child in &manifest.children {
            assert!(
                self.has_manifest(repository, &child.digest).await?,
                "an index before its manifests"
            );
        }
        self.manifests
            .lock()
            .unwrap()
            .insert((repository.to_owned(), manifest.digest));
        if let Standing::Tagged(tag) = standing {
            let key = (repository.to_owned(), tag.to_owned());
            self.tags.lock().unwrap().insert(key, manifest.digest);
        }
        Ok(())
    }
}

fn descriptor(media_type: &str, of: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": Digest::sha256_of(of).to_string(), "size": of.len()})
}

fn manifest(layer: &str, subject: Option<&[u8]>) -> Vec<u8> {
    let mut manifest = json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": descriptor("application/vnd.oci.image.config.v1+json", b"{}"),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", layer.as_bytes())]});
    if let Some(subject) = subject {
        manifest["subject"] = descriptor(OCI_MANIFEST, subject);
    }
    manifest.to_string().into_bytes()
}

fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// The store of a stopped distribution.
struct Store<'d>(&'d Path);

impl Store<'_> {
    fn blob(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::sha256_of(bytes);
        let hex = digest.hex();
        let path = format!("docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]);
        write(&self.0.join(path), bytes);
        digest
    }

    fn manifest(&self, repository: &str, bytes: &[u8], tag: Option<&str>) -> Digest {
        let digest = self.blob(bytes);
        let manifests = self.0.join(format!(
            "docker/registry/v2/repositories/{repository}/_manifests"
        ));
        let link = manifests.join(format!("revisions/sha256/{}/link", digest.hex()));
        write(&link, digest.to_string());
        if let Some(tag) = tag {
            write(
                &manifests.join(format!("tags/{tag}/current/link")),
                digest.to_string(),
            );
        }
        digest
    }

    /// `team/app:v1` with a referrer, `team/app:all` with two platforms, and `web:v1` with a layer of `team/app`.
    fn fill(&self) {
        for blob in ["{}", "one", "two", "three", "signature"] {
            self.blob(blob.as_bytes());
        }
        let one = manifest("one", None);
        self.manifest("team/app", &one, Some("v1"));
        self.manifest("team/app", &manifest("signature", Some(&one)), None);
        let two = manifest("two", None);
        self.manifest("team/app", &two, None);
        let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX,
            "manifests": [descriptor(OCI_MANIFEST, &one), descriptor(OCI_MANIFEST, &two)]});
        self.manifest("team/app", index.to_string().as_bytes(), Some("all"));
        self.manifest("web", &manifest("one", None), Some("v1"));
    }
}

fn filled(dir: &Path) -> Stored {
    Store(dir).fill();
    Stored::store(dir).unwrap()
}

async fn copied<T: Target>(source: &Stored, target: &T, untagged: bool) -> (Totals, Arc<Heard>) {
    let repositories = source.repositories().await.unwrap();
    let jobs: Vec<_> = repositories
        .into_iter()
        .map(|repository| Job {
            into: repository.clone(),
            repository,
            only: Vec::new(),
        })
        .collect();
    let options = Options {
        concurrency: 3,
        untagged,
        dry_run: false,
    };
    let heard = Arc::new(Heard::default());
    let progress: Arc<dyn Progress> = heard.clone();
    let (totals, broken) = copy(source, target, &jobs, options, &progress).await;
    assert!(broken.is_none());
    (totals, heard)
}

async fn exported(source: &Stored, path: &Path, since: Option<&Path>) -> Written {
    let bundle = Bundle::create(path, since).unwrap();
    let (totals, heard) = copied(source, &bundle, false).await;
    assert!(totals.all_equal(), "{}", heard.failures());
    bundle.finish().await.unwrap()
}

#[tokio::test]
async fn a_bundle_carries_images_platforms_and_referrers() {
    let dir = tempfile::tempdir().unwrap();
    let source = filled(&dir.path().join("store"));
    let direct = Memory::default();
    copied(&source, &direct, false).await;
    for name in ["bundle", "bundle.tar"] {
        let path = dir.path().join(name);
        let written = exported(&source, &path, None).await;
        // Three tags and the referrer; config, four layers' blobs and four manifests.
        assert_eq!((written.entries, written.blobs), (4, 8), "{name}");
        let bundle = Stored::layout(&path, None).unwrap();
        assert_eq!(bundle.verify(|_| {}).await.unwrap(), (vec![], 8));
        let target = Memory::default();
        let (totals, _) = copied(&bundle, &target, true).await;
        assert_eq!((totals.copied + totals.equal, totals.failed), (4, 0));
        assert_eq!(*target.tags.lock().unwrap(), *direct.tags.lock().unwrap());
        assert_eq!(
            *target.manifests.lock().unwrap(),
            *direct.manifests.lock().unwrap()
        );
        // The layer that both repositories have is sent once.
        assert_eq!(
            (
                *target.uploads.lock().unwrap(),
                *target.mounts.lock().unwrap()
            ),
            (4, 2)
        );
        let (again, _) = copied(&bundle, &target, true).await;
        assert_eq!((again.equal, again.copied), (4, 0));
        assert_eq!(*target.uploads.lock().unwrap(), 4);
    }
}

#[tokio::test]
async fn an_interrupted_export_goes_on_and_replaces_what_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let source = filled(&dir.path().join("store"));
    let path = dir.path().join("bundle");
    let bundle = Bundle::create(&path, None).unwrap();
    copied(&source, &bundle, false).await;
    drop(bundle);
    let unfinished = Stored::layout(&path, None).err().unwrap();
    assert!(
        unfinished.to_string().contains("not finished"),
        "{unfinished}"
    );
    let blob = |of: &[u8]| path.join("blobs/sha256").join(Digest::sha256_of(of).hex());
    fs::write(blob(b"one"), "ONE").unwrap();
    fs::write(blob(b"two"), "t").unwrap();
    exported(&source, &path, None).await;
    assert_eq!(fs::read(blob(b"one")).unwrap(), b"one");
    assert_eq!(fs::read(blob(b"two")).unwrap(), b"two");
    let finished = Bundle::create(&path, None).err().unwrap();
    assert!(
        finished.to_string().contains("finished bundle"),
        "{finished}"
    );
}

#[tokio::test]
async fn a_tar_file_that_was_cut_off_anywhere_is_completed() {
    let dir = tempfile::tempdir().unwrap();
    let source = filled(&dir.path().join("store"));
    let whole = dir.path().join("whole.tar");
    let written = exported(&source, &whole, None).await;
    let bytes = fs::read(&whole).unwrap();
    for length in (0..bytes.len()).step_by(700) {
        let path = dir.path().join(format!("{length}.tar"));
        fs::write(path.with_extension("tar.partial"), &bytes[..length]).unwrap();
        assert_eq!(exported(&source, &path, None).await, written, "{length}");
        let bundle = Stored::layout(&path, None).unwrap();
        assert!(
            bundle.verify(|_| {}).await.unwrap().0.is_empty(),
            "{length}"
        );
    }
}

#[tokio::test]
async fn a_bundle_since_another_names_what_the_target_lacks() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("store");
    let first = dir.path().join("first");
    exported(&filled(&root), &first, None).await;
    let store = Store(&root);
    store.blob(b"new");
    store.manifest("web", &manifest("new", None), Some("v2"));
    let second = dir.path().join("second.tar");
    let written = exported(&Stored::store(&root).unwrap(), &second, Some(&first)).await;
    assert_eq!(written.left_out, 4);
    let by_list = dir.path().join("third");
    let list = first.join(crate::BUNDLE_FILE);
    assert_eq!(
        exported(&Stored::store(&root).unwrap(), &by_list, Some(&list)).await,
        written
    );

    let bundle = Stored::layout(&second, None).unwrap();
    let (totals, heard) = copied(&bundle, &Memory::default(), true).await;
    assert_eq!(totals.copied, 0);
    let lacking = format!("{} was left out of the bundle", Digest::sha256_of(b"one"));
    assert!(heard.failures().contains(&lacking), "{}", heard.failures());

    let target = Memory::default();
    copied(&Stored::layout(&first, None).unwrap(), &target, true).await;
    let uploads = *target.uploads.lock().unwrap();
    let (totals, heard) = copied(&bundle, &target, true).await;
    assert!(totals.all_equal(), "{}", heard.failures());
    assert_eq!(*target.uploads.lock().unwrap(), uploads + 1);
}

#[tokio::test]
async fn content_of_another_digest_is_refused_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let source = filled(&dir.path().join("store"));
    let path = dir.path().join("bundle");
    exported(&source, &path, None).await;
    let digest = Digest::sha256_of(b"one");
    fs::write(path.join("blobs/sha256").join(digest.hex()), "eno").unwrap();
    let bundle = Stored::layout(&path, None).unwrap();
    let (wrong, _) = bundle.verify(|_| {}).await.unwrap();
    assert_eq!(wrong.len(), 1);
    assert!(wrong[0].contains(&digest.to_string()), "{wrong:?}");
    let target = Memory::default();
    let (totals, heard) = copied(&bundle, &target, true).await;
    // Both tags of `team/app` need the layer, and so does `web`.
    assert_eq!((totals.copied, totals.failed), (1, 3));
    assert!(
        heard.failures().contains("another digest"),
        "{}",
        heard.failures()
    );
    assert!(target.tags.lock().unwrap().is_empty());
    assert!(
        !target
            .blobs
            .lock()
            .unwrap()
            .iter()
            .any(|(_, blob)| *blob == digest)
    );

    let index = fs::read_to_string(path.join("index.json")).unwrap();
    fs::write(path.join("index.json"), index.replace(":v1", ":v2")).unwrap();
    let changed = Stored::layout(&path, None).err().unwrap();
    assert!(matches!(changed, Error::Content { .. }), "{changed}");
}

#[tokio::test]
async fn a_layout_of_another_program_needs_a_repository() {
    let dir = tempfile::tempdir().unwrap();
    let one = manifest("one", None);
    for blob in [&b"{}"[..], b"one", &one] {
        let name = Digest::sha256_of(blob).hex();
        write(&dir.path().join("blobs/sha256").join(name), blob);
    }
    let index = |name: Value| {
        let mut entry = descriptor(OCI_MANIFEST, &one);
        entry["annotations"] = name;
        json!({"schemaVersion": 2, "manifests": [entry]}).to_string()
    };
    write(
        &dir.path().join("oci-layout"),
        r#"{"imageLayoutVersion": "1.0.0"}"#,
    );
    write(&dir.path().join("index.json"), index(Value::Null));
    let nameless = Stored::layout(dir.path(), None).err().unwrap();
    assert!(nameless.to_string().contains("--repository"), "{nameless}");
    let home = Home {
        repository: "app".to_owned(),
        tag: Some("v9".to_owned()),
    };
    let layout = Stored::layout(dir.path(), Some(&home)).unwrap();
    assert_eq!(layout.tags("app").await.unwrap(), ["v9"]);
    let named = json!({"org.opencontainers.image.ref.name": "v1"});
    write(&dir.path().join("index.json"), index(named));
    let layout = Stored::layout(dir.path(), Some(&home)).unwrap();
    let target = Memory::default();
    let (totals, _) = copied(&layout, &target, true).await;
    assert_eq!(totals.copied, 1);
    assert!(target.tag("app", "v1").await.unwrap().is_some());
}

#[tokio::test]
async fn a_store_of_zot_has_a_layout_for_each_repository() {
    let dir = tempfile::tempdir().unwrap();
    let (one, signature) = (
        manifest("one", None),
        manifest("signature", Some(&manifest("one", None))),
    );
    let repository = dir.path().join("team/app");
    for blob in [&b"{}"[..], b"one", b"signature", &one, &signature] {
        let name = Digest::sha256_of(blob).hex();
        write(&repository.join("blobs/sha256").join(name), blob);
    }
    let mut tagged = descriptor(OCI_MANIFEST, &one);
    tagged["annotations"] = json!({"org.opencontainers.image.ref.name": "v1"});
    let index =
        json!({"schemaVersion": 2, "manifests": [tagged, descriptor(OCI_MANIFEST, &signature)]});
    write(&repository.join("index.json"), index.to_string());
    write(
        &repository.join("oci-layout"),
        r#"{"imageLayoutVersion":"1.0.0"}"#,
    );
    let store = Stored::store(dir.path()).unwrap();
    let target = Memory::default();
    let (totals, heard) = copied(&store, &target, false).await;
    assert_eq!(totals.copied, 1, "{}", heard.failures());
    assert_eq!(target.manifests.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_deleted_manifest_of_a_store_has_no_tags() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store(dir.path());
    store.fill();
    let digest = store.manifest("web", &manifest("three", None), Some("gone"));
    let link = format!(
        "docker/registry/v2/repositories/web/_manifests/revisions/sha256/{}/link",
        digest.hex()
    );
    fs::remove_file(dir.path().join(link)).unwrap();
    let source = Stored::store(dir.path()).unwrap();
    assert_eq!(source.tags("web").await.unwrap(), ["v1"]);
    assert!(
        source
            .manifest("web", &Reference::Tag("gone".to_owned()))
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_folder_of_something_else_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    assert!(Stored::store(dir.path()).is_err());
    assert!(Stored::layout(dir.path(), None).is_err());
    write(&dir.path().join("letter.txt"), "");
    let error = Bundle::create(dir.path(), None).err().unwrap();
    assert!(error.to_string().contains("not empty"), "{error}");
}
