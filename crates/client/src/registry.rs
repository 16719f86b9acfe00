//! A registry's client: log in, push, pull (OCI distribution specification).

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Method, StatusCode};

use crate::http::{Error, Http, Request, Response};

/// Why a registry did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The registry refused; `docker` shows such an error in the same form.
    #[error("{}: {message}", .code.to_ascii_lowercase())]
    Refused {
        /// The code of the specification, such as `DENIED`.
        code: String,
        /// The registry's text.
        message: String,
    },
    /// An answer that the specification does not foresee.
    #[error("the registry answers {0}")]
    Unexpected(StatusCode),
    /// An upload without a place to continue.
    #[error("the registry names no location for the upload")]
    NoLocation,
    /// The registry calls the content by another digest.
    #[error("the registry calls the content `{answered}`, not `{sent}`")]
    Digest {
        /// What was sent.
        sent: String,
        /// What the registry answered.
        answered: String,
    },
    /// There was no answer.
    #[error(transparent)]
    Http(#[from] Error),
}

/// One login at one registry.
#[derive(Clone)]
pub struct RegistryClient {
    http: Http,
    /// Scheme, host and port, without a path.
    base: String,
    authorization: HeaderValue,
}

impl RegistryClient {
    /// Logs in with Basic credentials. `token` is base64 of `user:password`, as ECR's
    /// `GetAuthorizationToken` answers it.
    ///
    /// # Errors
    /// [`RegistryError::Refused`] for credentials that are not accepted.
    pub async fn login(
        http: Http,
        base: &str,
        token: &str,
    ) -> Result<RegistryClient, RegistryError> {
        let mut authorization = HeaderValue::from_str(&format!("Basic {token}"))
            .map_err(|_| Error::Url("a token that fits no header".to_owned()))?;
        authorization.set_sensitive(true);
        let client = RegistryClient {
            http,
            base: base.trim_end_matches('/').to_owned(),
            authorization,
        };
        expect(
            client
                .send(Request::new(Method::GET, client.url("/v2/")))
                .await?,
            StatusCode::OK,
        )?;
        Ok(client)
    }

    /// Uploads a layer or configuration, unless the repository has it.
    ///
    /// # Errors
    /// See [`RegistryError`].
    pub async fn push_blob(
        &self,
        repository: &str,
        digest: &str,
        content: Bytes,
    ) -> Result<(), RegistryError> {
        let blob = self.url(&format!("/v2/{repository}/blobs/{digest}"));
        if self.send(Request::new(Method::HEAD, blob)).await?.status == StatusCode::OK {
            return Ok(());
        }
        let start = self.url(&format!("/v2/{repository}/blobs/uploads/"));
        let started = expect(
            self.send(Request::new(Method::POST, start)).await?,
            StatusCode::ACCEPTED,
        )?;
        let patch = Request::new(Method::PATCH, self.location(&started)?)
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(content);
        let sent = expect(self.send(patch).await?, StatusCode::ACCEPTED)?;
        let location = self.location(&sent)?;
        let mark = if location.contains('?') { '&' } else { '?' };
        let finish = Request::new(Method::PUT, format!("{location}{mark}digest={digest}"));
        expect(self.send(finish).await?, StatusCode::CREATED)?;
        Ok(())
    }

    /// Puts a manifest under a tag or digest.
    ///
    /// # Errors
    /// See [`RegistryError`]; [`RegistryError::Digest`] when the registry read other bytes.
    pub async fn push_manifest(
        &self,
        repository: &str,
        reference: &str,
        media_type: &str,
        digest: &str,
        content: Bytes,
    ) -> Result<(), RegistryError> {
        let url = self.url(&format!("/v2/{repository}/manifests/{reference}"));
        let request = Request::new(Method::PUT, url)
            .header(CONTENT_TYPE, media_type)
            .body(content);
        let response = expect(self.send(request).await?, StatusCode::CREATED)?;
        match response.header("docker-content-digest") {
            Some(answered) if answered != digest => Err(RegistryError::Digest {
                sent: digest.to_owned(),
                answered: answered.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Gets a manifest by tag or digest.
    ///
    /// # Errors
    /// See [`RegistryError`].
    pub async fn manifest(
        &self,
        repository: &str,
        reference: &str,
        media_type: &str,
    ) -> Result<Bytes, RegistryError> {
        let url = self.url(&format!("/v2/{repository}/manifests/{reference}"));
        let request = Request::new(Method::GET, url).header(ACCEPT, media_type);
        Ok(expect(self.send(request).await?, StatusCode::OK)?.body)
    }

    /// Gets a layer or configuration. The caller compares the digest.
    ///
    /// # Errors
    /// See [`RegistryError`].
    pub async fn blob(&self, repository: &str, digest: &str) -> Result<Bytes, RegistryError> {
        let url = self.url(&format!("/v2/{repository}/blobs/{digest}"));
        let request = Request::new(Method::GET, url);
        Ok(expect(self.send(request).await?, StatusCode::OK)?.body)
    }

    async fn send(&self, mut request: Request) -> Result<Response, Error> {
        request
            .headers
            .insert(AUTHORIZATION, self.authorization.clone());
        self.http.send(request).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Where an upload continues. Only this registry gets the credentials, so a location on another
    /// host is none.
    fn location(&self, response: &Response) -> Result<String, RegistryError> {
        let location = response
            .header(LOCATION.as_str())
            .ok_or(RegistryError::NoLocation)?;
        let path = location.strip_prefix(&self.base).unwrap_or(location);
        match path.starts_with('/') && !path.starts_with("//") {
            true => Ok(self.url(path)),
            false => Err(RegistryError::NoLocation),
        }
    }
}

fn expect(response: Response, status: StatusCode) -> Result<Response, RegistryError> {
    if response.status == status {
        return Ok(response);
    }
    let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let text = |name: &str| body["errors"][0][name].as_str().map(str::to_owned);
    match (text("code"), text("message")) {
        (Some(code), message) => Err(RegistryError::Refused {
            code,
            message: message.unwrap_or_default(),
        }),
        _ => Err(RegistryError::Unexpected(response.status)),
    }
}
