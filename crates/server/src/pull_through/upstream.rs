//! An upstream by the OCI Distribution API.

use client::{OciClient, OciError, Streamed};
use futures_util::StreamExt as _;
use futures_util::stream::unfold;
use http::StatusCode;
use registry::BoxFuture;
use registry::pull_through::{Upstream, UpstreamBlob, UpstreamError, UpstreamManifest};

/// The kinds of manifests that are stored.
const ACCEPT: [&str; 5] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.artifact.manifest.v1+json",
];
/// Characters of an upstream's words that are passed on.
const WORDS_MAX: usize = 300;

pub(super) struct Client {
    pub(super) host: String,
    pub(super) client: OciClient,
}

impl Upstream for Client {
    fn host(&self) -> &str {
        &self.host
    }

    fn manifest<'a>(
        &'a self,
        repository: &'a str,
        reference: &'a str,
    ) -> BoxFuture<'a, Result<Option<UpstreamManifest>, UpstreamError>> {
        Box::pin(async move {
            let found = self.client.manifest(repository, reference, &ACCEPT).await;
            let found = found.map_err(explained)?;
            Ok(found.map(|found| UpstreamManifest {
                media_type: found.media_type,
                digest: found.digest,
                bytes: found.bytes,
            }))
        })
    }

    fn blob<'a>(
        &'a self,
        repository: &'a str,
        digest: &'a str,
    ) -> BoxFuture<'a, Result<Option<UpstreamBlob>, UpstreamError>> {
        Box::pin(async move {
            let found = self
                .client
                .blob(repository, digest)
                .await
                .map_err(explained)?;
            Ok(found.map(|answer| {
                let size = answer.header("content-length");
                UpstreamBlob {
                    size: size.and_then(|size| size.parse().ok()),
                    stream: unfold(Some(answer), next).boxed(),
                }
            }))
        })
    }
}

/// The next chunk; nothing after an error.
async fn next(
    answer: Option<Streamed>,
) -> Option<(Result<bytes::Bytes, UpstreamError>, Option<Streamed>)> {
    let mut answer = answer?;
    match answer.chunk().await {
        Ok(Some(chunk)) => Some((Ok(chunk), Some(answer))),
        Ok(None) => None,
        Err(error) => Some((Err(UpstreamError::Unavailable(error.to_string())), None)),
    }
}

/// A client's error as the cache knows it.
pub(super) fn explained(error: OciError) -> UpstreamError {
    let words: String = error.to_string().chars().take(WORDS_MAX).collect();
    match &error {
        OciError::Refused { status, .. } | OciError::Unexpected { status, .. } => match *status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => UpstreamError::AccessDenied(words),
            StatusCode::TOO_MANY_REQUESTS => UpstreamError::TooManyRequests { retry_after: None },
            _ => UpstreamError::Unavailable(words),
        },
        OciError::Login { what, .. } => UpstreamError::Credentials(what.clone()),
        _ => UpstreamError::Unavailable(words),
    }
}
