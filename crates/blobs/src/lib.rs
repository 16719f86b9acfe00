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
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod digest;
mod error;
mod store;
mod upload_id;

pub use digest::{Algorithm, Digest, DigestError};
pub use error::{AppendError, BoxError, Error, FinishError, PutError, StartError};
pub use store::{BlobFile, BlobRead, Blobs, Finished, Listed, Swept, Verified};
pub use upload_id::{UploadId, UploadIdError};
