//! Backups that are asked for: one at a time, whole, and with a hold that the collection keeps to.

use std::path::PathBuf;

use crate::world::*;
use aws_api::berth::{BackupStatus, ListBackupsRequest};
use aws_api::ecr;
use backup::{Access, Draft, KeyError, Keys, Pool};
use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use registry::{Registry, RepositoryFacts};
use store::testing::{TestStore, on_every_engine};
use store::{backups, restore, settings};

const SERVICE: ServiceName = ServiceName::Backup;

/// What is sealed here is not looked at.
struct NoKey;

impl Keys for NoKey {
    fn seal(&self, _: &'static str, bytes: &[u8]) -> Result<Vec<u8>, KeyError> {
        Ok(bytes.to_vec())
    }

    fn open(&self, _: &'static str, sealed: &[u8]) -> Option<Vec<u8>> {
        Some(sealed.to_vec())
    }
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        Place {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("backups")
    }

    async fn world(&self, store: &TestStore) -> World {
        World::with(store, |settings| settings.backup_dir = Some(self.path())).await
    }
}

async fn run(w: &World, now: Timestamp) -> Result<(), registry::Error> {
    w.registry.run_backup(SERVICE, &NoKey, 0, &|| now).await
}

async fn collect(registry: &Registry, now: Timestamp) {
    let service = ServiceName::Maintenance;
    registry.link_foreign_layers(service, now).await.unwrap();
    while registry.collect(service, now).await.unwrap() < SignedDuration::from_secs(1) {}
}

async fn files(w: &World) -> usize {
    w.blobs.list().map(Result::unwrap).count().await
}

async fn delete(w: &World, repo: &RepositoryFacts, tag: &str) {
    let input = ecr::BatchDeleteImageRequest {
        repository_name: repo.name.to_string(),
        image_ids: vec![ecr::ImageIdentifier {
            image_tag: Some(tag.into()),
            ..ecr::ImageIdentifier::default()
        }],
        ..ecr::BatchDeleteImageRequest::default()
    };
    let answer = w.registry.batch_delete_image(&w.cx, input).await.unwrap();
    assert_eq!(answer.failures.unwrap(), []);
}

/// An image that is gone, whose layers the next collection after 26 hours deletes.
async fn with_a_layer_that_goes(w: &World) {
    let repo = w.repository("app").await;
    w.image(&repo, "v1", "content").await;
    delete(w, &repo, "v1").await;
    collect(&w.registry, w.later(1).now).await;
    assert_eq!(files(w).await, 2);
}

#[on_every_engine]
async fn one_is_taken_at_a_time_and_is_whole(store: TestStore) {
    let place = Place::new();
    let w = place.world(&store).await;
    let repo = w.repository("app").await;
    w.image(&repo, "v1", "content").await;
    let begun = w.registry.start_backup(&w.cx).await.unwrap().unwrap();
    assert_eq!(begun.status, BackupStatus::Running);
    assert!(w.registry.start_backup(&w.cx).await.unwrap().is_none());
    run(&w, w.cx.now).await.unwrap();
    let ended = w.registry.backup(&w.cx, &begun.backup_id).await;
    let ended = ended.unwrap().unwrap();
    assert_eq!(ended.status, BackupStatus::Complete);
    assert_eq!((ended.blob_count, ended.new_blob_count), (Some(2), Some(2)));
    assert_eq!(ended.taken_at, Some(w.cx.now));
    // Nothing waits: nothing is done.
    run(&w, w.cx.now).await.unwrap();
    let pool = Pool::open(&place.path(), Access::Read).unwrap();
    let found = pool.backups().unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].index.id, begun.backup_id);
    assert!(found[0].verify(&pool, Some(&NoKey)).unwrap().is_whole());
    drop(pool);
    let second = w.registry.start_backup(&w.cx).await.unwrap().unwrap();
    let stopped = w.registry.stop_backup(&w.cx, &second.backup_id).await;
    assert_eq!(stopped.unwrap().unwrap().status, BackupStatus::Stopped);
    run(&w, w.cx.now).await.unwrap();
    let input = ListBackupsRequest::default();
    let listed = w.registry.list_backups(&w.cx, input).await.unwrap();
    let ids: Vec<&str> = listed
        .backups
        .iter()
        .map(|one| one.backup_id.as_str())
        .collect();
    assert_eq!(ids, [second.backup_id.as_str(), begun.backup_id.as_str()]);
    let events = w.events(&store, "EndBackup").await;
    assert_eq!(
        (events.len(), &events[0]["status"]),
        (1, &"COMPLETE".into())
    );
    assert!(
        !backups::is_held(&mut store.store.read().await.unwrap().conn(), 0)
            .await
            .unwrap()
    );
}

