//! All rows of a database, table by table, in a form that both engines share: what backups hold.
//!
//! What tables there are is read from the database's catalogue, so a new step of the schema is in the next
//! backup without a line here. A table's rows come in the order of its primary key, page by page, and tables
//! after those that they refer to.

use std::collections::{BTreeMap, BTreeSet};

use crate::conn::Row;
use crate::{Conn, Engine, Error, Result, Value};

/// Tables that say something about one database alone: which steps ran in it (a backup's index has them), and what
/// changed in it since its nodes last looked.
const LOCAL_TABLES: [&str; 2] = ["changes", "schema_steps"];

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `TEXT`.
    Text,
    /// `BIGINT`.
    Int,
    /// `BYTES`.
    Bytes,
}

impl Kind {
    /// The word of the schema files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Text => "TEXT",
            Kind::Int => "BIGINT",
            Kind::Bytes => "BYTES",
        }
    }

    /// From the word of the schema files.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Kind> {
        [Kind::Text, Kind::Int, Kind::Bytes]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    /// The null of this type.
    #[must_use]
    pub const fn null(self) -> Value {
        match self {
            Kind::Text => Value::NullText,
            Kind::Int => Value::NullInt,
            Kind::Bytes => Value::NullBytes,
        }
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in the order of their making.
    pub columns: Vec<Column>,
    /// The positions of its primary key's columns.
    pub key: Vec<usize>,
    /// The highest number that the table has given to a row, where it numbers its rows. None is given twice.
    pub last_number: Option<i64>,
}

/// The steps of the schema that ran in this database, in the order of their names.
///
/// # Errors
/// The engine's.
pub async fn schema_steps(conn: &mut Conn<'_>) -> Result<Vec<String>> {
    let sql = "SELECT name FROM schema_steps ORDER BY name";
    let rows = conn.fetch_all(sql, vec![]).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// The tables whose rows belong in a backup, each after those that it refers to.
///
/// # Errors
/// The engine's, and [`Error::Schema`] for a table without a primary key or of a type that no schema file has.
pub async fn tables(conn: &mut Conn<'_>, engine: Engine) -> Result<Vec<Table>> {
    let all = all_tables(conn, engine).await?;
    let is_local = |table: &Table| LOCAL_TABLES.contains(&table.name.as_str());
    Ok(all.into_iter().filter(|table| !is_local(table)).collect())
}

/// Every table of the database, each after those that it refers to.
pub(crate) async fn all_tables(conn: &mut Conn<'_>, engine: Engine) -> Result<Vec<Table>> {
    let (columns, references, numbers) = match engine {
        Engine::Sqlite => (SQLITE_COLUMNS, SQLITE_REFERENCES, SQLITE_NUMBERS),
        Engine::Postgres => (POSTGRES_COLUMNS, POSTGRES_REFERENCES, POSTGRES_NUMBERS),
    };
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    let mut keys: BTreeMap<String, Vec<(i64, usize)>> = BTreeMap::new();
    for row in conn.fetch_all(columns, vec![]).await? {
        let (name, column, place) = (row.text(0)?, row.text(1)?, row.int(3)?);
        let kind = match row.text(2)?.as_str() {
            "TEXT" | "text" => Kind::Text,
            "INTEGER" | "int8" => Kind::Int,
            "BLOB" | "bytea" => Kind::Bytes,
            other => {
                return Err(Error::Schema(format!(
                    "the column `{column}` of `{name}` has the type `{other}`, which no schema file has"
                )));
            }
        };
        check_name(&name)?;
        check_name(&column)?;
        let table = tables.entry(name.clone()).or_insert_with(|| Table {
            name: name.clone(),
            columns: Vec::new(),
            key: Vec::new(),
            last_number: None,
        });
        if place > 0 {
            let key = keys.entry(name).or_default();
            key.push((place, table.columns.len()));
        }
        table.columns.push(Column { name: column, kind });
    }
    for (name, mut key) in keys {
        key.sort_unstable();
        if let Some(table) = tables.get_mut(&name) {
            table.key = key.into_iter().map(|(_, column)| column).collect();
        }
    }
    if let Some(table) = tables.values().find(|table| table.key.is_empty()) {
        return Err(Error::Schema(format!(
            "the table `{}` has no primary key",
            table.name
        )));
    }
    // SQLite has its table of numbers once another one needs it.
    let has_numbers = match engine {
        Engine::Sqlite => {
            let sql = "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'";
            conn.fetch_optional(sql, vec![]).await?.is_some()
        }
        Engine::Postgres => true,
    };
    if has_numbers {
        for row in conn.fetch_all(numbers, vec![]).await? {
            if let Some(table) = tables.get_mut(&row.text(0)?) {
                // SQLite says 0 of a table whose rows were copied away before it numbered one.
                table.last_number = row.opt_int(1)?.filter(|last| *last > 0);
            }
        }
    }
    let mut parents: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in conn.fetch_all(references, vec![]).await? {
        parents
            .entry(row.text(0)?)
            .or_default()
            .insert(row.text(1)?);
    }
    in_order(tables, &parents)
}

/// Each table after those that it refers to; else by name.
fn in_order(
    mut tables: BTreeMap<String, Table>,
    parents: &BTreeMap<String, BTreeSet<String>>,
) -> Result<Vec<Table>> {
    let mut ordered = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        let is_free = |name: &&String| {
            let waits_for = |parent: &String| parent != *name && tables.contains_key(parent);
            !parents
                .get(*name)
                .is_some_and(|of| of.iter().any(waits_for))
        };
        let free: Vec<String> = tables.keys().filter(is_free).cloned().collect();
        if free.is_empty() {
            let names: Vec<&str> = tables.keys().map(String::as_str).collect();
            let names = names.join("`, `");
            return Err(Error::Schema(format!(
                "the tables `{names}` refer to each other in a circle"
            )));
        }
        ordered.extend(free.iter().filter_map(|name| tables.remove(name)));
    }
    Ok(ordered)
}

