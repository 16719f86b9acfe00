//! Requests per second of an account, by operation: quotas of Amazon ECR (ECR user guide, "Amazon ECR service
//! quotas") that are off unless an administrator of the server sets them. Each node counts its own.

use aws_api::CommonError;
use aws_api::ecr::Operation;
use aws_types::AccountId;
use jiff::Timestamp;
use store::ecr::quota;
use store::{Topic, iam};

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
