//! What botocore writes is read, and what it reads is written
//! (tests/vectors/make.py).

use crate::{Form, Operation, Protocol, Service, json, xml};

struct Vector {
    operation: Operation,
    value: String,
    body: String,
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
        }
    });
    rows.collect()
}

#[test]
fn requests_of_botocore_are_read() {
    let vectors = vectors(include_str!("../../tests/vectors/requests.jsonl"), "input");
    assert_eq!(vectors.len(), 245);
    for vector in vectors {
        let name = vector.operation.name();
        let shape = vector.operation.input();
        let meant = json::decode(shape, vector.value.as_bytes()).unwrap();
        match vector.operation.service().protocol() {
            Protocol::Json => {
                let read = json::decode(shape, vector.body.as_bytes()).unwrap();
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
fn answers_are_those_that_botocore_reads() {
    for vector in vectors(include_str!("../../tests/vectors/answers.jsonl"), "output") {
        let name = vector.operation.name();
        let shape = vector.operation.output();
        let value = json::decode(shape, vector.value.as_bytes()).unwrap();
        let body = match vector.operation.service().protocol() {
            Protocol::Json => {
                let mut out = Vec::new();
                json::encode(shape, &value, &mut out);
                String::from_utf8(out).unwrap()
            }
            Protocol::Query => {
                let namespace = vector.operation.service().xml_namespace().unwrap();
                let mut content = String::new();
                if !shape.members().is_empty() {
                    xml::element(&format!("{name}Result"), &mut content, |out| {
                        xml::encode(shape, &value, out);
                    });
                }
                format!(
                    "<{name}Response xmlns=\"{namespace}\">{content}\
                     <ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></{name}Response>\n"
                )
            }
        };
        assert_eq!(body, vector.body, "{name}");
        assert_eq!(
            vector.operation.output_through_type(value.clone()),
            value,
            "{name}"
        );
    }
}
