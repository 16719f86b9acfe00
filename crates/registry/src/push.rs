//! Pushes: one transaction that checks what an image needs and stores it.

use blobs::Digest;
use bytes::Bytes;
use store::Write;
use store::ecr::image::{self, ACTIVE, Image};
use store::ecr::quota::{IMAGES, TAGS};
use store::ecr::usage::Amounts;
use store::ecr::{damage, image_facts, image_status, image_tag, layer, lifecycle, repository};

use crate::cache::Change;
use crate::events::{self, Artifact};
use crate::manifest::{Descriptor, Parsed};
use crate::mutability::Mutability;
use crate::replication_outbox::note_pushed;
use crate::repository::registry_of;
use crate::storage_class::restore;
use crate::tag_moves::{Cause, MoveMethod};
use crate::who::Who;
use crate::{Authorized, Error, Expected, Registry, RepositoryFacts};

/// How long after a change of its images a repository's lifecycle policy is run at the latest.
const CHANGE_DELAY_MS: i64 = 10 * 60_000;

/// An image to be stored, with the tags that shall point at it.
pub(crate) struct NewImage<'a> {
    pub(crate) digest: &'a Digest,
    pub(crate) tags: &'a [&'a str],
    pub(crate) parsed: &'a Parsed,
    pub(crate) bytes: &'a Bytes,
    /// How the push came.
    pub(crate) method: MoveMethod,
}

/// Who adds an image, and when.
pub(crate) struct Pusher {
    pub(crate) who: Who,
    pub(crate) now: i64,
}

/// What a push changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// A new image, a new tag, or a moved one.
    Changed,
    /// Nothing: image and tags were there.
    Same,
}

