//! Where things lie, and how a name becomes durable.
//!
//! ```text
//! <root>/blobs/sha256/ab/ab12…      a blob, whole and synced before it has this name
//! <root>/uploads/<upload id>        the bytes of an upload so far
//! <root>/uploads/<upload id>.state  its saved hash state (`hash_state.rs`)
//! <root>/uploads/tmp-<id>[.state]   the same of a content that comes in one request
//! ```
//!
//! Both halves lie under one root, hence on one file system: a rename between them is atomic.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::{Algorithm, Digest, Error, UploadId};

// Other people of the machine have no business here: the registry decides who reads.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

const STATE_SUFFIX: &str = ".state";
/// Of files that no client can resume: once nobody writes to one, it is rubbish, however young.
const TEMPORARY_PREFIX: &str = "tmp-";

#[derive(Debug)]
pub(crate) struct Layout {
    root: PathBuf,
}

/// A file in the folder of uploads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UploadFile {
    Bytes(UploadId),
    State(UploadId),
}

impl UploadFile {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name.strip_suffix(STATE_SUFFIX) {
            Some(name) => id_of(name).map(Self::State),
            None => id_of(name).map(Self::Bytes),
        }
    }
}

/// The name of an upload's file, or of a temporary one.
fn name_of(id: &UploadId) -> String {
    match id.is_temporary() {
        true => format!("{TEMPORARY_PREFIX}{id}"),
        false => id.to_string(),
    }
}

/// What [`name_of`] made a name of.
fn id_of(name: &str) -> Option<UploadId> {
    match name.strip_prefix(TEMPORARY_PREFIX) {
        Some(id) => UploadId::parse_any(id).ok().filter(UploadId::is_temporary),
        None => name.parse().ok(),
    }
}

impl Layout {
    /// Makes the folders that are missing, synced.
    pub(crate) fn prepare(root: &Path) -> Result<Self, Error> {
        let layout = Self {
            root: root.to_owned(),
        };
        let mut above = DirBuilder::new();
        above.recursive(true).mode(FOLDER_MODE);
        above.create(root).map_err(Error::io("make the folder"))?;
        for folder in [
            layout.uploads(),
            layout.root.join("blobs"),
            layout.algorithm(Algorithm::Sha256),
            layout.algorithm(Algorithm::Sha512),
        ] {
            make_folder(&folder).map_err(Error::io("make a folder"))?;
        }
        // All of sha256's at once, so that no push waits for one: sha512's come when one is used.
        let sha256 = layout.algorithm(Algorithm::Sha256);
        let mut made = false;
        for prefix in 0..=u8::MAX {
            made |= make_folder(&sha256.join(format!("{prefix:02x}")))
                .map_err(Error::io("make a folder"))?;
        }
        if made {
            for folder in [sha256.as_path(), &layout.root.join("blobs"), root] {
                sync_folder(folder).map_err(Error::io("sync a folder"))?;
            }
            if let Some(parent) = root.parent().filter(|p| !p.as_os_str().is_empty()) {
                sync_folder(parent).map_err(Error::io("sync a folder"))?;
            }
        }
        Ok(layout)
    }

    pub(crate) fn uploads(&self) -> PathBuf {
        self.root.join("uploads")
    }

    pub(crate) fn upload(&self, id: &UploadId) -> PathBuf {
        self.uploads().join(name_of(id))
    }

    pub(crate) fn upload_state(&self, id: &UploadId) -> PathBuf {
        self.uploads().join(name_of(id) + STATE_SUFFIX)
    }

    pub(crate) fn algorithm(&self, algorithm: Algorithm) -> PathBuf {
        self.root.join("blobs").join(algorithm.name())
    }

    /// The folder of the digests that begin with this byte.
    pub(crate) fn prefix(&self, algorithm: Algorithm, first: u8) -> PathBuf {
        self.algorithm(algorithm).join(format!("{first:02x}"))
    }

    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        self.blob_folder(digest).join(digest.hex())
    }

    pub(crate) fn blob_folder(&self, digest: &Digest) -> PathBuf {
        self.prefix(digest.algorithm(), digest.as_bytes()[0])
    }

    /// Gives the file its digest as name and makes that durable. False when there is no such file.
    pub(crate) fn rename_to_blob(&self, from: &Path, digest: &Digest) -> Result<bool, Error> {
        let to = self.blob(digest);
        let renamed = match std::fs::rename(from, &to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // The file or the folder is missing. Make sure that it is not the folder.
                let folder = self.blob_folder(digest);
                if make_folder(&folder).map_err(Error::io("make a folder"))? {
                    sync_folder(&self.algorithm(digest.algorithm()))
                        .map_err(Error::io("sync a folder"))?;
                }
                std::fs::rename(from, &to)
            }
            other => other,
        };
        match renamed {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(Error::io("rename an upload to its digest")(error)),
        }
        self.sync_blob_folder(digest)?;
        Ok(true)
    }

    pub(crate) fn sync_blob_folder(&self, digest: &Digest) -> Result<(), Error> {
        sync_folder(&self.blob_folder(digest)).map_err(Error::io("sync a folder of blobs"))
    }

    pub(crate) fn create_upload(&self, id: &UploadId) -> io::Result<File> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(FILE_MODE)
            .open(self.upload(id))
    }

    pub(crate) fn open_upload(&self, id: &UploadId) -> io::Result<File> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .open(self.upload(id))
    }

    pub(crate) fn open_state(&self, id: &UploadId) -> io::Result<File> {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(FILE_MODE)
            .open(self.upload_state(id))
    }

    /// Removes an upload's files; whether there was one, and its length in bytes.
    pub(crate) fn remove_upload(&self, id: &UploadId) -> Result<bool, Error> {
        let removed = remove(&self.upload(id)).map_err(Error::io("remove an upload"))?;
        remove(&self.upload_state(id)).map_err(Error::io("remove an upload's state"))?;
        Ok(removed)
    }
}

/// Removes a file; false where there is none.
pub(crate) fn remove(path: &Path) -> io::Result<bool> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes one folder; false where it was there.
fn make_folder(path: &Path) -> io::Result<bool> {
    match DirBuilder::new().mode(FOLDER_MODE).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Without this, a crash may forget the names in the folder (fsync(2), "Description").
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
