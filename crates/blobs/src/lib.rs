//! Bytes, each stored copy under a key of its own, in a directory.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! use blobs::{Blobs, Digest, Owner, UploadId};
//! use bytes::Bytes;
//! use futures_util::{StreamExt, TryStreamExt, stream};
//!
//! let folder = tempfile::tempdir()?;
//! let owner = Owner { database: "3f0a…", is_shared: false };
//! let blobs = Blobs::open_directory(folder.path(), owner).await?;
//!
//! // An upload in two parts, as a client sends it.
//! let id = UploadId::from_random([7; 16]);
//! blobs.start_upload(&id).await?;
//! let part = |text: &'static str| stream::iter([Ok::<_, std::io::Error>(Bytes::from(text))]);
//! let offset = blobs.append(&id, 0, part("hello, ")).await?;
//! blobs.append(&id, offset, part("world")).await?;
//! let digest = Digest::sha256_of(b"hello, world");
//! let received = blobs.complete(&id, &digest).await?;
//! // Here the caller asks its database whether a copy is stored; this one is the first.
//! let stored = received.store().await?;
//! assert_eq!(stored.size, 12);
//!
//! // And back, a range of it.
//! let source = blobs.open(&stored.key).await?.expect("it is stored");
//! let bytes: Vec<Bytes> = source.read_range(7..12).try_collect().await?;
//! assert_eq!(bytes.concat(), b"world");
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The map
//!
//! | module | what it holds |
//! |---|---|
//! | `store` | the interface and the promise |
//! | `received` | bytes that arrived whole: store or discard |
//! | `object_key` | names of stored copies |
//! | `source` | where the bytes of a blob come from: a file, a stream, a redirect |
//! | `owner` | which database the directory belongs to |
//! | `stream_write` | a stream into an upload's file: write, hash and sync at once |
//! | `upload` | one upload: go on, resume, write, sync, publish |
//! | `disk` | bytes to and from a file; a failed sync stays failed |
//! | `direct` | writes of long uploads, past the page cache |
//! | `encryption` | encrypted copies: the form of their files, and the keys |
//! | `encrypted_upload` | an upload that is encrypted while it arrives |
//! | `upload_locks` | one writer for an upload; open files kept between its requests |
//! | `hash_state` | the digest so far, and its saved form for another process |
//! | `blocking` | work on tokio's pool for blocking work: reading, writing, syncing and resuming have a share each |
//! | `take_over` | an upload that another process began |
//! | `batch` | chunks of the network into batches |
//! | `read` | large reads, one ahead |
//! | `damage` | what says that a file is damaged |
//! | `file_part` | a part of a file that the kernel sends to a socket |
//! | `small_copies` | small copies that are kept in memory |
//! | `maintenance` | sweep, list, verify |
//! | `quarantine` | files that a repair moves away |
//! | `layout` | paths, renames, syncs of folders |
//!
//! # What it costs
//!
//! A small blob in one go ([`Blobs::put`]): one create, one write, one sync of the file, one rename,
//! one sync of the folder. A large one: hashing and writing of one batch overlap the arrival of the
//! next, and every 32 MiB a sync runs beside them; after the first 32 MiB the bytes go past the page cache.
//! The hash state of an upload is saved (200 bytes, not synced: it can be made again by reading) every few MiB at a
//! part's end.

mod batch;
mod blocking;
mod chain;
mod damage;
mod digest;
mod direct;
mod disk;
mod encrypted_upload;
mod encryption;
mod error;
mod file_part;
mod hash_state;
mod layout;
mod maintenance;
mod object_key;
mod owner;
mod quarantine;
mod read;
mod received;
mod small_copies;
mod source;
mod store;
mod stream_write;
mod take_over;
mod types;
mod upload;
mod upload_id;
mod upload_locks;

pub use blocking::threads_max;
pub use damage::{OnDamage, is_unreadable};
pub use digest::{Algorithm, Digest, DigestError};
pub use encryption::EncryptionKey;
pub use error::{AppendError, BoxError, Error, FinishError, OpenError, PutError, StartError};
pub use file_part::FilePart;
pub use hash_state::UploadState;
pub use object_key::{ObjectKey, ObjectKeyError};
pub use owner::Owner;
pub use quarantine::{Found, UploadFiles};
pub use read::{BlobFile, FileRead};
pub use received::{Received, StoreError};
pub use source::{BlobRead, BlobStream, ReadRange, Redirect, Source};
pub use store::Blobs;
pub use types::{Listed, Stored, Swept, Verified};
pub use upload_id::{UploadId, UploadIdError};
