//! The data directory: its own, locked while a server runs on it, with files that only their
//! owner may read.
//!
//! ```text
//! <data-dir>/            0700
//!   lock                 held by the server that runs on this directory; holds its process id
//!   setup.lock           held for the moment in which keys and accounts are made
//!   master.key    0600   seals the key ring (unless the key comes from elsewhere)
//!   credentials   0600   the root access key that the first start made
//!   berth.db             metadata (unless it is in PostgreSQL)
//!   blobs/               layers and manifests (unless --blobs says otherwise)
//!   audit/               one file of events a day
//!   restoring            a restore has begun and not ended: servers refuse the directory
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::error::{Error, Result};

/// Reads and writes for the owner alone.
const PRIVATE_DIR: u32 = 0o700;
const PRIVATE_FILE: u32 = 0o600;
/// What may not be open to others: keys, and the database, which holds every sealed secret.
const PRIVATE_FILES: [&str; 5] = [
    "credentials",
    "master.key",
    "berth.db",
    "berth.db-wal",
    "berth.db-shm",
];
/// Nobody but the owner.
pub const GROUP_AND_OTHERS: u32 = 0o077;
/// A file that is given by an option may be its group's to read, as mounted secrets are.
pub const OTHERS: u32 = 0o027;
/// The mark of a restore that has not ended: the id that its database gets.
pub const RESTORING: &str = "restoring";
/// What may be in a directory that a restore takes: the key that it needs, locks, and a mark that was cut while it was
/// written.
const BEFORE_RESTORE: [&str; 4] = ["master.key", "lock", "setup.lock", "restoring.new"];
/// The largest file of keys that is read, in bytes.
const SMALL_FILE_BYTES_MAX: u64 = 64 * 1024;

/// An existing data directory.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
}

