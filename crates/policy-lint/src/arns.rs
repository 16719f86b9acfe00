//! The ARNs of `Resource`: six fields, in a form that the service has.

use std::rc::Rc;

use policy::Text;
use policy::language::is_valid_resource;

use crate::arn_forms::Form;
use crate::codes::Code;
use crate::facts::Kind;
use crate::globs::{Glob, arn_fields, has_wildcard};
use crate::linter::{Linter, is_fully_known};
use crate::messages::{Problem, did_you_mean, some_of};
use crate::regions;
use crate::unlisted;

/// Services whose ARNs without an account belong to AWS: public documents and parameters, managed
/// views.
const WITHOUT_ACCOUNT: [&str; 2] = ["resource-explorer-2", "ssm"];

/// Whether the entry is `*` or a well-formed ARN; reports what is wrong with it.
pub(super) fn check<'a>(linter: &mut Linter<'a>, text: &'a Text) -> bool {
    if !linter.arns.contains_key(&text.value) {
        let problem = problem(linter, &text.value);
        linter.arns.insert(text.value.clone(), Rc::new(problem));
    }
    let problem = Rc::clone(&linter.arns[&text.value]);
    if let Some(problem) = &*problem {
        linter.report(problem, text.position);
    }
    // An entry that IAM refuses has a finding of its own.
    !problem.as_ref().as_ref().is_some_and(Problem::is_error)
        && is_valid_resource(text, linter.document.kind())
}

fn problem<'a>(linter: &mut Linter<'a>, arn: &'a str) -> Option<Problem> {
    if !arn.starts_with("arn:") {
        return None;
    }
    let all = arn_fields(arn);
    // A field that ends in a colon is complete.
    if let [_, partition, service, _, ..] = all[..]
        && let Some(problem) = no_service(linter, partition, service)
    {
        return Some(problem);
    }
    match all[..] {
        [_, _, service, region, account, name] => {
            fields(linter, arn, [service, region, account, name])
        }
        // A wildcard at the end may match the missing fields.
        _ if arn.ends_with('*') => None,
        _ => Some(Problem::new(
            Code::MissingArnField,
            format!("`{arn}` has fewer than the six fields of an ARN"),
            "write `arn:partition:service:region:account:resource`; region and account may be empty",
        )),
    }
}

fn open(field: &str) -> bool {
    field.contains(['*', '?']) || field.contains("${")
}

/// The service field, if it is not a service.
fn no_service(linter: &mut Linter<'_>, partition: &str, service: &str) -> Option<Problem> {
    if open(service) || linter.facts.services.is_empty() {
        return None;
    }
    let known = !linter.facts.arn_forms(service).texts.is_empty();
    if known || linter.facts.prefix(service).is_some() || unlisted::is_service(service) {
        return None;
    }
    let help = match service {
        "" => "write the service's prefix, such as `ecr`, after the partition".to_owned(),
        region if regions::has_form(region) => format!(
            "`{region}` is a region, and the service before it is missing; write `arn:{partition}:service:{region}:…`"
        ),
        _ => {
            let similar = linter.facts.similar(Kind::Service, "", service);
            did_you_mean(similar, "write the service's prefix, such as `ecr`")
        }
    };
    let message = format!("there is no service `{service}`");
    Some(Problem::new(Code::InvalidService, message, help))
}

fn fields<'a>(linter: &mut Linter<'a>, arn: &'a str, fields: [&str; 4]) -> Option<Problem> {
    let [service, region, account, name] = fields;
    if open(service) || linter.facts.services.is_empty() {
        return None;
    }
    if service.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Some(Problem::new(
            Code::InvalidArnServiceCase,
            format!(
                "the service of `{arn}` has upper-case letters, and resources are case-sensitive"
            ),
            format!("write `{}`", service.to_lowercase()),
        ));
    }
    if !region.is_empty() && !open(region) && !regions::is_possible(region) {
        return Some(Problem::new(
            Code::InvalidArnRegion,
            format!("`{region}` is not a region"),
            regions::help(region),
        ));
    }
    let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if !account.is_empty() && !open(account) && !digits && account != "aws" {
        return Some(Problem::new(
            Code::InvalidArnAccount,
            format!("`{account}` is not an account ID"),
            "write the twelve digits of the account, or `*`",
        ));
    }
    image(arn, service, name).or_else(|| known_form(linter, arn, fields))
}

