//! Statements, parameters and rows that are the same on both engines.
//!
//! Placeholders are `$1`, `$2`, …: PostgreSQL's own form, and one that SQLite
//! takes too. Columns have three types, `TEXT`, `BIGINT` and `BYTES`, because
//! those mean the same on both; times are milliseconds since the epoch, truth
//! values are 0 and 1.

use std::time::Duration;

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Row as _, SqlSafeStr, query::Query};
use tokio::time::timeout;

use crate::group_commit::Turn;
use crate::pool::{Lease, STATEMENT_TIMEOUT};
use crate::{Error, Result};

/// How long a step of the schema may take: it may rewrite a large table.
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(3600);

/// A parameter of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `TEXT`.
    Text(String),
    /// `BIGINT`.
    Int(i64),
    /// `BYTES`.
    Bytes(Vec<u8>),
    /// `NULL` for a `TEXT` column. PostgreSQL wants to know a null's type.
    NullText,
    /// `NULL` for a `BIGINT` column.
    NullInt,
    /// `NULL` for a `BYTES` column.
    NullBytes,
}

macro_rules! value_from {
    ($($from:ty, |$v:ident| $some:expr, $null:ident;)*) => {$(
        impl From<$from> for Value {
            fn from($v: $from) -> Self { $some }
        }
        impl From<Option<$from>> for Value {
            fn from(v: Option<$from>) -> Self { v.map_or(Value::$null, Value::from) }
        }
    )*};
}

impl Value {
    /// The bytes that it holds.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Value::Text(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            _ => 8,
        }
    }
}

value_from! {
    &str, |v| Value::Text(v.to_owned()), NullText;
    String, |v| Value::Text(v), NullText;
    &String, |v| Value::Text(v.clone()), NullText;
    i64, |v| Value::Int(v), NullInt;
    bool, |v| Value::Int(i64::from(v)), NullInt;
    &[u8], |v| Value::Bytes(v.to_vec()), NullBytes;
    Vec<u8>, |v| Value::Bytes(v), NullBytes;
}

/// The parameters of a statement: `values![name, path, created_at]`.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::Value::from($value)),*] };
}

/// A row of an answer. Columns are read by their position in the select list.
#[derive(Debug)]
pub struct Row(RowInner);

#[derive(Debug)]
enum RowInner {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! column {
    ($name:ident, $type:ty, $expected:literal, $doc:literal) => {
        #[doc = $doc]
        ///
        /// # Errors
        /// [`Error::Column`] when the column is of another type or does not exist.
        pub fn $name(&self, column: usize) -> Result<$type> {
            match &self.0 {
                RowInner::Sqlite(row) => row.try_get(column),
                RowInner::Postgres(row) => row.try_get(column),
            }
            .map_err(|_| Error::Column {
                column,
                expected: $expected,
            })
        }
    };
}

impl Row {
    column!(text, String, "text", "A `TEXT` column.");
    column!(
        opt_text,
        Option<String>,
        "text or null",
        "A `TEXT` column that may be null."
    );
    column!(int, i64, "integer", "A `BIGINT` column.");
    column!(
        opt_int,
        Option<i64>,
        "integer or null",
        "A `BIGINT` column that may be null."
    );
    column!(bytes, Vec<u8>, "bytes", "A `BYTES` column.");
    column!(
        opt_bytes,
        Option<Vec<u8>>,
        "bytes or null",
        "A `BYTES` column that may be null."
    );

    /// A `BIGINT` column that holds a truth value.
    ///
    /// # Errors
    /// [`Error::Column`] when the column is of another type or does not exist.
    pub fn flag(&self, column: usize) -> Result<bool> {
        Ok(self.int(column)? != 0)
    }
}

/// A connection that statements run on: inside a [`crate::Read`] or a [`crate::Write`].
pub struct Conn<'c>(pub(crate) &'c mut Lent);

/// A connection of either engine, on loan.
pub(crate) enum Lent {
    Sqlite(Lease<SqliteConnection>),
    /// SQLite's writer.
    SqliteTurn(Turn),
    Postgres(Lease<PgConnection>),
}

/// The lease inside of a [`Lent`].
enum LeaseMut<'l> {
    Sqlite(&'l mut Lease<SqliteConnection>),
    Postgres(&'l mut Lease<PgConnection>),
}

impl Lent {
    fn lease(&mut self) -> Result<LeaseMut<'_>> {
        Ok(match self {
            Lent::Sqlite(lease) => LeaseMut::Sqlite(lease),
            Lent::SqliteTurn(turn) => {
                let ended = || Error::Unavailable("the transaction has ended".into());
                LeaseMut::Sqlite(turn.lease().ok_or_else(ended)?)
            }
            Lent::Postgres(lease) => LeaseMut::Postgres(lease),
        })
    }
}

macro_rules! bind_all {
    ($query:expr, $params:expr) => {{
        let mut query = $query;
        for param in $params {
            query = match param {
                Value::Text(v) => query.bind(v),
                Value::Int(v) => query.bind(v),
                Value::Bytes(v) => query.bind(v),
                Value::NullText => query.bind(None::<String>),
                Value::NullInt => query.bind(None::<i64>),
                Value::NullBytes => query.bind(None::<Vec<u8>>),
            };
        }
        query
    }};
}

