//! The operations on checks of the integrity of metadata and layers. They read what all accounts store, so that only
//! callers of the account that the server was started with see checks and begin them.

use authz::{Requirements, ResourceSelector, require};
use aws_api::berth;

use super::collection::check_owner;
use crate::app::App;
use crate::authorize::Authorized;
use crate::error::ApiError;

/// A check, by its id, or `*`.
pub(super) fn check(id: &str) -> Requirements {
    require(ResourceSelector::IntegrityCheck(id.to_owned()))
}

fn missing(id: &str) -> ApiError {
    let message = format!("There is no integrity check with the id '{id}'");
    ApiError::Wire(berth::ErrorCode::IntegrityCheckNotFound.with(message))
}

/// `StartIntegrityCheck`.
pub(super) async fn start_integrity_check(
    app: &App,
    ok: Authorized<berth::StartIntegrityCheckRequest>,
) -> Result<berth::StartIntegrityCheckResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    check_owner(app, &proof)?;
    let repair = input.repair.unwrap_or(false);
    let begun = app.registry.start_integrity_check(&proof, repair).await?;
    let integrity_check = begun.ok_or_else(|| {
        let message = "An integrity check is in progress".to_owned();
        ApiError::Wire(berth::ErrorCode::IntegrityCheckInProgress.with(message))
    })?;
    Ok(berth::StartIntegrityCheckResponse { integrity_check })
}

/// `ListIntegrityChecks`.
pub(super) async fn list_integrity_checks(
    app: &App,
    ok: Authorized<berth::ListIntegrityChecksRequest>,
) -> Result<berth::ListIntegrityChecksResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    check_owner(app, &proof)?;
    Ok(app.registry.list_integrity_checks(&proof, input).await?)
}

/// `GetIntegrityCheck`.
pub(super) async fn get_integrity_check(
    app: &App,
    ok: Authorized<berth::GetIntegrityCheckRequest>,
) -> Result<berth::GetIntegrityCheckResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    check_owner(app, &proof)?;
    let id = input.integrity_check_id.clone();
    let found = app.registry.integrity_check(&proof, input).await?;
    found.ok_or_else(|| missing(&id))
}

/// `StopIntegrityCheck`.
pub(super) async fn stop_integrity_check(
    app: &App,
    ok: Authorized<berth::StopIntegrityCheckRequest>,
) -> Result<berth::StopIntegrityCheckResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    check_owner(app, &proof)?;
    let id = &input.integrity_check_id;
    let stopped = app.registry.stop_integrity_check(&proof, id).await?;
    let integrity_check = stopped.ok_or_else(|| missing(id))?;
    Ok(berth::StopIntegrityCheckResponse { integrity_check })
}
