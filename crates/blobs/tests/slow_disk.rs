//! A disk whose syncs take long holds up no read and no other work of the process.
#![allow(clippy::unwrap_used)]

use std::io;
use std::sync::{Condvar, Mutex};

use blobs::{Blobs, Digest, Owner};
use bytes::Bytes;
use crash_points::Point;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

/// More than tokio has threads for work that blocks.
const PUSHES: usize = 700;
/// Syncs that wait at once.
const SYNCING: usize = 64;

/// The disk: whether it syncs, and how many syncs wait for it.
struct Disk {
    state: Mutex<(bool, usize)>,
    changed: Condvar,
}

static DISK: Disk = Disk {
    state: Mutex::new((true, 0)),
    changed: Condvar::new(),
};

impl Disk {
    fn sync(&self) {
        let mut state = self.state.lock().unwrap();
        state.1 += 1;
        self.changed.notify_all();
        drop(
            self.changed
                .wait_while(state, |(works, _)| !*works)
                .unwrap(),
        );
    }

    fn set(&self, works: bool) {
        let mut state = self.state.lock().unwrap();
        *state = (works, 0);
        self.changed.notify_all();
    }

    fn waiting(&self) -> usize {
        self.state.lock().unwrap().1
    }
}

fn whole(content: &Bytes) -> impl futures_util::Stream<Item = io::Result<Bytes>> + Send + use<> {
    stream::iter([Ok(content.clone())])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_are_served_while_no_sync_ends() {
    crash_points::observe(|point| {
        if point == Point::UploadWritten {
            DISK.sync();
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let owner = Owner {
        database: "test",
        is_shared: false,
    };
    let blobs = Blobs::open_directory(folder.path(), owner).await.unwrap();
    // Longer than what is read at once.
    let content = Bytes::from(vec![7; 3 << 20]);
    let digest = Digest::sha256_of(&content);
    let stored = blobs.put(&digest, whole(&content)).await.unwrap();

    DISK.set(false);
    let pushes: Vec<_> = (0..PUSHES)
        .map(|number| {
            let blobs = blobs.clone();
            let content = Bytes::from(format!("push {number}"));
            tokio::spawn(async move {
                let digest = Digest::sha256_of(&content);
                blobs.put(&digest, whole(&content)).await
            })
        })
        .collect();
    while DISK.waiting() < SYNCING {
        tokio::task::yield_now().await;
    }
    // The others come as far as they can, too.
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
    let source = blobs.open(&stored.key).await.unwrap().unwrap();
    let read: Vec<Bytes> = source
        .read_range(0..source.size())
        .try_collect()
        .await
        .unwrap();
    assert_eq!(read.concat(), content);
    assert_eq!(blobs.list().collect::<Vec<_>>().await.len(), 1);
    // Nor does it hold up what else blocks, such as the hashing of passwords.
    assert_eq!(tokio::task::spawn_blocking(|| 7).await.unwrap(), 7);
    assert!(DISK.waiting() == SYNCING && pushes.iter().all(|push| !push.is_finished()));

    DISK.set(true);
    for push in pushes {
        push.await.unwrap().unwrap();
    }
    assert_eq!(blobs.list().collect::<Vec<_>>().await.len(), PUSHES + 1);
}
