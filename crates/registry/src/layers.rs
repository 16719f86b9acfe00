//! Layers: blobs that a repository links, and through which alone they are reachable.

use blobs::{BlobFile, Digest, UploadId};
use store::ecr::{layer, repository, upload};

use crate::cache::Change;
use crate::uploads::parse_digest;
use crate::{Call, Error, Registry, RepositoryFacts};

/// A layer of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its digest.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
}

impl Registry {
    /// The layer (`HEAD /v2/<name>/blobs/<digest>`), from memory when it was asked for
    /// before.
    ///
    /// # Errors
    /// [`Error::LayerNotFound`] when the repository has no such layer, be the bytes
    /// stored or not; [`Error::InvalidDigest`].
    pub async fn stat_blob(&self, repo: &RepositoryFacts, digest: &str) -> Result<Layer, Error> {
        let parsed = parse_digest(digest)?;
        let size = self.layer_size(repo.id, &parsed).await?;
        let size = size.ok_or_else(|| no_layer(repo, digest))?;
        Ok(Layer {
            digest: parsed,
            size,
        })
    }

    /// The layer and its bytes (`GET /v2/<name>/blobs/<digest>`).
    ///
    /// # Errors
    /// Those of [`Registry::stat_blob`] and of the blob store.
    pub async fn open_blob(
        &self,
        repo: &RepositoryFacts,
        digest: &str,
    ) -> Result<(Layer, BlobFile), Error> {
        let layer = self.stat_blob(repo, digest).await?;
        let file = self.0.blobs.open(&layer.digest).await?;
        let file = file.ok_or_else(|| lost(&layer.digest))?;
        Ok((layer, file))
    }

    /// The bytes behind a download URL, which names the repository's id and the
    /// digest. `None` when the repository no longer has the layer.
    ///
    /// # Errors
    /// Those of store and blobs.
    pub async fn open_layer(
        &self,
        repository_id: i64,
        digest: &Digest,
    ) -> Result<Option<BlobFile>, Error> {
        if self.layer_size(repository_id, digest).await?.is_none() {
            return Ok(None);
        }
        let file = self.0.blobs.open(digest).await?;
        file.map(Some).ok_or_else(|| lost(digest))
    }

    /// Links a layer of `source` into `target` (`POST …/blobs/uploads/?mount=&from=`).
    /// The caller was found to be allowed to read `source`. `None` when `source` has no
    /// such layer, or not any more: the client then uploads it.
    ///
    /// # Errors
    /// [`Error::InvalidDigest`], [`Error::RepositoryNotFound`], and the store's.
    pub async fn mount_blob(
        &self,
        cx: &Call,
        target: &RepositoryFacts,
        source: &RepositoryFacts,
        digest: &str,
    ) -> Result<Option<Layer>, Error> {
        let digest = parse_digest(digest)?;
        let ticket = self.0.cache.ticket();
        let mut tx = self.write(target.id).await?;
        let text = digest.to_string();
        let Some(size) = layer::size(&mut tx.conn(), source.id, &text).await? else {
            return Ok(None);
        };
        // The foreign key holds the blob's row from here on: it cannot be collected.
        match layer::link(&mut tx.conn(), target.id, &text, size, cx.now_ms()).await {
            Err(store::Error::ForeignKey(_)) => {
                drop(tx);
                // The target is gone; or the source let go of the layer meanwhile, and its
                // blob was collected.
                let mut read = self.0.store.read().await?;
                return match repository::get(&mut read.conn(), target.id).await? {
                    Some(_) => Ok(None),
                    None => Err(Error::RepositoryNotFound(target.place())),
                };
            }
            linked => linked?,
        }
        tx.commit().await?;
        let size = size.unsigned_abs();
        self.0.cache.put_layer(ticket, target.id, digest, size);
        Ok(Some(Layer { digest, size }))
    }

    /// Unlinks a layer that no image of the repository needs
    /// (`DELETE /v2/<name>/blobs/<digest>`). Other repositories keep theirs.
    ///
    /// # Errors
    /// [`Error::LayerNotFound`], [`Error::LayerInUse`], [`Error::InvalidDigest`].
    pub async fn delete_blob(
        &self,
        cx: &Call,
        repo: &RepositoryFacts,
        digest: &str,
    ) -> Result<(), Error> {
        let parsed = parse_digest(digest)?;
        let text = parsed.to_string();
        let mut tx = self.write(repo.id).await?;
        if layer::in_use(&mut tx.conn(), repo.id, &text).await? {
            return Err(Error::LayerInUse {
                digest: text,
                place: repo.place(),
            });
        }
        if !layer::unlink(&mut tx.conn(), repo.id, &text).await? {
            return Err(no_layer(repo, digest));
        }
        self.commit(tx, &[Change::Layer(repo.id, parsed)]).await?;
        tracing::debug!(request_id = %cx.request_id, repository = %repo.arn, %digest, "unlinked a layer");
        Ok(())
    }

    /// Makes a durable blob a layer of the repository; with `kept`, forgets the upload
    /// that it came from.
    pub(crate) async fn link(
        &self,
        cx: &Call,
        repo: &RepositoryFacts,
        digest: Digest,
        size: u64,
        kept: Option<&UploadId>,
    ) -> Result<Layer, Error> {
        let text = digest.to_string();
        let length = i64::try_from(size).map_err(Error::internal)?;
        let now = cx.now_ms();
        let ticket = self.0.cache.ticket();
        let mut tx = self.write(repo.id).await?;
        layer::put_blob(&mut tx.conn(), &text, length, now).await?;
        match layer::link(&mut tx.conn(), repo.id, &text, length, now).await {
            Err(store::Error::ForeignKey(_)) => {
                return Err(Error::RepositoryNotFound(repo.place()));
            }
            linked => linked?,
        }
        if let Some(id) = kept {
            upload::delete(&mut tx.conn(), &id.to_string()).await?;
        }
        // Whoever collects a blob removes its file while it holds the blob's row. The
        // row is ours now, so if the file is there, it stays.
        if self.0.blobs.stat(&digest).await? != Some(size) {
            return Err(lost(&digest));
        }
        tx.commit().await?;
        self.0.cache.put_layer(ticket, repo.id, digest, size);
        Ok(Layer { digest, size })
    }

    /// The size of a repository's layer.
    pub(crate) async fn layer_size(
        &self,
        repository_id: i64,
        digest: &Digest,
    ) -> Result<Option<u64>, Error> {
        if let Some(size) = self.0.cache.layer(repository_id, digest) {
            return Ok(Some(size));
        }
        let ticket = self.0.cache.ticket();
        let mut read = self.0.store.read().await?;
        let size = layer::size(&mut read.conn(), repository_id, &digest.to_string()).await?;
        let Some(size) = size.map(i64::unsigned_abs) else {
            return Ok(None);
        };
        self.0.cache.put_layer(ticket, repository_id, *digest, size);
        Ok(Some(size))
    }
}

pub(crate) fn no_layer(repo: &RepositoryFacts, digest: &str) -> Error {
    Error::LayerNotFound {
        digest: digest.to_owned(),
        place: repo.place(),
    }
}

fn lost(digest: &Digest) -> Error {
    Error::internal(format!("the blob {digest} has a row and no file"))
}
