//! Create on push: the first upload to a repository that is not there creates it, where a repository
//! creation template says so and the pusher may create it.
//!
//! Each push begins with `POST …/blobs/uploads/`, also one whose blobs are all mounted; a manifest needs
//! blobs that are in its repository. So this request creates the repository and no other one does.

use aws_api::ecr::Operation;
use registry::{Error, TemplatedRepository};

use super::{OciRequest, event};
use crate::audit::Event;
use crate::authorize;
use crate::error::{ApiError, OciError};
use crate::finish::finish;
use crate::ops::{self, oci as guard};

/// The request with its repository, which was perhaps created for it. A pusher who may not create it, or
/// for whom no template does, goes on to be told that there is none.
pub(super) async fn ensure(mut job: OciRequest<'_>) -> Result<OciRequest<'_>, OciError> {
    if job.record.is_some() {
        return Ok(job);
    }
    let (app, account, region) = (job.app, job.place.account, job.place.region.clone());
    let found = app
        .registry
        .repository_on_push(job.call(), &account, &region, job.name());
    let Some(templated) = found.await? else {
        return Ok(job);
    };
    create(&mut job, templated).await?;
    Ok(job)
}

/// Creates the request's repository, where the caller may.
pub(super) async fn create(
    job: &mut OciRequest<'_>,
    templated: TemplatedRepository,
) -> Result<(), OciError> {
    let (app, account, region) = (job.app, job.place.account, job.place.region.clone());
    let columns = ops::columns(Operation::CreateRepository);
    let request = &templated.request;
    let requirements = guard::creation_requirements(job.name(), account.as_str(), &request.tags);
    let context = job.proof.context().clone();
    let begun = Event {
        caller: Some(context.caller.clone()),
        ..event::of_creation(job.head, &job.place, job.name(), request, &columns)
    };
    let decided = authorize::authorize(app, context, &columns.rule, &requirements, ()).await;
    let proof = match decided {
        Ok(ok) => ok.into_parts().0,
        Err(ApiError::Denied(denial)) => {
            let mut error = missing(job);
            // For the audit log; the client is told what it would be told without a template.
            error.decided = Some(Box::new(denial.decision));
            return Err(error);
        }
        Err(fail) => return Err(fail.into()),
    };
    match app
        .registry
        .create_templated_repository(&proof, templated)
        .await
    {
        Ok(_) => finish(app, begun, None).await,
        // Another push was first.
        Err(Error::RepositoryAlreadyExists(_)) => {}
        Err(error) => {
            let error = OciError::from(error);
            let told = OciError::new(error.status, error.code, error.message.clone());
            finish(app, begun, Some(error.into())).await;
            return Err(told);
        }
    }
    let found = app
        .registry
        .repository(&account, &region, job.name())
        .await?;
    job.record = Some(found);
    Ok(())
}

fn missing(job: &OciRequest<'_>) -> OciError {
    Error::RepositoryNotFound(registry::RepositoryRef {
        repository: job.name().to_owned(),
        registry_id: job.place.account,
    })
    .into()
}
