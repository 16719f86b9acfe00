//! The ARNs of `Resource`: six fields, and a form that the service has.

use std::rc::Rc;

use policy::Text;
use policy::language::is_valid_resource;

use crate::facts::Kind;
use crate::globs::{Glob, arn_fields};
use crate::{Code, Linter, Problem, did_you_mean, documented, some_of};

/// Services whose ARNs without an account are AWS's own: public documents and parameters,
/// views that AWS manages.
const WITHOUT_ACCOUNT: [&str; 2] = ["resource-explorer-2", "ssm"];

/// The forms of the ARNs that name one service.
pub(super) struct Forms<'a> {
    /// As the reference writes them.
    texts: Vec<&'a str>,
    forms: Vec<Form<'a>>,
}

struct Form<'a> {
    fields: Vec<&'a str>,
    region: Glob,
    account: Glob,
    name: Glob,
}

impl<'a> Forms<'a> {
    fn of(linter: &mut Linter<'a>, service: &str) -> Rc<Forms<'a>> {
        if let Some(known) = linter.arn_services.get(service) {
            return Rc::clone(known);
        }
        let types = linter.catalogue.resource_types(service);
        let listed = types.into_iter().flat_map(|t| t.arn_patterns);
        let mut texts: Vec<&str> = listed.collect();
        if !texts.is_empty() {
            texts.extend(documented::of_service(service));
        }
        let fields = texts.iter().map(|text| arn_fields(text));
        let forms = fields.filter(|form| form.len() == 6 && form[2] == service);
        let forms = forms.map(|fields| Form {
            region: Glob::form(fields[3]),
            account: Glob::form(fields[4]),
            name: Glob::form(fields[5]),
            fields,
        });
        let forms = Rc::new(Forms {
            forms: forms.collect(),
            texts,
        });
        let known = &mut linter.arn_services;
        known.insert(service.to_owned(), Rc::clone(&forms));
        forms
    }
}

/// Whether the entry is `*` or a well-formed ARN; says what is not.
pub(super) fn check<'a>(linter: &mut Linter<'a>, text: &'a Text) -> bool {
    if !linter.arns.contains_key(&text.value) {
        let problem = problem(linter, &text.value);
        linter.arns.insert(text.value.clone(), Rc::new(problem));
    }
    let problem = Rc::clone(&linter.arns[&text.value]);
    if let Some(problem) = &*problem {
        problem.at(linter, text.position);
    }
    // What IAM refuses fits no action, and IAM has said so.
    problem.is_none() && is_valid_resource(text, linter.document.kind())
}

fn problem<'a>(linter: &mut Linter<'a>, arn: &'a str) -> Option<Problem> {
    if !arn.starts_with("arn:") {
        return None;
    }
    let all = arn_fields(arn);
    // A field with a colon behind it is complete, however few they are.
    if let [_, partition, service, _, ..] = all[..]
        && let Some(problem) = no_service(linter, partition, service)
    {
        return Some(problem);
    }
    match all[..] {
        [_, _, service, region, account, name] => {
            fields(linter, arn, [service, region, account, name])
        }
        // A wildcard at the end may stand for the fields that follow.
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

/// A service field that names none.
fn no_service(linter: &mut Linter<'_>, partition: &str, service: &str) -> Option<Problem> {
    if open(service) || linter.facts.services.is_empty() {
        return None;
    }
    let known = !Forms::of(linter, service).texts.is_empty();
    if known || linter.facts.prefix(service).is_some() {
        return None;
    }
    let help = match service {
        "" => "write the service's prefix, such as `ecr`, behind the partition".to_owned(),
        region if is_region(region) => format!(
            "`{region}` is a region: the service is missing ahead of it; write `arn:{partition}:service:{region}:…`"
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
                "the service of `{arn}` is not in lower case, and resources are compared with regard to case"
            ),
            format!("write `{}`", service.to_lowercase()),
        ));
    }
    if !region.is_empty() && !open(region) && !is_region(region) {
        return Some(Problem::new(
            Code::InvalidArnRegion,
            format!("`{region}` has not the form of a region"),
            "write a region such as `us-east-1`, or `*`",
        ));
    }
    if !region.is_empty() && !open(region) && !may_be_of_aws(region) {
        return Some(unknown_region(region));
    }
    let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if !account.is_empty() && !open(account) && !digits && account != "aws" {
        return Some(Problem::new(
            Code::InvalidArnAccount,
            format!("`{account}` is no account ID"),
            "write the twelve digits of the account, or `*`",
        ));
    }
    image(arn, service, name).or_else(|| known_form(linter, arn, fields))
}

