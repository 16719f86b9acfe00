//! A repository that a push or a pull creates: who may, and the event of it.

use std::sync::Arc;

use authz::{
    DecisionRecord, RequestContext, Requirements, ResourceSelector, Rule, SessionScope, require,
};
use aws_api::Protocol;
use aws_api::authorization::AccessLevel;
use aws_types::{AccountId, Arn};
use registry::{Error, TemplatedRepository};

use crate::app::App;
use crate::audit::{self, Event};
use crate::authorize::{self, Record};
use crate::error::{ApiError, Failure};
use crate::finish::finish;
use crate::registry_host::RegistryId;

const RULE: Rule = Rule {
    action: "ecr:CreateRepository",
    access: AccessLevel::Write,
    sessions: SessionScope::ANY,
};

/// Why a repository was not created.
pub(crate) enum NotCreated {
    /// The caller may not; clients are told that there is none.
    Denied(Box<DecisionRecord>),
    /// The registry refuses it, or fails.
    Failed(ApiError),
}

/// Whether the caller may create a repository with the tags of a template.
pub(crate) async fn check(
    app: &App,
    context: &RequestContext,
    account: AccountId,
    name: &str,
) -> Result<(), ApiError> {
    let requirements = requirements(name, account, &None);
    let decided = authorize::check(app, context, &RULE, &requirements).await;
    decided.map(drop)
}

fn requirements(
    name: &str,
    account: AccountId,
    tags: &Option<Vec<aws_api::ecr::Tag>>,
) -> Requirements {
    let resource = ResourceSelector::Repository {
        registry: Some(account.to_string()),
        name: name.to_owned(),
    };
    require(resource).tags(tags)
}

/// Creates the repository, where the caller may.
pub(crate) async fn create(
    app: &App,
    context: &RequestContext,
    place: &RegistryId,
    name: &str,
    templated: TemplatedRepository,
) -> Result<Record, NotCreated> {
    let request = &templated.request;
    let requirements = requirements(name, place.account, &request.tags);
    let arn = Arn::ecr_repository(&place.region, place.account, name);
    let event = Event {
        parameters: audit::trimmed(aws_api::audit_json(request)),
        resource: Some(Arc::from(arn.as_str())),
        ..Event::of_context(
            context,
            "ecr.amazonaws.com",
            "CreateRepository",
            &place.region,
            place.account,
        )
    };
    let decided = authorize::authorize(app, context.clone(), &RULE, &requirements, ()).await;
    let proof = match decided {
        Ok(ok) => ok.into_parts().0,
        Err(ApiError::Denied(denial)) => {
            return Err(NotCreated::Denied(Box::new(denial.decision)));
        }
        Err(error) => return Err(NotCreated::Failed(error)),
    };
    let created = app.registry.create_templated_repository(&proof, templated);
    match created.await {
        Ok(_) => finish(app, event, None).await,
        // Another request was first.
        Err(Error::RepositoryAlreadyExists(_)) => {}
        Err(error) => {
            let error = ApiError::from(error);
            let wire = error.wire(Protocol::Json);
            let failure = Failure {
                code: wire.code.to_owned(),
                message: wire.message.clone(),
                exception: None,
                cause: error.cause(),
                decided: None,
            };
            finish(app, event, Some(failure)).await;
            return Err(NotCreated::Failed(error));
        }
    }
    let found = app.registry.repository(&place.account, &place.region, name);
    found
        .await
        .map_err(|error| NotCreated::Failed(error.into()))
}
