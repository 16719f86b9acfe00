//! `Resource`: checks that the actions apply to the resources.

use std::collections::HashMap;

use policy::language::resource_in_full;
use policy::{DocumentKind, Statement, Text};

use crate::actions::{Actions, Entry};
use crate::codes::Code;
use crate::facts::FormId;
use crate::globs::{Glob, arn_fields, has_wildcard};
use crate::linter::{Linter, is_fully_known};
use crate::messages::some_of;
use crate::{arns, documented};

/// Any repository's ARN: the resource of a repository policy.
const REPOSITORY: &str = "arn:*:ecr:*:*:repository/*";

pub(super) fn check<'a>(linter: &mut Linter<'a>, statement: &'a Statement, actions: &Actions<'a>) {
    let of_ecr = matches!(
        linter.document.kind(),
        DocumentKind::EcrRepository | DocumentKind::EcrRegistry
    );
    if of_ecr {
        of_other_services(linter, statement, actions);
    }
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
    // An ARN that is wrong in itself fits no action, and has a finding already.
    if well_formed && !element.not && !actions.not {
        fit(linter, &element.values, actions);
    }
}

/// A policy that is attached to a resource of ECR decides about ECR's requests only.
fn of_other_services(linter: &mut Linter<'_>, statement: &Statement, actions: &Actions<'_>) {
    for entry in &actions.entries {
        let mut found = entry.pattern.actions().iter().peekable();
        if found.peek().is_some() && found.all(|action| action.service != "ecr") {
            linter.find(
                Code::UnsupportedActionInPolicy,
                entry.position,
                format!(
                    "`{}` is not an action of ECR, so this policy has no effect on it",
                    entry.text
                ),
                "move it to an identity-based policy, or to a policy of its resource",
            );
        }
    }
    for text in statement
        .resource
        .iter()
        .flat_map(|element| &element.values)
    {
        let fields = arn_fields(&text.value);
        let service = fields.get(2).copied().unwrap_or("ecr");
        if service != "ecr" && !service.contains(['*', '?', '$']) {
            linter.find(
                Code::UnsupportedResourceArnInPolicy,
                text.position,
                format!(
                    "`{}` is not a resource of ECR, so this policy has no effect on it",
                    text.value
                ),
                "write the ARN of a repository, or `*`",
            );
        }
    }
}

/// Checks that a repository policy's actions apply to its repository.
fn implied<'a>(linter: &mut Linter<'a>, actions: &Actions<'a>) {
    let Some(known) = actions.known() else {
        return;
    };
    let mut repositories = Resources::default();
    repositories.add(REPOSITORY);
    for entry in known {
        let mut listed = entry.pattern.actions().iter();
        if listed.all(|action| action.service != "ecr") {
            continue;
        }
        let Some(forms) = linter.facts.forms_of_pattern(&entry.pattern) else {
            return;
        };
        let meets = |&form: &FormId| !repositories.met_by(linter, form).is_empty();
        if !forms.iter().any(meets) {
            linter.find(
                Code::UnsupportedActionInPolicy,
                entry.position,
                format!(
                    "`{}` does not apply to a repository, so a repository policy has no effect on it",
                    entry.text
                ),
                "move it to an identity-based policy",
            );
        }
    }
}

/// The resources of a statement, each once.
#[derive(Default)]
struct Resources<'t> {
    places: HashMap<&'t str, usize>,
    all: Vec<Resource<'t>>,
    /// The resources that a form can match.
    met: HashMap<FormId, Vec<usize>>,
}

struct Resource<'t> {
    glob: Glob,
    /// The third field, if there is no wildcard up to it.
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

    /// The resources that a form can match; all of them when the budget is spent.
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
    // Actions without resource types are authorized on `*`.
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
        let Some(forms) = linter.facts.forms_of_pattern(&entry.pattern) else {
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
        let (false, Some(forms)) = (
            fitting[&entry.pattern.id],
            linter.facts.forms_of_pattern(&entry.pattern),
        ) else {
            continue;
        };
        mismatched += 1;
        mismatch(linter, entry, &forms);
    }
    if mismatched == known.len() || !actions.are_all_known() {
        return;
    }
    for (&place, text) in places.iter().zip(values) {
        if !used[place] {
            linter.find(
                Code::ResourceWithoutAction,
                text.position,
                format!(
                    "none of the statement's actions applies to `{}`",
                    text.value
                ),
                "remove the resource, or add the actions that are meant for it",
            );
        }
    }
}

/// Reports an action that applies to none of the statement's resources. That the reference lists no
/// or other resource types is no proof: denials of `iam:ListRoles` name `role/`.
fn mismatch<'a>(linter: &mut Linter<'a>, entry: &Entry<'a>, forms: &[FormId]) {
    let action = entry.text;
    let mut actions = entry.pattern.actions().iter();
    let certain = actions.all(|action| is_fully_known(action.service));
    if forms.is_empty() {
        let (code, message) = match certain {
            true => (
                Code::ActionNeedsStarResource,
                format!(
                    "`{action}` has no resource types, so with these resources it never applies"
                ),
            ),
            false => (
                Code::ActionResourceNotDocumented,
                format!(
                    "AWS documents no resource type for `{action}`; with these resources it may never apply"
                ),
            ),
        };
        let help = "give it a statement of its own with \"Resource\": \"*\"";
        linter.find(code, entry.position, message, help);
        return;
    }
    let (code, message) = match certain {
        true => (
            Code::ActionResourceMismatch,
            format!(
                "`{action}` does not apply to any of the statement's resources, so it has no effect"
            ),
        ),
        false => (
            Code::ActionResourceNotDocumented,
            format!(
                "AWS documents none of the statement's resources for `{action}`; it may have no effect"
            ),
        ),
    };
    let expected: Vec<&str> = forms
        .iter()
        .map(|&form| linter.facts.form(form).text)
        .collect();
    let help = format!("its documented resources are {}", some_of(expected));
    linter.find(code, entry.position, message, help);
}

/// Whether an entry of `Resource` matches all resources whose last field has this prefix
/// (`role/`), whatever their account.
pub(super) fn is_all(text: &str, prefix: &str) -> bool {
    if Glob::new(text).is_star() {
        return true;
    }
    match arn_fields(text).last() {
        // To cover `role/*`, a pattern must end in `*`.
        Some(name) if text.starts_with("arn:") => {
            has_wildcard(name) && Glob::new(&widened(name)).covers_all_of(prefix)
        }
        _ => false,
    }
}

/// The pattern without each `?` next to a `*`: no resource has an empty name, so `role/?*` covers
/// all roles.
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
