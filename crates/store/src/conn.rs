//! Statements, parameters and rows that are the same on both engines.
//!
//! Placeholders are `$1`, `$2`, …: PostgreSQL's own form, and one that SQLite
//! takes too. Columns have three types, `TEXT`, `BIGINT` and `BYTES`, because
//! those mean the same on both; times are milliseconds since the epoch, truth
//! values are 0 and 1.

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Row as _, query::Query};

use crate::{Error, Result};

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
pub struct Conn<'c>(pub(crate) ConnInner<'c>);

pub(crate) enum ConnInner<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
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
    sql: &'static str,
    params: Vec<Value>,
) -> Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments> {
    bind_all!(sqlx::query(sql), params)
}

fn postgres<'q>(
    sql: &'static str,
    params: Vec<Value>,
) -> Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments> {
    bind_all!(sqlx::query(sql), params)
}

impl Conn<'_> {
    /// Runs a statement and says how many rows it changed.
    ///
    /// # Errors
    /// [`Error::Unique`] and [`Error::ForeignKey`] for refused rows, else the engine's.
    pub async fn execute(&mut self, sql: &'static str, params: Vec<Value>) -> Result<u64> {
        Ok(match &mut self.0 {
            ConnInner::Sqlite(c) => sqlite(sql, params).execute(&mut **c).await?.rows_affected(),
            ConnInner::Postgres(c) => postgres(sql, params)
                .execute(&mut **c)
                .await?
                .rows_affected(),
        })
    }

    /// All rows of a query. The statement bounds their number (`LIMIT`), or the
    /// schema does.
    ///
    /// # Errors
    /// The engine's.
    pub async fn fetch_all(&mut self, sql: &'static str, params: Vec<Value>) -> Result<Vec<Row>> {
        Ok(match &mut self.0 {
            ConnInner::Sqlite(c) => {
                let rows = sqlite(sql, params).fetch_all(&mut **c).await?;
                rows.into_iter().map(|r| Row(RowInner::Sqlite(r))).collect()
            }
            ConnInner::Postgres(c) => {
                let rows = postgres(sql, params).fetch_all(&mut **c).await?;
                rows.into_iter()
                    .map(|r| Row(RowInner::Postgres(r)))
                    .collect()
            }
        })
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
        Ok(match &mut self.0 {
            ConnInner::Sqlite(c) => sqlite(sql, params)
                .fetch_optional(&mut **c)
                .await?
                .map(|r| Row(RowInner::Sqlite(r))),
            ConnInner::Postgres(c) => postgres(sql, params)
                .fetch_optional(&mut **c)
                .await?
                .map(|r| Row(RowInner::Postgres(r))),
        })
    }

    /// The one row.
    ///
    /// # Errors
    /// [`Error::NoRow`] when there is none, else the engine's.
    pub async fn fetch_one(&mut self, sql: &'static str, params: Vec<Value>) -> Result<Row> {
        self.fetch_optional(sql, params).await?.ok_or(Error::NoRow)
    }

    /// Several statements without parameters, as in a migration.
    pub(crate) async fn execute_script(&mut self, sql: String) -> Result<()> {
        // The text is a schema file of this crate, so nothing of a user is in it.
        let sql = sqlx::AssertSqlSafe(sql);
        match &mut self.0 {
            ConnInner::Sqlite(c) => sqlx::raw_sql(sql).execute(&mut **c).await.map(drop)?,
            ConnInner::Postgres(c) => sqlx::raw_sql(sql).execute(&mut **c).await.map(drop)?,
        }
        Ok(())
    }
}
