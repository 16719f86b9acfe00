//! Opening a database, reading from it, and writing to it.

use std::collections::BTreeSet;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Postgres, Sqlite, Transaction, pool::PoolConnection};

use crate::conn::{Conn, ConnInner, Row, Value};
use crate::{Error, Result, migrate};

/// Readers that SQLite serves side by side. More would only queue for the cores.
const SQLITE_READERS: u32 = 8;
/// Connections to PostgreSQL of one node, of each kind: writers that wait for a scope must not keep
/// readers from reading.
const POSTGRES_READERS: u32 = 12;
const POSTGRES_WRITERS: u32 = 12;
/// How long PostgreSQL lets a writer wait for its scope. Below [`ACQUIRE_TIMEOUT`], so that the one who
/// waited is told so, and not the next in line.
const POSTGRES_LOCK_TIMEOUT: &str = "15s";
/// A writer that went silent in the middle of a transaction (a frozen node) loses its scope after this.
const POSTGRES_IDLE_IN_TRANSACTION: &str = "30s";
/// How long a request waits for a connection or for the writer before it is
/// told to come back.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(20);
/// How long SQLite itself waits for a lock that another process holds, such as
/// `berth backup` while the server runs.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(15);
/// Prepared statements kept for each connection: more than Berth has.
const STATEMENT_CACHE: usize = 512;

/// The two kinds of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Embedded, one file, one node.
    Sqlite,
    /// A server, for more than one node.
    Postgres,
}

/// What a writing transaction is about. Transactions of one scope run one after
/// the other; on SQLite all do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// Accounts and IAM entities.
    Identity,
    /// The set of repositories of an account and region, and what hangs on it.
    Registry {
        /// The account's id.
        account: &'a str,
        /// The region's name.
        region: &'a str,
    },
    /// One repository, by its row's id: images, tags, layers, uploads.
    Repository(i64),
}

impl Scope<'_> {
    /// The key of PostgreSQL's advisory lock. A collision only makes two scopes
    /// wait for each other.
    fn lock_key(self) -> i64 {
        let text = match self {
            Scope::Identity => "identity".to_owned(),
            Scope::Registry { account, region } => format!("registry/{account}/{region}"),
            Scope::Repository(id) => format!("repository/{id}"),
        };
        // FNV-1a, 64 bits: every node must agree, so no seeded hasher.
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        i64::from_ne_bytes(hash.to_ne_bytes())
    }
}

/// A part of the data that caches are built from. Its generation grows with each
/// committed change, on this node at once and on the others when they next call
/// [`Store::poll_changes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Principals, their keys and policies.
    Identity,
    /// What was *changed or removed* in repositories: moved tags, deleted images,
    /// policies. A row that is merely new needs no touch, for nobody caches absence.
    Registry,
}

impl Topic {
    const ALL: [Topic; 2] = [Topic::Identity, Topic::Registry];

    fn name(self) -> &'static str {
        match self {
            Topic::Identity => "identity",
            Topic::Registry => "registry",
        }
    }
}

/// The metadata of one Berth. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pools: Pools,
    generations: [AtomicU64; Topic::ALL.len()],
}

#[derive(Debug)]
enum Pools {
    /// A pool of one is SQLite's writer: whoever holds its connection is alone.
    Sqlite {
        readers: SqlitePool,
        writer: SqlitePool,
    },
    Postgres {
        readers: PgPool,
        writers: PgPool,
    },
}

impl Store {
    /// Opens the database, creates it where that is possible, and brings its
    /// schema up to date. `url` is `sqlite:PATH` or `postgres://…`.
    ///
    /// # Errors
    /// [`Error::Url`] for another scheme, [`Error::Schema`] when a newer Berth
    /// wrote the database, else what the engine says.
    pub async fn open(url: &str) -> Result<Store> {
        let pools = if let Some(path) = url.strip_prefix("sqlite:") {
            Pools::open_sqlite(path).await?
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Pools::open_postgres(url).await?
        } else {
            return Err(Error::Url {
                url: without_password(url),
                why: "it must begin with `sqlite:` or `postgres://`".into(),
            });
        };
        let store = Store(Arc::new(Inner {
            pools,
            generations: Default::default(),
        }));
        migrate::run(&store).await?;
        store.poll_changes().await?;
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

    /// A connection to read with. Each statement sees the latest commit; reads
    /// that must agree with each other belong in one statement or in a write.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when none is free in time.
    pub async fn read(&self) -> Result<Read> {
        Ok(Read(match &self.0.pools {
            Pools::Sqlite { readers, .. } => ReadInner::Sqlite(readers.acquire().await?),
            Pools::Postgres { readers, .. } => ReadInner::Postgres(readers.acquire().await?),
        }))
    }

    /// Begins a writing transaction and waits for those before it in its scope.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the scope is not free in time.
    pub async fn write(&self, scope: Scope<'_>) -> Result<Write> {
        let inner = match &self.0.pools {
            Pools::Sqlite { writer, .. } => {
                WriteInner::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)
            }
            Pools::Postgres { writers, .. } => {
                // Each statement must see what was committed while the lock was waited for, whatever
                // the role's or the database's default is.
                let mut tx = writers
                    .begin_with("BEGIN ISOLATION LEVEL READ COMMITTED")
                    .await?;
                sqlx::query("SELECT pg_advisory_xact_lock($1)")
                    .bind(scope.lock_key())
                    .execute(&mut *tx)
                    .await?;
                WriteInner::Postgres(tx)
            }
        };
        Ok(Write {
            inner,
            store: self.clone(),
            touched: BTreeSet::new(),
        })
    }

