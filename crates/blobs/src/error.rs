//! What can go wrong, as values. None of these texts is meant for a client as it is: the
//! registry turns them into its protocols' errors and keeps paths and causes for the log.

use std::error::Error as StdError;
use std::io;

use thiserror::Error;

use crate::damage::{is_damage, is_unreadable};
use crate::{Digest, UploadId};

/// What a caller's stream of bytes may fail with.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// The storage itself failed.
#[derive(Debug, Error)]
pub enum Error {
    /// The file system is full or the quota used up. What was half written is gone again.
    #[error("no space is left for blobs")]
    NoSpace,
    /// Any other failure of the file system.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was being done, for the log.
        what: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// The worker that did the work ended early (the runtime shuts down).
    #[error("the blob worker was stopped")]
    Stopped,
}

impl Error {
    /// Whether the bytes of a file are not those that were written.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Io { source, .. } if is_damage(source))
    }

    /// Whether the disk could not read. See [`is_unreadable`](crate::is_unreadable).
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::Io { source, .. } if is_unreadable(source))
    }

    /// Whether the disk, or the system around it, cannot do this now: it fails, may not be written, or no file can
    /// be opened. Another try may succeed.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::NoSpace | Self::Stopped => true,
            Self::Io { source, .. } => !matches!(
                source.kind(),
                // What is there, or not, is not what this server left.
                io::ErrorKind::NotFound
                    | io::ErrorKind::AlreadyExists
                    | io::ErrorKind::InvalidInput
                    | io::ErrorKind::InvalidData
                    | io::ErrorKind::UnexpectedEof
            ),
        }
    }

    pub(crate) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace,
            _ => Self::Io { what, source },
        }
    }
}

/// Why a directory was not opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// It belongs to another database.
    #[error(
        "the blobs belong to the database with the id `{found}`, and this server's database has the id \
         `{expected}`; choose another --blobs, or the --database that they belong to"
    )]
    AnotherDatabase {
        /// The id in the directory.
        found: String,
        /// The id of the server's database.
        expected: String,
    },
    /// Another server uses it and cannot share it.
    #[error("another server uses these blobs; stop it, or choose another --blobs")]
    InUse,
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] Error),
}

/// Why [`start_upload`](crate::Blobs::start_upload) refused.
#[derive(Debug, Error)]
pub enum StartError {
    /// The id is taken.
    #[error("upload `{0}` exists already")]
    Exists(UploadId),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] Error),
}

/// Why [`append`](crate::Blobs::append) stopped.
#[derive(Debug, Error)]
pub enum AppendError {
    /// No such upload: never started, finished, cancelled or swept.
    #[error("upload `{0}` is not known")]
    Unknown(UploadId),
    /// Another request is writing to this upload now.
    #[error("upload `{0}` is being written by another request")]
    Busy(UploadId),
    /// The caller's offset is not where the upload ends; nothing was written.
    #[error("the upload ends at byte {actual}, the part begins at {expected}")]
    OffsetMismatch {
        /// Where the caller's part begins.
        expected: u64,
        /// The upload's length in bytes: where a part must begin.
        actual: u64,
    },
    /// The caller's stream failed. What it gave before is kept: the upload now ends at `offset`.
    #[error("the part's bytes stopped at {offset}: {source}")]
    Body {
        /// The upload's length in bytes, on disk.
        offset: u64,
        /// The stream's own error.
        source: BoxError,
    },
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] Error),
}

/// Why [`finish`](crate::Blobs::finish) refused. The upload is gone unless it was busy or unknown
/// or the storage could not say.
#[derive(Debug, Error)]
pub enum FinishError {
    /// No such upload: never started, finished, cancelled or swept.
    #[error("upload `{0}` is not known")]
    Unknown(UploadId),
    /// Another request is writing to this upload now.
    #[error("upload `{0}` is being written by another request")]
    Busy(UploadId),
    /// The bytes are not those of the digest; the upload was removed.
    #[error("the content's digest is `{actual}`, not `{expected}`")]
    DigestMismatch {
        /// What the caller named.
        expected: Digest,
        /// What the bytes are.
        actual: Digest,
    },
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] Error),
}

/// Why [`put`](crate::Blobs::put) stored nothing.
#[derive(Debug, Error)]
pub enum PutError {
    /// The bytes are not those of the digest.
    #[error("the content's digest is `{actual}`, not `{expected}`")]
    DigestMismatch {
        /// What the caller named.
        expected: Digest,
        /// What the bytes are.
        actual: Digest,
    },
    /// The caller's stream failed.
    #[error("the content's bytes stopped: {0}")]
    Body(#[source] BoxError),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_the_disk_are_worth_another_try() {
        use rustix::io::Errno;
        for (errno, is_temporary, is_unreadable) in [
            (Errno::IO, true, true),
            (Errno::ROFS, true, false),
            (Errno::PERM, true, false),
            (Errno::ACCESS, true, false),
            (Errno::MFILE, true, false),
            (Errno::NFILE, true, false),
            (Errno::NOSPC, true, false),
            (Errno::DQUOT, true, false),
            (Errno::NOENT, false, false),
            (Errno::EXIST, false, false),
        ] {
            let error = Error::io("write")(errno.into());
            assert_eq!(error.is_temporary(), is_temporary, "{error}");
            assert_eq!(error.is_unreadable(), is_unreadable, "{error}");
            assert!(!error.is_damage(), "{error}");
        }
    }

    #[test]
    fn a_full_disk_is_told_apart() {
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            assert!(matches!(Error::io("write")(kind.into()), Error::NoSpace));
        }
        let other = Error::io("write an upload")(io::ErrorKind::PermissionDenied.into());
        assert_eq!(
            other.to_string(),
            "cannot write an upload: permission denied"
        );
    }
}
