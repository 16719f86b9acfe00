//! Files that the kernel sends: a transport under hyper that puts a file's bytes where the answer's body has a
//! stand-in for them.
//!
//! hyper writes the bytes that a body gives it. On a plain HTTP/1 connection a body therefore gives a *stand-in*: a
//! slice of one block of memory that nobody ever reads or writes. It queues the part of the file that it stands for
//! ([`FileQueue`]) at the same moment. hyper hands its slices on without a copy, in order, and [`SendingIo`] knows the
//! stand-in by its address: instead of its bytes it sends the file's, with `sendfile`.
//!
//! **Invariant: a stand-in never reaches the network.** Only a body whose connection has a queue makes one, only a
//! [`SendingIo`] has a queue, and one that meets a stand-in without the part that belongs to it fails. TLS and HTTP/2
//! connections have no queue; their bodies read the file.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use blobs::{FilePart, FileRead};
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::write_timeout::{WriteAnyway, is_again};

/// Bytes that one stand-in stands for at most, and that are sent before the thread's other requests have their turn:
/// sending is work of this thread, and a client that is fast enough would have it for itself.
const PART_BYTES: usize = 256 * 1024;

/// Zeroed pages that no one touches, so that they take no memory.
static STAND_IN: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(vec![0; PART_BYTES]));

fn is_stand_in(slice: &[u8]) -> bool {
    let block = STAND_IN.as_ptr_range();
    !slice.is_empty() && block.contains(&slice.as_ptr())
}

/// The parts of files that the stand-ins of a connection stand for, in order.
#[derive(Debug, Default)]
pub(crate) struct FileQueue(Mutex<VecDeque<FilePart>>);

impl FileQueue {
    /// The next part of a file as a stand-in; `None` when its bytes must be read instead.
    pub(crate) fn stand_in(&self, read: &mut FileRead) -> Option<Bytes> {
        let part = read.take_part(PART_BYTES as u64)?;
        let length = usize::try_from(part.remaining()).ok()?;
        self.parts().push_back(part);
        Some(STAND_IN.slice(..length))
    }

    fn parts(&self) -> MutexGuard<'_, VecDeque<FilePart>> {
        // Sound at every step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A plain connection that sends files; see the module.
pub(crate) struct SendingIo {
    stream: TcpStream,
    queue: Arc<FileQueue>,
    current: Option<Current>,
    /// A part was sent: others go first.
    yields: bool,
}

/// The part that is being sent.
struct Current {
    part: FilePart,
    /// Whether it was found in memory or loaded.
    is_loaded: bool,
    loading: Option<JoinHandle<io::Result<()>>>,
}

impl SendingIo {
    pub(crate) fn new(stream: TcpStream) -> (SendingIo, Arc<FileQueue>) {
        let queue = Arc::new(FileQueue::default());
        let io = SendingIo {
            stream,
            queue: Arc::clone(&queue),
            current: None,
            yields: false,
        };
        (io, queue)
    }

    /// Sends from the file in place of `stand_in`.
    fn poll_send(&mut self, cx: &mut Context<'_>, stand_in: &[u8]) -> Poll<io::Result<usize>> {
        if std::mem::take(&mut self.yields) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let current = match &mut self.current {
            Some(current) => current,
            none => none.insert(Current {
                part: self.queue.parts().pop_front().ok_or_else(mixed_up)?,
                is_loaded: false,
                loading: None,
            }),
        };
        if current.part.remaining() != stand_in.len() as u64 {
            return Poll::Ready(Err(mixed_up()));
        }
        ready!(current.poll_load(cx))?;
        let sent = loop {
            ready!(self.stream.poll_write_ready(cx))?;
            let part = &mut current.part;
            let send = || part.send(&self.stream);
            match self.stream.try_io(Interest::WRITABLE, send) {
                Err(error) if is_again(&error) => {}
                sent => break sent?,
            }
        };
        self.note_end();
        Poll::Ready(Ok(sent))
    }

