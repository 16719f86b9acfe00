//! The HTTP client: one request, one connection, one bounded answer.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use aws_types::Cidr;
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::address::is_public;
use crate::tls::{self, TlsOptions};

/// The rules for all calls of a client.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Addresses outside the public internet that may be called, also without TLS.
    pub allow: Vec<Cidr>,
    /// Certificate authorities beside those of the system.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// From resolving the name to the answer's last byte.
    pub timeout: Duration,
    /// The longest accepted body of an answer, in bytes.
    pub body_bytes_max: usize,
}

impl Default for Settings {
    /// Public addresses only, 30 seconds, 1 MiB.
    fn default() -> Self {
        Settings {
            allow: Vec::new(),
            extra_roots: Vec::new(),
            timeout: Duration::from_secs(30),
            body_bytes_max: 1 << 20,
        }
    }
}

/// Why a call brought no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL lacks a host or has a scheme other than `http` and `https`, or holds a user name.
    #[error("`{0}` is not a URL that can be called")]
    Url(String),
    /// The name has no address.
    #[error("`{host}` cannot be resolved")]
    Resolve {
        /// The host.
        host: String,
        /// The resolver's error.
        #[source]
        source: std::io::Error,
    },
    /// Every address of the host is outside the public internet and not allowed.
    #[error("`{host}` has only addresses that may not be called ({address})")]
    NotAllowed {
        /// The host.
        host: String,
        /// The first of its addresses.
        address: IpAddr,
    },
    /// Without TLS only addresses that are allowed by name may be called.
    #[error("`{0}` may be called by https only")]
    TlsRequired(String),
    /// No connection, or it broke.
    #[error("the connection to `{host}` failed")]
    Connection {
        /// The host.
        host: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The time was over.
    #[error("`{0}` did not answer in time")]
    Timeout(String),
    /// The answer is longer than [`Settings::body_bytes_max`].
    #[error("the answer of `{0}` is too long")]
    TooLong(String),
    /// The TLS settings cannot be made.
    #[error("the certificate authorities cannot be loaded: {0}")]
    Roots(String),
}

