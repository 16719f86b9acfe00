//! Registries of other servers: what is to be done there, which the server does, and what became of it.

use authz::ServiceName;
use jiff::{SignedDuration, Timestamp};
use store::ecr::replication::{self, JOB, Status};
use store::ecr::replication_peer::{self as table, JOB as PEER_JOB, Peer};
use store::ecr::{image, image_tag, replication_backfill, repository};
use store::{Scope, jobs};

use super::backfill::IMAGE_NOT_FOUND;
use super::copy::{each_or_none, told};
use super::run::{ReplicationTask, ReplicationWork};
use crate::damage::is_whole;
use crate::events::{self, Event, Replicated};
use crate::replication_outbox::{COPY, DELETE_TAG};
use crate::{Error, Registry, RepositoryFacts, service_event};

/// Repositories that are read at once.
const REPOSITORIES_AT_ONCE: i64 = 100;
/// Pull times that are written in one transaction.
const PULLS_AT_ONCE: usize = 500;
/// What is kept of an error's text.
const ERROR_CHARS_MAX: usize = 500;

/// What a task asks for at its destination, as the source is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplicationChange {
    /// The image is there, with these tags.
    Copy {
        /// Those of the task that are on the image still: a later move has a task of its own.
        tags: Vec<String>,
    },
    /// These tags are not on the image.
    DeleteTags {
        /// Those of the task that are not back.
        tags: Vec<String>,
    },
    /// The image is not there.
    DeleteImage,
    /// Nothing: the source has nothing to copy, or has the image again.
    Nothing,
}

/// When a replica was pulled.
#[derive(Clone, Debug)]
pub struct ReplicaPull {
    /// The image's digest.
    pub digest: String,
    /// When.
    pub at: Timestamp,
}

impl Registry {
    /// Asks for the job that repeats changes of a subject inside the server, or at a peer.
    ///
    /// # Errors
    /// The store's.
    pub async fn request_replication(
        &self,
        _: ServiceName,
        subject: &str,
        at_peer: bool,
        now: Timestamp,
    ) -> Result<(), Error> {
        let kind = match at_peer {
            true => PEER_JOB,
            false => JOB,
        };
        let mut tx = self.0.store.write(jobs::SCOPE).await?;
        jobs::put(&mut tx.conn(), kind, subject, "", now.as_millisecond()).await?;
        Ok(tx.commit().await?)
    }

    /// What a task asks for now.
    ///
    /// # Errors
    /// The store's.
    pub async fn replication_change(
        &self,
        _: ServiceName,
        work: &ReplicationWork,
        task: &ReplicationTask,
    ) -> Result<ReplicationChange, Error> {
        let (source, task) = (work.source.id, &task.0);
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let mut tags = Vec::new();
        if task.action == COPY {
            let found = image::content_by_digest(conn, source, &task.digest).await?;
            if found.is_none() {
                return Ok(ReplicationChange::Nothing);
            }
            for tag in task.tags.lines() {
                let at_source = image_tag::find(conn, source, tag).await?;
                if at_source.is_some_and(|(_, digest)| digest == task.digest) {
                    tags.push(tag.to_owned());
                }
            }
            return Ok(ReplicationChange::Copy { tags });
        }
        if task.action == DELETE_TAG {
            for tag in task.tags.lines() {
                if image_tag::find(conn, source, tag).await?.is_none() {
                    tags.push(tag.to_owned());
                }
            }
            return Ok(match tags.is_empty() {
                true => ReplicationChange::Nothing,
                false => ReplicationChange::DeleteTags { tags },
            });
        }
        Ok(match image::find(conn, source, &task.digest).await? {
            Some(_) => ReplicationChange::Nothing,
            None => ReplicationChange::DeleteImage,
        })
    }

    /// The manifest of an active image: its media type and its bytes.
    ///
    /// # Errors
    /// The store's.
    pub async fn replicated_manifest(
        &self,
        _: ServiceName,
        source: &RepositoryFacts,
        digest: &blobs::Digest,
    ) -> Result<Option<(String, bytes::Bytes)>, Error> {
        let mut read = self.0.store.read().await?;
        let digest = digest.to_string();
        let found = image::content_by_digest(&mut read.conn(), source.id, &digest).await?;
        match found {
            Some(content) if !is_whole(&content)? => Err(Error::ImageDamaged(content.digest)),
            found => Ok(found.map(|content| (content.media_type, content.bytes.into()))),
        }
    }

