//! The digest of an upload so far, and its saved form, with which another process goes on hashing.
//!
//! The saved form only saves time: a record that is missing, torn or of another file is ignored, and the
//! bytes are read again. It therefore needs no sync.

use sha2::digest::common::hazmat::SerializableState;
use sha2::{Digest as _, Sha256, Sha512};

use crate::{Algorithm, Digest};

/// A digest in the making.
#[derive(Clone)]
pub(crate) enum Hasher {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(Sha512::new()),
        }
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Sha256(_) => Algorithm::Sha256,
            Self::Sha512(_) => Algorithm::Sha512,
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    pub(crate) fn digest(&self) -> Digest {
        match self {
            Self::Sha256(hasher) => Digest::from_sha256(hasher.clone().finalize().into()),
            Self::Sha512(hasher) => Digest::from_sha512(hasher.clone().finalize().into()),
        }
    }
}

// The number changes with the form, and with `sha2`'s minor version (its states are stable within one).
const MAGIC: &[u8; 8] = b"brthup01";
const CHECK_LEN: usize = 32;

/// The inode in a record that is not tied to one file.
pub(crate) const ANY_INODE: u64 = 0;

/// How far an upload's digest is computed, for a process that goes on with the upload and may not have
/// this directory's state files. It belongs to one upload's id, which is never used twice.
#[derive(Clone, PartialEq, Eq)]
pub struct UploadState(Vec<u8>);

impl UploadState {
    /// The state that a caller kept. Bytes that are not a state cost hashing again, nothing else.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes to keep: less than 300.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Of a sha256; `None` for another algorithm.
    pub(crate) fn of(offset: u64, hasher: &Hasher) -> Option<Self> {
        encode(ANY_INODE, offset, hasher).map(Self)
    }

    pub(crate) fn record(&self) -> Option<Record> {
        decode(ANY_INODE, &self.0)
    }
}

impl std::fmt::Debug for UploadState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UploadState({} bytes)", self.0.len())
    }
}

/// What a state file tells.
pub(crate) struct Record {
    /// How many bytes of the upload the state has seen.
    pub(crate) offset: u64,
    pub(crate) hasher: Hasher,
}

/// The record: magic, inode, offset, state, and the sha256 of all that. The inode ties it to the file
/// that was hashed. Only sha256 is saved (`None` otherwise): it is what resumable uploads use.
pub(crate) fn encode(inode: u64, offset: u64, hasher: &Hasher) -> Option<Vec<u8>> {
    let Hasher::Sha256(hasher) = hasher else {
        return None;
    };
    let mut record = MAGIC.to_vec();
    record.extend(inode.to_le_bytes());
    record.extend(offset.to_le_bytes());
    record.extend(hasher.serialize());
    record.extend(Sha256::digest(&record));
    Some(record)
}

/// The record in `bytes`, where it is whole and of the file with this inode.
pub(crate) fn decode(inode: u64, bytes: &[u8]) -> Option<Record> {
    let (record, check) = bytes.split_at_checked(bytes.len().checked_sub(CHECK_LEN)?)?;
    if Sha256::digest(record).as_slice() != check {
        return None;
    }
    let rest = record.strip_prefix(MAGIC)?;
    let (found_inode, rest) = rest.split_first_chunk()?;
    let (offset, state) = rest.split_first_chunk()?;
    if u64::from_le_bytes(*found_inode) != inode {
        return None;
    }
    let hasher = Sha256::deserialize(&state.try_into().ok()?).ok()?;
    Some(Record {
        offset: u64::from_le_bytes(*offset),
        hasher: Hasher::Sha256(hasher),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn hashing_goes_on_from_a_record(first: Vec<u8>, second: Vec<u8>, inode: u64) {
            let mut hasher = Hasher::new(Algorithm::Sha256);
            hasher.update(&first);
            let record = encode(inode, first.len() as u64, &hasher).unwrap();
            let mut record = decode(inode, &record).unwrap();
            prop_assert_eq!(record.offset, first.len() as u64);
            record.hasher.update(&second);
            prop_assert_eq!(record.hasher.digest(), Digest::sha256_of(&[first, second].concat()));
        }

        #[test]
        fn a_changed_or_cut_record_is_none(at in 0_usize..1000, flip in 1_u8..=255) {
            let record = encode(7, 3, &Hasher::new(Algorithm::Sha256)).unwrap();
            let at = at % record.len();
            let mut changed = record.clone();
            changed[at] ^= flip;
            prop_assert!(decode(7, &changed).is_none());
            prop_assert!(decode(7, &record[..at]).is_none());
            prop_assert!(decode(8, &record).is_none());
        }
    }
}
