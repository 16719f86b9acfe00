//! What would make who is silent speak: the least that allows the request, and what joining a statement
//! that is there would allow beside it.

use crate::decide::{Evaluation, Reason, Request};
use crate::principal::PrincipalKind;

use super::missing::{Found, Silent, is_condition};
use super::{ElementTrace, Nearest};

/// So many entries of a statement are named.
const NAMED_MAX: usize = 3;

/// What is asked, as a statement would say it.
struct Asked<'a> {
    action: &'a str,
    resource: &'a str,
    /// As an entry of `Principal`.
    named: &'a str,
}

/// One sentence, to be read behind "to allow it:".
pub(super) fn remedy(
    silent: &Silent<'_>,
    found: Option<&Found>,
    evaluation: &Evaluation<'_, '_>,
    request: &Request<'_>,
) -> String {
    let principal = request.principal;
    let owner = principal.issuer_arn().unwrap_or(principal.arn());
    if let Some(conditions) = found.and_then(|found| only_conditions(&found.nearest)) {
        return conditions;
    }
    let asked = Asked {
        action: request.action,
        resource: request.resource,
        named: match principal.kind {
            // Those without credentials are named by nothing else.
            PrincipalKind::Anonymous => "*",
            _ => owner,
        },
    };
    let change = change(silent.party, found, &asked);
    match silent.party {
        Reason::Identity if evaluation.is_cross_account() => format!(
            "account {} must allow its own principal too; in a policy of `{owner}` {change}",
            principal.account()
        ),
        Reason::Identity => format!("in a policy of `{owner}` {change}"),
        Reason::Resource if evaluation.is_cross_account() => {
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

/// The change to a policy. A statement of its own allows the request and nothing else; joining one that
/// is there comes first where that does not allow more either, and says what it does where it does.
fn change(party: Reason, found: Option<&Found>, asked: &Asked<'_>) -> String {
    let Asked {
        action,
        resource,
        named,
    } = asked;
    let everyone = if *named == "*" {
        ", which is everyone,"
    } else {
        ""
    };
    let own = match party {
        Reason::Resource => format!(
            "write a statement that allows `{action}` on `{resource}` and names `{named}`{everyone} in `Principal`"
        ),
        // The role is the resource.
        Reason::Trust => format!(
            "write a statement that allows `{action}` and names `{named}`{everyone} in `Principal`"
        ),
        _ => format!("write a statement that allows `{action}` on `{resource}`"),
    };
    let Some(found) = found else {
        return own;
    };
    let gain = gain(found, asked);
    match (
        join(&found.nearest, asked, gain.is_empty()),
        gain.is_empty(),
    ) {
        (None, _) => own,
        (Some(join), true) => join,
        (Some(join), false) => format!("{own}, or {join}, which then also allows {gain}"),
    }
}

/// The change to a statement that one element keeps from applying. In full it spells out what is added,
/// which otherwise was said before.
fn join(nearest: &Nearest, asked: &Asked<'_>, in_full: bool) -> Option<String> {
    let [element] = &nearest.elements[..] else {
        return None;
    };
    let (what, short) = match element.element.trim_start_matches("Not") {
        "Action" => (asked.action, "the action"),
        "Resource" => (asked.resource, "the resource"),
        "Principal" if element.element == "Principal" => (asked.named, "the principal"),
        _ => return None,
    };
    let what = match in_full {
        true => format!("`{what}`"),
        false => short.to_owned(),
    };
    let (name, list) = (place(nearest), &element.element);
    Some(match list.starts_with("Not") {
        true => format!("narrow the `{list}` of {name} so that it does not cover {what}"),
        false => format!("add {what} to the `{list}` of {name}"),
    })
}

/// What joining would allow beside the request: what the other elements hold and nobody asked for.
fn gain(found: &Found, asked: &Asked<'_>) -> String {
    let mut parts = Vec::new();
    for element in &found.held {
        let (asked, before) = match element.element.trim_start_matches("Not") {
            "Action" => (asked.action, ""),
            "Resource" => (asked.resource, "on "),
            "Principal" => (asked.named, "for "),
            _ => continue,
        };
        let same = |wanted: &String| match before {
            "" => wanted.eq_ignore_ascii_case(asked),
            _ => wanted == asked,
        };
        let is_not = element.element.starts_with("Not");
        if is_not || !element.wanted.iter().all(same) {
            parts.push(format!("{before}{}", entries(element, is_not)));
        }
    }
    parts.sort_by_key(|part| (part.starts_with("for "), part.starts_with("on ")));
    // "also allows `ecr:*` there", "also allows it on `*`".
    match parts.first() {
        Some(first) if first.starts_with("on ") || first.starts_with("for ") => {
            parts.insert(0, "it".into());
        }
        Some(_) if parts.len() == 1 => parts.push("there".into()),
        _ => {}
    }
    parts.join(" ")
}

fn entries(element: &ElementTrace, is_not: bool) -> String {
    let named = element.wanted.iter().take(NAMED_MAX);
    let mut text = named
        .map(|entry| format!("`{entry}`"))
        .collect::<Vec<_>>()
        .join(", ");
    if element.wanted.len() > NAMED_MAX {
        text.push_str(" and more");
    }
    match is_not {
        true => format!("all but {text}"),
        false => text,
    }
}

fn place(nearest: &Nearest) -> String {
    let place = &nearest.statement;
    match place.sid.as_deref().filter(|sid| !sid.is_empty()) {
        Some(sid) => format!("statement `{sid}` of {}", place.policy.name),
        None => format!("statement {} of {}", place.index, place.policy.name),
    }
}
