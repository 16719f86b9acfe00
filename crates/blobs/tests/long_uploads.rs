//! Uploads that are long enough to go past the page cache.
#![allow(clippy::unwrap_used)]

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use blobs::{Blobs, Digest, EncryptionKey, Owner, UploadId};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};

const ID: UploadId = UploadId::from_random([1; 16]);
/// What comes after 32 MiB is written directly.
const BYTES: usize = 40 * 1024 * 1024 + 1234;
/// What is gathered before it is written.
const BATCH_BYTES: usize = 1024 * 1024;
/// As a network brings them.
const CHUNK_BYTES: usize = 60_001;

async fn open(folder: &Path, key: Option<&Arc<EncryptionKey>>) -> Blobs {
    let owner = Owner {
        database: "test",
        is_shared: true,
    };
    let blobs = Blobs::open_directory(folder, owner).await.unwrap();
    match key {
        Some(key) => blobs.encrypted(Arc::clone(key)),
        None => blobs,
    }
}

fn content() -> Bytes {
    let mut state = 7_u64;
    let words = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state.to_le_bytes()
    });
    let bytes: Vec<u8> = words.take(BYTES / 8 + 1).flatten().collect();
    Bytes::from(bytes).slice(..BYTES)
}

fn stream_of(part: Bytes) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin {
    let chunks = (0..part.len()).step_by(CHUNK_BYTES);
    let chunks: Vec<io::Result<Bytes>> = chunks
        .map(|at| Ok(part.slice(at..part.len().min(at + CHUNK_BYTES))))
        .collect();
    stream::iter(chunks)
}

async fn assert_comes_back(key: Option<Arc<EncryptionKey>>) {
    let folder = tempfile::tempdir().unwrap();
    let content = content();
    let digest = Digest::sha256_of(&content);

    // In one request.
    let blobs = open(folder.path(), key.as_ref()).await;
    let whole = blobs.put(&digest, stream_of(content.clone())).await;
    let whole = whole.unwrap();

    // In parts that end anywhere, each in another process.
    blobs.start_upload(&ID).await.unwrap();
    let mut offset = 0;
    for end in [33 << 20, (33 << 20) + 4095, (37 << 20) + 1, BYTES] {
        let blobs = open(folder.path(), key.as_ref()).await;
        let begin = usize::try_from(offset).unwrap();
        let part = stream_of(content.slice(begin..end));
        offset = blobs.append(&ID, offset, part).await.unwrap();
        assert_eq!(offset, end as u64);
    }
    let blobs = open(folder.path(), key.as_ref()).await;
    let in_parts = blobs.finish(&ID, &digest).await.unwrap();

    for stored in [whole, in_parts] {
        assert_eq!(stored.size, BYTES as u64);
        let source = blobs.open(&stored.key).await.unwrap().unwrap();
        let found: Vec<Bytes> = source
            .read_range(0..source.size())
            .try_collect()
            .await
            .unwrap();
        assert!(found.concat() == content, "other bytes came back");
    }
}

#[tokio::test]
async fn a_long_upload_comes_back() {
    assert_comes_back(None).await;
}

#[tokio::test]
async fn a_long_encrypted_upload_comes_back() {
    assert_comes_back(Some(Arc::new(EncryptionKey::new([1; 16], &[1; 32])))).await;
}

/// What came faster than it was written does not wait for what the stream brings next.
#[tokio::test]
async fn what_came_is_written_while_the_stream_stalls() {
    // The last batch finds none, one or two before it that wait.
    for batches in 0..3 {
        assert_is_written(content().slice(batches * BATCH_BYTES..)).await;
    }
}

async fn assert_is_written(content: Bytes) {
    let folder = tempfile::tempdir().unwrap();
    let blobs = open(folder.path(), None).await;
    blobs.start_upload(&ID).await.unwrap();
    let size = async || blobs.upload_size(&ID).await.unwrap().unwrap();

    let stalled = stream_of(content.clone()).chain(stream::pending());
    let mut appending = Box::pin(blobs.append(&ID, 0, stalled));
    // All but the batch that fills.
    while size().await < (content.len() - BATCH_BYTES - CHUNK_BYTES) as u64 {
        let stalls = tokio::time::timeout(Duration::from_millis(10), &mut appending).await;
        assert!(stalls.is_err(), "{stalls:?}");
    }
    drop(appending);

    // The request is gone. What it brought stays.
    let there = size().await;
    let rest = content.slice(usize::try_from(there).unwrap()..);
    blobs.append(&ID, there, stream_of(rest)).await.unwrap();
    let digest = Digest::sha256_of(&content);
    blobs.finish(&ID, &digest).await.unwrap();
}
