//! Who runs what, when, and how often.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use jobs::{BoxError, Job, Kind, LEASE, Outcome, Runner, retry_delay};
use store::Store;
use store::testing::{TestStore, on_every_engine};

/// On whose authority the jobs here are done.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Service;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A clock that the test moves.
#[derive(Clone, Default)]
struct Clock(Arc<AtomicI64>);

impl Clock {
    fn pass(&self, time: SignedDuration) {
        let time = i64::try_from(time.as_millis()).unwrap();
        self.0.fetch_add(time, Ordering::SeqCst);
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// What ran, in order.
type Log = Arc<Mutex<Vec<String>>>;

fn take(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().unwrap())
}

/// A node whose jobs of kind `work` note that they ran, and then do what `outcome` says.
fn node(
    store: &Store,
    name: &'static str,
    clock: &Clock,
    log: &Log,
    outcome: impl Fn(&Job<Service>) -> Result<Outcome, BoxError> + Send + Sync + 'static,
) -> Runner<Service> {
    let (log, outcome) = (Arc::clone(log), Arc::new(outcome));
    let work = Kind::new("work", Service, move |job: Job<Service>| {
        let (log, outcome) = (Arc::clone(&log), Arc::clone(&outcome));
        async move {
            let line = format!("{name} {} {}", job.subject, job.payload);
            log.lock().unwrap().push(line.trim_end().to_owned());
            outcome(&job)
        }
    });
    let clock = clock.clone();
    Runner::new(store.clone(), name, [work], move || clock.now())
}

#[on_every_engine]
async fn a_job_that_is_done_is_gone(t: TestStore) {
    let (clock, log) = (Clock::default(), Log::default());
    let runner = node(&t.store, "a", &clock, &log, |_| Ok(Outcome::Done));
    runner.request("work", "x", "1").await.unwrap();
    // Asked for twice before it runs: once, with the newer payload.
    runner.request("work", "x", "2").await.unwrap();
    runner.request("work", "y", "3").await.unwrap();
    assert_eq!(runner.run_due().await.unwrap(), 2);
    assert_eq!(take(&log), ["a x 2", "a y 3"]);
    clock.pass(MINUTE);
    assert_eq!(runner.run_due().await.unwrap(), 0);
}

#[on_every_engine]
async fn a_repeated_job_outlives_its_node(t: TestStore) {
    let (clock, log) = (Clock::default(), Log::default());
    let first = node(&t.store, "a", &clock, &log, |_| Ok(Outcome::Again(MINUTE)));
    first.ensure("work", "x", "").await.unwrap();
    first.ensure("work", "x", "").await.unwrap();
    assert_eq!(first.run_due().await.unwrap(), 1);
    assert_eq!(first.run_due().await.unwrap(), 0);
    drop(first);
    let other = Store::open(&t.url).await.unwrap();
    let second = node(&other, "b", &clock, &log, |_| Ok(Outcome::Again(MINUTE)));
    second.ensure("work", "x", "").await.unwrap();
    assert_eq!(second.run_due().await.unwrap(), 0, "it is not due yet");
    clock.pass(MINUTE);
    assert_eq!(second.run_due().await.unwrap(), 1);
    assert_eq!(take(&log), ["a x", "b x"]);
}

#[on_every_engine]
async fn a_failure_is_tried_again_later_each_time(t: TestStore) {
    let (clock, log) = (Clock::default(), Log::default());
    let runner = node(&t.store, "a", &clock, &log, |job| match job.failures {
        3 => Ok(Outcome::Done),
        _ => Err("no luck".into()),
    });
    runner.request("work", "x", "").await.unwrap();
    for failures in 1..=3 {
        assert_eq!(runner.run_due().await.unwrap(), 1);
        assert_eq!(
            runner.run_due().await.unwrap(),
            0,
            "it waits after {failures} failures"
        );
        let mut read = t.store.read().await.unwrap();
        let noted = store::jobs::failures(&mut read.conn(), "work", "x")
            .await
            .unwrap();
        assert_eq!(noted, Some((failures, Some("no luck".to_owned()))));
        clock.pass(MINUTE);
    }
    assert_eq!(runner.run_due().await.unwrap(), 1);
    assert_eq!(runner.run_due().await.unwrap(), 0);
    assert_eq!(take(&log).len(), 4);
    let mut read = t.store.read().await.unwrap();
    assert_eq!(
        store::jobs::failures(&mut read.conn(), "work", "x")
            .await
            .unwrap(),
        None
    );
}

#[on_every_engine]
async fn a_job_of_a_dead_node_is_taken_over_when_its_lease_ends(t: TestStore) {
    let (clock, log) = (Clock::default(), Log::default());
    let other = Store::open(&t.url).await.unwrap();
    let living = node(&other, "b", &clock, &log, |_| Ok(Outcome::Done));
    living.request("work", "x", "").await.unwrap();
    // What a node does that dies before it has said anything: it leases.
    let mut tx = t.store.write(store::jobs::SCOPE).await.unwrap();
    let (now, until) = (clock.now(), clock.now() + LEASE);
    let (now, until) = (now.as_millisecond(), until.as_millisecond());
    let leased = store::jobs::lease(&mut tx.conn(), "work", "dead", now, until)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(living.run_due().await.unwrap(), 0, "the lease holds");
    clock.pass(LEASE);
    assert_eq!(living.run_due().await.unwrap(), 1);
    assert_eq!(take(&log), ["b x"]);
    // Should it come back to life, it has nothing to say any more.
    let mut tx = t.store.write(store::jobs::SCOPE).await.unwrap();
    assert!(
        !store::jobs::extend(&mut tx.conn(), leased.id, "dead", until)
            .await
            .unwrap()
    );
    assert!(
        !store::jobs::complete(&mut tx.conn(), &leased, "dead")
            .await
            .unwrap()
    );
    assert!(
        !store::jobs::fail(&mut tx.conn(), &leased, "dead", until, "late")
            .await
            .unwrap()
    );
}

#[on_every_engine]
async fn a_job_that_is_asked_for_while_it_runs_runs_once_more(t: TestStore) {
    let (clock, log) = (Clock::default(), Log::default());
    let runner = Arc::new(node(&t.store, "a", &clock, &log, |_| Ok(Outcome::Done)));
    let (asked, inner) = (Arc::new(AtomicI64::new(0)), Arc::clone(&runner));
    let again = Kind::new("work", Service, move |_: Job<Service>| {
        let (asked, inner) = (Arc::clone(&asked), Arc::clone(&inner));
        async move {
            if asked.fetch_add(1, Ordering::SeqCst) == 0 {
                inner.request("work", "x", "again").await?;
            }
            Ok(Outcome::Done)
        }
    });
    let its_clock = clock.clone();
    let outer = Runner::new(t.store.clone(), "a", [again], move || its_clock.now());
    outer.request("work", "x", "").await.unwrap();
    assert_eq!(outer.run_due().await.unwrap(), 2);
    assert_eq!(outer.run_due().await.unwrap(), 0);
}

#[on_every_engine]
async fn of_many_nodes_one_runs_a_job(t: TestStore) {
    let (clock, log) = (Clock::default(), Log::default());
    let mut nodes = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let store = Store::open(&t.url).await.unwrap();
        nodes.push(node(&store, name, &clock, &log, |_| {
            Ok(Outcome::Again(MINUTE))
        }));
    }
    for subject in 0..10 {
        nodes[0]
            .request("work", &subject.to_string(), "")
            .await
            .unwrap();
    }
    let ran: Vec<_> = futures_util::future::join_all(nodes.iter().map(Runner::run_due)).await;
    assert_eq!(ran.into_iter().map(Result::unwrap).sum::<usize>(), 10);
    let mut subjects: Vec<_> = take(&log).iter().map(|line| line[2..].to_owned()).collect();
    subjects.sort();
    subjects.dedup();
    assert_eq!(subjects.len(), 10);
}

