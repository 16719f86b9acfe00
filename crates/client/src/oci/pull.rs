//! Manifests, referrers and blobs of a registry.

use bytes::Bytes;
use http::header::{ACCEPT, LOCATION};
use http::{Method, StatusCode};
use serde_json::Value;

use super::location::resolved;
use super::scope::Scope;
use super::{ANSWER_BYTES_MAX, OciClient, OciError};
use crate::http::Request;
use crate::stream::Streamed;

/// Redirects of one blob.
const REDIRECTS_MAX: usize = 5;

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

impl OciClient {
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
}

fn digests_of(index: &Value) -> Vec<String> {
    let entries = index["manifests"].as_array().into_iter().flatten();
    let digests = entries.filter_map(|entry| entry["digest"].as_str());
    digests.map(str::to_owned).collect()
}
