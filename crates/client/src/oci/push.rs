//! Blobs and manifests that are sent to a registry.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{Method, StatusCode};

use super::location::response_url;
use super::scope::Scope;
use super::{ANSWER_BYTES_MAX, OciClient, OciError};
use crate::http::{Request, Response};
use crate::stream::BodyStream;

impl OciClient {
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
                self.forget_token(scope);
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
}
