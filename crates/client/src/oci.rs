//! A registry of any maker, as a client of the OCI distribution specification: listings, manifests, referrers,
//! and blobs that pass as streams in both directions.
//!
//! A registry says in its challenge how it wants to be spoken to (RFC 9110, section 11; Docker's "Token
//! Authentication Specification"): with Basic credentials, or with a token that its token service gives for
//! them. The token is kept for each scope, as long as it lasts.
//!
//! - `authorization`: the challenge is answered, tokens are kept; `challenge` reads it, `login` is where credentials
//!   come from, `scope` what they are for.
//! - `listing`, `pull`, `push`: the calls. `location`: where answers point to. `error`: why one failed.

mod authorization;
mod challenge;
mod error;
mod listing;
mod location;
mod login;
mod pull;
mod push;
mod scope;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};

use http::{Method, StatusCode, Uri};
use serde_json::Value;

pub use error::OciError;
pub use login::{Basic, Login, LoginFuture, StaticLogin};
pub use pull::FetchedManifest;

use crate::http::{Error, Http, Request, Response};
use authorization::Tokens;
use error::retry_after;
use scope::Scope;

/// The longest answer that is no blob, in bytes.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// A registry.
#[derive(Clone)]
pub struct OciClient {
    http: Http,
    /// Scheme, host and port, without a path.
    base: String,
    host: String,
    login: Arc<dyn Login>,
    tokens: Arc<Mutex<Tokens>>,
}

impl OciClient {
    /// The registry at `base`: scheme, host and port.
    ///
    /// # Errors
    /// [`Error::Url`].
    pub fn new(http: Http, base: &str, login: Arc<dyn Login>) -> Result<OciClient, Error> {
        let base = base.trim_end_matches('/').to_owned();
        let uri: Uri = base.parse().map_err(|_| Error::Url(base.clone()))?;
        let host = uri.authority().map(ToString::to_string);
        Ok(OciClient {
            http,
            host: host.ok_or_else(|| Error::Url(base.clone()))?,
            base,
            login,
            tokens: Arc::default(),
        })
    }

    /// The registry's host and port.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the registry answers, and takes the credentials.
    ///
    /// # Errors
    /// See [`OciError`].
    pub async fn ping(&self) -> Result<(), OciError> {
        let request = Request::new(Method::GET, self.url("/v2/"));
        let response = self.call(Scope::Login, request).await?;
        self.expect(response, &[StatusCode::OK]).map(drop)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn json(&self, response: &Response) -> Result<Value, OciError> {
        serde_json::from_slice(&response.body)
            .map_err(|_| self.unexpected(response.status, "what is no JSON"))
    }

    /// 200, or `None` for what is not there.
    fn found(&self, response: Response) -> Result<Option<Response>, OciError> {
        match response.status {
            StatusCode::NOT_FOUND => Ok(None),
            _ => self.expect(response, &[StatusCode::OK]).map(Some),
        }
    }

    fn expect(&self, response: Response, expected: &[StatusCode]) -> Result<Response, OciError> {
        if expected.contains(&response.status) {
            return Ok(response);
        }
        let retry_after = retry_after(&response);
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let text = |name: &str| body["errors"][0][name].as_str().map(str::to_owned);
        match text("code") {
            Some(code) => Err(OciError::Refused {
                host: self.host.clone(),
                status: response.status,
                code: code.to_ascii_lowercase(),
                message: text("message").unwrap_or_default(),
                retry_after,
            }),
            None => Err(OciError::Unexpected {
                host: self.host.clone(),
                what: response.status.to_string(),
                status: response.status,
                retry_after,
            }),
        }
    }

    fn unexpected(&self, status: StatusCode, what: &str) -> OciError {
        OciError::Unexpected {
            host: self.host.clone(),
            what: what.to_owned(),
            status,
            retry_after: None,
        }
    }
}
