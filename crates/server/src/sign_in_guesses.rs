//! How often passwords may be guessed: by an address, and for an account.
//!
//! Each has a burst of failed sign-ins, then a steady rate; what comes faster is refused before a password
//! is looked at. A sign-in counts while it runs, so that many at once are counted too, and one that
//! succeeds is taken back. The account's rate does not hold for addresses that have signed in to it
//! shortly before, so that nobody locks an account's users out, and neither rate for the root user, which
//! signs in by secrets that cannot be guessed. Wrong passwords of one user cost time as well, on all nodes:
//! that is kept in the database.

use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use quick_cache::unsync::Cache;
use tokio::time::Instant;

use crate::limits::{
    SIGN_IN_ACCOUNT_FAILURES_FREE, SIGN_IN_ACCOUNT_INTERVAL, SIGN_IN_ADDRESS_FAILURES_FREE,
    SIGN_IN_ADDRESS_INTERVAL, SIGN_IN_COUNTERS_MAX,
};
use crate::network::AddressGroup;

/// A burst and a rate by key (the generic cell rate algorithm, ITU-T I.371). A forgotten key starts anew.
struct Rate<K> {
    free: u32,
    interval: Duration,
    ends: Cache<K, Instant>,
}

impl<K: Hash + Eq> Rate<K> {
    fn new(free: u32, interval: Duration) -> Rate<K> {
        let ends = Cache::new(SIGN_IN_COUNTERS_MAX);
        Rate {
            free,
            interval,
            ends,
        }
    }

    /// How long the next one must wait; zero where it may come now.
    fn wait(&self, key: &K, now: Instant) -> Duration {
        let end = self.ends.peek(key).map_or(now, |end| (*end).max(now));
        (end + self.interval - now).saturating_sub(self.interval * self.free)
    }

    fn count(&mut self, key: K, now: Instant) {
        let end = self.ends.get(&key).map_or(now, |end| (*end).max(now));
        self.ends.insert(key, end + self.interval);
    }

    fn take_back(&mut self, key: K, now: Instant) {
        if let Some(end) = self.ends.get(&key).copied() {
            let end = end.checked_sub(self.interval).unwrap_or(now);
            self.ends.insert(key, end);
        }
    }
}

/// See the module.
pub(crate) struct Guesses(Mutex<Counters>);

struct Counters {
    addresses: Rate<AddressGroup>,
    accounts: Rate<String>,
    /// Addresses that signed in to an account.
    known: Cache<(String, AddressGroup), ()>,
}

impl Guesses {
    pub(crate) fn new() -> Guesses {
        Guesses(Mutex::new(Counters {
            addresses: Rate::new(SIGN_IN_ADDRESS_FAILURES_FREE, SIGN_IN_ADDRESS_INTERVAL),
            accounts: Rate::new(SIGN_IN_ACCOUNT_FAILURES_FREE, SIGN_IN_ACCOUNT_INTERVAL),
            known: Cache::new(SIGN_IN_COUNTERS_MAX),
        }))
    }

    /// Counts a sign-in that begins, or says how long it must wait.
    pub(crate) fn begin(
        &self,
        address: AddressGroup,
        account: &str,
        now: Instant,
    ) -> Result<(), Duration> {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let account = account.to_owned();
        let mut wait = counters.addresses.wait(&address, now);
        let place = (account.clone(), address);
        if counters.known.get(&place).is_none() {
            wait = wait.max(counters.accounts.wait(&account, now));
        }
        if !wait.is_zero() {
            return Err(wait);
        }
        counters.addresses.count(address, now);
        counters.accounts.count(account, now);
        Ok(())
    }

    /// Takes back a sign-in whose password was right.
    pub(crate) fn succeeded(&self, address: AddressGroup, account: &str, now: Instant) {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counters.addresses.take_back(address, now);
        counters.accounts.take_back(account.to_owned(), now);
        counters.known.insert((account.to_owned(), address), ());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(number: u32) -> AddressGroup {
        AddressGroup::of(std::net::Ipv4Addr::from(number).into())
    }

    #[test]
    fn an_address_that_guesses_waits_and_others_do_not() {
        let (guesses, now) = (Guesses::new(), Instant::now());
        for _ in 0..SIGN_IN_ADDRESS_FAILURES_FREE {
            assert_eq!(guesses.begin(group(1), "a", now), Ok(()));
        }
        assert_eq!(
            guesses.begin(group(1), "b", now),
            Err(SIGN_IN_ADDRESS_INTERVAL)
        );
        assert_eq!(guesses.begin(group(2), "a", now), Ok(()));
        let later = now + SIGN_IN_ADDRESS_INTERVAL;
        assert_eq!(guesses.begin(group(1), "a", later), Ok(()));
        assert!(guesses.begin(group(1), "a", later).is_err());
    }

    #[test]
    fn guesses_from_many_addresses_do_not_lock_out_an_address_that_signed_in() {
        let (guesses, now) = (Guesses::new(), Instant::now());
        assert_eq!(guesses.begin(group(0), "a", now), Ok(()));
        guesses.succeeded(group(0), "a", now);
        for number in 1..=SIGN_IN_ACCOUNT_FAILURES_FREE {
            assert_eq!(guesses.begin(group(number), "a", now), Ok(()));
        }
        assert!(guesses.begin(group(5_000), "a", now).is_err());
        assert_eq!(guesses.begin(group(0), "a", now), Ok(()));
        assert_eq!(guesses.begin(group(5_000), "b", now), Ok(()));
    }

    #[test]
    fn a_sign_in_that_succeeds_is_no_guess() {
        let (guesses, now) = (Guesses::new(), Instant::now());
        for _ in 0..10 * SIGN_IN_ADDRESS_FAILURES_FREE {
            assert_eq!(guesses.begin(group(1), "a", now), Ok(()));
            guesses.succeeded(group(1), "a", now);
        }
    }

    #[test]
    fn counters_are_forgotten_beyond_a_number() {
        let (guesses, now) = (Guesses::new(), Instant::now());
        for number in 0..u32::try_from(SIGN_IN_COUNTERS_MAX * 4).unwrap() {
            let _ = guesses.begin(group(number), &number.to_string(), now);
        }
        let counters = guesses.0.lock().unwrap();
        assert!(counters.addresses.ends.len() <= SIGN_IN_COUNTERS_MAX);
        assert!(counters.accounts.ends.len() <= SIGN_IN_COUNTERS_MAX);
    }
}
