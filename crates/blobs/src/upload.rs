//! One upload's file: everything here blocks and runs on the blocking pool.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use bytes::Bytes;

use crate::batch::Batch;
use crate::direct;
use crate::disk::{Synced, hash_range, write_all_at};
use crate::encrypted_upload::EncryptedBytes;
use crate::encryption::{self, EncryptionKey};
use crate::hash_state::{self, Hasher, UploadState};
use crate::layout::{self, Layout};
use crate::{Algorithm, Digest, Error, ObjectKey, UploadId};

/// How many bytes may pass before the hash state is saved: hashing that much again takes
/// milliseconds, and layers below it never cost a state file.
const RECORD_EVERY_BYTES: u64 = 4 * 1024 * 1024;

/// How often creating a file is tried when a sweep removes it between its creation and its lock.
const CREATE_ATTEMPTS: usize = 3;

/// An open upload. Invariant: the file holds exactly `len` bytes and `hasher` has seen just those;
/// unless the hasher is lent, and then the upload serves no further request.
pub(crate) struct Upload {
    id: UploadId,
    file: Arc<Synced>,
    inode: u64,
    /// How the bytes stand in the file, where they do not stand there as they are. No hash state is saved
    /// of these: it holds up to 63 bytes of the content.
    encrypted: Option<EncryptedBytes>,
    hasher: Hasher,
    hasher_is_lent: bool,
    len: u64,
    /// All bytes below are on disk.
    synced: u64,
    /// All bytes below are on disk, or were given to it past the page cache. `None` where the file takes nothing so.
    placed: Option<u64>,
    /// The offset that the saved hash state covers; 0 if none was saved.
    recorded: u64,
}

/// A sync that runs beside the writing, and what it will have proved.
pub(crate) struct Checkpoint {
    file: Arc<Synced>,
    offset: u64,
    hasher: Hasher,
}

/// Why an upload could not be taken in hand.
pub(crate) enum TakeError {
    Unknown,
    Busy,
    Storage(Error),
}

/// What the bytes are.
pub(crate) enum Compared {
    /// Those of the digest.
    Same,
    /// Others.
    Mismatch(Digest),
}

