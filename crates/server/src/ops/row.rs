//! An operation's row: everything that the server decides by operation stands in its columns.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use authz::{Caller, RequestContext, Requirements, Rule, SessionScope};
use aws_api::authorization::AccessLevel;
use aws_api::{Form, Op, Operation, ResponseFormat, RestHead, Service, WireResponse};
use bytes::Bytes;

use crate::app::App;
use crate::authorize::{self, Authorized};
use crate::boxed::boxed;
use crate::error::ApiError;
use crate::head::Head;
use crate::limits::API_BODY_BYTES_MAX;
use crate::rates;
use crate::read_only;
use crate::writable::{self, Effect};

/// The columns of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns {
    /// Its action, the action's access level, and which credentials may call it at all.
    pub(crate) rule: Rule,
    /// The longest body in bytes.
    pub(crate) body_bytes_max: usize,
    /// Whether the operation only reads (CloudTrail, `readOnly`).
    pub(crate) read_only: bool,
    /// The category of its audit events.
    pub(crate) category: Category,
    /// Whether the audit event has the answer: of operations that make credentials, whose later
    /// use has no other trace of who asked for them, and of pushes. Secrets are left out.
    pub(crate) audits_answer: bool,
    /// What the audit event's parameters say beside the input: what the caller brought into it.
    pub(crate) audits_caller: Option<AuditsCaller>,
    /// Whether the operation only takes access away.
    pub(crate) revokes: Revokes,
    /// Whether it stores layers, which need the most space.
    pub(crate) stores_layers: bool,
    /// Whether it goes on in the read-only mode although it writes: it is what ends the mode.
    pub(crate) ends_read_only: bool,
}

/// The category of an audit event (CloudTrail, `eventCategory`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Category {
    /// Everything but pushes and pulls.
    Management,
    /// Pushes and pulls.
    Data,
}

/// Whether an operation only takes access away: such operations go on when the audit log cannot
/// take events of others, so that a full disk does not keep a leaked key alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Revokes {
    /// It may grant something.
    Never,
    /// It deletes a credential, a principal, a membership or a policy, or detaches one.
    Always,
    /// It deactivates a credential where the input says `Status=Inactive`.
    WhenInactive,
}

impl Columns {
    /// The columns of an operation that is not built: an action that no policy can name.
    pub(crate) const CLOSED: Columns =
        Columns::new(Service::Ecr, "ecr:-", AccessLevel::PermissionsManagement);

    pub(crate) const fn new(
        service: Service,
        action: &'static str,
        access: AccessLevel,
    ) -> Columns {
        Columns {
            rule: Rule {
                action,
                access,
                sessions: match service {
                    Service::Iam => SessionScope::IAM,
                    Service::Sts => SessionScope::STS,
                    _ => SessionScope::ANY,
                },
            },
            body_bytes_max: API_BODY_BYTES_MAX,
            read_only: matches!(access, AccessLevel::List | AccessLevel::Read),
            category: Category::Management,
            audits_answer: false,
            audits_caller: None,
            revokes: Revokes::Never,
            stores_layers: false,
            ends_read_only: false,
        }
    }

    /// What the operation does with these parameters: whether it goes on while something cannot be
    /// written depends on it.
    pub(crate) fn effect(&self, parameters: &serde_json::Value) -> Effect {
        let revokes = match self.revokes {
            Revokes::Never => false,
            Revokes::Always => true,
            Revokes::WhenInactive => parameters["status"] == "Inactive",
        };
        if revokes {
            Effect::Revokes
        } else if self.stores_layers {
            Effect::StoresLayers
        } else if self.read_only && !self.audits_answer {
            Effect::Reads
        } else {
            // Answers that are audited hold new credentials.
            Effect::Writes
        }
    }
}

/// Members of an event's `requestParameters` that follow from the caller.
pub(crate) type AuditsCaller = fn(&Caller) -> serde_json::Map<String, serde_json::Value>;

/// An operation's row.
pub(crate) struct Row {
    pub(crate) operation: Operation,
    pub(crate) columns: Columns,
    /// How the input proves the caller, of operations that take no signature.
    proves: Option<Proves>,
    run: Run,
    /// What the operation requires for this body, for the tests that ask the authorization step
    /// alone.
    #[cfg(test)]
    pub(crate) requirements: fn(&ApiBody) -> Result<Requirements, ApiError>,
}

/// Finds the caller by what the input holds: a token of an identity provider, a host's key. It verifies
/// and looks up; what the caller may do is the authorization step's to decide.
pub(crate) type Proves =
    for<'a> fn(
        &'a App,
        &'a Head,
        &'a ApiBody,
    ) -> Pin<Box<dyn Future<Output = Result<Arc<Caller>, ApiError>> + Send + 'a>>;

