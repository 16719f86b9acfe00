//! A manifest as it is stored, served and cached.

use std::sync::atomic::AtomicI64;

use blobs::Digest;
use bytes::Bytes;
use store::ecr::image::Content;

use crate::Error;

/// A manifest, byte for byte as it was pushed.
#[derive(Debug)]
pub struct Manifest {
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Bytes,
    pub(crate) image_id: i64,
    /// When a pull was last noted, milliseconds since the epoch.
    pub(crate) pulled_at: AtomicI64,
}

impl Manifest {
    pub(crate) fn of(content: Content) -> Result<Self, Error> {
        Ok(Manifest {
            digest: content.digest.parse().map_err(Error::internal)?,
            media_type: content.media_type,
            bytes: content.bytes.into(),
            image_id: content.id,
            pulled_at: AtomicI64::new(content.pulled_at.unwrap_or(i64::MIN)),
        })
    }
}
