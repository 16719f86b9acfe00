//! What is left of the requests per second of accounts: a bucket for each operation that has a rate.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_api::ecr::Operation;
use aws_types::AccountId;
use store::Moment;

/// Accounts whose rates are kept in memory. Beyond it all are forgotten, and read again.
const ACCOUNTS_MAX: usize = 10_000;
/// Parts of a request that a bucket is filled by.
const PARTS: i64 = 1_000;

/// What is left of the accounts' rates.
#[derive(Default)]
pub(crate) struct Rates(Mutex<HashMap<AccountId, Account>>);

struct Account {
    read_at: Moment,
    /// Empty for accounts without rates, which are nearly all.
    buckets: Vec<Bucket>,
}

struct Bucket {
    operation: Operation,
    /// Requests in a second, and as many at once.
    rate: i64,
    /// Thousandths of requests.
    left: i64,
    /// When it was last filled, milliseconds since the epoch.
    filled_at: i64,
}

impl Bucket {
    fn new(operation: Operation, rate: i64, now: i64) -> Bucket {
        Bucket {
            operation,
            rate,
            left: rate.saturating_mul(PARTS),
            filled_at: now,
        }
    }

    /// Takes a request out; false when there is none left.
    fn take(&mut self, now: i64) -> bool {
        let passed = now.saturating_sub(self.filled_at).clamp(0, PARTS);
        // A rate of one in a second fills a thousandth of a request in a millisecond.
        let filled = self.left.saturating_add(self.rate.saturating_mul(passed));
        self.left = filled.min(self.rate.saturating_mul(PARTS));
        self.filled_at = now;
        let allowed = self.left >= PARTS;
        if allowed {
            self.left -= PARTS;
        }
        allowed
    }
}

impl Rates {
    /// Whether the request may begin; `None` when the account's rates must be read first.
    pub(crate) fn take(
        &self,
        account: AccountId,
        operation: Operation,
        now: i64,
        is_fresh: impl FnOnce(Moment) -> bool,
    ) -> Option<bool> {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = accounts.get_mut(&account)?;
        if !is_fresh(known.read_at) {
            return None;
        }
        let mut buckets = known.buckets.iter_mut();
        let bucket = buckets.find(|bucket| bucket.operation == operation);
        Some(bucket.is_none_or(|bucket| bucket.take(now)))
    }

    /// Keeps what was read at `read_at`. Buckets whose rate is the same stay as full as they are.
    pub(crate) fn keep(
        &self,
        account: AccountId,
        read_at: Moment,
        rates: &[(Operation, i64)],
        now: i64,
    ) {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = match accounts.remove(&account) {
            Some(known) => known.buckets,
            None => Vec::new(),
        };
        if accounts.len() >= ACCOUNTS_MAX {
            accounts.clear();
        }
        let bucket = |(operation, rate): &(Operation, i64)| {
            let same = |known: &Bucket| known.operation == *operation && known.rate == *rate;
            match before.iter().position(same) {
                Some(at) => before.swap_remove(at),
                None => Bucket::new(*operation, *rate, now),
            }
        };
        let buckets = rates.iter().map(bucket).collect();
        accounts.insert(account, Account { read_at, buckets });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_rate_in_each_second() {
        let mut bucket = Bucket::new(Operation::PutImage, 2, 0);
        let taken = |bucket: &mut Bucket, now| (0..4).filter(|_| bucket.take(now)).count();
        assert_eq!(taken(&mut bucket, 0), 2);
        assert_eq!(taken(&mut bucket, 499), 0);
        assert_eq!(taken(&mut bucket, 500), 1);
        assert_eq!(taken(&mut bucket, 60_000), 2, "it does not save up");
        assert_eq!(
            taken(&mut bucket, 0),
            0,
            "a clock that goes back gives nothing"
        );
    }

    #[test]
    fn a_rate_of_zero_allows_nothing() {
        let mut bucket = Bucket::new(Operation::PutImage, 0, 0);
        assert!(!bucket.take(5_000));
    }
}
