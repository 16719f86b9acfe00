//! The store's interface, and its promise.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use crash_points::{Point, reach};
use futures_util::Stream;

#[cfg(feature = "testing")]
use crate::Redirect;
use crate::batch::{Arriving, Batch, End, read_batch};
use crate::blocking;
use crate::encryption::{self, ReadAt};
use crate::hash_state::Hasher;
use crate::layout::{self, Layout};
use crate::owner::{self, DirectoryLock, Owner};
use crate::read::read_at;
use crate::received::{Received, StoreError};
use crate::small_copies::{SMALL_BYTES_MAX, SmallCopies};
use crate::stream_write::write_stream;
use crate::upload::{self, Compared, TakeError, Upload};
use crate::upload_locks::{UploadLock, UploadLocks};
use crate::{
    AppendError, BlobFile, BoxError, Digest, EncryptionKey, Error, FinishError, ObjectKey,
    OpenError, PutError, Source, StartError, Stored, UploadId, UploadState,
};

/// A content up to this long is hashed where it arrives: that takes as long as to hand it to another thread.
const HASHED_AT_ONCE_BYTES: usize = 16 * 1024;

/// A store of bytes, each copy under a key of its own. Clones share it.
///
/// # The promise
///
/// * **Acknowledged is durable.** When [`Received::store`], [`finish`](Self::finish) or [`put`](Self::put)
///   returns `Ok`, the bytes are synced, they have their key as name, and the folder that holds the name is
///   synced. The offset that [`append`](Self::append) or [`upload_size`](Self::upload_size) returns counts
///   synced bytes. (The name of an upload that is not finished is left to the file system: after a power
///   cut a client may have to begin anew.)
/// * **A name is always whole.** A copy gets its name by a rename, after its bytes were hashed as they
///   passed and the digest was compared. No reader sees half of one.
/// * **A key names one copy, once.** No file is reused or deleted by its digest.
/// * **Nothing is left behind.** A refused or failed upload leaves no file. A process that is killed
///   may, and [`sweep_uploads`](Self::sweep_uploads) at the next start removes them.
/// * **Memory is bounded**: two batches of 1 MiB for an upload, two reads of 256 KiB for a download,
///   whatever the blob's size; small copies that are read often are kept in 16 MiB.
///
/// # What it does not do
///
/// It knows no repository and no permission, does not know which digests are stored (the database maps a
/// digest to the key of its copy), and does not count references. Before a copy is deleted, the caller
/// commits that no row names its key.
///
/// Every method must be called within a tokio runtime: files are touched on its blocking pool.
#[derive(Clone)]
pub struct Blobs {
    // The seam: another kind of store (S3-compatible) becomes an enum here, beside the directory.
    layout: Arc<Layout>,
    locks: Arc<UploadLocks>,
    small: Arc<SmallCopies>,
    _directory_lock: Arc<DirectoryLock>,
    key: Option<Arc<EncryptionKey>>,
    #[cfg(feature = "testing")]
    redirect: Option<fn(&ObjectKey) -> String>,
}

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Blobs").field(&self.layout).finish()
    }
}

impl Blobs {
    /// Opens the store in the folder `path` for the servers of one database, making what is missing.
    ///
    /// # Errors
    /// [`OpenError`]: the folder belongs to another database, or another server has it.
    pub async fn open_directory(
        path: impl AsRef<Path>,
        owner: Owner<'_>,
    ) -> Result<Self, OpenError> {
        let path = path.as_ref().to_owned();
        let (database, is_shared) = (owner.database.to_owned(), owner.is_shared);
        let (layout, directory_lock) = blocking::sync(move || {
            let layout = Layout::prepare(&path)?;
            let database = database.as_str();
            let owner = Owner {
                database,
                is_shared,
            };
            let lock = owner::take(layout.root(), owner)?;
            Ok::<_, OpenError>((layout, lock))
        })
        .await??;
        Ok(Self {
            layout: Arc::new(layout),
            locks: Arc::default(),
            small: Arc::default(),
            _directory_lock: Arc::new(directory_lock),
            key: None,
            #[cfg(feature = "testing")]
            redirect: None,
        })
    }

