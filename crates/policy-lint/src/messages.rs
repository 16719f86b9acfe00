//! What is wrong with a text, and helpers for the sentences that say it.

use std::borrow::Cow;

use crate::codes::{Code, Level};

/// What is wrong with a text, wherever it occurs.
pub(crate) struct Problem {
    pub code: Code,
    pub message: String,
    pub help: String,
}

impl Problem {
    pub fn new(code: Code, message: impl Into<String>, help: impl Into<String>) -> Problem {
        Problem {
            code,
            message: message.into(),
            help: help.into(),
        }
    }

    /// Whether the text has no effect; a warning does not claim that.
    pub fn is_error(&self) -> bool {
        self.code.level() == Level::Error
    }
}

/// A list for a sentence: `a, b and 3 more`.
pub(crate) fn some_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 4;
    let mut names = names.into_iter();
    let shown: Vec<String> = names
        .by_ref()
        .take(SHOWN)
        .map(|n| format!("`{}`", shortened(n)))
        .collect();
    match names.count() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A quoted text from another place, for a message that may be repeated often.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    const SHOWN: usize = 256;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

/// `did you mean ...?`, as the help of a finding about a name.
pub(crate) fn did_you_mean(similar: Option<String>, otherwise: &str) -> String {
    match similar {
        Some(similar) => format!("did you mean `{similar}`?"),
        None => otherwise.to_owned(),
    }
}
