//! Bytes that have arrived whole and were found to be those of their digest.

use std::fmt;
use std::sync::Arc;

use crate::batch::Batch;
use crate::blocking;
use crate::layout::Layout;
use crate::upload::{self, Upload};
use crate::upload_locks::{UploadLock, UploadLocks};
use crate::{Digest, EncryptionKey, Error, ObjectKey, Stored};

/// A content that was received and compared with its digest. It is not stored yet: the caller looks up
/// whether the database has a copy, and [stores](Self::store) or [discards](Self::discard) this one.
///
/// Dropped, an upload stays as it was and can be completed again; a content without an upload is gone.
pub struct Received {
    layout: Arc<Layout>,
    digest: Digest,
    size: u64,
    content: Content,
}

enum Content {
    Memory(Batch, Arc<UploadLocks>, Option<Arc<EncryptionKey>>),
    Upload(Box<UploadLock>),
}

/// Why [`Received::store`] stored nothing.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The upload was cancelled or swept meanwhile.
    #[error("the upload is gone")]
    Gone,
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] Error),
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Received({}, {} bytes)", self.digest, self.size)
    }
}

impl Received {
    pub(crate) fn in_memory(
        layout: Arc<Layout>,
        locks: Arc<UploadLocks>,
        digest: Digest,
        bytes: Batch,
        key: Option<Arc<EncryptionKey>>,
    ) -> Self {
        let size = bytes.bytes() as u64;
        let content = Content::Memory(bytes, locks, key);
        Self {
            layout,
            digest,
            size,
            content,
        }
    }

    pub(crate) fn of_upload(layout: Arc<Layout>, digest: Digest, lock: UploadLock) -> Self {
        let size = lock.upload.as_ref().map_or(0, Upload::len);
        let content = Content::Upload(Box::new(lock));
        Self {
            layout,
            digest,
            size,
            content,
        }
    }

    /// What the bytes are.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Their number.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Stores the bytes under a key of their own: durable when this returns. The upload is gone then, and
    /// also after an error.
    pub async fn store(self) -> Result<Stored, StoreError> {
        let key = ObjectKey::random()?;
        let layout = self.layout;
        let algorithm = self.digest.algorithm();
        let is_there = match self.content {
            Content::Memory(bytes, locks, encryption) => {
                // Held for its name only: a sweep leaves a locked upload alone.
                let mut lock = locks.acquire_temporary(&layout)?;
                lock.settled();
                blocking::sync(move || {
                    let (id, encryption) = (lock.id(), encryption.as_deref());
                    upload::store_whole(&layout, id, bytes, algorithm, &key, encryption)
                        .map(|()| true)
                })
                .await??
            }
            Content::Upload(mut lock) => {
                blocking::sync(move || {
                    let Some(mut upload) = lock.upload.take() else {
                        return Ok(false);
                    };
                    let published = upload.publish(&layout, &key);
                    match &published {
                        Err(_) => lock.failed(upload),
                        Ok(_) => lock.settled(),
                    }
                    published
                })
                .await??
            }
        };
        match is_there {
            true => Ok(Stored {
                digest: self.digest,
                size: self.size,
                key,
            }),
            false => Err(StoreError::Gone),
        }
    }

    /// Removes the bytes, for another copy is stored.
    pub async fn discard(self) -> Result<(), Error> {
        let Content::Upload(mut lock) = self.content else {
            return Ok(());
        };
        let layout = self.layout;
        blocking::write(move || {
            lock.upload = None;
            lock.settled();
            layout.remove_upload(&lock.id()).map(drop)
        })
        .await?
    }
}
