//! What the store answers with.

use crate::{Digest, ObjectKey};

/// A copy of a blob that is now stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// What its bytes are.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// Where it is.
    pub key: ObjectKey,
}

/// One stored copy, as [`Blobs::list`](crate::Blobs::list) tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Where it is.
    pub key: ObjectKey,
    /// Its length in bytes.
    pub size: u64,
    /// When it was stored, milliseconds since the epoch. A collector that looks for copies which no
    /// row names must leave a fresh one alone: its row may be about to be committed.
    pub stored_ms: i64,
}

/// What [`Blobs::sweep_uploads`](crate::Blobs::sweep_uploads) removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many files.
    pub files: u64,
    /// How many bytes they held.
    pub bytes: u64,
}

/// What [`Blobs::verify`](crate::Blobs::verify) found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// The bytes are those of the digest.
    Whole {
        /// Their number.
        size: u64,
    },
    /// They are not: a disk lost or changed some.
    Damaged {
        /// The digest of what is there; `None` where an encrypted copy does not open.
        actual: Option<Digest>,
        /// Their number.
        size: u64,
    },
    /// The disk could not read it ([`is_unreadable`](crate::is_unreadable)).
    Unreadable,
    /// There is no such copy.
    Missing,
}
