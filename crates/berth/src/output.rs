//! Answers on standard output.

use std::io::{self, BufWriter, Stdout, Write as _};

use serde::Serialize;

use crate::error::{Error, Result};

/// Lines on their way to standard output.
pub struct Answers(BufWriter<Stdout>);

impl Answers {
    pub fn new() -> Answers {
        Answers(BufWriter::new(io::stdout()))
    }

    /// One line of text.
    pub fn line(&mut self, text: &str) -> Result<()> {
        let done = self.0.write_all(text.as_bytes());
        done.and_then(|()| self.0.write_all(b"\n")).map_err(gone)
    }

    /// One line of JSON.
    pub fn json(&mut self, value: &impl Serialize) -> Result<()> {
        serde_json::to_writer(&mut self.0, value).map_err(|error| gone(error.into()))?;
        self.0.write_all(b"\n").map_err(gone)
    }

    /// Sends what is held back.
    pub fn flush(&mut self) -> Result<()> {
        self.0.flush().map_err(gone)
    }
}

fn gone(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::BrokenPipe {
        // `… | head -1`: the reader has enough and wants no more words.
        return Error::Told;
    }
    Error::Failed(format!("cannot write to standard output: {error}"))
}
