//! Bodies that come in, bounded in size and in time.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use http::{HeaderMap, HeaderValue, header};
use http_body::Body;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, Sleep};

use crate::connections::Connection;
use crate::fair_pool::Party;
use crate::health::{Health, Problem};
use crate::limits::{
    API_BODY_BYTES_PER_SECOND_MIN, API_BODY_LAG_MAX, API_BODY_TIMEOUT, BODY_IDLE_TIMEOUT,
    LINGER_BYTES_MAX, LINGER_TIMEOUT,
};
use crate::memory_budget::{Charge, Full, MemoryBudget};

/// Why a request's body could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    /// Longer than it may be.
    #[error("the body is longer than {0} bytes")]
    TooLong(usize),
    /// It came too slowly, or not at all.
    #[error("the body stopped for too long")]
    Stalled,
    /// Other bodies fill the memory that there is for them.
    #[error("too many large requests are being read; try again")]
    Busy,
    /// The connection broke, or the framing is wrong.
    #[error("the body broke off: {0}")]
    Broken(Box<dyn std::error::Error + Send + Sync>),
}

impl From<Full> for BodyError {
    fn from(_: Full) -> BodyError {
        BodyError::Busy
    }
}

/// A collected body and its SHA-256, which a signature covers. Its memory is accounted for until this is
/// dropped.
pub(crate) struct Collected {
    pub(crate) bytes: Bytes,
    pub(crate) sha256_hex: String,
    _charge: Charge,
}

/// A request's body. Dropping it unread drains it in the background, up to [`LINGER_TIMEOUT`]; closing
/// earlier would reset the connection and lose the response (RFC 9112, section 9.6). A client that waits for `100 Continue` sends nothing, and reading would
/// ask it to (RFC 9110, section 10.1.1).
pub(crate) struct Inbound {
    body: Option<Incoming>,
    connection: Arc<Connection>,
    health: Arc<Health>,
    /// The client sends when it is told to, and it was not told yet.
    awaited: bool,
}

impl Inbound {
    pub(crate) fn new(
        body: Incoming,
        headers: &HeaderMap,
        connection: Arc<Connection>,
        health: Arc<Health>,
    ) -> Inbound {
        let expect = headers.get(header::EXPECT).map(HeaderValue::as_bytes);
        Inbound {
            body: Some(body),
            connection,
            health,
            awaited: expect.is_some_and(|expect| expect.eq_ignore_ascii_case(b"100-continue")),
        }
    }
}

impl Drop for Inbound {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else {
            return;
        };
        if self.awaited {
            return;
        }
        // Outside of a runtime there is no connection either.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let connection = Arc::clone(&self.connection);
            runtime.spawn(tokio::time::timeout(
                LINGER_TIMEOUT,
                drain(body, connection),
            ));
        }
    }
}

async fn drain(mut body: Incoming, connection: Arc<Connection>) {
    let mut left = LINGER_BYTES_MAX;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        connection.consumed(length);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

impl Inbound {
    /// The length, where the client says it.
    pub(crate) fn length(&self) -> Option<u64> {
        self.body
            .as_ref()
            .map_or(Some(0), |body| body.size_hint().exact())
    }

    /// Reads a whole body of at most `max` bytes, hashing as it comes and charging `budget` for it.
    pub(crate) async fn collect(
        mut self,
        budget: &MemoryBudget,
        party: &Party,
        max: usize,
    ) -> Result<Collected, BodyError> {
        let mut charge = budget.charge(party);
        self.awaited = false;
        let gathered = match &mut self.body {
            Some(body) => {
                let gathered = gather(body, &mut charge, max, |bytes| {
                    self.connection.consumed(bytes)
                });
                tokio::time::timeout(API_BODY_TIMEOUT, gathered)
                    .await
                    .map_err(|_| BodyError::Stalled)??
            }
            None => Gathered::default(),
        };
        let (bytes, sha256_hex) = gathered.finish();
        Ok(Collected {
            bytes,
            sha256_hex,
            _charge: charge,
        })
    }

    /// The body as a stream of hyper's own buffers, not copied. A silence of [`BODY_IDLE_TIMEOUT`] ends it
    /// with an error, and so does a disk that reaches `--disk-reserve` meanwhile (`StorageFull`).
    pub(crate) fn stream(self) -> BodyStream {
        BodyStream {
            body: self,
            idle: Box::pin(tokio::time::sleep(BODY_IDLE_TIMEOUT)),
        }
    }
}

/// What has come of a body.
#[derive(Default)]
struct Gathered {
    hasher: Sha256,
    /// The first piece, as it came: most bodies have no other and are not copied.
    first: Bytes,
    /// All pieces, from the second on: a piece may be a byte of a large buffer that it keeps alive.
    all: BytesMut,
}

impl Gathered {
    fn finish(self) -> (Bytes, String) {
        let bytes = match self.all.is_empty() {
            true => self.first,
            false => self.all.freeze(),
        };
        (bytes, aws_types::hex::encode(self.hasher.finalize()))
    }

    fn push(&mut self, data: Bytes) {
        self.hasher.update(&data);
        if self.first.is_empty() {
            self.first = data;
            return;
        }
        if self.all.is_empty() {
            self.all.extend_from_slice(&self.first);
        }
        self.all.extend_from_slice(&data);
    }
}

async fn gather<B>(
    body: &mut B,
    charge: &mut Charge,
    max: usize,
    consumed: impl Fn(usize),
) -> Result<Gathered, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let announced = usize::try_from(body.size_hint().lower());
    if announced.map_or(true, |announced| announced > max) {
        return Err(BodyError::TooLong(max));
    }
    let mut gathered = Gathered::default();
    let mut length = 0;
    // Each byte that comes earns its time; what is earned at once is not saved up.
    let mut deadline = Instant::now() + API_BODY_LAG_MAX;
    loop {
        let frame = tokio::select! {
            frame = tokio::time::timeout_at(deadline, body.frame()) => frame,
            () = charge.revoked() => return Err(BodyError::Busy),
        };
        let Some(frame) = frame.map_err(|_| BodyError::Stalled)? else {
            break;
        };
        let frame = frame.map_err(|error| BodyError::Broken(error.into()))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        length += data.len();
        if length > max {
            return Err(BodyError::TooLong(max));
        }
        let asked = Instant::now();
        consumed(data.len());
        charge.grow(length).await?;
        // The wait for room is not the client's.
        deadline += asked.elapsed() + time_for(data.len());
        deadline = deadline.min(Instant::now() + API_BODY_LAG_MAX);
        gathered.push(data);
    }
    match is_cut(body) {
        true => Err(BodyError::Broken("there is more to come".into())),
        false => Ok(gathered),
    }
}

