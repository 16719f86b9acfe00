//! The operations on backups, and on the rest after a restore. They concern the whole server, so that only callers of
//! the account that the server was started with take and see them.

use aws_api::berth;

use super::collection::check_owner;
use crate::app::App;
use crate::authorize::Authorized;
use crate::error::ApiError;
use crate::health::Problem;

fn missing(id: &str) -> ApiError {
    let message = format!("There is no backup with the id '{id}'");
    ApiError::Wire(berth::ErrorCode::BackupNotFound.with(message))
}

/// `StartBackup`.
pub(super) async fn start_backup(
    app: &App,
    ok: Authorized<berth::StartBackupRequest>,
) -> Result<berth::StartBackupResponse, ApiError> {
    let (proof, _) = ok.into_parts();
    check_owner(app, &proof)?;
    if !app.registry.has_backup_directory() {
        let message = "The server has no directory for backups: start it with --backup-dir";
        let code = berth::ErrorCode::BackupDirectoryNotConfigured;
        return Err(ApiError::Wire(code.with(message.to_owned())));
    }
    let begun = app.registry.start_backup(&proof).await?;
    let backup = begun.ok_or_else(|| {
        let message = "A backup is being taken".to_owned();
        ApiError::Wire(berth::ErrorCode::BackupInProgress.with(message))
    })?;
    Ok(berth::StartBackupResponse { backup })
}

/// `ListBackups`.
pub(super) async fn list_backups(
    app: &App,
    ok: Authorized<berth::ListBackupsRequest>,
) -> Result<berth::ListBackupsResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    check_owner(app, &proof)?;
    Ok(app.registry.list_backups(&proof, input).await?)
}

/// `GetBackup`.
pub(super) async fn get_backup(
    app: &App,
    ok: Authorized<berth::GetBackupRequest>,
) -> Result<berth::GetBackupResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    check_owner(app, &proof)?;
    let found = app.registry.backup(&proof, &input.backup_id).await?;
    let backup = found.ok_or_else(|| missing(&input.backup_id))?;
    Ok(berth::GetBackupResponse { backup })
}

/// `StopBackup`.
pub(super) async fn stop_backup(
    app: &App,
    ok: Authorized<berth::StopBackupRequest>,
) -> Result<berth::StopBackupResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    check_owner(app, &proof)?;
    let stopped = app.registry.stop_backup(&proof, &input.backup_id).await?;
    let backup = stopped.ok_or_else(|| missing(&input.backup_id))?;
    Ok(berth::StopBackupResponse { backup })
}

/// `GetRestore`.
pub(super) async fn get_restore(
    app: &App,
    ok: Authorized<berth::GetRestoreRequest>,
) -> Result<berth::GetRestoreResponse, ApiError> {
    let (proof, _) = ok.into_parts();
    check_owner(app, &proof)?;
    let restore = app.registry.pending_restore(&proof).await?;
    Ok(berth::GetRestoreResponse { restore })
}

/// `FinishRestore`.
pub(super) async fn finish_restore(
    app: &App,
    ok: Authorized<berth::FinishRestoreRequest>,
) -> Result<berth::FinishRestoreResponse, ApiError> {
    let (proof, _) = ok.into_parts();
    check_owner(app, &proof)?;
    let restore = app.registry.finish_restore(&proof).await?;
    app.health.set(Problem::Restored, false);
    Ok(berth::FinishRestoreResponse { restore })
}
