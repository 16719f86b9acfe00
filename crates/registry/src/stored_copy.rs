//! A layer, and the stored copy that has its bytes.

use blobs::{Digest, ObjectKey};
use store::ecr::layer;

use crate::layer_keys::of_word;
use crate::{Error, KeyId};

/// A layer of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its digest.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
}

/// Where the bytes of a layer are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoredCopy {
    pub(crate) size: u64,
    pub(crate) key: ObjectKey,
    /// The key that it is encrypted under.
    pub(crate) encryption: Option<KeyId>,
}

impl StoredCopy {
    pub(crate) fn of(blob: &layer::Blob) -> Result<StoredCopy, Error> {
        Ok(StoredCopy {
            size: u64::try_from(blob.size).map_err(Error::internal)?,
            key: blob.object_key.parse().map_err(Error::internal)?,
            encryption: of_word(blob)?,
        })
    }
}
