//! Where the bytes of a blob come from.

use std::fmt;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::BoxStream;

use crate::damage::OnDamage;
use crate::read::{BlobFile, FileRead};

/// An open blob.
#[derive(Debug, Clone)]
pub enum Source {
    /// A file of this machine, which a server can also hand to the kernel.
    File(BlobFile),
    /// Bytes that come from elsewhere and pass through this process.
    Stream(BlobStream),
    /// The client fetches the bytes itself.
    Redirect(Redirect),
}

impl Source {
    /// The blob's length in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Source::File(file) => file.size(),
            Source::Stream(stream) => stream.size,
            Source::Redirect(redirect) => redirect.size,
        }
    }

    /// The same, which calls `on_damage` when a read of a file finds that it is damaged or cannot be read.
    #[must_use]
    pub fn reporting(self, on_damage: OnDamage) -> Self {
        match self {
            Source::File(file) => Source::File(file.reporting(on_damage)),
            other => other,
        }
    }

    /// The bytes of `range`, cut to the blob's end. Reading a redirect fails with `Unsupported`: only the
    /// client has access to its bytes.
    #[must_use]
    pub fn read_range(&self, range: Range<u64>) -> BlobRead {
        let range = range.start..range.end.min(self.size());
        BlobRead(match self {
            Source::File(file) => ReadInner::File(file.read_range(range)),
            Source::Stream(stream) => ReadInner::Stream(stream.ranges.read_range(range)),
            Source::Redirect(_) => {
                ReadInner::Stream(Box::pin(futures_util::stream::iter([Err(io::Error::new(
                    io::ErrorKind::Unsupported,
                    "the client reads this blob itself",
                ))])))
            }
        })
    }
}

/// What can give any range of a blob's bytes.
pub trait ReadRange: Send + Sync {
    /// The bytes of `range`, which lies within the blob. A source that ends early answers with an error,
    /// never with fewer bytes.
    fn read_range(&self, range: Range<u64>) -> BoxStream<'static, io::Result<Bytes>>;
}

/// A blob that this process reads from another one, such as an object store.
#[derive(Clone)]
pub struct BlobStream {
    size: u64,
    ranges: Arc<dyn ReadRange>,
}

impl BlobStream {
    /// A blob of `size` bytes.
    #[must_use]
    pub fn new(size: u64, ranges: Arc<dyn ReadRange>) -> Self {
        Self { size, ranges }
    }
}

impl fmt::Debug for BlobStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobStream({} bytes)", self.size)
    }
}

/// A URL at which the client fetches the blob. It is a bearer's: short-lived, for one object, and never
/// logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Redirect {
    size: u64,
    url: String,
}

impl Redirect {
    /// A blob of `size` bytes at `url`.
    #[must_use]
    pub fn new(size: u64, url: String) -> Self {
        Self { size, url }
    }

    /// The URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Debug for Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redirect({} bytes)", self.size)
    }
}

/// The bytes of a range as a stream of chunks. Fewer bytes than the range are an error, never a short
/// answer.
pub struct BlobRead(ReadInner);

enum ReadInner {
    File(FileRead),
    Stream(BoxStream<'static, io::Result<Bytes>>),
}

impl fmt::Debug for BlobRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            ReadInner::File(read) => read.fmt(f),
            ReadInner::Stream(_) => f.write_str("BlobRead(stream)"),
        }
    }
}

impl Stream for BlobRead {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.get_mut().0 {
            ReadInner::File(read) => Pin::new(read).poll_next(cx),
            ReadInner::Stream(read) => read.as_mut().poll_next(cx),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            ReadInner::File(read) => read.size_hint(),
            ReadInner::Stream(read) => read.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{StreamExt as _, TryStreamExt as _, stream};

    struct Letters;

    impl ReadRange for Letters {
        fn read_range(&self, range: Range<u64>) -> BoxStream<'static, io::Result<Bytes>> {
            let letters = range.map(|at| Ok(Bytes::from(vec![b'a' + at as u8])));
            stream::iter(letters.collect::<Vec<_>>()).boxed()
        }
    }

    #[tokio::test]
    async fn a_stream_is_read_by_ranges_and_cut_to_its_end() {
        let source = Source::Stream(BlobStream::new(5, Arc::new(Letters)));
        assert_eq!(source.size(), 5);
        let read: Vec<Bytes> = source.read_range(2..90).try_collect().await.unwrap();
        assert_eq!(read.concat(), b"cde");
    }

    #[tokio::test]
    async fn a_redirect_gives_no_bytes_and_does_not_show_its_url() {
        let redirect = Redirect::new(7, "https://s3.example.com/o?X-Amz-Signature=abc".into());
        let source = Source::Redirect(redirect);
        assert!(!format!("{source:?}").contains("Signature"));
        let read = source.read_range(0..7).next().await.unwrap();
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::Unsupported);
    }
}
