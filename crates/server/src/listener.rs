//! Sockets: accepting, TLS, HTTP/1 and HTTP/2, and an orderly end.
//!
//! One accept loop per address. A connection takes a permit before it is accepted, so that a flood
//! waits in the kernel's queue and costs nothing here. When the server stops, no connection is
//! accepted, idle ones are closed, and running requests are given [`SHUTDOWN_GRACE`].

use std::io;
use std::net::SocketAddr;

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::app::App;
use crate::limits::{
    CONNECTIONS_MAX, HEADER_READ_TIMEOUT, HEADERS_BYTES_MAX, HEADERS_COUNT_MAX, HTTP2_STREAMS_MAX,
    HTTP2_WINDOW_BYTES, READ_BUFFER_BYTES_MAX, SHUTDOWN_GRACE, TLS_HANDSHAKE_TIMEOUT,
    WRITE_STALL_TIMEOUT,
};
use crate::stall::StallIo;
use crate::way;

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
    let service = service_fn(move |request| {
        let (app, peer) = (Arc::clone(&app), peer.clone());
        async move { Ok::<_, std::convert::Infallible>(way::answer(app, request, peer).await) }
    });
    // The two connection types share their methods' names, not a trait.
    macro_rules! run {
        ($connection:expr) => {{
            let mut connection = std::pin::pin!($connection);
            tokio::select! {
                result = connection.as_mut() => return Ok(result?),
                () = stopped(&mut stop) => connection.as_mut().graceful_shutdown(),
            }
            Ok(connection.await?)
        }};
    }
    if http2 {
        run!(
            http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_concurrent_streams(HTTP2_STREAMS_MAX)
                .initial_stream_window_size(HTTP2_WINDOW_BYTES)
                .initial_connection_window_size(HTTP2_WINDOW_BYTES)
                .max_header_list_size(u32::try_from(HEADERS_BYTES_MAX).unwrap_or(u32::MAX))
                .keep_alive_interval(HEADER_READ_TIMEOUT / 2)
                .keep_alive_timeout(HEADER_READ_TIMEOUT / 2)
                .serve_connection(io, service)
        )
    } else {
        run!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_READ_TIMEOUT)
                .max_headers(HEADERS_COUNT_MAX)
                .max_buf_size(READ_BUFFER_BYTES_MAX)
                .serve_connection(io, service)
        )
    }
}
