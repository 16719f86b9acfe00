//! A request without its body.

use std::net::IpAddr;
use std::sync::Arc;

use aws_types::{AccountId, Region};
use http::header;
use http::request::Parts;
use jiff::Timestamp;

use crate::app::RegistryId;
use crate::limits::AUDIT_TEXT_CHARS_MAX;
use crate::listener::Peer;

/// Method, path and headers, and what the connection adds.
pub(crate) struct Head {
    pub(crate) parts: Parts,
    pub(crate) client: Client,
    pub(crate) request_id: Arc<str>,
    pub(crate) now: Timestamp,
}

/// From where, and with what.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// The peer's address; an IPv4 address mapped into IPv6 is written as the former, as policies do.
    pub(crate) address: IpAddr,
    /// Over TLS.
    pub(crate) secure: bool,
    /// `User-Agent`, cut to what an audit event holds; empty where absent.
    pub(crate) user_agent: Arc<str>,
    /// `Referer`.
    pub(crate) referer: Option<Arc<str>>,
}

impl Head {
    pub(crate) fn new(parts: Parts, peer: &Peer, now: Timestamp) -> Head {
        let text = |name: http::HeaderName| -> Option<Arc<str>> {
            let value = parts.headers.get(name)?.to_str().ok()?;
            let end = value.char_indices().nth(AUDIT_TEXT_CHARS_MAX);
            Some(value[..end.map_or(value.len(), |(at, _)| at)].into())
        };
        let client = Client {
            address: peer.address.ip().to_canonical(),
            secure: peer.secure,
            user_agent: text(http::header::USER_AGENT).unwrap_or_else(|| "".into()),
            referer: text(http::header::REFERER),
        };
        Head {
            request_id: uuid::Uuid::new_v4().to_string().into(),
            parts,
            client,
            now,
        }
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

    /// `Host`, or HTTP/2's `:authority`.
    pub(crate) fn host(&self) -> Option<&str> {
        match self.parts.uri.authority() {
            Some(authority) => Some(authority.as_str()),
            None => self.header(http::header::HOST),
        }
    }

    /// Whether exactly one host is named: by `Host` once, by the request line, or by both alike. A
    /// signature covers the one, the registry is chosen by the other.
    pub(crate) fn has_one_host(&self) -> bool {
        let mut headers = self.parts.headers.get_all(header::HOST).iter();
        let authority = self.parts.uri.authority().map(|host| host.as_str());
        match (headers.next(), headers.next(), authority) {
            (_, Some(_), _) | (None, None, None) => false,
            (Some(host), None, Some(authority)) => {
                host.as_bytes().eq_ignore_ascii_case(authority.as_bytes())
            }
            _ => true,
        }
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

    /// The registry that the host names: `<account>.dkr.ecr.<region>.<domain>`, else the default.
    pub(crate) fn registry(&self, default: &RegistryId) -> RegistryId {
        self.host()
            .and_then(registry_of_host)
            .unwrap_or_else(|| default.clone())
    }
}

/// Account and region in a registry's host name (ECR User Guide, "Private registry", the URL's form;
/// `ecr-fips` is its FIPS endpoint). Hosts are the same in any case (RFC 9110, section 4.2.3).
pub(crate) fn registry_of_host(host: &str) -> Option<RegistryId> {
    let host = host.to_ascii_lowercase();
    let mut labels = host.split('.');
    let account: AccountId = labels.next()?.parse().ok()?;
    let fixed = (labels.next()?, labels.next()?);
    if !matches!(fixed, ("dkr", "ecr" | "ecr-fips")) {
        return None;
    }
    let region: Region = labels.next()?.parse().ok()?;
    labels.next()?;
    Some(RegistryId { account, region })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_names_account_and_region() {
        let place = registry_of_host("111122223333.dkr.ecr.eu-west-1.amazonaws.com").unwrap();
        assert_eq!(place.account.as_str(), "111122223333");
        assert_eq!(place.region.as_str(), "eu-west-1");
        assert!(registry_of_host("111122223333.dkr.ecr.eu-west-1.localhost:5000").is_some());
        let shouted = registry_of_host("111122223333.DKR.Ecr.EU-WEST-1.Amazonaws.com");
        assert_eq!(shouted, Some(place));
        for host in [
            "localhost:5000",
            "11112222333.dkr.ecr.eu-west-1.amazonaws.com",
            "111122223333.dkr.ecr.eu-west-1",
            "111122223333.dkr.s3.eu-west-1.amazonaws.com",
            "111122223333.dkr.ecr.EU_1.amazonaws.com",
            "",
        ] {
            assert!(registry_of_host(host).is_none(), "{host}");
        }
    }
}