impl Registry {
    /// Stores an image and points its tags at it, in one transaction. With `expected`, the
    /// reference's present manifest must be what the caller requires; this is asked first,
    /// "just before it would process the request content" (RFC 9110, section 13.2.1).
    pub(crate) async fn push(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        new: &NewImage<'_>,
        expected: Option<(&str, &Expected)>,
    ) -> Result<Pushed, Error> {
        let digest = new.digest.to_string();
        let quotas = self.account_quotas(repo.account).await?;
        let mut tx = self.write(repo.id).await?;
        let Some(row) = repository::get(&mut tx.conn(), repo.id).await? else {
            return Err(Error::RepositoryNotFound(repo.place()));
        };
        let found = image::find_to_push(&mut tx.conn(), repo.id, &digest, new.bytes).await?;
        // A manifest that is not that of its digest is replaced by the one that was pushed.
        let is_whole = found.as_ref().is_none_or(|(_, is_whole)| *is_whole);
        let existing = found.map(|(image, _)| image);
        let mut tagged = Vec::with_capacity(new.tags.len());
        for tag in new.tags {
            let current = image_tag::find(&mut tx.conn(), repo.id, tag).await?;
            tagged.push((*tag, current.map(|(_, current)| current)));
        }
        if let Some((reference, expected)) = expected {
            let of_tag = tagged.iter().find(|(tag, _)| *tag == reference);
            let current = match of_tag {
                Some((_, current)) => current.as_deref(),
                None => existing.as_ref().map(|image| image.digest.as_str()),
            };
            if !expected.holds(current) {
                return Err(Error::PreconditionFailed {
                    reference: reference.to_owned(),
                });
            }
        }
        let moves = |current: &Option<String>| current.as_ref().is_some_and(|c| *c != digest);
        let mutability = Mutability::stored(&row)?;
        let refused = |(tag, current): &&(&str, Option<String>)| {
            moves(current) && mutability.forbids_moving(tag)
        };
        if let Some((tag, _)) = tagged.iter().find(refused) {
            return Err(Error::ImageTagAlreadyExists {
                tag: (*tag).to_owned(),
                place: repo.place(),
            });
        }
        let is_here = |current: &Option<String>| current.as_ref() == Some(&digest);
        let is_active = existing
            .as_ref()
            .is_some_and(|image| image.status == ACTIVE);
        if is_active && is_whole && tagged.iter().all(|(_, current)| is_here(current)) {
            // What is there may be of a transaction whose COMMIT is still to come.
            tx.commit().await?;
            return Ok(Pushed::Same);
        }
        let cause = Cause::caller(
            cx,
            match existing {
                Some(_) => MoveMethod::Retag,
                None => new.method,
            },
        );
        let image_id = match existing {
            Some(image) => {
                if !is_whole {
                    damage::restore_manifest(&mut tx.conn(), image.id, new.bytes).await?;
                }
                image.id
            }
            None => {
                let max = self.0.settings.limits.images_per_repository_max;
                let max = quotas.value(IMAGES, max);
                let by = Pusher {
                    who: Who::of(&cx.caller),
                    now: cx.now_ms(),
                };
                self.insert(&by, &mut tx, repo, new, max).await?
            }
        };
        // A push restores an archived image, and the archived images that a list needs (user guide,
        // "Restoring an archived image"): what was acknowledged can be pulled.
        let conn = &mut tx.conn();
        let mut archived = match new.parsed.children.is_empty() {
            true => Vec::new(),
            false => image_status::children(conn, image_id).await?,
        };
        if !is_active {
            archived.extend(image_status::get(conn, image_id).await?);
        }
        restore(&mut tx, repo, archived, cx.now_ms()).await?;
        let mut changes = Vec::new();
        let mut given = Vec::new();
        let max = quotas.value(TAGS, self.0.settings.limits.tags_per_image_max);
        let mut count = image_tag::count(&mut tx.conn(), image_id)
            .await?
            .unsigned_abs();
        for (tag, current) in tagged.iter().filter(|(_, current)| !is_here(current)) {
            count += 1;
            if count > max {
                return Err(Error::TooManyImageTags {
                    tag: (*tag).to_owned(),
                    place: repo.place(),
                    max,
                });
            }
            image_tag::put(&mut tx.conn(), repo.id, tag, image_id, cx.now_ms()).await?;
            given.push(*tag);
            let to = Some(digest.as_str());
            cause
                .record(&mut tx.conn(), repo.id, tag, current.as_deref(), to)
                .await?;
            if moves(current) {
                changes.push(Change::Tag(repo.id, (*tag).to_owned()));
            }
        }
        let artifact = Artifact {
            digest: &digest,
            media_type: Some(&new.parsed.media_type),
            artifact_type: new.parsed.artifact_type.as_deref(),
            is_referrer: new.parsed.subject.is_some(),
        };
        events::pushed(&mut tx.conn(), repo, artifact, &given, cx.now_ms()).await?;
        note_pushed(
            &mut tx.conn(),
            repo,
            image_id,
            &digest,
            new.tags,
            cx.now_ms(),
        )
        .await?;
        self.note_change(&mut tx, repo, cx.now_ms()).await?;
        self.commit(tx, &changes).await?;
        self.note(
            cx,
            repo,
            None,
            Amounts {
                received: i64::try_from(new.bytes.len()).unwrap_or(i64::MAX),
                pushes: 1,
                ..Amounts::default()
            },
        );
        Ok(Pushed::Changed)
    }

    /// The repository's images change: its lifecycle policy, if it has one, is run some time later.
    pub(crate) async fn note_change(
        &self,
        tx: &mut Write,
        repo: &RepositoryFacts,
        now: i64,
    ) -> Result<(), Error> {
        let at = now.saturating_add(CHANGE_DELAY_MS);
        Ok(lifecycle::request_run(&mut tx.conn(), repo.id, at).await?)
    }