/// A request. `Host` and `Content-Length` are set when it is sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// An absolute URL.
    pub url: String,
    /// Further headers.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, url: impl Into<String>) -> Request {
        Request {
            method,
            url: url.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// Adds a header; a value that is no header value is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Request {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Request {
        self.body = body.into();
        self
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status; redirects are not followed.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Response {
    /// A header's value as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The client.
#[derive(Clone)]
pub struct Http {
    pub(crate) settings: Settings,
    roots: Arc<RootCertStore>,
    tls: Arc<ClientConfig>,
}

/// The parts of a URL that a call needs.
pub(crate) struct Destination {
    pub tls: bool,
    pub host: String,
    port: u16,
    /// `host` or `host:port`, for the `Host` header.
    pub authority: String,
    pub path_and_query: String,
}

impl Http {
    /// A client with the system's certificate authorities and those of the settings.
    ///
    /// # Errors
    /// [`Error::Roots`].
    pub fn new(settings: Settings) -> Result<Http, Error> {
        let mut roots = RootCertStore::empty();
        // Single unreadable certificates of the system are left out, as other clients do.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for root in &settings.extra_roots {
            roots
                .add(root.clone())
                .map_err(|error| Error::Roots(error.to_string()))?;
        }
        let roots = Arc::new(roots);
        Ok(Http {
            tls: tls::config(&roots, TlsOptions::default()).map_err(roots_error)?,
            settings,
            roots,
        })
    }

    /// A client with the same rules for addresses, and its own for one peer's certificates.
    ///
    /// # Errors
    /// [`Error::Roots`].
    pub fn with_tls(&self, options: TlsOptions) -> Result<Http, Error> {
        Ok(Http {
            settings: self.settings.clone(),
            roots: Arc::clone(&self.roots),
            tls: tls::config(&self.roots, options).map_err(roots_error)?,
        })
    }

    /// The certificates that the server of an `https` URL presents, its own first. They are not
    /// verified, and no request is sent.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn presented_chain(&self, url: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
        let to = destination(url)?;
        if !to.tls {
            return Err(Error::Url(url.to_owned()));
        }
        let host = to.host.clone();
        let look = async {
            let stream = self.connect(&to).await?;
            let name = server_name(&to)?;
            let looking = tls::looking_config().map_err(roots_error)?;
            let stream = TlsConnector::from(looking)
                .connect(name, stream)
                .await
                .map_err(|error| broken(&to, error))?;
            let (_, session) = stream.get_ref();
            let chain = session.peer_certificates().unwrap_or_default();
            Ok(chain.iter().map(|one| one.clone().into_owned()).collect())
        };
        match tokio::time::timeout(self.settings.timeout, look).await {
            Ok(chain) => chain,
            Err(_) => Err(Error::Timeout(host)),
        }
    }

    /// Refuses a URL that can never be called: another scheme, a user name, an address that is not allowed.
    /// What a host's name resolves to is checked at each call.
    ///
    /// # Errors
    /// [`Error::Url`], [`Error::NotAllowed`], [`Error::TlsRequired`].
    pub fn check_url(&self, url: &str) -> Result<(), Error> {
        let to = destination(url)?;
        let Ok(address) = to.host.parse::<IpAddr>() else {
            return Ok(());
        };
        let listed = self
            .settings
            .allow
            .iter()
            .any(|range| range.contains(address));
        match listed || is_public(address) {
            false => Err(Error::NotAllowed {
                host: to.host,
                address,
            }),
            true if !to.tls && !listed => Err(Error::TlsRequired(to.host)),
            true => Ok(()),
        }
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// See [`Error`]. An answer with an error status is no error here.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        let destination = destination(&request.url)?;
        let host = destination.host.clone();
        match tokio::time::timeout(self.settings.timeout, self.exchange(request, destination)).await
        {
            Ok(answer) => answer,
            Err(_) => Err(Error::Timeout(host)),
        }
    }

    async fn exchange(&self, request: Request, to: Destination) -> Result<Response, Error> {
        let stream = self.connect(&to).await?;
        if !to.tls {
            return self.speak(stream, request, &to).await;
        }
        let stream = self.handshake(stream, &to).await?;
        self.speak(stream, request, &to).await
    }

    pub(crate) async fn handshake(
        &self,
        stream: TcpStream,
        to: &Destination,
    ) -> Result<TlsStream<TcpStream>, Error> {
        let name = server_name(to)?;
        TlsConnector::from(Arc::clone(&self.tls))
            .connect(name, stream)
            .await
            .map_err(|error| broken(to, error))
    }

    /// Resolves once and connects to an address that the rules permit.
    pub(crate) async fn connect(&self, to: &Destination) -> Result<TcpStream, Error> {
        let resolved = lookup_host((to.host.as_str(), to.port)).await;
        let addresses: Vec<SocketAddr> = resolved
            .map_err(|source| Error::Resolve {
                host: to.host.clone(),
                source,
            })?
            .collect();
        let allowed = |address: &SocketAddr| {
            let listed = self.settings.allow.iter();
            listed.clone().any(|range| range.contains(address.ip()))
        };
        let mut refused = None;
        let mut failed = None;
        for address in &addresses {
            let permitted = allowed(address) || is_public(address.ip());
            if !permitted {
                refused.get_or_insert(Error::NotAllowed {
                    host: to.host.clone(),
                    address: address.ip(),
                });
            } else if !to.tls && !allowed(address) {
                refused.get_or_insert(Error::TlsRequired(to.host.clone()));
            } else {
                match TcpStream::connect(address).await {
                    Ok(stream) => {
                        // Small requests must not wait for acknowledgements.
                        stream
                            .set_nodelay(true)
                            .map_err(|error| broken(to, error))?;
                        return Ok(stream);
                    }
                    Err(error) => failed = Some(broken(to, error)),
                }
            }
        }
        Err(failed.or(refused).unwrap_or_else(|| Error::Resolve {
            host: to.host.clone(),
            source: std::io::Error::from(std::io::ErrorKind::NotFound),
        }))
    }

    async fn speak<S>(
        &self,
        stream: S,
        request: Request,
        to: &Destination,
    ) -> Result<Response, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broken(to, error))?;
        let mut outgoing = http::Request::new(Full::new(request.body));
        *outgoing.method_mut() = request.method;
        *outgoing.uri_mut() = to
            .path_and_query
            .parse()
            .map_err(|_| Error::Url(request.url))?;
        *outgoing.headers_mut() = request.headers;
        let host = HeaderValue::from_str(&to.authority).map_err(|error| broken(to, error))?;
        outgoing.headers_mut().insert(HOST, host);
        let exchange = async {
            let answer = sender
                .send_request(outgoing)
                .await
                .map_err(|error| broken(to, error))?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, self.settings.body_bytes_max)
                .collect()
                .await
                .map_err(|error| match error.is::<LengthLimitError>() {
                    true => Error::TooLong(to.host.clone()),
                    false => broken(to, error),
                })?
                .to_bytes();
            Ok(Response {
                status: head.status,
                headers: head.headers,
                body,
            })
        };
        // The connection runs beside the exchange and ends with it.
        tokio::select! {
            answer = exchange => answer,
            Err(error) = connection => Err(broken(to, error)),
        }
    }
}

