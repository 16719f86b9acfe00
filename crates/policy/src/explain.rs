//! Explains a decision: every statement of every policy, element by element, with the values that it
//! was compared with; for an implicit denial also which policy types do not allow the request, and
//! what would. Explanations favor detail over speed; [`decide`] does not pay for them.

mod missing;
mod notes;
mod remedy;
mod text;
mod trace;

use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::case_fold::LowerCase;
use crate::compiled::Grant;
use crate::decide::{ApplicablePolicies, Decision, Effect, Evaluation, Reason, Request, decide};
use crate::document::StatementEffect;
use crate::json::Position;
use crate::policy_set::PolicyRef;

/// A decision with its full trace. `Display` is for people, serde for programs.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// The outcome.
    pub effect: Effect,
    /// The policy type that decided or was silent.
    pub reason: Reason,
    /// The same in one sentence.
    pub sentence: String,
    /// What was asked.
    pub request: RequestTrace,
    /// AWS's words for the denial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The statement that decided, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<StatementPlace>,
    /// For an implicit denial: each policy type that would have to allow the request and does
    /// not; the first of them is the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Missing>,
    /// Facts that are easily overlooked: policies that were given and do not apply, calls that policies
    /// alone do not decide.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Each policy that took part.
    pub policies: Vec<PolicyTrace>,
}

/// The request, as policies see it.
#[derive(Clone, Debug, Serialize)]
pub struct RequestTrace {
    /// The caller: an ARN, a service, or `anonymous`.
    pub principal: String,
    /// The role of a session, the user behind a federated user: policies may name it instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The action as written.
    pub action: String,
    /// The resource as written.
    pub resource: String,
    /// Principal and resource belong to different accounts, so both sides must allow.
    pub cross_account: bool,
}

/// One policy.
#[derive(Clone, Debug, Serialize)]
pub struct PolicyTrace {
    /// The policy type.
    pub party: Reason,
    /// The policy.
    pub policy: PolicyRef,
    /// Its statements, in their order.
    pub statements: Vec<StatementTrace>,
}

/// One statement.
#[derive(Clone, Debug, Serialize)]
pub struct StatementTrace {
    /// Its place in the policy, from 0.
    pub index: usize,
    /// Its `Sid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// What it does when it applies.
    pub effect: StatementEffect,
    /// Whether all of its elements matched.
    pub applies: bool,
    /// How an applying statement with a `Principal` names the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
    /// Line and column of the statement in its document.
    pub position: Position,
    /// Its elements: `Principal`, `Action`, `Resource`, and one for each condition key.
    pub elements: Vec<ElementTrace>,
}

