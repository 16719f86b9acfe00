//! Uploads: incoming bytes.
//!
//! An upload is a file in the blob store, and its id says which repository it belongs
//! to (`upload_id`), so that starting one and adding to it needs no transaction. One
//! that grew large also gets a row, which keeps it over a restart.

use std::fmt;
use std::pin::pin;

use blobs::{AppendError, BoxError, Digest, UploadId};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};

use crate::digest::parse_digest;
use crate::kept_uploads::is_to_be_kept;
use crate::open_uploads::{Bounds, Owner, Room};
use crate::upload_id::KEEP_BYTES_MIN;
use crate::{Authorized, Error, Layer, Registry, RepositoryFacts, upload_id};

/// Marks a body that exceeded the limit of a layer's size.
#[derive(Debug)]
struct TooLarge;

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the layer is too large")
    }
}

impl std::error::Error for TooLarge {}

impl Registry {
    /// Starts an upload (`POST /v2/<name>/blobs/uploads/`).
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] while too many others are unfinished and in use, and the
    /// blob store's.
    pub async fn start_upload(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
    ) -> Result<UploadId, Error> {
        let id = upload_id::make(repo.id, cx.now_ms(), &*self.0.entropy)?;
        let limits = self.0.settings.limits;
        let bounds = Bounds {
            of_principal: limits.uploads_per_principal_max,
            of_repository: limits.uploads_per_repository_max,
        };
        let full = |what, max| Err(Error::LimitExceeded { what, max });
        let owner = Owner::of(cx);
        match self.0.open_uploads.open(id, &owner, cx.now_ms(), bounds) {
            Room::Made(None) => {}
            Room::Made(Some(evicted)) => self.evict_upload(&evicted).await?,
            Room::PrincipalFull => {
                let max = bounds.of_principal;
                return full("unfinished layer uploads of a principal", max);
            }
            Room::RepositoryFull => {
                let max = bounds.of_repository;
                return full("unfinished layer uploads of a repository", max);
            }
        }
        let blobs = self.blobs_of(repo).await?;
        if let Err(error) = blobs.start_upload(&id).await {
            self.0.open_uploads.close(&id);
            return Err(error.into());
        }
        Ok(id)
    }

    /// Appends to an upload (`PATCH …/blobs/uploads/<upload>`) and says its length.
    /// `offset` is where the part begins, when the client says so.
    ///
    /// # Errors
    /// [`Error::UploadNotFound`], [`Error::InvalidLayerPart`] when the part does not
    /// begin where the upload ends, [`Error::LayerTooLarge`], [`Error::UploadBusy`],
    /// [`Error::BodyBroken`]: what arrived until then stays, and the upload can continue.
    pub async fn append<S, E>(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        upload: &str,
        offset: Option<u64>,
        body: S,
    ) -> Result<u64, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError> + Send,
    {
        let id = self.upload_id(repo, upload, cx.now_ms())?;
        let offset = match offset {
            Some(offset) => offset,
            None => self.upload_size(repo, &id).await?,
        };
        self.append_at(cx, repo, &id, offset, body).await
    }

    /// The upload's length in bytes (`GET …/blobs/uploads/<upload>`).
    ///
    /// # Errors
    /// [`Error::UploadNotFound`], and the blob store's.
    pub async fn upload_status(
        &self,
        _: &Authorized,
        repo: &RepositoryFacts,
        upload: &str,
    ) -> Result<u64, Error> {
        let id = upload_id(repo, upload)?;
        self.upload_size(repo, &id).await
    }

    /// Appends what the body still holds and makes the layer
    /// (`PUT …/blobs/uploads/<upload>?digest=`). When this returns, the layer is durable.
    ///
    /// # Errors
    /// Those of [`Registry::append`], [`Error::InvalidDigest`], and
    /// [`Error::InvalidLayer`] for other bytes than the digest's: the upload is then gone.
    pub async fn complete_upload<S, E>(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        upload: &str,
        digest: &str,
        offset: Option<u64>,
        body: S,
    ) -> Result<Layer, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError> + Send,
    {
        let id = self.upload_id(repo, upload, cx.now_ms())?;
        let digest = parse_digest(digest)?;
        let mut body = pin!(body);
        // Usually there is nothing left, and nothing to append.
        if let Some(first) = body.next().await {
            let rest = stream::once(async { first }).chain(body);
            let offset = match offset {
                Some(offset) => offset,
                None => self.upload_size(repo, &id).await?,
            };
            self.append_at(cx, repo, &id, offset, rest).await?;
        }
        self.finish(cx, repo, &id, &digest).await
    }

    /// Removes an upload (`DELETE …/blobs/uploads/<upload>`).
    ///
    /// # Errors
    /// [`Error::UploadNotFound`], and those of blobs and store.
    pub async fn cancel_upload(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        upload: &str,
    ) -> Result<(), Error> {
        let id = upload_id(repo, upload)?;
        let size = self.upload_size(repo, &id).await?;
        self.0.short_parts.forget(&id);
        if size >= KEEP_BYTES_MIN {
            self.forget_upload(repo, &id).await?;
        }
        let cancelled = self.0.blobs.cancel(&id).await?;
        self.0.open_uploads.close(&id);
        tracing::debug!(request_id = %cx.request_id, repository = %repo.arn, upload = %id, "cancelled an upload");
        match cancelled {
            true => Ok(()),
            false => Err(repo.no_upload(upload)),
        }
    }

    /// A whole layer in one request (`POST …/blobs/uploads/?digest=`).
    ///
    /// # Errors
    /// Those of [`Registry::complete_upload`]; nothing of a failed one stays.
    pub async fn put_blob<S, E>(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        digest: &str,
        body: S,
    ) -> Result<Layer, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError> + Send,
    {
        let digest = parse_digest(digest)?;
        let body = self.limited(body, 0);
        let received = self.blobs_of(repo).await?.receive(&digest, body).await;
        let received = received.map_err(|error| match error {
            blobs::PutError::Body(source) if source.is::<TooLarge>() => self.too_large(),
            other => other.into(),
        })?;
        let layer = self.link(cx, repo, received, None).await?;
        self.note_received(cx, repo, &layer);
        Ok(layer)
    }

    /// The id that a client sent, if it can be that of an unexpired upload of this repository.
    pub(crate) fn upload_id(
        &self,
        repo: &RepositoryFacts,
        upload: &str,
        now_ms: i64,
    ) -> Result<UploadId, Error> {
        let id = upload_id(repo, upload)?;
        match upload_id::expired(&id, now_ms, self.0.settings.upload_lifetime) {
            false => Ok(id),
            true => Err(repo.no_upload(upload)),
        }
    }

    pub(crate) async fn upload_size(
        &self,
        repo: &RepositoryFacts,
        id: &UploadId,
    ) -> Result<u64, Error> {
        let size = self.blobs_of(repo).await?.upload_size(id).await?;
        size.ok_or_else(|| repo.no_upload(&id.to_string()))
    }

    pub(crate) async fn append_at<S, E>(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        id: &UploadId,
        offset: u64,
        body: S,
    ) -> Result<u64, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError> + Send,
    {
        if offset >= KEEP_BYTES_MIN {
            self.take_over(repo, id).await?;
        }
        let body = self.limited(body, offset);
        let blobs = self.blobs_of(repo).await?;
        let _writing = self.0.open_uploads.writing(id, cx.now_ms());
        let (end, appended) = match blobs.append(id, offset, body).await {
            Ok(end) => (end, Ok(end)),
            Err(AppendError::OffsetMismatch { expected, actual }) => {
                return Err(part_out_of_order(repo, id, expected, actual));
            }
            Err(AppendError::Body { source, .. }) if source.is::<TooLarge>() => {
                return Err(self.too_large());
            }
            // What came stays, and the client may continue on another node.
            Err(error @ AppendError::Body { offset: end, .. }) => {
                (end, Err(Error::append(error, repo.place())))
            }
            Err(error) => return Err(Error::append(error, repo.place())),
        };
        if is_to_be_kept(offset, end) {
            self.keep_upload(cx, repo, id, end).await?;
        }
        appended
    }

    /// Makes a layer of an upload that has all its bytes.
    pub(crate) async fn finish(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        id: &UploadId,
        digest: &Digest,
    ) -> Result<Layer, Error> {
        self.take_over(repo, id).await?;
        let received = match self.blobs_of(repo).await?.complete(id, digest).await {
            Ok(received) => received,
            Err(error) => {
                if let blobs::FinishError::DigestMismatch { .. } = &error {
                    self.0.open_uploads.close(id);
                    self.0.short_parts.forget(id);
                    self.forget_upload(repo, id).await?;
                }
                return Err(Error::finish(error, repo.place()));
            }
        };
        let layer = self.link(cx, repo, received, Some(id)).await?;
        self.note_received(cx, repo, &layer);
        self.0.open_uploads.close(id);
        self.0.short_parts.forget(id);
        Ok(layer)
    }

    /// The body, cut with an error where the layer would become too large.
    fn limited<S, E>(
        &self,
        body: S,
        offset: u64,
    ) -> impl Stream<Item = Result<Bytes, BoxError>> + Send + use<S, E>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError> + Send,
    {
        let mut left = self
            .0
            .settings
            .limits
            .layer_bytes_max
            .saturating_sub(offset);
        body.map(move |chunk| {
            let chunk = chunk.map_err(Into::into)?;
            left = left
                .checked_sub(chunk.len() as u64)
                .ok_or_else(|| Box::new(TooLarge) as BoxError)?;
            Ok(chunk)
        })
    }

    fn too_large(&self) -> Error {
        Error::LayerTooLarge {
            bytes_max: self.0.settings.limits.layer_bytes_max,
        }
    }
}

/// The id that a client sent, if it can be that of an upload of this repository.
fn upload_id(repo: &RepositoryFacts, upload: &str) -> Result<UploadId, Error> {
    // UUIDs are compared without regard to case (RFC 9562, section 4).
    let id = upload.to_ascii_lowercase().parse::<UploadId>();
    let id = id.map_err(|_| repo.no_upload(upload))?;
    match upload_id::repository(&id) == repo.id {
        true => Ok(id),
        false => Err(repo.no_upload(upload)),
    }
}

fn part_out_of_order(repo: &RepositoryFacts, id: &UploadId, expected: u64, actual: u64) -> Error {
    Error::InvalidLayerPart {
        message: format!(
            "The layer part begins at byte {expected}, but the upload with id '{id}' continues at byte {actual}"
        ),
        upload_id: id.to_string(),
        place: repo.place(),
        last_valid_byte_received: i64::try_from(actual).unwrap_or(i64::MAX) - 1,
    }
}