type Run = fn(Columns, Exchange) -> Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// An authenticated request of an AWS API.
pub(crate) struct Exchange {
    pub(crate) app: Arc<App>,
    pub(crate) context: RequestContext,
    pub(crate) body: ApiBody,
    /// The format of the answer.
    pub(crate) format: ResponseFormat,
}

/// A request's parameters, as the protocols carry them.
pub(crate) enum ApiBody {
    Json(Bytes),
    Query(Form),
    /// What stands outside the body, and the body.
    Rest(RestHead, Bytes),
}

/// The result of an operation.
pub(crate) struct Outcome {
    pub(crate) answer: Result<WireResponse, ApiError>,
    /// The input, for the audit event; null where it could not be read.
    pub(crate) parameters: serde_json::Value,
    /// The output, for the audit event, of operations whose row says so; null for others.
    pub(crate) elements: serde_json::Value,
    /// The ARN of the resource that was decided on, where it is one.
    pub(crate) resource: Option<Arc<str>>,
}

impl Row {
    pub(super) fn new(
        operation: Operation,
        columns: Columns,
        run: Run,
        #[cfg(test)] requirements: fn(&ApiBody) -> Result<Requirements, ApiError>,
    ) -> Row {
        Row {
            operation,
            columns,
            proves: None,
            run,
            #[cfg(test)]
            requirements,
        }
    }

    /// The caller, where the operation's input proves it; `None` for an operation that takes a signature.
    pub(crate) async fn caller_by_input(
        &self,
        app: &App,
        head: &Head,
        body: &ApiBody,
    ) -> Option<Result<Arc<Caller>, ApiError>> {
        let proves = self.proves?;
        Some(proves(app, head, body).await)
    }

    /// Whether the operation takes no signature: its input proves the caller.
    pub(crate) fn is_proved_by_input(&self) -> bool {
        self.proves.is_some()
    }

    /// Its input proves the caller, by `proves`; see [`by_input`].
    pub(super) fn proved_by_input(mut self, proves: Proves) -> Row {
        self.proves = Some(proves);
        self.columns.rule.sessions = SessionScope::BY_INPUT;
        self
    }

    /// Runs the operation.
    pub(crate) async fn run(&self, exchange: Exchange) -> Outcome {
        (self.run)(self.columns, exchange).await
    }

    /// Which credentials may call it, where that is not the service's rule.
    pub(super) fn sessions(mut self, sessions: SessionScope) -> Row {
        self.columns.rule.sessions = sessions;
        self
    }

    /// Its body's limit, where that is not [`API_BODY_BYTES_MAX`].
    pub(super) fn body(mut self, bytes_max: usize) -> Row {
        self.columns.body_bytes_max = bytes_max;
        self
    }

    /// It changes nothing, whatever its access level (the records of `AssumeRole` say
    /// `readOnly: true`; IAM User Guide, "Logging IAM and AWS STS API calls with AWS CloudTrail").
    pub(super) fn read_only(mut self) -> Row {
        self.columns.read_only = true;
        self
    }

    /// A push or a pull.
    pub(super) fn data(mut self) -> Row {
        self.columns.category = Category::Data;
        self
    }

    /// Its audit event shows what the caller brought, by `members`.
    pub(super) fn audits_caller(mut self, members: AuditsCaller) -> Row {
        self.columns.audits_caller = Some(members);
        self
    }

    /// Its audit event has the answer.
    pub(super) fn audits_answer(mut self) -> Row {
        self.columns.audits_answer = true;
        self
    }

    /// It stores layers.
    pub(super) fn stores_layers(mut self) -> Row {
        self.columns.stores_layers = true;
        self
    }

    /// It ends the read-only mode.
    pub(super) fn ends_read_only(mut self) -> Row {
        self.columns.ends_read_only = true;
        self
    }

    /// It only takes access away.
    pub(super) fn revokes(mut self, revokes: Revokes) -> Row {
        self.columns.revokes = revokes;
        self
    }
}

/// Builds a [`Row`] for one operation's types: decode, authorize, perform, encode.
macro_rules! row {
    ($service:ident, $op:ty, $action:expr, $access:ident, |$input:ident| $requirements:expr, |$app:ident, $ok:ident| $handle:block) => {
        $crate::ops::row::Row::new(
            <$op as aws_api::Op>::OPERATION,
            $crate::ops::row::Columns::new(
                aws_api::Service::$service,
                $action,
                aws_api::authorization::AccessLevel::$access,
            ),
            |columns, exchange| {
                $crate::boxed::boxed(|| $crate::ops::row::run::<$op, _, _, _>(
                    columns,
                    exchange,
                    |$input: &<$op as aws_api::Op>::Input| $requirements,
                    |$app: std::sync::Arc<$crate::app::App>,
                     $ok: $crate::authorize::Authorized<<$op as aws_api::Op>::Input>| async move $handle,
                ))
            },
            #[cfg(test)]
            |body| {
                let $input = &$crate::ops::row::decode::<$op>(body)?;
                Ok($requirements)
            },
        )
    };
}
pub(super) use row;