/// Every order of a hold and a collection: what a snapshot names has its file until the hold ends.
#[on_every_engine]
async fn the_collection_keeps_to_the_hold(store: TestStore) {
    let place = Place::new();
    let w = place.world(&store).await;
    with_a_layer_that_goes(&w).await;
    let now = w.later(26).now;
    let hold = async |until: i64| {
        let mut tx = store.store.write(backups::SCOPE).await.unwrap();
        backups::hold(&mut tx.conn(), "bak-1", until).await.unwrap();
        tx.commit().await.unwrap();
    };
    hold(now.as_millisecond() + 1).await;
    // The snapshot of the backup, which names both files.
    let pool = Pool::open(&place.path(), Access::Write).unwrap();
    let draft = Draft::open(pool, "bak-1").await.unwrap();
    draft
        .take_snapshot(&store.store, &NoKey, now)
        .await
        .unwrap();
    collect(&w.registry, now).await;
    assert_eq!(files(&w).await, 2);
    let mut copying = draft.copies(w.blobs.directory()).unwrap();
    let mut more = true;
    while more {
        (copying, more) = copying.step().await.unwrap();
    }
    assert_eq!((copying.progress.new, copying.progress.faults), (2, 0));
    // A hold that nobody renews ends by itself.
    collect(&w.registry, w.later(28).now).await;
    assert_eq!(files(&w).await, 0);
}

/// A layer above this size is replaced when it is pushed again.
const REPLACED_BYTES: usize = (16 << 20) + 1;

/// The file of the copy that a push replaced has no row any more, and a snapshot from before still names it.
#[on_every_engine]
async fn a_copy_that_a_push_replaces_stays_under_the_hold(store: TestStore) {
    let place = Place::new();
    let w = place.world(&store).await;
    let repo = w.repository("app").await;
    let content = "x".repeat(REPLACED_BYTES);
    w.image(&repo, "v1", &content).await;
    // Files have the real time.
    let real = |hours: i64| Timestamp::now() + SignedDuration::from_hours(hours);
    let mut tx = store.store.write(backups::SCOPE).await.unwrap();
    let until = real(100).as_millisecond();
    let held = backups::hold(&mut tx.conn(), "bak-1", until).await;
    held.unwrap();
    tx.commit().await.unwrap();
    let pool = Pool::open(&place.path(), Access::Write).unwrap();
    let draft = Draft::open(pool, "bak-1").await.unwrap();
    let taken = draft.take_snapshot(&store.store, &NoKey, real(0)).await;
    taken.unwrap();
    w.layer(&repo, &content).await;
    assert_eq!(files(&w).await, 3, "the configuration, and two copies");
    collect(&w.registry, real(50)).await;
    assert_eq!(files(&w).await, 3);
    let mut copying = draft.copies(w.blobs.directory()).unwrap();
    let mut more = true;
    while more {
        (copying, more) = copying.step().await.unwrap();
    }
    assert_eq!((copying.progress.new, copying.progress.faults), (2, 0));
    collect(&w.registry, real(150)).await;
    assert_eq!(files(&w).await, 2, "the hold is over");
}

