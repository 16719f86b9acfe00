//! SQLite's connections: statements run where they are asked for.
//!
//! Most statements take some microseconds, because the pages that they need are in memory. To hand each to a thread
//! and its rows back costs several times that, so a statement runs on its caller's thread. What may take longer runs
//! on a thread for blocking work:
//! - opening, closing, scripts, and the COMMIT, which waits for the disk;
//! - a statement that finds a lock of another process, such as a command beside the server;
//! - a query that is not done after [`STEPS_HERE_MAX`]: it is ended, which changes nothing, and begins again there;
//! - a statement that writes, when the same one needed more than that before. It cannot be ended halfway: SQLite
//!   would undo its whole transaction (`sqlite3_interrupt`);
//! - every statement for some seconds after several waited for the disk: the threads that serve requests must not
//!   wait for it ([`disk`]).

mod disk;

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rusqlite::types::{ToSql, ToSqlOutput, Value as Column, ValueRef};
use rusqlite::{Connection, ErrorCode, InterruptHandle, OpenFlags, Statement, StatementStatus};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};
use tokio::task::{JoinError, spawn_blocking};

use self::disk::Disks;
use crate::pool::{Link, STATEMENT_CACHE};
use crate::value::Value;
use crate::{Error, Result};

/// How long SQLite itself waits for a lock that another process holds, such as `berth account create`
/// while the server runs.
const BUSY_TIMEOUT: Duration = Duration::from_secs(15);
/// Steps of SQLite's virtual machine that a statement takes on its caller's thread at most: 0.2 ms where they count,
/// up to 2 ms where they read rows into memory.
const STEPS_HERE_MAX: i64 = 20_000;
/// After how many steps they are counted.
const STEPS_COUNTED: i32 = 1_000;
/// Threads that a database keeps busy at most. It has fewer connections; a disk that hangs keeps the threads of those
/// that were given up.
const THREADS_MAX: usize = 32;

/// What is set on each connection.
///
/// `synchronous` is FULL: the log is synced at each commit. NORMAL would lose the last commits with the power, and
/// they were acknowledged.
const SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;";
/// What is set on a reader besides.
const READER_SETTINGS: &str = "PRAGMA query_only = ON;";

/// Which database, and what its connections share.
#[derive(Clone)]
pub(crate) struct SqliteOptions {
    path: PathBuf,
    is_reader: bool,
    shared: Arc<Shared>,
}

impl SqliteOptions {
    /// For connections that write. The file is created where there is none.
    pub(crate) fn new(path: &str) -> SqliteOptions {
        SqliteOptions {
            path: path.into(),
            is_reader: false,
            shared: Arc::default(),
        }
    }

    /// For connections to the same database that cannot write.
    pub(crate) fn readers(&self) -> SqliteOptions {
        SqliteOptions {
            is_reader: true,
            ..self.clone()
        }
    }
}

/// What the connections of a database share.
struct Shared {
    disks: Disks,
    /// One permit for each thread.
    threads: Arc<Semaphore>,
}

impl Default for Shared {
    fn default() -> Self {
        Shared {
            disks: Disks::default(),
            threads: Arc::new(Semaphore::new(THREADS_MAX)),
        }
    }
}

/// Which rows of an answer are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Take {
    /// None; the statement runs to its end.
    Nothing,
    /// The first. A statement that writes has written all by then.
    First,
    /// All.
    All,
}

/// A statement with its parameters.
pub(crate) struct Ask {
    /// Statements of the code run on the caller's thread, composed ones never: they read whole tables.
    pub(crate) sql: Cow<'static, str>,
    pub(crate) params: Vec<Value>,
    pub(crate) take: Take,
}

impl Ask {
    /// A statement without parameters or rows.
    fn of(sql: &'static str) -> Ask {
        Ask {
            sql: sql.into(),
            params: Vec::new(),
            take: Take::Nothing,
        }
    }
}

/// What a statement gave.
pub(crate) struct Answer {
    pub(crate) rows: Vec<SqliteRow>,
    /// How many rows it changed.
    pub(crate) changed: u64,
}

/// A row of an answer.
#[derive(Debug)]
pub(crate) struct SqliteRow(Box<[Column]>);