    fn note_end(&mut self) {
        let is_over = |current: &Current| current.part.remaining() == 0;
        if self.current.as_ref().is_some_and(is_over) {
            self.current = None;
            self.yields = true;
        }
    }
}

impl WriteAnyway for SendingIo {
    fn write_anyway(&mut self, buf: &[u8]) -> io::Result<usize> {
        if !is_stand_in(buf) {
            return self.stream.write_anyway(buf);
        }
        let sent = match &mut self.current {
            Some(current) if current.is_loaded && current.part.remaining() == buf.len() as u64 => {
                current.part.send(&self.stream)?
            }
            _ => return Err(io::ErrorKind::WouldBlock.into()),
        };
        self.note_end();
        Ok(sent)
    }
}

impl Current {
    /// Waits until sending does not wait for the disk: a thread of the runtime serves other requests.
    fn poll_load(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_loaded {
            return Poll::Ready(Ok(()));
        }
        if self.loading.is_none() && self.part.is_in_memory() {
            self.is_loaded = true;
            return Poll::Ready(Ok(()));
        }
        let part = &self.part;
        let loading = self.loading.get_or_insert_with(|| part.start_load());
        let loaded = ready!(Pin::new(loading).poll(cx));
        self.loading = None;
        self.is_loaded = true;
        Poll::Ready(loaded.unwrap_or_else(|stopped| Err(io::Error::other(stopped))))
    }
}

fn mixed_up() -> io::Error {
    io::Error::other("a stand-in without its part of a file")
}

impl AsyncRead for SendingIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for SendingIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match is_stand_in(buf) {
            true => self.poll_send(cx, buf),
            false => Pin::new(&mut self.stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let is_file = |buf: &IoSlice<'_>| is_stand_in(buf);
        match bufs.iter().find(|buf| !buf.is_empty()) {
            Some(first) if is_file(first) => self.poll_send(cx, first),
            _ => {
                let bytes = bufs.iter().position(is_file).unwrap_or(bufs.len());
                Pin::new(&mut self.stream).poll_write_vectored(cx, &bufs[..bytes])
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use blobs::{Blobs, Digest, Owner, Source};
    use std::future::poll_fn;
    use std::io::Read as _;
    use tokio::net::TcpListener;

    const PARTS: usize = 8;

    #[tokio::test]
    async fn others_go_first_after_each_part() {
        let folder = tempfile::tempdir().unwrap();
        let owner = Owner {
            database: "test",
            is_shared: false,
        };
        let blobs = Blobs::open_directory(folder.path(), owner).await.unwrap();
        let content = Bytes::from(vec![7; PARTS * PART_BYTES]);
        let stream = futures_util::stream::iter([io::Result::Ok(content.clone())]);
        let digest = Digest::sha256_of(&content);
        let stored = blobs.put(&digest, stream).await.unwrap();
        let Some(Source::File(file)) = blobs.open(&stored.key).await.unwrap() else {
            panic!("a file that was just stored");
        };
        let mut read = file.read_range(0..file.size());

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let far = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (near, _) = listener.accept().await.unwrap();
        // It takes everything at once.
        let mut far = far.into_std().unwrap();
        far.set_nonblocking(false).unwrap();
        let taken = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::new();
            far.read_to_end(&mut bytes).map(|_| bytes)
        });
        let (mut io, queue) = SendingIo::new(near);
        let mut turns = 0;
        while let Some(stand_in) = queue.stand_in(&mut read) {
            let mut left = &stand_in[..];
            while !left.is_empty() {
                let sent = poll_fn(|cx| {
                    let sent = Pin::new(&mut io).poll_write(cx, left);
                    turns += usize::from(sent.is_pending());
                    sent
                });
                left = &left[sent.await.unwrap()..];
            }
        }
        drop(io);
        assert!(turns >= PARTS - 1, "{turns}");
        assert!(taken.await.unwrap().unwrap() == content);
    }
}
