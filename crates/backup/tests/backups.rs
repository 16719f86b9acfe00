//! Backups and restores on both engines and between them: nothing is lost, nothing is copied twice, and what was
//! changed, cut or is another's is refused.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use backup::{Access, Backup, Draft, Error, Index, KeyError, Keys, Pool, Progress};
use blobs::{Blobs, Digest, ObjectKey, Owner};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use store::restore::{self, Restore, Target};
use store::testing::{TestStore, on_every_engine};
use store::{Scope, Store, Value, dump, settings, values};

const SCOPE: Scope<'static> = Scope::System("test");
const ID: &str = "00000000000000000000000000000042";

/// A key that seals by a checksum: enough to be the right one or not.
struct Key(u8);

impl Key {
    fn tag(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        let all = [&[self.0], purpose.as_bytes(), bytes].concat();
        Sha256::digest(all).into()
    }
}

impl Keys for Key {
    fn seal(&self, purpose: &'static str, bytes: &[u8]) -> Result<Vec<u8>, KeyError> {
        Ok([&self.tag(purpose, bytes)[..], bytes].concat())
    }

    fn open(&self, purpose: &'static str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (tag, bytes) = sealed.split_first_chunk::<32>()?;
        (*tag == self.tag(purpose, bytes)).then(|| bytes.to_vec())
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

struct World {
    store: Store,
    blobs: Blobs,
    folder: tempfile::TempDir,
}

impl World {
    async fn new(t: &TestStore) -> World {
        let folder = tempfile::tempdir().unwrap();
        let owner = Owner {
            database: t.store.id(),
            is_shared: false,
        };
        let blobs = Blobs::open_directory(folder.path().join("blobs"), owner).await;
        World {
            store: t.store.clone(),
            blobs: blobs.unwrap(),
            folder,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn pool(&self) -> PathBuf {
        self.path("backups")
    }

    /// Runs statements.
    async fn run(&self, statements: &[&'static str]) {
        let mut tx = self.store.write(SCOPE).await.unwrap();
        for sql in statements {
            tx.execute(sql, vec![]).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// Stores a blob with its row; its key.
    async fn blob(&self, content: &str, encryption: &str) -> ObjectKey {
        let stored = self.blobs.put_small(content.as_bytes()).await.unwrap();
        let digest = Digest::sha256_of(content.as_bytes()).to_string();
        let mut tx = self.store.write(SCOPE).await.unwrap();
        tx.execute(
            "INSERT INTO blobs (digest, encryption, size, stored_at, object_key) VALUES ($1, $2, $3, 1, $4)",
            values![
                digest,
                encryption,
                i64::try_from(content.len()).unwrap(),
                stored.key.to_string()
            ],
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
        stored.key
    }

    fn file(&self, key: &ObjectKey) -> PathBuf {
        self.path("blobs/blobs").join(key.to_string())
    }

    /// Rows of every kind: nulls, bytes, texts of all letters, numbers that were given to rows that are gone.
    async fn fill(&self) {
        self.run(&[
            "INSERT INTO accounts (id, name, alias, created_at) VALUES ('111122223333', 'a \"b\" \u{e9}', NULL, 7)",
            "INSERT INTO iam_entities (account, kind, name, name_folded, path, unique_id, created_at) \
             VALUES ('111122223333', 'user', 'Ana', 'ana', '/', 'AIDA1', 8)",
            "INSERT INTO iam_entities (account, kind, name, name_folded, path, unique_id, created_at) \
             VALUES ('111122223333', 'role', 'ci', 'ci', '/', 'AROA1', 8)",
            "DELETE FROM iam_entities WHERE name = 'ci'",
            "INSERT INTO repositories (account, region, name, created_at, tag_mutability, \
             tag_mutability_exclusions, scan_on_push, policy, image_count) \
             VALUES ('111122223333', 'us-east-1', 'app', 9, 'MUTABLE', '', 0, NULL, 0)",
            "INSERT INTO settings (name, value) VALUES ('kept', 'here')",
        ])
        .await;
        let mut tx = self.store.write(SCOPE).await.unwrap();
        for n in 0..40_i64 {
            let content: Vec<u8> = (0..=255).collect();
            tx.execute(
                "INSERT INTO images (repository_id, digest, media_type, content, content_size, image_size, pushed_at) \
                 VALUES (1, $1, 'x', $2, 256, 256, $3)",
                values![format!("sha256:{n:064}"), content, n],
            )
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
        self.blob("one", "").await;
        self.blob("two", "").await;
        self.blob("sealed", "key-1").await;
    }

    async fn draft(&self, id: &str) -> Draft {
        let pool = Pool::open(&self.pool(), Access::Write).unwrap();
        Draft::open(pool, id).await.unwrap()
    }

    async fn back_up(&self, id: &str, seconds: i64) -> (Index, Progress) {
        let draft = self.draft(id).await;
        draft
            .take_snapshot(&self.store, &Key(1), at(seconds))
            .await
            .unwrap();
        self.copy(draft).await
    }

    async fn copy(&self, draft: Draft) -> (Index, Progress) {
        let mut copying = draft.copies(&self.path("blobs")).unwrap();
        loop {
            let (next, more) = copying.step().await.unwrap();
            copying = next;
            if !more {
                break;
            }
        }
        let progress = copying.progress;
        (draft.finish(copying, &Key(1)).await.unwrap(), progress)
    }

    fn found(&self) -> (Pool, Backup) {
        let pool = Pool::open(&self.pool(), Access::Read).unwrap();
        let backup = pool.find(None).unwrap();
        (pool, backup)
    }

    async fn restore(&self, url: &str, blobs: &Path) -> Result<(), Error> {
        let (pool, backup) = self.found();
        backup.check(&Key(1))?;
        let restore = Restore::begin(url, &backup.index.schema_steps, ID).await?;
        backup.bring_back_copies(&pool, blobs, |_, _| {}).await?;
        backup.load_rows(&restore, ID).await?;
        Ok(restore.finish("{}").await?)
    }
}

/// All rows by table, in the order of their keys.
async fn rows(store: &Store) -> Vec<(String, Option<i64>, Vec<Vec<Value>>)> {
    let mut read = store.snapshot().await.unwrap();
    let conn = &mut read.conn();
    let mut found = Vec::new();
    for table in dump::tables(conn, store.engine()).await.unwrap() {
        let mut all: Vec<Vec<Value>> = Vec::new();
        loop {
            let last = all.last().map(Vec::as_slice);
            let page = dump::rows_after(conn, &table, last).await.unwrap();
            if page.is_empty() {
                break;
            }
            all.extend(page);
        }
        if table.name == "settings" {
            let own = ["store_id", "restore_pending"].map(Value::from);
            all.retain(|row| !own.contains(&row[0]));
        }
        found.push((table.name, table.last_number, all));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// A place for a database of an engine, without tables, or as a restore that did not finish leaves one.
async fn place(engine: &str) -> (String, Option<TestStore>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    if engine == "sqlite" {
        let url = format!("sqlite:{}", folder.path().join("new.db").display());
        return (url, None, folder);
    }
    let t = store::testing::postgres().await;
    let mut tx = t.store.write(SCOPE).await.unwrap();
    settings::put(&mut tx.conn(), "restore_unfinished", "x")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    (t.url.clone(), Some(t), folder)
}

#[on_every_engine]
async fn every_row_comes_back_on_either_engine(t: TestStore) {
    let w = World::new(&t).await;
    w.fill().await;
    let (index, _) = w.back_up("bak-1", 0).await;
    assert_eq!(index.blob_count, 3);
    let before = rows(&w.store).await;
    for engine in ["sqlite", "postgres"] {
        let (url, _kept, folder) = place(engine).await;
        let blobs = folder.path().join("blobs");
        fs::create_dir(&blobs).unwrap();
        w.restore(&url, &blobs).await.unwrap();
        let restored = Store::open(&url).await.unwrap();
        assert_eq!(restored.id(), ID);
        assert_ne!(restored.id(), w.store.id());
        assert_eq!(rows(&restored).await, before, "{engine}");
        // Numbers go on: what was given to a row that is gone is not given again.
        let mut tx = restored.write(SCOPE).await.unwrap();
        let sql = "INSERT INTO iam_entities (account, kind, name, name_folded, path, unique_id, created_at) \
             VALUES ('111122223333', 'role', 'new', 'new', '/', 'AROA2', 8) RETURNING id";
        assert_eq!(tx.fetch_one(sql, vec![]).await.unwrap().int(0).unwrap(), 3);
        drop(tx);
        restored.close().await;
        for content in ["one", "two"] {
            let digest = Digest::sha256_of(content.as_bytes()).to_string();
            let mut read = w.store.read().await.unwrap();
            let sql = "SELECT object_key FROM blobs WHERE digest = $1";
            let row = read.fetch_one(sql, values![digest]).await.unwrap();
            let file = blobs.join("blobs").join(row.text(0).unwrap());
            assert_eq!(fs::read(file).unwrap(), content.as_bytes());
        }
        // It is somebody's now.
        let again = w.restore(&url, &blobs).await.unwrap_err().to_string();
        assert!(again.contains("has tables"), "{again}");
        let found = restore::look_at(&url).await.unwrap();
        assert_eq!(found, Target::InUse(ID.to_owned()));
    }
}

#[on_every_engine]
async fn what_is_between_a_client_and_the_database_is_forgotten(t: TestStore) {
    let w = World::new(&t).await;
    w.run(&[
        "INSERT INTO accounts (id, name, created_at) VALUES ('111122223333', 'a', 7)",
        "INSERT INTO console_sessions (id, secret_hash, account, principal, sealed, created_at, used_at, ends_at) \
         VALUES ('s', CAST('h' AS BYTEA), '1', 'p', CAST('x' AS BYTEA), 1, 1, 1)",
        "INSERT INTO console_links (token_hash, account, ends_at) VALUES (CAST('h' AS BYTEA), '1', 9)",
        "INSERT INTO jobs (kind, subject, payload, revision, run_at, failures, lease_holder, lease_until) \
         VALUES ('k', 's', '', 1, 1, 0, 'node', 99)",
        "INSERT INTO settings (name, value) VALUES ('backup_hold', '99 bak-1')",
    ]
    .map(|sql| sqlite_words(&t, sql)))
    .await;
    w.back_up("bak-1", 0).await;
    let (url, _kept, folder) = place("sqlite").await;
    w.restore(&url, folder.path()).await.unwrap();
    let restored = Store::open(&url).await.unwrap();
    let mut read = restored.read().await.unwrap();
    for sql in [
        "SELECT count(*) FROM console_sessions",
        "SELECT count(*) FROM console_links",
        "SELECT count(*) FROM jobs WHERE lease_holder IS NOT NULL",
        "SELECT count(*) FROM settings WHERE name = 'backup_hold'",
    ] {
        let count = read.fetch_one(sql, vec![]).await.unwrap().int(0).unwrap();
        assert_eq!(count, 0, "{sql}");
    }
    let sql = "SELECT count(*) FROM jobs";
    assert_eq!(
        read.fetch_one(sql, vec![]).await.unwrap().int(0).unwrap(),
        1
    );
}

/// Bytes in the engine's words.
fn sqlite_words(t: &TestStore, sql: &'static str) -> &'static str {
    match t.store.engine() {
        store::Engine::Sqlite => Box::leak(sql.replace("BYTEA", "BLOB").into_boxed_str()),
        store::Engine::Postgres => sql,
    }
}

#[on_every_engine]
async fn the_snapshot_is_of_one_moment_while_others_write(t: TestStore) {
    let w = World::new(&t).await;
    w.fill().await;
    let before = rows(&w.store).await;
    let mut snapshot = w.store.snapshot().await.unwrap();
    let tables = dump::tables(&mut snapshot.conn(), w.store.engine())
        .await
        .unwrap();
    // A snapshot that has begun holds nobody up, and does not see what comes after it.
    w.run(&[
        "DELETE FROM images",
        "UPDATE repositories SET name = 'other'",
    ])
    .await;
    let images = tables.iter().find(|table| table.name == "images").unwrap();
    let page = dump::rows_after(&mut snapshot.conn(), images, None)
        .await
        .unwrap();
    let expected = before.iter().find(|(name, ..)| name == "images").unwrap();
    assert_eq!(page[..], expected.2[..page.len()]);
    assert!(!page.is_empty());
}

#[tokio::test]
async fn nothing_is_copied_twice() {
    let w = World::new(&store::testing::sqlite().await).await;
    w.fill().await;
    let (_, first) = w.back_up("bak-1", 0).await;
    assert_eq!((first.seen, first.new, first.linked), (3, 3, 3));
    let (_, second) = w.back_up("bak-2", 1).await;
    assert_eq!((second.seen, second.new, second.new_bytes), (3, 0, 0));
    let key = w.blob("three", "").await;
    let (_, third) = w.back_up("bak-3", 2).await;
    assert_eq!((third.seen, third.new, third.new_bytes), (4, 1, 5));
    // One that is cut in the directory of backups is brought again.
    let kept = w.pool().join("blobs").join(key.to_string());
    fs::remove_file(&kept).unwrap();
    fs::write(&kept, "th").unwrap();
    let (_, fourth) = w.back_up("bak-4", 3).await;
    assert_eq!((fourth.new, fourth.new_bytes), (1, 5));
    assert_eq!(fs::read(&kept).unwrap(), b"three");
}

#[tokio::test]
async fn what_is_missing_or_cut_at_the_server_is_said_and_does_not_stop_a_backup() {
    let w = World::new(&store::testing::sqlite().await).await;
    w.fill().await;
    let (gone, cut) = (w.blob("gone", "").await, w.blob("cut", "").await);
    fs::remove_file(w.file(&gone)).unwrap();
    fs::write(w.file(&cut), "c").unwrap();
    let (index, progress) = w.back_up("bak-1", 0).await;
    assert_eq!(
        (index.fault_count, progress.faults, progress.new),
        (2, 2, 3)
    );
    let (pool, backup) = w.found();
    let checked = backup.verify(&pool, Some(&Key(1))).unwrap();
    assert_eq!(
        (checked.is_whole(), checked.copies, checked.known_faults),
        (true, 3, 2)
    );
    // It is restored as it was.
    let (url, _kept, folder) = place("sqlite").await;
    w.restore(&url, folder.path()).await.unwrap();
}

#[tokio::test]
async fn changed_and_cut_backups_are_refused() {
    let w = World::new(&store::testing::sqlite().await).await;
    w.fill().await;
    w.back_up("bak-1", 0).await;
    let folder = w.pool().join("backups/bak-1");
    for name in [
        "rows.jsonl",
        "copies.jsonl",
        "SHA256SUMS",
        "seal",
        "index.json",
    ] {
        let path = folder.join(name);
        let whole = fs::read(&path).unwrap();
        let mut changed = whole.clone();
        let at = changed.len() / 2;
        changed[at] ^= 1;
        let cut = whole[..whole.len() - 2].to_vec();
        for bytes in [Some(changed), Some(cut), None] {
            match &bytes {
                Some(bytes) => fs::write(&path, bytes).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            let (url, _kept, target) = place("sqlite").await;
            let pool = Pool::open(&w.pool(), Access::Read).unwrap();
            let refused = match pool.find(None) {
                Ok(backup) => backup.check(&Key(1)),
                Err(error) => Err(error),
            };
            assert!(refused.is_err(), "{name} {}", bytes.is_some());
            assert!(fs::read_dir(target.path()).unwrap().next().is_none());
            assert_eq!(restore::look_at(&url).await.unwrap(), Target::Empty);
        }
        fs::write(&path, &whole).unwrap();
    }
    // Whoever writes the checksums too has no seal for them.
    let rows = folder.join("rows.jsonl");
    let text = fs::read_to_string(&rows).unwrap().replace("Ana", "Eve");
    fs::write(&rows, &text).unwrap();
    let sums = folder.join("SHA256SUMS");
    let line = format!("{}  rows.jsonl", hex::encode(Sha256::digest(&text)));
    let old = fs::read_to_string(&sums).unwrap();
    let lines = old
        .lines()
        .map(|found| match found.ends_with("rows.jsonl") {
            true => line.as_str(),
            false => found,
        });
    fs::write(
        &sums,
        lines.map(|line| format!("{line}\n")).collect::<String>(),
    )
    .unwrap();
    let (pool, backup) = w.found();
    assert!(backup.verify(&pool, None).unwrap().is_whole());
    let checked = backup.verify(&pool, Some(&Key(1))).unwrap();
    assert!(checked.wrong[0].contains("sealed"), "{checked:?}");
    let refused = backup.check(&Key(1)).unwrap_err().to_string();
    assert!(refused.contains("sealed"), "{refused}");
}

#[tokio::test]
async fn a_changed_copy_is_found_and_not_restored() {
    let w = World::new(&store::testing::sqlite().await).await;
    w.fill().await;
    w.back_up("bak-1", 0).await;
    let mut read = w.store.read().await.unwrap();
    let sql = "SELECT object_key FROM blobs";
    for row in read.fetch_all(sql, vec![]).await.unwrap() {
        let kept = w.pool().join("blobs").join(row.text(0).unwrap());
        let whole = fs::read(&kept).unwrap();
        // The file is shared with the server's: this is another one.
        let replace = |bytes: &[u8]| {
            fs::remove_file(&kept).unwrap();
            fs::write(&kept, bytes).unwrap();
        };
        let mut changed = whole.clone();
        changed[0] ^= 1;
        replace(&changed);
        let (pool, backup) = w.found();
        let checked = backup.verify(&pool, None).unwrap();
        assert!(checked.wrong[0].contains("is damaged"), "{checked:?}");
        let (url, _kept, folder) = place("sqlite").await;
        let refused = w
            .restore(&url, folder.path())
            .await
            .unwrap_err()
            .to_string();
        assert!(refused.contains("is damaged"), "{refused}");
        // No server runs on what there is.
        let refused = Store::open(&url).await.unwrap_err().to_string();
        assert!(refused.contains("did not finish"), "{refused}");
        // With the copy as it was, the restore begins anew and ends.
        replace(&whole);
        w.restore(&url, folder.path()).await.unwrap();
        Store::open(&url).await.unwrap().close().await;
    }
}

#[tokio::test]
async fn another_key_a_newer_schema_and_a_newer_form_are_refused() {
    let w = World::new(&store::testing::sqlite().await).await;
    w.fill().await;
    w.back_up("bak-1", 0).await;
    let (_, backup) = w.found();
    let refused = backup.check(&Key(2)).unwrap_err().to_string();
    assert!(
        refused.contains("the master key is not the one"),
        "{refused}"
    );
    let mut newer = backup.clone();
    newer.index.schema_steps.push("9999_future".to_owned());
    let refused = newer.check(&Key(1)).unwrap_err().to_string();
    assert!(
        refused.contains("9999_future") && refused.contains("newer"),
        "{refused}"
    );
    let (url, ..) = place("sqlite").await;
    let steps = newer.index.schema_steps;
    assert!(Restore::begin(&url, &steps, ID).await.is_err());
    let path = w.pool().join("backups/bak-1/index.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"format\": 1", "\"format\": 2")).unwrap();
    let pool = Pool::open(&w.pool(), Access::Read).unwrap();
    let refused = pool.find(None).unwrap_err().to_string();
    assert!(refused.contains("newer version"), "{refused}");
    fs::write(w.pool().join("berth-backups"), "2\n").unwrap();
    let refused = Pool::open(&w.pool(), Access::Write)
        .unwrap_err()
        .to_string();
    assert!(refused.contains("newer version"), "{refused}");
}

#[tokio::test]
async fn an_interrupted_backup_goes_on_where_it_was_and_is_none_before() {
    let w = World::new(&store::testing::sqlite().await).await;
    w.fill().await;
    // Before the snapshot.
    drop(w.draft("bak-1").await);
    // In it: what is there is no snapshot.
    let draft = w.draft("bak-1").await;
    fs::write(w.pool().join("unfinished/bak-1/rows.jsonl"), "{\"table\"").unwrap();
    assert!(!draft.has_snapshot().unwrap());
    let none = |w: &World| {
        let pool = Pool::open(&w.pool(), Access::Read).unwrap();
        assert!(pool.backups().unwrap().is_empty());
    };
    drop(draft);
    none(&w);
    // After it, and after copies.
    let draft = w.draft("bak-1").await;
    draft.take_snapshot(&w.store, &Key(1), at(0)).await.unwrap();
    drop(draft);
    none(&w);
    let draft = w.draft("bak-1").await;
    assert!(draft.has_snapshot().unwrap());
    let copying = draft.copies(&w.path("blobs")).unwrap();
    drop(copying.step().await.unwrap());
    drop(draft);
    none(&w);
    // What came after the snapshot is not in it.
    w.blob("later", "").await;
    let (index, progress) = w.copy(w.draft("bak-1").await).await;
    assert_eq!((index.blob_count, progress.seen, progress.new), (3, 3, 0));
    let (pool, backup) = w.found();
    assert!(backup.verify(&pool, Some(&Key(1))).unwrap().is_whole());
    drop(pool);
    // One that nobody goes on with is removed by the next.
    let draft = w.draft("bak-2").await;
    draft.take_snapshot(&w.store, &Key(1), at(1)).await.unwrap();
    drop(draft);
    w.back_up("bak-3", 2).await;
    assert!(!w.pool().join("unfinished/bak-2").exists());
}

#[tokio::test]
async fn pruning_removes_what_no_kept_backup_names() {
    let w = World::new(&store::testing::sqlite().await).await;
    w.fill().await;
    w.back_up("bak-1", 0).await;
    w.run(&["DELETE FROM blobs WHERE encryption = 'key-1'"])
        .await;
    w.back_up("bak-2", 1).await;
    w.blob("three", "").await;
    w.back_up("bak-3", 2).await;
    let prune = |keep| Pool::open(&w.pool(), Access::Write).and_then(|pool| pool.prune(keep));
    assert!(prune(0).is_err());
    let all = prune(3).unwrap();
    assert_eq!((all.backups.len(), all.copies), (0, 0));
    let pruned = prune(2).unwrap();
    assert_eq!(
        (pruned.backups, pruned.copies, pruned.bytes),
        (vec!["bak-1".to_owned()], 1, 6)
    );
    let files = |folder: &Path| {
        let mut found = 0;
        for prefix in fs::read_dir(folder).unwrap() {
            found += fs::read_dir(prefix.unwrap().path()).unwrap().count();
        }
        found
    };
    assert_eq!(
        files(&w.pool().join("blobs/objects")),
        3,
        "the checksum went too"
    );
    let pool = Pool::open(&w.pool(), Access::Read).unwrap();
    for backup in pool.backups().unwrap() {
        assert!(backup.verify(&pool, Some(&Key(1))).unwrap().is_whole());
    }
    drop(pool);
    // A backup that cannot be read might name everything: nothing goes.
    fs::write(w.pool().join("backups/bak-3/copies.jsonl"), "").unwrap();
    assert!(matches!(prune(1), Err(Error::Damaged { .. })));
    assert!(w.pool().join("backups/bak-2").exists());
}

#[tokio::test]
async fn one_writes_and_a_directory_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let pool = Pool::open(folder.path(), Access::Write).unwrap();
    for access in [Access::Read, Access::Write] {
        assert!(matches!(
            Pool::open(folder.path(), access),
            Err(Error::Busy(_))
        ));
    }
    drop(pool);
    let read = Pool::open(folder.path(), Access::Read).unwrap();
    assert!(Pool::open(folder.path(), Access::Read).is_ok());
    assert!(matches!(
        Pool::open(folder.path(), Access::Write),
        Err(Error::Busy(_))
    ));
    drop(read);
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("notes"), "x").unwrap();
    assert!(matches!(
        Pool::open(other.path(), Access::Write),
        Err(Error::Refused(_))
    ));
    assert!(matches!(
        Pool::open(other.path(), Access::Read),
        Err(Error::Refused(_))
    ));
}
