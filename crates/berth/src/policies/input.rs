//! Reading scenarios: a JSON object, an array of objects, or JSON Lines.
//!
//! JSON Lines are answered line by line as they come, so that a program can keep `berth policy
//! evaluate` running behind a pipe and ask it again and again.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;

use policy::scenario::split;
use policy::{Document, Position};
use serde_json::value::RawValue;

use crate::error::{Error, Result};

/// A document, or one line of JSON Lines, in bytes.
const DOCUMENT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Read at once: one answer for each batch of lines that came together.
const BUFFER_BYTES: usize = 256 * 1024;

/// An open input with the name it has in messages.
pub struct Input {
    name: String,
    reader: BufReader<Box<dyn Read>>,
}

/// One JSON text of the input and where it stood.
pub struct Item<'a> {
    /// `line 3` or `item 3`, counted from 1.
    pub place: String,
    /// Where the text begins in the input.
    pub start: Position,
    /// The text; not yet known to be JSON where it is a line.
    pub text: &'a str,
    /// Nothing more has come yet: whoever asked waits for this answer.
    pub last_for_now: bool,
}

impl Input {
    fn new(name: &str, source: Box<dyn Read>) -> Input {
        Input {
            name: name.to_owned(),
            reader: BufReader::with_capacity(BUFFER_BYTES, source),
        }
    }

    /// Opens a file; none, or `-`, is standard input.
    pub fn open(path: Option<&Path>) -> Result<Input> {
        match path {
            Some(path) if path.as_os_str() != "-" => {
                let name = path.display().to_string();
                let file =
                    File::open(path).map_err(Error::failed(format!("cannot read {name}")))?;
                Ok(Input::new(&name, Box::new(file)))
            }
            _ => Ok(Input::new("standard input", Box::new(io::stdin()))),
        }
    }

    /// An input that is in memory.
    #[cfg(test)]
    pub fn of(text: &'static str) -> Input {
        Input::new("test", Box::new(text.as_bytes()))
    }

    /// The whole input as one policy document. Of one that is too long as much is read as shows it.
    pub fn document(mut self) -> Result<String> {
        let max = Document::BYTES_MAX;
        let mut bytes = Vec::new();
        let mut limited = self.reader.by_ref().take(max as u64 + 1);
        let read = limited.read_to_end(&mut bytes);
        read.map_err(|error| self.unreadable(&error))?;
        String::from_utf8(bytes).or_else(|error| {
            let (utf8, bytes) = (error.utf8_error(), error.as_bytes());
            if bytes.len() > max {
                return Ok(String::from_utf8_lossy(bytes).into_owned());
            }
            let before = String::from_utf8_lossy(&bytes[..utf8.valid_up_to()]);
            let at = Position::at(&before, before.len());
            Err(Error::Failed(format!(
                "{}:{}:{}: the text is not UTF-8",
                self.name, at.line, at.column
            )))
        })
    }

