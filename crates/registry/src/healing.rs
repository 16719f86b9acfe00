//! Healing: what is damaged here is fetched from the registries of other servers that it was replicated to.
//!
//! A mark asks for the job, which walks over everything that is marked. The caller fetches the bytes; they are compared
//! with their digest, and take the place of what is damaged as those of a push do. So it makes no difference what a peer
//! answers, and a push may come first.

use authz::ServiceName;
use blobs::{BoxError, Digest, PutError};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use jiff::Timestamp;
use serde_json::json;
use store::Conn;
use store::ecr::damage::{self, Damaged as Row};
use store::ecr::replication_peer::{self, Peer};
use store::ecr::repository;
use store::jobs;

use crate::cache::Change;
use crate::images::digest_of;
use crate::{Error, Registry, RepositoryFacts, service_event};

/// The kind of the job.
pub const JOB: &str = "heal";
/// There is one job for all that is damaged.
const SUBJECT: &str = "all";
/// What one statement reads.
const ROWS_AT_ONCE: i64 = 100;

/// Asks for the job, in the transaction of what it is needed for.
pub(crate) async fn ask(conn: &mut Conn<'_>, now: i64) -> Result<(), store::Error> {
    jobs::put(conn, JOB, SUBJECT, "", now).await
}

/// What is damaged, in one of the repositories that have it.
#[derive(Clone, Debug)]
pub struct Damaged {
    /// The repository.
    pub repository: RepositoryFacts,
    /// The digest.
    pub digest: Digest,
    /// What it is.
    pub content: Content,
    /// Where the repository is replicated to, of other servers.
    pub peers: Vec<Peer>,
}

/// What is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A layer.
    Layer {
        /// Its length in bytes.
        size: u64,
    },
    /// The manifest of an image.
    Manifest {
        /// The image's id.
        image_id: i64,
    },
}

/// What became of bytes that a peer sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Healed {
    /// They took the place of what is damaged, unless that was whole by then.
    Whole,
    /// They are not those of the digest.
    OtherBytes,
}

/// How far a walk over everything that is damaged has come: layers, then manifests.
#[derive(Clone, Debug)]
pub enum Walk {
    /// Behind the layer of this digest in the repository of this id.
    Layers(String, i64),
    /// Behind the image of this id.
    Manifests(i64),
}

impl Default for Walk {
    fn default() -> Self {
        Walk::Layers(String::new(), 0)
    }
}

impl Registry {
    /// The next of what is damaged, and how far the walk is then; `None` at its end. What has no peer is left out.
    ///
    /// # Errors
    /// The store's.
    pub async fn damaged_after(
        &self,
        _: ServiceName,
        walk: &Walk,
    ) -> Result<Option<(Vec<Damaged>, Walk)>, Error> {
        let rows = {
            let mut read = self.0.store.read().await?;
            let conn = &mut read.conn();
            match walk {
                Walk::Layers(digest, repository) => {
                    let after = (digest.as_str(), *repository);
                    damage::layers_after(conn, after, ROWS_AT_ONCE).await?
                }
                Walk::Manifests(image) => damage::images_after(conn, *image, ROWS_AT_ONCE).await?,
            }
        };
        let next = match (walk, rows.last()) {
            (Walk::Layers(..), None) => Walk::Manifests(0),
            (Walk::Manifests(_), None) => return Ok(None),
            (Walk::Layers(..), Some(row)) => Walk::Layers(row.digest.clone(), row.repository_id),
            (Walk::Manifests(_), Some(row)) => Walk::Manifests(row.number),
        };
        let mut found = Vec::new();
        for row in &rows {
            let content = match walk {
                Walk::Layers(..) => Content::Layer {
                    size: u64::try_from(row.number).map_err(Error::internal)?,
                },
                Walk::Manifests(_) => Content::Manifest {
                    image_id: row.number,
                },
            };
            found.extend(self.with_peers(row, content).await?);
        }
        Ok(Some((found, next)))
    }

