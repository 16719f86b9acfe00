//! A request without its body.

use std::sync::{Arc, Mutex, PoisonError};

use authz::Client;
use aws_api::ResponseFormat;
use http::request::Parts;
use http::{HeaderValue, Version, header};
use jiff::Timestamp;

use crate::admission::Admission;
use crate::connections::{Peer, RunningRequest};
use crate::fair_pool::{Grant, Party};
use crate::forwarded::TrustedProxies;
use crate::limits::AUDIT_TEXT_CHARS_MAX;
use crate::names::Names;
use crate::registry_host::RegistryId;

/// Method, path and headers, and what the connection adds.
pub(crate) struct Head {
    pub(crate) parts: Parts,
    pub(crate) client: Client,
    pub(crate) request_id: Arc<str>,
    pub(crate) now: Timestamp,
    /// Whose share the request counts against until its caller is known.
    pub(crate) party: Party,
    pub(crate) running: Arc<RunningRequest>,
    /// Its place among the requests whose callers are not known.
    place: Mutex<Option<Grant>>,
}

impl Head {
    pub(crate) fn new(
        mut parts: Parts,
        peer: &Peer,
        running: Arc<RunningRequest>,
        now: Timestamp,
        names: &Names,
        proxies: &TrustedProxies,
        admission: &Admission,
    ) -> Head {
        take_host_of_target(&mut parts);
        let text = |name: header::HeaderName| -> Option<Arc<str>> {
            let value = parts.headers.get(name)?.to_str().ok()?;
            let end = value.char_indices().nth(AUDIT_TEXT_CHARS_MAX);
            Some(value[..end.map_or(value.len(), |(at, _)| at)].into())
        };
        let values = |name: &str| -> Vec<&str> {
            let values = parts.headers.get_all(name).iter();
            // What is not text names no address.
            values.map(|value| value.to_str().unwrap_or("")).collect()
        };
        let (mut address, mut proxy_says_https) = (peer.address, None);
        if proxies.contains(peer.address) {
            let forwarded = values("x-forwarded-for");
            address = proxies.client(peer.address, forwarded.into_iter());
            let forwarded = values("x-forwarded-proto");
            proxy_says_https = proxies.is_https(peer.address, forwarded.into_iter());
        }
        let secure = peer.secure || proxy_says_https.unwrap_or(names.public_url_is_https);
        let client = Client {
            address,
            secure,
            user_agent: text(header::USER_AGENT).unwrap_or_else(|| "".into()),
            referer: text(header::REFERER),
        };
        Head {
            request_id: uuid::Uuid::new_v4().to_string().into(),
            party: admission.party(address, claimed_key_id(&parts)),
            parts,
            client,
            now,
            running,
            place: Mutex::default(),
        }
    }

    /// Keeps the request's place until its caller is known or it ends.
    pub(crate) fn keep_place(&self, place: Grant) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }

    /// Notes that the caller is known.
    pub(crate) fn identified(&self) {
        self.running.identified();
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn path(&self) -> &str {
        self.parts.uri.path()
    }

    pub(crate) fn query(&self) -> &str {
        self.parts.uri.query().unwrap_or("")
    }

    pub(crate) fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    /// The format that the client accepts: JSON from a Query service where it names it.
    pub(crate) fn response_format(&self) -> ResponseFormat {
        ResponseFormat::from_accept(self.header(header::ACCEPT).unwrap_or_default())
    }

    /// `Host`, or HTTP/2's `:authority`.
    pub(crate) fn host(&self) -> Option<&str> {
        match self.parts.uri.authority() {
            Some(authority) => Some(authority.as_str()),
            None => self.header(header::HOST),
        }
    }

    /// Whether exactly one host is named: by one `Host`, by the request line, or by both alike. A
    /// signature covers the one, the registry is chosen by the other.
    pub(crate) fn has_one_host(&self) -> bool {
        let mut headers = self.parts.headers.get_all(header::HOST).iter();
        let authority = self.parts.uri.authority().map(|host| host.as_str());
        match (headers.next(), headers.next(), authority) {
            (_, Some(_), _) | (None, None, None) => false,
            // RFC 9112, section 3.2: every HTTP/1.1 request has the header.
            (None, None, Some(_)) => self.parts.version != Version::HTTP_11,
            (Some(host), None, Some(authority)) => {
                host.as_bytes().eq_ignore_ascii_case(authority.as_bytes())
            }
            (Some(_), None, None) => true,
        }
    }

    /// Whether a probe may go without a host: HTTP/1.0 has no `Host`, and load balancers use it.
    pub(crate) fn may_lack_host(&self) -> bool {
        self.parts.version <= Version::HTTP_10 && !self.parts.headers.contains_key(header::HOST)
    }

    /// Whether the host names this machine: other services use the name too, and not all speak TLS.
    pub(crate) fn is_for_loopback(&self) -> bool {
        let host = self.host().unwrap_or_default();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        };
        let address = name.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        let name = name.to_ascii_lowercase();
        address.map_or_else(
            |_| name == "localhost" || name.ends_with(".localhost"),
            |address| address.is_loopback(),
        )
    }

    /// All headers' bytes, as a bound on them counts.
    pub(crate) fn bytes(&self) -> usize {
        let headers = self.parts.headers.iter();
        let uri = self
            .parts
            .uri
            .path_and_query()
            .map_or(0, |p| p.as_str().len());
        headers
            .map(|(name, value)| name.as_str().len() + value.len() + 4)
            .sum::<usize>()
            + uri
    }

    /// The registry that the request is for; `None` for a host in a registry's form that names none.
    pub(crate) fn registry(&self, names: &Names) -> Option<RegistryId> {
        names.registry_of(self.host().unwrap_or_default())
    }
}

/// A request line with a whole URL names the host, and `Host` is ignored (RFC 9112, section 3.2.2). The
/// header is replaced, so that signatures and registries see one and the same host. HTTP/2 has no such
/// rule: there the two must agree (RFC 9113, section 8.3.1).
fn take_host_of_target(parts: &mut Parts) {
    if parts.version > Version::HTTP_11 || parts.headers.get_all(header::HOST).iter().count() > 1 {
        return;
    }
    let authority = parts.uri.authority().map(|authority| authority.as_str());
    if let Some(Ok(host)) = authority.map(HeaderValue::from_str)
        && parts.headers.contains_key(header::HOST)
    {
        parts.headers.insert(header::HOST, host);
    }
}

/// The access key id that a request names, as text; nothing is verified.
fn claimed_key_id(parts: &Parts) -> Option<&str> {
    let header = parts.headers.get(header::AUTHORIZATION);
    let credential = match header {
        Some(header) => header.to_str().ok()?.split_once("Credential=")?.1,
        None => parts.uri.query()?.split_once("X-Amz-Credential=")?.1,
    };
    let end = credential.find(|c: char| !c.is_ascii_alphanumeric())?;
    Some(&credential[..end])
}