    /// Hands each item to `take`, in order.
    pub fn each(mut self, mut take: impl FnMut(Item<'_>) -> Result<()>) -> Result<()> {
        let mut text = String::new();
        let mut number = 0;
        loop {
            text.clear();
            number += 1;
            if !self.read_line(&mut text)? {
                return Err(Error::Failed(format!(
                    "{} is empty; give it a scenario",
                    self.name
                )));
            }
            if !text.trim().is_empty() {
                break;
            }
        }
        if is_line(&text) && serde_json::from_str::<&RawValue>(&text).is_ok() {
            return self.each_line(text, number, &mut take);
        }
        let looks_like_lines = is_line(&text);
        self.read_rest(&mut text)?;
        let start = line_start(number);
        match split(&text) {
            Ok(items) => {
                let count = items.len();
                for (index, item) in items.into_iter().enumerate() {
                    take(Item {
                        place: format!("item {}", index + 1),
                        start: item.start.within(start),
                        text: item.text,
                        last_for_now: index + 1 == count,
                    })?;
                }
                Ok(())
            }
            // A first line that is broken, and more of them behind it.
            Err(_) if looks_like_lines => {
                let again = Input::new(&self.name, Box::new(io::Cursor::new(text)));
                again.each_line(String::new(), number - 1, &mut take)
            }
            Err(error) => {
                let place = error.position().unwrap_or(Position::START).within(start);
                Err(Error::Failed(format!(
                    "{}:{}:{}: {error}; it is neither a JSON document nor JSON Lines",
                    self.name, place.line, place.column
                )))
            }
        }
    }

    /// Appends a line; `false` at the end.
    fn read_line(&mut self, into: &mut String) -> Result<bool> {
        let mut limited = self.reader.by_ref().take(DOCUMENT_BYTES_MAX);
        let read = limited
            .read_line(into)
            .map_err(|error| self.unreadable(&error))?;
        self.bounded(into)?;
        Ok(read > 0)
    }

    /// Appends all there is.
    fn read_rest(&mut self, into: &mut String) -> Result<()> {
        let mut limited = self.reader.by_ref().take(DOCUMENT_BYTES_MAX);
        limited
            .read_to_string(into)
            .map_err(|error| self.unreadable(&error))?;
        self.bounded(into)
    }

    fn unreadable(&self, error: &io::Error) -> Error {
        Error::Failed(format!("cannot read {}: {error}", self.name))
    }

    fn bounded(&self, text: &str) -> Result<()> {
        if text.len() as u64 >= DOCUMENT_BYTES_MAX {
            return Err(Error::Failed(format!(
                "{} holds more than {DOCUMENT_BYTES_MAX} bytes in one document; write JSON Lines",
                self.name
            )));
        }
        Ok(())
    }

    fn each_line(
        mut self,
        first: String,
        mut number: usize,
        take: &mut impl FnMut(Item<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut line = first;
        loop {
            let text = line.trim();
            if !text.is_empty() {
                let last_for_now = self.reader.buffer().is_empty();
                let indent = line.len() - line.trim_start().len();
                take(Item {
                    place: format!("line {number}"),
                    start: Position::at(&line, indent).within(line_start(number)),
                    text,
                    last_for_now,
                })?;
            }
            line.clear();
            number += 1;
            if !self.read_line(&mut line)? {
                return Ok(());
            }
        }
    }
}

fn line_start(number: usize) -> Position {
    Position {
        line: u32::try_from(number).unwrap_or(u32::MAX),
        ..Position::START
    }
}

fn is_line(text: &str) -> bool {
    let text = text.trim();
    text.starts_with('{') && text.ends_with('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &'static str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let read = Input::of(text).each(|item| {
            found.push((item.place, item.text.split_whitespace().collect()));
            Ok(())
        });
        read.map(|()| found)
            .unwrap_or_else(|error| vec![("error".into(), error.to_string())])
    }

    #[test]
    fn each_form_of_input() {
        for (text, expected) in [
            ("{\"a\":1}", &[("line 1", "{\"a\":1}")][..]),
            (
                "\n\n{\"a\":1}\n\n{\"b\":2}\n",
                &[("line 3", "{\"a\":1}"), ("line 5", "{\"b\":2}")],
            ),
            ("{\n \"a\": 1\n}\n", &[("item 1", "{\"a\":1}")]),
            (
                "{\n\"a\":1}\n{\n\"b\":2}",
                &[("item 1", "{\"a\":1}"), ("item 2", "{\"b\":2}")],
            ),
            (
                "[{\"a\":1},\n{\"b\":2}]",
                &[("item 1", "{\"a\":1}"), ("item 2", "{\"b\":2}")],
            ),
            ("[]", &[]),
            // A line that is no JSON is handed on as it is: the others keep their answers.
            (
                "{bad}\n{\"b\":2}",
                &[("line 1", "{bad}"), ("line 2", "{\"b\":2}")],
            ),
            (
                "{\"a\":1}\nbad\n",
                &[("line 1", "{\"a\":1}"), ("line 2", "bad")],
            ),
            // A document whose first line looks like a whole one.
            ("{\"a\":{}\n}", &[("item 1", "{\"a\":{}}")]),
        ] {
            let expected: Vec<_> = expected
                .iter()
                .map(|(p, t)| ((*p).to_owned(), (*t).to_owned()))
                .collect();
            assert_eq!(items(text), expected, "{text:?}");
        }
        assert!(items("")[0].1.contains("is empty"));
        assert!(
            items("nonsense")[0]
                .1
                .contains("neither a JSON document nor JSON Lines")
        );
    }
}
