//! A policy document as text, its elements in the order in which IAM's documents write them.
//!
//! The package sorts all keys by name. Documents are compact: clients decode them anyway.

use serde_json::Value;
use std::fmt::Write;

const DOCUMENT: &[&str] = &["Version", "Id", "Statement"];
const STATEMENT: &[&str] = &[
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

/// The text of a document. An unknown element is an error.
pub fn text(document: &Value) -> Result<String, String> {
    let mut out = String::new();
    object(document, DOCUMENT, &mut out, |name, value, out| {
        if name != "Statement" {
            return write(value, out);
        }
        let one = std::slice::from_ref(value);
        let statements = value.as_array().map_or(one, Vec::as_slice);
        out.push('[');
        for (at, statement) in statements.iter().enumerate() {
            out.push_str(if at == 0 { "" } else { "," });
            object(statement, STATEMENT, out, |_, value, out| write(value, out))?;
        }
        out.push(']');
        Ok(())
    })?;
    Ok(out)
}

fn object(
    value: &Value,
    order: &[&str],
    out: &mut String,
    member: impl Fn(&str, &Value, &mut String) -> Result<(), String>,
) -> Result<(), String> {
    let map = value.as_object().ok_or("not a JSON object")?;
    if let Some(unknown) = map.keys().find(|key| !order.contains(&key.as_str())) {
        return Err(format!("unknown element `{unknown}`"));
    }
    out.push('{');
    let present = order
        .iter()
        .filter_map(|name| Some((name, map.get(*name)?)));
    for (at, (name, value)) in present.enumerate() {
        out.push_str(if at == 0 { "" } else { "," });
        let _ = write!(out, "\"{name}\":");
        member(name, value, out)?;
    }
    out.push('}');
    Ok(())
}

fn write(value: &Value, out: &mut String) -> Result<(), String> {
    out.push_str(&serde_json::to_string(value).map_err(|e| e.to_string())?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_follow_the_usual_order() -> Result<(), String> {
        let document = serde_json::json!({
            "Statement": {"Resource": "*", "Effect": "Allow", "Sid": "a", "Action": ["b:c"]},
            "Version": "2012-10-17",
        });
        assert_eq!(
            text(&document)?,
            r#"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":["b:c"],"Resource":"*"}]}"#
        );
        assert!(text(&serde_json::json!({"Versions": "x"})).is_err());
        Ok(())
    }
}
