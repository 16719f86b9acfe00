//! Bounded resources that are shared fairly when there is not enough for everyone.
//!
//! A [`FairPool`] holds a number of units: bytes of memory, or turns at the processor. Whoever asks gets
//! units as long as there are any; shares bind only under contention. When the pool is exhausted, a party
//! that holds less than its equal share takes units back from the party that holds the most: the oldest
//! grant of that party is revoked. A party at its share waits until units are released, and among those
//! that wait the one that holds the least is served first.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use crate::network::AddressGroup;

/// Whose share something counts against.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Party {
    /// Nobody is known yet: the address it came from.
    Address(AddressGroup),
    /// An access key that was used with a valid signature from that address a short while ago. Requests
    /// under its name are not verified yet, but they no longer compete with everyone else at the address,
    /// which may be a proxy's or a whole cluster's.
    Recent(AddressGroup, u64),
    /// An authenticated caller's access key.
    Principal(Arc<str>),
}

/// Tells the holder of a grant that it must give up.
#[derive(Debug, Default)]
pub(crate) struct Revocation {
    revoked: AtomicBool,
    notify: Notify,
}

impl Revocation {
    pub(crate) fn revoke(&self) {
        self.revoked.store(true, Ordering::Release);
        self.notify.notify_waiters();
    }

    pub(crate) fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Acquire)
    }

    /// Completes once it is revoked.
    pub(crate) async fn revoked(&self) {
        loop {
            // Registered before the flag is read, so that no notification is missed.
            let notified = self.notify.notified();
            let mut notified = std::pin::pin!(notified);
            notified.as_mut().enable();
            if self.is_revoked() {
                return;
            }
            notified.await;
        }
    }
}

/// Units shared by all parties. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct FairPool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    total: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    used: usize,
    parties: HashMap<Party, Holdings>,
    waiting: VecDeque<Waiter>,
    next_grant: u64,
}

#[derive(Debug, Default)]
struct Holdings {
    used: usize,
    /// By age.
    grants: BTreeMap<u64, Held>,
}

#[derive(Debug)]
struct Held {
    units: usize,
    revocation: Arc<Revocation>,
}

#[derive(Debug)]
struct Waiter {
    party: Party,
    grant: u64,
    units: usize,
    revocation: Arc<Revocation>,
    done: oneshot::Sender<()>,
}

/// Units held by one party, given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Grant {
    pool: FairPool,
    party: Party,
    id: u64,
    units: usize,
    revocation: Arc<Revocation>,
}

impl FairPool {
    pub(crate) fn new(total: usize) -> FairPool {
        let state = Mutex::default();
        FairPool(Arc::new(Inner { total, state }))
    }

    /// An empty grant, to be grown. `revocation` is used when the units are needed by others.
    pub(crate) fn grant(&self, party: Party, revocation: Arc<Revocation>) -> Grant {
        let mut state = self.state();
        let id = state.next_grant;
        state.next_grant += 1;
        drop(state);
        Grant {
            pool: self.clone(),
            party,
            id,
            units: 0,
            revocation,
        }
    }

    /// Units that nobody holds.
    #[cfg(test)]
    pub(crate) fn available(&self) -> usize {
        self.0.total - self.state().used
    }

    /// Grants that wait for units.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that holds the lock can panic halfway through a change.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn release(&self, party: &Party, grant: u64, units: usize) {
        let woken = {
            let mut state = self.state();
            state.give_back(party, grant, units);
            state.serve(self.0.total)
        };
        for done in woken {
            // A receiver that went away in between takes its units back by itself: see `Waiting`.
            let _ = done.send(());
        }
    }
}

impl State {
    fn held_by(&self, party: &Party) -> usize {
        self.parties.get(party).map_or(0, |held| held.used)
    }

    fn take(&mut self, party: &Party, grant: u64, units: usize, revocation: &Arc<Revocation>) {
        self.used += units;
        let holdings = self.parties.entry(party.clone()).or_default();
        holdings.used += units;
        let revocation = || Held {
            units: 0,
            revocation: Arc::clone(revocation),
        };
        holdings
            .grants
            .entry(grant)
            .or_insert_with(revocation)
            .units += units;
    }

