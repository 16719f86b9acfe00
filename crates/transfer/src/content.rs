//! Bytes on their way: never a whole layer in memory, and checked against their descriptor while they pass.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use blobs::{Algorithm, Digest};
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use tokio::io::AsyncReadExt as _;

use crate::error::{Error, Result};

/// Bytes read from a file at once.
const CHUNK_BYTES: usize = 256 << 10;

/// What is wrong with content of the right length.
const OTHER: &str = "it has another digest";

/// A stream of chunks.
pub type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// A part of a file as chunks. A file that is shorter ends the stream early, which the check notices.
pub(crate) fn file_chunks(file: std::fs::File, bytes: u64, name: String) -> Chunks {
    let file = tokio::fs::File::from_std(file);
    stream::try_unfold((file, bytes, name), |(mut file, left, name)| async move {
        let wanted = usize::try_from(left.min(CHUNK_BYTES as u64)).unwrap_or(CHUNK_BYTES);
        if wanted == 0 {
            return Ok(None);
        }
        let mut chunk = vec![0; wanted];
        let read = file.read(&mut chunk).await;
        let read = read.map_err(|source| Error::Io {
            what: format!("cannot read {name}"),
            source,
        })?;
        chunk.truncate(read);
        let next = (file, left - read as u64, name);
        Ok((read > 0).then(|| (Bytes::from(chunk), next)))
    })
    .boxed()
}

/// A digest in the making.
pub(crate) enum Hasher {
    Sha256(sha2::Sha256),
    Sha512(sha2::Sha512),
}

impl Hasher {
    pub(crate) fn new(algorithm: Algorithm) -> Hasher {
        use sha2::Digest as _;
        match algorithm {
            Algorithm::Sha256 => Hasher::Sha256(sha2::Sha256::new()),
            Algorithm::Sha512 => Hasher::Sha512(sha2::Sha512::new()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        use sha2::Digest as _;
        match self {
            Hasher::Sha256(hasher) => hasher.update(bytes),
            Hasher::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// Whether the bytes so far have this digest.
    pub(crate) fn is(&self, digest: &Digest) -> bool {
        use sha2::Digest as _;
        match self {
            Hasher::Sha256(hasher) => hasher.clone().finalize()[..] == *digest.as_bytes(),
            Hasher::Sha512(hasher) => hasher.clone().finalize()[..] == *digest.as_bytes(),
        }
    }
}

/// Whether the bytes have the digest.
pub(crate) fn has_digest(bytes: &[u8], digest: &Digest) -> bool {
    let mut hasher = Hasher::new(digest.algorithm());
    hasher.update(bytes);
    hasher.is(digest)
}

/// What a check found, kept where the reader of the stream does not lose it: an HTTP client reports only
/// that a body failed.
#[derive(Clone, Default)]
pub(crate) struct Finding(Arc<Mutex<Option<Error>>>);

impl Finding {
    pub(crate) fn take(&self) -> Option<Error> {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.take()
    }

    fn note(&self, error: Error) -> Error {
        let message = error.chain();
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *found = Some(error);
        Error::Refused(message)
    }
}

/// The same chunks, with an error in place of the last one when they are not the `size` bytes of `digest`.
/// `passed` learns how many bytes went by.
pub(crate) fn checked(
    chunks: Chunks,
    digest: Digest,
    size: u64,
    passed: impl Fn(u64) + Send + 'static,
) -> (Chunks, Finding) {
    struct State<F> {
        chunks: Chunks,
        hasher: Hasher,
        seen: u64,
        finding: Finding,
        passed: F,
    }
    let finding = Finding::default();
    let state = State {
        chunks,
        hasher: Hasher::new(digest.algorithm()),
        seen: 0,
        finding: finding.clone(),
        passed,
    };
    let wrong = move |found: String| Error::Content {
        expected: digest,
        found,
    };
    let stream = stream::try_unfold(state, move |mut state| async move {
        let chunk = match state.chunks.next().await {
            Some(Ok(chunk)) => chunk,
            Some(Err(error)) => return Err(state.finding.note(error)),
            None if state.seen < size => {
                let found = format!("it ends after {} of {size} bytes", state.seen);
                return Err(state.finding.note(wrong(found)));
            }
            None if size == 0 && !state.hasher.is(&digest) => {
                return Err(state.finding.note(wrong(OTHER.to_owned())));
            }
            None => return Ok(None),
        };
        state.seen += chunk.len() as u64;
        if state.seen > size {
            let found = format!("it is longer than {size} bytes");
            return Err(state.finding.note(wrong(found)));
        }
        state.hasher.update(&chunk);
        // Before the last bytes are out: who was told the length takes them for the whole.
        if state.seen == size && !state.hasher.is(&digest) {
            return Err(state.finding.note(wrong(OTHER.to_owned())));
        }
        (state.passed)(chunk.len() as u64);
        Ok(Some((chunk, state)))
    });
    (stream.boxed(), finding)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(parts: &[&'static str], size: u64) -> (Result<Vec<u8>>, Option<Error>) {
        let digest = Digest::sha256_of(b"abcdef");
        let parts: Vec<_> = parts.iter().map(|part| Ok(Bytes::from(*part))).collect();
        let (mut chunks, finding) = checked(stream::iter(parts).boxed(), digest, size, |_| {});
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next().await {
            match chunk {
                Ok(chunk) => bytes.extend_from_slice(&chunk),
                Err(error) => return (Err(error), finding.take()),
            }
        }
        (Ok(bytes), finding.take())
    }

    #[tokio::test]
    async fn content_of_its_digest_passes() {
        let (bytes, finding) = read(&["abc", "def"], 6).await;
        assert_eq!(bytes.unwrap(), b"abcdef");
        assert!(finding.is_none());
    }

    #[tokio::test]
    async fn the_last_bytes_of_other_content_are_held_back() {
        let digest = Digest::sha256_of(b"abcdef");
        let parts = ["abc", "deg"].map(|part| Ok(Bytes::from(part)));
        let (chunks, _) = checked(stream::iter(parts).boxed(), digest, 6, |_| {});
        let out: Vec<_> = chunks
            .filter_map(|chunk| async { chunk.ok() })
            .collect()
            .await;
        assert_eq!(out, ["abc"]);
    }

    #[tokio::test]
    async fn other_content_is_an_error_and_not_an_end() {
        for (parts, size, why) in [
            (&["abc", "deg"][..], 6, "another digest"),
            (&[], 0, "another digest"),
            (&["abc"], 6, "ends after 3 of 6 bytes"),
            (&["abcdef", "g"], 6, "longer than 6 bytes"),
        ] {
            let (bytes, finding) = read(parts, size).await;
            assert!(bytes.is_err());
            assert!(finding.unwrap().to_string().contains(why), "{why}");
        }
    }
}
