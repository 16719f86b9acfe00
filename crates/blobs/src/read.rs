//! Reading a blob: large reads on the blocking pool, one ahead of the consumer.

use std::fmt;
use std::fs::File;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use rustix::buffer::spare_capacity;
use tokio::task::JoinHandle;

use crate::blocking::start_read;
use crate::damage::{OnDamage, is_damage, is_unreadable};
use crate::encryption::{self, DataKey, EncryptionKey, HEADER_BYTES, ReadAt as _, Records};
use crate::file_part::FilePart;

/// Bytes read at a time. A reader holds two of these, and what its consumer keeps.
const READ_BYTES: u64 = 256 * 1024;

/// An open blob. It stays readable, to the end, though the blob is deleted meanwhile.
#[derive(Clone)]
pub struct BlobFile {
    bytes: Content,
    size: u64,
    on_damage: Option<OnDamage>,
}

impl fmt::Debug for BlobFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bytes, size) = (&self.bytes, self.size);
        f.debug_tuple("BlobFile").field(bytes).field(&size).finish()
    }
}

/// Where the content is, and how it stands there.
#[derive(Debug, Clone)]
enum Content {
    Plain(Arc<File>),
    Encrypted(Arc<EncryptedFile>),
    /// A small copy that was read whole.
    Memory(Bytes),
}

#[derive(Debug)]
struct EncryptedFile {
    file: File,
    key: DataKey,
    records: Records,
}

impl BlobFile {
    pub(crate) fn new(file: File, size: u64) -> Self {
        Self {
            bytes: Content::Plain(Arc::new(file)),
            size,
            on_damage: None,
        }
    }

    /// A copy that was read whole.
    pub(crate) fn in_memory(bytes: Bytes) -> Self {
        Self {
            size: bytes.len() as u64,
            bytes: Content::Memory(bytes),
            on_damage: None,
        }
    }

    /// A file of `file_bytes` whose content is encrypted under `key`. Blocks.
    pub(crate) fn encrypted(file: File, file_bytes: u64, key: &EncryptionKey) -> io::Result<Self> {
        let cut = |_| io::Error::new(io::ErrorKind::InvalidData, "the file has no header");
        let header = file.read_at(0, HEADER_BYTES).map_err(cut)?;
        let key =
            encryption::open_file(key, header.as_slice().try_into().map_err(io::Error::other)?)?;
        let records = encryption::read_footer(&file, file_bytes, Some(&key))?;
        let size = records.size;
        let file = EncryptedFile { file, key, records };
        let bytes = Content::Encrypted(Arc::new(file));
        Ok(Self {
            bytes,
            size,
            on_damage: None,
        })
    }

    /// Its length in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The same, which calls `on_damage` when a read finds that the file is damaged or cannot be read.
    #[must_use]
    pub fn reporting(self, on_damage: OnDamage) -> Self {
        Self {
            on_damage: Some(on_damage),
            ..self
        }
    }

    /// The bytes of `range`, cut to the blob's end. Nothing is read before the first poll; then one
    /// chunk is always on its way while the one before is consumed.
    pub fn read_range(&self, range: Range<u64>) -> FileRead {
        FileRead {
            bytes: self.bytes.clone(),
            at: range.start,
            end: range.end.min(self.size),
            ahead: None,
            on_damage: self.on_damage.clone(),
        }
    }

    /// The whole content.
    ///
    /// # Errors
    /// `FileTooLarge` where it is longer than `max_bytes`; else what reading failed with.
    pub async fn read_all(&self, max_bytes: usize) -> io::Result<Bytes> {
        if self.size > max_bytes as u64 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut read = self.read_range(0..self.size);
        let Some(first) = read.next().await.transpose()? else {
            return Ok(Bytes::new());
        };
        if first.len() as u64 == self.size {
            return Ok(first);
        }
        let mut all = BytesMut::from(first);
        while let Some(chunk) = read.next().await.transpose()? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    /// The bytes of `range`, cut to the blob's end, where they are in memory already.
    pub fn bytes_in_memory(&self, range: Range<u64>) -> Option<Bytes> {
        let Content::Memory(bytes) = &self.bytes else {
            return None;
        };
        let place = |at: u64| usize::try_from(at.min(self.size)).unwrap_or(bytes.len());
        Some(bytes.slice(place(range.start)..place(range.end).max(place(range.start))))
    }
}

/// The bytes of a range as a stream of chunks. A file that ends before the range does is an error
/// (`UnexpectedEof`), never a short answer.
pub struct FileRead {
    bytes: Content,
    at: u64,
    end: u64,
    ahead: Option<JoinHandle<io::Result<Vec<u8>>>>,
    on_damage: Option<OnDamage>,
}

impl fmt::Debug for FileRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileRead({}..{})", self.at, self.end)
    }
}

