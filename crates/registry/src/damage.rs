//! Damage: copies of blobs whose bytes are lost or changed, and manifests that are not those of their digests.
//!
//! What is known to be damaged is marked in the database. A marked copy is absent for everything that a pusher asks,
//! so that clients send the bytes again, and an error that says so for who pulls it. A push stores a copy of its own
//! under a new key and takes the mark away, in one transaction ([`link`](crate::layers)). What was replicated to another
//! server is fetched from there ([`healing`](crate::healing)). Marks come from reads that
//! fail, from the scrub and from checks ([`integrity`](crate::integrity)); each is an audit event.
//!
//! A disk that cannot read (`EIO`) proves no damage: a cable or a network may be away for a moment, and a mark on every
//! layer that was asked for meanwhile would keep them from being pulled. Such a read fails with a 503 and puts the copy
//! first in the order of the scrub. It is marked when it cannot be read twice more, a while after each other, and the
//! disk itself works before and after each time.

use std::sync::Arc;
use std::time::Duration;

use authz::ServiceName;
use blobs::{Blobs, Digest, ObjectKey, Source};
use serde_json::json;
use store::ecr::damage::{self, SCOPE};
use store::ecr::image::Content;
use store::service_events::{self, NewEvent};

use crate::cache::Change;
use crate::healing;
use crate::images::digest_of;
use crate::layer_keys::stored_word;
use crate::stored_copy::StoredCopy;
use crate::{Error, Manifest, Registry, RepositoryFacts};

/// How often a copy that could not be read is read again before it is called damaged.
const CONFIRMATIONS: u32 = 2;
/// How long after the time before. A disk that begins or ceases to fail does so for one thread before the other: an
/// attempt to write that succeeds says nothing of the read beside it.
const CONFIRM_AFTER: Duration = Duration::from_secs(1);

/// What is wrong with a stored copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// It has no file.
    Lost,
    /// Its file has another length.
    Size,
    /// Its bytes are not those of the digest, or do not open under their key.
    Bytes,
    /// The disk cannot read it.
    Unreadable,
}

impl Damage {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Damage::Lost => "LOST",
            Damage::Size => "WRONG_SIZE",
            Damage::Bytes => "WRONG_BYTES",
            Damage::Unreadable => "UNREADABLE",
        }
    }
}

/// Whether a stored manifest is that of its digest.
pub(crate) fn is_whole(content: &Content) -> Result<bool, Error> {
    let digest: Digest = content.digest.parse().map_err(Error::internal)?;
    Ok(digest_of(digest.algorithm(), &content.bytes) == digest)
}

impl Registry {
    /// Marks a copy that was found damaged; false when that is known, or another copy took its place.
    pub(crate) async fn mark_copy(
        &self,
        service: ServiceName,
        digest: &Digest,
        copy: &StoredCopy,
        found: Damage,
        now: i64,
    ) -> Result<bool, Error> {
        if found == Damage::Lost && !self.0.blobs.is_there().await? {
            return Err(Error::internal("the directory of blobs is not there"));
        }
        let (text, encryption) = (digest.to_string(), stored_word(copy.encryption));
        let key = copy.key.to_string();
        let mut tx = self.0.store.write(SCOPE).await?;
        let conn = &mut tx.conn();
        if !damage::mark(conn, &text, &encryption, &key, now).await? {
            return Ok(false);
        }
        let repositories = damage::repositories_of(conn, &text, &encryption).await?;
        let details = json!({
            "digest": text,
            "file": key,
            "damage": found.as_str(),
            "repositories": repositories.len(),
        });
        let event = NewEvent {
            occurred_at: now,
            service: service.as_str(),
            source: ServiceName::EVENT_SOURCE,
            name: "MarkDamagedLayer",
            account: None,
            resource: None,
            details: &details.to_string(),
        };
        service_events::insert(conn, &event).await?;
        healing::ask(conn, now).await?;
        let changes: Vec<Change> = repositories
            .into_iter()
            .map(|id| Change::Layer(id, *digest))
            .collect();
        self.commit(tx, &changes).await?;
        self.0.scrubbed.marked();
        tracing::error!(%digest, %key, damage = found.as_str(), "a layer is damaged: pushing it again repairs it");
        Ok(true)
    }

    /// The bytes of a copy, which marks it when a read finds that they are damaged, and suspects it when the disk cannot
    /// read them.
    pub(crate) fn watched(
        &self,
        digest: &Digest,
        copy: &StoredCopy,
        source: Source,
        now: i64,
    ) -> Source {
        let (registry, digest, copy) = (self.clone(), *digest, *copy);
        source.reporting(Arc::new(move |error| {
            let registry = registry.clone();
            if blobs::is_unreadable(error) {
                tokio::spawn(async move { registry.suspect(&copy.key).await });
                return;
            }
            tokio::spawn(async move {
                let service = ServiceName::Maintenance;
                let marked = registry.mark_copy(service, &digest, &copy, Damage::Bytes, now);
                if let Err(error) = marked.await {
                    tracing::error!(%digest, ?error, "cannot mark a damaged layer");
                }
            });
        }))
    }

