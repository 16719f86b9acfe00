//! Reading a connection at the pace of the memory that there is for it.
//!
//! Two rules hold while no caller is known. Reads are small, so that hyper's buffer stays small: it grows
//! to the size of the reads. And what was read but not yet handled is counted against the memory for
//! strangers ([`Connection::has_room`]); when there is none, the connection is not read.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use crate::connections::Connection;

/// The most that is read of a stranger's connection at once, in bytes.
const STRANGER_READ_BYTES: usize = 4 * 1024;
/// Between two looks for memory.
const ROOM_INTERVAL: Duration = Duration::from_millis(20);

/// See the module. Writes pass through; whether one is pending is noted on the connection.
pub(crate) struct ConnectionIo<S> {
    inner: S,
    connection: Arc<Connection>,
    /// Armed while there is no memory.
    pause: Option<Pin<Box<Sleep>>>,
}

impl<S> ConnectionIo<S> {
    pub(crate) fn new(inner: S, connection: Arc<Connection>) -> ConnectionIo<S> {
        ConnectionIo {
            inner,
            connection,
            pause: None,
        }
    }

    fn noted<T>(&self, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        self.connection.set_writing(polled.is_pending());
        polled
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ConnectionIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.connection.is_known() {
            // Frees what was counted before the caller was known.
            this.connection.has_room(0);
            return Pin::new(&mut this.inner).poll_read(cx, buf);
        }
        let max = buf.remaining().min(STRANGER_READ_BYTES);
        while !this.connection.has_room(max) {
            let pause = || Box::pin(tokio::time::sleep(ROOM_INTERVAL));
            ready!(this.pause.get_or_insert_with(pause).as_mut().poll(cx));
            this.pause = None;
        }
        this.pause = None;
        let mut piece = [const { MaybeUninit::uninit() }; STRANGER_READ_BYTES];
        let mut piece = ReadBuf::uninit(&mut piece[..max]);
        ready!(Pin::new(&mut this.inner).poll_read(cx, &mut piece))?;
        this.connection.received(piece.filled().len());
        buf.put_slice(piece.filled());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ConnectionIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.noted(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.noted(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_flush(cx);
        self.noted(polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connections::Connections;
    use crate::limits::{HEAD_BYTES_FREE, HEADS_BYTES_MAX};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test(start_paused = true)]
    async fn strangers_are_read_in_small_pieces_and_only_while_there_is_memory() {
        let all = Connections::new(2);
        let connection = all.admit("192.0.2.1".parse().unwrap()).await;
        let (near, mut far) = tokio::io::duplex(2 * HEADS_BYTES_MAX);
        let mut near = ConnectionIo::new(near, Arc::clone(&connection));
        far.write_all(&vec![0; HEADS_BYTES_MAX + 64 * 1024])
            .await
            .unwrap();
        let mut buf = vec![0; 1024 * 1024];
        let mut received = 0;
        let limit = Duration::from_secs(5);
        while let Ok(read) = tokio::time::timeout(limit, near.read(&mut buf)).await {
            let read = read.unwrap();
            assert!(read <= STRANGER_READ_BYTES);
            received += read;
        }
        assert!(received <= HEADS_BYTES_MAX + HEAD_BYTES_FREE, "{received}");
        // A handler takes what came: reading goes on.
        connection.consumed(received);
        assert!(near.read(&mut buf).await.unwrap() > 0);
        // A known caller's request is read as it comes.
        let request = connection.begin();
        request.identified();
        assert!(near.read(&mut buf).await.unwrap() > STRANGER_READ_BYTES);
    }
}
