//! Work that blocks, on tokio's pool for it.

use tokio::task::{JoinHandle, spawn_blocking};

use crate::Error;

/// Runs blocking work on the pool.
pub(crate) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    join(spawn_blocking(work)).await
}

pub(crate) async fn join<T>(work: JoinHandle<T>) -> Result<T, Error> {
    work.await.map_err(|stopped| {
        tracing::error!(error = %stopped, "a blob worker stopped");
        Error::Stopped
    })
}
