//! Uploads that go from one process to another.
//!
//! The bytes of an upload are in the directory, and one process at a time writes to it: it holds a lock on
//! the file. What a process knows beside the bytes is the digest so far. It is saved beside the file, and a
//! caller may keep it elsewhere too ([`UploadState`]), where it is found without this directory's state
//! files.

use crate::upload::TakeError;
use crate::{Blobs, Error, UploadId, UploadState};

impl Blobs {
    /// The digest so far of an upload that this process has just written to, for the caller to keep where
    /// other processes find it. `None` while a request writes to it, and for one that is not at hand.
    #[must_use]
    pub fn upload_state(&self, id: &UploadId) -> Option<UploadState> {
        self.locks().state(id)
    }

    /// Whether this process has the upload at hand: then it needs no state from elsewhere.
    #[must_use]
    pub fn holds_upload(&self, id: &UploadId) -> bool {
        self.locks().holds(id)
    }

    /// Takes over an upload that another process wrote to: the next request goes on from `state` and
    /// reads only the bytes after it. False where there is no such upload or somebody writes to it.
    pub async fn resume_upload(&self, id: &UploadId, state: UploadState) -> Result<bool, Error> {
        match self.resume(*id, Some(state)).await {
            // The lock keeps the open file for the next request.
            Ok(_) => Ok(true),
            Err(TakeError::Unknown | TakeError::Busy) => Ok(false),
            Err(TakeError::Storage(error)) => Err(error),
        }
    }
}
