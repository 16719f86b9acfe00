//! Requests without an accepted login.

use authz::Caller;
use aws_api::ErrorStatus;
use aws_api::ecr::Operation;
use http::{Response, header};

use super::answers::failed;
use super::{event, scope};
use crate::app::App;
use crate::authenticate::BasicFail;
use crate::error::OciError;
use crate::finish::finish;
use crate::head::Head;
use crate::oci_route::OciRoute;
use crate::ops::{self, oci as guard};
use crate::registry_host::RegistryId;
use crate::reply::ReplyBody;
use crate::route::TOKEN_PATH;

/// The service that challenges name.
const SERVICE: &str = "ecr.amazonaws.com";

/// Refuses a request whose caller is not known.
pub(super) async fn refuse(
    app: &App,
    head: &Head,
    route: Option<OciRoute>,
    place: &RegistryId,
    fail: BasicFail,
) -> Response<ReplyBody> {
    let challenge = challenge(app, head, route.as_ref());
    if let BasicFail::Missing = fail {
        app.audit
            .record_challenge(head.client.address, "GetAuthorizationToken", head.now);
        return failed(head, &unauthorized("authentication required", challenge));
    }
    let operation = route
        .as_ref()
        .and_then(|route| guard::requirements(route, place.account.as_str(), false))
        .map_or(Operation::GetAuthorizationToken, |(operation, _)| operation);
    let columns = ops::columns(operation);
    let key = key(&fail);
    let fail = error(fail, challenge);
    let response = failed(head, &fail);
    let event = event::of_login(head, place, operation.name(), &columns, key);
    finish(app, event, Some(fail.into())).await;
    response
}

/// Refuses a request for a token: the way to one is Basic, whatever the registry offers.
pub(super) async fn refuse_token(
    app: &App,
    head: &Head,
    place: &RegistryId,
    fail: BasicFail,
    name: &str,
) -> Response<ReplyBody> {
    let challenge = basic(head);
    if let BasicFail::Missing = fail {
        app.audit
            .record_challenge(head.client.address, name, head.now);
        return failed(head, &unauthorized("authentication required", challenge));
    }
    let key = key(&fail);
    let fail = error(fail, challenge);
    let response = failed(head, &fail);
    record(app, head, place, name, key, fail).await;
    response
}

/// Records a refused request for a token that is answered in another form.
pub(super) async fn record_refusal(
    app: &App,
    head: &Head,
    place: &RegistryId,
    fail: BasicFail,
    name: &str,
) {
    let key = key(&fail);
    let fail = error(fail, basic(head));
    record(app, head, place, name, key, fail).await;
}

async fn record(
    app: &App,
    head: &Head,
    place: &RegistryId,
    name: &str,
    key: Option<String>,
    fail: OciError,
) {
    let columns = ops::columns(Operation::GetAuthorizationToken);
    let event = event::of_login(head, place, name, &columns, key);
    finish(app, event, Some(fail.into())).await;
}

/// The refusal of a request that its token is not for. Where Bearer is offered the client may get another
/// token (RFC 6750, section 3.1); otherwise nothing but other credentials help.
pub(super) fn out_of_scope(app: &App, head: &Head, route: &OciRoute, caller: &Caller) -> OciError {
    let scope = scope::wanted(route).unwrap_or_default();
    let message = format!(
        "The token of {} is not for this request, which needs the scope {scope}.",
        caller.arn
    );
    match app.token_auth && is_bearer(head) {
        true => {
            let challenge = format!("{},error=\"insufficient_scope\"", bearer(head, Some(route)));
            unauthorized(&message, challenge)
        }
        false => OciError::new(ErrorStatus::FORBIDDEN, "DENIED", message),
    }
}

fn unauthorized(message: &str, challenge: String) -> OciError {
    OciError::new(ErrorStatus::UNAUTHORIZED, "UNAUTHORIZED", message)
        .header(header::WWW_AUTHENTICATE, challenge)
}

fn key(fail: &BasicFail) -> Option<String> {
    match fail {
        BasicFail::Refused(key) => key.clone(),
        _ => None,
    }
}

fn error(fail: BasicFail, challenge: String) -> OciError {
    match fail {
        BasicFail::Missing => unauthorized("authentication required", challenge),
        BasicFail::Refused(_) => unauthorized(
            "The authorization token included in the request is invalid.",
            challenge,
        ),
        // A client gets another one by itself.
        BasicFail::ExpiredBearer => unauthorized(
            "Your authorization token has expired.",
            format!("{challenge},error=\"invalid_token\""),
        ),
        BasicFail::Expired => OciError::new(
            ErrorStatus::FORBIDDEN,
            "DENIED",
            "Your authorization token has expired. Reauthenticate and try again.",
        ),
        BasicFail::Internal(fail) => fail.into(),
    }
}

/// One challenge alone: docker's client takes the first of several and fails where it is the other one.
fn challenge(app: &App, head: &Head, route: Option<&OciRoute>) -> String {
    match app.token_auth {
        true => bearer(head, route),
        false => basic(head),
    }
}

fn basic(head: &Head) -> String {
    format!("Basic realm=\"{}/\",service=\"{SERVICE}\"", origin(head))
}

fn bearer(head: &Head, route: Option<&OciRoute>) -> String {
    let scope = route.and_then(scope::wanted);
    let scope = scope.map_or(String::new(), |scope| format!(",scope=\"{scope}\""));
    format!(
        "Bearer realm=\"{}{TOKEN_PATH}\",service=\"{SERVICE}\"{scope}",
        origin(head)
    )
}

fn is_bearer(head: &Head) -> bool {
    let header = head.header(header::AUTHORIZATION).unwrap_or_default();
    let scheme = header.split(' ').next().unwrap_or_default();
    scheme.eq_ignore_ascii_case("bearer")
}

/// Scheme and host as the client used them: some clients go to the realm.
fn origin(head: &Head) -> String {
    let host = head.host().unwrap_or_default();
    // A host that could break out of the quotes is not repeated.
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
    let host = if host.bytes().all(plain) { host } else { "" };
    let scheme = if head.client.secure { "https" } else { "http" };
    format!("{scheme}://{host}")
}
