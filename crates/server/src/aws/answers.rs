//! The answers of the AWS APIs as HTTP responses.

use aws_api::{CommonError, Service, WireResponse};
use http::{HeaderValue, Response, StatusCode, header};

use crate::head::Head;
use crate::reply::ReplyBody;

pub(super) fn reply(answer: WireResponse) -> Response<ReplyBody> {
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
