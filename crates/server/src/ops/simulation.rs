//! `SimulateRequest`: a simulated decision with its trace, which shows the statements of stored policies to those
//! alone who may read the policies where they are.

use authz::{RequestContext, Requirements, ResourceSelector, require};
use aws_api::berth::{
    ComparedElement, Decision, SimulateRequestRequest, SimulateRequestResponse, SimulatedPolicy,
    SimulatedStatement,
};
use identity::proposals::Place;
use identity::{TracedPolicy, TracedStatement};
use policy::{Effect, StatementEffect};

use super::insight::{compared_element, lacks, named};
use crate::app::App;
use crate::authorize::Authorized;
use crate::error::ApiError;

/// Bytes of a trace. Statements beyond are left out, except for those that decided or came nearest.
const TRACE_BYTES_MAX: usize = 1024 * 1024;

/// The operation needs what IAM's own simulator needs.
pub(super) fn requires(input: &SimulateRequestRequest) -> Requirements {
    let own = require(ResourceSelector::Any);
    match &input.policy_source_arn {
        Some(source) => own.and(
            "iam:SimulatePrincipalPolicy",
            ResourceSelector::Text(source.clone()),
        ),
        None => own.and("iam:SimulateCustomPolicy", ResourceSelector::Any),
    }
}

pub(super) async fn simulate_request(
    app: &App,
    ok: Authorized<SimulateRequestRequest>,
) -> Result<SimulateRequestResponse, ApiError> {
    let context = ok.context().clone();
    let (proof, input) = ok.into_parts();
    let trace = app.identity.simulate_request(&proof, input).await?;
    let mut room = TRACE_BYTES_MAX;
    let mut is_truncated = false;
    let mut policies = Vec::new();
    for traced in trace.policies {
        let lacks = required(app, &context, &traced).await?;
        let (policy, left_out) = shown(traced, lacks, &mut room);
        is_truncated |= left_out;
        policies.push(policy);
    }
    Ok(SimulateRequestResponse {
        decision: match trace.effect {
            Effect::Allowed => Decision::Allowed,
            Effect::ExplicitlyDenied => Decision::ExplicitlyDenied,
            Effect::ImplicitlyDenied => Decision::ImplicitlyDenied,
        },
        policy_type: trace.policy_type.to_owned(),
        summary: trace.summary,
        policies,
        notes: (!trace.notes.is_empty()).then_some(trace.notes),
        is_truncated: is_truncated.then_some(true),
    })
}

async fn required(
    app: &App,
    context: &RequestContext,
    policy: &TracedPolicy,
) -> Result<Option<&'static str>, ApiError> {
    match &policy.place {
        Some(place) => lacks(app, context, place).await,
        None => Ok(None),
    }
}

/// A policy as it is answered, and whether a statement of it was left out.
fn shown(
    policy: TracedPolicy,
    lacks: Option<&'static str>,
    room: &mut usize,
) -> (SimulatedPolicy, bool) {
    let (policy_arn, policy_name) = match &policy.place {
        Some(place) => named(place),
        None => (None, Some(policy.name)),
    };
    let holder_name = match policy.place {
        Some(Place::User(holder, _) | Place::Group(holder, _) | Place::Role(holder, _)) => {
            Some(holder)
        }
        _ => None,
    };
    let mut statements = Vec::new();
    let mut left_out = false;
    for traced in policy.statements {
        if lacks.is_some() {
            continue;
        }
        let bytes = bytes(&traced);
        if bytes > *room && !traced.is_decisive && !traced.is_nearest {
            left_out = true;
            continue;
        }
        *room = room.saturating_sub(bytes);
        statements.push(statement(traced));
    }
    let policy = SimulatedPolicy {
        policy_type: policy.policy_type.to_owned(),
        policy_arn,
        policy_name,
        holder_name,
        required_action: lacks.map(str::to_owned),
        statements,
    };
    (policy, left_out)
}

fn bytes(statement: &TracedStatement) -> usize {
    let elements = statement.trace.elements.iter().map(|element| {
        let wanted = element.wanted.iter().map(String::len);
        let saw = element.saw.iter().flatten().map(|value| value.len());
        let notes = element.notes.iter().map(String::len);
        element.element.len() + wanted.chain(saw).chain(notes).sum::<usize>()
    });
    elements.sum()
}

fn statement(traced: TracedStatement) -> SimulatedStatement {
    let trace = traced.trace;
    let elements: Vec<ComparedElement> = trace.elements.into_iter().map(compared_element).collect();
    SimulatedStatement {
        statement_id: trace.sid.filter(|sid| !sid.is_empty()),
        statement_index: i64::try_from(trace.index).unwrap_or(i64::MAX),
        line: i64::from(trace.position.line),
        effect: match trace.effect {
            StatementEffect::Allow => "Allow",
            StatementEffect::Deny => "Deny",
        }
        .to_owned(),
        is_match: trace.applies,
        is_decisive: traced.is_decisive,
        is_nearest: traced.is_nearest,
        elements,
    }
}
