//! Tests over all operations at once. They are inside the crate because they
//! use the shape tables.
#![allow(clippy::unwrap_used)]

mod hostile;
mod round_trips;
mod validation;
mod vectors;
mod wire;

use crate::{Operation, Service, Shaped, Value};
use std::borrow::Cow;

/// Every operation of every service.
fn operations() -> Vec<Operation> {
    Service::ALL
        .iter()
        .flat_map(|service| service.operations())
        .collect()
}

/// Converts a value to a Rust type and back.
pub(crate) fn through<T: Shaped>(value: Value<'_>) -> Value<'static> {
    owned(T::from_value(value).unwrap().to_value())
}

/// The same value, borrowing nothing.
fn owned(value: Value<'_>) -> Value<'static> {
    match value {
        Value::String(text) => Value::String(Cow::Owned(text.into_owned())),
        Value::Blob(bytes) => Value::Blob(bytes),
        Value::Boolean(flag) => Value::Boolean(flag),
        Value::Integer(number) => Value::Integer(number),
        Value::Double(number) => Value::Double(number),
        Value::Timestamp(at) => Value::Timestamp(at),
        Value::List(members) => Value::List(members.into_iter().map(owned).collect()),
        Value::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| (Cow::Owned(key.into_owned()), owned(value)))
                .collect(),
        ),
        Value::Structure(slots) => {
            Value::Structure(slots.into_iter().map(|slot| slot.map(owned)).collect())
        }
    }
}

#[test]
fn finds_every_operation_of_the_models() {
    let count = |service: Service| service.operations().len();
    assert_eq!(count(Service::AccessAnalyzer), 39);
    assert_eq!(count(Service::Berth), 61);
    assert_eq!(count(Service::Ecr), 62);
    assert_eq!(count(Service::Iam), 181);
    assert_eq!(count(Service::Organizations), 63);
    assert_eq!(count(Service::Kms), 56);
    assert_eq!(count(Service::SecretsManager), 26);
    assert_eq!(count(Service::Sts), 12);
    for operation in operations() {
        let found = operation.service().operation(operation.name());
        assert_eq!(found, Some(operation));
    }
    assert_eq!(Service::Iam.operation("getuser"), None);
}

#[test]
fn every_pattern_compiles() {
    let all = [
        crate::access_analyzer::shapes::PATTERNS,
        crate::berth::shapes::PATTERNS,
        crate::ecr::shapes::PATTERNS,
        crate::iam::shapes::PATTERNS,
        crate::kms::shapes::PATTERNS,
        crate::organizations::shapes::PATTERNS,
        crate::secrets_manager::shapes::PATTERNS,
        crate::sts::shapes::PATTERNS,
    ]
    .concat();
    assert!(all.len() > 40, "only {} patterns", all.len());
    for pattern in all {
        assert!(pattern.regex().is_some(), "{}", pattern.as_str());
        // In tests `regex` has all tables of Unicode, since `proptest` asks for them. The product
        // has those of the general categories alone.
        let translated = pattern.translated();
        let mut rest = translated.replace("(?:", "");
        assert!(!rest.contains("(?"), "{translated} has flags");
        for category in [r"\p{L}", r"\p{N}", r"\p{Z}", r"\x{"] {
            rest = rest.replace(category, "");
        }
        let escapes = rest
            .split('\\')
            .skip(1)
            .filter_map(|after| after.chars().next());
        for escape in escapes {
            assert!(
                escape.is_ascii_punctuation() || "tnrx".contains(escape),
                "{translated} has \\{escape}"
            );
        }
    }
}
