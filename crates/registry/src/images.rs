//! Images: manifests put, served and deleted, the same way for both APIs.

use std::collections::HashSet;
use std::sync::Arc;

use blobs::{Algorithm, Digest};
use bytes::Bytes;
use store::Write;
use store::ecr::image;
use store::ecr::image_tag;

use crate::cache::Change;
use crate::deletion::{PARENTS_MAX, delete_with_referrers};
use crate::digest::parse_digest;
use crate::events::{self, Removed};
use crate::manifest;
use crate::name::{OCI_TAG_CHARS_MAX, Reference, is_tag};
use crate::push::NewImage;
use crate::replication_outbox::{Deletion, note_removed};
use crate::tag_moves::{Cause, MoveMethod};
use crate::{Authorized, Error, Expected, Manifest, Registry, RepositoryFacts};

/// `?tag=` parameters of one push. The specification asks for 10 at least.
const TAG_PARAMETERS_MAX: usize = 100;

/// A manifest to be pushed (`PUT /v2/<name>/manifests/<reference>?digest=&tag=`).
#[derive(Clone, Debug, Default)]
pub struct ManifestPush<'a> {
    /// A tag, or the manifest's digest.
    pub reference: &'a str,
    /// The digest that a push by tag must have, which also picks the algorithm under which
    /// the manifest is kept (`?digest=`, as `regctl image mod --digest-algo` sends it).
    pub digest: Option<&'a str>,
    /// Tags of a push by digest (`?tag=`; distribution-spec, "Pushing Manifests").
    pub tags: &'a [String],
    /// The media type that came with the bytes.
    pub media_type: Option<&'a str>,
    /// The manifest.
    pub bytes: Bytes,
    /// What the present manifest must be.
    pub expected: Expected,
    /// How it came; a push where absent.
    pub method: Option<MoveMethod>,
    /// Whether images of a list may be missing: of one that an upstream has (ADR 0017). No client can say so.
    pub sparse: bool,
}

/// What was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutManifest {
    /// The manifest's digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// The tags of this push, all of which now point at the manifest.
    pub tags: Vec<String>,
    /// Its `subject`, for the header `OCI-Subject`.
    pub subject: Option<Digest>,
}

/// What a deletion removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedManifest {
    /// The image's digest.
    pub digest: String,
    /// The tags that were removed.
    pub tags: Vec<String>,
    /// Whether the image is gone, or only one of its tags.
    pub image_deleted: bool,
    /// The digests of the referrers that were deleted with the image.
    pub referrers: Vec<String>,
}

impl DeletedManifest {
    /// For the outbox of replication.
    pub(crate) fn told(&self) -> Deletion<'_> {
        Deletion {
            digest: &self.digest,
            tags: &self.tags,
            image_deleted: self.image_deleted,
            referrers: &self.referrers,
        }
    }
}

impl Registry {
    /// Pushes a manifest under a tag or its digest, without further requirements; see
    /// [`Registry::push_manifest`].
    ///
    /// # Errors
    /// Those of [`Registry::push_manifest`].
    pub async fn put_manifest(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        reference: &str,
        media_type: Option<&str>,
        bytes: Bytes,
    ) -> Result<PutManifest, Error> {
        let push = ManifestPush {
            reference,
            media_type,
            bytes,
            ..ManifestPush::default()
        };
        self.push_manifest(cx, repo, push).await
    }

    /// Pushes a manifest under a tag, or under its digest and any number of tags. When this
    /// returns, image and tags are durable; on an error, nothing has changed. The same push
    /// again succeeds.
    ///
    /// # Errors
    /// [`Error::InvalidManifest`] and its kin, [`Error::LayersNotFound`],
    /// [`Error::ReferencedImagesNotFound`], [`Error::ImageTagAlreadyExists`],
    /// [`Error::ImageDigestDoesNotMatch`], [`Error::InvalidTag`],
    /// [`Error::PreconditionFailed`], [`Error::TooManyImages`], [`Error::TooManyImageTags`].
    pub async fn push_manifest(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        push: ManifestPush<'_>,
    ) -> Result<PutManifest, Error> {
        let by_digest = push.reference.contains(':');
        let mut tags: Vec<&str> = push.tags.iter().map(String::as_str).collect();
        match by_digest {
            true if tags.len() > TAG_PARAMETERS_MAX => {
                return Err(Error::TooManyTagParameters(TAG_PARAMETERS_MAX));
            }
            true => {}
            false if !tags.is_empty() => return Err(Error::TagsBesideTag),
            false => tags.push(push.reference),
        }
        if tags.iter().any(|tag| !is_tag(tag, OCI_TAG_CHARS_MAX)) {
            return Err(Error::InvalidTag {
                chars_max: OCI_TAG_CHARS_MAX,
            });
        }
        let mut seen = HashSet::new();
        tags.retain(|tag| seen.insert(*tag));
        let named = by_digest.then_some(push.reference);
        let digest = match named.or(push.digest) {
            Some(given) => {
                let algorithm = parse_digest(given)?.algorithm();
                digest_of(algorithm, &push.bytes)
            }
            None => Digest::sha256_of(&push.bytes),
        };
        for given in named.into_iter().chain(push.digest) {
            check_digest(repo, given, &digest)?;
        }
        let mut parsed = manifest::parse(&push.bytes, push.media_type)?;
        parsed.sparse = push.sparse;
        let image = NewImage {
            digest: &digest,
            tags: &tags,
            parsed: &parsed,
            bytes: &push.bytes,
            method: push.method.unwrap_or(MoveMethod::Push),
        };
        self.push(cx, repo, &image, Some((push.reference, &push.expected)))
            .await?;
        Ok(PutManifest {
            digest,
            media_type: parsed.media_type,
            tags: tags.into_iter().map(str::to_owned).collect(),
            subject: parsed.subject,
        })
    }