/// Held while keys and accounts are made: two processes must not both be the first.
#[derive(Debug)]
pub struct Setup(#[allow(dead_code, reason = "closing the file is what ends the lock")] File);

/// Held while a server runs.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code, reason = "closing the file is what ends the lock")] File);

impl DataDir {
    /// Opens the directory, making it where it is missing.
    pub fn open(path: &Path) -> Result<DataDir> {
        let shown = path.display();
        make_synced(path).map_err(Error::failed(format!(
            "cannot make the data directory {shown}"
        )))?;
        // Absolute, because it stands in lines to paste elsewhere.
        let path = fs::canonicalize(path).map_err(Error::failed(format!(
            "cannot open the data directory {shown}"
        )))?;
        let home = DataDir { path };
        if home.restoring()?.is_some() {
            return Err(Error::Failed(format!(
                "a restore into {shown} did not finish: run `berth restore` again, which begins anew"
            )));
        }
        home.keep_others_out()?;
        Ok(home)
    }

    /// Opens a directory that is missing, empty but for the master key, or left by a restore that did not finish.
    pub fn open_for_restore(path: &Path) -> Result<DataDir> {
        let shown = path.display();
        make_synced(path).map_err(Error::failed(format!(
            "cannot make the data directory {shown}"
        )))?;
        let unreadable = || Error::failed(format!("cannot read the data directory {shown}"));
        let path = fs::canonicalize(path).map_err(unreadable())?;
        let home = DataDir { path };
        if home.restoring()?.is_none() {
            for entry in fs::read_dir(&home.path).map_err(unreadable())? {
                let name = entry.map_err(unreadable())?.file_name();
                if !BEFORE_RESTORE.iter().any(|known| name == *known) {
                    return Err(Error::Failed(format!(
                        "the data directory {shown} is not empty (it has `{}`): a restore needs an empty one, \
                         which may hold master.key",
                        name.display()
                    )));
                }
            }
        }
        fs::set_permissions(&home.path, fs::Permissions::from_mode(PRIVATE_DIR))
            .map_err(unreadable())?;
        Ok(home)
    }

    /// The mark of a restore that has not ended.
    pub fn restoring(&self) -> Result<Option<String>> {
        let mark = read_small(&self.join(RESTORING))?;
        Ok(mark.map(|text| text.trim().to_owned()))
    }

    /// A directory that was there before is closed to others while it is still empty, as a fresh
    /// volume is; one with files in it may be somebody's choice, and is only spoken of.
    fn keep_others_out(&self) -> Result<()> {
        let unreadable = || {
            Error::failed(format!(
                "cannot read the data directory {}",
                self.path.display()
            ))
        };
        let mode = fs::metadata(&self.path)
            .map_err(unreadable())?
            .permissions()
            .mode();
        if mode & 0o077 == 0 {
            return Ok(());
        }
        let empty = fs::read_dir(&self.path)
            .map_err(unreadable())?
            .next()
            .is_none();
        let closed = empty
            && fs::set_permissions(&self.path, fs::Permissions::from_mode(PRIVATE_DIR)).is_ok();
        if !closed {
            tracing::warn!(
                data_dir = %self.path.display(),
                "others on this machine may enter the data directory: chmod 700 it"
            );
        }
        Ok(())
    }

    /// A file or directory in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Refuses to go on with a file of the directory that others may open or change, or that is a link:
    /// whoever could put a link there could have keys written or read elsewhere.
    pub fn check_private_files(&self) -> Result<()> {
        for name in PRIVATE_FILES {
            check_private(&self.join(name), GROUP_AND_OTHERS)?;
        }
        Ok(())
    }

    /// Takes the directory for a server; refused while another has it.
    pub fn lock(&self) -> Result<Lock> {
        let path = self.join("lock");
        let mut file = private_options()
            .read(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::failed(format!("cannot open {}", path.display())))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                let read = Read::by_ref(&mut file).take(20).read_to_string(&mut owner);
                let owner = match (read, owner.trim()) {
                    (Ok(_), id) if !id.is_empty() => format!(" (process {id})"),
                    _ => String::new(),
                };
                return Err(Error::Failed(format!(
                    "another server{owner} runs on the data directory {}; stop it, or choose another with --data-dir",
                    self.path.display()
                )));
            }
            Err(TryLockError::Error(error)) => {
                return Err(Error::Failed(format!(
                    "cannot lock {}: {error}",
                    path.display()
                )));
            }
        }
        file.set_len(0)
            .and_then(|()| file.write_all(format!("{}\n", std::process::id()).as_bytes()))
            .map_err(Error::failed(format!("cannot write {}", path.display())))?;
        Ok(Lock(file))
    }

    /// Waits until no other process makes keys or accounts here.
    pub fn setup(&self) -> Result<Setup> {
        let path = self.join("setup.lock");
        let file = private_options()
            .truncate(false)
            .open(&path)
            .map_err(Error::failed(format!("cannot open {}", path.display())))?;
        file.lock()
            .map_err(Error::failed(format!("cannot lock {}", path.display())))?;
        Ok(Setup(file))
    }
}

fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(PRIVATE_FILE);
    options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    options
}

/// Writes a file that only its owner may read: whole or not at all, and on disk when this returns.
/// The caller holds [`Setup`], so the name of the unfinished file is its own, and what a killed
/// process left under it is overwritten.
pub fn write_private(_: &Setup, path: &Path, text: &str) -> Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".new");
    let unfinished = PathBuf::from(unfinished);
    let written = (|| {
        // An old one might be open to others.
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = private_options().create_new(true).open(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, path)?;
        sync_parent(path)
    })();
    written.map_err(Error::failed(format!("cannot write {}", path.display())))
}

/// Makes a directory for its owner alone, where it is missing.
pub fn make(path: &Path) -> Result<()> {
    make_synced(path).map_err(Error::failed(format!("cannot make {}", path.display())))
}

/// Removes a file, durable when this returns; nothing where there is none.
pub fn remove(path: &Path) -> Result<()> {
    let removed = match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_parent(path),
    };
    removed.map_err(Error::failed(format!("cannot remove {}", path.display())))
}

/// Makes a directory and those above it that are missing, each name synced in the directory above it: a
/// crash must not take away the directory of a key that was shown.
fn make_synced(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    make_synced(above)?;
    match DirBuilder::new().mode(PRIVATE_DIR).create(path) {
        // Another process was faster, and may not have synced it yet.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        made => made?,
    }
    File::open(above)?.sync_all()
}

/// Makes names in `path`'s directory durable.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}

