//! What the database knows of unfinished uploads, so that another node can go on with them.
//!
//! Nodes share the directory of the bytes. An upload of [`KEEP_BYTES_MIN`] or more also has a row with its
//! owner and the state of its digest. The row is renewed every [`KEEP_AGAIN_BYTES`]; a node that takes the
//! upload over reads only the bytes that came after that. A smaller upload has no row: another node hashes
//! its file, and counts it for its repository alone.

use blobs::{UploadId, UploadState};
use store::ecr::upload::{self, Upload};

use crate::open_uploads::{Kept, Owner};
use crate::upload_id::KEEP_BYTES_MIN;
use crate::{Authorized, Error, Registry, RepositoryFacts, upload_id};

/// After so many bytes the row is written again. Hashing as much takes a fraction of a second.
const KEEP_AGAIN_BYTES: u64 = 64 << 20;
/// Rows that one statement reads.
const ROWS_AT_ONCE: i64 = 1_000;

/// Whether a part from `offset` to `end` makes the row worth writing.
pub(crate) fn is_to_be_kept(offset: u64, end: u64) -> bool {
    let is_first = offset < KEEP_BYTES_MIN;
    let is_due = offset / KEEP_AGAIN_BYTES < end / KEEP_AGAIN_BYTES;
    end >= KEEP_BYTES_MIN && (is_first || is_due)
}

impl Registry {
    /// Writes down how far an upload is, which has `size` bytes.
    pub(crate) async fn keep_upload(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        id: &UploadId,
        size: u64,
    ) -> Result<(), Error> {
        // The upload belongs to the principal that started it, not to the sender of this part.
        let known = self.0.open_uploads.owner(id);
        let owner = known.unwrap_or_else(|| Owner::of(cx));
        let state = self.0.blobs.upload_state(id);
        let row = Upload {
            id: id.to_string(),
            owner: Some(owner.as_str().to_owned()),
            size: i64::try_from(size).map_err(Error::internal)?,
            hash_state: state.map(|state| state.as_bytes().to_vec()),
        };
        let mut tx = self.write(repo.id).await?;
        match upload::keep(&mut tx.conn(), &row, repo.id, cx.now_ms()).await {
            Ok(()) => Ok(tx.commit().await?),
            Err(store::Error::ForeignKey(_)) => {
                drop(tx);
                self.0.blobs.cancel(id).await?;
                self.0.open_uploads.close(id);
                Err(Error::RepositoryNotFound(repo.place()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes over an upload that this node does not have at hand, if the database knows it.
    pub(crate) async fn take_over(
        &self,
        repo: &RepositoryFacts,
        id: &UploadId,
    ) -> Result<(), Error> {
        if self.0.blobs.holds_upload(id) {
            return Ok(());
        }
        let row = {
            let mut read = self.0.store.read().await?;
            upload::get(&mut read.conn(), &id.to_string()).await?
        };
        let Some(row) = row else {
            return Ok(());
        };
        let state = UploadState::from_bytes(row.hash_state.unwrap_or_default());
        if self.blobs_of(repo).await?.resume_upload(id, state).await?
            && let Some(owner) = row.owner
        {
            self.0.open_uploads.adopt(*id, Owner::stored(&owner));
        }
        Ok(())
    }

    /// All uploads that have a row, by the texts of their ids.
    pub(crate) async fn kept_uploads(&self) -> Result<Vec<(String, Kept)>, Error> {
        let mut kept: Vec<(String, Kept)> = Vec::new();
        loop {
            let after = kept.last().map_or("", |(id, _)| id.as_str()).to_owned();
            let mut read = self.0.store.read().await?;
            let rows = upload::list(&mut read.conn(), &after, ROWS_AT_ONCE).await?;
            if rows.is_empty() {
                return Ok(kept);
            }
            kept.extend(rows.into_iter().map(|(id, owner, kept_at)| {
                let owner = owner.as_deref().map(Owner::stored);
                let written = kept_at / 1000;
                (id, Kept { owner, written })
            }));
        }
    }

    /// Removes an upload that made room for another one.
    pub(crate) async fn evict_upload(&self, id: &UploadId) -> Result<(), Error> {
        self.0.short_parts.forget(id);
        let size = self.0.blobs.upload_size(id).await?;
        self.0.blobs.cancel(id).await?;
        if size.is_some_and(|size| size >= KEEP_BYTES_MIN) {
            let mut tx = self.write(upload_id::repository(id)).await?;
            upload::delete(&mut tx.conn(), &id.to_string()).await?;
            tx.commit().await?;
        }
        tracing::info!(upload = %id, "evicted an unfinished upload");
        Ok(())
    }

    pub(crate) async fn forget_upload(
        &self,
        repo: &RepositoryFacts,
        id: &UploadId,
    ) -> Result<(), Error> {
        let mut tx = self.write(repo.id).await?;
        upload::delete(&mut tx.conn(), &id.to_string()).await?;
        Ok(tx.commit().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_row_at_16_mib_and_then_every_64_mib() {
        const MIB: u64 = 1 << 20;
        for (offset, end, expected) in [
            (0, 16 * MIB - 1, false),
            (0, 16 * MIB, true),
            (8 * MIB, 20 * MIB, true),
            (16 * MIB, 26 * MIB, false),
            (60 * MIB, 64 * MIB, true),
            (64 * MIB, 127 * MIB, false),
            (64 * MIB, 300 * MIB, true),
        ] {
            assert_eq!(is_to_be_kept(offset, end), expected, "{offset} {end}");
        }
    }
}
