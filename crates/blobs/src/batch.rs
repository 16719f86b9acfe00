//! Collects the chunks of a network into batches, so that each write is worth its system call.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};

use crate::BoxError;
use crate::direct::BLOCK_BYTES;
use crate::hash_state::Hasher;

/// A batch is written once it holds this much, where few streams arrive.
const BATCH_BYTES_MAX: usize = 1024 * 1024;
/// However many streams arrive, a write is worth its system call.
const BATCH_BYTES_MIN: usize = 64 * 1024;
/// What the batches of all streams that fill or wait hold together, as long as each may have the least. Those that are
/// written hold as much at most.
const BATCHES_BYTES: usize = 8 * 1024 * 1024;
/// How many batches of a stream wait at most while those before are written and hashed: with some ahead, neither the disk
/// nor the processor is idle when the other one is late.
const BEHIND_MAX: usize = 2;

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
pub(crate) struct Arriving {
    /// Where in the upload the next batch begins.
    at: u64,
    /// What came for the next batch already: less than a block.
    left: Vec<u8>,
}

impl Arriving {
    /// A stream whose first byte is this one of its upload.
    pub(crate) fn begin(at: u64) -> Self {
        ARRIVING.fetch_add(1, Ordering::Relaxed);
        let left = Vec::new();
        Self { at, left }
    }

    /// What a batch of this stream holds: its share.
    fn batch_bytes(&self) -> usize {
        share_of(ARRIVING.load(Ordering::Relaxed))
    }

    /// How many batches of this stream may wait: none where so many streams arrive that the machine has work anyway.
    pub(crate) fn behind_max(&self) -> usize {
        behind_of(ARRIVING.load(Ordering::Relaxed))
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

fn behind_of(streams: usize) -> usize {
    let batches = BATCHES_BYTES / BATCH_BYTES_MAX / streams.max(1);
    batches.saturating_sub(1).min(BEHIND_MAX)
}

/// Takes chunks from the stream until a batch is full or there are no more. A batch that others follow ends where a
/// block of the upload ends, so that it can be written directly.
pub(crate) async fn read_batch<S, E>(
    arriving: &mut Arriving,
    mut stream: Pin<&mut S>,
) -> (Batch, End)
where
    S: Stream<Item = Result<Bytes, E>>,
    E: Into<BoxError>,
{
    let mut batch = Batch::default();
    batch.push(std::mem::take(&mut arriving.left).into());
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
    if matches!(end, End::Open) {
        let past = (arriving.at + batch.bytes as u64) % BLOCK_BYTES as u64;
        arriving.left = batch.cut_off(usize::try_from(past).unwrap_or_default());
    }
    arriving.at += batch.bytes as u64;
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

    /// Takes the last `count` bytes; the batch must have as many. They are copied, so that their chunks can go.
    fn cut_off(&mut self, mut count: usize) -> Vec<u8> {
        self.bytes -= count;
        let mut parts = Vec::new();
        while count > 0
            && let Some(last) = self.chunks.last_mut()
        {
            let taken = last.split_off(last.len().saturating_sub(count));
            count -= taken.len();
            parts.push(taken);
            self.chunks.pop_if(|chunk| chunk.is_empty());
        }
        parts.reverse();
        parts.concat()
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
        assert_eq!(behind_of(1), BEHIND_MAX);
        for streams in 1..=128 {
            let batches = 1 + behind_of(streams);
            let bytes = streams * batches * share_of(streams);
            assert!(bytes <= BATCHES_BYTES, "{streams}");
        }
        assert_eq!(share_of(10_000), BATCH_BYTES_MIN);
    }

    proptest! {
        #[test]
        fn batches_have_all_bytes_and_end_with_blocks(
            at in 0..2 * BLOCK_BYTES as u64,
            lengths in vec(0..100_000_usize, 0..60),
        ) {
            let mut next = (0..=250_u8).cycle();
            let chunks: Vec<Bytes> = lengths
                .iter()
                .map(|length| next.by_ref().take(*length).collect::<Vec<u8>>().into())
                .collect();
            let all = chunks.concat();
            let stream = futures_util::stream::iter(chunks.into_iter().map(Ok::<_, BoxError>));
            let mut stream = std::pin::pin!(stream);
            let mut arriving = Arriving::begin(at);
            let mut found = Vec::new();
            loop {
                let batch = read_batch(&mut arriving, stream.as_mut());
                let (batch, end) = futures_util::FutureExt::now_or_never(batch).unwrap();
                prop_assert_eq!(batch.chunks().concat().len(), batch.bytes());
                found.extend(batch.chunks().concat());
                if end.last().is_some() {
                    break;
                }
                prop_assert_eq!((at + found.len() as u64) % BLOCK_BYTES as u64, 0);
            }
            prop_assert!(found == all);
        }

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
