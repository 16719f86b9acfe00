//! What a backup says of itself, and how it is known that nobody changed it.
//!
//! ```text
//! index.json    the members of `Index`
//! rows.jsonl    all rows of the database, see `rows`
//! copies.jsonl  the stored copies of blobs that the rows name, see `copies`
//! SHA256SUMS    the checksums of the three, as sha256sum(1) writes and checks them
//! seal          the checksum of SHA256SUMS, sealed under the master key: base64
//! ```

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result, io_error};
use crate::files;

/// The form of a backup. Another number is another form.
pub const FORMAT: u32 = 1;
pub(crate) const INDEX: &str = "index.json";
pub(crate) const ROWS: &str = "rows.jsonl";
pub(crate) const COPIES: &str = "copies.jsonl";
const SUMS: &str = "SHA256SUMS";
const SEAL: &str = "seal";
/// The files that [`SUMS`] lists.
const SUMMED: [&str; 3] = [INDEX, ROWS, COPIES];
/// What is read of a small file.
const SMALL_BYTES_MAX: u64 = 1 << 20;

/// What the two seals are for: nothing else that the master key seals opens as one.
const SEAL_PURPOSE: &str = "backup-sums";
const CHECK_PURPOSE: &str = "backup-key-check";

/// A failure of the keys' own.
pub type KeyError = Box<dyn std::error::Error + Send + Sync>;

/// The master key: authenticated encryption of a few bytes, each for one purpose.
pub trait Keys: Send + Sync {
    /// Seals bytes.
    ///
    /// # Errors
    /// Those of the random source.
    fn seal(&self, purpose: &'static str, bytes: &[u8]) -> Result<Vec<u8>, KeyError>;
    /// Opens what [`Keys::seal`] made for the same purpose under the same key.
    fn open(&self, purpose: &'static str, sealed: &[u8]) -> Option<Vec<u8>>;
}

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// The form of the backup.
    pub format: u32,
    /// Its id.
    pub id: String,
    /// The version of Berth that took it.
    pub berth_version: String,
    /// `sqlite` or `postgres`: where the rows come from. They fit both.
    pub engine: String,
    /// The id of the database.
    pub database: String,
    /// The time of the snapshot.
    #[serde(with = "rfc3339")]
    pub taken_at: Timestamp,
    /// The steps of the schema that had run.
    pub schema_steps: Vec<String>,
    /// The backup's id, sealed under the master key: says whether a key is the right one.
    pub key_check: String,
    /// Rows.
    pub row_count: u64,
    /// Stored copies that the rows name, and the bytes of their contents.
    pub blob_count: u64,
    /// See there.
    pub blob_bytes: u64,
    /// Copies among them that the backup does not have, since they were missing or damaged.
    pub fault_count: u64,
}

/// A time as text.
mod rfc3339 {
    use jiff::Timestamp;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(at)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl Index {
    /// Reads it. Nothing is checked but its form.
    pub(crate) fn read(folder: &Path, id: &str) -> Result<Index> {
        let damaged = |what: String| Error::Damaged {
            id: id.to_owned(),
            what,
        };
        let bytes = files::read_small(&folder.join(INDEX), SMALL_BYTES_MAX)?;
        let bytes = bytes.ok_or_else(|| damaged(format!("{INDEX} is missing")))?;
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let no_index = |error: serde_json::Error| damaged(format!("{INDEX}: {error}"));
        let Format { format } = serde_json::from_slice(&bytes).map_err(no_index)?;
        if format != FORMAT {
            return Err(Error::Refused(format!(
                "the backup {id} has the form {format}, and this version reads {FORMAT}: use a newer version"
            )));
        }
        let index: Index = serde_json::from_slice(&bytes).map_err(no_index)?;
        match index.id == id {
            true => Ok(index),
            false => Err(damaged(format!("{INDEX} is that of {}", index.id))),
        }
    }

    /// Whether the key is the one of the database that was backed up.
    #[must_use]
    pub fn is_key(&self, keys: &dyn Keys) -> bool {
        let sealed = STANDARD.decode(&self.key_check).ok();
        let opened = sealed.and_then(|sealed| keys.open(CHECK_PURPOSE, &sealed));
        opened.is_some_and(|id| id == self.id.as_bytes())
    }
}

/// The key check of a backup of this id.
pub(crate) fn key_check(id: &str, keys: &dyn Keys) -> Result<String> {
    let sealed = keys.seal(CHECK_PURPOSE, id.as_bytes());
    let sealed = sealed.map_err(|error| Error::Refused(error.to_string()))?;
    Ok(STANDARD.encode(sealed))
}

/// Writes the index, the sums and their seal, in this order, synced. `sums` are those of rows and copies.
pub(crate) fn write(
    folder: &Path,
    index: &Index,
    (rows, copies): ([u8; 32], [u8; 32]),
    keys: &dyn Keys,
) -> Result<()> {
    let text = serde_json::to_string_pretty(index);
    let text = text.map_err(|error| Error::Refused(error.to_string()))? + "\n";
    files::write(&folder.join(INDEX), text.as_bytes())?;
    let own = Sha256::digest(text.as_bytes()).into();
    let line = |(name, sum): (&str, [u8; 32])| format!("{}  {name}\n", hex::encode(sum));
    let sums: String = SUMMED
        .into_iter()
        .zip([own, rows, copies])
        .map(line)
        .collect();
    files::write(&folder.join(SUMS), sums.as_bytes())?;
    let sealed = keys.seal(SEAL_PURPOSE, &Sha256::digest(sums.as_bytes()));
    let sealed = sealed.map_err(|error| Error::Refused(error.to_string()))?;
    let sealed = STANDARD.encode(sealed) + "\n";
    files::write(&folder.join(SEAL), sealed.as_bytes())?;
    files::sync_folder(folder)
}

/// What is wrong with the files of a backup; empty for nothing. With the key it is also known whether somebody wrote
/// other checksums.
pub(crate) fn check_files(folder: &Path, keys: Option<&dyn Keys>) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    let sums = files::read_small(&folder.join(SUMS), SMALL_BYTES_MAX)?;
    let Some(sums) = sums else {
        return Ok(vec![format!("{SUMS} is missing")]);
    };
    if let Some(keys) = keys {
        let sealed = files::read_small(&folder.join(SEAL), SMALL_BYTES_MAX)?.unwrap_or_default();
        let sealed = STANDARD.decode(sealed.trim_ascii()).ok();
        let opened = sealed.and_then(|sealed| keys.open(SEAL_PURPOSE, &sealed));
        if opened.is_none_or(|sum| sum[..] != Sha256::digest(&sums)[..]) {
            wrong.push(format!(
                "{SUMS} is not what was sealed under the master key"
            ));
        }
    }
    let sums = String::from_utf8_lossy(&sums).into_owned();
    for name in SUMMED {
        let said = sums
            .lines()
            .find_map(|line| line.strip_suffix(name)?.strip_suffix("  "));
        let path = folder.join(name);
        match files::hash(&path) {
            Ok((_, found)) if said == Some(hex::encode(found).as_str()) => {}
            Ok(_) => wrong.push(format!("{name} does not have the checksum of {SUMS}")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                wrong.push(format!("{name} is missing"));
            }
            Err(error) => return Err(io_error("read", &path)(error)),
        }
    }
    Ok(wrong)
}
