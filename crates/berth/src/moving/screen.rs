//! What a copy prints: a line for each image on standard output, and on a terminal a progress bar beside them.

use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use policy::Printable;
use serde_json::{Value, json};
use transfer::{Outcome, Progress, Reference, State, Totals, Written};

use crate::cli::Output;
use crate::error::{Error, Result};
use crate::output::Answers;

/// The screen, or the file or pipe in its place.
pub struct Screen {
    output: Output,
    bar: ProgressBar,
    answers: Mutex<Answers>,
    /// A line that could not be written.
    lost: Mutex<Option<Error>>,
}

impl Screen {
    pub fn new(output: Output) -> Arc<Screen> {
        let bar = match std::io::stderr().is_terminal() {
            true => ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr()),
            false => ProgressBar::hidden(),
        };
        let style = ProgressStyle::with_template("{bar:32} {bytes}/{total_bytes} {bytes_per_sec}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Arc::new(Screen {
            output,
            bar,
            answers: Mutex::new(Answers::new()),
            lost: Mutex::new(None),
        })
    }

    /// Takes the bar away; an error when a line could not be written.
    pub fn finish(&self) -> Result<()> {
        self.bar.finish_and_clear();
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        lost.take().map_or(Ok(()), Err)
    }

    pub fn totals(&self, totals: &Totals) -> Result<()> {
        let text = || {
            let pending = match totals.pending {
                0 => String::new(),
                pending => format!("{pending} to copy, "),
            };
            format!(
                "{} equal, {} copied, {pending}{} different, {} failed",
                totals.equal, totals.copied, totals.differing, totals.failed
            )
        };
        let value = || {
            json!({"equal": totals.equal, "copied": totals.copied, "pending": totals.pending,
                "different": totals.differing, "failed": totals.failed})
        };
        self.print(text, value)
    }

    pub fn written(&self, written: &Written) -> Result<()> {
        let text = || {
            let left_out = match written.left_out {
                0 => String::new(),
                blobs => format!(
                    "; {blobs} blobs with {} bytes left out, which the earlier bundle has",
                    written.left_out_bytes
                ),
            };
            format!(
                "finished: {} images and artifacts in {} blobs with {} bytes{left_out}",
                written.entries, written.blobs, written.bytes
            )
        };
        let value = || {
            json!({"entries": written.entries, "blobs": written.blobs, "bytes": written.bytes,
                "leftOutBlobs": written.left_out, "leftOutBytes": written.left_out_bytes})
        };
        self.print(text, value)
    }

    pub fn verified(&self, blobs: usize) -> Result<()> {
        self.print(
            || format!("{blobs} blobs have their digests"),
            || json!({"verifiedBlobs": blobs}),
        )
    }

    pub fn wrong(&self, what: &str) -> Result<()> {
        self.print(
            || format!("wrong     {}", Printable(what)),
            || json!({"state": "wrong", "message": what}),
        )
    }

    fn print(&self, text: impl FnOnce() -> String, value: impl FnOnce() -> Value) -> Result<()> {
        self.bar.suspend(|| {
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            match self.output {
                Output::Text => answers.line(&text())?,
                Output::Json => answers.json(&value())?,
            }
            // Who watches a pipe sees each image when it is there.
            answers.flush()
        })
    }
}

impl Progress for Screen {
    fn expected(&self, bytes: u64) {
        self.bar.inc_length(bytes);
    }

    fn passed(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn outcome(&self, outcome: &Outcome) {
        // Names and messages come from strangers.
        let text = || Printable(&line(outcome)).to_string();
        if let Err(error) = self.print(text, || view(outcome)) {
            let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
            lost.get_or_insert(error);
        }
    }
}

fn state(state: &State) -> &'static str {
    match state {
        State::Equal => "equal",
        State::Copied => "copied",
        State::WouldCopy => "would copy",
        State::WouldMove(_) => "would move",
        State::Differs(_) => "different",
        State::Failed(_) => "failed",
    }
}

fn name(outcome: &Outcome) -> String {
    match &outcome.reference {
        None => outcome.repository.clone(),
        Some(Reference::Tag(tag)) => format!("{}:{tag}", outcome.repository),
        Some(Reference::Digest(digest)) => format!("{}@{digest}", outcome.repository),
    }
}

fn line(outcome: &Outcome) -> String {
    let mut line = format!("{:10}  {}", state(&outcome.state), name(outcome));
    if let (Some(Reference::Tag(_)), Some(digest)) = (&outcome.reference, &outcome.digest) {
        line.push_str(&format!("  {digest}"));
    }
    match &outcome.state {
        State::WouldMove(now) => line.push_str(&format!("  (the target has {now})")),
        State::Differs(Some(now)) => line.push_str(&format!("  (the target has {now})")),
        State::Differs(None) => line.push_str("  (the target has none)"),
        State::Failed(why) => line.push_str(&format!("  {why}")),
        State::Equal | State::Copied | State::WouldCopy => {}
    }
    line
}

fn view(outcome: &Outcome) -> Value {
    let (found, message) = match &outcome.state {
        State::WouldMove(now) => (Some(now.to_string()), None),
        State::Differs(now) => (now.map(|now| now.to_string()), None),
        State::Failed(why) => (None, Some(why)),
        State::Equal | State::Copied | State::WouldCopy => (None, None),
    };
    let tag = match &outcome.reference {
        Some(Reference::Tag(tag)) => Some(tag),
        _ => None,
    };
    json!({
        "state": state(&outcome.state),
        "repositoryName": outcome.repository,
        "imageTag": tag,
        "imageDigest": outcome.digest.map(|digest| digest.to_string()),
        "targetDigest": found,
        "message": message,
    })
}
