//! Connections, lent one at a time and taken back only in a known state.
//!
//! # Why not the driver's pool
//! A connection is kept only after its transaction ended with a COMMIT or ROLLBACK that succeeded, and
//! every wait has a bound. The driver's pool differs in two ways that stop a server:
//! - SQLite ends a transaction by itself after a full disk or an I/O error. The ROLLBACK that follows
//!   fails, the driver goes on counting an open transaction, and every later BEGIN is refused.
//! - A connection is tested without a time limit when it is returned. A server that is frozen, or behind
//!   a network that drops packets, keeps it and its permit for as long as TCP retries.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use crate::{Error, Result};

/// How long a request waits for a connection, or for the one writer of SQLite, before it is told to
/// come back.
pub(crate) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a new connection may take, TLS and login included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest statement. PostgreSQL ends one on its side a little earlier
/// (`database::POSTGRES_STATEMENT_TIMEOUT`); this bound holds when it does not answer at all.
pub(crate) const STATEMENT_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a ROLLBACK, a test or a farewell may take before the connection is dropped.
const CLEAN_UP_TIMEOUT: Duration = Duration::from_secs(5);
/// How long [`Pool::close`] waits for what is lent out, and then for the farewells.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Prepared statements kept for each connection: more than Berth has.
pub(crate) const STATEMENT_CACHE: usize = 512;
/// A network connection that rested longer than this is tested before it is used: the server may have
/// been restarted meanwhile.
const TEST_AFTER_IDLE: Duration = Duration::from_secs(1);
/// A network connection older than this is replaced, so that a server's memory for it is given back.
const LIFETIME_MAX: Duration = Duration::from_secs(30 * 60);

/// A connection of one of the two drivers.
pub(crate) trait Link: Sized + Send + 'static {
    /// What is needed to open one.
    type Options: Clone + Send + Sync + 'static;
    /// Whether the other end is another process, which can go away while the connection rests.
    const IS_REMOTE: bool;

    fn open(options: &Self::Options) -> impl Future<Output = Result<Self>> + Send;
    /// Runs a statement without parameters or rows.
    fn run(&mut self, sql: &'static str) -> impl Future<Output = Result<()>> + Send;
    /// Runs COMMIT.
    fn commit(&mut self) -> impl Future<Output = Result<()>> + Send;
    /// Asks for a sign of life, after everything that was sent before.
    fn test(&mut self) -> impl Future<Output = Result<()>> + Send;
    /// Closes in order.
    fn farewell(self) -> impl Future<Output = Result<()>> + Send;
}

impl Link for PgConnection {
    type Options = PgConnectOptions;
    const IS_REMOTE: bool = true;

    async fn open(options: &PgConnectOptions) -> Result<Self> {
        Ok(options.connect().await?)
    }

    async fn run(&mut self, sql: &'static str) -> Result<()> {
        // Text, not a prepared statement: one round trip.
        self.execute(sqlx::raw_sql(sql)).await?;
        Ok(())
    }

    async fn commit(&mut self) -> Result<()> {
        self.run("COMMIT").await
    }

    async fn test(&mut self) -> Result<()> {
        Ok(self.ping().await?)
    }

    async fn farewell(self) -> Result<()> {
        Ok(self.close().await?)
    }
}

/// A bounded number of connections.
pub(crate) struct Pool<C: Link> {
    options: C::Options,
    /// One permit for each connection that may exist. Waiters are served in order.
    permits: Arc<Semaphore>,
    size: u32,
    idle: Mutex<Vec<Idle<C>>>,
    closed: AtomicBool,
}

struct Idle<C> {
    connection: C,
    opened: Instant,
    since: Instant,
}

impl<C: Link> Pool<C> {
    /// A pool that opens connections when they are needed.
    pub(crate) fn new(options: C::Options, size: u32) -> Arc<Self> {
        Arc::new(Pool {
            options,
            permits: Arc::new(Semaphore::new(size as usize)),
            size,
            idle: Mutex::default(),
            closed: AtomicBool::new(false),
        })
    }

    /// Lends a connection that is in no transaction.
    pub(crate) async fn acquire(self: &Arc<Self>) -> Result<Lease<C>> {
        let permit = timeout(ACQUIRE_TIMEOUT, Arc::clone(&self.permits).acquire_owned())
            .await
            .map_err(|_| Error::Unavailable("no connection became free in time".into()))?
            .map_err(|_| Error::Unavailable("the database is closed".into()))?;
        let (connection, opened) = match self.tested().await {
            Some(idle) => (idle.connection, idle.opened),
            None => (self.open().await?, Instant::now()),
        };
        Ok(Lease {
            connection: Some(connection),
            opened,
            state: State::Clean,
            pool: Arc::clone(self),
            permit: Some(permit),
        })
    }

    async fn open(&self) -> Result<C> {
        timeout(CONNECT_TIMEOUT, C::open(&self.options))
            .await
            .map_err(|_| Error::Unavailable("no connection could be opened in time".into()))?
    }

    /// The connection that was used last, if it still answers.
    async fn tested(&self) -> Option<Idle<C>> {
        let mut idle = self.lock().pop()?;
        if !C::IS_REMOTE || idle.since.elapsed() <= TEST_AFTER_IDLE {
            return Some(idle);
        }
        match timeout(CLEAN_UP_TIMEOUT, idle.connection.test()).await {
            Ok(Ok(())) => Some(idle),
            // What happened to this one happened to those that rested longer.
            _ => {
                self.lock().clear();
                None
            }
        }
    }

