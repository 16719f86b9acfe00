//! Why a request was decided as it was: every statement that took part, element by
//! element, with the value it saw. Costs what it costs; the plain decision pays nothing.

use std::fmt;

use serde::Serialize;

use crate::compiled::{Ask, Compiled};
use crate::decide::{Authority, Case, Decision, Effect, Reason, Request, decide};
use crate::document::{ConditionEntry, Element, PrincipalElement, StatementEffect};
use crate::fold::Folded;
use crate::json::Position;
use crate::set::{PolicyRef, PolicySet};

/// A decision with its full trace. `Display` is for people, serde for programs.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// The outcome.
    pub effect: Effect,
    /// The policy type that decided or was silent.
    pub reason: Reason,
    /// The same in one sentence.
    pub sentence: String,
    /// Each policy that took part.
    pub policies: Vec<PolicyTrace>,
    /// For an implicit denial: the statement of the silent policy type that came nearest
    /// to allowing the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<Nearest>,
}

/// One policy's part.
#[derive(Clone, Debug, Serialize)]
pub struct PolicyTrace {
    /// In which role it took part.
    pub party: Reason,
    /// The policy.
    pub policy: PolicyRef,
    /// Its statements, in their order.
    pub statements: Vec<StatementTrace>,
}

/// One statement's part.
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
    /// Line and column of the statement in its document.
    pub position: Position,
    /// Its elements: `Principal`, `Action`, `Resource`, and one for each condition key.
    pub elements: Vec<ElementTrace>,
}

/// One element's part.
#[derive(Clone, Debug, Serialize)]
pub struct ElementTrace {
    /// `Action`, `NotResource`, `Condition StringEquals aws:username`, ...
    pub element: String,
    /// Whether the request fits it.
    pub matched: bool,
    /// What the policy says.
    pub wanted: Vec<String>,
    /// What the request holds; `None` for a key that the request lacks.
    pub saw: Option<Vec<String>>,
}

/// The statement that came nearest to allowing, and what was missing.
#[derive(Clone, Debug, Serialize)]
pub struct Nearest {
    /// The policy it stands in.
    pub policy: PolicyRef,
    /// The statement's place there.
    pub index: usize,
    /// Its `Sid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The elements that did not match.
    pub missing: Vec<ElementTrace>,
}

/// Decides a request and tells why.
pub fn explain(request: &Request<'_>, authority: &Authority<'_>) -> Explanation {
    let decision = decide(request, authority);
    let folded = Folded::new(request.action);
    let case = Case::new(request, folded.as_str(), authority);
    let mut policies = Vec::new();
    for (party, set) in case.parties() {
        trace_set(party, set, &case.ask, request, &mut policies);
    }
    let nearest = match decision.effect {
        Effect::ImplicitlyDenied => nearest(&policies, decision.reason),
        Effect::Allowed | Effect::ExplicitlyDenied => None,
    };
    Explanation {
        effect: decision.effect,
        reason: decision.reason,
        sentence: sentence(&decision, request),
        policies,
        nearest,
    }
}

