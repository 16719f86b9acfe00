//! The database that a directory belongs to.
//!
//! A server deletes uploads and blobs that its database does not know. Another database's server on the same
//! directory would delete what the first one needs, so the directory carries the id of the one database
//! that it belongs to, and servers that cannot share a database do not share the directory either.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::layout::{FILE_MODE, sync_folder};
use crate::{Error, OpenError};

/// The database behind the servers of a directory.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    /// The database's id.
    pub database: &'a str,
    /// Whether several servers may run on the database, and so on the directory.
    pub is_shared: bool,
}

/// Held while a server uses the directory. Closing the file ends the lock.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    _file: File,
}

/// The file with the database's id.
pub(crate) const MARK: &str = "database";

/// The longest id that is read.
const ID_BYTES_MAX: usize = 256;

/// Takes the directory: locked, and marked as the database's.
pub(crate) fn take(root: &Path, owner: Owner<'_>) -> Result<DirectoryLock, OpenError> {
    let lock = lock(root, owner.is_shared)?;
    let mark = root.join(MARK);
    if read(&mark)?.is_none() {
        write(root, &mark, owner.database).map_err(Error::io("mark the directory"))?;
    }
    match read(&mark)? {
        Some(found) if found == owner.database => Ok(lock),
        found => Err(OpenError::AnotherDatabase {
            found: found.unwrap_or_default(),
            expected: owner.database.to_owned(),
        }),
    }
}

fn lock(root: &Path, is_shared: bool) -> Result<DirectoryLock, OpenError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE)
        .open(root.join("lock"))
        .map_err(Error::io("open the lock of the directory"))?;
    let locked = match is_shared {
        true => file.try_lock_shared(),
        false => file.try_lock(),
    };
    match locked {
        Ok(()) => Ok(DirectoryLock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse),
        Err(TryLockError::Error(error)) => Err(Error::io("lock the directory")(error).into()),
    }
}

fn read(mark: &Path) -> Result<Option<String>, Error> {
    match fs::read(mark) {
        Ok(bytes) => {
            let bytes = &bytes[..bytes.len().min(ID_BYTES_MAX)];
            Ok(Some(String::from_utf8_lossy(bytes).trim().to_owned()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read whose the directory is")(error)),
    }
}

/// Writes the mark, whole or not at all, unless another server was faster.
fn write(root: &Path, mark: &Path, database: &str) -> io::Result<()> {
    let unfinished = root.join(format!("database.{}", std::process::id()));
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(FILE_MODE)
            .open(&unfinished)?;
        file.write_all(format!("{database}\n").as_bytes())?;
        file.sync_all()?;
        // Unlike a rename, a link does not replace what is there.
        match fs::hard_link(&unfinished, mark) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => sync_folder(root),
        }
    })();
    fs::remove_file(&unfinished).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    written
}