#[on_every_engine]
async fn a_backup_whose_hold_lapsed_takes_its_snapshot_anew(store: TestStore) {
    let place = Place::new();
    let w = place.world(&store).await;
    with_a_layer_that_goes(&w).await;
    let begun = w.registry.start_backup(&w.cx).await.unwrap().unwrap();
    // A node takes the snapshot and dies.
    let mut tx = store.store.write(backups::SCOPE).await.unwrap();
    let soon = w.later(26).now.as_millisecond();
    backups::hold(&mut tx.conn(), &begun.backup_id, soon)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let pool = Pool::open(&place.path(), Access::Write).unwrap();
    let draft = Draft::open(pool, &begun.backup_id).await.unwrap();
    draft
        .take_snapshot(&store.store, &NoKey, w.later(1).now)
        .await
        .unwrap();
    drop(draft);
    // The collection goes on once the hold is over, and what the snapshot names is gone.
    collect(&w.registry, w.later(27).now).await;
    assert_eq!(files(&w).await, 0);
    run(&w, w.later(28).now).await.unwrap();
    let ended = w.registry.backup(&w.cx, &begun.backup_id).await;
    let ended = ended.unwrap().unwrap();
    assert_eq!(
        (ended.status, ended.fault_count),
        (BackupStatus::Complete, Some(0))
    );
    assert_eq!(
        (ended.blob_count, ended.taken_at),
        (Some(0), Some(w.later(28).now))
    );
}

#[on_every_engine]
async fn a_backup_goes_on_under_its_hold_and_a_directory_of_something_else_fails(store: TestStore) {
    let place = Place::new();
    let w = place.world(&store).await;
    let repo = w.repository("app").await;
    w.image(&repo, "v1", "content").await;
    std::fs::create_dir(place.path()).unwrap();
    std::fs::write(place.path().join("notes"), "x").unwrap();
    let begun = w.registry.start_backup(&w.cx).await.unwrap().unwrap();
    run(&w, w.cx.now).await.unwrap();
    let failed = w.registry.backup(&w.cx, &begun.backup_id).await;
    let failed = failed.unwrap().unwrap();
    assert_eq!(failed.status, BackupStatus::Failed);
    assert!(failed.failure_reason.unwrap().contains("other files"));
    std::fs::remove_file(place.path().join("notes")).unwrap();
    // Another process works there: it is tried again, and ends.
    let held = Pool::open(&place.path(), Access::Write).unwrap();
    let begun = w.registry.start_backup(&w.cx).await.unwrap().unwrap();
    assert!(run(&w, w.cx.now).await.is_err());
    drop(held);
    run(&w, w.cx.now).await.unwrap();
    let ended = w.registry.backup(&w.cx, &begun.backup_id).await;
    assert_eq!(ended.unwrap().unwrap().status, BackupStatus::Complete);
}

#[on_every_engine]
async fn a_restored_registry_rests_until_it_is_told_on_every_node(store: TestStore) {
    let mut tx = store.store.write(backups::SCOPE).await.unwrap();
    let pending = r#"{"backupId":"bak-1","takenAt":1000,"restoredAt":2000}"#;
    settings::put(&mut tx.conn(), restore::PENDING, pending)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let w = World::new(&store).await;
    let (other, ..) = w.another_node(true, w.cx.now).await;
    assert!(w.registry.is_resting() && other.is_resting());
    let restore = w.registry.pending_restore(&w.cx).await.unwrap().unwrap();
    assert_eq!(
        (restore.backup_id.as_str(), restore.taken_at.as_second()),
        ("bak-1", 1)
    );
    // The backup's next collection is far away.
    let mut tx = store.store.write(store::jobs::SCOPE).await.unwrap();
    let (kind, later) = (registry::COLLECTION_JOB, w.cx.now_ms() + 3_600_000);
    store::jobs::put(&mut tx.conn(), kind, "all", "", later)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(w.registry.finish_restore(&w.cx).await.unwrap().is_some());
    assert!(w.registry.finish_restore(&w.cx).await.unwrap().is_none());
    let mut read = store.store.read().await.unwrap();
    let sql = "SELECT run_at FROM jobs WHERE kind = $1";
    let row = read.fetch_one(sql, store::values![kind]).await.unwrap();
    assert_eq!(row.int(0).unwrap(), w.cx.now_ms());
    drop(read);
    w.registry.rested().await;
    assert!(!w.registry.is_resting() && other.is_resting());
    assert!(!other.look_whether_resting().await.unwrap());
    other.rested().await;
}
