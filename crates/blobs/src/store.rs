//! The store's face. (The signatures; the directory behind them follows.)

use std::io;
use std::ops::Range;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;

use crate::*;

/// Handle to the store; clones share it.
#[derive(Clone)]
pub struct Blobs {}

/// A blob that is now stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// Its name.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
}

/// One stored blob, as [`Blobs::list`] tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// When it was put there, milliseconds since the epoch.
    pub stored_ms: i64,
}

/// What [`Blobs::sweep_uploads`] removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What [`Blobs::verify`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// The bytes are those of the digest.
    Whole {
        /// Length in bytes.
        size: u64,
    },
    /// They are not.
    Damaged {
        /// What the bytes are.
        actual: Digest,
        /// Length in bytes.
        size: u64,
    },
    /// There is no such blob.
    Missing,
}

/// An open blob: it stays readable though it is deleted meanwhile.
pub struct BlobFile {
    size: u64,
}

/// A range's bytes, as a stream.
pub struct BlobRead {}

fn soon() -> Error {
    Error::io("do this yet")(io::ErrorKind::Unsupported.into())
}

impl Blobs {
    /// Opens the store in `path`, making the folder where it is missing.
    pub async fn open_directory(_path: impl AsRef<Path>) -> Result<Self, Error> {
        Err(soon())
    }
    /// Starts an upload.
    pub async fn start_upload(&self, _id: &UploadId) -> Result<(), StartError> {
        Err(soon().into())
    }
    /// Appends a part.
    pub async fn append<S, E>(
        &self,
        _id: &UploadId,
        _offset: u64,
        _part: S,
    ) -> Result<u64, AppendError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError>,
    {
        Err(soon().into())
    }
    /// The upload's length in bytes.
    pub async fn upload_size(&self, _id: &UploadId) -> Result<Option<u64>, Error> {
        Err(soon())
    }
    /// Turns an upload into a blob.
    pub async fn finish(
        &self,
        _id: &UploadId,
        _expected: &Digest,
    ) -> Result<Finished, FinishError> {
        Err(soon().into())
    }
    /// Removes an upload; false when there is none.
    pub async fn cancel(&self, _id: &UploadId) -> Result<bool, Error> {
        Err(soon())
    }
    /// Removes every upload that `keep` does not name.
    pub async fn sweep_uploads<F>(&self, _keep: F) -> Result<Swept, Error>
    where
        F: Fn(&UploadId) -> bool + Send + 'static,
    {
        Err(soon())
    }
    /// Stores a whole body in one go.
    pub async fn put<S, E>(&self, _expected: &Digest, _content: S) -> Result<Finished, PutError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError>,
    {
        Err(soon().into())
    }
    /// Stores bytes that are in memory.
    pub async fn put_small(&self, _content: &[u8]) -> Result<Finished, Error> {
        Err(soon())
    }
    /// Opens a blob for reading.
    pub async fn open(&self, _digest: &Digest) -> Result<Option<BlobFile>, Error> {
        Err(soon())
    }
    /// A blob's length in bytes.
    pub async fn stat(&self, _digest: &Digest) -> Result<Option<u64>, Error> {
        Err(soon())
    }
    /// Deletes a blob; false when there is none.
    pub async fn delete(&self, _digest: &Digest) -> Result<bool, Error> {
        Err(soon())
    }
    /// Hashes a blob again.
    pub async fn verify(&self, _digest: &Digest) -> Result<Verified, Error> {
        Err(soon())
    }
    /// Every blob, in the order of its digest.
    pub fn list(&self) -> impl Stream<Item = Result<Listed, Error>> + Send + Unpin + use<> {
        futures_util::stream::empty()
    }
}

impl BlobFile {
    /// Length in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
    /// The bytes of `range`, cut to the blob's end.
    pub fn read_range(&self, _range: Range<u64>) -> BlobRead {
        BlobRead {}
    }
}

impl Stream for BlobRead {
    type Item = io::Result<Bytes>;
    fn poll_next(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(None)
    }
}
