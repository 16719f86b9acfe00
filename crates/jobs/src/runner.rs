//! Leases jobs, runs them, and records the result.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use store::jobs::{self as table, SCOPE};
use store::{Engine, Store};

use crate::{BoxError, Job, Kind, Outcome};

/// How long a node has a job before another one may take it over, unless it renews the lease.
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How often a running job's lease is renewed: twice may fail.
const RENEW_INTERVAL: Duration = Duration::from_secs(20);
/// How often [`Runner::run`] looks for due jobs.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);
/// The first pause after a failure, and the longest one.
const RETRY_FIRST: SignedDuration = SignedDuration::from_secs(2);
const RETRY_MAX: SignedDuration = SignedDuration::from_hours(1);
/// What is kept of an error's text.
const ERROR_CHARS_MAX: usize = 1_000;

/// The pause before the next attempt of a job that failed `failures` times in a row: twice as long each
/// time, up to an hour, and up to a quarter longer by the job's id, so that jobs that failed together are
/// not tried together.
#[must_use]
pub fn retry_delay(failures: i64, id: i64) -> SignedDuration {
    let doublings = u32::try_from(failures.saturating_sub(1).clamp(0, 20)).unwrap_or(20);
    let pause = RETRY_FIRST
        .saturating_mul(1 << doublings)
        .min(RETRY_MAX)
        .as_millis();
    // A multiplicative hash (Knuth): neighbouring ids are spread.
    let spread = i128::from(id.unsigned_abs().wrapping_mul(0x9e37_79b9) % 256);
    let pause = pause + pause * spread / 1024;
    SignedDuration::from_millis(i64::try_from(pause).unwrap_or(i64::MAX))
}

type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Runs the jobs of the kinds that it is given, beside the runners of other nodes.
pub struct Runner<A> {
    store: Store,
    holder: String,
    kinds: Vec<Kind<A>>,
    clock: Clock,
}

impl<A: Clone + Send + Sync> Runner<A> {
    /// A runner of a node. `holder` names the node, and this run of it, in leases.
    pub fn new(
        store: Store,
        holder: impl Into<String>,
        kinds: impl IntoIterator<Item = Kind<A>>,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self {
            store,
            holder: holder.into(),
            kinds: kinds.into_iter().collect(),
            clock: Arc::new(clock),
        }
    }

    fn now(&self) -> i64 {
        (self.clock)().as_millisecond()
    }

