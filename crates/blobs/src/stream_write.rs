//! A stream into an upload's file: while one batch is written and hashed, the next one gathers, and
//! every so often a sync runs beside them.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;
use tokio::task::JoinHandle;

use crate::batch::{Arriving, Batch, End, read_batch};
use crate::blocking::{join, start_compute, start_sync, start_write};
use crate::hash_state::Hasher;
use crate::layout::Layout;
use crate::upload::{Checkpoint, Upload};
use crate::upload_locks::UploadLock;
use crate::{BoxError, Error};

/// After so many bytes a sync begins beside the writing: what a crash costs and what the last sync has left to do are
/// bounded by it. The first one comes when the page cache gets no more of the upload (`direct`).
const CHECKPOINT_BYTES: u64 = 32 * 1024 * 1024;

/// What is left to do once a stream was written.
pub(crate) struct Written {
    pub(crate) lock: UploadLock,
    /// The last batch, not yet written.
    pub(crate) rest: Batch,
    /// What the stream failed with.
    pub(crate) failed: Option<BoxError>,
}

/// Writes the stream to the upload, after the batch that the caller gathered from it, all but the last
/// batch: that goes with the caller's last step in one job.
pub(crate) async fn write_stream<S, E>(
    layout: &Arc<Layout>,
    lock: UploadLock,
    (first, end): (Batch, End),
    arriving: &mut Arriving,
    mut stream: Pin<&mut S>,
) -> Result<Written, Error>
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: Into<BoxError>,
{
    if let Some(failed) = end.last() {
        return Ok(Written {
            lock,
            rest: first,
            failed,
        });
    }
    let mut writing = Writing::start(layout, lock, None, first).await?;
    let mut syncing: Option<(u64, JoinHandle<Result<Checkpoint, Error>>)> = None;
    loop {
        let (batch, end) = read_batch(arriving, stream.as_mut()).await;
        let lock = writing.done().await?;
        if let Some(failed) = end.last() {
            // A sync must not run on behind the last one: it would take the error report.
            if let Some((_, syncing)) = syncing {
                join(syncing).await??;
            }
            return Ok(Written {
                lock,
                rest: batch,
                failed,
            });
        }
        let len = lock.upload.as_ref().map_or(0, Upload::len);
        let mut reached = None;
        if let Some((began, handle)) = syncing.take() {
            if len - began >= CHECKPOINT_BYTES {
                reached = Some(join(handle).await??);
            } else {
                syncing = Some((began, handle));
            }
        }
        if syncing.is_none()
            && len >= CHECKPOINT_BYTES
            && let Some(upload) = &lock.upload
        {
            let checkpoint = upload.checkpoint();
            let handle = start_sync(move || checkpoint.sync().map(|()| checkpoint));
            syncing = Some((len, handle.await?));
        }
        writing = Writing::start(layout, lock, reached, batch).await?;
    }
}

/// A batch on its way: one worker writes it while another hashes it. Should the request be dropped
/// meanwhile, the lock ends with the write and without its hasher, and the next request hashes anew.
struct Writing {
    written: JoinHandle<Result<UploadLock, Error>>,
    hashed: Option<JoinHandle<Hasher>>,
}

impl Writing {
    async fn start(
        layout: &Arc<Layout>,
        mut lock: UploadLock,
        reached: Option<Checkpoint>,
        batch: Batch,
    ) -> Result<Self, Error> {
        let (layout, batch) = (Arc::clone(layout), Arc::new(batch));
        let hashed = match &mut lock.upload {
            Some(upload) => {
                let mut hasher = upload.lend_hasher();
                let batch = Arc::clone(&batch);
                let hashed = start_compute(move || {
                    batch.hash_into(&mut hasher);
                    hasher
                });
                Some(hashed.await?)
            }
            None => None,
        };
        let written = start_write(move || {
            if let Some(upload) = &mut lock.upload {
                if let Some(reached) = reached {
                    upload.reached(&layout, &reached);
                }
                if let Err(error) = upload.write_unhashed(batch.chunks()) {
                    lock.write_failed(&error);
                    return Err(error);
                }
            }
            Ok(lock)
        });
        let written = written.await?;
        Ok(Self { written, hashed })
    }

    async fn done(self) -> Result<UploadLock, Error> {
        let mut lock = join(self.written).await??;
        if let (Some(upload), Some(hashed)) = (&mut lock.upload, self.hashed) {
            upload.return_hasher(join(hashed).await?);
        }
        Ok(lock)
    }
}
