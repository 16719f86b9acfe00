//! Operations that the console's routes perform for who signed in: with the same authorization and the same
//! audit event as a signed call.

use std::sync::Arc;

use authz::{Caller, RequestContext};
use aws_api::{Form, Op, ResponseFormat, Service};

use super::answers::ConsoleError;
use crate::app::App;
use crate::audit::Event;
use crate::error::{ApiError, Failure};
use crate::finish::finish;
use crate::head::Head;
use crate::ops::row::Category;
use crate::ops::{self, ApiBody, Exchange};

/// The region of IAM's events.
const GLOBAL_REGION: &str = "us-east-1";

/// Performs an operation of IAM or STS for a caller.
pub(super) async fn perform<O: Op>(
    app: &Arc<App>,
    head: &Head,
    caller: &Arc<Caller>,
    input: &O::Input,
) -> Result<O::Output, ConsoleError> {
    let operation = O::OPERATION;
    let row =
        ops::row(operation).ok_or_else(|| ApiError::internal("an operation without a row"))?;
    let request = aws_api::encode_request::<O>(input);
    let form = Form::parse(&request.body).map_err(ApiError::internal)?;
    // Events are told apart by their request, and the sign-in has one of its own.
    let request_id: Arc<str> = uuid::Uuid::new_v4().to_string().into();
    let default = &app.names.default.region;
    let (source, region) = match operation.service() {
        Service::Iam => (
            "iam.amazonaws.com",
            GLOBAL_REGION.parse().unwrap_or_else(|_| default.clone()),
        ),
        _ => ("sts.amazonaws.com", default.clone()),
    };
    let context = RequestContext {
        account: caller.account,
        caller: Arc::clone(caller),
        region: region.clone(),
        now: head.now,
        request_id: Arc::clone(&request_id),
        client: head.client.clone(),
    };
    let exchange = Exchange {
        app: Arc::clone(app),
        context,
        body: ApiBody::Query(form),
        format: ResponseFormat::from_accept(""),
    };
    let outcome = row.run(exchange).await;
    let failure = outcome.answer.as_ref().err().map(|error| {
        let wire = error.wire(operation.service().protocol());
        Failure {
            code: wire.code.to_owned(),
            message: wire.message,
            exception: None,
            cause: error.cause(),
            decided: error.decision(),
        }
    });
    let event = Event {
        read_only: row.columns.read_only,
        data: row.columns.category == Category::Data,
        caller: Some(Arc::clone(caller)),
        parameters: outcome.parameters,
        elements: outcome.elements,
        resource: outcome.resource,
        request_id: Arc::clone(&request_id),
        ..Event::begin(head, source, operation.name(), region, caller.account)
    };
    finish(app, event, failure).await;
    let answer = outcome.answer.map_err(|error| {
        let error = ConsoleError::from(error);
        error.of_request(request_id)
    })?;
    let output = aws_api::decode_response::<O>(&answer.body);
    Ok(output.map_err(|error| ApiError::internal(format!("{error:?}")))?)
}
