//! Which connections are open, whose they are, and which one is closed when there is no room for another.
//!
//! As long as there is room, everyone may open as many as they like. When all are taken, a new connection
//! replaces one that does nothing for a known caller: one without a running request (idle, or with a
//! request that is not sent to its end) of the address that has the most of these, the oldest first. An
//! address is thereby held to its share only while others need the room, and even at one address a client
//! that sends its requests in one go is not held up by those that never finish theirs.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::fair_pool::{FairPool, Grant, Party, Revocation};
use crate::limits::{HEAD_BYTES_FREE, HEADS_BYTES_MAX};
use crate::network::AddressGroup;

/// How often a connection that waits for room looks for one to replace.
const EVICTION_INTERVAL: Duration = Duration::from_millis(50);
/// Memory is taken from the pool in steps, in bytes.
const STEP: usize = 8 * 1024;

/// All open connections.
#[derive(Debug)]
pub(crate) struct Connections {
    slots: Arc<Semaphore>,
    max: usize,
    open: Mutex<HashMap<u64, Arc<Status>>>,
    next_id: AtomicU64,
    /// Memory for what strangers send ahead of being read: heads beyond their first
    /// [`HEAD_BYTES_FREE`], and HTTP/2's windows.
    heads: FairPool,
}

/// What the HTTP layer knows about a connection.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// Where it comes from; behind a proxy that speaks the PROXY protocol, the proxy's client.
    pub(crate) address: IpAddr,
    /// Over TLS.
    pub(crate) secure: bool,
    /// The connection's place, which a request that outlives the connection keeps: an orderly stop
    /// waits for it.
    pub(crate) connection: Arc<Connection>,
}

/// One open connection: it counts until this is dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    id: u64,
    all: Arc<Connections>,
    status: Arc<Status>,
    _slot: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct Status {
    id: u64,
    /// Changes when a proxy says whose connection it is.
    group: Mutex<AddressGroup>,
    close: Arc<Revocation>,
    /// Requests that are running.
    running: AtomicUsize,
    /// At least one request has begun.
    had_requests: AtomicBool,
    /// Those of them whose callers are known.
    known: AtomicUsize,
    /// Bytes that were read from the network and not yet handed to a request's handler.
    unconsumed: AtomicUsize,
    memory: Mutex<Option<Grant>>,
    /// The client is not taking what is being sent.
    writing: AtomicBool,
}

impl Connections {
    pub(crate) fn new(max: usize) -> Arc<Connections> {
        Arc::new(Connections {
            slots: Arc::new(Semaphore::new(max)),
            max,
            open: Mutex::default(),
            next_id: AtomicU64::default(),
            heads: FairPool::new(HEADS_BYTES_MAX),
        })
    }

    /// Takes a place for a connection from `address`, making room for it if there is none.
    pub(crate) async fn admit(self: &Arc<Self>, address: IpAddr) -> Arc<Connection> {
        let slot = loop {
            let slot = Arc::clone(&self.slots).acquire_owned();
            let wait = match self.slots.available_permits() {
                0 => {
                    self.evict(AddressGroup::of(address));
                    EVICTION_INTERVAL
                }
                // Taken without a wait.
                _ => Duration::MAX,
            };
            // The semaphore is never closed.
            if let Ok(Ok(slot)) = tokio::time::timeout(wait, slot).await {
                break slot;
            }
        };
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let status = Arc::new(Status {
            id,
            group: Mutex::new(AddressGroup::of(address)),
            close: Arc::default(),
            running: AtomicUsize::default(),
            had_requests: AtomicBool::default(),
            known: AtomicUsize::default(),
            unconsumed: AtomicUsize::default(),
            memory: Mutex::default(),
            writing: AtomicBool::default(),
        });
        lock(&self.open).insert(id, Arc::clone(&status));
        Arc::new(Connection {
            id,
            all: Arc::clone(self),
            status,
            _slot: slot,
        })
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.max - self.slots.available_permits()
    }

    /// Waits until all are closed.
    pub(crate) async fn closed(&self) {
        let all = u32::try_from(self.max).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        let _ = self.slots.acquire_many(all).await;
    }

