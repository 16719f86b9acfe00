//! A registry as the cache calls it. A higher layer speaks HTTP.

use std::sync::Arc;

use bytes::Bytes;

use crate::BoxFuture;

/// A manifest as an upstream gave it, before anything was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamManifest {
    /// `Content-Type`.
    pub media_type: Option<String>,
    /// The digest that the upstream notes, where it does.
    pub digest: Option<String>,
    /// The bytes.
    pub bytes: Bytes,
}

/// A blob whose bytes are still to come.
pub struct UpstreamBlob {
    /// `Content-Length`, where the upstream notes one.
    pub size: Option<u64>,
    /// The bytes.
    pub stream: futures_util::stream::BoxStream<'static, Result<Bytes, UpstreamError>>,
}

/// Why an upstream gave nothing. It is shared by all who wait for the same thing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// The upstream refuses the credentials, or what they may do.
    #[error("the upstream registry denies access: {0}")]
    AccessDenied(String),
    /// Too many requests; when to try again, in seconds, where it says so.
    #[error("the upstream registry answers that there are too many requests")]
    TooManyRequests {
        /// `Retry-After`.
        retry_after: Option<u64>,
    },
    /// No answer, or one that is none.
    #[error("the upstream registry is unavailable: {0}")]
    Unavailable(String),
    /// The rule's credentials cannot be used.
    #[error("the credentials of the rule cannot be used: {0}")]
    Credentials(String),
    /// The upstream sent other bytes than the digest's.
    #[error("the upstream registry sent other content than {expected}: {found}")]
    Mismatch {
        /// What was asked for.
        expected: String,
        /// What came.
        found: String,
    },
    /// What came is no manifest.
    #[error("the upstream registry sent a manifest that is refused: {0}")]
    Invalid(String),
    /// Storing it failed here. The text is for the log.
    #[error("the image cannot be stored: {0}")]
    Store(Arc<str>),
}

impl UpstreamError {
    /// When the upstream wants to be asked again, in seconds, where it says so.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            UpstreamError::TooManyRequests { retry_after } => *retry_after,
            _ => None,
        }
    }

    /// Whether the same may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            UpstreamError::TooManyRequests { .. }
                | UpstreamError::Unavailable(_)
                | UpstreamError::Store(_)
        )
    }
}

/// An upstream registry with its credentials.
pub trait Upstream: Send + Sync {
    /// The host, for logs and events.
    fn host(&self) -> &str;

    /// A manifest by tag or digest; `None` when there is none.
    fn manifest<'a>(
        &'a self,
        repository: &'a str,
        reference: &'a str,
    ) -> BoxFuture<'a, Result<Option<UpstreamManifest>, UpstreamError>>;

    /// A blob; `None` when there is none.
    fn blob<'a>(
        &'a self,
        repository: &'a str,
        digest: &'a str,
    ) -> BoxFuture<'a, Result<Option<UpstreamBlob>, UpstreamError>>;

    /// The digests of the manifests that say that they are about `subject`.
    fn referrers<'a>(
        &'a self,
        repository: &'a str,
        subject: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, UpstreamError>>;
}
