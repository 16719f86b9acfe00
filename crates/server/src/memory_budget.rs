//! The memory for bodies that are kept whole: API calls, manifests, and what strangers send.
//!
//! A body is charged for what has arrived, never for what it announces: announcing costs a client
//! nothing. The first [`BODY_BYTES_FREE`] of every body are not charged: they are bounded by the number of
//! connections, and ordinary API calls are shorter, so no flood of bodies keeps them waiting. Up to
//! [`SMALL_BODY_BYTES_MAX`] a body is charged to one pool, beyond that to another, so that large bodies
//! cannot starve small calls. Both pools are shared fairly ([`FairPool`]). Streamed blobs are not charged:
//! they are not kept.

use std::sync::Arc;

use crate::fair_pool::{FairPool, Grant, Party, Revocation};
use crate::limits::{
    BODY_BYTES_FREE, BODY_ROOM_TIMEOUT, LARGE_BODIES_BYTES_MAX, SMALL_BODIES_BYTES_MAX,
    SMALL_BODY_BYTES_MAX,
};

/// A body is charged twice: its bytes, and what they are decoded to.
const COPIES: usize = 2;
/// Steps in which bodies are charged, in bytes, so that a body of many pieces is not charged for each.
const SMALL_STEP: usize = 4 * 1024;
const LARGE_STEP: usize = 64 * 1024;

/// The memory for all bodies. Cheap to clone.
#[derive(Clone)]
pub(crate) struct MemoryBudget {
    pub(crate) small: FairPool,
    pub(crate) large: FairPool,
}

/// There was no room for [`BODY_ROOM_TIMEOUT`], or others needed it more.
#[derive(Debug)]
pub(crate) struct Full;

/// What one body is charged, given back when it is dropped: whoever holds the bytes holds this.
pub(crate) struct Charge {
    small: Grant,
    large: Grant,
    revocation: Arc<Revocation>,
}

impl MemoryBudget {
    pub(crate) fn new() -> MemoryBudget {
        MemoryBudget {
            small: FairPool::new(SMALL_BODIES_BYTES_MAX),
            large: FairPool::new(LARGE_BODIES_BYTES_MAX),
        }
    }

    /// The charge for a body of `party` of which nothing has come yet.
    pub(crate) fn charge(&self, party: &Party) -> Charge {
        let revocation = Arc::new(Revocation::default());
        Charge {
            small: self.small.grant(party.clone(), Arc::clone(&revocation)),
            large: self.large.grant(party.clone(), Arc::clone(&revocation)),
            revocation,
        }
    }
}

impl Charge {
    /// Charges for a body of `length` bytes in all, waiting for a while where there is no room.
    pub(crate) async fn grow(&mut self, length: usize) -> Result<(), Full> {
        let small = length.min(SMALL_BODY_BYTES_MAX);
        let large = length - small;
        take(
            &mut self.small,
            small.saturating_sub(BODY_BYTES_FREE),
            SMALL_STEP,
        )
        .await?;
        take(&mut self.large, large, LARGE_STEP).await
    }

    /// Completes when others need the memory more. It is theirs once this is dropped.
    pub(crate) async fn revoked(&self) {
        self.revocation.revoked().await;
    }
}

async fn take(grant: &mut Grant, bytes: usize, step: usize) -> Result<(), Full> {
    let wanted = bytes.div_ceil(step) * step * COPIES;
    let Some(more) = wanted.checked_sub(grant.units()).filter(|more| *more > 0) else {
        return Ok(());
    };
    let grown = tokio::time::timeout(BODY_ROOM_TIMEOUT, grant.grow(more)).await;
    grown.map_err(|_| Full)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(name: &str) -> Party {
        Party::Principal(name.into())
    }

    #[tokio::test(start_paused = true)]
    async fn large_bodies_wait_for_a_while_and_keep_no_small_ones_waiting() {
        let budget = MemoryBudget::new();
        let mut charges = Vec::new();
        loop {
            let mut charge = budget.charge(&party("one"));
            if charge.grow(8 * 1024 * 1024).await.is_err() {
                break;
            }
            charges.push(charge);
        }
        assert_eq!(
            charges.len(),
            LARGE_BODIES_BYTES_MAX / COPIES / (8 * 1024 * 1024)
        );
        let mut call = budget.charge(&party("one"));
        call.grow(1).await.unwrap();
        call.grow(SMALL_BODY_BYTES_MAX).await.unwrap();
        call.grow(SMALL_BODY_BYTES_MAX + 1).await.unwrap();
        drop((charges, call));
        assert_eq!(budget.small.available(), SMALL_BODIES_BYTES_MAX);
        assert_eq!(budget.large.available(), LARGE_BODIES_BYTES_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn one_partys_bodies_keep_no_other_party_waiting() {
        let budget = MemoryBudget::new();
        let mut charges = Vec::new();
        for _ in 0..LARGE_BODIES_BYTES_MAX / COPIES / (8 * 1024 * 1024) {
            let mut charge = budget.charge(&party("greedy"));
            charge.grow(8 * 1024 * 1024).await.unwrap();
            charges.push(charge);
        }
        let mut modest = budget.charge(&party("modest"));
        let grown = modest.grow(1024 * 1024);
        let first = charges.remove(0);
        let gives_up = async move {
            first.revoked().await;
            drop(first);
        };
        let (grown, ()) = tokio::join!(grown, gives_up);
        grown.unwrap();
    }
}
