//! JSON with positions, bounded and strict.
//!
//! A general JSON library forgets where a string stood and keeps the last of two equal
//! keys. Policies need the first for findings and must refuse the second
//! (UG reference_policies_grammar: "must not contain multiple instances of the same
//! key"), so this is a small reader of RFC 8259 with both, a bound on depth, and no
//! lone surrogates.

use std::collections::HashSet;
use std::sync::Arc;

/// Deeper than any policy can be (a condition value stands at depth 6), shallow
/// enough for recursion.
const DEPTH_MAX: u32 = 16;

/// A place in a document's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Position {
    /// Bytes from the start of the text.
    pub offset: u32,
    /// Counted from 1.
    pub line: u32,
    /// Characters from the start of the line, counted from 1.
    pub column: u32,
}

impl Position {
    /// A text's first character.
    pub const START: Position = Position {
        offset: 0,
        line: 1,
        column: 1,
    };

    /// The place of a byte of `text`.
    pub fn at(text: &str, offset: usize) -> Position {
        let before = &text[..text.floor_char_boundary(offset)];
        let line = before.rsplit('\n').next().unwrap_or_default();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Position {
            offset: count(before.len()),
            line: count(before.matches('\n').count()).saturating_add(1),
            column: count(line.chars().count()).saturating_add(1),
        }
    }

    /// The same place in the text in which the text of this one begins at `start`.
    pub fn within(self, start: Position) -> Position {
        let column = match self.line {
            1 => start.column.saturating_add(self.column) - 1,
            _ => self.column,
        };
        Position {
            offset: start.offset.saturating_add(self.offset),
            line: start.line.saturating_add(self.line) - 1,
            column,
        }
    }
}

/// A value and where it starts and ends.
#[derive(Debug)]
pub struct Node {
    pub value: Value,
    pub start: Position,
    /// Bytes from the start of the text to behind the value.
    pub end: u32,
}

#[derive(Debug)]
pub enum Value {
    Null,
    Bool(bool),
    /// The number as written.
    Number(Arc<str>),
    String(Arc<str>),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

#[derive(Debug)]
pub struct Member {
    pub name: Arc<str>,
    pub position: Position,
    pub node: Node,
}

/// Why a text is no JSON (or not JSON as policies need it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    pub what: &'static str,
    pub position: Position,
}

/// Reads one JSON value that fills the whole text.
pub fn parse(text: &str) -> Result<Node, JsonError> {
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        at: 0,
        line: 1,
        line_start: 0,
        continuation: 0,
    };
    reader.space();
    let node = reader.value(0)?;
    reader.space();
    if reader.at < reader.bytes.len() {
        return Err(reader.error("text after the end of the JSON value"));
    }
    Ok(node)
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    line: u32,
    line_start: usize,
    /// UTF-8 continuation bytes since the line's start: bytes minus these are characters.
    continuation: usize,
}

