//! Sockets: accepting, TLS, HTTP/1 and HTTP/2, and an orderly end.
//!
//! One accept loop per address. A connection takes a permit before it is accepted, so that a flood
//! waits in the kernel's queue and costs nothing here. When the server stops, no connection is
//! accepted, idle ones are closed, and running requests are given [`SHUTDOWN_GRACE`].

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::app::App;
use crate::body::ReplyBody;
use crate::dispatch;
use crate::limits::{
    CONNECTIONS_MAX, HEADER_READ_TIMEOUT, HEADERS_BYTES_MAX, HEADERS_COUNT_MAX, HTTP2_IDLE_TIMEOUT,
    HTTP2_STREAMS_MAX, HTTP2_WINDOW_BYTES, READ_BUFFER_BYTES_MAX, SHUTDOWN_GRACE,
    TLS_HANDSHAKE_TIMEOUT, WRITE_STALL_TIMEOUT,
};
use crate::write_timeout::StallIo;

/// What the HTTP layer knows about a connection.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// Where it comes from.
    pub(crate) address: SocketAddr,
    /// Over TLS.
    pub(crate) secure: bool,
    /// The connection's place, which a request that outlives the connection keeps: an orderly stop
    /// waits for it.
    pub(crate) slot: Arc<OwnedSemaphorePermit>,
}

/// Serves until `stop` turns true and running requests have ended, or their time is up.
pub(crate) async fn serve(
    app: Arc<App>,
    listeners: Vec<TcpListener>,
    tls: Option<TlsAcceptor>,
    mut stop: watch::Receiver<bool>,
) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let loops: Vec<_> = listeners
        .into_iter()
        .map(|listener| {
            let accept = accept(
                Arc::clone(&app),
                listener,
                tls.clone(),
                Arc::clone(&slots),
                stop.clone(),
            );
            tokio::spawn(accept)
        })
        .collect();
    stopped(&mut stop).await;
    for accept in loops {
        // The loops end by themselves; one that panicked has nothing left to wait for.
        let _ = accept.await;
    }
    let all = u32::try_from(CONNECTIONS_MAX).unwrap_or(u32::MAX);
    let ended = tokio::time::timeout(SHUTDOWN_GRACE, slots.acquire_many(all)).await;
    if ended.is_err() {
        let running = CONNECTIONS_MAX - slots.available_permits();
        tracing::warn!(
            running,
            "stopping with connections still open: their time is up"
        );
    }
}

async fn accept(
    app: Arc<App>,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    slots: Arc<Semaphore>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            next = next => next,
            () = stopped(&mut stop) => return,
        };
        let Ok(slot) = slot else { return };
        match accepted {
            Ok((stream, address)) => {
                let (app, tls, stop) = (Arc::clone(&app), tls.clone(), stop.clone());
                let peer = Peer {
                    address,
                    secure: tls.is_some(),
                    slot: Arc::new(slot),
                };
                tokio::spawn(async move {
                    if let Err(error) = Box::pin(connection(app, stream, peer, tls, stop)).await {
                        // Clients go away at any time; that is theirs to know.
                        tracing::debug!(%address, %error, "connection ended");
                    }
                });
            }
            Err(error) => {
                // Out of files, mostly: waiting is what helps, spinning would not.
                tracing::error!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

type ConnectionError = Box<dyn std::error::Error + Send + Sync>;

async fn connection(
    app: Arc<App>,
    stream: TcpStream,
    peer: Peer,
    tls: Option<TlsAcceptor>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), ConnectionError> {
    stream.set_nodelay(true)?;
    match tls {
        Some(tls) => {
            let stream = tokio::time::timeout(TLS_HANDSHAKE_TIMEOUT, tls.accept(stream)).await??;
            let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            speak(
                app,
                StallIo::new(stream, WRITE_STALL_TIMEOUT),
                peer,
                http2,
                stop,
            )
            .await
        }
        None => {
            let preface = tokio::time::timeout(HEADER_READ_TIMEOUT, begins_http2(&stream));
            let http2 = tokio::select! {
                preface = preface => preface??,
                () = stopped(&mut stop) => return Ok(()),
            };
            speak(
                app,
                StallIo::new(stream, WRITE_STALL_TIMEOUT),
                peer,
                http2,
                stop,
            )
            .await
        }
    }
}

/// Looks at the first bytes without taking them: HTTP/2 with prior knowledge begins `PRI * HTTP/2.0`.
async fn begins_http2(stream: &TcpStream) -> io::Result<bool> {
    const PREFACE: &[u8] = b"PRI";
    let mut first = [0; PREFACE.len()];
    let mut pause = Duration::from_millis(1);
    loop {
        let seen = stream.peek(&mut first).await?;
        if seen == PREFACE.len() || seen == 0 || first[..seen] != PREFACE[..seen] {
            return Ok(&first[..seen] == PREFACE);
        }
        // `P` or `PR` alone: the rest is on its way, and peek does not wait for more. Who never sends it
        // costs ever fewer looks, until the time for headers is up.
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

/// Waits for the stop. A sender that is gone means the same.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // In a function of its own, so that the guard that `wait_for` answers is not kept.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn speak<S>(
    app: Arc<App>,
    stream: S,
    peer: Peer,
    http2: bool,
    mut stop: watch::Receiver<bool>,
) -> Result<(), ConnectionError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let io = TokioIo::new(stream);
    let (open, mut requests) = watch::channel(0_usize);
    let open = Arc::new(open);
    let service = service_fn(move |request| {
        let (app, peer, open) = (Arc::clone(&app), peer.clone(), Open::of(&open));
        async move {
            let response = dispatch::handle(app, request, peer).await;
            Ok::<_, std::convert::Infallible>(response.map(|body| Answering { body, _open: open }))
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
                return Ok(connection.await?);
            }
            () = idle(&mut requests) => connection.as_mut().graceful_shutdown(),
        }
        tokio::select! {
            result = connection => Ok(result?),
            // The client neither goes nor asks.
            () = idle(&mut requests) => Ok(()),
        }
    } else {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_READ_TIMEOUT)
            .max_headers(HEADERS_COUNT_MAX)
            .max_buf_size(READ_BUFFER_BYTES_MAX)
            .serve_connection(io, service);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            result = connection.as_mut() => return Ok(result?),
            () = stopped(&mut stop) => connection.as_mut().graceful_shutdown(),
        }
        Ok(connection.await?)
    }
}

/// Waits until a connection has had no request for [`HTTP2_IDLE_TIMEOUT`]. HTTP/1 has its time for
/// headers; HTTP/2 has none, and its pings keep a connection open for ever.
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
    _open: Open,
}

impl Body for Answering {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
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
