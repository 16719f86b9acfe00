//! Splits a text into scenarios, with the position of each.

use serde_json::value::RawValue;

use crate::json::Position;

use super::ScenarioError;

/// One scenario of a text.
#[derive(Clone, Copy, Debug)]
pub struct ScenarioText<'a> {
    /// Its own text.
    pub text: &'a str,
    /// Where that begins.
    pub start: Position,
}

/// Splits a text into its JSON values, and an array into its members. Whether they are scenarios is
/// not checked.
///
/// # Errors
/// [`ScenarioError::Json`]: what follows a syntax error cannot be told apart from it.
pub fn split(text: &str) -> Result<Vec<ScenarioText<'_>>, ScenarioError> {
    let mut parts = Splitter {
        text,
        found: Vec::new(),
    };
    for value in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>() {
        let raw = value.map_err(|error| unreadable(&error, text, Position::START))?;
        if raw.get().starts_with('[') {
            let members: Vec<&RawValue> = serde_json::from_str(raw.get())
                .map_err(|error| unreadable(&error, raw.get(), parts.place(raw)))?;
            members.into_iter().for_each(|raw| parts.push(raw));
        } else {
            parts.push(raw);
        }
    }
    Ok(parts.found)
}

struct Splitter<'a> {
    text: &'a str,
    found: Vec<ScenarioText<'a>>,
}

impl<'a> Splitter<'a> {
    fn push(&mut self, raw: &'a RawValue) {
        let start = self.place(raw);
        self.found.push(ScenarioText {
            text: raw.get(),
            start,
        });
    }

    /// Counts on from the part before: each line is counted once.
    fn place(&self, raw: &RawValue) -> Position {
        let before = self.found.last().map_or(Position::START, |part| part.start);
        let known = self
            .found
            .last()
            .map_or(0, |part| offset_of(self.text, part.text));
        Position::at(&self.text[known..], offset(self.text, raw) - known).within(before)
    }
}

/// Where a part of `text` that was borrowed from it begins, in bytes.
pub(super) fn offset(text: &str, part: &RawValue) -> usize {
    offset_of(text, part.get())
}

fn offset_of(text: &str, part: &str) -> usize {
    part.as_ptr().addr() - text.as_ptr().addr()
}

/// The library's error with the place in the whole text. `part` is what was read, `start` where that
/// begins.
pub(super) fn unreadable(error: &serde_json::Error, part: &str, start: Position) -> ScenarioError {
    let what = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let lines = part.split_inclusive('\n');
    let before = lines.take(error.line().saturating_sub(1)).map(str::len);
    let offset = before.sum::<usize>() + error.column().saturating_sub(1);
    ScenarioError::Json {
        what: what.strip_suffix(&place).unwrap_or(&what).to_owned(),
        position: Position::at(part, offset).within(start),
    }
}
