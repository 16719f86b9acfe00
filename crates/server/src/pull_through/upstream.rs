//! An upstream by the OCI Distribution API.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use client::{OciClient, OciError, Streamed};
use futures_util::StreamExt as _;
use futures_util::stream::unfold;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use registry::BoxFuture;
use registry::pull_through::{Upstream, UpstreamBlob, UpstreamError, UpstreamManifest};

use crate::clock::Clock;

/// The kinds of manifests that are stored.
const ACCEPT: [&str; 5] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.artifact.manifest.v1+json",
];
/// The longest time that an upstream is left alone, whatever it says.
const QUIET_MAX: SignedDuration = SignedDuration::from_hours(1);
/// Characters of an upstream's words that are passed on.
const WORDS_MAX: usize = 300;

pub(super) struct Client {
    host: String,
    client: OciClient,
    clock: Clock,
    /// Until when the upstream wants to be left alone.
    quiet: Mutex<Option<Timestamp>>,
}

impl Client {
    pub(super) fn new(host: &str, client: OciClient, clock: Clock) -> Client {
        Client {
            host: host.to_owned(),
            client,
            clock,
            quiet: Mutex::default(),
        }
    }

    /// Whether the upstream answers, and takes the credentials. Who asks for this waits for no time to pass.
    pub(super) async fn check(&self) -> Result<(), UpstreamError> {
        self.client.ping().await.map_err(explained)
    }

    /// Asks, unless the upstream said to be asked later: until then, its refusal is repeated.
    async fn ask<T>(
        &self,
        call: impl Future<Output = Result<T, OciError>>,
    ) -> Result<T, UpstreamError> {
        let now = (self.clock)();
        let until = *self.quiet.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = until.filter(|until| now < *until) {
            let left = until.duration_since(now).as_secs().max(1);
            return Err(UpstreamError::TooManyRequests {
                retry_after: u64::try_from(left).ok(),
            });
        }
        let answer = call.await;
        if let Err(error) = &answer
            && let Some(seconds) = error.retry_after().filter(|_| error.is_transient())
        {
            let pause = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
            let until = now.saturating_add(pause.min(QUIET_MAX)).ok();
            *self.quiet.lock().unwrap_or_else(PoisonError::into_inner) = until;
        }
        answer.map_err(explained)
    }
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
            let found = self.client.manifest(repository, reference, &ACCEPT);
            let found = self.ask(found).await?;
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
            let found = self.ask(self.client.blob(repository, digest)).await?;
            Ok(found.map(|answer| {
                let size = answer.header("content-length");
                UpstreamBlob {
                    size: size.and_then(|size| size.parse().ok()),
                    stream: unfold(Some(answer), next).boxed(),
                }
            }))
        })
    }

    fn referrers<'a>(
        &'a self,
        repository: &'a str,
        subject: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, UpstreamError>> {
        Box::pin(async move { self.ask(self.client.referrers(repository, subject)).await })
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
fn explained(error: OciError) -> UpstreamError {
    let words: String = error.to_string().chars().take(WORDS_MAX).collect();
    match &error {
        OciError::Refused { status, .. } | OciError::Unexpected { status, .. } => match *status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => UpstreamError::AccessDenied(words),
            StatusCode::TOO_MANY_REQUESTS => UpstreamError::TooManyRequests {
                retry_after: error.retry_after(),
            },
            _ => UpstreamError::Unavailable(words),
        },
        OciError::Login { what, .. } => UpstreamError::Credentials(what.clone()),
        _ => UpstreamError::Unavailable(words),
    }
}