    /// Closes all connections in order, as far as that is possible within [`CLOSE_TIMEOUT`].
    pub(crate) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let all = self.permits.acquire_many(self.size);
        if timeout(CLOSE_TIMEOUT, all).await.is_err() {
            tracing::warn!("the database is closed while statements are running");
        }
        self.permits.close();
        let idle = std::mem::take(&mut *self.lock());
        let farewells = async {
            for idle in idle {
                if let Err(error) = idle.connection.farewell().await {
                    tracing::debug!(%error, "cannot close a database connection");
                }
            }
        };
        if timeout(CLOSE_TIMEOUT, farewells).await.is_err() {
            tracing::warn!("the database did not close its connections in time");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Idle<C>>> {
        // A list that is sound at every step.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_back(&self, connection: C, opened: Instant) {
        let too_old = C::IS_REMOTE && opened.elapsed() > LIFETIME_MAX;
        if too_old || self.closed.load(Ordering::Acquire) {
            return;
        }
        let mut idle = self.lock();
        debug_assert!(
            idle.len() < self.size as usize,
            "more connections than permits"
        );
        idle.push(Idle {
            connection,
            opened,
            since: Instant::now(),
        });
    }
}

/// What is known about a lent connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No transaction, nothing in flight.
    Clean,
    /// A statement outside of a transaction was sent and its answer not read.
    InFlight,
    /// A transaction may be open, and a statement of it in flight.
    InTransaction,
    /// A statement failed in a way after which the connection is not used again.
    Failed,
    /// A statement was not answered in time: it may still run.
    Silent,
}

/// A connection on loan. Dropped, it goes back to its pool, after a ROLLBACK where one is due; one that
/// failed is closed.
pub(crate) struct Lease<C: Link> {
    /// Present until the drop.
    connection: Option<C>,
    opened: Instant,
    state: State,
    pool: Arc<Pool<C>>,
    /// Present until the drop.
    permit: Option<OwnedSemaphorePermit>,
}

impl<C: Link> Lease<C> {
    /// Begins a transaction.
    pub(crate) async fn begin(&mut self, sql: &'static str) -> Result<()> {
        assert_eq!(self.state, State::Clean, "a lease holds one transaction");
        self.state = State::InTransaction;
        self.run(sql).await
    }

    /// Commits it. After an error it is not known whether it was committed.
    pub(crate) async fn commit(mut self) -> Result<()> {
        assert_ne!(self.state, State::Clean, "a commit ends a transaction");
        // `enter` refuses after a failed statement.
        let connection = self.enter()?;
        let answer = timeout(STATEMENT_TIMEOUT, connection.commit()).await;
        let committed = self.leave(answer);
        self.state = match committed {
            Ok(()) => State::Clean,
            Err(_) => State::Failed,
        };
        committed
    }

    /// Runs a statement without parameters or rows.
    pub(crate) async fn run(&mut self, sql: &'static str) -> Result<()> {
        let connection = self.enter()?;
        let answer = timeout(STATEMENT_TIMEOUT, connection.run(sql)).await;
        self.leave(answer)
    }

    /// The connection, for one statement. [`Lease::leave`] takes the answer; where it is not called, because
    /// the caller's future was dropped, the statement counts as in flight.
    pub(crate) fn enter(&mut self) -> Result<&mut C> {
        self.check()?;
        if self.state == State::Clean {
            self.state = State::InFlight;
        }
        self.connection
            .as_mut()
            .ok_or_else(|| Error::Unavailable("the connection was closed".into()))
    }

    /// Whether the transaction can be committed.
    pub(crate) fn check(&self) -> Result<()> {
        match self.state {
            State::Failed | State::Silent => {
                Err(Error::Unavailable("an earlier statement failed".into()))
            }
            _ => Ok(()),
        }
    }

    /// Takes back what was done since `SAVEPOINT turn`. A statement that failed is no obstacle, unless SQLite has
    /// undone the whole transaction because of it: then there is no such savepoint, and this fails.
    pub(crate) async fn undo_turn(&mut self) -> Result<()> {
        if self.state == State::Failed {
            self.state = State::InTransaction;
        }
        self.run("ROLLBACK TO turn").await?;
        self.run("RELEASE turn").await
    }

    /// Notes in which state a statement left the connection.
    pub(crate) fn leave<T, E>(&mut self, answer: Result<Result<T, E>, Elapsed>) -> Result<T>
    where
        Error: From<E>,
    {
        let Ok(answer) = answer else {
            self.state = State::Silent;
            let why = "the database did not answer in time";
            return Err(Error::Unavailable(why.into()));
        };
        let result = answer.map_err(Error::from);
        match &result {
            Err(error) if !error.is_refused_row() => self.state = State::Failed,
            _ if self.state == State::InFlight => self.state = State::Clean,
            _ => {}
        }
        result
    }
}

impl<C: Link> Drop for Lease<C> {
    fn drop(&mut self) {
        let (Some(mut connection), permit) = (self.connection.take(), self.permit.take()) else {
            return;
        };
        let (pool, opened) = (Arc::clone(&self.pool), self.opened);
        let state = self.state;
        match state {
            State::Clean => pool.take_back(connection, opened),
            // Closing is abrupt: the engine undoes what was not committed.
            State::Failed | State::Silent => {}
            State::InFlight | State::InTransaction => {
                let Ok(runtime) = Handle::try_current() else {
                    return;
                };
                runtime.spawn(async move {
                    let clean_up = async {
                        match state {
                            State::InTransaction => connection.run("ROLLBACK").await,
                            _ => connection.test().await,
                        }
                    };
                    match timeout(CLEAN_UP_TIMEOUT, clean_up).await {
                        Ok(Ok(())) => pool.take_back(connection, opened),
                        Ok(Err(error)) => {
                            tracing::debug!(%error, "a database connection is closed");
                        }
                        Err(_) => tracing::debug!("a silent database connection is closed"),
                    }
                    drop(permit);
                });
                return;
            }
        }
        drop(permit);
    }
}
