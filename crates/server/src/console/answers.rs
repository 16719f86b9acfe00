//! Answers of the console's routes, and their errors: `{"code": "…", "message": "…"}`.

use std::sync::Arc;
use std::time::Duration;

use aws_api::Protocol;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::body::BodyError;
use crate::error::{ApiError, INTERNAL};
use crate::head::Head;
use crate::reply::ReplyBody;

/// Nothing here is kept by a cache, framed, or taken for something else than JSON.
pub(super) const SECURITY_HEADERS: [(&str, &str); 7] = [
    ("cache-control", "no-store"),
    (
        "content-security-policy",
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// A refusal, or a failure of ours.
#[derive(Debug)]
pub(super) struct ConsoleError {
    status: StatusCode,
    code: String,
    message: String,
    retry_after: Option<Duration>,
    /// The request that was denied, where it was one of several.
    request_id: Option<Arc<str>>,
    cause: Option<String>,
    set_cookie: Option<HeaderValue>,
}

impl ConsoleError {
    pub(super) fn new(
        status: StatusCode,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> ConsoleError {
        ConsoleError {
            status,
            code: code.into(),
            message: message.into(),
            retry_after: None,
            request_id: None,
            cause: None,
            set_cookie: None,
        }
    }

    /// A request that is not what the route takes.
    pub(super) fn invalid(message: &str) -> ConsoleError {
        ConsoleError::new(StatusCode::BAD_REQUEST, "InvalidRequest", message)
    }

    /// A request that does not come from a page of this console.
    pub(super) fn forbidden(code: &str, message: &str) -> ConsoleError {
        ConsoleError::new(StatusCode::FORBIDDEN, code, message)
    }

    /// There is no session, or it is over.
    pub(super) fn no_session() -> ConsoleError {
        let message = "You are not signed in, or your session has ended. Sign in again.";
        ConsoleError::new(StatusCode::UNAUTHORIZED, "NoSession", message)
            .with_cookie(super::cookie::removal())
    }

    pub(super) fn retry_after(mut self, wait: Duration) -> ConsoleError {
        self.retry_after = Some(wait);
        self
    }

    pub(super) fn of_request(mut self, id: Arc<str>) -> ConsoleError {
        self.request_id = Some(id);
        self
    }

    pub(super) fn with_cookie(mut self, cookie: HeaderValue) -> ConsoleError {
        self.set_cookie = Some(cookie);
        self
    }

    /// What the audit log says of it.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Whether it is a failure of ours.
    pub(super) fn is_internal(&self) -> bool {
        self.cause.is_some()
    }

    /// The answer. The cause of a failure of ours goes to the log.
    pub(super) fn answer(self, head: &Head) -> Response<ReplyBody> {
        if let Some(cause) = &self.cause {
            let request_id = &*head.request_id;
            tracing::error!(request_id, cause, "request failed");
        }
        let mut body = json!({"code": self.code, "message": self.message});
        if let Some(id) = &self.request_id {
            body["requestId"] = (**id).into();
        }
        let mut response = answer(self.status, Some(&body));
        let headers = response.headers_mut();
        if let Some(wait) = self.retry_after {
            // A second more than what is left of one.
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
        }
        if let Some(cookie) = self.set_cookie {
            headers.insert(header::SET_COOKIE, cookie);
        }
        response
    }
}

impl From<ApiError> for ConsoleError {
    fn from(error: ApiError) -> ConsoleError {
        let wire = error.wire(Protocol::Query);
        let status = StatusCode::from_u16(wire.status.as_u16());
        ConsoleError {
            cause: error.cause(),
            retry_after: error.is_unavailable().then_some(Duration::ZERO),
            ..ConsoleError::new(
                status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                wire.code,
                wire.message,
            )
        }
    }
}

impl From<identity::Error> for ConsoleError {
    fn from(error: identity::Error) -> ConsoleError {
        ApiError::from(error).into()
    }
}

impl From<BodyError> for ConsoleError {
    fn from(error: BodyError) -> ConsoleError {
        ApiError::from(error).into()
    }
}

/// An answer with a JSON body, or without one.
pub(super) fn answer(status: StatusCode, body: Option<&Value>) -> Response<ReplyBody> {
    let text = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
    let mut response = Response::new(ReplyBody::from(bytes::Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in SECURITY_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if body.is_some() {
        let kind = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, kind);
    }
    response
}

/// The answer after a panic.
pub(crate) fn internal() -> Response<ReplyBody> {
    let body = json!({"code": "InternalFailure", "message": INTERNAL});
    answer(StatusCode::INTERNAL_SERVER_ERROR, Some(&body))
}

/// The answer when there is no room for the request.
pub(crate) fn unavailable(message: &str) -> Response<ReplyBody> {
    let body = json!({"code": "ServiceUnavailable", "message": message});
    answer(StatusCode::SERVICE_UNAVAILABLE, Some(&body))
}
