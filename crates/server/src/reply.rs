//! Bodies of answers: bytes in memory, a stream, or a file.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use blobs::FileRead;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http_body::{Body, Frame, SizeHint};

use crate::file_sends::FileQueue;

/// A stream of a blob's bytes on its way out.
pub(crate) type ByteStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// Told how many bytes of an answer were taken: at its end, or where the client goes away.
pub(crate) type OnSent = Box<dyn FnMut(u64) + Send>;

/// An answer's body.
pub(crate) enum ReplyBody {
    /// Bytes in memory (none left when `None`).
    Whole(Option<Bytes>),
    /// Bytes that come from elsewhere, of known length.
    Sent(Box<Sending>),
}

/// A body on its way out.
pub(crate) struct Sending {
    from: From,
    /// Bytes still to come.
    left: u64,
    /// Bytes that went and are not told yet.
    sent: u64,
    on_sent: Option<OnSent>,
}

enum From {
    Stream(ByteStream),
    /// Which a plain connection has the kernel send.
    File(FileRead),
}

impl ReplyBody {
    pub(crate) fn empty() -> ReplyBody {
        ReplyBody::Whole(None)
    }

    /// The next `left` bytes of a stream.
    pub(crate) fn stream(stream: ByteStream, left: u64) -> ReplyBody {
        ReplyBody::sent(From::Stream(stream), left)
    }

    /// A part of a file.
    pub(crate) fn file(read: FileRead) -> ReplyBody {
        let left = read.remaining();
        ReplyBody::sent(From::File(read), left)
    }

    fn sent(from: From, left: u64) -> ReplyBody {
        ReplyBody::Sent(Box::new(Sending {
            from,
            left,
            sent: 0,
            on_sent: None,
        }))
    }

    /// The same, which tells how much of it was taken. Bytes in memory count as taken.
    pub(crate) fn counted(self, mut on_sent: OnSent) -> ReplyBody {
        match self {
            ReplyBody::Whole(bytes) => {
                if let Some(bytes) = &bytes {
                    on_sent(bytes.len() as u64);
                }
                ReplyBody::Whole(bytes)
            }
            ReplyBody::Sent(mut sending) => {
                sending.on_sent = Some(on_sent);
                ReplyBody::Sent(sending)
            }
        }
    }

    /// The next bytes; of a file, a stand-in for them where the connection has a queue for its parts.
    pub(crate) fn poll_bytes(
        &mut self,
        cx: &mut Context<'_>,
        files: Option<&FileQueue>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        match self {
            ReplyBody::Whole(bytes) => Poll::Ready(bytes.take().map(Ok)),
            ReplyBody::Sent(sending) => sending.poll_bytes(cx, files),
        }
    }
}

impl Sending {
    fn poll_bytes(
        &mut self,
        cx: &mut Context<'_>,
        files: Option<&FileQueue>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        let next = match &mut self.from {
            From::Stream(stream) => ready!(stream.poll_next_unpin(cx)),
            From::File(read) => match files.and_then(|files| files.stand_in(read)) {
                Some(stand_in) => Some(Ok(stand_in)),
                None => ready!(read.poll_next_unpin(cx)),
            },
        };
        if let Some(Ok(bytes)) = &next {
            let length = bytes.len() as u64;
            self.sent += length;
            self.left = self.left.saturating_sub(length);
            // Before the client has the last byte, so that whoever asks then sees it counted.
            if self.left == 0 {
                self.tell();
            }
        }
        Poll::Ready(next)
    }

    fn tell(&mut self) {
        let sent = std::mem::take(&mut self.sent);
        if let Some(on_sent) = &mut self.on_sent
            && sent > 0
        {
            on_sent(sent);
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.tell();
    }
}

impl std::convert::From<Bytes> for ReplyBody {
    fn from(bytes: Bytes) -> ReplyBody {
        ReplyBody::Whole((!bytes.is_empty()).then_some(bytes))
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let bytes = ready!(self.poll_bytes(cx, None));
        Poll::Ready(bytes.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            ReplyBody::Whole(bytes) => bytes.is_none(),
            ReplyBody::Sent(sending) => sending.left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            ReplyBody::Whole(bytes) => bytes.as_ref().map_or(0, Bytes::len) as u64,
            ReplyBody::Sent(sending) => sending.left,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn counter() -> (Arc<AtomicU64>, OnSent) {
        let count = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&count);
        let on_sent = move |bytes| {
            counted.fetch_add(bytes, Ordering::Relaxed);
        };
        (count, Box::new(on_sent))
    }

    #[tokio::test]
    async fn what_was_taken_is_told_at_the_end_or_when_it_is_dropped() {
        use http_body_util::BodyExt as _;
        let pieces = || futures_util::stream::iter(["ab", "cde"].map(|text| Ok(Bytes::from(text))));
        let (whole, on_sent) = counter();
        let mut body = ReplyBody::stream(Box::pin(pieces()), 5).counted(on_sent);
        body.frame().await.unwrap().unwrap();
        assert_eq!(whole.load(Ordering::Relaxed), 0);
        body.frame().await.unwrap().unwrap();
        assert_eq!(whole.load(Ordering::Relaxed), 5);
        assert!(body.is_end_stream());

        let (part, on_sent) = counter();
        let mut body = ReplyBody::stream(Box::pin(pieces()), 5).counted(on_sent);
        body.frame().await.unwrap().unwrap();
        drop(body);
        assert_eq!(part.load(Ordering::Relaxed), 2);

        let (memory, on_sent) = counter();
        drop(ReplyBody::from(Bytes::from("abc")).counted(on_sent));
        assert_eq!(memory.load(Ordering::Relaxed), 3);
    }
}
