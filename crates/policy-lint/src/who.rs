//! Which conditions tell who calls, or from where, so that `*` is not everyone.
//!
//! A key alone limits nothing: anyone of any account fits `arn:aws:iam::*:role/admin`. What
//! counts is a value that outsiders cannot bring about. S3 draws the line at fixed values,
//! without wildcards and variables (S3 User Guide, access-control-block-public-access, "The
//! meaning of public"), and so does this module, with two differences, both because a finding
//! says that anyone is allowed: a wildcard behind the part that tells whose it is leaves the
//! value fixed (`arn:aws:iam::111122223333:role/*`), and so does a variable that stands for the
//! owner of the resource, which is not the caller's choice.

use std::net::IpAddr;

use policy::language::{Operator, Quantifier, Test};
use policy::{ConditionEntry, Statement};

use crate::globs::arn_fields;
use crate::values::network;

/// What must be fixed in a key's values.
#[derive(Clone, Copy)]
enum Fixed {
    /// All of it: an ID.
    Whole,
    /// The account of an ARN, or where it has none the resource, as with buckets.
    Account,
    /// What stands ahead of the first character of this kind.
    Ahead(char),
    /// The addresses, to a network that is not very broad.
    Network,
    /// It is asked to be true.
    True,
}

/// The keys, in lower case: UG reference_policies_condition-keys, "Properties of the principal",
/// "of the network" and "of the resource", and the S3 page above. Tags, types and names of users
/// are not among them: outsiders give those to themselves. Nor is `aws:VpcSourceIp`, as every VPC
/// may have the same private addresses.
const WHO: [(&str, Fixed); 25] = [
    ("aws:principalarn", Fixed::Account),
    ("aws:principalaccount", Fixed::Whole),
    ("aws:principalorgid", Fixed::Whole),
    ("aws:principalorgpaths", Fixed::Ahead('/')),
    ("aws:principalservicename", Fixed::Whole),
    ("aws:principalservicenameslist", Fixed::Whole),
    ("aws:principalisawsservice", Fixed::True),
    ("aws:sourceip", Fixed::Network),
    ("aws:sourcevpc", Fixed::Whole),
    ("aws:sourcevpce", Fixed::Whole),
    ("aws:sourcevpcarn", Fixed::Account),
    ("aws:vpceaccount", Fixed::Whole),
    ("aws:vpceorgid", Fixed::Whole),
    ("aws:vpceorgpaths", Fixed::Ahead('/')),
    ("aws:sourcearn", Fixed::Account),
    ("aws:sourceaccount", Fixed::Whole),
    ("aws:sourceorgid", Fixed::Whole),
    ("aws:sourceorgpaths", Fixed::Ahead('/')),
    // Ahead of `aws:SourceAccount` there was this, which SNS's own policies still name (SNS
    // Developer Guide, sns-access-policy-use-cases).
    ("aws:sourceowner", Fixed::Whole),
    // `AROAEXAMPLE:session`: the ID of the user or role tells whose session it is.
    ("aws:userid", Fixed::Ahead(':')),
    // The account of the caller (KMS Developer Guide, conditions-kms).
    ("kms:calleraccount", Fixed::Whole),
    // Mount targets stand in the VPCs of the file system's owner (EFS User Guide,
    // access-control-block-public-access).
    ("elasticfilesystem:accessedviamounttarget", Fixed::True),
    ("s3:dataaccesspointaccount", Fixed::Whole),
    ("s3:dataaccesspointarn", Fixed::Account),
    (
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
        Fixed::Whole,
    ),
];

/// Keys that say for which of its customers a service acts (UG confused-deputy).
const SOURCE: [&str; 5] = [
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
];

/// Variables whose value is the resource's, whoever calls.
const OF_THE_RESOURCE: [&str; 2] = ["${aws:resourceaccount}", "${aws:resourceorgid}"];

/// The broadest networks that S3 does not take for the whole world, by their prefix.
const PREFIX_MIN: (u32, u32) = (8, 32);

/// Whether a statement says who calls, or from where.
pub(super) fn is_told(statement: &Statement) -> bool {
    statement.conditions.iter().any(tells)
}

/// Whether a statement says for whom a service acts.
pub(super) fn is_source_told(statement: &Statement) -> bool {
    statement.conditions.iter().any(|entry| {
        let key = entry.key.value.to_ascii_lowercase();
        SOURCE.contains(&&*key) && tells(entry)
    })
}

/// Whether a request without the key fails the condition, or with a value that is not listed.
pub(super) fn needs(entry: &ConditionEntry) -> Option<Operator> {
    Operator::parse(&entry.operator.value).filter(|operator| {
        !operator.negated
            && !operator.if_exists
            && operator.quantifier != Quantifier::ForAllValues
            && operator.test != Test::Null
    })
}

fn tells(entry: &ConditionEntry) -> bool {
    let key = entry.key.value.to_ascii_lowercase();
    let known = WHO.iter().find(|(known, _)| *known == key);
    let (Some((_, fixed)), Some(operator)) = (known, needs(entry)) else {
        return false;
    };
    let mut values = entry.values.iter();
    values.all(|text| is_fixed(&text.value, *fixed, operator.test))
}

fn is_fixed(value: &str, fixed: Fixed, test: Test) -> bool {
    let Some(value) = resolved(value) else {
        return false;
    };
    // Other operators take wildcards for what they are.
    let like = matches!(test, Test::StringLike | Test::Arn);
    let end = match like {
        true => value.find(['*', '?']).unwrap_or(value.len()),
        false => value.len(),
    };
    let head = &value[..end];
    match fixed {
        Fixed::Whole => end == value.len(),
        Fixed::Ahead(mark) => end == value.len() || head.contains(mark),
        Fixed::True => value.eq_ignore_ascii_case("true"),
        Fixed::Network => match network(&value) {
            Some((IpAddr::V4(_), prefix)) => prefix >= PREFIX_MIN.0,
            Some((IpAddr::V6(_), prefix)) => prefix >= PREFIX_MIN.1,
            // No address: it matches none, and the values' own check says so.
            None => end == value.len(),
        },
        Fixed::Account => end == value.len() || has_account(&value, end, test),
    }
}

/// Whether an ARN, whose first wildcard is at `end`, tells whose it is.
fn has_account(arn: &str, end: usize, test: Test) -> bool {
    let fields = arn_fields(arn);
    let [_, _, service, _, account, name] = fields[..] else {
        return false;
    };
    let closed = |text: &str| !text.contains(['*', '?']);
    // An ARN operator matches field by field; a string's wildcard reaches over the colons, so
    // that all ahead of the account's end must be fixed.
    let name_at = arn.len() - name.len();
    if test != Test::Arn && end < name_at {
        return false;
    }
    if !account.is_empty() && closed(account) {
        return true;
    }
    // Names of buckets are the world's, whatever stands in the fields ahead (S3 User Guide,
    // bucketnamingrules).
    let bucket = service == "s3" && !name.contains('/');
    (account.is_empty() || bucket) && closed(name)
}

/// The value with the owner of the resource in place of its variables; `None` when it holds
/// others, which may be the caller's choice.
fn resolved(value: &str) -> Option<String> {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find("${") {
        let variable = OF_THE_RESOURCE.iter().find(|variable| {
            let found = rest[at..].get(..variable.len());
            found.is_some_and(|found| found.eq_ignore_ascii_case(variable))
        })?;
        text.push_str(&rest[..at]);
        text.push('0');
        rest = &rest[at + variable.len()..];
    }
    text.push_str(rest);
    Some(text)
}
