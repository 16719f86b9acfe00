//! Layers: blobs that a repository links, and through which alone they are reachable.

use authz::ServiceName;
use blobs::{Digest, ObjectKey, Received, Source, StoreError, Stored, UploadId};
use store::Conn;
use store::ecr::layer::Linked;
use store::ecr::{collection, image_status, layer, repository, upload};

use crate::cache::Change;
use crate::digest::parse_digest;
use crate::encrypted_layers::Opened;
use crate::layer_keys::stored_word;
use crate::stored_copy::StoredCopy;
use crate::upload_id::KEEP_BYTES_MIN;
use crate::{Authorized, Error, Layer, Registry, RepositoryFacts};

impl Registry {
    /// The layer (`HEAD /v2/<name>/blobs/<digest>`), from memory when it was asked for
    /// before.
    ///
    /// # Errors
    /// [`Error::LayerNotFound`] when the repository has no such layer, whether
    /// the bytes are stored or not; [`Error::InvalidDigest`].
    pub async fn stat_blob(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        digest: &str,
    ) -> Result<Layer, Error> {
        let parsed = parse_digest(digest)?;
        let size = self.layer_size(cx, repo.id, &parsed).await?;
        let size = size.ok_or_else(|| repo.no_layer(digest))?;
        Ok(Layer {
            digest: parsed,
            size,
        })
    }

    /// The layer and its bytes (`GET /v2/<name>/blobs/<digest>`).
    ///
    /// # Errors
    /// Those of [`Registry::stat_blob`] and of the blob store, and [`Error::LayerDamaged`].
    pub async fn open_blob(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        digest: &str,
    ) -> Result<(Layer, Source), Error> {
        let parsed = parse_digest(digest)?;
        let opened = self.open_copy(repo.id, &parsed, cx.now_ms()).await?;
        let (size, source) = opened.ok_or_else(|| repo.no_layer(digest))?;
        let layer = Layer {
            digest: parsed,
            size,
        };
        Ok((layer, source))
    }

    /// The bytes behind a download URL, which names the repository's id and the
    /// digest. `None` when the repository no longer has the layer. The URL is the permission:
    /// it was sealed for a caller who was allowed to read the layer.
    ///
    /// # Errors
    /// [`Error::LayerDamaged`], and those of store and blobs.
    pub async fn open_layer(
        &self,
        _: ServiceName,
        repository_id: i64,
        digest: &Digest,
        now_ms: i64,
    ) -> Result<Option<Source>, Error> {
        let opened = self.open_copy(repository_id, digest, now_ms).await?;
        Ok(opened.map(|(_, source)| source))
    }

    /// Links a layer of `source` into `target` (`POST …/blobs/uploads/?mount=&from=`).
    /// The caller was found to be allowed to read `source`. `None` when `source` no
    /// longer has the layer, or never had it: the client then uploads it.
    ///
    /// # Errors
    /// [`Error::InvalidDigest`], [`Error::RepositoryNotFound`], and the store's.
    pub async fn mount_blob(
        &self,
        cx: &Authorized,
        target: &RepositoryFacts,
        source: &RepositoryFacts,
        digest: &str,
    ) -> Result<Option<Layer>, Error> {
        let digest = parse_digest(digest)?;
        let quotas = self.account_quotas(target.account).await?;
        let ticket = self.0.cache.ticket();
        let mut tx = self.write(target.id).await?;
        let text = digest.to_string();
        let found = layer::find(&mut tx.conn(), source.id, &text).await?;
        let Some(Linked { blob, .. }) = found else {
            return Ok(None);
        };
        // A layer is mounted within one key: the bytes under another one are others. What is damaged is uploaded.
        if blob.is_damaged || blob.encryption != stored_word(target.encryption) {
            return Ok(None);
        }
        if image_status::is_layer_archived(&mut tx.conn(), source.id, &text).await? {
            return Ok(None);
        }
        let size = blob.size;
        // The foreign key holds the blob's row from here on: it cannot be collected.
        match layer::link(&mut tx.conn(), target.id, &text, &blob, cx.now_ms()).await {
            Err(store::Error::ForeignKey(_)) => {
                drop(tx);
                // The target was deleted; or the source lost the layer meanwhile, and its
                // blob was collected.
                let mut read = self.0.store.read().await?;
                return match repository::get(&mut read.conn(), target.id).await? {
                    Some(_) => Ok(None),
                    None => Err(Error::RepositoryNotFound(target.place())),
                };
            }
            Ok(false) => {}
            Ok(true) => self.count_layer(&mut tx, target, &quotas, size).await?,
            Err(error) => return Err(error.into()),
        }
        tx.commit().await?;
        let copy = StoredCopy::of(&blob)?;
        self.0.cache.put_layer(ticket, target.id, digest, copy);
        let size = copy.size;
        Ok(Some(Layer { digest, size }))
    }

