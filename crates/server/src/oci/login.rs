//! Requests without an accepted login.

use aws_api::ErrorStatus;
use aws_api::ecr::Operation;
use http::{Response, header};

use super::answers::failed;
use super::event;
use crate::app::App;
use crate::authenticate::BasicFail;
use crate::body::ReplyBody;
use crate::error::OciError;
use crate::finish::finish;
use crate::head::Head;
use crate::oci_route::OciRoute;
use crate::ops::{self, oci as guard};
use crate::registry_host::RegistryId;

/// Refuses a request whose caller is not known.
pub(super) async fn refuse(
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
    let refused = |message: &str| {
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
            return failed(head, &refused("authentication required"));
        }
        BasicFail::Refused(_) => {
            refused("The authorization token included in the request is invalid.")
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
        .map_or(Operation::GetAuthorizationToken, |(operation, _)| operation);
    let columns = ops::columns(operation);
    let response = failed(head, &fail);
    let event = event::of_login(head, place, operation.name(), &columns, key);
    finish(app, event, Some(fail.into())).await;
    response
}
