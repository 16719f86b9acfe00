//! The AWS APIs: one way for both protocols. A request is signed, so it is read whole before it is
//! believed; what it may cost before that is bounded in `limits`.

use std::sync::Arc;

use authz::{Caller, RequestContext};
use aws_api::authorization::{self, AccessLevel};
use aws_api::{CommonError, Form, Operation, ResponseFormat, Service, WireResponse};
use aws_types::Region;
use http::{HeaderValue, Response, StatusCode, header};
use sigv4::{Lifetime, SigError};

use crate::app::App;
use crate::audit::Event;
use crate::authenticate::{self, Signed};
use crate::body::{BodyError, Collected, Inbound, ReplyBody};
use crate::error::{ApiError, Unauthenticated};
use crate::form;
use crate::head::Head;
use crate::limits::{
    API_BODY_BYTES_MAX, AUDIT_NAME_CHARS_MAX, SAML_METADATA_BODY_BYTES_MAX,
    UNSIGNED_BODY_BYTES_MAX, UNSIGNED_BODY_TIMEOUT, UNSIGNED_TOKEN_BODY_BYTES_MAX,
};
use crate::ops::row::Category;
use crate::ops::{self, ApiBody, Exchange, Row};

mod explanation;
mod other_services;

use other_services::ErrorForm;

/// What is known of a call when it is answered and audited.
struct Called {
    service: Service,
    /// Of a call to a service that is not served here: its name, and the form of its errors.
    other: Option<(String, ErrorForm)>,
    /// The operation's name as the client wrote it.
    name: String,
    caller: Option<Arc<Caller>>,
    region: String,
    parameters: serde_json::Value,
    elements: serde_json::Value,
    /// The ARN of the resource that was decided on.
    resource: Option<Arc<str>>,
}

/// awsJson 1.1 (Smithy, "AWS JSON 1.1 protocol").
pub(crate) async fn json(
    app: Arc<App>,
    head: Head,
    target: String,
    body: Inbound,
) -> Response<ReplyBody> {
    let (prefix, name) = target.split_once('.').unwrap_or(("", &target));
    let service = Service::ALL
        .iter()
        .copied()
        .find(|service| service.target_prefix() == Some(prefix));
    let operation = service.and_then(|service| service.operation(name));
    let mut called = Called {
        service: service.unwrap_or(Service::Ecr),
        other: None,
        name: shown(name),
        caller: None,
        region: app.names.default.region.to_string(),
        parameters: serde_json::Value::Null,
        elements: serde_json::Value::Null,
        resource: None,
    };
    let done = async {
        let signed = match authenticate::present(&app, &head).await {
            Ok(signed) => signed,
            Err(ApiError::Unauthenticated(Unauthenticated::Signature(
                SigError::MissingAuthenticationToken,
            ))) if let Some(row) = proved_by_input(operation) => {
                let collected = body.collect(&app.bodies, &head.party, UNSIGNED_BODY_BYTES_MAX);
                let collected = tokio::time::timeout(UNSIGNED_BODY_TIMEOUT, collected).await;
                let collected = collected.map_err(|_| BodyError::Stalled)??;
                let body = ApiBody::Json(collected.bytes);
                let format = ResponseFormat::Native;
                return operate_unsigned(&app, &head, row, body, format, &mut called).await;
            }
            Err(error) => return Err(error),
        };
        called.region = signed.region().to_string();
        if service.is_none() && is_other(&signed) {
            return Err(other(&app, &head, &signed, &mut called, body).await);
        }
        let row = operation.and_then(ops::row);
        let max = row.map_or(API_BODY_BYTES_MAX, |row| row.columns.body_bytes_max);
        let collected = body.collect(&app.bodies, &head.party, max).await?;
        let context = verified(&app, &head, &signed, &mut called, &collected).await?;
        let known = match (service, operation) {
            (Some(_), Some(operation)) => operation,
            _ => {
                return Err(ApiError::Common(
                    CommonError::InvalidAction,
                    unknown_target(&target),
                ));
            }
        };
        let body = ApiBody::Json(collected.bytes);
        let format = ResponseFormat::Native;
        operate(&app, &head, known, context, body, format, &mut called).await
    };
    let result = Box::pin(done).await;
    finish(&app, &head, called, result).await
}

