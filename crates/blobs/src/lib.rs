//! Bytes by digest, in a directory.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! use blobs::{Blobs, Digest, UploadId};
//! use bytes::Bytes;
//! use futures_util::{StreamExt, TryStreamExt, stream};
//!
//! let folder = tempfile::tempdir()?;
//! let blobs = Blobs::open_directory(folder.path()).await?;
//!
//! // An upload in two parts, as a client sends it.
//! let id = UploadId::from_random([7; 16]);
//! blobs.start_upload(&id).await?;
//! let part = |text: &'static str| stream::iter([Ok::<_, std::io::Error>(Bytes::from(text))]);
//! let offset = blobs.append(&id, 0, part("hello, ")).await?;
//! blobs.append(&id, offset, part("world")).await?;
//! let digest = Digest::sha256_of(b"hello, world");
//! let finished = blobs.finish(&id, &digest).await?;
//! assert_eq!(finished.size, 12);
//!
//! // And back, a range of it.
//! let file = blobs.open(&digest).await?.expect("it is stored");
//! let bytes: Vec<Bytes> = file.read_range(7..12).try_collect().await?;
//! assert_eq!(bytes.concat(), b"world");
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The map
//!
//! | module | its one thought |
//! |---|---|
//! | `store` | the interface and its guarantees |
//! | `stream_write` | a stream into an upload's file: gather, write, hash and sync at once |
//! | `upload` | one upload: take, write, sync, publish |
//! | `disk` | bytes to and from a file; a failed sync stays failed |
//! | `upload_locks` | one writer for an upload; open files kept between its requests |
//! | `hash_state` | the digest so far, and its saved form for another process |
//! | `batch` | chunks of the network into batches |
//! | `read` | large reads, one ahead |
//! | `maintenance` | sweep, list, verify |
//! | `layout` | paths, renames, syncs of folders |
//!
//! # What it costs
//!
//! A small blob in one go ([`Blobs::put`]): one create, one write, one sync of the file, one rename,
//! one sync of the folder. A large one: hashing and writing of one batch overlap the arrival of the
//! next, and every 64 MiB a sync runs beside them. The hash state of an upload is saved (200 bytes,
//! not synced: it can be made again by reading) every few MiB at a part's end.

mod batch;
mod digest;
mod disk;
mod error;
mod hash_state;
mod layout;
mod maintenance;
mod read;
mod store;
mod stream_write;
mod types;
mod upload;
mod upload_id;
mod upload_locks;

pub use digest::{Algorithm, Digest, DigestError};
pub use error::{AppendError, BoxError, Error, FinishError, PutError, StartError};
pub use read::{BlobFile, BlobRead};
pub use store::Blobs;
pub use types::{Finished, Listed, Swept, Verified};
pub use upload_id::{UploadId, UploadIdError};
