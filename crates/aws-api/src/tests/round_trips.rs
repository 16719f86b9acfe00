//! Encoding and decoding gives the same value, for any value of any operation.

use super::operations;
use crate::shape::{Kind, Shape};
use crate::xml::Element;
use crate::{Form, Operation, Protocol, Value, json, query, xml};
use jiff::Timestamp;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use std::borrow::Cow;

/// What the wire under test can hold.
#[derive(Clone, Copy)]
struct Wire {
    /// Whether there are absent members and empty lists, maps and structures: the
    /// Query form cannot distinguish some of them.
    gaps: bool,
    /// A timestamp's step in milliseconds.
    step: i64,
    /// A pattern for its texts.
    text: &'static str,
    /// How many lists and maps may stand in each other: some shapes contain themselves.
    depth: u8,
}

const JSON: Wire = Wire {
    gaps: true,
    step: 1,
    text: "(?s).{0,12}",
    depth: 8,
};
const QUERY: Wire = Wire {
    gaps: false,
    step: 1000,
    text: "(?s).{0,12}",
    depth: 8,
};
// Without the characters that XML 1.0 does not have.
const XML: Wire = Wire {
    gaps: true,
    step: 1000,
    text: "[\t\n\r -\u{D7FF}\u{E000}-\u{FFFD}😀]{0,12}",
    depth: 8,
};

fn any_value(shape: &'static Shape, wire: Wire) -> BoxedStrategy<Value<'static>> {
    let count = if wire.gaps { 0..3usize } else { 1..3 };
    let inner = Wire {
        depth: wire.depth.saturating_sub(1),
        ..wire
    };
    match shape.kind {
        Kind::List(_) if wire.depth == 0 => Just(Value::List(Vec::new())).boxed(),
        Kind::Map(..) if wire.depth == 0 => Just(Value::Map(Vec::new())).boxed(),
        Kind::String if !shape.values.is_empty() => proptest::sample::select(shape.values)
            .prop_map(|text| Value::String(Cow::Borrowed(text)))
            .boxed(),
        Kind::String => wire
            .text
            .prop_map(|text| Value::String(Cow::Owned(text)))
            .boxed(),
        Kind::Blob => vec(any::<u8>(), 0..20)
            .prop_map(|b| Value::Blob(b.into()))
            .boxed(),
        Kind::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        Kind::Integer => any::<i32>().prop_map(|n| Value::Integer(n.into())).boxed(),
        Kind::Long => any::<i64>().prop_map(Value::Integer).boxed(),
        // Scores: a few decimals. JSON numbers beyond 15 digits may lose the last.
        Kind::Double => any::<i32>()
            .prop_map(|n| Value::Double(f64::from(n) / 1000.0))
            .boxed(),
        Kind::Timestamp => (-60_000_000_000_000_i64..250_000_000_000_000)
            .prop_map(move |n| {
                let millis = n.div_euclid(wire.step) * wire.step;
                Value::Timestamp(Timestamp::from_millisecond(millis).unwrap())
            })
            .boxed(),
        Kind::List(member) => vec(any_value(member, inner), count)
            .prop_map(Value::List)
            .boxed(),
        Kind::Map(key, value) => {
            let key = any_value(key, wire).prop_map(|key| match key {
                Value::String(text) => text.into_owned(),
                other => format!("{other:?}"),
            });
            // In the order of the Rust type's keys: by text, or as the model lists an enumeration.
            let order = key_order(shape);
            btree_map(key, any_value(value, inner), count)
                .prop_map(move |entries| {
                    let mut entries: Vec<_> = entries
                        .into_iter()
                        .map(|(key, value)| (Cow::Owned(key), value))
                        .collect();
                    entries.sort_by_key(|(key, _)| order.iter().position(|v| v == key));
                    Value::Map(entries)
                })
                .boxed()
        }
        Kind::Structure(members) => {
            let mut slots = Just(Vec::new()).boxed();
            for member in members {
                let value = any_value(member.shape, wire);
                let slot = match member.required || !wire.gaps {
                    true => value.prop_map(Some).boxed(),
                    false => proptest::option::of(value).boxed(),
                };
                slots = (slots, slot)
                    .prop_map(|(mut slots, slot)| {
                        slots.push(slot);
                        slots
                    })
                    .boxed();
            }
            slots.prop_map(Value::Structure).boxed()
        }
    }
}

fn key_order(shape: &Shape) -> &'static [&'static str] {
    match shape.kind {
        Kind::Map(key, _) => key.values,
        _ => &[],
    }
}

