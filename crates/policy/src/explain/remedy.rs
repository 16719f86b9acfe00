//! The remedy for an implicit denial: the smallest change that allows the request, and what extending
//! an existing statement would allow beyond it.

use crate::decide::{Evaluation, Reason, Request};
use crate::principal::PrincipalKind;

use super::missing::{NearestMatch, Silent, is_condition};
use super::{ElementTrace, Nearest};

/// The number of a statement's entries that a remedy names.
const NAMED_MAX: usize = 3;

/// The entries of a statement that allows the request.
struct Entries<'a> {
    action: &'a str,
    resource: &'a str,
    /// As an entry of `Principal`.
    named: &'a str,
}

/// One sentence, printed after "to allow it:".
pub(super) fn remedy(
    silent: &Silent<'_>,
    found: Option<&NearestMatch>,
    evaluation: &Evaluation<'_, '_>,
    request: &Request<'_>,
) -> String {
    let principal = request.principal;
    let owner = principal.issuer_arn().unwrap_or(principal.arn());
    if let Some(conditions) = found.and_then(|found| only_conditions(&found.nearest)) {
        return conditions;
    }
    let entries = Entries {
        action: request.action,
        resource: request.resource,
        named: match principal.kind {
            // Nothing else names a caller without credentials.
            PrincipalKind::Anonymous => "*",
            _ => owner,
        },
    };
    let change = change(silent.party, found, &entries);
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

/// The change to a policy. A new statement allows the request and nothing else. Extending an existing
/// one is preferred if that allows nothing else either; otherwise it is offered with what else it
/// allows.
fn change(party: Reason, found: Option<&NearestMatch>, entries: &Entries<'_>) -> String {
    let Entries {
        action,
        resource,
        named,
    } = entries;
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
    let gain = gain(found, entries);
    match (
        join(&found.nearest, entries, gain.is_empty()),
        gain.is_empty(),
    ) {
        (None, _) => own,
        (Some(join), true) => join,
        (Some(join), false) => format!("{own}, or {join}, which then also allows {gain}"),
    }
}

/// The change to a statement that only one element keeps from applying. `in_full` spells out what is
/// added; otherwise the sentence has named it before.
fn join(nearest: &Nearest, entries: &Entries<'_>, in_full: bool) -> Option<String> {
    let [element] = &nearest.elements[..] else {
        return None;
    };
    let (what, short) = match element.element.trim_start_matches("Not") {
        "Action" => (entries.action, "the action"),
        "Resource" => (entries.resource, "the resource"),
        "Principal" if element.element == "Principal" => (entries.named, "the principal"),
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

/// What extending the statement would allow beyond the request: the other entries of its elements.
fn gain(found: &NearestMatch, entries: &Entries<'_>) -> String {
    let mut parts = Vec::new();
    for element in &found.held {
        let (needed, before) = match element.element.trim_start_matches("Not") {
            "Action" => (entries.action, ""),
            "Resource" => (entries.resource, "on "),
            "Principal" => (entries.named, "for "),
            _ => continue,
        };
        let same = |wanted: &String| match before {
            "" => wanted.eq_ignore_ascii_case(needed),
            _ => wanted == needed,
        };
        let is_not = element.element.starts_with("Not");
        if is_not || !element.wanted.iter().all(same) {
            parts.push(format!("{before}{}", list(element, is_not)));
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

fn list(element: &ElementTrace, is_not: bool) -> String {
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