/// Whether a body that ended was announced longer: to hyper, a connection that is given up in the middle
/// is an end like any other.
fn is_cut(body: &impl Body) -> bool {
    body.size_hint().lower() > 0
}

/// What so many bytes may take to come.
fn time_for(bytes: usize) -> Duration {
    let micros = (bytes as u64).saturating_mul(1_000_000) / API_BODY_BYTES_PER_SECOND_MIN;
    Duration::from_micros(micros)
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
        this.body.awaited = false;
        let Some(body) = &mut this.body.body else {
            return Poll::Ready(None);
        };
        loop {
            match Pin::new(&mut *body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => {
                        this.body.connection.consumed(data.len());
                        if this.body.health.has(Problem::DiskReserve) {
                            let full = io::ErrorKind::StorageFull;
                            return Poll::Ready(Some(Err(full.into())));
                        }
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
                Poll::Ready(None) if is_cut(body) => {
                    return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
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

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use http_body::{Frame, SizeHint};
    use http_body_util::StreamBody;

    /// Pieces of `size` bytes, one every `pause`.
    async fn read(size: usize, pieces: usize, pause: Duration) -> Result<Bytes, BodyError> {
        let budget = MemoryBudget::new();
        let frames = stream::unfold(0, |sent| async move {
            let frame = Frame::data(Bytes::from(vec![b'x'; size]));
            tokio::time::sleep(pause).await;
            (sent < pieces).then_some((Ok::<_, io::Error>(frame), sent + 1))
        });
        let mut body = StreamBody::new(Box::pin(frames));
        let mut charge = budget.charge(&Party::Principal("test".into()));
        let gathered = gather(&mut body, &mut charge, usize::MAX, |_| {}).await?;
        Ok(gathered.finish().0)
    }

    /// A body of which hyper lost the rest.
    struct Cut(Option<Bytes>);

    impl Body for Cut {
        type Data = Bytes;
        type Error = io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
            Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
        }

        fn size_hint(&self) -> SizeHint {
            SizeHint::with_exact(1)
        }
    }

    #[tokio::test]
    async fn a_body_that_ends_early_is_broken() {
        let mut body = Cut(Some(Bytes::from_static(b"{}")));
        let mut charge = MemoryBudget::new().charge(&Party::Principal("test".into()));
        let read = gather(&mut body, &mut charge, 100, |_| {}).await;
        assert!(matches!(read, Err(BodyError::Broken(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_kept_body_comes_at_a_rate() {
        let second = Duration::from_secs(1);
        let fast = read(65 * 1024, 100, second).await.unwrap();
        assert_eq!(fast.len(), 65 * 1024 * 100);
        // A small one may take its few seconds.
        assert_eq!(read(100, 9, second).await.unwrap().len(), 900);
        for (size, pieces, pause) in [
            (1, 1000, second),
            (32 * 1024, 1000, second),
            // Nothing is saved up by a fast beginning.
            (20 * 1024 * 1024, 2, 11 * second),
        ] {
            let error = read(size, pieces, pause).await.unwrap_err();
            assert!(matches!(error, BodyError::Stalled), "{size} {error:?}");
        }
    }
}
