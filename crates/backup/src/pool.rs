//! A directory of backups: its mark, its lock, its backups.
//!
//! ```text
//! <dir>/berth-backups            the mark: "1", the form of the directory
//! <dir>/lock                     held while a backup is written or pruned; shared by readers
//! <dir>/blobs/objects/7f/7f3c…   stored copies, which all backups share
//! <dir>/backups/<id>/            a backup that is whole
//! <dir>/unfinished/<id>/         one that is being written, or was interrupted
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result, io_error};
use crate::files;
use crate::index::Index;

const MARK: &str = "berth-backups";
const MARK_TEXT: &str = "1\n";
/// The longest mark that is read.
const MARK_BYTES_MAX: u64 = 64;

/// What a process does in the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It reads, beside other readers.
    Read,
    /// It writes or removes, alone.
    Write,
}

/// A directory of backups, open. Clones share the lock, which ends with the last of them.
#[derive(Clone, Debug)]
pub struct Pool {
    root: PathBuf,
    _lock: Arc<File>,
}

/// A backup that is whole.
#[derive(Clone, Debug)]
pub struct Backup {
    /// What it says of itself.
    pub index: Index,
    pub(crate) folder: PathBuf,
}

impl Pool {
    /// Opens the directory. To write, an empty or missing one becomes a directory of backups.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Refused`] for a directory of something else, and the system's.
    pub fn open(root: &Path, access: Access) -> Result<Pool> {
        let mark = root.join(MARK);
        match (files::read_small(&mark, MARK_BYTES_MAX)?, access) {
            (Some(text), _) if text == MARK_TEXT.as_bytes() => {}
            (Some(_), _) => {
                return Err(Error::Refused(format!(
                    "{} is a directory of backups in a form that this version does not know: use a newer version",
                    root.display()
                )));
            }
            (None, Access::Read) => {
                return Err(Error::Refused(format!(
                    "{} is no directory of backups",
                    root.display()
                )));
            }
            (None, Access::Write) => make(root, &mark)?,
        }
        let pool = Pool {
            root: root.to_owned(),
            _lock: Arc::new(lock(root, access)?),
        };
        if access == Access::Write {
            for folder in [pool.backups_folder(), pool.unfinished_folder()] {
                files::make_folder(&folder)?;
            }
        }
        Ok(pool)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn backups_folder(&self) -> PathBuf {
        self.root.join("backups")
    }

    pub(crate) fn unfinished_folder(&self) -> PathBuf {
        self.root.join("unfinished")
    }

    /// The backups that are whole, the newest first. One whose index cannot be read is an error: it is not passed
    /// over in silence.
    ///
    /// # Errors
    /// The system's, and [`Error::Damaged`].
    pub fn backups(&self) -> Result<Vec<Backup>> {
        let folder = self.backups_folder();
        let mut found = Vec::new();
        for entry in fs::read_dir(&folder).map_err(io_error("read", &folder))? {
            let entry = entry.map_err(io_error("read", &folder))?;
            let name = entry.file_name();
            let Some(id) = name.to_str().filter(|id| is_id(id)) else {
                continue;
            };
            found.push(self.backup(id)?);
        }
        found.sort_by(|a, b| {
            let of = |backup: &Backup| (backup.index.taken_at, backup.index.id.clone());
            of(b).cmp(&of(a))
        });
        Ok(found)
    }

    /// The backup of this id, or the newest one.
    ///
    /// # Errors
    /// [`Error::Refused`] where there is none, and those of [`Pool::backups`].
    pub fn find(&self, id: Option<&str>) -> Result<Backup> {
        match id {
            Some(id) if is_id(id) && self.backups_folder().join(id).is_dir() => self.backup(id),
            Some(id) => Err(Error::Refused(format!(
                "there is no backup `{id}` in {}",
                self.root.display()
            ))),
            None => self.backups()?.into_iter().next().ok_or_else(|| {
                Error::Refused(format!("there is no backup in {}", self.root.display()))
            }),
        }
    }

    fn backup(&self, id: &str) -> Result<Backup> {
        let folder = self.backups_folder().join(id);
        let index = Index::read(&folder, id)?;
        Ok(Backup { index, folder })
    }
}

/// Whether a text may be a backup's id, and so the name of a folder.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(is_plain)
}

fn make(root: &Path, mark: &Path) -> Result<()> {
    files::make_folder(root)?;
    let unfinished = root.join(format!("{MARK}.new"));
    files::remove(&unfinished)?;
    let mut entries = fs::read_dir(root).map_err(io_error("read", root))?;
    // A lock may be left of a start that was cut here.
    let is_foreign = |entry: &std::io::Result<fs::DirEntry>| {
        !entry
            .as_ref()
            .is_ok_and(|entry| entry.file_name() == "lock")
    };
    if entries.any(|entry| is_foreign(&entry)) {
        return Err(Error::Refused(format!(
            "{} has other files in it: give an empty directory, or one of backups",
            root.display()
        )));
    }
    files::write(&unfinished, MARK_TEXT.as_bytes())?;
    fs::rename(&unfinished, mark).map_err(io_error("write", mark))?;
    files::sync_folder(root)
}

fn lock(root: &Path, access: Access) -> Result<File> {
    let path = root.join("lock");
    // A reader may have no right to write: it locks what is there.
    let file = match access {
        Access::Read => File::open(&path),
        Access::Write => OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path),
    };
    let file = file.map_err(io_error("open", &path))?;
    let locked = match access {
        Access::Read => file.try_lock_shared(),
        Access::Write => file.try_lock(),
    };
    match locked {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Busy(root.to_owned())),
        Err(TryLockError::Error(error)) => Err(io_error("lock", &path)(error)),
    }
}
