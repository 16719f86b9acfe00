//! Checks and repairs, judged by damage that is seeded: exact counts, nothing else touched, a dry run that leaves every
//! byte as it was, a second run that finds nothing, and repairs that are interrupted at every step.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::damage::{cut, file_of, flip};
use crate::world::*;
use aws_api::ecr::{EncryptionConfiguration, EncryptionType};
use blobs::Digest;
use jiff::Timestamp;
use registry::RepositoryFacts;
use registry::integrity::FindingKind::*;
use registry::integrity::{Check, Finding, FindingKind};
use serde_json::{Value, json};
use store::testing::{TestStore, on_every_engine};
use store::values;

pub const SERVICE: ServiceName = ServiceName::Maintenance;

/// How to damage a registry.
pub enum Seed {
    /// The file of the layer with this content.
    File(&'static str, fn(&Path)),
    /// A new file among the blobs.
    New(&'static str),
    Sql(&'static str),
}

pub type Counts = &'static [(FindingKind, usize)];

/// What each seed makes a dry run find, and a repair, where that is something else: what a repair sets right first
/// explains what a dry run finds later. The last is which tables a repair may change.
pub struct Row {
    pub name: &'static str,
    pub seed: Seed,
    found: Counts,
    repaired: Option<Counts>,
    tables: &'static [&'static str],
}

const fn row(
    name: &'static str,
    seed: Seed,
    found: Counts,
    tables: &'static [&'static str],
) -> Row {
    Row {
        name,
        seed,
        found,
        repaired: None,
        tables,
    }
}

pub fn remove(path: &Path) {
    fs::remove_file(path).unwrap();
}

pub fn rows() -> Vec<Row> {
    vec![
        row(
            "lost",
            Seed::File("one", remove),
            &[(LostFile, 1)],
            &["blobs"],
        ),
        row(
            "short",
            Seed::File("one", cut),
            &[(WrongSize, 1)],
            &["blobs"],
        ),
        row(
            "changed",
            Seed::File("one", flip),
            &[(WrongBytes, 1)],
            &["blobs"],
        ),
        row(
            "encrypted and lost",
            Seed::File("secret", remove),
            &[(LostFile, 1)],
            &["blobs"],
        ),
        row(
            "encrypted and short",
            Seed::File("secret", cut),
            &[(WrongSize, 1)],
            &["blobs"],
        ),
        row(
            "encrypted and changed",
            Seed::File("secret", |path| {
                let mut bytes = fs::read(path).unwrap();
                // In the record: behind the header's 84 bytes, and its own length and nonce.
                bytes[84 + 16] ^= 1;
                fs::write(path, bytes).unwrap();
            }),
            &[(WrongBytes, 1)],
            &["blobs"],
        ),
        row(
            "a file without a row",
            Seed::New("objects/00/000000000000000000000000000000ff"),
            &[(UnknownFile, 1)],
            &[],
        ),
        row(
            "a stray file",
            Seed::New("objects/00/notes.txt"),
            &[(StrayFile, 1)],
            &[],
        ),
        row(
            "a mark on what is whole",
            Seed::Sql("UPDATE blobs SET damaged_at = 1 WHERE encryption <> ''"),
            &[(WrongMark, 2)],
            &["blobs"],
        ),
        row(
            "a mark on a manifest that is whole",
            Seed::Sql("UPDATE images SET damaged_at = 1 WHERE media_type LIKE '%index%'"),
            &[(WrongMark, 1)],
            &["images"],
        ),
        row(
            "a changed manifest",
            Seed::Sql(
                "UPDATE images SET content = annotated.content FROM (SELECT content FROM images \
                       WHERE media_type LIKE '%index%') AS annotated WHERE id = (SELECT MIN(id) FROM images)",
            ),
            &[(WrongManifest, 1)],
            &["images"],
        ),
        Row {
            repaired: Some(&[(ManifestSize, 1)]),
            ..row(
                "a manifest's length",
                Seed::Sql(
                    "UPDATE images SET content_size = content_size + 1 WHERE id = (SELECT MIN(id) FROM images)",
                ),
                &[(ManifestSize, 1), (UsageObject, 1)],
                &["images"],
            )
        },
        Row {
            repaired: Some(&[(MissingLayer, 1)]),
            ..row(
                "a lost link",
                Seed::Sql("DELETE FROM layers WHERE size = 6"),
                &[(MissingLayer, 1), (LayerBytes, 1), (UsageObject, 1)],
                &["layers"],
            )
        },
        Row {
            repaired: Some(&[(LinkSize, 1)]),
            ..row(
                "a link's length",
                Seed::Sql("UPDATE layers SET size = size + 1 WHERE size = 6"),
                &[(LinkSize, 1), (LayerBytes, 1), (UsageObject, 1)],
                &["layers"],
            )
        },
        row(
            "a layer that an image needs is not noted",
            Seed::Sql("DELETE FROM image_layers WHERE image_id = (SELECT MIN(id) FROM images)"),
            &[(UnnotedLayer, 2)],
            &["image_layers"],
        ),
        row(
            "an image that a list needs is not noted",
            Seed::Sql("DELETE FROM image_children"),
            &[(UnnotedChild, 1)],
            &["image_children"],
        ),
        row(
            "an image that no search finds",
            Seed::Sql("DELETE FROM image_facts WHERE image_id = (SELECT MIN(id) FROM images)"),
            &[(SearchEntry, 1)],
            &["image_facts"],
        ),
        row(
            "an image without terms",
            Seed::Sql("DELETE FROM image_terms WHERE image_id = (SELECT MIN(id) FROM images)"),
            &[(SearchEntry, 1)],
            &["image_facts"],
        ),
        row(
            "a tag on an image of another repository",
            Seed::Sql(
                "UPDATE image_tags SET image_id = (SELECT MAX(i.id) FROM images i JOIN repositories r \
                 ON r.id = i.repository_id WHERE r.name = 'other') WHERE tag = 'v1' \
                       AND repository_id = (SELECT MIN(id) FROM repositories)",
            ),
            &[(WrongTag, 1)],
            &["image_tags"],
        ),
        row(
            "a tag's registry",
            Seed::Sql("UPDATE image_tags SET registry = 'x' WHERE tag = 'list'"),
            &[(TagRegistry, 1)],
            &["image_tags"],
        ),
        row(
            "a number of images",
            Seed::Sql("UPDATE repositories SET image_count = image_count + 3 WHERE name = 'app'"),
            &[(ImageCount, 1)],
            &["repositories"],
        ),
        row(
            "a number of bytes",
            Seed::Sql("UPDATE repositories SET layer_bytes = 0 WHERE name = 'app'"),
            &[(LayerBytes, 1)],
            &["repositories"],
        ),
        row(
            "what is not counted",
            Seed::Sql("DELETE FROM usage_objects WHERE size = 6"),
            &[(UsageObject, 1), (UsageTotal, 2)],
            &["usage_stored"],
        ),
        row(
            "a total",
            Seed::Sql("UPDATE usage_stored SET stored = stored + 1 WHERE subject = 'a'"),
            &[(UsageTotal, 1)],
            &["usage_stored"],
        ),
    ]
}

/// The registry that is damaged: an image that two repositories share, a list, an encrypted image.
pub struct Victim<'a> {
    pub w: World,
    store: &'a TestStore,
}