/// The [`Proves`] of an operation: decodes the input and calls
/// `async fn(&App, &Head, &Input) -> Result<Arc<Caller>, ApiError>`. The function computes only while it
/// holds a turn of [`App::admission`], and waits for nothing outside with one: whoever sends garbage must
/// delay no other address.
macro_rules! by_input {
    ($op:ty, $function:path) => {
        |app, head, body| {
            $crate::boxed::boxed(|| async move {
                let input = $crate::ops::row::decode::<$op>(body)?;
                $function(app, head, &input).await
            })
        }
    };
}
pub(super) use by_input;

pub(super) async fn run<O, G, H, F>(
    columns: Columns,
    exchange: Exchange,
    requirements: G,
    handle: H,
) -> Outcome
where
    O: Op,
    G: Fn(&O::Input) -> Requirements,
    H: FnOnce(Arc<App>, Authorized<O::Input>) -> F,
    F: Future<Output = Result<O::Output, ApiError>>,
{
    let Exchange {
        app,
        context,
        body,
        format,
    } = exchange;
    let input = match decode::<O>(&body) {
        Ok(input) => input,
        Err(error) => {
            return Outcome {
                answer: Err(error),
                parameters: serde_json::Value::Null,
                elements: serde_json::Value::Null,
                resource: None,
            };
        }
    };
    let request_id = Arc::clone(&context.request_id);
    let admission = admit(Asked {
        app: Arc::clone(&app),
        context,
        columns,
        operation: O::OPERATION,
        requirements: requirements(&input),
        supported: super::input_members::check::<O>(&input),
        parameters: aws_api::audit_json(&input),
    });
    let Admission {
        proof,
        parameters,
        resource,
    } = admission.await;
    let output = match proof {
        Ok(proof) => handle(app, proof.with_input(input)).await,
        Err(error) => Err(error),
    };
    let elements = match &output {
        Ok(output) if columns.audits_answer => crate::audit::trimmed(aws_api::audit_json(output)),
        _ => serde_json::Value::Null,
    };
    Outcome {
        answer: output.map(|output| aws_api::encode_response_as::<O>(&output, format, &request_id)),
        parameters,
        elements,
        resource,
    }
}

/// A request whose input was read, without the type of the input.
struct Asked {
    app: Arc<App>,
    context: RequestContext,
    columns: Columns,
    operation: Operation,
    requirements: Requirements,
    /// Whether all its parameters are supported.
    supported: Result<(), ApiError>,
    /// The input, as the audit event shows it.
    parameters: serde_json::Value,
}

/// Whether an operation goes on, and what its audit event says of the request.
struct Admission {
    proof: Result<Authorized<()>, ApiError>,
    parameters: serde_json::Value,
    resource: Option<Arc<str>>,
}

/// Everything that comes before an operation's own code. It knows no operation's types and is never inlined:
/// a copy in each operation made up a third of this crate's code.
#[inline(never)]
fn admit(asked: Asked) -> Pin<Box<dyn Future<Output = Admission> + Send>> {
    boxed(|| async move {
        let mut asked = asked;
        if let (Some(members), Some(shown)) = (
            asked.columns.audits_caller,
            asked.parameters.as_object_mut(),
        ) {
            shown.extend(members(&asked.context.caller));
        }
        let parameters = crate::audit::trimmed(std::mem::take(&mut asked.parameters));
        let mut resource = None;
        let proof = decide(asked, &parameters, &mut resource).await;
        Admission {
            proof,
            parameters,
            resource,
        }
    })
}

async fn decide(
    asked: Asked,
    parameters: &serde_json::Value,
    resource: &mut Option<Arc<str>>,
) -> Result<Authorized<()>, ApiError> {
    let (app, context, columns) = (&asked.app, asked.context, &asked.columns);
    if let Operation::Ecr(operation) = asked.operation {
        rates::check(app, context.caller.account, operation, context.now).await?;
    }
    let rule = &columns.rule;
    let ok = authorize::authorize(app, context, rule, &asked.requirements, ()).await?;
    // After the decision: a caller who may not call the operation gets AccessDenied, as at AWS.
    asked.supported?;
    if !columns.read_only && !columns.ends_read_only {
        read_only::check(app, ok.record().map(|record| &**record)).await?;
    }
    let arn = &ok.resource().arn;
    *resource = (&**arn != "*").then(|| Arc::clone(arn));
    writable::check(app, columns.effect(parameters)).await?;
    Ok(ok)
}

pub(super) fn decode<O: Op>(body: &ApiBody) -> Result<O::Input, ApiError> {
    let decoded = match body {
        ApiBody::Json(bytes) => aws_api::decode_request::<O>(bytes),
        ApiBody::Query(form) => aws_api::decode_form::<O>(form),
        ApiBody::Rest(head, body) => aws_api::decode_rest::<O>(head, body),
    };
    decoded.map_err(|error| ApiError::Wire(error.wire()))
}
