//! Collects the chunks of a network into batches, so that each write is worth its system call.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};

use crate::BoxError;
use crate::hash_state::Hasher;

/// A batch is written once it holds this much, where few streams arrive. A stream has two: one filling, one being
/// written.
const BATCH_BYTES_MAX: usize = 1024 * 1024;
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
pub(crate) async fn read_batch<S, E>(arriving: &Arriving, mut stream: Pin<&mut S>) -> (Batch, End)
where
    S: Stream<Item = Result<Bytes, E>>,
    E: Into<BoxError>,
{
    let mut batch = Batch::default();
    let end = loop {
        if batch.bytes >= arriving.batch_bytes() {
            break End::Open;
        }
        match stream.next().await {
            None => break End::Done,
            Some(Err(error)) => break End::Failed(error.into()),
            Some(Ok(chunk)) => batch.push(chunk),
        }
    };
    batch.end_small();
    (batch, end)
}

/// Chunks of a stream, in order.
#[derive(Default)]
pub(crate) struct Batch {
    chunks: Vec<Bytes>,
    /// Small chunks that came last, not among `chunks` yet.
    small: BytesMut,
    bytes: usize,
}

impl From<Bytes> for Batch {
    fn from(chunk: Bytes) -> Self {
        Self {
            bytes: chunk.len(),
            chunks: vec![chunk],
            small: BytesMut::new(),
        }
    }
}

impl Batch {
    pub(crate) fn chunks(&self) -> &[Bytes] {
        &self.chunks
    }

    /// The length of all chunks.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn hash_into(&self, hasher: &mut Hasher) {
        self.chunks.iter().for_each(|chunk| hasher.update(chunk));
    }

    fn push(&mut self, chunk: Bytes) {
        self.bytes += chunk.len();
        if chunk.len() < SMALL_BYTES {
            self.small.extend_from_slice(&chunk);
        } else {
            self.end_small();
            self.chunks.push(chunk);
        }
    }

    fn end_small(&mut self) {
        if !self.small.is_empty() {
            self.chunks.push(self.small.split().freeze());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn many_streams_gather_no_more_than_a_few() {
        assert_eq!(share_of(0), BATCH_BYTES_MAX);
        assert_eq!(share_of(8), BATCH_BYTES_MAX);
        for streams in 1..=128 {
            assert!(streams * share_of(streams) <= BATCHES_BYTES, "{streams}");
        }
        assert_eq!(share_of(10_000), BATCH_BYTES_MIN);
    }

    proptest! {
        #[test]
        fn a_batch_has_all_bytes_in_order(lengths in vec(0..3 * SMALL_BYTES, 0..12)) {
            let mut next = (0..=250_u8).cycle();
            let mut batch = Batch::default();
            let mut all = Vec::new();
            for length in lengths {
                let chunk: Vec<u8> = next.by_ref().take(length).collect();
                all.extend_from_slice(&chunk);
                batch.push(chunk.into());
            }
            batch.end_small();
            prop_assert_eq!(batch.bytes(), all.len());
            prop_assert!(batch.chunks().concat() == all);
        }
    }
}
