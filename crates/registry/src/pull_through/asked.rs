//! What a pull asks for, and of whom: the upstreams of a rule in their order.

use std::sync::Arc;

use blobs::Digest;
use bytes::Bytes;

use super::upstream::{Upstream, UpstreamBlob, UpstreamError, UpstreamManifest};
use crate::images::digest_of;
use crate::pull_through_options::Platform;
use crate::{MANIFEST_BYTES_MAX, manifest};

/// A repository of an upstream.
#[derive(Clone)]
pub struct Source {
    /// The registry.
    pub upstream: Arc<dyn Upstream>,
    /// The repository's name there.
    pub repository: String,
}

/// What a pull asks upstreams for.
#[derive(Clone)]
pub struct Asked {
    /// Where, in the order of priority: one is asked where all before it fail, or have not what is asked for.
    pub sources: Vec<Source>,
    /// The repository here: account, region and name.
    pub place: String,
    /// The rule's prefix.
    pub prefix: String,
    /// The platforms whose images are stored of a list; all where there is none.
    pub platforms: Arc<[Platform]>,
    /// Whether an answer of a moment ago will do.
    pub recent: bool,
    /// Whether referrers are stored with the image that they are about.
    pub referrers: bool,
}

/// A manifest of an upstream, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromUpstream {
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// The bytes.
    pub bytes: Bytes,
    /// The upstream's host.
    pub host: Arc<str>,
    /// The repository's name there.
    pub repository: Arc<str>,
}

/// The answer for a manifest: shared by all who asked at the time.
pub type Upstreamed = Result<Option<Arc<FromUpstream>>, UpstreamError>;

/// Whether the next upstream is asked after this. One that sent other bytes than the digest's, or what is no
/// manifest, is a finding, which another upstream's answer would hide.
fn passes_on(error: &UpstreamError) -> bool {
    match error {
        // Many registries deny what they do not have, to those who may not know.
        UpstreamError::AccessDenied(_)
        | UpstreamError::Credentials(_)
        | UpstreamError::TooManyRequests { .. }
        | UpstreamError::Unavailable(_) => true,
        UpstreamError::Mismatch { .. } | UpstreamError::Invalid(_) | UpstreamError::Store(_) => {
            false
        }
    }
}

/// What the upstreams said until one had it.
struct Tried(Option<UpstreamError>);

impl Tried {
    /// Keeps the first failure, after which the next is asked.
    fn failed(&mut self, source: &Source, error: UpstreamError) -> Result<(), UpstreamError> {
        if !passes_on(&error) {
            return Err(error);
        }
        tracing::info!(upstream = source.upstream.host(), repository = source.repository, %error,
            "an upstream gave nothing");
        self.0.get_or_insert(error);
        Ok(())
    }

    /// Nobody had it: it is missing where all say so.
    fn none<T>(self) -> Result<Option<T>, UpstreamError> {
        self.0.map_or(Ok(None), Err)
    }
}

impl Asked {
    /// A manifest by tag or digest, verified.
    pub(super) async fn manifest(&self, reference: &str) -> Upstreamed {
        let mut tried = Tried(None);
        for source in &self.sources {
            let asked = source.upstream.manifest(&source.repository, reference);
            match asked.await {
                Ok(None) => {}
                Ok(Some(found)) => return verified(source, reference, found).map(Some),
                Err(error) => tried.failed(source, error)?,
            }
        }
        tried.none()
    }

    /// The digests of a manifest's referrers, as the first upstream that answers says.
    pub(super) async fn referrers(&self, subject: &str) -> Result<Vec<String>, UpstreamError> {
        let mut tried = Tried(None);
        for source in &self.sources {
            let asked = source.upstream.referrers(&source.repository, subject);
            match asked.await {
                Ok(found) => return Ok(found),
                Err(error) => tried.failed(source, error)?,
            }
        }
        Ok(tried.none()?.unwrap_or_default())
    }

    /// A blob whose bytes are still to come, and whose they are.
    pub(super) async fn blob(
        &self,
        digest: &str,
    ) -> Result<Option<(&Source, UpstreamBlob)>, UpstreamError> {
        let mut tried = Tried(None);
        for source in &self.sources {
            match source.upstream.blob(&source.repository, digest).await {
                Ok(None) => {}
                Ok(Some(blob)) => return Ok(Some((source, blob))),
                Err(error) => tried.failed(source, error)?,
            }
        }
        tried.none()
    }
}

/// Verifies a manifest: by its digest where one is asked for or noted, and that it is one.
fn verified(
    source: &Source,
    reference: &str,
    found: UpstreamManifest,
) -> Result<Arc<FromUpstream>, UpstreamError> {
    if found.bytes.len() > MANIFEST_BYTES_MAX {
        return Err(UpstreamError::Invalid(format!(
            "it is longer than {MANIFEST_BYTES_MAX} bytes"
        )));
    }
    let named = match reference.contains(':') {
        true => Some(reference),
        false => found.digest.as_deref(),
    };
    let digest = match named {
        None => Digest::sha256_of(&found.bytes),
        Some(named) => {
            let expected: Digest = named.parse().map_err(|_| UpstreamError::Mismatch {
                expected: named.to_owned(),
                found: "a digest of an unknown form".to_owned(),
            })?;
            let digest = digest_of(expected.algorithm(), &found.bytes);
            if digest != expected {
                tracing::error!(upstream = source.upstream.host(), %expected, %digest,
                    "an upstream sent another manifest than the digest's");
                return Err(UpstreamError::Mismatch {
                    expected: expected.to_string(),
                    found: digest.to_string(),
                });
            }
            digest
        }
    };
    let kind = found.media_type.as_deref();
    let kind = kind.map(|kind| kind.split(';').next().unwrap_or(kind).trim());
    let parsed = manifest::parse(&found.bytes, kind);
    let parsed = parsed.map_err(|error| UpstreamError::Invalid(error.to_string()))?;
    Ok(Arc::new(FromUpstream {
        digest,
        media_type: parsed.media_type,
        bytes: found.bytes,
        host: source.upstream.host().into(),
        repository: source.repository.as_str().into(),
    }))
}
