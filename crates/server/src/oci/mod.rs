//! The OCI Distribution API v1.1 over HTTP. `path` parses paths, `ops::oci` says what each request
//! needs, the crate `registry` does the work; this module makes status codes and headers.

pub(crate) mod blobs;
mod conditions;
mod lists;
mod manifests;
mod ranges;
mod uploads;

use std::sync::Arc;

use authz::{Authorized, DecisionRecord, RequestContext};
use aws_api::ErrorStatus;
use aws_types::Arn;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use identity::Caller;
use registry::RepositoryFacts;
use serde_json::json;

use crate::app::App;
use crate::audit::Event;
use crate::authenticate::{self, BasicFail};
use crate::authorize::{self, Record};
use crate::body::{Inbound, ReplyBody};
use crate::error::{INTERNAL, OciEntry, OciError};
use crate::head::Head;
use crate::oci_route::{OciOperation, OciRoute, RouteError};
use crate::ops::row::{Category, Columns};
use crate::ops::{self, oci as guard};
use crate::registry_host::RegistryId;
use crate::writable;

/// An authorized request.
pub(crate) struct OciRequest<'a> {
    pub(crate) app: &'a App,
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
    let caller = match authenticate::basic(&app, &head).await {
        Ok(caller) => caller,
        Err(fail) => return unauthenticated(&app, &head, route.ok(), &place, fail).await,
    };
    app.identity
        .touch_key_last_used(&caller, "ecr", place.region.as_str(), head.now);
    let route = match route {
        Ok(route) => route,
        Err(reject) => {
            let error = rejected(reject);
            let response = failed(&head, &error);
            let event = Audited::named(&head, &place, caller, "UnknownOperation");
            app.audit.record(event.ended(&head, Some(error))).await;
            return response;
        }
    };
    let body_follows = body.length() != Some(0);
    let required = guard::requirements(&route, place.account.as_str(), body_follows);
    let Some((operation, requirements)) = required else {
        // A login that succeeded: `docker login` asks for nothing else.
        let event = Audited::named(&head, &place, caller, "Login");
        app.audit.record(event.ended(&head, None)).await;
        return base();
    };
    let columns = ops::columns(operation);
    let event = Audited::of(&head, &route, &place, Arc::clone(&caller), &columns);
    let context = RequestContext {
        account: caller.account,
        caller,
        region: place.region.clone(),
        now: head.now,
        request_id: Arc::clone(&head.request_id),
        client: head.client.clone(),
    };
    let result =
        match authorize::authorize(&app, context, &columns.rule, &requirements, route).await {
            Ok(ok) => {
                let record = ok.record().cloned();
                let (proof, route) = ok.into_parts();
                let effect = guard::effect(&route, &columns);
                let job = OciRequest {
                    app: &app,
                    head: &head,
                    proof,
                    route,
                    record,
                    place,
                };
                match writable::check(&app, effect).await {
                    Ok(()) => Box::pin(operate(job, body)).await,
                    Err(fail) => Err(fail.into()),
                }
            }
            Err(fail) => Err(fail.into()),
        };
    let (mut response, fail) = match result {
        Ok(response) => (response, None),
        Err(fail) => (failed(&head, &fail), Some(fail)),
    };
    let mut event = event.ended(&head, fail);
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
    if event.decided.is_some() {
        app.metrics
            .denied
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
    app.audit.record(event).await;
    response
}

async fn operate(job: OciRequest<'_>, body: Inbound) -> OciResult {
    match job.route.ask.clone() {
        OciOperation::Base => Ok(base()),
        OciOperation::Catalog(page) => lists::catalog(&job, page).await,
        OciOperation::ListTags(page) => lists::tags(&job, page).await,
        OciOperation::Referrers {
            digest,
            artifact_type,
            next,
        } => lists::referrers(&job, &digest, artifact_type.as_deref(), next.as_deref()).await,
        OciOperation::StartUpload { mount, digest } => {
            uploads::start(&job, mount, digest, body).await
        }
        OciOperation::UploadStatus { id } => uploads::status(&job, &id).await,
        OciOperation::UploadPart { id } => uploads::part(&job, &id, body).await,
        OciOperation::CompleteUpload { id, digest } => {
            uploads::complete(&job, &id, digest, body).await
        }
        OciOperation::CancelUpload { id } => uploads::cancel(&job, &id).await,
        OciOperation::HeadBlob { digest } => blobs::head(&job, &digest).await,
        OciOperation::GetBlob { digest } => blobs::get(&job, &digest).await,
        OciOperation::DeleteBlob { digest } => blobs::delete(&job, &digest).await,
        OciOperation::HeadManifest { reference } => manifests::head(&job, &reference).await,
        OciOperation::GetManifest { reference } => manifests::get(&job, &reference).await,
        OciOperation::PutManifest {
            reference,
            digest,
            tags,
        } => manifests::put(&job, &reference, digest.as_deref(), &tags, body).await,
        OciOperation::DeleteManifest { reference } => manifests::delete(&job, &reference).await,
    }
}

