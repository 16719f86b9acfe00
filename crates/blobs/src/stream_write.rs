//! A stream into an upload's file: batches gather while those before are written and hashed, and every so often a
//! sync runs beside them.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;
use tokio::task::JoinHandle;

use crate::batch::{Arriving, Batch, End, read_batch};
use crate::blocking::{COMPUTING, Share, WRITING, join, start_sync};
use crate::chain::{Chain, Work};
use crate::hash_state::Hasher;
use crate::layout::Layout;
use crate::upload::Checkpoint;
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
///
/// Should the request be dropped meanwhile, the lock ends with the write that runs and without its hasher, and the next
/// request hashes anew.
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
    let mut writing = Writing::begin(layout, lock)?;
    writing.push(first, arriving.behind_max()).await?;
    let mut syncing: Option<(u64, JoinHandle<Result<Checkpoint, Error>>)> = None;
    loop {
        let (batch, end) = writing
            .beside(read_batch(arriving, stream.as_mut()))
            .await?;
        if let Some(failed) = end.last() {
            // A sync must not run on behind the last one: it would take the error report.
            if let Some((_, syncing)) = syncing {
                join(syncing).await??;
            }
            return Ok(Written {
                lock: writing.end().await?,
                rest: batch,
                failed,
            });
        }
        if let Some((began, handle)) = syncing.take() {
            if writing.len - began >= CHECKPOINT_BYTES {
                let reached = join(handle).await??;
                writing.written.idle().await?.reached = Some(reached);
            } else {
                syncing = Some((began, handle));
            }
        }
        if syncing.is_none() && writing.len >= CHECKPOINT_BYTES {
            let checkpoint = writing.checkpoint().await?;
            let handle = start_sync(move || checkpoint.sync().map(|()| checkpoint));
            syncing = Some((writing.len, handle.await?));
        }
        writing.push(batch, arriving.behind_max()).await?;
    }
}

/// A stream on its way: one worker writes while another one hashes. Neither waits for the other at each batch.
struct Writing {
    written: Chain<Target>,
    hashed: Chain<Hasher>,
    /// The upload's length when all is written.
    len: u64,
}

impl Writing {
    fn begin(layout: &Arc<Layout>, mut lock: UploadLock) -> Result<Self, Error> {
        let upload = lock.upload.as_mut();
        let upload =
            upload.ok_or_else(|| Error::io("find an upload")(io::ErrorKind::NotFound.into()))?;
        let (len, hasher) = (upload.len(), upload.lend_hasher());
        Ok(Self {
            written: Chain::new(Target {
                layout: Arc::clone(layout),
                lock,
                reached: None,
            }),
            hashed: Chain::new(hasher),
            len,
        })
    }

    /// Hands a batch to both workers, and waits until no more than `behind_max` wait for one of them.
    async fn push(&mut self, batch: Batch, behind_max: usize) -> Result<(), Error> {
        self.len += batch.bytes() as u64;
        let batch = Arc::new(batch);
        self.hashed.push(Arc::clone(&batch));
        self.written.push(batch);
        while self.behind() > behind_max {
            self.go_on().await?;
        }
        Ok(())
    }

    fn behind(&self) -> usize {
        self.written.behind().max(self.hashed.behind())
    }

    /// Gives a worker what waits for it, as soon as one of them is free. Nothing is lost when this is dropped.
    async fn go_on(&mut self) -> Result<(), Error> {
        let (to_write, to_hash) = (self.written.behind() > 0, self.hashed.behind() > 0);
        tokio::select! {
            // The digest takes longer than a write to the page cache, which all writes of short layers are.
            biased;
            done = self.hashed.go_on(), if to_hash => done,
            done = self.written.go_on(), if to_write => done,
            else => Ok(()),
        }
    }

    /// Reads, and meanwhile gives the workers what waits for them.
    async fn beside<T>(&mut self, reading: impl Future<Output = T>) -> Result<T, Error> {
        let mut reading = pin!(reading);
        loop {
            let is_behind = self.behind() > 0;
            tokio::select! {
                biased;
                done = self.go_on(), if is_behind => done?,
                read = &mut reading => return Ok(read),
            }
        }
    }

    /// All that came, when it is written and hashed.
    async fn checkpoint(&mut self) -> Result<Checkpoint, Error> {
        self.written.go_on().await?;
        let hasher = self.hashed.settled().await?.clone();
        let target = self.written.settled().await?;
        let upload = target.lock.upload.as_ref().ok_or(Error::Stopped)?;
        Ok(upload.checkpoint(hasher))
    }

    async fn end(mut self) -> Result<UploadLock, Error> {
        self.written.go_on().await?;
        let hasher = self.hashed.end().await?;
        let mut lock = self.written.end().await?.lock;
        if let Some(upload) = &mut lock.upload {
            upload.return_hasher(hasher);
        }
        Ok(lock)
    }
}

/// The upload that is written.
struct Target {
    layout: Arc<Layout>,
    lock: UploadLock,
    /// What the next write takes note of.
    reached: Option<Checkpoint>,
}

impl Work for Target {
    fn share() -> &'static Share {
        &WRITING
    }

    fn work(mut self, batches: &[Arc<Batch>]) -> Result<Self, Error> {
        let upload = self.lock.upload.as_mut().ok_or(Error::Stopped)?;
        if let Some(reached) = self.reached.take() {
            upload.reached(&self.layout, &reached);
        }
        for batch in batches {
            if let Err(error) = upload.write_unhashed(batch.chunks()) {
                self.lock.write_failed(&error);
                return Err(error);
            }
        }
        Ok(self)
    }
}

impl Work for Hasher {
    fn share() -> &'static Share {
        &COMPUTING
    }

    fn work(mut self, batches: &[Arc<Batch>]) -> Result<Self, Error> {
        for batch in batches {
            batch.hash_into(&mut self);
        }
        Ok(self)
    }
}