    /// Ends the leases of the process before this one, so that its jobs need not wait for their ends. To be called
    /// before the first job runs. Only SQLite's file has one server at a time: of another database's leases
    /// nobody can say that their holder is gone.
    ///
    /// # Errors
    /// The database's.
    pub async fn take_over(&self) -> store::Result<()> {
        if self.store.engine() == Engine::Sqlite {
            let mut tx = self.store.write(SCOPE).await?;
            table::free_all(&mut tx.conn()).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Asks for a job that every database has, such as a sweep; nothing where it is there.
    ///
    /// # Errors
    /// The database's.
    pub async fn ensure(&self, kind: &str, subject: &str, payload: &str) -> store::Result<()> {
        debug_assert!(self.kinds.iter().any(|known| known.name == kind));
        let mut tx = self.store.write(SCOPE).await?;
        table::put_if_absent(&mut tx.conn(), kind, subject, payload, self.now()).await?;
        tx.commit().await
    }

    /// Asks for a job now, or once more where it runs.
    ///
    /// # Errors
    /// The database's.
    pub async fn request(&self, kind: &str, subject: &str, payload: &str) -> store::Result<()> {
        debug_assert!(self.kinds.iter().any(|known| known.name == kind));
        let mut tx = self.store.write(SCOPE).await?;
        table::put(&mut tx.conn(), kind, subject, payload, self.now()).await?;
        tx.commit().await
    }

    /// Runs what is due until nothing is, one job at a time, and says how many ran.
    ///
    /// # Errors
    /// The database's. A job's own failure is none: it is noted and tried again later.
    pub async fn run_due(&self) -> store::Result<usize> {
        let mut ran = 0;
        for kind in &self.kinds {
            while let Some(row) = self.lease(kind).await? {
                self.run_one(kind, row).await?;
                ran += 1;
            }
        }
        Ok(ran)
    }

    /// Runs what becomes due, until `stop` completes. A job that runs then is dropped; its lease is over
    /// within a minute.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut reachable = true;
        loop {
            let round = async {
                let ran = self.run_due().await;
                // Said once, not at each look.
                match &ran {
                    Err(error) if reachable => {
                        tracing::error!(%error, "jobs do not run: the database does not answer");
                    }
                    _ => {}
                }
                reachable = ran.is_ok();
                tokio::time::sleep(LOOK_INTERVAL).await;
            };
            tokio::select! {
                () = &mut stop => return,
                () = round => {}
            }
        }
    }

    /// Leases a due job. The usual answer, that there is none, costs one read.
    async fn lease(&self, kind: &Kind<A>) -> store::Result<Option<table::Job>> {
        let now = self.now();
        let is_due = {
            let mut read = self.store.read().await?;
            table::is_due(&mut read.conn(), kind.name, now).await?
        };
        if !is_due {
            return Ok(None);
        }
        let mut tx = self.store.write(SCOPE).await?;
        let until = self.lease_end();
        let job = table::lease(&mut tx.conn(), kind.name, &self.holder, now, until).await?;
        tx.commit().await?;
        Ok(job)
    }

    fn lease_end(&self) -> i64 {
        let lease = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
        self.now().saturating_add(lease)
    }

    async fn run_one(&self, kind: &Kind<A>, row: table::Job) -> store::Result<()> {
        let job = Job {
            subject: row.subject.clone(),
            payload: row.payload.clone(),
            failures: row.failures,
            authority: kind.authority.clone(),
        };
        let done = tokio::select! {
            done = (kind.handler)(job) => done,
            () = self.hold(row.id) => {
                tracing::warn!(kind = kind.name, subject = row.subject, "a job's lease was lost");
                return Ok(());
            }
        };
        let mut tx = self.store.write(SCOPE).await?;
        let conn = &mut tx.conn();
        let held = match &done {
            Ok(Outcome::Done) => table::complete(conn, &row, &self.holder).await?,
            Ok(Outcome::Again(pause)) => {
                table::repeat(conn, &row, &self.holder, self.after(*pause)).await?
            }
            Err(error) => {
                let failures = row.failures + 1;
                let text = chain(error);
                tracing::warn!(
                    kind = kind.name,
                    subject = row.subject,
                    failures,
                    error = text,
                    "a job failed and is tried again"
                );
                let run_at = self.after(retry_delay(failures, row.id));
                table::fail(conn, &row, &self.holder, run_at, &text).await?
            }
        };
        if !held {
            tracing::warn!(
                kind = kind.name,
                subject = row.subject,
                "a job ran longer than its lease"
            );
        }
        tx.commit().await
    }

    /// Renews a lease while the job runs; completes when it is lost.
    async fn hold(&self, id: i64) {
        let mut ends_at = self.lease_end();
        loop {
            tokio::time::sleep(RENEW_INTERVAL).await;
            let until = self.lease_end();
            match self.extend(id, until).await {
                Ok(true) => ends_at = until,
                Ok(false) => return,
                Err(error) => tracing::warn!(%error, "a job's lease cannot be renewed"),
            }
            if self.now() >= ends_at {
                return;
            }
        }
    }

    async fn extend(&self, id: i64, until: i64) -> store::Result<bool> {
        let mut tx = self.store.write(SCOPE).await?;
        let held = table::extend(&mut tx.conn(), id, &self.holder, until).await?;
        tx.commit().await?;
        Ok(held)
    }

    fn after(&self, pause: SignedDuration) -> i64 {
        let pause = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        self.now().saturating_add(pause)
    }
}

/// An error with its causes, cut to what is kept.
fn chain(error: &BoxError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text.chars().take(ERROR_CHARS_MAX).collect()
}