/// awsQuery (Smithy, "AWS query protocol"); parameters in the body, the URL, or both.
pub(crate) async fn query(app: Arc<App>, head: Head, body: Inbound) -> Response<ReplyBody> {
    let mut called = Called {
        service: Service::Sts,
        other: None,
        name: String::new(),
        caller: None,
        region: app.names.default.region.to_string(),
        parameters: serde_json::Value::Null,
        elements: serde_json::Value::Null,
        resource: None,
    };
    let done = async {
        let signed = match authenticate::present(&app, &head).await {
            Ok(signed) => signed,
            Err(fail) => return unsigned(&app, &head, &mut called, body, fail).await,
        };
        called.region = signed.region().to_string();
        if let Some(service) = Service::from_signing_name(signed.scope_service()) {
            called.service = service;
        }
        // The action stands in the body: only then is it known that the body may not be so long.
        let max = match called.service {
            Service::Iam => SAML_METADATA_BODY_BYTES_MAX,
            _ => API_BODY_BYTES_MAX,
        };
        let collected = body.collect(&app.bodies, &head.party, max).await?;
        let malformed = |message| ApiError::Common(CommonError::Malformed, message);
        let mut form = Form::parse(&collected.bytes).map_err(malformed)?;
        // A presigned request's own parameters are no operation's.
        let url = own_parameters(head.query());
        form.extend(url.as_bytes()).map_err(malformed)?;
        let version = form.version().unwrap_or_default().to_owned();
        called.name = shown(form.action().unwrap_or_default());
        let operation = called.service.operation(&called.name);
        let row = operation.and_then(ops::row);
        let max = row.map_or(API_BODY_BYTES_MAX, |row| row.columns.body_bytes_max);
        if collected.bytes.len() > max {
            return Err(BodyError::TooLong(max).into());
        }
        let ours = [Service::Iam, Service::Sts].map(Service::api_version);
        if is_other(&signed) && !ours.contains(&version.as_str()) {
            let digest = collected.sha256_hex.clone();
            return Err(other_verified(&app, &head, &signed, &mut called, &digest).await);
        }
        called.service = service_of(&version, &called.name, signed.scope_service());
        let context = verified(&app, &head, &signed, &mut called, &collected).await?;
        let known = called.service.operation(&called.name);
        let known = known.filter(|_| version.is_empty() || version == called.service.api_version());
        let Some(known) = known else {
            let message = match called.name.as_str() {
                "" => "The request is missing an Action parameter.".to_owned(),
                name => format!(
                    "Could not find operation {name} for version {}",
                    shown(&version)
                ),
            };
            return Err(ApiError::Common(CommonError::InvalidAction, message));
        };
        let format = head.response_format();
        let body = ApiBody::Query(form);
        operate(&app, &head, known, context, body, format, &mut called).await
    };
    let result = Box::pin(done).await;
    finish(&app, &head, called, result).await
}

/// Which Query service a request is for: its version says so, and where it is absent its signature.
fn service_of(version: &str, action: &str, scope: &str) -> Service {
    let query = [Service::Iam, Service::Sts];
    let by = |test: &dyn Fn(Service) -> bool| query.into_iter().find(|service| test(*service));
    by(&|service| service.api_version() == version)
        .or_else(|| by(&|service| service.signing_name() == scope))
        .or_else(|| by(&|service| service.operation(action).is_some()))
        .unwrap_or(Service::Sts)
}

/// Performs an operation that takes no signature, and refuses every other request without one. The body of
/// the latter is read as far as it may be, since it holds the answer's namespace and the event's name.
async fn unsigned(
    app: &Arc<App>,
    head: &Head,
    called: &mut Called,
    body: Inbound,
    fail: ApiError,
) -> Result<WireResponse, ApiError> {
    let mut form = Form::default();
    let max = match fail {
        // What may be a token of another identity provider, which is long.
        ApiError::Unauthenticated(Unauthenticated::Signature(
            SigError::MissingAuthenticationToken,
        )) => UNSIGNED_TOKEN_BODY_BYTES_MAX,
        _ => UNSIGNED_BODY_BYTES_MAX,
    };
    let collected = body.collect(&app.bodies, &head.party, max);
    if let Ok(Ok(collected)) = tokio::time::timeout(UNSIGNED_BODY_TIMEOUT, collected).await
        && let Ok(parsed) = Form::parse(&collected.bytes)
    {
        form = parsed;
    }
    let of_url = |name| form::first(head.query(), name).unwrap_or_default();
    let parameter = |name: &'static str| match form.get(name) {
        Some(value) => value.to_owned(),
        None => of_url(name),
    };
    called.name = shown(&parameter("Action"));
    let authorization = head.header(header::AUTHORIZATION).unwrap_or_default();
    let scope = match authorization.contains("/iam/aws4_request") {
        true => "iam",
        false => "sts",
    };
    called.service = service_of(&parameter("Version"), &called.name, scope);
    let missing = matches!(
        fail,
        ApiError::Unauthenticated(Unauthenticated::Signature(
            SigError::MissingAuthenticationToken
        ))
    );
    let operation = called.service.operation(&called.name);
    if missing && let Some(row) = proved_by_input(operation) {
        let url = own_parameters(head.query());
        let malformed = |message| ApiError::Common(CommonError::Malformed, message);
        form.extend(url.as_bytes()).map_err(malformed)?;
        let body = ApiBody::Query(form);
        return operate_unsigned(app, head, row, body, head.response_format(), called).await;
    }
    Err(fail)
}

