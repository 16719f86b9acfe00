//! A connection whose writes may not stall: hyper bounds the reading of headers, nothing bounds a
//! client that asks for a large blob and never takes it.
//!
//! The kernel says that a socket is writable when a third of its buffer is free, which is more than a megabyte: a slow
//! client takes longer than the limit for that, and yet takes something all the time. So a pending write is tried
//! several times before the client is given up.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};
use tokio_rustls::server::TlsStream;

/// How often a pending write is tried until the limit.
const TRIES: u32 = 8;

/// A stream that can be written to although the kernel did not say that it is writable.
pub(crate) trait WriteAnyway {
    /// Writes what the socket takes at this moment, and says how much of `buf`; none of it when only what was written
    /// earlier went out. `WouldBlock` when the socket takes nothing.
    fn write_anyway(&mut self, buf: &[u8]) -> io::Result<usize>;
}

impl WriteAnyway for TcpStream {
    fn write_anyway(&mut self, buf: &[u8]) -> io::Result<usize> {
        match buf.is_empty() {
            true => Err(io::ErrorKind::WouldBlock.into()),
            false => Ok(rustix::io::write(&*self, buf)?),
        }
    }
}

impl WriteAnyway for TlsStream<TcpStream> {
    /// What is pending are records that were made earlier.
    fn write_anyway(&mut self, _: &[u8]) -> io::Result<usize> {
        let (stream, session) = self.get_mut();
        match session.write_tls(&mut Direct(stream))? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            _ => Ok(0),
        }
    }
}

/// A socket's writes without a wait for its readiness.
struct Direct<'a>(&'a TcpStream);

impl io::Write for Direct<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(self.0, buf)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether nothing is wrong but that it cannot be done now.
pub(crate) fn is_again(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

/// Fails a write with `TimedOut` when the peer takes nothing for `limit`.
pub(crate) struct StallIo<S> {
    inner: S,
    limit: Duration,
    /// Armed while a write is pending.
    stall: Option<Stall>,
}

struct Stall {
    next_try: Pin<Box<Sleep>>,
    tries_left: u32,
}

impl<S> StallIo<S> {
    pub(crate) fn new(inner: S, limit: Duration) -> StallIo<S> {
        StallIo {
            inner,
            limit,
            stall: None,
        }
    }
}

impl<S: WriteAnyway> StallIo<S> {
    /// `polled`, which is a write of `buf`, unless it stalls.
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
        buf: &[u8],
        taken: impl Fn(usize) -> T,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.stall = None;
            return polled;
        }
        let pause = self.limit / TRIES;
        loop {
            let stall = self.stall.get_or_insert_with(|| Stall {
                next_try: Box::pin(tokio::time::sleep(pause)),
                tries_left: TRIES,
            });
            ready!(stall.next_try.as_mut().poll(cx));
            match self.inner.write_anyway(buf) {
                Ok(0) => self.stall = None,
                Ok(bytes) => {
                    self.stall = None;
                    return Poll::Ready(Ok(taken(bytes)));
                }
                Err(error) if is_again(&error) => {
                    stall.tries_left -= 1;
                    if stall.tries_left == 0 {
                        return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                    }
                    stall.next_try.as_mut().reset(Instant::now() + pause);
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for StallIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + WriteAnyway + Unpin> AsyncWrite for StallIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.watch(cx, polled, buf, |bytes| bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        let first = bufs.iter().find(|buf| !buf.is_empty());
        let first = first.map_or(&[][..], |buf| &**buf);
        self.watch(cx, polled, first, |bytes| bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_flush(cx);
        self.watch(cx, polled, &[], |_| ())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.watch(cx, polled, &[], |_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt as _;

    impl WriteAnyway for tokio::io::DuplexStream {
        fn write_anyway(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::WouldBlock.into())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_given_up() {
        let (near, far) = tokio::io::duplex(16);
        let mut near = StallIo::new(near, Duration::from_secs(120));
        near.write_all(&[0; 16]).await.unwrap();
        let error = near.write_all(&[0; 16]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(far);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_a_little_now_and_then_is_waited_for() {
        const LIMIT: Duration = Duration::from_secs(120);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut far = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (near, _) = listener.accept().await.unwrap();
        let mut near = StallIo::new(near, LIMIT);
        let piece = vec![0; 1 << 20];
        let short = LIMIT / 2;
        // The buffers of both ends are filled: in half of the limit nothing is taken any more.
        while let Ok(written) = tokio::time::timeout(short, near.write(&piece)).await {
            written.unwrap();
        }
        let mut taken = 0;
        for _ in 0..4 {
            io::Read::read_exact(&mut far, &mut vec![0; 128 << 10]).unwrap();
            if let Ok(written) = tokio::time::timeout(short, near.write(&piece)).await {
                taken += written.unwrap();
            }
        }
        assert!(taken > 0);
        let error = near.write_all(&vec![0; 64 << 20]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
