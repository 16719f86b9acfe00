//! Who would have to allow the request, and what that would take.

use crate::compiled::Grant;
use crate::decide::{Case, Reason, Request};
use crate::document::StatementEffect;
use crate::principal::PrincipalKind;
use crate::set::PolicySet;

use super::trace;
use super::{ElementTrace, Missing, Nearest, StatementPlace, StatementTrace};

/// A policy type that is silent; without a set there is no policy of the type at all.
struct Silent<'a> {
    party: Reason,
    level: Option<(usize, usize)>,
    set: Option<&'a PolicySet>,
}

/// All who are silent, in the order in which a decision meets them.
pub(super) fn all(case: &Case<'_, '_>, request: &Request<'_>) -> Vec<Missing> {
    silent(case)
        .into_iter()
        .map(|silent| {
            let nearest = silent.set.and_then(|set| nearest(set, case, request));
            Missing {
                party: silent.party,
                level: silent.level,
                remedy: remedy(&silent, nearest.as_ref(), case, request),
                nearest,
            }
        })
        .collect()
}

fn silent<'a>(case: &Case<'_, 'a>) -> Vec<Silent<'a>> {
    let mut found = Vec::new();
    let levels = case.service_control();
    for (number, set) in levels.iter().enumerate() {
        if !case.is_allowed_by(set) {
            found.push(Silent {
                party: Reason::ServiceControl,
                level: Some((number + 1, levels.len())),
                set: Some(set),
            });
        }
    }
    if case.is_root_assuming() {
        return found;
    }
    let party = |party, set| Silent {
        party,
        level: None,
        set,
    };
    let authority = case.authority();
    let granted = case.resource_grant().map(|(grant, _)| grant);
    let resource = granted
        .is_none()
        .then(|| party(case.resource_reason(), authority.resource));
    if !case.has_identity_side() {
        found.extend(resource);
        return found;
    }
    let cross_account = case.is_cross_account();
    let must_grant = case.is_resource_required() && !cross_account;
    if must_grant {
        found.extend(resource);
    } else if cross_account {
        found.extend(own(case));
        found.extend(resource);
        return found;
    }
    match granted {
        Some(Grant::Direct) => {}
        Some(Grant::Issuer) => found.extend(limits(case)),
        // Where the resource's policy must speak, it may also speak for the account alone.
        None if must_grant => {}
        Some(Grant::Account) | None => found.extend(own(case)),
    }
    found
}

/// The principal's own account.
fn own<'a>(case: &Case<'_, 'a>) -> Vec<Silent<'a>> {
    let mut found = Vec::new();
    let set = case.authority().identity;
    let allowed = case.has_everything() || set.is_some_and(|set| case.is_allowed_by(set));
    if !allowed {
        found.push(Silent {
            party: Reason::Identity,
            level: None,
            set,
        });
    }
    found.extend(limits(case));
    found
}

fn limits<'a>(case: &Case<'_, 'a>) -> Vec<Silent<'a>> {
    let mut found = Vec::new();
    for party in case.silent_limits() {
        let set = match party {
            Reason::PermissionsBoundary => case.authority().boundary,
            _ => case.authority().session,
        };
        found.push(Silent {
            party,
            level: None,
            set,
        });
    }
    found
}

/// Of the Allows, the one about this action; of those the one about this principal, then this
/// resource, then with the fewest conditions that fail; of equals the one that is about the
/// same service and names resources.
fn nearest(set: &PolicySet, case: &Case<'_, '_>, request: &Request<'_>) -> Option<Nearest> {
    let allows = set
        .statements()
        .iter()
        .filter(|statement| statement.source.effect == StatementEffect::Allow);
    let traces = allows.map(|compiled| {
        let policy = set.policy(compiled).clone();
        (policy, trace::statement(compiled, &case.ask, request))
    });
    traces
        .filter(|(_, statement)| !statement.applies)
        .min_by_key(|(_, statement)| distance(statement, request))
        .map(|(policy, statement)| Nearest {
            statement: StatementPlace {
                policy,
                index: statement.index,
                sid: statement.sid,
            },
            elements: statement
                .elements
                .into_iter()
                .filter(|element| !element.matched)
                .collect(),
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

fn is_condition(element: &ElementTrace) -> bool {
    element.element.starts_with("Condition ")
}

/// One sentence, to be read behind "to allow it:".
fn remedy(
    silent: &Silent<'_>,
    nearest: Option<&Nearest>,
    case: &Case<'_, '_>,
    request: &Request<'_>,
) -> String {
    let (action, resource) = (request.action, request.resource);
    let principal = request.principal;
    let named = match principal.kind {
        // Those without credentials are named by nothing else.
        PrincipalKind::Anonymous => "*",
        _ => principal.issuer_arn().unwrap_or(principal.arn()),
    };
    if let Some(conditions) = nearest.and_then(only_conditions) {
        return conditions;
    }
    let by_statement = nearest.and_then(|nearest| mend(nearest, named, action, resource));
    let change = by_statement.unwrap_or_else(|| match silent.party {
        Reason::Resource | Reason::Trust => {
            format!("write a statement that allows `{action}` and names `{named}` in `Principal`")
        }
        _ => format!("write a statement that allows `{action}` on `{resource}`"),
    });
    match silent.party {
        Reason::Identity if case.is_cross_account() => format!(
            "account {} must allow its own principal too; in a policy of `{named}` {change}",
            principal.account()
        ),
        Reason::Identity => format!("in a policy of `{named}` {change}"),
        Reason::Resource if case.is_cross_account() => {
            format!(
                "the account of the resource must allow it too; in the resource's policy {change}"
            )
        }
        Reason::Resource => format!("in the resource's policy {change}"),
        Reason::Trust => format!("in the role's trust policy {change}"),
        Reason::PermissionsBoundary => {
            format!("the boundary must allow what the policies allow; in it {change}")
        }
        Reason::Session if silent.set.is_none() => {
            "a federated user has what its session policies allow, and there are none".into()
        }
        Reason::Session => {
            format!("the session policies must allow it too; for the next session {change}")
        }
        Reason::ServiceControl => format!("every level must allow it; in this one {change}"),
        Reason::ResourceControl | Reason::RootUser | Reason::NoPermissionNeeded => change,
    }
}

fn only_conditions(nearest: &Nearest) -> Option<String> {
    let name = place(nearest);
    if !nearest.elements.iter().all(is_condition) {
        return None;
    }
    Some(match nearest.elements.len() {
        1 => format!("meet the condition of {name} with the request, or change it"),
        _ => format!("meet the conditions of {name} with the request, or change them"),
    })
}

/// The change to a statement that one element keeps from applying.
fn mend(nearest: &Nearest, named: &str, action: &str, resource: &str) -> Option<String> {
    let [element] = &nearest.elements[..] else {
        return None;
    };
    let what = match element.element.as_str() {
        "Action" | "NotAction" => action,
        "Resource" | "NotResource" => resource,
        "Principal" => named,
        _ => return None,
    };
    let name = place(nearest);
    Some(match element.element.strip_prefix("Not") {
        Some(_) => format!(
            "narrow the `{}` of {name} so that it does not cover `{what}`",
            element.element
        ),
        None => format!("add `{what}` to the `{}` of {name}", element.element),
    })
}

fn place(nearest: &Nearest) -> String {
    let place = &nearest.statement;
    match place.sid.as_deref().filter(|sid| !sid.is_empty()) {
        Some(sid) => format!("statement `{sid}` of {}", place.policy.name),
        None => format!("statement {} of {}", place.index, place.policy.name),
    }
}
