//! Paths of the files, and how a name becomes durable.
//!
//! ```text
//! <root>/database                   the id of the database that the files belong to (`owner.rs`)
//! <root>/lock                       locked by the servers that use the directory (`owner.rs`)
//! <root>/blobs/objects/7f/7f3c…     a stored copy, whole and synced before it has this name
//! <root>/blobs/sha256/ab/ab12…      the same, as version 0.1 named it
//! <root>/uploads/<upload id>        the bytes of an upload so far
//! <root>/uploads/<upload id>.state  its saved hash state (`hash_state.rs`)
//! <root>/uploads/tmp-<id>[.state]   the same of a content that comes in one request
//! <root>/quarantine/…               files that a repair moved away (`quarantine.rs`)
//! ```
//!
//! Both folders are under one root, hence on one file system: a rename between them is atomic.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crash_points::{Point, reach};

use crate::object_key::UNIQUE;
use crate::{Error, ObjectKey, UploadId};

// Other users of the machine have no access: the registry decides who reads.
const FOLDER_MODE: u32 = 0o700;
pub(crate) const FILE_MODE: u32 = 0o600;

const STATE_SUFFIX: &str = ".state";
/// The prefix of files that no client can resume: once no process writes to one, it can be removed at any age.
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
        make_folders_synced(root).map_err(Error::io("make the folder"))?;
        let objects = layout.area(UNIQUE);
        let mut made = false;
        for folder in [&layout.uploads(), &layout.root.join("blobs"), &objects] {
            made |= make_folder(folder).map_err(Error::io("make a folder"))?;
        }
        // All at once, so that no push waits for one.
        for prefix in 0..=u8::MAX {
            made |= make_folder(&objects.join(format!("{prefix:02x}")))
                .map_err(Error::io("make a folder"))?;
        }
        if made {
            for folder in [objects.as_path(), &layout.root.join("blobs"), root] {
                sync_folder(folder).map_err(Error::io("sync a folder"))?;
            }
        }
        Ok(layout)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
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

    pub(crate) fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    pub(crate) fn area(&self, area: &str) -> PathBuf {
        self.blobs().join(area)
    }

    /// The folder of an area's keys that begin with this byte.
    pub(crate) fn prefix(&self, area: &str, first: u8) -> PathBuf {
        self.area(area).join(format!("{first:02x}"))
    }

    pub(crate) fn object(&self, key: &ObjectKey) -> PathBuf {
        self.prefix(key.area(), key.first_byte()).join(key.name())
    }

    /// Gives an upload's file its key as name and makes that durable. False when there is no such file.
    pub(crate) fn rename_to_object(&self, from: &Path, key: &ObjectKey) -> Result<bool, Error> {
        let to = self.object(key);
        debug_assert!(!to.exists(), "a key names one copy");
        match std::fs::rename(from, &to) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(Error::io("rename an upload to its key")(error)),
        }
        reach(Point::ObjectRenamed);
        if let Err(error) = sync_folder(&self.prefix(key.area(), key.first_byte())) {
            // No row will name it. The collection finds what cannot be removed now.
            if let Err(error) = remove(&to) {
                tracing::warn!(%error, %key, "cannot remove a copy whose name cannot be synced");
            }
            return Err(Error::io("sync a folder of blobs")(error));
        }
        reach(Point::ObjectStored);
        Ok(true)
    }

    pub(crate) fn create_upload(&self, id: &UploadId) -> io::Result<File> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(FILE_MODE)
            .open(self.upload(id))
            .inspect(|_| reach(Point::UploadCreated))
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

/// Makes a folder and those above it that are missing; each new name is synced in the folder above it.
fn make_folders_synced(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = match path.parent() {
        Some(above) if !above.as_os_str().is_empty() => above,
        _ => Path::new("."),
    };
    make_folders_synced(above)?;
    make_folder(path)?;
    sync_folder(above)
}

/// Makes one folder; false where it was there.
pub(crate) fn make_folder(path: &Path) -> io::Result<bool> {
    match DirBuilder::new().mode(FOLDER_MODE).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Without this, a crash may forget the names in the folder (fsync(2), "Description").
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
