//! What can go wrong, sorted by what a caller can do about it.

/// A failed statement or transaction. The text is for the operator's log, never
/// for a client: it may name tables and files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A unique constraint refused the row: somebody else was first. The caller
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
    /// The database did not answer in time: overloaded, or not there. Worth a retry.
    #[error("database is not available: {0}")]
    Unavailable(String),
    /// The database is of a newer Berth, or its schema was changed by hand.
    #[error("{0}")]
    Schema(String),
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
    Engine(#[source] sqlx::Error),
}

/// PostgreSQL's words for "not now" (manual, appendix "PostgreSQL Error Codes"): lock not available,
/// deadlock, serialization failure, idle in transaction, shutting down, starting up, too many connections.
const NOT_NOW: [&str; 7] = [
    "55P03", "40P01", "40001", "25P03", "57P01", "57P03", "53300",
];

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::RowNotFound => Error::NoRow,
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                Error::Unavailable(error.to_string())
            }
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) => Error::Unavailable(error.to_string()),
            sqlx::Error::Database(inner)
                if inner.code().is_some_and(|code| NOT_NOW.contains(&&*code)) =>
            {
                Error::Unavailable(inner.message().to_owned())
            }
            sqlx::Error::Database(inner) if inner.is_unique_violation() => {
                Error::Unique(inner.message().to_owned())
            }
            sqlx::Error::Database(inner) if inner.is_foreign_key_violation() => {
                Error::ForeignKey(inner.message().to_owned())
            }
            other => Error::Engine(other),
        }
    }
}