    /// Notes that a peer has what a task asked for.
    ///
    /// # Errors
    /// The store's.
    pub async fn repeated_at_peer(
        &self,
        service: ServiceName,
        work: &ReplicationWork,
        task: &ReplicationTask,
        change: &ReplicationChange,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (now, task) = (now.as_millisecond(), &task.0);
        let source = RepositoryFacts {
            registry: self
                .registry_facts(&work.source.account, &work.source.region)
                .await?,
            ..work.source.clone()
        };
        let mut tx = self.write(source.id).await?;
        let conn = &mut tx.conn();
        if !replication::remove(conn, task.id).await? {
            // Another node has done it.
            return Ok(());
        }
        let tags = match change {
            ReplicationChange::Nothing => {
                if let Some(item) = task.backfill_item {
                    let why = Some((IMAGE_NOT_FOUND, ""));
                    replication_backfill::set_result(conn, item, why).await?;
                }
                return Ok(tx.commit().await?);
            }
            ReplicationChange::Copy { tags } | ReplicationChange::DeleteTags { tags } => {
                tags.as_slice()
            }
            ReplicationChange::DeleteImage => &[],
        };
        let details = told(work, &task.action, &task.digest, tags);
        service_event::insert(conn, service, "ReplicateImage", &source, &details, now).await?;
        if matches!(change, ReplicationChange::Copy { .. }) {
            if let Some(found) = image::find(conn, source.id, &task.digest).await? {
                let status = Status {
                    destination: work.destination.clone(),
                    status: "COMPLETE".to_owned(),
                    failure_code: None,
                    replica_id: None,
                };
                replication::set_status(conn, found.id, &status, now).await?;
            }
            if let Some(item) = task.backfill_item {
                replication_backfill::set_result(conn, item, None).await?;
            }
            // The peer tells of the push; who watches this registry learns here that it was replicated.
            for tag in each_or_none(tags) {
                let done = Event::Replication(Replicated {
                    succeeded: true,
                    digest: &task.digest,
                    tag,
                    source_account: source.account.as_str(),
                    source_region: source.region.as_str(),
                    failure: None,
                });
                events::emit(conn, &source, &done, now).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    /// Notes that a peer did what it was asked, or why not. What waits for one that does not answer is put off by
    /// `pause`.
    ///
    /// # Errors
    /// The store's.
    pub async fn note_peer(
        &self,
        _: ServiceName,
        peer: &Peer,
        failure: Option<&str>,
        put_off: Option<(&ReplicationWork, SignedDuration)>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let now = now.as_millisecond();
        let failure = failure.map(|text| text.chars().take(ERROR_CHARS_MAX).collect::<String>());
        let mut tx = self.0.store.write(Scope::System("peers")).await?;
        let conn = &mut tx.conn();
        let key = (&*peer.account, &*peer.region, &*peer.destination);
        table::note(conn, key, failure.as_deref(), now).await?;
        if let Some((work, pause)) = put_off {
            let pause = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
            let due_at = now.saturating_add(pause);
            table::put_off(conn, work.source.id, &work.destination, due_at).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The peer that a job's subject names; `None` where it is gone.
    ///
    /// # Errors
    /// The store's.
    pub async fn peer_of_job(&self, _: ServiceName, subject: &str) -> Result<Option<Peer>, Error> {
        let unreadable = || Error::internal(format!("`{subject}` names no peer"));
        let (account, rest) = subject.split_once(' ').ok_or_else(unreadable)?;
        let (region, destination) = rest.split_once(' ').ok_or_else(unreadable)?;
        let mut read = self.0.store.read().await?;
        Ok(table::find(&mut read.conn(), account, region, destination).await?)
    }

    /// The next repositories after `after` that are replicated to a peer, by id and name, and the last one that was
    /// looked at; `None` at the end.
    ///
    /// # Errors
    /// The store's.
    pub async fn replicated_repositories(
        &self,
        _: ServiceName,
        peer: &Peer,
        after: &str,
    ) -> Result<Option<(Vec<(i64, String)>, String)>, Error> {
        let account = peer.account.parse().map_err(Error::internal)?;
        let region = peer.region.parse().map_err(Error::internal)?;
        let facts = self.registry_facts(&account, &region).await?;
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let (account, region, limit) = (&*peer.account, &*peer.region, REPOSITORIES_AT_ONCE);
        let listed = repository::list(conn, account, region, after, limit).await?;
        let Some(last) = listed.last().map(|last| last.name.clone()) else {
            return Ok(None);
        };
        let is_for = |name: &str| {
            let all = facts.replication.destinations(name, false);
            all.iter().any(|one| one.word() == peer.destination)
        };
        let wanted = listed.into_iter().filter(|one| is_for(&one.name));
        Ok(Some((wanted.map(|one| (one.id, one.name)).collect(), last)))
    }

    /// Counts pulls of replicas at a peer as pulls of the images; how many times are new.
    ///
    /// # Errors
    /// The store's.
    pub async fn record_replica_pulls(
        &self,
        _: ServiceName,
        repository_id: i64,
        pulls: &[ReplicaPull],
    ) -> Result<usize, Error> {
        let mut recorded = 0;
        for part in pulls.chunks(PULLS_AT_ONCE) {
            // As of pulls here: nothing is checked, so no repository has to wait.
            let mut tx = self.0.store.write(Scope::System("pulls")).await?;
            for pull in part {
                let at = pull.at.as_millisecond();
                let conn = &mut tx.conn();
                if table::record_pull(conn, repository_id, &pull.digest, at).await? {
                    recorded += 1;
                }
            }
            tx.commit().await?;
        }
        Ok(recorded)
    }
}
