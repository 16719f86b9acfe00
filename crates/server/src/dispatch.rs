//! The steps of one request: route → authenticate → authorize → operate → answer → audit. This module
//! dispatches it to its API (`aws`, `oci`, …) and applies what all APIs share: the request id, the
//! bound on headers, panics, and the counters.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use aws_api::ErrorStatus;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use hyper::body::Incoming;

use crate::app::App;
use crate::aws;
use crate::body::Inbound;
use crate::boxed::boxed;
use crate::connections::Peer;
use crate::connections::RunningRequest;
use crate::console;
use crate::download;
use crate::form;
use crate::head::Head;
use crate::health::Problem;
use crate::limits::{
    HEADER_OVERHEAD_BYTES, HEADERS_BYTES_MAX, HEADERS_COUNT_MAX, STRANGERS_TIMEOUT,
};
use crate::metrics::ApiKind;
use crate::oci;
use crate::read_only;
use crate::reply::ReplyBody;
use crate::route::{IssuerDocument, Route, route};
use crate::usage_metrics;
use crate::webhooks;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Answers a request, whatever happens.
pub(crate) async fn handle(
    app: Arc<App>,
    request: Request<Incoming>,
    peer: Peer,
    running_request: Arc<RunningRequest>,
) -> Response<ReplyBody> {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let connection = Arc::clone(&peer.connection);
    let body = Inbound::new(body, &parts.headers, connection, Arc::clone(&app.health));
    let head = app.head(parts, &peer, running_request);
    let hsts = head.client.secure && !head.is_for_loopback();
    let request_id = Arc::clone(&head.request_id);
    let uri = &head.parts.uri;
    let route = route(
        &head.parts.method,
        uri.path(),
        head.query(),
        &head.parts.headers,
    );
    let kind = kind_of(&route);
    let finish = must_finish(&head.parts.method, kind);

    app.metrics.running.fetch_add(1, Relaxed);
    let running = Running(Arc::clone(&app));
    // What a panic leaves behind is this request's alone: all shared state is behind locks that
    // do not poison, or in transactions that roll back.
    let admitted = admit(&app, &head, kind).await;
    let serving = Arc::clone(&app);
    let work = boxed(|| async move {
        match admitted {
            Ok(()) => dispatch(serving, head, route, body).await,
            Err(Crowded) => crowded(&head, kind),
        }
    });
    let work = AssertUnwindSafe(work);
    let connection = peer.connection;
    let work = async move {
        let done = work.catch_unwind().await;
        drop((running, connection));
        done.ok()
    };
    let done = match finish {
        true => tokio::spawn(work).await.ok().flatten(),
        false => work.await,
    };
    let mut response = done.unwrap_or_else(|| {
        app.metrics.panics.fetch_add(1, Relaxed);
        tracing::error!(request_id = %request_id, "a handler panicked");
        match kind {
            ApiKind::Oci | ApiKind::Download => oci::internal(),
            ApiKind::Console => console::internal(),
            _ => aws::internal(&request_id),
        }
    });

    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    if hsts && let Some(value) = &app.hsts {
        let headers = response.headers_mut();
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value.clone());
    }
    app.metrics
        .answered(kind, response.status().as_u16(), started.elapsed());
    response
}

/// There is no room for a request whose caller is not known.
struct Crowded;

/// Takes what a request may hold while its caller is not known: memory for its headers, and a place if it
/// needs more than a look.
async fn admit(app: &App, head: &Head, kind: ApiKind) -> Result<(), Crowded> {
    if head.parts.version >= Version::HTTP_2 {
        // Compressed, a header takes a byte of the connection and a hundred of memory.
        let headers = head.parts.headers.len();
        let connection = &head.running.connection;
        connection.received(headers * HEADER_OVERHEAD_BYTES);
        if !connection.has_room(0) {
            return Err(Crowded);
        }
    }
    if matches!(kind, ApiKind::Aws | ApiKind::Console) {
        let place = tokio::time::timeout(STRANGERS_TIMEOUT, app.admission.enter(&head.party));
        head.keep_place(place.await.map_err(|_| Crowded)?);
    }
    Ok(())
}

