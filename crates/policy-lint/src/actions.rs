//! `Action` and `NotAction`: checks that the actions exist.

use std::rc::Rc;

use policy::Position;
use policy::{DocumentKind, Statement, Text};

use crate::codes::Code;
use crate::facts::{Action, Kind, Meaning, Pattern};
use crate::globs::Glob;
use crate::linter::Linter;
use crate::messages::{Problem, did_you_mean};
use crate::unlisted;
use policy::language::rcp_covers;

/// The actions of a statement.
pub(super) struct Actions<'a> {
    /// `NotAction`: all except these.
    pub not: bool,
    pub entries: Vec<Entry<'a>>,
}

/// One listed action.
pub(super) struct Entry<'a> {
    pub text: &'a str,
    pub position: Position,
    pub pattern: Rc<Pattern<'a>>,
}

impl<'a> Actions<'a> {
    /// The listed actions that exist; `None` if the statement covers more than a list.
    pub fn known(&self) -> Option<Vec<&Entry<'a>>> {
        let mut known = Vec::new();
        for entry in &self.entries {
            match &entry.pattern.meaning {
                Meaning::Everything => return None,
                Meaning::Known(_) => known.push(entry),
                Meaning::Unknown => {}
            }
        }
        (!self.not).then_some(known)
    }

    /// Whether the catalogue knows every entry.
    pub fn are_all_known(&self) -> bool {
        let mut entries = self.entries.iter();
        entries.all(|entry| !matches!(entry.pattern.meaning, Meaning::Unknown))
    }
}

pub(super) fn check<'a>(linter: &mut Linter<'a>, statement: &'a Statement) -> Actions<'a> {
    let element = &statement.action;
    let mut entries = Vec::with_capacity(element.values.len());
    for text in &element.values {
        let pattern = pattern(linter, text);
        for problem in &pattern.problems {
            linter.report(problem, text.position);
        }
        entries.push(Entry {
            text: &text.value,
            position: text.position,
            pattern,
        });
    }
    Actions {
        not: element.not,
        entries,
    }
}

fn pattern<'a>(linter: &mut Linter<'a>, text: &'a Text) -> Rc<Pattern<'a>> {
    if let Some(known) = linter.facts.patterns.get(&text.value) {
        return Rc::clone(known);
    }
    let mut problems = Vec::new();
    let meaning = meaning(linter, &text.value, &mut problems);
    let id = linter.facts.patterns.len();
    let pattern = Rc::new(Pattern::new(id, meaning, problems));
    let known = &mut linter.facts.patterns;
    known.insert(text.value.clone(), Rc::clone(&pattern));
    pattern
}

fn meaning<'a>(
    linter: &mut Linter<'a>,
    action: &'a str,
    problems: &mut Vec<Problem>,
) -> Meaning<'a> {
    let mut report = |code, message: String, help: String| {
        problems.push(Problem::new(code, message, help));
    };
    if Glob::new(action).is_star() {
        return Meaning::Everything;
    }
    let Some((prefix, name)) = action.split_once(':') else {
        return Meaning::Unknown;
    };
    if linter.facts.services.is_empty()
        || unlisted::is_service(prefix)
        || unlisted::is_action(action)
    {
        return Meaning::Unknown;
    }
    let services: Vec<&'a str> = if prefix.contains(['*', '?']) {
        report(
            Code::WildcardInServiceName,
            format!("the service of `{action}` has a wildcard, which also matches future services"),
            "write one entry for each service".to_owned(),
        );
        match services(linter, prefix) {
            Some(services) => services,
            None => return Meaning::Unknown,
        }
    } else {
        linter.facts.prefix(prefix).into_iter().collect()
    };
    if services.is_empty() {
        let similar = linter.facts.similar(Kind::Service, "", prefix);
        report(
            Code::InvalidServiceInAction,
            format!("there is no service `{prefix}`"),
            did_you_mean(
                similar.map(|service| format!("{service}:{name}")),
                "write the service's prefix, such as `ecr`",
            ),
        );
        return Meaning::Unknown;
    }
    if linter.document.kind() == DocumentKind::ResourceControl
        && let [service] = services[..]
        && !rcp_covers(service)
    {
        report(
            Code::RcpSyntaxErrorAction,
            format!(
                "resource control policies do not apply to `{service}`, so `{action}` has no effect here"
            ),
            "remove it; a service control policy applies to the organization's own principals"
                .to_owned(),
        );
    }
    if !name.contains(['*', '?'])
        && let [service] = services[..]
    {
        if let Some(action) = linter.facts.service(service).action(name) {
            return Meaning::Known(vec![action]);
        }
        let similar = linter.facts.similar(Kind::Action, service, name);
        report(
            Code::InvalidAction,
            format!("there is no action `{action}`"),
            did_you_mean(
                similar.map(|name| format!("{service}:{name}")),
                "look the action up in the Service Authorization Reference",
            ),
        );
        return Meaning::Unknown;
    }
    let Some(actions) = matching(linter, services, name) else {
        return Meaning::Unknown;
    };
    if actions.is_empty() {
        let plain = name.replace(['*', '?'], "");
        let similar = linter.facts.similar(Kind::Action, prefix, &plain);
        report(
            Code::InvalidAction,
            format!("no action matches `{action}`"),
            did_you_mean(
                similar.map(|name| format!("{prefix}:{name}")),
                "remove it, or look the actions up in the Service Authorization Reference",
            ),
        );
        return Meaning::Unknown;
    }
    Meaning::Known(actions)
}

/// The services whose prefix matches; `None` when the budget is spent.
fn services<'a>(linter: &Linter<'a>, pattern: &str) -> Option<Vec<&'a str>> {
    let pattern = Glob::folded(pattern);
    let mut found = Vec::new();
    for service in &linter.facts.services {
        if !linter.work.actions.take(service.len() as u64) {
            return None;
        }
        if pattern.matches(service) {
            found.push(*service);
        }
    }
    Some(found)
}

/// The actions whose name matches; `None` when the budget is spent.
fn matching<'a>(
    linter: &mut Linter<'a>,
    services: Vec<&'a str>,
    name: &str,
) -> Option<Vec<Rc<Action<'a>>>> {
    let pattern = Glob::folded(name);
    let mut found = Vec::new();
    for service in services {
        for action in &linter.facts.service(service).actions {
            if !linter.work.actions.take(action.folded.len() as u64 / 2 + 1) {
                return None;
            }
            if pattern.matches_all(&action.folded) {
                found.push(Rc::clone(action));
            }
        }
    }
    Some(found)
}
