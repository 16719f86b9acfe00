//! `SimulateRequest` of the service `berth`: one simulated decision with every statement that took part, element
//! by element.
//!
//! It takes what IAM's simulator takes, for one action and one resource, so that the trace has one bound.

use std::collections::BTreeMap;

use aws_api::berth::{self, SimulateRequestRequest};
use aws_api::iam::{
    ContextEntry, ContextKeyTypeEnum, ErrorCode, SimulateCustomPolicyRequest,
    SimulatePrincipalPolicyRequest,
};
use policy::{
    ApplicablePolicies, Document, DocumentKind, Effect, Explanation, PolicyRef, PolicySet,
    PolicyTrace, Reason, Request, StatementTrace, explain,
};

use super::evaluation::{Simulation, acts_on};
use crate::denial_notes::policy_type;
use crate::policy_cache::Named;
use crate::proposals::Place;
use crate::{Authorized, Error, Identity};

/// A simulated decision, and what each statement says.
#[derive(Clone, Debug)]
pub struct SimulationTrace {
    /// The decision.
    pub effect: Effect,
    /// The policy type that decided, or that was silent.
    pub policy_type: &'static str,
    /// The decision in a sentence.
    pub summary: String,
    /// What is easily overlooked.
    pub notes: Vec<String>,
    /// Each policy that took part, in the order of evaluation.
    pub policies: Vec<TracedPolicy>,
}

/// One policy.
#[derive(Clone, Debug)]
pub struct TracedPolicy {
    /// Its type, in the words of the IAM User Guide.
    pub policy_type: &'static str,
    /// Where it is; `None` for a policy of the request, which the caller knows.
    pub place: Option<Place>,
    /// Its name in IAM's simulator.
    pub name: String,
    /// Its statements.
    pub statements: Vec<TracedStatement>,
}

/// One statement.
#[derive(Clone, Debug)]
pub struct TracedStatement {
    /// Its elements.
    pub trace: StatementTrace,
    /// Whether the decision names it.
    pub is_decisive: bool,
    /// Whether it came nearest to allowing the request, of a policy type that does not.
    pub is_nearest: bool,
}

/// The order of evaluation (UG reference_policies_evaluation-logic_policy-eval-denyallow).
const ORDER: [Reason; 7] = [
    Reason::ResourceControl,
    Reason::ServiceControl,
    Reason::Trust,
    Reason::Resource,
    Reason::Identity,
    Reason::PermissionsBoundary,
    Reason::Session,
];

impl Identity {
    /// `SimulateRequest`: decides a request that nobody makes, and shows how each statement compares with it.
    ///
    /// # Errors
    /// `InvalidParameterException`.
    pub async fn simulate_request(
        &self,
        cx: &Authorized,
        input: SimulateRequestRequest,
    ) -> Result<SimulationTrace, Error> {
        let simulation = match input.policy_source_arn.clone() {
            Some(source) => {
                let input = of_principal(input, source);
                self.principal_simulation(cx, input).await
            }
            None => self.custom_simulation(cx, custom(input)).await,
        };
        let simulation = simulation.map_err(of_berth)?;
        self.compute(move || simulation.trace()).await?
    }
}

/// IAM's refusals in the words of the service's own model.
fn of_berth(error: Error) -> Error {
    let of_input = [ErrorCode::InvalidInput, ErrorCode::NoSuchEntity];
    match of_input.iter().any(|code| error.is(*code)) {
        true => Error::new(berth::ErrorCode::InvalidParameter, error.to_string()),
        false => error,
    }
}

fn of_principal(input: SimulateRequestRequest, source: String) -> SimulatePrincipalPolicyRequest {
    SimulatePrincipalPolicyRequest {
        policy_source_arn: source,
        policy_input_list: input.policy_inputs,
        permissions_boundary_policy_input_list: input.permissions_boundary.map(|one| vec![one]),
        action_names: vec![input.action],
        resource_arns: Some(vec![input.resource_arn]),
        resource_policy: input.resource_policy,
        resource_owner: input.resource_owner.map(owner_arn),
        caller_arn: input.caller_arn,
        context_entries: input.context_entries.map(entries),
        ..Default::default()
    }
}

fn custom(input: SimulateRequestRequest) -> SimulateCustomPolicyRequest {
    SimulateCustomPolicyRequest {
        policy_input_list: input.policy_inputs.unwrap_or_default(),
        permissions_boundary_policy_input_list: input.permissions_boundary.map(|one| vec![one]),
        action_names: vec![input.action],
        resource_arns: Some(vec![input.resource_arn]),
        resource_policy: input.resource_policy,
        resource_owner: input.resource_owner.map(owner_arn),
        caller_arn: input.caller_arn,
        context_entries: input.context_entries.map(entries),
        ..Default::default()
    }
}

/// IAM's operations take the owner in this form.
fn owner_arn(account: String) -> String {
    format!("arn:aws:iam::{account}:root")
}

