//! Sockets: accepting, TLS, HTTP/1 and HTTP/2, and the orderly end of connections.
//!
//! One accept loop per address. Every connection takes a place ([`Connections`]); when there is none, one
//! that is idle or unfinished makes room. When the server stops, no connection is accepted, connections
//! without a running request are closed, and running requests are given [`SHUTDOWN_GRACE`].

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::app::App;
use crate::connection_io::ConnectionIo;
use crate::connections::{Connection, Peer, RunningRequest};
use crate::dispatch;
use crate::file_sends::{FileQueue, SendingIo};
use crate::limits::{
    HEADER_READ_TIMEOUT, HEADERS_BYTES_MAX, HEADERS_COUNT_MAX, HEADERS_SLACK_BYTES,
    HTTP2_IDLE_TIMEOUT, HTTP2_STREAMS_MAX, HTTP2_WINDOW_BYTES, READ_BUFFER_BYTES_MAX,
    SHUTDOWN_GRACE, TLS_HANDSHAKE_TIMEOUT, WRITE_STALL_TIMEOUT,
};
use crate::peek;
use crate::proxy_protocol;
use crate::reply::ReplyBody;
use crate::tls::Tls;
use crate::write_timeout::{StallIo, WriteAnyway};

/// Serves until `stop` turns true and running requests have ended, or their time is up.
pub(crate) async fn serve(
    app: Arc<App>,
    listeners: Vec<TcpListener>,
    tls: Option<Tls>,
    mut stop: watch::Receiver<bool>,
) {
    let loops: Vec<_> = listeners
        .into_iter()
        .map(|listener| {
            let accept = accept(Arc::clone(&app), listener, tls.clone(), stop.clone());
            tokio::spawn(accept)
        })
        .collect();
    stopped(&mut stop).await;
    for accept in loops {
        // The loops end by themselves; one that panicked has nothing left to wait for.
        let _ = accept.await;
    }
    let ended = tokio::time::timeout(SHUTDOWN_GRACE, app.connections.closed()).await;
    if ended.is_err() {
        let running = app.connections.count();
        tracing::warn!(
            running,
            "stopping with connections still open: their time is up"
        );
    }
}

async fn accept(
    app: Arc<App>,
    listener: TcpListener,
    tls: Option<Tls>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let next = async {
            let (stream, address) = listener.accept().await?;
            let address = address.ip().to_canonical();
            Ok::<_, io::Error>((stream, address, app.connections.admit(address).await))
        };
        let accepted = tokio::select! {
            next = next => next,
            () = stopped(&mut stop) => return,
        };
        match accepted {
            Ok((stream, address, connection)) => {
                let (app, tls, stop) = (Arc::clone(&app), tls.clone(), stop.clone());
                let peer = Peer {
                    address,
                    secure: tls.is_some(),
                    connection: Arc::clone(&connection),
                };
                tokio::spawn(async move {
                    let ended = tokio::select! {
                        ended = Box::pin(serve_connection(app, stream, peer, tls, stop)) => ended,
                        () = connection.evicted() => {
                            tracing::debug!(%address, "connection closed to make room");
                            return;
                        }
                    };
                    if let Err(error) = ended {
                        // Disconnects are normal.
                        tracing::debug!(%address, %error, "connection ended");
                    }
                });
            }
            Err(error) => {
                // Out of files, mostly: waiting helps, trying again at once does not.
                tracing::error!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

type ConnectionError = Box<dyn std::error::Error + Send + Sync>;

async fn serve_connection(
    app: Arc<App>,
    mut stream: TcpStream,
    mut peer: Peer,
    tls: Option<Tls>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), ConnectionError> {
    stream.set_nodelay(true)?;
    if app.proxies.contains(peer.address) {
        let header = proxy_protocol::read_header(&mut stream);
        let header = tokio::select! {
            header = tokio::time::timeout(HEADER_READ_TIMEOUT, header) => header??,
            () = stopped(&mut stop) => return Ok(()),
        };
        if let Some(proxied) = header {
            peer.secure |= proxied.tls;
            if let Some(source) = proxied.source {
                peer.address = source.ip().to_canonical();
                peer.connection.belongs_to(peer.address);
            }
        }
    }
    match tls {
        Some(tls) => {
            let handshake = tls.acceptor().accept(stream);
            let stream = tokio::select! {
                stream = tokio::time::timeout(TLS_HANDSHAKE_TIMEOUT, handshake) => stream??,
                () = stopped(&mut stop) => return Ok(()),
            };
            let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            speak(app, stream, None, peer, http2, stop).await
        }
        None => {
            // HTTP/2 with prior knowledge begins `PRI * HTTP/2.0`.
            let preface = peek::begins_with(&stream, b"PRI");
            let http2 = tokio::select! {
                preface = tokio::time::timeout(HEADER_READ_TIMEOUT, preface) => preface??,
                () = stopped(&mut stop) => return Ok(()),
            };
            match http2 {
                true => speak(app, stream, None, peer, http2, stop).await,
                false => {
                    let (stream, files) = SendingIo::new(stream);
                    speak(app, stream, Some(files), peer, http2, stop).await
                }
            }
        }
    }
}

/// Waits for the stop. A sender that is gone means the same.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // In a function of its own, so that the guard that `wait_for` answers is not kept.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// `files`: where the stream takes the parts of files that it sends in place of stand-ins.
async fn speak<S>(
    app: Arc<App>,
    stream: S,
    files: Option<Arc<FileQueue>>,
    peer: Peer,
    http2: bool,
    mut stop: watch::Receiver<bool>,
) -> Result<(), ConnectionError>
where
    S: AsyncRead + AsyncWrite + WriteAnyway + Unpin + Send + 'static,
{
    let own = Arc::clone(&peer.connection);
    let stream = StallIo::new(stream, WRITE_STALL_TIMEOUT);
    let io = TokioIo::new(ConnectionIo::new(stream, Arc::clone(&own)));
    let (open, mut requests) = watch::channel(0_usize);
    let open = Arc::new(open);
    let service = service_fn(move |request| {
        let (app, peer, open) = (Arc::clone(&app), peer.clone(), Open::of(&open));
        let files = files.clone();
        let running = peer.connection.begin();
        async move {
            let response = dispatch::handle(app, request, peer, Arc::clone(&running)).await;
            let answering = |body| Answering {
                body,
                files,
                _open: open,
                _running: running,
            };
            Ok::<_, std::convert::Infallible>(response.map(answering))
        }
    });
    if http2 {
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(HTTP2_STREAMS_MAX)
            .initial_stream_window_size(HTTP2_WINDOW_BYTES)
            .initial_connection_window_size(HTTP2_WINDOW_BYTES)
            .max_header_list_size(u32::try_from(HEADERS_BYTES_MAX).unwrap_or(u32::MAX))
            .keep_alive_interval(HEADER_READ_TIMEOUT / 2)
            .keep_alive_timeout(HEADER_READ_TIMEOUT / 2)
            .serve_connection(io, service);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            result = connection.as_mut() => return Ok(result?),
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                return tokio::select! {
                    result = connection => Ok(result?),
                    () = quiet(&own, HTTP2_FAREWELL) => Ok(()),
                };
            }
            () = idle(&mut requests) => connection.as_mut().graceful_shutdown(),
        }
        tokio::select! {
            result = connection => Ok(result?),
            // The client neither goes nor asks.
            () = idle(&mut requests) => Ok(()),
            () = stopped(&mut stop) => Ok(()),
        }
    } else {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_READ_TIMEOUT)
            .max_headers(HEADERS_COUNT_MAX)
            .max_header_size(HEADERS_BYTES_MAX + HEADERS_SLACK_BYTES)
            .max_buf_size(READ_BUFFER_BYTES_MAX)
            .serve_connection(io, service);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            result = connection.as_mut() => return Ok(result?),
            () = stopped(&mut stop) => connection.as_mut().graceful_shutdown(),
        }
        tokio::select! {
            result = connection => Ok(result?),
            // hyper goes on waiting for the rest of a request that was begun.
            () = quiet(&own, Duration::ZERO) => Ok(()),
        }
    }
}