impl Upload {
    /// Makes the file. `None` where the id is taken.
    pub(crate) fn create(
        layout: &Layout,
        id: UploadId,
        algorithm: Algorithm,
        key: Option<&EncryptionKey>,
    ) -> Result<Option<Self>, Error> {
        for _ in 0..CREATE_ATTEMPTS {
            let file = match layout.create_upload(&id) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
                Err(error) => return Err(Error::io("create an upload")(error)),
            };
            // Only a sweep can know the new file. The lock tells it that the file is in use.
            match file.try_lock() {
                Ok(()) => {}
                // A sweep came first. It holds the lock until the file is gone.
                Err(TryLockError::WouldBlock) => {
                    file.lock().map_err(Error::io("lock a new upload"))?;
                }
                Err(TryLockError::Error(error)) => {
                    tracing::debug!(%error, "cannot lock a new upload");
                }
            }
            let meta = file.metadata().map_err(Error::io("stat an upload"))?;
            if meta.nlink() > 0 {
                let mut upload = Self::of_new(id, file, meta.ino(), Hasher::new(algorithm));
                if let Some(key) = key {
                    match EncryptedBytes::begin(key, &upload.file.file) {
                        Ok(encrypted) => upload.encrypted = Some(encrypted),
                        Err(error) => {
                            layout.remove_upload(&id)?;
                            return Err(Error::io("begin an encrypted upload")(error));
                        }
                    }
                }
                return Ok(Some(upload));
            }
        }
        Err(Error::io("keep a new upload's name")(
            io::ErrorKind::NotFound.into(),
        ))
    }

    fn of_new(id: UploadId, file: File, inode: u64, hasher: Hasher) -> Self {
        Self {
            id,
            file: Synced::new(file),
            inode,
            encrypted: None,
            hasher,
            hasher_is_lent: false,
            len: 0,
            synced: 0,
            placed: Some(0),
            recorded: 0,
        }
    }

    /// Locks an upload that an earlier request kept open; `None` where it is out of date, since another process
    /// continued it. Quick: nothing is read.
    pub(crate) fn go_on(self, layout: &Layout) -> Result<Option<Self>, TakeError> {
        lock(&self.file.file)?;
        let named = named(layout, &self.id)?;
        let is_current = named.ino() == self.inode && named.len() == self.file_bytes();
        Ok(is_current.then_some(self))
    }

    /// Opens the upload, locks it against other processes, and goes on from what is on disk, hashing only what
    /// neither the state file nor `given` covers.
    ///
    /// The order matters: with the lock held, nobody can rename the file to a blob, so that a file
    /// which still has its upload's name is safe to write to.
    pub(crate) fn resume(
        layout: &Layout,
        id: UploadId,
        given: Option<&UploadState>,
        key: Option<&EncryptionKey>,
    ) -> Result<Self, TakeError> {
        let file = layout
            .open_upload(&id)
            .map_err(not_found_or("open an upload"))?;
        lock(&file)?;
        let meta = file
            .metadata()
            .map_err(|e| TakeError::Storage(Error::io("stat an upload")(e)))?;
        if named(layout, &id)?.ino() != meta.ino() {
            return Err(TakeError::Unknown);
        }
        let mut upload = Self::of_new(id, file, meta.ino(), Hasher::new(Algorithm::Sha256));
        if let Some(key) = key {
            upload.recover(key, meta.len())?;
            return Ok(upload);
        }
        let records = [
            read_record(layout, &id, meta.ino()),
            given.and_then(UploadState::record),
        ];
        let usable = records.into_iter().flatten();
        let usable = usable.filter(|record| record.offset <= meta.len());
        if let Some(record) = usable.max_by_key(|record| record.offset) {
            upload.len = record.offset;
            upload.synced = record.offset;
            upload.recorded = record.offset;
            upload.hasher = record.hasher;
        }
        let (from, to) = (upload.len, meta.len());
        hash_range(&upload.file.file, from, to, &mut upload.hasher).map_err(TakeError::Storage)?;
        upload.len = to;
        Ok(upload)
    }

    /// Goes on from what is on disk of an encrypted upload. A record that a crash cut off is not counted: it
    /// was not acknowledged.
    fn recover(&mut self, key: &EncryptionKey, file_bytes: u64) -> Result<(), TakeError> {
        let (file, hasher) = (&self.file.file, &mut self.hasher);
        let found = EncryptedBytes::recover(key, file, file_bytes, |plain| hasher.update(plain));
        let found = found
            .map_err(|error| TakeError::Storage(Error::io("read an encrypted upload")(error)))?;
        // Its header was never written: nothing of it was acknowledged.
        let encrypted = found.ok_or(TakeError::Unknown)?;
        self.len = encrypted.len();
        self.encrypted = Some(encrypted);
        Ok(())
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// The length of the file.
    pub(crate) fn file_bytes(&self) -> u64 {
        match &self.encrypted {
            Some(encrypted) => encrypted.file_bytes(),
            None => self.len,
        }
    }

    /// Whether a sync failed: its bytes are not what the disk has.
    pub(crate) fn is_lost(&self) -> bool {
        self.file.has_failed()
    }

    /// How many of its bytes are known to be on disk.
    pub(crate) fn synced(&self) -> u64 {
        self.synced
    }

    /// The digest so far, where all bytes are on disk.
    pub(crate) fn state(&self) -> Option<UploadState> {
        let is_settled =
            self.synced == self.len && !self.hasher_is_lent && self.encrypted.is_none();
        is_settled
            .then(|| UploadState::of(self.len, &self.hasher))
            .flatten()
    }

    /// Releases the lock for other processes. A failure does no harm: closing the file unlocks too.
    pub(crate) fn unlock(&self) {
        if let Err(error) = self.file.file.unlock() {
            tracing::debug!(%error, "cannot unlock an upload");
        }
    }

    /// Whether the next request may go on with this: its hash is that of its bytes.
    pub(crate) fn is_whole(&self) -> bool {
        let is_written = self
            .encrypted
            .as_ref()
            .is_none_or(EncryptedBytes::is_written);
        !self.hasher_is_lent && is_written
    }

    /// Hands the hasher to a worker that hashes while another one writes.
    pub(crate) fn lend_hasher(&mut self) -> Hasher {
        self.hasher_is_lent = true;
        let blank = Hasher::new(self.hasher.algorithm());
        std::mem::replace(&mut self.hasher, blank)
    }

    /// Takes it back, when it has seen what was written meanwhile.
    pub(crate) fn return_hasher(&mut self, hasher: Hasher) {
        self.hasher = hasher;
        self.hasher_is_lent = false;
    }

    /// Writes the chunks and leaves hashing them to the caller. On an error nothing of them remains.
    pub(crate) fn write_unhashed(&mut self, chunks: &[Bytes]) -> Result<(), Error> {
        if let Some(encrypted) = &mut self.encrypted {
            encrypted
                .write(&self.file.file, chunks)
                .map_err(Error::io("write an encrypted upload"))?;
            self.len = encrypted.len();
            return Ok(());
        }
        let length = chunks.iter().map(Bytes::len).sum();
        let written = match self.placed {
            Some(placed) if direct::is_for(self.len, length) => {
                let synced = &self.file;
                let settle = |block| match placed < block {
                    true => synced.try_sync(),
                    false => Ok(()),
                };
                direct::write_all_at(&synced.file, chunks, self.len, settle)
                    .map(|placed| self.placed = placed)
            }
            _ => write_all_at(&self.file.file, chunks, self.len),
        };
        if let Err(error) = written {
            // Best effort: if it fails, `go_on` sees the other length, and the upload is hashed again.
            if let Err(error) = self.file.file.set_len(self.len) {
                tracing::warn!(%error, upload = %self.id, "cannot cut a failed write off an upload");
            }
            return Err(Error::io("write an upload")(error));
        }
        self.len += length as u64;
        Ok(())
    }

    /// Gives the bytes from `len` on back to the disk. An encrypted upload keeps them: where its records end is not
    /// where a request ended.
    pub(crate) fn cut_back(self, layout: &Layout, len: u64) -> Result<(), Error> {
        if self.encrypted.is_some() {
            return Ok(());
        }
        // Before the bytes: what comes in their place may be other bytes.
        if self.recorded > len {
            layout::remove(&layout.upload_state(&self.id))
                .map_err(Error::io("remove an upload's state"))?;
        }
        self.file
            .file
            .set_len(len)
            .map_err(Error::io("cut an upload"))
    }

    /// Writes and hashes the chunks. On an error nothing of them remains.
    pub(crate) fn write(&mut self, bytes: &Batch) -> Result<(), Error> {
        self.write_unhashed(bytes.chunks())?;
        bytes.hash_into(&mut self.hasher);
        Ok(())
    }

    /// Forces the bytes to disk, and saves the hash state when much was added.
    ///
    /// After an error the upload is of no use any more.
    pub(crate) fn sync(&mut self, layout: &Layout) -> Result<(), Error> {
        self.flush()?;
        if self.synced < self.len {
            self.file.sync()?;
            self.synced = self.len;
        }
        if self.encrypted.is_none() && self.len >= self.recorded + RECORD_EVERY_BYTES {
            self.recorded = save_record(layout, &self.id, self.inode, self.len, &self.hasher);
        }
        Ok(())
    }

    /// Writes what an encrypted upload still holds in memory.
    fn flush(&mut self) -> Result<(), Error> {
        match &mut self.encrypted {
            Some(encrypted) => encrypted
                .flush(&self.file.file)
                .map_err(Error::io("write an encrypted upload")),
            None => Ok(()),
        }
    }

    /// Starts a sync that may run while more is written. The hasher has seen all bytes.
    pub(crate) fn checkpoint(&self, hasher: Hasher) -> Checkpoint {
        let encrypted = self.encrypted.as_ref();
        Checkpoint {
            file: Arc::clone(&self.file),
            offset: encrypted.map_or(self.len, EncryptedBytes::written),
            hasher,
        }
    }

    /// Takes note of a checkpoint whose sync succeeded.
    pub(crate) fn reached(&mut self, layout: &Layout, checkpoint: &Checkpoint) {
        self.synced = self.synced.max(checkpoint.offset);
        if self.encrypted.is_none() && checkpoint.offset > self.recorded {
            self.recorded = save_record(
                layout,
                &self.id,
                self.inode,
                checkpoint.offset,
                &checkpoint.hasher,
            );
        }
    }

    /// Compares the bytes with the digest. Where they are others, the upload's files are gone afterwards.
    pub(crate) fn compare(
        &mut self,
        layout: &Layout,
        expected: &Digest,
    ) -> Result<Compared, Error> {
        if self.is_lost() {
            // Its digest says nothing: the error of the sync is told.
            self.file.sync()?;
        }
        self.flush()?;
        let actual = if self.hasher.algorithm() == expected.algorithm() {
            self.hasher.digest()
        } else {
            let mut hasher = Hasher::new(expected.algorithm());
            match &self.encrypted {
                Some(encrypted) => encrypted
                    .read(&self.file.file, |plain| hasher.update(plain))
                    .map_err(Error::io("read an encrypted upload"))?,
                None => hash_range(&self.file.file, 0, self.len, &mut hasher)?,
            }
            hasher.digest()
        };
        if actual != *expected {
            layout.remove_upload(&self.id)?;
            return Ok(Compared::Mismatch(actual));
        }
        Ok(Compared::Same)
    }

    /// Gives the bytes their key as name: durable when this returns. False where the upload's file was
    /// taken away meanwhile.
    pub(crate) fn publish(&mut self, layout: &Layout, key: &ObjectKey) -> Result<bool, Error> {
        if let Some(encrypted) = &mut self.encrypted {
            encrypted
                .finish(&self.file.file)
                .map_err(Error::io("end an encrypted upload"))?;
        }
        if self.synced < self.len || self.len == 0 || self.encrypted.is_some() {
            self.file.sync()?;
        }
        if !layout.rename_to_object(&layout.upload(&self.id), key)? {
            return Ok(false);
        }
        layout::remove(&layout.upload_state(&self.id))
            .map_err(Error::io("remove an upload's state"))?;
        Ok(true)
    }
}

