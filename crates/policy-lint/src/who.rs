//! Which conditions limit who calls, or from where, so that `*` does not mean everyone.
//!
//! A key alone limits nothing: a role of any account matches `arn:aws:iam::*:role/admin`. The value
//! must be one that outsiders cannot have. S3 requires fixed values, without wildcards and variables
//! (S3 User Guide, access-control-block-public-access, "The meaning of public"), and so does this
//! module, with two differences, both because a finding says that anyone is allowed: a value is
//! fixed if its wildcard comes after the part that names the owner
//! (`arn:aws:iam::111122223333:role/*`), or if its variable is the owner of the resource, which
//! the caller does not choose.

use std::net::IpAddr;

use policy::language::{Operator, Quantifier, Test, is_open};
use policy::{ConditionEntry, Statement};

use crate::addresses::network;
use crate::globs::arn_fields;

/// What must be fixed in a key's values.
#[derive(Clone, Copy)]
enum Fixed {
    /// All of it: an ID.
    Whole,
    /// The account of an ARN, or its resource if it has no account (buckets).
    Account,
    /// The part before the first such character.
    Before(char),
    /// The addresses, as a network that is not too large.
    Network,
    /// The value is `true`.
    True,
}

/// The keys, in lower case: UG reference_policies_condition-keys, "Properties of the principal",
/// "of the network" and "of the resource", and the S3 page above. Tags, types and names of users are
/// not included: outsiders choose their own. Neither is `aws:VpcSourceIp`: every VPC may have the
/// same private addresses.
const WHO: [(&str, Fixed); 25] = [
    ("aws:principalarn", Fixed::Account),
    ("aws:principalaccount", Fixed::Whole),
    ("aws:principalorgid", Fixed::Whole),
    ("aws:principalorgpaths", Fixed::Before('/')),
    ("aws:principalservicename", Fixed::Whole),
    ("aws:principalservicenameslist", Fixed::Whole),
    ("aws:principalisawsservice", Fixed::True),
    ("aws:sourceip", Fixed::Network),
    ("aws:sourcevpc", Fixed::Whole),
    ("aws:sourcevpce", Fixed::Whole),
    ("aws:sourcevpcarn", Fixed::Account),
    ("aws:vpceaccount", Fixed::Whole),
    ("aws:vpceorgid", Fixed::Whole),
    ("aws:vpceorgpaths", Fixed::Before('/')),
    ("aws:sourcearn", Fixed::Account),
    ("aws:sourceaccount", Fixed::Whole),
    ("aws:sourceorgid", Fixed::Whole),
    ("aws:sourceorgpaths", Fixed::Before('/')),
    // The predecessor of `aws:SourceAccount`, which SNS's own policies still use (SNS Developer
    // Guide, sns-access-policy-use-cases).
    ("aws:sourceowner", Fixed::Whole),
    // `AROAEXAMPLE:session`: the ID names the user or role.
    ("aws:userid", Fixed::Before(':')),
    // The account of the caller (KMS Developer Guide, conditions-kms).
    ("kms:calleraccount", Fixed::Whole),
    // Mount targets are in the VPCs of the file system's owner (EFS User Guide,
    // access-control-block-public-access).
    ("elasticfilesystem:accessedviamounttarget", Fixed::True),
    ("s3:dataaccesspointaccount", Fixed::Whole),
    ("s3:dataaccesspointarn", Fixed::Account),
    (
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
        Fixed::Whole,
    ),
];

/// Keys that limit for which of its customers a service acts (UG confused-deputy).
const SOURCE: [&str; 5] = [
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
];

/// Variables whose value depends on the resource, not on the caller.
const OF_THE_RESOURCE: [&str; 2] = ["${aws:resourceaccount}", "${aws:resourceorgid}"];

/// The shortest prefixes that S3 accepts as a limit, of IPv4 and IPv6.
const PREFIX_MIN: (u32, u32) = (8, 32);

/// Whether a statement limits who calls, or from where.
pub(super) fn is_limited(statement: &Statement) -> bool {
    statement.conditions.iter().any(is_limit)
}

/// Whether the condition limits anything: it needs the key, and does not accept every value.
pub(super) fn limits(entry: &ConditionEntry) -> bool {
    needs(entry).is_some() && !entry.values.iter().any(|value| is_open(&value.value))
}

/// Whether a statement limits for whom a service acts.
pub(super) fn is_source_limited(statement: &Statement) -> bool {
    statement.conditions.iter().any(|entry| {
        let key = entry.key.value.to_ascii_lowercase();
        SOURCE.contains(&&*key) && is_limit(entry)
    })
}

/// The operator, if a request fails the condition without the key or with a value that is not
/// listed.
pub(super) fn needs(entry: &ConditionEntry) -> Option<Operator> {
    Operator::parse(&entry.operator.value).filter(|operator| {
        !operator.negated
            && !operator.if_exists
            && operator.quantifier != Quantifier::ForAllValues
            && operator.test != Test::Null
    })
}

fn is_limit(entry: &ConditionEntry) -> bool {
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
    // Other operators compare wildcards literally.
    let like = matches!(test, Test::StringLike | Test::Arn);
    let end = match like {
        true => value.find(['*', '?']).unwrap_or(value.len()),
        false => value.len(),
    };
    let head = &value[..end];
    match fixed {
        Fixed::Whole => end == value.len(),
        Fixed::Before(mark) => end == value.len() || head.contains(mark),
        Fixed::True => value.eq_ignore_ascii_case("true"),
        Fixed::Network => match network(&value) {
            Some((IpAddr::V4(_), prefix)) => prefix >= PREFIX_MIN.0,
            Some((IpAddr::V6(_), prefix)) => prefix >= PREFIX_MIN.1,
            // Not an address: it matches nothing, and the check of values reports it.
            None => end == value.len(),
        },
        Fixed::Account => end == value.len() || has_account(&value, end, test),
    }
}

/// Whether an ARN with its first wildcard at `end` names its owner.
fn has_account(arn: &str, end: usize, test: Test) -> bool {
    let fields = arn_fields(arn);
    let [_, _, service, _, account, name] = fields[..] else {
        return false;
    };
    let closed = |text: &str| !text.contains(['*', '?']);
    // An ARN operator matches field by field. With a string operator a wildcard also matches
    // colons, so everything before the end of the account must be fixed.
    let name_at = arn.len() - name.len();
    if test != Test::Arn && end < name_at {
        return false;
    }
    if !account.is_empty() && closed(account) {
        return true;
    }
    // Bucket names are globally unique, whatever the other fields are (S3 User Guide,
    // bucketnamingrules).
    let bucket = service == "s3" && !name.contains('/');
    (account.is_empty() || bucket) && closed(name)
}

/// The value with the variables of the resource's owner replaced; `None` if it has others, whose
/// value the caller may choose.
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