impl SqliteRow {
    /// The column at a position; `None` where there is none.
    pub(crate) fn column(&self, column: usize) -> Option<&Column> {
        self.0.get(column)
    }
}

/// A connection to an SQLite database.
pub(crate) struct SqliteConnection {
    /// Locked for one statement. Who stops waiting for one leaves it to its thread, and the next one waits for that.
    /// Present until the drop.
    database: Option<Arc<Mutex<Database>>>,
    interrupt: InterruptHandle,
    is_reader: bool,
    shared: Arc<Shared>,
}

struct Database {
    connection: Connection,
    /// How often a statement's steps are counted until it is ended.
    counts_left: Arc<AtomicI64>,
    /// Those that write and took many steps.
    long_writes: HashSet<Cow<'static, str>>,
}

/// Where a statement runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// On the thread of the caller, which must not wait.
    Here,
    /// On a thread for blocking work.
    Thread,
}

impl Database {
    fn open(options: &SqliteOptions) -> rusqlite::Result<Database> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            // One statement at a time: `SqliteConnection` has a lock of its own.
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&options.path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
        connection.execute_batch(SETTINGS)?;
        if options.is_reader {
            connection.execute_batch(READER_SETTINGS)?;
        }
        let counts_left = Arc::new(AtomicI64::new(i64::MAX));
        let left = Arc::clone(&counts_left);
        let is_over = move || left.fetch_sub(1, Ordering::Relaxed) <= 0;
        connection.progress_handler(STEPS_COUNTED, Some(is_over))?;
        Ok(Database {
            connection,
            counts_left,
            long_writes: HashSet::new(),
        })
    }

    fn ask(&mut self, ask: &Ask, place: Place) -> rusqlite::Result<Answer> {
        self.connection.busy_timeout(match place {
            Place::Here => Duration::ZERO,
            Place::Thread => BUSY_TIMEOUT,
        })?;
        // To prepare it may read the schema, in steps that count as well.
        self.counts_left.store(i64::MAX, Ordering::Relaxed);
        let mut statement = self.connection.prepare_cached(&ask.sql)?;
        if place == Place::Here && statement.readonly() {
            let counts = STEPS_HERE_MAX / i64::from(STEPS_COUNTED);
            self.counts_left.store(counts, Ordering::Relaxed);
        }
        bind(&mut statement, &ask.params)?;
        let rows = rows(&mut statement, ask.take)?;
        if statement.readonly() {
            return Ok(Answer { rows, changed: 0 });
        }
        let steps = statement.reset_status(StatementStatus::VmStep);
        drop(statement);
        if i64::from(steps) > STEPS_HERE_MAX {
            self.long_writes.insert(ask.sql.clone());
        }
        let changed = self.connection.changes();
        Ok(Answer { rows, changed })
    }
}

/// Binds `$1`, `$2`, … to the parameters. To SQLite these are names, numbered as they appear.
fn bind(statement: &mut Statement<'_>, params: &[Value]) -> rusqlite::Result<()> {
    let count = statement.parameter_count();
    for index in 1..=count {
        let number = statement
            .parameter_name(index)
            .and_then(|name| name.strip_prefix('$'))
            .and_then(|number| number.parse::<usize>().ok());
        let param = number.and_then(|number| params.get(number.checked_sub(1)?));
        let Some(param) = param else {
            return Err(rusqlite::Error::InvalidParameterCount(params.len(), count));
        };
        statement.raw_bind_parameter(index, param)?;
    }
    Ok(())
}

fn rows(statement: &mut Statement<'_>, take: Take) -> rusqlite::Result<Vec<SqliteRow>> {
    let columns = statement.column_count();
    let mut rows = Vec::new();
    let mut found = statement.raw_query();
    while let Some(row) = found.next()? {
        if take == Take::Nothing {
            continue;
        }
        let columns: rusqlite::Result<Box<[Column]>> = (0..columns).map(|i| row.get(i)).collect();
        rows.push(SqliteRow(columns?));
        if take == Take::First {
            break;
        }
    }
    Ok(rows)
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
            Value::NullText | Value::NullInt | Value::NullBytes => ValueRef::Null,
        }))
    }
}

