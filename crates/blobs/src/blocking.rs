//! Work that blocks, on tokio's pool for it: a share of its threads for each kind.
//!
//! A disk that is slow to sync, or that stops writing, holds the threads of that work. Reads have theirs, and what
//! else the process does on the pool, such as hashing passwords, has those that no share covers.
//!
//! tokio starts a thread for each job that finds none idle, also for one whose place was given back a moment before
//! by a thread that is not idle yet. So the shares do not bound the threads by themselves: the runtime's pool has
//! [`threads_max`], and what it needs for other work.

use std::num::NonZero;
use std::sync::LazyLock;
use std::thread::available_parallelism;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use crate::Error;

/// Jobs of each kind that run at once; the others wait without a thread.
const READS: usize = 32;
const WRITES: usize = 16;
const SYNCS: usize = 64;
/// Each reads and hashes what may be many gigabytes.
const RESUMES: usize = 4;

/// The threads that the work of all stores of the process has at most. The runtime's pool must have more
/// (`max_blocking_threads`), or that work takes those of others.
#[must_use]
pub fn threads_max() -> usize {
    READS + WRITES + SYNCS + RESUMES + cores()
}

fn cores() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}

static READING: Share = Share(Semaphore::const_new(READS));
pub(crate) static WRITING: Share = Share(Semaphore::const_new(WRITES));
static SYNCING: Share = Share(Semaphore::const_new(SYNCS));
static RESUMING: Share = Share(Semaphore::const_new(RESUMES));
pub(crate) static COMPUTING: LazyLock<Share> = LazyLock::new(|| {
    // Hashing is bound by the processors.
    Share(Semaphore::new(cores()))
});

/// The threads of one kind of work.
pub(crate) struct Share(Semaphore);

/// A thread for one job.
pub(crate) struct Place(SemaphorePermit<'static>);

impl Share {
    /// Waits until fewer jobs run than may.
    pub(crate) async fn place(&'static self) -> Result<Place, Error> {
        // Nobody closes it.
        let place = self.0.acquire().await;
        place.map(Place).map_err(|_| Error::Stopped)
    }
}

impl Place {
    /// Begins the job, which gives the place back at its end.
    pub(crate) fn start<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        spawn_blocking(move || {
            let done = work();
            drop(self.0);
            done
        })
    }
}

/// Runs work that opens, lists or reads.
pub(crate) async fn read<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    join(start_in(&READING, work).await?).await
}

/// Begins such work, at once or when there is a thread for it, for who does not wait for the beginning.
pub(crate) fn start_read<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    if let Ok(place) = READING.0.try_acquire() {
        return Place(place).start(work);
    }
    tokio::spawn(async move {
        let place = READING.0.acquire().await;
        let done = spawn_blocking(work).await;
        drop(place);
        match done.map_err(JoinError::try_into_panic) {
            Ok(done) => done,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // The runtime ends, and this task with it.
            Err(Err(_)) => std::future::pending().await,
        }
    })
}

/// Runs work that makes, writes, renames or removes files, and syncs nothing.
pub(crate) async fn write<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    join(start_in(&WRITING, work).await?).await
}

/// Runs work that syncs.
pub(crate) async fn sync<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    join(start_sync(work).await?).await
}

/// Begins such work, once there is a thread for it.
pub(crate) async fn start_sync<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, Error> {
    start_in(&SYNCING, work).await
}

/// Runs work that reads an upload anew, so that its digest goes on.
pub(crate) async fn resume<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    join(start_in(&RESUMING, work).await?).await
}

/// Runs work of the processor alone, which no disk holds up.
pub(crate) async fn compute<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    join(start_in(&COMPUTING, work).await?).await
}

async fn start_in<T: Send + 'static>(
    share: &'static Share,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, Error> {
    Ok(share.place().await?.start(work))
}

pub(crate) async fn join<T>(work: impl Future<Output = Result<T, JoinError>>) -> Result<T, Error> {
    work.await.map_err(|stopped| {
        tracing::error!(error = %stopped, "a blob worker stopped");
        Error::Stopped
    })
}
