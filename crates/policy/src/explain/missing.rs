//! The policy types that would have to allow the request and do not.

use crate::compiled::Grant;
use crate::decide::{Evaluation, Reason, Request};
use crate::document::StatementEffect;
use crate::policy_set::PolicySet;

use super::remedy::remedy;
use super::trace;
use super::{ElementTrace, Missing, Nearest, StatementPlace, StatementTrace};

/// A policy type that does not allow the request; without a set there is no policy of the type.
pub(super) struct Silent<'a> {
    pub party: Reason,
    pub level: Option<(usize, usize)>,
    pub set: Option<&'a PolicySet>,
}

/// All policy types that do not allow the request, in the order of evaluation.
pub(super) fn all(evaluation: &Evaluation<'_, '_>, request: &Request<'_>) -> Vec<Missing> {
    silent(evaluation)
        .into_iter()
        .map(|silent| {
            let found = silent.set.and_then(|set| nearest(set, evaluation, request));
            Missing {
                party: silent.party,
                level: silent.level,
                remedy: remedy(&silent, found.as_ref(), evaluation, request),
                nearest: found.map(|found| found.nearest),
            }
        })
        .collect()
}

/// The nearest statement, and those of its elements that match the request.
pub(super) struct NearestMatch {
    pub nearest: Nearest,
    pub held: Vec<ElementTrace>,
}

fn silent<'a>(evaluation: &Evaluation<'_, 'a>) -> Vec<Silent<'a>> {
    let mut found = Vec::new();
    let levels = evaluation.service_control();
    for (number, set) in levels.iter().enumerate() {
        if !evaluation.is_allowed_by(set) {
            found.push(Silent {
                party: Reason::ServiceControl,
                level: Some((number + 1, levels.len())),
                set: Some(set),
            });
        }
    }
    if evaluation.is_root_assuming() {
        return found;
    }
    let party = |party, set| Silent {
        party,
        level: None,
        set,
    };
    let applicable = evaluation.applicable();
    let granted = evaluation.resource_grant().map(|(grant, _)| grant);
    let resource = granted
        .is_none()
        .then(|| party(evaluation.resource_reason(), applicable.resource));
    if !evaluation.has_identity_side() {
        found.extend(resource);
        return found;
    }
    let cross_account = evaluation.is_cross_account();
    let must_grant = evaluation.is_resource_required() && !cross_account;
    if must_grant {
        found.extend(resource);
    } else if cross_account {
        found.extend(own(evaluation));
        found.extend(resource);
        return found;
    }
    match granted {
        Some(Grant::Direct) => {}
        Some(Grant::Issuer) => found.extend(limits(evaluation)),
        // A resource policy that must allow may also allow the account alone.
        None if must_grant => {}
        Some(Grant::Account) | None => found.extend(own(evaluation)),
    }
    found
}

/// The principal's own account.
fn own<'a>(evaluation: &Evaluation<'_, 'a>) -> Vec<Silent<'a>> {
    let mut found = Vec::new();
    let set = evaluation.applicable().identity;
    let allowed =
        evaluation.has_everything() || set.is_some_and(|set| evaluation.is_allowed_by(set));
    if !allowed {
        found.push(Silent {
            party: Reason::Identity,
            level: None,
            set,
        });
    }
    found.extend(limits(evaluation));
    found
}

fn limits<'a>(evaluation: &Evaluation<'_, 'a>) -> Vec<Silent<'a>> {
    let mut found = Vec::new();
    for party in evaluation.silent_limits() {
        let set = match party {
            Reason::PermissionsBoundary => evaluation.applicable().boundary,
            _ => evaluation.applicable().session,
        };
        found.push(Silent {
            party,
            level: None,
            set,
        });
    }
    found
}

/// The Allow that came nearest: one that matches the action is preferred, then the principal, then the
/// resource, then the one with the fewest failing conditions. Of equals the one that is about the
/// same service and names resources.
fn nearest(
    set: &PolicySet,
    evaluation: &Evaluation<'_, '_>,
    request: &Request<'_>,
) -> Option<NearestMatch> {
    let traces = set.documents().flat_map(|(policy, document)| {
        let statements = trace::statements(document, &evaluation.cx, request);
        let statements = statements.into_iter();
        statements.map(|statement| (policy.clone(), statement))
    });
    traces
        .filter(|(_, statement)| statement.effect == StatementEffect::Allow)
        .filter(|(_, statement)| !statement.applies)
        .min_by_key(|(_, statement)| distance(statement, request))
        .map(|(policy, statement)| {
            let (held, missed) = statement
                .elements
                .into_iter()
                .partition(|element| element.matched);
            NearestMatch {
                nearest: Nearest {
                    statement: StatementPlace {
                        policy,
                        index: statement.index,
                        sid: statement.sid,
                    },
                    elements: missed,
                },
                held,
            }
        })
}

fn distance(
    statement: &StatementTrace,
    request: &Request<'_>,
) -> (bool, bool, bool, usize, bool, bool) {
    let missing = |name: &str| {
        let mut elements = statement.elements.iter();
        elements.any(|element| element.element.ends_with(name) && !element.matched)
    };
    let conditions = statement.elements.iter().filter(|e| is_condition(e));
    let service = request.action.split(':').next().unwrap_or_default();
    let says = |name: &str, what: &dyn Fn(&str) -> bool| {
        let mut elements = statement.elements.iter().filter(|e| e.element == name);
        elements.any(|element| element.wanted.iter().any(|wanted| what(wanted)))
    };
    let same_service = says("Action", &|action| {
        let own = action.split(':').next().unwrap_or_default();
        own.eq_ignore_ascii_case(service)
    });
    (
        missing("Action"),
        missing("Principal"),
        missing("Resource"),
        conditions.filter(|element| !element.matched).count(),
        !same_service,
        says("Resource", &|resource| resource == "*"),
    )
}

pub(super) fn is_condition(element: &ElementTrace) -> bool {
    element.element.starts_with("Condition ")
}
