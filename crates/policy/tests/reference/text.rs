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

pub fn in_network(have: &str, want: &str) -> bool {
    let bits = |text: &str| {
        Some(match text.parse().ok()? {
            IpAddr::V4(address) => format!("{:032b}", address.to_bits()),
            IpAddr::V6(address) => format!("{:0128b}", address.to_bits()),
        })
    };
    let (network, prefix) = match want.split_once('/') {
        Some((network, prefix)) => (network, prefix.parse().ok()),
        None => (want, Some(usize::MAX)),
    };
    match (bits(have), bits(network), prefix) {
        (Some(have), Some(network), Some(prefix)) if have.len() == network.len() => {
            let prefix = prefix.min(have.len());
            have[..prefix] == network[..prefix]
        }
        _ => false,
    }
}

/// The W3C's forms of a date, or seconds since the epoch.
pub fn date(text: &str) -> Option<Timestamp> {
    if text.len() != 4
        && let Ok(seconds) = text.parse::<f64>()
    {
        return Timestamp::from_millisecond((seconds * 1_000.0) as i64).ok();
    }
    if let Ok(timestamp) = text.parse() {
        return Some(timestamp);
    }
    let whole = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    let date: Date = whole.parse().ok()?;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
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
