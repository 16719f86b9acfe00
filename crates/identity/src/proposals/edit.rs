//! Edits of a policy document's text that leave everything else byte for byte as it is.

use policy::language::json::{self, Node, Value};

/// A statement as members in the order in which people write them.
pub(super) type Members = Vec<(&'static str, serde_json::Value)>;

/// A document with one statement.
pub(super) fn document(statement: &Members) -> String {
    let version = policy_version();
    format!(
        "{{\n  \"Version\": {version},\n  \"Statement\": [\n    {}\n  ]\n}}",
        written(statement, Some("    "))
    )
}

fn policy_version() -> &'static str {
    "\"2012-10-17\""
}

/// Adds a statement at the end.
pub(super) fn add_statement(text: &str, statement: &Members) -> Option<String> {
    let root = json::parse(text).ok()?;
    let node = member(&root, "Statement")?;
    match &node.value {
        Value::Array(_) => append(text, node, |indent| written(statement, indent)),
        Value::Object(_) => {
            let (start, end) = span(node);
            let added = written(statement, None);
            let both = format!("[{}, {added}]", &text[start..end]);
            Some(splice(text, start, end, &both))
        }
        _ => None,
    }
}

/// Adds a value to `Action` or `Resource` of a statement.
pub(super) fn add_value(text: &str, index: usize, element: &str, value: &str) -> Option<String> {
    let root = json::parse(text).ok()?;
    let node = member(statement(&root, index)?, element)?;
    add_to_values(text, node, value)
}

/// Adds a value of a condition to a statement, beside those that the same operator and key have.
pub(super) fn add_condition(
    text: &str,
    index: usize,
    (operator, key): (&str, &str),
    value: &str,
) -> Option<String> {
    let root = json::parse(text).ok()?;
    let statement = statement(&root, index)?;
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let by_key = format!("{{{}: {}}}", quoted(key), quoted(value));
    let Some(block) = member(statement, "Condition") else {
        let added = format!("\"Condition\": {{{}: {by_key}}}", quoted(operator));
        return append(text, statement, |_| added.clone());
    };
    let Some(values) = member(block, operator) else {
        return append(text, block, |_| format!("{}: {by_key}", quoted(operator)));
    };
    match member(values, key) {
        Some(node) => add_to_values(text, node, value),
        None => append(text, values, |_| {
            format!("{}: {}", quoted(key), quoted(value))
        }),
    }
}

fn add_to_values(text: &str, node: &Node, value: &str) -> Option<String> {
    let quoted = serde_json::Value::from(value).to_string();
    match &node.value {
        Value::Array(_) => append(text, node, |_| quoted.clone()),
        Value::Null | Value::Object(_) => None,
        _ => {
            let (start, end) = span(node);
            let both = format!("[{}, {quoted}]", &text[start..end]);
            Some(splice(text, start, end, &both))
        }
    }
}

/// Adds an entry at the end of a list or an object, separated as the entries before it are.
fn append(text: &str, node: &Node, entry: impl Fn(Option<&str>) -> String) -> Option<String> {
    let (start, end) = span(node);
    let (first, last) = match &node.value {
        Value::Array(nodes) => (
            nodes.first().map(|node| node.start.offset as usize),
            nodes.last().map(|node| node.end as usize),
        ),
        Value::Object(members) => (
            members
                .first()
                .map(|member| member.position.offset as usize),
            members.last().map(|member| member.node.end as usize),
        ),
        _ => return None,
    };
    let (Some(first), Some(last)) = (first, last) else {
        // Empty: between the brackets.
        let inner = entry(None);
        return Some(splice(text, start + 1, end - 1, &inner));
    };
    let space = &text[start + 1..first];
    let indent = space.rsplit_once('\n').map(|(_, indent)| indent);
    let space = if space.is_empty() { " " } else { space };
    let added = format!(",{space}{}", entry(indent));
    Some(splice(text, last, last, &added))
}

/// A statement's text: in one line, or in lines behind an indentation.
fn written(statement: &Members, indent: Option<&str>) -> String {
    let members = statement
        .iter()
        .map(|(name, value)| format!("\"{name}\": {value}"));
    let members = members.collect::<Vec<_>>();
    match indent {
        None => format!("{{{}}}", members.join(", ")),
        Some(indent) => {
            let between = format!(",\n{indent}  ");
            format!("{{\n{indent}  {}\n{indent}}}", members.join(&between))
        }
    }
}