impl<'a> Victim<'a> {
    pub async fn new(store: &'a TestStore) -> Victim<'a> {
        let w = World::new(store).await;
        let key = w.keys.add(store, 7).await;
        w.repository("app").await;
        w.repository("other").await;
        w.create("private", |input| {
            input.encryption_configuration = Some(EncryptionConfiguration {
                encryption_type: EncryptionType::Kms,
                kms_key: Some(key),
            });
        })
        .await
        .unwrap();
        let victim = Victim { w, store };
        victim.push().await;
        let registry = &victim.w.registry;
        registry
            .link_foreign_layers(SERVICE, victim.w.cx.now)
            .await
            .unwrap();
        victim
    }

    /// Pushes everything, again where it was damaged, and lets the jobs do what they do.
    pub async fn push(&self) {
        let w = &self.w;
        let (app, other, private) = (
            w.facts("app").await,
            w.facts("other").await,
            w.facts("private").await,
        );
        let one = self.image(&app, "v1", "one").await;
        self.image(&other, "v1", "one").await;
        self.image(&private, "v1", "secret").await;
        let size = self.manifest(&app, "one").await.to_string().len();
        let list = json!({
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [{"mediaType": OCI_MANIFEST, "digest": one.to_string(), "size": size}],
        });
        w.put(&app, "list", &list).await.unwrap();
        while w.registry.count_usage(SERVICE, w.cx.now).await.unwrap() {}
        while w.registry.index_images(SERVICE).await.unwrap() {}
    }

    async fn manifest(&self, repo: &RepositoryFacts, content: &str) -> Value {
        self.w.manifest(repo, content).await
    }

    async fn image(&self, repo: &RepositoryFacts, tag: &str, content: &str) -> Digest {
        let manifest = self.manifest(repo, content).await;
        self.w.put(repo, tag, &manifest).await.unwrap()
    }

    fn blobs(&self) -> PathBuf {
        self.w.folder.path().join("blobs")
    }

    pub async fn damage(&self, seed: &Seed) {
        match seed {
            Seed::File(content, damage) => {
                let digest = Digest::sha256_of(content.as_bytes()).to_string();
                damage(&file_of(&self.w, self.store, &digest).await);
            }
            Seed::New(path) => fs::write(self.blobs().join(path), b"lost").unwrap(),
            Seed::Sql(sql) => {
                let scope = store::Scope::System("damage");
                let mut tx = self.store.store.write(scope).await.unwrap();
                assert!(tx.execute(sql, values![]).await.unwrap() > 0, "{sql}");
                tx.commit().await.unwrap();
            }
        }
    }

    /// A whole check; an error where it was interrupted.
    pub async fn run(&self, mut check: Check) -> Result<Vec<Finding>, registry::Error> {
        let mut findings = Vec::new();
        while !check.is_done() {
            let now = self.w.cx.now;
            findings.extend(self.w.registry.check_step(SERVICE, &mut check, now).await?);
        }
        Ok(findings)
    }

    pub async fn dry_run(&self) -> Vec<Finding> {
        self.run(Check::new(false, true)).await.unwrap()
    }

    /// All files that are there, with their bytes.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn walk(folder: &Path, into: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => walk(&path, into),
                    false => drop(into.insert(path.clone(), fs::read(&path).unwrap())),
                }
            }
        }
        let mut files = BTreeMap::new();
        walk(self.w.folder.path(), &mut files);
        files
    }

    /// The rows of each table that a check reads.
    async fn rows(&self) -> BTreeMap<&'static str, Vec<String>> {
        let mut all = BTreeMap::new();
        let mut read = self.store.store.read().await.unwrap();
        for (table, sql) in TABLES {
            let rows = read.fetch_all(sql, values![]).await.unwrap();
            let text = |row: &store::Row| row.text(0).unwrap();
            let mut rows: Vec<String> = rows.iter().map(text).collect();
            rows.sort_unstable();
            all.insert(table, rows);
        }
        let sql = "SELECT id, content FROM images ORDER BY id";
        let rows = read.fetch_all(sql, values![]).await.unwrap();
        let content = |row: &store::Row| format!("{:?}", row.bytes(1).unwrap());
        all.insert("manifests", rows.iter().map(content).collect());
        all
    }
}

