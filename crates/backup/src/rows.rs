//! Rows as lines of JSON.
//!
//! ```text
//! {"table":"accounts","columns":[["id","TEXT"],["created_at","BIGINT"]],"lastNumber":null}
//! ["123456789012",1790000000000]
//! ```
//!
//! A line with an object begins a table; its rows follow, one array each, in the order of the columns. `BYTES` are in
//! base64. Tables come after those that they refer to. `lastNumber` is the highest number that the table has given
//! to a row.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use store::Value;
use store::dump::{Column, Kind, Table};

/// The line that begins a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TableLine {
    pub(crate) table: String,
    pub(crate) columns: Vec<(String, String)>,
    pub(crate) last_number: Option<i64>,
}

impl TableLine {
    pub(crate) fn of(table: &Table) -> TableLine {
        let column = |column: &Column| (column.name.clone(), column.kind.name().to_owned());
        TableLine {
            table: table.name.clone(),
            columns: table.columns.iter().map(column).collect(),
            last_number: table.last_number,
        }
    }

    /// The table of this name among `known`, with the columns in the order of the rows.
    pub(crate) fn table(&self, known: &[Table]) -> Result<Table, String> {
        let name = &self.table;
        let found = known.iter().find(|table| table.name == *name);
        let found = found.ok_or_else(|| format!("there is no table `{name}`"))?;
        let column = |(name, kind): &(String, String)| {
            let kind = Kind::of_name(kind)?;
            let column = Column {
                name: name.clone(),
                kind,
            };
            found.columns.contains(&column).then_some(column)
        };
        let columns: Option<Vec<Column>> = self.columns.iter().map(column).collect();
        match columns {
            Some(columns) if columns.len() == found.columns.len() => Ok(Table {
                name: name.clone(),
                columns,
                key: found.key.clone(),
                last_number: self.last_number,
            }),
            _ => Err(format!("`{name}` has other columns")),
        }
    }
}

/// A row as a line, with its line feed.
pub(crate) fn write(row: Vec<Value>, out: &mut Vec<u8>) -> Result<(), String> {
    let value = |value: Value| match value {
        Value::Text(text) => Json::String(text),
        Value::Int(number) => Json::from(number),
        Value::Bytes(bytes) => Json::String(STANDARD.encode(bytes)),
        Value::NullText | Value::NullInt | Value::NullBytes => Json::Null,
    };
    let row: Vec<Json> = row.into_iter().map(value).collect();
    serde_json::to_writer(&mut *out, &row).map_err(|error| error.to_string())?;
    out.push(b'\n');
    Ok(())
}

/// And back.
pub(crate) fn read(line: &[u8], table: &Table) -> Result<Vec<Value>, String> {
    let row: Vec<Json> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if row.len() != table.columns.len() {
        return Err(format!(
            "a row of `{}` has {} values",
            table.name,
            row.len()
        ));
    }
    let value = |(value, column): (Json, &Column)| {
        let found = match (column.kind, value) {
            (kind, Json::Null) => Some(kind.null()),
            (Kind::Text, Json::String(text)) => Some(Value::Text(text)),
            (Kind::Int, Json::Number(number)) => number.as_i64().map(Value::Int),
            (Kind::Bytes, Json::String(text)) => STANDARD.decode(text).ok().map(Value::Bytes),
            _ => None,
        };
        found.ok_or_else(|| {
            let (table, column) = (&table.name, &column.name);
            format!("a value of `{table}.{column}` is none of its type")
        })
    };
    row.into_iter().zip(&table.columns).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let column = |(name, kind): (&str, Kind)| Column {
            name: name.to_owned(),
            kind,
        };
        let columns = [("t", Kind::Text), ("n", Kind::Int), ("b", Kind::Bytes)];
        Table {
            name: "x".to_owned(),
            columns: columns.map(column).into(),
            key: vec![0],
            last_number: Some(7),
        }
    }

    #[test]
    fn rows_and_back() {
        let table = table();
        for row in [
            vec![
                Value::Text("a\"\n\u{1f600}".into()),
                Value::Int(i64::MIN),
                Value::Bytes(vec![0, 255, 10]),
            ],
            vec![Value::NullText, Value::NullInt, Value::NullBytes],
            vec![
                Value::Text(String::new()),
                Value::Int(i64::MAX),
                Value::Bytes(vec![]),
            ],
        ] {
            let mut line = Vec::new();
            write(row.clone(), &mut line).unwrap();
            assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
            assert_eq!(read(&line, &table).unwrap(), row);
        }
    }

    #[test]
    fn refuses_what_is_no_row_of_the_table() {
        let table = table();
        for line in [
            "[]",
            "[\"a\", 1]",
            "[\"a\", 1.5, null]",
            "[\"a\", \"1\", null]",
            "[1, 1, null]",
            "[\"a\", 1, \"*\"]",
            "{}",
            "[\"a\", 1",
        ] {
            assert!(read(line.as_bytes(), &table).is_err(), "{line}");
        }
        let mut line = TableLine::of(&table);
        assert_eq!(line.table(std::slice::from_ref(&table)).unwrap(), table);
        line.columns[0].0 = "other".to_owned();
        assert!(line.table(std::slice::from_ref(&table)).is_err());
        line.table = "y".to_owned();
        assert!(line.table(&[table]).is_err());
    }
}
