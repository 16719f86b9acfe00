//! Answers to failed authentications wait, once an address has many of them.
//!
//! A refusal costs a look-up, a hash and an answer, and a client that is refused may ask again at once.
//! Some hundred connections that do so keep the processors so busy that honest requests wait for their
//! turn to be read. An address has a burst of failures without a delay, then a steady rate: its further
//! refusals are answered when their turn comes, or after the longest delay. Nobody else at the address
//! waits, and no request is refused because of it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use quick_cache::unsync::Cache;
use tokio::time::Instant;

use crate::limits::{
    FAILURE_ADDRESSES_MAX, FAILURE_DELAY_MAX, FAILURE_INTERVAL, FAILURES_WITHOUT_DELAY,
};
use crate::network::AddressGroup;

/// See the module.
pub(crate) struct FailureDelay {
    /// When each address's failures would have ended, had they come at the steady rate (the generic cell
    /// rate algorithm, ITU-T I.371). A forgotten address starts anew.
    ends: Mutex<Cache<AddressGroup, Instant>>,
}

impl FailureDelay {
    pub(crate) fn new() -> FailureDelay {
        FailureDelay {
            ends: Mutex::new(Cache::new(FAILURE_ADDRESSES_MAX)),
        }
    }

    /// Waits as long as the answer to a failure of `address` must wait.
    pub(crate) async fn wait(&self, address: AddressGroup) {
        let delay = self.next(address, Instant::now());
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
    }

    /// Whether failures of `address` were counted.
    #[cfg(test)]
    pub(crate) fn has_counted(&self, address: AddressGroup) -> bool {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.peek(&address).is_some()
    }

    /// Counts a failure and returns its delay.
    fn next(&self, address: AddressGroup, now: Instant) -> Duration {
        let burst = FAILURE_INTERVAL * FAILURES_WITHOUT_DELAY;
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let end = ends.get(&address).map_or(now, |end| (*end).max(now));
        // What would wait longer than the longest delay is not counted: an address that stops is not
        // punished for minutes.
        let end = (end + FAILURE_INTERVAL).min(now + burst + FAILURE_DELAY_MAX);
        ends.insert(address, end);
        (end - now).saturating_sub(burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(address: &str) -> AddressGroup {
        AddressGroup::of(address.parse().unwrap())
    }

    #[test]
    fn a_burst_is_answered_at_once_and_the_rest_at_a_steady_rate() {
        let (delays, now) = (FailureDelay::new(), Instant::now());
        let address = group("192.0.2.1");
        for _ in 0..FAILURES_WITHOUT_DELAY {
            assert_eq!(delays.next(address, now), Duration::ZERO);
        }
        for n in 1..=5 {
            assert_eq!(delays.next(address, now), FAILURE_INTERVAL * n);
        }
        // At the steady rate, delays stay as they are.
        let later = now + FAILURE_INTERVAL;
        assert_eq!(delays.next(address, later), FAILURE_INTERVAL * 5);
        assert_eq!(delays.next(group("192.0.2.2"), later), Duration::ZERO);
    }

    #[test]
    fn delays_have_a_bound_and_end_soon_after_the_failures() {
        let (delays, now) = (FailureDelay::new(), Instant::now());
        let address = group("2001:db8::1");
        for _ in 0..100_000 {
            assert!(delays.next(address, now) <= FAILURE_DELAY_MAX);
        }
        // Addresses of one network are one.
        let neighbour = group("2001:db8::2");
        assert_eq!(delays.next(neighbour, now), FAILURE_DELAY_MAX);
        let over = now + FAILURE_DELAY_MAX + FAILURE_INTERVAL;
        assert_eq!(delays.next(address, over), Duration::ZERO);
    }

    #[test]
    fn addresses_are_forgotten_beyond_a_number() {
        let (delays, now) = (FailureDelay::new(), Instant::now());
        for number in 0..u32::try_from(FAILURE_ADDRESSES_MAX * 4).unwrap() {
            let address = std::net::Ipv4Addr::from(number);
            delays.next(AddressGroup::of(address.into()), now);
        }
        assert!(delays.ends.lock().unwrap().len() <= FAILURE_ADDRESSES_MAX);
    }
}
