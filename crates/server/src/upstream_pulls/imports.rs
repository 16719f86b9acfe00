//! Imports that the pull which began them did not finish: by the service-linked role of the repository's account,
//! whose policy allows them, so that the account's own policies can deny them.

use std::sync::Arc;

use authz::{Authorized, ServiceName};
use jiff::SignedDuration;
use jobs::{BoxError, Outcome};
use registry::pull_through::{PendingImport, UpstreamError};

use super::{RULE, import_requirements, role, service_role, sources};
use crate::app::App;
use crate::authorize;
use crate::error::ApiError;
use crate::read_only;
use crate::registry_host::RegistryId;
use crate::writable::{self, Effect};

/// When it is looked again for an import that this node does at the moment.
const WHILE_RUNNING: SignedDuration = SignedDuration::from_secs(20);
/// When it is tried again while nothing can be stored.
const WHILE_READ_ONLY: SignedDuration = SignedDuration::from_mins(1);

/// Runs the job of one import.
pub(crate) async fn run(
    app: &Arc<App>,
    service: ServiceName,
    subject: &str,
    payload: &str,
) -> Result<Outcome, BoxError> {
    let registry = &app.registry;
    let pending = registry.pending_import(service, subject, payload).await?;
    let Some(pending) = pending else {
        return Ok(Outcome::Done);
    };
    let repository = &pending.repository;
    let place = RegistryId {
        account: repository.account,
        region: repository.region.clone(),
    };
    let stored = writable::check(app, Effect::StoresLayers).await;
    if stored.is_err() || read_only::check(app, Some(repository)).await.is_err() {
        return Ok(Outcome::Again(WHILE_READ_ONLY));
    }
    let (account, region) = (&place.account, &place.region);
    let rule = registry.pull_through_rule(account, region, &repository.name);
    let Some(rule) = rule.await? else {
        return Ok(Outcome::Done);
    };
    let asked = match sources::asked(app, &place, &rule, &repository.name).await {
        Ok(Some(asked)) => asked,
        Ok(None) => return Ok(Outcome::Done),
        Err(error) => return Ok(after(app, &pending, &error)),
    };
    let cache = &app.pull_through.cache;
    if cache.is_importing(&asked.place, &pending.digest) {
        return Ok(Outcome::Again(WHILE_RUNNING));
    }
    let Some(proof) = decide(app, &place, &pending).await? else {
        return Ok(Outcome::Done);
    };
    match cache.resume(&proof, &asked, &pending).await {
        Ok(()) => Ok(Outcome::Done),
        Err(error) => Ok(after(app, &pending, &error)),
    }
}

/// When a failed import is tried again.
fn after(app: &App, pending: &PendingImport, error: &UpstreamError) -> Outcome {
    let (repository, digest) = (&pending.repository.arn, &pending.digest);
    let is_transient = error.is_transient() || matches!(error, UpstreamError::Credentials(_));
    let now = app.now().as_millisecond();
    let pause = pending.pause_ms(error.retry_after(), now);
    match pause.filter(|_| is_transient) {
        Some(pause) => {
            tracing::info!(%repository, digest, %error, "an image of an upstream is tried again");
            Outcome::Again(SignedDuration::from_millis(pause))
        }
        None => {
            tracing::warn!(%repository, digest, %error, "an image of an upstream is given up");
            Outcome::Done
        }
    }
}

/// The proof that the account's cache may store images in its repository; `None` where a policy denies it.
async fn decide(
    app: &App,
    place: &RegistryId,
    pending: &PendingImport,
) -> Result<Option<Arc<Authorized>>, BoxError> {
    let caller = service_role::service_role(place.account);
    let context = role::context(app, caller, place.region.clone());
    let requirements = import_requirements(&pending.repository.name, place.account.as_str());
    match authorize::authorize(app, context, &RULE, &requirements, ()).await {
        Ok(ok) => Ok(Some(Arc::new(ok.into_parts().0))),
        Err(ApiError::Denied(denial)) => {
            tracing::warn!(repository = %pending.repository.arn, denial.message, "an import is denied");
            Ok(None)
        }
        Err(error) => Err(format!("the decision on an import failed: {error:?}").into()),
    }
}