impl Checkpoint {
    /// Blocks until the bytes are on disk.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        self.file.sync()
    }
}

/// The length of an upload that may be another's, with all its bytes on disk. One that cannot be synced
/// is removed: its bytes are not what the disk has, and only this call was told.
pub(crate) fn synced_len(
    layout: &Layout,
    id: &UploadId,
    is_encrypted: bool,
) -> Result<Option<u64>, Error> {
    let file = match layout.open_upload(id) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("open an upload")(error)),
    };
    let mut len = file.metadata().map_err(Error::io("stat an upload"))?.len();
    if is_encrypted {
        let records = encryption::scan(&file, len);
        len = records.map_err(Error::io("read an encrypted upload"))?.size;
    }
    if let Err(error) = Synced::new(file).sync() {
        layout.remove_upload(id)?;
        return Err(error);
    }
    Ok(Some(len))
}

/// Stores bytes that are all in memory: one create, one write, two syncs, one rename.
pub(crate) fn store_whole(
    layout: &Layout,
    id: UploadId,
    bytes: Batch,
    algorithm: Algorithm,
    key: &ObjectKey,
    encryption: Option<&EncryptionKey>,
) -> Result<(), Error> {
    let bytes = match encryption {
        Some(key) => {
            let file = encryption::whole_file(key, bytes.chunks());
            Batch::from(Bytes::from(file.map_err(Error::io("encrypt a blob"))?))
        }
        None => bytes,
    };
    let taken = || Error::io("create an upload")(io::ErrorKind::AlreadyExists.into());
    // The bytes are written as they are.
    let upload = Upload::create(layout, id, algorithm, None)?.ok_or_else(taken)?;
    let written = write_all_at(&upload.file.file, bytes.chunks(), 0);
    // A sync may take long.
    drop(bytes);
    let stored = written
        .map_err(Error::io("write an upload"))
        .and_then(|()| upload.file.sync())
        .and_then(|()| layout.rename_to_object(&layout.upload(&id), key));
    match stored {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::io("rename an upload to its key")(
            io::ErrorKind::NotFound.into(),
        )),
        Err(error) => {
            if let Err(error) = layout.remove_upload(&id) {
                tracing::warn!(%error, "cannot remove a temporary file: the next start does");
            }
            Err(error)
        }
    }
}