/// Each row as a text.
const TABLES: [(&str, &str); 11] = [
    (
        "repositories",
        "SELECT name || ' ' || image_count || ' ' || layer_bytes FROM repositories",
    ),
    (
        "blobs",
        "SELECT digest || encryption || size || object_key || stored_at || ' ' || COALESCE(damaged_at, 0) FROM blobs",
    ),
    (
        "layers",
        "SELECT repository_id || digest || encryption || size || ' ' || linked_at FROM layers",
    ),
    (
        "images",
        "SELECT repository_id || digest || media_type || content_size || ' ' || image_size || status || \
         COALESCE(damaged_at, 0) FROM images",
    ),
    (
        "image_layers",
        "SELECT image_id || digest || repository_id FROM image_layers",
    ),
    (
        "image_children",
        "SELECT image_id || digest || repository_id FROM image_children",
    ),
    (
        "image_tags",
        "SELECT repository_id || tag || ' ' || image_id || registry FROM image_tags",
    ),
    (
        "image_facts",
        "SELECT image_id || registry || indexed FROM image_facts",
    ),
    (
        "image_terms",
        "SELECT registry || kind || term || image_id FROM image_terms",
    ),
    (
        "usage_objects",
        "SELECT registry || digest || repository_id || ' ' || size FROM usage_objects",
    ),
    (
        "usage_stored",
        "SELECT registry || subject || ' ' || stored || ' ' || shared FROM usage_stored",
    ),
];

