//! Requests per second of an account, by operation: quotas of Amazon ECR (ECR user guide, "Amazon ECR service
//! quotas") that are off unless an administrator of the server sets them. Each node counts its own.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_api::CommonError;
use aws_api::ecr::Operation;
use aws_types::AccountId;
use jiff::Timestamp;
use store::ecr::quota;
use store::{Moment, Topic, iam};

use crate::app::App;
use crate::error::ApiError;

/// The operations that have a rate, with the names of their quotas. Requests to `/v2/` count as the
/// operation that they stand for.
const LIMITED: [(Operation, &str); 8] = [
    (
        Operation::GetAuthorizationToken,
        quota::AUTHORIZATION_TOKEN_RATE,
    ),
    (Operation::BatchGetImage, quota::GET_IMAGE_RATE),
    (Operation::GetDownloadUrlForLayer, quota::DOWNLOAD_URL_RATE),
    (
        Operation::BatchCheckLayerAvailability,
        quota::CHECK_LAYER_RATE,
    ),
    (Operation::InitiateLayerUpload, quota::INITIATE_UPLOAD_RATE),
    (Operation::UploadLayerPart, quota::UPLOAD_PART_RATE),
    (Operation::CompleteLayerUpload, quota::COMPLETE_UPLOAD_RATE),
    (Operation::PutImage, quota::PUT_IMAGE_RATE),
];

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
    fn take(
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
    fn keep(&self, account: AccountId, read_at: Moment, rates: &[(Operation, i64)], now: i64) {
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

/// Counts a request of the account, and refuses it where its rate is used up.
///
/// # Errors
/// `Throttling`, and the store's.
pub(crate) async fn check(
    app: &App,
    account: AccountId,
    operation: Operation,
    now: Timestamp,
) -> Result<(), ApiError> {
    if LIMITED.iter().all(|(limited, _)| *limited != operation) {
        return Ok(());
    }
    let now = now.as_millisecond();
    let is_fresh = |read_at| {
        let topic = Topic::Account(account.as_str());
        !app.store.changed_since(topic, read_at)
    };
    let allowed = match app.rates.take(account, operation, now, is_fresh) {
        Some(allowed) => allowed,
        None => {
            let read_at = app.store.moment();
            let rates = read(app, account).await?;
            app.rates.keep(account, read_at, &rates, now);
            let taken = app.rates.take(account, operation, now, |_| true);
            // `None`: another request made room for its account.
            taken.unwrap_or(true)
        }
    };
    match allowed {
        true => Ok(()),
        false => Err(ApiError::Common(
            CommonError::Throttling,
            "Rate exceeded".to_owned(),
        )),
    }
}

/// The rates that are set for the account.
async fn read(app: &App, account: AccountId) -> Result<Vec<(Operation, i64)>, ApiError> {
    let mut read = app.store.read().await.map_err(ApiError::internal)?;
    let set = iam::quota::list(&mut read.conn(), account.as_str()).await;
    let set = set.map_err(ApiError::internal)?;
    let rate = |(operation, name): &(Operation, &str)| {
        let found = set.iter().find(|(known, _)| known == name);
        found.map(|(_, rate)| (*operation, *rate))
    };
    Ok(LIMITED.iter().filter_map(rate).collect())
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
