//! Images: manifests put, served and deleted, the same way for both faces.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use blobs::{Algorithm, Digest};
use bytes::Bytes;
use store::Write;
use store::ecr::image::{self, Content, Image};
use store::ecr::{image_tag, layer, repository};

use crate::cache::Change;
use crate::manifest::{self, Descriptor, Parsed};
use crate::mutability::Mutability;
use crate::name::{OCI_TAG_CHARS_MAX, Reference, is_tag};
use crate::{Call, Error, Registry, RepositoryFacts};

/// Parents that a refusal names.
const PARENTS_MAX: i64 = 10;

/// A manifest, byte for byte as it was pushed.
#[derive(Debug)]
pub struct Manifest {
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Bytes,
    pub(crate) image_id: i64,
    /// When a pull was last noted, milliseconds since the epoch.
    pub(crate) pulled_at: AtomicI64,
}

impl Manifest {
    fn of(content: Content) -> Result<Self, Error> {
        Ok(Manifest {
            digest: content.digest.parse().map_err(Error::internal)?,
            media_type: content.media_type,
            bytes: content.bytes.into(),
            image_id: content.id,
            pulled_at: AtomicI64::new(content.pulled_at.unwrap_or(i64::MIN)),
        })
    }
}

/// The answer to a pushed manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PutManifest {
    /// The manifest's digest.
    pub digest: Digest,
    /// Its `subject`, for the header `OCI-Subject`.
    pub subject: Option<Digest>,
}

/// What a push changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// A new image, a new tag, or a moved one.
    Changed,
    /// Nothing: image and tag were there.
    Same,
}

impl Registry {
    /// Puts a manifest under a tag or its digest (`PUT /v2/<name>/manifests/<reference>`).
    /// When this returns, the image is durable. The same push again succeeds.
    ///
    /// # Errors
    /// [`Error::InvalidManifest`] and its kin, [`Error::LayersNotFound`],
    /// [`Error::ReferencedImagesNotFound`], [`Error::ImageTagAlreadyExists`],
    /// [`Error::ImageDigestDoesNotMatch`], [`Error::InvalidTag`], [`Error::LimitExceeded`].
    pub async fn put_manifest(
        &self,
        cx: &Call,
        repo: &RepositoryFacts,
        reference: &str,
        media_type: Option<&str>,
        bytes: Bytes,
    ) -> Result<PutManifest, Error> {
        let (tag, digest) = match reference.contains(':') {
            true => {
                let given = crate::uploads::parse_digest(reference)?;
                let actual = digest_of(given.algorithm(), &bytes);
                check_digest(reference, &actual)?;
                (None, actual)
            }
            false if is_tag(reference, OCI_TAG_CHARS_MAX) => {
                (Some(reference), Digest::sha256_of(&bytes))
            }
            false => {
                return Err(Error::InvalidTag {
                    chars_max: OCI_TAG_CHARS_MAX,
                });
            }
        };
        let parsed = manifest::parse(&bytes, media_type)?;
        self.push(cx, repo, tag, &digest, &parsed, &bytes).await?;
        Ok(PutManifest {
            digest,
            subject: parsed.subject,
        })
    }

    /// The manifest of a tag or digest (`GET /v2/<name>/manifests/<reference>`), from
    /// memory when it was asked for before, and noted as a pull. It is served as it was
    /// pushed, whatever `Accept` says: another form would have another digest.
    ///
    /// # Errors
    /// [`Error::ImageNotFound`], and the store's.
    pub async fn get_manifest(
        &self,
        cx: &Call,
        repo: &RepositoryFacts,
        reference: &str,
    ) -> Result<Arc<Manifest>, Error> {
        let manifest = self.stat_manifest(repo, reference).await?;
        self.0
            .pulls
            .note(manifest.image_id, &manifest.pulled_at, cx.now_ms());
        Ok(manifest)
    }

    /// The same without noting a pull (`HEAD`).
    ///
    /// # Errors
    /// As there.
    pub async fn stat_manifest(
        &self,
        repo: &RepositoryFacts,
        reference: &str,
    ) -> Result<Arc<Manifest>, Error> {
        let (found, by_digest) = match Reference::parse(reference) {
            Some(Reference::Tag(tag)) => (self.manifest_by_tag(repo, tag).await?, false),
            Some(Reference::Digest(digest)) => {
                (self.manifest_by_digest(repo, &digest).await?, true)
            }
            None => (None, reference.contains(':')),
        };
        found.ok_or_else(|| match by_digest {
            true => repo.no_image(Some(reference), None),
            false => repo.no_image(None, Some(reference)),
        })
    }

