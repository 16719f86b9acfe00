//! Makes an image of the source an image of the destination, and removes one there.

use authz::ServiceName;
use serde_json::{Value, json};
use store::Write;
use store::ecr::image::{self, ACTIVE};
use store::ecr::quota::{IMAGES, TAGS};
use store::ecr::replication::Task;
use store::ecr::replication::{self, Status};
use store::ecr::{image_status, image_tag, layer, replication_backfill, repository};

use super::backfill::IMAGE_NOT_FOUND;
use super::run::{ReplicationFailure, ReplicationTask, ReplicationWork};
use crate::cache::Change;
use crate::damage::is_whole;
use crate::events::{self, Event, Replicated};
use crate::images::{Removal, remove};
use crate::layer_keys::stored_word;
use crate::manifest::{self, Parsed};
use crate::mutability::Mutability;
use crate::push::{NewImage, Pusher};
use crate::replication_outbox::COPY;
use crate::storage_class::restore;
use crate::tag_moves::{Cause, MoveMethod};
use crate::who::Who;
use crate::{Authorized, Error, Expected, Registry, RepositoryFacts, service_event};

/// One event for each tag, and one for an image that came without any.
pub(super) fn each_or_none(tags: &[String]) -> impl Iterator<Item = Option<&str>> {
    let untagged = tags.is_empty().then_some(None);
    tags.iter().map(|tag| Some(tag.as_str())).chain(untagged)
}

/// How deep lists of lists go.
const DEPTH_MAX: usize = 8;

/// The image of a source, as it is copied.
struct Original {
    id: i64,
    digest: blobs::Digest,
    parsed: Parsed,
    bytes: bytes::Bytes,
}

/// One copying: from where to where.
struct Copying<'a> {
    registry: &'a Registry,
    service: ServiceName,
    proof: &'a Authorized,
    work: &'a ReplicationWork,
    target: &'a RepositoryFacts,
}

impl Registry {
    /// Copies the image of a task, with the tags that are on it still. Nothing where the image is gone, or archived.
    pub(super) async fn copy_image(
        &self,
        service: ServiceName,
        proof: &Authorized,
        work: &ReplicationWork,
        target: &RepositoryFacts,
        task: &ReplicationTask,
    ) -> Result<(), ReplicationFailure> {
        let copying = Copying {
            registry: self,
            service,
            proof,
            work,
            target,
        };
        let tags: Vec<&str> = task.0.tags.lines().collect();
        let digest = &task.0.digest;
        if copying.copy(digest, &tags, Some(&task.0), 0).await? {
            return Ok(());
        }
        Ok(self.give_up_copy(work, task).await?)
    }

