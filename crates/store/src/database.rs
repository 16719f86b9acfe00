//! Opening a database, reading from it, and writing to it.

use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};

use crate::changes::{Changes, Moment};
use crate::conn::{Conn, Lent, Row, Value};
use crate::pool::Pool;
use crate::server_lock::ServerLock;
use crate::{Error, Result, Scope, Topic, migrate, values};

/// Readers that SQLite serves side by side. More would only queue for the cores.
const SQLITE_READERS: u32 = 8;
/// Connections to PostgreSQL of one node, of each kind: writers that wait for a scope must not keep
/// readers from reading.
const POSTGRES_READERS: u32 = 12;
const POSTGRES_WRITERS: u32 = 12;
/// How long SQLite itself waits for a lock that another process holds, such as `berth account create`
/// while the server runs.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(15);
/// Prepared statements kept for each connection: more than Berth has.
const STATEMENT_CACHE: usize = 512;
/// Changed topics that one poll reads. Beyond it everything counts as changed.
const POLLED_TOPICS_MAX: i64 = 50_000;

/// What every session on PostgreSQL runs with, whatever the role's or the database's defaults are
/// (PostgreSQL manual, "Client Connection Defaults" and "Connections and Authentication").
const POSTGRES_SETTINGS: [(&str, &str); 9] = [
    // An acknowledged commit is on disk. A role may have been given `off`.
    ("synchronous_commit", "on"),
    // Below the client's own bound, `pool::STATEMENT_TIMEOUT`, so that the server's reason is logged.
    ("statement_timeout", "18s"),
    // Below `statement_timeout`, so that a writer that waits for its scope is told why it failed.
    ("lock_timeout", "15s"),
    // A writer that went silent in the middle of a transaction (a frozen node) loses its scope.
    ("idle_in_transaction_session_timeout", "30s"),
    // A node that vanished without closing its connections is noticed, and its locks are released.
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "30000"),
    // "relation already exists, skipping" at each start interests nobody.
    ("client_min_messages", "warning"),
];

/// The two kinds of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Embedded, one file, one node.
    Sqlite,
    /// A server, for more than one node.
    Postgres,
}

/// The metadata of one Berth. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

struct Inner {
    pools: Pools,
    changes: Changes,
    id: OnceLock<String>,
    /// Held by a server on SQLite for as long as the store is open.
    _lock: Option<ServerLock>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("id", &self.id)
            .field("changes", &self.changes)
            .finish_non_exhaustive()
    }
}

enum Pools {
    /// A pool of one is SQLite's writer: whoever holds its connection is alone.
    Sqlite {
        readers: Arc<Pool<SqliteConnection>>,
        writer: Arc<Pool<SqliteConnection>>,
    },
    Postgres {
        readers: Arc<Pool<PgConnection>>,
        writers: Arc<Pool<PgConnection>>,
    },
}

impl Store {
    /// Opens the database, creates it where that is possible, and brings its schema up to date. `url` is
    /// `sqlite:PATH` or `postgres://…`. A command opens it like this, beside a running server.
    ///
    /// # Errors
    /// [`Error::Url`] for another scheme, [`Error::Schema`] when a newer Berth wrote the database and this
    /// one is too old for it, else what the engine says.
    pub async fn open(url: &str) -> Result<Store> {
        Store::open_with(url, false).await
    }

    /// As [`Store::open`], for a server: the file of an SQLite database is taken for as long as the store
    /// is open.
    ///
    /// # Errors
    /// Those of [`Store::open`], and [`Error::InUse`] while another server has the file.
    pub async fn open_for_server(url: &str) -> Result<Store> {
        Store::open_with(url, true).await
    }

    async fn open_with(url: &str, is_server: bool) -> Result<Store> {
        let mut lock = None;
        let pools = if let Some(path) = url.strip_prefix("sqlite:") {
            if is_server {
                lock = Some(ServerLock::take(path)?);
            }
            Pools::sqlite(path)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Pools::postgres(url)?
        } else {
            return Err(Error::Url {
                url: without_password(url),
                why: "it must begin with `sqlite:` or `postgres://`".into(),
            });
        };
        let store = Store(Arc::new(Inner {
            pools,
            changes: Changes::default(),
            id: OnceLock::new(),
            _lock: lock,
        }));
        migrate::run(&store).await?;
        let mut read = store.read().await?;
        let id = read
            .fetch_one(
                "SELECT value FROM settings WHERE name = $1",
                values![migrate::STORE_ID],
            )
            .await?
            .text(0)?;
        drop(read);
        // Set once, here.
        let _ = store.0.id.set(id);
        let until = store.poll_stamp().await?;
        store.0.changes.learned_until(until);
        Ok(store)
    }

