//! The answers of the distribution API as HTTP responses.

use ::blobs::Digest;
use aws_api::ErrorStatus;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::json;

use crate::error::{INTERNAL, OciEntry, OciError};
use crate::head::Head;
use crate::reply::ReplyBody;

pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
/// Headers of most answers, with those that every answer of the server has.
const HEADERS_USUAL: usize = 12;

/// `GET /v2/` for a valid login.
pub(super) fn base() -> Response<ReplyBody> {
    answer(
        StatusCode::OK,
        Bytes::from_static(b"{}"),
        "application/json",
    )
}

/// A response with a body.
pub(crate) fn answer(status: StatusCode, body: Bytes, kind: &str) -> Response<ReplyBody> {
    let mut response = empty(status);
    set(&mut response, header::CONTENT_TYPE, kind);
    set_length(&mut response, body.len() as u64);
    *response.body_mut() = ReplyBody::from(body);
    response
}

/// A response without a body.
pub(crate) fn empty(status: StatusCode) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::empty());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.reserve(HEADERS_USUAL);
    headers.insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
    // Browsers must not guess the type of what clients pushed.
    let nosniff = HeaderValue::from_static("nosniff");
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

/// The headers that name what is answered by its digest: `Docker-Content-Digest`, and `ETag` with quotes.
pub(super) fn set_digest(response: &mut Response<ReplyBody>, digest: &Digest) {
    let quoted = Bytes::from(format!("\"{digest}\""));
    let plain = quoted.slice(1..quoted.len() - 1);
    for (name, value) in [(CONTENT_DIGEST, plain), (header::ETAG, quoted)] {
        // Lower-case letters, digits, a colon and quotes are valid.
        if let Ok(value) = HeaderValue::from_maybe_shared(value) {
            response.headers_mut().insert(name, value);
        }
    }
}

/// `Content-Length`.
pub(super) fn set_length(response: &mut Response<ReplyBody>, length: u64) {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
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
