//! Reading from a database and writing to it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crash_points::{Point, reach};
use sqlx::postgres::PgConnection;

use crate::changes::{Changes, Moment};
use crate::conn::{Conn, Lent, Row};
use crate::group_commit::GroupWriter;
use crate::pool::Pool;
use crate::server_lock::ServerLock;
use crate::sqlite::SqliteConnection;
use crate::topic::PRUNED;
use crate::value::Value;
use crate::{Result, Scope, Topic, values};

/// Changed topics that one poll reads. Beyond it everything counts as changed.
const POLLED_TOPICS_MAX: i64 = 50_000;

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
pub struct Store(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) pools: Pools,
    pub(crate) changes: Arc<Changes>,
    pub(crate) id: OnceLock<String>,
    /// Held by a server on SQLite for as long as the store is open.
    pub(crate) _lock: Option<ServerLock>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("id", &self.id)
            .field("changes", &self.changes)
            .finish_non_exhaustive()
    }
}

pub(crate) enum Pools {
    /// SQLite's writer is a pool of one connection, so there is one writer at a time.
    Sqlite {
        readers: Arc<Pool<SqliteConnection>>,
        writer: Arc<GroupWriter>,
    },
    Postgres {
        readers: Arc<Pool<PgConnection>>,
        writers: Arc<Pool<PgConnection>>,
    },
}

impl Store {
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
            Pools::Sqlite { readers, writer } => {
                writer.settled().await;
                Lent::Sqlite(readers.acquire().await?)
            }
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
            Pools::Sqlite { readers, writer } => {
                writer.settled().await;
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

    /// Waits until what was seen by transactions that were given up before now is durable, or undone. On SQLite a
    /// transaction may see rows whose COMMIT is still to come; who answers because of one that it gave up waits
    /// here first. Returns at once where there is nothing to wait for.
    pub async fn settled(&self) {
        if let Pools::Sqlite { writer, .. } = &self.0.pools {
            writer.settled().await;
        }
    }

    /// Begins a writing transaction and waits for those before it in its scope.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the scope is not free in time.
    pub async fn write(&self, scope: Scope<'_>) -> Result<Write> {
        reach(Point::TransactionBegins);
        let mut lent = match &self.0.pools {
            Pools::Sqlite { writer, .. } => Lent::SqliteTurn(writer.begin().await?),
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
            let (topic, generation) = (row.text(0)?, row.int(1)?);
            if topic != PRUNED {
                changes.learn(&topic, generation);
            } else if generation >= changes.stamp() {
                // A removed row had a stamp that this node has not read: it is unknown which topic changed.
                changes.learn_everything();
            }
        }
        changes.learned_until(until);
        Ok(())
    }

    /// The stamp below which everything is committed.
    pub(crate) async fn poll_stamp(&self) -> Result<i64> {
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

/// A connection to read with; see [`Store::read`] and [`Store::snapshot`].
pub struct Read(Lent);

impl Read {
    /// The connection, for functions that serve readers and writers.
    pub fn conn(&mut self) -> Conn<'_> {
        Conn(&mut self.0)
    }
}

/// A writing transaction; see [`Store::write`]. Dropped without [`Write::commit`], it leaves no trace.
///
/// It sees what the transactions before it did, on SQLite also while their COMMIT is still to come. Whoever tells a
/// client that something is there, because it was found here, commits first, also where nothing was changed.
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

    /// Says in the changes that rows up to the stamp `highest` were removed from them.
    pub(crate) async fn note_pruned(&mut self, highest: i64) -> Result<()> {
        let stamp = match self.store.engine() {
            Engine::Sqlite => "SELECT COALESCE(MAX(stamp), 0) + 1 FROM changes",
            Engine::Postgres => "SELECT pg_current_xact_id()::text::bigint",
        };
        let stamp = self.fetch_one(stamp, vec![]).await?.int(0)?;
        self.execute(
            "INSERT INTO changes (topic, generation, stamp) VALUES ($1, $2, $3) \
             ON CONFLICT (topic) DO UPDATE SET stamp = excluded.stamp, generation = \
             CASE WHEN changes.generation > excluded.generation THEN changes.generation \
             ELSE excluded.generation END",
            values![PRUNED, highest, stamp],
        )
        .await
        .map(drop)
    }

    /// Makes the transaction durable, then tells this node's caches.
    ///
    /// # Errors
    /// The engine's; the transaction is then undone, or, when the connection broke, its fate is unknown
    /// and the caller must look again.
    pub async fn commit(mut self) -> Result<()> {
        // The generation of a new row is its stamp, because a row of the topic may have been pruned: the
        // stamp is higher than every generation that the topic had.
        let sql = match self.store.engine() {
            Engine::Sqlite => {
                "INSERT INTO changes (topic, generation, stamp) \
                 SELECT $1, next, next FROM (SELECT COALESCE(MAX(stamp), 0) + 1 AS next FROM changes) \
                 WHERE true ON CONFLICT (topic) DO UPDATE SET \
                 generation = changes.generation + 1, stamp = excluded.stamp RETURNING generation"
            }
            Engine::Postgres => {
                "INSERT INTO changes (topic, generation, stamp) VALUES \
                 ($1, pg_current_xact_id()::text::bigint, pg_current_xact_id()::text::bigint) \
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
        reach(Point::TransactionCommits);
        let committed = match self.lent {
            // It tells the caches for all that share its COMMIT.
            Lent::SqliteTurn(turn) => {
                let committed = turn.commit(generations).await;
                reach(Point::TransactionCommitted);
                return committed;
            }
            Lent::Sqlite(lease) => lease.commit().await,
            Lent::Postgres(lease) => lease.commit().await,
        };
        reach(Point::TransactionCommitted);
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
