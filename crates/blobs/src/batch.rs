//! Collects the chunks of a network into batches, so that each write is worth its system call.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};

use crate::BoxError;

/// A batch is written once it holds this much, where few streams arrive. A stream has two: one filling, one being
/// written.
const BATCH_BYTES_MAX: usize = 512 * 1024;
/// However many streams arrive, a write is worth its system call.
const BATCH_BYTES_MIN: usize = 64 * 1024;
/// What the filling batches of all streams hold together, as long as each may have the least.
const BATCHES_BYTES: usize = 8 * 1024 * 1024;

/// Chunks below are copied together: each would pin the larger buffer that it is a slice of.
const SMALL_BYTES: usize = 4 * 1024;

/// What follows a batch.
pub(crate) enum End {
    /// More, perhaps.
    Open,
    /// Nothing: the stream ended.
    Done,
    /// Nothing: the stream failed.
    Failed(BoxError),
}

impl End {
    /// Where nothing follows: what the stream failed with, if it did.
    pub(crate) fn last(self) -> Option<Option<BoxError>> {
        match self {
            Self::Open => None,
            Self::Done => Some(None),
            Self::Failed(source) => Some(Some(source)),
        }
    }
}

/// Streams that arrive now.
static ARRIVING: AtomicUsize = AtomicUsize::new(0);

/// One stream that arrives, until this is dropped.
pub(crate) struct Arriving(());

impl Arriving {
    pub(crate) fn begin() -> Self {
        ARRIVING.fetch_add(1, Ordering::Relaxed);
        Self(())
    }

    /// What a batch of this stream holds: its share.
    fn batch_bytes(&self) -> usize {
        share_of(ARRIVING.load(Ordering::Relaxed))
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        ARRIVING.fetch_sub(1, Ordering::Relaxed);
    }
}

fn share_of(streams: usize) -> usize {
    (BATCHES_BYTES / streams.max(1)).clamp(BATCH_BYTES_MIN, BATCH_BYTES_MAX)
}

/// Takes chunks from the stream until a batch is full or there are no more.
pub(crate) async fn read_batch<S, E>(
    arriving: &Arriving,
    mut stream: Pin<&mut S>,
) -> (Vec<Bytes>, End)
where
    S: Stream<Item = Result<Bytes, E>>,
    E: Into<BoxError>,
{
    let mut chunks = Vec::new();
    let mut small = BytesMut::new();
    let mut total = 0;
    let end = loop {
        if total >= arriving.batch_bytes() {
            break End::Open;
        }
        match stream.next().await {
            None => break End::Done,
            Some(Err(error)) => break End::Failed(error.into()),
            Some(Ok(chunk)) if chunk.len() < SMALL_BYTES => {
                total += chunk.len();
                small.extend_from_slice(&chunk);
            }
            Some(Ok(chunk)) => {
                total += chunk.len();
                if !small.is_empty() {
                    chunks.push(small.split().freeze());
                }
                chunks.push(chunk);
            }
        }
    };
    if !small.is_empty() {
        chunks.push(small.freeze());
    }
    (chunks, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_streams_gather_no_more_than_a_few() {
        assert_eq!(share_of(0), BATCH_BYTES_MAX);
        assert_eq!(share_of(16), BATCH_BYTES_MAX);
        for streams in 1..=128 {
            assert!(streams * share_of(streams) <= BATCHES_BYTES, "{streams}");
        }
        assert_eq!(share_of(10_000), BATCH_BYTES_MIN);
    }
}
