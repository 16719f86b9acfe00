//! `Resource`: do the actions act on such resources?

use std::collections::HashMap;

use policy::language::resource_in_full;
use policy::{DocumentKind, Statement, Text};

use crate::actions::Actions;
use crate::facts::FormId;
use crate::globs::{Glob, arn_fields, has_wildcard};
use crate::{Code, Linter, arns, documented, some_of};

/// Any repository's ARN: what a repository policy without `Resource` is about.
const REPOSITORY: &str = "arn:*:ecr:*:*:repository/*";

pub(super) fn check<'a>(linter: &mut Linter<'a>, statement: &'a Statement, actions: &Actions<'a>) {
    let Some(element) = &statement.resource else {
        if linter.document.kind() == DocumentKind::EcrRepository {
            implied(linter, actions);
        }
        return;
    };
    let mut well_formed = true;
    for text in &element.values {
        well_formed &= arns::check(linter, text);
    }
    // What is wrong in itself fits no action, and has been said.
    if well_formed && !element.not && !actions.not {
        fit(linter, &element.values, actions);
    }
}

/// A repository policy's actions act on its repository.
fn implied<'a>(linter: &mut Linter<'a>, actions: &Actions<'a>) {
    let Some(known) = actions.known() else {
        return;
    };
    let mut repositories = Resources::default();
    repositories.add(REPOSITORY);
    for entry in known {
        let Some(forms) = entry.pattern.forms(linter) else {
            return;
        };
        let meets = |&form: &FormId| !repositories.met_by(linter, form).is_empty();
        if !forms.iter().any(meets) {
            linter.find(
                Code::ActionResourceMismatch,
                entry.position,
                format!(
                    "`{}` does not act on a repository, so a repository policy cannot decide about it",
                    entry.text
                ),
                "put it into an identity-based policy",
            );
        }
    }
}

/// The resources of a statement, each once.
#[derive(Default)]
struct Resources<'t> {
    places: HashMap<&'t str, usize>,
    all: Vec<Resource<'t>>,
    /// Which of them a form meets.
    met: HashMap<FormId, Vec<usize>>,
}

struct Resource<'t> {
    glob: Glob,
    /// The third field, where everything up to it is written out.
    service: Option<&'t str>,
}

impl<'t> Resources<'t> {
    fn add(&mut self, text: &'t str) -> usize {
        let all = &mut self.all;
        *self.places.entry(text).or_insert_with(|| {
            let closed = |field: &&str| !field.contains(['*', '?', '$']);
            let service = match arn_fields(text)[..] {
                [scheme, partition, service, _, ..] => Some([scheme, partition, service]),
                _ => None,
            };
            let service = service.filter(|fields| fields.iter().all(closed));
            all.push(Resource {
                glob: Glob::new(&resource_in_full(text)),
                service: service.map(|fields| fields[2]),
            });
            all.len() - 1
        })
    }

    /// Which of them a form meets; when the budget is spent it seems to meet all.
    fn met_by(&mut self, linter: &Linter<'_>, form: FormId) -> &[usize] {
        let all = &self.all;
        self.met.entry(form).or_insert_with(|| {
            let budget = &linter.work.resources;
            let form = linter.facts.form(form);
            let meets = |resource: &Resource<'_>| match (form.service, resource.service) {
                (Some(one), Some(two)) if one != two => !budget.take(1),
                _ => form.glob.overlaps(&resource.glob, budget),
            };
            let met = all.iter().enumerate().filter(|(_, one)| meets(one));
            met.map(|(place, _)| place).collect()
        })
    }
}

fn fit<'a>(linter: &mut Linter<'a>, values: &'a [Text], actions: &Actions<'a>) {
    let mut resources = Resources::default();
    let places: Vec<usize> = values.iter().map(|t| resources.add(&t.value)).collect();
    // Actions without resource types are asked about `*`.
    if resources.all.iter().any(|one| one.glob.matches("*")) {
        return;
    }
    let Some(known) = actions.known() else {
        return;
    };
    let mut used = vec![false; resources.all.len()];
    // By the pattern's number: whether it fits.
    let mut fitting: HashMap<usize, bool> = HashMap::new();
    for entry in &known {
        if fitting.contains_key(&entry.pattern.id) {
            continue;
        }
        let Some(forms) = entry.pattern.forms(linter) else {
            return;
        };
        let mut fits = false;
        for &form in &*forms {
            for &place in resources.met_by(linter, form) {
                fits = true;
                used[place] = true;
            }
            if !linter.work.resources.take(1) {
                return;
            }
        }
        for form in documented::forms(&entry.pattern) {
            let budget = &linter.work.resources;
            for (place, resource) in resources.all.iter().enumerate() {
                if form.overlaps(&resource.glob, budget) {
                    fits = true;
                    used[place] = true;
                }
            }
        }
        fitting.insert(entry.pattern.id, fits);
    }
    if linter.work.resources.is_spent() {
        return;
    }
    let mut mismatched = 0;
    for entry in &known {
        let (false, Some(forms)) = (fitting[&entry.pattern.id], entry.pattern.forms(linter)) else {
            continue;
        };
        mismatched += 1;
        let action = entry.text;
        if forms.is_empty() {
            linter.find(
                Code::ActionNeedsStarResource,
                entry.position,
                format!("`{action}` acts on no resource that can be named, so with these resources it never applies"),
                "give it a statement of its own with \"Resource\": \"*\"",
            );
        } else {
            let expected: Vec<&str> = forms
                .iter()
                .map(|&form| linter.facts.form(form).text)
                .collect();
            linter.find(
                Code::ActionResourceMismatch,
                entry.position,
                format!("`{action}` does not act on any of the statement's resources, so this never applies"),
                format!("it acts on {}", some_of(expected)),
            );
        }
    }
    if mismatched == known.len() || !actions.are_all_known() {
        return;
    }
    for (&place, text) in places.iter().zip(values) {
        if !used[place] {
            linter.find(
                Code::ResourceWithoutAction,
                text.position,
                format!("none of the statement's actions acts on `{}`", text.value),
                "leave the resource out, or add the actions that are meant for it",
            );
        }
    }
}

/// Whether an entry of `Resource` stands for all resources whose last field has this prefix
/// (`role/`), whatever their account.
pub(super) fn is_all(text: &str, prefix: &str) -> bool {
    if Glob::new(text).is_star() {
        return true;
    }
    match arn_fields(text).last() {
        // A cover of `role/*`: a text of that prefix and any end, so the pattern must end in `*`.
        Some(name) if text.starts_with("arn:") => {
            has_wildcard(name) && Glob::new(&widened(name)).covers_all_of(prefix)
        }
        _ => false,
    }
}

/// A pattern in which a `?` beside a `*` is left out: `role/?*` spares nothing that there is.
fn widened(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(start) = rest.find(['*', '?']) {
        let run = &rest[start..];
        let end = run.find(|c| !matches!(c, '*' | '?')).unwrap_or(run.len());
        text.push_str(&rest[..start]);
        text.push_str(match run[..end].contains('*') {
            true => "*",
            false => &run[..end],
        });
        rest = &run[end..];
    }
    text.push_str(rest);
    text
}
