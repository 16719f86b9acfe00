//! Uploads as their callers see them.
#![allow(clippy::unwrap_used)]

use std::io;
use std::path::Path;
use std::sync::Arc;

use blobs::{
    AppendError, Blobs, Digest, EncryptionKey, FinishError, ObjectKey, OpenError, Owner, PutError,
    Source, StartError, StoreError, UploadId, UploadState, Verified,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tempfile::TempDir;

/// Of a directory that several servers share: the tests open it more than once.
const OWNER: Owner<'static> = Owner {
    database: "test",
    is_shared: true,
};

const ID: UploadId = UploadId::from_random([1; 16]);

fn content(len: usize) -> Vec<u8> {
    // A period that no buffer's size divides.
    (0..len)
        .map(|at| (at % 251) as u8 ^ (at / 251) as u8)
        .collect()
}

/// The bytes in chunks of the given sizes, which repeat.
fn chunks(
    bytes: &[u8],
    sizes: &[usize],
) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin + use<> {
    let mut rest = Bytes::copy_from_slice(bytes);
    let mut parts = Vec::new();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        parts.push(Ok(rest.split_to((*size).clamp(1, rest.len()))));
    }
    stream::iter(parts)
}

fn whole(bytes: &[u8]) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin + use<> {
    chunks(bytes, &[64 * 1024])
}

fn cut(
    bytes: &[u8],
    sizes: &[usize],
) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin + use<> {
    let end = stream::iter([Err(io::ErrorKind::ConnectionReset.into())]);
    chunks(bytes, sizes).chain(end)
}

fn key(id: u8) -> Arc<EncryptionKey> {
    Arc::new(EncryptionKey::new([id; 16], &[id; 32]))
}

async fn read(file: &Source) -> Vec<u8> {
    let chunks: Vec<Bytes> = file.read_range(0..file.size()).try_collect().await.unwrap();
    chunks.concat()
}

async fn read_blob(blobs: &Blobs, key: &ObjectKey) -> Vec<u8> {
    read(&blobs.open(key).await.unwrap().unwrap()).await
}

/// Every file of an upload or a blob under the folder, relative.
fn files(root: &Path) -> Vec<String> {
    fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                found.push(path.strip_prefix(root).unwrap().display().to_string());
            }
        }
    }
    let mut found = Vec::new();
    walk(root, root, &mut found);
    found.retain(|name| name != "database" && name != "lock");
    found.sort();
    found
}

async fn store() -> (TempDir, Blobs) {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open_directory(folder.path(), OWNER).await.unwrap();
    (folder, blobs)
}

#[tokio::test]
async fn an_upload_in_parts_becomes_a_blob_and_leaves_nothing_else() {
    let (folder, blobs) = store().await;
    let bytes = content(9 * 1024 * 1024 + 17);
    let digest = Digest::sha256_of(&bytes);
    let (first, second) = bytes.split_at(5 * 1024 * 1024 + 3);

    blobs.start_upload(&ID).await.unwrap();
    assert_eq!(blobs.upload_size(&ID).await.unwrap(), Some(0));
    let offset = blobs.append(&ID, 0, whole(first)).await.unwrap();
    assert_eq!(offset, first.len() as u64);
    assert_eq!(blobs.upload_size(&ID).await.unwrap(), Some(offset));
    assert_eq!(
        files(folder.path()).len(),
        2,
        "the bytes and the hash state"
    );
    let end = blobs.append(&ID, offset, whole(second)).await.unwrap();
    let finished = blobs.finish(&ID, &digest).await.unwrap();

    assert_eq!((finished.digest, finished.size), (digest, end));
    assert_eq!(blobs.stat(&finished.key).await.unwrap(), Some(end));
    assert_eq!(read_blob(&blobs, &finished.key).await, bytes);
    assert_eq!(files(folder.path()), [format!("blobs/{}", finished.key)]);
    assert_eq!(blobs.upload_size(&ID).await.unwrap(), None);
}

#[tokio::test]
async fn a_start_needs_a_free_id() {
    let (_folder, blobs) = store().await;
    blobs.start_upload(&ID).await.unwrap();
    blobs.append(&ID, 0, whole(b"kept")).await.unwrap();
    assert!(matches!(
        blobs.start_upload(&ID).await,
        Err(StartError::Exists(ID))
    ));
    assert_eq!(blobs.upload_size(&ID).await.unwrap(), Some(4));
}

