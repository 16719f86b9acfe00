//! Backups: all rows of a database as of one moment, and the stored copies of blobs that they name, in a directory.
//!
//! ```text
//! let pool = Pool::open(dir, Access::Write)?;
//! let draft = Draft::open(pool, "bak-0f3a…").await?;
//! draft.take_snapshot(&store, &keys, now).await?;      // one state of the database; nobody waits for it
//! let mut copying = draft.copies(&blob_directory)?;    // only what no earlier backup brought
//! loop {
//!     let (next, more) = copying.step().await?;
//!     copying = next;
//!     if !more { break }
//! }
//! let index = draft.finish(copying, &keys).await?;     // a backup from here on
//! ```
//!
//! # The map
//! | module | what it holds |
//! |---|---|
//! | `pool` | the directory: its mark, its lock, its backups |
//! | `draft` | a backup that is being taken |
//! | `rows` | rows as lines of JSON |
//! | `copies` | stored copies of blobs, and how a file gets from one directory to another |
//! | `index` | what a backup says of itself, its checksums and their seal |
//! | `keep` | verify, prune |
//! | `restore` | from a backup to a database and a directory of blobs |
//!
//! # The promise
//! - **A backup is whole or not there.** It gets its name after its last file, the index, is synced.
//! - **It is of one moment.** The rows come from one snapshot; a copy of a blob never changes under its key, and the
//!   caller sees to it that no copy is deleted that the snapshot names before it is brought.
//! - **Nothing is copied twice.** A copy that the directory has under its key is left as it is.
//! - **Changes are seen.** Every file has a checksum, and the checksums are sealed under the master key: who has the
//!   directory alone cannot write another backup that passes.
//! - **No key is in it.** Secrets are there as the database has them, sealed under the key ring, and that under the
//!   master key, which no function here gets to see.
//!
//! # What it costs
//! Pages of rows and lists of copies pass through memory, 8 MiB at a time; pruning keeps the keys of all copies that
//! are kept, 66 bytes each.
//!
//! # What is absent
//! When a backup is taken, who may ask for one, and what a deletion of blobs waits for: `registry::backups`.

mod copies;
mod draft;
mod error;
mod files;
mod index;
mod keep;
mod pool;
mod restore;
mod rows;

pub use copies::{Fault, FileSum, StoredCopy};
pub use draft::{Copying, Draft, Progress};
pub use error::{Error, Result};
pub use index::{FORMAT, Index, KeyError, Keys};
pub use keep::{Checked, Pruned};
pub use pool::{Access, Backup, Pool, is_id};

/// The longest line that is read of a backup's lists: the largest manifest in base64, and room for the rest.
pub(crate) const LINE_BYTES_MAX: u64 = 64 << 20;