/// A repository's ARN with a tag or a digest behind it. Actions on images act on their
/// repository (Service Authorization Reference, Amazon ECR), whose name holds neither a colon
/// nor an at sign (ECR API Reference, CreateRepository).
fn image(arn: &str, service: &str, name: &str) -> Option<Problem> {
    let name = name.strip_prefix("repository/")?;
    if !matches!(service, "ecr" | "ecr-public") {
        return None;
    }
    // A colon of a variable is none of the name.
    let mut plain = String::new();
    let mut rest = name;
    while let Some((before, behind)) = rest.split_once("${") {
        plain.push_str(before);
        rest = behind.split_once('}').map_or("", |(_, behind)| behind);
    }
    plain.push_str(rest);
    plain.find([':', '@'])?;
    Some(Problem::new(
        Code::EcrImageInRepositoryArn,
        format!(
            "`{arn}` names a tag or digest, which no repository's ARN has, so it matches nothing"
        ),
        "end it behind the repository's name: permissions are of repositories, not of images",
    ))
}

/// `us-east-1`, `us-gov-west-1`: words of letters, then a number.
pub(super) fn is_region(text: &str) -> bool {
    let mut words = text.rsplit('-');
    let number = words.next().unwrap_or_default();
    let numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let words: Vec<&str> = words.collect();
    let word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    numbered && words.len() >= 2 && words.iter().all(word)
}

/// What the last word of a region's name is.
const DIRECTIONS: [&str; 9] = [
    "central",
    "east",
    "north",
    "northeast",
    "northwest",
    "south",
    "southeast",
    "southwest",
    "west",
];

/// Whether a region may be one of AWS. Which there are changes, and a list of them would be wrong
/// about the next one; but every name so far is an area, a direction and a number (General
/// Reference, rande, as of 2026-11).
pub(super) fn may_be_of_aws(region: &str) -> bool {
    let direction = region.rsplit('-').nth(1);
    direction.is_some_and(|word| DIRECTIONS.contains(&word))
}

/// What is wrong with a region that cannot be one of AWS.
pub(super) fn unknown_region(region: &str) -> Problem {
    Problem::new(
        Code::UnknownRegion,
        format!("AWS has no region `{region}`"),
        "write an area, a direction and a number, such as `us-east-1`; a server of your own may have regions of its own",
    )
}

/// Compares an ARN with the forms that its service has.
fn known_form<'a>(linter: &mut Linter<'a>, arn: &str, fields: [&str; 4]) -> Option<Problem> {
    let [service, region, account, name] = fields;
    let known = Forms::of(linter, service);
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
    if same_name.is_empty() {
        return Some(Problem::new(
            Code::InvalidArnResource,
            format!("no resource of `{service}` has an ARN like `{arn}`"),
            format!("its resources are {}", some_of(known.texts.iter().copied())),
        ));
    }
    let forms: Vec<String> = same_name.iter().map(|form| form.fields.join(":")).collect();
    let help = format!("write {}", some_of(forms.iter().map(String::as_str)));
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
        (Code::MissingArnRegion, format!("`{arn}` lacks the region"))
    } else if !account.is_empty() && all(4, true) {
        (
            Code::ArnAccountNotAllowed,
            format!("ARNs like `{arn}` have no account"),
        )
    } else if account.is_empty() && all(4, false) {
        if WITHOUT_ACCOUNT.contains(&service) {
            return None;
        }
        (
            Code::InvalidArnAccount,
            format!("`{arn}` lacks the account"),
        )
    } else {
        let message = format!("no resource of `{service}` has an ARN like `{arn}`");
        (Code::InvalidArnResource, message)
    };
    Some(Problem::new(code, message, help))
}