fn roots_error(error: rustls::Error) -> Error {
    Error::Roots(error.to_string())
}

fn server_name(to: &Destination) -> Result<ServerName<'static>, Error> {
    ServerName::try_from(to.host.clone())
        .map_err(|_| Error::Url(format!("https://{}", to.authority)))
}

pub(crate) fn broken(
    to: &Destination,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    Error::Connection {
        host: to.host.clone(),
        source: error.into(),
    }
}

pub(crate) fn destination(url: &str) -> Result<Destination, Error> {
    let wrong = || Error::Url(url.to_owned());
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    let tls = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return Err(wrong()),
    };
    let authority = uri.authority().ok_or_else(wrong)?;
    if authority.as_str().contains('@') {
        return Err(wrong());
    }
    let host = authority.host();
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    Ok(Destination {
        tls,
        host: host.to_owned(),
        port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
        authority: authority.as_str().to_owned(),
        path_and_query: uri
            .path_and_query()
            .map_or("/", |path| path.as_str())
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    fn client(allow: &[&str]) -> Http {
        Http::new(Settings {
            allow: allow.iter().map(|range| range.parse().unwrap()).collect(),
            timeout: Duration::from_secs(5),
            body_bytes_max: 16,
            ..Settings::default()
        })
        .unwrap()
    }

    /// Answers one connection with these bytes; returns the URL and what was asked.
    async fn answering(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/path?a=b", listener.local_addr().unwrap());
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4096];
            let length = stream.read(&mut head).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&head[..length]).into_owned()
        });
        (url, asked)
    }

    #[tokio::test]
    async fn sends_a_request_and_reads_the_answer() {
        let (url, asked) =
            answering("HTTP/1.1 201 Created\r\nX-A: b\r\nContent-Length: 2\r\n\r\nok").await;
        let request = Request::new(Method::POST, &url).body("hello");
        let answer = client(&["127.0.0.0/8"]).send(request).await.unwrap();
        assert_eq!(answer.status, 201);
        assert_eq!(answer.header("x-a"), Some("b"));
        assert_eq!(answer.body, "ok");
        let asked = asked.await.unwrap();
        assert!(asked.starts_with("POST /path?a=b HTTP/1.1\r\n"), "{asked}");
        assert!(asked.contains("host: 127.0.0.1:"), "{asked}");
    }

    #[tokio::test]
    async fn does_not_follow_redirects() {
        let answer =
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
        let (url, _asked) = answering(answer).await;
        let request = Request::new(Method::GET, &url);
        let answer = client(&["127.0.0.0/8"]).send(request).await.unwrap();
        assert_eq!(answer.status, 302);
    }

    #[tokio::test]
    async fn bounds_the_answer() {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n12345678901234567";
        let (url, _asked) = answering(answer).await;
        let request = Request::new(Method::GET, &url);
        let error = client(&["127.0.0.0/8"]).send(request).await.unwrap_err();
        assert!(matches!(error, Error::TooLong(_)), "{error}");
    }

    #[tokio::test]
    async fn refuses_internal_addresses_however_they_are_written() {
        for url in [
            "https://127.0.0.1/",
            "https://localhost/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://169.254.169.254/latest/meta-data/",
            "https://10.0.0.1/",
            "http://192.168.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
        ] {
            let error = client(&[])
                .send(Request::new(Method::GET, url))
                .await
                .unwrap_err();
            let refused = matches!(error, Error::NotAllowed { .. } | Error::Resolve { .. });
            assert!(refused, "{url}: {error}");
        }
    }

    #[tokio::test]
    async fn requires_tls_outside_of_what_is_allowed() {
        let error = client(&["10.0.0.0/8"])
            .send(Request::new(Method::GET, "http://8.8.8.8/"))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::TlsRequired(_)), "{error}");
    }

    #[tokio::test]
    async fn refuses_urls_with_other_schemes_and_user_names() {
        for url in [
            "ftp://127.0.0.1/",
            "/path",
            "",
            "http://",
            "http://a@127.0.0.1/",
        ] {
            let error = client(&["127.0.0.0/8"])
                .send(Request::new(Method::GET, url))
                .await
                .unwrap_err();
            assert!(matches!(error, Error::Url(_)), "{url}: {error}");
        }
    }
}
