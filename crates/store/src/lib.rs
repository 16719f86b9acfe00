//! Metadata: everything Berth knows except the bytes of the images.
//!
//! One schema and one set of statements run on two engines, SQLite (embedded,
//! the default) and PostgreSQL. A transaction looks like this:
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! # let dir = std::env::temp_dir().join(format!("berth-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&dir).unwrap();
//! use store::{Scope, Store, Topic, values};
//!
//! let store = Store::open(&format!("sqlite:{}", dir.join("doc.db").display())).await?;
//!
//! // Writers of one scope run one after the other; readers never wait.
//! let mut tx = store.write(Scope::Account("123456789012")).await?;
//! tx.execute("INSERT INTO settings (name, value) VALUES ($1, $2)", values!["greeting", "hello"]).await?;
//! tx.touch(Topic::Account("123456789012")); // caches of this topic are stale once this commits
//! tx.commit().await?;                    // durable when this returns; dropped without it: rolled back
//!
//! let mut conn = store.read().await?;
//! let row = conn.fetch_one("SELECT value FROM settings WHERE name = $1", values!["greeting"]).await?;
//! assert_eq!(row.text(0)?, "hello");
//! # std::fs::remove_dir_all(&dir).unwrap();
//! # Ok::<(), store::Error>(()) }).unwrap();
//! ```
//!
//! # Modules
//! - `open`: opening a database and bringing its schema up to date.
//! - `database`: reading, writing, commit.
//! - `pool`: connections, their time limits, and which of them are kept.
//! - `sqlite`: the driver of SQLite; PostgreSQL's is sqlx.
//! - `topic` and `changes`: what a transaction is about, and what caches must learn of.
//! - `prune`: removes changes of what no longer exists.
//! - `conn` and `value`: statements, rows and parameters that are the same on both engines.
//! - `migrate` and `schema/`: the schema, one numbered file a step.
//! - `dump` and `restore`: all rows of a database, and a database from them: what backups are made of.
//! - `iam`, `ecr`, `hosts`, `denials`, `organizations`, `jobs`, `secrets`, `service_events` and `settings`: typed rows and
//!   their statements, one file a resource. All
//!   SQL of Berth is there; the crates above call functions.
//!
//! # The promise
//! A transaction whose [`Write::commit`] returned `Ok` survives the loss of power.
//! Two writers of one [`Scope`] never interleave, on either engine: SQLite has one
//! writer at a time, and on PostgreSQL the scope is an advisory lock that the
//! transaction holds. So a check and the write that relies on it belong in one
//! transaction, and no caller ever sees "database is locked" or has to retry a
//! serialization failure.
//!
//! # What is absent
//! No rule of IAM or ECR: this crate does not know what a valid name is, who may
//! read a row, or what must not be deleted. No clock: times are parameters.

// The attribute of tests names this crate.
#[cfg(test)]
extern crate self as store;

pub mod backups;
mod changes;
mod conn;
pub mod console;
pub mod console_sign_ins;
mod database;
pub mod denials;
pub mod dump;
pub mod ecr;
mod error;
mod fnv;
mod group_commit;
pub mod hosts;
pub mod iam;
pub mod jobs;
pub mod kms;
mod migrate;
mod open;
pub mod organizations;
mod pool;
mod probe;
mod prune;
#[cfg(any(test, feature = "testing"))]
mod query_count;
pub mod restore;
pub mod secrets;
mod server_lock;
pub mod service_events;
pub mod settings;
mod sqlite;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod topic;
mod value;

pub use changes::Moment;
pub use conn::{Conn, Row};
pub use database::{Engine, Read, Store, Write};
pub use error::Error;
pub use topic::{Scope, Topic};
pub use value::Value;

/// The result of a statement or a transaction.
pub type Result<T, E = Error> = std::result::Result<T, E>;
