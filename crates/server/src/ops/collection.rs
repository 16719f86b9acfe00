//! The operations on the collection of layers and blobs that nobody needs. Blobs belong to no account, so that only
//! callers of the account that the server was started with see runs and begin them.

use authz::{Requirements, ResourceSelector, require};
use aws_api::{CommonError, berth};

use crate::app::App;
use crate::authorize::Authorized;
use crate::error::ApiError;

/// A run, by its id, or `*`.
pub(super) fn run(id: &str) -> Requirements {
    require(ResourceSelector::Collection(id.to_owned()))
}

fn missing(id: &str) -> ApiError {
    let message = format!("There is no collection with the id '{id}'");
    ApiError::Wire(berth::ErrorCode::CollectionNotFound.with(message))
}

pub(super) fn check_owner(app: &App, proof: &authz::Authorized) -> Result<(), ApiError> {
    let own = app.names.default.account;
    if proof.account == own {
        return Ok(());
    }
    let message =
        format!("This concerns the whole server: it is for callers of the account {own} only");
    Err(ApiError::Common(CommonError::AccessDenied, message))
}

/// `StartCollection`.
pub(super) async fn start_collection(
    app: &App,
    ok: Authorized<berth::StartCollectionRequest>,
) -> Result<berth::StartCollectionResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    check_owner(app, &proof)?;
    if app.registry.is_resting() {
        let message = "The server was restored from a backup and its collection rests: finish the restore first";
        let code = berth::ErrorCode::InvalidParameter;
        return Err(ApiError::Wire(code.with(message.to_owned())));
    }
    let (dry_run, forced) = (input.dry_run.unwrap_or(false), input.force.unwrap_or(false));
    let begun = app
        .registry
        .start_collection(&proof, dry_run, forced)
        .await?;
    let collection = begun.ok_or_else(|| {
        let message = "A collection is in progress".to_owned();
        ApiError::Wire(berth::ErrorCode::CollectionInProgress.with(message))
    })?;
    Ok(berth::StartCollectionResponse { collection })
}

/// `ListCollections`.
pub(super) async fn list_collections(
    app: &App,
    ok: Authorized<berth::ListCollectionsRequest>,
) -> Result<berth::ListCollectionsResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    check_owner(app, &proof)?;
    Ok(app.registry.list_collections(&proof, input).await?)
}

/// `GetCollection`.
pub(super) async fn get_collection(
    app: &App,
    ok: Authorized<berth::GetCollectionRequest>,
) -> Result<berth::GetCollectionResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    check_owner(app, &proof)?;
    let found = app
        .registry
        .collection(&proof, &input.collection_id)
        .await?;
    let collection = found.ok_or_else(|| missing(&input.collection_id))?;
    Ok(berth::GetCollectionResponse { collection })
}

/// `StopCollection`.
pub(super) async fn stop_collection(
    app: &App,
    ok: Authorized<berth::StopCollectionRequest>,
) -> Result<berth::StopCollectionResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    check_owner(app, &proof)?;
    let id = &input.collection_id;
    let stopped = app.registry.stop_collection(&proof, id).await?;
    let collection = stopped.ok_or_else(|| missing(id))?;
    Ok(berth::StopCollectionResponse { collection })
}