    fn give_back(&mut self, party: &Party, grant: u64, units: usize) {
        self.used -= units;
        let Some(holdings) = self.parties.get_mut(party) else {
            return;
        };
        holdings.used -= units;
        if let Some(held) = holdings.grants.get_mut(&grant) {
            held.units -= units;
            if held.units == 0 {
                holdings.grants.remove(&grant);
            }
        }
        if holdings.grants.is_empty() {
            self.parties.remove(party);
        }
    }

    /// Revokes the oldest grant of the party that holds the most, if `party` is below its equal share
    /// with `units` more and the other one above.
    fn make_room(&self, party: &Party, units: usize, total: usize) {
        let own = self.held_by(party);
        let newcomer = usize::from(own == 0);
        let share = total / (self.parties.len() + newcomer).max(1);
        let heaviest = self.parties.iter().max_by_key(|(_, held)| held.used);
        if let Some((other, held)) = heaviest
            && other != party
            && held.used > share
            && own + units <= share
        {
            // One that is already giving up frees its units soon; revoke no more than is needed.
            let mut freed = 0;
            for grant in held.grants.values() {
                if freed >= units {
                    break;
                }
                freed += grant.units;
                if !grant.revocation.is_revoked() {
                    grant.revocation.revoke();
                }
            }
        }
    }

    /// Gives free units to those who wait: first to the party that holds the least, then by time.
    fn serve(&mut self, total: usize) -> Vec<oneshot::Sender<()>> {
        let mut woken = Vec::new();
        self.waiting.retain(|waiter| !waiter.done.is_closed());
        while self.used < total && !self.waiting.is_empty() {
            let fits = |waiter: &Waiter| self.used + waiter.units <= total;
            let waiting = self.waiting.iter().enumerate();
            let next = waiting
                .filter(|(_, waiter)| fits(waiter))
                .min_by_key(|(_, waiter)| self.held_by(&waiter.party))
                .map(|(at, _)| at);
            let Some(waiter) = next.and_then(|at| self.waiting.remove(at)) else {
                break;
            };
            self.take(
                &waiter.party,
                waiter.grant,
                waiter.units,
                &waiter.revocation,
            );
            woken.push(waiter.done);
        }
        woken
    }
}

impl Grant {
    /// How many units it holds.
    pub(crate) fn units(&self) -> usize {
        self.units
    }

    /// Takes `more` units if they are free. Otherwise asks parties above their share to give some up,
    /// so that a later try may succeed.
    pub(crate) fn try_grow(&mut self, more: usize) -> bool {
        let mut state = self.pool.state();
        let total = self.pool.0.total;
        if state.used + more > total {
            state.make_room(&self.party, more, total);
            return false;
        }
        state.take(&self.party, self.id, more, &self.revocation);
        self.units += more;
        true
    }

    /// Takes `more` units, waiting until there are enough. More than the pool holds is never granted.
    pub(crate) async fn grow(&mut self, more: usize) {
        let answer = {
            let mut state = self.pool.state();
            let total = self.pool.0.total;
            if state.used + more <= total {
                state.take(&self.party, self.id, more, &self.revocation);
                self.units += more;
                return;
            }
            state.make_room(&self.party, more, total);
            let (done, answer) = oneshot::channel();
            state.waiting.push_back(Waiter {
                party: self.party.clone(),
                grant: self.id,
                units: more,
                revocation: Arc::clone(&self.revocation),
                done,
            });
            answer
        };
        let mut waiting = Waiting {
            grant: self,
            more,
            answer,
        };
        // The sender is dropped only after it has answered.
        if (&mut waiting.answer).await.is_ok() {
            waiting.grant.units += more;
        }
        std::mem::forget(waiting);
    }
}