/// The row of an operation that takes no signature.
fn proved_by_input(operation: Option<Operation>) -> Option<&'static Row> {
    let row = ops::row(operation?)?;
    row.is_proved_by_input().then_some(row)
}

/// Performs an operation whose input proves the caller.
async fn operate_unsigned(
    app: &Arc<App>,
    head: &Head,
    row: &Row,
    body: ApiBody,
    format: ResponseFormat,
    called: &mut Called,
) -> Result<WireResponse, ApiError> {
    let Some(proved) = row.caller_by_input(app, head, &body).await else {
        let missing = SigError::MissingAuthenticationToken;
        return Err(missing.into());
    };
    let caller = proved?;
    head.identified();
    called.caller = Some(Arc::clone(&caller));
    let region = region_of(app, called.service, &app.names.default.region);
    called.region = region.to_string();
    let context = RequestContext {
        account: caller.account,
        caller,
        region,
        now: head.now,
        request_id: Arc::clone(&head.request_id),
        client: head.client.clone(),
    };
    run(app, row, context, body, format, called).await
}

fn not_built(operation: &str, service: Service) -> ApiError {
    let service = service.signing_name();
    ApiError::Common(
        CommonError::NotImplemented,
        format!(
            "The operation {operation} of {service} is not built yet: see docs/api-coverage.md."
        ),
    )
}

/// The URL's query without the signature's parameters.
fn own_parameters(query: &str) -> String {
    let own = |pair: &&str| !pair.to_ascii_lowercase().starts_with("x-amz-");
    query.split('&').filter(own).collect::<Vec<_>>().join("&")
}

fn unknown_target(target: &str) -> String {
    format!("The operation '{}' is not known.", shown(target))
}

/// A name that a client made up, no longer than any operation's.
fn shown(name: &str) -> String {
    name.chars().take(AUDIT_NAME_CHARS_MAX).collect()
}

/// The region of IAM, and of calls to the global endpoints (IAM User Guide, "AWS global condition
/// context keys", `aws:RequestedRegion`).
const GLOBAL_REGION: &str = "us-east-1";

/// The region that a call is for. IAM has one whatever the signature's scope says. Some SDKs sign calls
/// to global endpoints for a region of that name (`aws-global`), which is no region: STS's is the global
/// one, and a registry's is the server's own.
fn region_of(app: &App, service: Service, scope: &Region) -> Region {
    let global = || {
        let region = GLOBAL_REGION.parse();
        region.unwrap_or_else(|_| app.names.default.region.clone())
    };
    let is_pseudo = scope.as_str().starts_with("aws-") && scope.as_str().ends_with("global");
    match service {
        Service::Iam => global(),
        Service::Sts if is_pseudo => global(),
        _ if is_pseudo => app.names.default.region.clone(),
        _ => scope.clone(),
    }
}

/// Whether a signature is for a service that is not served here.
fn is_other(signed: &Signed) -> bool {
    Service::from_signing_name(signed.scope_service()).is_none()
}

/// Answers a signed call at a path of another service.
pub(crate) async fn other_path(app: Arc<App>, head: Head, body: Inbound) -> Response<ReplyBody> {
    let mut called = Called {
        service: Service::Sts,
        other: None,
        name: String::new(),
        caller: None,
        region: app.names.default.region.to_string(),
        parameters: serde_json::Value::Null,
        elements: serde_json::Value::Null,
        resource: None,
    };
    let done = async {
        let signed = authenticate::present(&app, &head).await?;
        called.region = signed.region().to_string();
        if is_other(&signed) {
            return Err(other(&app, &head, &signed, &mut called, body).await);
        }
        // One of ours, at a path where it has nothing.
        if let Some(service) = Service::from_signing_name(signed.scope_service()) {
            called.service = service;
        }
        let collected = body
            .collect(&app.bodies, &head.party, API_BODY_BYTES_MAX)
            .await?;
        verified(&app, &head, &signed, &mut called, &collected).await?;
        let message = "There is no operation at this path.".to_owned();
        Err(ApiError::Common(CommonError::InvalidAction, message))
    };
    let result = Box::pin(done).await;
    finish(&app, &head, called, result).await
}