fn crowded(head: &Head, kind: ApiKind) -> Response<ReplyBody> {
    let message = "Too many requests are waiting to be authenticated; try again.";
    let mut response = match kind {
        ApiKind::Aws => aws::unavailable(head, message),
        ApiKind::Oci | ApiKind::Download => {
            oci::refuse(ErrorStatus::SERVICE_UNAVAILABLE, "TOOMANYREQUESTS", message)
        }
        ApiKind::Console => console::unavailable(message),
        ApiKind::Other => plain(StatusCode::SERVICE_UNAVAILABLE, "try again\n"),
    };
    let retry = HeaderValue::from_static("1");
    response.headers_mut().insert(header::RETRY_AFTER, retry);
    response
}

/// Whether a request goes on when its client goes away: whatever changes something is finished, so that
/// its event is written with it, and so that a part of an upload is kept as far as it came. A look ends
/// with its connection.
fn must_finish(method: &Method, kind: ApiKind) -> bool {
    match kind {
        ApiKind::Aws | ApiKind::Console => true,
        ApiKind::Oci => !method.is_safe(),
        ApiKind::Download | ApiKind::Other => false,
    }
}

/// Counts a running request down, also when its client goes away in the middle.
struct Running(Arc<App>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.metrics.running.fetch_sub(1, Relaxed);
    }
}

fn kind_of(route: &Route) -> ApiKind {
    match route {
        Route::AwsJson { .. } | Route::AwsQuery | Route::AwsOther => ApiKind::Aws,
        Route::Oci(_) | Route::Token => ApiKind::Oci,
        Route::Download { .. } => ApiKind::Download,
        Route::ConsoleCall(_) | Route::SamlAnswer => ApiKind::Console,
        _ => ApiKind::Other,
    }
}

/// Each API's future is on the heap by itself: a pull's must not be as large as the largest of another API.
async fn dispatch(app: Arc<App>, head: Head, route: Route, body: Inbound) -> Response<ReplyBody> {
    let too_long = head.bytes() > HEADERS_BYTES_MAX || head.parts.headers.len() > HEADERS_COUNT_MAX;
    // RFC 9112, section 3.2: which registry is meant must not be guessed.
    let probe = matches!(route, Route::Healthz | Route::Readyz | Route::Metrics);
    let has_host = head.has_one_host() || (probe && head.may_lack_host());
    if !has_host {
        let message = "The request must have one Host header.";
        return match route {
            Route::Oci(_) | Route::Token | Route::Download { .. } => {
                oci::refuse(ErrorStatus::BAD_REQUEST, "UNSUPPORTED", message)
            }
            Route::AwsJson { .. } | Route::AwsQuery | Route::AwsOther => {
                aws::malformed(&head, message)
            }
            _ => plain(StatusCode::BAD_REQUEST, "one Host header\n"),
        };
    }
    match route {
        Route::Oci(_) | Route::Token | Route::Download { .. } if too_long => oci::refuse(
            ErrorStatus::of::<431>(),
            "SIZE_INVALID",
            "The request's headers are too long.",
        ),
        Route::AwsJson { .. } | Route::AwsQuery | Route::AwsOther if too_long => {
            aws::too_long(&head)
        }
        _ if too_long => plain(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "headers too long\n",
        ),
        Route::AwsJson { target } => boxed(|| aws::json(app, head, target, body)).await,
        Route::AwsQuery => boxed(|| aws::query(app, head, body)).await,
        Route::AwsOther => boxed(|| aws::other_path(app, head, body)).await,
        Route::Oci(route) => boxed(|| oci::serve(app, head, route, body)).await,
        Route::Token => boxed(|| oci::token::serve(app, head, body)).await,
        Route::Download { token } => boxed(|| download::serve(&app, &head, &token)).await,
        Route::Issuer {
            issuer_id,
            document,
        } => boxed(|| issuer_document(&app, &head, &issuer_id, document)).await,
        Route::Console => console::serve(&head),
        Route::FederationPage(page) => console::page(&app, &page),
        Route::SamlAnswer => boxed(|| console::hand_on(&app, &head, body)).await,
        Route::ConsoleCall(call) => boxed(|| console::call(app, head, call, body)).await,
        Route::Healthz => plain(StatusCode::OK, "ok\n"),
        Route::Readyz => {
            let for_write = form::first(head.query(), "for").as_deref() == Some("write");
            // The log knows of a failed write before the probe does.
            app.health.set(Problem::Audit, !app.audit.is_available());
            let (ready, text) = app.health.report(for_write);
            let (ready, text) = match for_write && ready {
                true => boxed(|| ready_for_write(&app, &head, text)).await,
                false => (ready, text),
            };
            let status = match ready {
                true => StatusCode::OK,
                false => StatusCode::SERVICE_UNAVAILABLE,
            };
            plain(status, text)
        }
        Route::Metrics => {
            let mut text = app.metrics.text(app.connections.count());
            text.push_str(&usage_metrics::text(app.registry.usage_totals()));
            text.push_str(&usage_metrics::scrub(app.registry.scrub_totals()));
            let (counts, queued) = (app.registry.event_counts(), app.webhooks.queued());
            text.push_str(&webhooks::metrics::text(counts, queued));
            let mut response = plain(StatusCode::OK, text);
            let kind = HeaderValue::from_static("text/plain; version=0.0.4");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        }
        Route::NotBuilt { what } => {
            plain(StatusCode::NOT_FOUND, format!("{what} is not built yet\n"))
        }
        Route::Nowhere { allow: "" } => plain(StatusCode::NOT_FOUND, "not found\n"),
        Route::Nowhere { allow } => {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n");
            let allow = HeaderValue::from_static(allow);
            response.headers_mut().insert(header::ALLOW, allow);
            response
        }
    }
}