    /// The manifest of a tag or digest (`GET /v2/<name>/manifests/<reference>`), from
    /// memory when it was asked for before, and noted as a pull. It is served as it was
    /// pushed, whatever `Accept` says: another form would have another digest.
    ///
    /// # Errors
    /// [`Error::ImageNotFound`], [`Error::ImageDamaged`], and the store's.
    pub async fn get_manifest(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        reference: &str,
    ) -> Result<Arc<Manifest>, Error> {
        let manifest = self.find_manifest(repo, reference, cx.now_ms()).await?;
        self.record_pull_time(cx, repo, &manifest);
        self.note_pull(cx, repo, &manifest);
        Ok(manifest)
    }

    /// The same without noting a pull (`HEAD`). A damaged manifest is absent: clients ask so before they push.
    ///
    /// # Errors
    /// [`Error::ImageNotFound`], and the store's.
    pub async fn stat_manifest(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        reference: &str,
    ) -> Result<Arc<Manifest>, Error> {
        match self.find_manifest(repo, reference, cx.now_ms()).await {
            Err(Error::ImageDamaged(_)) => Err(no_image(repo, reference)),
            found => found,
        }
    }

    async fn find_manifest(
        &self,
        repo: &RepositoryFacts,
        reference: &str,
        now: i64,
    ) -> Result<Arc<Manifest>, Error> {
        let found = match Reference::parse(reference) {
            Some(Reference::Tag(tag)) => self.manifest_by_tag(repo, tag, now).await?,
            Some(Reference::Digest(digest)) => self.manifest_by_digest(repo, &digest, now).await?,
            None => None,
        };
        found.ok_or_else(|| no_image(repo, reference))
    }

    /// Deletes a tag, and with an image's last tag the image; or, by its digest, an
    /// image with all its tags (ECR API, `BatchDeleteImage`;
    /// `DELETE /v2/<name>/manifests/<reference>`). The referrers that only the image leads
    /// to are deleted with it.
    ///
    /// # Errors
    /// [`Error::ImageNotFound`], [`Error::ImageReferencedByManifestList`].
    pub async fn delete_manifest(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        reference: &str,
    ) -> Result<DeletedManifest, Error> {
        let expected = Expected::default();
        self.delete_expected_manifest(cx, repo, reference, &expected)
            .await
    }

    /// The same, if the manifest is still what the caller requires.
    ///
    /// # Errors
    /// Those of [`Registry::delete_manifest`], and [`Error::PreconditionFailed`].
    pub async fn delete_expected_manifest(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        reference: &str,
        expected: &Expected,
    ) -> Result<DeletedManifest, Error> {
        let (digest, tag) = match Reference::parse(reference) {
            Some(Reference::Tag(tag)) => (None, Some(tag)),
            Some(Reference::Digest(digest)) => (Some(digest), None),
            None => return Err(repo.no_image(None, Some(reference))),
        };
        let mut tx = self.write(repo.id).await?;
        let mut changes = Vec::new();
        let removal = Removal {
            digest: digest.as_ref(),
            tag,
            expected,
        };
        let cause = Cause::caller(cx, MoveMethod::Delete);
        let removed = remove(&mut tx, repo, removal, &cause, &mut changes).await?;
        note_removed(&mut tx.conn(), repo, &removed.told(), cx.now_ms()).await?;
        self.note_change(&mut tx, repo, cx.now_ms()).await?;
        self.commit(tx, &changes).await?;
        tracing::debug!(request_id = %cx.request_id, repository = %repo.arn, ?removed, "deleted");
        Ok(removed)
    }

    pub(crate) async fn manifest_by_tag(
        &self,
        repo: &RepositoryFacts,
        tag: &str,
        now: i64,
    ) -> Result<Option<Arc<Manifest>>, Error> {
        if let Some(manifest) = self.0.cache.by_tag(repo.id, tag) {
            return Ok(Some(manifest));
        }
        let ticket = self.0.cache.ticket();
        let mut read = self.0.store.read().await?;
        let Some(content) = image::content_by_tag(&mut read.conn(), repo.id, tag).await? else {
            return Ok(None);
        };
        drop(read);
        let manifest = self.whole_manifest(repo, content, now).await?;
        self.0.cache.put_tag(ticket, repo.id, tag, &manifest);
        Ok(Some(manifest))
    }