/// The source of the registry's events.
const SOURCE: &str = "ecr.amazonaws.com";

/// An event that is created before the request is executed, which consumes the route.
struct Audited {
    event: Event,
}

impl Audited {
    fn of(
        head: &Head,
        route: &OciRoute,
        place: &RegistryId,
        caller: Arc<Caller>,
        columns: &Columns,
    ) -> Audited {
        let action = columns.rule.action;
        let name = action.strip_prefix("ecr:").unwrap_or(action);
        let mut parameters = crate::audit::trimmed(parameters(&route.ask));
        if let (Some(name), Some(members)) = (&route.name, parameters.as_object_mut()) {
            members.insert("repositoryName".into(), name.as_str().into());
            members.insert("registryId".into(), place.account.as_str().into());
        }
        let resource = route.name.as_deref().map(|name| {
            let arn = Arn::ecr_repository(&place.region, place.account, name);
            Arc::from(arn.as_str())
        });
        Audited {
            event: Event {
                caller: Some(caller),
                parameters,
                resource,
                read_only: columns.read_only,
                data: columns.category == Category::Data,
                ..Event::begin(head, SOURCE, name, &place.region, place.account)
            },
        }
    }

    /// An event without an ECR operation.
    fn named(head: &Head, place: &RegistryId, caller: Arc<Caller>, name: &str) -> Audited {
        Audited {
            event: Event {
                caller: Some(caller),
                parameters: json!({"path": head.path()}),
                read_only: head.parts.method.is_safe(),
                ..Event::begin(head, SOURCE, name, &place.region, place.account)
            },
        }
    }

    fn ended(mut self, head: &Head, fail: Option<OciError>) -> Event {
        if let Some(fail) = fail {
            if let Some(cause) = &fail.cause {
                let (path, request_id) = (head.path(), &head.request_id);
                tracing::error!(%request_id, path, cause, "request failed");
            }
            self.event.exception = fail.exception;
            self.event.error = Some((fail.code.to_owned(), fail.message));
            self.event.decided = fail.decided.map(|decided| *decided);
        }
        self.event
    }
}

