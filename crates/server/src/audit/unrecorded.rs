//! Events that could not be written, by number.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

/// Operations that are counted by name; the rest is counted together. There are fewer operations, but
/// strangers can invent names.
const NAMES_MAX: usize = 512;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Unrecorded {
    counts: BTreeMap<(String, String), Count>,
    span: Option<(Timestamp, Timestamp)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    all: u64,
    failed: u64,
}

impl Unrecorded {
    pub(crate) fn note(&mut self, source: &str, name: &str, failed: bool, time: Timestamp) {
        let mut key = (source.to_owned(), name.to_owned());
        if self.counts.len() >= NAMES_MAX && !self.counts.contains_key(&key) {
            key = ("other".to_owned(), "other".to_owned());
        }
        let count = self.counts.entry(key).or_default();
        count.all += 1;
        count.failed += u64::from(failed);
        let (first, last) = self.span.unwrap_or((time, time));
        self.span = Some((first.min(time), last.max(time)));
    }

    /// Adds what another one counted.
    pub(crate) fn merge(&mut self, other: Unrecorded) {
        for (key, more) in other.counts {
            let count = self.counts.entry(key).or_default();
            count.all += more.all;
            count.failed += more.failed;
        }
        self.span = match (self.span, other.span) {
            (Some((first, last)), Some((earlier, later))) => {
                Some((first.min(earlier), last.max(later)))
            }
            (one, other) => one.or(other),
        };
    }

    /// What is told once the log can be written again; `None` when nothing was lost.
    pub(crate) fn summary(&self) -> Option<Value> {
        let (first, last) = self.span?;
        let operations = self.counts.iter().map(|((source, name), count)| {
            json!({"eventSource": source, "eventName": name, "count": count.all, "failed": count.failed})
        });
        Some(json!({
            "count": self.counts.values().map(|count| count.all).sum::<u64>(),
            "first": aws_types::time::iso8601(first),
            "last": aws_types::time::iso8601(last),
            "operations": operations.collect::<Vec<_>>(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_operation_and_is_bounded() {
        let mut unrecorded = Unrecorded::default();
        assert!(unrecorded.summary().is_none());
        let at = |second: i64| Timestamp::from_second(1_795_348_800 + second).unwrap();
        unrecorded.note("ecr.amazonaws.com", "BatchGetImage", false, at(5));
        unrecorded.note("ecr.amazonaws.com", "BatchGetImage", true, at(0));
        assert_eq!(
            unrecorded.summary().unwrap(),
            json!({"count": 2, "first": "2026-11-22T12:00:00Z", "last": "2026-11-22T12:00:05Z",
                   "operations": [{"eventSource": "ecr.amazonaws.com", "eventName": "BatchGetImage", "count": 2, "failed": 1}]})
        );
        for number in 0..10_000 {
            unrecorded.note("ecr.amazonaws.com", &format!("Made{number}"), true, at(6));
        }
        let summary = unrecorded.summary().unwrap();
        assert_eq!(summary["count"], 10_002);
        assert!(summary["operations"].as_array().unwrap().len() <= NAMES_MAX + 1);
    }
}
