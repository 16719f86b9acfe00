//! Prints the demo: each step as the command that a person would type, with its answer.

use std::io::{IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::person::CommandError;
use crate::error::{Error, Result};

/// Prints steps and counts them.
#[derive(Debug)]
pub struct Stage {
    colours: bool,
    steps: usize,
}

#[derive(Clone, Copy)]
enum Colour {
    Bold,
    Dim,
    Yellow,
    Green,
}

impl Stage {
    /// In colours on a terminal (unless `NO_COLOR` is set), plain elsewhere.
    pub fn new() -> Stage {
        let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Stage { colours, steps: 0 }
    }

    /// How many steps went as they must.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// A heading.
    pub fn scene(&self, title: &str) -> Result<()> {
        self.print(&format!("\n{}\n", self.paint(Colour::Bold, title)))
    }

    /// Words of the narrator.
    pub fn say(&self, text: &str) -> Result<()> {
        self.print(&format!(
            "\n{}\n",
            self.paint(Colour::Dim, &format!("# {text}"))
        ))
    }

    /// A file that the next commands use.
    pub fn file(&self, name: &str, content: &str) -> Result<()> {
        self.command(&format!("cat {name}"))?;
        self.print(&format!("{content}\n"))
    }

    /// Lines as they are.
    pub fn print(&self, text: &str) -> Result<()> {
        let mut out = std::io::stdout();
        out.write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .map_err(Error::failed("cannot write to standard output"))
    }

    fn command(&self, command: &str) -> Result<()> {
        self.print(&format!(
            "{} {}\n",
            self.paint(Colour::Green, "$"),
            self.paint(Colour::Bold, command)
        ))
    }

    /// A step that must succeed; `shown` makes its answer.
    pub fn works<T>(
        &mut self,
        command: &str,
        act: impl FnOnce() -> Result<T, CommandError>,
        shown: impl FnOnce(&T) -> String,
    ) -> Result<T> {
        self.command(command)?;
        match act() {
            Ok(value) => {
                let answer = shown(&value);
                if !answer.is_empty() {
                    self.print(&format!("{answer}\n"))?;
                }
                self.steps += 1;
                Ok(value)
            }
            Err(CommandError(text)) => Err(Error::Failed(format!(
                "the demo failed at `{command}`: {text}"
            ))),
        }
    }

    /// A step that must be refused, in words that hold each of `words`.
    pub fn refused<T>(
        &mut self,
        command: &str,
        act: impl FnOnce() -> Result<T, CommandError>,
        words: &[&str],
    ) -> Result<()> {
        self.command(command)?;
        match act() {
            Ok(_) => Err(Error::Failed(format!(
                "the demo failed: `{command}` must be refused and was not"
            ))),
            Err(CommandError(text)) => match words.iter().find(|word| !text.contains(**word)) {
                Some(word) => Err(Error::Failed(format!(
                    "the demo failed: the refusal of `{command}` lacks `{word}`: {text}"
                ))),
                None => {
                    self.steps += 1;
                    self.print(&format!("{}\n", self.paint(Colour::Yellow, &text)))
                }
            },
        }
    }

    /// A bar for the bytes of a push; hidden where nobody looks.
    pub fn progress(&self, bytes: u64) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
        match ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes}") {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }

    fn paint(&self, colour: Colour, text: &str) -> String {
        let code = match colour {
            Colour::Bold => 1,
            Colour::Dim => 2,
            Colour::Yellow => 33,
            Colour::Green => 32,
        };
        match self.colours {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }
}
