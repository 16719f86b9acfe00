//! Documents composed from bytes that keep to nothing but the shape of a document. Scenarios
//! come from the property tests' own composer ([`crate::world`]).

use arbitrary::{Result, Unstructured};
use serde_json::{Map, Value, json};

use crate::world::{Subject, condition, joined, negated, some};

type Bytes<'a, 'b> = &'a mut Unstructured<'b>;

/// The words of documents, right and wrong ones.
const WORDS: &[&str] = &[
    "*",
    "?",
    ":",
    "/",
    "-",
    "arn:aws:",
    "s3",
    "ecr",
    "iam",
    "sts",
    "ec2",
    "GetObject",
    "PassRole",
    "AssumeRole",
    "Put",
    "Image",
    "repository/",
    "role/",
    "user/",
    "arn:aws:s3:::",
    "b",
    "${",
    "}",
    "${aws:username}",
    "${aws:PrincipalTag/x, 'y'}",
    "aws:",
    "SourceIp",
    "PrincipalArn",
    "TagKeys",
    "ResourceTag/",
    "SourceArn",
    "ExternalId",
    "111122223333",
    "root",
    ".amazonaws.com",
    "é",
    "\"",
    "10.0.0.0/8",
    "2026-01-01T00:00:00Z",
    "true",
    "1",
    "token.actions.githubusercontent.com",
    "sub",
    "StringLike",
    "ForAnyValue:",
    "IfExists",
    "Date",
    "LessThan",
    "Numeric",
    "Equals",
    "Null",
    "us-east-1",
    "::",
    "federated-user/",
    "assumed-role/",
];

/// Up to a few hundred statements of any words.
pub fn document(bytes: Bytes<'_, '_>) -> Result<Value> {
    let mut statements = Vec::new();
    while !bytes.is_empty() && statements.len() < 300 {
        statements.push(statement(bytes)?);
    }
    Ok(json!({
        "Version": bytes.choose(&["2012-10-17", "2012-10-17", "2008-10-17"])?,
        "Statement": statements,
    }))
}

fn statement(bytes: Bytes<'_, '_>) -> Result<Value> {
    let mut statement = Map::new();
    let effect = *bytes.choose(&["Allow", "Deny"])?;
    statement.insert("Effect".into(), effect.into());
    let name = negated(bytes, "Action")?;
    let known = bytes.ratio(1, 2)?;
    let made = some(bytes, |bytes| match known {
        true => Subject::Repository.action(bytes),
        false => action(bytes),
    })?;
    statement.insert(name, made);
    if bytes.ratio(4, 5)? {
        let name = negated(bytes, "Resource")?;
        let known = bytes.ratio(1, 2)?;
        let made = some(bytes, |bytes| match known {
            true => Subject::Repository.resource(bytes),
            false => text(bytes),
        })?;
        statement.insert(name, made);
    }
    if bytes.ratio(1, 3)? {
        let types = &["AWS", "Service", "Federated", "CanonicalUser"];
        let kind = *bytes.choose(types)?;
        let named = some(bytes, text)?;
        statement.insert("Principal".into(), json!({ kind: named }));
    }
    if bytes.ratio(1, 2)? {
        let mut operators = Map::new();
        for _ in 0..bytes.int_in_range(1..=3)? {
            let (operator, mut keys) = condition(bytes)?;
            if bytes.ratio(1, 2)? {
                let key = format!("aws:{}", joined(bytes, WORDS, 2)?);
                keys[key] = some(bytes, text)?;
            }
            operators.insert(operator, keys);
        }
        statement.insert("Condition".into(), Value::Object(operators));
    }
    Ok(Value::Object(statement))
}

fn action(bytes: Bytes<'_, '_>) -> Result<String> {
    let service = *bytes.choose(&["s3", "ecr", "iam", "sts", "ec2", "nosuch", "s?"])?;
    Ok(format!("{service}:{}", joined(bytes, WORDS, 4)?))
}

fn text(bytes: Bytes<'_, '_>) -> Result<String> {
    joined(bytes, WORDS, 8)
}