    /// Puts a copy that the disk could not read first in the order of the scrub.
    pub(crate) async fn suspect(&self, key: &ObjectKey) {
        let noted = async {
            let text = key.to_string();
            // Every pull of it comes here; a row is written once.
            let mut read = self.0.store.read().await?;
            if damage::is_suspected(&mut read.conn(), &text).await? {
                return Ok(false);
            }
            drop(read);
            let mut tx = self.0.store.write(SCOPE).await?;
            let is_new = damage::suspect(&mut tx.conn(), &text).await?;
            tx.commit().await?;
            Ok::<_, Error>(is_new)
        };
        match noted.await {
            Ok(true) => {
                tracing::error!(%key, "a layer cannot be read: the scrub tries again before it is called damaged");
            }
            Ok(false) => {}
            Err(error) => tracing::error!(%key, ?error, "cannot note that a layer cannot be read"),
        }
    }

    /// What is wrong with a copy, once that is sure: one that could not be read is read again.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the disk itself does not work. Nothing is known of the copy then.
    pub(crate) async fn confirmed(
        &self,
        blobs: &Blobs,
        digest: &Digest,
        copy: &StoredCopy,
        found: Option<Damage>,
    ) -> Result<Option<Damage>, Error> {
        if found != Some(Damage::Unreadable) {
            return Ok(found);
        }
        for _ in 0..CONFIRMATIONS {
            self.0.blobs.probe().await?;
            tokio::time::sleep(CONFIRM_AFTER).await;
            let found = self.inspect(blobs, digest, copy, 0).await?;
            if found != Some(Damage::Unreadable) {
                return Ok(found);
            }
        }
        self.0.blobs.probe().await?;
        Ok(found)
    }

    /// What is wrong with a copy; `None` when it is whole. All its bytes are read, at most so many a second, or as fast
    /// as the disk where that is zero.
    pub(crate) async fn inspect(
        &self,
        blobs: &Blobs,
        digest: &Digest,
        copy: &StoredCopy,
        bytes_per_second: u64,
    ) -> Result<Option<Damage>, Error> {
        let verified = blobs.verify_paced(&copy.key, digest, bytes_per_second);
        let verified = verified.await?;
        Ok(match verified {
            blobs::Verified::Whole { size } if size == copy.size => None,
            blobs::Verified::Missing => Some(Damage::Lost),
            blobs::Verified::Unreadable => Some(Damage::Unreadable),
            blobs::Verified::Whole { .. } => Some(Damage::Size),
            blobs::Verified::Damaged { size, .. } if size != copy.size => Some(Damage::Size),
            blobs::Verified::Damaged { .. } => Some(Damage::Bytes),
        })
    }

    /// A stored manifest, compared with its digest.
    ///
    /// # Errors
    /// [`Error::ImageDamaged`]: it is marked, and never served.
    pub(crate) async fn whole_manifest(
        &self,
        repo: &RepositoryFacts,
        content: Content,
        now: i64,
    ) -> Result<Arc<Manifest>, Error> {
        if is_whole(&content)? {
            return Ok(Arc::new(Manifest::of(content)?));
        }
        self.mark_manifest(ServiceName::Maintenance, repo, &content, now)
            .await?;
        Err(Error::ImageDamaged(content.digest))
    }

    /// Marks an image whose manifest is not that of its digest; false when that is known.
    pub(crate) async fn mark_manifest(
        &self,
        service: ServiceName,
        repo: &RepositoryFacts,
        content: &Content,
        now: i64,
    ) -> Result<bool, Error> {
        let mut tx = self.write(repo.id).await?;
        let conn = &mut tx.conn();
        if !damage::mark_image(conn, content.id, now).await? {
            return Ok(false);
        }
        let event = NewEvent {
            occurred_at: now,
            service: service.as_str(),
            source: ServiceName::EVENT_SOURCE,
            name: "MarkDamagedImage",
            account: Some(repo.account.as_str()),
            resource: Some(&repo.arn),
            details: &json!({"imageDigest": content.digest}).to_string(),
        };
        service_events::insert(conn, &event).await?;
        healing::ask(conn, now).await?;
        let digest = content.digest.parse().map_err(Error::internal)?;
        // What other nodes have cached is whole: it was compared when it was read.
        self.commit(tx, &[Change::Image(repo.id, digest)]).await?;
        tracing::error!(repository = %repo.arn, digest = content.digest, "an image's manifest is damaged: pushing it again repairs it");
        Ok(true)
    }
}
