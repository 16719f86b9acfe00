//! Collects the chunks of a network into batches, so that each write is worth its system call.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};

use crate::BoxError;

/// A batch is written once it holds this much. An upload has two: one filling, one being written.
pub(crate) const BATCH_BYTES: usize = 512 * 1024;

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

/// Takes chunks from the stream until a batch is full or there are no more.
pub(crate) async fn read_batch<S, E>(mut stream: Pin<&mut S>) -> (Vec<Bytes>, End)
where
    S: Stream<Item = Result<Bytes, E>>,
    E: Into<BoxError>,
{
    let mut chunks = Vec::new();
    let mut small = BytesMut::new();
    let mut total = 0;
    let end = loop {
        if total >= BATCH_BYTES {
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
