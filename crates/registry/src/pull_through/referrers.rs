//! Referrers: signatures, SBOMs and the like, which say themselves which image they are about.

use std::sync::Arc;

use store::ecr::pull_through;

use super::asked::Asked;
use super::cache::{PullThroughCache, failed};
use super::upstream::UpstreamError;
use crate::{Authorized, Error, Registry, RepositoryFacts, manifest};

/// Referrers of an image that are cached; the upstream's first ones.
const REFERRERS_MAX: usize = 50;
/// Bytes that all referrers of an image may have, with their blobs.
const BYTES_MAX: u64 = 256 << 20;

impl PullThroughCache {
    /// Stores what the upstream says is about `subject`. Who asks for the same at a time waits for one run.
    ///
    /// # Errors
    /// See [`UpstreamError`]. A referrer that cannot be stored is left out.
    pub async fn referrers(
        &self,
        cx: &Arc<Authorized>,
        repo: &Arc<RepositoryFacts>,
        asked: &Asked,
        subject: &str,
    ) -> Result<(), UpstreamError> {
        let key = (repo.id, subject.to_owned());
        let (cache, cx, repo) = (self.clone(), Arc::clone(cx), Arc::clone(repo));
        let (asked, subject) = (asked.clone(), subject.to_owned());
        let run = async move { cache.store_referrers(&cx, &repo, &asked, &subject).await };
        self.once_for_referrers(key, run).await
    }

    pub(super) async fn store_referrers(
        &self,
        cx: &Arc<Authorized>,
        repo: &Arc<RepositoryFacts>,
        asked: &Asked,
        subject: &str,
    ) -> Result<(), UpstreamError> {
        let found = asked.referrers(subject).await?;
        if found.len() > REFERRERS_MAX {
            tracing::warn!(repository = %repo.arn, subject, count = found.len(),
                "an image has too many referrers at its upstream: some are not cached");
        }
        let mut left = BYTES_MAX;
        for digest in found.iter().take(REFERRERS_MAX) {
            let stored = self.store_referrer(cx, repo, asked, (subject, digest), &mut left);
            if let Err(error) = stored.await {
                tracing::warn!(repository = %repo.arn, subject, digest, %error,
                    "a referrer of an upstream is not cached");
            }
        }
        let noted = self.0.registry.referrers_compared(cx, repo, subject);
        noted.await.map_err(|error| failed(&error))
    }

    async fn store_referrer(
        &self,
        cx: &Arc<Authorized>,
        repo: &Arc<RepositoryFacts>,
        asked: &Asked,
        (subject, digest): (&str, &str),
        left: &mut u64,
    ) -> Result<(), UpstreamError> {
        match self.0.registry.stat_manifest(cx, repo, digest).await {
            Ok(_) => return Ok(()),
            Err(Error::ImageNotFound { .. }) => {}
            Err(error) => return Err(failed(&error)),
        }
        // A list may name what was deleted since.
        let Some(found) = self.manifest(asked, digest).await? else {
            return Ok(());
        };
        let parsed = manifest::parse(&found.bytes, Some(&found.media_type));
        let parsed = parsed.map_err(|error| UpstreamError::Invalid(error.to_string()))?;
        // What the upstream's list says is not enough: it could name any image.
        let is_about = parsed.subject.is_some_and(|of| of.to_string() == subject);
        if !is_about || !parsed.children.is_empty() {
            let what = "it does not say that it is about the image, or is a list";
            return Err(UpstreamError::Invalid(what.to_owned()));
        }
        let blobs = parsed.blobs.iter().map(|blob| blob.size);
        let bytes = blobs.fold(found.bytes.len() as u64, u64::saturating_add);
        *left = left.checked_sub(bytes).ok_or_else(|| {
            UpstreamError::Invalid(format!("the referrers have more than {BYTES_MAX} bytes"))
        })?;
        self.needs(cx, repo, asked, &found, 0).await?;
        self.tag(cx, repo, asked, &found, &[]).await
    }
}

impl Registry {
    /// Whether an image's referrers were compared with the upstream in the last seconds.
    ///
    /// # Errors
    /// The store's.
    pub async fn are_referrers_fresh(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        subject: &str,
        seconds: u32,
    ) -> Result<bool, Error> {
        let mut read = self.0.store.read().await?;
        // No tag has a colon, so the digest is the name of no tag's row.
        let checked_at = pull_through::checked_at(&mut read.conn(), repo.id, subject).await?;
        let fresh_ms = i64::from(seconds) * 1000;
        if self.is_resting() {
            return Ok(checked_at.is_some());
        }
        Ok(checked_at.is_some_and(|at| cx.now_ms() - at < fresh_ms))
    }

    async fn referrers_compared(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        subject: &str,
    ) -> Result<(), Error> {
        let mut tx = self.write(repo.id).await?;
        pull_through::checked(&mut tx.conn(), repo.id, subject, cx.now_ms()).await?;
        Ok(tx.commit().await?)
    }
}
