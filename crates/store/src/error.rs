//! What can go wrong, sorted by what a caller can do about it.

use std::error::Error as StdError;

use rusqlite::ffi;
use sqlx::error::DatabaseError;

/// A failed statement or transaction. The text is for the operator's log, never
/// for a client: it may name tables and files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A unique constraint refused the row: another writer was first. The caller
    /// turns this into the API's "already exists".
    #[error("unique constraint violated: {0}")]
    Unique(String),
    /// A foreign key refused the change: something still depends on the row, or
    /// the row it points at is gone.
    #[error("foreign key violated: {0}")]
    ForeignKey(String),
    /// No row where one must be.
    #[error("no row found")]
    NoRow,
    /// A stored value has another type than the code that reads it expects.
    #[error("column {column} of the row cannot be read as {expected}")]
    Column {
        /// Position in the select list, from 0.
        column: usize,
        /// The type that was asked for.
        expected: &'static str,
    },
    /// The database cannot do this now: overloaded, locked, away, or its disk is full. Worth a retry.
    #[error("database is not available: {0}")]
    Unavailable(String),
    /// The database needs a newer Berth.
    #[error("{0}")]
    Schema(String),
    /// Another server runs on this SQLite file.
    #[error("another server runs on the database {0}; stop it, or choose another --database")]
    InUse(String),
    /// A restore into the database did not finish.
    #[error(
        "a restore into this database did not finish: run `berth restore` again, which begins anew"
    )]
    Unfinished,
    /// A restore needs an empty database.
    #[error("the database has tables: give an empty one")]
    NotEmpty,
    /// The URL of `--database` cannot be used.
    #[error("cannot use database `{url}`: {why}")]
    Url {
        /// As given, with any password removed.
        url: String,
        /// What is wrong with it and what would be right.
        why: String,
    },
    /// Anything else, as the engine said it.
    #[error("database error: {0}")]
    Engine(#[source] Box<dyn StdError + Send + Sync>),
}

impl Error {
    /// Whether a constraint refused a row, or none was found: the connection is as good as before.
    pub(crate) fn is_refused_row(&self) -> bool {
        matches!(
            self,
            Error::Unique(_) | Error::ForeignKey(_) | Error::NoRow | Error::Column { .. }
        )
    }
}

/// PostgreSQL's words for "not now" (manual, appendix "PostgreSQL Error Codes"): lock not available,
/// deadlock, serialization failure, idle in transaction, statement time-out, shutting down, crash
/// shutdown, starting up, too many connections, disk full, out of memory, I/O error, read-only
/// transaction (a standby during a failover).
const POSTGRES_NOT_NOW: [&str; 13] = [
    "55P03", "40P01", "40001", "25P03", "57014", "57P01", "57P02", "57P03", "53300", "53100",
    "53200", "58030", "25006",
];

/// SQLite's (its documentation, "Result and Error Codes"). A read that fails with `EIO` is "corrupt" to it
/// (`SQLITE_IOERR_CORRUPTFS`), so that a disk that is away for a moment cannot be told from a damaged file.
const SQLITE_NOT_NOW: [i32; 10] = [
    ffi::SQLITE_BUSY,
    ffi::SQLITE_LOCKED,
    ffi::SQLITE_NOMEM,
    ffi::SQLITE_READONLY,
    ffi::SQLITE_INTERRUPT,
    ffi::SQLITE_IOERR,
    ffi::SQLITE_CORRUPT,
    ffi::SQLITE_FULL,
    ffi::SQLITE_CANTOPEN,
    ffi::SQLITE_PROTOCOL,
];

/// Whether PostgreSQL says that it cannot do this now, and might later.
fn is_not_now(error: &dyn DatabaseError) -> bool {
    // Class 08: the connection failed.
    error
        .code()
        .is_some_and(|code| code.starts_with("08") || POSTGRES_NOT_NOW.contains(&&*code))
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let (Some(code), message) = (error.sqlite_extended_error_code(), error.to_string()) else {
            return Error::Engine(Box::new(error));
        };
        match code {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
                Error::Unique(message)
            }
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Error::ForeignKey(message),
            // The low byte of an extended code is its kind.
            _ if SQLITE_NOT_NOW.contains(&(code & 0xff)) => Error::Unavailable(message),
            _ => Error::Engine(Box::new(error)),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::RowNotFound => Error::NoRow,
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::BeginFailed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            // The server stopped in the middle of an answer.
            | sqlx::Error::Protocol(_) => Error::Unavailable(error.to_string()),
            sqlx::Error::Database(inner) if is_not_now(&*inner) => {
                Error::Unavailable(inner.message().to_owned())
            }
            sqlx::Error::Database(inner) if inner.is_unique_violation() => {
                Error::Unique(inner.message().to_owned())
            }
            sqlx::Error::Database(inner) if inner.is_foreign_key_violation() => {
                Error::ForeignKey(inner.message().to_owned())
            }
            other => Error::Engine(Box::new(other)),
        }
    }
}
