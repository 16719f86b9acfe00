//! The listeners: connections, their users, and the answers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::cache::{Cache, Source};
use crate::container::UserTokens;
use crate::imds::guard::{self, Refusal};
use crate::imds::{Answer, Hosts, Instance, Tokens, Wants, documents, respond};
use crate::pods::Pods;
use crate::{Error, Result, peer};

/// Connections at once. Local programs open one for a request.
const CONNECTIONS_MAX: usize = 128;
/// The longest head of a request.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// Within which a request's head must come.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest life of a connection: an idle one does not keep its place.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(30);
/// Packets go to this host and no further (EC2 User Guide, "Configure the instance metadata options": hop
/// limit 1).
const HOP_LIMIT: u32 = 1;
/// Where SDKs find the credentials of a container.
const CONTAINER_PATH: &str = "/v1/credentials";

/// The time, passed in.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The metadata service and, where it is configured, the endpoint of container credentials.
pub struct Metadata<S> {
    /// The host's credentials.
    pub cache: Cache<S>,
    /// What does not change.
    pub instance: Instance,
    /// Tokens of the metadata service.
    pub tokens: Tokens,
    /// The users who may ask.
    pub users: Vec<u32>,
    /// The tokens of the container credentials endpoint.
    pub container: Option<UserTokens>,
    /// The time.
    pub clock: Clock,
}

/// A listener on a loopback or link-local address.
///
/// # Errors
/// Another address; one that this host has not, or that is taken.
pub async fn listen(address: SocketAddr) -> Result<TcpListener> {
    let is_local = match address.ip() {
        std::net::IpAddr::V4(ip) => ip.is_loopback() || ip.is_link_local(),
        // Link-local addresses, and AWS's own of the services that are at link-local ones in IPv4
        // (EC2 User Guide: fd00:ec2::254; EKS User Guide: fd00:ec2::23).
        std::net::IpAddr::V6(ip) => {
            ip.is_loopback() || ip.is_unicast_link_local() || ip.segments()[..2] == [0xfd00, 0xec2]
        }
    };
    if !is_local {
        return Err(Error::Invalid(format!(
            "cannot listen on {address}: only on a loopback or link-local address, which other machines \
             do not reach"
        )));
    }
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Error::Unavailable(format!(
            "cannot listen on {address}: {error}; an address such as 169.254.169.254 must be added to an \
             interface first"
        ))
    })?;
    // Of the listener, so that the first answer of the handshake has it already.
    let socket = SockRef::from(&listener);
    let limited = match address.is_ipv4() {
        true => socket.set_ttl_v4(HOP_LIMIT),
        false => socket.set_unicast_hops_v6(HOP_LIMIT),
    };
    limited.map_err(Error::internal)?;
    Ok(listener)
}

/// Serves the metadata service until the future is dropped.
///
/// # Errors
/// None but the listener's own.
pub async fn serve_metadata<S: Source + 'static>(
    listener: TcpListener,
    metadata: Arc<Metadata<S>>,
) -> Result<()> {
    let local = listener.local_addr().map_err(Error::internal)?;
    let hosts = Arc::new(Hosts::of(local));
    accept(listener, move |stream, peer| {
        let (metadata, hosts) = (Arc::clone(&metadata), Arc::clone(&hosts));
        async move {
            let Ok(local) = stream.local_addr() else {
                return;
            };
            // The user of a socket does not change: one look serves all requests of the connection.
            let user = tokio::task::spawn_blocking(move || peer::user_of(peer, local)).await;
            let user = match user {
                Ok(Ok(user)) => user,
                Ok(Err(error)) => {
                    tracing::error!(%error, "the users of connections cannot be told");
                    None
                }
                Err(_) => None,
            };
            let user = user.filter(|uid| metadata.users.contains(uid));
            if user.is_none() {
                tracing::warn!(%peer, "refused a program of a user who is not named");
            }
            let service = service_fn(move |request: Request<Incoming>| {
                let (metadata, hosts) = (Arc::clone(&metadata), Arc::clone(&hosts));
                async move {
                    Ok::<_, std::convert::Infallible>(metadata.answer(&hosts, user, &request).await)
                }
            });
            connection(stream, service).await;
        }
    })
    .await
}

