//! One call of an AWS API: authentication, the operation, the answer and the event, for both protocols.

use std::sync::Arc;

use authz::{Caller, RequestContext};
use aws_api::authorization::{self, AccessLevel};
use aws_api::{CommonError, Operation, ResponseFormat, Service, WireResponse};
use aws_types::Region;
use http::Response;
use serde_json::Value;
use sigv4::{Lifetime, SigError};

use super::other_services::{self, ErrorForm};
use super::{answers, explanation};
use crate::app::App;
use crate::audit::Event;
use crate::authenticate::{self, Signed};
use crate::body::Collected;
use crate::error::{ApiError, Failure};
use crate::finish::finish;
use crate::head::Head;
use crate::limits::AUDIT_NAME_CHARS_MAX;
use crate::ops::row::Category;
use crate::ops::{self, ApiBody, Exchange, Row};
use crate::reply::ReplyBody;

/// What is known of a call. Each step adds to it, so that the event of a call that fails says as much as
/// was found out.
pub(super) struct Call {
    pub(super) app: Arc<App>,
    pub(super) head: Head,
    pub(super) service: Service,
    /// The operation's name as the client wrote it.
    pub(super) name: String,
    /// Of a call to a service that is not served here: its name, and the form of its errors.
    other: Option<(String, ErrorForm)>,
    caller: Option<Arc<Caller>>,
    region: String,
    parameters: Value,
    elements: Value,
    /// The ARN of the resource that was decided on.
    resource: Option<Arc<str>>,
}

impl Call {
    pub(super) fn new(app: Arc<App>, head: Head, service: Service, name: &str) -> Call {
        let region = app.names.default.region.to_string();
        Call {
            app,
            head,
            service,
            name: shown(name),
            other: None,
            caller: None,
            region,
            parameters: Value::Null,
            elements: Value::Null,
            resource: None,
        }
    }

    /// Reads the signature, without verifying it: that needs the body.
    pub(super) async fn present(&mut self) -> Result<Signed, ApiError> {
        let signed = authenticate::present(&self.app, &self.head).await?;
        self.region = signed.region().to_string();
        Ok(signed)
    }

    /// Verifies the signature of a call to one of the services that are served.
    pub(super) async fn verify(
        &mut self,
        signed: &Signed,
        collected: &Collected,
    ) -> Result<RequestContext, ApiError> {
        let service = self.service.signing_name();
        // STS ignores the limit that a presigned GetCallerIdentity states.
        let lifetime = match (self.service, self.name.as_str()) {
            (Service::Sts, "GetCallerIdentity") => Lifetime::FifteenMinutes,
            _ => Lifetime::AtMostFifteenMinutes,
        };
        let digest = &collected.sha256_hex;
        let verified =
            authenticate::verify(&self.app, &self.head, signed, service, digest, lifetime);
        let caller = verified.await?;
        let context = self.called_by(Arc::clone(&caller), signed.region());
        let now = self.head.now;
        self.app
            .identity
            .touch_key_last_used(&caller, service, &self.region, now);
        Ok(context)
    }

    /// Refuses a call of a service that is not served here, once its signature was verified.
    pub(super) async fn refuse_other_service(&mut self, signed: &Signed, digest: &str) -> ApiError {
        let scope = shown(signed.scope_service());
        let form = ErrorForm::of(&scope, &self.head);
        let action = (!self.name.is_empty()).then_some(self.name.as_str());
        self.name = shown(&other_services::operation_name(&self.head, action));
        self.other = Some((scope.clone(), form));
        let (app, head) = (&self.app, &self.head);
        match authenticate::verify(app, head, signed, &scope, digest, Lifetime::Stated).await {
            Ok(caller) => {
                self.caller = Some(caller);
                ApiError::Wire(other_services::not_served(&scope, form.protocol()))
            }
            Err(error) => error,
        }
    }

    /// Performs an operation for a caller whose signature was verified.
    pub(super) async fn operate(
        &mut self,
        operation: Operation,
        context: RequestContext,
        body: ApiBody,
        format: ResponseFormat,
    ) -> Result<WireResponse, ApiError> {
        let Some(row) = ops::row(operation) else {
            return Err(not_built(operation));
        };
        match row.is_proved_by_input() {
            // A signature proves nothing there, not even a valid one.
            true => self.operate_unsigned(row, body, format).await,
            false => self.run(row, context, body, format).await,
        }
    }

    /// Performs an operation whose input proves the caller.
    pub(super) async fn operate_unsigned(
        &mut self,
        row: &Row,
        body: ApiBody,
        format: ResponseFormat,
    ) -> Result<WireResponse, ApiError> {
        let proved = row.caller_by_input(&self.app, &self.head, &body).await;
        let caller = proved.ok_or(SigError::MissingAuthenticationToken)??;
        self.head.identified();
        let region = self.app.names.default.region.clone();
        let context = self.called_by(caller, &region);
        self.run(row, context, body, format).await
    }

    /// Notes the caller and the region of the call, `scope` being the signature's.
    fn called_by(&mut self, caller: Arc<Caller>, scope: &Region) -> RequestContext {
        let region = region_of(&self.app, self.service, scope);
        self.region = region.to_string();
        self.caller = Some(Arc::clone(&caller));
        RequestContext {
            account: caller.account,
            caller,
            region,
            now: self.head.now,
            request_id: Arc::clone(&self.head.request_id),
            client: self.head.client.clone(),
        }
    }

