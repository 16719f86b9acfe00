//! The tree between bytes and Rust types.
//!
//! A codec converts bytes to a [`Value`] by walking a [`Shape`]; a generated
//! type converts itself to a `Value` and back by position. Strings are borrowed
//! when encoding and moved when decoding, so nothing large is copied twice.

use crate::secret::{Blob, Secret};
use crate::shape::{Shape, UNIT};
use bytes::Bytes;
use jiff::Timestamp;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A value of any shape.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// A string, also of an enumeration.
    String(Cow<'a, str>),
    /// Bytes.
    Blob(Bytes),
    /// true or false.
    Boolean(bool),
    /// A whole number, of either width.
    Integer(i64),
    /// A floating point number.
    Double(f64),
    /// A point in time.
    Timestamp(Timestamp),
    /// A list's members in order.
    List(Vec<Value<'a>>),
    /// A map's entries.
    Map(Vec<(Cow<'a, str>, Value<'a>)>),
    /// A structure's members, by their position in its shape.
    Structure(Vec<Option<Value<'a>>>),
}

/// A value that does not fit its type. Validation reports these first, in AWS's
/// words; the remaining case is a response that its model does not describe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a value does not fit `{shape}`")]
pub struct Mismatch {
    /// The shape that was expected.
    pub shape: &'static str,
}

/// A Rust type that represents a shape.
pub trait Shaped: Sized {
    /// Its shape, for the types that have just one.
    fn shape() -> &'static Shape;
    /// Converts a tree of its shape to the type.
    fn from_value(value: Value<'_>) -> Result<Self, Mismatch>;
    /// Converts it to a tree of its shape.
    fn to_value(&self) -> Value<'_>;
}

macro_rules! scalar {
    ($($ty:ty, $name:literal, $kind:ident, $pat:pat => $out:expr, |$me:ident| $in:expr;)*) => {$(
        impl Shaped for $ty {
            fn shape() -> &'static Shape {
                static SHAPE: Shape = Shape::new($name, crate::shape::Kind::$kind);
                &SHAPE
            }
            fn from_value(value: Value<'_>) -> Result<Self, Mismatch> {
                match value {
                    $pat => $out,
                    _ => Err(Mismatch { shape: $name }),
                }
            }
            fn to_value(&self) -> Value<'_> {
                let $me = self;
                $in
            }
        }
    )*};
}

scalar! {
    String, "String", String, Value::String(text) => Ok(text.into_owned()), |me| Value::String(Cow::Borrowed(me));
    bool, "Boolean", Boolean, Value::Boolean(flag) => Ok(flag), |me| Value::Boolean(*me);
    i32, "Integer", Integer, Value::Integer(number) => i32::try_from(number).map_err(|_| Mismatch { shape: "Integer" }),
        |me| Value::Integer(i64::from(*me));
    i64, "Long", Long, Value::Integer(number) => Ok(number), |me| Value::Integer(*me);
    f64, "Double", Double, Value::Double(number) => Ok(number), |me| Value::Double(*me);
    Timestamp, "Timestamp", Timestamp, Value::Timestamp(at) => Ok(at), |me| Value::Timestamp(*me);
    Blob, "Blob", Blob, Value::Blob(bytes) => Ok(Blob(bytes)), |me| Value::Blob(me.0.clone());
    Secret<String>, "String", String, Value::String(text) => Ok(Secret::new(text.into_owned())),
        |me| Value::String(Cow::Borrowed(me.expose()));
    Secret<Vec<u8>>, "Blob", Blob, Value::Blob(bytes) => Ok(Secret::new(bytes.into())),
        |me| Value::Blob(Bytes::copy_from_slice(me.expose()));
}

impl Shaped for () {
    fn shape() -> &'static Shape {
        &UNIT
    }
    fn from_value(_: Value<'_>) -> Result<Self, Mismatch> {
        Ok(())
    }
    fn to_value(&self) -> Value<'_> {
        Value::Structure(Vec::new())
    }
}

impl<T: Shaped> Shaped for Vec<T> {
    fn shape() -> &'static Shape {
        T::shape()
    }
    fn from_value(value: Value<'_>) -> Result<Self, Mismatch> {
        match value {
            Value::List(members) => members.into_iter().map(T::from_value).collect(),
            _ => Err(Mismatch { shape: "List" }),
        }
    }
    fn to_value(&self) -> Value<'_> {
        Value::List(self.iter().map(T::to_value).collect())
    }
}

impl<K: Shaped + Ord, V: Shaped> Shaped for BTreeMap<K, V> {
    fn shape() -> &'static Shape {
        V::shape()
    }
    fn from_value(value: Value<'_>) -> Result<Self, Mismatch> {
        match value {
            Value::Map(entries) => entries
                .into_iter()
                .map(|(key, value)| Ok((K::from_value(Value::String(key))?, V::from_value(value)?)))
                .collect(),
            _ => Err(Mismatch { shape: "Map" }),
        }
    }
    fn to_value(&self) -> Value<'_> {
        let entry = |(key, value)| match (K::to_value(key), V::to_value(value)) {
            (Value::String(key), value) => Some((key, value)),
            _ => None,
        };
        Value::Map(self.iter().filter_map(entry).collect())
    }
}

/// Conversion of a required member from and to its slot.
pub(crate) mod required {
    use super::{Mismatch, Shaped, Value};

    pub(crate) fn take<T: Shaped>(
        slot: Option<Option<Value<'_>>>,
        shape: &'static str,
    ) -> Result<T, Mismatch> {
        slot.flatten()
            .map_or(Err(Mismatch { shape }), T::from_value)
    }

    pub(crate) fn put<T: Shaped>(field: &T) -> Option<Value<'_>> {
        Some(field.to_value())
    }
}

/// Conversion of an optional member from and to its slot.
pub(crate) mod optional {
    use super::{Mismatch, Shaped, Value};

    pub(crate) fn take<T: Shaped>(
        slot: Option<Option<Value<'_>>>,
        _: &'static str,
    ) -> Result<Option<T>, Mismatch> {
        slot.flatten().map(T::from_value).transpose()
    }

    pub(crate) fn put<T: Shaped>(field: &Option<T>) -> Option<Value<'_>> {
        field.as_ref().map(T::to_value)
    }
}