/// Serves the contract of EKS Pod Identity until the future is dropped.
///
/// # Errors
/// None but the listener's own.
pub async fn serve_pods(listener: TcpListener, pods: Arc<Pods>, clock: Clock) -> Result<()> {
    let local = listener.local_addr().map_err(Error::internal)?;
    let hosts = Arc::new(Hosts::of(local));
    accept(listener, move |stream, _peer| {
        let (pods, hosts, clock) = (Arc::clone(&pods), Arc::clone(&hosts), Arc::clone(&clock));
        async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let (pods, hosts, now) = (Arc::clone(&pods), Arc::clone(&hosts), clock());
                async move {
                    let answer = match checked(&hosts, &request) {
                        Err(answer) => answer,
                        Ok(()) => match container_token(&request) {
                            Err(answer) => answer,
                            Ok(token) => pods.credentials(token, now).await,
                        },
                    };
                    Ok::<_, std::convert::Infallible>(response(answer))
                }
            });
            connection(stream, service).await;
        }
    })
    .await
}

async fn accept<F, Fut>(listener: TcpListener, serve: F) -> Result<()>
where
    F: Fn(TcpStream, SocketAddr) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        // Before it accepts: what has no place waits in the kernel's queue, which is bounded.
        let place = Arc::clone(&places).acquire_owned().await;
        let place = place.map_err(Error::internal)?;
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // A connection that broke in the queue, or no file descriptor is left.
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let served = serve(stream, peer);
        tokio::spawn(async move {
            if tokio::time::timeout(CONNECTION_TIMEOUT, served)
                .await
                .is_err()
            {
                tracing::debug!(%peer, "closed a connection after its time");
            }
            drop(place);
        });
    }
}

async fn connection<S>(stream: TcpStream, service: S)
where
    S: hyper::service::Service<
            Request<Incoming>,
            Response = Response<Full<Bytes>>,
            Error = std::convert::Infallible,
        > + Send,
    S::Future: Send,
{
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX);
    if let Err(error) = builder
        .serve_connection(TokioIo::new(stream), service)
        .await
    {
        tracing::debug!(%error, "a connection ended early");
    }
}

fn checked<B>(hosts: &Hosts, request: &Request<B>) -> Result<(), Answer> {
    guard::check(hosts, request.uri(), request.headers()).map_err(|refusal| match refusal {
        Refusal::Host => Answer::text(403, "The Host header does not name this service."),
        Refusal::Forwarded => Answer::text(403, "Requests through proxies are refused."),
        Refusal::Browser => Answer::text(403, "Requests of web pages are refused."),
    })
}

/// The token of a request for a container's credentials.
fn container_token<B>(request: &Request<B>) -> Result<&str, Answer> {
    if request.uri().path() != CONTAINER_PATH {
        return Err(Answer::text(404, "Not Found"));
    }
    if *request.method() != Method::GET {
        return Err(Answer::text(405, "Method Not Allowed"));
    }
    let mut values = request.headers().get_all(AUTHORIZATION).iter();
    let token = values.next().and_then(|token| token.to_str().ok());
    match (token, values.next()) {
        (Some(token), None) if !token.is_empty() => Ok(token),
        _ => Err(Answer::text(401, "Unauthorized")),
    }
}

impl<S: Source> Metadata<S> {
    async fn answer<B>(
        &self,
        hosts: &Hosts,
        user: Option<u32>,
        request: &Request<B>,
    ) -> Response<Full<Bytes>> {
        if let Err(answer) = checked(hosts, request) {
            return response(answer);
        }
        let Some(uid) = user else {
            return response(Answer::text(
                403,
                "This user may not have the host's credentials.",
            ));
        };
        let path = request.uri().path();
        if path == CONTAINER_PATH {
            return response(self.container(uid, request).await);
        }
        let (tokens, instance) = (&self.tokens, &self.instance);
        let (method, headers) = (request.method(), request.headers());
        let now = (self.clock)();
        response(
            match respond(method, path, headers, uid, tokens, instance, now) {
                Ok(answer) => answer,
                Err(wants) => self.role(wants, now).await,
            },
        )
    }

