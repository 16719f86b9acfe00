//! Calls that the server itself makes, all by one rule: `https`, the system's certificate authorities and
//! those of `--outbound-ca`, public addresses and those of `--outbound-allow`, no redirects, bounded in time
//! and bytes (crate `client`).

mod code_flow;

use std::sync::Arc;

use aws_types::Cidr;
use client::{Http, Request, TlsOptions};
use http::{HeaderValue, Method, header};
use identity::federation::oidc::{FetchKeys, FetchSettings, KeySet, Provider};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::limits::{
    OUTBOUND_CALLS_MAX, OUTBOUND_DOCUMENT_BYTES_MAX, OUTBOUND_DOCUMENT_TIMEOUT, UPSTREAM_TIMEOUT,
};

/// The rule's parts that an operator sets.
#[derive(Clone, Debug, Default)]
pub struct OutboundSettings {
    /// Certificate authorities beside the system's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Addresses outside the public internet that may be called.
    pub allow: Vec<Cidr>,
}

impl OutboundSettings {
    /// The certificates of a file in PEM.
    ///
    /// # Errors
    /// The reader's, also for a file without a certificate.
    pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        match found {
            Ok(found) if found.is_empty() => Err("there is no certificate in it".to_owned()),
            found => found.map_err(|error| error.to_string()),
        }
    }
}

pub(crate) use code_flow::{Endpoints, Grant};

/// Why a document of an identity provider is not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutboundError {
    /// No answer.
    #[error(transparent)]
    Call(#[from] client::Error),
    /// An answer that is no success.
    #[error("{url} answers {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The status.
        status: http::StatusCode,
    },
    /// A document in another form.
    #[error("{url} is {problem}")]
    Document {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The provider's settings cannot be used.
    #[error("the provider's {0} cannot be read")]
    Settings(&'static str),
}

/// The caller.
pub(crate) struct Outbound {
    http: Http,
    /// For registries: their answers are long, and each wait is bounded for itself.
    upstreams: Http,
    /// Calls at once, of all providers.
    turns: Arc<Semaphore>,
}

/// OpenID Connect Discovery 1.0, section 3: the members that are used.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// RFC 9207, section 3.
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Outbound {
    pub(crate) fn new(settings: OutboundSettings) -> Result<Outbound, client::Error> {
        Ok(Outbound {
            upstreams: Http::new(client::Settings {
                allow: settings.allow.clone(),
                extra_roots: settings.extra_roots.clone(),
                timeout: UPSTREAM_TIMEOUT,
                ..client::Settings::default()
            })?,
            http: Http::new(client::Settings {
                allow: settings.allow,
                extra_roots: settings.extra_roots,
                timeout: OUTBOUND_DOCUMENT_TIMEOUT,
                body_bytes_max: OUTBOUND_DOCUMENT_BYTES_MAX,
            })?,
            turns: Arc::new(Semaphore::new(OUTBOUND_CALLS_MAX)),
        })
    }

    /// The client for upstream registries.
    pub(crate) fn upstreams(&self) -> Http {
        self.upstreams.clone()
    }

    /// The SHA-1 digest of the last certificate that the server with an issuer's keys presents, in
    /// hexadecimal digits (IAM User Guide, "Obtain the thumbprint for an OpenID Connect identity provider").
    pub(crate) async fn top_thumbprint(&self, issuer: &str) -> Result<String, OutboundError> {
        let _turn = self.turns.acquire().await;
        // Where the discovery document cannot be trusted, the keys are taken to be at the issuer's host.
        let discovery = discover(&self.http, issuer, None).await;
        let url = discovery.map_or_else(|_| issuer.to_owned(), |found| found.jwks_uri);
        let chain = self.http.presented_chain(&url).await?;
        let last = chain.last().ok_or(OutboundError::Document {
            url,
            problem: "served without a certificate",
        })?;
        Ok(aws_types::hex::encode(client::thumbprint(last)))
    }

    /// A client for the documents of one provider.
    fn client_of(&self, provider: &Provider) -> Result<Http, OutboundError> {
        let settings = &provider.settings.fetch;
        let own = settings.certificate_authority.is_some() || settings.client_certificate.is_some();
        if provider.thumbprints.is_empty() && !own {
            return Ok(self.http.clone());
        }
        let thumbprints = provider.thumbprints.iter();
        let thumbprints = thumbprints.filter_map(|text| parse_thumbprint(text));
        Ok(self.http.with_tls(TlsOptions {
            extra_roots: match &settings.certificate_authority {
                None => Vec::new(),
                Some(pem) => OutboundSettings::certificates(pem.as_bytes())
                    .map_err(|_| OutboundError::Settings("certificate authority"))?,
            },
            thumbprints: thumbprints.collect(),
            identity: client_identity(settings)?,
        })?)
    }
}

impl FetchKeys for Outbound {
    type Error = OutboundError;

    /// Asks the discovery document for the keys' URL, and that for the keys.
    async fn fetch(&self, provider: &Provider) -> Result<KeySet, OutboundError> {
        let _turn = self.turns.acquire().await;
        let http = self.client_of(provider)?;
        let bearer = provider.settings.fetch.bearer_token.as_deref();
        let issuer = provider.issuer();
        let fetching = async {
            let discovery = discover(&http, &issuer, bearer).await?;
            let keys_host = provider.settings.fetch.keys_host.as_deref();
            let bearer =
                bearer.filter(|_| may_have_bearer_token(&issuer, keys_host, &discovery.jwks_uri));
            let body = get(&http, &discovery.jwks_uri, bearer).await?;
            KeySet::parse(&body).map_err(|_| OutboundError::Document {
                url: discovery.jwks_uri,
                problem: "no JSON Web Key Set",
            })
        };
        // Both calls together (O14: AWS gives up after five seconds).
        match tokio::time::timeout(OUTBOUND_DOCUMENT_TIMEOUT, fetching).await {
            Ok(keys) => keys,
            Err(_) => Err(client::Error::Timeout(issuer).into()),
        }
    }
}

async fn discover(
    http: &Http,
    issuer: &str,
    bearer: Option<&str>,
) -> Result<Discovery, OutboundError> {
    // OpenID Connect Discovery 1.0, section 4: a slash at the end is left out.
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    let url = format!("{base}/.well-known/openid-configuration");
    let body = get(http, &url, bearer).await?;
    let wrong = |problem| OutboundError::Document {
        url: url.clone(),
        problem,
    };
    let found: Discovery =
        serde_json::from_slice(&body).map_err(|_| wrong("no discovery document"))?;
    // Section 4.3: exactly the same.
    if found.issuer != issuer {
        return Err(wrong("the discovery document of another issuer"));
    }
    match found.jwks_uri.starts_with("https://") {
        true => Ok(found),
        false => Err(wrong(
            "a discovery document without an https URL for its keys",
        )),
    }
}

/// Whether the server of `url` gets the token that was set for the issuer: it has the issuer's origin, or the
/// provider's settings name its host.
fn may_have_bearer_token(issuer: &str, keys_host: Option<&str>, url: &str) -> bool {
    let Some(asked) = origin(url) else {
        return false;
    };
    let named = keys_host.and_then(|host| origin(&format!("https://{host}")));
    origin(issuer) == Some(asked.clone()) || named == Some(asked)
}

/// Host and port of an `https` URL; `None` for a URL that is none.
fn origin(url: &str) -> Option<(String, u16)> {
    let uri: http::Uri = url.parse().ok()?;
    let is_https = uri.scheme() == Some(&http::uri::Scheme::HTTPS);
    let port = uri
        .port()
        .map_or(Some(443), |port| port.as_str().parse().ok())?;
    let host = uri.host().filter(|_| is_https)?;
    Some((host.to_ascii_lowercase(), port))
}

async fn get(http: &Http, url: &str, bearer: Option<&str>) -> Result<bytes::Bytes, OutboundError> {
    let mut request = Request::new(Method::GET, url).header(header::ACCEPT, "application/json");
    if let Some(token) = bearer {
        let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| OutboundError::Settings("bearer token"))?;
        value.set_sensitive(true);
        request.headers.insert(header::AUTHORIZATION, value);
    }
    let answer = http.send(request).await?;
    match answer.status == http::StatusCode::OK {
        true => Ok(answer.body),
        false => Err(OutboundError::Status {
            url: url.to_owned(),
            status: answer.status,
        }),
    }
}

