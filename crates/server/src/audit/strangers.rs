//! Events of requests whose callers are not known.
//!
//! Anyone on the network can cause them, as many as they like, so beyond a small burst they are counted
//! instead of written: one summary for each address, service and error code and interval. What is kept is
//! bounded, whatever number of addresses asks.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::network::AddressGroup;

/// Events of one address that are written in full, until its allowance has grown again.
const BURST: u32 = 10;
/// An address's allowance grows by one in this time.
const ALLOWANCE_INTERVAL: SignedDuration = SignedDuration::from_secs(30);
/// The same over all addresses: whoever has many of them has no more than this.
const BURST_ALL: u32 = 200;
const ALLOWANCE_INTERVAL_ALL: SignedDuration = SignedDuration::from_millis(500);
/// Addresses whose allowance is remembered.
const ADDRESSES_MAX: usize = 1024;
/// Summaries that are counted at once; what goes beyond shares one for each code, without an address.
const SUMMARIES_MAX: usize = 512;

/// What a summary counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Kind {
    /// None for the rest.
    address: Option<AddressGroup>,
    source: &'static str,
    /// The error's code; none for a challenge, which is no failure.
    code: Option<String>,
}

#[derive(Debug)]
struct Count {
    count: u64,
    first: Timestamp,
    last: Timestamp,
    /// The operation, while all counted requests asked for the same.
    name: Option<String>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Strangers {
    all: Allowance,
    addresses: HashMap<AddressGroup, Allowance>,
    /// When addresses whose allowance is whole again were last forgotten.
    pruned: Option<Timestamp>,
    counts: HashMap<Kind, Count>,
}

/// A token bucket.
#[derive(Debug)]
struct Allowance {
    left: u32,
    since: Option<Timestamp>,
}

impl Allowance {
    fn take(&mut self, now: Timestamp, burst: u32, interval: SignedDuration) -> bool {
        let since = *self.since.get_or_insert(now);
        let earned = now.duration_since(since).as_millis().max(0) / interval.as_millis();
        if earned > 0 {
            self.left =
                u32::try_from(earned).map_or(burst, |n| self.left.saturating_add(n).min(burst));
            self.since = Some(now);
        }
        let taken = self.left > 0;
        self.left = self.left.saturating_sub(1);
        taken
    }

    fn is_full(&self, now: Timestamp) -> bool {
        let missing = BURST.saturating_sub(self.left);
        let since = self.since.unwrap_or(now);
        now.duration_since(since) >= ALLOWANCE_INTERVAL * i32::try_from(missing).unwrap_or(i32::MAX)
    }
}

impl Strangers {
    pub(crate) fn new() -> Strangers {
        let all = Allowance {
            left: BURST_ALL,
            since: None,
        };
        Strangers {
            all,
            addresses: HashMap::new(),
            pruned: None,
            counts: HashMap::new(),
        }
    }

    /// Whether an event of an address is written in full.
    pub(crate) fn allows(&mut self, address: AddressGroup, now: Timestamp) -> bool {
        if self.addresses.len() >= ADDRESSES_MAX && !self.addresses.contains_key(&address) {
            // Looked through once in a while, not for each of many new addresses.
            if self
                .pruned
                .is_none_or(|last| now.duration_since(last) >= ALLOWANCE_INTERVAL)
            {
                self.pruned = Some(now);
                self.addresses
                    .retain(|_, allowance| !allowance.is_full(now));
            }
            if self.addresses.len() >= ADDRESSES_MAX {
                return false;
            }
        }
        let fresh = || Allowance {
            left: BURST,
            since: None,
        };
        let own = self.addresses.entry(address).or_insert_with(fresh);
        own.take(now, BURST, ALLOWANCE_INTERVAL)
            && self.all.take(now, BURST_ALL, ALLOWANCE_INTERVAL_ALL)
    }