fn entries(given: Vec<berth::SimulatedContextEntry>) -> Vec<ContextEntry> {
    let entries = given.into_iter().map(|entry| ContextEntry {
        context_key_name: Some(entry.context_key_name),
        context_key_type: Some(match entry.is_multivalued {
            Some(true) => ContextKeyTypeEnum::StringList,
            _ => ContextKeyTypeEnum::String,
        }),
        context_key_values: Some(entry.context_key_values),
    });
    entries.collect()
}

impl Simulation {
    /// Decides the one action on the one resource.
    fn trace(self) -> Result<SimulationTrace, Error> {
        let action = self.actions.first().map_or("", String::as_str);
        let resource = self.resources.first().map_or("*", String::as_str);
        let set = |documents: &[Named]| PolicySet::union(documents.iter().cloned());
        let identity = set(&self.identity);
        let boundary = self.boundary.as_deref().map(set);
        let resource_policy = self.resource_policy.as_ref();
        let resource_policy =
            resource_policy.map(|policy| set(std::slice::from_ref(&policy.pinned)));
        let account = self.resource_account.as_deref();
        let request = Request {
            principal: &self.principal,
            action,
            resource,
            resource_account: account.map(|owner| owner.split(':').nth(4).unwrap_or(owner)),
            context: &self.context,
        };
        let applicable = ApplicablePolicies {
            identity: Some(&identity),
            boundary: boundary.as_ref(),
            resource: resource_policy.as_ref(),
            ..self.organization()
        };
        let explanation = explain(&request, &applicable);
        let mut traced = SimulationTrace {
            effect: explanation.effect,
            policy_type: policy_type(explanation.reason),
            summary: explanation.sentence.clone(),
            notes: explanation.notes.clone(),
            policies: self.traced(explanation)?,
        };
        if !acts_on(action, resource) {
            // As in IAM's simulator.
            traced.effect = Effect::ImplicitlyDenied;
            traced.policy_type = policy_type(Reason::Identity);
            traced.summary = format!(
                "{action} does not act on resources of this type, so no statement allows it there."
            );
        }
        Ok(traced)
    }

    fn traced(&self, explanation: Explanation) -> Result<Vec<TracedPolicy>, Error> {
        let decisive = explanation.decided_by;
        let nearest: Vec<_> = explanation
            .missing
            .into_iter()
            .filter_map(|missing| Some((missing.party, missing.nearest?.statement)))
            .collect();
        let mut by_party: BTreeMap<usize, Vec<TracedPolicy>> = BTreeMap::new();
        for PolicyTrace {
            party,
            policy,
            statements,
        } in explanation.policies
        {
            let is = |place: &policy::StatementPlace, index| {
                place.policy == policy && place.index == index
            };
            let statements = statements.into_iter().map(|trace| TracedStatement {
                is_decisive: explanation.reason == party
                    && decisive
                        .as_ref()
                        .is_some_and(|place| is(place, trace.index)),
                is_nearest: nearest
                    .iter()
                    .any(|(of, place)| *of == party && is(place, trace.index)),
                trace,
            });
            let mut traced = TracedPolicy {
                policy_type: policy_type(party),
                place: self.place(&policy, party),
                name: policy.name.to_string(),
                statements: statements.collect(),
            };
            if policy.kind == DocumentKind::Resource {
                self.as_given(&mut traced.statements)?;
            }
            let rank = ORDER.iter().position(|one| *one == party);
            let rank = rank.unwrap_or(ORDER.len());
            by_party.entry(rank).or_default().push(traced);
        }
        Ok(by_party.into_values().flatten().collect())
    }

    fn place(&self, policy: &PolicyRef, party: Reason) -> Option<Place> {
        if matches!(party, Reason::ServiceControl | Reason::ResourceControl) {
            return Some(Place::Organization(policy.name.to_string()));
        }
        let found = self.places.iter().find(|(name, _)| name == policy);
        found.map(|(_, place)| place.clone())
    }

    /// Shows the principals and the positions of the resource policy's text: what decides has the unique
    /// ids of users and roles in the place of their ARNs.
    fn as_given(&self, statements: &mut [TracedStatement]) -> Result<(), Error> {
        let Some(policy) = &self.resource_policy else {
            return Ok(());
        };
        let given = Document::parse_language(&policy.given, DocumentKind::Resource)?;
        for (statement, given) in statements.iter_mut().zip(given.statements()) {
            statement.trace.position = given.position;
            let Some(principal) = &given.principal else {
                continue;
            };
            let elements = statement.trace.elements.iter_mut();
            for element in elements.filter(|element| element.element.ends_with("Principal")) {
                let texts = principal.entries.iter().map(|entry| &entry.text.value);
                element.wanted = texts.map(ToString::to_string).collect();
            }
        }
        Ok(())
    }
}