/// Answers a public document of an account that issues identity tokens. It is looked up with a turn, since
/// anybody may ask.
async fn issuer_document(
    app: &App,
    head: &Head,
    issuer_id: &str,
    document: IssuerDocument,
) -> Response<ReplyBody> {
    let turn = app.admission.turn(&head.party).await;
    let found = match document {
        IssuerDocument::Discovery => {
            let base = app.names.issuers_url();
            app.identity.outbound_discovery(&base, issuer_id).await
        }
        IssuerDocument::Keys => app.identity.outbound_key_set(issuer_id, head.now).await,
    };
    drop(turn);
    match found {
        Ok(Some(document)) => {
            let mut response = plain(StatusCode::OK, document.to_string());
            let headers = response.headers_mut();
            let kind = HeaderValue::from_static("application/json");
            headers.insert(header::CONTENT_TYPE, kind);
            let seconds = identity::federation::KEY_SET_MAX_AGE.as_secs();
            if let Ok(value) = HeaderValue::try_from(format!("public, max-age={seconds}")) {
                headers.insert(header::CACHE_CONTROL, value);
            }
            response
        }
        Ok(None) => plain(StatusCode::NOT_FOUND, "not found\n"),
        Err(error) => {
            let cause = crate::error::chain(&error);
            tracing::error!(request_id = %head.request_id, cause, "request failed");
            plain(StatusCode::SERVICE_UNAVAILABLE, "try again\n")
        }
    }
}

/// Whether writes are served, by the read-only mode; `text` says that nothing else is in the way.
async fn ready_for_write(app: &App, head: &Head, text: String) -> (bool, String) {
    match read_only::server_refusal(app).await {
        Ok(None) => (true, text),
        Ok(Some(refusal)) => (false, format!("not ready\n{refusal}\n")),
        Err(error) => {
            let cause = error.cause();
            tracing::error!(request_id = %head.request_id, cause, "request failed");
            (
                false,
                "not ready\nthe database does not answer\n".to_owned(),
            )
        }
    }
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::from(text.into()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
