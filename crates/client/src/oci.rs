//! A registry of any maker, as a client of the OCI distribution specification: listings, manifests, referrers,
//! and blobs that pass as streams in both directions.
//!
//! A registry says in its challenge how it wants to be spoken to (RFC 9110, section 11; Docker's "Token
//! Authentication Specification"): with Basic credentials, or with a token that its token service gives for
//! them. The token is kept for each scope.

mod challenge;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LINK, LOCATION, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode, Uri};
use serde_json::Value;

use crate::http::{Error, Http, Request, Response};
use crate::stream::{BodyStream, Streamed};
use challenge::Challenge;

/// The longest answer that is no blob, in bytes.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// Names in all pages of a listing.
const NAMES_MAX: usize = 1_000_000;
/// Redirects of one blob.
const REDIRECTS_MAX: usize = 5;
/// Tokens that are kept; beyond, they are asked for again.
const TOKENS_MAX: usize = 1_000;
/// A page of a listing. Amazon ECR refuses more.
const PAGE: usize = 1_000;

/// Why a registry did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OciError {
    /// The registry refused.
    #[error("{host}: {code}: {message}")]
    Refused {
        /// The registry's host.
        host: String,
        /// The HTTP status.
        status: StatusCode,
        /// The code of the specification in lower case, such as `denied`.
        code: String,
        /// The registry's text.
        message: String,
    },
    /// An answer that the specification does not foresee.
    #[error("{host} answers {what}")]
    Unexpected {
        /// The registry's host.
        host: String,
        /// The status, or what is wrong with the answer.
        what: String,
        /// The HTTP status.
        status: StatusCode,
    },
    /// The credentials cannot be got.
    #[error("there are no credentials for {host}: {what}")]
    Login {
        /// The registry's host.
        host: String,
        /// Why.
        what: String,
    },
    /// There was no answer.
    #[error(transparent)]
    Http(#[from] Error),
}

impl OciError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            OciError::Refused { status, .. } | OciError::Unexpected { status, .. } => {
                *status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
            }
            OciError::Login { .. } => false,
            OciError::Http(error) => {
                matches!(
                    error,
                    Error::Connection { .. } | Error::Timeout(_) | Error::Resolve { .. }
                )
            }
        }
    }
}

/// Where a registry's credentials come from.
pub trait Login: Send + Sync {
    /// Base64 of `user:password`; `None` for callers without a name. `renewed` after the last ones were refused.
    fn basic(
        &self,
        renewed: bool,
    ) -> Pin<Box<dyn Future<Output = Result<Option<String>, String>> + Send + '_>>;
}

/// Credentials that stay, or none.
pub struct StaticLogin(
    /// Base64 of `user:password`.
    pub Option<String>,
);

impl StaticLogin {
    /// The credentials of a user.
    #[must_use]
    pub fn new(user: &str, password: &str) -> StaticLogin {
        let pair = format!("{user}:{password}");
        StaticLogin(Some(STANDARD.encode(pair)))
    }
}