/// One element.
#[derive(Clone, Debug, Serialize)]
pub struct ElementTrace {
    /// `Action`, `NotResource`, `Condition StringEquals aws:username`, ...
    pub element: String,
    /// Whether the request matches it.
    pub matched: bool,
    /// What the policy says.
    pub wanted: Vec<String>,
    /// What the request holds; `None` for a key that the request lacks. Shared with the request, because
    /// each statement may look at the same large value; of a list with very many values the first ones.
    #[serde(serialize_with = "texts")]
    pub saw: Option<Vec<Arc<str>>>,
    /// Facts that are easily overlooked: a variable without a value, a field that differs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A statement by its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatementPlace {
    /// The policy it stands in.
    pub policy: PolicyRef,
    /// Its place there, from 0.
    pub index: usize,
    /// Its `Sid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

/// A policy type that would have to allow the request.
#[derive(Clone, Debug, Serialize)]
pub struct Missing {
    /// Which.
    pub party: Reason,
    /// Of control policies: which level, from 1, and how many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<(usize, usize)>,
    /// The statement that came nearest, if any statement allows anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<Nearest>,
    /// What would allow the request, in a sentence.
    pub remedy: String,
}

/// The statement that came nearest to allowing the request, and what did not match.
#[derive(Clone, Debug, Serialize)]
pub struct Nearest {
    /// Where it stands.
    #[serde(flatten)]
    pub statement: StatementPlace,
    /// The elements that did not match.
    pub elements: Vec<ElementTrace>,
}

fn texts<S: Serializer>(values: &Option<Vec<Arc<str>>>, to: S) -> Result<S::Ok, S::Error> {
    match values {
        Some(values) => to.collect_seq(values.iter().map(|value| &**value)),
        None => to.serialize_none(),
    }
}

/// Decides a request and explains the decision.
pub fn explain(request: &Request<'_>, applicable: &ApplicablePolicies<'_>) -> Explanation {
    let decision = decide(request, applicable);
    let action = LowerCase::new(request.action);
    let evaluation = Evaluation::new(request, action.as_str(), applicable);
    let mut policies = Vec::new();
    for (party, set) in evaluation.parties() {
        trace::set(party, set, &evaluation.cx, request, &mut policies);
    }
    let missing = match decision.effect {
        Effect::ImplicitlyDenied => missing::all(&evaluation, request),
        Effect::Allowed | Effect::ExplicitlyDenied => Vec::new(),
    };
    let principal = request.principal;
    Explanation {
        effect: decision.effect,
        reason: decision.reason,
        sentence: sentence(&decision, &evaluation, request),
        request: RequestTrace {
            principal: principal.arn().to_owned(),
            issuer: principal.issuer_arn().map(str::to_owned),
            action: request.action.to_owned(),
            resource: request.resource.to_owned(),
            cross_account: evaluation.is_cross_account(),
        },
        message: (!decision.is_allowed())
            .then(|| decision.denial_message(principal.arn(), request.action, request.resource)),
        decided_by: decision.statement.map(|statement| StatementPlace {
            policy: statement.policy.clone(),
            index: statement.index,
            sid: statement.sid.map(str::to_owned),
        }),
        missing,
        notes: notes::all(&evaluation),
        policies,
    }
}

impl Explanation {
    /// The statements that the decision rests on: the Denies of an explicit denial, the
    /// Allows of an allowed request. None for an implicit denial and for actions that need no
    /// permission.
    pub fn deciding(&self) -> impl Iterator<Item = (&PolicyTrace, &StatementTrace)> {
        let effect = match (self.effect, self.reason) {
            (_, Reason::NoPermissionNeeded) | (Effect::ImplicitlyDenied, _) => None,
            (Effect::Allowed, _) => Some(StatementEffect::Allow),
            (Effect::ExplicitlyDenied, _) => Some(StatementEffect::Deny),
        };
        self.policies.iter().flat_map(move |policy| {
            policy
                .statements
                .iter()
                .filter(move |statement| statement.applies && Some(statement.effect) == effect)
                .map(move |statement| (policy, statement))
        })
    }
}

fn sentence(
    decision: &Decision<'_>,
    evaluation: &Evaluation<'_, '_>,
    request: &Request<'_>,
) -> String {
    let action = request.action;
    let reason = decision.reason.name();
    let place = decision.statement.map(|statement| {
        let sid = statement.sid.filter(|sid| !sid.is_empty());
        let name = match sid {
            Some(sid) => format!("`{sid}`"),
            None => format!("{}", statement.index),
        };
        format!("statement {name} of {}", statement.policy.name)
    });
    match (decision.effect, decision.reason, place) {
        (Effect::Allowed, Reason::NoPermissionNeeded, _) => {
            format!("{action} needs no permission.")
        }
        (Effect::Allowed, Reason::RootUser, _) => {
            "The root user has every permission in its account.".into()
        }
        (Effect::ImplicitlyDenied, Reason::RootUser, _) => {
            "The root user cannot assume a role.".into()
        }
        (Effect::Allowed, _, Some(place)) if evaluation.is_cross_account() => format!(
            "Allowed by both accounts: the principal's own, and the resource's by the {reason} \
             ({place} allows {action})."
        ),
        (Effect::Allowed, _, Some(place)) => {
            format!("Allowed by the {reason}: {place} allows {action}.")
        }
        (Effect::ExplicitlyDenied, _, Some(place)) => {
            format!("Explicit deny in the {reason}: {place} denies {action}.")
        }
        _ => format!("No {reason} allows the {action} action."),
    }
}
