//! Reading, listing, verifying, deleting, sweeping.
#![allow(clippy::unwrap_used)]

use std::io;
use std::sync::Arc;

use blobs::{
    AppendError, BlobFile, Blobs, Digest, EncryptionKey, Listed, ObjectKey, Owner, Source,
    UploadId, Verified,
};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tempfile::TempDir;

/// Of a directory that several servers share: the tests open it more than once.
const OWNER: Owner<'static> = Owner {
    database: "test",
    is_shared: true,
};

async fn store() -> (TempDir, Blobs) {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open_directory(folder.path(), OWNER).await.unwrap();
    (folder, blobs)
}

fn bytes_of(source: &Source) -> &BlobFile {
    match source {
        Source::File(file) => file,
        other => panic!("{other:?}"),
    }
}

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 249) as u8).collect()
}

fn one(bytes: &'static [u8]) -> impl futures_util::Stream<Item = io::Result<Bytes>> + Send {
    stream::iter([Ok(Bytes::from_static(bytes))])
}

#[tokio::test]
async fn an_open_blob_outlives_its_deletion() {
    let (_folder, blobs) = store().await;
    let bytes = content(1_000_000);
    let key = blobs.put_small(&bytes).await.unwrap().key;
    let file = blobs.open(&key).await.unwrap().unwrap();
    let mut reading = file.read_range(0..file.size());
    let first = reading.next().await.unwrap().unwrap();
    assert!(blobs.delete(&key).await.unwrap());
    assert!(!blobs.delete(&key).await.unwrap());
    assert!(blobs.open(&key).await.unwrap().is_none());
    assert_eq!(blobs.stat(&key).await.unwrap(), None);
    let rest: Vec<Bytes> = reading.try_collect().await.unwrap();
    assert_eq!([first, rest.concat().into()].concat(), bytes);
}

#[tokio::test]
async fn a_blob_that_lost_its_end_is_an_error_not_a_short_answer() {
    let (folder, blobs) = store().await;
    let bytes = content(600_000);
    let key = blobs.put_small(&bytes).await.unwrap().key;
    let file = blobs.open(&key).await.unwrap().unwrap();
    let path = folder.path().join(format!("blobs/{key}"));
    std::fs::OpenOptions::new()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(400_000)
        .unwrap();
    let mut reading = file.read_range(0..file.size());
    assert_eq!(reading.next().await.unwrap().unwrap().len(), 256 * 1024);
    let error = reading.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert!(reading.next().await.is_none());
}

#[tokio::test]
async fn read_all_is_bounded() {
    let (_folder, blobs) = store().await;
    for len in [0, 1, 256 * 1024, 700_000] {
        let bytes = content(len);
        let key = blobs.put_small(&bytes).await.unwrap().key;
        let file = blobs.open(&key).await.unwrap().unwrap();
        assert_eq!(bytes_of(&file).read_all(len).await.unwrap(), bytes);
        if len > 0 {
            let error = bytes_of(&file).read_all(len - 1).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        }
    }
}

