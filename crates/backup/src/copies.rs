//! Stored copies of blobs: what a backup names, and how one file gets from a directory to another.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use blobs::{Algorithm, Digest, ObjectKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256, Sha512};

use crate::error::{Result, io_error};
use crate::files;

/// A stored copy that a backup names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredCopy {
    /// Its key, which is also its path.
    pub key: String,
    /// The digest of its content.
    pub digest: String,
    /// The id of the KMS key that it is encrypted under; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub encryption: String,
    /// The length of its content.
    pub size: u64,
    /// Of an encrypted copy, its file: the digest above is that of what is inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileSum>,
    /// Why the backup does not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// The length and the checksum of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileSum {
    /// Bytes.
    pub bytes: u64,
    /// In hexadecimal digits.
    pub sha256: String,
}

/// What is wrong with a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Fault {
    /// There was no file.
    Missing,
    /// The file has other bytes.
    Damaged,
}

/// What became of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Copied {
    /// It was there.
    Present,
    /// It is there now, as another name of the same file.
    Linked,
    /// It is there now.
    Streamed,
    /// It could not be copied.
    Faulty(Fault),
}

/// What the bytes of a file must be.
#[derive(Debug)]
enum Expected {
    Content(Digest, u64),
    File(FileSum),
}

/// The file of a key below `root`.
pub(crate) fn path_of(root: &Path, key: &ObjectKey) -> PathBuf {
    root.join("blobs").join(key.to_string())
}

/// The checksum of an encrypted copy's file, beside it in a directory of backups: an encrypted file can be
/// checked with a key only, or by this.
pub(crate) const SUM_SUFFIX: &str = ".sum";

fn sum_path(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(SUM_SUFFIX);
    PathBuf::from(name)
}

enum Hasher {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    fn update(&mut self, bytes: &[u8]) {
        match self {
            Hasher::Sha256(hasher) => hasher.update(bytes),
            Hasher::Sha512(hasher) => hasher.update(bytes),
        }
    }

    fn hex(self) -> String {
        match self {
            Hasher::Sha256(hasher) => hex::encode(hasher.finalize()),
            Hasher::Sha512(hasher) => hex::encode(hasher.finalize()),
        }
    }
}

impl Expected {
    fn length(&self) -> u64 {
        match self {
            Expected::Content(_, size) => *size,
            Expected::File(sum) => sum.bytes,
        }
    }

    fn hasher(&self) -> Hasher {
        match self {
            Expected::Content(digest, _) if digest.algorithm() == Algorithm::Sha512 => {
                Hasher::Sha512(Sha512::new())
            }
            _ => Hasher::Sha256(Sha256::new()),
        }
    }

    fn is(&self, hasher: Hasher) -> bool {
        let found = hasher.hex();
        match self {
            Expected::Content(digest, _) => digest.hex() == found,
            Expected::File(sum) => sum.sha256 == found,
        }
    }
}

impl StoredCopy {
    /// Its key.
    pub(crate) fn parsed_key(&self) -> std::result::Result<ObjectKey, String> {
        let no_key = |error| format!("`{}`: {error}", self.key);
        self.key.parse::<ObjectKey>().map_err(no_key)
    }

    fn expected(&self) -> std::result::Result<Expected, String> {
        if let Some(sum) = &self.file {
            return Ok(Expected::File(sum.clone()));
        }
        if !self.encryption.is_empty() {
            return Err(format!("the file of {} has no checksum", self.key));
        }
        let digest = self.digest.parse::<Digest>();
        let digest = digest.map_err(|error| error.to_string())?;
        Ok(Expected::Content(digest, self.size))
    }

    /// What is wrong with the copy below `root`, every byte of it read.
    pub(crate) fn check(&self, root: &Path) -> Result<Option<Fault>> {
        let (Ok(key), Ok(expected)) = (self.parsed_key(), self.expected()) else {
            return Ok(Some(Fault::Damaged));
        };
        let path = path_of(root, &key);
        let mut hasher = expected.hasher();
        let read = files::read_all(&path, |bytes| {
            hasher.update(bytes);
            Ok(())
        });
        match read {
            Ok(length) if length == expected.length() && expected.is(hasher) => Ok(None),
            Ok(_) => Ok(Some(Fault::Damaged)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Some(Fault::Missing)),
            Err(error) => Err(io_error("read", &path)(error)),
        }
    }
}