#[tokio::test]
async fn an_unknown_upload_is_unknown_everywhere() {
    let (folder, blobs) = store().await;
    let digest = Digest::sha256_of(b"");
    assert!(matches!(
        blobs.append(&ID, 0, whole(b"x")).await,
        Err(AppendError::Unknown(ID))
    ));
    assert!(matches!(
        blobs.finish(&ID, &digest).await,
        Err(FinishError::Unknown(ID))
    ));
    assert_eq!(blobs.upload_size(&ID).await.unwrap(), None);
    assert!(!blobs.cancel(&ID).await.unwrap());
    assert!(files(folder.path()).is_empty());
}

#[tokio::test]
async fn a_part_begins_where_the_upload_ends() {
    let (_folder, blobs) = store().await;
    blobs.start_upload(&ID).await.unwrap();
    blobs.append(&ID, 0, whole(b"0123456789")).await.unwrap();
    for wrong in [0, 9, 11, u64::MAX] {
        let refused = blobs.append(&ID, wrong, whole(b"x")).await;
        let Err(AppendError::OffsetMismatch { expected, actual }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!((expected, actual), (wrong, 10));
    }
    blobs.append(&ID, 10, whole(b"!")).await.unwrap();
    blobs
        .finish(&ID, &Digest::sha256_of(b"0123456789!"))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_wrong_digest_leaves_nothing() {
    let (folder, blobs) = store().await;
    let expected = Digest::sha256_of(b"something else");
    let bytes = content(6 * 1024 * 1024);
    blobs.start_upload(&ID).await.unwrap();
    blobs.append(&ID, 0, whole(&bytes)).await.unwrap();
    let refused = blobs.finish(&ID, &expected).await;
    let Err(FinishError::DigestMismatch {
        expected: named,
        actual,
    }) = refused
    else {
        panic!("{refused:?}");
    };
    assert_eq!((named, actual), (expected, Digest::sha256_of(&bytes)));
    for len in [100, 3 * 1024 * 1024] {
        let refused = blobs.put(&expected, whole(&bytes[..len])).await;
        assert!(
            matches!(refused, Err(PutError::DigestMismatch { .. })),
            "{refused:?}"
        );
        let refused = blobs.put(&expected, cut(&bytes[..len], &[10_000])).await;
        assert!(matches!(refused, Err(PutError::Body(_))), "{refused:?}");
    }
    assert!(files(folder.path()).is_empty());
}

#[tokio::test]
async fn a_cancelled_upload_leaves_nothing() {
    let (folder, blobs) = store().await;
    let bytes = content(5 * 1024 * 1024);
    blobs.start_upload(&ID).await.unwrap();
    blobs.append(&ID, 0, whole(&bytes)).await.unwrap();
    assert_eq!(files(folder.path()).len(), 2, "bytes and hash state");
    assert!(blobs.cancel(&ID).await.unwrap());
    assert!(!blobs.cancel(&ID).await.unwrap());
    assert!(files(folder.path()).is_empty());
    assert!(matches!(
        blobs.append(&ID, bytes.len() as u64, whole(b"x")).await,
        Err(AppendError::Unknown(ID))
    ));
}

#[tokio::test]
async fn only_one_request_writes_to_an_upload() {
    let (_folder, blobs) = store().await;
    blobs.start_upload(&ID).await.unwrap();
    let (sender, receiver) = futures_channel();
    let writing = tokio::spawn({
        let blobs = blobs.clone();
        async move { blobs.append(&ID, 0, receiver).await }
    });
    // The first request has it once it has taken two chunks, of a channel that holds one.
    for _ in 0..3 {
        sender.send(Ok(Bytes::from_static(b"abc"))).await.unwrap();
    }
    assert!(matches!(
        blobs.append(&ID, 0, whole(b"x")).await,
        Err(AppendError::Busy(ID))
    ));
    let digest = Digest::sha256_of(b"abcabcabc");
    assert!(matches!(
        blobs.finish(&ID, &digest).await,
        Err(FinishError::Busy(ID))
    ));
    assert_eq!(blobs.upload_size(&ID).await.unwrap(), Some(0));
    drop(sender);
    assert_eq!(writing.await.unwrap().unwrap(), 9);
    blobs.finish(&ID, &digest).await.unwrap();
}

/// A channel of one chunk, as a stream.
fn futures_channel() -> (
    tokio::sync::mpsc::Sender<io::Result<Bytes>>,
    impl Stream<Item = io::Result<Bytes>> + Send + Unpin,
) {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    (sender, stream::poll_fn(move |cx| receiver.poll_recv(cx)))
}

#[tokio::test]
async fn a_dropped_request_releases_the_upload() {
    let (_folder, blobs) = store().await;
    let bytes = content(3 * 1024 * 1024);
    blobs.start_upload(&ID).await.unwrap();
    {
        let endless = whole(&bytes[..2 * 1024 * 1024]).chain(stream::pending());
        let mut append = Box::pin(blobs.append(&ID, 0, endless));
        // Let it come as far as it comes in some polls, then drop it.
        for _ in 0..20 {
            std::future::poll_fn(|cx| {
                assert!(append.as_mut().poll(cx).is_pending());
                std::task::Poll::Ready(())
            })
            .await;
            tokio::task::yield_now().await;
        }
    }
    // Its last write may still be under way on the pool: then the upload is busy, for a moment.
    let offset = loop {
        let offset = blobs.upload_size(&ID).await.unwrap().unwrap();
        match blobs
            .append(&ID, offset, whole(&bytes[offset as usize..]))
            .await
        {
            Ok(end) => break end,
            Err(AppendError::Busy(_) | AppendError::OffsetMismatch { .. }) => {
                tokio::task::yield_now().await;
            }
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(offset, bytes.len() as u64);
    blobs.finish(&ID, &Digest::sha256_of(&bytes)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_finish_the_same_digest_at_once() {
    let (folder, blobs) = store().await;
    let bytes = content(700_000);
    let digest = Digest::sha256_of(&bytes);
    let mut running = tokio::task::JoinSet::new();
    for number in 0..16_u8 {
        let (blobs, bytes) = (blobs.clone(), bytes.clone());
        running.spawn(async move {
            if number % 2 == 0 {
                return blobs.put(&digest, whole(&bytes)).await.unwrap();
            }
            let id = UploadId::from_random([number; 16]);
            blobs.start_upload(&id).await.unwrap();
            blobs.append(&id, 0, whole(&bytes)).await.unwrap();
            blobs.finish(&id, &digest).await.unwrap()
        });
    }
    let mut keys = Vec::new();
    while let Some(finished) = running.join_next().await {
        let finished = finished.unwrap();
        assert_eq!(finished.size, bytes.len() as u64);
        assert_eq!(read_blob(&blobs, &finished.key).await, bytes);
        keys.push(format!("blobs/{}", finished.key));
    }
    // Each has a copy of its own: which of them stays is the database's to say.
    keys.sort();
    assert_eq!(files(folder.path()), keys);
}

/// Another process goes on from the state that the first one kept, without reading the bytes before it.
#[tokio::test]
async fn a_process_goes_on_from_a_kept_state() {
    let (folder, first) = store().await;
    let second = Blobs::open_directory(folder.path(), OWNER).await.unwrap();
    first.start_upload(&ID).await.unwrap();
    first.append(&ID, 0, whole(b"hello, ")).await.unwrap();
    let state = first.upload_state(&ID).unwrap();
    assert!(first.holds_upload(&ID) && !second.holds_upload(&ID));
    // The state is what counts: it goes on from `hello, ` although the file was changed behind its back.
    std::fs::write(folder.path().join(format!("uploads/{ID}")), b"HELLO, ").unwrap();
    assert!(second.resume_upload(&ID, state).await.unwrap());
    second.append(&ID, 7, whole(b"world")).await.unwrap();
    let digest = Digest::sha256_of(b"hello, world");
    let received = second.complete(&ID, &digest).await.unwrap();
    assert_eq!((received.digest(), received.size()), (digest, 12));
}

/// A state that is none, or of more bytes than there are, is not used.
#[tokio::test]
async fn a_state_that_does_not_fit_costs_hashing_again() {
    let (folder, first) = store().await;
    first.start_upload(&ID).await.unwrap();
    first.append(&ID, 0, whole(b"hello, world")).await.unwrap();
    let longer = first.upload_state(&ID).unwrap();
    let mut damaged = longer.as_bytes().to_vec();
    damaged[20] ^= 1;
    std::fs::write(folder.path().join(format!("uploads/{ID}")), b"hello, ").unwrap();
    for state in [
        longer,
        UploadState::from_bytes(damaged),
        UploadState::from_bytes(vec![]),
    ] {
        let other = Blobs::open_directory(folder.path(), OWNER).await.unwrap();
        assert!(other.resume_upload(&ID, state).await.unwrap());
        assert_eq!(other.upload_size(&ID).await.unwrap(), Some(7));
        let received = other.complete(&ID, &Digest::sha256_of(b"hello, ")).await;
        drop(received.unwrap());
    }
    let unknown = UploadId::from_random([9; 16]);
    let state = UploadState::from_bytes(vec![]);
    assert!(!first.resume_upload(&unknown, state).await.unwrap());
}

#[tokio::test]
async fn received_bytes_are_stored_discarded_or_stay_in_the_upload() {
    let (folder, blobs) = store().await;
    let bytes = content(2 * 1024 * 1024);
    let digest = Digest::sha256_of(&bytes);
    blobs.start_upload(&ID).await.unwrap();
    blobs.append(&ID, 0, whole(&bytes)).await.unwrap();

    let received = blobs.complete(&ID, &digest).await.unwrap();
    assert_eq!(
        (received.digest(), received.size()),
        (digest, bytes.len() as u64)
    );
    assert!(matches!(
        blobs.complete(&ID, &digest).await,
        Err(FinishError::Busy(_))
    ));
    drop(received);
    assert_eq!(
        blobs.upload_size(&ID).await.unwrap(),
        Some(bytes.len() as u64)
    );
    blobs
        .complete(&ID, &digest)
        .await
        .unwrap()
        .discard()
        .await
        .unwrap();
    assert_eq!(blobs.upload_size(&ID).await.unwrap(), None);

    for len in [1_000, bytes.len()] {
        let digest = Digest::sha256_of(&bytes[..len]);
        drop(blobs.receive(&digest, whole(&bytes[..len])).await.unwrap());
        let received = blobs.receive(&digest, whole(&bytes[..len])).await.unwrap();
        received.discard().await.unwrap();
    }
    assert_eq!(files(folder.path()), [""; 0]);
}

#[tokio::test]
async fn an_upload_that_is_cancelled_while_it_is_received_is_gone() {
    let (folder, blobs) = store().await;
    let digest = Digest::sha256_of(b"x");
    blobs.start_upload(&ID).await.unwrap();
    blobs.append(&ID, 0, whole(b"x")).await.unwrap();
    let received = blobs.complete(&ID, &digest).await.unwrap();
    assert!(blobs.cancel(&ID).await.unwrap());
    assert!(matches!(received.store().await, Err(StoreError::Gone)));
    assert_eq!(files(folder.path()), [""; 0]);
}

#[tokio::test]
async fn a_copy_of_version_0_1_is_read_and_deleted_by_its_path() {
    let (folder, blobs) = store().await;
    let digest = Digest::sha512_of(b"old");
    let key = ObjectKey::of_digest(digest);
    let path = folder.path().join(format!("blobs/{key}"));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, b"old").unwrap();
    assert_eq!(read_blob(&blobs, &key).await, b"old");
    let new = blobs.put(&digest, whole(b"old")).await.unwrap();
    assert_ne!(new.key, key);
    assert!(blobs.delete(&key).await.unwrap());
    assert!(!path.exists());
    assert_eq!(read_blob(&blobs, &new.key).await, b"old");
}

#[tokio::test]
async fn a_directory_has_one_database() {
    let folder = tempfile::tempdir().unwrap();
    let open = async |database: &str, is_shared| {
        let owner = Owner {
            database,
            is_shared,
        };
        Blobs::open_directory(folder.path().join("a/b"), owner).await
    };
    let first = open("one", true).await.unwrap();
    open("one", true).await.unwrap();
    let other = open("two", true).await;
    assert!(
        matches!(&other, Err(OpenError::AnotherDatabase { found, expected }) if found == "one" && expected == "two"),
        "{other:?}"
    );
    assert!(matches!(open("one", false).await, Err(OpenError::InUse)));
    drop(first);
    let alone = open("one", false).await.unwrap();
    assert!(matches!(open("one", false).await, Err(OpenError::InUse)));
    assert!(matches!(open("one", true).await, Err(OpenError::InUse)));
    drop(alone);
    assert!(matches!(
        open("two", false).await,
        Err(OpenError::AnotherDatabase { .. })
    ));
}

#[tokio::test]
async fn sha512_where_a_client_asks_for_it() {
    let (_folder, blobs) = store().await;
    for len in [0, 1000, 1024 * 1024 + 1] {
        let bytes = content(len);
        let digest = Digest::sha512_of(&bytes);
        if len != 1000 {
            let stored = blobs.put(&digest, whole(&bytes)).await.unwrap();
            assert_eq!(read_blob(&blobs, &stored.key).await, bytes);
            assert!(blobs.delete(&stored.key).await.unwrap());
        }
        blobs.start_upload(&ID).await.unwrap();
        blobs.append(&ID, 0, whole(&bytes)).await.unwrap();
        let stored = blobs.finish(&ID, &digest).await.unwrap();
        assert_eq!(read_blob(&blobs, &stored.key).await, bytes);
    }
}

/// How an upload may go: its length, the sizes of its chunks, where it is cut, after which cut another
/// process goes on, and whether that one finds the saved hash state.
#[derive(Debug, Clone)]
struct Course {
    bytes: Vec<u8>,
    sizes: Vec<usize>,
    cuts: Vec<usize>,
    new_process: Vec<bool>,
    lose_state: bool,
    is_encrypted: bool,
}

fn course() -> impl Strategy<Value = Course> {
    let len = prop_oneof![
        0_usize..5_000,
        400_000_usize..1_400_000,
        4_000_000_usize..5_000_000
    ];
    let sizes = prop::collection::vec(prop_oneof![500_usize..5_000, 1_usize..200_000], 1..8);
    let cuts = prop::collection::vec(any::<prop::sample::Index>(), 0..4);
    let new_process = prop::collection::vec(any::<bool>(), 4);
    let switches = any::<(bool, bool)>();
    (len, sizes, cuts, new_process, switches).prop_map(
        |(len, sizes, cuts, new_process, (lose_state, is_encrypted))| {
            let mut cuts: Vec<usize> = cuts.iter().map(|at| at.index(len + 1)).collect();
            cuts.sort_unstable();
            Course {
                bytes: content(len),
                sizes,
                cuts,
                new_process,
                lose_state,
                is_encrypted,
            }
        },
    )
}

#[test]
fn any_chunking_and_any_cut_give_the_same_blob() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    // One folder for all cases: a new one makes its 256 folders.
    let folder = tempfile::tempdir().unwrap();
    let mut runner = TestRunner::new(ProptestConfig::with_cases(64));
    runner
        .run(&course(), |course| {
            runtime.block_on(follow(folder.path(), course));
            Ok(())
        })
        .unwrap();
}

async fn follow(folder: &Path, course: Course) {
    let Course {
        bytes, sizes, cuts, ..
    } = course;
    let digest = Digest::sha256_of(&bytes);
    let is_encrypted = course.is_encrypted;
    let open = async || {
        let blobs = Blobs::open_directory(folder, OWNER).await.unwrap();
        match is_encrypted {
            true => blobs.encrypted(key(1)),
            false => blobs,
        }
    };
    let mut blobs = open().await;
    blobs.start_upload(&ID).await.unwrap();
    let mut at = 0;
    for (cut_at, another) in cuts.into_iter().zip(course.new_process) {
        let refused = blobs
            .append(&ID, at as u64, cut(&bytes[at..cut_at], &sizes))
            .await;
        let Err(AppendError::Body { offset, .. }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(offset, cut_at as u64);
        at = cut_at;
        if another {
            // What another process finds: the disk, and nothing of ours.
            blobs = open().await;
            if course.lose_state {
                let _ = std::fs::remove_file(folder.join(format!("uploads/{ID}.state")));
            }
            assert_eq!(blobs.upload_size(&ID).await.unwrap(), Some(offset));
        }
    }
    blobs
        .append(&ID, at as u64, chunks(&bytes[at..], &sizes))
        .await
        .unwrap();
    let finished = blobs.finish(&ID, &digest).await.unwrap();
    assert_eq!(finished.size, bytes.len() as u64);
    assert_eq!(read_blob(&blobs, &finished.key).await, bytes);
    assert_eq!(files(folder).len(), 1);

    // And in one go.
    assert!(blobs.delete(&finished.key).await.unwrap());
    let again = blobs.put(&digest, chunks(&bytes, &sizes)).await.unwrap();
    assert_eq!((again.digest, again.size), (finished.digest, finished.size));
    assert_eq!(read_blob(&blobs, &again.key).await, bytes);
    assert_eq!(files(folder).len(), 1);
    assert!(blobs.delete(&again.key).await.unwrap());
}

#[tokio::test]
async fn nothing_of_an_encrypted_upload_stands_on_the_disk_in_clear() {
    let (folder, plain) = store().await;
    let blobs = plain.encrypted(key(1));
    let secret = b"a secret that is long enough to be found";
    let bytes = secret.repeat(30_000);
    let digest = Digest::sha256_of(&bytes);
    blobs.start_upload(&ID).await.unwrap();
    let half = bytes.len() / 2 + 7;
    blobs.append(&ID, 0, whole(&bytes[..half])).await.unwrap();
    let is_shown = |path: &Path| {
        let file = std::fs::read(path).unwrap();
        file.windows(8).any(|shown| shown == &secret[..8])
    };
    for file in files(folder.path()) {
        assert!(!is_shown(&folder.path().join(file)));
    }
    let at = half as u64;
    blobs.append(&ID, at, whole(&bytes[half..])).await.unwrap();
    let stored = blobs.finish(&ID, &digest).await.unwrap();
    assert_eq!(blobs.stat(&stored.key).await.unwrap(), Some(stored.size));
    assert!(!is_shown(
        &folder.path().join(format!("blobs/{}", stored.key))
    ));
    // Neither without the key nor with another one.
    let other = plain.encrypted(key(2)).open(&stored.key).await;
    assert!(other.unwrap_err().to_string().contains("another key"));
    assert_ne!(read_blob(&plain, &stored.key).await, bytes);
    assert_eq!(read_blob(&blobs, &stored.key).await, bytes);
}

#[tokio::test]
async fn what_a_crash_cut_off_an_encrypted_upload_is_sent_again() {
    let (folder, plain) = store().await;
    let blobs = plain.encrypted(key(1));
    let bytes = content(400_000);
    blobs.start_upload(&ID).await.unwrap();
    blobs.append(&ID, 0, whole(&bytes)).await.unwrap();
    let path = folder.path().join(format!("uploads/{ID}"));
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    // The last record, of 6,784 bytes, is torn; then one in the middle is not what was written.
    file.set_len(file.metadata().unwrap().len() - 1).unwrap();
    let next = Blobs::open_directory(folder.path(), OWNER).await.unwrap();
    let next = next.encrypted(key(1));
    let at = next.upload_size(&ID).await.unwrap().unwrap();
    assert_eq!(at, 6 * 65_536);
    std::os::unix::fs::FileExt::write_all_at(&file, &[0; 16], 3 * 65_568 + 500).unwrap();
    let refused = next.append(&ID, at, whole(&bytes[6 * 65_536..])).await;
    let Err(AppendError::OffsetMismatch { actual, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(actual, 3 * 65_536);
    let rest = &bytes[3 * 65_536..];
    next.append(&ID, actual, whole(rest)).await.unwrap();
    let digest = Digest::sha256_of(&bytes);
    let stored = next.finish(&ID, &digest).await.unwrap();
    assert_eq!(read_blob(&next, &stored.key).await, bytes);
}

#[tokio::test]
async fn a_damaged_encrypted_copy_gives_no_bytes() {
    let (folder, plain) = store().await;
    let blobs = plain.encrypted(key(1));
    let bytes = content(200_000);
    let stored = blobs.put_small(&bytes).await.unwrap();
    let path = folder.path().join(format!("blobs/{}", stored.key));
    let whole = std::fs::read(&path).unwrap();
    let mut changed = whole.clone();
    changed[100_000] ^= 1;
    std::fs::write(&path, &changed).unwrap();
    let source = blobs.open(&stored.key).await.unwrap().unwrap();
    let read: Result<Vec<Bytes>, _> = source.read_range(0..200_000).try_collect().await;
    assert_eq!(read.unwrap_err().kind(), io::ErrorKind::InvalidData);
    let verified = blobs.verify(&stored.key, &stored.digest).await.unwrap();
    let size = bytes.len() as u64;
    assert_eq!(verified, Verified::Damaged { actual: None, size });
    for cut in [0, 10, 100, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(blobs.stat(&stored.key).await.unwrap(), Some(0));
        assert!(blobs.open(&stored.key).await.is_err());
        let verified = blobs.verify(&stored.key, &stored.digest).await.unwrap();
        let size = 0;
        assert_eq!(verified, Verified::Damaged { actual: None, size });
    }
}