fn parameters(ask: &OciOperation) -> serde_json::Value {
    match ask {
        OciOperation::HeadBlob { digest }
        | OciOperation::GetBlob { digest }
        | OciOperation::DeleteBlob { digest } => {
            json!({"layerDigest": digest})
        }
        OciOperation::HeadManifest { reference }
        | OciOperation::GetManifest { reference }
        | OciOperation::DeleteManifest { reference } => match reference.contains(':') {
            true => json!({"imageIds": [{"imageDigest": reference}]}),
            false => json!({"imageIds": [{"imageTag": reference}]}),
        },
        OciOperation::PutManifest {
            reference,
            digest,
            tags,
        } => {
            let by_digest = reference.contains(':');
            let digest = match by_digest {
                true => Some(reference),
                false => digest.as_ref(),
            };
            let mut members = serde_json::Map::new();
            if let Some(digest) = digest {
                members.insert("imageDigest".into(), json!(digest));
            }
            match (by_digest, tags.as_slice()) {
                (false, _) => drop(members.insert("imageTag".into(), json!(reference))),
                (true, []) => {}
                (true, [tag]) => drop(members.insert("imageTag".into(), json!(tag))),
                (true, tags) => drop(members.insert("imageTags".into(), json!(tags))),
            }
            members.into()
        }
        OciOperation::UploadStatus { id }
        | OciOperation::UploadPart { id }
        | OciOperation::CancelUpload { id } => {
            json!({"uploadId": id})
        }
        OciOperation::CompleteUpload { id, digest } => {
            json!({"uploadId": id, "layerDigests": [digest]})
        }
        OciOperation::Referrers { digest, .. } => json!({"subjectId": {"imageDigest": digest}}),
        OciOperation::StartUpload {
            mount: Some(mount), ..
        } => json!({"mount": mount.digest, "from": mount.from}),
        OciOperation::StartUpload {
            digest: Some(digest),
            ..
        } => json!({"layerDigests": [digest]}),
        OciOperation::Base
        | OciOperation::Catalog(_)
        | OciOperation::StartUpload { .. }
        | OciOperation::ListTags(_) => json!({}),
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

/// `GET /v2/` for a valid login.
fn base() -> Response<ReplyBody> {
    answer(
        StatusCode::OK,
        Bytes::from_static(b"{}"),
        "application/json",
    )
}

async fn unauthenticated(
    app: &App,
    head: &Head,
    route: Option<OciRoute>,
    place: &RegistryId,
    fail: BasicFail,
) -> Response<ReplyBody> {
    let host = head.host().unwrap_or_default();
    // A host that could break out of the quotes is not repeated.
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
    let host = if host.bytes().all(plain) { host } else { "" };
    // The scheme that the client used: some clients go to the realm.
    let scheme = if head.client.secure { "https" } else { "http" };
    let challenge = format!("Basic realm=\"{scheme}://{host}/\",service=\"ecr.amazonaws.com\"");
    let refuse = |message: &str| {
        OciError::new(ErrorStatus::UNAUTHORIZED, "UNAUTHORIZED", message)
            .header(header::WWW_AUTHENTICATE, challenge.clone())
    };
    let key = match &fail {
        BasicFail::Refused(key) => key.clone(),
        _ => None,
    };
    let fail = match fail {
        BasicFail::Missing => {
            app.audit
                .record_challenge(head.client.address, "GetAuthorizationToken", head.now);
            return failed(head, &refuse("authentication required"));
        }
        BasicFail::Refused(_) => {
            refuse("The authorization token included in the request is invalid.")
        }
        BasicFail::Expired => OciError::new(
            ErrorStatus::FORBIDDEN,
            "DENIED",
            "Your authorization token has expired. Reauthenticate and try again.",
        ),
        BasicFail::Internal(fail) => fail.into(),
    };
    let operation = route
        .as_ref()
        .and_then(|route| guard::requirements(route, place.account.as_str(), false))
        .map_or(
            aws_api::ecr::Operation::GetAuthorizationToken,
            |(operation, _)| operation,
        );
    let columns = ops::columns(operation);
    let response = failed(head, &fail);
    let event = Event {
        access_key_id: key,
        exception: fail.exception,
        error: Some((fail.code.to_owned(), fail.message)),
        read_only: columns.read_only,
        data: columns.category == Category::Data,
        ..Event::begin(head, SOURCE, operation.name(), &place.region, place.account)
    };
    if let Some(cause) = &fail.cause {
        tracing::error!(request_id = %head.request_id, cause, "a login could not be checked");
    }
    app.audit.record(event).await;
    response
}

/// A response with a body.
pub(crate) fn answer(status: StatusCode, body: Bytes, kind: &str) -> Response<ReplyBody> {
    let mut response = empty(status);
    set(&mut response, header::CONTENT_TYPE, kind);
    set(
        &mut response,
        header::CONTENT_LENGTH,
        &body.len().to_string(),
    );
    *response.body_mut() = ReplyBody::from(body);
    response
}

/// A response without a body.
pub(crate) fn empty(status: StatusCode) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::empty());
    *response.status_mut() = status;
    let version = HeaderValue::from_static("registry/2.0");
    response
        .headers_mut()
        .insert("docker-distribution-api-version", version);
    // Browsers must not guess the type of what clients pushed.
    let nosniff = HeaderValue::from_static("nosniff");
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}

/// Sets a header whose value consists of checked parts; an invalid value is left out and logged.
pub(crate) fn set(
    response: &mut Response<ReplyBody>,
    name: impl header::IntoHeaderName,
    value: &str,
) {
    match HeaderValue::from_str(value) {
        Ok(value) => {
            response.headers_mut().insert(name, value);
        }
        Err(_) => tracing::warn!("a header's value cannot be sent"),
    }
}

/// The error document (OCI Distribution, "Error Codes").
pub(crate) fn failed(head: &Head, fail: &OciError) -> Response<ReplyBody> {
    let mut response = match fail.entries.is_empty() {
        true => refuse(fail.status, fail.code, &fail.message),
        false => refuse_each(fail),
    };
    for (name, value) in &fail.headers {
        set(&mut response, name.clone(), value);
    }
    if head.parts.method == http::Method::HEAD {
        *response.body_mut() = ReplyBody::empty();
    }
    response
}

/// An error document with one entry.
pub(crate) fn refuse(status: ErrorStatus, code: &str, message: &str) -> Response<ReplyBody> {
    let error = json!({"errors": [{"code": code, "message": message, "detail": null}]});
    document(status, error)
}

fn document(status: ErrorStatus, error: serde_json::Value) -> Response<ReplyBody> {
    let status = StatusCode::from_u16(status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer(status, error.to_string().into(), "application/json")
}

/// The error document of a refusal with entries of its own.
fn refuse_each(fail: &OciError) -> Response<ReplyBody> {
    let entry = |entry: &OciEntry| {
        let detail = entry
            .digest
            .as_ref()
            .map(|digest| json!({"digest": digest}));
        json!({"code": fail.code, "message": entry.message, "detail": detail})
    };
    let errors: Vec<_> = fail.entries.iter().map(entry).collect();
    document(fail.status, json!({ "errors": errors }))
}

/// The answer after a panic.
pub(crate) fn internal() -> Response<ReplyBody> {
    refuse(ErrorStatus::INTERNAL_SERVER_ERROR, "UNKNOWN", INTERNAL)
}
