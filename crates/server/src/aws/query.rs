//! awsQuery (Smithy, "AWS query protocol"); parameters in the body, the URL, or both.

use std::sync::Arc;

use aws_api::{CommonError, Form, Service, WireResponse};
use http::{Response, header};
use sigv4::SigError;

use super::call::{Call, is_other, proved_by_input, shown};
use super::rest;
use crate::app::App;
use crate::authenticate::Signed;
use crate::body::{BodyError, Collected, Inbound};
use crate::boxed::boxed;
use crate::error::{ApiError, Unauthenticated};
use crate::form;
use crate::head::Head;
use crate::limits::{
    API_BODY_BYTES_MAX, SAML_METADATA_BODY_BYTES_MAX, UNSIGNED_BODY_BYTES_MAX,
    UNSIGNED_BODY_TIMEOUT, UNSIGNED_TOKEN_BODY_BYTES_MAX,
};
use crate::ops::{self, ApiBody};
use crate::reply::ReplyBody;

/// Answers a call.
pub(crate) async fn query(app: Arc<App>, head: Head, body: Inbound) -> Response<ReplyBody> {
    let mut call = Call::new(app, head, Service::Sts, "");
    let result = match call.present().await {
        Ok(signed) => boxed(|| signed_call(&mut call, &signed, body)).await,
        Err(error) => boxed(|| unsigned_call(&mut call, error, body)).await,
    };
    call.finish(result).await
}

async fn signed_call(
    call: &mut Call,
    signed: &Signed,
    body: Inbound,
) -> Result<WireResponse, ApiError> {
    if let Some(service) = rest::service_of(signed) {
        return rest::signed_call(call, signed, service, body).await;
    }
    if let Some(service) = Service::from_signing_name(signed.scope_service()) {
        call.service = service;
    }
    let (collected, form) = read(call, body).await?;
    let version = form.version().unwrap_or_default().to_owned();
    let ours = [Service::Iam, Service::Sts].map(Service::api_version);
    if is_other(signed) && !ours.contains(&version.as_str()) {
        let digest = &collected.sha256_hex;
        return Err(call.refuse_other_service(signed, digest).await);
    }
    call.service = service_of(&version, &call.name, signed.scope_service());
    let context = call.verify(signed, &collected).await?;
    let known = call.service.operation(&call.name);
    let known = known.filter(|_| version.is_empty() || version == call.service.api_version());
    let operation = known.ok_or_else(|| unknown(&call.name, &version))?;
    let format = call.head.response_format();
    call.operate(operation, context, ApiBody::Query(form), format)
        .await
}

/// Reads the parameters and notes the action's name.
async fn read(call: &mut Call, body: Inbound) -> Result<(Collected, Form), ApiError> {
    // The action stands in the body: only then is it known that the body may not be so long.
    let max = match call.service {
        Service::Iam => SAML_METADATA_BODY_BYTES_MAX,
        _ => API_BODY_BYTES_MAX,
    };
    let collected = body
        .collect(&call.app.bodies, &call.head.party, max)
        .await?;
    let mut form = Form::parse(&collected.bytes).map_err(malformed)?;
    let url = own_parameters(call.head.query());
    form.extend(url.as_bytes()).map_err(malformed)?;
    call.name = shown(form.action().unwrap_or_default());
    let operation = call.service.operation(&call.name);
    let row = operation.and_then(ops::row);
    let max = row.map_or(API_BODY_BYTES_MAX, |row| row.columns.body_bytes_max);
    match collected.bytes.len() > max {
        true => Err(BodyError::TooLong(max).into()),
        false => Ok((collected, form)),
    }
}

/// Performs an operation that takes no signature, and refuses every other call without a valid one, with
/// `error`. The body of the latter is read as far as it may be, since it holds the answer's namespace and
/// the event's name.
async fn unsigned_call(
    call: &mut Call,
    error: ApiError,
    body: Inbound,
) -> Result<WireResponse, ApiError> {
    let is_unsigned = matches!(
        error,
        ApiError::Unauthenticated(Unauthenticated::Signature(
            SigError::MissingAuthenticationToken
        ))
    );
    let max = match is_unsigned {
        // What may be a token of another identity provider, which is long.
        true => UNSIGNED_TOKEN_BODY_BYTES_MAX,
        false => UNSIGNED_BODY_BYTES_MAX,
    };
    let mut form = Form::default();
    let collected = body.collect(&call.app.bodies, &call.head.party, max);
    if let Ok(Ok(collected)) = tokio::time::timeout(UNSIGNED_BODY_TIMEOUT, collected).await
        && let Ok(parsed) = Form::parse(&collected.bytes)
    {
        form = parsed;
    }
    let of_url = |name| form::first(call.head.query(), name).unwrap_or_default();
    let parameter = |name: &'static str| match form.get(name) {
        Some(value) => value.to_owned(),
        None => of_url(name),
    };
    let name = shown(&parameter("Action"));
    let authorization = call.head.header(header::AUTHORIZATION).unwrap_or_default();
    let scope = match authorization.contains("/iam/aws4_request") {
        true => "iam",
        false => "sts",
    };
    call.service = service_of(&parameter("Version"), &name, scope);
    call.name = name;
    let operation = call.service.operation(&call.name);
    match proved_by_input(operation) {
        Some(row) if is_unsigned => {
            let url = own_parameters(call.head.query());
            form.extend(url.as_bytes()).map_err(malformed)?;
            let format = call.head.response_format();
            call.operate_unsigned(row, ApiBody::Query(form), format)
                .await
        }
        _ => Err(error),
    }
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

/// The URL's query without the signature's parameters: those of a presigned request are no operation's.
fn own_parameters(query: &str) -> String {
    let own = |pair: &&str| !pair.to_ascii_lowercase().starts_with("x-amz-");
    query.split('&').filter(own).collect::<Vec<_>>().join("&")
}

fn malformed(message: String) -> ApiError {
    ApiError::Common(CommonError::Malformed, message)
}

fn unknown(name: &str, version: &str) -> ApiError {
    let message = match name {
        "" => "The request is missing an Action parameter.".to_owned(),
        name => {
            let version = shown(version);
            format!("Could not find operation {name} for version {version}")
        }
    };
    ApiError::Common(CommonError::InvalidAction, message)
}