/// Refuses a call of a service that is not served here, once its signature was verified.
async fn other(
    app: &App,
    head: &Head,
    signed: &Signed,
    called: &mut Called,
    body: Inbound,
) -> ApiError {
    // The signature covers this header, so the body need not be read.
    if let Some(digest) = head.header("x-amz-content-sha256") {
        let digest = digest.to_owned();
        return other_verified(app, head, signed, called, &digest).await;
    }
    match body
        .collect(&app.bodies, &head.party, API_BODY_BYTES_MAX)
        .await
    {
        Ok(collected) => {
            let digest = collected.sha256_hex.clone();
            other_verified(app, head, signed, called, &digest).await
        }
        Err(error) => error.into(),
    }
}

async fn other_verified(
    app: &App,
    head: &Head,
    signed: &Signed,
    called: &mut Called,
    digest: &str,
) -> ApiError {
    let scope = shown(signed.scope_service());
    let form = ErrorForm::of(&scope, head);
    let action = (!called.name.is_empty()).then_some(called.name.as_str());
    called.name = shown(&other_services::operation_name(head, action));
    called.other = Some((scope.clone(), form));
    let lifetime = Lifetime::Stated;
    match authenticate::verify(app, head, signed, &scope, digest, lifetime).await {
        Ok(caller) => {
            called.caller = Some(caller);
            ApiError::Wire(other_services::not_served(&scope, form.protocol()))
        }
        Err(error) => error,
    }
}

async fn verified(
    app: &App,
    head: &Head,
    signed: &Signed,
    called: &mut Called,
    collected: &Collected,
) -> Result<RequestContext, ApiError> {
    let service = called.service.signing_name();
    // STS ignores the limit that a presigned GetCallerIdentity states.
    let lifetime = match (called.service, called.name.as_str()) {
        (Service::Sts, "GetCallerIdentity") => Lifetime::FifteenMinutes,
        _ => Lifetime::AtMostFifteenMinutes,
    };
    let digest = &collected.sha256_hex;
    let caller = authenticate::verify(app, head, signed, service, digest, lifetime).await?;
    called.caller = Some(Arc::clone(&caller));
    let region = region_of(app, called.service, signed.region());
    called.region = region.to_string();
    app.identity
        .touch_key_last_used(&caller, service, &called.region, head.now);
    Ok(RequestContext {
        account: caller.account,
        caller,
        region,
        now: head.now,
        request_id: Arc::clone(&head.request_id),
        client: head.client.clone(),
    })
}

async fn operate(
    app: &Arc<App>,
    head: &Head,
    operation: Operation,
    context: RequestContext,
    body: ApiBody,
    format: ResponseFormat,
    called: &mut Called,
) -> Result<WireResponse, ApiError> {
    let Some(row) = ops::row(operation) else {
        return Err(not_built(operation.name(), operation.service()));
    };
    match row.is_proved_by_input() {
        // A signature proves nothing there, not even a valid one.
        true => operate_unsigned(app, head, row, body, format, called).await,
        false => run(app, row, context, body, format, called).await,
    }
}

async fn run(
    app: &Arc<App>,
    row: &Row,
    context: RequestContext,
    body: ApiBody,
    format: ResponseFormat,
    called: &mut Called,
) -> Result<WireResponse, ApiError> {
    tracing::debug!(request_id = %context.request_id, caller = %context.caller.arn, action = row.columns.rule.action);
    let exchange = Exchange {
        app: Arc::clone(app),
        context,
        body,
        format,
    };
    let outcome = row.run(exchange).await;
    called.parameters = outcome.parameters;
    called.elements = outcome.elements;
    called.resource = outcome.resource;
    outcome.answer
}

