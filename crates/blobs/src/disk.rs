//! Bytes to and from one file; everything here blocks.

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use crash_points::{Point, reach};

use crate::Error;
use crate::encryption::ReadAt;
use crate::hash_state::Hasher;

/// Bytes read at a time when they are hashed again.
const REHASH_BYTES: usize = 256 * 1024;

/// A file and the memory of a sync that failed.
///
/// Linux reports a lost write once per open file, to whichever sync comes first; the next one
/// succeeds although the bytes are gone (fsync(2), "Notes"). So syncs go one by one, and after a
/// failed one all fail.
pub(crate) struct Synced {
    pub(crate) file: File,
    failed: Mutex<bool>,
}

impl Synced {
    pub(crate) fn new(file: File) -> Arc<Self> {
        Arc::new(Self {
            file,
            failed: Mutex::new(false),
        })
    }

    /// Whether a sync failed: the disk has not what was written.
    pub(crate) fn has_failed(&self) -> bool {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets each sync fail from now on.
    #[cfg(test)]
    pub(crate) fn fail_syncs(&self, fails: bool) {
        *self.failed.lock().unwrap() = fails;
    }

    pub(crate) fn sync(&self) -> Result<(), Error> {
        self.try_sync().map_err(Error::io("sync an upload"))
    }

    pub(crate) fn try_sync(&self) -> io::Result<()> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if *failed {
            return Err(io::Error::other("an earlier sync of this file failed"));
        }
        reach(Point::UploadWritten);
        let synced = self.file.sync_data();
        *failed = synced.is_err();
        reach(Point::UploadSynced);
        synced
    }
}

impl ReadAt for File {
    fn read_at(&self, at: u64, length: usize) -> io::Result<Vec<u8>> {
        crash_points::reads(self)?;
        let mut bytes = vec![0; length];
        self.read_exact_at(&mut bytes, at)?;
        Ok(bytes)
    }
}

/// Hashes a part of a file.
pub(crate) fn hash_range(
    file: &File,
    mut from: u64,
    to: u64,
    hasher: &mut Hasher,
) -> Result<(), Error> {
    if from >= to {
        return Ok(());
    }
    let mut buffer = vec![0; REHASH_BYTES];
    while from < to {
        let want = buffer
            .len()
            .min(usize::try_from(to - from).unwrap_or(usize::MAX));
        file.read_exact_at(&mut buffer[..want], from)
            .map_err(Error::io("read a file to hash it"))?;
        hasher.update(&buffer[..want]);
        from += want as u64;
    }
    Ok(())
}

/// Writes all chunks from byte `at` on, with as few calls as the kernel allows.
pub(crate) fn write_all_at(file: &File, chunks: &[Bytes], mut at: u64) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = chunks.iter().map(|chunk| IoSlice::new(chunk)).collect();
    let mut rest = slices.as_mut_slice();
    // Drops empty slices at the front, which would make a write of nothing look like an end.
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        match rustix::io::pwritev(file, rest, at) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                at += written as u64;
                IoSlice::advance_slices(&mut rest, written);
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
