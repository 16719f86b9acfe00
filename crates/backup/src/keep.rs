//! Checking what is kept, and removing what is kept no longer.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use blobs::ObjectKey;

use crate::copies::{Fault, SUM_SUFFIX};
use crate::draft::next_copy;
use crate::error::{Error, Result, io_error};
use crate::files;
use crate::index::{self, COPIES, Keys};
use crate::pool::{Backup, Pool};

/// What a check of a backup found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Copies whose bytes were read.
    pub copies: u64,
    /// Bytes of their contents.
    pub bytes: u64,
    /// Copies that were missing or damaged when the backup was taken.
    pub known_faults: u64,
    /// What is wrong, one text each; empty for nothing.
    pub wrong: Vec<String>,
}

/// Faults that are told one by one.
const WRONG_MAX: usize = 100;

/// What a prune removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// The ids of the backups.
    pub backups: Vec<String>,
    /// Stored copies that no backup named any more.
    pub copies: u64,
    /// The bytes of their files.
    pub bytes: u64,
}

impl Backup {
    /// Reads every byte of the backup and compares it with its checksum or digest. With the key it is also known
    /// whether the checksums are those that were written.
    ///
    /// # Errors
    /// The system's. What is wrong with the backup is an answer.
    pub fn verify(&self, pool: &Pool, keys: Option<&dyn Keys>) -> Result<Checked> {
        let mut found = Checked {
            wrong: index::check_files(&self.folder, keys)?,
            ..Checked::default()
        };
        if !found.wrong.is_empty() {
            // What they say is not to be relied on.
            return Ok(found);
        }
        let mut list = self.copies()?;
        while let Some(copy) = next_copy(&mut list, &self.folder)? {
            if copy.fault.is_some() {
                found.known_faults += 1;
                continue;
            }
            found.copies += 1;
            found.bytes += copy.size;
            if let Some(fault) = copy.check(pool.root())?
                && found.wrong.len() < WRONG_MAX
            {
                let (key, digest, what) = (&copy.key, &copy.digest, fault.describe());
                found
                    .wrong
                    .push(format!("the copy {key} of {digest} {what}"));
            }
        }
        Ok(found)
    }

    pub(crate) fn copies(&self) -> Result<BufReader<File>> {
        let path = self.folder.join(COPIES);
        let file = File::open(&path).map_err(io_error("open", &path))?;
        Ok(BufReader::new(file))
    }
}

impl Pool {
    /// Keeps the newest `keep` backups, and removes the others and the copies that no backup names then. An
    /// interrupted one goes too.
    ///
    /// # Errors
    /// The system's; [`Error::Refused`] for none to keep, and [`Error::Damaged`] for one that cannot be read: what it
    /// names must not go.
    pub fn prune(&self, keep: usize) -> Result<Pruned> {
        if keep == 0 {
            return Err(Error::Refused("keep one backup at least".to_owned()));
        }
        let all = self.backups()?;
        let (kept, rest) = all.split_at(keep.min(all.len()));
        // Before anything goes: a list that cannot be read stops the work.
        let mut named = HashSet::new();
        for backup in kept {
            let wrong = index::check_files(&backup.folder, None)?;
            if let Some(what) = wrong.into_iter().next() {
                let id = backup.index.id.clone();
                return Err(Error::Damaged { id, what });
            }
            let mut list = backup.copies()?;
            while let Some(copy) = next_copy(&mut list, &backup.folder)? {
                if let Ok(key) = copy.parsed_key() {
                    named.insert(key);
                }
            }
        }
        let mut pruned = Pruned::default();
        let unfinished = self.unfinished_folder();
        for backup in rest {
            // It is none any more at once, whatever happens to its files.
            let gone = unfinished.join(&backup.index.id);
            files::remove_folder(&gone)?;
            fs::rename(&backup.folder, &gone).map_err(io_error("remove", &backup.folder))?;
            pruned.backups.push(backup.index.id.clone());
        }
        files::sync_folder(&self.backups_folder())?;
        for entry in fs::read_dir(&unfinished).map_err(io_error("read", &unfinished))? {
            let entry = entry.map_err(io_error("read", &unfinished))?;
            files::remove_folder(&entry.path())?;
        }
        let areas = self.root().join("blobs");
        for area in folders(&areas)? {
            for folder in folders(&area)? {
                sweep(&folder, &area, &named, &mut pruned)?;
            }
        }
        Ok(pruned)
    }
}

/// The entries of a folder; none where it is missing.
fn folders(path: &Path) -> Result<Vec<std::path::PathBuf>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io_error("read", path)(error)),
    };
    let paths: std::io::Result<Vec<_>> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect();
    paths.map_err(io_error("read", path))
}

/// Removes the copies of a folder that nobody names, and checksums without one.
fn sweep(
    folder: &Path,
    area: &Path,
    named: &HashSet<ObjectKey>,
    pruned: &mut Pruned,
) -> Result<()> {
    let name = |path: &Path| Some(path.file_name()?.to_str()?.to_owned());
    for path in folders(folder)? {
        let (Some(area), Some(folder), Some(file)) = (name(area), name(folder), name(&path)) else {
            continue;
        };
        let is_sum = file.ends_with(SUM_SUFFIX);
        let copy = file.trim_end_matches(SUM_SUFFIX);
        let Ok(key) = format!("{area}/{folder}/{copy}").parse::<ObjectKey>() else {
            tracing::warn!(path = %path.display(), "a file among the copies has no copy's name");
            continue;
        };
        if named.contains(&key) {
            continue;
        }
        if !is_sum {
            let meta = fs::symlink_metadata(&path).map_err(io_error("look at", &path))?;
            pruned.copies += 1;
            pruned.bytes += meta.len();
        }
        files::remove(&path)?;
    }
    Ok(())
}

impl Checked {
    /// Whether everything is as it was written.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.wrong.is_empty()
    }
}

/// What a fault of a restore is called.
pub(crate) fn fault_text(key: &str, digest: &str, fault: Fault) -> String {
    format!("the copy {key} of {digest} {}", fault.describe())
}