    /// Unlinks a layer that no image of the repository needs
    /// (`DELETE /v2/<name>/blobs/<digest>`). Other repositories keep theirs.
    ///
    /// # Errors
    /// [`Error::LayerNotFound`], [`Error::LayerInUse`], [`Error::InvalidDigest`].
    pub async fn delete_blob(
        &self,
        cx: &Authorized,
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
        let Some(size) = layer::unlink(&mut tx.conn(), repo.id, &text).await? else {
            return Err(repo.no_layer(digest));
        };
        repository::remove_bytes(&mut tx.conn(), repo.id, size).await?;
        self.commit(tx, &[Change::Layer(repo.id, parsed)]).await?;
        tracing::debug!(request_id = %cx.request_id, repository = %repo.arn, %digest, "unlinked a layer");
        Ok(())
    }

    /// Makes what was received, perhaps by an upload, a layer of the repository.
    ///
    /// Where the database knows a copy of the digest that is found whole, that one is linked and what was received
    /// is discarded. Otherwise it is stored under a key of its own, and the row that names the key is written in
    /// the transaction that links it. Until then a failure leaves the upload as it was.
    pub(crate) async fn link(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        received: Received,
        upload: Option<&UploadId>,
    ) -> Result<Layer, Error> {
        self.link_received(repo, received, upload, cx.now_ms())
            .await
    }

    /// The same, for what the server does by itself too.
    pub(crate) async fn link_received(
        &self,
        repo: &RepositoryFacts,
        received: Received,
        upload: Option<&UploadId>,
        now: i64,
    ) -> Result<Layer, Error> {
        let (digest, size) = (received.digest(), received.size());
        let kept = upload.filter(|_| size >= KEEP_BYTES_MIN);
        let mut replaced = None;
        match self.known_copy(repo, &digest, size).await? {
            Some((_, State::Whole)) => {
                if let Some(layer) = self.link_copy(repo, digest, None, kept, now).await? {
                    if let Err(error) = received.discard().await {
                        tracing::warn!(%error, "cannot remove an upload: a sweep does");
                    }
                    return Ok(layer);
                }
                // It was collected meanwhile.
            }
            Some((copy, State::Damaged)) => {
                tracing::warn!(%digest, key = %copy.key, "a damaged or lost blob is replaced");
                replaced = Some(copy.key);
            }
            Some((copy, State::Unread)) => replaced = Some(copy.key),
            None => {}
        }
        let stored = received.store().await.map_err(|error| match error {
            StoreError::Gone => {
                repo.no_upload(&upload.map(ToString::to_string).unwrap_or_default())
            }
            StoreError::Storage(error) => error.into(),
        })?;
        let new = NewCopy { stored, replaced };
        let linked = self.link_copy(repo, digest, Some(new), kept, now).await?;
        linked.ok_or_else(|| Error::internal(format!("the row of the blob {digest} did not stay")))
    }