    /// The engine behind this store.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match self.0.pools {
            Pools::Sqlite { .. } => Engine::Sqlite,
            Pools::Postgres { .. } => Engine::Postgres,
        }
    }

    /// The database's id: drawn when it was made, the same for all nodes that share it. A blob store
    /// carries it, so that no other database deletes from it.
    #[must_use]
    pub fn id(&self) -> &str {
        self.0.id.get().map_or("", String::as_str)
    }

    /// A connection to read with. Each statement sees the latest commit; reads that must agree with each
    /// other belong in one statement, in a [`Store::snapshot`] or in a write.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when none is free in time.
    pub async fn read(&self) -> Result<Read> {
        Ok(Read(match &self.0.pools {
            Pools::Sqlite { readers, .. } => Lent::Sqlite(readers.acquire().await?),
            Pools::Postgres { readers, .. } => Lent::Postgres(readers.acquire().await?),
        }))
    }

    /// A connection to read with that sees one state of the database throughout: what its first
    /// statement finds, its later statements find as well, whatever is deleted meanwhile.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when none is free in time.
    pub async fn snapshot(&self) -> Result<Read> {
        Ok(Read(match &self.0.pools {
            Pools::Sqlite { readers, .. } => {
                let mut lease = readers.acquire().await?;
                lease.begin("BEGIN DEFERRED").await?;
                Lent::Sqlite(lease)
            }
            Pools::Postgres { readers, .. } => {
                let mut lease = readers.acquire().await?;
                lease
                    .begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    .await?;
                Lent::Postgres(lease)
            }
        }))
    }

    /// Begins a writing transaction and waits for those before it in its scope.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the scope is not free in time.
    pub async fn write(&self, scope: Scope<'_>) -> Result<Write> {
        let mut lent = match &self.0.pools {
            Pools::Sqlite { writer, .. } => {
                let mut lease = writer.acquire().await?;
                lease.begin("BEGIN IMMEDIATE").await?;
                Lent::Sqlite(lease)
            }
            Pools::Postgres { writers, .. } => {
                let mut lease = writers.acquire().await?;
                // Each statement must see what was committed while the lock was waited for, whatever the
                // role's or the database's default is.
                lease.begin("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
                Lent::Postgres(lease)
            }
        };
        if self.engine() == Engine::Postgres {
            Conn(&mut lent)
                .execute(
                    "SELECT pg_advisory_xact_lock($1)",
                    values![scope.lock_key()],
                )
                .await?;
        }
        Ok(Write {
            lent,
            store: self.clone(),
            touched: BTreeMap::new(),
        })
    }

    /// This point in the sequence of changes that this node knows of. A cache notes it *before* it reads.
    #[must_use]
    pub fn moment(&self) -> Moment {
        self.0.changes.now()
    }

    /// Whether the topic has changed after `moment`, as far as this node knows: what was read at that
    /// moment is then stale.
    #[must_use]
    pub fn changed_since(&self, topic: Topic<'_>, moment: Moment) -> bool {
        self.0.changes.changed_since(topic, moment)
    }

    /// Learns of other nodes' changes. A server calls this several times a second.
    ///
    /// # Errors
    /// The engine's.
    pub async fn poll_changes(&self) -> Result<()> {
        let changes = &self.0.changes;
        // Before the rows: what commits in between is read now and once more at the next poll.
        let until = self.poll_stamp().await?;
        let sql = match self.engine() {
            // Writers commit in the order of their stamps.
            Engine::Sqlite => {
                "SELECT topic, generation FROM changes WHERE stamp > $1 ORDER BY stamp LIMIT $2"
            }
            // A writer that has not committed yet has a number from `until` on.
            Engine::Postgres => {
                "SELECT topic, generation FROM changes WHERE stamp >= $1 ORDER BY stamp LIMIT $2"
            }
        };
        let rows = self
            .read()
            .await?
            .fetch_all(sql, values![changes.stamp(), POLLED_TOPICS_MAX])
            .await?;
        if rows.len() as i64 == POLLED_TOPICS_MAX {
            changes.learn_everything();
        }
        for row in rows {
            changes.learn(&row.text(0)?, row.int(1)?);
        }
        changes.learned_until(until);
        Ok(())
    }

    /// The stamp below which everything is committed.
    async fn poll_stamp(&self) -> Result<i64> {
        let sql = match self.engine() {
            Engine::Sqlite => "SELECT COALESCE(MAX(stamp), 0) FROM changes",
            // The oldest transaction that still runs (manual, "System Information Functions").
            Engine::Postgres => "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
        };
        self.read().await?.fetch_one(sql, vec![]).await?.int(0)
    }

    /// Closes all connections, so that SQLite's log is folded into its file. Returns within some seconds,
    /// also when the database does not answer.
    pub async fn close(&self) {
        match &self.0.pools {
            Pools::Sqlite { readers, writer } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres { readers, writers } => {
                tokio::join!(readers.close(), writers.close());
            }
        }
    }
}

impl Pools {
    fn sqlite(path: &str) -> Pools {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: the log is synced at each commit. NORMAL would lose the last commits with the power,
            // and they were acknowledged.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(SQLITE_BUSY_TIMEOUT)
            .statement_cache_capacity(STATEMENT_CACHE)
            .pragma("temp_store", "memory")
            .disable_statement_logging();
        let readers = options.clone().pragma("query_only", "on");
        Pools::Sqlite {
            readers: Pool::new(readers, SQLITE_READERS),
            // The first to be used, by the migration: it creates the file and turns the log on.
            writer: Pool::new(options, 1),
        }
    }

