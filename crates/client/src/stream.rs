//! Bodies that are longer than memory: answers read chunk by chunk, and requests sent so.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;

use crate::http::{Destination, Error, Http, Request, Response, broken, destination};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Outgoing = UnsyncBoxBody<Bytes, BoxError>;

/// Chunks of a request's body. An error breaks the connection, so that the server does not take what came
/// before for the whole.
pub type BodyStream = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

/// Two objects that read and write.
trait ReadWrite: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ReadWrite for T {}

/// An answer whose body is still to be read.
pub struct Streamed {
    /// The status; redirects are not followed.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    body: Incoming,
    connection: Connection,
    host: String,
    timeout: Duration,
}

/// The connection's task, which ends with the answer.
struct Connection(JoinHandle<()>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Streamed {
    /// A header's value as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The next bytes; `None` at the end. Each wait is bounded by [`crate::Settings::timeout`].
    ///
    /// # Errors
    /// [`Error::Timeout`], [`Error::Connection`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let frame = tokio::time::timeout(self.timeout, self.body.frame()).await;
            let frame = frame.map_err(|_| Error::Timeout(self.host.clone()))?;
            let Some(frame) = frame else {
                return Ok(None);
            };
            let frame = frame.map_err(|error| Error::Connection {
                host: self.host.clone(),
                source: error.into(),
            })?;
            // Trailers are passed over.
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
    }

    /// The whole body, when it is no longer than `bytes_max`.
    ///
    /// # Errors
    /// [`Error::TooLong`], and those of [`Streamed::chunk`].
    pub async fn collect(mut self, bytes_max: usize) -> Result<Response, Error> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if body.len() + chunk.len() > bytes_max {
                return Err(Error::TooLong(self.host));
            }
            body.extend_from_slice(&chunk);
        }
        drop(self.connection);
        Ok(Response {
            status: self.status,
            headers: self.headers,
            body: body.into(),
        })
    }
}

impl Http {
    /// Sends a request and reads the head of its answer, within [`crate::Settings::timeout`].
    ///
    /// # Errors
    /// See [`Error`]. An answer with an error status is no error here.
    pub async fn stream(&self, request: Request) -> Result<Streamed, Error> {
        let to = destination(&request.url)?;
        let host = to.host.clone();
        let body = Full::new(request.body.clone()).map_err(|never| match never {});
        let exchange = self.begin(request, body.boxed_unsync(), to);
        match tokio::time::timeout(self.settings.timeout, exchange).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::Timeout(host)),
        }
    }

    /// Sends `length` bytes as the request's body. Each wait for bytes to leave, and then for the answer, is
    /// bounded by [`crate::Settings::timeout`].
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn send_stream(
        &self,
        mut request: Request,
        length: u64,
        body: BodyStream,
    ) -> Result<Streamed, Error> {
        let to = destination(&request.url)?;
        let host = to.host.clone();
        request.headers.insert(CONTENT_LENGTH, length.into());
        // Each chunk that the connection takes shows that bytes are leaving.
        let (moved, mut moving) = tokio::sync::watch::channel(());
        let frames = body.map(move |chunk| {
            moved.send_replace(());
            chunk.map(Frame::data)
        });
        let body = StreamBody::new(frames).boxed_unsync();
        let exchange = self.begin(request, body, to);
        let timeout = self.settings.timeout;
        let stalled = async {
            // The sender goes with the body, whose end begins the wait for the answer.
            while let Ok(Ok(())) = tokio::time::timeout(timeout, moving.changed()).await {}
            tokio::time::sleep(timeout).await;
        };
        tokio::select! {
            answer = exchange => answer,
            () = stalled => Err(Error::Timeout(host)),
        }
    }

    async fn begin(
        &self,
        request: Request,
        body: Outgoing,
        to: Destination,
    ) -> Result<Streamed, Error> {
        let stream = self.connect(&to).await?;
        let stream: Box<dyn ReadWrite> = match to.tls {
            true => Box::new(self.handshake(stream, &to).await?),
            false => Box::new(stream),
        };
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broken(&to, error))?;
        // Its error reaches whoever reads the answer.
        let connection = Connection(tokio::spawn(async move {
            let _ = connection.await;
        }));
        let mut outgoing = http::Request::new(body);
        *outgoing.method_mut() = request.method;
        *outgoing.uri_mut() = to
            .path_and_query
            .parse()
            .map_err(|_| Error::Url(request.url))?;
        *outgoing.headers_mut() = request.headers;
        let host = HeaderValue::from_str(&to.authority).map_err(|error| broken(&to, error))?;
        outgoing.headers_mut().insert(HOST, host);
        let answer = sender.send_request(outgoing).await;
        let (head, body) = answer.map_err(|error| broken(&to, error))?.into_parts();
        Ok(Streamed {
            status: head.status,
            headers: head.headers,
            body,
            connection,
            host: to.host,
            timeout: self.settings.timeout,
        })
    }
}