    /// Deletes a tag, and with an image's last tag the image; or, by its digest, an
    /// image with all its tags (ECR API, `BatchDeleteImage`;
    /// `DELETE /v2/<name>/manifests/<reference>`).
    ///
    /// # Errors
    /// [`Error::ImageNotFound`], [`Error::ImageReferencedByManifestList`].
    pub async fn delete_manifest(
        &self,
        cx: &Call,
        repo: &RepositoryFacts,
        reference: &str,
    ) -> Result<(), Error> {
        let (digest, tag) = match Reference::parse(reference) {
            Some(Reference::Tag(tag)) => (None, Some(tag)),
            Some(Reference::Digest(digest)) => (Some(digest), None),
            None => return Err(repo.no_image(None, Some(reference))),
        };
        let mut tx = self.write(repo.id).await?;
        let mut changes = Vec::new();
        let removed = remove(&mut tx, repo, digest.as_ref(), tag, &mut changes).await?;
        self.commit(tx, &changes).await?;
        tracing::debug!(request_id = %cx.request_id, repository = %repo.arn, ?removed, "deleted");
        Ok(())
    }

    pub(crate) async fn manifest_by_tag(
        &self,
        repo: &RepositoryFacts,
        tag: &str,
    ) -> Result<Option<Arc<Manifest>>, Error> {
        self.refresh();
        if let Some(manifest) = self.0.cache.by_tag(repo.id, tag) {
            return Ok(Some(manifest));
        }
        let ticket = self.0.cache.ticket();
        let mut read = self.0.store.read().await?;
        let Some(content) = image::content_by_tag(&mut read.conn(), repo.id, tag).await? else {
            return Ok(None);
        };
        let manifest = Arc::new(Manifest::of(content)?);
        self.0.cache.put_tag(ticket, repo.id, tag, &manifest);
        Ok(Some(manifest))
    }

    pub(crate) async fn manifest_by_digest(
        &self,
        repo: &RepositoryFacts,
        digest: &Digest,
    ) -> Result<Option<Arc<Manifest>>, Error> {
        self.refresh();
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
        let manifest = Arc::new(Manifest::of(content)?);
        self.0.cache.put_digest(ticket, repo.id, &manifest);
        Ok(Some(manifest))
    }

    /// Stores an image and points its tag at it, in one transaction.
    pub(crate) async fn push(
        &self,
        cx: &Call,
        repo: &RepositoryFacts,
        tag: Option<&str>,
        digest: &Digest,
        parsed: &Parsed,
        bytes: &Bytes,
    ) -> Result<Pushed, Error> {
        let digest = digest.to_string();
        let mut tx = self.write(repo.id).await?;
        let Some(row) = repository::get(&mut tx.conn(), repo.id).await? else {
            return Err(Error::RepositoryNotFound(repo.place()));
        };
        let tagged = match tag {
            Some(tag) => image_tag::find(&mut tx.conn(), repo.id, tag).await?,
            None => None,
        };
        let moves = tagged
            .as_ref()
            .is_some_and(|(_, current)| *current != digest);
        if let (true, Some(tag)) = (moves, tag) {
            let mutability = Mutability::stored(&row)?;
            if mutability.forbids_moving(tag) {
                return Err(Error::ImageTagAlreadyExists {
                    tag: tag.to_owned(),
                    place: repo.place(),
                });
            }
        }
        let existing = image::find(&mut tx.conn(), repo.id, &digest).await?;
        let known = existing.is_some();
        if known && (tag.is_none() || (tagged.is_some() && !moves)) {
            return Ok(Pushed::Same);
        }
        let image_id = match existing {
            Some(image) => image.id,
            None => {
                self.insert(cx, &mut tx, repo, &digest, parsed, bytes)
                    .await?
            }
        };
        let mut changes = Vec::new();
        if let Some(tag) = tag {
            let max = self.0.settings.limits.tags_per_image_max;
            if image_tag::count(&mut tx.conn(), image_id)
                .await?
                .unsigned_abs()
                >= max
            {
                return Err(Error::LimitExceeded {
                    what: "tags for an image",
                    max,
                });
            }
            image_tag::put(&mut tx.conn(), repo.id, tag, image_id, cx.now_ms()).await?;
            if moves {
                changes.push(Change::Tag(repo.id, tag.to_owned()));
            }
        }
        self.commit(tx, &changes).await?;
        Ok(Pushed::Changed)
    }

