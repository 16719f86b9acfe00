//! Opening a database: its connections, its schema, its id.

use std::str::FromStr as _;
use std::sync::{Arc, OnceLock};

use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;

use crate::changes::Changes;
use crate::database::{Inner, Pools};
use crate::group_commit::GroupWriter;
use crate::pool::{Pool, STATEMENT_CACHE};
use crate::server_lock::ServerLock;
use crate::sqlite::SqliteOptions;
use crate::{Error, Result, Store, migrate, restore, values};

/// Readers that SQLite serves side by side. More would only queue for the cores.
const SQLITE_READERS: u32 = 8;
/// Connections to PostgreSQL of one node, of each kind: writers that wait for a scope must not keep
/// readers from reading.
const POSTGRES_READERS: u32 = 12;
const POSTGRES_WRITERS: u32 = 12;
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
    // Hides "relation already exists, skipping" at each start.
    ("client_min_messages", "warning"),
];

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
        let store = Store::connect(url, is_server)?;
        restore::refuse_unfinished(&store).await?;
        migrate::run(&store).await?;
        store.learn_id().await?;
        let until = store.poll_stamp().await?;
        store.0.changes.learned_until(until);
        Ok(store)
    }

    /// The database as it is, whose schema nobody looked at.
    pub(crate) fn connect(url: &str, is_server: bool) -> Result<Store> {
        let mut lock = None;
        let changes = Arc::new(Changes::default());
        let pools = if let Some(path) = url.strip_prefix("sqlite:") {
            if is_server {
                lock = Some(ServerLock::take(path)?);
            }
            Pools::sqlite(path, &changes)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Pools::postgres(url)?
        } else {
            return Err(Error::Url {
                url: without_password(url),
                why: "it must begin with `sqlite:` or `postgres://`".into(),
            });
        };
        Ok(Store(Arc::new(Inner {
            pools,
            changes,
            id: OnceLock::new(),
            _lock: lock,
        })))
    }

    /// Reads the database's id, once.
    pub(crate) async fn learn_id(&self) -> Result<()> {
        let mut read = self.read().await?;
        let id = read
            .fetch_one(
                "SELECT value FROM settings WHERE name = $1",
                values![migrate::STORE_ID],
            )
            .await?
            .text(0)?;
        // Set once, here.
        let _ = self.0.id.set(id);
        Ok(())
    }
}

impl Pools {
    fn sqlite(path: &str, changes: &Arc<Changes>) -> Pools {
        let options = SqliteOptions::new(path);
        Pools::Sqlite {
            readers: Pool::new(options.readers(), SQLITE_READERS),
            // The first to be used, by the migration: it creates the file and turns the log on.
            writer: GroupWriter::new(Pool::new(options, 1), Arc::clone(changes)),
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
