//! One server for an SQLite file.
//!
//! The lock is on a file beside the database: SQLite's own locks are POSIX locks, which a process loses as
//! soon as it closes any handle of the locked file.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The lock file is its owner's alone, as the database is.
const FILE_MODE: u32 = 0o600;

/// Held while a server runs on the file. Closing the file ends the lock.
#[derive(Debug)]
pub(crate) struct ServerLock {
    _file: File,
}

impl ServerLock {
    /// Takes the database at `path`, which need not exist yet.
    pub(crate) fn take(path: &str) -> Result<ServerLock> {
        let database = resolved(Path::new(path)).map_err(|error| Error::Url {
            url: format!("sqlite:{path}"),
            why: error.to_string(),
        })?;
        let mut name = database.clone().into_os_string();
        name.push(".lock");
        let cannot = |error: io::Error| Error::Url {
            url: format!("sqlite:{path}"),
            why: format!("cannot lock {}: {error}", Path::new(&name).display()),
        };
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(FILE_MODE)
            .open(&name)
            .map_err(cannot)?;
        match file.try_lock() {
            Ok(()) => Ok(ServerLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse(database.display().to_string())),
            Err(TryLockError::Error(error)) => Err(cannot(error)),
        }
    }
}

/// The path without symbolic links, so that two names of one database have one lock.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let directory = match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent,
                _ => Path::new("."),
            };
            let name = path.file_name().unwrap_or(path.as_os_str());
            Ok(fs::canonicalize(directory)?.join(name))
        }
        other => other,
    }
}
