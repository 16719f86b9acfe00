//! restJson1 (Smithy, "AWS restJson1 protocol"). The signature's service says which API is called, method
//! and path which operation.

use aws_api::{CommonError, Protocol, RestHead, Service, WireResponse};

use super::call::Call;
use crate::authenticate::Signed;
use crate::body::Inbound;
use crate::error::ApiError;
use crate::limits::API_BODY_BYTES_MAX;
use crate::ops::{self, ApiBody};

/// The service that a signature is for, if it is one of restJson1.
pub(super) fn service_of(signed: &Signed) -> Option<Service> {
    let service = Service::from_signing_name(signed.scope_service());
    service.filter(|service| service.protocol() == Protocol::RestJson)
}

/// Performs a call of a service that speaks restJson1.
pub(super) async fn signed_call(
    call: &mut Call,
    signed: &Signed,
    service: Service,
    body: Inbound,
) -> Result<WireResponse, ApiError> {
    call.service = service;
    let operation = RestHead::route(service, call.head.parts.method.as_str(), call.head.path());
    if let Some(operation) = operation {
        operation.name().clone_into(&mut call.name);
    }
    let row = operation.and_then(ops::row);
    let max = row.map_or(API_BODY_BYTES_MAX, |row| row.columns.body_bytes_max);
    let party = &call.head.party;
    let collected = body.collect(&call.app.bodies, party, max).await?;
    let context = call.verify(signed, &collected).await?;
    let operation = operation.ok_or_else(|| {
        let message = "There is no operation at this path.".to_owned();
        ApiError::Common(CommonError::InvalidAction, message)
    })?;
    let head = &call.head;
    let read = RestHead::read(operation, head.path(), head.query(), |name| {
        head.header(name)
    });
    let read = read.map_err(|message| ApiError::Common(CommonError::Malformed, message))?;
    let format = aws_api::ResponseFormat::Native;
    let body = ApiBody::Rest(read, collected.bytes);
    call.operate(operation, context, body, format).await
}