fn client_identity(
    settings: &FetchSettings,
) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, OutboundError> {
    let (Some(chain), Some(key)) = (&settings.client_certificate, &settings.client_key) else {
        return Ok(None);
    };
    let chain = OutboundSettings::certificates(chain.as_bytes())
        .map_err(|_| OutboundError::Settings("client certificate"))?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        .map_err(|_| OutboundError::Settings("client key"))?;
    Ok(Some((chain, key)))
}

/// 40 hexadecimal digits; another text is the digest of no certificate.
fn parse_thumbprint(text: &str) -> Option<client::Thumbprint> {
    aws_types::hex::decode(&text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bearer_token_goes_to_the_issuers_origin_and_the_named_host_alone() {
        let issuer = "https://idp.example:6443/cluster";
        for (keys_host, url, gets_it) in [
            (None, "https://idp.example:6443/keys", true),
            (None, "https://IDP.example:6443/keys", true),
            (None, "https://idp.example/keys", false),
            (None, "https://idp.example:443/keys", false),
            (None, "http://idp.example:6443/keys", false),
            (None, "https://keys.example/keys", false),
            (
                None,
                "https://idp.example.attacker.example:6443/keys",
                false,
            ),
            (
                None,
                "https://idp.example:6443@attacker.example/keys",
                false,
            ),
            (None, "keys", false),
            (Some("keys.example"), "https://keys.example/keys", true),
            (Some("keys.example"), "https://Keys.example:443/keys", true),
            (
                Some("keys.example"),
                "https://keys.example:8443/keys",
                false,
            ),
            (Some("keys.example"), "https://other.example/keys", false),
            (Some("keys.example"), "https://idp.example:6443/keys", true),
            (Some("10.0.0.1:6443"), "https://10.0.0.1:6443/keys", true),
            (Some("[fd00::1]:6443"), "https://[fd00::1]:6443/keys", true),
            (Some("[fd00::1]:6443"), "https://[fd00::1]/keys", false),
            // No host at all.
            (Some(":6443"), "https://idp.example:6444/keys", false),
        ] {
            let found = may_have_bearer_token(issuer, keys_host, url);
            assert_eq!(found, gets_it, "{keys_host:?} {url}");
        }
        let without_port = "https://idp.example";
        assert!(may_have_bearer_token(
            without_port,
            None,
            "https://idp.example:443/keys"
        ));
    }
}