    /// What is damaged with the peers that may have it; `None` where there are none.
    async fn with_peers(&self, row: &Row, content: Content) -> Result<Option<Damaged>, Error> {
        let mut read = self.0.store.read().await?;
        let found = repository::get(&mut read.conn(), row.repository_id).await?;
        drop(read);
        let Some(found) = found else {
            return Ok(None);
        };
        let repository = self.facts_of_row(&found).await?;
        let known = {
            let mut read = self.0.store.read().await?;
            let (account, region) = (repository.account.as_str(), repository.region.as_str());
            replication_peer::list(&mut read.conn(), account, region).await?
        };
        let rules = &repository.registry.replication;
        let destinations = rules.destinations(&repository.name, false);
        let is_for = |peer: &Peer| {
            let mut all = destinations.iter();
            all.any(|one| one.word() == peer.destination)
        };
        let peers: Vec<Peer> = known.into_iter().filter(is_for).collect();
        if peers.is_empty() {
            return Ok(None);
        }
        Ok(Some(Damaged {
            digest: row.digest.parse().map_err(Error::internal)?,
            repository,
            content,
            peers,
        }))
    }

    /// Whether it is damaged still: a push may have come first, or the same bytes for another repository.
    ///
    /// # Errors
    /// The store's.
    pub async fn is_damaged(&self, _: ServiceName, of: &Damaged) -> Result<bool, Error> {
        match of.content {
            Content::Layer { .. } => self.is_layer_damaged(of.repository.id, &of.digest).await,
            Content::Manifest { image_id } => {
                let mut read = self.0.store.read().await?;
                Ok(damage::is_image_damaged(&mut read.conn(), image_id).await?)
            }
        }
    }

    /// Takes the bytes of a damaged layer, which a peer sent.
    ///
    /// # Errors
    /// Those of the store and of the blobs; [`Error::BodyBroken`] when the stream fails or is longer than the layer,
    /// [`Error::Kms`].
    pub async fn heal_layer<S, E>(
        &self,
        service: ServiceName,
        of: &Damaged,
        peer: &Peer,
        bytes: S,
        now: Timestamp,
    ) -> Result<Healed, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError>,
    {
        let (repository, now) = (&of.repository, now.as_millisecond());
        let Content::Layer { size: mut left } = of.content else {
            return Err(Error::internal("a manifest is not a layer"));
        };
        // A peer fills no disk: what is longer than the layer is given up.
        let bytes = bytes.map(move |chunk| {
            let chunk = chunk.map_err(Into::into)?;
            let rest = left.checked_sub(chunk.len() as u64);
            left = rest.ok_or_else(|| BoxError::from("the peer sends more than the layer has"))?;
            Ok::<_, BoxError>(chunk)
        });
        let blobs = self.blobs_of(repository).await?;
        let received = match blobs.receive(&of.digest, bytes).await {
            Err(PutError::DigestMismatch { .. }) => return Ok(Healed::OtherBytes),
            received => received?,
        };
        if !self.is_damaged(service, of).await? {
            if let Err(error) = received.discard().await {
                tracing::warn!(%error, "cannot remove an upload: a sweep does");
            }
            return Ok(Healed::Whole);
        }
        self.link_received(repository, received, None, now).await?;
        let mut tx = self.write(repository.id).await?;
        let details = json!({"digest": of.digest.to_string(), "peer": peer.endpoint});
        let (conn, name) = (&mut tx.conn(), "HealDamagedLayer");
        service_event::insert(conn, service, name, repository, &details, now).await?;
        tx.commit().await?;
        tracing::warn!(repository = %repository.arn, digest = %of.digest, peer = peer.endpoint,
            "a damaged layer was fetched from a peer");
        Ok(Healed::Whole)
    }

    /// Takes the damaged manifest of an image, which a peer sent.
    ///
    /// # Errors
    /// The store's.
    pub async fn heal_manifest(
        &self,
        service: ServiceName,
        of: &Damaged,
        peer: &Peer,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<Healed, Error> {
        if digest_of(of.digest.algorithm(), bytes) != of.digest {
            return Ok(Healed::OtherBytes);
        }
        let Content::Manifest { image_id } = of.content else {
            return Err(Error::internal("a layer is not a manifest"));
        };
        let (repository, now) = (&of.repository, now.as_millisecond());
        let mut tx = self.write(repository.id).await?;
        let conn = &mut tx.conn();
        if !damage::is_image_damaged(conn, image_id).await? {
            return Ok(Healed::Whole);
        }
        damage::restore_manifest(conn, image_id, bytes).await?;
        let details = json!({"imageDigest": of.digest.to_string(), "peer": peer.endpoint});
        service_event::insert(conn, service, "HealDamagedImage", repository, &details, now).await?;
        self.commit(tx, &[Change::Image(repository.id, of.digest)])
            .await?;
        tracing::warn!(repository = %repository.arn, digest = %of.digest, peer = peer.endpoint,
            "a damaged manifest was fetched from a peer");
        Ok(Healed::Whole)
    }
}