/// Brings a copy from the directory `from` of blobs to the directory `to` of backups, unless it is there. Its file's
/// checksum is noted where it is encrypted. The name is for the caller to sync.
pub(crate) fn keep(
    copy: &mut StoredCopy,
    (from, to): (&Path, &Path),
    draft: &Path,
) -> Result<Copied> {
    let Ok(key) = copy.parsed_key() else {
        return Ok(Copied::Faulty(Fault::Damaged));
    };
    let (source, target) = (path_of(from, &key), path_of(to, &key));
    if !copy.encryption.is_empty() {
        copy.file = read_sum(&sum_path(&target))?;
        if copy.file.is_none() {
            let (bytes, sha256) = match files::hash(&source) {
                Ok(found) => found,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok(Copied::Faulty(Fault::Missing));
                }
                Err(error) => return Err(io_error("read", &source)(error)),
            };
            let sha256 = hex::encode(sha256);
            let sum = FileSum { bytes, sha256 };
            // Before the file: where that is, this is.
            write_sum(&sum_path(&target), draft, &sum)?;
            copy.file = Some(sum);
        }
    }
    let Ok(expected) = copy.expected() else {
        return Ok(Copied::Faulty(Fault::Damaged));
    };
    if length_of(&target)? == Some(expected.length()) {
        return Ok(Copied::Present);
    }
    // What is shorter there is not what was put there.
    files::remove(&target)?;
    match length_of(&source)? {
        None => return Ok(Copied::Faulty(Fault::Missing)),
        Some(length) if length != expected.length() => {
            return Ok(Copied::Faulty(Fault::Damaged));
        }
        Some(_) => {}
    }
    // Files of copies never change, so two names may share one. Elsewhere (another file system, one without
    // links) it is copied.
    if fs::hard_link(&source, &target).is_ok() {
        return Ok(Copied::Linked);
    }
    stream(&source, &target, draft, &expected)
}

/// Brings a copy from the directory `from` of backups to the directory `to` of blobs: bytes of its own, each
/// verified.
pub(crate) fn bring_back(
    copy: &StoredCopy,
    (from, to): (&Path, &Path),
    draft: &Path,
) -> Result<Copied> {
    let (Ok(key), Ok(expected)) = (copy.parsed_key(), copy.expected()) else {
        return Ok(Copied::Faulty(Fault::Damaged));
    };
    stream(&path_of(from, &key), &path_of(to, &key), draft, &expected)
}

/// Copies a file by its bytes: hashed while they pass, synced, then renamed.
fn stream(source: &Path, target: &Path, draft: &Path, expected: &Expected) -> Result<Copied> {
    let mut hasher = expected.hasher();
    let mut file = files::create(draft)?;
    let copied = files::read_all(source, |bytes| {
        hasher.update(bytes);
        file.write_all(bytes)
    });
    let length = match copied {
        Ok(length) => length,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            files::remove(draft)?;
            return Ok(Copied::Faulty(Fault::Missing));
        }
        Err(error) => return Err(io_error("copy", source)(error)),
    };
    if length != expected.length() || !expected.is(hasher) {
        files::remove(draft)?;
        return Ok(Copied::Faulty(Fault::Damaged));
    }
    let renamed = file.sync_all().and_then(|()| fs::rename(draft, target));
    renamed.map_err(io_error("write", target))?;
    Ok(Copied::Streamed)
}

fn length_of(path: &Path) -> Result<Option<u64>> {
    match fs::symlink_metadata(path) {
        Ok(meta) => Ok(Some(meta.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error("look at", path)(error)),
    }
}

/// A checksum is a line; what is longer is none.
const SUM_BYTES_MAX: u64 = 4_096;

fn read_sum(path: &Path) -> Result<Option<FileSum>> {
    let bytes = files::read_small(path, SUM_BYTES_MAX)?;
    // One that cannot be read is made again.
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

fn write_sum(path: &Path, draft: &Path, sum: &FileSum) -> Result<()> {
    let text = serde_json::json!({"bytes": sum.bytes, "sha256": sum.sha256}).to_string();
    files::write(draft, text.as_bytes())?;
    fs::rename(draft, path).map_err(io_error("write", path))
}
