//! Turns for hashing passwords: few hashes are computed at once, and few requests wait for one.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::Error;

/// Hashes that are computed at a time: 19 MiB each.
const HASHES_AT_ONCE: usize = 2;
/// Requests that wait for one, at most.
const WAITING_MAX: usize = 64;

/// The turns of those who compute a hash.
pub(crate) struct Hashing {
    waiting: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

impl Default for Hashing {
    fn default() -> Self {
        Hashing {
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            turns: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
        }
    }
}

impl Hashing {
    /// Runs a computation of hashes when it is its turn.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        compute: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let _waiting = Arc::clone(&self.waiting)
            .try_acquire_owned()
            .map_err(|_| Error::Unavailable("too many passwords are being checked".into()))?;
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(Error::internal)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = compute();
            drop(turn);
            done
        });
        done.await.map_err(Error::internal)?
    }
}
