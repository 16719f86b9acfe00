//! The positions of statements in a document, as the simulator reports them.

use aws_api::iam::Position;
use policy::language::json::{JsonError, Value, parse};

/// A statement's `StartPosition` and `EndPosition`.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) start: Position,
    pub(super) end: Position,
}

/// The spans of a document's statements, in their order.
///
/// Lines and columns are counted from 1; a column is a character. As AWS's recorded answers show, a
/// lone statement and the first of a list start behind the opening `{` or `[`, a later one behind
/// the `}` of the one before, and each ends behind its own `}`. `\r`, `\n` and `\r\n` end a line.
pub(super) fn statement_spans(text: &str) -> Result<Vec<Span>, JsonError> {
    let Value::Object(members) = parse(text)?.value else {
        return Ok(Vec::new());
    };
    let statement = members
        .into_iter()
        .find(|member| &*member.name == "Statement");
    let Some(node) = statement.map(|member| member.node) else {
        return Ok(Vec::new());
    };
    let ends: Vec<u32> = match &node.value {
        Value::Array(nodes) => nodes.iter().map(|node| node.end).collect(),
        _ => vec![node.end],
    };
    let mut cursor = Cursor::new(text);
    let mut start = cursor.advance(node.start.offset + 1);
    let spans = ends.into_iter().map(|end| {
        let end = cursor.advance(end);
        let span = Span {
            start: start.clone(),
            end: end.clone(),
        };
        start = end;
        span
    });
    Ok(spans.collect())
}

/// Counts lines and columns up to offsets that only grow.
struct Cursor<'a> {
    rest: std::str::CharIndices<'a>,
    line: i32,
    column: i32,
    after_carriage_return: bool,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a str) -> Cursor<'a> {
        Cursor {
            rest: text.char_indices(),
            line: 1,
            column: 1,
            after_carriage_return: false,
        }
    }

    fn advance(&mut self, offset: u32) -> Position {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        while self.rest.offset() < offset {
            let Some((_, character)) = self.rest.next() else {
                break;
            };
            match character {
                // The second half of `\r\n`.
                '\n' if self.after_carriage_return => {}
                '\r' | '\n' => {
                    self.line += 1;
                    self.column = 1;
                }
                _ => self.column += 1,
            }
            self.after_carriage_return = character == '\r';
        }
        Position {
            line: Some(self.line),
            column: Some(self.column),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<[i32; 4]> {
        let spans = statement_spans(text).unwrap();
        let number = |number: Option<i32>| number.unwrap();
        spans
            .into_iter()
            .map(|Span { start, end }| [start.line, start.column, end.line, end.column].map(number))
            .collect()
    }

    /// The documents are laid out as those of recorded answers of AWS.
    #[test]
    fn spans_are_those_of_aws() {
        let allow = r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#;
        let list = format!(r#"{{"Version":"2012-10-17","Statement":[{allow}]}}"#);
        let spaced = r#"{"Version": "2012-10-17", "Statement": {"Sid": "", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}}"#;
        let lone =
            r#"{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}"#;
        let two = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Sid":"First"},{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Sid":"Second"}]}"#;
        let pretty = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": \"s3:GetObject\",\n      \"Resource\": \"*\",\n      \"Sid\": \"First\"\n    },\n    {\n      \"Effect\": \"Deny\",\n      \"Action\": \"s3:PutObject\",\n      \"Resource\": \"*\",\n      \"Sid\": \"Second\"\n    }\n  ]\n}";
        let windows = " \r\n{\r\n  \"Version\": \"2012-10-17\",\r\n  \"Statement\": [\r\n    {\r\n      \"Effect\": \"Allow\",\r\n      \"Action\": \"s3:GetObject\",\r\n      \"Resource\": \"*\"\r\n    }\r\n  ]\r\n}\r\n ";
        for (text, spans) in [
            (list.as_str(), vec![[1, 38, 1, 95]]),
            (spaced, vec![[1, 41, 1, 113]]),
            (lone, vec![[1, 16, 1, 77]]),
            (two, vec![[1, 38, 1, 109], [1, 109, 1, 182]]),
            (pretty, vec![[3, 17, 9, 6], [9, 6, 15, 6]]),
            (windows, vec![[4, 17, 9, 6]]),
        ] {
            assert_eq!(numbers(text), spans, "{text}");
        }
    }

    #[test]
    fn a_lone_carriage_return_ends_a_line_and_a_column_is_a_character() {
        assert_eq!(
            numbers("{\r\"Id\":\"café\",\"Statement\":[\r{}\r,\r{}]}"),
            [[2, 26, 3, 3], [3, 3, 5, 3]]
        );
        assert_eq!(numbers("{\"Id\":\"é\",\"Statement\":{}}"), [[1, 24, 1, 25]]);
    }

    #[test]
    fn texts_inside_statements_do_not_count() {
        assert_eq!(
            numbers(r#"{"Id":"\"Statement\":[{}]","Statement":[{"Sid":"}{"},{"Sid":"]"}]}"#),
            [[1, 41, 1, 53], [1, 53, 1, 65]]
        );
        assert!(numbers(r#"{"Statement":[]}"#).is_empty());
    }
}
