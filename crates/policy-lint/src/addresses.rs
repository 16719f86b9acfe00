//! IP addresses and networks in conditions.

use std::net::IpAddr;

use policy::language::{Network, Operator};
use policy::{ConditionEntry, Text};

use crate::codes::Code;
use crate::linter::Linter;

/// An address, and how many of its bits are compared.
pub(crate) type Range = (IpAddr, u32);

/// Reads an address or a network.
pub(crate) fn network(text: &str) -> Option<Range> {
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

/// The address as 128 bits. IPv4 addresses are the upper bits, so that prefixes count alike.
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
pub(crate) fn network_covers(outer: Range, inner: Range) -> bool {
    outer.0.is_ipv4() == inner.0.is_ipv4()
        && outer.1 <= inner.1
        && bits(outer.0) & mask(outer.1) == bits(inner.0) & mask(outer.1)
}

/// The form that equal networks share.
pub(crate) fn canonical((address, prefix): Range) -> (bool, u128, u32) {
    (address.is_ipv4(), bits(address) & mask(prefix), prefix)
}

/// Whether the network has more than one address.
pub(crate) fn is_wide((address, prefix): Range) -> bool {
    prefix < width(address)
}

/// Networks that are not routed on the internet: RFC 1918, 3927, 4193, 4291, 6598, and loopback.
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

fn is_private(found: Range) -> bool {
    let mut networks = PRIVATE.iter().filter_map(|private| network(private));
    networks.any(|private| network_covers(private, found))
}

/// Checks one value; `nothing` says what becomes of a value that matches nothing.
pub(crate) fn value(linter: &mut Linter<'_>, text: &Text, nothing: &str) {
    let value = &*text.value;
    let Some(found) = network(value) else {
        linter.find(
            Code::TypeMismatchIpRange,
            text.position,
            format!("`{value}` is not an IP address or network, so {nothing}"),
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
            format!("`{value}` has bits after its prefix, which are not compared"),
            format!(
                "write `{plain}/{}`, or the one address that is meant",
                found.1
            ),
        );
    }
}

/// AWS sees only public addresses; a server of your own may see private ones, so these findings are
/// suggestions here and errors in Access Analyzer.
pub(crate) fn private(linter: &mut Linter<'_>, entry: &ConditionEntry, operator: Operator) {
    if !entry.key.value.eq_ignore_ascii_case("aws:SourceIp") {
        return;
    }
    let of_private = |text: &&Text| network(&text.value).is_some_and(is_private);
    let found: Vec<&Text> = entry.values.iter().filter(of_private).collect();
    let Some(first) = found.first() else {
        return;
    };
    let all = found.len() == entry.values.len();
    let (code, effect) = match (operator.negated, all) {
        (false, true) => (Code::PrivateIpAddress, "this condition never matches"),
        (false, false) => (Code::PrivateIpAddressSubset, "this value never matches"),
        (true, true) => (Code::PrivateNotIpAddress, "this condition excludes nothing"),
        (true, false) => (
            Code::PrivateNotIpAddressSubset,
            "this value excludes nothing",
        ),
    };
    linter.find(
        code,
        first.position,
        format!("`{}` is private: AWS sees requests from public addresses only, and there {effect}", first.value),
        "on AWS use `aws:VpcSourceIp` with `aws:SourceVpc`; a server of your own compares the address that it sees",
    );
}
