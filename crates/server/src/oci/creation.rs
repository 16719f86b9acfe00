//! Create on push: the first upload to a repository that is not there creates it, where a repository
//! creation template says so and the pusher may create it.
//!
//! Each push begins with `POST …/blobs/uploads/`, also one whose blobs are all mounted; a manifest needs
//! blobs that are in its repository. So this request creates the repository and no other one does.

use registry::Error;

use super::OciRequest;
use crate::creation::{self, NotCreated};
use crate::error::OciError;

/// The request with its repository, which was perhaps created for it. A pusher who may not create it, or
/// for whom no template does, goes on to be told that there is none.
pub(super) async fn ensure(mut job: OciRequest<'_>) -> Result<OciRequest<'_>, OciError> {
    if job.record.is_some() {
        return Ok(job);
    }
    let registry = &job.app.registry;
    let (account, region) = (&job.place.account, &job.place.region);
    let found = registry.repository_on_push(job.call(), account, region, job.name());
    let Some(templated) = found.await? else {
        return Ok(job);
    };
    let context = job.proof.context();
    match creation::create(job.app, context, &job.place, job.name(), templated).await {
        Ok(record) => job.record = Some(record),
        Err(NotCreated::Denied(decided)) => {
            let mut error = missing(&job);
            // For the audit log; the client is told what it would be told without a template.
            error.decided = Some(decided);
            return Err(error);
        }
        Err(NotCreated::Failed(error)) => return Err(error.into()),
    }
    Ok(job)
}

fn missing(job: &OciRequest<'_>) -> OciError {
    Error::RepositoryNotFound(registry::RepositoryRef {
        repository: job.name().to_owned(),
        registry_id: job.place.account,
    })
    .into()
}