    pub(crate) async fn manifest_by_digest(
        &self,
        repo: &RepositoryFacts,
        digest: &Digest,
        now: i64,
    ) -> Result<Option<Arc<Manifest>>, Error> {
        if let Some(manifest) = self.0.cache.by_digest(repo.id, digest) {
            return Ok(Some(manifest));
        }
        let ticket = self.0.cache.ticket();
        let mut read = self.0.store.read().await?;
        let text = digest.to_string();
        let Some(content) = image::content_by_digest(&mut read.conn(), repo.id, &text).await?
        else {
            return Ok(None);
        };
        drop(read);
        let manifest = self.whole_manifest(repo, content, now).await?;
        self.0.cache.put_digest(ticket, repo.id, &manifest);
        Ok(Some(manifest))
    }
}

/// The answer for a tag or digest that names no image.
fn no_image(repo: &RepositoryFacts, reference: &str) -> Error {
    let by_digest = matches!(Reference::parse(reference), Some(Reference::Digest(_)))
        || reference.contains(':');
    match by_digest {
        true => repo.no_image(Some(reference), None),
        false => repo.no_image(None, Some(reference)),
    }
}

/// What is to be deleted: a digest, a tag, or a tag that must be on the digest.
pub(crate) struct Removal<'a> {
    pub(crate) digest: Option<&'a Digest>,
    pub(crate) tag: Option<&'a str>,
    pub(crate) expected: &'a Expected,
}

/// Removes a tag, or an image with all its tags, inside the transaction. A tag that is
/// the image's last takes the image along.
pub(crate) async fn remove(
    tx: &mut Write,
    repo: &RepositoryFacts,
    removal: Removal<'_>,
    cause: &Cause,
    changes: &mut Vec<Change>,
) -> Result<DeletedManifest, Error> {
    let (digest, tag) = (removal.digest.map(Digest::to_string), removal.tag);
    let found = match (&digest, tag) {
        (_, Some(tag)) => image::find_by_tag(&mut tx.conn(), repo.id, tag).await?,
        (Some(digest), None) => image::find(&mut tx.conn(), repo.id, digest).await?,
        (None, None) => None,
    };
    let image = found.ok_or_else(|| repo.no_image(digest.as_deref(), tag))?;
    if !removal.expected.holds(Some(&image.digest)) {
        let reference = tag.map(str::to_owned).or(digest).unwrap_or_default();
        return Err(Error::PreconditionFailed { reference });
    }
    let tags = image_tag::of_image(&mut tx.conn(), image.id).await?;
    if let (Some(tag), true) = (tag, tags.len() > 1) {
        image_tag::delete(&mut tx.conn(), repo.id, tag).await?;
        cause
            .record(&mut tx.conn(), repo.id, tag, Some(&image.digest), None)
            .await?;
        changes.push(Change::Tag(repo.id, tag.to_owned()));
        let tags = vec![tag.to_owned()];
        let removed = Removed {
            image: &image,
            tags: &tags,
        };
        events::deleted(&mut tx.conn(), repo, removed, cause.at()).await?;
        return Ok(DeletedManifest {
            digest: image.digest,
            tags,
            image_deleted: false,
            referrers: Vec::new(),
        });
    }
    let parents = image::parents(&mut tx.conn(), repo.id, &image.digest, PARENTS_MAX).await?;
    if !parents.is_empty() {
        return Err(Error::ImageReferencedByManifestList { parents });
    }
    for tag in &tags {
        cause
            .record(&mut tx.conn(), repo.id, tag, Some(&image.digest), None)
            .await?;
    }
    changes.extend(tags.iter().map(|tag| Change::Tag(repo.id, tag.clone())));
    let referrers = delete_with_referrers(tx, repo, image.id, &image.digest, changes).await?;
    let removed = Removed {
        image: &image,
        tags: &tags,
    };
    events::deleted(&mut tx.conn(), repo, removed, cause.at()).await?;
    events::deleted_referrers(&mut tx.conn(), repo, &referrers, cause.at()).await?;
    Ok(DeletedManifest {
        digest: image.digest,
        tags,
        image_deleted: true,
        referrers,
    })
}

/// The digest of `bytes` in an algorithm.
pub(crate) fn digest_of(algorithm: Algorithm, bytes: &[u8]) -> Digest {
    match algorithm {
        Algorithm::Sha256 => Digest::sha256_of(bytes),
        Algorithm::Sha512 => Digest::sha512_of(bytes),
    }
}

/// Refuses a digest that is not that of the bytes.
pub(crate) fn check_digest(
    repo: &RepositoryFacts,
    given: &str,
    actual: &Digest,
) -> Result<(), Error> {
    match given == actual.to_string() {
        true => Ok(()),
        false => Err(Error::ImageDigestDoesNotMatch {
            given: given.to_owned(),
            place: repo.place(),
        }),
    }
}