/// Names of the catalogue become part of statements: only those that a schema file may write.
fn check_name(name: &str) -> Result<()> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    match name.bytes().all(is_plain) && !name.is_empty() {
        true => Ok(()),
        false => Err(Error::Schema(format!(
            "`{name}` is no name of a schema file"
        ))),
    }
}

const SQLITE_COLUMNS: &str = "SELECT m.name, c.name, c.type, c.pk FROM sqlite_schema m \
     JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND substr(m.name, 1, 7) <> 'sqlite_' \
     ORDER BY m.name, c.cid";
const SQLITE_REFERENCES: &str = "SELECT DISTINCT m.name, f.\"table\" FROM sqlite_schema m \
     JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'";
const SQLITE_NUMBERS: &str = "SELECT name, seq FROM sqlite_sequence";

// The catalogue's words for a name and a type are turned into text, which is what rows are read as.
const POSTGRES_COLUMNS: &str = "SELECT c.relname::text, a.attname::text, t.typname::text, \
     CAST(COALESCE(array_position(k.conkey, a.attnum), 0) AS BIGINT) FROM pg_class c \
     JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema() \
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
     JOIN pg_type t ON t.oid = a.atttypid \
     LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p' \
     WHERE c.relkind = 'r' ORDER BY c.relname::text COLLATE \"C\", a.attnum";
const POSTGRES_REFERENCES: &str = "SELECT DISTINCT c.relname::text, p.relname::text FROM pg_constraint k \
     JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class p ON p.oid = k.confrelid \
     JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema() WHERE k.contype = 'f'";
const POSTGRES_NUMBERS: &str = "SELECT t.relname::text, pg_sequence_last_value(s.oid) FROM pg_class s \
     JOIN pg_namespace n ON n.oid = s.relnamespace AND n.nspname = current_schema() \
     JOIN pg_depend d ON d.objid = s.oid AND d.deptype = 'a' JOIN pg_class t ON t.oid = d.refobjid \
     WHERE s.relkind = 'S'";