    /// Writes the rows of a layer: of the copy that is new, or of the one that the database knows. `None`
    /// when it does not know one any more, or that it is damaged.
    async fn link_copy(
        &self,
        repo: &RepositoryFacts,
        digest: Digest,
        new: Option<NewCopy>,
        kept: Option<&UploadId>,
        now: i64,
    ) -> Result<Option<Layer>, Error> {
        let text = digest.to_string();
        let encryption = stored_word(repo.encryption);
        let quotas = self.account_quotas(repo.account).await?;
        for _ in 0..LINK_ATTEMPTS_MAX {
            let ticket = self.0.cache.ticket();
            let mut tx = self.write(repo.id).await?;
            let blob = match &new {
                None => layer::blob(&mut tx.conn(), &text, &encryption).await?,
                Some(new) => {
                    let conn = &mut tx.conn();
                    Some(new.put(conn, &text, encryption.clone(), now).await?)
                }
            };
            let Some(blob) = blob.filter(|blob| !blob.is_damaged) else {
                return Ok(None);
            };
            match layer::link(&mut tx.conn(), repo.id, &text, &blob, now).await {
                Err(store::Error::ForeignKey(_)) => {
                    drop(tx);
                    let mut read = self.0.store.read().await?;
                    if repository::get(&mut read.conn(), repo.id).await?.is_none() {
                        if let Some(new) = &new {
                            self.delete_copy(&new.stored.key).await;
                        }
                        return Err(Error::RepositoryNotFound(repo.place()));
                    }
                    // The blob was collected between the two statements.
                    continue;
                }
                Ok(false) => {}
                Ok(true) => {
                    if let Err(error) = self.count_layer(&mut tx, repo, &quotas, blob.size).await {
                        drop(tx);
                        // Its row was not committed.
                        if let Some(new) = &new {
                            self.delete_copy(&new.stored.key).await;
                        }
                        return Err(error);
                    }
                }
                Err(error) => return Err(error.into()),
            }
            if let Some(id) = kept {
                upload::delete(&mut tx.conn(), &id.to_string()).await?;
            }
            // A copy whose commit failed stays: it may have been committed, and a listing finds it.
            tx.commit().await?;
            let copy = StoredCopy::of(&blob)?;
            self.0.cache.put_layer(ticket, repo.id, digest, copy);
            // A snapshot from before the commit may name the copy that was replaced. The collection finds it later.
            let is_held = match &new {
                Some(NewCopy {
                    replaced: Some(_), ..
                }) => self.are_files_held(now).await,
                _ => false,
            };
            if let Some(NewCopy { stored, replaced }) = new {
                // No row names these keys, and no other request knows them.
                if stored.key != copy.key {
                    self.delete_copy(&stored.key).await;
                }
                let replaced = replaced.filter(|key| *key != copy.key);
                if let Some(key) = replaced.filter(|_| !is_held) {
                    self.delete_copy(&key).await;
                }
            }
            let size = copy.size;
            return Ok(Some(Layer { digest, size }));
        }
        Ok(None)
    }

    /// The copy that the database knows of a digest whose bytes were received, and in which state it is.
    async fn known_copy(
        &self,
        repo: &RepositoryFacts,
        digest: &Digest,
        size: u64,
    ) -> Result<Option<(StoredCopy, State)>, Error> {
        let blob = {
            let mut read = self.0.store.read().await?;
            let encryption = stored_word(repo.encryption);
            layer::blob(&mut read.conn(), &digest.to_string(), &encryption).await?
        };
        let Some(blob) = blob else {
            return Ok(None);
        };
        let copy = StoredCopy::of(&blob)?;
        if blob.is_damaged || copy.size != size {
            return Ok(Some((copy, State::Damaged)));
        }
        if size > REREAD_BYTES_MAX {
            return Ok(Some((copy, State::Unread)));
        }
        let blobs = self.blobs_of(repo).await?;
        let state = match self.inspect(&blobs, digest, &copy, 0).await? {
            None => State::Whole,
            Some(_) => State::Damaged,
        };
        Ok(Some((copy, state)))
    }

    async fn delete_copy(&self, key: &ObjectKey) {
        if let Err(error) = self.0.blobs.delete(key).await {
            tracing::warn!(%error, %key, "cannot delete a copy that nothing names");
        }
    }

    /// The repository's layer, opened; `None` when the repository has none of this digest.
    async fn open_copy(
        &self,
        repository_id: i64,
        digest: &Digest,
        now: i64,
    ) -> Result<Option<(u64, Source)>, Error> {
        for attempt in 1..=OPEN_ATTEMPTS_MAX {
            let copy = match self.layer_copy(repository_id, digest, None).await? {
                Known::Absent => return Ok(None),
                Known::Damaged => return Err(Error::LayerDamaged(digest.to_string())),
                Known::Stored(copy) => copy,
            };
            // What was written is checked again where it is read: a copy that a broken disk cut short is not
            // served, and a push replaces it.
            let found = match self.open_stored(&copy).await? {
                Opened::Whole(source) => {
                    let source = self.watched(digest, &copy, source, now);
                    return Ok(Some((copy.size, source)));
                }
                Opened::Damaged(found) => found,
            };
            // Another copy may have taken its place since the row was read: the first time it may come from memory.
            if attempt > 1 {
                let service = ServiceName::Maintenance;
                self.mark_copy(service, digest, &copy, found, now).await?;
            }
            let changed = [Change::Layer(repository_id, *digest)];
            self.0.cache.changed(&changed);
        }
        Err(Error::internal(format!(
            "the copy of the blob {digest} changes all the time"
        )))
    }