    /// Adds the rows of a new image after checking that all it needs is there.
    async fn insert(
        &self,
        cx: &Call,
        tx: &mut Write,
        repo: &RepositoryFacts,
        digest: &str,
        parsed: &Parsed,
        bytes: &Bytes,
    ) -> Result<i64, Error> {
        let layer_digests: Vec<String> = digests(&parsed.blobs);
        let child_digests: Vec<String> = digests(&parsed.children);
        let layers = layer::sizes(&mut tx.conn(), repo.id, &layer_digests).await?;
        let found = |d: &str| {
            layers
                .iter()
                .find(|(known, _)| known == d)
                .map(|(_, size)| *size)
        };
        let missing = check(&parsed.blobs, found)?;
        if !missing.is_empty() {
            return Err(Error::LayersNotFound {
                digests: missing,
                place: repo.place(),
            });
        }
        let children = image::sizes(&mut tx.conn(), repo.id, &child_digests).await?;
        let found = |d: &str| children.iter().find(|(known, ..)| known == d).map(|c| c.1);
        let missing = check(&parsed.children, found)?;
        if !missing.is_empty() {
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

        let max = self.0.settings.limits.images_per_repository_max;
        let max_rows = i64::try_from(max).unwrap_or(i64::MAX);
        if !repository::add_image(&mut tx.conn(), repo.id, max_rows).await? {
            return Err(Error::LimitExceeded {
                what: "images in a repository",
                max,
            });
        }
        let annotations = match parsed.subject {
            Some(_) => Some(serde_json::to_string(&parsed.annotations).map_err(Error::internal)?),
            None => None,
        };
        let new = Image {
            id: 0,
            digest: digest.to_owned(),
            media_type: parsed.media_type.clone(),
            artifact_type: parsed.artifact_type.clone(),
            subject: parsed.subject.map(|subject| subject.to_string()),
            annotations,
            content_size: i64::try_from(bytes.len()).map_err(Error::internal)?,
            image_size: own_size.max(largest_child),
            pushed_at: cx.now_ms(),
            pulled_at: None,
        };
        let image_id = image::insert(&mut tx.conn(), repo.id, &new, bytes).await?;
        for digest in &layer_digests {
            image::add_layer(&mut tx.conn(), image_id, repo.id, digest).await?;
        }
        for digest in &child_digests {
            image::add_child(&mut tx.conn(), image_id, repo.id, digest).await?;
        }
        Ok(image_id)
    }
}

/// What a deletion took away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Removed {
    /// The image's digest.
    pub(crate) digest: String,
    /// Its tags that went.
    pub(crate) tags: Vec<String>,
}

/// Removes a tag, or an image with all its tags, inside the transaction. A tag that is
/// the image's last takes the image along.
pub(crate) async fn remove(
    tx: &mut Write,
    repo: &RepositoryFacts,
    digest: Option<&Digest>,
    tag: Option<&str>,
    changes: &mut Vec<Change>,
) -> Result<Removed, Error> {
    let digest = digest.map(Digest::to_string);
    let found = match (&digest, tag) {
        (_, Some(tag)) => image::find_by_tag(&mut tx.conn(), repo.id, tag).await?,
        (Some(digest), None) => image::find(&mut tx.conn(), repo.id, digest).await?,
        (None, None) => None,
    };
    let image = found.ok_or_else(|| repo.no_image(digest.as_deref(), tag))?;
    let tags = image_tag::of_image(&mut tx.conn(), image.id).await?;
    if let (Some(tag), true) = (tag, tags.len() > 1) {
        image_tag::delete(&mut tx.conn(), repo.id, tag).await?;
        changes.push(Change::Tag(repo.id, tag.to_owned()));
        return Ok(Removed {
            digest: image.digest,
            tags: vec![tag.to_owned()],
        });
    }
    let parents = image::parents(&mut tx.conn(), repo.id, &image.digest, PARENTS_MAX).await?;
    if !parents.is_empty() {
        return Err(Error::ImageReferencedByManifestList { parents });
    }
    image::delete(&mut tx.conn(), image.id).await?;
    repository::remove_image(&mut tx.conn(), repo.id).await?;
    changes.push(Change::Image(
        repo.id,
        image.digest.parse().map_err(Error::internal)?,
    ));
    changes.extend(tags.iter().map(|tag| Change::Tag(repo.id, tag.clone())));
    Ok(Removed {
        digest: image.digest,
        tags,
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
pub(crate) fn check_digest(given: &str, actual: &Digest) -> Result<(), Error> {
    let actual = actual.to_string();
    match given == actual {
        true => Ok(()),
        false => Err(Error::ImageDigestDoesNotMatch {
            given: given.to_owned(),
            actual,
        }),
    }
}

fn digests(descriptors: &[Descriptor]) -> Vec<String> {
    descriptors.iter().map(|d| d.digest.to_string()).collect()
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