    /// Counts an event that is not written. `code` is the error's; none for a challenge.
    pub(crate) fn count(
        &mut self,
        address: AddressGroup,
        source: &'static str,
        name: &str,
        code: Option<&str>,
        now: Timestamp,
    ) {
        let mut kind = Kind {
            address: Some(address),
            source,
            code: code.map(str::to_owned),
        };
        if self.counts.len() >= SUMMARIES_MAX && !self.counts.contains_key(&kind) {
            kind.address = None;
            // A code that the rest has not seen yet: there are only as many codes as the server has.
        }
        let count = self.counts.entry(kind).or_insert_with(|| Count {
            count: 0,
            first: now,
            last: now,
            name: Some(name.to_owned()),
        });
        count.count += 1;
        count.last = now;
        if count.name.as_deref().is_some_and(|same| same != name) {
            count.name = None;
        }
    }

    /// The summaries, which begin anew.
    pub(crate) fn take(&mut self) -> Vec<Value> {
        let mut counts: Vec<_> = self.counts.drain().collect();
        counts.sort_by(|(one, _), (other, _)| one.cmp(other));
        let summary = |(kind, count): (Kind, Count)| {
            let address = match kind.address {
                Some(address) => address.to_string(),
                None => "other addresses".to_owned(),
            };
            json!({
                "address": address,
                "eventSource": kind.source,
                "eventName": count.name,
                "errorCode": kind.code,
                "count": count.count,
                "first": aws_types::time::iso8601(count.first),
                "last": aws_types::time::iso8601(count.last),
            })
        };
        counts.into_iter().map(summary).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ECR: &str = "ecr.amazonaws.com";

    fn group(number: u32) -> AddressGroup {
        AddressGroup::V4(number.into())
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_348_800 + second).unwrap()
    }

    #[test]
    fn writes_a_burst_and_then_at_a_rate() {
        let mut strangers = Strangers::new();
        let written = |strangers: &mut Strangers, second| {
            (0..1000)
                .filter(|_| strangers.allows(group(1), at(second)))
                .count()
        };
        assert_eq!(written(&mut strangers, 0), 10);
        assert_eq!(written(&mut strangers, 29), 0);
        assert_eq!(written(&mut strangers, 60), 2);
        // An hour earns no more than a burst.
        assert_eq!(written(&mut strangers, 3660), 10);
        // Another address has its own.
        assert!(strangers.allows(group(2), at(3660)));
    }

    #[test]
    fn many_addresses_together_are_bounded() {
        let mut strangers = Strangers::new();
        let written = (0..100_000)
            .filter(|n| strangers.allows(group(*n), at(0)))
            .count();
        assert_eq!(written, 200);
        assert!(strangers.addresses.len() <= ADDRESSES_MAX);
        for number in 0..100_000 {
            strangers.count(group(number), ECR, "PutImage", Some("UNAUTHORIZED"), at(1));
        }
        let summaries = strangers.take();
        assert!(summaries.len() <= SUMMARIES_MAX + 1);
        let total: u64 = summaries.iter().map(|s| s["count"].as_u64().unwrap()).sum();
        assert_eq!(total, 100_000);
        assert!(strangers.take().is_empty());
    }

    #[test]
    fn a_summary_names_address_kind_count_first_and_last() {
        let mut strangers = Strangers::new();
        for (second, name) in [(0, "ListUsers"), (5, "ListUsers"), (9, "ListRoles")] {
            strangers.count(
                group(0x7f00_0001),
                "iam.amazonaws.com",
                name,
                Some("InvalidClientTokenId"),
                at(second),
            );
        }
        strangers.count(
            group(0x7f00_0001),
            ECR,
            "GetAuthorizationToken",
            None,
            at(3),
        );
        assert_eq!(
            strangers.take(),
            [
                json!({"address": "127.0.0.1", "eventSource": ECR, "eventName": "GetAuthorizationToken", "errorCode": null,
                       "count": 1, "first": "2026-11-22T12:00:03Z", "last": "2026-11-22T12:00:03Z"}),
                json!({"address": "127.0.0.1", "eventSource": "iam.amazonaws.com", "eventName": null, "errorCode": "InvalidClientTokenId",
                       "count": 3, "first": "2026-11-22T12:00:00Z", "last": "2026-11-22T12:00:09Z"}),
            ]
        );
    }
}