/// Refuses a file that `closed_to` may open, or that is a symbolic link. A missing file is fine.
pub fn check_private(path: &Path, closed_to: u32) -> Result<()> {
    let shown = path.display();
    let file = match fs::symlink_metadata(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::Failed(format!("cannot read {shown}: {error}"))),
    };
    if file.is_symlink() {
        return Err(Error::Failed(format!(
            "{shown} is a symbolic link, which is not followed; put the file itself there"
        )));
    }
    if file.permissions().mode() & closed_to != 0 {
        return Err(Error::Failed(format!(
            "users other than its owner may open {shown}; chmod 600 it"
        )));
    }
    Ok(())
}

/// The text of a small file; `None` where there is none. Links are followed: a mounted secret is one.
pub fn read_small(path: &Path) -> Result<Option<zeroize::Zeroizing<String>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Error::Failed(format!(
                "cannot read {}: {error}",
                path.display()
            )));
        }
    };
    let mut text = zeroize::Zeroizing::new(String::new());
    file.take(SMALL_FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(Error::failed(format!("cannot read {}", path.display())))?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_new_directory_is_its_owners() {
        let dir = tempfile::tempdir().unwrap();
        let home = DataDir::open(&dir.path().join("a/b")).unwrap();
        assert_eq!(mode(&home.path), 0o700);
        assert!(home.path.is_absolute());
    }

    #[test]
    fn an_empty_volume_is_closed_and_a_used_directory_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        for (name, file, expected) in [("fresh", false, 0o700), ("used", true, 0o755)] {
            let path = dir.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            if file {
                fs::write(path.join("notes"), "x").unwrap();
            }
            DataDir::open(&path).unwrap();
            assert_eq!(mode(&path), expected, "{name}");
        }
    }

    #[test]
    fn refuses_files_that_others_may_open_and_links() {
        let dir = tempfile::tempdir().unwrap();
        let home = DataDir::open(dir.path()).unwrap();
        home.check_private_files().unwrap();
        for name in PRIVATE_FILES {
            let path = home.join(name);
            fs::write(&path, "").unwrap();
            for (mode, taken) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
                let checked = home.check_private_files();
                assert_eq!(checked.is_ok(), taken, "{name} {mode:o} {checked:?}");
            }
            fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink("/dev/null", &path).unwrap();
            let refused = home.check_private_files().unwrap_err().to_string();
            assert!(refused.contains("symbolic link"), "{refused}");
            fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn a_restore_takes_an_empty_directory_and_goes_on_in_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        for name in BEFORE_RESTORE {
            fs::write(path.join(name), "x").unwrap();
        }
        DataDir::open_for_restore(path).unwrap();
        fs::write(path.join("berth.db"), "").unwrap();
        let refused = DataDir::open_for_restore(path).unwrap_err().to_string();
        assert!(refused.contains("`berth.db`"), "{refused}");
        fs::write(path.join(RESTORING), "id\n").unwrap();
        let home = DataDir::open_for_restore(path).unwrap();
        assert_eq!(home.restoring().unwrap().as_deref(), Some("id"));
        let refused = DataDir::open(path).unwrap_err().to_string();
        assert!(refused.contains("did not finish"), "{refused}");
    }

    #[test]
    fn one_server_a_directory() {
        let dir = tempfile::tempdir().unwrap();
        let home = DataDir::open(dir.path()).unwrap();
        let held = home.lock().unwrap();
        let refused = home.lock().unwrap_err().to_string();
        assert!(
            refused.contains("another server") && refused.contains("--data-dir"),
            "{refused}"
        );
        assert!(
            refused.contains(&std::process::id().to_string()),
            "{refused}"
        );
        drop(held);
        home.lock().unwrap();
    }

    #[test]
    fn private_files_are_whole_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let home = DataDir::open(dir.path()).unwrap();
        let setup = home.setup().unwrap();
        let path = home.join("credentials");
        // What a killed process left behind, open to all.
        fs::write(home.join("credentials.new"), "half").unwrap();
        write_private(&setup, &path, "whole").unwrap();
        assert_eq!(read_small(&path).unwrap().unwrap().as_str(), "whole");
        assert_eq!(mode(&path), 0o600);
        assert!(!home.join("credentials.new").exists());
        assert!(read_small(&home.join("none")).unwrap().is_none());
    }

    #[test]
    fn a_file_in_the_way_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "").unwrap();
        let refused = DataDir::open(&path.join("x")).unwrap_err().to_string();
        assert!(refused.contains("data directory"), "{refused}");
    }
}