    /// The source has nothing to copy any more.
    async fn give_up_copy(
        &self,
        work: &ReplicationWork,
        task: &ReplicationTask,
    ) -> Result<(), Error> {
        let mut tx = self.write(work.source.id).await?;
        let conn = &mut tx.conn();
        replication::remove(conn, task.0.id).await?;
        if let Some(item) = task.0.backfill_item {
            replication_backfill::set_result(conn, item, Some((IMAGE_NOT_FOUND, ""))).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Removes a tag, or an image with all its tags, at the destination, unless the source has it again.
    pub(super) async fn delete_replica(
        &self,
        service: ServiceName,
        work: &ReplicationWork,
        target: &RepositoryFacts,
        task: &ReplicationTask,
        is_tag: bool,
        now: i64,
    ) -> Result<(), Error> {
        let task = &task.0;
        let cause = Cause::service(service, MoveMethod::Replication, now);
        let (mut changes, mut tags) = (Vec::new(), Vec::new());
        let mut tx = self.write(target.id).await?;
        let conn = &mut tx.conn();
        replication::remove(conn, task.id).await?;
        if is_tag {
            for tag in task.tags.lines() {
                let is_back = image_tag::find(conn, work.source.id, tag).await?.is_some();
                let there = image_tag::find(conn, target.id, tag).await?;
                if is_back || there.is_none_or(|(_, digest)| digest != task.digest) {
                    continue;
                }
                image_tag::delete(conn, target.id, tag).await?;
                let from = Some(task.digest.as_str());
                cause.record(conn, target.id, tag, from, None).await?;
                changes.push(Change::Tag(target.id, tag.to_owned()));
                tags.push(tag.to_owned());
            }
        } else if image::find(conn, work.source.id, &task.digest)
            .await?
            .is_none()
        {
            let digest = task.digest.parse().map_err(Error::internal)?;
            let removal = Removal {
                digest: Some(&digest),
                tag: None,
                expected: &Expected::default(),
            };
            match remove(&mut tx, target, removal, &cause, &mut changes).await {
                Ok(removed) => tags = removed.tags,
                Err(Error::ImageNotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        if !changes.is_empty() {
            let details = told(work, &task.action, &task.digest, &tags);
            let (conn, name) = (&mut tx.conn(), "ReplicateImage");
            service_event::insert(conn, service, name, target, &details, now).await?;
            self.note_change(&mut tx, target, now).await?;
        }
        self.commit(tx, &changes).await
    }
}

/// What an event tells of a change that was repeated.
pub(super) fn told(work: &ReplicationWork, action: &str, digest: &str, tags: &[String]) -> Value {
    json!({
        "repositoryName": &*work.source.name,
        "action": action,
        "imageDigest": digest,
        "imageTags": tags,
        "sourceRegistryId": work.source.account.as_str(),
        "sourceRegion": work.source.region.as_str(),
        "destinationRegistryId": work.account.as_str(),
        "destinationRegion": work.region.as_str(),
        "result": "SUCCESS",
    })
}

impl Copying<'_> {
    /// Copies an image after the images that it needs as a list; false where the source does not have it, active.
    async fn copy(
        &self,
        digest: &str,
        tags: &[&str],
        task: Option<&Task>,
        depth: usize,
    ) -> Result<bool, ReplicationFailure> {
        let Some(original) = self.original(digest).await? else {
            return Ok(false);
        };
        if depth >= DEPTH_MAX {
            let why = format!("lists are nested more than {DEPTH_MAX} deep");
            return Err(Error::InvalidManifest(why).into());
        }
        let mut failures = Vec::new();
        for child in &original.parsed.children {
            let child = child.digest.to_string();
            match Box::pin(self.copy(&child, &[], None, depth + 1)).await {
                Ok(_) => {}
                Err(failure) => {
                    let (_, may_pass) = failure.code();
                    failures.push(failure);
                    // The others would meet it as well.
                    if may_pass {
                        break;
                    }
                }
            }
        }
        if !failures.is_empty() {
            return Err(ReplicationFailure::Children(failures));
        }
        self.copy_encrypted_layers(&original).await?;
        Ok(self.put(&original, tags, task).await?)
    }

    /// Makes it an image of the destination, whose own images it needs are there.
    async fn put(
        &self,
        original: &Original,
        tags: &[&str],
        task: Option<&Task>,
    ) -> Result<bool, Error> {
        let digest = &*original.digest.to_string();
        let quotas = self.registry.account_quotas(self.target.account).await?;
        let (registry, source, target) = (self.registry, &self.work.source, self.target);
        let now = self.proof.now_ms();
        let mut tx = registry.write(target.id).await?;
        let Some(row) = repository::get(&mut tx.conn(), target.id).await? else {
            return Err(Error::RepositoryNotFound(target.place()));
        };
        let existing = image::find(&mut tx.conn(), target.id, digest).await?;
        let is_new = existing.is_none();
        let replica_id = match existing {
            Some(found) => {
                if found.status != ACTIVE {
                    let archived = image_status::get(&mut tx.conn(), found.id).await?;
                    restore(&mut tx, target, archived.into_iter().collect(), now).await?;
                }
                found.id
            }
            None => {
                self.link_layers(&mut tx, original, &quotas).await?;
                let new = NewImage {
                    digest: &original.digest,
                    tags,
                    parsed: &original.parsed,
                    bytes: &original.bytes,
                    method: MoveMethod::Replication,
                };
                let max = registry.0.settings.limits.images_per_repository_max;
                let by = Pusher {
                    who: Who::of(&self.proof.caller),
                    now,
                };
                let max = quotas.value(IMAGES, max);
                registry.insert(&by, &mut tx, target, &new, max).await?
            }
        };
        let mutability = Mutability::stored(&row)?;
        let cause = Cause::service(self.service, MoveMethod::Replication, now);
        let max = quotas.value(TAGS, registry.0.settings.limits.tags_per_image_max);
        let (mut changes, mut moved) = (Vec::new(), Vec::new());
        let conn = &mut tx.conn();
        let mut count = image_tag::count(conn, replica_id).await?.unsigned_abs();
        for tag in tags {
            // A later move has a task of its own.
            let at_source = image_tag::find(conn, source.id, tag).await?;
            if at_source.is_none_or(|(_, current)| current != digest) {
                continue;
            }
            let current = image_tag::find(conn, target.id, tag).await?;
            let current = current.map(|(_, current)| current);
            if current.as_deref() == Some(digest) {
                continue;
            }
            // "If tag immutability is enabled on a repository and an image is replicated that uses the same tag as an
            // existing image, the image is replicated but won't contain the duplicated tag" (user guide, "Private image
            // replication in Amazon ECR").
            if current.is_some() && mutability.forbids_moving(tag) {
                continue;
            }
            count += 1;
            if count > max {
                return Err(Error::TooManyImageTags {
                    tag: (*tag).to_owned(),
                    place: target.place(),
                    max,
                });
            }
            image_tag::put(conn, target.id, tag, replica_id, now).await?;
            let from = current.as_deref();
            cause
                .record(conn, target.id, tag, from, Some(digest))
                .await?;
            if current.is_some() {
                changes.push(Change::Tag(target.id, (*tag).to_owned()));
            }
            moved.push((*tag).to_owned());
        }
        let status = Status {
            destination: self.work.destination.clone(),
            status: "COMPLETE".to_owned(),
            failure_code: None,
            replica_id: Some(replica_id),
        };
        replication::set_status(conn, original.id, &status, now).await?;
        if let Some(task) = task {
            replication::remove(conn, task.id).await?;
            if let Some(item) = task.backfill_item {
                replication_backfill::set_result(conn, item, None).await?;
            }
        }
        if is_new || !moved.is_empty() {
            let details = told(self.work, COPY, digest, &moved);
            let name = "ReplicateImage";
            service_event::insert(conn, self.service, name, target, &details, now).await?;
            for tag in each_or_none(&moved) {
                let done = Event::Replication(Replicated {
                    succeeded: true,
                    digest,
                    tag,
                    source_account: source.account.as_str(),
                    source_region: source.region.as_str(),
                    failure: None,
                });
                events::emit(conn, target, &done, now).await?;
            }
            registry.note_change(&mut tx, target, now).await?;
        }
        registry.commit(tx, &changes).await?;
        Ok(true)
    }

    async fn original(&self, digest: &str) -> Result<Option<Original>, Error> {
        let mut read = self.registry.0.store.read().await?;
        let found = image::content_by_digest(&mut read.conn(), self.work.source.id, digest).await?;
        let Some(content) = found else {
            return Ok(None);
        };
        if !is_whole(&content)? {
            return Err(Error::ImageDamaged(content.digest));
        }
        let bytes = bytes::Bytes::from(content.bytes);
        Ok(Some(Original {
            id: content.id,
            digest: content.digest.parse().map_err(Error::internal)?,
            parsed: manifest::parse(&bytes, Some(&content.media_type))?,
            bytes,
        }))
    }

    /// Layers that are stored under another key than the destination's are read and written anew, before the
    /// transaction.
    async fn copy_encrypted_layers(&self, original: &Original) -> Result<(), Error> {
        let (source, target) = (&self.work.source, self.target);
        let (registry, now) = (self.registry, self.proof.now_ms());
        for digest in layer_digests(&original.parsed) {
            let (has, found) = {
                let mut read = registry.0.store.read().await?;
                let text = digest.to_string();
                let has = layer::size(&mut read.conn(), target.id, &text).await?;
                let found = layer::find(&mut read.conn(), source.id, &text).await?;
                (has.is_some(), found)
            };
            let is_other =
                |layer: layer::Linked| layer.blob.encryption != stored_word(target.encryption);
            if !has && found.is_some_and(is_other) {
                registry
                    .copy_layer(self.service, source, target, &digest, now)
                    .await?;
            }
        }
        Ok(())
    }

    /// Links the layers of an image: a blob is stored once for each key, and no byte is copied.
    async fn link_layers(
        &self,
        tx: &mut Write,
        original: &Original,
        quotas: &crate::account_quotas::AccountQuotas,
    ) -> Result<(), Error> {
        let now = self.proof.now_ms();
        for digest in layer_digests(&original.parsed) {
            let (text, conn) = (digest.to_string(), &mut tx.conn());
            // What is missing, the insertion says: a foreign layer may be.
            let found = layer::find(conn, self.work.source.id, &text).await?;
            let Some(layer::Linked { blob, .. }) = found else {
                continue;
            };
            let is_other = blob.encryption != stored_word(self.target.encryption);
            if is_other
                || blob.is_damaged
                || layer::size(conn, self.target.id, &text).await?.is_some()
            {
                continue;
            }
            if layer::link(conn, self.target.id, &text, &blob, now).await? {
                self.registry
                    .count_layer(tx, self.target, quotas, blob.size)
                    .await?;
            }
        }
        Ok(())
    }
}

fn layer_digests(parsed: &Parsed) -> Vec<blobs::Digest> {
    let foreign = parsed.foreign.iter().map(|layer| layer.descriptor.digest);
    let own = parsed.blobs.iter().map(|layer| layer.digest);
    own.chain(foreign).collect()
}
