//! The read-only mode: the server, or one repository, refuses writes, for maintenance or before a release. Reads
//! and logins go on.
//!
//! The server's mode concerns all accounts. Only callers of the account that the server was started with can
//! change it (`--account-id`): an administrator of another account stops nobody else's pushes.

use std::sync::Arc;

use aws_api::{CommonError, berth};
use registry::{RepositoryFacts, StoredMode};
use store::Topic;

use crate::app::App;
use crate::authorize::Authorized;
use crate::error::ApiError;

/// The server's mode, from memory while it is the same.
pub(crate) async fn server_mode(app: &App) -> Result<Arc<StoredMode>, ApiError> {
    let is_fresh = |read_at| !app.store.changed_since(Topic::ReadOnlyMode, read_at);
    if let Some(mode) = app.server_mode.get(is_fresh) {
        return Ok(mode);
    }
    let read_at = app.store.moment();
    let mode = Arc::new(app.registry.server_mode().await?);
    app.server_mode.keep(read_at, &mode);
    Ok(mode)
}

/// The message of the server's mode for those who are refused; `None` while writes are served.
pub(crate) async fn server_refusal(app: &App) -> Result<Option<String>, ApiError> {
    let mode = server_mode(app).await?;
    Ok(mode.enabled.then(|| mode.refusal("The server")))
}

/// Refuses a write, of the repository where it is about one.
///
/// # Errors
/// [`ApiError::ReadOnly`], and the store's.
pub(crate) async fn check(app: &App, repository: Option<&RepositoryFacts>) -> Result<(), ApiError> {
    if let Some(message) = server_refusal(app).await? {
        return Err(ApiError::ReadOnly(message));
    }
    match repository.and_then(RepositoryFacts::read_only_refusal) {
        Some(message) => Err(ApiError::ReadOnly(message)),
        None => Ok(()),
    }
}

/// `GetReadOnlyMode`.
pub(crate) async fn get(
    app: &App,
    ok: Authorized<berth::GetReadOnlyModeRequest>,
) -> Result<berth::GetReadOnlyModeResponse, ApiError> {
    let record = ok.record().cloned();
    let (proof, input) = ok.into_parts();
    let mode = match input.repository_name {
        None => {
            let mut mode = (*server_mode(app).await?).clone();
            if proof.account != app.names.default.account {
                // A principal of another account.
                mode.changed_by = None;
            }
            mode
        }
        Some(name) => match record {
            Some(repository) => {
                let mode = repository.read_only_mode.as_deref();
                mode.cloned().unwrap_or_default()
            }
            None => return Err(missing(&proof, input.registry_id.as_deref(), name)?),
        },
    };
    Ok(berth::GetReadOnlyModeResponse {
        read_only_mode: mode.shown()?,
    })
}

/// `PutReadOnlyMode`.
pub(crate) async fn put(
    app: &App,
    ok: Authorized<berth::PutReadOnlyModeRequest>,
) -> Result<berth::PutReadOnlyModeResponse, ApiError> {
    let record = ok.record().cloned();
    let (proof, input) = ok.into_parts();
    let mode = StoredMode::asked(&proof, input.enabled, input.reason);
    match input.repository_name {
        None => put_server_mode(app, &proof, &mode).await?,
        Some(name) => match record {
            Some(repository) => {
                let put = app.registry.put_repository_mode(&proof, &repository, &mode);
                put.await?;
            }
            None => return Err(missing(&proof, input.registry_id.as_deref(), name)?),
        },
    }
    Ok(berth::PutReadOnlyModeResponse {
        read_only_mode: mode.shown()?,
    })
}

async fn put_server_mode(
    app: &App,
    proof: &authz::Authorized,
    mode: &StoredMode,
) -> Result<(), ApiError> {
    let own = app.names.default.account;
    if proof.account != own {
        let message = format!(
            "The read-only mode of the whole server can be changed by callers of the account {own} only:              name a repository of your account"
        );
        return Err(ApiError::Common(CommonError::AccessDenied, message));
    }
    Ok(app.registry.put_server_mode(proof, mode).await?)
}

fn missing(
    proof: &authz::Authorized,
    registry_id: Option<&str>,
    repository: String,
) -> Result<ApiError, ApiError> {
    let registry_id = registry::registry_account(proof.account, registry_id)?;
    let place = registry::RepositoryRef {
        repository,
        registry_id,
    };
    Ok(registry::Error::RepositoryNotFound(place).into())
}
