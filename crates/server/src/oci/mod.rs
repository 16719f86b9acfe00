//! The OCI Distribution API v1.1 over HTTP. `path` parses paths, `ops::oci` says what each request
//! needs, the crate `registry` does the work; this module makes status codes and headers.

mod answers;
pub(crate) mod blobs;
mod conditions;
mod creation;
mod event;
mod lists;
mod login;
mod manifests;
mod pull_through;
mod ranges;
mod scope;
pub(crate) mod token;
pub(crate) mod transfers;
mod uploads;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use authz::{Authorized, DecisionRecord, RequestContext};
use aws_api::ErrorStatus;
use http::{Response, header};
use registry::RepositoryFacts;

pub(crate) use answers::{failed, internal, refuse};

use crate::app::App;
use crate::audit::Event;
use crate::authenticate;
use crate::authorize::{self, Record};
use crate::body::Inbound;
use crate::boxed::boxed;
use crate::error::OciError;
use crate::finish::finish;
use crate::head::Head;
use crate::oci_route::{OciOperation, OciRoute, RouteError};
use crate::ops::{self, oci as guard};
use crate::rates;
use crate::read_only;
use crate::registry_host::RegistryId;
use crate::reply::ReplyBody;
use crate::upstream_pulls::{self, Served};
use crate::writable::{self, Effect};
use answers::base;

/// An authorized request.
pub(crate) struct OciRequest<'a> {
    pub(crate) app: &'a Arc<App>,
    pub(crate) head: &'a Head,
    pub(crate) proof: Authorized,
    pub(crate) route: OciRoute,
    /// The repository that was decided on, where it exists.
    pub(crate) record: Option<Record>,
    pub(crate) place: RegistryId,
}

impl OciRequest<'_> {
    /// The proof that the domain is called with.
    pub(crate) fn call(&self) -> &Authorized {
        &self.proof
    }

    pub(crate) fn name(&self) -> &str {
        self.route.name.as_deref().unwrap_or_default()
    }

    /// The repository that was decided on, or 404 in ECR's words.
    pub(crate) fn repository(&self) -> Result<Arc<RepositoryFacts>, OciError> {
        let missing = || {
            OciError::from(registry::Error::RepositoryNotFound(
                registry::RepositoryRef {
                    repository: self.name().to_owned(),
                    registry_id: self.place.account,
                },
            ))
        };
        self.record.clone().ok_or_else(missing)
    }
}

/// What an operation did, for its audit event: it travels with the response as an extension.
#[derive(Clone)]
struct Elements {
    /// Members of `requestParameters` that follow from the request's body.
    parameters: serde_json::Map<String, serde_json::Value>,
    /// `responseElements`.
    response: serde_json::Value,
}

pub(crate) type OciResult = Result<Response<ReplyBody>, OciError>;

/// Answers a request below `/v2/`.
pub(crate) async fn serve(
    app: Arc<App>,
    head: Head,
    route: Result<OciRoute, RouteError>,
    body: Inbound,
) -> Response<ReplyBody> {
    let Some(place) = head.registry(&app.names) else {
        let message =
            "The host has the form of a registry's name, without a valid account or region.";
        return failed(
            &head,
            &OciError::new(ErrorStatus::BAD_REQUEST, "NAME_INVALID", message),
        );
    };
    let login = match authenticate::registry(&app, &head).await {
        Ok(login) => login,
        Err(fail) => return login::refuse(&app, &head, route.ok(), &place, fail).await,
    };
    let (caller, scope) = (login.caller, login.credential.scope);
    app.identity
        .touch_key_last_used(&caller, "ecr", place.region.as_str(), head.now);
    let mut route = match route {
        Ok(route) => route,
        Err(reject) => {
            let error = rejected(reject);
            let response = failed(&head, &error);
            let event = event::named(&head, &place, caller, "UnknownOperation");
            finish(&app, event, Some(error.into())).await;
            return response;
        }
    };
    if let Some(namespace) = crate::form::first(head.query(), "ns")
        && route.ask.reads_content()
        && let Some(name) = &route.name
    {
        // A failed look-up is the route's as it came; what it needs fails in the same way.
        if let Ok(Some(name)) = upstream_pulls::mirrored(&app, &place, &namespace, name).await {
            route.name = Some(name);
        }
    }
    let is_in_scope = match &scope {
        Some(scope) => scope::admits(scope, &place, &mut route),
        None => true,
    };
    let body_follows = body.length() != Some(0);
    let required = guard::requirements(&route, place.account.as_str(), body_follows);
    let Some((operation, requirements)) = required else {
        // A login that succeeded: `docker login` asks for nothing else.
        let event = event::named(&head, &place, caller, "Login");
        finish(&app, event, None).await;
        return base();
    };
    let columns = ops::columns(operation);
    let mut event = Event {
        caller: Some(Arc::clone(&caller)),
        ..event::of_operation(&head, &route, &place, &columns)
    };
    let context = RequestContext {
        account: caller.account,
        caller,
        region: place.region.clone(),
        now: head.now,
        request_id: Arc::clone(&head.request_id),
        client: head.client.clone(),
    };
    let result = async {
        if !is_in_scope {
            let caller = &context.caller;
            return Err(login::out_of_scope(&app, &head, &route, caller));
        }
        rates::check(&app, context.account, operation, head.now).await?;
        let rule = &columns.rule;
        let ok = authorize::authorize(&app, context, rule, &requirements, route).await?;
        let record = ok.record().cloned();
        let (proof, route) = ok.into_parts();
        let effect = guard::effect(&route, &columns);
        if !columns.read_only && effect != Effect::Reads {
            read_only::check(&app, record.as_deref()).await?;
        }
        writable::check(&app, effect).await?;
        let job = OciRequest {
            app: &app,
            head: &head,
            proof,
            route,
            record,
            place,
        };
        operate(job, body).await
    };
    let result: OciResult = result.await;
    let (mut response, failure) = match result {
        Ok(response) => (response, None),
        Err(error) => (failed(&head, &error), Some(error.into())),
    };
    if let Some(elements) = response.extensions_mut().remove::<Elements>() {
        event.elements = elements.response;
        if let Some(members) = event.parameters.as_object_mut() {
            members.extend(elements.parameters);
        }
    }
    // A denial that the response does not show.
    if let Some(decided) = response.extensions_mut().remove::<Box<DecisionRecord>>() {
        event.decided = Some(*decided);
    }
    finish(&app, event, failure).await;
    response
}