/// A wait for units. When it is given up after the units were granted, they go back.
struct Waiting<'a> {
    grant: &'a mut Grant,
    more: usize,
    answer: oneshot::Receiver<()>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.answer.close();
        if self.answer.try_recv().is_ok() {
            self.grant.units += self.more;
        }
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        if self.units > 0 {
            self.pool.release(&self.party, self.id, self.units);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn party(name: &str) -> Party {
        Party::Principal(name.into())
    }

    fn grant(pool: &FairPool, name: &str) -> Grant {
        pool.grant(party(name), Arc::default())
    }

    #[test]
    fn one_party_may_use_everything_while_nobody_else_asks() {
        let pool = FairPool::new(10);
        let mut all = grant(&pool, "a");
        assert!(all.try_grow(10));
        assert!(!all.try_grow(1));
        assert!(!all.revocation.is_revoked());
        drop(all);
        assert_eq!(pool.available(), 10);
        assert!(pool.state().parties.is_empty());
    }

    #[test]
    fn a_party_below_its_share_takes_from_the_one_above() {
        let pool = FairPool::new(12);
        let mut held: Vec<_> = (0..10).map(|_| grant(&pool, "greedy")).collect();
        assert!(held.iter_mut().all(|grant| grant.try_grow(1)));
        let mut modest = grant(&pool, "modest");
        assert!(modest.try_grow(2));
        let mut late = grant(&pool, "late");
        assert!(!late.try_grow(1));
        // The oldest grant of the greediest party, and only that.
        let revoked = |held: &[Grant]| held.iter().filter(|g| g.revocation.is_revoked()).count();
        assert!(held[0].revocation.is_revoked() && revoked(&held) == 1);
        assert!(!modest.revocation.is_revoked());
        // Asking again while it gives up revokes no more.
        assert!(!late.try_grow(1));
        assert_eq!(revoked(&held), 1);
        held.remove(0);
        assert!(late.try_grow(1));
        // Beyond its equal share (12 / 3) it has to wait like everyone.
        assert!(!late.try_grow(4));
        assert_eq!(revoked(&held), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_party_that_holds_least_is_served_first() {
        let pool = FairPool::new(2);
        let mut first = grant(&pool, "many");
        let mut second = grant(&pool, "many");
        assert!(first.try_grow(1) && second.try_grow(1));
        let (order, mut served) = tokio::sync::mpsc::unbounded_channel();
        let mut tasks = Vec::new();
        for name in ["many", "many", "few"] {
            let (pool, order) = (pool.clone(), order.clone());
            tasks.push(tokio::spawn(async move {
                let mut grant = grant(&pool, name);
                grant.grow(1).await;
                order.send(name).unwrap();
            }));
            tokio::task::yield_now().await;
        }
        drop((first, order));
        let mut names = Vec::new();
        while let Some(name) = served.recv().await {
            names.push(name);
        }
        assert_eq!(names, ["few", "many", "many"]);
        drop(second);
        assert_eq!(pool.available(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_given_up_holds_nothing() {
        let pool = FairPool::new(2);
        let mut holder = grant(&pool, "a");
        assert!(holder.try_grow(2));
        let mut waiting = grant(&pool, "b");
        let wait = tokio::time::timeout(Duration::from_secs(1), waiting.grow(1));
        assert!(wait.await.is_err());
        assert!(holder.revocation.is_revoked());
        drop(holder);
        assert_eq!(pool.available(), 2);
        // Granted, but nobody came to take it.
        let mut holder = grant(&pool, "a");
        assert!(holder.try_grow(2));
        {
            let wait = waiting.grow(1);
            let mut wait = std::pin::pin!(wait);
            assert!(futures_poll(wait.as_mut()).await);
            drop(holder);
            assert_eq!(pool.available(), 1);
        }
        drop(waiting);
        assert_eq!(pool.available(), 2);
    }

    /// Polls once; whether it is pending.
    async fn futures_poll(mut future: std::pin::Pin<&mut impl Future<Output = ()>>) -> bool {
        std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx).is_pending()))
            .await
    }

    #[tokio::test(start_paused = true)]
    async fn revocation_wakes_whoever_waits_for_it() {
        let revocation = Arc::new(Revocation::default());
        let waiter = Arc::clone(&revocation);
        let waiting = tokio::spawn(async move { waiter.revoked().await });
        tokio::task::yield_now().await;
        revocation.revoke();
        waiting.await.unwrap();
        revocation.revoked().await;
    }
}