    /// Adds the rows of a new image after checking that all it needs is there.
    pub(crate) async fn insert(
        &self,
        by: &Pusher,
        tx: &mut Write,
        repo: &RepositoryFacts,
        new: &NewImage<'_>,
        images_max: u64,
    ) -> Result<i64, Error> {
        let NewImage { parsed, bytes, .. } = new;
        // A foreign layer belongs to its image too. Its row is written whether it is here or
        // not: one that is pushed later belongs to the image as well.
        let foreign = parsed.foreign.iter().map(|layer| &layer.descriptor);
        let layer_digests = digests(parsed.blobs.iter().chain(foreign));
        let child_digests = digests(&parsed.children);
        let layers = layer::sizes(&mut tx.conn(), repo.id, &layer_digests).await?;
        let found = |d: &str| {
            layers
                .iter()
                .find(|(known, _)| known == d)
                .map(|(_, size)| *size)
        };
        let mut missing = check(&parsed.blobs, found)?;
        for layer in &parsed.foreign {
            let absent = check(std::slice::from_ref(&layer.descriptor), found)?;
            missing.extend(absent.into_iter().filter(|_| !layer.fetchable));
        }
        if !missing.is_empty() {
            return Err(Error::LayersNotFound {
                digests: missing,
                place: repo.place(),
            });
        }
        let children = image::sizes(&mut tx.conn(), repo.id, &child_digests).await?;
        let found = |d: &str| children.iter().find(|(known, ..)| known == d).map(|c| c.1);
        let missing = check(&parsed.children, found)?;
        if !missing.is_empty() && !parsed.sparse {
            return Err(Error::ReferencedImagesNotFound {
                digests: missing,
                place: repo.place(),
            });
        }
        let own_size = layers
            .iter()
            .filter(|(known, _)| {
                parsed
                    .layers
                    .iter()
                    .any(|layer| layer.to_string() == *known)
            })
            .fold(0_i64, |sum, (_, size)| sum.saturating_add(*size));
        // Of a list, the size of its largest image (ECR API, `ImageDetail`).
        let largest_child = children.iter().map(|child| child.2).max().unwrap_or(0);

        let max_rows = i64::try_from(images_max).unwrap_or(i64::MAX);
        if !repository::add_image(&mut tx.conn(), repo.id, max_rows).await? {
            return Err(Error::TooManyImages {
                place: repo.place(),
                max: images_max,
            });
        }
        let annotations = match parsed.subject {
            Some(_) => Some(serde_json::to_string(&parsed.annotations).map_err(Error::internal)?),
            None => None,
        };
        let row = Image {
            id: 0,
            digest: new.digest.to_string(),
            media_type: parsed.media_type.clone(),
            artifact_type: parsed.artifact_type.clone(),
            subject: parsed.subject.map(|subject| subject.to_string()),
            content_size: i64::try_from(bytes.len()).map_err(Error::internal)?,
            image_size: own_size.max(largest_child),
            pushed_at: by.now,
            pulled_at: None,
            status: ACTIVE.to_owned(),
            archived_at: None,
            activated_at: None,
        };
        let image_id =
            image::insert(&mut tx.conn(), repo.id, &row, annotations.as_deref(), bytes).await?;
        let facts = image_facts::ImageFacts {
            registry: registry_of(repo.account.as_str(), repo.region.as_str()),
            pushed_by: Some(by.who.principal.clone()),
            pushed_session: by.who.session_name.clone(),
            platform: None,
        };
        image_facts::insert(&mut tx.conn(), image_id, repo.id, &facts, by.now).await?;
        for digest in &layer_digests {
            image::add_layer(&mut tx.conn(), image_id, repo.id, digest).await?;
        }
        for digest in &child_digests {
            image::add_child(&mut tx.conn(), image_id, repo.id, digest).await?;
        }
        Ok(image_id)
    }
}

fn digests<'a>(descriptors: impl IntoIterator<Item = &'a Descriptor>) -> Vec<String> {
    let text = |descriptor: &Descriptor| descriptor.digest.to_string();
    descriptors.into_iter().map(text).collect()
}

/// Those of `wanted` that are missing. One that is there with another size makes an
/// image that no client can pull: it is refused.
fn check(wanted: &[Descriptor], found: impl Fn(&str) -> Option<i64>) -> Result<Vec<String>, Error> {
    let mut missing = Vec::new();
    for descriptor in wanted {
        let digest = descriptor.digest.to_string();
        match found(&digest) {
            None => missing.push(digest),
            Some(size) if size.unsigned_abs() == descriptor.size => {}
            Some(size) => {
                return Err(Error::InvalidManifest(format!(
                    "the size of {digest} is {size}, not {}",
                    descriptor.size
                )));
            }
        }
    }
    Ok(missing)
}