    /// How often what `topic` names has changed, as far as this node knows. A
    /// cache notes the number *before* it reads and is stale when it has grown.
    #[must_use]
    pub fn generation(&self, topic: Topic) -> u64 {
        self.0.generations[topic as usize].load(Ordering::Acquire)
    }

    fn advance(&self, topic: Topic, generation: u64) {
        self.0.generations[topic as usize].fetch_max(generation, Ordering::AcqRel);
    }

    /// Learns of other nodes' changes. A server calls this several times a second.
    ///
    /// # Errors
    /// The engine's.
    pub async fn poll_changes(&self) -> Result<()> {
        let mut conn = self.read().await?;
        for row in conn
            .fetch_all("SELECT topic, generation FROM changes", vec![])
            .await?
        {
            let (name, generation) = (row.text(0)?, row.int(1)?);
            if let Some(topic) = Topic::ALL.into_iter().find(|topic| topic.name() == name) {
                self.advance(topic, generation.unsigned_abs());
            }
        }
        Ok(())
    }

    /// Closes all connections, so that SQLite's log is folded into its file.
    pub async fn close(&self) {
        match &self.0.pools {
            Pools::Sqlite { readers, writer } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres { readers, writers } => {
                readers.close().await;
                writers.close().await;
            }
        }
    }
}

impl Pools {
    async fn open_sqlite(path: &str) -> Result<Pools> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: the log is synced at each commit. NORMAL would lose the last
            // commits with the power, and they were acknowledged.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(SQLITE_BUSY_TIMEOUT)
            .statement_cache_capacity(STATEMENT_CACHE)
            .pragma("temp_store", "memory")
            .disable_statement_logging();
        let pool = |size| {
            SqlitePoolOptions::new()
                .max_connections(size)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .test_before_acquire(false)
                .idle_timeout(None)
                .max_lifetime(None)
        };
        // The writer first: it creates the file and turns the log on.
        let writer = pool(1).connect_with(options.clone()).await?;
        let readers = pool(SQLITE_READERS).connect_lazy_with(options.pragma("query_only", "on"));
        Ok(Pools::Sqlite { readers, writer })
    }

    async fn open_postgres(url: &str) -> Result<Pools> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|error| Error::Url {
                url: without_password(url),
                why: error.to_string(),
            })?
            .statement_cache_capacity(STATEMENT_CACHE)
            .application_name("berth")
            .options([
                ("lock_timeout", POSTGRES_LOCK_TIMEOUT),
                (
                    "idle_in_transaction_session_timeout",
                    POSTGRES_IDLE_IN_TRANSACTION,
                ),
                // "relation already exists, skipping" at each start is nobody's concern.
                ("client_min_messages", "warning"),
            ])
            .disable_statement_logging();
        let pool = |size| {
            PgPoolOptions::new()
                .max_connections(size)
                .acquire_timeout(ACQUIRE_TIMEOUT)
        };
        let writers = pool(POSTGRES_WRITERS).connect_with(options.clone()).await?;
        let readers = pool(POSTGRES_READERS).connect_lazy_with(options);
        Ok(Pools::Postgres { readers, writers })
    }
}

/// The URL without its user information, for messages.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rfind('@')) {
        (Some((scheme, _)), Some(at)) => format!("{scheme}://…{}", &url[at..]),
        _ => url.to_owned(),
    }
}

/// A connection to read with; see [`Store::read`].
pub struct Read(ReadInner);

enum ReadInner {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl Read {
    /// The connection, for functions that serve readers and writers.
    pub fn conn(&mut self) -> Conn<'_> {
        Conn(match &mut self.0 {
            ReadInner::Sqlite(c) => ConnInner::Sqlite(c),
            ReadInner::Postgres(c) => ConnInner::Postgres(c),
        })
    }
}

/// A writing transaction; see [`Store::write`]. Dropped without
/// [`Write::commit`], it leaves no trace.
pub struct Write {
    inner: WriteInner,
    store: Store,
    touched: BTreeSet<Topic>,
}

enum WriteInner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Write {
    /// The connection, for functions that serve readers and writers.
    pub fn conn(&mut self) -> Conn<'_> {
        Conn(match &mut self.inner {
            WriteInner::Sqlite(tx) => ConnInner::Sqlite(tx),
            WriteInner::Postgres(tx) => ConnInner::Postgres(tx),
        })
    }

    /// Marks the topic as changed by this transaction.
    ///
    /// # Errors
    /// None of its own; the signature leaves room for engines that must write here.
    pub async fn touch(&mut self, topic: Topic) -> Result<()> {
        self.touched.insert(topic);
        Ok(())
    }

    /// Makes the transaction durable, then tells this node's caches.
    ///
    /// # Errors
    /// The engine's; the transaction is then undone, or, when the connection to
    /// PostgreSQL broke, its fate is unknown and the caller must look again.
    pub async fn commit(mut self) -> Result<()> {
        let mut generations = Vec::new();
        // Last, because on PostgreSQL the counter's row is locked from here on.
        for topic in self.touched.clone() {
            let row = self
                .fetch_one(
                    "UPDATE changes SET generation = generation + 1 WHERE topic = $1 RETURNING generation",
                    vec![Value::from(topic.name())],
                )
                .await?;
            generations.push((topic, row.int(0)?.unsigned_abs()));
        }
        match self.inner {
            WriteInner::Sqlite(tx) => tx.commit().await?,
            WriteInner::Postgres(tx) => tx.commit().await?,
        }
        for (topic, generation) in generations {
            self.store.advance(topic, generation);
        }
        Ok(())
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