impl Reader<'_> {
    fn position(&self) -> Position {
        Position {
            offset: self.at as u32,
            line: self.line,
            column: (self.at - self.line_start - self.continuation + 1) as u32,
        }
    }

    fn error(&self, what: &'static str) -> JsonError {
        JsonError {
            what,
            position: self.position(),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' => {
                    self.at += 1;
                    self.line += 1;
                    self.line_start = self.at;
                    self.continuation = 0;
                }
                _ => return,
            }
        }
    }

    fn value(&mut self, depth: u32) -> Result<Node, JsonError> {
        if depth > DEPTH_MAX {
            return Err(self.error("nested too deeply"));
        }
        let start = self.position();
        let value = match self.peek() {
            None => return Err(self.error("the text ends where a value is expected")),
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Value::String(self.string()?),
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(_) if self.text[self.at..].starts_with('\u{feff}') => {
                return Err(self.error("a byte order mark, which JSON must not have"));
            }
            Some(_) => return Err(self.error("a value is expected")),
        };
        Ok(Node {
            value,
            start,
            end: self.at as u32,
        })
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.error("a value is expected"))
        }
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.error("a digit is expected"));
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.error("a number must not start with 0"));
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Value::Number(self.text[start..self.at].into()))
    }

    fn array(&mut self, depth: u32) -> Result<Value, JsonError> {
        self.at += 1;
        let mut nodes = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(nodes));
        }
        loop {
            self.space();
            nodes.push(self.value(depth + 1)?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::Array(nodes));
                }
                _ => return Err(self.error("`,` or `]` is expected")),
            }
        }
    }

    fn object(&mut self, depth: u32) -> Result<Value, JsonError> {
        self.at += 1;
        let mut members = Vec::new();
        let mut names = HashSet::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(members));
        }
        loop {
            self.space();
            let position = self.position();
            if self.peek() != Some(b'"') {
                return Err(self.error("a key in quotes is expected"));
            }
            let name = self.string()?;
            if !names.insert(Arc::clone(&name)) {
                return Err(JsonError {
                    what: "the key stands twice in one object",
                    position,
                });
            }
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.error("`:` is expected"));
            }
            self.at += 1;
            self.space();
            let node = self.value(depth + 1)?;
            members.push(Member {
                name,
                position,
                node,
            });
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Value::Object(members));
                }
                _ => return Err(self.error("`,` or `}` is expected")),
            }
        }
    }

    fn string(&mut self) -> Result<Arc<str>, JsonError> {
        self.at += 1;
        let mut owned: Option<String> = None;
        let mut start = self.at;
        loop {
            match self.peek() {
                None => return Err(self.error("a string has no end")),
                Some(b'"') => {
                    let tail = &self.text[start..self.at];
                    self.at += 1;
                    return Ok(match owned {
                        None => tail.into(),
                        Some(mut text) => {
                            text.push_str(tail);
                            text.into()
                        }
                    });
                }
                Some(b'\\') => {
                    let text = owned.get_or_insert_with(String::new);
                    text.push_str(&self.text[start..self.at]);
                    let character = self.escape()?;
                    text.push(character);
                    start = self.at;
                }
                Some(0..=0x1f) => return Err(self.error("a control character in a string")),
                Some(byte) => {
                    if byte & 0xc0 == 0x80 {
                        self.continuation += 1;
                    }
                    self.at += 1;
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        self.at += 1;
        let Some(byte) = self.peek() else {
            return Err(self.error("a string has no end"));
        };
        let character = match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(self.error("an unknown escape in a string")),
        };
        self.at += 1;
        Ok(character)
    }

    /// `\uXXXX`, or two of them for a character outside the basic plane.
    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let first = self.hex4()?;
        let code = if (0xd800..0xdc00).contains(&first) {
            if !self.bytes[self.at..].starts_with(b"\\u") {
                return Err(self.error("a lone surrogate in a string"));
            }
            self.at += 1;
            let second = self.hex4()?;
            if !(0xdc00..0xe000).contains(&second) {
                return Err(self.error("a lone surrogate in a string"));
            }
            0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        } else {
            first
        };
        char::from_u32(code).ok_or_else(|| self.error("a lone surrogate in a string"))
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        // At the `u`.
        self.at += 1;
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| (byte as char).to_digit(16));
            match digit {
                Some(digit) => code = code * 16 + digit,
                None => return Err(self.error("four hexadecimal digits are expected")),
            }
            self.at += 1;
        }
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_not_strict_json() {
        for (text, what) in [
            ("", "the text ends where a value is expected"),
            ("{} x", "text after the end of the JSON value"),
            (r#"{"a":1,"a":2}"#, "the key stands twice in one object"),
            (
                r#"{"a":1,"\u0061":2}"#,
                "the key stands twice in one object",
            ),
            (r#"["\ud800"]"#, "a lone surrogate in a string"),
            (r#"["\udc00"]"#, "a lone surrogate in a string"),
            (r#"["\ud800\u0041"]"#, "a lone surrogate in a string"),
            ("[1,]", "a value is expected"),
            ("{'a':1}", "a key in quotes is expected"),
            ("[01]", "a number must not start with 0"),
            ("[\"\u{1}\"]", "a control character in a string"),
            (r#"["\x"]"#, "an unknown escape in a string"),
            ("[\"", "a string has no end"),
            ("[nul]", "a value is expected"),
        ] {
            assert_eq!(parse(text).expect_err(text).what, what, "{text}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(parse(&deep).expect_err("deep").what, "nested too deeply");
    }

    #[test]
    fn agrees_with_serde_json_on_escapes() {
        for text in [
            r#""\ud83d\ude00""#,
            r#""a\"\\\/\b\f\n\r\tz\u00e9""#,
            "\"é\"",
        ] {
            let expected: String = serde_json::from_str(text).unwrap();
            match parse(text).unwrap().value {
                Value::String(got) => assert_eq!(*got, *expected),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn positions_count_lines_and_characters() {
        let node = parse("{\n  \"é\": [1,\n\"x\"]}").unwrap();
        let Value::Object(members) = node.value else {
            panic!("an object")
        };
        assert_eq!(
            (members[0].position.line, members[0].position.column),
            (2, 3)
        );
        assert_eq!(members[0].node.start.column, 8);
        let Value::Array(items) = &members[0].node.value else {
            panic!("an array")
        };
        assert_eq!((items[1].start.line, items[1].start.column), (3, 1));
    }
}
