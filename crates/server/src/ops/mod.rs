//! The tables: for every operation that is built, its action, what it needs, and who does it.
//!
//! One line an operation. The line's needs go to the authorization step; what the authorization step gives back is what the domain
//! function's call is made from. `docs/api-coverage.md` is made from these lines too.

mod composite;
mod ecr;
mod iam;
pub(crate) mod input_members;
pub(crate) mod oci;
mod sts;

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use aws_api::{Form, Op, Operation, WireResponse};
use bytes::Bytes;

use crate::app::App;
use crate::authorize::{self, Authorized, RequestContext};
use crate::error::ApiError;
use crate::permissions::Requirements;

/// An operation's line.
pub(crate) struct Entry {
    pub(crate) operation: Operation,
    /// Its IAM action.
    pub(crate) action: &'static str,
    run: Run,
    /// What the operation would need for this body, for the tests that ask the authorization step alone.
    #[cfg(test)]
    pub(crate) needs: fn(&ApiBody) -> Result<Requirements, ApiError>,
}

type Run = fn(Exchange) -> Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// An authenticated request of an AWS API.
pub(crate) struct Exchange {
    pub(crate) app: Arc<App>,
    pub(crate) subject: RequestContext,
    pub(crate) body: ApiBody,
}

/// A request's parameters, as the two protocols bring them.
pub(crate) enum ApiBody {
    Json(Bytes),
    Query(Form),
}

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) answer: Result<WireResponse, ApiError>,
    /// The input, for the audit event; null where it could not be read.
    pub(crate) parameters: serde_json::Value,
    /// The output, for the audit event, of [`HANDS_OUT_CREDENTIALS`]; null for others.
    pub(crate) elements: serde_json::Value,
}

impl Entry {
    pub(crate) async fn run(&self, exchange: Exchange) -> Outcome {
        (self.run)(exchange).await
    }
}

/// Builds an [`Entry`]: decode, authorize, do, encode, for one operation's types.
macro_rules! entry {
    ($op:ty, $action:expr, |$input:ident| $needs:expr, |$app:ident, $ok:ident| $done:block) => {
        $crate::ops::Entry {
            operation: <$op as aws_api::Op>::OPERATION,
            action: $action,
            run: |exchange| {
                Box::pin($crate::ops::run::<$op, _, _, _>(
                    exchange,
                    $action,
                    |$input: &<$op as aws_api::Op>::Input| $needs,
                    |$app: std::sync::Arc<$crate::app::App>,
                     $ok: $crate::authorize::Authorized<<$op as aws_api::Op>::Input>| async move $done,
                ))
            },
            #[cfg(test)]
            needs: |body| {
                let $input = &$crate::ops::decode::<$op>(body)?;
                Ok($needs)
            },
        }
    };
}
use entry;

/// Operations whose event names the key that they made: what is done with it later carries no other trace
/// of who asked for it. The model marks the secrets, which stay out.
const HANDS_OUT_CREDENTIALS: [&str; 4] = [
    "AssumeRole",
    "CreateAccessKey",
    "GetFederationToken",
    "GetSessionToken",
];

async fn run<O, G, H, F>(exchange: Exchange, action: &'static str, needs: G, handle: H) -> Outcome
where
    O: Op,
    G: Fn(&O::Input) -> Requirements,
    H: FnOnce(Arc<App>, Authorized<O::Input>) -> F,
    F: Future<Output = Result<O::Output, ApiError>>,
{
    let Exchange { app, subject, body } = exchange;
    let input = match decode::<O>(&body) {
        Ok(input) => input,
        Err(fail) => {
            return Outcome {
                answer: Err(fail),
                parameters: serde_json::Value::Null,
                elements: serde_json::Value::Null,
            };
        }
    };
    let parameters = crate::audit::trimmed(aws_api::audit_json(&input));
    let request_id = Arc::clone(&subject.request_id);
    let mut elements = serde_json::Value::Null;
    let answer = async {
        let (service, name) = (O::OPERATION.service(), O::NAME);
        subject.caller.check_session_scope(service, name)?;
        input_members::check::<O>(&input)?;
        let needs = needs(&input);
        let ok = authorize::authorize(&app, subject, action, needs, input).await?;
        let output = handle(Arc::clone(&app), ok).await?;
        if HANDS_OUT_CREDENTIALS.contains(&O::NAME) {
            elements = crate::audit::trimmed(aws_api::audit_json(&output));
        }
        Ok(aws_api::encode_response::<O>(&output, &request_id))
    };
    let answer = answer.await;
    Outcome {
        answer,
        parameters,
        elements,
    }
}

fn decode<O: Op>(body: &ApiBody) -> Result<O::Input, ApiError> {
    let decoded = match body {
        ApiBody::Json(bytes) => aws_api::decode_request::<O>(bytes),
        ApiBody::Query(form) => aws_api::decode_form::<O>(form),
    };
    decoded.map_err(|error| ApiError::Wire(error.wire()))
}

/// All operations that are built, by operation.
pub(crate) fn table() -> HashMap<Operation, Entry> {
    let all = [ecr::table(), iam::table(), sts::table()];
    let entries = all.into_iter().flatten();
    entries.map(|entry| (entry.operation, entry)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_an_operation_of_its_own_with_its_own_action() {
        let lines = ecr::table().len() + iam::table().len() + sts::table().len();
        let table = table();
        assert_eq!(
            table.len(),
            lines,
            "an operation stands in the tables twice"
        );
        for (operation, entry) in &table {
            let service = operation.service().signing_name();
            assert_eq!(entry.action, format!("{service}:{}", operation.name()));
        }
    }
}