    /// The size of a repository's layer. Who is told that it is there may name it in a manifest later.
    pub(crate) async fn layer_size(
        &self,
        cx: &Authorized,
        repository_id: i64,
        digest: &Digest,
    ) -> Result<Option<u64>, Error> {
        let asked_at = Some(cx.now_ms());
        let known = self.layer_copy(repository_id, digest, asked_at).await?;
        Ok(match known {
            Known::Stored(copy) => Some(copy.size),
            Known::Absent | Known::Damaged => None,
        })
    }

    /// Whether the repository has a layer whose bytes are known to be damaged.
    pub(crate) async fn is_layer_damaged(
        &self,
        repository_id: i64,
        digest: &Digest,
    ) -> Result<bool, Error> {
        let known = self.layer_copy(repository_id, digest, None).await?;
        Ok(matches!(known, Known::Damaged))
    }

    /// `asked_at`: when a client asks whether the layer is there, which keeps one that no image needs.
    async fn layer_copy(
        &self,
        repository_id: i64,
        digest: &Digest,
        asked_at: Option<i64>,
    ) -> Result<Known, Error> {
        if let Some(copy) = self.0.cache.layer(repository_id, digest) {
            return Ok(Known::Stored(copy));
        }
        let ticket = self.0.cache.ticket();
        let mut read = self.0.store.read().await?;
        let (conn, text) = (&mut read.conn(), digest.to_string());
        let Some(Linked { blob, unused_since }) = layer::find(conn, repository_id, &text).await?
        else {
            return Ok(Known::Absent);
        };
        // Layers of archived images alone are archived as well. What archives an image makes everything
        // stale that is cached of its repository.
        if image_status::is_layer_archived(conn, repository_id, &text).await? {
            return Ok(Known::Absent);
        }
        drop(read);
        if blob.is_damaged {
            return Ok(Known::Damaged);
        }
        let mut copy = StoredCopy::of(&blob)?;
        match unused_since {
            None => self.0.cache.put_layer(ticket, repository_id, *digest, copy),
            // Not cached: each question counts.
            Some(since) => {
                let is_due = |asked: &i64| asked.saturating_sub(since) > ASKED_AGAIN_MS;
                if let Some(asked) = asked_at.filter(is_due) {
                    let mut tx = self.write(repository_id).await?;
                    let conn = &mut tx.conn();
                    collection::ask_for_unused(conn, repository_id, &text, asked).await?;
                    // It may have been collected since it was read: who is told that it is there names it next.
                    let Some(Linked { blob, .. }) = layer::find(conn, repository_id, &text).await?
                    else {
                        return Ok(Known::Absent);
                    };
                    tx.commit().await?;
                    if blob.is_damaged {
                        return Ok(Known::Damaged);
                    }
                    copy = StoredCopy::of(&blob)?;
                }
            }
        }
        Ok(Known::Stored(copy))
    }
}

/// What the database knows of a repository's layer.
enum Known {
    /// It has none of this digest, or one that is archived.
    Absent,
    /// Its bytes are known to be lost or damaged.
    Damaged,
    Stored(StoredCopy),
}

/// What is known of a stored copy when its bytes come once more.
enum State {
    Whole,
    Damaged,
    /// It is too large to be read for this: the bytes that came take its place.
    Unread,
}

/// A layer that no image needs begins its time anew when it is asked for, but not more often than this.
const ASKED_AGAIN_MS: i64 = 60_000;

/// How often rows are written again whose blob was collected between two statements.
const LINK_ATTEMPTS_MAX: usize = 3;
/// How often a layer is looked up again whose copy was replaced.
const OPEN_ATTEMPTS_MAX: usize = 4;
/// Up to this size a copy that is there is read when its bytes are pushed again, and kept when it is whole: that costs
/// less than to sync another one. What is larger is almost synced when it is complete.
const REREAD_BYTES_MAX: u64 = 16 << 20;

/// A copy that was just stored, and the one in whose place it comes.
struct NewCopy {
    stored: Stored,
    replaced: Option<ObjectKey>,
}

impl NewCopy {
    async fn put(
        &self,
        conn: &mut Conn<'_>,
        digest: &str,
        encryption: String,
        now: i64,
    ) -> Result<layer::Blob, store::Error> {
        let blob = layer::Blob {
            size: i64::try_from(self.stored.size).unwrap_or(i64::MAX),
            object_key: self.stored.key.to_string(),
            encryption,
            is_damaged: false,
        };
        if let Some(replaced) = &self.replaced
            && layer::replace_copy(conn, digest, &replaced.to_string(), &blob, now).await?
        {
            return Ok(blob);
        }
        layer::put_blob(conn, digest, &blob, now).await
    }
}
