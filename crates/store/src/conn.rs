//! Statements, parameters and rows that are the same on both engines.
//!
//! Placeholders are `$1`, `$2`, …: PostgreSQL's own form, and one that SQLite
//! takes too. Columns have three types, `TEXT`, `BIGINT` and `BYTES`, because
//! those mean the same on both; times are milliseconds since the epoch, truth
//! values are 0 and 1.

use std::borrow::Cow;
use std::time::Duration;

use rusqlite::types::Value as Column;
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Postgres, Row as _, SqlSafeStr, query::Query};
use tokio::task::coop::consume_budget;
use tokio::time::timeout;

use crate::group_commit::Turn;
use crate::pool::{Lease, STATEMENT_TIMEOUT};
use crate::sqlite::{Answer, Ask, SqliteConnection, SqliteRow, Take};
use crate::value::Value;
use crate::{Error, Result};

/// How long a step of the schema may take: it may rewrite a large table.
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(3600);

/// A row of an answer. Columns are read by their position in the select list.
#[derive(Debug)]
pub struct Row(RowInner);

#[derive(Debug)]
enum RowInner {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! column {
    ($name:ident, $type:ty, $expected:literal, $doc:literal, $($column:pat => $value:expr),+) => {
        #[doc = $doc]
        ///
        /// # Errors
        /// [`Error::Column`] when the column is of another type or does not exist.
        pub fn $name(&self, column: usize) -> Result<$type> {
            let found = match &self.0 {
                RowInner::Sqlite(row) => match row.column(column) {
                    $(Some($column) => Some($value),)+
                    _ => None,
                },
                RowInner::Postgres(row) => row.try_get(column).ok(),
            };
            found.ok_or(Error::Column {
                column,
                expected: $expected,
            })
        }
    };
}

impl Row {
    column!(text, String, "text", "A `TEXT` column.", Column::Text(text) => text.clone());
    column!(
        opt_text,
        Option<String>,
        "text or null",
        "A `TEXT` column that may be null.",
        Column::Text(text) => Some(text.clone()),
        Column::Null => None
    );
    column!(int, i64, "integer", "A `BIGINT` column.", Column::Integer(number) => *number);
    column!(
        opt_int,
        Option<i64>,
        "integer or null",
        "A `BIGINT` column that may be null.",
        Column::Integer(number) => Some(*number),
        Column::Null => None
    );
    column!(bytes, Vec<u8>, "bytes", "A `BYTES` column.", Column::Blob(bytes) => bytes.clone());
    column!(
        opt_bytes,
        Option<Vec<u8>>,
        "bytes or null",
        "A `BYTES` column that may be null.",
        Column::Blob(bytes) => Some(bytes.clone()),
        Column::Null => None
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

/// A statement's text.
trait Text: SqlSafeStr {
    /// As SQLite's driver takes it.
    fn for_sqlite(self) -> Cow<'static, str>;
}

impl Text for &'static str {
    fn for_sqlite(self) -> Cow<'static, str> {
        Cow::Borrowed(self)
    }
}

impl Text for AssertSqlSafe<String> {
    fn for_sqlite(self) -> Cow<'static, str> {
        Cow::Owned(self.0)
    }
}

/// For tests that compare what two requests cost.
fn count_query() {
    #[cfg(any(test, feature = "testing"))]
    crate::query_count::count_query();
}

fn postgres(sql: impl SqlSafeStr, params: Vec<Value>) -> Query<'static, Postgres, PgArguments> {
    let mut query = sqlx::query(sql);
    for param in params {
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
}