    async fn run(
        &mut self,
        row: &Row,
        context: RequestContext,
        body: ApiBody,
        format: ResponseFormat,
    ) -> Result<WireResponse, ApiError> {
        tracing::debug!(request_id = %context.request_id, caller = %context.caller.arn, action = row.columns.rule.action);
        let exchange = Exchange {
            app: Arc::clone(&self.app),
            context,
            body,
            format,
        };
        let outcome = row.run(exchange).await;
        self.parameters = outcome.parameters;
        self.elements = outcome.elements;
        self.resource = outcome.resource;
        outcome.answer
    }

    /// Answers the call and records its event.
    pub(super) async fn finish(
        self,
        result: Result<WireResponse, ApiError>,
    ) -> Response<ReplyBody> {
        let head = &self.head;
        let explained = match (&result, &self.caller) {
            (Err(ApiError::Denied(denial)), Some(caller)) => {
                explanation::encoded(&self.app, caller, denial, head.now)
            }
            _ => None,
        };
        let (answer, failure) = match result {
            Ok(answer) => (answer, None),
            Err(error) => {
                let (answer, failure) = self.failed(&error);
                (answer, Some(failure))
            }
        };
        let recipient = match &self.caller {
            Some(caller) => caller.account,
            None => self.app.names.default.account,
        };
        let (source, prefix, row) = match &self.other {
            Some((scope, _)) => (other_services::event_source(scope), scope.as_str(), None),
            None => {
                let row = self.service.operation(&self.name).and_then(ops::row);
                (event_source(self.service), self.service.signing_name(), row)
            }
        };
        // The category of the operation's events is the same by whatever API it is called.
        let (read_only, data) = match row {
            Some(row) => (
                row.columns.read_only,
                row.columns.category == Category::Data,
            ),
            None => (only_reads(prefix, &self.name), false),
        };
        let access_key_id = match self.caller {
            Some(_) => None,
            None => authenticate::claimed_key(head),
        };
        // Also where the call came to no context: IAM's events are those of one region.
        let region = match (&self.other, self.service) {
            (None, Service::Iam) => GLOBAL_REGION.to_owned(),
            _ => self.region,
        };
        let event = Event {
            read_only,
            data,
            access_key_id,
            caller: self.caller,
            parameters: self.parameters,
            elements: self.elements,
            resource: self.resource,
            ..Event::begin(head, source, self.name, region, recipient)
        };
        finish(&self.app, event, failure).await;
        let mut response = answers::reply(answer);
        if let Some(message) = explained {
            response.headers_mut().insert(explanation::HEADER, message);
        }
        response
    }

    /// The answer to a call that failed, and what the logs say of it.
    fn failed(&self, error: &ApiError) -> (WireResponse, Failure) {
        let protocol = match &self.other {
            Some((_, form)) => form.protocol(),
            None => self.service.protocol(),
        };
        let wire = error.wire(protocol);
        let (head, id) = (&self.head, &self.head.request_id);
        let answer = match &self.other {
            Some((_, form)) => form.encode(&wire, head.path(), id),
            None => aws_api::encode_error_as(self.service, &wire, head.response_format(), id),
        };
        let failure = Failure {
            code: wire.code.to_owned(),
            message: wire.message,
            exception: None,
            cause: error.cause(),
            decided: error.decision(),
        };
        (answer, failure)
    }
}

/// A name that a client made up, no longer than any operation's.
pub(super) fn shown(name: &str) -> String {
    name.chars().take(AUDIT_NAME_CHARS_MAX).collect()
}

/// The row of an operation that takes no signature.
pub(super) fn proved_by_input(operation: Option<Operation>) -> Option<&'static Row> {
    let row = ops::row(operation?)?;
    row.is_proved_by_input().then_some(row)
}

/// Whether a signature is for a service that is not served here.
pub(super) fn is_other(signed: &Signed) -> bool {
    Service::from_signing_name(signed.scope_service()).is_none()
}

fn not_built(operation: Operation) -> ApiError {
    let (name, service) = (operation.name(), operation.service().signing_name());
    ApiError::Common(
        CommonError::NotImplemented,
        format!("The operation {name} of {service} is not built yet: see docs/api-coverage.md."),
    )
}
/// The region of IAM, and of calls to the global endpoints (IAM User Guide, "AWS global condition
/// context keys", `aws:RequestedRegion`).
const GLOBAL_REGION: &str = "us-east-1";

/// The region that a call is for. IAM has one whatever the signature's scope says. Some SDKs sign calls
/// to global endpoints for a region of that name (`aws-global`), which is no region: STS's is the global
/// one, and a registry's is the server's own.
fn region_of(app: &App, service: Service, scope: &Region) -> Region {
    let global = || {
        let region = GLOBAL_REGION.parse();
        region.unwrap_or_else(|_| app.names.default.region.clone())
    };
    let is_pseudo = scope.as_str().starts_with("aws-") && scope.as_str().ends_with("global");
    match service {
        Service::Iam => global(),
        Service::Sts if is_pseudo => global(),
        _ if is_pseudo => app.names.default.region.clone(),
        _ => scope.clone(),
    }
}

fn event_source(service: Service) -> &'static str {
    match service {
        Service::AccessAnalyzer => "access-analyzer.amazonaws.com",
        Service::Berth => "berth",
        Service::Ecr => "ecr.amazonaws.com",
        Service::Iam => "iam.amazonaws.com",
        Service::Kms => "kms.amazonaws.com",
        Service::Organizations => "organizations.amazonaws.com",
        Service::SecretsManager => "secretsmanager.amazonaws.com",
        Service::Sts => "sts.amazonaws.com",
    }
}

/// Whether an operation that is not built only reads (CloudTrail, `readOnly`): as AWS's table of actions
/// says.
fn only_reads(prefix: &str, name: &str) -> bool {
    authorization::action(&format!("{prefix}:{name}")).is_some_and(|action| {
        matches!(action.access_level(), AccessLevel::List | AccessLevel::Read)
    })
}