impl Login for StaticLogin {
    fn basic(
        &self,
        _renewed: bool,
    ) -> Pin<Box<dyn Future<Output = Result<Option<String>, String>> + Send + '_>> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

/// A manifest as a registry gave it. The caller compares the digest.
#[derive(Clone, Debug)]
pub struct FetchedManifest {
    /// `Content-Type`.
    pub media_type: Option<String>,
    /// `Docker-Content-Digest`: what the registry says that it is.
    pub digest: Option<String>,
    /// The bytes.
    pub bytes: Bytes,
}

/// A registry.
#[derive(Clone)]
pub struct OciClient {
    http: Http,
    /// Scheme, host and port, without a path.
    base: String,
    host: String,
    login: Arc<dyn Login>,
    /// `Authorization` by scope.
    tokens: Arc<Mutex<HashMap<String, HeaderValue>>>,
}

/// What a request is allowed to do, in the words of token services.
#[derive(Clone, Copy)]
enum Scope<'a> {
    /// Nothing: whether the credentials are taken.
    Login,
    Catalog,
    Pull(&'a str),
    Push(&'a str),
    Mount(&'a str, &'a str),
}

impl std::fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Scope::Login => Ok(()),
            Scope::Catalog => f.write_str("registry:catalog:*"),
            Scope::Pull(repository) => write!(f, "repository:{repository}:pull"),
            Scope::Push(repository) => write!(f, "repository:{repository}:pull,push"),
            Scope::Mount(repository, from) => {
                write!(
                    f,
                    "repository:{repository}:pull,push repository:{from}:pull"
                )
            }
        }
    }
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

    /// The repositories that the registry lists.
    ///
    /// # Errors
    /// See [`OciError`]; many registries list none to anybody.
    pub async fn repositories(&self) -> Result<Vec<String>, OciError> {
        let path = format!("/v2/_catalog?n={PAGE}");
        self.listing(Scope::Catalog, path, "repositories").await
    }

    /// The tags of a repository.
    ///
    /// # Errors
    /// See [`OciError`].
    pub async fn tags(&self, repository: &str) -> Result<Vec<String>, OciError> {
        let path = format!("/v2/{repository}/tags/list?n={PAGE}");
        self.listing(Scope::Pull(repository), path, "tags").await
    }

    /// A manifest by tag or digest; `None` when there is none. `accept` lists media types.
    ///
    /// # Errors
    /// See [`OciError`].
    pub async fn manifest(
        &self,
        repository: &str,
        reference: &str,
        accept: &[&str],
    ) -> Result<Option<FetchedManifest>, OciError> {
        let url = self.url(&format!("/v2/{repository}/manifests/{reference}"));
        let request = Request::new(Method::GET, url).header(ACCEPT, &accept.join(", "));
        let response = self.call(Scope::Pull(repository), request).await?;
        Ok(self.found(response)?.map(|response| FetchedManifest {
            media_type: response.header("content-type").map(str::to_owned),
            digest: response.header("docker-content-digest").map(str::to_owned),
            bytes: response.body,
        }))
    }

    /// The digest that a tag names, as the registry notes it: `None` when there is no manifest, an empty
    /// string when the registry does not say.
    ///
    /// # Errors
    /// See [`OciError`].
    pub async fn manifest_digest(
        &self,
        repository: &str,
        reference: &str,
        accept: &[&str],
    ) -> Result<Option<String>, OciError> {
        let url = self.url(&format!("/v2/{repository}/manifests/{reference}"));
        let request = Request::new(Method::HEAD, url).header(ACCEPT, &accept.join(", "));
        let response = self.call(Scope::Pull(repository), request).await?;
        Ok(self.found(response)?.map(|response| {
            let digest = response.header("docker-content-digest");
            digest.unwrap_or_default().to_owned()
        }))
    }

    /// The digests of the manifests about `subject`, by the referrers API or, where a registry has none, by
    /// the tag that stands in for it (OCI distribution-spec, "Referrers Tag Schema").
    ///
    /// # Errors
    /// See [`OciError`].
    pub async fn referrers(
        &self,
        repository: &str,
        subject: &str,
    ) -> Result<Vec<String>, OciError> {
        let mut next = Some(format!("/v2/{repository}/referrers/{subject}"));
        let mut digests = Vec::new();
        while let Some(path) = next {
            let request = Request::new(Method::GET, self.url(&path));
            let response = self.call(Scope::Pull(repository), request).await?;
            if digests.is_empty() && response.status == StatusCode::NOT_FOUND {
                let tag = subject.replace(':', "-");
                let accept = ["application/vnd.oci.image.index.v1+json"];
                let index = self.manifest(repository, &tag, &accept).await?;
                let Some(index) = index else {
                    return Ok(Vec::new());
                };
                // Taken for "no referrers", it would leave signatures out of a copy.
                let index: Value = serde_json::from_slice(&index.bytes).map_err(|_| {
                    self.unexpected(StatusCode::OK, "a list of referrers that is no JSON")
                })?;
                return Ok(digests_of(&index));
            }
            let response = self.expect(response, &[StatusCode::OK])?;
            next = self.next_page(&response)?;
            digests.extend(digests_of(&self.json(&response)?));
            self.bounded(digests.len())?;
        }
        Ok(digests)
    }

    /// Whether a repository has a blob.
    ///
    /// # Errors
    /// See [`OciError`].
    pub async fn has_blob(&self, repository: &str, digest: &str) -> Result<bool, OciError> {
        let url = self.url(&format!("/v2/{repository}/blobs/{digest}"));
        let mut response = self
            .call(Scope::Pull(repository), Request::new(Method::HEAD, url))
            .await?;
        // Where the bytes are elsewhere, the redirect is the answer.
        if response.status.is_redirection() {
            response.status = StatusCode::OK;
        }
        Ok(self.found(response)?.is_some())
    }

    /// A blob's bytes, wherever the registry redirects to; `None` when there is none. The caller compares the
    /// digest.
    ///
    /// # Errors
    /// See [`OciError`].
    pub async fn blob(&self, repository: &str, digest: &str) -> Result<Option<Streamed>, OciError> {
        let mut url = self.url(&format!("/v2/{repository}/blobs/{digest}"));
        let mut answer = self
            .stream(Scope::Pull(repository), Request::new(Method::GET, &url))
            .await?;
        for _ in 0..REDIRECTS_MAX {
            if !answer.status.is_redirection() {
                break;
            }
            let location = answer.header(LOCATION.as_str()).unwrap_or_default();
            let next = resolved(&url, location);
            let next =
                next.filter(|next| next.starts_with("https://") || !url.starts_with("https://"));
            url = next.ok_or_else(|| self.unexpected(answer.status, "a redirect to nowhere"))?;
            // No other host learns the credentials.
            answer = self.http.stream(Request::new(Method::GET, &url)).await?;
        }
        match answer.status {
            StatusCode::OK => Ok(Some(answer)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => {
                let response = answer.collect(ANSWER_BYTES_MAX).await?;
                self.expect(response, &[]).map(|_| None)
            }
        }
    }

    /// Takes a blob over from another repository of the registry; whether it did.
    ///
    /// # Errors
    /// See [`OciError`].
    pub async fn mount(
        &self,
        repository: &str,
        from: &str,
        digest: &str,
    ) -> Result<bool, OciError> {
        let path = format!("/v2/{repository}/blobs/uploads/?mount={digest}&from={from}");
        let request = Request::new(Method::POST, self.url(&path));
        let scope = Scope::Mount(repository, from);
        let response = self.call(scope, request).await?;
        let response = self.expect(response, &[StatusCode::CREATED, StatusCode::ACCEPTED])?;
        if response.status == StatusCode::CREATED {
            return Ok(true);
        }
        // The registry began an upload in place of it.
        let upload = self.location(&response)?;
        self.call(scope, Request::new(Method::DELETE, upload))
            .await?;
        Ok(false)
    }

    /// Uploads a blob of `length` bytes.
    ///
    /// # Errors
    /// See [`OciError`]. An error among the chunks ends the upload without a blob.
    pub async fn put_blob(
        &self,
        repository: &str,
        digest: &str,
        length: u64,
        body: BodyStream,
    ) -> Result<(), OciError> {
        let scope = Scope::Push(repository);
        let start = self.url(&format!("/v2/{repository}/blobs/uploads/"));
        let response = self.call(scope, Request::new(Method::POST, start)).await?;
        let response = self.expect(response, &[StatusCode::ACCEPTED])?;
        let upload = self.location(&response)?;
        let mark = if upload.contains('?') { '&' } else { '?' };
        let url = format!("{upload}{mark}digest={digest}");
        let request =
            Request::new(Method::PUT, url).header(CONTENT_TYPE, "application/octet-stream");
        let request = self.authorized(scope, request);
        let sent = async {
            let answer = self.http.send_stream(request, length, body).await?;
            let response = answer.collect(ANSWER_BYTES_MAX).await?;
            if response.status == StatusCode::UNAUTHORIZED {
                // A body cannot be sent twice; the caller's next try gets a new token.
                self.tokens().remove(&scope.to_string());
                return Err(
                    self.unexpected(StatusCode::SERVICE_UNAVAILABLE, "that the token is over")
                );
            }
            self.expect(response, &[StatusCode::CREATED])
        };
        let failed = match sent.await {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        // Best effort: the registry removes what is left of it after a while.
        let _ = self.call(scope, Request::new(Method::DELETE, upload)).await;
        Err(failed)
    }

    /// Puts a manifest under a tag or digest. Answers the digest that the registry notes, where it does.
    ///
    /// # Errors
    /// See [`OciError`].
    pub async fn put_manifest(
        &self,
        repository: &str,
        reference: &str,
        media_type: &str,
        bytes: Bytes,
    ) -> Result<Option<String>, OciError> {
        let url = self.url(&format!("/v2/{repository}/manifests/{reference}"));
        let request = Request::new(Method::PUT, url)
            .header(CONTENT_TYPE, media_type)
            .body(bytes);
        let response = self.call(Scope::Push(repository), request).await?;
        let response = self.expect(response, &[StatusCode::CREATED])?;
        Ok(response.header("docker-content-digest").map(str::to_owned))
    }

    async fn listing(
        &self,
        scope: Scope<'_>,
        path: String,
        member: &str,
    ) -> Result<Vec<String>, OciError> {
        let mut next = Some(path);
        let mut names = Vec::new();
        while let Some(path) = next {
            let request = Request::new(Method::GET, self.url(&path));
            let response = self.expect(self.call(scope, request).await?, &[StatusCode::OK])?;
            next = self.next_page(&response)?;
            let page = self.json(&response)?;
            let page = page[member].as_array().into_iter().flatten();
            names.extend(page.filter_map(Value::as_str).map(str::to_owned));
            self.bounded(names.len())?;
        }
        Ok(names)
    }

    fn bounded(&self, count: usize) -> Result<(), OciError> {
        match count > NAMES_MAX {
            true => Err(self.unexpected(StatusCode::OK, "a listing without an end")),
            false => Ok(()),
        }
    }

    /// The path of the next page, which is on this registry (RFC 8288).
    fn next_page(&self, response: &Response) -> Result<Option<String>, OciError> {
        let Some(link) = response.header(LINK.as_str()) else {
            return Ok(None);
        };
        let target = link
            .split_once('<')
            .and_then(|(_, rest)| rest.split_once('>'));
        let Some((target, _)) = target.filter(|(_, parameters)| parameters.contains("next")) else {
            return Ok(None);
        };
        let url = response_url(&self.base, target);
        let path = url.as_deref().and_then(|url| url.strip_prefix(&self.base));
        match path {
            Some(path) if path.starts_with('/') => Ok(Some(path.to_owned())),
            _ => Err(self.unexpected(response.status, "a next page on another host")),
        }
    }

    async fn call(&self, scope: Scope<'_>, request: Request) -> Result<Response, OciError> {
        let answer = self.stream(scope, request).await?;
        Ok(answer.collect(ANSWER_BYTES_MAX).await?)
    }

    /// Sends a request, and answers the registry's challenge once.
    async fn stream(&self, scope: Scope<'_>, request: Request) -> Result<Streamed, OciError> {
        let had_token = self.tokens().contains_key(&scope.to_string());
        let answer = self
            .http
            .stream(self.authorized(scope, request.clone()))
            .await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let offered = answer.headers.get_all(WWW_AUTHENTICATE).iter();
        let offered: Vec<_> = offered.filter_map(|one| one.to_str().ok()).collect();
        let Some(challenge) = Challenge::choose(&offered) else {
            return Ok(answer);
        };
        let login = |what| OciError::Login {
            host: self.host.clone(),
            what,
        };
        let basic = self.login.basic(had_token).await.map_err(login)?;
        let authorization = match (challenge, basic) {
            (Challenge::Bearer { realm, service }, basic) => {
                let token = self
                    .token(&realm, service.as_deref(), scope, basic.as_deref())
                    .await?;
                format!("Bearer {token}")
            }
            (Challenge::Basic, Some(basic)) => format!("Basic {basic}"),
            (Challenge::Basic, None) => return Ok(answer),
        };
        let value = HeaderValue::from_str(&authorization);
        let mut value = value.map_err(|_| login("they fit no header".to_owned()))?;
        value.set_sensitive(true);
        self.keep_token(scope, value);
        Ok(self.http.stream(self.authorized(scope, request)).await?)
    }

    /// Asks the token service.
    async fn token(
        &self,
        realm: &str,
        service: Option<&str>,
        scope: Scope<'_>,
        basic: Option<&str>,
    ) -> Result<String, OciError> {
        if self.base.starts_with("https://") && !realm.starts_with("https://") {
            return Err(
                self.unexpected(StatusCode::UNAUTHORIZED, "with a token service without TLS")
            );
        }
        let scopes = scope.to_string();
        let scopes = scopes.split_whitespace().map(|scope| ("scope", scope));
        let parameters = service
            .map(|service| ("service", service))
            .into_iter()
            .chain(scopes);
        let url = challenge::with_parameters(realm, parameters);
        let mut request = Request::new(Method::GET, url);
        if let Some(basic) = basic {
            request = request.header(AUTHORIZATION, &format!("Basic {basic}"));
        }
        let answer = self
            .http
            .stream(request)
            .await?
            .collect(ANSWER_BYTES_MAX)
            .await?;
        let answer = self.expect(answer, &[StatusCode::OK])?;
        let body = self.json(&answer)?;
        let token = body["token"]
            .as_str()
            .or_else(|| body["access_token"].as_str());
        token
            .map(str::to_owned)
            .ok_or_else(|| self.unexpected(answer.status, "without a token"))
    }

    fn authorized(&self, scope: Scope<'_>, mut request: Request) -> Request {
        if let Some(value) = self.tokens().get(&scope.to_string()) {
            request.headers.insert(AUTHORIZATION, value.clone());
        }
        request
    }

    fn keep_token(&self, scope: Scope<'_>, value: HeaderValue) {
        let mut tokens = self.tokens();
        if tokens.len() >= TOKENS_MAX {
            tokens.clear();
        }
        tokens.insert(scope.to_string(), value);
    }

    fn tokens(&self) -> std::sync::MutexGuard<'_, HashMap<String, HeaderValue>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Where an upload continues. Only this registry gets the credentials, so a location on another host is
    /// none.
    fn location(&self, response: &Response) -> Result<String, OciError> {
        let location = response.header(LOCATION.as_str()).unwrap_or_default();
        let url = response_url(&self.base, location);
        let own = url.filter(|url| {
            url.strip_prefix(&self.base)
                .is_some_and(|rest| rest.starts_with('/'))
        });
        own.ok_or_else(|| self.unexpected(response.status, "without a place for the upload"))
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
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let text = |name: &str| body["errors"][0][name].as_str().map(str::to_owned);
        match text("code") {
            Some(code) => Err(OciError::Refused {
                host: self.host.clone(),
                status: response.status,
                code: code.to_ascii_lowercase(),
                message: text("message").unwrap_or_default(),
            }),
            None => Err(self.unexpected(response.status, &response.status.to_string())),
        }
    }

    fn unexpected(&self, status: StatusCode, what: &str) -> OciError {
        OciError::Unexpected {
            host: self.host.clone(),
            what: what.to_owned(),
            status,
        }
    }
}

fn digests_of(index: &Value) -> Vec<String> {
    let entries = index["manifests"].as_array().into_iter().flatten();
    let digests = entries.filter_map(|entry| entry["digest"].as_str());
    digests.map(str::to_owned).collect()
}

/// A location in an answer of the registry at `base`.
fn response_url(base: &str, location: &str) -> Option<String> {
    resolved(&format!("{base}/"), location)
}

/// A location that is absolute, or a path on the host of `url`.
fn resolved(url: &str, location: &str) -> Option<String> {
    if location.starts_with("https://") || location.starts_with("http://") {
        return Some(location.to_owned());
    }
    let uri: Uri = url.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    (location.starts_with('/') && !location.starts_with("//"))
        .then(|| format!("{scheme}://{authority}{location}"))
}