async fn finish(
    app: &App,
    head: &Head,
    called: Called,
    result: Result<WireResponse, ApiError>,
) -> Response<ReplyBody> {
    let service = called.service;
    let explained = match (&result, &called.caller) {
        (Err(ApiError::Denied(denial)), Some(caller)) => {
            explanation::encoded(app, caller, denial, head.now)
        }
        _ => None,
    };
    let (answer, error, decided) = match result {
        Ok(answer) => (answer, None, None),
        Err(fail) => {
            if let Some(cause) = fail.cause() {
                tracing::error!(request_id = %head.request_id, operation = called.name, cause, "request failed");
            }
            let decided = fail.decision();
            if decided.is_some() {
                app.metrics
                    .denied
                    .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
            let protocol = match &called.other {
                Some((_, form)) => form.protocol(),
                None => service.protocol(),
            };
            let wire = fail.wire(protocol);
            let id = &head.request_id;
            let answer = match &called.other {
                Some((_, form)) => form.encode(&wire, head.path(), id),
                None => aws_api::encode_error_as(service, &wire, head.response_format(), id),
            };
            (answer, Some((wire.code.to_owned(), wire.message)), decided)
        }
    };
    let recipient = match &called.caller {
        Some(caller) => caller.account,
        None => app.names.default.account,
    };
    let source = match &called.other {
        Some((scope, _)) => other_services::event_source(scope),
        None => event_source(service),
    };
    let event = Event {
        read_only: read_only(service, &called.name),
        data: category(service, &called.name) == Category::Data,
        access_key_id: match called.caller {
            Some(_) => None,
            None => authenticate::claimed_key(head),
        },
        caller: called.caller,
        parameters: called.parameters,
        elements: called.elements,
        resource: called.resource,
        error,
        decided,
        ..Event::begin(head, source, called.name, called.region, recipient)
    };
    app.audit.record(event).await;
    let mut response = reply(answer);
    if let Some(message) = explained {
        response.headers_mut().insert(explanation::HEADER, message);
    }
    response
}

pub(crate) fn event_source(service: Service) -> &'static str {
    match service {
        Service::Berth => "berth",
        Service::Ecr => "ecr.amazonaws.com",
        Service::Iam => "iam.amazonaws.com",
        Service::Organizations => "organizations.amazonaws.com",
        Service::Sts => "sts.amazonaws.com",
    }
}

/// The category of the operation's events, by whatever API it was called.
fn category(service: Service, name: &str) -> Category {
    let operation = service.operation(name);
    let row = operation.and_then(ops::row);
    row.map_or(Category::Management, |row| row.columns.category)
}

/// Whether an operation only reads (CloudTrail, `readOnly`): as its row says, or for one that is not
/// built as AWS's table of actions does.
fn read_only(service: Service, name: &str) -> bool {
    let operation = service.operation(name);
    match operation.and_then(ops::row) {
        Some(row) => row.columns.read_only,
        None => {
            let action = format!("{}:{name}", service.signing_name());
            authorization::action(&action).is_some_and(|action| {
                matches!(action.access_level(), AccessLevel::List | AccessLevel::Read)
            })
        }
    }
}

fn reply(answer: WireResponse) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::from(bytes::Bytes::from(answer.body)));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static(answer.content_type);
    headers.insert(header::CONTENT_TYPE, kind);
    // Answers hold keys and tokens.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(error) = answer.error_type {
        headers.insert("x-amzn-errortype", HeaderValue::from_static(error));
    }
    if answer.status == StatusCode::SERVICE_UNAVAILABLE.as_u16() {
        let seconds = HeaderValue::from_static(crate::error::RETRY_AFTER_SECONDS);
        headers.insert(header::RETRY_AFTER, seconds);
    }
    response
}

fn common(
    service: Service,
    error: CommonError,
    message: &str,
    request_id: &str,
) -> Response<ReplyBody> {
    let wire = error.with(service.protocol(), message);
    reply(aws_api::encode_error(service, &wire, request_id))
}

/// The answer to headers that are too long to be looked at.
pub(crate) fn too_long(head: &Head) -> Response<ReplyBody> {
    let message = "The request's headers are too long.";
    refuse(head, CommonError::RequestTooLarge, message)
}

/// The answer when there is no room for the request.
pub(crate) fn unavailable(head: &Head, message: &str) -> Response<ReplyBody> {
    refuse(head, CommonError::ServiceUnavailable, message)
}

/// The answer to a request that is wrong before it is anybody's.
pub(crate) fn malformed(head: &Head, message: &str) -> Response<ReplyBody> {
    refuse(head, CommonError::Malformed, message)
}

fn refuse(head: &Head, error: CommonError, message: &str) -> Response<ReplyBody> {
    let service = match head.parts.headers.contains_key("x-amz-target") {
        true => Service::Ecr,
        false => Service::Sts,
    };
    common(service, error, message, &head.request_id)
}

/// The answer after a panic.
pub(crate) fn internal(request_id: &str) -> Response<ReplyBody> {
    common(
        Service::Ecr,
        CommonError::InternalFailure,
        crate::error::INTERNAL,
        request_id,
    )
}
