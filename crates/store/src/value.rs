//! Parameters of statements, the same on both engines.

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
