//! `Resource` and `NotResource`: well-formed ARNs, and actions that can act on them.

use crate::document::{DocumentKind, Statement, Text};

use super::actions::Actions;
use super::globs::{Glob, arn_fields, has_wildcard};
use super::{Code, Linter, ResourceType, did_you_mean, some_of};

/// Any repository's ARN: what a repository policy without `Resource` is about.
const REPOSITORY: &str = "arn:*:ecr:*:*:repository/*";

/// Services whose ARNs without an account are AWS's own: public documents and parameters,
/// views that AWS manages.
const WITHOUT_ACCOUNT: [&str; 2] = ["resource-explorer-2", "ssm"];

pub(super) fn check(linter: &mut Linter<'_>, statement: &Statement, actions: &Actions<'_>) {
    let Some(element) = &statement.resource else {
        if linter.document.kind == DocumentKind::EcrRepository {
            implied(linter, actions);
        }
        return;
    };
    let mut well_formed = true;
    for text in &element.values {
        well_formed &= form(linter, text);
    }
    // What is wrong in itself fits no action, and has been said.
    if well_formed && !element.not && !actions.not {
        fit(linter, &element.values, actions);
    }
}

/// A repository policy's actions act on its repository.
fn implied(linter: &mut Linter<'_>, actions: &Actions<'_>) {
    let Some(known) = actions.known() else {
        return;
    };
    let repository = Glob::new(REPOSITORY);
    for (entry, known) in known {
        let fits = |(service, name): &(&str, &str)| {
            let types = types_of(linter, service, name);
            types.iter().any(|form| form.overlaps(&repository))
        };
        if !known.iter().any(fits) {
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

fn types_of(linter: &Linter<'_>, service: &str, name: &str) -> Vec<Glob> {
    let facts = linter.catalogue.action(service, name);
    let types = facts.map(|facts| facts.resource_types).unwrap_or_default();
    forms(&types)
}

fn forms(types: &[ResourceType<'_>]) -> Vec<Glob> {
    let patterns = types.iter().flat_map(|kind| &kind.arn_patterns);
    patterns.map(|pattern| Glob::form(pattern)).collect()
}

fn fit(linter: &mut Linter<'_>, values: &[Text], actions: &Actions<'_>) {
    let resources: Vec<(&Text, Glob)> = values
        .iter()
        .map(|text| (text, Glob::new(&text.value)))
        .collect();
    // Actions without resource types are asked about `*`.
    if resources.iter().any(|(_, glob)| glob.matches("*")) {
        return;
    }
    let Some(known) = actions.known() else {
        return;
    };
    let mut used = vec![false; resources.len()];
    let mut mismatched = 0;
    for (entry, known) in &known {
        let mut fits = false;
        let mut takes_any = false;
        for (service, name) in *known {
            let forms = types_of(linter, service, name);
            takes_any |= !forms.is_empty();
            for (used, (_, resource)) in used.iter_mut().zip(&resources) {
                // Whether this one fits is asked once.
                if !(*used && fits) && forms.iter().any(|form| form.overlaps(resource)) {
                    *used = true;
                    fits = true;
                }
            }
            if fits && used.iter().all(|used| *used) {
                break;
            }
        }
        if fits {
            continue;
        }
        mismatched += 1;
        let action = entry.text;
        if takes_any {
            let expected = expected(linter, known);
            linter.find(
                Code::ActionResourceMismatch,
                entry.position,
                format!("`{action}` does not act on any of the statement's resources, so this never applies"),
                format!("it acts on {expected}"),
            );
        } else {
            linter.find(
                Code::ActionNeedsStarResource,
                entry.position,
                format!("`{action}` acts on no resource that can be named, so with these resources it never applies"),
                "give it a statement of its own with \"Resource\": \"*\"",
            );
        }
    }
    if mismatched == known.len() || !actions.are_all_known() {
        return;
    }
    for (used, (text, _)) in used.iter().zip(&resources) {
        if !used {
            linter.find(
                Code::ResourceWithoutAction,
                text.position,
                format!("none of the statement's actions acts on `{}`", text.value),
                "leave the resource out, or add the actions that are meant for it",
            );
        }
    }
}

fn expected(linter: &Linter<'_>, actions: &[(&str, &str)]) -> String {
    let mut patterns: Vec<&str> = Vec::new();
    for (service, name) in actions {
        let facts = linter.catalogue.action(service, name);
        for kind in facts.map(|facts| facts.resource_types).unwrap_or_default() {
            for pattern in kind.arn_patterns {
                if !patterns.contains(&pattern) {
                    patterns.push(pattern);
                }
            }
        }
    }
    some_of(patterns)
}

/// Whether the ARN is well-formed; says what is not.
fn form(linter: &mut Linter<'_>, text: &Text) -> bool {
    let arn = &*text.value;
    let before = linter.findings.len();
    if arn.starts_with("arn:") {
        match arn_fields(arn)[..] {
            [_, partition, service, region, account, name] => {
                fields(linter, text, [partition, service, region, account, name]);
            }
            // A wildcard at the end may stand for the fields that follow.
            _ if arn.ends_with('*') => {}
            _ => linter.find(
                Code::MissingArnField,
                text.position,
                format!("`{arn}` has fewer than the six fields of an ARN"),
                "write `arn:partition:service:region:account:resource`; region and account may be empty",
            ),
        }
    }
    linter.findings.len() == before
}

fn open(field: &str) -> bool {
    field.contains(['*', '?']) || field.contains("${")
}

fn fields(linter: &mut Linter<'_>, text: &Text, fields: [&str; 5]) {
    let [_, service, region, account, _] = fields;
    let at = text.position;
    let arn = &*text.value;
    if open(service) || linter.services.is_empty() {
        return;
    }
    let types = linter.catalogue.resource_types(service);
    if types.is_empty() && !linter.catalogue.has_service(service) {
        let similar = linter.catalogue.similar_service(service);
        linter.find(
            Code::InvalidService,
            at,
            format!("there is no service `{service}`"),
            did_you_mean(
                similar.map(str::to_owned),
                "write the service's prefix, such as `ecr`",
            ),
        );
        return;
    }
    if service.bytes().any(|byte| byte.is_ascii_uppercase()) {
        linter.find(
            Code::InvalidArnServiceCase,
            at,
            format!("the service of `{arn}` is not in lower case, and resources are compared with regard to case"),
            format!("write `{}`", service.to_lowercase()),
        );
        return;
    }
    if !region.is_empty() && !open(region) && !is_region(region) {
        linter.find(
            Code::InvalidArnRegion,
            at,
            format!("`{region}` has not the form of a region"),
            "write a region such as `us-east-1`, or `*`",
        );
        return;
    }
    let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if !account.is_empty() && !open(account) && !digits && account != "aws" {
        linter.find(
            Code::InvalidArnAccount,
            at,
            format!("`{account}` is no account ID"),
            "write the twelve digits of the account, or `*`",
        );
        return;
    }
    known_form(linter, text, fields, &types);
}

/// `us-east-1`, `us-gov-west-1`: words of letters, then a number.
fn is_region(text: &str) -> bool {
    let mut words = text.rsplit('-');
    let number = words.next().unwrap_or_default();
    let numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let words: Vec<&str> = words.collect();
    let word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    numbered && words.len() >= 2 && words.iter().all(word)
}

/// Compares an ARN with the forms that its service has.
fn known_form(linter: &mut Linter<'_>, text: &Text, fields: [&str; 5], types: &[ResourceType<'_>]) {
    let [_, service, region, account, name] = fields;
    let patterns = types.iter().flat_map(|kind| &kind.arn_patterns);
    let forms: Vec<Vec<&str>> = patterns
        .map(|pattern| arn_fields(pattern))
        .filter(|form| form.len() == 6 && form[2] == service)
        .collect();
    let meets = |form: &str, field: &str| Glob::form(form).overlaps(&Glob::new(field));
    let same_name: Vec<&Vec<&str>> = forms.iter().filter(|form| meets(form[5], name)).collect();
    let fits = |form: &&&Vec<&str>| meets(form[3], region) && meets(form[4], account);
    if forms.is_empty() || same_name.iter().any(|form| fits(&form)) {
        return;
    }
    let at = text.position;
    let arn = &*text.value;
    if same_name.is_empty() {
        let known = types
            .iter()
            .flat_map(|kind| kind.arn_patterns.iter().copied());
        linter.find(
            Code::InvalidArnResource,
            at,
            format!("no resource of `{service}` has an ARN like `{arn}`"),
            format!("its resources are {}", some_of(known)),
        );
        return;
    }
    let form = same_name
        .iter()
        .map(|form| form.join(":"))
        .collect::<Vec<_>>();
    let help = format!("write {}", some_of(form.iter().map(String::as_str)));
    let all =
        |field: usize, empty: bool| same_name.iter().all(|form| form[field].is_empty() == empty);
    let (code, message) = if !region.is_empty() && all(3, true) {
        (
            Code::ArnRegionNotAllowed,
            format!("ARNs like `{arn}` have no region"),
        )
    } else if region.is_empty() && all(3, false) {
        (Code::MissingArnRegion, format!("`{arn}` lacks the region"))
    } else if !account.is_empty() && all(4, true) {
        (
            Code::ArnAccountNotAllowed,
            format!("ARNs like `{arn}` have no account"),
        )
    } else if account.is_empty() && all(4, false) {
        if WITHOUT_ACCOUNT.contains(&service) {
            return;
        }
        (
            Code::InvalidArnAccount,
            format!("`{arn}` lacks the account"),
        )
    } else {
        let message = format!("no resource of `{service}` has an ARN like `{arn}`");
        (Code::InvalidArnResource, message)
    };
    linter.find(code, at, message, help);
}

/// Whether an entry of `Resource` stands for all resources whose last field has this prefix
/// (`role/`), whatever their account.
pub(super) fn is_all(text: &str, prefix: &str) -> bool {
    if Glob::new(text).is_star() {
        return true;
    }
    match arn_fields(text).last() {
        Some(name) if text.starts_with("arn:") => {
            has_wildcard(name) && Glob::new(name).covers(&Glob::new(&format!("{prefix}*")))
        }
        _ => false,
    }
}