pub fn counts(findings: &[Finding]) -> BTreeMap<FindingKind, usize> {
    let mut counts = BTreeMap::new();
    for finding in findings {
        *counts.entry(finding.kind).or_default() += 1;
    }
    counts
}

pub fn expected(counts: Counts) -> BTreeMap<FindingKind, usize> {
    counts.iter().copied().collect()
}

#[on_every_engine]
async fn a_registry_that_is_whole_has_no_findings(store: TestStore) {
    let victim = Victim::new(&store).await;
    let mut check = Check::new(false, true);
    while !check.is_done() {
        let now = victim.w.cx.now;
        let found = victim.w.registry.check_step(SERVICE, &mut check, now).await;
        assert_eq!(found.unwrap(), []);
    }
    let totals = check.totals;
    assert_eq!((totals.copies, totals.files), (4, 4));
    assert_eq!((totals.images, totals.tags, totals.repositories), (4, 4, 3));
    assert_eq!((totals.known, totals.unread), (0, 0));
}

#[on_every_engine]
async fn each_damage_is_found_once_repaired_and_gone(store: TestStore) {
    let victim = Victim::new(&store).await;
    for row in rows() {
        let name = row.name;
        assert_eq!(victim.dry_run().await, [], "before {name}");
        let whole = (victim.files(), victim.rows().await);
        victim.damage(&row.seed).await;
        let damaged = (victim.files(), victim.rows().await);
        assert!(whole != damaged, "{name}");

        let found = victim.dry_run().await;
        assert_eq!(counts(&found), expected(row.found), "{name}: {found:?}");
        assert!(found.iter().all(|one| !one.is_repaired), "{name}");
        assert!(
            (victim.files(), victim.rows().await) == damaged,
            "{name}: a dry run changes nothing"
        );

        let repaired = victim.run(Check::new(true, true)).await.unwrap();
        let counted = expected(row.repaired.unwrap_or(row.found));
        assert_eq!(counts(&repaired), counted, "{name}: {repaired:?}");
        assert!(
            repaired.iter().all(|one| one.is_repaired),
            "{name}: {repaired:?}"
        );
        assert_eq!(
            victim.dry_run().await,
            [],
            "{name}: a second run finds nothing"
        );

        // Nothing is deleted: what is gone from its place is in the quarantine, byte for byte.
        let after = victim.files();
        for (path, bytes) in &damaged.0 {
            match after.get(path) {
                Some(there) => assert!(there == bytes, "{name}: {path:?} is another"),
                None => assert!(
                    after.values().any(|there| there == bytes),
                    "{name}: {path:?} is lost"
                ),
            }
        }
        let is_of_files = matches!(row.seed, Seed::File(..) | Seed::New(_));
        assert!(
            is_of_files || after == damaged.0,
            "{name}: files are touched"
        );
        for (table, rows) in victim.rows().await {
            let is_repaired = row.tables.contains(&table);
            // What is set right is as it was before, as is what was never damaged.
            assert!(
                is_repaired || rows == whole.1[table] || rows == damaged.1[table],
                "{name}: {table}"
            );
        }
        victim.push().await;
    }
}

