//! The values of a condition: are they of the operator's type?

use std::net::IpAddr;

use base64::Engine;

use policy::language::{Network, number};
use policy::language::{Operator, Test};
use policy::{ConditionEntry, Text};

use crate::covering::covered;
use crate::globs::{Glob, arn_fields, has_wildcard};
use crate::{Code, Linter, shortened};

pub(super) fn check(linter: &mut Linter<'_>, entry: &ConditionEntry, operator: Operator) {
    for text in &entry.values {
        if text.value.contains("${") {
            variable(linter, entry, operator, text);
        } else {
            value(linter, entry, operator, text);
        }
    }
    match operator.test {
        Test::Bool | Test::Null => both(linter, entry),
        Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike => {
            external_id(linter, entry, operator);
        }
        _ => {}
    }
    redundant(linter, entry, operator);
}

/// What becomes of a value that no value of the key can match. A negated operator holds where
/// none of its values matches (UG reference_policies_condition-logic-multiple-context-keys-or-values).
pub(super) fn nothing(entry: &ConditionEntry, operator: Operator) -> &'static str {
    match (operator.negated, entry.values.len()) {
        (false, _) => "it matches nothing",
        (true, 1) => "it excludes nothing: the condition always holds when the key is there",
        (true, _) => "it excludes nothing",
    }
}

/// Variables are expanded for strings, ARNs and booleans.
fn variable(linter: &mut Linter<'_>, entry: &ConditionEntry, operator: Operator, text: &Text) {
    match operator.test {
        Test::StringEquals | Test::StringEqualsIgnoreCase => wildcard(linter, entry, text),
        Test::StringLike | Test::Arn | Test::Bool => {}
        _ => linter.find(
            Code::InvalidVariableForOperator,
            text.position,
            format!(
                "`{}` takes no variables, so with this value {}",
                entry.operator.value,
                nothing(entry, operator)
            ),
            "write the value itself; variables go with String and Arn operators",
        ),
    }
}

fn value(linter: &mut Linter<'_>, entry: &ConditionEntry, operator: Operator, text: &Text) {
    let value = &*text.value;
    let at = text.position;
    match operator.test {
        Test::StringEquals | Test::StringEqualsIgnoreCase => wildcard(linter, entry, text),
        Test::StringLike => {}
        Test::Numeric(_) if number(value).is_none() => linter.find(
            Code::TypeMismatchNumber,
            at,
            format!("`{value}` is no number, so {}", nothing(entry, operator)),
            "write a decimal number",
        ),
        // Dates are checked when a document is read.
        Test::Numeric(_) | Test::Date(_) => {}
        Test::Bool | Test::Null if boolean(value).is_none() => linter.find(
            Code::TypeMismatchBoolean,
            at,
            format!(
                "`{value}` is neither `true` nor `false`, so {}",
                nothing(entry, operator)
            ),
            "write `true` or `false`",
        ),
        Test::Bool | Test::Null => {}
        Test::Binary => {
            if base64::engine::general_purpose::STANDARD
                .decode(value)
                .is_err()
            {
                linter.find(
                    Code::TypeMismatchString,
                    at,
                    format!("`{value}` is not base64, so {}", nothing(entry, operator)),
                    "write the bytes in base64",
                );
            }
        }
        Test::Arn => {
            if arn_fields(value).len() < 6 {
                linter.find(
                    Code::TypeMismatchArn,
                    at,
                    format!("`{value}` has fewer than the six fields of an ARN, so {}", nothing(entry, operator)),
                    "write `arn:partition:service:region:account:resource`, with `*` for any field; a `*` does not reach over a colon",
                );
            }
        }
        Test::Ip => address(linter, entry, operator, text),
    }
}

fn wildcard(linter: &mut Linter<'_>, entry: &ConditionEntry, text: &Text) {
    if has_wildcard(&text.value) {
        let name = &*entry.operator.value;
        linter.find(
            Code::WildcardWithoutLikeOperator,
            text.position,
            format!(
                "`{name}` takes the `*` or `?` of `{}` literally",
                text.value
            ),
            match name.contains("IgnoreCase") {
                true => {
                    "use `StringLike` for a wildcard; it compares with regard to case".to_owned()
                }
                false => format!(
                    "write `{}` for a wildcard, or `${{*}}` for the character",
                    name.replace("Equals", "Like")
                ),
            },
        );
    }
}

/// STS API Reference, AssumeRole: an external ID has at least two characters.
fn external_id(linter: &mut Linter<'_>, entry: &ConditionEntry, operator: Operator) {
    if !entry.key.value.eq_ignore_ascii_case("sts:ExternalId") {
        return;
    }
    for text in entry.values.iter().filter(|text| text.value.is_empty()) {
        linter.find(
            Code::EmptyExternalId,
            text.position,
            format!(
                "an external ID has two characters or more, so {}",
                match operator.negated {
                    false => "an empty one is never sent and this matches nothing",
                    true => "none is empty and this excludes nothing",
                }
            ),
            "write the ID that was agreed on, or leave the condition out",
        );
    }
}