fn any_of(
    wire: Wire,
    shape: fn(Operation) -> &'static Shape,
) -> impl Strategy<Value = (Operation, Value<'static>)> {
    let mut operations = operations();
    // Structures without members are values of their own in JSON alone.
    operations
        .retain(|operation| wire.gaps || operation.service().protocol() != Protocol::RestJson);
    proptest::sample::select(operations)
        .prop_flat_map(move |operation| (Just(operation), any_value(shape(operation), wire)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_requests_round_trip((operation, value) in any_of(JSON, Operation::input)) {
        let mut out = Vec::new();
        json::encode(operation.input(), &value, &mut out);
        prop_assert_eq!(&json::decode(operation.input(), &out).unwrap(), &value);
        // Other parsers accept it.
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok());
        prop_assert_eq!(operation.input_through_type(value.clone()), value);
    }

    #[test]
    fn json_responses_round_trip((operation, value) in any_of(JSON, Operation::output)) {
        let mut out = Vec::new();
        json::encode(operation.output(), &value, &mut out);
        prop_assert_eq!(&json::decode(operation.output(), &out).unwrap(), &value);
        prop_assert_eq!(operation.output_through_type(value.clone()), value);
    }

    #[test]
    fn query_requests_round_trip((operation, value) in any_of(QUERY, Operation::input)) {
        let mut out = String::new();
        query::encode(operation.input(), &value, "", &mut out);
        let form = Form::parse(out.as_bytes()).unwrap();
        prop_assert_eq!(form.decode(operation.input()).unwrap(), value);
    }

    #[test]
    fn xml_responses_round_trip((operation, value) in any_of(XML, Operation::output)) {
        let mut out = String::new();
        xml::element("Top", &mut out, |out| xml::encode(operation.output(), &value, out));
        let top = Element::parse(out.as_bytes()).unwrap();
        prop_assert_eq!(top.decode(operation.output()), Some(value));
    }

    #[test]
    fn xml_is_well_formed_for_any_text(text in "(?s).{0,40}") {
        let mut out = String::new();
        xml::element("Message", &mut out, |out| xml::escape(&text, out));
        let read = Element::parse(out.as_bytes()).unwrap().text;
        prop_assert_eq!(read.chars().count(), text.chars().count());
        let same = |(read, meant)| read == meant || read == char::REPLACEMENT_CHARACTER;
        prop_assert!(read.chars().zip(text.chars()).all(same));
    }

    #[test]
    fn decodes_or_rejects_any_bytes(
        operation in proptest::sample::select(operations()),
        body in vec(any::<u8>(), 0..200),
    ) {
        let _ = json::decode(operation.input(), &body);
        let _ = Form::parse(&body).map(|form| form.decode(operation.input()).is_ok());
        let _ = Element::parse(&body).map(|top| top.decode(operation.output()).is_some());
    }

    #[test]
    fn decodes_or_rejects_damaged_json(
        (operation, value) in any_of(JSON, Operation::input),
        cut in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut out = Vec::new();
        json::encode(operation.input(), &value, &mut out);
        let at = cut.index(out.len());
        out[at] = byte;
        let _ = json::decode(operation.input(), &out);
        prop_assert!(json::decode(operation.input(), &out[..at]).is_err() || at == 0);
    }
}