fn lock(file: &File) -> Result<(), TakeError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => TakeError::Busy,
        TryLockError::Error(error) => TakeError::Storage(Error::io("lock an upload")(error)),
    })
}

/// What has the upload's name now.
fn named(layout: &Layout, id: &UploadId) -> Result<std::fs::Metadata, TakeError> {
    std::fs::symlink_metadata(layout.upload(id)).map_err(not_found_or("stat an upload"))
}

fn not_found_or(what: &'static str) -> impl FnOnce(io::Error) -> TakeError {
    move |error| match error.kind() {
        io::ErrorKind::NotFound => TakeError::Unknown,
        _ => TakeError::Storage(Error::io(what)(error)),
    }
}

fn read_record(layout: &Layout, id: &UploadId, inode: u64) -> Option<hash_state::Record> {
    let mut record = Vec::new();
    let file = File::open(layout.upload_state(id)).ok()?;
    // A record is far shorter; the bound keeps a stray file from filling the memory.
    file.take(4096).read_to_end(&mut record).ok()?;
    hash_state::decode(inode, &record)
}

/// Saves the state and returns the offset it covers: 0 if that failed, which costs hashing again.
fn save_record(layout: &Layout, id: &UploadId, inode: u64, offset: u64, hasher: &Hasher) -> u64 {
    let Some(record) = hash_state::encode(inode, offset, hasher) else {
        return 0;
    };
    match layout
        .open_state(id)
        .and_then(|mut file| file.write_all(&record))
    {
        Ok(()) => offset,
        Err(error) => {
            tracing::warn!(%error, upload = %id, "cannot save an upload's hash state");
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than what goes through the page cache.
    const LONG_BYTES: usize = 33 << 20;
    const BATCH_BYTES: usize = 1 << 20;

    fn begin() -> (tempfile::TempDir, Layout, Upload) {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::prepare(folder.path()).unwrap();
        let id = UploadId::from_random([7; 16]);
        let upload = Upload::create(&layout, id, Algorithm::Sha256, None).unwrap();
        (folder, layout, upload.unwrap())
    }

    fn write(upload: &mut Upload, length: usize) -> Result<(), Error> {
        upload.write(&Batch::from(Bytes::from(vec![7; length])))
    }

    /// A direct write makes the file longer on the disk. What the page cache holds by then would be zeros in it after a
    /// power cut, unless it was synced.
    #[test]
    fn what_the_page_cache_holds_is_synced_before_a_direct_write() {
        let (_folder, layout, mut upload) = begin();
        write(&mut upload, LONG_BYTES).unwrap();

        upload.file.fail_syncs(true);
        write(&mut upload, BATCH_BYTES).unwrap_err();
        assert_eq!(upload.len(), LONG_BYTES as u64);
        let file = layout.open_upload(&upload.id).unwrap();
        assert_eq!(file.metadata().unwrap().len(), LONG_BYTES as u64);

        upload.file.fail_syncs(false);
        write(&mut upload, BATCH_BYTES).unwrap();
        // The disk has all of it: no further sync is due.
        upload.file.fail_syncs(true);
        write(&mut upload, BATCH_BYTES).unwrap();
        // Until something goes through the page cache.
        write(&mut upload, BATCH_BYTES / 8).unwrap();
        let is_direct = upload.placed.is_some();
        assert_eq!(write(&mut upload, BATCH_BYTES).is_err(), is_direct);
    }

    /// A request that ends while its hasher is lent, because a sync beside it failed. Opened again, the file would sync
    /// without an error.
    #[test]
    fn an_upload_whose_sync_failed_is_remembered_without_its_hasher() {
        let (_folder, layout, mut upload) = begin();
        write(&mut upload, BATCH_BYTES).unwrap();
        upload.lend_hasher();
        upload.file.fail_syncs(true);
        let (id, layout) = (upload.id, Arc::new(layout));
        let locks = Arc::new(crate::upload_locks::UploadLocks::default());
        let mut lock = locks.acquire(&layout, id).unwrap();
        lock.upload = Some(upload);
        drop(lock);
        let mut lock = locks.acquire(&layout, id).unwrap();
        let mut upload = lock.upload.take().unwrap();
        let digest = Digest::sha256_of(&vec![7; BATCH_BYTES]);
        // No word of another digest, which would tell the client that its bytes are wrong.
        assert!(upload.compare(&layout, &digest).is_err());
    }

    #[test]
    fn an_upload_that_is_cut_back_goes_on_with_other_bytes() {
        let (_folder, layout, mut upload) = begin();
        write(&mut upload, BATCH_BYTES).unwrap();
        upload.sync(&layout).unwrap();
        write(&mut upload, RECORD_EVERY_BYTES as usize).unwrap();
        // With the hash state on disk.
        upload.sync(&layout).unwrap();
        let id = upload.id;
        upload.unlock();
        upload.cut_back(&layout, BATCH_BYTES as u64).unwrap();

        let other = vec![9; 2 * RECORD_EVERY_BYTES as usize];
        let mut whole = vec![7; BATCH_BYTES];
        whole.extend(&other);
        for _ in 0..2 {
            let mut upload = Upload::resume(&layout, id, None, None).ok().unwrap();
            if upload.len() == BATCH_BYTES as u64 {
                upload
                    .write(&Batch::from(Bytes::from(other.clone())))
                    .unwrap();
            }
            assert_eq!(upload.len(), whole.len() as u64);
            assert!(upload.hasher.digest() == Digest::sha256_of(&whole));
        }
    }
}