/// A repository's ARN that ends in a tag or a digest. Image actions apply to repositories (Service
/// Authorization Reference, Amazon ECR), whose names have neither a colon nor an at sign (ECR API
/// Reference, CreateRepository).
fn image(arn: &str, service: &str, name: &str) -> Option<Problem> {
    let name = name.strip_prefix("repository/")?;
    if !matches!(service, "ecr" | "ecr-public") {
        return None;
    }
    // A colon inside a variable is not part of the name.
    let mut plain = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once("${") {
        plain.push_str(before);
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain.find([':', '@'])?;
    Some(Problem::new(
        Code::EcrImageInRepositoryArn,
        format!("`{arn}` has a tag or digest; no repository's ARN has one, so it matches nothing"),
        "end it after the repository's name: permissions apply to repositories, not to images",
    ))
}

/// Compares an ARN with the forms that its service has.
fn known_form<'a>(linter: &mut Linter<'a>, arn: &str, fields: [&str; 4]) -> Option<Problem> {
    let [service, region, account, name] = fields;
    let known = linter.facts.arn_forms(service);
    let budget = &linter.work.resources;
    if budget.is_spent() {
        return None;
    }
    let field = Glob::new(name);
    let same_name: Vec<&Form<'_>> = known
        .forms
        .iter()
        .filter(|form| form.name.overlaps(&field, budget))
        .collect();
    let (region_field, account_field) = (Glob::new(region), Glob::new(account));
    let fits = |form: &&Form<'_>| {
        form.region.overlaps(&region_field, budget) && form.account.overlaps(&account_field, budget)
    };
    if known.forms.is_empty() || same_name.iter().any(fits) || budget.is_spent() {
        return None;
    }
    let no_form = |help: String| {
        let code = match is_fully_known(service) {
            true => Code::InvalidArnResource,
            false => Code::ArnFormNotDocumented,
        };
        let message = match is_fully_known(service) {
            true => format!("no resource of `{service}` has an ARN like `{arn}`"),
            false => format!("AWS documents no ARN like `{arn}` for `{service}`"),
        };
        Some(Problem::new(code, message, help))
    };
    if same_name.is_empty() {
        let forms = some_of(known.texts.iter().copied());
        return no_form(format!("the documented ARNs are {forms}"));
    }
    let forms: Vec<String> = same_name.iter().map(|form| form.fields.join(":")).collect();
    let help = format!("write {}", some_of(forms.iter().map(String::as_str)));
    // A name that is a wildcard does not say which of the forms is meant.
    if has_wildcard(name) && Glob::new(name).is_star() {
        return no_form(help);
    }
    let all = |field: usize, empty: bool| {
        let mut forms = same_name.iter();
        forms.all(|form| form.fields[field].is_empty() == empty)
    };
    let (code, message) = if !region.is_empty() && all(3, true) {
        (
            Code::ArnRegionNotAllowed,
            format!("ARNs like `{arn}` have no region"),
        )
    } else if region.is_empty() && all(3, false) {
        (Code::MissingArnRegion, format!("`{arn}` has no region"))
    } else if !account.is_empty() && all(4, true) {
        (
            Code::ArnAccountNotAllowed,
            format!("ARNs like `{arn}` have no account"),
        )
    } else if account.is_empty() && all(4, false) {
        if WITHOUT_ACCOUNT.contains(&service) {
            return None;
        }
        (Code::MissingArnAccount, format!("`{arn}` has no account"))
    } else {
        return no_form(help);
    };
    Some(Problem::new(code, message, help))
}
