//! Requests that botocore encodes are decoded, and responses are encoded as botocore decodes them
//! (tests/vectors/make.py).

use crate::shape::{Kind, Shape};
use crate::{Form, Operation, Protocol, RestHead, Service, Value, json};

struct Vector {
    operation: Operation,
    value: String,
    body: String,
    /// Method, path and query, of restJson1.
    line: Option<[String; 3]>,
}

fn vectors(file: &str, value: &str) -> Vec<Vector> {
    let rows = file.lines().map(|line| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let service = Service::from_signing_name(row["service"].as_str().unwrap()).unwrap();
        Vector {
            operation: service
                .operation(row["operation"].as_str().unwrap())
                .unwrap(),
            value: row[value].to_string(),
            body: row["body"].as_str().unwrap().to_owned(),
            line: serde_json::from_value(row["line"].clone()).unwrap(),
        }
    });
    rows.collect()
}

#[test]
fn decodes_the_requests_of_botocore() {
    let vectors = vectors(include_str!("../../tests/vectors/requests.jsonl"), "input");
    assert_eq!(vectors.len(), super::operations().len());
    for vector in vectors {
        let name = vector.operation.name();
        let shape = vector.operation.input();
        let meant = json::decode(shape, vector.value.as_bytes()).unwrap();
        match vector.operation.service().protocol() {
            Protocol::Json => {
                let read = json::decode(shape, vector.body.as_bytes()).unwrap();
                assert_eq!(read, meant, "{name}");
            }
            Protocol::RestJson => {
                let [method, path, query] = vector.line.unwrap();
                let service = vector.operation.service();
                assert_eq!(
                    RestHead::route(service, &method, &path),
                    Some(vector.operation)
                );
                let head = RestHead::read(vector.operation, &path, &query, |_| None).unwrap();
                let read = head.decode(shape, vector.body.as_bytes()).unwrap();
                assert_eq!(read, meant, "{name}");
            }
            Protocol::Query => {
                let form = Form::parse(vector.body.as_bytes()).unwrap();
                assert_eq!(form.action(), Some(name));
                assert_eq!(
                    form.version(),
                    Some(vector.operation.service().api_version())
                );
                assert_eq!(form.decode(shape).unwrap(), meant, "{name}");
            }
        }
        assert_eq!(
            vector.operation.input_through_type(meant.clone()),
            meant,
            "{name}"
        );
    }
}

#[test]
fn encodes_responses_that_botocore_decodes() {
    let vectors = vectors(include_str!("../../tests/vectors/answers.jsonl"), "output");
    assert_eq!(vectors.len(), super::operations().len());
    for vector in vectors {
        let name = vector.operation.name();
        let shape = vector.operation.output();
        let value = json::decode(shape, vector.value.as_bytes()).unwrap();
        assert_complete(shape, &value, name, &[]);
        let native = crate::ResponseFormat::Native;
        let response = crate::codec::encode_output(vector.operation, &value, native, "id");
        let body = String::from_utf8(response.body).unwrap();
        assert_eq!(body, vector.body, "{name}");
        assert_eq!(
            vector.operation.output_through_type(value.clone()),
            value,
            "{name}"
        );
    }
}

/// Each member of each structure is set, required or not.
fn assert_complete(shape: &Shape, value: &Value<'_>, path: &str, above: &[&Shape]) {
    match (shape.kind, value) {
        (Kind::Structure(members), Value::Structure(slots)) => {
            assert_eq!(members.len(), slots.len(), "{path}");
            for (member, slot) in members.iter().zip(slots) {
                let path = format!("{path}.{}", member.name);
                let value = slot.as_ref().unwrap_or_else(|| panic!("{path} is not set"));
                assert_complete(member.shape, value, &path, above);
            }
        }
        (Kind::List(member), Value::List(values)) => {
            // A list inside itself ends somewhere.
            let is_inside_itself = above.iter().any(|other| std::ptr::eq(*other, shape));
            assert!(is_inside_itself || !values.is_empty(), "{path} is empty");
            let above = [above, &[shape]].concat();
            values
                .iter()
                .for_each(|value| assert_complete(member, value, path, &above));
        }
        (Kind::Map(_, shape), Value::Map(entries)) => {
            assert!(!entries.is_empty(), "{path} is empty");
            entries
                .iter()
                .for_each(|(_, value)| assert_complete(shape, value, path, above));
        }
        _ => {}
    }
}
