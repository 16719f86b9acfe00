//! Images: put, get, delete.

use std::collections::HashSet;
use std::sync::Arc;

use aws_api::ecr::{
    BatchDeleteImageRequest, BatchDeleteImageResponse, BatchGetImageRequest, BatchGetImageResponse,
    Image, ImageFailure, ImageFailureCode, ImageIdentifier, PutImageRequest, PutImageResponse,
};
use blobs::{Algorithm, Digest};
use bytes::Bytes;

use store::ecr::image::ACTIVE;

use super::listing::named;
use crate::cache::Change;
use crate::digest::parse_digest;
use crate::images::{DeletedManifest, Removal, check_digest, digest_of, remove};
use crate::name::{ECR_TAG_CHARS_MAX, is_tag};
use crate::push::{NewImage, Pushed};
use crate::replication_outbox::note_removed;
use crate::tag_moves::{Cause, MoveMethod};
use crate::{Authorized, Error, Expected, Manifest, Registry, RepositoryFacts, manifest};

/// Bytes of manifests in one answer of `BatchGetImage`: a hundred usual ones take
/// less than one MiB, a hundred of the largest would take the server's memory.
const ANSWER_BYTES_MAX: usize = 32 << 20;

impl Registry {
    /// `PutImage`. When this returns, the image is durable.
    ///
    /// # Errors
    /// Those of [`Registry::put_manifest`], and [`Error::ImageAlreadyExists`] when
    /// neither the image nor its tag is new.
    pub async fn put_image(
        &self,
        cx: &Authorized,
        input: PutImageRequest,
    ) -> Result<PutImageResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let tag = input.image_tag.as_deref();
        if tag.is_some_and(|tag| !is_tag(tag, ECR_TAG_CHARS_MAX)) {
            return Err(Error::InvalidTag {
                chars_max: ECR_TAG_CHARS_MAX,
            });
        }
        let bytes = Bytes::from(input.image_manifest);
        let digest = match &input.image_digest {
            Some(given) => {
                let actual = digest_of(parse_digest(given)?.algorithm(), &bytes);
                check_digest(&repo, given, &actual)?;
                actual
            }
            None => digest_of(Algorithm::Sha256, &bytes),
        };
        let parsed = manifest::parse(&bytes, input.image_manifest_media_type.as_deref())?;
        let tags: Vec<&str> = tag.into_iter().collect();
        let image = NewImage {
            digest: &digest,
            tags: &tags,
            parsed: &parsed,
            bytes: &bytes,
            method: MoveMethod::PutImage,
        };
        let pushed = self.push(cx, &repo, &image, None).await?;
        if pushed == Pushed::Same {
            return Err(Error::ImageAlreadyExists {
                digest: digest.to_string(),
                tag: input.image_tag,
                place: repo.place(),
            });
        }
        let image = answer(&repo, &digest, input.image_tag, &parsed.media_type, &bytes)?;
        Ok(PutImageResponse { image: Some(image) })
    }

    /// `BatchGetImage`, noted as pulls.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], and [`Error::LimitExceeded`] for an answer that
    /// would be too large. What is not found is one of the answer's failures.
    pub async fn batch_get_image(
        &self,
        cx: &Authorized,
        input: BatchGetImageRequest,
    ) -> Result<BatchGetImageResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let accepted = input.accepted_media_types.unwrap_or_default();
        let (mut images, mut failures) = (Vec::new(), Vec::new());
        let mut left = ANSWER_BYTES_MAX;
        for id in input.image_ids {
            let manifest = match self.find(&repo, &id, cx.now_ms()).await? {
                Ok(manifest) => manifest,
                Err(failure) => {
                    failures.push(failure);
                    continue;
                }
            };
            let type_accepted = accepted.is_empty()
                || accepted
                    .iter()
                    .any(|one| one == "*/*" || *one == manifest.media_type);
            if !type_accepted {
                let reason = format!(
                    "Requested image has the media type {}, which is not among the acceptedMediaTypes",
                    manifest.media_type
                );
                failures.push(failure(id, ImageFailureCode::ImageNotFound, reason));
                continue;
            }
            left = left
                .checked_sub(manifest.bytes.len())
                .ok_or(Error::LimitExceeded {
                    what: "bytes of manifests in an answer",
                    max: ANSWER_BYTES_MAX as u64,
                })?;
            self.record_pull_time(cx, &repo, &manifest);
            self.note_pull(cx, &repo, &manifest);
            let Manifest {
                digest,
                media_type,
                bytes,
                ..
            } = &*manifest;
            images.push(answer(&repo, digest, id.image_tag, media_type, bytes)?);
        }
        Ok(BatchGetImageResponse {
            images: Some(images),
            failures: Some(failures),
        })
    }

    /// `BatchDeleteImage`: by tag, the tag, and with an image's last tag the image; by
    /// digest, the image with all its tags. One transaction for all.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`]. What is not found, or needed by a manifest list,
    /// is one of the answer's failures.
    pub async fn batch_delete_image(
        &self,
        cx: &Authorized,
        input: BatchDeleteImageRequest,
    ) -> Result<BatchDeleteImageResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let (mut deleted, mut failures) = (Vec::new(), Vec::new());
        let mut changes = Vec::new();
        // Referrers deleted with an image of this request. If the request names them too,
        // they are reported as deleted.
        let mut with_images = HashSet::new();
        let cause = Cause::caller(cx, MoveMethod::Delete);
        let mut tx = self.write(repo.id).await?;
        // A list and its images may be named in any order: images that a list still needs
        // are tried again after all others, until a round deletes nothing.
        let mut waiting = input.image_ids;
        loop {
            let before = waiting.len();
            let mut again = Vec::new();
            for id in waiting {
                match self
                    .delete_one(&mut tx, &repo, &id, &cause, &mut changes)
                    .await?
                {
                    Outcome::Deleted(removed) => {
                        note_removed(&mut tx.conn(), &repo, &removed.told(), cx.now_ms()).await?;
                        with_images.extend(removed.referrers.iter().cloned());
                        deleted.extend(identifiers(removed));
                    }
                    Outcome::Failed(_) if went(&with_images, &id) => deleted.push(id),
                    Outcome::Failed(failure) => failures.push(failure),
                    Outcome::Needed(failure) => again.push((id, failure)),
                }
            }
            if again.is_empty() || again.len() == before {
                failures.extend(again.into_iter().map(|(_, failure)| failure));
                break;
            }
            waiting = again.into_iter().map(|(id, _)| id).collect();
        }
        self.note_change(&mut tx, &repo, cx.now_ms()).await?;
        self.commit(tx, &changes).await?;
        Ok(BatchDeleteImageResponse {
            image_ids: Some(deleted),
            failures: Some(failures),
        })
    }

    async fn delete_one(
        &self,
        tx: &mut store::Write,
        repo: &RepositoryFacts,
        id: &ImageIdentifier,
        cause: &Cause,
        changes: &mut Vec<Change>,
    ) -> Result<Outcome, Error> {
        let (digest, tag) = match check(id) {
            Ok(checked) => checked,
            Err(failure) => return Ok(Outcome::Failed(failure)),
        };
        if let (Some(digest), Some(tag)) = (&digest, tag) {
            let conn = &mut tx.conn();
            let tagged = store::ecr::image_tag::find(conn, repo.id, tag).await?;
            if tagged.is_some_and(|(_, current)| current != digest.to_string()) {
                return Ok(Outcome::Failed(mismatch(id)));
            }
        }
        let removal = Removal {
            digest: digest.as_ref(),
            tag,
            expected: &Expected::default(),
        };
        match remove(tx, repo, removal, cause, changes).await {
            Ok(removed) => Ok(Outcome::Deleted(removed)),
            Err(Error::ImageNotFound { .. }) => Ok(Outcome::Failed(not_found(id))),
            Err(error @ Error::ImageReferencedByManifestList { .. }) => {
                let code = ImageFailureCode::ImageReferencedByManifestList;
                Ok(Outcome::Needed(failure(
                    id.clone(),
                    code,
                    error.to_string(),
                )))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether an identifier names an image that is there and not served.
    async fn is_archived(
        &self,
        repo: &RepositoryFacts,
        id: &ImageIdentifier,
    ) -> Result<bool, Error> {
        let mut read = self.0.store.read().await?;
        match named(&mut read.conn(), repo, id).await {
            Ok(image) => Ok(image.status != ACTIVE),
            Err(Error::ImageNotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The manifest that an identifier names, or why there is none.
    async fn find(
        &self,
        repo: &RepositoryFacts,
        id: &ImageIdentifier,
        now: i64,
    ) -> Result<Result<Arc<Manifest>, ImageFailure>, Error> {
        let (digest, tag) = match check(id) {
            Ok(checked) => checked,
            Err(failure) => return Ok(Err(failure)),
        };
        let found = match (&digest, tag) {
            (_, Some(tag)) => self.manifest_by_tag(repo, tag, now).await,
            (Some(digest), None) => self.manifest_by_digest(repo, digest, now).await,
            (None, None) => Ok(None),
        };
        let found = match found {
            Err(error @ Error::ImageDamaged(_)) => return Ok(Err(damaged(id, &error))),
            found => found?,
        };
        Ok(match found {
            None if self.is_archived(repo, id).await? => Err(inaccessible(id)),
            None => Err(not_found(id)),
            Some(manifest) if digest.is_some_and(|digest| digest != manifest.digest) => {
                Err(mismatch(id))
            }
            Some(manifest) => Ok(manifest),
        })
    }
}

enum Outcome {
    Deleted(DeletedManifest),
    Failed(ImageFailure),
    /// A manifest list needs it.
    Needed(ImageFailure),
}

/// Whether an identifier names one of these digests and nothing else.
fn went(digests: &HashSet<String>, id: &ImageIdentifier) -> bool {
    let digest = id.image_digest.as_ref().filter(|_| id.image_tag.is_none());
    digest.is_some_and(|digest| digests.contains(digest))
}

/// Digest and tag of an identifier, one of which is there.
fn check(id: &ImageIdentifier) -> Result<(Option<Digest>, Option<&str>), ImageFailure> {
    let tag = id.image_tag.as_deref();
    if id.image_digest.is_none() && tag.is_none() {
        return Err(failure(
            id.clone(),
            ImageFailureCode::MissingDigestAndTag,
            "Invalid request parameters: both tag and digest cannot be null",
        ));
    }
    let digest = id
        .image_digest
        .as_deref()
        .map(str::parse::<Digest>)
        .transpose();
    let digest = digest.map_err(|_| {
        failure(
            id.clone(),
            ImageFailureCode::InvalidImageDigest,
            "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
        )
    })?;
    if tag.is_some_and(|tag| !is_tag(tag, ECR_TAG_CHARS_MAX)) {
        return Err(failure(
            id.clone(),
            ImageFailureCode::InvalidImageTag,
            "Invalid request parameters: image tag should satisfy the regex '[a-zA-Z0-9_][a-zA-Z0-9._-]*'",
        ));
    }
    Ok((digest, tag))
}

fn failure(id: ImageIdentifier, code: ImageFailureCode, reason: impl Into<String>) -> ImageFailure {
    ImageFailure {
        image_id: Some(id),
        failure_code: Some(code),
        failure_reason: Some(reason.into()),
    }
}

fn not_found(id: &ImageIdentifier) -> ImageFailure {
    failure(
        id.clone(),
        ImageFailureCode::ImageNotFound,
        "Requested image not found",
    )
}

/// Of an image that is archived or being restored. AWS's text is not known.
fn inaccessible(id: &ImageIdentifier) -> ImageFailure {
    failure(
        id.clone(),
        ImageFailureCode::ImageInaccessible,
        "Requested image is archived",
    )
}

fn damaged(id: &ImageIdentifier, error: &Error) -> ImageFailure {
    let code = ImageFailureCode::ImageInaccessible;
    failure(id.clone(), code, error.to_string())
}

fn mismatch(id: &ImageIdentifier) -> ImageFailure {
    let code = ImageFailureCode::ImageTagDoesNotMatchDigest;
    failure(
        id.clone(),
        code,
        "Invalid request parameters: given tag does not map to the given digest",
    )
}

/// One entry for each tag that went, or one for an image without a tag.
fn identifiers(removed: DeletedManifest) -> Vec<ImageIdentifier> {
    let of = |tag: Option<String>| ImageIdentifier {
        image_digest: Some(removed.digest.clone()),
        image_tag: tag,
    };
    match removed.tags.is_empty() {
        true => vec![of(None)],
        false => removed.tags.iter().cloned().map(Some).map(of).collect(),
    }
}

fn answer(
    repo: &RepositoryFacts,
    digest: &Digest,
    tag: Option<String>,
    media_type: &str,
    bytes: &Bytes,
) -> Result<Image, Error> {
    // A manifest is JSON, which is UTF-8, or it would not have been stored.
    let manifest = std::str::from_utf8(bytes).map_err(Error::internal)?;
    Ok(Image {
        registry_id: Some(repo.account.to_string()),
        repository_name: Some(repo.name.to_string()),
        image_id: Some(ImageIdentifier {
            image_digest: Some(digest.to_string()),
            image_tag: tag,
        }),
        image_manifest: Some(manifest.to_owned()),
        image_manifest_media_type: Some(media_type.to_owned()),
    })
}