#[on_every_engine]
async fn the_only_server_of_a_database_goes_on_at_once(t: TestStore) {
    let (clock, log) = (Clock::default(), Log::default());
    let dead = node(&t.store, "a", &clock, &log, |_| Ok(Outcome::Done));
    dead.request("work", "x", "").await.unwrap();
    let mut tx = t.store.write(store::jobs::SCOPE).await.unwrap();
    let until = LEASE.as_millis() as i64;
    let leased = store::jobs::lease(&mut tx.conn(), "work", "a", 0, until).await;
    assert!(leased.unwrap().is_some());
    tx.commit().await.unwrap();
    let next = node(&t.store, "b", &clock, &log, |_| Ok(Outcome::Done));
    next.take_over().await.unwrap();
    let is_only = t.store.engine() == store::Engine::Sqlite;
    assert_eq!(next.run_due().await.unwrap(), usize::from(is_only));
    clock.pass(LEASE);
    assert_eq!(next.run_due().await.unwrap(), usize::from(!is_only));
}

#[on_every_engine]
async fn a_database_that_is_away_is_an_error_and_no_lost_job(t: TestStore) {
    let (clock, log) = (Clock::default(), Log::default());
    let runner = node(&t.store, "a", &clock, &log, |_| Ok(Outcome::Done));
    runner.request("work", "x", "").await.unwrap();
    t.store.close().await;
    assert!(matches!(
        runner.run_due().await,
        Err(store::Error::Unavailable(_))
    ));
    let store = Store::open(&t.url).await.unwrap();
    let runner = node(&store, "a", &clock, &log, |_| Ok(Outcome::Done));
    assert_eq!(runner.run_due().await.unwrap(), 1);
}

#[test]
fn pauses_grow_to_an_hour_and_differ_by_job() {
    let pauses: Vec<_> = (1..60).map(|failures| retry_delay(failures, 1)).collect();
    assert!(pauses.is_sorted());
    assert!(pauses[0] >= SignedDuration::from_secs(2));
    let longest = *pauses.last().unwrap();
    assert!(longest >= SignedDuration::from_hours(1) && longest <= SignedDuration::from_mins(75));
    assert_ne!(retry_delay(5, 1), retry_delay(5, 2));
    assert!(retry_delay(i64::MAX, i64::MIN) <= SignedDuration::from_mins(75));
}
