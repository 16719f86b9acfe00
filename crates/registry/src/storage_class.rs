//! Storage classes: archived images are kept and not served (ECR User Guide, "Archiving an image in Amazon
//! ECR"). The bytes of an archived image stay where they are.
//!
//! What leads nowhere without an image goes with it, as at a deletion: the referrers without a tag that no list
//! needs. An image that is restored brings them back, and a list the images that it needs: else it could not
//! be pulled. So the images of an active list are active.

use std::collections::HashSet;

use authz::ServiceName;
use jiff::Timestamp;
use store::ecr::image::ACTIVE;
use store::ecr::image_status::{self, Marked};
use store::ecr::{referrer, repository};
use store::{Conn, Write};

use crate::replication_outbox::note_restored;
use crate::{Error, Registry, RepositoryFacts};
use crate::{events, service_event};

/// Images that one transaction restores, with what they bring back.
const IMAGES_AT_ONCE: i64 = 50;

/// The kind of the jobs that restore images. A job's subject is the repository's id.
pub const RESTORE_IMAGES_JOB: &str = "restore-images";

impl Registry {
    /// Restores the images of the repository with this id that are to be restored.
    ///
    /// # Errors
    /// The store's.
    pub async fn restore_images(
        &self,
        _: ServiceName,
        repository_id: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let id: i64 = repository_id.parse().map_err(Error::internal)?;
        let found = {
            let mut read = self.0.store.read().await?;
            repository::get(&mut read.conn(), id).await?
        };
        let Some(found) = found else {
            return Ok(());
        };
        let repo = &self.facts_of_row(&found).await?;
        loop {
            let mut tx = self.write(repo.id).await?;
            let waiting = image_status::activating(&mut tx.conn(), repo.id, IMAGES_AT_ONCE).await?;
            if waiting.is_empty() {
                return Ok(());
            }
            restore(&mut tx, repo, waiting, now.as_millisecond()).await?;
            tx.commit().await?;
        }
    }
}

/// Archives an image and the referrers that only it leads to, inside the transaction. What is cached of the
/// repository is stale then: its layers as well. Answers the digests of the referrers.
pub(crate) async fn archive(
    tx: &mut Write,
    repo: &RepositoryFacts,
    id: i64,
    digest: &str,
    now: i64,
) -> Result<Vec<String>, Error> {
    let mut archived = Vec::new();
    let mut waiting = vec![(id, digest.to_owned())];
    let mut seen = HashSet::from([id]);
    while let Some((id, digest)) = waiting.pop() {
        let conn = &mut tx.conn();
        image_status::archive(conn, id, now).await?;
        events::moved_class(conn, repo, &digest, None, now).await?;
        let referrers = referrer::sole(conn, repo.id, &digest).await?;
        let active = referrers.into_iter().filter(|image| image.status == ACTIVE);
        waiting.extend(
            active
                .map(|image| (image.id, image.digest))
                .filter(|(id, _)| seen.insert(*id))
                .inspect(|(_, digest)| archived.push(digest.clone())),
        );
    }
    Ok(archived)
}

/// Restores images that are not active, with the images that they need as lists and the referrers that only
/// they lead to. Nothing is cached of images that are not active, so nothing is stale then.
pub(crate) async fn restore(
    tx: &mut Write,
    repo: &RepositoryFacts,
    mut waiting: Vec<Marked>,
    now: i64,
) -> Result<(), Error> {
    let mut seen = HashSet::new();
    while let Some(image) = waiting.pop() {
        if image.status == ACTIVE || !seen.insert(image.id) {
            continue;
        }
        let conn = &mut tx.conn();
        image_status::activate(conn, image.id, now).await?;
        activated(conn, repo, &image.digest, now).await?;
        events::moved_class(conn, repo, &image.digest, Some(now), now).await?;
        note_restored(conn, repo, &image, now).await?;
        waiting.extend(image_status::children(conn, image.id).await?);
        waiting.extend(referrer::sole(conn, repo.id, &image.digest).await?);
    }
    Ok(())
}

/// An archived image is active again (ECR User Guide, "Logging Amazon ECR actions with AWS CloudTrail",
/// `ImageActivationEvent`; its details are not published).
async fn activated(
    conn: &mut Conn<'_>,
    repo: &RepositoryFacts,
    digest: &str,
    now: i64,
) -> Result<(), Error> {
    let details = serde_json::json!({
        "repositoryName": &*repo.name,
        "imageDigest": digest,
        "lastActivatedAt": now,
    });
    let (service, name) = (ServiceName::Lifecycle, "ImageActivationEvent");
    service_event::insert(conn, service, name, repo, &details, now).await
}