    /// The same store for content that is encrypted on disk: what is written through it is encrypted under
    /// the key, and uploads and copies that are read through it were. The caller remembers which are. Sizes
    /// and offsets are those of the content; of a copy whose file is damaged, [`stat`](Self::stat) answers 0.
    #[must_use]
    pub fn encrypted(&self, key: Arc<EncryptionKey>) -> Self {
        Self {
            key: Some(key),
            ..self.clone()
        }
    }

    /// The folder of the store, for backups: a stored copy is the file `blobs/<key>` in it, and never changes.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.layout.root()
    }

    /// Starts an upload: an empty file of its own.
    pub async fn start_upload(&self, id: &UploadId) -> Result<(), StartError> {
        let id = *id;
        let Some(mut lock) = self.locks.acquire(&self.layout, id) else {
            return Err(StartError::Exists(id));
        };
        let (layout, key) = (Arc::clone(&self.layout), self.key.clone());
        let created = blocking::write(move || {
            let created = Upload::create(&layout, id, crate::Algorithm::Sha256, key.as_deref())?;
            let is_new = created.is_some();
            if is_new {
                lock.upload = created;
            }
            drop(lock);
            Ok::<_, Error>(is_new)
        });
        if created.await?? {
            Ok(())
        } else {
            Err(StartError::Exists(id))
        }
    }

    /// Appends a part that begins at byte `offset`, which must be where the upload ends; returns
    /// where it ends now, with every byte on disk.
    ///
    /// A part that is cut keeps what came: see [`AppendError::Body`], or ask
    /// [`upload_size`](Self::upload_size) where this future was dropped. Of a part for which the disk has no space
    /// nothing remains, unless the upload is encrypted.
    pub async fn append<S, E>(
        &self,
        id: &UploadId,
        offset: u64,
        part: S,
    ) -> Result<u64, AppendError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError>,
    {
        let id = *id;
        let mut lock = self.take(id).await.map_err(|error| match error {
            TakeError::Unknown => AppendError::Unknown(id),
            TakeError::Busy => AppendError::Busy(id),
            TakeError::Storage(error) => error.into(),
        })?;
        let actual = lock.upload.as_ref().map_or(0, Upload::len);
        if actual != offset {
            return Err(AppendError::OffsetMismatch {
                expected: offset,
                actual,
            });
        }
        lock.acknowledged = offset;
        let mut part = pin!(part);
        let mut arriving = Arriving::begin(offset);
        let first = read_batch(&mut arriving, part.as_mut()).await;
        let written = write_stream(&self.layout, lock, first, &mut arriving, part).await?;
        let layout = Arc::clone(&self.layout);
        let (rest, mut lock) = (written.rest, written.lock);
        let offset = blocking::sync(move || {
            write(&mut lock, rest)?;
            sync(&layout, &mut lock)
        })
        .await??;
        match written.failed {
            None => Ok(offset),
            Some(source) => Err(AppendError::Body { offset, source }),
        }
    }

    /// The upload's length in bytes, or `None` where it is not known. While another request writes
    /// to it, this is what has been written so far. A look holds nothing: it makes no request that
    /// writes find the upload busy.
    pub async fn upload_size(&self, id: &UploadId) -> Result<Option<u64>, Error> {
        let id = *id;
        let (layout, locks) = (Arc::clone(&self.layout), Arc::clone(&self.locks));
        let is_encrypted = self.key.is_some();
        blocking::sync(move || {
            let Some(file_bytes) = stat(&layout.upload(&id))? else {
                return Ok(None);
            };
            // What a request left behind that was dropped, or another process, may not be on disk.
            match locks.synced_len(&id, file_bytes) {
                Some(len) => Ok(Some(len)),
                None if file_bytes == 0 => Ok(Some(0)),
                None => upload::synced_len(&layout, &id, is_encrypted),
            }
        })
        .await?
    }

    /// Whether the upload has a file: cheaper than its [length](Self::upload_size), of which every byte
    /// must be on disk.
    pub async fn has_upload(&self, id: &UploadId) -> Result<bool, Error> {
        let path = self.layout.upload(id);
        Ok(blocking::read(move || stat(&path)).await??.is_some())
    }

    /// Ends an upload whose bytes are those of `expected`. The caller then [stores](Received::store) them,
    /// or [discards](Received::discard) them where the database knows a copy already. Until then the upload
    /// is as before: dropped, it can be ended once more.
    ///
    /// Where `expected` is a sha512, the bytes are read once more.
    pub async fn complete(
        &self,
        id: &UploadId,
        expected: &Digest,
    ) -> Result<Received, FinishError> {
        let (id, expected) = (*id, *expected);
        let lock = self.take(id).await.map_err(|error| match error {
            TakeError::Unknown => FinishError::Unknown(id),
            TakeError::Busy => FinishError::Busy(id),
            TakeError::Storage(error) => error.into(),
        })?;
        match self.compare(lock, expected).await? {
            Ok(received) => Ok(received),
            Err(actual) => Err(FinishError::DigestMismatch { expected, actual }),
        }
    }

    /// [Completes](Self::complete) an upload and stores a copy of its own.
    pub async fn finish(&self, id: &UploadId, expected: &Digest) -> Result<Stored, FinishError> {
        let received = self.complete(id, expected).await?;
        received.store().await.map_err(|error| match error {
            StoreError::Gone => FinishError::Unknown(*id),
            StoreError::Storage(error) => error.into(),
        })
    }

    /// Removes an upload; false where there was none. A request that is writing to it goes on into
    /// nothing and finds it unknown.
    pub async fn cancel(&self, id: &UploadId) -> Result<bool, Error> {
        let id = *id;
        let (layout, locks) = (Arc::clone(&self.layout), Arc::clone(&self.locks));
        blocking::write(move || {
            locks.forget(&id);
            layout.remove_upload(&id)
        })
        .await?
    }

    /// Takes a whole content in one go, as a monolithic upload sends it; what becomes of it is the caller's
    /// to say, as with [`complete`](Self::complete). Up to 1 MiB stays in memory until they are stored.
    pub async fn receive<S, E>(&self, expected: &Digest, content: S) -> Result<Received, PutError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError>,
    {
        let expected = *expected;
        let mut content = pin!(content);
        let mut arriving = Arriving::begin(0);
        let (first, end) = read_batch(&mut arriving, content.as_mut()).await;
        match end {
            End::Failed(source) => return Err(PutError::Body(source)),
            End::Done => {
                let bytes = first.bytes();
                let mut hasher = Hasher::new(expected.algorithm());
                let hash = move || {
                    first.hash_into(&mut hasher);
                    (hasher.digest(), first)
                };
                let (actual, first) = match bytes {
                    0..=HASHED_AT_ONCE_BYTES => hash(),
                    _ => blocking::compute(hash).await?,
                };
                if actual != expected {
                    return Err(PutError::DigestMismatch { expected, actual });
                }
                return Ok(self.received(expected, first));
            }
            End::Open => {}
        }

        let mut lock = self.locks.acquire_temporary(&self.layout)?;
        let (layout, key) = (Arc::clone(&self.layout), self.key.clone());
        let lock = blocking::write(move || {
            let algorithm = expected.algorithm();
            lock.upload = Upload::create(&layout, lock.id(), algorithm, key.as_deref())?;
            Ok::<_, Error>(lock)
        })
        .await??;
        let written = write_stream(
            &self.layout,
            lock,
            (first, End::Open),
            &mut arriving,
            content,
        )
        .await?;
        if let Some(source) = written.failed {
            return Err(PutError::Body(source));
        }
        let (rest, mut lock) = (written.rest, written.lock);
        let lock = blocking::write(move || {
            write(&mut lock, rest)?;
            Ok::<_, Error>(lock)
        });
        match self.compare(lock.await??, expected).await? {
            Ok(received) => Ok(received),
            Err(actual) => Err(PutError::DigestMismatch { expected, actual }),
        }
    }

    /// [Receives](Self::receive) a content and stores a copy of its own.
    pub async fn put<S, E>(&self, expected: &Digest, content: S) -> Result<Stored, PutError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError>,
    {
        let received = self.receive(expected, content).await?;
        received.store().await.map_err(|error| match error {
            StoreError::Gone => PutError::Storage(Error::io("find a temporary file again")(
                io::ErrorKind::NotFound.into(),
            )),
            StoreError::Storage(error) => error.into(),
        })
    }

    /// Stores bytes that are in memory, by their sha256.
    pub async fn put_small(&self, content: &[u8]) -> Result<Stored, Error> {
        let digest = Digest::sha256_of(content);
        let bytes = Bytes::copy_from_slice(content);
        self.received(digest, bytes.into())
            .store()
            .await
            .map_err(|error| match error {
                StoreError::Storage(error) => error,
                StoreError::Gone => Error::io("store bytes")(io::ErrorKind::NotFound.into()),
            })
    }

    /// The same store, whose clients fetch the bytes themselves at these URLs, as from an object store.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn redirecting(mut self, url: fn(&ObjectKey) -> String) -> Self {
        self.redirect = Some(url);
        self
    }

    /// Opens a copy for reading; `None` where there is none.
    pub async fn open(&self, key: &ObjectKey) -> Result<Option<Source>, Error> {
        #[cfg(feature = "testing")]
        if let Some(url) = self.redirect {
            let size = self.stat(key).await?;
            return Ok(size.map(|size| Source::Redirect(Redirect::new(size, url(key)))));
        }
        // What is encrypted on disk is not kept in clear.
        if self.key.is_some() {
            let opened = self.open_file(key).await?;
            return Ok(opened.map(Source::File));
        }
        if let Some(bytes) = self.small.get(key) {
            return Ok(Some(Source::File(BlobFile::in_memory(bytes))));
        }
        let path = self.layout.object(key);
        let opened = blocking::read(move || {
            let Some(file) = open_if_there(&path)? else {
                return Ok(None);
            };
            let size = file.metadata().map_err(Error::io("stat a blob"))?.len();
            let small = usize::try_from(size)
                .ok()
                .filter(|_| size <= SMALL_BYTES_MAX);
            let Some(small) = small else {
                // A disk that does not read is found before an answer has begun.
                read_at(&file, 0, 1).map_err(Error::io("read a blob"))?;
                return Ok(Some(BlobFile::new(file, size)));
            };
            let bytes = read_at(&file, 0, small).map_err(Error::io("read a blob"))?;
            Ok(Some(BlobFile::in_memory(bytes.into())))
        })
        .await??;
        if let Some(bytes) = opened
            .as_ref()
            .and_then(|file| file.bytes_in_memory(0..file.size()))
        {
            self.small.put(*key, bytes);
        }
        Ok(opened.map(Source::File))
    }

    pub(crate) async fn open_file(&self, key: &ObjectKey) -> Result<Option<BlobFile>, Error> {
        let (path, key) = (self.layout.object(key), self.key.clone());
        blocking::read(move || {
            let Some(file) = open_if_there(&path)? else {
                return Ok(None);
            };
            let size = file.metadata().map_err(Error::io("stat a blob"))?.len();
            let opened = match key {
                Some(key) => BlobFile::encrypted(file, size, &key)
                    .map_err(Error::io("open an encrypted blob"))?,
                None => {
                    // A disk that does not read is found before an answer has begun.
                    if size > 0 {
                        ReadAt::read_at(&file, 0, 1).map_err(Error::io("read a blob"))?;
                    }
                    BlobFile::new(file, size)
                }
            };
            Ok(Some(opened))
        })
        .await?
    }

    /// A copy's length in bytes; `None` where there is none.
    pub async fn stat(&self, key: &ObjectKey) -> Result<Option<u64>, Error> {
        let path = self.layout.object(key);
        if self.key.is_none() {
            return blocking::read(move || stat(&path)).await?;
        }
        blocking::read(move || {
            let Some(file) = open_if_there(&path)? else {
                return Ok(None);
            };
            let size = file.metadata().map_err(Error::io("stat a blob"))?.len();
            match encryption::read_footer(&file, size, None) {
                Ok(records) => Ok(Some(records.size)),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    tracing::error!(%error, path = %path.display(), "an encrypted blob is damaged");
                    Ok(Some(0))
                }
                Err(error) => Err(Error::io("stat an encrypted blob")(error)),
            }
        })
        .await?
    }

    /// Whether the directory is there: a file system that is not mounted has no copy at all, and none of them is lost.
    pub async fn is_there(&self) -> Result<bool, Error> {
        let mark = self.layout.root().join(owner::MARK);
        Ok(blocking::read(move || stat(&mark)).await??.is_some())
    }

    /// Deletes a copy; false if there was none. Reads that are open continue. The caller has committed that
    /// no row names the key. The deletion is not synced: if a crash undoes it, [`list`](Self::list) finds the
    /// copy again.
    pub async fn delete(&self, key: &ObjectKey) -> Result<bool, Error> {
        self.forget(key);
        let path = self.layout.object(key);
        blocking::write(move || {
            let removed = layout::remove(&path).map_err(Error::io("delete a blob"));
            reach(Point::ObjectRemoved);
            removed
        })
        .await?
    }

    /// Gives back the memory of a copy that goes.
    pub(crate) fn forget(&self, key: &ObjectKey) {
        self.small.remove(key);
    }

    pub(crate) fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    pub(crate) fn locks(&self) -> &Arc<UploadLocks> {
        &self.locks
    }

    fn received(&self, digest: Digest, bytes: Batch) -> Received {
        let (layout, locks) = (Arc::clone(&self.layout), Arc::clone(&self.locks));
        Received::in_memory(layout, locks, digest, bytes, self.key.clone())
    }

    async fn take(&self, id: UploadId) -> Result<UploadLock, TakeError> {
        self.resume(id, None).await
    }

    /// Takes an upload in hand; where this process does not have it open, or another one continued it, from what is
    /// on disk, with the digest so far from `given` if that is known.
    pub(crate) async fn resume(
        &self,
        id: UploadId,
        given: Option<UploadState>,
    ) -> Result<UploadLock, TakeError> {
        let mut lock = self
            .locks
            .acquire(&self.layout, id)
            .ok_or(TakeError::Busy)?;
        if let Some(kept) = lock.upload.take() {
            let layout = Arc::clone(&self.layout);
            let going_on = blocking::read(move || {
                lock.upload = kept.go_on(&layout)?;
                Ok(lock)
            });
            lock = going_on.await.map_err(TakeError::Storage)??;
            if lock.upload.is_some() {
                return Ok(lock);
            }
        }
        let (layout, key) = (Arc::clone(&self.layout), self.key.clone());
        blocking::resume(move || {
            let resumed = Upload::resume(&layout, id, given.as_ref(), key.as_deref());
            lock.upload = Some(resumed?);
            Ok(lock)
        })
        .await
        .map_err(TakeError::Storage)?
    }

    /// Whether the upload's bytes are those of the digest; else what they are.
    async fn compare(
        &self,
        lock: UploadLock,
        expected: Digest,
    ) -> Result<Result<Received, Digest>, Error> {
        let layout = Arc::clone(&self.layout);
        let (lock, compared) = blocking::write(move || {
            let mut lock = lock;
            let compared = match &mut lock.upload {
                Some(upload) => upload.compare(&layout, &expected),
                None => Err(Error::io("find an upload")(io::ErrorKind::NotFound.into())),
            };
            if let Ok(Compared::Mismatch(_)) = compared {
                lock.upload = None;
                lock.settled();
            }
            if let Some(lost) = lock.upload.take_if(|upload| upload.is_lost()) {
                lock.failed(lost);
            }
            (lock, compared)
        })
        .await?;
        Ok(match compared? {
            Compared::Same => Ok(Received::of_upload(
                Arc::clone(&self.layout),
                expected,
                lock,
            )),
            Compared::Mismatch(actual) => Err(actual),
        })
    }
}

/// Writes and hashes the bytes, which take no memory when this returns.
fn write(lock: &mut UploadLock, bytes: Batch) -> Result<(), Error> {
    let written = match &mut lock.upload {
        Some(upload) if bytes.bytes() > 0 => upload.write(&bytes),
        _ => Ok(()),
    };
    written.inspect_err(|error| lock.write_failed(error))
}

/// Syncs and returns the upload's length. An upload that cannot be synced is removed: its bytes
/// are not what the disk has.
fn sync(layout: &Layout, lock: &mut UploadLock) -> Result<u64, Error> {
    let Some(upload) = &mut lock.upload else {
        return Ok(0);
    };
    match upload.sync(layout) {
        Ok(()) => Ok(upload.len()),
        Err(error) => {
            if let Some(upload) = lock.upload.take() {
                lock.failed(upload);
            }
            Err(error)
        }
    }
}

fn open_if_there(path: &Path) -> Result<Option<File>, Error> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("open a blob")(error)),
    }
}

fn stat(path: &Path) -> Result<Option<u64>, Error> {
    match std::fs::symlink_metadata(path) {
        Ok(meta) => Ok(Some(meta.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("stat a file")(error)),
    }
}
