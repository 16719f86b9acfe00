//! Bodies: what comes in, bounded in size and in time, and what goes out.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, Sleep};

use crate::limits::{API_BODY_TIMEOUT, BODY_IDLE_TIMEOUT, LINGER_BYTES_MAX, LINGER_TIMEOUT};

/// Why a request's body could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    /// Longer than it may be.
    #[error("the body is longer than {0} bytes")]
    TooLong(usize),
    /// No byte came for [`BODY_IDLE_TIMEOUT`].
    #[error("the body stopped for too long")]
    Stalled,
    /// The connection broke, or the framing is wrong.
    #[error("the body broke off: {0}")]
    Broken(#[from] hyper::Error),
}

/// A collected body and its SHA-256, which a signature covers.
pub(crate) struct Collected {
    pub(crate) bytes: Bytes,
    pub(crate) sha256_hex: String,
}

/// A request's body. Whoever drops it unread need not care: what the client is still sending is read and
/// thrown away for a while, since closing on it would reset the connection and lose the answer
/// (RFC 9112, section 9.6).
pub(crate) struct Inbound(Option<Incoming>);

impl From<Incoming> for Inbound {
    fn from(body: Incoming) -> Inbound {
        Inbound(Some(body))
    }
}

impl Drop for Inbound {
    fn drop(&mut self) {
        let Some(body) = self.0.take().filter(|body| !body.is_end_stream()) else {
            return;
        };
        // Outside of a runtime there is no connection either.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(LINGER_TIMEOUT, drain(body)));
        }
    }
}

async fn drain(mut body: Incoming) {
    let mut left = LINGER_BYTES_MAX;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

impl Inbound {
    /// The length, where the client says it.
    pub(crate) fn length(&self) -> Option<u64> {
        self.0
            .as_ref()
            .map_or(Some(0), |body| body.size_hint().exact())
    }

    /// Reads a whole body of at most `max` bytes, hashing as it comes.
    pub(crate) async fn collect(mut self, max: usize) -> Result<Collected, BodyError> {
        match tokio::time::timeout(API_BODY_TIMEOUT, self.collect_all(max)).await {
            Ok(collected) => collected,
            Err(_) => Err(BodyError::Stalled),
        }
    }

    async fn collect_all(&mut self, max: usize) -> Result<Collected, BodyError> {
        let mut hasher = Sha256::new();
        let mut parts: Vec<Bytes> = Vec::new();
        let mut length = 0;
        if let Some(body) = &mut self.0 {
            let announced = body.size_hint().lower();
            if usize::try_from(announced).map_or(true, |announced| announced > max) {
                return Err(BodyError::TooLong(max));
            }
            while let Some(frame) = tokio::time::timeout(BODY_IDLE_TIMEOUT, body.frame())
                .await
                .map_err(|_| BodyError::Stalled)?
            {
                let Ok(data) = frame?.into_data() else {
                    continue;
                };
                length += data.len();
                if length > max {
                    return Err(BodyError::TooLong(max));
                }
                hasher.update(&data);
                parts.push(data);
            }
        }
        // Most bodies are one piece and are not copied.
        let bytes = match parts.len() {
            0 => Bytes::new(),
            1 => parts.remove(0),
            _ => {
                let mut whole = BytesMut::with_capacity(length);
                parts.iter().for_each(|part| whole.extend_from_slice(part));
                whole.freeze()
            }
        };
        Ok(Collected {
            bytes,
            sha256_hex: hex(&hasher.finalize()),
        })
    }

    /// The body as a stream of hyper's own buffers, not copied. A silence of [`BODY_IDLE_TIMEOUT`] ends it
    /// with an error.
    pub(crate) fn stream(self) -> BodyStream {
        BodyStream {
            body: self,
            idle: Box::pin(tokio::time::sleep(BODY_IDLE_TIMEOUT)),
        }
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |at: u8| char::from(DIGITS[usize::from(at)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// See [`Inbound::stream`].
pub(crate) struct BodyStream {
    body: Inbound,
    idle: Pin<Box<Sleep>>,
}

impl Stream for BodyStream {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(body) = &mut this.body.0 else {
            return Poll::Ready(None);
        };
        loop {
            match Pin::new(&mut *body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => {
                        let next = Instant::now() + BODY_IDLE_TIMEOUT;
                        this.idle.as_mut().reset(next);
                        return Poll::Ready(Some(Ok(data)));
                    }
                    // Trailers: nothing that a registry reads.
                    Err(_) => continue,
                },
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Some(Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        error,
                    ))));
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {
                    return match this.idle.as_mut().poll(cx) {
                        Poll::Ready(()) => Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into()))),
                        Poll::Pending => Poll::Pending,
                    };
                }
            }
        }
    }
}

/// A stream of a blob's bytes on its way out.
pub(crate) type ByteStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// An answer's body.
pub(crate) enum ReplyBody {
    /// Bytes in memory (none left when `None`).
    Whole(Option<Bytes>),
    /// A stream of known length.
    Stream {
        /// The bytes.
        stream: ByteStream,
        /// How many are still to come.
        left: u64,
    },
}

impl ReplyBody {
    pub(crate) fn empty() -> ReplyBody {
        ReplyBody::Whole(None)
    }
}

impl From<Bytes> for ReplyBody {
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
        match &mut *self {
            ReplyBody::Whole(bytes) => {
                Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes))))
            }
            ReplyBody::Stream { stream, left } => match stream.as_mut().poll_next(cx) {
                Poll::Ready(Some(Ok(bytes))) => {
                    *left = left.saturating_sub(bytes.len() as u64);
                    Poll::Ready(Some(Ok(Frame::data(bytes))))
                }
                Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            ReplyBody::Whole(bytes) => bytes.is_none(),
            ReplyBody::Stream { left, .. } => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            ReplyBody::Whole(bytes) => bytes.as_ref().map_or(0, Bytes::len) as u64,
            ReplyBody::Stream { left, .. } => *left,
        })
    }
}
