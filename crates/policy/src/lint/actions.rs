//! `Action` and `NotAction`: do the actions exist?

use crate::document::{Statement, Text};
use crate::json::Position;

use super::globs::Glob;
use super::{Code, Linter, did_you_mean};

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
    pub meaning: Meaning<'a>,
}

pub(super) enum Meaning<'a> {
    /// `*`.
    Everything,
    /// These, as service and name.
    Known(Vec<(&'a str, &'a str)>),
    /// Nothing that exists, or nobody knows.
    Unknown,
}

impl<'a> Actions<'a> {
    /// The listed actions that exist; `None` where the statement reaches beyond a list.
    pub fn known(&self) -> Option<Vec<Known<'_, 'a>>> {
        let mut known = Vec::new();
        for entry in &self.entries {
            match &entry.meaning {
                Meaning::Everything => return None,
                Meaning::Known(actions) => known.push((entry, actions.as_slice())),
                Meaning::Unknown => {}
            }
        }
        (!self.not).then_some(known)
    }

    /// Whether nothing is listed that might mean more than is known.
    pub fn are_all_known(&self) -> bool {
        let mut entries = self.entries.iter();
        entries.all(|entry| !matches!(entry.meaning, Meaning::Unknown))
    }
}

/// A listed action with the actions it stands for, as service and name.
pub(super) type Known<'e, 'a> = (&'e Entry<'a>, &'e [(&'a str, &'a str)]);

pub(super) fn check<'a>(linter: &mut Linter<'a>, statement: &'a Statement) -> Actions<'a> {
    let element = &statement.action;
    let entries = element.values.iter().map(|text| Entry {
        text: &text.value,
        position: text.position,
        meaning: meaning(linter, text),
    });
    Actions {
        not: element.not,
        entries: entries.collect(),
    }
}

fn meaning<'a>(linter: &mut Linter<'a>, text: &'a Text) -> Meaning<'a> {
    let catalogue = linter.catalogue;
    let action = &*text.value;
    if Glob::new(action).is_star() {
        return Meaning::Everything;
    }
    let Some((prefix, name)) = action.split_once(':') else {
        return Meaning::Unknown;
    };
    if linter.services.is_empty() {
        return Meaning::Unknown;
    }
    let services: Vec<&'a str> = if prefix.contains(['*', '?']) {
        linter.find(
            Code::WildcardInServiceName,
            text.position,
            format!("the service of `{action}` is a wildcard, which also means services to come"),
            "name the service, one entry for each",
        );
        let prefix = Glob::folded(prefix);
        let all = linter.services.iter().copied();
        all.filter(|service| prefix.matches(service)).collect()
    } else {
        let mut all = linter.services.iter().copied();
        let found = all.find(|service| service.eq_ignore_ascii_case(prefix));
        found.into_iter().collect()
    };
    if services.is_empty() {
        let similar = catalogue.similar_service(prefix);
        linter.find(
            Code::InvalidServiceInAction,
            text.position,
            format!("there is no service `{prefix}`"),
            did_you_mean(
                similar.map(|service| format!("{service}:{name}")),
                "write the service's prefix, such as `ecr`",
            ),
        );
        return Meaning::Unknown;
    }
    if !name.contains(['*', '?'])
        && let [service] = services[..]
    {
        if let Some(action) = catalogue.action(service, name) {
            return Meaning::Known(vec![(service, action.name)]);
        }
        let similar = catalogue.similar_action(service, name);
        linter.find(
            Code::InvalidAction,
            text.position,
            format!("there is no action `{action}`"),
            did_you_mean(
                similar.map(|name| format!("{service}:{name}")),
                "look the action up in the Service Authorization Reference",
            ),
        );
        return Meaning::Unknown;
    }
    let pattern = Glob::folded(name);
    let mut actions = Vec::new();
    for service in services {
        let all = catalogue.actions(service).into_iter();
        let fits = all.filter(|name| pattern.matches(&name.to_lowercase()));
        actions.extend(fits.map(|name| (service, name)));
    }
    if actions.is_empty() {
        let plain = name.replace(['*', '?'], "");
        let similar = catalogue.similar_action(prefix, &plain);
        linter.find(
            Code::InvalidAction,
            text.position,
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
