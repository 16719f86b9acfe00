//! How many uploads of a repository are open, so that nobody who may push fills the disk
//! with empty files.
//!
//! Starting an upload costs no transaction, so the count is in memory: exact for what this
//! node does, and set right by each sweep, which sees the files of all nodes.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use blobs::UploadId;

use crate::upload_id;

/// Uploads that are this young stay counted when a sweep saw no file: it may have looked
/// before the file was made.
const YOUNG_SECONDS: i64 = 60;

/// The open uploads, by repository. As many ids of 16 bytes as there are files.
#[derive(Default)]
pub(crate) struct OpenUploads(Mutex<HashMap<i64, HashSet<UploadId>>>);

impl OpenUploads {
    /// Counts an upload; false when its repository has `max` already.
    pub(crate) fn open(&self, id: UploadId, max: u64) -> bool {
        let mut all = self.lock();
        let of_repository = all.entry(upload_id::repository(&id)).or_default();
        if of_repository.len() as u64 >= max {
            return false;
        }
        of_repository.insert(id)
    }

    pub(crate) fn close(&self, id: &UploadId) {
        let mut all = self.lock();
        let repository = upload_id::repository(id);
        if let Some(of_repository) = all.get_mut(&repository) {
            of_repository.remove(id);
            if of_repository.is_empty() {
                all.remove(&repository);
            }
        }
    }

    /// Counts anew: the uploads that have files, and those that just began.
    pub(crate) fn renew(&self, with_files: Vec<UploadId>, now_ms: i64) {
        let since = now_ms / 1000 - YOUNG_SECONDS;
        let mut new: HashMap<i64, HashSet<UploadId>> = HashMap::new();
        let mut all = self.lock();
        let young = all.values().flatten().copied();
        let young = young.filter(|id| upload_id::started_second(id) >= since);
        for id in with_files.into_iter().chain(young) {
            new.entry(upload_id::repository(&id))
                .or_default()
                .insert(id);
        }
        *all = new;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, HashSet<UploadId>>> {
        // Sound at every step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
