//! JSON, of awsJson 1.1 and of restJson1: conversion between bytes and trees, following a shape.
//!
//! Decoding never builds a generic JSON tree: each value is decoded as its shape
//! says, so a 20 MiB layer part is decoded from the body directly, and depth is
//! bounded by the shape (unknown members by serde_json's own limit).

use crate::limits::MEMBERS_MAX;
use crate::shape::{Kind, Shape};
use crate::value::Value;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

/// Decodes a body as a value of `shape`. An empty body counts as `{}`. The error
/// is the message for the client.
pub(crate) fn decode<'a>(shape: &'static Shape, body: &'a [u8]) -> Result<Value<'a>, String> {
    if body.is_empty() {
        return Ok(Value::Structure(vec![None; shape.members().len()]));
    }
    let complaint = RefCell::new(None);
    let seed = Seed {
        shape,
        complaint: &complaint,
    };
    let mut from = serde_json::Deserializer::from_slice(body);
    let value = seed
        .deserialize(&mut from)
        .and_then(|value| from.end().map(|()| value));
    match value {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err("The request body must be a JSON object.".to_owned()),
        Err(_) => Err(complaint
            .take()
            .unwrap_or_else(|| "The request body is not valid JSON.".to_owned())),
    }
}

/// Decodes one value of a shape; `null` is `None`.
#[derive(Clone, Copy)]
struct Seed<'c> {
    shape: &'static Shape,
    /// The error in AWS's words; serde's errors would add a position.
    complaint: &'c RefCell<Option<String>>,
}

impl Seed<'_> {
    fn inner(self, shape: &'static Shape) -> Self {
        Seed { shape, ..self }
    }

    fn refuse<T, E: de::Error>(self, complaint: impl Into<String>) -> Result<T, E> {
        let complaint = complaint.into();
        let error = E::custom(&complaint);
        self.complaint.borrow_mut().get_or_insert(complaint);
        Err(error)
    }

    /// A scalar of the wrong kind: `NUMBER_VALUE can not be converted to a String`.
    fn wrong<T, E: de::Error>(self, token: &str) -> Result<T, E> {
        self.refuse(match self.shape.kind {
            Kind::List(_) => "Expected list or null".to_owned(),
            Kind::Map(..) | Kind::Structure(_) => "Expected map or null".to_owned(),
            kind => format!("{token} can not be converted to {}", java(kind)),
        })
    }

    fn number<'de, E: de::Error>(self, number: i64) -> Result<Option<Value<'de>>, E> {
        match self.shape.kind {
            Kind::Integer if i32::try_from(number).is_err() => self.wrong("NUMBER_VALUE"),
            Kind::Integer | Kind::Long => Ok(Some(Value::Integer(number))),
            // Precision above 2^53 is lost, as in every JSON number that is a double.
            Kind::Double => Ok(Some(Value::Double(number as f64))),
            Kind::Timestamp => match Timestamp::from_second(number) {
                Ok(at) => Ok(Some(Value::Timestamp(at))),
                Err(_) => self.wrong("NUMBER_VALUE"),
            },
            _ => self.wrong("NUMBER_VALUE"),
        }
    }
}

