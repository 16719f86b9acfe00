//! Maintenance: sweeping uploads, listing copies, verifying one.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};

use crate::blocking;
use crate::encryption::ReadAt;
use crate::hash_state::Hasher;
use crate::layout::{self, FILE_MODE, Layout, UploadFile};
use crate::object_key::UNIQUE;
use crate::{Algorithm, Blobs, Digest, Error, Listed, ObjectKey, Swept, UploadId, Verified};

/// The first folders of keys. Each has up to 256 folders.
const AREAS: [&str; 3] = [UNIQUE, Algorithm::Sha256.name(), Algorithm::Sha512.name()];

/// A file in the folder of uploads that is there for a moment.
const PROBE: &str = "probe";

/// What a sweep finds out about an upload.
enum Abandoned {
    /// A process is writing to it.
    No,
    /// No process is writing to it, and none can begin while the lock is held.
    Locked(File),
    /// It has no bytes.
    Gone,
}

impl Blobs {
    /// Removes every file in the folder of uploads that `keep` does not name, unknown files too; for a
    /// start, when the caller knows which uploads can still be resumed. An upload that is being
    /// written now, by this process or another, stays.
    ///
    /// The file of a [`put`](Self::put) whose process was killed goes whatever `keep` says, which is not
    /// called: it cannot be resumed.
    ///
    /// Where other processes serve from the same folder, `keep` may be older than an upload that one of
    /// them starts meanwhile: there, take [`list_uploads`](Self::list_uploads) first, look up which of
    /// those are known after it, and [`cancel`](Self::cancel) the rest.
    pub async fn sweep_uploads<F>(&self, keep: F) -> Result<Swept, Error>
    where
        F: Fn(&UploadId) -> bool + Send + 'static,
    {
        let this = self.clone();
        blocking::write(move || this.sweep(keep)).await?
    }

    /// The uploads that have a file, in no order.
    pub async fn list_uploads(&self) -> Result<Vec<UploadId>, Error> {
        let layout = Arc::clone(self.layout());
        blocking::read(move || {
            let files = read_folder(&layout.uploads())?.into_iter();
            let ids = files.filter_map(|(name, _)| match UploadFile::from_name(name.to_str()?) {
                Some(UploadFile::Bytes(id)) if !id.is_temporary() => Some(id),
                _ => None,
            });
            Ok(ids.collect())
        })
        .await?
    }

    fn sweep(&self, keep: impl Fn(&UploadId) -> bool) -> Result<Swept, Error> {
        let layout = self.layout();
        let keep = |id: &UploadId| !id.is_temporary() && keep(id);
        let mut swept = Swept::default();
        for (name, _) in read_folder(&layout.uploads())? {
            let path = layout.uploads().join(&name);
            // Held while the file goes: who made it just now, and has not locked it yet, waits and
            // finds that it is gone.
            let _lock = match name.to_str().and_then(UploadFile::from_name) {
                Some(UploadFile::Bytes(id) | UploadFile::State(id)) if keep(&id) => {
                    // A state is of use only beside its bytes.
                    if path == layout.upload(&id) || layout.upload(&id).exists() {
                        continue;
                    }
                    None
                }
                Some(UploadFile::Bytes(id) | UploadFile::State(id)) => {
                    match self.abandoned(&id, &layout.upload(&id))? {
                        Abandoned::No => continue,
                        Abandoned::Locked(file) => Some(file),
                        Abandoned::Gone => None,
                    }
                }
                None => None,
            };
            let meta = std::fs::symlink_metadata(&path);
            let bytes = meta.as_ref().map_or(0, std::fs::Metadata::len);
            if meta.is_ok_and(|meta| meta.is_dir()) {
                tracing::warn!(?name, "a folder among the uploads is left alone");
            } else if layout::remove(&path).map_err(Error::io("remove a temporary file"))? {
                swept.files += 1;
                swept.bytes += bytes;
            }
        }
        Ok(swept)
    }

