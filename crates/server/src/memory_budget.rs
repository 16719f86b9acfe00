//! The memory for bodies that are kept whole: API calls, manifests, and what strangers send.
//!
//! A body is charged for what has arrived, never for what it announces: announcing costs a client
//! nothing. The first [`SMALL_BODY_BYTES_MAX`] of every body are charged to a purse of their own, so that
//! large bodies cannot keep small calls waiting. Streamed blobs pass by: they are not kept.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::{
    BODY_ROOM_TIMEOUT, LARGE_BODIES_BYTES_MAX, SMALL_BODIES_BYTES_MAX, SMALL_BODY_BYTES_MAX,
};

/// What a permit stands for, in bytes.
const UNIT: usize = 1024;
/// A body is charged twice: its bytes, and what they are decoded to.
const COPIES: usize = 2;
/// Steps in which bodies are charged, in bytes, so that a body of many pieces is not charged for each.
const SMALL_STEP: usize = 2 * UNIT;
const LARGE_STEP: usize = 64 * UNIT;

/// The memory for all bodies. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Budget {
    pub(crate) small: Arc<Semaphore>,
    pub(crate) large: Arc<Semaphore>,
}

/// There was no room for [`BODY_ROOM_TIMEOUT`].
#[derive(Debug)]
pub(crate) struct Full;

/// One body's share, given back when it is dropped: whoever holds the bytes holds this.
pub(crate) struct Share {
    budget: Budget,
    small: Option<OwnedSemaphorePermit>,
    large: Option<OwnedSemaphorePermit>,
}

impl Budget {
    pub(crate) fn new() -> Budget {
        Budget {
            small: Arc::new(Semaphore::new(SMALL_BODIES_BYTES_MAX / UNIT)),
            large: Arc::new(Semaphore::new(LARGE_BODIES_BYTES_MAX / UNIT)),
        }
    }

    /// The share of a body of which nothing has come yet.
    pub(crate) fn share(&self) -> Share {
        Share {
            budget: self.clone(),
            small: None,
            large: None,
        }
    }
}

impl Share {
    /// Charges for a body of `length` bytes in all, waiting for a while where there is no room.
    pub(crate) async fn grow(&mut self, length: usize) -> Result<(), Full> {
        let small = length.min(SMALL_BODY_BYTES_MAX);
        take(&self.budget.small, &mut self.small, small, SMALL_STEP).await?;
        take(
            &self.budget.large,
            &mut self.large,
            length - small,
            LARGE_STEP,
        )
        .await
    }
}

async fn take(
    purse: &Arc<Semaphore>,
    held: &mut Option<OwnedSemaphorePermit>,
    bytes: usize,
    step: usize,
) -> Result<(), Full> {
    let wanted = bytes.div_ceil(step) * step * COPIES / UNIT;
    let has = held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
    if wanted <= has {
        return Ok(());
    }
    let more = u32::try_from(wanted - has).map_err(|_| Full)?;
    let more = Arc::clone(purse).acquire_many_owned(more);
    let more = tokio::time::timeout(BODY_ROOM_TIMEOUT, more).await;
    // Closed it never is.
    let more = more.map_err(|_| Full)?.map_err(|_| Full)?;
    match held {
        Some(held) => held.merge(more),
        None => *held = Some(more),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn large_bodies_wait_for_a_while_and_small_ones_not_for_them() {
        let budget = Budget::new();
        let mut shares = Vec::new();
        loop {
            let mut share = budget.share();
            let grown = share.grow(8 * 1024 * 1024).await;
            if grown.is_err() {
                break;
            }
            shares.push(share);
        }
        assert_eq!(
            shares.len(),
            LARGE_BODIES_BYTES_MAX / COPIES / (8 * 1024 * 1024)
        );
        let mut call = budget.share();
        call.grow(1).await.unwrap();
        call.grow(SMALL_BODY_BYTES_MAX).await.unwrap();
        call.grow(SMALL_BODY_BYTES_MAX + 1).await.unwrap();
        drop((shares, call));
        assert_eq!(
            budget.small.available_permits(),
            SMALL_BODIES_BYTES_MAX / UNIT
        );
        assert_eq!(
            budget.large.available_permits(),
            LARGE_BODIES_BYTES_MAX / UNIT
        );
    }
}