impl Explanation {
    /// The statements that the decision rests on: the Denies of an explicit denial, the
    /// Allows of an allowed request; none for an implicit denial.
    pub fn deciding(&self) -> impl Iterator<Item = (&PolicyTrace, &StatementTrace)> {
        let effect = match self.effect {
            Effect::Allowed => Some(StatementEffect::Allow),
            Effect::ExplicitlyDenied => Some(StatementEffect::Deny),
            Effect::ImplicitlyDenied => None,
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

fn sentence(decision: &Decision<'_>, request: &Request<'_>) -> String {
    let action = request.action;
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
        (Effect::Allowed, reason, Some(place)) => {
            format!("Allowed by the {}: {place} allows {action}.", reason.name())
        }
        (Effect::ExplicitlyDenied, reason, Some(place)) => {
            format!(
                "Explicit deny in the {}: {place} denies {action}.",
                reason.name()
            )
        }
        (_, reason, _) => format!("No {} allows the {action} action.", reason.name()),
    }
}

fn trace_set(
    party: Reason,
    set: &PolicySet,
    ask: &Ask<'_>,
    request: &Request<'_>,
    policies: &mut Vec<PolicyTrace>,
) {
    let first = policies.len();
    policies.extend(set.policies().iter().map(|policy| PolicyTrace {
        party,
        policy: policy.clone(),
        statements: Vec::new(),
    }));
    for statement in set.statements() {
        let trace = trace(statement, ask, request);
        policies[first + statement.policy].statements.push(trace);
    }
}

fn trace(statement: &Compiled, ask: &Ask<'_>, request: &Request<'_>) -> StatementTrace {
    let source = &statement.source;
    let mut elements = Vec::new();
    if let Some(element) = &source.principal {
        elements.push(ElementTrace {
            element: if element.not {
                "NotPrincipal"
            } else {
                "Principal"
            }
            .into(),
            matched: statement.matches_principal(ask).is_some(),
            wanted: principals(element),
            saw: Some(vec![ask.principal.arn().into()]),
        });
    }
    let matched = statement.matches_action(ask);
    elements.push(listed("Action", &source.action, matched, request.action));
    if let Some(element) = &source.resource {
        let matched = statement.matches_resource(ask);
        elements.push(listed("Resource", element, matched, request.resource));
    }
    for (condition, entry) in statement.conditions.iter().zip(&source.conditions) {
        elements.push(condition_trace(entry, condition.holds(ask.context), ask));
    }
    StatementTrace {
        index: statement.index,
        sid: source.sid.as_ref().map(|sid| sid.value.to_string()),
        effect: source.effect,
        applies: elements.iter().all(|element| element.matched),
        position: source.position,
        elements,
    }
}

fn listed(name: &str, element: &Element, matched: bool, saw: &str) -> ElementTrace {
    let not = if element.not { "Not" } else { "" };
    ElementTrace {
        element: format!("{not}{name}"),
        matched,
        wanted: element
            .values
            .iter()
            .map(|text| text.value.to_string())
            .collect(),
        saw: Some(vec![saw.into()]),
    }
}

fn principals(element: &PrincipalElement) -> Vec<String> {
    let texts = element.entries.iter().map(|entry| &entry.text.value);
    texts.map(ToString::to_string).collect()
}

fn condition_trace(entry: &ConditionEntry, matched: bool, ask: &Ask<'_>) -> ElementTrace {
    let value = ask.context.get(&entry.key.value);
    ElementTrace {
        element: format!("Condition {} {}", entry.operator.value, entry.key.value),
        matched,
        wanted: entry
            .values
            .iter()
            .map(|text| text.value.to_string())
            .collect(),
        saw: value.map(|value| value.values().iter().map(ToString::to_string).collect()),
    }
}

/// Of the silent party's Allows, the one with the fewest elements that did not match; of
/// equals, the one whose action fits.
fn nearest(policies: &[PolicyTrace], silent: Reason) -> Option<Nearest> {
    policies
        .iter()
        .filter(|policy| policy.party == silent)
        .flat_map(|policy| {
            policy
                .statements
                .iter()
                .map(move |statement| (policy, statement))
        })
        .filter(|(_, statement)| statement.effect == StatementEffect::Allow && !statement.applies)
        .min_by_key(|(_, statement)| {
            let missing = statement.elements.iter().filter(|element| !element.matched);
            let action = missing
                .clone()
                .any(|element| element.element.ends_with("Action"));
            (missing.count(), action)
        })
        .map(|(policy, statement)| Nearest {
            policy: policy.policy.clone(),
            index: statement.index,
            sid: statement.sid.clone(),
            missing: statement
                .elements
                .iter()
                .filter(|element| !element.matched)
                .cloned()
                .collect(),
        })
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}: {}", self.effect, self.sentence)?;
        if let Some(nearest) = &self.nearest {
            let name = statement_name(nearest.index, nearest.sid.as_deref());
            writeln!(f, "nearest: {name} of {}, but", nearest.policy.name)?;
            for element in &nearest.missing {
                writeln!(f, "  {element}")?;
            }
        }
        for policy in &self.policies {
            writeln!(f, "{} {}", policy.party.name(), policy.policy.name)?;
            for statement in &policy.statements {
                let name = statement_name(statement.index, statement.sid.as_deref());
                let applies = if statement.applies {
                    "applies"
                } else {
                    "does not apply"
                };
                writeln!(f, "  {name} {:?}: {applies}", statement.effect)?;
                for element in &statement.elements {
                    writeln!(f, "    {element}")?;
                }
            }
        }
        Ok(())
    }
}

fn statement_name(index: usize, sid: Option<&str>) -> String {
    match sid {
        Some(sid) if !sid.is_empty() => format!("statement {index} `{sid}`"),
        _ => format!("statement {index}"),
    }
}

impl fmt::Display for ElementTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.matched { "yes" } else { "no " };
        let wanted = self.wanted.join(", ");
        match &self.saw {
            Some(saw) => write!(
                f,
                "{sign} {}: {wanted} (saw {})",
                self.element,
                saw.join(", ")
            ),
            None => write!(
                f,
                "{sign} {}: {wanted} (the request lacks the key)",
                self.element
            ),
        }
    }
}