    async fn role(&self, wants: Wants, now: Timestamp) -> Answer {
        let role = match self.cache.role(now).await {
            Ok(role) => role,
            Err(error) => return Answer::unavailable(&error),
        };
        match wants {
            Wants::Info => Answer::text(200, documents::info(&role)),
            Wants::RoleName => Answer::text(200, role.role_name.as_str()),
            Wants::Credentials(name, extended) if name == role.role_name => {
                let account = extended.then_some(self.instance.account_id.as_str());
                Answer::text(200, documents::credentials(&role.issued, account))
            }
            Wants::Credentials(..) => Answer::text(404, "Not Found"),
        }
    }

    async fn container<B>(&self, uid: u32, request: &Request<B>) -> Answer {
        let Some(tokens) = &self.container else {
            return Answer::text(404, "Not Found");
        };
        match container_token(request) {
            Err(answer) => answer,
            Ok(token) if tokens.are_of(uid, token) => match self.cache.role((self.clock)()).await {
                Ok(role) => Answer {
                    json: true,
                    ..Answer::text(
                        200,
                        documents::container(&role.issued, &self.instance.account_id, None),
                    )
                },
                Err(error) => Answer::unavailable(&error),
            },
            Ok(_) => Answer::text(401, "Unauthorized"),
        }
    }
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(answer.body));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let kind = match answer.json {
        true => "application/json",
        false => "text/plain",
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    if let Some(ttl) = answer.ttl {
        headers.insert("x-aws-ec2-metadata-token-ttl-seconds", ttl.into());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::{HostRole, Issued};
    use aws_types::SystemEntropy;
    use http::header::LOCATION;
    use http_body_util::BodyExt as _;
    use zeroize::Zeroizing;

    const UID: u32 = 1000;

    /// Trap: the service is at loopback or link-local addresses alone.
    #[tokio::test]
    async fn listens_where_no_other_machine_reaches_it() {
        for address in [
            "0.0.0.0:0",
            "10.0.0.1:0",
            "192.0.2.1:0",
            "169.253.169.254:0",
            "[::]:0",
            "[::ffff:127.0.0.1]:0",
            "[2001:db8::1]:0",
            "[fd00:ec3::254]:0",
        ] {
            let refused = listen(address.parse().unwrap()).await;
            assert!(matches!(refused, Err(Error::Invalid(_))), "{address}");
        }
        for address in ["127.0.0.1:0", "127.0.0.9:0", "[::1]:0"] {
            assert!(listen(address.parse().unwrap()).await.is_ok(), "{address}");
        }
    }

    /// Trap: hop limit 1. A container behind another hop never sees an answer, the first packet of the
    /// handshake included.
    #[tokio::test]
    async fn answers_go_one_hop() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = listen(address.parse().unwrap()).await.unwrap();
            let limit = |socket: SockRef<'_>| match address.starts_with('[') {
                true => socket.unicast_hops_v6(),
                false => socket.ttl_v4(),
            };
            assert_eq!(limit(SockRef::from(&listener)).unwrap(), 1, "{address}");
            let client = TcpStream::connect(listener.local_addr().unwrap());
            let (client, accepted) = tokio::join!(client, listener.accept());
            client.unwrap();
            let (accepted, _) = accepted.unwrap();
            assert_eq!(limit(SockRef::from(&accepted)).unwrap(), 1, "{address}");
        }
    }

    struct Server;

    impl Source for Server {
        async fn fetch(&self, now: Timestamp) -> Result<HostRole> {
            Ok(HostRole {
                issued: Issued {
                    access_key_id: "ASIAEXAMPLE".to_owned(),
                    secret: Zeroizing::new("secret".to_owned()),
                    token: Zeroizing::new("token".to_owned()),
                    issued_at: now,
                    expires_at: now + jiff::SignedDuration::from_hours(1),
                },
                role_name: "ci".to_owned(),
                instance_profile_arn: String::new(),
                instance_profile_id: String::new(),
            })
        }

        async fn is_good(&self, _role: &HostRole, _now: Timestamp) -> Result<bool> {
            Ok(true)
        }
    }

    fn metadata() -> Metadata<Server> {
        Metadata {
            cache: Cache::new(Server, Arc::new(SystemEntropy)),
            instance: Instance {
                host_id: "i-0123456789abcdef0".to_owned(),
                account_id: "123456789012".to_owned(),
                region: "eu-west-1".to_owned(),
                host_name: None,
                pending_time: Timestamp::UNIX_EPOCH,
            },
            tokens: Tokens::new(&SystemEntropy).unwrap(),
            users: vec![UID],
            container: None,
            clock: Arc::new(|| Timestamp::UNIX_EPOCH),
        }
    }

    async fn send(
        metadata: &Metadata<Server>,
        user: Option<u32>,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (http::response::Parts, String) {
        let hosts = Hosts::of(([127, 0, 0, 1], 1338).into());
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(()).unwrap();
        let (parts, body) = metadata.answer(&hosts, user, &request).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts, String::from_utf8(body.to_vec()).unwrap())
    }

    const HOST: (&str, &str) = ("host", "127.0.0.1:1338");

    /// Trap: `no-store`, no CORS, no redirects, whatever is asked. Only named users get credentials, and
    /// containers only where it is configured.
    #[tokio::test]
    async fn no_answer_is_kept_shared_or_sent_elsewhere() {
        let metadata = metadata();
        let ttl = ("x-aws-ec2-metadata-token-ttl-seconds", "60");
        let token = send(
            &metadata,
            Some(UID),
            "PUT",
            "/latest/api/token",
            &[HOST, ttl],
        )
        .await
        .1;
        let token = ("x-aws-ec2-metadata-token", token.as_str());
        const ROLE: &str = "/latest/meta-data/iam/security-credentials/ci";
        let origin = ("origin", "http://127.0.0.1:1338");
        let forwarded = ("x-forwarded-for", "10.0.0.1");
        let rebound = ("host", "evil.example:1338");
        for (user, method, path, headers, status) in [
            (Some(UID), "GET", ROLE, &[HOST, token][..], 200),
            (
                Some(UID),
                "GET",
                "/latest/meta-data/instance-id",
                &[HOST, token],
                200,
            ),
            (Some(UID), "GET", "/latest/meta-data", &[HOST, token], 200),
            (
                Some(UID),
                "GET",
                "/latest/meta-data/iam/security-credentials/other",
                &[HOST, token],
                404,
            ),
            (Some(UID), "GET", ROLE, &[HOST], 401),
            (Some(UID), "OPTIONS", ROLE, &[HOST, token], 405),
            (Some(UID), "PUT", "/latest/api/token", &[HOST, ttl], 200),
            // On the PUT as well: proxies, web pages, other names, other users.
            (
                Some(UID),
                "PUT",
                "/latest/api/token",
                &[HOST, ttl, forwarded],
                403,
            ),
            (
                Some(UID),
                "PUT",
                "/latest/api/token",
                &[HOST, ttl, origin],
                403,
            ),
            (Some(UID), "PUT", "/latest/api/token", &[rebound, ttl], 403),
            (None, "PUT", "/latest/api/token", &[HOST, ttl], 403),
            (None, "GET", ROLE, &[HOST, token], 403),
            (
                Some(UID),
                "GET",
                CONTAINER_PATH,
                &[HOST, ("authorization", "x")],
                404,
            ),
        ] {
            let (parts, body) = send(&metadata, user, method, path, headers).await;
            assert_eq!(parts.status, status, "{method} {path} {headers:?}: {body}");
            assert_eq!(parts.headers[CACHE_CONTROL], "no-store", "{path}");
            assert!(!parts.headers.contains_key(LOCATION), "{path}");
            let shares = |name: &http::HeaderName| name.as_str().starts_with("access-control-");
            assert!(!parts.headers.keys().any(shares), "{path}");
            assert_eq!(
                body.contains("ASIAEXAMPLE"),
                status == 200 && path == ROLE,
                "{body}"
            );
        }
    }
}
