//! Who is writing to which upload in this process, and the open files kept between requests.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::hash_state::UploadState;
use crate::layout::Layout;
use crate::upload::Upload;
use crate::{Error, UploadId};

/// How many idle uploads keep their file open: each costs a descriptor. The rest resumes from disk.
const IDLE_MAX: usize = 256;

#[derive(Default)]
pub(crate) struct UploadLocks {
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    map: HashMap<UploadId, Entry>,
    /// Counts releases, so that the longest idle is known without a clock.
    releases: u64,
}

enum Entry {
    Claimed,
    Idle { upload: Box<Upload>, released: u64 },
}

/// The exclusive right, within this process, to write to one upload. It moves with the work onto the
/// blocking pool, so a dropped request releases it only after its last write.
pub(crate) struct UploadLock {
    layout: Arc<Layout>,
    locks: Arc<UploadLocks>,
    id: UploadId,
    /// Set while the upload may be used by the next request.
    pub(crate) upload: Option<Upload>,
    /// What an earlier request was told that is there: a write that finds no space leaves that much.
    pub(crate) acknowledged: u64,
    /// The id is known here only: unless published, the file is removed with the lock.
    temporary: bool,
}

impl UploadLocks {
    /// `None` while another has it.
    pub(crate) fn acquire(
        self: &Arc<Self>,
        layout: &Arc<Layout>,
        id: UploadId,
    ) -> Option<UploadLock> {
        let upload = {
            let mut entries = self.lock();
            match entries.map.insert(id, Entry::Claimed) {
                Some(Entry::Claimed) => return None,
                Some(Entry::Idle { upload, .. }) => Some(*upload),
                None => None,
            }
        };
        Some(UploadLock {
            layout: Arc::clone(layout),
            locks: Arc::clone(self),
            id,
            upload,
            acknowledged: 0,
            temporary: false,
        })
    }

    /// A lock on an upload with a new id that no client knows.
    pub(crate) fn acquire_temporary(
        self: &Arc<Self>,
        layout: &Arc<Layout>,
    ) -> Result<UploadLock, Error> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)
            .map_err(|error| Error::io("draw random bytes")(error.into()))?;
        let lock = self.acquire(layout, UploadId::temporary(random));
        let taken = || Error::io("draw a new name")(io::ErrorKind::AlreadyExists.into());
        let mut lock = lock.ok_or_else(taken)?;
        lock.temporary = true;
        Ok(lock)
    }

    /// The length of an idle upload whose file has `file_bytes`, all of them known to be on disk.
    pub(crate) fn synced_len(&self, id: &UploadId, file_bytes: u64) -> Option<u64> {
        match self.lock().map.get(id) {
            Some(Entry::Idle { upload, .. }) => {
                let is_synced = upload.synced() == upload.len();
                (is_synced && upload.file_bytes() == file_bytes).then(|| upload.len())
            }
            Some(Entry::Claimed) | None => None,
        }
    }

    /// Whether this process is writing to the upload or has its file open.
    pub(crate) fn holds(&self, id: &UploadId) -> bool {
        self.lock().map.contains_key(id)
    }

    /// The state of an idle upload.
    pub(crate) fn state(&self, id: &UploadId) -> Option<UploadState> {
        match self.lock().map.get(id) {
            Some(Entry::Idle { upload, .. }) => upload.state(),
            Some(Entry::Claimed) | None => None,
        }
    }

    /// Closes the file that an idle upload keeps open.
    pub(crate) fn forget(&self, id: &UploadId) {
        let mut entries = self.lock();
        if matches!(entries.map.get(id), Some(Entry::Idle { .. })) {
            entries.map.remove(id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        // No code that can panic runs under the lock, and each change is one step.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn release(&self, id: UploadId, upload: Option<Upload>) {
        let mut entries = self.lock();
        let Some(upload) = upload.map(Box::new) else {
            entries.map.remove(&id);
            return;
        };
        entries.releases += 1;
        let released = entries.releases;
        entries.map.insert(id, Entry::Idle { upload, released });
        if entries.map.len() > IDLE_MAX {
            let idle = entries.map.iter().filter_map(|(id, entry)| match entry {
                Entry::Idle { released, .. } => Some((*released, *id)),
                Entry::Claimed => None,
            });
            if let Some((_, oldest)) = idle.min() {
                entries.map.remove(&oldest);
            }
        }
    }
}

impl UploadLock {
    pub(crate) fn id(&self) -> UploadId {
        self.id
    }

    /// Removes an upload that cannot be synced: its bytes are not what the disk has.
    ///
    /// Where a broken disk does not even remove it, it stays open: the file remembers the sync that failed, so that
    /// no later request takes its bytes for durable.
    pub(crate) fn failed(&mut self, upload: Upload) {
        match self.layout.remove_upload(&self.id) {
            Ok(_) => self.settled(),
            Err(error) => {
                tracing::warn!(%error, upload = %self.id, "cannot remove an upload that cannot be synced");
                self.upload = Some(upload);
            }
        }
    }

    /// Deals with a write that failed. Where the disk is full, it gets back what this request brought: its client
    /// begins again, maybe with another upload, and what each try leaves would keep the disk full.
    pub(crate) fn write_failed(&mut self, error: &Error) {
        let Some(upload) = self.upload.take() else {
            return;
        };
        if upload.is_lost() {
            self.failed(upload);
        } else if matches!(error, Error::NoSpace) {
            if let Err(error) = upload.cut_back(&self.layout, self.acknowledged) {
                tracing::warn!(%error, upload = %self.id, "cannot give back the space of an upload");
            }
        } else {
            self.upload = Some(upload);
        }
    }

    /// The upload's file is now a blob, or gone.
    pub(crate) fn settled(&mut self) {
        self.temporary = false;
    }
}

impl Drop for UploadLock {
    fn drop(&mut self) {
        let upload = self.upload.take();
        if let Some(upload) = &upload {
            upload.unlock();
        }
        if self.temporary
            && let Err(error) = self.layout.remove_upload(&self.id)
        {
            tracing::warn!(%error, "cannot remove a temporary file: the next start does");
        }
        // What a sync failed for stays open even without its hasher: only this file remembers that.
        let is_kept = |upload: &Upload| upload.is_whole() || upload.is_lost();
        let upload = upload.filter(|upload| !self.temporary && is_kept(upload));
        self.locks.release(self.id, upload);
    }
}
