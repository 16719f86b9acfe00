//! Layers and their uploads.

use std::sync::Arc;

use aws_api::ecr::{
    BatchCheckLayerAvailabilityRequest, BatchCheckLayerAvailabilityResponse,
    CompleteLayerUploadRequest, CompleteLayerUploadResponse, GetDownloadUrlForLayerRequest,
    InitiateLayerUploadRequest, InitiateLayerUploadResponse, Layer as LayerAnswer,
    LayerAvailability, LayerFailure, LayerFailureCode, UploadLayerPartRequest,
    UploadLayerPartResponse,
};
use blobs::Digest;
use bytes::Bytes;
use futures_util::stream;
use store::ecr::{image_status, layer};

use crate::digest::parse_digest;
use crate::{Authorized, Error, Layer, Registry, RepositoryFacts};

/// The media type of a layer that no manifest has named yet.
const LAYER_MEDIA_TYPE: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// The parts of a URL for `GetDownloadUrlForLayer`. The URL must carry the
/// repository's id, for [`Registry::open_layer`], and end by itself.
#[derive(Clone, Debug)]
pub struct LayerDownload {
    /// The repository.
    pub repository: Arc<RepositoryFacts>,
    /// The layer.
    pub layer: Layer,
}

/// The part that ECR suggests, in bytes (recorded answers: radkawar/stackd, `testdata/aws/ecr`). Larger ones
/// are accepted, up to the quota.
const PART_SIZE_BYTES: i64 = 10 << 20;