    /// Closes one connection for the sake of another from `newcomer`.
    fn evict(&self, newcomer: AddressGroup) {
        let open = lock(&self.open);
        let closing = open
            .values()
            .filter(|status| status.close.is_revoked())
            .count();
        // One that was told to close frees its place in a moment.
        if closing > 0 {
            return;
        }
        let idle = |status: &&Arc<Status>| status.running.load(Ordering::Relaxed) == 0;
        let victim = heaviest(open.values().filter(idle), 1).or_else(|| {
            // Then requests of strangers, but only of addresses that have their share or more.
            let mut groups: HashSet<_> = open.values().map(|status| *lock(&status.group)).collect();
            groups.insert(newcomer);
            let share = (self.max / groups.len()).max(1);
            let others = open.values().filter(|status| {
                status.known.load(Ordering::Relaxed) == 0 && *lock(&status.group) != newcomer
            });
            heaviest(others, share)
        });
        if let Some(status) = victim {
            status.close.revoke();
        }
    }
}

/// The oldest of the candidates of the address that has the most, if it has `min` or more.
fn heaviest<'a>(
    candidates: impl Iterator<Item = &'a Arc<Status>>,
    min: usize,
) -> Option<&'a Arc<Status>> {
    let mut groups: HashMap<AddressGroup, (usize, &Arc<Status>)> = HashMap::new();
    for status in candidates {
        let group = *lock(&status.group);
        let (count, oldest) = groups.entry(group).or_insert((0, status));
        *count += 1;
        if status.id < oldest.id {
            *oldest = status;
        }
    }
    let older_first = |id: u64| std::cmp::Reverse(id);
    let heaviest = groups
        .into_values()
        .max_by_key(|(count, oldest)| (*count, older_first(oldest.id)));
    heaviest
        .filter(|(count, _)| *count >= min)
        .map(|(_, oldest)| oldest)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code that holds these locks panics halfway through a change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connection {
    /// Counts the connection for the client of a proxy from here on.
    pub(crate) fn belongs_to(&self, address: IpAddr) {
        *lock(&self.status.group) = AddressGroup::of(address);
    }

    /// Completes when the connection's place is needed for another.
    pub(crate) async fn evicted(&self) {
        self.status.close.revoked().await;
    }

    /// Whether no request is running and nothing is being sent.
    pub(crate) fn is_quiet(&self) -> bool {
        self.status.running.load(Ordering::Acquire) == 0
            && !self.status.writing.load(Ordering::Acquire)
    }

    pub(crate) fn had_requests(&self) -> bool {
        self.status.had_requests.load(Ordering::Acquire)
    }

    pub(crate) fn set_writing(&self, writing: bool) {
        self.status.writing.store(writing, Ordering::Release);
    }

    /// Whether a request of a known caller is running.
    pub(crate) fn is_known(&self) -> bool {
        self.status.known.load(Ordering::Acquire) > 0
    }

    /// Notes bytes that came and are kept for a handler. Whether there is memory for `more` of them.
    pub(crate) fn has_room(&self, more: usize) -> bool {
        let mut memory = lock(&self.status.memory);
        if self.is_known() {
            *memory = None;
            return true;
        }
        let kept = self.status.unconsumed.load(Ordering::Acquire);
        let needed = (kept + more).saturating_sub(HEAD_BYTES_FREE).div_ceil(STEP) * STEP;
        if needed == 0 {
            *memory = None;
            return true;
        }
        let grant = memory.get_or_insert_with(|| {
            let party = Party::Address(*lock(&self.status.group));
            self.all.heads.grant(party, Arc::clone(&self.status.close))
        });
        match needed.saturating_sub(grant.units()) {
            0 => true,
            missing => grant.try_grow(missing),
        }
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.status.unconsumed.fetch_add(bytes, Ordering::AcqRel);
    }

    /// Notes that a handler has taken bytes of a body.
    pub(crate) fn consumed(&self, bytes: usize) {
        let less = |kept: usize| Some(kept.saturating_sub(bytes));
        // The closure always answers.
        let _ = self
            .status
            .unconsumed
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
    }

    /// Notes that a request begins; it runs until the guard is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> Arc<RunningRequest> {
        self.status.had_requests.store(true, Ordering::Release);
        self.status.running.fetch_add(1, Ordering::AcqRel);
        Arc::new(RunningRequest {
            connection: Arc::clone(self),
            known: AtomicBool::default(),
        })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        lock(&self.all.open).remove(&self.id);
    }
}

