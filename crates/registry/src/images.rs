//! Images: manifests put, served and deleted, the same way for both APIs.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use blobs::{Algorithm, Digest};
use bytes::Bytes;
use store::Write;
use store::ecr::image::{self, Content};
use store::ecr::{image_tag, repository};

use crate::cache::Change;
use crate::manifest;
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