    /// Whether no process is writing to the upload now.
    fn abandoned(&self, id: &UploadId, bytes: &Path) -> Result<Abandoned, Error> {
        // The lock is given back, without the open file, before the file goes: whoever locks the
        // upload next finds by its name that it is gone.
        let Some(mut lock) = self.locks().acquire(self.layout(), *id) else {
            return Ok(Abandoned::No);
        };
        drop(lock.upload.take());
        match File::open(bytes) {
            Ok(file) => Ok(match file.try_lock() {
                Ok(()) => Abandoned::Locked(file),
                Err(_) => Abandoned::No,
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Abandoned::Gone),
            Err(error) => Err(Error::io("open an upload")(error)),
        }
    }

    /// Whether the disk works: a file is written, synced, read and removed.
    ///
    /// # Errors
    /// What failed.
    pub async fn probe(&self) -> Result<(), Error> {
        let path = self.layout().uploads().join(PROBE);
        blocking::sync(move || {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(true);
            let file = options.mode(FILE_MODE).open(&path);
            let file = file.map_err(Error::io("open a file to try the disk"))?;
            let content = [0x5a; 4096];
            let tried = file
                .write_all_at(&content, 0)
                .and_then(|()| file.sync_all())
                .and_then(|()| ReadAt::read_at(&file, 0, content.len()))
                .map_err(Error::io("try the disk"));
            let removed = layout::remove(&path).map_err(Error::io("remove what tried the disk"));
            tried?;
            removed.map(drop)
        })
        .await?
    }

    /// Hashes a copy again and says whether its bytes still are those of the digest.
    pub async fn verify(&self, key: &ObjectKey, digest: &Digest) -> Result<Verified, Error> {
        self.verify_paced(key, digest, 0).await
    }

    /// The same, reading at most so many bytes a second, so that others have the disk too; zero: as fast as it is.
    pub async fn verify_paced(
        &self,
        key: &ObjectKey,
        digest: &Digest,
        bytes_per_second: u64,
    ) -> Result<Verified, Error> {
        let mut hasher = Hasher::new(digest.algorithm());
        let damaged = |size| Verified::Damaged { actual: None, size };
        let file = match self.open_file(key).await {
            Ok(Some(file)) => file,
            Ok(None) => return Ok(Verified::Missing),
            Err(error) if error.is_damage() => return Ok(damaged(0)),
            Err(error) if error.is_unreadable() => return Ok(Verified::Unreadable),
            Err(error) => return Err(error),
        };
        let size = file.size();
        let mut read = file.read_range(0..size);
        while let Some(chunk) = read.next().await {
            let chunk = match chunk.map_err(Error::io("read a blob to verify it")) {
                Ok(chunk) => chunk,
                Err(error) if error.is_damage() => return Ok(damaged(size)),
                Err(error) if error.is_unreadable() => return Ok(Verified::Unreadable),
                Err(error) => return Err(error),
            };
            let millis = (chunk.len() as u64 * 1_000).checked_div(bytes_per_second);
            hasher = blocking::compute(move || {
                hasher.update(&chunk);
                hasher
            })
            .await?;
            if let Some(millis) = millis {
                tokio::time::sleep(Duration::from_millis(millis)).await;
            }
        }
        let actual = hasher.digest();
        Ok(if actual == *digest {
            Verified::Whole { size }
        } else {
            Verified::Damaged {
                actual: Some(actual),
                size,
            }
        })
    }

    /// The stored copies of one folder, in the order of the keys; `None` behind the last folder. So a walk over
    /// all copies can stop and go on later, perhaps in another process.
    pub async fn list_folder(&self, number: u16) -> Result<Option<Vec<Listed>>, Error> {
        let [area, first] = number.to_be_bytes();
        let Some(area) = AREAS.get(usize::from(area)) else {
            return Ok(None);
        };
        let layout = Arc::clone(self.layout());
        blocking::read(move || list_folder(&layout, area, first).map(Some)).await?
    }

    /// The files of a folder of copies whose names are no keys, as paths below the folder of blobs. Folders among
    /// them are left out.
    pub(crate) async fn strays(&self, number: u16) -> Result<Vec<String>, Error> {
        let [area, first] = number.to_be_bytes();
        let Some(area) = AREAS.get(usize::from(area)) else {
            return Ok(Vec::new());
        };
        let layout = Arc::clone(self.layout());
        blocking::read(move || {
            let mut strays = Vec::new();
            for (name, entry) in read_folder(&layout.prefix(area, first))? {
                let path = format!("{area}/{first:02x}/{}", name.to_string_lossy());
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                if !is_folder && path.parse::<ObjectKey>().is_err() {
                    strays.push(path);
                }
            }
            strays.sort_unstable();
            Ok(strays)
        })
        .await?
    }

    /// Every stored copy, in the order of the keys. Memory holds one 256th of the names at a time; a copy
    /// that comes or goes meanwhile may be told or not.
    pub fn list(&self) -> impl Stream<Item = Result<Listed, Error>> + Send + Unpin + use<> {
        let layout = Arc::clone(self.layout());
        let folders = AREAS
            .into_iter()
            .flat_map(|area| (0..=u8::MAX).map(move |first| (area, first)));
        stream::iter(folders)
            .then(move |(area, first)| {
                let layout = Arc::clone(&layout);
                blocking::read(move || list_folder(&layout, area, first))
            })
            .map(Result::flatten)
            .map_ok(|blobs| stream::iter(blobs).map(Ok))
            .try_flatten()
            .boxed()
    }
}

fn list_folder(layout: &Layout, area: &str, first: u8) -> Result<Vec<Listed>, Error> {
    let mut blobs = Vec::new();
    for (name, entry) in read_folder(&layout.prefix(area, first))? {
        let key = name.to_str().and_then(|name| {
            format!("{area}/{first:02x}/{name}")
                .parse::<ObjectKey>()
                .ok()
        });
        let Some(key) = key else {
            tracing::warn!(?name, "a file among the blobs has no blob's name");
            continue;
        };
        match entry.metadata() {
            Ok(meta) => blobs.push(Listed {
                key,
                size: meta.len(),
                // The time of the rename, not of the last write: an upload may have rested between.
                stored_ms: meta
                    .ctime()
                    .saturating_mul(1000)
                    .saturating_add(meta.ctime_nsec() / 1_000_000),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("stat a blob")(error)),
        }
    }
    blobs.sort_unstable_by_key(|blob| blob.key);
    Ok(blobs)
}

/// The entries of a folder; none where it is missing.
fn read_folder(path: &Path) -> Result<Vec<(OsString, std::fs::DirEntry)>, Error> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("read a folder")(error)),
    };
    entries
        .map(|entry| entry.map(|entry| (entry.file_name(), entry)))
        .collect::<io::Result<_>>()
        .map_err(Error::io("read a folder"))
}