/// Rows that one statement reads: few of a table whose rows may be megabytes.
fn rows_at_once(table: &str) -> usize {
    match table {
        "images" => 16,
        "iam_saml_providers" => 4,
        "iam_credential_reports" => 8,
        "event_deliveries" | "events" | "denials" => 100,
        _ => 500,
    }
}

/// The rows of a table after the one with this key, or the first ones; none behind the last.
///
/// # Errors
/// The engine's.
pub async fn rows_after(
    conn: &mut Conn<'_>,
    table: &Table,
    after: Option<&[Value]>,
) -> Result<Vec<Vec<Value>>> {
    let quoted = |column: &Column| format!("\"{}\"", column.name);
    let columns: Vec<String> = table.columns.iter().map(quoted).collect();
    let key: Vec<&str> = table.key.iter().map(|at| columns[*at].as_str()).collect();
    let (columns, key) = (columns.join(", "), key.join(", "));
    let (place, params) = match after {
        None => (String::new(), Vec::new()),
        Some(last) => {
            let params: Vec<Value> = table.key.iter().map(|at| last[*at].clone()).collect();
            let marks: Vec<String> = (1..=params.len()).map(|n| format!("${n}")).collect();
            (format!(" WHERE ({key}) > ({})", marks.join(", ")), params)
        }
    };
    let (name, limit) = (&table.name, rows_at_once(&table.name));
    let sql = format!("SELECT {columns} FROM \"{name}\"{place} ORDER BY {key} LIMIT {limit}");
    let rows = conn.fetch_composed(sql, params).await?;
    rows.iter().map(|row| values_of(row, table)).collect()
}

fn values_of(row: &Row, table: &Table) -> Result<Vec<Value>> {
    let columns = table.columns.iter().enumerate();
    columns
        .map(|(at, column)| {
            Ok(match column.kind {
                Kind::Text => Value::from(row.opt_text(at)?),
                Kind::Int => Value::from(row.opt_int(at)?),
                Kind::Bytes => Value::from(row.opt_bytes(at)?),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestStore, on_every_engine};

    #[on_every_engine]
    async fn tables_come_after_those_that_they_refer_to(store: TestStore) {
        let store = store.store;
        let mut read = store.snapshot().await.unwrap();
        let tables = tables(&mut read.conn(), store.engine()).await.unwrap();
        let at = |name: &str| tables.iter().position(|table| table.name == name);
        for (child, parent) in [
            ("layers", "blobs"),
            ("layers", "repositories"),
            ("image_tags", "images"),
            ("iam_policy_versions", "iam_policies"),
            ("iam_policies", "iam_entities"),
            ("iam_entities", "accounts"),
        ] {
            assert!(at(parent).unwrap() < at(child).unwrap(), "{child} {parent}");
        }
        assert_eq!((at("changes"), at("schema_steps")), (None, None));
        let images = &tables[at("images").unwrap()];
        let kind = |name: &str| images.columns.iter().find(|c| c.name == name).unwrap().kind;
        assert_eq!(
            (kind("id"), kind("digest"), kind("content")),
            (Kind::Int, Kind::Text, Kind::Bytes)
        );
    }

    #[test]
    fn a_circle_is_refused() {
        let table = |name: &str| Table {
            name: name.to_owned(),
            columns: Vec::new(),
            key: vec![0],
            last_number: None,
        };
        let tables = ["a", "b"].map(|name| (name.to_owned(), table(name)));
        let to = |name: &str| BTreeSet::from([name.to_owned()]);
        let parents = BTreeMap::from([("a".to_owned(), to("b")), ("b".to_owned(), to("a"))]);
        assert!(in_order(BTreeMap::from(tables.clone()), &parents).is_err());
        // A table may refer to itself.
        let own = BTreeMap::from([("a".to_owned(), to("a"))]);
        assert_eq!(in_order(BTreeMap::from(tables), &own).unwrap().len(), 2);
    }
}