/// Runs the operation. Each has a box of its own: a pull's must not be as large as a push's.
fn operate<'a>(
    job: OciRequest<'a>,
    body: Inbound,
) -> Pin<Box<dyn Future<Output = OciResult> + Send + 'a>> {
    match job.route.ask.clone() {
        OciOperation::Base => boxed(|| async { Ok(base()) }),
        OciOperation::Catalog(page) => boxed(|| async move { lists::catalog(&job, page).await }),
        OciOperation::ListTags(page) => boxed(|| async move { lists::tags(&job, page).await }),
        OciOperation::Referrers {
            digest,
            artifact_type,
            next,
        } => boxed(|| async move {
            pull_through::referrers(&job, &digest).await?;
            lists::referrers(&job, &digest, artifact_type.as_deref(), next.as_deref()).await
        }),
        OciOperation::StartUpload { mount, digest } => boxed(|| async move {
            let job = creation::ensure(job).await?;
            uploads::start(&job, mount, digest, body).await
        }),
        OciOperation::UploadStatus { id } => {
            boxed(|| async move { uploads::status(&job, &id).await })
        }
        OciOperation::UploadPart { id } => {
            boxed(|| async move { uploads::part(&job, &id, body).await })
        }
        OciOperation::CompleteUpload { id, digest } => {
            boxed(|| async move { uploads::complete(&job, &id, digest, body).await })
        }
        OciOperation::CancelUpload { id } => {
            boxed(|| async move { uploads::cancel(&job, &id).await })
        }
        OciOperation::HeadBlob { digest } => boxed(|| async move {
            let (job, _) = pull_through::blob(job, &digest, false).await?;
            blobs::head(&job, &digest).await
        }),
        OciOperation::GetBlob { digest } => boxed(|| async move {
            let streamed = !job.head.parts.headers.contains_key(header::RANGE);
            match pull_through::blob(job, &digest, streamed).await? {
                (job, Served::Blob(digest, size, stream)) => {
                    blobs::passed_on(&job, &digest, size, stream)
                }
                (job, _) => blobs::get(&job, &digest).await,
            }
        }),
        OciOperation::DeleteBlob { digest } => {
            boxed(|| async move { blobs::delete(&job, &digest).await })
        }
        OciOperation::HeadManifest { reference } => boxed(|| async move {
            match pull_through::manifest(job, &reference).await? {
                (job, Served::Manifest(found)) => manifests::passed_on(&job, &found, false),
                (job, _) => manifests::head(&job, &reference).await,
            }
        }),
        OciOperation::GetManifest { reference } => boxed(|| async move {
            match pull_through::manifest(job, &reference).await? {
                (job, Served::Manifest(found)) => manifests::passed_on(&job, &found, true),
                (job, _) => manifests::get(&job, &reference).await,
            }
        }),
        OciOperation::PutManifest {
            reference,
            digest,
            tags,
        } => boxed(|| async move {
            manifests::put(&job, &reference, digest.as_deref(), &tags, body).await
        }),
        OciOperation::DeleteManifest { reference } => {
            boxed(|| async move { manifests::delete(&job, &reference).await })
        }
    }
}

fn rejected(reject: RouteError) -> OciError {
    match reject {
        RouteError::NotFound => OciError::new(
            ErrorStatus::NOT_FOUND,
            "UNSUPPORTED",
            "There is no such endpoint.",
        ),
        RouteError::Method { allow } => OciError::new(
            ErrorStatus::METHOD_NOT_ALLOWED,
            "UNSUPPORTED",
            "The endpoint does not take this method.",
        )
        .header(header::ALLOW, allow),
        RouteError::Name(rule) => registry::Error::InvalidRepositoryName(rule).into(),
        RouteError::PageSize => OciError::new(
            ErrorStatus::BAD_REQUEST,
            "PAGINATION_NUMBER_INVALID",
            "'n' must be a number.",
        ),
    }
}