/// A kind as the Java type in AWS's messages, with its article.
fn java(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "a String",
        Kind::Blob => "a Blob",
        Kind::Boolean => "a Boolean",
        Kind::Integer => "an Integer",
        Kind::Long => "a Long",
        Kind::Double => "a Double",
        Kind::Timestamp => "milliseconds since epoch",
        Kind::List(_) => "a List",
        Kind::Map(..) => "a Map",
        Kind::Structure(_) => "a structure",
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Option<Value<'de>>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Option<Value<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(java(self.shape.kind))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Self::Value, E> {
        match self.shape.kind {
            Kind::Boolean => Ok(Some(Value::Boolean(flag))),
            _ => self.wrong(if flag { "TRUE_VALUE" } else { "FALSE_VALUE" }),
        }
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        self.number(number)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        match i64::try_from(number) {
            Ok(number) => self.number(number),
            Err(_) => self.visit_f64(number as f64),
        }
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        match self.shape.kind {
            Kind::Double => Ok(Some(Value::Double(number))),
            Kind::Timestamp => match timestamp(number) {
                Some(at) => Ok(Some(Value::Timestamp(at))),
                None => self.wrong("NUMBER_VALUE"),
            },
            // `5.0` is a whole number; 2^53 bounds what a double holds exactly.
            Kind::Integer | Kind::Long if number.fract() == 0.0 && number.abs() <= 9.0e15 => {
                self.number(number as i64)
            }
            _ => self.wrong("NUMBER_VALUE"),
        }
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        match self.shape.kind {
            Kind::String => Ok(Some(Value::String(Cow::Borrowed(text)))),
            _ => self.visit_str(text),
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        match self.shape.kind {
            Kind::String => Ok(Some(Value::String(Cow::Owned(text.to_owned())))),
            Kind::Blob => match STANDARD.decode(text) {
                Ok(bytes) => Ok(Some(Value::Blob(bytes.into()))),
                Err(_) => self.refuse("Invalid base64 in a Blob"),
            },
            Kind::Double => match text {
                "NaN" => Ok(Some(Value::Double(f64::NAN))),
                "Infinity" => Ok(Some(Value::Double(f64::INFINITY))),
                "-Infinity" => Ok(Some(Value::Double(f64::NEG_INFINITY))),
                _ => self.wrong("STRING_VALUE"),
            },
            Kind::Timestamp if self.shape.iso8601 => match text.parse() {
                Ok(at) => Ok(Some(Value::Timestamp(at))),
                Err(_) => self.wrong("STRING_VALUE"),
            },
            _ => self.wrong("STRING_VALUE"),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let Kind::List(member) = self.shape.kind else {
            return self.refuse(match self.shape.kind {
                Kind::Map(..) | Kind::Structure(_) => "Start of list found where not expected",
                _ => "Unrecognized collection type class java.util.ArrayList",
            });
        };
        let mut members = Vec::new();
        while let Some(value) = seq.next_element_seed(self.inner(member))? {
            if members.len() == MEMBERS_MAX {
                return self.refuse("Too many members in a list");
            }
            members.extend(value);
        }
        Ok(Some(Value::List(members)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        match self.shape.kind {
            Kind::Structure(members) => {
                let mut slots = vec![None; members.len()];
                while let Some(name) = map.next_key_seed(Key)? {
                    match members.iter().position(|m| m.name == name) {
                        Some(at) => {
                            slots[at] = map.next_value_seed(self.inner(members[at].shape))?;
                        }
                        None => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(Some(Value::Structure(slots)))
            }
            Kind::Map(_, shape) => {
                let mut entries = Vec::new();
                while let Some(key) = map.next_key_seed(Key)? {
                    let value = map.next_value_seed(self.inner(shape))?;
                    if entries.len() == MEMBERS_MAX {
                        return self.refuse("Too many entries in a map");
                    }
                    entries.extend(value.map(|value| (key, value)));
                }
                Ok(Some(Value::Map(entries)))
            }
            _ => self.refuse("Start of structure or map found where not expected."),
        }
    }
}

/// A member's name, borrowed if it has no escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }
    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// Epoch seconds with a fraction, to the millisecond.
fn timestamp(seconds: f64) -> Option<Timestamp> {
    // About the range of a timestamp; keeps the cast below exact.
    if seconds.is_nan() || seconds.abs() >= 2.6e11 {
        return None;
    }
    Timestamp::from_millisecond((seconds * 1000.0).round() as i64).ok()
}

/// Encodes a value as JSON. Absent members are left out.
pub(crate) fn encode(shape: &Shape, value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::String(text) => string(text, out),
        Value::Blob(bytes) => {
            out.push(b'"');
            let start = out.len();
            out.resize(start + bytes.len().div_ceil(3) * 4, 0);
            let written = STANDARD.encode_slice(bytes, &mut out[start..]);
            out.truncate(start + written.unwrap_or(0));
            out.push(b'"');
        }
        Value::Boolean(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::Double(number) => double(*number, out),
        Value::Timestamp(at) if shape.iso8601 => string(&at.to_string(), out),
        Value::Timestamp(at) => out.extend_from_slice(seconds(*at).as_bytes()),
        Value::List(members) => {
            let Kind::List(member) = shape.kind else {
                return;
            };
            out.push(b'[');
            for (i, value) in members.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                encode(member, value, out);
            }
            out.push(b']');
        }
        Value::Map(entries) => {
            let Kind::Map(_, shape) = shape.kind else {
                return;
            };
            let entries = entries.iter().map(|(key, value)| (&**key, shape, value));
            object(entries, out);
        }
        Value::Structure(slots) => {
            let slots = shape.members().iter().zip(slots);
            object(
                slots
                    .filter_map(|(member, slot)| Some((member.name, member.shape, slot.as_ref()?))),
                out,
            );
        }
    }
}

fn object<'a>(
    entries: impl Iterator<Item = (&'a str, &'a Shape, &'a Value<'a>)>,
    out: &mut Vec<u8>,
) {
    out.push(b'{');
    for (i, (name, shape, value)) in entries.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        string(name, out);
        out.push(b':');
        encode(shape, value, out);
    }
    out.push(b'}');
}

/// Writes a JSON string.
pub(crate) fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut plain_from = 0;
    for (i, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        out.extend_from_slice(&text.as_bytes()[plain_from..i]);
        plain_from = i + 1;
        match escape {
            "" => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.extend_from_slice(escape.as_bytes()),
        }
    }
    out.extend_from_slice(&text.as_bytes()[plain_from..]);
    out.push(b'"');
}

fn double(number: f64, out: &mut Vec<u8>) {
    let text = match number {
        n if n.is_nan() => "\"NaN\"".to_owned(),
        n if n == f64::INFINITY => "\"Infinity\"".to_owned(),
        n if n == f64::NEG_INFINITY => "\"-Infinity\"".to_owned(),
        // Debug keeps the point (`7.0`) and the shortest digits that parse to the same number.
        n => format!("{n:?}"),
    };
    out.extend_from_slice(text.as_bytes());
}

/// Epoch seconds with up to three decimals: the Java SDK rejects longer
/// fractions.
pub(crate) fn seconds(at: Timestamp) -> String {
    let millis = SignedDuration::from_millis(at.as_millisecond());
    let (whole, part) = (millis.as_secs(), millis.subsec_millis());
    if part == 0 {
        return whole.to_string();
    }
    let sign = if at.as_millisecond() < 0 { "-" } else { "" };
    let text = format!("{sign}{}.{:03}", whole.unsigned_abs(), part.unsigned_abs());
    text.trim_end_matches('0').to_owned()
}
