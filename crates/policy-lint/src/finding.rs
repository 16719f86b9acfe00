//! A finding.

use policy::Position;

use crate::codes::Code;

/// The most findings of one document, including the one that says that there are more.
pub const FINDINGS_MAX: usize = 1_000;

/// One thing that is refused or probably not meant.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The check that made it; the level and the page to read follow from it.
    pub code: Code,
    /// The start of the JSON value, or of the member's name, that it is about.
    pub position: Position,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to write instead.
    pub help: String,
}
