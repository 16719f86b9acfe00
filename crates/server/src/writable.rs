//! Which operations go on while something cannot be written.
//!
//! | | audit log or database fails | disk of the layers at its reserve |
//! |---|---|---|
//! | reads, pulls, logins | go on | go on |
//! | writes, new credentials | refused | go on |
//! | layer uploads | refused | refused |
//! | what only takes access away | go on | go on |

use std::sync::Arc;

use crate::app::App;
use crate::error::ApiError;
use crate::health::Problem;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It changes nothing and makes no credentials.
    Reads,
    /// It changes something, or makes credentials.
    Writes,
    /// It stores layers.
    StoresLayers,
    /// It only takes access away.
    Revokes,
}

/// Whether an operation may begin: whether what it does can be recorded and stored.
///
/// # Errors
/// 503 with what fails, or that layers find no space.
pub(crate) async fn check(app: &Arc<App>, effect: Effect) -> Result<(), ApiError> {
    let audit_fails = !app.audit.is_available();
    let database_fails = app.health.has(Problem::DatabaseReadOnly);
    let refused = |why| Err(ApiError::Degraded(why));
    match effect {
        Effect::Reads => Ok(()),
        Effect::Revokes => {
            if audit_fails && !app.audit.can_record_removal() {
                return refused("The audit log cannot be written, and its reserve is used up.");
            }
            if audit_fails || database_fails {
                release_ballast(app).await;
            }
            Ok(())
        }
        Effect::Writes | Effect::StoresLayers if audit_fails => refused(
            "The audit log cannot be written. Until it can, only requests that read or take access \
             away are served.",
        ),
        Effect::Writes | Effect::StoresLayers if database_fails => refused(
            "The database cannot be written. Until it can, only requests that read are served.",
        ),
        Effect::StoresLayers if app.health.has(Problem::DiskReserve) => {
            Err(registry::Error::NoSpace.into())
        }
        Effect::Writes | Effect::StoresLayers => Ok(()),
    }
}

/// Gives the database the space that was set aside for this.
async fn release_ballast(app: &Arc<App>) {
    let app = Arc::clone(app);
    let released = tokio::task::spawn_blocking(move || match &app.ballast {
        Some(ballast) => ballast.release(),
        None => Ok(false),
    });
    match released.await {
        Ok(Ok(true)) => {
            tracing::warn!("released the space beside the database, to take access away")
        }
        Ok(Ok(false)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the space beside the database was not released"),
        Err(error) => tracing::warn!(%error, "the space beside the database was not released"),
    }
}