impl SqliteConnection {
    /// Runs a statement on this thread. `None` where it belongs on another one, and has done nothing here.
    pub(crate) fn ask_here(&self, ask: &Ask) -> Option<Result<Answer>> {
        if matches!(ask.sql, Cow::Owned(_)) {
            return None;
        }
        let disks = &self.shared.disks;
        let beginning = disks.begin(self.is_reader)?;
        let mut database = self.database.as_ref()?.try_lock().ok()?;
        if database.long_writes.contains(&ask.sql) {
            return None;
        }
        let answer = database.ask(ask, Place::Here);
        disks.end(self.is_reader, &beginning);
        match answer {
            Err(error) if must_wait(&error) => None,
            answer => Some(answer.map_err(Error::from)),
        }
    }

    /// Runs a statement on a thread for blocking work.
    pub(crate) async fn ask_in_thread(&mut self, ask: Ask) -> Result<Answer> {
        self.in_thread(move |database| database.ask(&ask, Place::Thread))
            .await
    }

    /// Runs several statements without parameters.
    pub(crate) async fn script(&mut self, sql: String) -> Result<()> {
        self.in_thread(move |database| {
            database.connection.busy_timeout(BUSY_TIMEOUT)?;
            database.counts_left.store(i64::MAX, Ordering::Relaxed);
            database.connection.execute_batch(&sql)
        })
        .await
    }

    /// Runs `work` on a thread for blocking work, after what was given up before.
    async fn in_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Database) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        // Locked here and not in the thread: statements run in the order in which they were asked for. Else a
        // ROLLBACK could overtake the statement that was given up before it.
        let mut database: OwnedMutexGuard<Database> = match &self.database {
            Some(database) => Arc::clone(database).lock_owned().await,
            None => return Err(Error::Unavailable("the connection was closed".into())),
        };
        let permit = Arc::clone(&self.shared.threads).acquire_owned().await;
        let done = spawn_blocking(move || {
            let done = work(&mut database);
            drop((database, permit));
            done
        });
        Ok(done.await.map_err(stopped)??)
    }
}

/// Whether a statement that must not wait would have had to.
fn must_wait(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::OperationInterrupted)
    )
}

fn stopped(error: JoinError) -> Error {
    Error::Unavailable(format!("the database's thread stopped: {error}"))
}

impl Link for SqliteConnection {
    type Options = SqliteOptions;
    const IS_REMOTE: bool = false;

    async fn open(options: &SqliteOptions) -> Result<Self> {
        let shared = Arc::clone(&options.shared);
        let options = options.clone();
        let is_reader = options.is_reader;
        let opened = spawn_blocking(move || Database::open(&options)).await;
        let database = opened.map_err(stopped)??;
        Ok(SqliteConnection {
            interrupt: database.connection.get_interrupt_handle(),
            database: Some(Arc::new(Mutex::new(database))),
            is_reader,
            shared,
        })
    }

    async fn run(&mut self, sql: &'static str) -> Result<()> {
        let ask = Ask::of(sql);
        let answer = match self.ask_here(&ask) {
            Some(answer) => answer,
            None => self.ask_in_thread(ask).await,
        };
        answer.map(drop)
    }

    async fn commit(&mut self) -> Result<()> {
        self.ask_in_thread(Ask::of("COMMIT")).await.map(drop)
    }

    async fn test(&mut self) -> Result<()> {
        // Free once what was given up before has ended.
        if let Some(database) = &self.database {
            drop(database.lock().await);
        }
        Ok(())
    }

    async fn farewell(mut self) -> Result<()> {
        let Some(database) = self.database.take().and_then(Arc::into_inner) else {
            return Ok(());
        };
        let close = move || {
            let closed = database.into_inner().connection.close();
            closed.map_err(|(_, error)| error)
        };
        Ok(spawn_blocking(close).await.map_err(stopped)??)
    }
}

impl Drop for SqliteConnection {
    fn drop(&mut self) {
        let Some(database) = self.database.take() else {
            return;
        };
        match Arc::into_inner(database) {
            // The last connection to close folds the log into the file.
            Some(database) => match Handle::try_current() {
                Ok(runtime) => drop(runtime.spawn_blocking(move || drop(database))),
                Err(_) => drop(database),
            },
            // A thread has it still, for a statement that nobody waits for any more.
            None => self.interrupt.interrupt(),
        }
    }
}

#[cfg(test)]
mod tests;