fn boolean(text: &str) -> Option<bool> {
    text.to_ascii_lowercase().parse().ok()
}

fn both(linter: &mut Linter<'_>, entry: &ConditionEntry) {
    let asked = |wanted| {
        entry
            .values
            .iter()
            .any(|text| boolean(&text.value) == Some(wanted))
    };
    if asked(true) && asked(false) {
        linter.find(
            Code::InvalidConditionMultipleBoolean,
            entry.key.position,
            format!(
                "`{}` is asked to be true or false, whichever it is",
                entry.key.value
            ),
            "write one of the two",
        );
    }
}

/// A network, as bits and how many of them count.
pub(super) fn network(text: &str) -> Option<(IpAddr, u32)> {
    Network::parse(text)?;
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address.parse().ok()?, Some(prefix.parse().ok()?)),
        None => (text.parse().ok()?, None),
    };
    Some((address, prefix.unwrap_or(width(address))))
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Addresses as 128 bits, those of version 4 at the upper end, so that prefixes count alike.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn mask(prefix: u32) -> u128 {
    u128::MAX.checked_shl(128 - prefix).unwrap_or(0)
}

/// Whether every address of the second network is one of the first.
pub(super) fn network_covers(outer: (IpAddr, u32), inner: (IpAddr, u32)) -> bool {
    outer.0.is_ipv4() == inner.0.is_ipv4()
        && outer.1 <= inner.1
        && bits(outer.0) & mask(outer.1) == bits(inner.0) & mask(outer.1)
}

/// What the internet does not carry: RFC 1918, 3927, 4193, 4291, 6598, and loopback.
const PRIVATE: [&str; 9] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];

fn address(linter: &mut Linter<'_>, entry: &ConditionEntry, operator: Operator, text: &Text) {
    let value = &*text.value;
    let Some(found) = network(value) else {
        linter.find(
            Code::TypeMismatchIpRange,
            text.position,
            format!(
                "`{value}` is no address and no network, so {}",
                nothing(entry, operator)
            ),
            "write an address, or a network such as `203.0.113.0/24`",
        );
        return;
    };
    if bits(found.0) & !mask(found.1) != 0 {
        let plain = match found.0 {
            IpAddr::V4(address) => {
                let bits = address.to_bits() & (mask(found.1) >> 96) as u32;
                IpAddr::V4(bits.into())
            }
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() & mask(found.1)).into()),
        };
        linter.find(
            Code::ImproveIpRange,
            text.position,
            format!("`{value}` has bits behind its prefix, which are not compared"),
            format!(
                "write `{plain}/{}`, or the one address that is meant",
                found.1
            ),
        );
    }
    let private = PRIVATE
        .iter()
        .filter_map(|private| network(private))
        .any(|private| network_covers(private, found));
    if private && entry.key.value.eq_ignore_ascii_case("aws:SourceIp") {
        linter.find(
            Code::PrivateIpAddress,
            text.position,
            match operator.negated {
                false => format!("`{value}` is private: on AWS requests come from public addresses, and this never matches"),
                true => format!("`{value}` is private: on AWS requests come from public addresses, and this excludes none"),
            },
            "on AWS use `aws:VpcSourceIp` with `aws:SourceVpc`; on a server of your own the address that it sees is compared",
        );
    }
}

/// Values that another value of the list covers.
fn redundant(linter: &mut Linter<'_>, entry: &ConditionEntry, operator: Operator) {
    let values = &entry.values;
    let text = |at: usize| &*values[at].value;
    let count = values.len();
    let budget = &linter.work.values;
    let found = match operator.test {
        Test::StringLike | Test::Arn => {
            let globs: Vec<Glob> = values.iter().map(|v| Glob::new(&v.value)).collect();
            let wide = |at: usize| !globs[at].is_exact();
            covered(count, budget, text, wide, |i, j| {
                globs[i].covers(&globs[j], budget)
            })
        }
        Test::Ip => {
            let networks: Vec<_> = values.iter().map(|v| network(&v.value)).collect();
            let key = |at: usize| match networks[at] {
                Some((address, prefix)) => {
                    Ok((address.is_ipv4(), bits(address) & mask(prefix), prefix))
                }
                None => Err(text(at)),
            };
            let wide =
                |at: usize| networks[at].is_some_and(|(address, prefix)| prefix < width(address));
            covered(count, budget, key, wide, |i, j| {
                match (networks[i], networks[j]) {
                    (Some(one), Some(two)) => budget.take(1) && network_covers(one, two),
                    _ => false,
                }
            })
        }
        Test::StringEqualsIgnoreCase => covered(
            count,
            budget,
            |at| text(at).to_lowercase(),
            |_| false,
            |_, _| false,
        ),
        _ => covered(count, budget, text, |_| false, |_, _| false),
    };
    for (at, other) in found {
        linter.find(
            Code::RedundantConditionValue,
            values[at].position,
            format!(
                "`{}` is covered by `{}` beside it",
                text(at),
                shortened(text(other))
            ),
            "leave it out",
        );
    }
}