impl Registry {
    /// `InitiateLayerUpload`.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::LimitExceeded`].
    pub async fn initiate_layer_upload(
        &self,
        cx: &Authorized,
        input: InitiateLayerUploadRequest,
    ) -> Result<InitiateLayerUploadResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let id = self.start_upload(cx, &repo).await?;
        Ok(InitiateLayerUploadResponse {
            upload_id: Some(id.to_string()),
            part_size: Some(PART_SIZE_BYTES),
        })
    }

    /// `UploadLayerPart`.
    ///
    /// # Errors
    /// [`Error::UploadNotFound`], and [`Error::InvalidLayerPart`] for a part that does
    /// not go on where the upload ends, or whose length is not what it says.
    pub async fn upload_layer_part(
        &self,
        cx: &Authorized,
        input: UploadLayerPartRequest,
    ) -> Result<UploadLayerPartResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let id = self.upload_id(&repo, &input.upload_id, cx.now_ms())?;
        let size = self.upload_size(&repo, &id).await?;
        let part: Bytes = input.layer_part_blob.0;
        let length = part.len() as u64;
        let limits = self.0.settings.limits;
        let refuse = |message: String| Error::InvalidLayerPart {
            message,
            upload_id: id.to_string(),
            place: repo.place(),
            last_valid_byte_received: i64::try_from(size).unwrap_or(i64::MAX) - 1,
        };
        if length == 0 || length > limits.layer_part_bytes_max {
            let max = limits.layer_part_bytes_max;
            return Err(refuse(format!(
                "The layer part must have 1 to {max} bytes, not {length}"
            )));
        }
        let said = input.part_last_byte.checked_sub(input.part_first_byte);
        if said
            .and_then(|n| n.checked_add(1))
            .and_then(|n| u64::try_from(n).ok())
            != Some(length)
        {
            return Err(refuse(format!(
                "The layer part has {length} bytes, which are not the bytes {} to {}",
                input.part_first_byte, input.part_last_byte
            )));
        }
        let first = u64::try_from(input.part_first_byte)
            .map_err(|_| refuse("The layer part's first byte must not be negative".into()))?;
        if size > 0 && self.0.short_parts.has(&id) && first == size {
            return Err(Error::LayerPartTooSmall {
                bytes_min: limits.layer_part_bytes_min,
            });
        }
        let body = stream::iter([Ok::<_, std::convert::Infallible>(part)]);
        let end = self.append_at(cx, &repo, &id, first, body).await?;
        if length < limits.layer_part_bytes_min {
            self.0.short_parts.note(id);
        }
        Ok(UploadLayerPartResponse {
            registry_id: Some(repo.account.to_string()),
            repository_name: Some(repo.name.to_string()),
            upload_id: Some(id.to_string()),
            last_byte_received: i64::try_from(end).ok().map(|end| end - 1),
        })
    }

    /// `CompleteLayerUpload`. When this returns, the layer is durable.
    ///
    /// # Errors
    /// [`Error::UploadNotFound`], [`Error::EmptyUpload`], [`Error::InvalidLayer`] and
    /// [`Error::LayerAlreadyExists`]: after the last two the upload is gone.
    pub async fn complete_layer_upload(
        &self,
        cx: &Authorized,
        input: CompleteLayerUploadRequest,
    ) -> Result<CompleteLayerUploadResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let id = self.upload_id(&repo, &input.upload_id, cx.now_ms())?;
        let Some(first) = input.layer_digests.first() else {
            return Err(Error::parameter(
                "layerDigests",
                "must have at least 1 member",
            ));
        };
        let digest = parse_digest(first)?;
        if input.layer_digests.iter().any(|other| other != first) {
            // An upload is one layer, so its digests must all be one.
            return Err(Error::parameter(
                "layerDigests",
                "must all name the same layer",
            ));
        }
        if self.upload_size(&repo, &id).await? == 0 {
            return Err(Error::EmptyUpload {
                upload_id: id.to_string(),
                place: repo.place(),
            });
        }
        if self.layer_size(cx, repo.id, &digest).await?.is_some() {
            self.cancel_upload(cx, &repo, &input.upload_id).await?;
            return Err(Error::LayerAlreadyExists {
                digest: digest.to_string(),
                place: repo.place(),
            });
        }
        let layer = self.finish(cx, &repo, &id, &digest).await?;
        Ok(CompleteLayerUploadResponse {
            registry_id: Some(repo.account.to_string()),
            repository_name: Some(repo.name.to_string()),
            upload_id: Some(id.to_string()),
            layer_digest: Some(layer.digest.to_string()),
        })
    }

    /// `BatchCheckLayerAvailability`: a layer that the repository lacks is
    /// `UNAVAILABLE`, whether it is stored elsewhere or not.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`]. An invalid digest is one of the failures.
    pub async fn batch_check_layer_availability(
        &self,
        cx: &Authorized,
        input: BatchCheckLayerAvailabilityRequest,
    ) -> Result<BatchCheckLayerAvailabilityResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let (mut layers, mut failures) = (Vec::new(), Vec::new());
        for text in input.layer_digests {
            let Ok(digest) = text.parse::<Digest>() else {
                let (code, reason) = match text.is_empty() {
                    true => (LayerFailureCode::MissingLayerDigest, "Missing layer digest"),
                    false => (LayerFailureCode::InvalidLayerDigest, "Invalid layer digest"),
                };
                failures.push(LayerFailure {
                    layer_digest: Some(text),
                    failure_code: Some(code),
                    failure_reason: Some(reason.to_owned()),
                });
                continue;
            };
            let size = self.layer_size(cx, repo.id, &digest).await?;
            let availability = match size {
                Some(_) => LayerAvailability::Available,
                None if self.is_layer_archived(&repo, &digest).await? => {
                    LayerAvailability::Archived
                }
                None => LayerAvailability::Unavailable,
            };
            layers.push(LayerAnswer {
                layer_digest: Some(text),
                layer_availability: Some(availability),
                layer_size: size.and_then(|size| i64::try_from(size).ok()),
                media_type: size.map(|_| LAYER_MEDIA_TYPE.to_owned()),
            });
        }
        Ok(BatchCheckLayerAvailabilityResponse {
            layers: Some(layers),
            failures: Some(failures),
        })
    }

    /// Whether only archived images have the layer.
    async fn is_layer_archived(
        &self,
        repo: &RepositoryFacts,
        digest: &Digest,
    ) -> Result<bool, Error> {
        let mut read = self.0.store.read().await?;
        let (conn, digest) = (&mut read.conn(), digest.to_string());
        Ok(layer::find(conn, repo.id, &digest).await?.is_some()
            && image_status::is_layer_archived(conn, repo.id, &digest).await?)
    }

    /// `GetDownloadUrlForLayer`, up to the URL, which the server makes. `is_being_cached`: an image that
    /// needs it is being stored.
    ///
    /// # Errors
    /// [`Error::LayerNotFound`], [`Error::LayerDamaged`], and [`Error::LayerInaccessible`] for a layer that
    /// belongs to no image yet.
    pub async fn layer_for_download(
        &self,
        cx: &Authorized,
        input: GetDownloadUrlForLayerRequest,
        is_being_cached: bool,
    ) -> Result<LayerDownload, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let digest = parse_digest(&input.layer_digest)?;
        let size = self.layer_size(cx, repo.id, &digest).await?;
        if size.is_none() && self.is_layer_archived(&repo, &digest).await? {
            return Err(Error::LayerInaccessible {
                digest: input.layer_digest,
                place: repo.place(),
            });
        }
        if size.is_none() && self.is_layer_damaged(repo.id, &digest).await? {
            return Err(Error::LayerDamaged(input.layer_digest));
        }
        let size = size.ok_or_else(|| repo.no_layer(&input.layer_digest))?;
        let mut read = self.0.store.read().await?;
        let is_in_use = layer::in_use(&mut read.conn(), repo.id, &digest.to_string()).await?;
        if !is_in_use && !is_being_cached {
            return Err(Error::LayerInaccessible {
                digest: input.layer_digest,
                place: repo.place(),
            });
        }
        Ok(LayerDownload {
            repository: repo,
            layer: Layer { digest, size },
        })
    }
}