    fn postgres(url: &str) -> Result<Pools> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|error| Error::Url {
                url: without_password(url),
                why: error.to_string(),
            })?
            .statement_cache_capacity(STATEMENT_CACHE)
            .application_name("berth")
            .options(POSTGRES_SETTINGS)
            .disable_statement_logging();
        Ok(Pools::Postgres {
            readers: Pool::new(options.clone(), POSTGRES_READERS),
            writers: Pool::new(options, POSTGRES_WRITERS),
        })
    }
}

/// The URL without its user information, for messages.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rfind('@')) {
        (Some((scheme, _)), Some(at)) => format!("{scheme}://…{}", &url[at..]),
        _ => url.to_owned(),
    }
}

/// A connection to read with; see [`Store::read`] and [`Store::snapshot`].
pub struct Read(Lent);

impl Read {
    /// The connection, for functions that serve readers and writers.
    pub fn conn(&mut self) -> Conn<'_> {
        Conn(&mut self.0)
    }
}

/// A writing transaction; see [`Store::write`]. Dropped without [`Write::commit`], it leaves no trace.
pub struct Write {
    lent: Lent,
    store: Store,
    /// The names of changed topics, and whether the caller drops its own entries.
    touched: BTreeMap<String, bool>,
}

impl Write {
    /// The connection, for functions that serve readers and writers.
    pub fn conn(&mut self) -> Conn<'_> {
        Conn(&mut self.lent)
    }

    /// Marks the topic as changed by this transaction: what was read of it before is stale, on this node
    /// once the commit returns.
    pub fn touch(&mut self, topic: Topic<'_>) {
        self.touched.insert(topic.name(), false);
    }

    /// As [`Write::touch`], for a caller that drops from this node's caches what the transaction makes
    /// wrong. Other entries of the topic stay good on this node.
    pub fn touch_handled(&mut self, topic: Topic<'_>) {
        self.touched.entry(topic.name()).or_insert(true);
    }

    /// Makes the transaction durable, then tells this node's caches.
    ///
    /// # Errors
    /// The engine's; the transaction is then undone, or, when the connection broke, its fate is unknown
    /// and the caller must look again.
    pub async fn commit(mut self) -> Result<()> {
        let sql = match self.store.engine() {
            Engine::Sqlite => {
                "INSERT INTO changes (topic, generation, stamp) \
                 VALUES ($1, 1, (SELECT COALESCE(MAX(stamp), 0) + 1 FROM changes)) \
                 ON CONFLICT (topic) DO UPDATE SET \
                 generation = changes.generation + 1, stamp = excluded.stamp RETURNING generation"
            }
            Engine::Postgres => {
                "INSERT INTO changes (topic, generation, stamp) \
                 VALUES ($1, 1, pg_current_xact_id()::text::bigint) \
                 ON CONFLICT (topic) DO UPDATE SET \
                 generation = changes.generation + 1, stamp = excluded.stamp RETURNING generation"
            }
        };
        let mut generations = Vec::new();
        // Last and in the order of names: on PostgreSQL the rows are locked from here on.
        for (topic, is_handled) in std::mem::take(&mut self.touched) {
            let row = self.fetch_one(sql, values![&topic]).await?;
            generations.push((topic, row.int(0)?, is_handled));
        }
        let committed = match self.lent {
            Lent::Sqlite(lease) => lease.commit().await,
            Lent::Postgres(lease) => lease.commit().await,
        };
        let changes = &self.store.0.changes;
        for (topic, generation, is_handled) in generations {
            match committed {
                Ok(()) => changes.committed(&topic, generation, is_handled),
                // A connection that broke may have committed.
                Err(_) => changes.uncertain(&topic),
            }
        }
        committed
    }
}

macro_rules! statements {
    ($type:ty) => {
        impl $type {
            /// See [`Conn::execute`].
            ///
            /// # Errors
            /// As there.
            pub async fn execute(&mut self, sql: &'static str, params: Vec<Value>) -> Result<u64> {
                self.conn().execute(sql, params).await
            }

            /// See [`Conn::fetch_all`].
            ///
            /// # Errors
            /// As there.
            pub async fn fetch_all(
                &mut self,
                sql: &'static str,
                params: Vec<Value>,
            ) -> Result<Vec<Row>> {
                self.conn().fetch_all(sql, params).await
            }

            /// See [`Conn::fetch_optional`].
            ///
            /// # Errors
            /// As there.
            pub async fn fetch_optional(
                &mut self,
                sql: &'static str,
                params: Vec<Value>,
            ) -> Result<Option<Row>> {
                self.conn().fetch_optional(sql, params).await
            }

            /// See [`Conn::fetch_one`].
            ///
            /// # Errors
            /// As there.
            pub async fn fetch_one(
                &mut self,
                sql: &'static str,
                params: Vec<Value>,
            ) -> Result<Row> {
                self.conn().fetch_one(sql, params).await
            }
        }
    };
}

statements!(Read);
statements!(Write);
