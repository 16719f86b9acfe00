//! Strings, and what is read from them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use regex::Regex;
use serde_json::Value;

/// Compiled expressions that are kept.
const REGEXES_MAX: usize = 4_096;

thread_local! {
    static REGEXES: RefCell<HashMap<String, Regex>> = RefCell::new(HashMap::new());
}

pub fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().collect(),
        Value::Null => Vec::new(),
        value => vec![value],
    }
}

pub fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// U+E000 and U+E001 are the literal wildcards that variables bring.
pub fn wildcard(pattern: &str, text: &str) -> bool {
    REGEXES.with_borrow_mut(|regexes| {
        if regexes.len() >= REGEXES_MAX {
            regexes.clear();
        }
        let known = regexes.entry(pattern.to_owned());
        known.or_insert_with(|| regex(pattern)).is_match(text)
    })
}

fn regex(pattern: &str) -> Regex {
    let body: String = pattern
        .chars()
        .map(|character| match character {
            '*' => ".*".to_owned(),
            '?' => ".".to_owned(),
            '\u{e000}' => r"\*".to_owned(),
            '\u{e001}' => r"\?".to_owned(),
            other => regex::escape(&other.to_string()),
        })
        .collect();
    Regex::new(&format!("(?s)^{body}$")).expect("a regular expression")
}

/// Version 4 is written as what version 6 maps it to, so that all addresses have 128 bits.
pub fn in_network(have: &str, want: &str) -> bool {
    let bits = |text: &str| {
        let address: IpAddr = text.parse().ok()?;
        let mapped = match address {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        let v4 = mapped.to_ipv4_mapped().is_some();
        Some((format!("{:0128b}", mapped.to_bits()), v4))
    };
    let (network, prefix) = match want.split_once('/') {
        Some((network, prefix)) if network.contains(':') => (network, prefix.parse().ok()),
        Some((network, prefix)) => (network, prefix.parse().ok().map(|bits: usize| bits + 96)),
        None => (want, Some(128)),
    };
    match (bits(have), bits(network), prefix) {
        (Some((have, have_v4)), Some((network, network_v4)), Some(prefix)) => {
            have_v4 == (network_v4 && prefix >= 96) && have[..prefix] == network[..prefix]
        }
        _ => false,
    }
}

/// The W3C's forms of a date, or seconds since the epoch; in nanoseconds since then.
pub fn date(text: &str) -> Option<i128> {
    let year = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !year && let Ok(seconds) = text.parse::<f64>() {
        return Some((seconds * 1_000.0) as i128 * 1_000_000);
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp.as_nanosecond());
    }
    let whole = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    let date: Date = whole.parse().ok()?;
    Some(
        date.to_zoned(TimeZone::UTC)
            .ok()?
            .timestamp()
            .as_nanosecond(),
    )
}

/// Base64 with its padding.
pub fn bytes(text: &str) -> Option<Vec<u8>> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.trim_end_matches('=');
    if !text.len().is_multiple_of(4) || text.len() - digits.len() > 2 {
        return None;
    }
    let mut bits = String::new();
    for digit in digits.bytes() {
        let value = DIGITS.iter().position(|known| *known == digit)?;
        bits.push_str(&format!("{value:06b}"));
    }
    let bytes = bits.as_bytes().chunks_exact(8);
    bytes
        .map(|bits| u8::from_str_radix(std::str::from_utf8(bits).ok()?, 2).ok())
        .collect()
}