fn sqlite<'q>(
    sql: impl SqlSafeStr,
    params: Vec<Value>,
) -> Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments> {
    bind_all!(sqlx::query(sql), params)
}

fn postgres<'q>(
    sql: impl SqlSafeStr,
    params: Vec<Value>,
) -> Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments> {
    bind_all!(sqlx::query(sql), params)
}

/// Runs one statement within its time: `$method` of the driver's query, the rows turned into ours.
macro_rules! statement {
    ($conn:expr, $sql:expr, $params:expr, $method:ident, $map:expr) => {{
        #[cfg(any(test, feature = "testing"))]
        crate::query_count::count_query();
        match $conn.0.lease()? {
            LeaseMut::Sqlite(lease) => {
                let query = sqlite($sql, $params).$method(lease.enter()?);
                let answer = timeout(STATEMENT_TIMEOUT, query).await;
                lease
                    .leave(answer)
                    .map(|found| $map(found, RowInner::Sqlite))
            }
            LeaseMut::Postgres(lease) => {
                let query = postgres($sql, $params).$method(lease.enter()?);
                let answer = timeout(STATEMENT_TIMEOUT, query).await;
                lease
                    .leave(answer)
                    .map(|found| $map(found, RowInner::Postgres))
            }
        }
    }};
}

fn rows<R>(found: Vec<R>, wrap: fn(R) -> RowInner) -> Vec<Row> {
    found.into_iter().map(|row| Row(wrap(row))).collect()
}

fn row<R>(found: Option<R>, wrap: fn(R) -> RowInner) -> Option<Row> {
    found.map(|row| Row(wrap(row)))
}

impl Conn<'_> {
    /// Runs a statement and says how many rows it changed.
    ///
    /// # Errors
    /// [`Error::Unique`] and [`Error::ForeignKey`] for refused rows, else the engine's.
    pub async fn execute(&mut self, sql: &'static str, params: Vec<Value>) -> Result<u64> {
        #[cfg(any(test, feature = "testing"))]
        crate::query_count::count_query();
        match self.0.lease()? {
            LeaseMut::Sqlite(lease) => {
                let query = sqlite(sql, params).execute(lease.enter()?);
                let answer = timeout(STATEMENT_TIMEOUT, query).await;
                lease.leave(answer).map(|done| done.rows_affected())
            }
            LeaseMut::Postgres(lease) => {
                let query = postgres(sql, params).execute(lease.enter()?);
                let answer = timeout(STATEMENT_TIMEOUT, query).await;
                lease.leave(answer).map(|done| done.rows_affected())
            }
        }
    }

    /// All rows of a query. The statement bounds their number (`LIMIT`), or the
    /// schema does.
    ///
    /// # Errors
    /// The engine's.
    pub async fn fetch_all(&mut self, sql: &'static str, params: Vec<Value>) -> Result<Vec<Row>> {
        statement!(self, sql, params, fetch_all, rows)
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// The engine's.
    pub async fn fetch_optional(
        &mut self,
        sql: &'static str,
        params: Vec<Value>,
    ) -> Result<Option<Row>> {
        statement!(self, sql, params, fetch_optional, row)
    }

    /// The one row.
    ///
    /// # Errors
    /// [`Error::NoRow`] when there is none, else the engine's.
    pub async fn fetch_one(&mut self, sql: &'static str, params: Vec<Value>) -> Result<Row> {
        self.fetch_optional(sql, params).await?.ok_or(Error::NoRow)
    }

    /// All rows of a statement that was composed from names of the catalogue, which the caller has checked.
    pub(crate) async fn fetch_composed(
        &mut self,
        sql: String,
        params: Vec<Value>,
    ) -> Result<Vec<Row>> {
        statement!(self, AssertSqlSafe(sql), params, fetch_all, rows)
    }

    /// As [`Conn::fetch_composed`], of a statement without rows.
    pub(crate) async fn execute_composed(&mut self, sql: String, params: Vec<Value>) -> Result<()> {
        match self.0.lease()? {
            LeaseMut::Sqlite(lease) => {
                let query = sqlite(AssertSqlSafe(sql), params).execute(lease.enter()?);
                let answer = timeout(STATEMENT_TIMEOUT, query).await;
                lease.leave(answer).map(drop)
            }
            LeaseMut::Postgres(lease) => {
                let query = postgres(AssertSqlSafe(sql), params).execute(lease.enter()?);
                let answer = timeout(STATEMENT_TIMEOUT, query).await;
                lease.leave(answer).map(drop)
            }
        }
    }

    /// Several statements without parameters, as in a migration, which may take its time.
    pub(crate) async fn execute_script(&mut self, sql: String) -> Result<()> {
        // The text is a schema file of this crate, so nothing of a user is in it.
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        match self.0.lease()? {
            LeaseMut::Sqlite(lease) => {
                let answer = timeout(SCRIPT_TIMEOUT, sql.execute(lease.enter()?)).await;
                lease.leave(answer).map(drop)
            }
            LeaseMut::Postgres(lease) => {
                let answer = timeout(SCRIPT_TIMEOUT, sql.execute(lease.enter()?)).await;
                lease.leave(answer).map(drop)
            }
        }
    }
}