#[tokio::test]
async fn the_list_is_whole_and_in_order() {
    let (folder, blobs) = store().await;
    let mut expected = Vec::new();
    for number in 0..300_u32 {
        let text = number.to_string();
        let stored = blobs.put_small(text.as_bytes()).await.unwrap();
        expected.push((stored.key, stored.size));
    }
    // Copies that version 0.1 stored are listed by their paths.
    for digest in [Digest::sha256_of(b"old"), Digest::sha512_of(b"old")] {
        let key = ObjectKey::of_digest(digest);
        let path = folder.path().join(format!("blobs/{key}"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, b"old").unwrap();
        expected.push((key, 3));
    }
    expected.sort();
    // Unknown files are passed over.
    for name in ["readme", &"f".repeat(32)] {
        std::fs::write(folder.path().join("blobs/objects/00").join(name), "x").unwrap();
    }
    let listed: Vec<Listed> = blobs.list().try_collect().await.unwrap();
    let told: Vec<_> = listed.iter().map(|blob| (blob.key, blob.size)).collect();
    assert_eq!(told, expected);
    assert!(listed.iter().all(|blob| blob.stored_ms > 1_500_000_000_000));
}

#[tokio::test]
async fn verify_finds_a_changed_byte() {
    let (folder, blobs) = store().await;
    let mut bytes = content(900_000);
    let stored = blobs.put_small(&bytes).await.unwrap();
    let (key, digest, size) = (stored.key, stored.digest, stored.size);
    assert_eq!(
        blobs.verify(&key, &digest).await.unwrap(),
        Verified::Whole { size }
    );
    bytes[800_000] ^= 1;
    std::fs::write(folder.path().join(format!("blobs/{key}")), &bytes).unwrap();
    let actual = Some(Digest::sha256_of(&bytes));
    assert_eq!(
        blobs.verify(&key, &digest).await.unwrap(),
        Verified::Damaged { actual, size }
    );
    let unknown = ObjectKey::from_random([9; 16]);
    assert_eq!(
        blobs.verify(&unknown, &digest).await.unwrap(),
        Verified::Missing
    );
}

#[tokio::test]
async fn a_start_sweeps_uploads_that_cannot_be_resumed() {
    let (folder, blobs) = store().await;
    let (live, dead, busy) = ([1; 16], [2; 16], [3; 16]);
    let [live, dead, busy] = [live, dead, busy].map(UploadId::from_random);
    let bytes = content(5_000_000);
    for id in [live, dead] {
        blobs.start_upload(&id).await.unwrap();
        let part = stream::iter([Ok::<_, io::Error>(Bytes::from(bytes.clone()))]);
        blobs.append(&id, 0, part).await.unwrap();
    }
    let uploads = folder.path().join("uploads");
    let orphan = UploadId::from_random([4; 16]);
    std::fs::write(uploads.join(format!("{orphan}.state")), "x").unwrap();
    std::fs::write(uploads.join("stranger"), "x").unwrap();

    // The next process. Another one writes to an upload meanwhile.
    blobs.start_upload(&busy).await.unwrap();
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let writing = tokio::spawn(async move {
        let part = stream::poll_fn(move |cx| receiver.poll_recv(cx));
        blobs.append(&busy, 0, part).await
    });
    for _ in 0..3 {
        sender
            .send(Ok::<_, io::Error>(Bytes::from_static(b"abc")))
            .await
            .unwrap();
    }
    let next = Blobs::open_directory(folder.path(), OWNER).await.unwrap();
    let mut listed = next.list_uploads().await.unwrap();
    listed.sort();
    assert_eq!(listed, [live, dead, busy]);
    assert!(matches!(
        next.append(&busy, 0, one(b"x")).await,
        Err(AppendError::Busy(_))
    ));
    let swept = next.sweep_uploads(move |id| *id == live).await.unwrap();
    assert_eq!(
        swept.files, 4,
        "bytes and state of the dead one, the orphan, the stranger"
    );
    let mut left: Vec<String> = std::fs::read_dir(&uploads)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(
        left,
        [live.to_string(), format!("{live}.state"), busy.to_string()]
    );
    assert_eq!(next.upload_size(&dead).await.unwrap(), None);

    drop(sender);
    assert_eq!(writing.await.unwrap().unwrap(), 9);
    next.finish(&busy, &Digest::sha256_of(b"abcabcabc"))
        .await
        .unwrap();
    next.finish(&live, &Digest::sha256_of(&bytes))
        .await
        .unwrap();
    assert_eq!(std::fs::read_dir(&uploads).unwrap().count(), 0);
}

#[tokio::test]
async fn a_sweep_always_removes_temporary_files_of_a_killed_put() {
    let (folder, blobs) = store().await;
    let uploads = folder.path().join("uploads");
    let bytes = content(3_000_000);
    let digest = Digest::sha256_of(&bytes);
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let putting = tokio::spawn(async move {
        let part = stream::poll_fn(move |cx| receiver.poll_recv(cx));
        blobs.put(&digest, part).await
    });
    // All but a bit: more than is held back in memory.
    let (most, rest) = bytes.split_at(2_900_000);
    for piece in most.chunks(100_000) {
        let piece = Ok::<_, io::Error>(Bytes::copy_from_slice(piece));
        sender.send(piece).await.unwrap();
    }
    let names = || -> Vec<String> {
        let entries = std::fs::read_dir(&uploads).unwrap();
        let name = |entry: io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
        entries
            .map(|entry| name(entry).into_string().unwrap())
            .collect()
    };
    let [living] = names().try_into().unwrap();
    assert!(living.starts_with("tmp-"), "{living}");
    // The same of a process that was killed, with a saved hash state: nobody holds its lock.
    let dead = "tmp-00000000-0000-8000-8000-000000000000";
    std::fs::write(uploads.join(dead), &bytes).unwrap();
    std::fs::write(uploads.join(format!("{dead}.state")), "x").unwrap();

    let next = Blobs::open_directory(folder.path(), OWNER).await.unwrap();
    assert_eq!(next.list_uploads().await.unwrap(), []);
    let swept = next.sweep_uploads(|_| true).await.unwrap();
    assert_eq!((swept.files, swept.bytes), (2, 3_000_001));
    assert_eq!(names(), [living]);

    sender.send(Ok(Bytes::copy_from_slice(rest))).await.unwrap();
    drop(sender);
    assert_eq!(putting.await.unwrap().unwrap().digest, digest);
    assert!(names().is_empty());
}

#[test]
fn looking_at_an_upload_keeps_nobody_from_it() {
    // One worker, so that what it is busy with holds up all others.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    let hold_up = || {
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || receiver.recv());
        sender
    };
    fn is_begun(asking: std::pin::Pin<&mut impl Future>) -> bool {
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        asking.poll(&mut cx).is_pending()
    }
    runtime.block_on(async {
        let (_folder, blobs) = store().await;
        let id = UploadId::from_random([9; 16]);
        assert!(!blobs.has_upload(&id).await.unwrap());
        blobs.start_upload(&id).await.unwrap();
        let held_up = hold_up();
        let mut is_there = std::pin::pin!(blobs.has_upload(&id));
        let mut length = std::pin::pin!(blobs.upload_size(&id));
        assert!(is_begun(is_there.as_mut()) && is_begun(length.as_mut()));
        drop(held_up);
        assert_eq!(blobs.append(&id, 0, one(b"abc")).await.unwrap(), 3);
        assert!(is_there.await.unwrap());
        assert!(length.await.unwrap().is_some());
        blobs.cancel(&id).await.unwrap();
        assert!(!blobs.has_upload(&id).await.unwrap());
    });
}