impl Conn<'_> {
    /// Runs a statement and says how many rows it changed.
    ///
    /// # Errors
    /// [`Error::Unique`] and [`Error::ForeignKey`] for refused rows, else the engine's.
    pub async fn execute(&mut self, sql: &'static str, params: Vec<Value>) -> Result<u64> {
        self.run(sql, params).await
    }

    /// All rows of a query. The statement bounds their number (`LIMIT`), or the
    /// schema does.
    ///
    /// # Errors
    /// The engine's.
    pub async fn fetch_all(&mut self, sql: &'static str, params: Vec<Value>) -> Result<Vec<Row>> {
        self.all(sql, params).await
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
        count_query();
        match self.0.lease()? {
            LeaseMut::Sqlite(lease) => {
                let mut rows = sqlite(lease, sql, params, Take::First).await?.rows;
                Ok(rows.pop().map(|row| Row(RowInner::Sqlite(row))))
            }
            LeaseMut::Postgres(lease) => {
                let query = postgres(sql, params).fetch_optional(lease.enter()?);
                let answer = timeout(STATEMENT_TIMEOUT, query).await;
                let row = lease.leave(answer)?;
                Ok(row.map(|row| Row(RowInner::Postgres(row))))
            }
        }
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
        self.all(AssertSqlSafe(sql), params).await
    }

    /// As [`Conn::fetch_composed`], of a statement without rows.
    pub(crate) async fn execute_composed(&mut self, sql: String, params: Vec<Value>) -> Result<()> {
        self.run(AssertSqlSafe(sql), params).await.map(drop)
    }

    /// Several statements without parameters, as in a migration, which may take its time.
    pub(crate) async fn execute_script(&mut self, sql: String) -> Result<()> {
        match self.0.lease()? {
            LeaseMut::Sqlite(lease) => {
                let script = lease.enter()?.script(sql);
                let answer = timeout(SCRIPT_TIMEOUT, script).await;
                lease.leave(answer)
            }
            LeaseMut::Postgres(lease) => {
                // The text is a schema file of this crate, so nothing of a user is in it.
                let script = sqlx::raw_sql(AssertSqlSafe(sql)).execute(lease.enter()?);
                let answer = timeout(SCRIPT_TIMEOUT, script).await;
                lease.leave(answer).map(drop)
            }
        }
    }

    async fn run(&mut self, sql: impl Text, params: Vec<Value>) -> Result<u64> {
        count_query();
        match self.0.lease()? {
            LeaseMut::Sqlite(lease) => {
                let answer = sqlite(lease, sql, params, Take::Nothing).await?;
                Ok(answer.changed)
            }
            LeaseMut::Postgres(lease) => {
                let query = postgres(sql, params).execute(lease.enter()?);
                let answer = timeout(STATEMENT_TIMEOUT, query).await;
                lease.leave(answer).map(|done| done.rows_affected())
            }
        }
    }

    async fn all(&mut self, sql: impl Text, params: Vec<Value>) -> Result<Vec<Row>> {
        count_query();
        match self.0.lease()? {
            LeaseMut::Sqlite(lease) => {
                let rows = sqlite(lease, sql, params, Take::All).await?.rows;
                let rows = rows.into_iter().map(|row| Row(RowInner::Sqlite(row)));
                Ok(rows.collect())
            }
            LeaseMut::Postgres(lease) => {
                let query = postgres(sql, params).fetch_all(lease.enter()?);
                let answer = timeout(STATEMENT_TIMEOUT, query).await;
                let rows = lease.leave(answer)?;
                let rows = rows.into_iter().map(|row| Row(RowInner::Postgres(row)));
                Ok(rows.collect())
            }
        }
    }
}

/// Runs one statement within its time.
async fn sqlite(
    lease: &mut Lease<SqliteConnection>,
    sql: impl Text,
    params: Vec<Value>,
    take: Take,
) -> Result<Answer> {
    let ask = Ask {
        sql: sql.for_sqlite(),
        params,
        take,
    };
    // Statements that run here never wait: many of them in a row would keep the thread from all other tasks.
    consume_budget().await;
    let connection = lease.enter()?;
    let answer = match connection.ask_here(&ask) {
        Some(answer) => Ok(answer),
        None => timeout(STATEMENT_TIMEOUT, connection.ask_in_thread(ask)).await,
    };
    lease.leave(answer)
}