#[on_every_engine]
async fn a_repair_that_is_killed_at_any_step_is_harmless(store: TestStore) {
    let victim = Victim::new(&store).await;
    for row in rows() {
        let name = row.name;
        let mut at = 0;
        loop {
            victim.damage(&row.seed).await;
            let points = Arc::new(AtomicUsize::new(0));
            let mut check = Check::new(true, true);
            let counted = Arc::clone(&points);
            check.interrupt = Some(Arc::new(move || {
                counted.fetch_add(1, Ordering::Relaxed) == at
            }));
            let interrupted = victim.run(check).await.is_err();
            let before = victim.files();
            victim.run(Check::new(true, true)).await.unwrap();
            let after = victim.files();
            assert!(
                before
                    .values()
                    .all(|bytes| after.values().any(|there| there == bytes)),
                "{name} {at}"
            );
            assert_eq!(victim.dry_run().await, [], "{name}, killed at {at}");
            victim.push().await;
            assert_eq!(
                victim.dry_run().await,
                [],
                "{name}, killed at {at} and pushed again"
            );
            if !interrupted {
                assert!(at > 0, "{name} is repaired in no step");
                break;
            }
            at += 1;
        }
    }
}

/// What a list lacks only a push brings.
#[on_every_engine]
async fn a_missing_child_is_told_and_left(store: TestStore) {
    let victim = Victim::new(&store).await;
    victim
        .damage(&Seed::Sql(
            "DELETE FROM images WHERE id = (SELECT MIN(id) FROM images)",
        ))
        .await;
    let repaired = victim.run(Check::new(true, true)).await.unwrap();
    let missing: Vec<_> = repaired.iter().filter(|one| !one.is_repaired).collect();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].kind, MissingChild);
    assert_eq!(
        counts(&victim.dry_run().await),
        expected(&[(MissingChild, 1)])
    );
    victim.push().await;
    assert_eq!(victim.dry_run().await, []);
}

/// A key that is disabled hides what is encrypted under it, and is no damage.
#[on_every_engine]
async fn copies_under_a_disabled_key_are_not_read(store: TestStore) {
    let victim = Victim::new(&store).await;
    victim.w.keys.disable();
    let mut check = Check::new(true, true);
    while !check.is_done() {
        let now = victim.w.cx.now;
        let found = victim.w.registry.check_step(SERVICE, &mut check, now).await;
        assert_eq!(found.unwrap(), []);
    }
    assert_eq!((check.totals.copies, check.totals.unread), (2, 2));
}

/// What a push leaves for a moment between its file and its row is no finding of a check beside it.
#[on_every_engine]
async fn a_young_file_without_a_row_is_an_upload(store: TestStore) {
    let victim = Victim::new(&store).await;
    victim
        .damage(&Seed::New("objects/00/000000000000000000000000000000ff"))
        .await;
    let mut check = Check::new(true, false);
    let mut findings = Vec::new();
    let now = Timestamp::now();
    while !check.is_done() {
        findings.extend(
            victim
                .w
                .registry
                .check_step(SERVICE, &mut check, now)
                .await
                .unwrap(),
        );
    }
    assert_eq!(findings, []);
}