impl FileRead {
    /// Bytes still to come, among them those being read.
    pub fn remaining(&self) -> u64 {
        self.end.saturating_sub(self.at)
    }

    /// Takes the next bytes, at most `max_bytes`, for a sender that has the kernel send them; they do not come in
    /// the stream any more. `None` when there are none, when the file does not hold the content as it is, or when
    /// reading them has begun.
    pub fn take_part(&mut self, max_bytes: u64) -> Option<FilePart> {
        let Content::Plain(file) = &self.bytes else {
            return None;
        };
        let length = self.remaining().min(max_bytes);
        if length == 0 || self.ahead.is_some() {
            return None;
        }
        let (file, on_damage) = (Arc::clone(file), self.on_damage.clone());
        let part = FilePart::new(file, self.at, length, on_damage);
        self.at += length;
        Some(part)
    }

    fn start(bytes: &Content, at: u64, end: u64) -> Option<JoinHandle<io::Result<Vec<u8>>>> {
        let want = end.saturating_sub(at).min(READ_BYTES);
        // At most READ_BYTES, which fits.
        let want = usize::try_from(want).ok().filter(|want| *want > 0)?;
        let bytes = bytes.clone();
        // Made by the thread that will free it: what another one frees comes back to a thread of the pool only when
        // that allocates again, and each of them would keep a few megabytes.
        let buffer = Vec::with_capacity(bytes.room_for(want));
        Some(start_read(move || bytes.read_at(at, want, buffer)))
    }
}

impl Content {
    /// The capacity of a buffer to read so many bytes into.
    fn room_for(&self, want: usize) -> usize {
        match self {
            Content::Encrypted(_) => encryption::room_for(want),
            Content::Plain(_) | Content::Memory(_) => want,
        }
    }

    /// Reads into the buffer, which is empty.
    fn read_at(&self, at: u64, want: usize, mut buffer: Vec<u8>) -> io::Result<Vec<u8>> {
        match self {
            Content::Plain(file) => read_into(file, at, want, buffer),
            Content::Encrypted(encrypted) => {
                let EncryptedFile { file, key, records } = &**encrypted;
                encryption::read_content(file, key, records, at, want, buffer)
            }
            Content::Memory(bytes) => {
                let start = usize::try_from(at).unwrap_or(usize::MAX);
                let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
                let found = bytes.get(start..).and_then(|rest| rest.get(..want));
                buffer.extend_from_slice(found.ok_or_else(cut)?);
                Ok(buffer)
            }
        }
    }
}

pub(crate) fn read_at(file: &File, at: u64, want: usize) -> io::Result<Vec<u8>> {
    read_into(file, at, want, Vec::with_capacity(want))
}

fn read_into(file: &File, at: u64, want: usize, mut buffer: Vec<u8>) -> io::Result<Vec<u8>> {
    crash_points::reads(file)?;
    while buffer.len() < want {
        // The capacity may be more than was asked: the surplus is cut below.
        let offset = at + buffer.len() as u64;
        match rustix::io::pread(file, spare_capacity(&mut buffer), offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    buffer.truncate(want);
    Ok(buffer)
}

impl Stream for FileRead {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Content::Memory(bytes) = &this.bytes {
            let place = |at: u64| usize::try_from(at).unwrap_or(bytes.len());
            let (start, end) = (place(this.at), place(this.end));
            this.at = this.end;
            return Poll::Ready((start < end).then(|| Ok(bytes.slice(start..end))));
        }
        if this.ahead.is_none() {
            this.ahead = Self::start(&this.bytes, this.at, this.end);
        }
        let Some(ahead) = &mut this.ahead else {
            return Poll::Ready(None);
        };
        let read = ready!(Pin::new(ahead).poll(cx));
        this.ahead = None;
        match read.unwrap_or_else(|stopped| Err(io::Error::other(stopped))) {
            Ok(chunk) => {
                this.at += chunk.len() as u64;
                this.ahead = Self::start(&this.bytes, this.at, this.end);
                Poll::Ready(Some(Ok(Bytes::from(chunk))))
            }
            Err(error) => {
                this.at = this.end;
                if let Some(on_damage) = this.on_damage.take()
                    && (is_damage(&error) || is_unreadable(&error))
                {
                    on_damage(&error);
                }
                Poll::Ready(Some(Err(error)))
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let chunks = usize::try_from(self.remaining().div_ceil(READ_BYTES)).ok();
        (0, chunks)
    }
}
