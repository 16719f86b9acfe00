//! Signed calls at paths: those of services that speak restJson1, and those that name no operation of this
//! server.

use std::sync::Arc;

use aws_api::{CommonError, Service, WireResponse};
use http::Response;

use super::call::{Call, is_other};
use super::rest;
use crate::app::App;
use crate::authenticate::Signed;
use crate::body::Inbound;
use crate::boxed::boxed;
use crate::error::ApiError;
use crate::head::Head;
use crate::limits::API_BODY_BYTES_MAX;
use crate::reply::ReplyBody;

/// Answers a signed call at a path.
pub(crate) async fn other_path(app: Arc<App>, head: Head, body: Inbound) -> Response<ReplyBody> {
    let mut call = Call::new(app, head, Service::Sts, "");
    let result = boxed(|| at_path(&mut call, body)).await;
    call.finish(result).await
}

async fn at_path(call: &mut Call, body: Inbound) -> Result<WireResponse, ApiError> {
    let signed = call.present().await?;
    if let Some(service) = rest::service_of(&signed) {
        return rest::signed_call(call, &signed, service, body).await;
    }
    if is_other(&signed) {
        return Err(refuse(call, &signed, body).await);
    }
    // One of ours, at a path where it has nothing.
    if let Some(service) = Service::from_signing_name(signed.scope_service()) {
        call.service = service;
    }
    let party = &call.head.party;
    let collected = body.collect(&call.app.bodies, party, API_BODY_BYTES_MAX);
    let collected = collected.await?;
    call.verify(&signed, &collected).await?;
    let message = "There is no operation at this path.".to_owned();
    Err(ApiError::Common(CommonError::InvalidAction, message))
}

/// Refuses a call of a service that is not served here, once its signature was verified.
pub(super) async fn refuse(call: &mut Call, signed: &Signed, body: Inbound) -> ApiError {
    // The signature covers this header, so the body need not be read.
    if let Some(digest) = call.head.header("x-amz-content-sha256") {
        let digest = digest.to_owned();
        return call.refuse_other_service(signed, &digest).await;
    }
    let party = &call.head.party;
    let collected = body.collect(&call.app.bodies, party, API_BODY_BYTES_MAX);
    match collected.await {
        Ok(collected) => {
            let digest = &collected.sha256_hex;
            call.refuse_other_service(signed, digest).await
        }
        Err(error) => error.into(),
    }
}