/// A request of a connection, from its head to the end of its answer.
#[derive(Debug)]
pub(crate) struct RunningRequest {
    pub(crate) connection: Arc<Connection>,
    known: AtomicBool,
}

impl RunningRequest {
    /// Notes that the caller is known: the request counts for them and no longer for the address.
    pub(crate) fn identified(&self) {
        if !self.known.swap(true, Ordering::AcqRel) {
            self.connection.status.known.fetch_add(1, Ordering::AcqRel);
        }
    }
}

impl Drop for RunningRequest {
    fn drop(&mut self) {
        let status = &self.connection.status;
        if *self.known.get_mut() {
            status.known.fetch_sub(1, Ordering::AcqRel);
        }
        if status.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            // What is left was for requests that have ended.
            status.unconsumed.store(0, Ordering::Release);
            *lock(&status.memory) = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn evicted(connection: &Connection) -> bool {
        connection.status.close.is_revoked()
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_may_take_all_places_until_another_needs_one() {
        let all = Connections::new(4);
        let mut greedy = Vec::new();
        for _ in 0..4 {
            greedy.push(all.admit(ip("192.0.2.1")).await);
        }
        assert!(!greedy.iter().any(|connection| evicted(connection)));
        let waiting = Arc::clone(&all);
        let waiting = tokio::spawn(async move { waiting.admit(ip("192.0.2.2")).await });
        greedy[0].evicted().await;
        assert_eq!(
            greedy
                .iter()
                .filter(|connection| evicted(connection))
                .count(),
            1
        );
        greedy.remove(0);
        waiting.await.unwrap();
        assert_eq!(all.count(), 3);
        drop(greedy);
        all.closed().await;
    }

    #[tokio::test(start_paused = true)]
    async fn running_requests_of_known_callers_are_never_closed() {
        let all = Connections::new(4);
        let (one, other) = (ip("192.0.2.1"), ip("192.0.2.2"));
        let newcomer = AddressGroup::of(ip("192.0.2.3"));
        let busy = all.admit(one).await;
        let request = busy.begin();
        request.identified();
        let modest = all.admit(other).await;
        let strangers = [all.admit(one).await, all.admit(one).await];
        let running = strangers.each_ref().map(|stranger| stranger.begin());
        all.evict(newcomer);
        assert!(evicted(&modest), "nothing runs there");
        drop(modest);
        all.evict(AddressGroup::of(one));
        assert!(
            !strangers.iter().any(|stranger| evicted(stranger)),
            "not for its own address"
        );
        all.evict(newcomer);
        assert!(evicted(&strangers[0]), "its address has its share");
        drop((running, strangers));
        all.evict(newcomer);
        assert!(!evicted(&busy));
        drop(request);
        all.evict(newcomer);
        assert!(evicted(&busy));
    }

    #[tokio::test(start_paused = true)]
    async fn memory_for_heads_goes_back_when_the_request_ends() {
        let all = Connections::new(2);
        let connection = all.admit(ip("192.0.2.1")).await;
        assert!(connection.has_room(HEAD_BYTES_FREE));
        assert_eq!(all.heads.available(), HEADS_BYTES_MAX);
        connection.received(HEAD_BYTES_FREE);
        assert!(connection.has_room(1));
        assert_eq!(all.heads.available(), HEADS_BYTES_MAX - STEP);
        assert!(!connection.has_room(HEADS_BYTES_MAX + STEP));
        let request = connection.begin();
        drop(request);
        assert_eq!(all.heads.available(), HEADS_BYTES_MAX);
        // A known caller's are not counted.
        let request = connection.begin();
        request.identified();
        connection.received(10 * HEADS_BYTES_MAX);
        assert!(connection.has_room(1));
    }
}