fn splice(text: &str, start: usize, end: usize, with: &str) -> String {
    [&text[..start], with, &text[end..]].concat()
}

fn span(node: &Node) -> (usize, usize) {
    (node.start.offset as usize, node.end as usize)
}

fn statement(root: &Node, index: usize) -> Option<&Node> {
    let node = member(root, "Statement")?;
    match &node.value {
        Value::Array(nodes) => nodes.get(index),
        Value::Object(_) if index == 0 => Some(node),
        _ => None,
    }
}

/// A member by its name; condition operators and keys are the same in any letter case.
fn member<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let Value::Object(members) = &node.value else {
        return None;
    };
    let found = members
        .iter()
        .find(|member| member.name.eq_ignore_ascii_case(name));
    found.map(|member| &member.node)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pull() -> Members {
        vec![
            ("Effect", "Allow".into()),
            ("Action", "ecr:BatchGetImage".into()),
        ]
    }

    const LINES: &str = "{\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": \"a:B\"\n    }\n  ]\n}\n";

    #[test]
    fn a_statement_is_written_as_those_before_it() {
        assert_eq!(
            add_statement(LINES, &pull()).unwrap(),
            "{\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": \"a:B\"\n    },\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": \"ecr:BatchGetImage\"\n    }\n  ]\n}\n"
        );
        let added = r#"{"Effect": "Allow", "Action": "ecr:BatchGetImage"}"#;
        for (before, after) in [
            (
                r#"{"Statement":[{"x":1}]}"#,
                format!(r#"{{"Statement":[{{"x":1}}, {added}]}}"#),
            ),
            (
                r#"{"Statement":{"x":1}}"#,
                format!(r#"{{"Statement":[{{"x":1}}, {added}]}}"#),
            ),
            (
                r#"{"Statement":[]}"#,
                format!(r#"{{"Statement":[{added}]}}"#),
            ),
        ] {
            assert_eq!(add_statement(before, &pull()).unwrap(), after);
        }
        assert_eq!(add_statement("{}", &pull()), None);
        assert_eq!(add_statement("not json", &pull()), None);
    }

    #[test]
    fn values_become_lists_and_lists_grow() {
        let one = r#"{"Statement": {"Action": "a:B"}}"#;
        let two = add_value(one, 0, "Action", "c:D").unwrap();
        assert_eq!(two, r#"{"Statement": {"Action": ["a:B", "c:D"]}}"#);
        let three = add_value(&two, 0, "Action", "e:F").unwrap();
        assert_eq!(three, r#"{"Statement": {"Action": ["a:B", "c:D", "e:F"]}}"#);
        assert_eq!(add_value(one, 1, "Action", "c:D"), None);
        assert_eq!(add_value(one, 0, "Resource", "c:D"), None);
    }

    #[test]
    fn conditions_join_those_that_are_there() {
        let operator = ("ArnNotEquals", "aws:PrincipalArn");
        let none = r#"{"Statement": [{"Effect": "Deny"}]}"#;
        let one = add_condition(none, 0, operator, "x").unwrap();
        assert_eq!(
            one,
            r#"{"Statement": [{"Effect": "Deny", "Condition": {"ArnNotEquals": {"aws:PrincipalArn": "x"}}}]}"#
        );
        let two = add_condition(&one, 0, ("ArnNotEquals", "AWS:principalarn"), "y").unwrap();
        assert!(two.contains(r#"{"aws:PrincipalArn": ["x", "y"]}"#), "{two}");
        let other = add_condition(&one, 0, ("Bool", "aws:x"), "true").unwrap();
        assert!(
            other.contains(r#""x"}, "Bool": {"aws:x": "true"}}"#),
            "{other}"
        );
    }

    #[test]
    fn a_new_document_can_be_read() {
        let text = document(&pull());
        assert!(json::parse(&text).is_ok(), "{text}");
        assert!(text.contains("\n      \"Action\": \"ecr:BatchGetImage\"\n    }\n  ]\n}"));
    }
}
