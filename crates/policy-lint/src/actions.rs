//! `Action` and `NotAction`: do the actions exist?

use std::cell::OnceCell;
use std::collections::HashSet;
use std::rc::Rc;

use policy::Position;
use policy::{DocumentKind, Statement, Text};

use crate::facts::{Action, FormId, Kind};
use crate::globs::Glob;
use crate::{Code, Linter, Problem, did_you_mean};
use policy::language::rcp_covers;

/// What a statement's `Action` stands for.
pub(super) struct Actions<'a> {
    /// `NotAction`: all but these.
    pub not: bool,
    pub entries: Vec<Entry<'a>>,
}

/// One listed action.
pub(super) struct Entry<'a> {
    pub text: &'a str,
    pub position: Position,
    pub pattern: Rc<Pattern<'a>>,
}

/// An entry as it is written, however often: what it means.
pub(super) struct Pattern<'a> {
    /// Its number in the document.
    pub id: usize,
    meaning: Meaning<'a>,
    problems: Vec<Problem>,
    forms: OnceCell<Option<Rc<[FormId]>>>,
}

enum Meaning<'a> {
    /// `*`.
    Everything,
    /// These.
    Known(Vec<Rc<Action<'a>>>),
    /// Nothing that exists, or nobody knows.
    Unknown,
}

impl<'a> Pattern<'a> {
    /// The actions it stands for, as far as they are known one by one.
    pub fn actions(&self) -> &[Rc<Action<'a>>] {
        match &self.meaning {
            Meaning::Known(actions) => actions,
            Meaning::Everything | Meaning::Unknown => &[],
        }
    }

    /// The forms of what its actions act on, each once, in the order of the actions; `None`
    /// when the budget is spent.
    pub fn forms(&self, linter: &mut Linter<'a>) -> Option<Rc<[FormId]>> {
        let read = || {
            let mut seen = HashSet::new();
            let mut ids = Vec::new();
            for action in self.actions() {
                let forms = linter.facts.forms_of(action)?;
                if !linter.work.actions.take(forms.len() as u64) {
                    return None;
                }
                ids.extend(forms.iter().filter(|&&form| seen.insert(form)));
            }
            Some(ids.into())
        };
        self.forms.get_or_init(read).clone()
    }
}

impl<'a> Actions<'a> {
    /// The listed actions that exist; `None` where the statement reaches beyond a list.
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

    /// Whether nothing is listed that might mean more than is known.
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
            problem.at(linter, text.position);
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
    let pattern = Rc::new(Pattern {
        id: linter.facts.patterns.len(),
        meaning,
        problems,
        forms: OnceCell::new(),
    });
    let known = &mut linter.facts.patterns;
    known.insert(text.value.clone(), Rc::clone(&pattern));
    pattern
}

fn meaning<'a>(
    linter: &mut Linter<'a>,
    action: &'a str,
    problems: &mut Vec<Problem>,
) -> Meaning<'a> {
    let mut say = |code, message: String, help: String| {
        problems.push(Problem::new(code, message, help));
    };
    if Glob::new(action).is_star() {
        return Meaning::Everything;
    }
    let Some((prefix, name)) = action.split_once(':') else {
        return Meaning::Unknown;
    };
    if linter.facts.services.is_empty() {
        return Meaning::Unknown;
    }
    let services: Vec<&'a str> = if prefix.contains(['*', '?']) {
        say(
            Code::WildcardInServiceName,
            format!("the service of `{action}` is a wildcard, which also means services to come"),
            "name the service, one entry for each".to_owned(),
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
        say(
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
        say(
            Code::RcpServiceNotCovered,
            format!(
                "resource control policies do not reach `{service}`, so `{action}` has no effect here"
            ),
            "leave it out; a service control policy reaches the organization's own principals"
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
        say(
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
        say(
            Code::InvalidAction,
            format!("no action matches `{action}`"),
            did_you_mean(
                similar.map(|name| format!("{prefix}:{name}")),
                "leave it out, or look the actions up in the Service Authorization Reference",
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