/// Between two looks whether a connection is quiet.
const QUIET_INTERVAL: Duration = Duration::from_millis(20);
/// An answer over HTTP/2 may wait for the client's window while nothing else happens.
const HTTP2_FAREWELL: Duration = Duration::from_secs(1);

/// Waits until nothing has been running or being sent for `long`; a connection that never had a request
/// is quiet at once.
async fn quiet(connection: &Connection, long: Duration) {
    let mut since = None;
    loop {
        match connection.is_quiet() {
            true => {
                let since = *since.get_or_insert_with(tokio::time::Instant::now);
                if since.elapsed() >= long || !connection.had_requests() {
                    return;
                }
            }
            false => since = None,
        }
        tokio::time::sleep(QUIET_INTERVAL).await;
    }
}

/// Waits until a connection has had no request for [`HTTP2_IDLE_TIMEOUT`]. hyper bounds the wait for
/// HTTP/1 headers, but not for HTTP/2's, whose pings keep a connection open for ever.
async fn idle(requests: &mut watch::Receiver<usize>) {
    loop {
        if requests.wait_for(|open| *open == 0).await.is_err() {
            // The service is gone, and the connection with it.
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(HTTP2_IDLE_TIMEOUT) => return,
            _ = requests.changed() => {}
        }
    }
}

/// Counts a request of a connection from its headers to the end of its answer.
struct Open(Arc<watch::Sender<usize>>);

impl Open {
    fn of(open: &Arc<watch::Sender<usize>>) -> Open {
        open.send_modify(|open| *open += 1);
        Open(Arc::clone(open))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

/// An answer that is being sent.
struct Answering {
    body: ReplyBody,
    files: Option<Arc<FileQueue>>,
    _open: Open,
    _running: Arc<RunningRequest>,
}

impl Body for Answering {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        let bytes = ready!(this.body.poll_bytes(cx, this.files.as_deref()));
        Poll::Ready(bytes.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{Instant, timeout};

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_when_its_last_answer_was_sent() {
        let (open, mut requests) = watch::channel(0);
        let open = Arc::new(open);
        let started = Instant::now();
        idle(&mut requests).await;
        assert_eq!(started.elapsed(), HTTP2_IDLE_TIMEOUT);

        let first = Open::of(&open);
        let second = Open::of(&open);
        drop(first);
        let long = 100 * HTTP2_IDLE_TIMEOUT;
        assert!(timeout(long, idle(&mut requests)).await.is_err());
        // A request in between begins the time anew.
        drop(second);
        let half = HTTP2_IDLE_TIMEOUT / 2;
        assert!(timeout(half, idle(&mut requests)).await.is_err());
        drop(Open::of(&open));
        let started = Instant::now();
        idle(&mut requests).await;
        assert_eq!(started.elapsed(), HTTP2_IDLE_TIMEOUT);
    }
}