#[tokio::test]
async fn another_process_continues_an_upload() {
    let (folder, here) = store().await;
    let there = Blobs::open_directory(folder.path(), OWNER).await.unwrap();
    let id = UploadId::from_random([9; 16]);
    here.start_upload(&id).await.unwrap();
    assert_eq!(here.append(&id, 0, one(b"one ")).await.unwrap(), 4);
    assert_eq!(there.append(&id, 4, one(b"two ")).await.unwrap(), 8);
    assert_eq!(here.append(&id, 8, one(b"three")).await.unwrap(), 13);
    let digest = Digest::sha256_of(b"one two three");
    let stored = there.finish(&id, &digest).await.unwrap();
    // The file that is open here has become a blob: nothing more may go into it.
    assert!(matches!(
        here.append(&id, 13, one(b"!")).await,
        Err(AppendError::Unknown(_))
    ));
    assert_eq!(
        here.verify(&stored.key, &digest).await.unwrap(),
        Verified::Whole { size: 13 }
    );
}

#[test]
fn any_range_is_that_of_the_bytes() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    // One store for all cases: opening a new one makes its 256 folders.
    let (_folder, plain) = runtime.block_on(store());
    let encrypted = plain.encrypted(Arc::new(EncryptionKey::new([1; 16], &[1; 32])));
    let input = (
        any::<bool>(),
        0_usize..1_200_000,
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
    );
    type Input = (bool, usize, prop::sample::Index, prop::sample::Index);
    let check = |(is_encrypted, len, a, b): Input| {
        let blobs = if is_encrypted { &encrypted } else { &plain };
        let bytes = content(len);
        // Beyond the end too.
        let (a, b) = (a.index(len + 10), b.index(len + 10));
        let expected = bytes.get(a..b.min(len)).unwrap_or_default().to_vec();
        runtime.block_on(async {
            let key = blobs.put_small(&bytes).await.unwrap().key;
            let file = blobs.open(&key).await.unwrap().unwrap();
            prop_assert_eq!(file.size(), len as u64);
            let read: Vec<Bytes> = file
                .read_range(a as u64..b as u64)
                .try_collect()
                .await
                .unwrap();
            prop_assert!(read.concat() == expected);
            Ok(())
        })
    };
    let mut runner = TestRunner::new(ProptestConfig::with_cases(64));
    runner.run(&input, check).unwrap();
}
