//! awsJson 1.1 (Smithy, "AWS JSON 1.1 protocol").

use std::sync::Arc;

use aws_api::{CommonError, Operation, ResponseFormat, Service, WireResponse};
use http::Response;
use sigv4::SigError;

use super::call::{Call, is_other, proved_by_input, shown};
use super::{other_path, rest};
use crate::app::App;
use crate::body::{BodyError, Inbound};
use crate::boxed::boxed;
use crate::error::{ApiError, Unauthenticated};
use crate::head::Head;
use crate::limits::{API_BODY_BYTES_MAX, UNSIGNED_BODY_BYTES_MAX, UNSIGNED_BODY_TIMEOUT};
use crate::ops::{self, ApiBody};
use crate::reply::ReplyBody;

/// Answers a call. `target` is the header `X-Amz-Target`: a prefix of the service, a dot, and the
/// operation.
pub(crate) async fn json(
    app: Arc<App>,
    head: Head,
    target: String,
    body: Inbound,
) -> Response<ReplyBody> {
    let (prefix, name) = target.split_once('.').unwrap_or(("", &target));
    let services = Service::ALL.iter().copied();
    let service = services
        .into_iter()
        .find(|s| s.target_prefix() == Some(prefix));
    let operation = service.and_then(|service| service.operation(name));
    let mut call = Call::new(app, head, service.unwrap_or(Service::Ecr), name);
    let result = match service {
        Some(_) => boxed(|| ours(&mut call, &target, operation, body)).await,
        None => boxed(|| theirs(&mut call, &target, body)).await,
    };
    call.finish(result).await
}

/// Performs a call of a service that is served here.
async fn ours(
    call: &mut Call,
    target: &str,
    operation: Option<Operation>,
    body: Inbound,
) -> Result<WireResponse, ApiError> {
    let signed = match call.present().await {
        Ok(signed) => signed,
        Err(ApiError::Unauthenticated(Unauthenticated::Signature(
            SigError::MissingAuthenticationToken,
        ))) if let Some(row) = proved_by_input(operation) => {
            let party = &call.head.party;
            let collected = body.collect(&call.app.bodies, party, UNSIGNED_BODY_BYTES_MAX);
            let collected = tokio::time::timeout(UNSIGNED_BODY_TIMEOUT, collected).await;
            let collected = collected.map_err(|_| BodyError::Stalled)??;
            let body = ApiBody::Json(collected.bytes);
            return call
                .operate_unsigned(row, body, ResponseFormat::Native)
                .await;
        }
        Err(error) => return Err(error),
    };
    let row = operation.and_then(ops::row);
    let max = row.map_or(API_BODY_BYTES_MAX, |row| row.columns.body_bytes_max);
    let collected = body
        .collect(&call.app.bodies, &call.head.party, max)
        .await?;
    let context = call.verify(&signed, &collected).await?;
    let operation = operation.ok_or_else(|| unknown(target))?;
    let body = ApiBody::Json(collected.bytes);
    call.operate(operation, context, body, ResponseFormat::Native)
        .await
}

/// Refuses a call whose target is of no service that is served here.
async fn theirs(call: &mut Call, target: &str, body: Inbound) -> Result<WireResponse, ApiError> {
    let signed = call.present().await?;
    if is_other(&signed) {
        return Err(other_path::refuse(call, &signed, body).await);
    }
    if let Some(service) = rest::service_of(&signed) {
        return rest::signed_call(call, &signed, service, body).await;
    }
    let party = &call.head.party;
    let collected = body
        .collect(&call.app.bodies, party, API_BODY_BYTES_MAX)
        .await?;
    call.verify(&signed, &collected).await?;
    Err(unknown(target))
}

fn unknown(target: &str) -> ApiError {
    let message = format!("The operation '{}' is not known.", shown(target));
    ApiError::Common(CommonError::InvalidAction, message)
}
